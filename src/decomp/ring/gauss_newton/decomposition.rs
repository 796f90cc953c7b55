//! Tensor rings by Levenberg-Marquardt on all cores at once.

use super::tangent::{Tangent, inner};
use crate::decomp::ring::algebraic::decomposition::RingAlgebraic;
use crate::decomp::ring::algebraic::decomposition::{checked_ranks, zero_fit};
use crate::decomp::ring::als::decomposition::RingAls;
use crate::decomp::ring::als::decomposition::{Run, certified};
use crate::decomp::ring::als::sweep::{CoreSolver, Sweeper};
use crate::decomp::ring::compress::Compressed;
use crate::decomp::ring::scale::in_scale;
use crate::fit::{Fit, Work};
use crate::run::{Observer, Progress};
use crate::tensor::{Scalar, Tensor, TensorRing, TensorView, norm};
use crate::{Error, Status};
use rand::Rng;

/// A relative residual that rounding alone may leave.
const ROUNDING: f64 = 1e-14;
const OP: &str = "RingNls::decompose";
/// Steps of conjugate gradients for each trial; the damping bounds the condition, and an inexact step is
/// still a descent direction.
const INNER: usize = 60;
/// Relative residual of the linear systems: one digit less than quadratic convergence would need for a step
/// that gains two digits.
const ACCURACY: f64 = 1e-3;
/// Raises of the damping before a point is called stationary to working precision.
const RAISES: usize = 12;
/// Steps that gain less than `stall` in a row before the search ends.
const PATIENCE: usize = 3;
/// Sweeps of least squares before the first step from a random start: far from a solution they gain more.
const SWEEPS: usize = 20;

/// Tensor ring of given ranks by Levenberg-Marquardt, from the algebraic solution, from random starts, or from
/// a given ring.
///
/// Minimises `||T - ring||^2` over all cores together; the normal equations are solved by conjugate gradients
/// with products of transfer matrices. Where alternating least squares crawls (nearly dependent cores, strong
/// coupling of neighbours), it converges in a few steps.
///
/// # Example
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use wickring::decomp::RingNls;
/// use wickring::tensor::TensorRing;
///
/// let mut rng = ChaCha8Rng::seed_from_u64(2);
/// let planted = TensorRing::<f64>::gaussian(&[6, 7, 6], &[2, 2, 2], &mut rng)?;
/// let mut watch = wickring::run::unobserved;
/// let fit = RingNls::new(&[2]).decompose(planted.to_dense()?.view(), &mut rng, &mut watch)?;
/// assert!(fit.evidence.rel_residual < 1e-8);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RingNls {
    ranks: Vec<usize>,
    tol: f64,
    stall: f64,
    max_steps: usize,
    starts: usize,
    /// Residual at which steps end, as a share of the tolerance.
    enough: f64,
}

impl RingNls {
    /// Asks for ranks `R_0, .., R_{m-1}` (one entry stands for all). Defaults: tolerance `1e-8`, stall
    /// `1e-9`, 100 steps, 5 starts.
    pub fn new(ranks: &[usize]) -> Self {
        Self {
            ranks: ranks.to_vec(),
            tol: 1e-8,
            stall: 1e-9,
            max_steps: 100,
            starts: 5,
            enough: 1e-3,
        }
    }

    /// Relative residual at most which the fit is `Converged` without further evidence; in `(0, 1)`.
    #[must_use]
    pub fn tol(self, tol: f64) -> Self {
        Self { tol, ..self }
    }

    /// Relative decrease of the residual below which, three steps running, a start is given up; in `(0, 1)`.
    #[must_use]
    pub fn stall(self, stall: f64) -> Self {
        Self { stall, ..self }
    }

    /// Steps for each start, in `1..=100_000`.
    #[must_use]
    pub fn max_steps(self, max_steps: usize) -> Self {
        Self { max_steps, ..self }
    }

    /// Starts, in `1..=10_000`: the algebraic solution where its hypotheses hold, then random ones.
    #[must_use]
    pub fn starts(self, starts: usize) -> Self {
        Self { starts, ..self }
    }

    /// Steps go on until the residual is that of rounding.
    pub(in crate::decomp::ring) fn until_rounding(self) -> Self {
        let enough = ROUNDING / self.tol;
        Self { enough, ..self }
    }

