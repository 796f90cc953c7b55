//! The Tucker model: a small core multiplied by a matrix along every mode.

use super::dense::{Tensor, TensorView};
use super::factor::Factor;
use super::products::mode_product::mode_product;
use crate::Error;
use crate::linalg::{Scalar, norm2, small};
use faer::MatMut;

/// Entries compared at a time.
const BLOCK: usize = 1 << 16;

/// `T = G x_0 U_0 x_1 U_1 .. x_{k-1} U_{k-1}`.
///
/// Invariant: `U_m` is `n_m x r_m` where `r_m` are the dimensions of the core `G`.
#[derive(Clone, Debug, PartialEq)]
pub struct TuckerTensor<T = f64> {
    core: Tensor<T>,
    factors: Vec<Factor<T>>,
}

impl<T: Scalar> TuckerTensor<T> {
    /// A model from its core and one matrix for each mode.
    ///
    /// # Errors
    /// `Shape` when the columns of the matrices are not the dimensions of the core.
    pub fn new(core: Tensor<T>, factors: Vec<Factor<T>>) -> Result<Self, Error> {
        let columns: Vec<usize> = factors.iter().map(Factor::cols).collect();
        if columns != core.dims() {
            let expected = format!("matrices with {:?} columns", core.dims());
            return Err(Error::shape(
                "TuckerTensor::new",
                expected,
                format!("{columns:?}"),
            ));
        }
        Ok(Self { core, factors })
    }

    /// The core.
    pub fn core(&self) -> TensorView<'_, T> {
        self.core.view()
    }

    /// The matrices, one for each mode.
    pub fn factors(&self) -> &[Factor<T>] {
        &self.factors
    }

    /// The dimensions of the core.
    pub fn ranks(&self) -> &[usize] {
        self.core.dims()
    }

    /// The tensor itself.
    ///
    /// # Errors
    /// `Overflow` when it is too large to address.
    ///
    /// # Complexity
    /// `O(N max(r_m))` for `N` entries.
    pub fn to_dense(&self) -> Result<Tensor<T>, Error> {
        self.expanded(self.factors.len())
    }

    /// The core multiplied along the first modes only; matrices that are the identity cost nothing.
    fn expanded(&self, modes: usize) -> Result<Tensor<T>, Error> {
        let mut t: Option<Tensor<T>> = None;
        for (m, u) in self.factors.iter().enumerate().take(modes) {
            if !is_identity(u) {
                let view = t.as_ref().map_or(self.core.view(), Tensor::view);
                t = Some(mode_product(view, u.as_mat(), m)?);
            }
        }
        Ok(t.unwrap_or_else(|| self.core.clone()))
    }

    /// `||t - self|| / ||t||` with `0/0 = 0`, entry by entry.
    ///
    /// # Errors
    /// `Shape` when the shapes differ, `Overflow`.
    ///
    /// # Complexity
    /// That of [`TuckerTensor::to_dense`]; memory `N r / n` for the last mode.
    pub fn rel_residual(&self, t: TensorView<'_, T>) -> Result<f64, Error> {
        let dims: Vec<usize> = self.factors.iter().map(Factor::rows).collect();
        if dims != t.dims() {
            let (expected, found) = (format!("{:?}", t.dims()), format!("{dims:?}"));
            return Err(Error::shape("TuckerTensor::rel_residual", expected, found));
        }
        let size = moduli(t.as_slice());
        let Some(last) = self.factors.last() else {
            return Ok(0.0);
        };
        let inner = self.expanded(self.factors.len() - 1)?;
        let left = inner.view().as_matrix(self.factors.len() - 1);
        let rows = left.nrows().max(1);
        // A few columns at a time: the difference stays in the cache.
        let width = (BLOCK / rows).max(1);
        let mut parts = Vec::new();
        let mut gap = Vec::new();
        for (j, block) in t.as_slice().chunks(rows * width).enumerate() {
            gap.clear();
            gap.extend_from_slice(block);
            let cols = block.len() / rows;
            let dst = MatMut::from_column_major_slice_mut(&mut gap, rows, cols);
            let part = last.as_mat().subrows(j * width, cols);
            T::gemm(dst, true, left, part.transpose(), -1.0);
            parts.push(moduli(&gap));
        }
        let gap = norm2(&parts);
        Ok(if size > 0.0 { gap / size } else { gap })
    }

    /// `||self - other||`, accurate however close the two are.
    ///
    /// Both cores are seen in orthonormal bases of the joint column spaces.
    ///
    /// # Errors
    /// `Shape` when the shapes differ, `Overflow`.
    ///
    /// # Example
    /// ```
    /// use wickring::tensor::{Factor, Tensor, TuckerTensor};
    /// let unit = |x: f64| TuckerTensor::new(
    ///     Tensor::from_vec(&[1, 1], vec![x])?,
    ///     vec![Factor::from_fn(3, 1, |i, _| if i == 0 { 1.0 } else { 0.0 }); 2],
    /// );
    /// assert_eq!(unit(3.0)?.distance(&unit(1.0)?)?, 2.0);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn distance(&self, other: &Self) -> Result<f64, Error> {
        let rows = |t: &Self| t.factors.iter().map(Factor::rows).collect::<Vec<_>>();
        if rows(self) != rows(other) {
            let (expected, found) = (format!("{:?}", rows(self)), format!("{:?}", rows(other)));
            return Err(Error::shape("TuckerTensor::distance", expected, found));
        }
        let (mut a, mut b) = (self.core.clone(), other.core.clone());
        for (m, (u, v)) in self.factors.iter().zip(&other.factors).enumerate() {
            let both = [u.as_slice(), v.as_slice()].concat();
            let basis = small::orthonormal(&both, u.rows(), 1e-14);
            let basis = Factor::new(u.rows(), basis.len() / u.rows().max(1), basis)?.conj();
            let to = |f: &Factor<T>| f.left_mul(basis.as_mat().transpose());
            a = mode_product(a.view(), to(u).as_mat(), m)?;
            b = mode_product(b.view(), to(v).as_mat(), m)?;
        }
        let pairs = a.as_slice().iter().zip(b.as_slice());
        Ok(moduli(&Vec::from_iter(pairs.map(|(&x, &y)| x - y))))
    }

    /// `||self||`.
    ///
    /// # Errors
    /// As [`TuckerTensor::distance`].
    pub fn norm(&self) -> Result<f64, Error> {
        let zero = Tensor::from_fn(self.core.dims(), |_| T::zero())?;
        let factors = self.factors.clone();
        self.distance(&Self {
            core: zero,
            factors,
        })
    }
}

fn is_identity<T: Scalar>(u: &Factor<T>) -> bool {
    let one = |i: usize, j: usize| if i == j { T::one() } else { T::zero() };
    u.rows() == u.cols()
        && u.columns()
            .enumerate()
            .all(|(j, c)| c.iter().enumerate().all(|(i, &x)| x == one(i, j)))
}

/// The Euclidean norm, without overflow.
fn moduli<T: Scalar>(x: &[T]) -> f64 {
    let plain = small::norm_sq(x);
    if plain.is_finite() && plain > 1e-280 {
        return plain.sqrt();
    }
    norm2(&Vec::from_iter(x.iter().map(|x| x.abs())))
}
