//! Tensor rings by blockwise simultaneous diagonalisation: exact in finitely many steps.
//!
//! The modes are grouped into three runs so that the outer two have full rank `R_k R_l` (one needs
//! `n >= r^2` there); both are compressed to that many dimensions; the core of the first run is the joint
//! block-eigenbasis of the slices of the middle one (an eigenvalue problem of size `r^2`, or
//! `R_a lcm(R_b, R_c)` for unequal ranks); one linear solve and one truncated SVD give the other two; grouped
//! cores are cut by SVDs at the known ranks. No iteration depends on a start.

use super::order_three::{Attempt, Problem};
use crate::decomp::ring::scale::in_scale;
use crate::fit::{Check, Evidence, Fit, Work};
use crate::tensor::{Scalar, Tensor, TensorRing, TensorView};
use crate::{Error, Status};
use rand::Rng;

pub(in crate::decomp::ring) const OP: &str = "RingAlgebraic::decompose";

/// Tensor ring of given ranks by the algebraic method.
#[derive(Clone, Debug, PartialEq)]
pub struct RingAlgebraic {
    ranks: Vec<usize>,
    tol: f64,
    draws: usize,
}

impl RingAlgebraic {
    /// Asks for ranks `R_0, .., R_{m-1}` (one entry stands for all), tolerance `1e-8` and at most 4 draws.
    pub fn new(ranks: &[usize]) -> Self {
        let ranks = ranks.to_vec();
        let (tol, draws) = (1e-8, 4);
        Self { ranks, tol, draws }
    }

    /// Relative residual at most which the fit is `Converged`; in `(0, 1)`.
    #[must_use]
    pub fn tol(self, tol: f64) -> Self {
        Self { tol, ..self }
    }

    /// Draws of random combinations, in `1..=100`. Exact data of the hypothesis need one; noisy data gain
    /// from the best of a few.
    #[must_use]
    pub fn draws(self, draws: usize) -> Self {
        Self { draws, ..self }
    }

    /// Recovers the cores of a ring, real for real data.
    ///
    /// # Shapes
    /// `t` of any order `m >= 1`; the model has cores `R_k x n_k x R_{k+1}`. Hypotheses: some grouping of
    /// neighbouring modes into three runs has outer sizes at least the products of their two ranks (for
    /// order three and equal ranks `n_0, n_2 >= r^2`) and three middle slices; cores in general position.
    ///
    /// # Errors
    /// `InvalidInput`: an option or the number of ranks. `NonFinite`. `Degenerate`: naming the hypothesis
    /// that fails and the measured quantity (room for the ranks, rank of an unfolding, separated eigenvalue
    /// groups, a real ring). `Backend`, `Overflow`.
    ///
    /// # Complexity
    /// `O(N R^2)` for `N` entries, plus the cube of the pencil size (`r^2` for equal ranks).
    /// Here `R` is the greatest rank.
    ///
    /// # Accuracy
    /// About `eps` times the condition numbers of the two outer cores and of the pencil; the recomputed
    /// residual decides the status. With noise, the error is the noise times those: polish with
    /// [`RingAls`](crate::decomp::ring::als::decomposition::RingAls).
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::decomp::RingAlgebraic;
    /// use wickring::tensor::TensorRing;
    ///
    /// let mut rng = ChaCha8Rng::seed_from_u64(1);
    /// let t = TensorRing::<f64>::gaussian(&[9, 5, 10], &[3, 3, 3], &mut rng)?.to_dense()?;
    /// let ring = RingAlgebraic::new(&[3]).decompose(t.view(), &mut rng)?.converged()?;
    /// assert!(ring.rel_residual(t.view())? < 1e-10);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    ///
    /// # Source
    /// The method of H. Chen, S. Chen and A. Zhang (arXiv 2512.01016), reconstructed from its outline.
    /// Differences: (1) eigenspaces by block inverse iteration at the group means, not from eigenvectors,
    /// which are ill-conditioned inside a group; (2) block pencils for unequal ranks; (3) a real gauge from
    /// the Kronecker factors of `A^-1 conj(A)`; (4) the last two cores from one solve and one SVD.
    pub fn decompose<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        rng: &mut impl Rng,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        in_scale(t, |t| self.best_draw(t, rng))
    }

    fn best_draw<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        rng: &mut impl Rng,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        let ranks = self.check(t)?;
        if t.as_slice().iter().all(|x| *x == T::zero()) {
            return zero_fit(t.dims(), &ranks);
        }
        let problem = Problem::new(t, &ranks, rng)?;
        let mut best: Option<Attempt<T>> = None;
        let mut failure = None;
        let mut starts = 0;
        for _ in 0..self.draws {
            starts += 1;
            match problem.attempt(t, rng) {
                Ok(attempt) => {
                    let good = attempt.rel_residual <= self.tol;
                    if best
                        .as_ref()
                        .is_none_or(|b| attempt.rel_residual < b.rel_residual)
                    {
                        best = Some(attempt);
                    }
                    if good {
                        break;
                    }
                }
                Err(e) => failure = Some(e),
            }
        }
        let none = Error::degenerate(OP, "a draw that succeeds", 0.0);
        let attempt = match (best, failure) {
            (Some(attempt), _) => attempt,
            (None, e) => return Err(e.unwrap_or(none)),
        };
        Ok(self.fit(problem, attempt, starts))
    }

    fn fit<T: Scalar>(
        &self,
        problem: Problem<T>,
        attempt: Attempt<T>,
        starts: usize,
    ) -> Fit<TensorRing<T>> {
        let residual = attempt.rel_residual;
        let mut checks = vec![Check::accuracy(
            "ring.residual",
            "relative residual",
            residual,
            self.tol,
        )];
        checks.extend(problem.checks);
        checks.extend(attempt.checks);
        let holds = checks.iter().all(Check::holds);
        let status = if holds {
            Status::Converged
        } else {
            Status::IllConditioned
        };
        let evidence = Evidence {
            rel_residual: residual,
            condition: problem.condition,
            checks,
        };
        let work = Work {
            starts,
            ..Work::default()
        };
        Fit {
            model: attempt.ring,
            status,
            history: vec![residual],
            work,
            evidence,
        }
    }

    fn check<T: Scalar>(&self, t: TensorView<'_, T>) -> Result<Vec<usize>, Error> {
        if !(self.tol > 0.0 && self.tol < 1.0) || self.draws == 0 || self.draws > 100 {
            let (tol, draws) = (self.tol, self.draws);
            let text = format!("tol in (0, 1) and draws in 1..=100, got {tol} and {draws}");
            return Err(Error::invalid(OP, text));
        }
        checked_ranks(OP, &self.ranks, t)
    }
}

