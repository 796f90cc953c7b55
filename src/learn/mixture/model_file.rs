//! Mixtures in model files, schema `wickring/mixture/1`.

use super::gaussian::{Component, GaussianMixture, scaled_identity};
use super::score::model::ScoreModel;
use super::score::reverse_chain::Chain;
use crate::Error;
use rand::Rng;
use serde_json::{Map, Value, json};

/// Schema of a mixture.
pub const SCHEMA: &str = "wickring/mixture/1";
const OP: &str = "MixtureModel::from_body";
/// Draws that distribution functions of models of scores are read off.
const QUANTILE_DRAWS: usize = 20_000;

/// A mixture as read from a model file: what can be sampled.
///
/// # Example
/// ```
/// use wickring::learn::mixture::{GaussianMixture, MixtureModel};
/// let law = GaussianMixture::spherical(1, [(1.0, vec![3.0])], 4.0)?;
/// let body = MixtureModel::Gaussian(law).to_body(None)?;
/// let read = MixtureModel::from_body(&body)?;
/// assert!((read.score(&[5.0])?[0] + 0.5).abs() < 1e-12); // (3 - 5) / 4
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum MixtureModel {
    /// Components with a density.
    Gaussian(GaussianMixture),
    /// Scores of a ladder of noise levels.
    Score(Box<ScoreModel>),
}

impl MixtureModel {
    /// Number of dimensions.
    pub fn dim(&self) -> usize {
        match self {
            Self::Gaussian(m) => m.dim(),
            Self::Score(m) => m.dim(),
        }
    }

    /// Draws `count` rows, row-major; `chain` is for models given by scores.
    ///
    /// # Errors
    /// `InvalidInput` when the chain has no step.
    pub fn sample(
        &self,
        count: usize,
        chain: Chain,
        rng: &mut impl Rng,
    ) -> Result<Vec<f64>, Error> {
        match self {
            Self::Gaussian(m) => Ok(m.sample(count, rng)),
            Self::Score(m) => m.sample(count, chain, rng),
        }
    }

    /// `grad log p` at each row, row-major.
    ///
    /// # Errors
    /// `Shape`; `NonFinite`.
    pub fn score(&self, rows: &[f64]) -> Result<Vec<f64>, Error> {
        match self {
            Self::Gaussian(m) => {
                let each = rows.chunks(m.dim()).map(|row| m.score(row));
                Ok(each.collect::<Result<Vec<_>, Error>>()?.concat())
            }
            Self::Score(m) => m.score(rows, m.noise() * m.noise()),
        }
    }

    /// `log p` at each row, row-major.
    ///
    /// # Errors
    /// `Shape`; `NonFinite`; as [`ScoreModel::log_density`].
    pub fn log_density(&self, rows: &[f64]) -> Result<Vec<f64>, Error> {
        match self {
            Self::Gaussian(m) => Ok(m.log_density(rows)),
            Self::Score(m) => m.log_density(rows),
        }
    }

    /// Where in the law of its column each entry lies, row-major: the probability that the column is at most as large. For
    /// models of scores from 20000 draws, so within about 0.01.
    ///
    /// # Errors
    /// `Shape`; `NonFinite`; those of drawing.
    pub fn quantiles_of(&self, rows: &[f64], rng: &mut impl Rng) -> Result<Vec<f64>, Error> {
        let op = "MixtureModel::quantiles_of";
        if !rows.len().is_multiple_of(self.dim()) {
            let expected = format!("rows of {} entries", self.dim());
            return Err(Error::shape(op, expected, rows.len().to_string()));
        }
        if let Some(index) = rows.iter().position(|x| !x.is_finite()) {
            return Err(Error::NonFinite { op, index });
        }
        let m = match self {
            Self::Gaussian(m) => return Ok(m.quantiles_of(rows)),
            Self::Score(m) => m,
        };
        let (dim, drawn) = (m.dim(), m.sample(QUANTILE_DRAWS, Chain::default(), rng)?);
        let mut columns: Vec<Vec<f64>> = (0..dim)
            .map(|a| drawn.iter().skip(a).step_by(dim).copied().collect())
            .collect();
        columns
            .iter_mut()
            .for_each(|c| c.sort_unstable_by(f64::total_cmp));
        let place = |(i, x): (usize, &f64)| {
            let column = &columns[i % dim];
            (column.partition_point(|y| y <= x) as f64 + 0.5) / (QUANTILE_DRAWS as f64 + 1.0)
        };
        Ok(rows.iter().enumerate().map(place).collect())
    }

