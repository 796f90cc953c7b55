//! Real and complex scalars behind one sealed trait.

use crate::{Error, linalg};
use faer::traits::ComplexField;
use faer::{Mat, MatMut, MatRef};
use num_complex::Complex;
use num_traits::NumAssign;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use std::fmt::Debug;
use std::iter::Sum;
use std::ops::Neg;

mod sealed {
    /// Closes [`Scalar`](super::Scalar): the guarded solvers exist for two types only.
    pub trait Sealed {}
    impl Sealed for f64 {}
    impl Sealed for num_complex::Complex<f64> {}
}

/// A thin singular value decomposition `m = u diag(s) v^H`.
///
/// # Example
/// ```
/// use faer::mat;
/// use wickring::tensor::Scalar;
/// let svd = f64::svd("example", mat![[3.0, 0.0], [0.0, -4.0]].as_ref())?;
/// assert!((svd.s[0] - 4.0).abs() < 1e-14 && (svd.s[1] - 3.0).abs() < 1e-14);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ThinSvd<T> {
    /// Left singular vectors.
    pub u: Mat<T>,
    /// Singular values, nonincreasing.
    pub s: Vec<f64>,
    /// Right singular vectors.
    pub v: Mat<T>,
}

/// `f64` or `Complex<f64>`: arithmetic, conjugation and the guarded solvers of [`linalg`].
///
/// The matrix routines are instantiated once for each type, so generic callers cost no compile time.
///
/// # Example
/// ```
/// use num_complex::Complex;
/// use wickring::tensor::Scalar;
/// fn length<T: Scalar>(x: &[T]) -> f64 {
///     x.iter().map(|v| v.squared()).sum::<f64>().sqrt()
/// }
/// assert_eq!(length(&[3.0, 4.0]), 5.0);
/// assert_eq!(length(&[Complex::new(3.0, 4.0)]), 5.0);
/// ```
pub trait Scalar:
    sealed::Sealed
    + ComplexField
    + NumAssign
    + Neg<Output = Self>
    + Sum
    + Copy
    + Debug
    + Send
    + Sync
    + 'static
{
    /// Whether conjugation is not the identity.
    const COMPLEX: bool;
    /// A real number.
    fn from_real(x: f64) -> Self;
    /// A complex number; the imaginary part is dropped when `Self` is real.
    fn from_complex(z: Complex<f64>) -> Self;
    /// The same number among the complex ones.
    fn to_complex(self) -> Complex<f64>;
    /// The complex conjugate.
    fn conjugate(self) -> Self;
    /// Real part.
    fn real(self) -> f64;
    /// `|x|^2`.
    fn squared(self) -> f64;
    /// Whether no part is NaN or infinite.
    fn finite(self) -> bool;
    /// A standard normal number with `E|x|^2 = 1`.
    fn gaussian(rng: &mut impl Rng) -> Self;
    /// `a b`.
    fn product(a: MatRef<'_, Self>, b: MatRef<'_, Self>) -> Mat<Self>;
    /// `a^H b`.
    fn adjoint_product(a: MatRef<'_, Self>, b: MatRef<'_, Self>) -> Mat<Self>;
    /// `dst = a b`, or `dst += a b` when `add`; sequential.
    ///
    /// # Panics
    /// If the shapes do not go together.
    fn product_into(dst: MatMut<'_, Self>, add: bool, a: MatRef<'_, Self>, b: MatRef<'_, Self>);
    /// Eigenvalues of a Hermitian matrix, nonincreasing, and its eigenvectors.
    ///
    /// # Errors
    /// `Shape`, `NonFinite`, `Backend`.
    fn hermitian(op: &'static str, m: MatRef<'_, Self>) -> Result<(Vec<f64>, Mat<Self>), Error>;
    /// Eigenvalues of a general matrix, in the order of the backend.
    ///
    /// # Errors
    /// As [`linalg::eigenvalues`].
    fn eigenvalues(op: &'static str, m: MatRef<'_, Self>) -> Result<Vec<Complex<f64>>, Error>;
    /// Thin SVD.
    ///
    /// # Errors
    /// As [`linalg::thin_svd`].
    fn svd(op: &'static str, m: MatRef<'_, Self>) -> Result<ThinSvd<Self>, Error>;
    /// Thin QR.
    ///
    /// # Errors
    /// As [`linalg::thin_qr`].
    fn qr(op: &'static str, m: MatRef<'_, Self>) -> Result<(Mat<Self>, Mat<Self>), Error>;
    /// `m^-1 rhs`.
    ///
    /// # Errors
    /// As [`linalg::solve`].
    fn solve(
        op: &'static str,
        m: MatRef<'_, Self>,
        rhs: MatRef<'_, Self>,
    ) -> Result<Mat<Self>, Error>;
    /// Least squares.
    ///
    /// # Errors
    /// As [`linalg::lstsq`].
    fn lstsq(
        op: &'static str,
        m: MatRef<'_, Self>,
        rhs: MatRef<'_, Self>,
    ) -> Result<Mat<Self>, Error>;
    /// `m^-1 rhs` for a Hermitian positive definite matrix, or `None`.
    fn definite_solve(m: MatRef<'_, Self>, rhs: MatRef<'_, Self>) -> Option<Mat<Self>>;
}

/// Euclidean norm of a slice, without overflow or underflow.
pub(crate) fn norm<T: Scalar>(x: &[T]) -> f64 {
    let plain = square_sum(x);
    if plain.is_finite() && plain > 1e-280 {
        return plain.sqrt();
    }
    let parts = x.iter().flat_map(|v| {
        let z = v.to_complex();
        [z.re, z.im]
    });
    linalg::norm2(&Vec::from_iter(parts))
}

/// `sum |x_i|^2` in a fixed number of partial sums: one alone would wait for each addition.
pub(crate) fn square_sum<T: Scalar>(x: &[T]) -> f64 {
    let mut parts = [0.0f64; 8];
    let chunks = x.chunks_exact(parts.len());
    let tail: f64 = chunks.remainder().iter().map(|v| v.squared()).sum();
    for chunk in chunks {
        for (part, v) in parts.iter_mut().zip(chunk) {
            *part += v.squared();
        }
    }
    parts.iter().sum::<f64>() + tail
}

/// The entries of a matrix, columns one after the other.
pub(crate) fn columns<T: Scalar>(m: MatRef<'_, T>) -> Vec<T> {
    let mut out = Vec::with_capacity(m.nrows() * m.ncols());
    for j in 0..m.ncols() {
        out.extend(m.col(j).iter().copied());
    }
    out
}

macro_rules! forward {
    () => {
        fn product(a: MatRef<'_, Self>, b: MatRef<'_, Self>) -> Mat<Self> {
            a * b
        }
        fn adjoint_product(a: MatRef<'_, Self>, b: MatRef<'_, Self>) -> Mat<Self> {
            a.adjoint() * b
        }
        #[inline]
        fn product_into(
            dst: MatMut<'_, Self>,
            add: bool,
            a: MatRef<'_, Self>,
            b: MatRef<'_, Self>,
        ) {
            <Self as linalg::Scalar>::gemm(dst, add, a, b, 1.0);
        }
        fn hermitian(
            op: &'static str,
            m: MatRef<'_, Self>,
        ) -> Result<(Vec<f64>, Mat<Self>), Error> {
            let (mut values, vectors) = <Self as linalg::Scalar>::hermitian_eigen(op, m)?;
            values.reverse();
            let n = vectors.ncols();
            let turned = Mat::from_fn(vectors.nrows(), n, |i, j| vectors[(i, n - 1 - j)]);
            Ok((values, turned))
        }
    };
}

impl Scalar for f64 {
    const COMPLEX: bool = false;
    forward!();
    #[inline(always)]
    fn from_real(x: f64) -> Self {
        x
    }
    #[inline(always)]
    fn from_complex(z: Complex<f64>) -> Self {
        z.re
    }
    #[inline(always)]
    fn to_complex(self) -> Complex<f64> {
        Complex::new(self, 0.0)
    }
    #[inline(always)]
    fn conjugate(self) -> Self {
        self
    }
    #[inline(always)]
    fn real(self) -> f64 {
        self
    }
    #[inline(always)]
    fn squared(self) -> f64 {
        self * self
    }
    #[inline(always)]
    fn finite(self) -> bool {
        self.is_finite()
    }
    fn gaussian(rng: &mut impl Rng) -> Self {
        StandardNormal.sample(rng)
    }
    fn eigenvalues(op: &'static str, m: MatRef<'_, Self>) -> Result<Vec<Complex<f64>>, Error> {
        linalg::eigenvalues(op, m)
    }
    fn svd(op: &'static str, m: MatRef<'_, Self>) -> Result<ThinSvd<Self>, Error> {
        let linalg::Svd { u, s, v } = linalg::thin_svd(op, m)?;
        Ok(ThinSvd { u, s, v })
    }
    fn qr(op: &'static str, m: MatRef<'_, Self>) -> Result<(Mat<Self>, Mat<Self>), Error> {
        linalg::thin_qr(op, m)
    }
    fn solve(
        op: &'static str,
        m: MatRef<'_, Self>,
        rhs: MatRef<'_, Self>,
    ) -> Result<Mat<Self>, Error> {
        linalg::solve(op, m, rhs)
    }
    fn lstsq(
        op: &'static str,
        m: MatRef<'_, Self>,
        rhs: MatRef<'_, Self>,
    ) -> Result<Mat<Self>, Error> {
        linalg::lstsq(op, m, rhs)
    }
    fn definite_solve(m: MatRef<'_, Self>, rhs: MatRef<'_, Self>) -> Option<Mat<Self>> {
        linalg::cholesky_solve(m, rhs)
    }
}

impl Scalar for Complex<f64> {
    const COMPLEX: bool = true;
    forward!();
    #[inline(always)]
    fn from_real(x: f64) -> Self {
        Self::new(x, 0.0)
    }
    #[inline(always)]
    fn from_complex(z: Complex<f64>) -> Self {
        z
    }
    #[inline(always)]
    fn to_complex(self) -> Complex<f64> {
        self
    }
    #[inline(always)]
    fn conjugate(self) -> Self {
        self.conj()
    }
    #[inline(always)]
    fn real(self) -> f64 {
        self.re
    }
    #[inline(always)]
    fn squared(self) -> f64 {
        self.norm_sqr()
    }
    #[inline(always)]
    fn finite(self) -> bool {
        self.re.is_finite() && self.im.is_finite()
    }
    fn gaussian(rng: &mut impl Rng) -> Self {
        let (re, im): (f64, f64) = (StandardNormal.sample(rng), StandardNormal.sample(rng));
        Self::new(re, im) * std::f64::consts::FRAC_1_SQRT_2
    }
    fn eigenvalues(op: &'static str, m: MatRef<'_, Self>) -> Result<Vec<Complex<f64>>, Error> {
        linalg::complex_eigenvalues(op, m)
    }
    fn svd(op: &'static str, m: MatRef<'_, Self>) -> Result<ThinSvd<Self>, Error> {
        let linalg::ComplexSvd { u, s, v } = linalg::complex_svd(op, m)?;
        Ok(ThinSvd { u, s, v })
    }
    fn qr(op: &'static str, m: MatRef<'_, Self>) -> Result<(Mat<Self>, Mat<Self>), Error> {
        linalg::complex_qr(op, m)
    }
    fn solve(
        op: &'static str,
        m: MatRef<'_, Self>,
        rhs: MatRef<'_, Self>,
    ) -> Result<Mat<Self>, Error> {
        linalg::complex_solve(op, m, rhs)
    }
    fn lstsq(
        op: &'static str,
        m: MatRef<'_, Self>,
        rhs: MatRef<'_, Self>,
    ) -> Result<Mat<Self>, Error> {
        linalg::complex_lstsq(op, m, rhs)
    }
    fn definite_solve(m: MatRef<'_, Self>, rhs: MatRef<'_, Self>) -> Option<Mat<Self>> {
        linalg::complex_cholesky_solve(m, rhs)
    }
}
