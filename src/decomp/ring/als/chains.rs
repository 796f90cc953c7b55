//! Runs of cores multiplied out, and cores in the layouts that matrix products want. Everything here is a
//! plain loop or one product into fresh memory: a sweep over a small tensor is bound by such moves.

use crate::tensor::{Scalar, Tensor};
use faer::{Mat, MatMut, MatRef};

/// A run of cores as one of shape `left x size x right`, entry `(a, p, b)` at `a + left (p + size b)`.
#[derive(Clone, Debug)]
pub(in crate::decomp::ring) struct Chain<T> {
    pub(in crate::decomp::ring) left: usize,
    pub(in crate::decomp::ring) size: usize,
    pub(in crate::decomp::ring) right: usize,
    pub(in crate::decomp::ring) data: Vec<T>,
}

/// `a b` as entries, column after column.
pub(in crate::decomp::ring) fn multiplied<T: Scalar>(a: MatRef<'_, T>, b: MatRef<'_, T>) -> Vec<T> {
    let mut out = vec![T::zero(); a.nrows() * b.ncols()];
    let dst = MatMut::from_column_major_slice_mut(&mut out, a.nrows(), b.ncols());
    T::product_into(dst, false, a, b);
    out
}

impl<T: Scalar> Chain<T> {
    pub(in crate::decomp::ring) fn identity(rank: usize) -> Self {
        let mut data = vec![T::zero(); rank * rank];
        data.iter_mut()
            .step_by(rank + 1)
            .for_each(|x| *x = T::one());
        Self {
            left: rank,
            size: 1,
            right: rank,
            data,
        }
    }

    pub(in crate::decomp::ring) fn of_core(core: &Tensor<T>) -> Self {
        let d = core.dims();
        Self {
            left: d[0],
            size: d[1],
            right: d[2],
            data: core.as_slice().to_vec(),
        }
    }

    /// Cores `first .. first + count`, cyclically.
    pub(in crate::decomp::ring) fn of(cores: &[Tensor<T>], first: usize, count: usize) -> Self {
        let m = cores.len();
        if count == 0 {
            return Self::identity(cores[first % m].dims()[0]);
        }
        let mut walk = Self::of_core(&cores[first % m]);
        for k in first + 1..first + count {
            walk = walk.then(&Self::of_core(&cores[k % m]));
        }
        walk
    }

    /// The chain followed by another.
    pub(in crate::decomp::ring) fn then(&self, next: &Self) -> Self {
        let a = MatRef::from_column_major_slice(&self.data, self.left * self.size, self.right);
        let b = MatRef::from_column_major_slice(&next.data, next.left, next.size * next.right);
        Self {
            left: self.left,
            size: self.size * next.size,
            right: next.right,
            data: multiplied(a, b),
        }
    }
}

/// A run of cores with its bonds behind the modes and the left one slowest: entry `(a, p, b)` at
/// `p + size (b + right a)`. Such a run grows to the right by one product for each `a`, straight into its
/// place, and its slices at fixed `a` are matrices without a copy.
///
/// The two buffers are kept between sweeps: fresh megabytes would cost more in page faults than the products.
#[derive(Clone, Debug)]
pub(in crate::decomp::ring) struct Strip<T> {
    pub(in crate::decomp::ring) left: usize,
    pub(in crate::decomp::ring) size: usize,
    pub(in crate::decomp::ring) right: usize,
    pub(in crate::decomp::ring) data: Vec<T>,
    spare: Vec<T>,
}

