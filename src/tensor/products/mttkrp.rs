//! The matricised tensor times Khatri-Rao product, for all modes at once.
//!
//! `M_m = T_(m) * khatri_rao(all factors but m)`. Splitting the modes into a left and a right group lets
//! two matrix products serve all modes: `P = T.as_matrix(s) * khatri_rao(right)` holds everything that
//! the left modes need, `Q = T.as_matrix(s)' * khatri_rao(left)` everything for the right ones. What
//! remains are contractions of `P` and `Q`, which are smaller than the tensor by the size of a group over
//! the rank. No Khatri-Rao product larger than a group is ever formed.
//!
//! Source: Phan, Tichavsky, Cichocki 2013 (fast alternating least squares); Kaya and Ucar 2016
//! (dimension trees). We take the tree of depth one below the root and recurse inside the groups.

use super::khatri_rao::khatri_rao;
use crate::Error;
use crate::linalg::{Scalar, small};
use crate::tensor::dense::TensorView;
use crate::tensor::factor::Factor;
use faer::MatMut;
use std::borrow::Cow;

/// Where the modes are split: the first `split` modes form the left group.
///
/// The two Khatri-Rao products are best when they are of like size; of two equal choices the one with the
/// smaller left group is taken, whose product reads the tensor along its rows of contiguous columns.
pub fn best_split(dims: &[usize]) -> usize {
    let log = |d: &[usize]| d.iter().map(|&n| (n.max(1) as f64).ln()).sum::<f64>();
    let mut best = (f64::INFINITY, 1);
    for s in 1..dims.len() {
        let gap = (log(&dims[..s]) - log(&dims[s..])).abs();
        if gap < best.0 - 1e-9 {
            best = (gap, s);
        }
    }
    best.1
}

/// Checks that `factors` fit `dims`, and returns the rank.
pub(crate) fn check_factors<T>(
    op: &'static str,
    dims: &[usize],
    factors: &[Factor<T>],
) -> Result<usize, Error> {
    let rows: Vec<usize> = factors.iter().map(Factor::rows).collect();
    if rows != dims || dims.is_empty() {
        let expected = format!("one factor per mode with rows {dims:?}");
        return Err(Error::shape(op, expected, format!("rows {rows:?}")));
    }
    let rank = factors[0].cols();
    match factors.iter().find(|f| f.cols() != rank) {
        None => Ok(rank),
        Some(bad) => Err(Error::shape(
            op,
            format!("{rank} columns in every factor"),
            bad.cols().to_string(),
        )),
    }
}

/// The product for every mode: `M_m[i, r] = sum T[.., i, ..] * prod_{k != m} A_k[i_k, r]`.
///
/// The factors enter as they are; over the complex numbers conjugate them first if an inner product is meant.
///
/// # Shapes
/// `t` has dimensions `n_0, .., n_{m-1}`, factor `k` is `n_k x r`; so is result `k`.
///
/// # Errors
/// `Shape` when the factors do not fit.
///
/// # Complexity
/// `O(N r)` flops for `N` entries, twice over, in two matrix products; memory `O((L + K) r)` for groups of
/// `L` and `K` index combinations, `L K = N`.
///
/// # Accuracy
/// Componentwise within `2 m eps` times the sum of moduli, plus the rounding of two matrix products.
///
/// # Example
/// ```
/// use wickring::tensor::{Factor, Tensor, mttkrp_all};
/// let t = Tensor::from_vec(&[2, 2, 1], vec![1.0, 2.0, 3.0, 4.0])?;
/// let ones: Vec<Factor> = [2, 2, 1].iter().map(|&n| Factor::from_fn(n, 1, |_, _| 1.0)).collect();
/// let m = mttkrp_all(t.view(), &ones)?;
/// assert_eq!(m[0].column(0), [4.0, 6.0]); // sums over rows
/// # Ok::<(), wickring::Error>(())
/// ```
pub fn mttkrp_all<T: Scalar>(
    t: TensorView<'_, T>,
    factors: &[Factor<T>],
) -> Result<Vec<Factor<T>>, Error> {
    let rank = check_factors("mttkrp_all", t.dims(), factors)?;
    let split = best_split(t.dims());
    let (left, right) = factors.split_at(split);
    let mut out = Vec::with_capacity(factors.len());
    if right.is_empty() {
        all_in_group(half(t, split, right, Side::Left, rank)?, left, &mut out)?;
        return Ok(out);
    }
    let (to_left, to_right) =
        both_halves(t, split, product(left)?.as_ref(), product(right)?.as_ref());
    all_in_group(to_left, left, &mut out)?;
    all_in_group(to_right, right, &mut out)?;
    Ok(out)
}

