//! Factor matrices: contiguous, column-major, one column per component.

use crate::Error;
use crate::linalg::{Scalar, small};
use faer::MatRef;

/// A matrix with contiguous columns, entry `(i, r)` at `i + rows * r`.
///
/// Invariant: `data.len() == rows * cols`.
///
/// # Example
/// ```
/// use wickring::tensor::Factor;
/// let a = Factor::new(2, 2, vec![1.0, 0.0, 1.0, 1.0])?; // columns (1, 0) and (1, 1)
/// assert_eq!(a.gram().as_slice(), [1.0, 1.0, 1.0, 2.0]);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Factor<T = f64> {
    rows: usize,
    cols: usize,
    data: Vec<T>,
}

impl<T> Factor<T> {
    /// A factor over existing entries, columns one after the other.
    ///
    /// # Errors
    /// `Shape` when the length is not `rows * cols`.
    pub fn new(rows: usize, cols: usize, data: Vec<T>) -> Result<Self, Error> {
        if rows.checked_mul(cols) != Some(data.len()) {
            let expected = format!("{rows} x {cols} entries");
            let found = data.len().to_string();
            return Err(Error::shape("Factor::new", expected, found));
        }
        Ok(Self { rows, cols, data })
    }

    /// A factor from a function of `(row, column)`.
    pub fn from_fn(rows: usize, cols: usize, mut f: impl FnMut(usize, usize) -> T) -> Self {
        let mut data = Vec::with_capacity(rows.saturating_mul(cols));
        for r in 0..cols {
            data.extend((0..rows).map(|i| f(i, r)));
        }
        Self { rows, cols, data }
    }

    /// Number of rows: the dimension of the mode.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns: the number of components.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// All entries, columns one after the other.
    pub fn as_slice(&self) -> &[T] {
        &self.data
    }

    /// All entries, for writing.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.data
    }

    /// Column `r`.
    ///
    /// # Panics
    /// If `r` is out of range.
    pub fn column(&self, r: usize) -> &[T] {
        assert!(r < self.cols, "column {r} of {}", self.cols);
        &self.data[self.rows * r..self.rows * (r + 1)]
    }

    /// Column `r`, for writing.
    ///
    /// # Panics
    /// If `r` is out of range.
    pub fn column_mut(&mut self, r: usize) -> &mut [T] {
        assert!(r < self.cols, "column {r} of {}", self.cols);
        &mut self.data[self.rows * r..self.rows * (r + 1)]
    }

    /// The same entries as a matrix, without a copy.
    pub fn as_mat(&self) -> MatRef<'_, T> {
        MatRef::from_column_major_slice(&self.data, self.rows, self.cols)
    }

    /// The columns, one slice each.
    pub fn columns(&self) -> impl Iterator<Item = &[T]> {
        (0..self.cols).map(|r| self.column(r))
    }
}

impl<T: Scalar> Factor<T> {
    /// The zero factor.
    pub fn zeros(rows: usize, cols: usize) -> Self {
        let data = vec![T::zero(); rows * cols];
        Self { rows, cols, data }
    }

    /// `A^H A`, `cols x cols`, column-major.
    pub fn gram(&self) -> Factor<T> {
        let mut gram = Factor::zeros(self.cols, self.cols);
        for s in 0..self.cols {
            for r in 0..=s {
                let x = small::dot(self.column(r), self.column(s));
                gram.data[r + self.cols * s] = x;
                gram.data[s + self.cols * r] = x.conj();
            }
        }
        gram
    }

    /// The complex conjugate; a copy.
    pub fn conj(&self) -> Self {
        let data = self.data.iter().map(|x| x.conj()).collect();
        Self { data, ..*self }
    }

    /// Length of column `r`, free of overflow.
    pub fn column_norm(&self, r: usize) -> f64 {
        let moduli: Vec<f64> = self.column(r).iter().map(|x| x.abs()).collect();
        crate::linalg::norm2(&moduli)
    }

    /// Multiplies column `r` by a real number.
    pub fn scale_column(&mut self, r: usize, s: f64) {
        self.column_mut(r).iter_mut().for_each(|x| *x = x.scale(s));
    }

    /// Divides column `r` by a positive number, however small: the reciprocal of a subnormal one would overflow.
    pub fn divide_column(&mut self, r: usize, s: f64) {
        let (a, b) = crate::linalg::reciprocal(s);
        self.scale_column(r, a);
        if b != 1.0 {
            self.scale_column(r, b);
        }
    }

    /// `a * self`, for `a` of `m x rows`.
    ///
    /// # Panics
    /// If the shapes do not go together.
    pub fn left_mul(&self, a: MatRef<'_, T>) -> Self {
        let mut out = Self::zeros(a.nrows(), self.cols);
        let dst = faer::MatMut::from_column_major_slice_mut(&mut out.data, a.nrows(), self.cols);
        T::gemm(dst, false, a, self.as_mat(), 1.0);
        out
    }
}
