//! Sequential SVDs: trains with a prescribed error, and rings the same way.

use super::algebraic::decomposition::{checked_ranks, zero_fit};
use super::als::decomposition::{Run, certified};
use super::ranks::dominant_range::Range;
use super::scale::in_scale;
use crate::fit::{Check, Evidence, Fit, Work};
use crate::tensor::{Scalar, Tensor, TensorRing, TensorTrain, TensorView, columns, kept};
use crate::{Error, Status};
use faer::{Mat, MatRef};
use rand::Rng;

const RING: &str = "RingSvd::decompose";
const TRAIN: &str = "TtSvd::decompose";

/// Tensor train by sequential truncated SVDs, with a prescribed relative error.
#[derive(Clone, Debug, PartialEq)]
pub struct TtSvd {
    tolerance: f64,
    max_rank: usize,
}

impl TtSvd {
    /// Asks for a relative error of at most `tolerance`, in `[0, 1)`; 0 keeps everything above rounding.
    pub fn new(tolerance: f64) -> Self {
        let max_rank = 1 << 20;
        Self {
            tolerance,
            max_rank,
        }
    }

    /// A bound on every rank, at least 1; when it cuts more than the tolerance allows, the status says so.
    #[must_use]
    pub fn max_rank(self, max_rank: usize) -> Self {
        Self { max_rank, ..self }
    }

    /// Decomposes `t`.
    ///
    /// # Shapes
    /// Any order of at least one; cores `R_k x n_k x R_{k+1}` with `R_0 = 1`.
    ///
    /// # Errors
    /// `InvalidInput`: an option out of its domain. `Shape`: no modes or no entries. `NonFinite`, `Backend`.
    ///
    /// # Complexity
    /// `O(N n R)` for each mode with `N` entries: the SVD of each unfolding after a QR of its longer side.
    ///
    /// # Accuracy
    /// `||t - model|| <= tolerance * ||t||` up to rounding unless `max_rank` cuts, and at most
    /// `sqrt(m - 1)` times the best error with the same ranks.
    ///
    /// # Example
    /// ```
    /// use wickring::decomp::TtSvd;
    /// use wickring::tensor::Tensor;
    /// let t = Tensor::from_fn(&[4, 5, 6], |i| (i[0] + i[1] + i[2]) as f64)?;
    /// // A sum of one-variable functions has ranks 2.
    /// assert_eq!(TtSvd::new(1e-12).decompose(t.view())?.model.ranks(), [1, 2, 2]);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    ///
    /// # Source
    /// Oseledets 2011, algorithm 1.
    pub fn decompose<T: Scalar>(&self, t: TensorView<'_, T>) -> Result<Fit<TensorTrain<T>>, Error> {
        if !(0.0..1.0).contains(&self.tolerance) || self.max_rank == 0 {
            let (tolerance, rank) = (self.tolerance, self.max_rank);
            let text = format!("tolerance in [0, 1) and max_rank >= 1, got {tolerance}, {rank}");
            return Err(Error::invalid(TRAIN, text));
        }
        // Any rank passes: this checks modes, entries and finiteness.
        checked_ranks(TRAIN, &[1], t)?;
        let m = t.order();
        let size = crate::tensor::norm(t.as_slice());
        let budget = self.tolerance * size / ((m.max(2) - 1) as f64).sqrt();
        let mut cores = Vec::with_capacity(m);
        let (mut rest, mut left) = (t.as_slice().to_vec(), 1);
        for &n in &t.dims()[..m - 1] {
            let wide = MatRef::from_column_major_slice(&rest, left * n, rest.len() / (left * n));
            let (u, s, below) = truncated(wide, budget, self.max_rank)?;
            let rank = s.len();
            cores.push(Tensor::from_vec(&[left, n, rank], columns(u.as_ref()))?);
            rest = columns(below.as_ref());
            left = rank;
        }
        cores.push(Tensor::from_vec(&[left, t.dims()[m - 1], 1], rest)?);
        let model = TensorTrain::new(cores)?;
        let residual = model.rel_residual(t)?;
        // Rounding of m - 1 SVDs of matrices of this many entries.
        let rounding = 1e-13 * (m as f64) * (t.as_slice().len() as f64).sqrt().max(1.0);
        let checks = Check::accuracy(
            "ring.residual",
            "relative residual",
            residual,
            self.tolerance + rounding,
        );
        let status = if checks.holds() {
            Status::Converged
        } else {
            Status::Stalled
        };
        Ok(Fit {
            model,
            status,
            history: vec![residual],
            work: Work {
                starts: 1,
                ..Work::default()
            },
            evidence: Evidence {
                rel_residual: residual,
                condition: 1.0,
                checks: vec![checks],
            },
        })
    }
}

/// `m ~ u below` with orthonormal `u` and the singular values kept.
fn truncated<T: Scalar>(
    m: MatRef<'_, T>,
    budget: f64,
    max_rank: usize,
) -> Result<(Mat<T>, Vec<f64>, Mat<T>), Error> {
    // m^H = q r, so m = r^H q^H has the left singular vectors of r^H.
    let (_, r) = T::qr(TRAIN, m.adjoint().to_owned().as_ref())?;
    let svd = T::svd(TRAIN, r.adjoint().to_owned().as_ref())?;
    let keep = kept(&svd.s, budget).min(max_rank);
    let u = svd.u.subcols(0, keep).to_owned();
    let below = T::adjoint_product(u.as_ref(), m);
    Ok((u, svd.s[..keep].to_vec(), below))
}

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
            let corner = |i: &[usize]| {
                if i[0] == 0 && i[2] == 0 {
                    t.as_slice()[i[1]]
                } else {
                    T::zero()
                }
            };
            cores.push(Tensor::from_fn(&[r0, n, r0], corner)?);
        } else {
            let range = Range::of(RING, first, r0 * r1, rng)?;
            let below = T::adjoint_product(range.basis.as_ref(), first);
            let width = range.basis.ncols();
            // Column a + R_0 b of the basis is slot (a, b).
            cores.push(Tensor::from_fn(&[r0, n, r1], |i| {
                let column = i[0] + r0 * i[2];
                if column < width {
                    range.basis[(i[1], column)]
                } else {
                    T::zero()
                }
            })?);
            let tail = below.ncols();
            let mut rest = Tensor::from_fn(&[r1, tail, r0], |i| {
                let row = i[2] + r0 * i[0];
                if row < width {
                    below[(row, i[1])]
                } else {
                    T::zero()
                }
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
