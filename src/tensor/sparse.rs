//! Sparse tensors in coordinate form.

use super::cp::model::CpTensor;
use super::dense::{Tensor, TensorView};
use super::factor::Factor;
use super::products::mttkrp::check_factors;
use crate::Error;
use crate::linalg::{Scalar, norm2};
use crate::poly::Ring;

/// A sparse tensor: distinct multi-indices with their values, sorted with the last index slowest.
///
/// Invariant: every index lies inside `dims`, no index occurs twice, and the order is strictly increasing.
#[derive(Clone, Debug, PartialEq)]
pub struct SparseTensor<T = f64> {
    dims: Vec<usize>,
    /// `order` entries for each value.
    indices: Vec<usize>,
    values: Vec<T>,
}

impl<T: Clone> SparseTensor<T> {
    /// A tensor from coordinates; values at equal indices are added by `add`.
    ///
    /// # Errors
    /// `Shape` when the lengths do not go together, `InvalidInput` when an index is out of range.
    ///
    /// # Complexity
    /// `O(nnz log nnz * order)`.
    pub fn from_entries(
        dims: &[usize],
        entries: Vec<(Vec<usize>, T)>,
        add: impl FnMut(&T, &T) -> T,
    ) -> Result<Self, Error> {
        let mut indices = Vec::with_capacity(entries.len() * dims.len());
        let mut values = Vec::with_capacity(entries.len());
        for (index, value) in entries {
            if index.len() != dims.len() {
                let requirement = format!("indices inside {dims:?}, got {index:?}");
                return Err(Error::invalid("SparseTensor::from_entries", requirement));
            }
            indices.extend(index);
            values.push(value);
        }
        Self::from_coordinates(dims, &indices, values, add)
    }

    /// A tensor from flat coordinates: `indices` holds the index of each value, one after the other; values at equal indices
    /// are added by `add`, in the order in which they come.
    ///
    /// # Errors
    /// `Shape` when the lengths do not go together, `InvalidInput` when an index is out of range.
    ///
    /// # Complexity
    /// `O(nnz * order + sum(n_m))`, by counting; `O(nnz log nnz * order)` where a mode is much longer than the list.
    ///
    /// # Example
    /// ```
    /// use wickring::tensor::SparseTensor;
    /// let t = SparseTensor::from_coordinates(&[2, 3], &[1, 2, 0, 0, 1, 2], vec![1.0, 5.0, 2.0], |a, b| a + b)?;
    /// assert_eq!((t.nnz(), t.values()), (2, &[5.0, 3.0][..]));
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn from_coordinates(
        dims: &[usize],
        indices: &[usize],
        values: Vec<T>,
        mut add: impl FnMut(&T, &T) -> T,
    ) -> Result<Self, Error> {
        let (op, order) = ("SparseTensor::from_coordinates", dims.len());
        if Some(indices.len()) != values.len().checked_mul(order) {
            let expected = format!("{order} indices for each of {} values", values.len());
            return Err(Error::shape(op, expected, indices.len().to_string()));
        }
        let index_of = |k: usize| &indices[k * order..(k + 1) * order];
        let outside = |k: &usize| index_of(*k).iter().zip(dims).any(|(i, n)| i >= n);
        if let Some(k) = (0..values.len()).find(outside) {
            let requirement = format!("indices inside {dims:?}, got {:?}", index_of(k));
            return Err(Error::invalid(op, requirement));
        }
        let mut sorted: Vec<usize> = (0..values.len()).collect();
        let is_sorted =
            (1..values.len()).all(|k| index_of(k - 1).iter().rev().lt(index_of(k).iter().rev()));
        if dims.iter().any(|&n| n / 8 > values.len() + 1024) {
            sorted.sort_by(|&a, &b| index_of(a).iter().rev().cmp(index_of(b).iter().rev()));
        } else if !is_sorted {
            for (mode, &n) in dims.iter().enumerate() {
                sorted = counted(&sorted, n, |k| indices[k * order + mode]);
            }
        }
        let mut out = Self {
            dims: dims.to_vec(),
            indices: Vec::with_capacity(indices.len()),
            values: Vec::with_capacity(values.len()),
        };
        let mut last = None;
        for k in sorted {
            let index = index_of(k);
            match out.values.last_mut() {
                Some(sum) if last == Some(index) => *sum = add(sum, &values[k]),
                _ => {
                    out.indices.extend_from_slice(index);
                    out.values.push(values[k].clone());
                }
            }
            last = Some(index);
        }
        Ok(out)
    }

    /// The shape.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// Number of modes.
    pub fn order(&self) -> usize {
        self.dims.len()
    }

    /// Number of stored entries.
    pub fn nnz(&self) -> usize {
        self.values.len()
    }

    /// The stored entries with their indices.
    pub fn entries(&self) -> impl Iterator<Item = (&[usize], &T)> {
        self.indices
            .chunks_exact(self.dims.len().max(1))
            .zip(&self.values)
    }

