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

use super::{Factor, TensorView, khatri_rao};
use crate::Error;
use crate::linalg::{Scalar, small};
use faer::MatMut;

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
    all_in_group(
        &half(t, split, right, Side::Left, rank)?,
        left,
        rank,
        &mut out,
    )?;
    if !right.is_empty() {
        all_in_group(
            &half(t, split, left, Side::Right, rank)?,
            right,
            rank,
            &mut out,
        )?;
    }
    Ok(out)
}

/// The product for one mode; see [`mttkrp_all`].
///
/// # Errors
/// `Shape` when the factors do not fit, `InvalidInput` when there is no such mode.
///
/// # Complexity
/// `O(N r)`; for all modes [`mttkrp_all`] costs only twice as much.
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
        many => Ok(khatri_rao(&Vec::from_iter(many))?.left_mul(m)),
    }
}

/// Contracts a group's partial product down to every mode of the group.
pub(crate) fn all_in_group<T: Scalar>(
    partial: &Factor<T>,
    group: &[Factor<T>],
    rank: usize,
    out: &mut Vec<Factor<T>>,
) -> Result<(), Error> {
    if group.len() == 1 {
        out.push(partial.clone());
        return Ok(());
    }
    let split = group.len().div_ceil(2);
    let (left, right) = group.split_at(split);
    let (a, b) = (
        khatri_rao(&Vec::from_iter(left))?,
        khatri_rao(&Vec::from_iter(right))?,
    );
    let (mut to_left, mut to_right) =
        (Factor::zeros(a.rows(), rank), Factor::zeros(b.rows(), rank));
    let n = a.rows();
    for r in 0..rank {
        let (x, y) = (a.column(r), b.column(r));
        let target = to_left.column_mut(r);
        let other = to_right.column_mut(r);
        // One pass over the partial product serves both groups: it is the larger operand.
        for (k, column) in partial.column(r).chunks_exact(n.max(1)).enumerate() {
            small::axpy(target, y[k], column);
            other[k] = plain_dot(column, x);
        }
    }
    all_in_group(&to_left, left, rank, out)?;
    all_in_group(&to_right, right, rank, out)
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
        let b = khatri_rao(&Vec::from_iter(right))?;
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
        let a = khatri_rao(&Vec::from_iter(left))?;
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
    let mut acc = [T::zero(); 8];
    let (xs, ys) = (x.chunks_exact(8), y.chunks_exact(8));
    let mut tail = T::zero();
    for (&a, &b) in xs.remainder().iter().zip(ys.remainder()) {
        tail += a * b;
    }
    for (a, b) in xs.zip(ys) {
        for k in 0..8 {
            acc[k] += a[k] * b[k];
        }
    }
    acc.iter().copied().sum::<T>() + tail
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
    let a = khatri_rao(&Vec::from_iter(left))?;
    let b = if right.is_empty() {
        Factor::from_fn(1, rank, |_, _| T::one())
    } else {
        khatri_rao(&Vec::from_iter(right))?
    };
    out.clear();
    out.extend_from_slice(t.as_slice());
    let dst = MatMut::from_column_major_slice_mut(out, a.rows(), b.rows());
    T::gemm(dst, true, a.as_mat(), b.as_mat().transpose(), -1.0);
    Ok(())
}
