//! From a start to a local maximum of the likelihood, and where starts come from.

use super::cells;
use super::em_step::{Update, statistics};
use super::gaussian::{Component, GaussianMixture, scaled_identity};
use super::kind::CovarianceKind;
use crate::Error;
use crate::linalg;
use faer::Mat;
use rand::Rng;

/// A mixture and how it was reached.
#[derive(Clone, Debug)]
pub(super) struct Climb {
    pub(super) mixture: GaussianMixture,
    /// `sum log p` of `mixture`.
    pub(super) log_likelihood: f64,
    /// Log-likelihood before each sweep.
    pub(super) history: Vec<f64>,
    /// Whether the log-likelihood still to gain was predicted to be at most the tolerance.
    pub(super) settled: bool,
    /// Whether no covariance was held up by the floor and every component has the rows that it needs.
    pub(super) proper: bool,
}

/// When a climb ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    pub(super) sweeps: usize,
    /// Log-likelihood still to gain, in nats.
    pub(super) tol: f64,
    /// Smallest eigenvalue of a covariance.
    pub(super) floor: f64,
}

/// Climbs from `start` (whose covariances may be of any family).
///
/// The end is predicted by Aitken's rule: gains that shrink by a factor `a` add up to `gain * a / (1 - a)`.
pub(super) fn climb(
    rows: &[f64],
    start: &GaussianMixture,
    kind: CovarianceKind,
    budget: Budget,
    stop: &mut dyn FnMut(f64) -> bool,
) -> Result<Climb, Error> {
    let needed = kind.samples_for_one(start.dim());
    let mut at = start.clone();
    let mut history = Vec::new();
    let (mut settled, mut proper) = (false, true);
    let mut gain_before = f64::INFINITY;
    for sweep in 0..budget.sweeps {
        let s = statistics(rows, &at);
        history.push(s.log_likelihood);
        let gain = match history.len() {
            0..=2 => f64::INFINITY,
            n => history[n - 1] - history[n - 2],
        };
        // The first gains include the change of family from the start.
        let ratio = if gain < gain_before {
            gain / gain_before
        } else {
            1.0
        };
        let left = gain / (1.0 - ratio.clamp(0.0, 1.0 - 1e-6));
        // A gain of rounding size or below is the end too: nothing can be predicted from it.
        let rounding = 1e-12 * s.log_likelihood.abs();
        if sweep > 2 && gain.is_finite() && (left <= budget.tol || gain <= rounding) {
            settled = true;
            break;
        }
        gain_before = gain;
        let Update {
            mixture,
            floored,
            smallest,
        } = s.update(&at, kind, budget.floor)?;
        at = mixture;
        proper = !floored && smallest >= needed;
        if stop(s.log_likelihood) {
            break;
        }
    }
    let log_likelihood = if settled {
        history.last().copied().unwrap_or(f64::NEG_INFINITY)
    } else {
        at.log_likelihood(rows)
    };
    Ok(Climb {
        mixture: at,
        log_likelihood,
        history,
        settled,
        proper,
    })
}

/// A start from cells: their shares and means, and the pooled within-cell covariance for all.
pub(super) fn from_cells(
    rows: &[f64],
    dim: usize,
    count: usize,
    floor: f64,
    rng: &mut impl Rng,
) -> Result<GaussianMixture, Error> {
    let mut centres = cells::centres(rows, dim, count, rng);
    // Fewer distinct rows than components: coincident centres, which the climb may still pull apart.
    while centres.len() < count * dim {
        let again = centres[..dim].to_vec();
        centres.extend(again);
    }
    let mut nearest = vec![0u32; rows.len() / dim];
    cells::assign(rows, dim, &centres, &mut nearest);
    let mut sizes = vec![0.0f64; count];
    let mut within = vec![0.0; dim * dim];
    for (row, &j) in rows.chunks_exact(dim).zip(&nearest) {
        let j = j as usize;
        sizes[j] += 1.0;
        let c = &centres[j * dim..(j + 1) * dim];
        for a in 0..dim {
            for b in 0..dim {
                within[a * dim + b] += (row[a] - c[a]) * (row[b] - c[b]);
            }
        }
    }
    let n = nearest.len().max(1) as f64;
    within.iter_mut().for_each(|w| *w /= n);
    (0..dim).for_each(|a| within[a * dim + a] = within[a * dim + a] * (1.0 + 1e-6) + floor);
    let components = (0..count).map(|j| Component {
        weight: sizes[j].max(0.5),
        mean: centres[j * dim..(j + 1) * dim].to_vec(),
        covariance: within.clone(),
    });
    let components: Vec<Component> = components.collect();
    GaussianMixture::new(dim, components.clone()).or_else(|_| {
        // Cells that are points: the covariance is rounding, a multiple of the identity replaces it.
        let trace: f64 = (0..dim).map(|a| within[a * dim + a]).sum();
        let covariance = scaled_identity(dim, trace / dim as f64);
        let round = components.into_iter().map(|c| Component {
            covariance: covariance.clone(),
            ..c
        });
        GaussianMixture::new(dim, round.collect())
    })
}

/// Starts with one component more: each component in turn is cut in two across its longest axis. The first
/// start is a cut so slight that the likelihood is that of `smaller`, so the climb cannot end below it.
pub(super) fn splits(smaller: &GaussianMixture) -> Result<Vec<GaussianMixture>, Error> {
    let dim = smaller.dim();
    let mut starts = Vec::new();
    let heaviest =
        |a: &(usize, &Component), b: &(usize, &Component)| a.1.weight.total_cmp(&b.1.weight);
    let order = smaller.components().iter().enumerate();
    if let Some((j, _)) = order.clone().max_by(heaviest) {
        starts.push(cut(smaller, j, 0.02, false)?);
    }
    for (j, c) in order {
        if c.weight > 0.0 && dim > 0 {
            starts.push(cut(smaller, j, 0.8, true)?);
        }
    }
    Ok(starts)
}

/// Moves the halves of component `j` to `mean +- by * sd` along its longest axis; `shrink` removes that
/// spread from its covariance.
fn cut(m: &GaussianMixture, j: usize, by: f64, shrink: bool) -> Result<GaussianMixture, Error> {
    let dim = m.dim();
    let c = &m.components()[j];
    let sigma = Mat::from_fn(dim, dim, |a, b| c.covariance[a * dim + b]);
    let spectrum = linalg::symmetric_eigen("mixture em", sigma.as_ref())?;
    let length = spectrum.values[dim - 1].max(0.0);
    let axis: Vec<f64> = (0..dim).map(|a| spectrum.vectors[(a, dim - 1)]).collect();
    let half = |sign: f64| {
        let mut part = c.clone();
        part.weight *= 0.5;
        for a in 0..dim {
            part.mean[a] += sign * by * length.sqrt() * axis[a];
            for b in 0..dim {
                if shrink {
                    part.covariance[a * dim + b] -= by * by * length * axis[a] * axis[b];
                }
            }
        }
        part
    };
    let mut components = m.components().to_vec();
    components[j] = half(1.0);
    components.push(half(-1.0));
    GaussianMixture::new(dim, components)
}