    /// The mean of the row before noise of variance `variance` was added, given the noisy row, row-major. For models of
    /// scores `variance` is that of all the noise, the data's own included, which is the default; other models have none
    /// of their own, so it must be given.
    ///
    /// # Errors
    /// `InvalidInput` without a variance where one is needed, or for one that is not positive or too small; `Shape`; `NonFinite`.
    pub fn denoised(&self, rows: &[f64], variance: Option<f64>) -> Result<Vec<f64>, Error> {
        let op = "MixtureModel::denoised";
        match (self, variance) {
            (Self::Score(m), v) => m.denoise(rows, v.unwrap_or(m.noise() * m.noise())),
            (Self::Gaussian(m), Some(v)) if v > 0.0 && v.is_finite() => {
                // Tweedie's formula.
                let score = Self::Gaussian(m.heated(v)?).score(rows)?;
                Ok(rows.iter().zip(&score).map(|(y, s)| y + v * s).collect())
            }
            (Self::Gaussian(_), _) => {
                let requirement =
                    "a positive variance of the noise: a finite mixture has none of its own";
                Err(Error::invalid(op, requirement))
            }
        }
    }

    /// The entries of a model file; `components` lists the atoms of a model given by scores, where they exist.
    ///
    /// # Errors
    /// `InvalidInput` when a number cannot be written.
    pub fn to_body(
        &self,
        components: Option<&GaussianMixture>,
    ) -> Result<Map<String, Value>, Error> {
        let mut body = Map::new();
        body.insert("dim".into(), json!(self.dim()));
        let listed = match self {
            Self::Gaussian(m) => Some(m),
            Self::Score(_) => components,
        };
        let list = listed.map_or_else(Vec::new, |m| {
            m.components()
                .iter()
                .map(|c| component(c, m.dim()))
                .collect()
        });
        body.insert("components".into(), Value::Array(list));
        if let Self::Score(m) = self {
            let score = serde_json::to_value(m).map_err(|e| {
                Error::invalid(OP, format!("the score model cannot be written: {e}"))
            })?;
            body.insert("noise".into(), json!(m.noise()));
            body.insert("score".into(), score);
        }
        Ok(body)
    }

    /// Reads the entries of a model file. A score model is preferred to its list of components; components
    /// without a covariance (`covariance`, a matrix, or `variance`) have that of the entry `noise`, 1 if absent.
    ///
    /// # Errors
    /// `InvalidInput` naming the entry that is missing or wrong; as [`GaussianMixture::new`]; `LimitExceeded` when
    /// covariances that are not written out would take more than 2^25 entries, or 2^33 steps to factor.
    pub fn from_body(body: &Map<String, Value>) -> Result<Self, Error> {
        let missing =
            |what: &str| Error::invalid(OP, format!("{what} is missing or not as expected"));
        if let Some(score) = body.get("score").filter(|s| !s.is_null()) {
            let model: ScoreModel = serde_json::from_value(score.clone())
                .map_err(|e| Error::invalid(OP, format!("score: {e}")))?;
            model.check_invariants()?;
            return Ok(Self::Score(Box::new(model)));
        }
        let dim = body.get("dim").and_then(Value::as_u64);
        let dim = dim
            .filter(|d| (1..=1 << 20).contains(d))
            .ok_or_else(|| missing("dim (1 to 2^20)"))?;
        let dim = dim as usize;
        let noise = body
            .get("noise")
            .map_or(Some(1.0), Value::as_f64)
            .ok_or_else(|| missing("noise"))?;
        let list = body
            .get("components")
            .and_then(Value::as_array)
            .ok_or_else(|| missing("components"))?;
        require_room(dim, list)?;
        let mut components = Vec::new();
        for (j, c) in list.iter().enumerate() {
            let at = |what: &str| missing(&format!("components[{j}].{what}"));
            let weight = c
                .get("weight")
                .and_then(Value::as_f64)
                .ok_or_else(|| at("weight"))?;
            let mean = c.get("mean").and_then(numbers).ok_or_else(|| at("mean"))?;
            let covariance = match (c.get("covariance"), c.get("variance")) {
                (Some(m), _) => {
                    let rows = m.as_array().ok_or_else(|| at("covariance"))?;
                    let rows: Option<Vec<Vec<f64>>> = rows.iter().map(numbers).collect();
                    rows.ok_or_else(|| at("covariance"))?.concat()
                }
                (None, Some(v)) => scaled_identity(
                    dim.min(mean.len()),
                    v.as_f64().ok_or_else(|| at("variance"))?,
                ),
                (None, None) => scaled_identity(dim.min(mean.len()), noise * noise),
            };
            components.push(Component {
                weight,
                mean,
                covariance,
            });
        }
        Ok(Self::Gaussian(GaussianMixture::new(dim, components)?))
    }
}

