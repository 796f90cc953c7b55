//! What a mixture says of some columns: their own law, their law given others, distribution functions and quantiles.

use super::gaussian::{Component, GaussianMixture};
use crate::Error;
use crate::poly::gaussian::normal_cdf;
use rayon::prelude::{ParallelIterator, ParallelSlice};
use std::collections::BTreeMap;

const OP: &str = "GaussianMixture::given";
/// Halvings of an interval that holds a quantile: its length falls below the last bit.
const HALVINGS: usize = 200;
/// Standard deviations beyond which a normal distribution function is 0 or 1 in double precision.
const TAIL: f64 = 40.0;

impl GaussianMixture {
    /// The law of the columns named, in the order in which they are named.
    ///
    /// # Errors
    /// `InvalidInput` for no column, one that is named twice or that does not exist.
    ///
    /// # Example
    /// ```
    /// use wickring::learn::mixture::GaussianMixture;
    /// let m = GaussianMixture::spherical(2, [(0.5, vec![-1.0, 5.0]), (0.5, vec![1.0, 6.0])], 1.0)?;
    /// assert_eq!(m.marginal(&[1])?.components()[1].mean, [6.0]);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn marginal(&self, columns: &[usize]) -> Result<Self, Error> {
        self.check_columns("GaussianMixture::marginal", columns)?;
        if columns.is_empty() {
            return Err(Error::invalid(
                "GaussianMixture::marginal",
                "at least one column",
            ));
        }
        let dim = self.dim();
        let of = |c: &Component| Component {
            weight: c.weight,
            mean: columns.iter().map(|a| c.mean[*a]).collect(),
            covariance: columns
                .iter()
                .flat_map(|a| columns.iter().map(move |b| c.covariance[a * dim + b]))
                .collect(),
        };
        Self::new(columns.len(), self.components().iter().map(of).collect())
    }

    /// The law of the other columns, in their order, where the columns of `known` have the values given.
    ///
    /// Each component keeps its conditional mean and covariance; its weight is the probability of the component given the
    /// values. Components whose probability is zero in double precision are left out; when the values are so far away that all
    /// are, the one least far away is left.
    ///
    /// # Errors
    /// `InvalidInput` when a column does not exist or is named twice, or no column is left; `NonFinite`; `Degenerate`.
    ///
    /// # Complexity
    /// `O(components * dim^3)`.
    ///
    /// # Example
    /// ```
    /// use wickring::learn::mixture::{Component, GaussianMixture};
    /// let c = Component { weight: 1.0, mean: vec![0.0, 1.0], covariance: vec![1.0, 0.5, 0.5, 1.0] };
    /// let m = GaussianMixture::new(2, vec![c])?.given(&[(0, 2.0)])?;
    /// assert!((m.components()[0].mean[0] - 2.0).abs() < 1e-12);
    /// assert!((m.components()[0].covariance[0] - 0.75).abs() < 1e-12);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn given(&self, known: &[(usize, f64)]) -> Result<Self, Error> {
        let dim = self.dim();
        let columns: Vec<usize> = known.iter().map(|(a, _)| *a).collect();
        self.check_columns(OP, &columns)?;
        if let Some(index) = known.iter().position(|(_, v)| !v.is_finite()) {
            return Err(Error::NonFinite { op: OP, index });
        }
        if known.is_empty() {
            return Ok(self.clone());
        }
        let free: Vec<usize> = (0..dim).filter(|a| !columns.contains(a)).collect();
        if free.is_empty() {
            return Err(Error::invalid(OP, "a column that is not given"));
        }
        let mut parts = Vec::with_capacity(self.len());
        for c in self.components() {
            parts.push(conditioned(c, dim, known, &free)?);
        }
        let most = parts.iter().fold(f64::NEG_INFINITY, |m, (l, _)| m.max(*l));
        let last = parts.iter().position(|(l, _)| *l == most).unwrap_or(0);
        let kept = parts
            .into_iter()
            .enumerate()
            .filter_map(|(j, (log_weight, mut c))| {
                c.weight = if j == last {
                    1.0
                } else {
                    (log_weight - most).exp()
                };
                (c.weight > 0.0).then_some(c)
            });
        Self::new(free.len(), kept.collect())
    }

    /// The probability that column `column` is at most `x`.
    ///
    /// # Errors
    /// `InvalidInput` when the column does not exist.
    pub fn cdf(&self, column: usize, x: f64) -> Result<f64, Error> {
        self.check_columns("GaussianMixture::cdf", &[column])?;
        Ok(self.below(column, x))
    }

    /// The value that column `column` exceeds with probability `1 - p`.
    ///
    /// # Errors
    /// `InvalidInput` when the column does not exist or `p` is not strictly between 0 and 1.
    ///
    /// # Accuracy
    /// The last bits of the distribution function: far in the tails a quantile has fewer digits.
    ///
    /// # Example
    /// ```
    /// use wickring::learn::mixture::GaussianMixture;
    /// let m = GaussianMixture::spherical(1, [(1.0, vec![3.0])], 4.0)?;
    /// assert!((m.quantile(0, 0.975)? - (3.0 + 2.0 * 1.959963984540054)).abs() < 1e-9);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn quantile(&self, column: usize, p: f64) -> Result<f64, Error> {
        let op = "GaussianMixture::quantile";
        self.check_columns(op, &[column])?;
        if !(p > 0.0 && p < 1.0) {
            return Err(Error::invalid(
                op,
                format!("a probability between 0 and 1, got {p}"),
            ));
        }
        let dim = self.dim();
        let ends = self.components().iter().map(|c| {
            let sd = c.covariance[column * dim + column].sqrt();
            (c.mean[column] - TAIL * sd, c.mean[column] + TAIL * sd)
        });
        let widest = (f64::INFINITY, f64::NEG_INFINITY);
        let (mut low, mut high) = ends.fold(widest, |(l, h), (a, b)| (l.min(a), h.max(b)));
        for _ in 0..HALVINGS {
            let mid = low + 0.5 * (high - low);
            if mid <= low || mid >= high {
                break;
            }
            if self.below(column, mid) < p {
                low = mid;
            } else {
                high = mid;
            }
        }
        Ok(low + 0.5 * (high - low))
    }

    /// For each row and each column the probability that the column is at most as large as in the row, given the row's
    /// columns before it: independent uniform numbers when the rows have this law (Rosenblatt 1952).
    ///
    /// # Errors
    /// `Shape` for an incomplete row; as [`GaussianMixture::given`].
    ///
    /// # Complexity
    /// `O(rows * components * dim^4)`, in parallel over rows.
    pub fn ranks(&self, rows: &[f64]) -> Result<Vec<f64>, Error> {
        let dim = self.dim();
        if !rows.len().is_multiple_of(dim) {
            let expected = format!("rows of {dim} entries");
            return Err(Error::shape(
                "GaussianMixture::ranks",
                expected,
                rows.len().to_string(),
            ));
        }
        let heads: Vec<Self> = (1..=dim)
            .map(|d| self.marginal(&(0..d).collect::<Vec<usize>>()))
            .collect::<Result<_, _>>()?;
        let one = |row: &[f64]| -> Result<Vec<f64>, Error> {
            let known: Vec<(usize, f64)> = row.iter().copied().enumerate().collect();
            let rank = |(a, head): (usize, &Self)| Ok(head.given(&known[..a])?.below(0, row[a]));
            heads.iter().enumerate().map(rank).collect()
        };
        let each: Result<Vec<Vec<f64>>, Error> = rows.par_chunks(dim).map(one).collect();
        Ok(each?.concat())
    }

    /// `log p` of the measured entries of each row, the others being NaN; zero where none was measured.
    ///
    /// # Errors
    /// As [`GaussianMixture::marginal`].
    ///
    /// # Complexity
    /// That of [`GaussianMixture::log_density`], and `O(components * dim^3)` for each different set of measured columns.
    ///
    /// # Example
    /// ```
    /// use wickring::learn::mixture::GaussianMixture;
    /// let m = GaussianMixture::spherical(2, [(1.0, vec![0.0, 3.0])], 1.0)?;
    /// let both = m.log_density_measured(&[f64::NAN, 3.0, f64::NAN, f64::NAN])?;
    /// assert!((both[0] + 0.5 * (2.0 * std::f64::consts::PI).ln()).abs() < 1e-12 && both[1] == 0.0);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn log_density_measured(&self, rows: &[f64]) -> Result<Vec<f64>, Error> {
        let mut out = vec![0.0; rows.len() / self.dim()];
        for (seen, places, entries) in by_measured(rows, self.dim()) {
            let values = self.marginal(&seen)?.log_density(&entries);
            places.iter().zip(values).for_each(|(i, v)| out[*i] = v);
        }
        Ok(out)
    }

    /// As [`GaussianMixture::responsibilities`] from the measured entries of each row; the weights where none was.
    ///
    /// # Errors
    /// As [`GaussianMixture::marginal`].
    pub fn responsibilities_measured(&self, rows: &[f64]) -> Result<Vec<f64>, Error> {
        let weights: Vec<f64> = self.components().iter().map(|c| c.weight).collect();
        let mut out = weights.repeat(rows.len() / self.dim());
        let k = self.len();
        for (seen, places, entries) in by_measured(rows, self.dim()) {
            let values = self.marginal(&seen)?.responsibilities(&entries);
            for (i, shares) in places.iter().zip(values.chunks_exact(k)) {
                out[i * k..(i + 1) * k].copy_from_slice(shares);
            }
        }
        Ok(out)
    }

    /// The probability that each column is at most as large as in the row, row-major: where in the law of its column each
    /// entry lies. NaN stays NaN.
    ///
    /// # Complexity
    /// `O(rows * components * dim)`.
    ///
    /// # Example
    /// ```
    /// use wickring::learn::mixture::GaussianMixture;
    /// let m = GaussianMixture::spherical(2, [(1.0, vec![0.0, 3.0])], 1.0)?;
    /// assert_eq!(m.quantiles_of(&[0.0, 40.0]), [0.5, 1.0]);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn quantiles_of(&self, rows: &[f64]) -> Vec<f64> {
        let dim = self.dim();
        let one = |row: &[f64]| -> Vec<f64> {
            let each = row.iter().enumerate();
            each.map(|(a, x)| {
                if x.is_nan() {
                    f64::NAN
                } else {
                    self.below(a, *x)
                }
            })
            .collect()
        };
        let each: Vec<Vec<f64>> = rows.par_chunks(dim).map(one).collect();
        each.concat()
    }

    fn below(&self, column: usize, x: f64) -> f64 {
        let dim = self.dim();
        let of = |c: &Component| {
            let sd = c.covariance[column * dim + column].sqrt();
            c.weight * normal_cdf((x - c.mean[column]) / sd)
        };
        self.components()
            .iter()
            .map(of)
            .sum::<f64>()
            .clamp(0.0, 1.0)
    }

    fn check_columns(&self, op: &'static str, columns: &[usize]) -> Result<(), Error> {
        for (i, a) in columns.iter().enumerate() {
            if *a >= self.dim() || columns[..i].contains(a) {
                let requirement =
                    format!("columns from 0 to {}, each once, got {a}", self.dim() - 1);
                return Err(Error::invalid(op, requirement));
            }
        }
        Ok(())
    }
}