/// One rank for each mode, after checking everything about the input that any ring method needs.
pub(in crate::decomp) fn checked_ranks<T: Scalar>(
    op: &'static str,
    ranks: &[usize],
    t: TensorView<'_, T>,
) -> Result<Vec<usize>, Error> {
    let m = t.order();
    let ranks = match ranks {
        [one] => vec![*one; m],
        several => several.to_vec(),
    };
    if m == 0 || t.as_slice().is_empty() {
        let found = format!("{:?}", t.dims());
        return Err(Error::shape(op, "a tensor with modes and entries", found));
    }
    if ranks.len() != m || ranks.contains(&0) {
        let text = format!("one positive rank, or {m} of them, got {ranks:?}");
        return Err(Error::invalid(op, text));
    }
    // A core larger than the tensor never helps, and keeps absurd ranks from exhausting memory.
    let largest = (0..m).map(|k| {
        let pair = ranks[k].checked_mul(ranks[(k + 1) % m]);
        pair.and_then(|p| p.checked_mul(t.dims()[k]))
    });
    let limit = t.as_slice().len().saturating_mul(16).max(1 << 16);
    if largest.into_iter().any(|c| c.is_none_or(|c| c > limit)) {
        let text = format!("cores of at most 16 times the tensor, got ranks {ranks:?}");
        return Err(Error::invalid(op, text));
    }
    match t.as_slice().iter().position(|x| !x.finite()) {
        Some(index) => Err(Error::NonFinite { op, index }),
        None => Ok(ranks),
    }
}

/// The zero tensor is a ring of any ranks.
pub(in crate::decomp::ring) fn zero_fit<T: Scalar>(
    dims: &[usize],
    ranks: &[usize],
) -> Result<Fit<TensorRing<T>>, Error> {
    let mut cores = Vec::with_capacity(dims.len());
    for (k, &n) in dims.iter().enumerate() {
        let shape = [ranks[k], n, ranks[(k + 1) % ranks.len()]];
        cores.push(Tensor::from_fn(&shape, |_| T::zero())?);
    }
    Ok(Fit {
        model: TensorRing::new(cores)?,
        status: Status::Converged,
        history: vec![0.0],
        work: Work::default(),
        evidence: Evidence {
            rel_residual: 0.0,
            condition: 1.0,
            checks: vec![Check::accuracy(
                "ring.residual",
                "relative residual",
                0.0,
                0.0,
            )],
        },
    })
}