/// Rows and entries of the blocks in which both halves read the tensor: half a megabyte, so that the second
/// product finds the block in the cache (measured on 200^3 and 100^3 x 20, where memory is the bound).
const BLOCK_ROWS: usize = 1024;
const BLOCK_ENTRIES: usize = 1 << 16;

/// `M K_right` and `M' K_left` for the matrix `M` of the split, reading the tensor once.
fn both_halves<T: Scalar>(
    t: TensorView<'_, T>,
    split: usize,
    left: &Factor<T>,
    right: &Factor<T>,
) -> (Factor<T>, Factor<T>) {
    let m = t.as_matrix(split);
    let (rows, cols, rank) = (m.nrows(), m.ncols(), left.cols());
    let mut to_left = Factor::zeros(rows, rank);
    let mut to_right = Factor::zeros(cols, rank);
    let row_step = rows.clamp(1, BLOCK_ROWS);
    let col_step = (BLOCK_ENTRIES / row_step).max(1);
    for j in (0..cols).step_by(col_step) {
        let width = col_step.min(cols - j);
        for i in (0..rows).step_by(row_step) {
            let height = row_step.min(rows - i);
            let block = m.submatrix(i, j, height, width);
            let target = MatMut::from_column_major_slice_mut(to_left.as_mut_slice(), rows, rank);
            let k = right.as_mat().subrows(j, width);
            T::gemm(target.subrows_mut(i, height), j > 0, block, k, 1.0);
            let target = MatMut::from_column_major_slice_mut(to_right.as_mut_slice(), cols, rank);
            let k = left.as_mat().subrows(i, height);
            T::gemm(
                target.subrows_mut(j, width),
                i > 0,
                block.transpose(),
                k,
                1.0,
            );
        }
    }
    (to_left, to_right)
}

/// The Khatri-Rao product of a group; a single factor is borrowed.
fn product<T: Scalar>(group: &[Factor<T>]) -> Result<Cow<'_, Factor<T>>, Error> {
    match group {
        [one] => Ok(Cow::Borrowed(one)),
        many => khatri_rao(&Vec::from_iter(many)).map(Cow::Owned),
    }
}

/// The product for one mode; see [`mttkrp_all`].
///
/// # Errors
/// `Shape` when the factors do not fit, `InvalidInput` when there is no such mode.
///
/// # Complexity
/// `O(N r)`; for all modes [`mttkrp_all`] costs only twice as much.
/// Here `N` is the number of entries and `r` the number of columns of the factors.
pub fn mttkrp<T: Scalar>(
    t: TensorView<'_, T>,
    factors: &[Factor<T>],
    mode: usize,
) -> Result<Factor<T>, Error> {
    let op = "mttkrp";
    let rank = check_factors(op, t.dims(), factors)?;
    if mode >= factors.len() {
        return Err(Error::invalid(
            op,
            format!("mode {mode} of {}", factors.len()),
        ));
    }
    let split = best_split(t.dims());
    let (left, right) = factors.split_at(split);
    if mode < split {
        let partial = half(t, split, right, Side::Left, rank)?;
        one_in_group(&partial, left, rank, mode)
    } else {
        let partial = half(t, split, left, Side::Right, rank)?;
        one_in_group(&partial, right, rank, mode - split)
    }
}

/// Which group keeps its modes.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Side {
    /// The first modes.
    Left,
    /// The last modes.
    Right,
}

/// The tensor contracted with the group that is not kept: `(kept index combinations) x r`.
pub(crate) fn half<T: Scalar>(
    t: TensorView<'_, T>,
    split: usize,
    contracted: &[Factor<T>],
    keep: Side,
    rank: usize,
) -> Result<Factor<T>, Error> {
    let m = t.as_matrix(split);
    let m = if keep == Side::Left { m } else { m.transpose() };
    match contracted {
        // A tensor of order one has no right group; the empty product is one.
        [] => Ok(Factor::from_fn(m.nrows(), rank, |i, _| m[(i, 0)])),
        [one] => Ok(one.left_mul(m)),
        many => Ok(product(many)?.left_mul(m)),
    }
}

