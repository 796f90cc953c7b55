//! The complex counterparts of the real routines, with the same guards.

use super::small;
use crate::Error;
use faer::linalg::matmul::matmul;
use faer::linalg::solvers::Solve;
use faer::{Accum, Mat, MatMut, MatRef, Par, Side};
use num_complex::Complex;

type C = Complex<f64>;

/// `dst = alpha * a * b`, or `dst += alpha * a * b` when `accumulate`; sequential.
#[inline(never)]
pub(super) fn into(
    dst: MatMut<'_, C>,
    accumulate: bool,
    a: MatRef<'_, C>,
    b: MatRef<'_, C>,
    alpha: f64,
) {
    let accum = if accumulate {
        Accum::Add
    } else {
        Accum::Replace
    };
    matmul(dst, accum, a, b, C::new(alpha, 0.0), Par::Seq);
}

/// Solves `a x = b` for a Hermitian positive definite `a`, or `None`.
#[inline(never)]
pub(super) fn cholesky_solve(a: MatRef<'_, C>, b: MatRef<'_, C>) -> Option<Mat<C>> {
    let x = a.llt(Side::Lower).ok()?.solve(b);
    let finite = x.col_iter().all(|c| c.iter().all(|v| v.norm().is_finite()));
    finite.then_some(x)
}

/// Solves `a x = b` for a square `a`, or `None` when the backward error exceeds `1e-8`.
#[inline(never)]
pub(super) fn solve(a: MatRef<'_, C>, b: MatRef<'_, C>) -> Option<Mat<C>> {
    let (a, power) = scaled("general_solve", a).ok()?;
    let x = a.partial_piv_lu().solve(b);
    let gap = norm(&(b - &a * &x));
    let size = norm(&a) * norm(&x) + norm(&b.to_owned());
    let factor = 1.0 / power;
    (gap <= 1e-8 * size).then(|| Mat::from_fn(x.nrows(), x.ncols(), |i, j| x[(i, j)] * factor))
}

/// A copy divided by the power of two below its largest entry, and that power; zero keeps the power 1.
fn scaled(op: &'static str, m: MatRef<'_, C>) -> Result<(Mat<C>, f64), Error> {
    if m.nrows() != m.ncols() {
        let found = format!("{} x {}", m.nrows(), m.ncols());
        return Err(Error::shape(op, "a square matrix", found));
    }
    let mut max = 0.0f64;
    for j in 0..m.ncols() {
        for i in 0..m.nrows() {
            let z = m[(i, j)];
            if !(z.re.is_finite() && z.im.is_finite()) {
                let index = i + m.nrows() * j;
                return Err(Error::NonFinite { op, index });
            }
            max = max.max(z.re.abs()).max(z.im.abs());
        }
    }
    if max == 0.0 {
        return Ok((m.to_owned(), 1.0));
    }
    let power = super::power_of_two_below(max);
    let half = power.sqrt_power();
    let part = |x: f64| x / half.0 / half.1;
    let a = Mat::from_fn(m.nrows(), m.ncols(), |i, j| {
        C::new(part(m[(i, j)].re), part(m[(i, j)].im))
    });
    Ok((a, power.value()))
}

/// Greatest column norm of `A V - V D`.
fn residual(a: &Mat<C>, values: &[C], v: &Mat<C>) -> f64 {
    let av = a * v;
    let mut worst = 0.0f64;
    for (j, &d) in values.iter().enumerate() {
        let gap: f64 = (0..a.nrows())
            .map(|i| (av[(i, j)] - v[(i, j)] * d).norm_sqr())
            .sum();
        let length: f64 = (0..a.nrows()).map(|i| v[(i, j)].norm_sqr()).sum();
        worst = worst.max(if length > 0.0 {
            (gap / length).sqrt()
        } else {
            f64::INFINITY
        });
    }
    worst
}

fn norm(a: &Mat<C>) -> f64 {
    let squares = a.col_iter().map(|c| c.iter().map(C::norm_sqr).sum::<f64>());
    squares.sum::<f64>().sqrt()
}

/// Eigenvalues (nondecreasing) and orthonormal eigenvectors of a Hermitian matrix, checked.
pub(super) fn hermitian_eigen(
    op: &'static str,
    m: MatRef<'_, C>,
) -> Result<(Vec<f64>, Mat<C>), Error> {
    let routine = "hermitian_eigen";
    let (a, power) = scaled(op, m)?;
    let fault = Error::Backend { op, routine };
    let e = a
        .self_adjoint_eigen(Side::Lower)
        .map_err(|_| fault.clone())?;
    let values: Vec<C> = e.S().column_vector().iter().copied().collect();
    let vectors = e.U().to_owned();
    let n = a.nrows() as f64 + 1.0;
    if residual(&a, &values, &vectors) <= 1e-12 * n * norm(&a).max(f64::MIN_POSITIVE) {
        return Ok((values.iter().map(|z| z.re * power).collect(), vectors));
    }
    Err(fault)
}

/// Unit eigenvectors of a general complex matrix, checked.
pub(super) fn eigenbasis(op: &'static str, m: MatRef<'_, C>) -> Result<Mat<C>, Error> {
    let routine = "eigenbasis";
    let (a, _) = scaled(op, m)?;
    let fault = Error::Backend { op, routine };
    let e = a.eigen().map_err(|_| fault.clone())?;
    let values: Vec<C> = e.S().column_vector().iter().copied().collect();
    let mut vectors = e.U().to_owned();
    let n = a.nrows() as f64;
    if residual(&a, &values, &vectors) <= 1e-9 * n * norm(&a).max(f64::MIN_POSITIVE) {
        small::unit_columns(vectors.as_mut());
        return Ok(vectors);
    }
    Err(fault)
}