/// Covariances that a short file only implies are full matrices all the same: their room and their factors are counted
/// before the first is made.
fn require_room(dim: usize, list: &[Value]) -> Result<(), Error> {
    let implied = list.iter().filter(|c| c.get("covariance").is_none());
    // One number of a mean takes two letters of a file: a mean that is too short implies nothing.
    let named = |c: &&Value| c["mean"].as_array().is_some_and(|m| m.len() == dim);
    let entries = (dim as u64)
        .saturating_mul(dim as u64)
        .saturating_mul(implied.filter(named).count() as u64);
    if entries > MOST_ENTRIES {
        return Err(Error::limit(OP, "entries of covariances", MOST_ENTRIES));
    }
    match entries.saturating_mul(dim as u64) > MOST_STEPS {
        true => Err(Error::limit(OP, "steps to factor covariances", MOST_STEPS)),
        false => Ok(()),
    }
}

/// Entries of covariances that a model file may imply: 256 MiB.
const MOST_ENTRIES: u64 = 1 << 25;
/// Multiplications that factoring them may take.
const MOST_STEPS: u64 = 1 << 33;

fn component(c: &Component, dim: usize) -> Value {
    let covariance: Vec<&[f64]> = c.covariance.chunks_exact(dim).collect();
    json!({ "weight": c.weight, "mean": c.mean, "covariance": covariance })
}

fn numbers(v: &Value) -> Option<Vec<f64>> {
    v.as_array()?.iter().map(Value::as_f64).collect()
}

impl ScoreModel {
    /// The shapes fit together and every number is finite.
    ///
    /// # Errors
    /// `InvalidInput` naming what does not fit.
    pub fn check_invariants(&self) -> Result<(), Error> {
        let wrong = |what: &str| {
            Err(Error::invalid(
                OP,
                format!("score: {what} does not fit the rest"),
            ))
        };
        let s = &self.subspace;
        let (dim, rank) = (s.dim(), s.rank());
        let finite = |v: &[f64]| v.iter().all(|x| x.is_finite());
        if dim == 0
            || rank > dim
            || s.axes.len() != dim * rank
            || !(s.sigma > 0.0 && s.sigma.is_finite())
        {
            return wrong("subspace");
        }
        if !(finite(&s.centre)
            && finite(&s.axes)
            && s.spectrum.iter().all(|v| *v > 0.0 && v.is_finite()))
        {
            return wrong("subspace");
        }
        let levels = &self.ladder.levels;
        if self.ladder.dim != rank || (rank > 0) == levels.is_empty() {
            return wrong("ladder");
        }
        let mut below = 1.0;
        for level in levels {
            let cells = level.pieces.len();
            let increasing = level.temperature > below && level.temperature.is_finite();
            below = level.temperature;
            let shaped = cells > 0 && level.dim == rank && level.centres.len() == cells * rank;
            if !(increasing
                && shaped
                && finite(&level.centres)
                && level.pieces.iter().all(|p| p.fits(rank)))
            {
                return wrong("level");
            }
        }
        Ok(())
    }
}