/// Sets of measured columns, at least one, each with the places of its rows and their measured entries.
fn by_measured(rows: &[f64], dim: usize) -> Vec<(Vec<usize>, Vec<usize>, Vec<f64>)> {
    let mut sets: BTreeMap<Vec<usize>, (Vec<usize>, Vec<f64>)> = BTreeMap::new();
    for (i, row) in rows.chunks_exact(dim).enumerate() {
        let seen: Vec<usize> = (0..dim).filter(|a| !row[*a].is_nan()).collect();
        if !seen.is_empty() {
            let entries: Vec<f64> = seen.iter().map(|a| row[*a]).collect();
            let (places, all) = sets.entry(seen).or_default();
            places.push(i);
            all.extend(entries);
        }
    }
    let flat = |(seen, (places, all))| (seen, places, all);
    sets.into_iter().map(flat).collect()
}

/// The logarithm of weight and density of the known columns, and the component that is left of the others, of weight one.
fn conditioned(
    c: &Component,
    dim: usize,
    known: &[(usize, f64)],
    free: &[usize],
) -> Result<(f64, Component), Error> {
    let at = |a: usize, b: usize| c.covariance[a * dim + b];
    let first: Vec<usize> = known.iter().map(|(a, _)| *a).collect();
    let seen = Component {
        weight: 1.0,
        mean: first.iter().map(|a| c.mean[*a]).collect(),
        covariance: first
            .iter()
            .flat_map(|a| first.iter().map(move |b| at(*a, *b)))
            .collect(),
    };
    let values: Vec<f64> = known.iter().map(|(_, v)| *v).collect();
    let gap: Vec<f64> = values.iter().zip(&seen.mean).map(|(v, m)| v - m).collect();
    let seen = GaussianMixture::new(first.len(), vec![seen])?;
    let log_weight = c.weight.ln() + seen.log_density(&values)[0];
    let factor = &seen.factors()[0];
    let mut solved = gap;
    factor.forward(&mut solved, 1, 1);
    // Rows of L^-1 times the covariances of known and free columns.
    let width = free.len();
    let mut across = vec![0.0; first.len() * width];
    for (i, a) in first.iter().enumerate() {
        for (j, b) in free.iter().enumerate() {
            across[i * width + j] = at(*a, *b);
        }
    }
    factor.forward(&mut across, width, width);
    let along =
        |j: usize, k: usize| -> f64 { across.chunks_exact(width).map(|row| row[j] * row[k]).sum() };
    let mean = free.iter().enumerate().map(|(j, b)| {
        let moved: f64 = across
            .chunks_exact(width)
            .zip(&solved)
            .map(|(row, s)| row[j] * s)
            .sum();
        c.mean[*b] + moved
    });
    let covariance = (0..width * width).map(|i| {
        let (j, k) = (i / width, i % width);
        at(free[j], free[k]) - along(j, k)
    });
    Ok((
        log_weight,
        Component {
            weight: 1.0,
            mean: mean.collect(),
            covariance: covariance.collect(),
        },
    ))
}