    /// The stored values, in the order of [`SparseTensor::entries`].
    pub fn values(&self) -> &[T] {
        &self.values
    }
}

impl<T: Ring> SparseTensor<T> {
    /// The entries of a dense tensor that are not zero.
    pub fn from_dense(t: TensorView<'_, T>) -> Self {
        let dims = t.dims().to_vec();
        let (mut indices, mut values) = (Vec::new(), Vec::new());
        let mut index = vec![0; dims.len()];
        for x in t.as_slice() {
            if !x.is_zero() {
                indices.extend_from_slice(&index);
                values.push(x.clone());
            }
            for (i, &n) in index.iter_mut().zip(&dims) {
                *i += 1;
                if *i < n {
                    break;
                }
                *i = 0;
            }
        }
        Self {
            dims,
            indices,
            values,
        }
    }

    /// The dense tensor.
    ///
    /// # Errors
    /// `LimitExceeded` when it has more than `limit` entries.
    pub fn to_dense(&self, limit: usize) -> Result<Tensor<T>, Error> {
        let op = "SparseTensor::to_dense";
        let total = self.dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
        let total = total.filter(|&n| n <= limit);
        let total = total.ok_or(Error::limit(op, "entries", limit as u64))?;
        let mut data = vec![T::zero(); total];
        for (index, x) in self.entries() {
            let flat = index
                .iter()
                .zip(&self.dims)
                .rev()
                .fold(0, |f, (&i, &n)| f * n + i);
            data[flat] = x.clone();
        }
        Tensor::from_vec(&self.dims, data)
    }

    /// `sum T[i] * S[i]` with a CP model, touching only stored entries.
    ///
    /// # Errors
    /// `Shape` when the shapes differ.
    ///
    /// # Complexity
    /// `O(nnz * order * rank)`.
    pub fn bilinear(&self, model: &CpTensor<T>) -> Result<T, Error> {
        check_factors("SparseTensor::bilinear", &self.dims, model.factors())?;
        let mut sum = T::zero();
        for (index, x) in self.entries() {
            if let Some(mut y) = model.entry(index) {
                y *= x;
                sum += &y;
            }
        }
        Ok(sum)
    }
}

impl<T: Scalar> SparseTensor<T> {
    /// The matricised tensor times Khatri-Rao product of one mode, over stored entries only:
    /// `M[i_mode, r] = sum T[i] prod_{k != mode} A_k[i_k, r]`.
    ///
    /// # Shapes
    /// Factor `k` is `n_k x r`; the result is `n_mode x r`.
    ///
    /// # Errors
    /// `Shape` when the factors do not fit, `InvalidInput` when there is no such mode.
    ///
    /// # Complexity
    /// `O(nnz * order * rank)` time, nothing of the size of the dense tensor.
    pub fn mttkrp(&self, factors: &[Factor<T>], mode: usize) -> Result<Factor<T>, Error> {
        let op = "SparseTensor::mttkrp";
        let rank = check_factors(op, &self.dims, factors)?;
        if mode >= self.order() {
            return Err(Error::invalid(
                op,
                format!("mode {mode} of {}", self.order()),
            ));
        }
        // Rows are gathered, so the factors are read transposed: one contiguous run per index.
        let rows: Vec<Vec<T>> = factors.iter().map(by_rows).collect();
        let mut out = vec![T::zero(); self.dims[mode] * rank];
        let mut product = vec![T::zero(); rank];
        for (index, &x) in self.entries() {
            product.fill(x);
            for (k, (row, &i)) in rows.iter().zip(index).enumerate() {
                if k != mode {
                    let row = &row[i * rank..(i + 1) * rank];
                    product.iter_mut().zip(row).for_each(|(p, &a)| *p *= a);
                }
            }
            let target = &mut out[index[mode] * rank..(index[mode] + 1) * rank];
            target.iter_mut().zip(&product).for_each(|(y, &p)| *y += p);
        }
        Ok(Factor::from_fn(self.dims[mode], rank, |i, r| {
            out[i * rank + r]
        }))
    }

    /// Frobenius norm, free of overflow and underflow.
    pub fn norm(&self) -> f64 {
        norm2(&Vec::from_iter(self.values.iter().map(|x| x.abs())))
    }
}

/// Entries row by row.
pub(crate) fn by_rows<T: Scalar>(f: &Factor<T>) -> Vec<T> {
    let mut out = Vec::with_capacity(f.as_slice().len());
    for i in 0..f.rows() {
        out.extend(f.columns().map(|c| c[i]));
    }
    out
}

/// A list sorted by `key`, which is below `n`; equal keys stay in order.
fn counted(list: &[usize], n: usize, key: impl Fn(usize) -> usize) -> Vec<usize> {
    let mut next = vec![0usize; n + 1];
    list.iter().for_each(|&k| next[key(k) + 1] += 1);
    for i in 1..=n {
        next[i] += next[i - 1];
    }
    let mut out = vec![0; list.len()];
    for &k in list {
        let at = &mut next[key(k)];
        out[*at] = k;
        *at += 1;
    }
    out
}
