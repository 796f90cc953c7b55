//! Leading left singular vectors of an unfolding, to full accuracy at the price of Gram matrices.
//!
//! For the transposed unfolding `S` (tall, read in blocks, never copied as a whole) one pass forms `S^H S = V L V^H`.
//! Singular values below the root of the rounding unit are lost there; when the cut needs them, a second pass
//! forms the Gram matrix of `W = S V D^-1`, whose columns are nearly orthonormal (`D^2 = L`, held away from zero), and
//! `S = W D V^H` has the singular values and right vectors of the small matrix `(W^H W)^(1/2) D V^H`, whose error is that
//! of an orthogonal method, `eps |S|`.
//!
//! Source: Yamamoto, Nakatsukasa, Yanagisawa, Fukaya 2015 (Cholesky QR twice), with eigenvectors in place of Cholesky
//! factors so that rank-deficient matrices pass.

use crate::Error;
use crate::tensor::{Scalar, TensorView, kept};
use faer::{Mat, MatRef};

/// Singular values above this share of the greatest are right in one pass.
const ONE_PASS: f64 = 1e-5;
/// Entries of a block: 8 MB of reals, between two looks at the clock.
const BLOCK: usize = 1 << 20;

/// How many directions to keep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Keep {
    /// This many, or as many as there are.
    Rank(usize),
    /// As few as leave at most this norm behind, and at most so many.
    Tail(f64, usize),
}

/// The leading directions of one unfolding.
pub(super) struct LeftSpace<T> {
    /// Orthonormal columns.
    pub(super) basis: Mat<T>,
    /// Norm of what lies outside.
    pub(super) dropped: f64,
}

/// Called between blocks; an error ends the work.
pub(super) type Go<'a> = &'a mut dyn FnMut() -> Result<(), Error>;

/// Leading left singular vectors of the unfolding of `t` along `mode`.
///
/// # Errors
/// `NonFinite`, `Backend`, and what `go` returns.
///
/// # Complexity
/// `O(N c)` for `c` the shorter side of the unfolding, two or three times; memory `O(c^2)` beside the input, and a copy of
/// the input where a middle mode is longer than all others together.
/// Here `N` is the number of entries.
pub(super) fn left_space<T: Scalar>(
    op: &'static str,
    t: TensorView<'_, T>,
    mode: usize,
    keep: Keep,
    go: Go<'_>,
) -> Result<LeftSpace<T>, Error> {
    let dims = t.dims();
    let n = dims[mode];
    let inner: usize = dims[..mode].iter().product();
    let outer: usize = dims[mode + 1..].iter().product();
    if n <= inner * outer {
        let stack = Stack::Slabs(t.as_slice(), [inner, n, outer]);
        let small = spectrum(op, &stack, n, keep, go)?;
        // S = T_(m)', so that the left vectors of T_(m) are the conjugates of the right ones of S.
        let v = small.vectors.subcols(0, small.keep);
        let basis = Mat::from_fn(n, small.keep, |i, j| v[(i, j)].conjugate());
        let dropped = small.dropped;
        return Ok(LeftSpace { basis, dropped });
    }
    // A long mode: the unfolding itself is the tall matrix.
    let moved;
    let tall = if inner == 1 {
        t.as_matrix(mode + 1)
    } else if outer == 1 {
        t.as_matrix(mode).transpose()
    } else {
        moved = t.unfold(mode);
        MatRef::from_column_major_slice(moved.as_slice(), n, inner * outer)
    };
    let small = spectrum(op, &Stack::Tall(tall), tall.ncols(), keep, go)?;
    let images = T::product(tall, small.vectors.subcols(0, small.keep));
    let (basis, _) = T::qr(op, images.as_ref())?;
    let dropped = small.dropped;
    Ok(LeftSpace { basis, dropped })
}

