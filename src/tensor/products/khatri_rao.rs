//! Khatri-Rao and Kronecker products.

use crate::Error;
use crate::tensor::factor::Factor;
use std::ops::MulAssign;

/// The columnwise Kronecker product `K[(i_0, .., i_k), r] = A_0[i_0, r] * .. * A_k[i_k, r]`, first index fastest.
///
/// The row order is that of [`crate::tensor::dense::TensorView::as_matrix`]: for a CP model with factors `A_m`,
/// `T.as_matrix(s) = khatri_rao(A_0..A_s) diag(w) khatri_rao(A_s..)'`.
///
/// # Shapes
/// Factors `n_m x r`; the result is `(n_0 * .. * n_k) x r`. No factors give the row of ones `1 x 0`.
///
/// # Errors
/// `Shape` when the numbers of columns differ, `Overflow` when the result is too large to address.
///
/// # Complexity
/// `O(n_0 * .. * n_k * r)` time and memory.
pub fn khatri_rao<T>(factors: &[&Factor<T>]) -> Result<Factor<T>, Error>
where
    T: Clone + for<'a> MulAssign<&'a T>,
{
    let op = "khatri_rao";
    let Some((first, rest)) = factors.split_first() else {
        return Factor::new(1, 0, Vec::new());
    };
    let cols = first.cols();
    if let Some(bad) = rest.iter().find(|f| f.cols() != cols) {
        let expected = format!("{cols} columns");
        return Err(Error::shape(op, expected, bad.cols().to_string()));
    }
    let what = "number of rows";
    let rows = factors
        .iter()
        .try_fold(1usize, |n, f| n.checked_mul(f.rows()))
        .filter(|&n| {
            n.checked_mul(cols.max(1))
                .is_some_and(|t| t <= isize::MAX as usize / 16)
        })
        .ok_or(Error::Overflow { op, what })?;
    let mut data = Vec::with_capacity(rows * cols);
    for r in 0..cols {
        let start = data.len();
        data.extend_from_slice(first.column(r));
        for f in rest {
            extend_kronecker(&mut data, start, f.column(r));
        }
    }
    Factor::new(rows, cols, data)
}

/// Replaces `data[start..]` by its Kronecker product with `x`, the old part fastest.
fn extend_kronecker<T>(data: &mut Vec<T>, start: usize, x: &[T])
where
    T: Clone + for<'a> MulAssign<&'a T>,
{
    let len = data.len() - start;
    let Some((head, tail)) = x.split_first() else {
        data.truncate(start);
        return;
    };
    for t in tail {
        let end = data.len();
        data.extend_from_within(start..start + len);
        data[end..].iter_mut().for_each(|v| *v *= t);
    }
    for v in &mut data[start..start + len] {
        *v *= head;
    }
}

/// The Kronecker product `K[(i, k), (j, l)] = A[i, j] * B[k, l]`, with `i` and `j` fastest.
///
/// # Shapes
/// `(rows_a * rows_b) x (cols_a * cols_b)`.
///
/// # Errors
/// `Overflow` when the result is too large to address.
pub fn kronecker<T>(a: &Factor<T>, b: &Factor<T>) -> Result<Factor<T>, Error>
where
    T: Clone + for<'a> MulAssign<&'a T>,
{
    let op = "kronecker";
    let what = "number of entries";
    let rows = a.rows().checked_mul(b.rows());
    let cols = a.cols().checked_mul(b.cols());
    let (Some(rows), Some(cols)) = (rows, cols) else {
        return Err(Error::Overflow { op, what });
    };
    let total = rows.checked_mul(cols);
    if total.is_none_or(|t| t > isize::MAX as usize / 16) {
        return Err(Error::Overflow { op, what });
    }
    Ok(Factor::from_fn(rows, cols, |i, j| {
        let (ai, bi) = (i % a.rows(), i / a.rows());
        let (aj, bj) = (j % a.cols(), j / a.cols());
        let mut product = a.column(aj)[ai].clone();
        product *= &b.column(bj)[bi];
        product
    }))
}
