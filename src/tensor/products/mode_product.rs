//! Products along one mode, Gram matrices of unfoldings, permutation of modes.

use crate::Error;
use crate::linalg::Scalar;
use crate::tensor::dense::{Tensor, TensorView};
use faer::{Mat, MatMut, MatRef};

/// The tensor `S[.., k, ..] = sum_i m[k, i] T[.., i, ..]`: every mode-`mode` fibre multiplied by `m`.
///
/// # Shapes
/// `m` is `k x n_mode`; the result has dimension `k` at `mode`.
///
/// # Errors
/// `Shape` when the sizes do not go together, `InvalidInput` when there is no such mode.
///
/// # Complexity
/// `O(N k)` for `N` entries.
pub fn mode_product<T: Scalar>(
    t: TensorView<'_, T>,
    m: MatRef<'_, T>,
    mode: usize,
) -> Result<Tensor<T>, Error> {
    let op = "mode_product";
    let Some(&n) = t.dims().get(mode) else {
        return Err(Error::invalid(op, format!("mode {mode} of {}", t.order())));
    };
    if m.ncols() != n {
        let expected = format!("a matrix of {n} columns");
        return Err(Error::shape(op, expected, m.ncols().to_string()));
    }
    let (inner, outer) = around(t.dims(), mode);
    let k = m.nrows();
    let mut dims = t.dims().to_vec();
    dims[mode] = k;
    let mut data = vec![T::zero(); inner * k * outer];
    if inner == 1 {
        let dst = MatMut::from_column_major_slice_mut(&mut data, k, outer);
        let src = MatRef::from_column_major_slice(t.as_slice(), n, outer);
        T::gemm(dst, false, m, src, 1.0);
    } else if !data.is_empty() && n > 0 {
        let slabs = t.as_slice().chunks_exact(inner * n);
        for (dst, src) in data.chunks_exact_mut(inner * k).zip(slabs) {
            let dst = MatMut::from_column_major_slice_mut(dst, inner, k);
            let src = MatRef::from_column_major_slice(src, inner, n);
            T::gemm(dst, false, src, m.transpose(), 1.0);
        }
    }
    Tensor::from_vec(&dims, data)
}

/// `T_(mode) T_(mode)^H`, the Gram matrix of the rows of an unfolding.
///
/// # Errors
/// `InvalidInput` when there is no such mode.
///
/// # Complexity
/// `O(N n_mode)` for `N` entries.
pub fn unfolding_gram<T: Scalar>(t: TensorView<'_, T>, mode: usize) -> Result<Mat<T>, Error> {
    let op = "unfolding_gram";
    let Some(&n) = t.dims().get(mode) else {
        return Err(Error::invalid(op, format!("mode {mode} of {}", t.order())));
    };
    let (inner, outer) = around(t.dims(), mode);
    let mut gram = Mat::from_fn(n, n, |_, _| T::zero());
    let conj: Vec<T>;
    let other = if T::COMPLEX {
        conj = t.as_slice().iter().map(|x| x.conj()).collect();
        conj.as_slice()
    } else {
        t.as_slice()
    };
    if inner == 1 {
        let a = MatRef::from_column_major_slice(t.as_slice(), n, outer);
        let b = MatRef::from_column_major_slice(other, n, outer);
        T::gemm(gram.as_mut(), false, a, b.transpose(), 1.0);
    } else if n > 0 {
        let size = inner * n;
        let slabs = t
            .as_slice()
            .chunks_exact(size)
            .zip(other.chunks_exact(size));
        for (x, y) in slabs {
            let a = MatRef::from_column_major_slice(x, inner, n);
            let b = MatRef::from_column_major_slice(y, inner, n);
            T::gemm(gram.as_mut(), true, a.transpose(), b, 1.0);
        }
    }
    Ok(gram)
}

/// Products of the dimensions before and after `mode`.
fn around(dims: &[usize], mode: usize) -> (usize, usize) {
    let inner = dims[..mode].iter().product();
    let outer = dims[mode + 1..].iter().product();
    (inner, outer)
}

