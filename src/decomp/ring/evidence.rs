//! Whether a ring that does not reproduce its tensor is the structure behind noise, or just a best effort.
//!
//! A residual above the tolerance is accepted as noise only if five recomputed facts agree: no core can
//! move and lower it, it is far below what a ring of this size reaches on a tensor without structure, its
//! unfoldings look like white noise rather than like more structure, and the ring has clearly fewer
//! parameters than the tensor has entries.

use super::sweep::{CoreSolver, Sweeper};
use crate::Error;
use crate::decomp::Evidence;
use crate::linalg::symmetric_eigen;
use crate::tensor::{Scalar, Tensor, TensorRing, TensorView, norm};
use faer::Mat;

/// Greatest cosine between the residual and a direction of a core at a point called stationary. ALS stops
/// moving the residual at its square.
const STATIONARY: f64 = 1e-3;
/// Share of the residual of a structureless fit that counts as structure: tensors of independent entries end
/// above 0.8 of it even after the best of several starts (the fit gains what its parameters do), noise of a
/// third of the signal ends below; the value lies between, and the law that random tensors are refused holds it.
const CHANCE: f64 = 0.4;
/// Share of the entries that a ring may have as parameters where noise is to be told from chance.
const FREEDOM: f64 = 0.6;
/// Unfoldings with more rows than this are not tested for whiteness.
const WHITE_ROWS: usize = 400;

/// The evidence about a fit of relative residual `rel_residual`.
pub(super) fn noise_evidence<T: Scalar>(
    op: &'static str,
    t: TensorView<'_, T>,
    ring: &TensorRing<T>,
    rel_residual: f64,
) -> Result<Vec<Evidence>, Error> {
    let mut gap = ring.to_dense()?;
    for (x, &y) in gap.as_mut_slice().iter_mut().zip(t.as_slice()) {
        *x = y - *x;
    }
    let sweeper = Sweeper::new(gap.view(), ring.clone(), CoreSolver::Normal);
    let slope = sweeper.slope(gap.view());
    let mut evidence = vec![Evidence::new(
        "slope of the residual in the cores",
        slope,
        STATIONARY,
    )];
    let freedom = ring.parameters() as f64;
    let gauge: usize = ring.ranks().iter().map(|r| r * r).sum();
    let share = (freedom - gauge as f64 + 1.0) / t.as_slice().len() as f64;
    // With few entries to spare the best of several starts comes arbitrarily far below chance.
    evidence.push(Evidence::new("parameters over entries", share, FREEDOM));
    let chance = (1.0 - share).max(0.0).sqrt();
    evidence.push(Evidence::new(
        "residual against chance for so many parameters",
        rel_residual,
        CHANCE * chance,
    ));
    for mode in 0..t.order() {
        if let Some((measured, allowed)) = whiteness(op, &gap, mode)? {
            let name = format!("greatest singular value of the residual, mode {mode}");
            evidence.push(Evidence::new(name, measured, allowed));
        }
    }
    Ok(evidence)
}

/// The greatest singular value of an unfolding relative to that of white noise of the same norm, and its
/// bound; `None` when the unfolding is too small or too large to tell.
fn whiteness<T: Scalar>(
    op: &'static str,
    gap: &Tensor<T>,
    mode: usize,
) -> Result<Option<(f64, f64)>, Error> {
    let n = gap.dims()[mode];
    let rest = gap.as_slice().len() / n.max(1);
    if !(4..=WHITE_ROWS).contains(&n) || rest < n {
        return Ok(None);
    }
    let unfolded = gap.view().unfold(mode);
    let m = unfolded.view().as_matrix(1);
    let gram = T::product(m, m.adjoint().to_owned().as_ref());
    // The real symmetric embedding has the same extreme eigenvalue and serves both scalar types.
    let real = Mat::from_fn(2 * n, 2 * n, |i, j| {
        let z = gram[(i % n, j % n)].to_complex();
        match (i < n, j < n) {
            (true, true) | (false, false) => z.re,
            (true, false) => -z.im,
            (false, true) => z.im,
        }
    });
    let top = symmetric_eigen(op, real.as_ref())?;
    let top = top.values.last().copied().unwrap_or(0.0).max(0.0).sqrt();
    let size = norm(gap.as_slice());
    // Marchenko-Pastur: the edge for entries of variance size^2 / (n rest).
    let (rows, cols) = ((n as f64).sqrt(), (rest as f64).sqrt());
    let edge = size / (rows * cols) * (rows + cols);
    // The projection onto the complement of the model removes part of each direction and the edge
    // fluctuates on the scale n^(-2/3) of itself; both stay within this in the noise tests.
    let allowed = 1.15 + 0.5 * (n as f64).powf(-2.0 / 3.0);
    Ok(Some((if edge > 0.0 { top / edge } else { 0.0 }, allowed)))
}
