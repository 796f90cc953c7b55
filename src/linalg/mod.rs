//! The one doorway to faer's fallible solvers.
//!
//! Every routine here refuses NaN and infinity, scales its input by a power of two (exact) so that faer
//! works near one, recomputes the residual of what comes back, and falls back to another route when that
//! residual is not small; see the notes on each routine for the failure that it guards against. faer is
//! used sequentially: its factorisations change bits with the number of threads, and the algorithms above
//! this module parallelise over fixed splits instead.
//!
//! The functions are not generic, so that faer's generic code is compiled once.

pub(crate) mod cholesky;
pub(crate) mod complex;
pub(crate) mod complex_scalar;
pub(crate) mod definite;
pub(crate) mod eigen;
pub(crate) mod gemm;
pub(crate) mod jacobi;
pub(crate) mod qr;
pub(crate) mod scalar;
pub mod small;
pub(crate) mod solve;
pub(crate) mod svd;
pub(crate) mod vector;

pub use cholesky::CholeskySpace;
pub use complex::{
    ComplexSvd, complex_cholesky_solve, complex_eigenvalues, complex_frobenius, complex_lstsq,
    complex_solve, complex_svd, inverse_iteration,
};
pub use eigen::{Eigen, SymmetricEigen, eigen, eigenvalues, symmetric_eigen};
pub use gemm::symmetric_product;
pub use qr::{complex_qr, thin_qr};
pub use scalar::Scalar;
pub use solve::{cholesky_solve, lstsq, solve};
pub use svd::{Svd, polar_orthogonal, thin_svd};
pub use vector::dot;

use crate::Error;
use faer::{Mat, MatRef};

/// Euclidean norm without overflow or underflow.
pub fn norm2(x: &[f64]) -> f64 {
    let plain: f64 = x.iter().map(|v| v * v).sum();
    // Squares are exact enough in this window; outside it they may have lost everything.
    if plain.is_finite() && plain > 1e-280 {
        return plain.sqrt();
    }
    let max = x.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    if max == 0.0 || !max.is_finite() {
        return if x.iter().any(|v| v.is_nan()) {
            f64::NAN
        } else {
            max
        };
    }
    max * x.iter().map(|v| (v / max) * (v / max)).sum::<f64>().sqrt()
}

/// Frobenius norm without overflow or underflow.
pub fn frobenius(m: MatRef<'_, f64>) -> f64 {
    let columns: Vec<f64> = (0..m.ncols())
        .map(|j| match m.col(j).try_as_col_major() {
            Some(c) => norm2(c.as_slice()),
            None => norm2(&Vec::from_iter(m.col(j).iter().copied())),
        })
        .collect();
    norm2(&columns)
}

/// A copy of `m` divided by a power of two so that its largest entry lies in `[1, 2)`, and that power.
///
/// A zero matrix comes back with the power 1.
fn scaled(op: &'static str, m: MatRef<'_, f64>) -> Result<(Mat<f64>, f64), Error> {
    let mut max = 0.0f64;
    for j in 0..m.ncols() {
        for i in 0..m.nrows() {
            let x = m[(i, j)];
            if !x.is_finite() {
                let index = i + m.nrows() * j;
                return Err(Error::NonFinite { op, index });
            }
            max = max.max(x.abs());
        }
    }
    if max == 0.0 {
        return Ok((m.to_owned(), 1.0));
    }
    let power = power_of_two_below(max);
    // Two steps, because 1/power may overflow when max is subnormal.
    let half = power.sqrt_power();
    Ok((
        Mat::from_fn(m.nrows(), m.ncols(), |i, j| m[(i, j)] / half.0 / half.1),
        power.value(),
    ))
}

/// `2^e`, possibly subnormal.
#[derive(Clone, Copy)]
struct PowerOfTwo(i32);

impl PowerOfTwo {
    fn value(self) -> f64 {
        let half = self.sqrt_power();
        half.0 * half.1
    }
    /// Two normal powers of two with the product `2^e`.
    fn sqrt_power(self) -> (f64, f64) {
        let first = self.0 / 2;
        (2f64.powi(first), 2f64.powi(self.0 - first))
    }
}

/// Two normal powers of two whose product is the power of two at or below `x > 0`; that product may be
/// subnormal, so divide by one and then by the other.
pub fn split_power_of_two(x: f64) -> (f64, f64) {
    power_of_two_below(x).sqrt_power()
}

/// Two finite numbers whose product is `1 / x` for `x > 0`: multiply by one and then by the other, because the reciprocal of a
/// subnormal number overflows. The second is 1 where that of `x` does not.
pub fn reciprocal(x: f64) -> (f64, f64) {
    let whole = 1.0 / x;
    if whole.is_finite() {
        return (whole, 1.0);
    }
    let half = 1.0 / x.sqrt();
    (half, half)
}

fn power_of_two_below(x: f64) -> PowerOfTwo {
    if x >= f64::MIN_POSITIVE {
        let exponent = (x.to_bits() >> 52) as i32 - 1023;
        PowerOfTwo(exponent)
    } else {
        let exponent = ((x * 2f64.powi(64)).to_bits() >> 52) as i32 - 1023 - 64;
        PowerOfTwo(exponent)
    }
}

/// `a * b` for column-major data; the workhorse product, sequential.
pub fn product(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Mat<f64> {
    a * b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norms_survive_extreme_scales() {
        for scale in [1e-300, 1e-160, 1.0, 1e160, 1e300] {
            let n = norm2(&[3.0 * scale, 4.0 * scale]);
            assert!(
                (n / (5.0 * scale) - 1.0).abs() < 4.0 * f64::EPSILON,
                "{scale}: {n}"
            );
        }
        assert_eq!(norm2(&[]), 0.0);
        assert!(norm2(&[f64::NAN, 1.0]).is_nan());
    }

    #[test]
    fn powers_of_two_bracket_their_argument() {
        for x in [5e-324, 1e-310, f64::MIN_POSITIVE, 0.75, 1.0, 3.0, f64::MAX] {
            let p = power_of_two_below(x).value();
            assert!(p <= x && x / 2.0 < p, "{x}: {p}");
        }
    }
}
