//! Dense tensors of any order.

use crate::Error;
use faer::MatRef;

/// An owned dense tensor; entry `(i_0, .., i_{m-1})` is stored at `i_0 + n_0*(i_1 + n_1*(i_2 + ..))`.
///
/// Invariant: the number of entries is the product of the dimensions.
///
/// # Example
/// ```
/// use wickring::tensor::Tensor;
/// let t = Tensor::from_fn(&[2, 3], |i| (10 * i[0] + i[1]) as f64)?;
/// assert_eq!(t.as_slice(), [0.0, 10.0, 1.0, 11.0, 2.0, 12.0]);
/// assert_eq!(t.view().get(&[1, 2]), Some(&12.0));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor<T = f64> {
    dims: Vec<usize>,
    data: Vec<T>,
}

/// A borrowed dense tensor, in the layout of [`Tensor`].
///
/// # Example
/// ```
/// use wickring::tensor::TensorView;
/// let data = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
/// let t = TensorView::new(&[2, 3], &data)?; // nothing is copied
/// assert_eq!(t.as_matrix(1)[(1, 2)], 6.0);
/// assert_eq!(t.last_slice(1).as_slice(), [3.0, 4.0]);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Debug, PartialEq)]
pub struct TensorView<'a, T = f64> {
    dims: &'a [usize],
    data: &'a [T],
}

// By hand, because a derive would ask for `T: Copy`.
impl<T> Clone for TensorView<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for TensorView<'_, T> {}

/// The number of entries of a shape, refused when it does not fit the address space. A mode without indices hides no
/// others: strides and unfoldings multiply what is left of them.
fn volume(op: &'static str, dims: &[usize]) -> Result<usize, Error> {
    let what = "number of entries";
    let total = dims
        .iter()
        .try_fold(1usize, |n, &d| n.checked_mul(d.max(1)));
    match total.filter(|&n| n <= isize::MAX as usize / 16) {
        Some(_) if dims.contains(&0) => Ok(0),
        Some(total) => Ok(total),
        None => Err(Error::Overflow { op, what }),
    }
}

impl<T> Tensor<T> {
    /// A tensor over existing entries, first index fastest.
    ///
    /// # Errors
    /// `Shape` when the number of entries is not the product of `dims`, `Overflow` when that product is
    /// too large.
    pub fn from_vec(dims: &[usize], data: Vec<T>) -> Result<Self, Error> {
        let op = "Tensor::from_vec";
        let expected = volume(op, dims)?;
        if expected != data.len() {
            let expected = format!("{expected} entries for shape {dims:?}");
            return Err(Error::shape(op, expected, data.len().to_string()));
        }
        let dims = dims.to_vec();
        Ok(Self { dims, data })
    }

    /// The tensor without entries.
    pub(crate) fn empty() -> Self {
        let (dims, data) = (vec![0], Vec::new());
        Self { dims, data }
    }

    /// A tensor from a function of the index.
    ///
    /// # Errors
    /// `Overflow` when the shape has more entries than memory can address.
    pub fn from_fn(dims: &[usize], mut f: impl FnMut(&[usize]) -> T) -> Result<Self, Error> {
        let total = volume("Tensor::from_fn", dims)?;
        let mut index = vec![0; dims.len()];
        let mut data = Vec::with_capacity(total);
        for _ in 0..total {
            data.push(f(&index));
            for (i, &n) in index.iter_mut().zip(dims) {
                *i += 1;
                if *i < n {
                    break;
                }
                *i = 0;
            }
        }
        let dims = dims.to_vec();
        Ok(Self { dims, data })
    }

    /// The shape.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// Number of modes.
    pub fn order(&self) -> usize {
        self.dims.len()
    }

    /// The entries, first index fastest.
    pub fn as_slice(&self) -> &[T] {
        &self.data
    }

    /// The entries, first index fastest, for writing.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.data
    }

    /// The entries, given up.
    pub fn into_vec(self) -> Vec<T> {
        self.data
    }

    /// The view that public functions take.
    pub fn view(&self) -> TensorView<'_, T> {
        TensorView {
            dims: &self.dims,
            data: &self.data,
        }
    }
}

