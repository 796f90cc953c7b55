//! Tensor rings by alternating least squares: from random starts, or from a given ring.

use super::sweep::{CoreSolver, Sweeper};
use crate::decomp::ring::algebraic::decomposition::{checked_ranks, zero_fit};
use crate::decomp::ring::checks::noise_evidence;
use crate::decomp::ring::compress::Compressed;
use crate::decomp::ring::scale::in_scale;
use crate::fit::{Check, Evidence, Fit, Work};
use crate::run::{Observer, Progress, unobserved};
use crate::tensor::{Scalar, TensorRing, TensorView};
use crate::{Error, Status};
use rand::Rng;

const OP: &str = "RingAls::decompose";
/// Sweeps without enough progress before a start is given up.
const PATIENCE: usize = 3;

/// Tensor ring of given ranks by alternating least squares.
///
/// # Example
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use wickring::decomp::RingAls;
/// use wickring::tensor::TensorRing;
///
/// let mut rng = ChaCha8Rng::seed_from_u64(2);
/// let planted = TensorRing::<f64>::gaussian(&[8, 9, 7], &[2, 2, 2], &mut rng)?;
/// let fit = RingAls::new(&[2]).decompose(planted.to_dense()?.view(), &mut rng)?;
/// assert!(fit.evidence.rel_residual < 1e-8);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RingAls {
    ranks: Vec<usize>,
    tol: f64,
    stall: f64,
    max_sweeps: usize,
    starts: usize,
    compress: bool,
    solver: CoreSolver,
}

impl RingAls {
    /// Asks for ranks `R_0, .., R_{m-1}` (one entry stands for all). Defaults: tolerance `1e-8`, stall
    /// `1e-7`, 500 sweeps, 5 starts, compression on, normal equations.
    pub fn new(ranks: &[usize]) -> Self {
        Self {
            ranks: ranks.to_vec(),
            tol: 1e-8,
            stall: 1e-7,
            max_sweeps: 500,
            starts: 5,
            compress: true,
            solver: CoreSolver::Normal,
        }
    }

    /// Relative residual at most which the fit is `Converged` without further evidence; in `(0, 1)`.
    #[must_use]
    pub fn tol(self, tol: f64) -> Self {
        Self { tol, ..self }
    }

    /// Relative decrease of the residual below which, three sweeps running, a start is given up; in `(0, 1)`.
    #[must_use]
    pub fn stall(self, stall: f64) -> Self {
        Self { stall, ..self }
    }

    /// Sweeps for each start, in `1..=1_000_000`.
    #[must_use]
    pub fn max_sweeps(self, max_sweeps: usize) -> Self {
        Self { max_sweeps, ..self }
    }

    /// Random starts, in `1..=10_000`; the best is kept and a start within the tolerance ends the search.
    #[must_use]
    pub fn starts(self, starts: usize) -> Self {
        Self { starts, ..self }
    }

    /// Whether to work on the tensor compressed to `R_k R_{k+1}` (plus a margin) in every mode first and
    /// polish on the whole one.
    #[must_use]
    pub fn compress(self, compress: bool) -> Self {
        Self { compress, ..self }
    }

    /// The linear solver of the updates.
    #[must_use]
    pub fn solver(self, solver: CoreSolver) -> Self {
        Self { solver, ..self }
    }

