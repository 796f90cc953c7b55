//! Whether a ring that does not reproduce its tensor is the structure behind noise, or just a best effort.
//!
//! A residual above the tolerance is accepted as noise only if five recomputed facts agree: no core can
//! move and lower it, it is far below what a ring of this size reaches on a tensor without structure, its
//! unfoldings look like white noise rather than like more structure, and the ring has clearly fewer
//! parameters than the tensor has entries.

use super::als::sweep::{CoreSolver, Sweeper};
use crate::Error;
use crate::fit::Check;
use crate::tensor::{Scalar, Tensor, TensorRing, TensorView, norm};
use faer::{Mat, MatRef};

/// Greatest cosine between the residual and a direction of a core at a point called stationary. ALS stops
/// moving the residual at its square.
const STATIONARY: f64 = 1e-3;
/// Share of the residual of a structureless fit that counts as structure: tensors of independent entries end
/// above 0.8 of it even after the best of several starts (the fit gains what its parameters do), noise of a
/// third of the signal ends below; the value lies between, and the law that random tensors are refused holds it.
const CHANCE: f64 = 0.4;
/// Share of the entries that a ring may have as parameters where noise is to be told from chance.
const FREEDOM: f64 = 0.6;
/// Entries beyond the parameters that it takes to tell noise from chance: the residual of a tensor without
/// structure is that of a chi-squared variable of so many degrees of freedom, which falls below `CHANCE` of its
/// mean with probability 1e-7 at this number, and for a dozen of entries every so often.
const SPARE: f64 = 24.0;
/// Unfoldings with more rows than this are not tested for whiteness.
const WHITE_ROWS: usize = 400;

/// The evidence about a fit of relative residual `rel_residual`.
pub(super) fn noise_evidence<T: Scalar>(
    op: &'static str,
    t: TensorView<'_, T>,
    ring: &TensorRing<T>,
    rel_residual: f64,
) -> Result<Vec<Check>, Error> {
    let mut gap = ring.to_dense()?;
    for (x, &y) in gap.as_mut_slice().iter_mut().zip(t.as_slice()) {
        *x = y - *x;
    }
    let sweeper = Sweeper::new(gap.view(), ring.clone(), CoreSolver::Normal);
    let slope = sweeper.slope(gap.view());
    let mut checks = vec![Check::accuracy(
        "ring.slope",
        "slope of the residual in the cores",
        slope,
        STATIONARY,
    )];
    let freedom = ring.parameters() as f64;
    let gauge: usize = ring.ranks().iter().map(|r| r * r).sum();
    let entries = t.as_slice().len() as f64;
    let share = (freedom - gauge as f64 + 1.0) / entries;
    // With few entries to spare the best of several starts comes arbitrarily far below chance.
    let allowed = FREEDOM.min(1.0 - SPARE / entries);
    checks.push(Check::uniqueness(
        "ring.parameters-per-entry",
        "parameters over entries",
        share,
        allowed,
    ));
    let chance = (1.0 - share).max(0.0).sqrt();
    checks.push(Check::accuracy(
        "ring.residual-against-chance",
        "residual against chance for so many parameters",
        rel_residual,
        CHANCE * chance,
    ));
    for mode in 0..t.order() {
        if let Some((measured, allowed)) = whiteness(op, &gap, mode)? {
            let name = format!("greatest singular value of the residual, mode {mode}");
            checks.push(Check::accuracy("ring.whiteness", name, measured, allowed));
        }
    }
    Ok(checks)
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
    let gram = gram(gap, mode);
    let (values, _) = T::hermitian(op, gram.as_ref())?;
    let top = values.first().copied().unwrap_or(0.0).max(0.0).sqrt();
    let size = norm(gap.as_slice());
    // Marchenko-Pastur: the edge for entries of variance size^2 / (n rest).
    let (rows, cols) = ((n as f64).sqrt(), (rest as f64).sqrt());
    let edge = size / (rows * cols) * (rows + cols);
    // The projection onto the complement of the model removes part of each direction and the edge
    // fluctuates on the scale n^(-2/3) of itself; both stay within this in the noise tests.
    let allowed = 1.15 + 0.5 * (n as f64).powf(-2.0 / 3.0);
    Ok(Some((if edge > 0.0 { top / edge } else { 0.0 }, allowed)))
}

/// The Gram matrix of the rows of an unfolding, conjugated, slab by slab without forming the unfolding.
fn gram<T: Scalar>(gap: &Tensor<T>, mode: usize) -> Mat<T> {
    let n = gap.dims()[mode];
    let inner: usize = gap.dims()[..mode].iter().product();
    let mut out = Mat::zeros(n, n);
    if inner == 1 {
        // Modes before this one may be there, of dimension one.
        let rows = gap.view().as_matrix(mode + 1);
        let adjoint = rows.adjoint().to_owned();
        T::product_into(out.as_mut(), false, rows, adjoint.as_ref());
        return out;
    }
    for slab in gap.as_slice().chunks_exact(inner * n) {
        let slab = MatRef::from_column_major_slice(slab, inner, n);
        let adjoint = slab.adjoint().to_owned();
        T::product_into(out.as_mut(), true, adjoint.as_ref(), slab);
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::gram;
    use crate::tensor::Tensor;

    #[test]
    fn gram_matrices_of_unfoldings_with_modes_of_dimension_one() {
        for dims in [[1, 5, 6], [5, 1, 6], [5, 6, 1], [2, 5, 3], [1, 1, 4]] {
            let value = |i: &[usize]| (1 + i[0] * 7 + i[1] * i[1] + 3 * i[2] * i[0]) as f64;
            let t = Tensor::from_fn(&dims, value).unwrap();
            for mode in 0..3 {
                let g = gram(&t, mode);
                for a in 0..dims[mode] {
                    for b in 0..dims[mode] {
                        let mut sum = 0.0;
                        for k in 0..t.as_slice().len() / dims[mode] {
                            let mut at = [0; 3];
                            let mut rest = k;
                            for m in (0..3).filter(|&m| m != mode) {
                                at[m] = rest % dims[m];
                                rest /= dims[m];
                            }
                            let mut there = at;
                            (at[mode], there[mode]) = (a, b);
                            sum += value(&at) * value(&there);
                        }
                        // Whole numbers: exact.
                        assert_eq!(g[(a, b)], sum, "{dims:?} {mode}");
                    }
                }
            }
        }
    }
}
