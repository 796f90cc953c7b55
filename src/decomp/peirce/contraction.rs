//! Totally symmetric trilinear forms as products with vectors.

use super::jordan::JordanBasis;
use crate::Error;
use crate::tensor::{Tensor, TensorView};
use faer::{Mat, MatRef};

/// A totally symmetric trilinear form on `R^N`, as products with vectors.
///
/// The form may be a stored tensor or a stream of samples; nothing asks for its `N^3` entries.
///
/// See [`TensorContraction`] for an example.
pub trait Contraction {
    /// The dimension `N`.
    fn dim(&self) -> usize;

    /// `L_v = T(v, ., .)`, `N x N`.
    ///
    /// # Errors
    /// Whatever reading the samples may raise.
    fn contract(&mut self, v: &[f64]) -> Result<Mat<f64>, Error>;

    /// `T(v, v, .)`.
    ///
    /// # Errors
    /// As [`Contraction::contract`].
    fn square(&mut self, v: &[f64]) -> Result<Vec<f64>, Error>;

    /// `L_v` for each column `v`; streams read their samples once for all.
    ///
    /// # Errors
    /// As [`Contraction::contract`].
    fn contract_each(&mut self, v: MatRef<'_, f64>) -> Result<Vec<Mat<f64>>, Error> {
        let columns: Vec<Vec<f64>> = v.col_iter().map(|c| c.iter().copied().collect()).collect();
        columns.iter().map(|c| self.contract(c)).collect()
    }

    /// `T(v, v, .)` for each column `v`, as columns; streams read their samples once for all.
    ///
    /// # Errors
    /// As [`Contraction::contract`].
    fn square_each(&mut self, v: MatRef<'_, f64>) -> Result<Mat<f64>, Error> {
        let mut out = Mat::zeros(v.nrows(), v.ncols());
        for k in 0..v.ncols() {
            let column: Vec<f64> = v.col(k).iter().copied().collect();
            let square = self.square(&column)?;
            (0..v.nrows()).for_each(|i| out[(i, k)] = square[i]);
        }
        Ok(out)
    }

    /// `T(f_i, f_j, .)` for all columns `i <= j` of `f` (`N x m`), as the columns of an `N x m(m+1)/2`
    /// matrix in the order `(0,0), (0,1), (1,1), (0,2), ..`.
    ///
    /// # Errors
    /// As [`Contraction::contract`].
    fn products(&mut self, f: MatRef<'_, f64>) -> Result<Mat<f64>, Error>;

    /// The gradient in the basis `b` (`N x N`) of its agreement with the algebra: column `k` is
    /// `sum_ij J_ijk T(b_i, b_j, .)`.
    ///
    /// # Errors
    /// As [`Contraction::contract`].
    fn gradient(&mut self, b: MatRef<'_, f64>, jordan: &JordanBasis) -> Result<Mat<f64>, Error>;

    /// The trace vector `sum_j T(e_j, e_j, .)`.
    ///
    /// # Errors
    /// As [`Contraction::contract`].
    fn trace(&mut self) -> Result<Vec<f64>, Error>;
}

/// A stored tensor as a [`Contraction`].
///
/// # Example
/// ```
/// use wickring::decomp::{Contraction, TensorContraction};
/// use wickring::tensor::Tensor;
/// // x^3 + y^3
/// let t = Tensor::from_fn(&[2, 2, 2], |i| f64::from(u8::from(i[0] == i[1] && i[1] == i[2])))?;
/// let mut form = TensorContraction::new(t.view())?;
/// assert_eq!(form.square(&[2.0, 3.0])?, [4.0, 9.0]); // T(v, v, .)
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TensorContraction<'a> {
    tensor: TensorView<'a>,
    dim: usize,
}

impl<'a> TensorContraction<'a> {
    /// The form of an `N x N x N` tensor that is totally symmetric (not checked: the caller made it so).
    ///
    /// # Errors
    /// `Shape` when the three dimensions are not equal.
    pub fn new(tensor: TensorView<'a>) -> Result<Self, Error> {
        match *tensor.dims() {
            [n, m, l] if n == m && m == l => Ok(Self { tensor, dim: n }),
            _ => {
                let found = format!("{:?}", tensor.dims());
                Err(Error::shape("TensorContraction::new", "N x N x N", found))
            }
        }
    }
}

impl Contraction for TensorContraction<'_> {
    fn dim(&self) -> usize {
        self.dim
    }

    fn contract(&mut self, v: &[f64]) -> Result<Mat<f64>, Error> {
        let n = self.dim;
        let flat = self.tensor.as_matrix(2) * faer::ColRef::from_slice(v);
        Ok(Mat::from_fn(n, n, |i, j| flat[i + n * j]))
    }

    fn square(&mut self, v: &[f64]) -> Result<Vec<f64>, Error> {
        let l = self.contract(v)?;
        let u = l * faer::ColRef::from_slice(v);
        Ok(u.iter().copied().collect())
    }

    fn products(&mut self, f: MatRef<'_, f64>) -> Result<Mat<f64>, Error> {
        let (n, m) = (self.dim, f.ncols());
        let all = self.tensor.as_matrix(2) * f;
        let mut out = Mat::zeros(n, m * (m + 1) / 2);
        for j in 0..m {
            let l = Mat::from_fn(n, n, |a, b| all[(a + n * b, j)]);
            let part = l * f.subcols(0, j + 1);
            let start = j * (j + 1) / 2;
            out.as_mut().subcols_mut(start, j + 1).copy_from(&part);
        }
        Ok(out)
    }

    fn gradient(&mut self, b: MatRef<'_, f64>, jordan: &JordanBasis) -> Result<Mat<f64>, Error> {
        Ok(self.products(b)? * jordan.pair_weights())
    }

    fn trace(&mut self) -> Result<Vec<f64>, Error> {
        let n = self.dim;
        let diagonal = |k: usize| (0..n).map(move |j| (j, k));
        let entry = |j: usize, k: usize| self.tensor.as_slice()[j + n * (j + n * k)];
        Ok((0..n)
            .map(|k| diagonal(k).map(|(j, k)| entry(j, k)).sum())
            .collect())
    }
}

/// The tensor `T(W, W, W)` of a `d x d x d` tensor in the basis of the columns of `w` (`d x N`).
///
/// # Complexity
/// `O(d^3 N + d^2 N^2 + d N^3)` time, `O(d^2 N)` memory beside the result.
pub(crate) fn change_basis(t: TensorView<'_>, w: MatRef<'_, f64>) -> Result<Tensor, Error> {
    let (d, n) = (w.nrows(), w.ncols());
    // Contract the last mode, then the first, then the middle one; each step is one product.
    let last = t.as_matrix(2) * w; // (a + d b, k)
    let mut data = Vec::with_capacity(n * n * n);
    for k in 0..n {
        let slab = Mat::from_fn(d, d, |a, b| last[(a + d * b, k)]);
        let inner = w.transpose() * (slab * w);
        for j in 0..n {
            data.extend((0..n).map(|i| inner[(i, j)]));
        }
    }
    Tensor::from_vec(&[n, n, n], data)
}