    /// Fits a ring.
    ///
    /// # Shapes
    /// `t` of any order `m >= 1`; the model has cores `R_k x n_k x R_{k+1}`.
    ///
    /// # Errors
    /// `InvalidInput`: an option or the number of ranks. `NonFinite`, `Backend`, `Overflow`.
    ///
    /// # Complexity
    /// A step costs two passes over `N` entries with `R^2` columns for each trial, and at most 60 products
    /// with the normal matrix of `O(m^2 R^6 + m n R^4)`; the tensor is compressed first where that helps.
    /// Here `n` is the length of the longest mode.
    ///
    /// # Accuracy
    /// Local optimisation. `Converged` as for [`RingAls`].
    ///
    /// # Example
    /// See [`RingNls`].
    ///
    /// # Source
    /// Levenberg-Marquardt with inexact steps (Nocedal and Wright, chapter 10); the products of transfer
    /// matrices for `J^H J` are this project's.
    pub fn decompose<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        in_scale(t, |t| self.search(t, rng, observer))
    }

    fn search<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        let ranks = self.check(t)?;
        if t.as_slice().iter().all(|x| *x == T::zero()) {
            return zero_fit(t.dims(), &ranks);
        }
        let small = Compressed::of(t, &ranks, rng)?;
        let inner = small.as_ref().map_or(t, |c| c.core.view());
        let algebraic = RingAlgebraic::new(&ranks).draws(1);
        let mut first = algebraic.decompose(inner, rng).ok().map(|fit| fit.model);
        let mut best: Option<Run<T>> = None;
        let (mut steps, mut starts) = (0, 0);
        for _ in 0..self.starts {
            starts += 1;
            let start = match first.take() {
                Some(ring) => ring,
                None => {
                    let random = TensorRing::gaussian(inner.dims(), &ranks, rng)?;
                    let als = RingAls::new(&ranks).tol(self.tol).max_sweeps(SWEEPS);
                    als.refine(inner, random, observer)?.model
                }
            };
            let run = self.descend(inner, start, observer)?;
            steps += run.history.len() - 1;
            let done = run.last() <= self.tol || run.status == Status::Stopped;
            if best.as_ref().is_none_or(|b| run.last() < b.last()) {
                best = Some(run);
            }
            if done {
                break;
            }
        }
        let mut run = best.ok_or(Error::Stopped { op: OP })?;
        if let Some(c) = &small {
            run.ring = c.expand(&run.ring)?;
            if run.status != Status::Stopped {
                let polished = self.descend(t, run.ring, observer)?;
                steps += polished.history.len() - 1;
                let mut history = run.history;
                history.extend_from_slice(&polished.history[1..]);
                run = Run {
                    history,
                    ..polished
                };
            }
        }
        certified(OP, t, run, self.tol, self.work(steps, starts))
    }

    /// Fits a ring from a given one, on the whole tensor.
    ///
    /// # Shapes
    /// `start` has the shape of `t`; its ranks are used.
    ///
    /// # Errors
    /// `Shape` when the shapes differ; otherwise as [`RingNls::decompose`].
    ///
    /// # Complexity
    /// As [`RingNls::decompose`], without compression.
    pub fn refine<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        start: TensorRing<T>,
        observer: Observer<'_>,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        self.check(t)?;
        if start.dims() != t.dims() {
            let (expected, found) = (format!("{:?}", t.dims()), format!("{:?}", start.dims()));
            return Err(Error::shape("RingNls::refine", expected, found));
        }
        if t.as_slice().iter().all(|x| *x == T::zero()) {
            return zero_fit(t.dims(), &start.ranks());
        }
        let run = self.descend(t, start, observer)?;
        let steps = run.history.len() - 1;
        certified(OP, t, run, self.tol, self.work(steps, 1))
    }

    fn work(&self, steps: usize, starts: usize) -> Work {
        Work {
            sweeps: steps,
            starts,
            ..Work::default()
        }
    }

    fn descend<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        start: TensorRing<T>,
        observer: Observer<'_>,
    ) -> Result<Run<T>, Error> {
        let size = norm(t.as_slice());
        let mut ring = start.balanced();
        let mut gap = gap(t, &ring)?;
        let mut history = vec![norm(gap.as_slice()) / size];
        let (mut damping, mut idle) = (1e-3, 0);
        let mut status = Status::IterationLimit;
        for step in 0..self.max_steps {
            let last = history[history.len() - 1];
            let sweeper = Sweeper::new(t, ring.clone(), CoreSolver::Normal);
            let gradient = sweeper.pulled(gap.view());
            let tangent = Tangent::new(ring.cores(), sweeper.normal_matrices());
            let mut moved = None;
            for _ in 0..RAISES {
                let x = tangent.solve(OP, &gradient, damping, INNER, ACCURACY)?;
                // An overflowing trial is no model: a shorter step is tried.
                let trial = tangent.moved(&x).and_then(TensorRing::new);
                if let Ok(trial) = trial {
                    let fresh = self::gap(t, &trial)?;
                    let residual = norm(fresh.as_slice()) / size;
                    if residual < last {
                        let predicted = inner(&x, &gradient) / (size * size);
                        let gain = (last * last - residual * residual) / predicted;
                        moved = Some((trial, fresh, residual, gain));
                        break;
                    }
                }
                damping *= 8.0;
            }
            let progress = Progress::open("steps", step as u64 + 1);
            let Some((next, fresh, residual, gain)) = moved else {
                history.push(last);
                status = Status::Stalled;
                break;
            };
            (ring, gap) = (next.balanced(), fresh);
            history.push(residual);
            damping = match gain {
                g if g > 0.75 => (damping / 8.0).max(1e-14),
                g if g < 0.25 => damping * 4.0,
                _ => damping,
            };
            if observer(&progress.with_figure(residual)).is_break() {
                status = Status::Stopped;
                break;
            }
            // One step below the tolerance reaches rounding.
            if residual <= self.tol * self.enough {
                status = Status::Converged;
                break;
            }
            idle = if last - residual > self.stall * last {
                0
            } else {
                idle + 1
            };
            if idle >= PATIENCE {
                status = Status::Stalled;
                break;
            }
        }
        Ok(Run {
            ring,
            history,
            status,
        })
    }

    fn check<T: Scalar>(&self, t: TensorView<'_, T>) -> Result<Vec<usize>, Error> {
        let inside = |x: f64| x > 0.0 && x < 1.0;
        let counts = (1..=100_000).contains(&self.max_steps) && (1..=10_000).contains(&self.starts);
        if !(inside(self.tol) && inside(self.stall) && counts) {
            let text = "tol and stall in (0, 1), steps in 1..=100000, starts in 1..=10000";
            return Err(Error::invalid(OP, text));
        }
        checked_ranks(OP, &self.ranks, t)
    }
}

/// `T - ring`, entry by entry.
fn gap<T: Scalar>(t: TensorView<'_, T>, ring: &TensorRing<T>) -> Result<Tensor<T>, Error> {
    let mut gap = ring.to_dense()?;
    for (x, &y) in gap.as_mut_slice().iter_mut().zip(t.as_slice()) {
        *x = y - *x;
    }
    Ok(gap)
}