/// A tall matrix, read block of rows by block of rows.
enum Stack<'a, T> {
    /// The transposed unfolding of a tensor of `inner x n x outer`.
    Slabs(&'a [T], [usize; 3]),
    /// A matrix as it stands.
    Tall(MatRef<'a, T>),
}

impl<T: Scalar> Stack<'_, T> {
    /// Calls `f` with every block of rows.
    fn each(&self, go: Go<'_>, mut f: impl FnMut(MatRef<'_, T>)) -> Result<(), Error> {
        match *self {
            Stack::Tall(m) => {
                let step = (BLOCK / m.ncols().max(1)).max(1);
                for i in (0..m.nrows()).step_by(step) {
                    go()?;
                    f(m.subrows(i, step.min(m.nrows() - i)));
                }
            }
            Stack::Slabs(data, [1, n, _]) => {
                for block in data.chunks(n * (BLOCK / n).max(1)) {
                    go()?;
                    let columns = MatRef::from_column_major_slice(block, n, block.len() / n);
                    f(columns.transpose());
                }
            }
            Stack::Slabs(data, [inner, n, outer]) if inner >= 64 || outer == 1 => {
                let rows = (BLOCK / n).max(1);
                for slab in data.chunks_exact(inner * n) {
                    let slab = MatRef::from_column_major_slice(slab, inner, n);
                    for i in (0..inner).step_by(rows) {
                        go()?;
                        f(slab.subrows(i, rows.min(inner - i)));
                    }
                }
            }
            // Thin slabs are stacked first: products of a few rows would be slow.
            Stack::Slabs(data, [inner, n, _]) => {
                let many = (BLOCK / 4 / (inner * n)).max(1);
                for group in data.chunks(inner * n * many) {
                    go()?;
                    let rows = group.len() / n;
                    let stacked = Mat::from_fn(rows, n, |i, j| {
                        group[i % inner + inner * (j + n * (i / inner))]
                    });
                    f(stacked.as_ref());
                }
            }
        }
        Ok(())
    }
}

/// Right singular vectors of a tall matrix, greatest first, and where to cut.
struct Small<T> {
    vectors: Mat<T>,
    keep: usize,
    dropped: f64,
}

fn spectrum<T: Scalar>(
    op: &'static str,
    stack: &Stack<'_, T>,
    n: usize,
    keep: Keep,
    go: Go<'_>,
) -> Result<Small<T>, Error> {
    let mut gram = Mat::<T>::zeros(n, n);
    stack.each(go, |s| gram += T::adjoint_product(s, s))?;
    let (squares, vectors) = T::hermitian(op, gram.as_ref())?;
    let values: Vec<f64> = squares.iter().map(|x| x.max(0.0).sqrt()).collect();
    let top = values.first().copied().unwrap_or(0.0);
    let cut = |values: &[f64]| match keep {
        Keep::Rank(r) => r.clamp(1, n),
        Keep::Tail(budget, most) => kept(values, budget).min(most).max(1),
    };
    let at = cut(&values);
    let fine = match keep {
        Keep::Rank(_) => true,
        Keep::Tail(budget, _) => budget >= ONE_PASS * top,
    };
    // A tail below what one pass can see would keep every direction, needed or not.
    let all = at == n && matches!(keep, Keep::Rank(_));
    if top == 0.0 || all || (fine && values[at - 1] >= ONE_PASS * top) {
        let dropped = squares[at..].iter().map(|x| x.max(0.0)).sum::<f64>().sqrt();
        let keep = at;
        return Ok(Small {
            vectors,
            keep,
            dropped,
        });
    }
    let floor = top * (n as f64 * f64::EPSILON).sqrt();
    let d: Vec<f64> = values.iter().map(|x| x.max(floor)).collect();
    let whitening = Mat::from_fn(n, n, |i, j| vectors[(i, j)] * T::from_real(1.0 / d[j]));
    let mut gram = Mat::<T>::zeros(n, n);
    stack.each(go, |s| {
        let w = T::product(s, whitening.as_ref());
        gram += T::adjoint_product(w.as_ref(), w.as_ref());
    })?;
    let (m, q) = T::hermitian(op, gram.as_ref())?;
    let scaled = Mat::from_fn(n, n, |i, j| {
        q[(j, i)].conjugate() * T::from_real(m[i].max(0.0).sqrt() * d[j])
    });
    let small = T::product(scaled.as_ref(), vectors.adjoint().to_owned().as_ref());
    let svd = T::svd(op, small.as_ref())?;
    let keep = cut(&svd.s);
    let dropped = svd.s[keep..].iter().fold(0.0f64, |x, y| x.hypot(*y));
    Ok(Small {
        vectors: svd.v,
        keep,
        dropped,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Tensor;

    /// Two directions of four, and a tail asked for far below the root of the rounding unit.
    #[test]
    fn a_tight_tail_keeps_no_direction_of_rounding() {
        let t =
            Tensor::from_fn(&[4, 5, 6], |i| (i[0] + i[1]) as f64 * (1.0 + i[2] as f64)).unwrap();
        let size = t.as_slice().iter().map(|x| x * x).sum::<f64>().sqrt();
        for share in [1e-3, 1e-6, 1e-9, 1e-12] {
            for (mode, rank) in [(0, 2), (1, 2), (2, 1)] {
                let keep = Keep::Tail(share * size, 10);
                let space = left_space("test", t.view(), mode, keep, &mut || Ok(())).unwrap();
                assert_eq!(space.basis.ncols(), rank, "mode {mode} at {share}");
                // One pass sees the root of the rounding unit; where it is enough, so is its word.
                let seen = if share > ONE_PASS { 1e-7 } else { 1e-13 };
                assert!(space.dropped <= seen * size, "{}", space.dropped);
            }
        }
    }
}
