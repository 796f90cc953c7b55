//! Runs of cores multiplied out, and cores in the layouts that matrix products want. Everything here is a
//! plain loop or one product into fresh memory: a sweep over a small tensor is bound by such moves.

use crate::tensor::{Scalar, Tensor};
use faer::{Mat, MatMut, MatRef};

/// A run of cores as one of shape `left x size x right`, entry `(a, p, b)` at `a + left (p + size b)`.
#[derive(Clone, Debug)]
pub(super) struct Chain<T> {
    pub(super) left: usize,
    pub(super) size: usize,
    pub(super) right: usize,
    pub(super) data: Vec<T>,
}

/// `a b` as entries, column after column.
pub(super) fn multiplied<T: Scalar>(a: MatRef<'_, T>, b: MatRef<'_, T>) -> Vec<T> {
    let mut out = vec![T::zero(); a.nrows() * b.ncols()];
    let dst = MatMut::from_column_major_slice_mut(&mut out, a.nrows(), b.ncols());
    T::product_into(dst, false, a, b);
    out
}

impl<T: Scalar> Chain<T> {
    pub(super) fn identity(rank: usize) -> Self {
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

    pub(super) fn of_core(core: &Tensor<T>) -> Self {
        let d = core.dims();
        Self {
            left: d[0],
            size: d[1],
            right: d[2],
            data: core.as_slice().to_vec(),
        }
    }

    /// Cores `first .. first + count`, cyclically.
    pub(super) fn of(cores: &[Tensor<T>], first: usize, count: usize) -> Self {
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
    pub(super) fn then(&self, next: &Self) -> Self {
        let a = MatRef::from_column_major_slice(&self.data, self.left * self.size, self.right);
        let b = MatRef::from_column_major_slice(&next.data, next.left, next.size * next.right);
        Self {
            left: self.left,
            size: self.size * next.size,
            right: next.right,
            data: multiplied(a, b),
        }
    }

    /// The conjugate with the bonds as columns: `size x (left, right)`, left fastest.
    pub(super) fn bonds_last(&self, conjugate: bool) -> Mat<T> {
        let (a, p) = (self.left, self.size);
        let mut out = Mat::zeros(p, a * self.right);
        for (d, slab) in self.data.chunks_exact(a * p).enumerate() {
            for c in 0..a {
                let column = out.col_mut(c + a * d);
                let values = slab[c..].iter().step_by(a);
                for (x, &y) in column.iter_mut().zip(values) {
                    *x = if conjugate { y.conjugate() } else { y };
                }
            }
        }
        out
    }
}

/// A core as rows `(c, d)`, `c` fastest, and columns `i`.
pub(super) fn slices<T: Scalar>(data: &[T], [c, n, d]: [usize; 3]) -> Mat<T> {
    let mut out = Mat::zeros(c * d, n);
    for i in 0..n {
        let column = out.col_mut(i);
        for (row, x) in column.iter_mut().enumerate() {
            *x = data[row % c + c * (i + n * (row / c))];
        }
    }
    out
}

/// The inverse of [`slices`].
pub(super) fn unsliced<T: Scalar>(rows: &Mat<T>, [c, n, d]: [usize; 3]) -> Vec<T> {
    let mut data = vec![T::zero(); c * n * d];
    for i in 0..n {
        for (row, &x) in rows.col(i).iter().enumerate() {
            data[row % c + c * (i + n * (row / c))] = x;
        }
    }
    data
}

/// `E[(c, c'), (d, d')] = sum_i conj(X[c, i, d]) Y[c', i, d']`, unprimed fastest, for cores of one shape.
pub(super) fn transfer<T: Scalar>(x: &Chain<T>, y: &Chain<T>) -> Mat<T> {
    let (bx, by) = (x.bonds_last(false), y.bonds_last(false));
    let e = T::adjoint_product(bx.as_ref(), by.as_ref());
    let (c, d, c2) = (x.left, x.right, y.left);
    let mut out = Mat::zeros(c * c2, d * y.right);
    for col in 0..d * y.right {
        let (d1, d2) = (col % d, col / d);
        let column = out.col_mut(col);
        for (row, z) in column.iter_mut().enumerate() {
            *z = e[(row % c + c * d1, row / c + c2 * d2)];
        }
    }
    out
}

/// From the transfer matrix `w` of all other cores, `(d, d') -> (c, c')`, to the matrix that takes core
/// `(c', d')` to its part of the gradient `(c, d)`.
pub(super) fn around<T: Scalar>(w: Option<&Mat<T>>, c: usize, d: usize) -> Mat<T> {
    let mut out = Mat::zeros(c * d, c * d);
    for j in 0..c * d {
        let (c2, d2) = (j % c, j / c);
        let column = out.col_mut(j);
        for (i, x) in column.iter_mut().enumerate() {
            let (c1, d1) = (i % c, i / c);
            *x = match w {
                Some(w) => w[(d1 + d * d2, c1 + c * c2)],
                None if c1 == d1 && c2 == d2 => T::one(),
                None => T::zero(),
            };
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
            data,
        };
        let last = chain.bonds_last(false);
        assert_eq!(last[(2, 1 + 2 * 3)], chain.data[1 + 2 * (2 + 3 * 3)]);
        let same = Chain::identity(2).then(&chain);
        assert_eq!(same.data, chain.data);
    }
}
