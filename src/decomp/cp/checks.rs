//! What is measured about a CP model: gradient, degeneracy, uniqueness, agreement, conditioning.

use super::gauss_newton::descent;
use super::normal_equations::Normal;
use super::search::{EXACT, Found};
use crate::Error;
use crate::fit::{Certificate, Evidence};
use crate::linalg::{Scalar, small};
use crate::poly::Ring;
use crate::tensor::{CpTensor, Factor, TensorView, residual_into};

/// Norm of the gradient relative to that of the data and of the model's derivative.
pub(in crate::decomp) const GRADIENT: &str = "relative gradient norm";
/// Root of the sum of squared weights over the norm of the model.
pub(in crate::decomp) const CANCELLATION: &str = "cancellation between components";
/// What the model leaves of the data, against what it would leave of pure noise.
pub(in crate::decomp) const UNEXPLAINED: &str =
    "unexplained variance against half of that of pure noise";
/// Independent starts at the best value, short of two.
pub(in crate::decomp) const AGREEMENT: &str = "starts at the best value, short of two";

/// Components that outweigh the model this many times are diverging against each other.
pub(in crate::decomp) const MOST_CANCELLATION: f64 = 100.0;
/// On data of norm one; the refinement ends near 1e-9, and a start that stopped early is near 1e-3.
pub(super) const MOST_GRADIENT: f64 = 1e-5;

/// A certificate together with what the status needs.
pub(super) struct Judged {
    pub(super) certificate: Certificate,
}

/// Measures `model` against `t` (of norm one).
pub(super) fn judge<T: Scalar + Ring>(
    t: TensorView<'_, T>,
    model: &CpTensor<T>,
    found: &Found<T>,
) -> Result<Judged, Error> {
    let factors = model.balanced();
    let mut gap = Vec::new();
    residual_into(t, &factors, &mut gap)?;
    let norm = small::norm_sq(t.as_slice()).sqrt();
    let rel_residual = small::norm_sq(&gap).sqrt() / norm;
    let exact = rel_residual <= 1e3 * EXACT;
    let gradient = relative_gradient(t, &gap, &factors)?;
    let mut evidence = vec![
        Evidence::new(GRADIENT, gradient, MOST_GRADIENT),
        Evidence::new(CANCELLATION, model.cancellation(), MOST_CANCELLATION),
        Evidence::new(
            UNEXPLAINED,
            rel_residual * rel_residual,
            0.5 * noise_left(t.dims(), model.rank()),
        ),
        Evidence::note("explained variance", 1.0 - rel_residual * rel_residual),
        Evidence::note("starts", found.starts.len() as f64),
        Evidence::note("starts agreeing with the best", found.agreeing as f64),
    ];
    let lacking = 2usize.saturating_sub(found.agreeing);
    let allowed = if exact { 1.0 } else { 0.0 };
    evidence.push(Evidence::new(AGREEMENT, lacking as f64, allowed));
    evidence.push(Evidence::note(
        "least congruence of two components",
        least_congruence(model),
    ));
    let certificate = Certificate {
        rel_residual,
        cond: super::condition::condition(model),
        evidence,
    };
    Ok(Judged { certificate })
}

/// `max_m ||J_m^H e|| / (||t|| * ||J_m||)` with `||J_m||` estimated by its longest column.
fn relative_gradient<T: Scalar>(
    t: TensorView<'_, T>,
    gap: &[T],
    factors: &[Factor<T>],
) -> Result<f64, Error> {
    let g = descent(t.dims(), gap, factors)?;
    let norm = small::norm_sq(t.as_slice()).sqrt();
    let scale = Normal::scale_of(factors).sqrt();
    let size = small::norm_sq(&g).sqrt();
    Ok(if size == 0.0 {
        0.0
    } else {
        size / (norm * scale)
    })
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
