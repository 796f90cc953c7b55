//! The Tucker model: a small core multiplied by a matrix along every mode.

use super::dense::{Tensor, TensorView};
use super::factor::Factor;
use super::products::mode_product::mode_product;
use crate::Error;
use crate::linalg::{Scalar, norm2};

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
        let mut t = self.core.clone();
        for (m, u) in self.factors.iter().enumerate() {
            t = mode_product(t.view(), u.as_mat(), m)?;
        }
        Ok(t)
    }

    /// `||t - self|| / ||t||` with `0/0 = 0`, entry by entry.
    ///
    /// # Errors
    /// `Shape` when the shapes differ, `Overflow`.
    pub fn rel_residual(&self, t: TensorView<'_, T>) -> Result<f64, Error> {
        let dense = self.to_dense()?;
        if dense.dims() != t.dims() {
            let (expected, found) = (format!("{:?}", t.dims()), format!("{:?}", dense.dims()));
            return Err(Error::shape("TuckerTensor::rel_residual", expected, found));
        }
        let pairs = dense.as_slice().iter().zip(t.as_slice());
        let gap = norm2(&Vec::from_iter(pairs.map(|(&a, &b)| (a - b).abs())));
        let norm = norm2(&Vec::from_iter(t.as_slice().iter().map(|x| x.abs())));
        Ok(if norm > 0.0 { gap / norm } else { gap })
    }
}