impl<T: Scalar> Strip<T> {
    pub(in crate::decomp::ring) fn empty() -> Self {
        Self {
            left: 0,
            size: 0,
            right: 0,
            data: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// Becomes the conjugate of cores `first .. first + count`, cyclically.
    pub(in crate::decomp::ring) fn set(&mut self, cores: &[Tensor<T>], first: usize, count: usize) {
        let m = cores.len();
        if count == 0 {
            let one = Chain::<T>::identity(cores[first % m].dims()[0]);
            (self.left, self.size, self.right) = (one.left, 1, one.right);
            self.data = one.data;
            return;
        }
        let core = &cores[first % m];
        (self.left, self.size, self.right) = (core.dims()[0], core.dims()[1], core.dims()[2]);
        self.data.clear();
        let (l, n) = (self.left, self.size);
        for a in 0..l {
            let slice = core.as_slice()[a..].iter().step_by(l);
            self.data.extend(slice.map(|x| x.conjugate()));
        }
        debug_assert_eq!(self.data.len(), l * n * self.right);
        for k in first + 1..first + count {
            self.then(&cores[k % m]);
        }
    }

    /// Becomes the run followed by the conjugate of a core.
    fn then(&mut self, core: &Tensor<T>) {
        let (n, right) = (core.dims()[1], core.dims()[2]);
        let next: Vec<T> = core.as_slice().iter().map(|x| x.conjugate()).collect();
        let next = MatRef::from_column_major_slice(&next, self.right, n * right);
        let (old, new) = (self.size * self.right, self.size * n * right);
        self.spare.resize(self.left * new, T::zero());
        let slices = self.data.chunks_exact(old);
        for (slice, out) in slices.zip(self.spare.chunks_exact_mut(new)) {
            let slice = MatRef::from_column_major_slice(slice, self.size, self.right);
            let dst = MatMut::from_column_major_slice_mut(out, self.size, n * right);
            T::product_into(dst, false, slice, next);
        }
        std::mem::swap(&mut self.data, &mut self.spare);
        (self.size, self.right) = (self.size * n, right);
    }

    /// The modes at a fixed left bond, `size x right`.
    pub(in crate::decomp::ring) fn slice(&self, a: usize) -> MatRef<'_, T> {
        let length = self.size * self.right;
        let slice = &self.data[a * length..(a + 1) * length];
        MatRef::from_column_major_slice(slice, self.size, self.right)
    }

    /// Moves columns in the order `(b, a)`, `b` fastest, to `(a, b)`, `a` fastest; each has `rows` entries.
    pub(in crate::decomp::ring) fn turn(
        data: &mut Vec<T>,
        spare: &mut Vec<T>,
        rows: usize,
        b: usize,
    ) {
        let a = data.len() / (rows * b).max(1);
        if a <= 1 || b <= 1 {
            return;
        }
        spare.clear();
        for j in 0..b {
            for i in 0..a {
                let from = rows * (j + b * i);
                spare.extend_from_slice(&data[from..from + rows]);
            }
        }
        std::mem::swap(data, spare);
    }

    /// The run with columns in the order `(a, b)`.
    pub(in crate::decomp::ring) fn turned(&mut self) {
        Self::turn(&mut self.data, &mut self.spare, self.size, self.right);
    }
}

/// A core as rows `(c, d)`, `c` fastest, and columns `i`.
pub(in crate::decomp::ring) fn slices<T: Scalar>(data: &[T], [c, n, d]: [usize; 3]) -> Mat<T> {
    let mut out = Mat::zeros(c * d, n);
    for i in 0..n {
        let column = out.col_mut(i).try_as_col_major_mut();
        let Some(column) = column.map(|x| x.as_slice_mut()) else {
            continue;
        };
        for (right, part) in column.chunks_exact_mut(c).enumerate() {
            part.copy_from_slice(&data[c * (i + n * right)..][..c]);
        }
    }
    debug_assert_eq!(data.len(), c * n * d);
    out
}

/// The inverse of [`slices`].
pub(in crate::decomp::ring) fn unsliced<T: Scalar>(rows: &Mat<T>, [c, n, d]: [usize; 3]) -> Vec<T> {
    let mut data = vec![T::zero(); c * n * d];
    for i in 0..n {
        let Some(column) = rows.col(i).try_as_col_major() else {
            continue;
        };
        for (right, part) in column.as_slice().chunks_exact(c).enumerate() {
            data[c * (i + n * right)..][..c].copy_from_slice(part);
        }
    }
    data
}

/// `E[(c, c'), (d, d')] = sum_i conj(X[c, i, d]) Y[c', i, d']`, unprimed fastest, for cores as [`slices`]
/// whose bonds on the left are `c` and `c'`.
pub(in crate::decomp::ring) fn transfer<T: Scalar>(
    x: &Mat<T>,
    y: &Mat<T>,
    c: usize,
    c2: usize,
) -> Mat<T> {
    // Rows (c', d'), columns (c, d).
    let e = T::product(y.as_ref(), x.adjoint().to_owned().as_ref());
    let (d, d2) = (x.nrows() / c, y.nrows() / c2);
    let mut out = Mat::zeros(c * c2, d * d2);
    for right2 in 0..d2 {
        for right in 0..d {
            for left2 in 0..c2 {
                for left in 0..c {
                    out[(left + c * left2, right + d * right2)] =
                        e[(left2 + c2 * right2, left + c * right)];
                }
            }
        }
    }
    out
}

/// From the transfer matrix `w` of all other cores, `(d, d') -> (c, c')`, to the matrix that takes core
/// `(c', d')` to its part of the gradient `(c, d)`.
pub(in crate::decomp::ring) fn around<T: Scalar>(w: Option<&Mat<T>>, c: usize, d: usize) -> Mat<T> {
    let Some(w) = w else {
        return Mat::identity(c * d, c * d);
    };
    let mut out = Mat::zeros(c * d, c * d);
    for d2 in 0..d {
        for c2 in 0..c {
            for d1 in 0..d {
                for c1 in 0..c {
                    out[(c1 + c * d1, c2 + c * d2)] = w[(d1 + d * d2, c1 + c * c2)];
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_inverse_to_each_other() {
        let data: Vec<f64> = (0..24).map(f64::from).collect();
        let shape = [2, 3, 4];
        assert_eq!(unsliced(&slices(&data, shape), shape), data);
        let (left, size, right) = (2, 3, 4);
        let chain = Chain {
            left,
            size,
            right,
            data: data.clone(),
        };
        let same = Chain::identity(2).then(&chain);
        assert_eq!(same.data, chain.data);
        // A strip of two cores against the chain of the same two, entry by entry.
        let next: Vec<f64> = (0..40).map(|x| f64::from(x % 7)).collect();
        let cores = [
            Tensor::from_vec(&shape, data).unwrap(),
            Tensor::from_vec(&[4, 5, 2], next).unwrap(),
        ];
        let (mut strip, chain) = (Strip::empty(), Chain::of(&cores, 0, 2));
        strip.set(&cores, 0, 2);
        let entry = |a: usize, p: usize, b: usize| chain.data[a + 2 * (p + 15 * b)];
        assert_eq!(strip.slice(1)[(7, 1)], entry(1, 7, 1));
        strip.turned();
        assert_eq!(strip.data[7 + 15], entry(1, 7, 0));
    }
}