impl<'a, T> TensorView<'a, T> {
    /// A view of borrowed entries, first index fastest.
    ///
    /// # Errors
    /// `Shape` when the number of entries is not the product of `dims`, `Overflow` when that is too large.
    pub fn new(dims: &'a [usize], data: &'a [T]) -> Result<Self, Error> {
        let op = "TensorView::new";
        let expected = volume(op, dims)?;
        if expected != data.len() {
            let expected = format!("{expected} entries for shape {dims:?}");
            return Err(Error::shape(op, expected, data.len().to_string()));
        }
        Ok(Self { dims, data })
    }

    /// The shape.
    pub fn dims(&self) -> &'a [usize] {
        self.dims
    }

    /// Number of modes.
    pub fn order(&self) -> usize {
        self.dims.len()
    }

    /// The entries, first index fastest.
    pub fn as_slice(&self) -> &'a [T] {
        self.data
    }

    /// One entry, or `None` when the index is out of range or of the wrong length.
    pub fn get(&self, index: &[usize]) -> Option<&'a T> {
        if index.len() != self.dims.len() {
            return None;
        }
        let mut flat = 0;
        for (&i, &n) in index.iter().zip(self.dims).rev() {
            if i >= n {
                return None;
            }
            flat = flat * n + i;
        }
        self.data.get(flat)
    }

    /// The matrix whose rows run over the first `split` modes and whose columns run over the rest, without
    /// a copy. `split = 1` is the mode-0 unfolding; the transpose of `split = order - 1` is the last one.
    ///
    /// # Shapes
    /// `(n_0 * .. * n_{split-1}) x (n_split * .. * n_{m-1})`; an empty product is 1.
    ///
    /// # Panics
    /// If `split > order`.
    pub fn as_matrix(&self, split: usize) -> MatRef<'a, T> {
        let rows = self.dims[..split].iter().product();
        let cols = self.dims[split..].iter().product();
        MatRef::from_column_major_slice(self.data, rows, cols)
    }

    /// Slab `k` of the last mode, as a view without a copy: the tensor `T[.., k]` of one order less.
    ///
    /// # Panics
    /// If the order is 0 or `k` is out of range.
    pub fn last_slice(&self, k: usize) -> TensorView<'a, T> {
        let (&n, head) = match self.dims.split_last() {
            Some(parts) => parts,
            None => return *self,
        };
        assert!(k < n, "slice {k} of a mode of {n}");
        let size = self.data.len() / n;
        TensorView {
            dims: head,
            data: &self.data[k * size..(k + 1) * size],
        }
    }
}

impl<'a, T: Clone> TensorView<'a, T> {
    /// The mode-`mode` unfolding, with the columns in the order of Kolda and Bader (lower modes fastest).
    ///
    /// # Shapes
    /// `n_mode x (product of the others)`. A copy is made; for the first and the last mode
    /// [`TensorView::as_matrix`] needs none.
    ///
    /// # Panics
    /// If `mode >= order`.
    pub fn unfold(&self, mode: usize) -> Tensor<T> {
        let n = self.dims[mode];
        let inner: usize = self.dims[..mode].iter().product();
        let outer: usize = self.dims[mode + 1..].iter().product();
        let mut data = Vec::with_capacity(self.data.len());
        for o in 0..outer {
            for i in 0..inner {
                data.extend((0..n).map(|k| self.data[i + inner * (k + n * o)].clone()));
            }
        }
        let dims = vec![n, inner * outer];
        Tensor { dims, data }
    }

    /// An owned copy.
    pub fn to_tensor(&self) -> Tensor<T> {
        Tensor {
            dims: self.dims.to_vec(),
            data: self.data.to_vec(),
        }
    }
}

impl TensorView<'_, f64> {
    /// Frobenius norm, free of overflow and underflow.
    pub fn norm(&self) -> f64 {
        crate::linalg::norm2(self.data)
    }

    /// Refuses NaN and infinity.
    ///
    /// # Errors
    /// `NonFinite` with the first offending flat index.
    pub fn require_finite(&self, op: &'static str) -> Result<(), Error> {
        match self.data.iter().position(|x| !x.is_finite()) {
            Some(index) => Err(Error::NonFinite { op, index }),
            None => Ok(()),
        }
    }
}
