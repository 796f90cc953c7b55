//! What is measured about a fit to rows with gaps before it is called converged.

use super::learner::{Best, MaskedEm, MaskedModel, OP, at_columns};
use super::patterns::Masked;
use crate::Error;
use crate::fit::{Check, Ended, Evidence, Fit, Work, judge};
use crate::learn::mixture::em::ascent::EStep;
use crate::learn::mixture::em::covariance_kind::CovarianceKind;
use crate::learn::mixture::em::evidence::ALLOWED_NEED;
use crate::learn::mixture::em::floor::Floor;
use crate::learn::mixture::em::learner::EmRow;
use crate::learn::mixture::gaussian::GaussianMixture;
use crate::linalg;
use faer::Mat;

/// Rows whose ranks are looked at.
const LOOK: usize = 2000;
/// Chance that a true law is refused by the ranks, over all columns.
const CHANCE: f64 = 1e-3;

/// The model in the columns as given, with its evidence.
pub(super) fn finish(
    em: &MaskedEm,
    data: &Masked,
    (best, table, work): (Best, Vec<EmRow>, Work),
    stopped: bool,
) -> Result<Fit<MaskedModel>, Error> {
    let (here, kind) = (&best.climb.mixture, best.kind);
    let log_likelihood = best.climb.log_likelihood - data.log_volume;
    let floor = Floor::diagonal(&data.rounding);
    let s = data.statistics(here, kind.scatter())?;
    let next = s.update(here, kind, &floor)?;
    let gain = data.log_likelihood(&next.mixture) - s.log_likelihood;
    let cut = em.least < em.most && here.len() == em.most;
    let mut checks = supported(data, here.len(), kind, (next.floored, next.smallest));
    checks.extend([
        Check::accuracy(
            "masked.gain-of-sweep",
            "log-likelihood gained by one more sweep (nats)",
            gain,
            10.0 * em.tol,
        ),
        Check::search(
            "masked.most-components",
            "best at the largest number of components tried: more may be better",
            f64::from(u8::from(cut)),
            0.0,
        ),
    ]);
    if !stopped {
        checks.push(spread_check(data, here)?);
    }
    checks.extend(reported(data, log_likelihood, best.bic));
    let ended = match (stopped, best.climb.settled) {
        (true, _) => Ended::Stopped,
        (_, false) => Ended::Budget,
        _ => Ended::Arrived,
    };
    let climbed = best.climb.history.iter();
    let history = climbed.map(|l| (data.log_volume - l) / data.count as f64);
    Ok(Fit {
        status: judge(&checks, ended),
        history: history.collect(),
        work,
        evidence: Evidence {
            rel_residual: gain.abs() / log_likelihood.abs().max(1.0),
            condition: worst_condition(here)?,
            checks,
        },
        model: MaskedModel {
            mixture: at_columns(data, here)?,
            kind,
            log_likelihood,
            bic: best.bic,
            table,
            gaps: data.gaps,
            empty_rows: data.empty,
            patterns: data.patterns.len(),
        },
    })
}

/// Whether every covariance has the rows that it needs and exceeds the floor.
fn supported(
    data: &Masked,
    components: usize,
    kind: CovarianceKind,
    (floored, smallest): (bool, f64),
) -> Vec<Check> {
    let need = kind.samples_for_one(data.dim);
    let mut checks = vec![
        Check::conditioning(
            "masked.floor",
            "a covariance as thin as the digits of the columns",
            f64::from(u8::from(floored)),
            0.0,
        ),
        Check::conditioning(
            "masked.rows-of-component",
            "rows that a component needs over those of the poorest",
            need / smallest,
            ALLOWED_NEED,
        ),
    ];
    if kind.scatter().is_full() {
        checks.push(Check::conditioning(
            "masked.pairs",
            "rows that a covariance needs over those in which both of its columns were measured",
            pairs(kind, components, data),
            1.0,
        ));
    }
    checks
}

/// Figures that inform.
fn reported(data: &Masked, log_likelihood: f64, bic: f64) -> Vec<Check> {
    let figures = [
        (
            "masked.log-likelihood",
            "log-likelihood of what was measured",
            log_likelihood,
        ),
        ("masked.bic", "BIC (larger is better)", bic),
        (
            "masked.gaps",
            "entries that were not measured",
            data.gaps as f64,
        ),
        (
            "masked.empty-rows",
            "rows without a measured entry, left out",
            data.empty as f64,
        ),
        (
            "masked.patterns",
            "different sets of measured columns",
            data.patterns.len() as f64,
        ),
    ];
    let check = |(key, label, value)| Check::reported(key, label, value);
    figures.map(check).to_vec()
}

/// Pairs of columns are shared by all components in some families.
fn pairs(kind: CovarianceKind, components: usize, data: &Masked) -> f64 {
    let shared = kind == CovarianceKind::Shared;
    let each = if shared { 1 } else { components };
    3.0 * each as f64 / data.least_pair as f64
}

/// Each measured entry's rank given those before it in its row is uniform under the law; the worst column's Kolmogorov
/// distance, times the root of their number. The parameters come from the same rows, which makes distances smaller.
fn spread_check(data: &Masked, m: &GaussianMixture) -> Result<Check, Error> {
    let some = data.few(LOOK);
    let mut ranks: Vec<Vec<f64>> = vec![Vec::new(); data.dim];
    for p in &some.patterns {
        let values = m.marginal(&p.seen)?.ranks(&p.rows)?;
        for row in values.chunks_exact(p.seen.len()) {
            p.seen.iter().zip(row).for_each(|(a, u)| ranks[*a].push(*u));
        }
    }
    let worst = ranks.iter_mut().map(|u| uniform(u)).fold(0.0, f64::max);
    // Kolmogorov's tail is at most 2 exp(-2 x^2) in each column.
    let allowed = (0.5 * (2.0 * data.dim as f64 / CHANCE).ln()).sqrt();
    Ok(Check::sampling(
        "masked.spread",
        "Kolmogorov distance of measured entries from the law given those before them, times the root of their number",
        worst,
        allowed,
    ))
}

/// `sqrt n` times Kolmogorov's distance from the uniform law.
fn uniform(u: &mut [f64]) -> f64 {
    u.sort_unstable_by(f64::total_cmp);
    let n = u.len().max(1) as f64;
    let gap = |(i, x): (usize, &f64)| ((i as f64 + 1.0) / n - x).max(x - i as f64 / n);
    u.iter().enumerate().map(gap).fold(0.0, f64::max) * n.sqrt()
}

/// Largest condition number among the covariances.
fn worst_condition(m: &GaussianMixture) -> Result<f64, Error> {
    let dim = m.dim();
    let mut worst = 1.0f64;
    for c in m.components() {
        let sigma = Mat::from_fn(dim, dim, |a, b| c.covariance[a * dim + b]);
        let values = linalg::symmetric_eigen(OP, sigma.as_ref())?.values;
        worst = worst.max(values[dim - 1] / values[0]);
    }
    Ok(worst)
}
