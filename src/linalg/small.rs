//! Plain loops over small column-major matrices, for the places where calling a backend costs more than
//! the work itself. Nothing here allocates more than its result.

use super::scalar::Scalar;
use faer::MatMut;

/// Replaces the lower triangle of the Hermitian `a` (`n x n`, column-major) by its Cholesky factor;
/// false when a pivot is not positive relative to its diagonal entry.
pub fn cholesky<T: Scalar>(a: &mut [T], n: usize) -> bool {
    for j in 0..n {
        let original = a[j + n * j].re();
        for k in 0..j {
            let f = a[j + n * k].conj();
            let (left, right) = a.split_at_mut(n * j);
            let source = &left[n * k + j..n * (k + 1)];
            for (x, &y) in right[j..n].iter_mut().zip(source) {
                *x -= y * f;
            }
        }
        let pivot = a[j + n * j].re();
        // Below this the pivot is rounding noise of the diagonal entry.
        if !(pivot > 8.0 * f64::EPSILON * original.abs()) {
            return false;
        }
        let root = pivot.sqrt();
        a[n * j + j..n * (j + 1)]
            .iter_mut()
            .for_each(|x| *x = x.scale(1.0 / root));
    }
    true
}

/// `x <- x (L L^H)^{-1}` for `x` of `rows x n`, `L` from [`cholesky`].
pub fn solve_right<T: Scalar>(l: &[T], n: usize, x: &mut [T], rows: usize) {
    if rows == 0 {
        return;
    }
    // y L^H = x: y_j = (x_j - sum_{k<j} y_k conj(L_jk)) / L_jj
    for j in 0..n {
        let (left, right) = x.split_at_mut(rows * j);
        let target = &mut right[..rows];
        for (k, source) in left.chunks_exact(rows).enumerate() {
            let f = l[j + n * k].conj();
            axpy(target, -f, source);
        }
        let d = 1.0 / l[j + n * j].re();
        target.iter_mut().for_each(|v| *v = v.scale(d));
    }
    // z L = y, from the last column.
    for j in (0..n).rev() {
        let (left, right) = x.split_at_mut(rows * (j + 1));
        let target = &mut left[rows * j..];
        for (k, source) in right.chunks_exact(rows).enumerate() {
            let f = l[j + 1 + k + n * j];
            axpy(target, -f, source);
        }
        let d = 1.0 / l[j + n * j].re();
        target.iter_mut().for_each(|v| *v = v.scale(d));
    }
}

/// `y += a x`.
#[inline]
pub fn axpy<T: Scalar>(y: &mut [T], a: T, x: &[T]) {
    T::axpy(y, a, x);
}

/// `sum conj(x_i) y_i`.
#[inline]
pub fn dot<T: Scalar>(x: &[T], y: &[T]) -> T {
    T::dot(x, y)
}

/// Sum of squared moduli.
pub fn norm_sq<T: Scalar>(x: &[T]) -> f64 {
    dot(x, x).re()
}

/// Divides every nonzero column by its length.
pub fn unit_columns<T: Scalar>(mut m: MatMut<'_, T>) {
    for j in 0..m.ncols() {
        let length = (0..m.nrows())
            .map(|i| m[(i, j)].abs_sq())
            .sum::<f64>()
            .sqrt();
        if length > 0.0 {
            (0..m.nrows()).for_each(|i| m[(i, j)] = m[(i, j)].scale(1.0 / length));
        }
    }
}

/// Orthonormal columns spanning those of `x` (`rows` long each), dependent ones dropped.
///
/// Gram-Schmidt applied twice; a column of which less than `cut` of its length remains is dependent.
pub fn orthonormal<T: Scalar>(x: &[T], rows: usize, cut: f64) -> Vec<T> {
    let mut basis: Vec<T> = Vec::new();
    if rows == 0 {
        return basis;
    }
    for column in x.chunks_exact(rows) {
        let length = norm_sq(column).sqrt();
        if !(length > 0.0) || basis.len() == rows * rows {
            continue;
        }
        let mut v: Vec<T> = column.iter().map(|c| c.scale(1.0 / length)).collect();
        for _ in 0..2 {
            for q in basis.chunks_exact(rows) {
                let f = dot(q, &v);
                axpy(&mut v, -f, q);
            }
        }
        let left = norm_sq(&v).sqrt();
        if left > cut {
            basis.extend(v.iter().map(|c| c.scale(1.0 / left)));
        }
    }
    // A column that kept little of its length was normalised after losing digits: once more.
    let done = basis.clone();
    for (j, v) in basis.chunks_exact_mut(rows).enumerate() {
        for q in done.chunks_exact(rows).take(j) {
            let f = dot(q, v);
            axpy(v, -f, q);
        }
        let left = norm_sq(v).sqrt();
        v.iter_mut().for_each(|c| *c = c.scale(1.0 / left));
    }
    basis
}

/// `|a - b|^2`.
pub fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum()
}
