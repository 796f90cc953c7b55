//! Algebraic starts: Jennrich's algorithm on three groups of modes.
//!
//! Group the modes into `(P, Q, S)` with dimensions `p, q >= R` and `s >= 2`. In the dominant `R`-dimensional
//! spaces of the first two groups, two contractions along `S` are `A diag(x) B'` and `A diag(y) B'`; the
//! eigenvectors of one times the inverse of the other are the columns of `A`. The rows of
//! `inverse(A) T_(P)` are rank-one tensors that hold the other modes, and each column of the lifted `A` is a
//! rank-one tensor of its group. So a rank above a single dimension is reached by grouping modes: a
//! `20 x 20 x 20 x 20` tensor admits ranks up to 400 generically.
//!
//! Exact on exact data with distinct ratios `x_r / y_r`; on noisy data a start, nothing more.
//!
//! Source: Leurgans, Ross, Abel 1993; Sanchez and Kowalski 1990; grouping after De Lathauwer 2006.

use super::rank_one::rank_one;
use crate::Error;
use crate::linalg::{Scalar, small};
use crate::tensor::{Factor, Tensor, TensorView};
use faer::{Mat, MatRef};
use rand::Rng;

/// Modes of the three groups.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::decomp::cp) struct Grouping {
    pub(in crate::decomp::cp) p: Vec<usize>,
    pub(in crate::decomp::cp) q: Vec<usize>,
    pub(in crate::decomp::cp) s: Vec<usize>,
}

impl Grouping {
    /// The cheapest grouping that admits rank `rank`, or `None`.
    ///
    /// All assignments of at most eight modes are tried (3^8 = 6561); longer tensors keep their later
    /// modes in the third group.
    pub(in crate::decomp::cp) fn of(dims: &[usize], rank: usize) -> Option<Self> {
        let free = dims.len().min(8);
        let mut best: Option<(usize, Vec<usize>)> = None;
        for code in 0..3usize.pow(free as u32) {
            let mut rest = code;
            let mut group: Vec<usize> = (0..free)
                .map(|_| {
                    let g = rest % 3;
                    rest /= 3;
                    g
                })
                .collect();
            group.resize(dims.len(), 2);
            let size = |g: usize| -> usize {
                let members = dims.iter().zip(&group).filter(|(_, h)| **h == g);
                members.map(|(&n, _)| n).fold(1, usize::saturating_mul)
            };
            let (p, q, s) = (size(0), size(1), size(2));
            if p < rank || q < rank || s < 2 {
                continue;
            }
            // Small first groups keep the inverse cheap and the data well averaged.
            let cost = p.saturating_mul(p).saturating_add(q.saturating_mul(q));
            if best.as_ref().is_none_or(|b| cost < b.0) {
                best = Some((cost, group));
            }
        }
        let (_, group) = best?;
        let members = |g: usize| (0..dims.len()).filter(|&m| group[m] == g).collect();
        Some(Self {
            p: members(0),
            q: members(1),
            s: members(2),
        })
    }
}

/// Factors by simultaneous diagonalisation, or `None` when no grouping admits the rank or every pencil
/// is singular.
pub(in crate::decomp) fn algebraic_start<T: Scalar>(
    op: &'static str,
    t: TensorView<'_, T>,
    rank: usize,
    rng: &mut impl Rng,
) -> Result<Option<Vec<Factor<T>>>, Error> {
    if rank == 1 {
        return rank_one(t, 3).map(Some);
    }
    let Some(groups) = Grouping::of(t.dims(), rank) else {
        return Ok(None);
    };
    let order: Vec<usize> = [&groups.p, &groups.q, &groups.s]
        .into_iter()
        .flatten()
        .copied()
        .collect();
    let moved = t.permuted(&order)?;
    let size = |g: &[usize]| g.iter().map(|&m| t.dims()[m]).product::<usize>();
    let grouped = moved.reshaped(&[size(&groups.p), size(&groups.q), size(&groups.s)])?;
    let Some(lifted) = eigenvectors(op, &grouped, rank, rng)? else {
        return Ok(None);
    };
    let dims = |g: &[usize]| g.iter().map(|&m| t.dims()[m]).collect::<Vec<_>>();
    let rows = left_inverse(&lifted).map(|inverse| {
        let m = grouped.view().as_matrix(1);
        let mut out = Factor::zeros(rank, m.ncols());
        let dst = faer::MatMut::from_column_major_slice_mut(out.as_mut_slice(), rank, m.ncols());
        T::gemm(dst, false, inverse.as_mat(), m, 1.0);
        out
    });
    let Some(rows) = rows else { return Ok(None) };
    let mut factors: Vec<Factor<T>> = t.dims().iter().map(|&n| Factor::zeros(n, rank)).collect();
    let rest_dims = [dims(&groups.q), dims(&groups.s)].concat();
    let rest_modes = [groups.q.as_slice(), groups.s.as_slice()].concat();
    for r in 0..rank {
        let row: Vec<T> = (0..rows.cols()).map(|j| rows.column(j)[r]).collect();
        for (piece, dims, modes) in [
            (lifted.column(r).to_vec(), dims(&groups.p), &groups.p),
            (row, rest_dims.clone(), &rest_modes),
        ] {
            let vectors = rank_one(Tensor::from_vec(&dims, piece)?.view(), 3)?;
            for (&m, v) in modes.iter().zip(&vectors) {
                factors[m].column_mut(r).copy_from_slice(v.column(0));
            }
        }
    }
    Ok(Some(factors))
}