impl<T: Clone> TensorView<'_, T> {
    /// The tensor with its modes in another order: mode `k` of the result is mode `order[k]` of `self`.
    ///
    /// # Errors
    /// `InvalidInput` when `order` is not a permutation of the modes.
    ///
    /// # Complexity
    /// `O(N)` time and memory; a copy is made also for the identity.
    /// Here `N` is the number of entries.
    pub fn permuted(&self, order: &[usize]) -> Result<Tensor<T>, Error> {
        let mut seen = vec![false; self.order()];
        order.iter().for_each(|&k| {
            if let Some(s) = seen.get_mut(k) {
                *s = true;
            }
        });
        if order.len() != self.order() || seen.contains(&false) {
            let requirement = format!("a permutation of the {} modes, got {order:?}", self.order());
            return Err(Error::invalid("TensorView::permuted", requirement));
        }
        let mut strides = vec![1; self.order()];
        for k in 1..self.order() {
            strides[k] = strides[k - 1] * self.dims()[k - 1];
        }
        let dims: Vec<usize> = order.iter().map(|&k| self.dims()[k]).collect();
        let source: Vec<usize> = order.iter().map(|&k| strides[k]).collect();
        let data = self.as_slice();
        // The flat source index is carried along instead of being recomputed for every entry.
        let mut index = vec![0; dims.len()];
        let mut flat = 0;
        let mut out = Vec::with_capacity(data.len());
        for _ in 0..data.len() {
            out.push(data[flat].clone());
            for (k, i) in index.iter_mut().enumerate() {
                *i += 1;
                flat += source[k];
                if *i < dims[k] {
                    break;
                }
                flat -= source[k] * dims[k];
                *i = 0;
            }
        }
        Tensor::from_vec(&dims, out)
    }

    /// The slice with index `k` at `mode`: a tensor of one order less. A copy; for the last mode
    /// [`TensorView::last_slice`] needs none.
    ///
    /// # Errors
    /// `InvalidInput` when the mode or the index does not exist.
    pub fn slice(&self, mode: usize, k: usize) -> Result<Tensor<T>, Error> {
        match self.dims().get(mode) {
            Some(&n) if k < n => {}
            _ => {
                let requirement = format!("index {k} of mode {mode} in {:?}", self.dims());
                return Err(Error::invalid("TensorView::slice", requirement));
            }
        }
        let (inner, _) = around(self.dims(), mode);
        let n = self.dims()[mode];
        let slabs = self.as_slice().chunks_exact((inner * n).max(1));
        let data = slabs
            .flat_map(|s| s[inner * k..inner * (k + 1)].iter().cloned())
            .collect();
        let mut dims = self.dims().to_vec();
        dims.remove(mode);
        Tensor::from_vec(&dims, data)
    }
}

impl<T: Clone> Tensor<T> {
    /// The tensor of shape `dims` whose mode-`mode` unfolding is `unfolded`: the inverse of
    /// [`TensorView::unfold`].
    ///
    /// # Errors
    /// `Shape` when `unfolded` is not that unfolding, `InvalidInput` when there is no such mode.
    pub fn fold(unfolded: TensorView<'_, T>, dims: &[usize], mode: usize) -> Result<Self, Error> {
        let op = "Tensor::fold";
        if mode >= dims.len() {
            return Err(Error::invalid(op, format!("mode {mode} of {}", dims.len())));
        }
        let mut moved = vec![dims[mode]];
        moved.extend(
            dims.iter()
                .enumerate()
                .filter(|(k, _)| *k != mode)
                .map(|(_, &n)| n),
        );
        let front = TensorView::new(&moved, unfolded.as_slice())?;
        if unfolded.order() != 2 || unfolded.dims()[0] != dims[mode] {
            let expected = format!("{} rows", dims[mode]);
            return Err(Error::shape(op, expected, format!("{:?}", unfolded.dims())));
        }
        let mut order: Vec<usize> = (1..dims.len()).collect();
        order.insert(mode, 0);
        front.permuted(&order)
    }

    /// The same entries in another shape, without a copy.
    ///
    /// # Errors
    /// `Shape` when the number of entries differs.
    pub fn reshaped(self, dims: &[usize]) -> Result<Self, Error> {
        Self::from_vec(dims, self.into_vec())
    }
}
