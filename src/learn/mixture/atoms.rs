//! Weights and means of a discrete `Q`, from the denoised sample.

use super::em::sweep::m_step::{Scatter, statistics};
use super::gaussian::{Component, GaussianMixture, scaled_identity};
use super::input_check::Bulk;
use super::score::model::ScoreModel;
use super::score::regression::cells;
use crate::Error;
use crate::run::{Observer, Progress, unobserved};
use rand::Rng;

const OP: &str = "extract_atoms";
/// Rows that the atoms are read from.
const ROWS: usize = 20_000;
/// Numbers of atoms that are tried; a law is not called discrete unless two more than it has were worse.
const MOST: usize = 12;
/// Clusterings of the denoised points for each number of atoms.
const STARTS: usize = 5;
/// Likelihood sweeps with the noise held fixed after clustering, on all rows and on so many.
const SWEEPS: usize = 200;
const SHORT_SWEEPS: usize = 30;
const FEW: usize = 2000;

/// A discrete `Q` read off a learned law.
///
/// See [`extract_atoms`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct AtomFit {
    /// `sum_j w_j N(mu_j, sigma^2 I)`.
    pub mixture: GaussianMixture,
    /// `2 log L - parameters log N` on the rows used, in the subspace.
    pub bic: f64,
    /// Whether few atoms suffice: two more did not improve the BIC.
    pub discrete: bool,
}

/// Reads `components` atoms off a learned law, or as many as the BIC asks for (at most 12).
///
/// At the noise of the data the denoiser sends a point to the mean of its possible atoms, so denoised rows
/// cluster at well separated atoms; the clusters are then improved by likelihood with the noise held fixed. Rows
/// that learning sets aside as outliers are left out here too.
///
/// # Errors
/// `InvalidInput` for no or more than 1000 components; `Backend`.
///
/// # Complexity
/// `O(components * rank)` for each of at most 20000 rows and 200 sweeps, for each number of components.
///
/// # Example
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use wickring::learn::mixture::{Diffusion, GaussianMixture, extract_atoms};
/// let mut rng = ChaCha8Rng::seed_from_u64(7);
/// let truth = GaussianMixture::spherical(1, [(0.5, vec![-3.0]), (0.5, vec![3.0])], 1.0)?;
/// let rows = truth.sample(1000, &mut rng);
/// let samples = faer::MatRef::from_row_major_slice(&rows, 1000, 1);
/// let model = Diffusion::new().noise(1.0).learn(samples, &mut rng)?.model;
/// let atoms = extract_atoms(&model, &rows, Some(2), &mut rng)?;
/// let mut means: Vec<f64> = atoms.mixture.components().iter().map(|c| c.mean[0]).collect();
/// means.sort_by(f64::total_cmp);
/// assert!((means[0] + 3.0).abs() < 0.5 && (means[1] - 3.0).abs() < 0.5);
/// # Ok::<(), wickring::Error>(())
/// ```
pub fn extract_atoms(
    model: &ScoreModel,
    rows: &[f64],
    components: Option<usize>,
    rng: &mut impl Rng,
) -> Result<AtomFit, Error> {
    extract_atoms_observed(model, rows, components, rng, &mut unobserved)
}

/// As [`extract_atoms`], watched.
///
/// # Errors
/// As [`extract_atoms`]; `Stopped` when asked to stop before the end.
pub fn extract_atoms_observed(
    model: &ScoreModel,
    rows: &[f64],
    components: Option<usize>,
    rng: &mut impl Rng,
    observer: Observer<'_>,
) -> Result<AtomFit, Error> {
    let op = OP;
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
    // Rows that learning sets aside are no atoms either.
    let bulk = Bulk::of(rows, dim);
    let picked: Vec<f64> = rows
        .chunks_exact(dim)
        .step_by(step)
        .filter(|r| bulk.keeps(r))
        .flatten()
        .copied()
        .collect();
    let u = model.subspace.enter(&picked);
    let denoised = model.denoised_inside(&u, 1.0);
    let numbers = components.map_or(1..=MOST, |k| k..=k);
    let mut best: Option<(f64, usize, GaussianMixture)> = None;
    for k in numbers {
        let step = Progress::open("reading components", k as u64);
        let mut stop = || observer(&step).is_break();
        let (ll, mixture) = best_atoms((&u, &denoised), rank, k, rng, &mut stop)?;
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
        discrete: components.is_some() || k + 2 <= MOST,
    })
}

/// The best of several clusterings after improvement: all of them on few rows, the best on all.
fn best_atoms(
    (u, denoised): (&[f64], &[f64]),
    rank: usize,
    count: usize,
    rng: &mut impl Rng,
    stop: &mut dyn FnMut() -> bool,
) -> Result<(f64, GaussianMixture), Error> {
    let thinned = |rows: &[f64]| -> Vec<f64> {
        let step = (rows.len() / rank).div_ceil(FEW).max(1);
        let picked = rows.chunks_exact(rank).step_by(step);
        picked.flatten().copied().collect()
    };
    let (few, denoised) = (thinned(u), thinned(denoised));
    let mut best: Option<(f64, GaussianMixture)> = None;
    for _ in 0..STARTS {
        let centres = cells::centres(&denoised, rank, count, rng);
        let atoms = centres.chunks_exact(rank).map(|c| (1.0, c.to_vec()));
        let start = GaussianMixture::spherical(rank, atoms, 1.0)?;
        let end = improved(&few, start, SHORT_SWEEPS, stop)?;
        if best.as_ref().is_none_or(|(b, _)| end.0 > *b) {
            best = Some(end);
        }
    }
    let (_, start) = best.ok_or(Error::invalid(OP, "at least one start"))?;
    improved(u, start, SWEEPS, stop)
}

/// Sweeps of likelihood with the noise held fixed, and the log-likelihood reached.
fn improved(
    u: &[f64],
    mut at: GaussianMixture,
    sweeps: usize,
    stop: &mut dyn FnMut() -> bool,
) -> Result<(f64, GaussianMixture), Error> {
    let covariance = scaled_identity(at.dim(), 1.0);
    let mut last = f64::NEG_INFINITY;
    for _ in 0..sweeps {
        if stop() {
            return Err(Error::Stopped { op: OP });
        }
        let s = statistics(u, &at, Scatter::Diagonal);
        let gain = s.log_likelihood - last;
        last = s.log_likelihood;
        if gain < 1e-3 {
            break;
        }
        at = s.moved(&at, &covariance)?;
    }
    Ok((last, at))
}

impl super::em::sweep::m_step::Statistics {
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
