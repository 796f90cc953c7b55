//! What is measured about a CP model: gradient, degeneracy, uniqueness, agreement, conditioning.

use super::gauss_newton::{descent, downhill};
use super::normal_equations::Normal;
use super::search::{EXACT, Found};
use crate::Error;
use crate::fit::{Check, Ended, Evidence};
use crate::linalg::{Scalar, small};
use crate::poly::Ring;
use crate::tensor::{CpTensor, Factor, TensorView};

/// Key of the norm of the gradient relative to that of the data and of the model's derivative.
const GRADIENT: &str = "cp.gradient";
/// Key of the root of the sum of squared weights over the norm of the model.
pub(super) const CANCELLATION: &str = "cp.cancellation";
/// Key of the number of starts at the best value.
pub(super) const STARTS_AGREEING: &str = "cp.starts-agreeing";

/// Key of the number of entries that are missing.
pub(in crate::decomp::cp) const MISSING_ENTRIES: &str = "cp.missing-entries";

/// Components that outweigh the model this many times are diverging against each other.
pub(in crate::decomp) const MOST_CANCELLATION: f64 = 100.0;
/// Congruence of two components below which they diverge against each other.
pub(super) const DIVERGING: f64 = -0.99;
/// Beyond this condition number the components of a computed model are not determined to more than a few digits.
const MOST_CONDITION: f64 = 1e6;
/// On data of norm one; the refinement ends near 1e-9, and a start that stopped early is near 1e-3.
pub(super) const MOST_GRADIENT: f64 = 1e-5;

/// The norm of the gradient at the model.
pub(in crate::decomp) fn gradient(measured: f64, allowed: f64) -> Check {
    Check::accuracy(GRADIENT, "relative gradient norm", measured, allowed)
}

/// How much the components outweigh the model; where they may (`allowed` infinite) it only informs.
pub(in crate::decomp) fn cancellation(measured: f64, allowed: f64) -> Check {
    let label = "cancellation between components";
    Check::conditioning(CANCELLATION, label, measured, allowed)
}

/// Whether two components move apart, cancelling, where the search ended: it would go on without end.
fn diverging(unsettled: bool, congruence: f64) -> Check {
    let label = "congruence of cancelling components that are not settled";
    let measured = if unsettled { -congruence } else { 0.0 };
    Check::conditioning("cp.diverging", label, measured, -DIVERGING)
}

/// What the model leaves of the data, against what it would leave of pure noise.
pub(in crate::decomp) fn unexplained(variance: f64, allowed: f64) -> Check {
    let label = "unexplained variance against half of that of pure noise";
    Check::accuracy("cp.unexplained", label, variance, allowed)
}

/// The share of the data's squared norm that the model explains.
pub(in crate::decomp) fn explained(unexplained: f64) -> Check {
    let share = 1.0 - unexplained;
    Check::reported("cp.explained-variance", "explained variance", share)
}

/// Starts that still have to reach the best value, of the two that should agree on it.
pub(in crate::decomp) fn starts_missing(missing: usize, allowed: f64) -> Check {
    let label = "further starts needed to agree on the best value";
    Check::search("cp.starts-missing", label, missing as f64, allowed)
}

/// Starts made.
pub(in crate::decomp) fn starts(made: usize) -> Check {
    Check::reported("cp.starts", "starts", made as f64)
}

/// Starts at the best value.
pub(in crate::decomp) fn starts_agreeing(agreeing: usize) -> Check {
    let label = "starts agreeing with the best";
    Check::reported(STARTS_AGREEING, label, agreeing as f64)
}

/// How an iterative search ended: its budget matters only where the gradient is not yet small.
pub(in crate::decomp) fn ended(evidence: &Evidence, spent: bool, stopped: bool) -> Ended {
    match (stopped, spent && evidence.fails(GRADIENT)) {
        (true, _) => Ended::Stopped,
        (_, true) => Ended::Budget,
        _ => Ended::Arrived,
    }
}

/// A certificate together with what the status needs.
pub(super) struct Judged {
    pub(super) evidence: Evidence,
}

/// Measures `model` against `t` (of norm one).
pub(super) fn measured<T: Scalar + Ring>(
    t: TensorView<'_, T>,
    model: &CpTensor<T>,
    found: &Found<T>,
) -> Result<Judged, Error> {
    let factors = model.balanced();
    let (size, direction) = downhill(t, &factors)?;
    let norm = small::norm_sq(t.as_slice()).sqrt();
    let rel_residual = size / norm;
    let exact = rel_residual <= 1e3 * EXACT;
    let slope = relative_slope(norm, &direction, &factors);
    let condition = super::condition::condition(model);
    let mut checks = vec![
        gradient(slope, MOST_GRADIENT),
        cancellation(model.cancellation(), MOST_CANCELLATION),
        diverging(
            slope > MOST_GRADIENT || !(condition <= MOST_CONDITION),
            least_congruence(model),
        ),
        unexplained(
            rel_residual * rel_residual,
            0.5 * noise_left(t.dims(), model.rank()),
        ),
        explained(rel_residual * rel_residual),
        starts(found.starts.len()),
        starts_agreeing(found.agreeing),
    ];
    // One start that was asked for is all that can agree.
    let lacking = found.starts.len().min(2).saturating_sub(found.agreeing);
    let allowed = if exact { 1.0 } else { 0.0 };
    checks.push(starts_missing(lacking, allowed));
    checks.push(Check::reported(
        "cp.least-congruence",
        "least congruence of two components",
        least_congruence(model),
    ));
    let evidence = Evidence {
        rel_residual,
        condition,
        checks,
    };
    Ok(Judged { evidence })
}

/// `max_m ||J_m^H e|| / (||t|| * ||J_m||)` with `||J_m||` estimated by its longest column.
pub(super) fn relative_gradient<T: Scalar>(
    t: TensorView<'_, T>,
    gap: &[T],
    factors: &[Factor<T>],
) -> Result<f64, Error> {
    let g = descent(t.dims(), gap, factors)?;
    let norm = small::norm_sq(t.as_slice()).sqrt();
    Ok(relative_slope(norm, &g, factors))
}

/// The size of a direction of descent, relative to the data and to the derivative of the model.
fn relative_slope<T: Scalar>(norm: f64, direction: &[T], factors: &[Factor<T>]) -> f64 {
    let scale = Normal::scale_of(factors).sqrt();
    let size = small::norm_sq(direction).sqrt();
    if size == 0.0 {
        0.0
    } else {
        size / (norm * scale)
    }
}

/// Share of the variance of pure Gaussian noise that the best model of this rank leaves, to first order:
/// one component takes `(sum_m sqrt(n_m))^2 / N` of it at most (Gordon's bound on the spectral norm).
pub(in crate::decomp) fn noise_left(dims: &[usize], rank: usize) -> f64 {
    let total: f64 = dims.iter().map(|&n| n as f64).product();
    let reach: f64 = dims.iter().map(|&n| (n as f64).sqrt()).sum();
    (1.0 - rank as f64 * reach * reach / total).max(0.02)
}

/// The least product of cosines, over the modes, of two components: near -1 they diverge and cancel.
pub(super) fn least_congruence<T: Scalar + Ring>(model: &CpTensor<T>) -> f64 {
    let grams: Vec<_> = model.factors().iter().map(Factor::gram).collect();
    let mut least = 1.0f64;
    for r in 0..model.rank() {
        for s in 0..r {
            let product = grams.iter().fold(T::one(), |p, g| p * g.column(r)[s]);
            least = least.min(product.re());
        }
    }
    least
}