/// Contracts a group's partial product down to every mode of the group.
fn all_in_group<T: Scalar>(
    partial: Factor<T>,
    group: &[Factor<T>],
    out: &mut Vec<Factor<T>>,
) -> Result<(), Error> {
    if group.len() == 1 {
        out.push(partial);
        return Ok(());
    }
    let (left, right) = group.split_at(group.len().div_ceil(2));
    let (a, b) = (product(left)?, product(right)?);
    let rank = partial.cols();
    let mut to_left = Factor::zeros(a.rows(), rank);
    let mut to_right = Factor::zeros(b.rows(), rank);
    for r in 0..rank {
        let to = (a.column(r), to_left.column_mut(r));
        T::contract(partial.column(r), to, (b.column(r), to_right.column_mut(r)));
    }
    all_in_group(to_left, left, out)?;
    all_in_group(to_right, right, out)
}

/// Contracts a group's partial product down to one mode of the group.
pub(crate) fn one_in_group<T: Scalar>(
    partial: &Factor<T>,
    group: &[Factor<T>],
    rank: usize,
    mode: usize,
) -> Result<Factor<T>, Error> {
    if group.len() == 1 {
        return Ok(partial.clone());
    }
    let split = group.len().div_ceil(2);
    let (left, right) = group.split_at(split);
    let rows: usize = left.iter().map(Factor::rows).product();
    if mode < split {
        let b = product(right)?;
        let mut next = Factor::zeros(rows, rank);
        for r in 0..rank {
            let target = next.column_mut(r);
            let columns = partial.column(r).chunks_exact(rows.max(1));
            for (column, &y) in columns.zip(b.column(r)) {
                small::axpy(target, y, column);
            }
        }
        one_in_group(&next, left, rank, mode)
    } else {
        let a = product(left)?;
        let columns: usize = right.iter().map(Factor::rows).product();
        let mut next = Factor::zeros(columns, rank);
        for r in 0..rank {
            let chunks = partial.column(r).chunks_exact(rows.max(1));
            for (z, column) in next.column_mut(r).iter_mut().zip(chunks) {
                *z = plain_dot(column, a.column(r));
            }
        }
        one_in_group(&next, right, rank, mode - split)
    }
}

/// `sum x_i y_i`, without conjugation.
fn plain_dot<T: Scalar>(x: &[T], y: &[T]) -> T {
    if T::COMPLEX {
        x.iter().zip(y).map(|(&a, &b)| a * b).sum()
    } else {
        small::dot(x, y)
    }
}

/// Entries of a block of a residual.
const BLOCK: usize = 1 << 20;

/// `||t - model||`, block by block: nothing of the size of `t` is formed.
///
/// # Errors
/// `Shape` when the factors do not fit.
///
/// # Complexity
/// `O(N r)` time for `N` entries and `r` components; memory a block of 8 MB and Khatri-Rao products of half the modes.
pub fn residual_norm<T: Scalar>(t: TensorView<'_, T>, factors: &[Factor<T>]) -> Result<f64, Error> {
    let rank = check_factors("residual_norm", t.dims(), factors)?;
    let (left, right) = factors.split_at(best_split(t.dims()));
    let a = product(left)?;
    let b = if right.is_empty() {
        Cow::Owned(Factor::from_fn(1, rank, |_, _| T::one()))
    } else {
        product(right)?
    };
    let rows = a.rows().max(1);
    let width = (BLOCK / rows).max(1);
    let (mut gap, mut sum) = (Vec::new(), 0.0);
    for (j, block) in t.as_slice().chunks(rows * width).enumerate() {
        gap.clear();
        gap.extend_from_slice(block);
        let cols = block.len() / rows;
        let dst = MatMut::from_column_major_slice_mut(&mut gap, rows, cols);
        let part = b.as_mat().subrows(j * width, cols);
        T::gemm(dst, true, a.as_mat(), part.transpose(), -1.0);
        sum += small::norm_sq(&gap);
    }
    Ok(sum.sqrt())
}

/// `out = M - K_left diag(1) K_right'`: the residual `t - model`, in one matrix product.
///
/// # Errors
/// `Shape` when the factors do not fit.
pub fn residual_into<T: Scalar>(
    t: TensorView<'_, T>,
    factors: &[Factor<T>],
    out: &mut Vec<T>,
) -> Result<(), Error> {
    let rank = check_factors("residual_into", t.dims(), factors)?;
    let split = best_split(t.dims());
    let (left, right) = factors.split_at(split);
    let a = product(left)?;
    let b = if right.is_empty() {
        Cow::Owned(Factor::from_fn(1, rank, |_, _| T::one()))
    } else {
        product(right)?
    };
    out.clear();
    out.extend_from_slice(t.as_slice());
    let dst = MatMut::from_column_major_slice_mut(out, a.rows(), b.rows());
    T::gemm(dst, true, a.as_mat(), b.as_mat().transpose(), -1.0);
    Ok(())
}
