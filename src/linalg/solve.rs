//! Linear systems and least squares.

use super::svd::thin_svd;
use super::{frobenius, scaled};
use crate::Error;
use faer::linalg::solvers::{Solve, SolveLstsq};
use faer::{Mat, MatRef, Side};

/// Solves `m x = rhs` for a square matrix by LU with partial pivoting and one step of refinement.
///
/// # Shapes
/// `m` is `n x n`, `rhs` is `n x k`.
///
/// # Errors
/// `Shape`, `NonFinite`; `Degenerate` when the backward error exceeds `1e-8`: the matrix is singular to
/// working precision.
///
/// # Complexity
/// `O(n^3 + n^2 k)`.
pub fn solve(
    op: &'static str,
    m: MatRef<'_, f64>,
    rhs: MatRef<'_, f64>,
) -> Result<Mat<f64>, Error> {
    if m.nrows() != m.ncols() || m.nrows() != rhs.nrows() {
        let found = format!("{} x {} and {} rows", m.nrows(), m.ncols(), rhs.nrows());
        return Err(Error::shape(op, "a square matrix and as many rows", found));
    }
    let (a, power) = scaled(op, m)?;
    let (b, rhs_power) = scaled(op, rhs)?;
    let lu = a.partial_piv_lu();
    let mut x = lu.solve(&b);
    let gap = &b - &a * &x;
    x += lu.solve(&gap);
    let gap = frobenius((&b - &a * &x).as_ref());
    let scale = frobenius(a.as_ref()) * frobenius(x.as_ref()) + frobenius(b.as_ref());
    let backward = if scale > 0.0 { gap / scale } else { gap };
    if backward <= 1e-8 {
        let factor = rhs_power / power;
        return Ok(Mat::from_fn(x.nrows(), x.ncols(), |i, j| {
            x[(i, j)] * factor
        }));
    }
    let hypothesis = "a matrix that is not singular to working precision (backward error)";
    Err(Error::degenerate(op, hypothesis, backward))
}

/// Solves `m x = rhs` for a symmetric positive definite matrix, or `None` when it is not definite.
///
/// Meant for damped normal equations: the caller raises the damping on `None`.
///
/// # Shapes
/// `m` is `n x n` (the lower triangle is read), `rhs` is `n x k`.
///
/// # Complexity
/// `O(n^3 / 3 + n^2 k)`.
pub fn cholesky_solve(m: MatRef<'_, f64>, rhs: MatRef<'_, f64>) -> Option<Mat<f64>> {
    let x = m.llt(Side::Lower).ok()?.solve(rhs);
    frobenius(x.as_ref()).is_finite().then_some(x)
}

/// Least squares `min |m x - rhs|` by QR; falls back to the pseudoinverse (minimum norm) when `m` does not
/// have full column rank to working precision.
///
/// # Shapes
/// `m` is `rows x n` with `rows >= n`, `rhs` is `rows x k`; the result is `n x k`.
///
/// # Errors
/// `Shape`, `NonFinite`, `Backend`.
///
/// # Complexity
/// `O(rows * n^2 + rows * n * k)`.
pub fn lstsq(
    op: &'static str,
    m: MatRef<'_, f64>,
    rhs: MatRef<'_, f64>,
) -> Result<Mat<f64>, Error> {
    if m.nrows() < m.ncols() || m.nrows() != rhs.nrows() {
        let found = format!("{} x {} and {} rows", m.nrows(), m.ncols(), rhs.nrows());
        return Err(Error::shape(op, "a tall matrix and as many rows", found));
    }
    let (a, power) = scaled(op, m)?;
    let (b, rhs_power) = scaled(op, rhs)?;
    let qr = a.qr();
    let r = qr.thin_R();
    let diagonal = |i: usize| r[(i, i)].abs();
    let greatest = (0..r.ncols()).map(diagonal).fold(0.0, f64::max);
    let smallest = (0..r.ncols()).map(diagonal).fold(f64::INFINITY, f64::min);
    let x = if smallest > 1e-13 * greatest {
        qr.solve_lstsq(&b)
    } else {
        let svd = thin_svd(op, a.as_ref())?;
        let cut = 1e-13 * svd.s.first().copied().unwrap_or(0.0);
        let mut c = svd.u.transpose() * &b;
        for (i, &s) in svd.s.iter().enumerate() {
            let f = if s > cut { 1.0 / s } else { 0.0 };
            (0..c.ncols()).for_each(|j| c[(i, j)] *= f);
        }
        &svd.v * c
    };
    let factor = rhs_power / power;
    Ok(Mat::from_fn(x.nrows(), x.ncols(), |i, j| {
        x[(i, j)] * factor
    }))
}
