//! Real and complex scalars behind one trait, with the guarded routines that both need.

use super::eigen::symmetric_eigen;
use super::{complex_scalar as complex, definite, gemm, small, vector};
use crate::Error;
use faer::{Mat, MatMut, MatRef};
use num_complex::Complex;
use num_traits::{One, Zero};
use std::fmt::Debug;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

mod sealed {
    pub trait Sealed {}
    impl Sealed for f64 {}
    impl Sealed for num_complex::Complex<f64> {}
}

/// `f64` or `Complex<f64>`: what the numeric algorithms run over. Sealed.
///
/// # Example
/// ```
/// use num_complex::Complex;
/// use wickring::linalg::Scalar;
/// fn energy<T: Scalar>(x: &[T]) -> f64 {
///     T::dot(x, x).re()
/// }
/// assert_eq!(energy(&[3.0, 4.0]), 25.0);
/// assert_eq!(energy(&[Complex::new(3.0, 4.0)]), 25.0);
/// ```
pub trait Scalar:
    sealed::Sealed
    + Copy
    + PartialEq
    + Debug
    + Default
    + Send
    + Sync
    + 'static
    + Zero
    + One
    + Sum
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + for<'a> MulAssign<&'a Self>
{
    /// Whether the scalars have an imaginary part.
    const COMPLEX: bool;

    /// The scalar `re + i im`; the imaginary part is dropped over the reals.
    fn from_parts(re: f64, im: f64) -> Self;
    /// Real part.
    fn re(self) -> f64;
    /// Imaginary part, zero over the reals.
    fn im(self) -> f64;
    /// Complex conjugate.
    fn conj(self) -> Self;
    /// `|x|^2`.
    fn abs_sq(self) -> f64;
    /// `|x|`.
    fn abs(self) -> f64;
    /// `x * s` for a real `s`.
    fn scale(self, s: f64) -> Self;
    /// Whether every part is finite.
    fn is_finite(self) -> bool;

    /// `dst = alpha * a * b`, or `dst += alpha * a * b` when `accumulate`; sequential.
    ///
    /// # Panics
    /// If the shapes do not go together.
    fn gemm(
        dst: MatMut<'_, Self>,
        accumulate: bool,
        a: MatRef<'_, Self>,
        b: MatRef<'_, Self>,
        alpha: f64,
    );

    /// `sum conj(x_i) y_i`.
    fn dot(x: &[Self], y: &[Self]) -> Self;

    /// `y += a x`.
    fn axpy(y: &mut [Self], a: Self, x: &[Self]);

    /// For the matrix `P` with contiguous columns of `x.len()` entries: `left += P y` and `right = P' x`,
    /// without conjugation, in one pass over `P`.
    fn contract(matrix: &[Self], left: (&[Self], &mut [Self]), right: (&[Self], &mut [Self]));

    /// Replaces `x` by `inverse(a) x` for a Hermitian positive definite `a`, whose lower triangle is
    /// overwritten; false, with `x` undefined, when it is not definite or the result is not finite.
    fn definite_solve_in_place(a: MatMut<'_, Self>, x: &mut [Self]) -> bool;

    /// The smallest eigenvalue of a Hermitian positive definite matrix, to a few digits, by inverse
    /// iteration on one Cholesky factorisation; `None` when it is not definite to working precision.
    fn smallest_definite(a: MatRef<'_, Self>) -> Option<f64>;

    /// Solves `a x = b` for a square `a`, or `None` when it is singular to working precision.
    fn general_solve(a: MatRef<'_, Self>, b: MatRef<'_, Self>) -> Option<Mat<Self>>;

    /// Eigenvalues (nondecreasing) and orthonormal eigenvectors of a Hermitian matrix.
    ///
    /// # Errors
    /// `Shape`, `NonFinite`, `Backend`.
    fn hermitian_eigen(
        op: &'static str,
        m: MatRef<'_, Self>,
    ) -> Result<(Vec<f64>, Mat<Self>), Error>;

    /// A basis of eigenvectors of a general matrix, unit columns. Over the reals a conjugate pair of
    /// eigenvectors is replaced by its real and imaginary parts, which span the same plane.
    ///
    /// # Errors
    /// `Shape`, `NonFinite`, `Backend`.
    fn eigenbasis(op: &'static str, m: MatRef<'_, Self>) -> Result<Mat<Self>, Error>;
}

impl Scalar for f64 {
    const COMPLEX: bool = false;

    #[inline(always)]
    fn from_parts(re: f64, _im: f64) -> Self {
        re
    }
    #[inline(always)]
    fn re(self) -> f64 {
        self
    }
    #[inline(always)]
    fn im(self) -> f64 {
        0.0
    }
    #[inline(always)]
    fn conj(self) -> Self {
        self
    }
    #[inline(always)]
    fn abs_sq(self) -> f64 {
        self * self
    }
    #[inline(always)]
    fn abs(self) -> f64 {
        f64::abs(self)
    }
    #[inline(always)]
    fn scale(self, s: f64) -> Self {
        self * s
    }
    #[inline(always)]
    fn is_finite(self) -> bool {
        f64::is_finite(self)
    }
    fn gemm(
        dst: MatMut<'_, f64>,
        accumulate: bool,
        a: MatRef<'_, f64>,
        b: MatRef<'_, f64>,
        alpha: f64,
    ) {
        gemm::into(dst, accumulate, a, b, alpha);
    }
    #[inline]
    fn dot(x: &[f64], y: &[f64]) -> f64 {
        vector::dot(x, y)
    }
    #[inline]
    fn axpy(y: &mut [f64], a: f64, x: &[f64]) {
        vector::axpy(y, a, x);
    }
    #[inline]
    fn contract(matrix: &[f64], left: (&[f64], &mut [f64]), right: (&[f64], &mut [f64])) {
        vector::contract(matrix, left, right);
    }
    fn definite_solve_in_place(a: MatMut<'_, f64>, x: &mut [f64]) -> bool {
        definite::solve_in_place(a, x)
    }
    fn smallest_definite(a: MatRef<'_, f64>) -> Option<f64> {
        definite::smallest(a)
    }
    fn general_solve(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Option<Mat<f64>> {
        super::solve("general_solve", a, b).ok()
    }
    fn hermitian_eigen(
        op: &'static str,
        m: MatRef<'_, f64>,
    ) -> Result<(Vec<f64>, Mat<f64>), Error> {
        let e = symmetric_eigen(op, m)?;
        Ok((e.values, e.vectors))
    }
    fn eigenbasis(op: &'static str, m: MatRef<'_, f64>) -> Result<Mat<f64>, Error> {
        let e = super::eigen(op, m)?;
        let n = m.nrows();
        let mut basis = Mat::<f64>::zeros(n, n);
        let mut j = 0;
        while j < n {
            let pair = j + 1 < n && e.values[j].im != 0.0 && e.values[j + 1].im != 0.0;
            for i in 0..n {
                basis[(i, j)] = e.vectors[(i, j)].re;
                if pair {
                    basis[(i, j + 1)] = e.vectors[(i, j)].im;
                }
            }
            j += if pair { 2 } else { 1 };
        }
        small::unit_columns(basis.as_mut());
        Ok(basis)
    }
}

impl Scalar for Complex<f64> {
    const COMPLEX: bool = true;

    #[inline(always)]
    fn from_parts(re: f64, im: f64) -> Self {
        Self::new(re, im)
    }
    #[inline(always)]
    fn re(self) -> f64 {
        self.re
    }
    #[inline(always)]
    fn im(self) -> f64 {
        self.im
    }
    #[inline(always)]
    fn conj(self) -> Self {
        Self::conj(&self)
    }
    #[inline(always)]
    fn abs_sq(self) -> f64 {
        self.norm_sqr()
    }
    #[inline(always)]
    fn abs(self) -> f64 {
        self.norm()
    }
    #[inline(always)]
    fn scale(self, s: f64) -> Self {
        self * s
    }
    #[inline(always)]
    fn is_finite(self) -> bool {
        self.re.is_finite() && self.im.is_finite()
    }
    fn gemm(
        dst: MatMut<'_, Self>,
        accumulate: bool,
        a: MatRef<'_, Self>,
        b: MatRef<'_, Self>,
        alpha: f64,
    ) {
        complex::into(dst, accumulate, a, b, alpha);
    }
    #[inline]
    fn dot(x: &[Self], y: &[Self]) -> Self {
        x.iter().zip(y).map(|(a, b)| a.conj() * b).sum()
    }
    #[inline]
    fn axpy(y: &mut [Self], a: Self, x: &[Self]) {
        y.iter_mut().zip(x).for_each(|(y, x)| *y += a * x);
    }
    fn contract(matrix: &[Self], left: (&[Self], &mut [Self]), right: (&[Self], &mut [Self])) {
        let ((x, target), (y, other)) = (left, right);
        let columns = matrix.chunks_exact(x.len().max(1));
        for ((column, &b), out) in columns.zip(y).zip(other) {
            Self::axpy(target, b, column);
            *out = column.iter().zip(x).map(|(p, q)| p * q).sum();
        }
    }
    fn definite_solve_in_place(a: MatMut<'_, Self>, x: &mut [Self]) -> bool {
        let rhs = MatRef::from_column_major_slice(x, x.len(), 1).to_owned();
        match complex::cholesky_solve(a.as_ref(), rhs.as_ref()) {
            Some(y) => {
                (0..x.len()).for_each(|i| x[i] = y[(i, 0)]);
                true
            }
            None => false,
        }
    }
    fn smallest_definite(a: MatRef<'_, Self>) -> Option<f64> {
        definite::smallest_complex(a)
    }
    fn general_solve(a: MatRef<'_, Self>, b: MatRef<'_, Self>) -> Option<Mat<Self>> {
        complex::solve(a, b)
    }
    fn hermitian_eigen(
        op: &'static str,
        m: MatRef<'_, Self>,
    ) -> Result<(Vec<f64>, Mat<Self>), Error> {
        complex::hermitian_eigen(op, m)
    }
    fn eigenbasis(op: &'static str, m: MatRef<'_, Self>) -> Result<Mat<Self>, Error> {
        complex::eigenbasis(op, m)
    }
}