    /// Fits a ring from random starts.
    ///
    /// # Shapes
    /// `t` of any order `m >= 1`; the model has cores `R_k x n_k x R_{k+1}`.
    ///
    /// # Errors
    /// `InvalidInput`: an option or the number of ranks. `NonFinite`, `Backend`, `Overflow`.
    ///
    /// # Complexity
    /// A sweep costs two products of `N` entries with `R^2` columns, `O(m R^6)` for the normal equations and
    /// lower terms; compression reduces `N` to `prod R_k R_{k+1}`.
    ///
    /// # Accuracy
    /// Local optimisation: from random starts about one half of the runs at small ranks end in the global
    /// optimum. `Converged` means a residual within the tolerance, or a residual shown to be noise
    /// (stationary, far below chance, white); everything else is `Stalled` or `IterationLimit`.
    ///
    /// # Example
    /// See [`RingAls`].
    ///
    /// # Source
    /// Zhao, Zhou, Xie, Zhang, Cichocki 2016 (TR-ALS). Differences: two passes over the data for a sweep,
    /// damped corrections instead of damped solutions, compression.
    pub fn decompose<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        rng: &mut impl Rng,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        self.decompose_observed(t, rng, &mut unobserved)
    }

    /// [`RingAls::decompose`], reporting every sweep.
    ///
    /// # Errors
    /// As [`RingAls::decompose`].
    pub fn decompose_observed<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        in_scale(t, |t| self.fit_from_random(t, rng, observer))
    }

    fn fit_from_random<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        let ranks = self.check(t)?;
        if t.as_slice().iter().all(|x| *x == T::zero()) {
            return zero_fit(t.dims(), &ranks);
        }
        let small = if self.compress {
            Compressed::of(t, &ranks, rng)?
        } else {
            None
        };
        let inner = small.as_ref().map_or(t, |c| c.core.view());
        let mut best: Option<Run<T>> = None;
        let (mut sweeps, mut starts) = (0, 0);
        for _ in 0..self.starts {
            starts += 1;
            let start = TensorRing::gaussian(inner.dims(), &ranks, rng)?;
            let run = self.run(inner, start, self.tol, observer)?;
            sweeps += run.history.len() - 1;
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
                let polished = self.run(t, run.ring, self.tol, observer)?;
                sweeps += polished.history.len() - 1;
                let mut history = run.history;
                history.extend_from_slice(&polished.history[1..]);
                run = Run {
                    history,
                    ..polished
                };
            }
        }
        self.fit(t, run, starts, sweeps)
    }

    /// Fits a ring from a given one, on the whole tensor.
    ///
    /// # Shapes
    /// `start` has the shape of `t`; its ranks are used.
    ///
    /// # Errors
    /// `Shape` when the shapes differ; otherwise as [`RingAls::decompose`].
    ///
    /// # Complexity
    /// As [`RingAls::decompose`], without compression.
    pub fn refine<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        start: TensorRing<T>,
        observer: Observer<'_>,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        self.check(t)?;
        if start.dims() != t.dims() {
            let (expected, found) = (format!("{:?}", t.dims()), format!("{:?}", start.dims()));
            return Err(Error::shape("RingAls::refine", expected, found));
        }
        if t.as_slice().iter().all(|x| *x == T::zero()) {
            return zero_fit(t.dims(), &start.ranks());
        }
        // Exact data are driven well below the tolerance: a few more sweeps are cheap here.
        let run = self.run(t, start, self.tol * 1e-3, observer)?;
        let sweeps = run.history.len() - 1;
        self.fit(t, run, 1, sweeps)
    }

    fn run<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        start: TensorRing<T>,
        target: f64,
        observer: Observer<'_>,
    ) -> Result<Run<T>, Error> {
        let mut history = vec![start.rel_residual(t)?];
        let mut best = (start.clone(), history[0]);
        let mut sweeper = Sweeper::new(t, start.balanced(), self.solver);
        let (mut idle, mut status) = (0, Status::IterationLimit);
        for sweep in 0..self.max_sweeps {
            let last = history[history.len() - 1];
            let residual = sweeper.sweep(OP)?;
            history.push(residual);
            if residual < best.1 || best.1.is_nan() {
                best = (sweeper.ring()?, residual);
            }
            let progress = Progress::open("sweeps", sweep as u64 + 1).with_figure(residual);
            if observer(&progress).is_break() {
                status = Status::Stopped;
                break;
            }
            if residual <= target {
                status = Status::Converged;
                break;
            }
            let moved = last - residual > self.stall * last;
            idle = if moved { 0 } else { idle + 1 };
            if idle >= PATIENCE {
                status = Status::Stalled;
                break;
            }
        }
        Ok(Run {
            ring: best.0,
            history,
            status,
        })
    }

    fn fit<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        run: Run<T>,
        starts: usize,
        sweeps: usize,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        let work = Work {
            sweeps,
            starts,
            ..Work::default()
        };
        certified(OP, t, run, self.tol, work)
    }

    fn check<T: Scalar>(&self, t: TensorView<'_, T>) -> Result<Vec<usize>, Error> {
        let inside = |x: f64| x > 0.0 && x < 1.0;
        let counts =
            (1..=1_000_000).contains(&self.max_sweeps) && (1..=10_000).contains(&self.starts);
        if !(inside(self.tol) && inside(self.stall) && counts) {
            let text = "tol and stall in (0, 1), sweeps in 1..=1000000, starts in 1..=10000";
            return Err(Error::invalid(OP, text));
        }
        checked_ranks(OP, &self.ranks, t)
    }
}

/// Where one optimisation ended.
pub(in crate::decomp::ring) struct Run<T: Scalar> {
    pub(in crate::decomp::ring) ring: TensorRing<T>,
    pub(in crate::decomp::ring) history: Vec<f64>,
    pub(in crate::decomp::ring) status: Status,
}

impl<T: Scalar> Run<T> {
    pub(in crate::decomp::ring) fn last(&self) -> f64 {
        self.history.iter().copied().fold(f64::INFINITY, f64::min)
    }
}

/// A fit with recomputed evidence: `Converged` when the residual is within `tol`, or shown to be noise.
pub(in crate::decomp::ring) fn certified<T: Scalar>(
    op: &'static str,
    t: TensorView<'_, T>,
    run: Run<T>,
    tol: f64,
    work: Work,
) -> Result<Fit<TensorRing<T>>, Error> {
    let residual = run.ring.rel_residual(t)?;
    let exact = Check::accuracy("ring.residual", "relative residual", residual, tol);
    let (status, checks) = if exact.holds() {
        (Status::Converged, vec![exact])
    } else {
        let mut checks = noise_evidence(op, t, &run.ring, residual)?;
        let noise = checks.iter().all(Check::holds);
        checks.push(Check::reported(
            "ring.residual",
            "relative residual",
            residual,
        ));
        let status = match run.status {
            Status::Stopped => Status::Stopped,
            _ if noise => Status::Converged,
            Status::IterationLimit => Status::IterationLimit,
            _ => Status::Stalled,
        };
        (status, checks)
    };
    let mut history = run.history;
    if let Some(last) = history.last_mut() {
        *last = residual;
    }
    let evidence = Evidence {
        rel_residual: residual,
        condition: 1.0,
        checks,
    };
    Ok(Fit {
        model: run.ring,
        status,
        history,
        work,
        evidence,
    })
}
