//! Sequential SVDs at given ranks; trains with a prescribed error are in `decomp/train.rs`.

use super::algebraic::decomposition::{checked_ranks, zero_fit};
use super::als::decomposition::{Run, certified};
use super::ranks::dominant_range::Range;
use super::scale::in_scale;
use crate::fit::{Fit, Work};
use crate::tensor::{Scalar, Tensor, TensorRing, TensorView, columns};
use crate::{Error, Status};
use faer::{Mat, MatRef};
use rand::Rng;

const RING: &str = "RingSvd::decompose";

/// Tensor ring by sequential SVDs at given ranks: fast, no start, but rarely close to the best ring.
///
/// Kept as a named alternative: the first SVD splits `R_0 R_1` into two bonds in an arbitrary basis, which
/// the later ones cannot undo, so even an exact ring of these ranks is not recovered.
#[derive(Clone, Debug, PartialEq)]
pub struct RingSvd {
    ranks: Vec<usize>,
    tol: f64,
}

impl RingSvd {
    /// Asks for ranks `R_0, .., R_{m-1}` (one entry stands for all), with tolerance `1e-8`.
    pub fn new(ranks: &[usize]) -> Self {
        let (ranks, tol) = (ranks.to_vec(), 1e-8);
        Self { ranks, tol }
    }

    /// Relative residual at most which the fit is `Converged`; in `(0, 1)`.
    #[must_use]
    pub fn tol(self, tol: f64) -> Self {
        Self { tol, ..self }
    }

    /// Decomposes `t`. Ranks too large for the sizes are filled with zeros, never refused.
    ///
    /// # Shapes
    /// Any order of at least one; cores `R_k x n_k x R_{k+1}`.
    ///
    /// # Errors
    /// `InvalidInput`: an option or the number of ranks. `NonFinite`, `Backend`.
    ///
    /// # Complexity
    /// `O(N R^2)` for each mode with `N` entries.
    /// Here `R` is the greatest rank.
    ///
    /// # Accuracy
    /// None promised; the recomputed residual decides the status.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::decomp::RingSvd;
    /// use wickring::tensor::Tensor;
    /// let t = Tensor::from_fn(&[4, 5, 6], |i| (i[0] + i[1] + i[2]) as f64)?;
    /// let mut rng = ChaCha8Rng::seed_from_u64(0);
    /// // With R_0 = 1 a ring is a train, and the method is exact.
    /// let fit = RingSvd::new(&[1, 2, 2]).decompose(t.view(), &mut rng)?;
    /// assert!(fit.evidence.rel_residual < 1e-12);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    ///
    /// # Source
    /// Zhao, Zhou, Xie, Zhang, Cichocki 2016 (TR-SVD), with ranks given.
    pub fn decompose<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        rng: &mut impl Rng,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        in_scale(t, |t| self.sequential(t, rng))
    }

    fn sequential<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        rng: &mut impl Rng,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        if !(self.tol > 0.0 && self.tol < 1.0) {
            let text = format!("tol in (0, 1), got {}", self.tol);
            return Err(Error::invalid(RING, text));
        }
        let ranks = checked_ranks(RING, &self.ranks, t)?;
        if t.as_slice().iter().all(|x| *x == T::zero()) {
            return zero_fit(t.dims(), &ranks);
        }
        let m = t.order();
        let r0 = ranks[0];
        // An extra closing index at both ends: T = sum_a W[a, .., a], with W found for its first slot.
        let first = t.as_matrix(1);
        let (n, r1) = (first.nrows(), ranks[1 % m]);
        let mut cores = Vec::with_capacity(m);
        if m == 1 {
            let corner = |i: &[usize]| match (i[0], i[2]) {
                (0, 0) => t.as_slice()[i[1]],
                _ => T::zero(),
            };
            cores.push(Tensor::from_fn(&[r0, n, r0], corner)?);
        } else {
            let range = Range::of(RING, first, r0 * r1, rng)?;
            let below = T::adjoint_product(range.basis.as_ref(), first);
            let width = range.basis.ncols();
            // Column a + R_0 b of the basis is slot (a, b).
            cores.push(Tensor::from_fn(&[r0, n, r1], |i| match i[0] + r0 * i[2] {
                column if column < width => range.basis[(i[1], column)],
                _ => T::zero(),
            })?);
            let tail = below.ncols();
            let mut rest = Tensor::from_fn(&[r1, tail, r0], |i| match i[2] + r0 * i[0] {
                row if row < width => below[(row, i[1])],
                _ => T::zero(),
            })?;
            for k in 1..m - 1 {
                rest = cut(rest, t.dims()[k], ranks[k + 1], &mut cores, rng)?;
            }
            cores.push(rest);
        }
        let ring = TensorRing::new(cores)?;
        let run = Run {
            history: vec![ring.rel_residual(t)?],
            ring,
            status: Status::Stalled,
        };
        let work = Work {
            starts: 1,
            ..Work::default()
        };
        certified(RING, t, run, self.tol, work)
    }
}

/// Cuts the first mode (of size `n`) off a chain at a given rank, zeros filling what the data do not.
pub(super) fn cut<T: Scalar>(
    chain: Tensor<T>,
    n: usize,
    rank: usize,
    out: &mut Vec<Tensor<T>>,
    rng: &mut impl Rng,
) -> Result<Tensor<T>, Error> {
    let (left, right) = (chain.dims()[0], chain.dims()[2]);
    let tail = chain.dims()[1] / n;
    let wide = MatRef::from_column_major_slice(chain.as_slice(), left * n, tail * right);
    let range = Range::of(RING, wide, rank, rng)?;
    let below = T::adjoint_product(range.basis.as_ref(), wide);
    let padded = |m: &Mat<T>, i: usize, j: usize| {
        if i < m.nrows() && j < m.ncols() {
            m[(i, j)]
        } else {
            T::zero()
        }
    };
    let head = Mat::from_fn(left * n, rank, |i, j| padded(&range.basis, i, j));
    let below = Mat::from_fn(rank, tail * right, |i, j| padded(&below, i, j));
    out.push(Tensor::from_vec(&[left, n, rank], columns(head.as_ref()))?);
    Tensor::from_vec(&[rank, tail, right], columns(below.as_ref()))
}
