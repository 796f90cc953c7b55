//! Weights and means of a discrete `Q`, from the denoised sample.

use super::cells;
use super::em_step::{Scatter, statistics};
use super::gaussian::{Component, GaussianMixture, scaled_identity};
use super::score_model::ScoreModel;
use crate::Error;
use rand::Rng;

/// Rows that the atoms are read from.
const ROWS: usize = 20_000;
/// Numbers of atoms that are tried; a law that needs the last one is not called discrete.
const MOST: usize = 12;
/// Clusterings of the denoised points for each number of atoms.
const STARTS: usize = 5;
/// Likelihood sweeps with the noise held fixed after clustering.
const SWEEPS: usize = 200;

/// A discrete `Q` read off a learned law.
#[derive(Clone, Debug, PartialEq)]
pub struct AtomFit {
    /// `sum_j w_j N(mu_j, sigma^2 I)`.
    pub mixture: GaussianMixture,
    /// `2 log L - parameters log N` on the rows used, in the subspace.
    pub bic: f64,
    /// Whether few atoms suffice: another one did not improve the BIC.
    pub discrete: bool,
}

/// Reads `components` atoms off a learned law, or as many as the BIC asks for (at most 12).
///
/// At the noise of the data the denoiser sends a point to the mean of its possible atoms, so denoised rows
/// cluster at well separated atoms; the clusters are then improved by likelihood with the noise held fixed.
///
/// # Errors
/// `InvalidInput` for no or more than 1000 components; `Backend`.
///
/// # Complexity
/// `O(components * rank)` for each of at most 20000 rows, 200 sweeps and 5 starts.
pub fn extract_atoms(
    model: &ScoreModel,
    rows: &[f64],
    components: Option<usize>,
    rng: &mut impl Rng,
) -> Result<AtomFit, Error> {
    let op = "mixture atoms";
    let (dim, rank) = (model.dim(), model.rank());
    if components.is_some_and(|k| k == 0 || k > 1000) || rows.len() < dim {
        return Err(Error::invalid(
            op,
            "1 to 1000 components and at least one row",
        ));
    }
    let noise = model.noise() * model.noise();
    if rank == 0 {
        let atom = (1.0, model.mean().to_vec());
        return Ok(AtomFit {
            mixture: GaussianMixture::spherical(dim, [atom], noise)?,
            bic: 0.0,
            discrete: true,
        });
    }
    let step = (rows.len() / dim).div_ceil(ROWS).max(1);
    let picked: Vec<f64> = rows
        .chunks_exact(dim)
        .step_by(step)
        .flatten()
        .copied()
        .collect();
    let u = model.subspace.enter(&picked);
    let denoised = model.denoised_inside(&u, 1.0);
    let numbers = components.map_or(1..=MOST, |k| k..=k);
    let mut best: Option<(f64, usize, GaussianMixture)> = None;
    for k in numbers {
        let (ll, mixture) = best_atoms(&u, &denoised, rank, k, rng)?;
        let parameters = (k * (rank + 1) - 1) as f64;
        let bic = 2.0 * ll - parameters * ((u.len() / rank) as f64).ln();
        if best.as_ref().is_none_or(|(b, ..)| bic > *b) {
            best = Some((bic, k, mixture));
        } else if components.is_none() && best.as_ref().is_some_and(|b| k >= b.1 + 2) {
            break;
        }
    }
    let Some((bic, k, inside)) = best else {
        return Err(Error::invalid(op, "at least one number of components"));
    };
    let atoms = inside.components().iter();
    let atoms = atoms.map(|c| (c.weight, model.subspace.leave(&c.mean, &[], 1)));
    Ok(AtomFit {
        mixture: GaussianMixture::spherical(dim, atoms.collect::<Vec<_>>(), noise)?,
        bic,
        discrete: components.is_some() || k < MOST,
    })
}

/// The best of several clusterings after improvement.
fn best_atoms(
    u: &[f64],
    denoised: &[f64],
    rank: usize,
    count: usize,
    rng: &mut impl Rng,
) -> Result<(f64, GaussianMixture), Error> {
    let mut best: Option<(f64, GaussianMixture)> = None;
    for _ in 0..STARTS {
        let centres = cells::centres(denoised, rank, count, rng);
        let atoms = centres.chunks_exact(rank).map(|c| (1.0, c.to_vec()));
        let mut at = GaussianMixture::spherical(rank, atoms, 1.0)?;
        let mut last = f64::NEG_INFINITY;
        for _ in 0..SWEEPS {
            let s = statistics(u, &at, Scatter::Diagonal);
            let gain = s.log_likelihood - last;
            last = s.log_likelihood;
            if gain < 1e-3 {
                break;
            }
            at = s.moved(&at, &scaled_identity(rank, 1.0))?;
        }
        if best.as_ref().is_none_or(|(b, _)| last > *b) {
            best = Some((last, at));
        }
    }
    best.ok_or(Error::invalid("mixture atoms", "at least one start"))
}

impl super::em_step::Statistics {
    /// New weights and means with the covariance held fixed; an atom without rows keeps its place.
    fn moved(&self, old: &GaussianMixture, covariance: &[f64]) -> Result<GaussianMixture, Error> {
        let moved = self
            .weights_and_means(old)
            .into_iter()
            .map(|(weight, mean)| Component {
                weight: weight.max(1e-12),
                mean,
                covariance: covariance.to_vec(),
            });
        GaussianMixture::new(old.dim(), moved.collect())
    }
}