/// Columns of the first factor of a `p x q x s` tensor, by an eigendecomposition in its dominant spaces.
fn eigenvectors<T: Scalar>(
    op: &'static str,
    t: &Tensor<T>,
    rank: usize,
    rng: &mut impl Rng,
) -> Result<Option<Factor<T>>, Error> {
    let keep = |n: usize| rank.min(n);
    let (p, q, s) = (t.dims()[0], t.dims()[1], t.dims()[2]);
    let c =
        crate::decomp::cp::compress::Compressed::hosvd(op, t.view(), &[keep(p), keep(q), keep(s)])?;
    let m = c.core.view().as_matrix(2);
    let slices = m.ncols();
    // The pencil whose eigenvectors are best conditioned among a few random ones.
    let mut best: Option<(f64, Mat<T>)> = None;
    for _ in 0..3 {
        let weights = Factor::from_fn(slices, 2, |_, _| {
            T::from_parts(normal(rng), if T::COMPLEX { normal(rng) } else { 0.0 })
        });
        let mut mixed = Factor::<T>::zeros(rank * rank, 2);
        let dst = faer::MatMut::from_column_major_slice_mut(mixed.as_mut_slice(), rank * rank, 2);
        T::gemm(dst, false, m, weights.as_mat(), 1.0);
        let x = MatRef::from_column_major_slice(mixed.column(0), rank, rank);
        let y = MatRef::from_column_major_slice(mixed.column(1), rank, rank);
        let Some(ratio) = right_quotient(x, y) else {
            continue;
        };
        let Ok(v) = T::eigenbasis(op, ratio.as_ref()) else {
            continue;
        };
        let spread = spread_of(&v);
        if best.as_ref().is_none_or(|b| spread > b.0) {
            best = Some((spread, v));
        }
    }
    let Some((_, v)) = best else { return Ok(None) };
    let small = Factor::from_fn(rank, rank, |i, r| v[(i, r)]);
    let unit = Factor::from_fn(keep(q), rank, |_, _| T::zero());
    let last = Factor::from_fn(keep(s), rank, |_, _| T::zero());
    Ok(c.expand(&[small, unit, last]).into_iter().next())
}

/// `x * inverse(y)` by least squares on the normal equations of `y'`, or `None` when singular.
fn right_quotient<T: Scalar>(x: MatRef<'_, T>, y: MatRef<'_, T>) -> Option<Mat<T>> {
    T::general_solve(y.transpose(), x.transpose())
        .map(|z| Mat::from_fn(z.ncols(), z.nrows(), |i, j| z[(j, i)]))
}

/// Smallest pivot of a Cholesky factorisation of `V^H V`: near zero when eigenvectors nearly coincide.
fn spread_of<T: Scalar>(v: &Mat<T>) -> f64 {
    let n = v.nrows();
    let f = Factor::from_fn(n, n, |i, j| v[(i, j)]);
    let mut g = f.gram().as_slice().to_vec();
    if !small::cholesky(&mut g, n) {
        return 0.0;
    }
    (0..n)
        .map(|i| g[i * (n + 1)].re())
        .fold(f64::INFINITY, f64::min)
}

/// `inverse(A^H A) A^H`, or `None` when the columns are dependent.
fn left_inverse<T: Scalar>(a: &Factor<T>) -> Option<Factor<T>> {
    let rank = a.cols();
    let mut gram = a.gram().as_slice().to_vec();
    if !small::cholesky(&mut gram, rank) {
        return None;
    }
    // (A (A^H A)^{-1})^H
    let mut x = a.clone();
    let rows = a.rows();
    small::solve_right(&gram, rank, x.as_mut_slice(), rows);
    Some(Factor::from_fn(rank, rows, |r, i| x.column(r)[i].conj()))
}

/// A standard normal number.
pub(in crate::decomp) fn normal(rng: &mut impl Rng) -> f64 {
    use rand_distr::{Distribution, StandardNormal};
    StandardNormal.sample(rng)
}
