//! The smallest eigenvalue of a positive definite matrix.

use faer::linalg::solvers::Solve;
use faer::{Mat, MatRef, Side};
use num_complex::Complex;

/// Steps of inverse iteration; the ratio of the two smallest eigenvalues decides the accuracy, and a
/// condition number is wanted to a digit.
const STEPS: usize = 12;

/// A start without symmetry, so that it is orthogonal to no eigenvector that matters in practice.
fn start(i: usize) -> f64 {
    1.0 + 0.1 * (i % 7) as f64 + 0.01 * (i % 11) as f64
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
        value = 1.0 / super::frobenius(x.as_ref());
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
        value = 1.0 / length(&x);
    }
    value.is_finite().then_some(value)
}
