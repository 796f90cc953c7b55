//! Positive definite matrices: solution in place, the smallest eigenvalue.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{cholesky_in_place, cholesky_in_place_scratch};
use faer::linalg::solvers::Solve;
use faer::linalg::triangular_solve::{
    solve_lower_triangular_in_place, solve_upper_triangular_in_place,
};
use faer::prelude::ReborrowMut;
use faer::{Mat, MatMut, MatRef, Par, Side};
use num_complex::Complex;

/// Replaces `x` by `inverse(a) x`; the lower triangle of `a` is read and overwritten by its Cholesky factor.
/// False when `a` is not definite to working precision or the result is not finite.
///
/// Nothing of the size of `a` is allocated: in an iteration the system is solved hundreds of times, and fresh
/// megabytes cost more in page faults than the arithmetic.
#[inline(never)]
pub(super) fn solve_in_place(mut a: MatMut<'_, f64>, x: &mut [f64]) -> bool {
    let n = a.nrows();
    let scratch = cholesky_in_place_scratch::<f64>(n, Par::Seq, Default::default());
    let Ok(mut memory) = MemBuffer::try_new(scratch) else {
        return false;
    };
    let stack = MemStack::new(&mut memory);
    let regularization = Default::default();
    let done = cholesky_in_place(
        a.rb_mut(),
        regularization,
        Par::Seq,
        stack,
        Default::default(),
    );
    if done.is_err() {
        return false;
    }
    let lower = a.as_ref();
    let mut rhs = MatMut::from_column_major_slice_mut(x, n, 1);
    solve_lower_triangular_in_place(lower, rhs.rb_mut(), Par::Seq);
    solve_upper_triangular_in_place(lower.transpose(), rhs.rb_mut(), Par::Seq);
    x.iter().all(|v| v.is_finite())
}

/// Steps of inverse iteration; the ratio of the two smallest eigenvalues decides the accuracy, and a
/// condition number is wanted to a digit.
const STEPS: usize = 12;

/// A start without symmetry, so that it is orthogonal to no eigenvector that matters in practice.
fn start(i: usize) -> f64 {
    1.0 + 0.1 * (i % 7) as f64 + 0.01 * (i % 11) as f64
}

/// Whether two values of inverse iteration agree to a few digits.
fn settled(last: f64, value: f64) -> bool {
    (last - value).abs() <= 1e-4 * value
}

/// By inverse iteration on one Cholesky factorisation; `None` when not definite to working precision.
#[inline(never)]
pub(super) fn smallest(a: MatRef<'_, f64>) -> Option<f64> {
    let llt = a.llt(Side::Lower).ok()?;
    let mut x = Mat::from_fn(a.nrows(), 1, |i, _| start(i));
    let mut value = f64::INFINITY;
    for _ in 0..STEPS {
        let length = super::frobenius(x.as_ref());
        if length == 0.0 || !length.is_finite() {
            return None;
        }
        let unit = Mat::from_fn(a.nrows(), 1, |i, _| x[(i, 0)] / length);
        x = llt.solve(&unit);
        let last = std::mem::replace(&mut value, 1.0 / super::frobenius(x.as_ref()));
        if settled(last, value) {
            break;
        }
    }
    value.is_finite().then_some(value)
}

/// The complex counterpart of [`smallest`].
#[inline(never)]
pub(super) fn smallest_complex(a: MatRef<'_, Complex<f64>>) -> Option<f64> {
    let llt = a.llt(Side::Lower).ok()?;
    let n = a.nrows();
    let length = |x: &Mat<Complex<f64>>| (0..n).map(|i| x[(i, 0)].norm_sqr()).sum::<f64>().sqrt();
    let mut x = Mat::from_fn(n, 1, |i, _| Complex::new(start(i), start(i + 3)));
    let mut value = f64::INFINITY;
    for _ in 0..STEPS {
        let size = length(&x);
        if size == 0.0 || !size.is_finite() {
            return None;
        }
        let unit = Mat::from_fn(n, 1, |i, _| x[(i, 0)] / size);
        x = llt.solve(&unit);
        let last = std::mem::replace(&mut value, 1.0 / length(&x));
        if settled(last, value) {
            break;
        }
    }
    value.is_finite().then_some(value)
}
