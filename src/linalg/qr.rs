//! Thin QR factorisations.

use super::complex::complex_frobenius;
use super::frobenius;
use crate::Error;
use faer::{Mat, MatRef};
use num_complex::Complex;

/// Thin QR `m = q r`: `q` has `min(rows, cols)` orthonormal columns, `r` is upper trapezoidal.
///
/// Guards: faer's QR loses accuracy near the ends of the exponent range, so the input is scaled by a power
/// of two; the residual of `q r` is recomputed.
///
/// # Errors
/// `NonFinite`, `Backend`.
///
/// # Complexity
/// `O(rows * cols * min(rows, cols))`.
pub fn thin_qr(op: &'static str, m: MatRef<'_, f64>) -> Result<(Mat<f64>, Mat<f64>), Error> {
    let (a, power) = super::scaled(op, m)?;
    let qr = a.qr();
    let (q, r) = (qr.compute_thin_Q(), qr.thin_R().to_owned());
    let gap = frobenius((&q * &r - &a).as_ref());
    let allowed = 1e-12 * (m.nrows() + m.ncols()) as f64 * frobenius(a.as_ref());
    if gap <= allowed {
        return Ok((
            q,
            Mat::from_fn(r.nrows(), r.ncols(), |i, j| r[(i, j)] * power),
        ));
    }
    let routine = "thin_qr";
    Err(Error::Backend { op, routine })
}

/// [`thin_qr`] over the complex numbers.
///
/// # Errors
/// `NonFinite`, `Backend`.
///
/// # Complexity
/// `O(rows * cols * min(rows, cols))`.
#[expect(clippy::type_complexity)]
pub fn complex_qr(
    op: &'static str,
    m: MatRef<'_, Complex<f64>>,
) -> Result<(Mat<Complex<f64>>, Mat<Complex<f64>>), Error> {
    let (a, power) = super::complex::scaled(op, m)?;
    let qr = a.qr();
    let (q, r) = (qr.compute_thin_Q(), qr.thin_R().to_owned());
    let gap = complex_frobenius((&q * &r - &a).as_ref());
    let allowed = 1e-12 * (m.nrows() + m.ncols()) as f64 * complex_frobenius(a.as_ref());
    if gap <= allowed {
        return Ok((
            q,
            Mat::from_fn(r.nrows(), r.ncols(), |i, j| r[(i, j)] * power),
        ));
    }
    let routine = "complex_qr";
    Err(Error::Backend { op, routine })
}
