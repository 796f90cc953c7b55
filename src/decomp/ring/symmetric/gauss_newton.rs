//! Symmetric rings of order three by Levenberg-Marquardt on the Gram matrix and the tensor.
//!
//! Minimises `w_S^2 ||S(Q) - S||^2 + w_T^2 ||T(Q) - T||^2` over symmetric `Q_a`. With `q_a` the isometric
//! coordinates of `Q_a` and `P_bc` those of `(Q_b Q_c + Q_c Q_b)/2`, the derivative of `T_abc` is
//! `<dq_a, P_bc> + <dq_b, P_ac> + <dq_c, P_ab>`, so the normal matrix has blocks
//! `3 [a = b] sum_cd P_cd P_cd' + 6 sum_c P_bc P_ac'`: one product of `(dN x d)` with its transpose instead of
//! a Jacobian with `d^3 / 6` rows.

use super::chance::by_chance;
use super::problem::{Problem, places};
use crate::decomp::peirce::decomposition::Peirce;
use crate::fit::{Check, Evidence, Fit, Work};
use crate::linalg::{cholesky_solve, frobenius};
use crate::run::{Observer, Progress};
use crate::tensor::{SymmetricRing, TensorView};
use crate::{Error, Status};
use faer::{Mat, MatRef};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

const OP: &str = "SymmetricNls::decompose";
/// Raises of the damping before a step is given up.
const RAISES: usize = 14;
/// Unknowns at most: the normal matrix is dense.
const MAX_UNKNOWNS: usize = 4000;
/// Greatest cosine between residual and derivative at a point called stationary: the residual is then within
/// the square of it of its minimum along any direction, far below the bar of 1% on the objective.
const STATIONARY: f64 = 1e-4;
/// Share of a structureless residual that counts as structure, as for general rings.
const CHANCE: f64 = 0.4;
/// Probability that data without structure leave so little: with few equations to spare a small residual proves nothing.
const FALSE_ALARM: f64 = 1e-3;

/// Symmetric tensor ring of order three by Levenberg-Marquardt: for noisy moments, and for fewer outputs than
/// symmetric matrices have dimensions, where no algebraic method is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SymmetricNls {
    rank: usize,
    tol: f64,
    starts: usize,
    max_steps: usize,
    weights: Option<(f64, f64)>,
}

impl SymmetricNls {
    /// Asks for cores of size `rank x rank`; tolerance `1e-8`, 20 starts of at most 200 steps, both
    /// residuals relative to the norms of the data.
    pub fn new(rank: usize) -> Self {
        Self {
            rank,
            tol: 1e-8,
            starts: 20,
            max_steps: 200,
            weights: None,
        }
    }

    /// Relative residual at most which the fit is `Converged` without further evidence; in `(0, 1)`.
    #[must_use]
    pub fn tol(self, tol: f64) -> Self {
        Self { tol, ..self }
    }

    /// Random starts, in `1..=10_000`.
    #[must_use]
    pub fn starts(self, starts: usize) -> Self {
        Self { starts, ..self }
    }

    /// Steps for each start, in `1..=100_000`.
    #[must_use]
    pub fn max_steps(self, max_steps: usize) -> Self {
        Self { max_steps, ..self }
    }

    /// Weights of the residuals of `S` and `T`, finite and not negative, not both zero; the inverse noise
    /// levels are best. A zero weight leaves the part out.
    #[must_use]
    pub fn weights(self, gram: f64, tensor: f64) -> Self {
        let weights = Some((gram, tensor));
        Self { weights, ..self }
    }

    /// Fits from the Peirce frame where there are enough outputs and `S` counts, then from random starts.
    ///
    /// # Shapes
    /// `gram` is `d x d`, `t` is `d x d x d`; the model has `d` cores of `r x r`. Locally identifiable from
    /// about `d = 2, 3, 5, 7, 8` on for `r = 2, .., 6`.
    ///
    /// # Errors
    /// `InvalidInput`: an option, or more than 4000 unknowns. `Shape`, `NonFinite`.
    ///
    /// # Complexity
    /// `O(d^3 N^2 + (dN)^3)` for each step, `N = r(r+1)/2`.
    ///
    /// # Accuracy
    /// Local optimisation: a start may end in another minimum; the residual tells.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::decomp::SymmetricNls;
    /// use wickring::laws::ring::planted::random_symmetric_ring;
    ///
    /// let mut rng = ChaCha8Rng::seed_from_u64(1);
    /// // Five outputs, although symmetric 3 x 3 matrices have six dimensions.
    /// let planted = random_symmetric_ring(5, 3, &mut rng)?;
    /// let (s, t) = (planted.gram(), planted.to_dense()?);
    /// let mut watch = wickring::run::unobserved;
    /// let fit = SymmetricNls::new(3).decompose(s.as_ref(), t.view(), &mut rng, &mut watch)?;
    /// assert!(fit.converged()?.align(&planted)?.distance < 1e-6);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn decompose(
        &self,
        gram: MatRef<'_, f64>,
        t: TensorView<'_>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<SymmetricRing>, Error> {
        let problem = self.problem(gram, t)?;
        // Entries of the size that the Gram matrix asks for: Tr S = sum |Q_a|^2.
        let trace: f64 = (0..gram.nrows()).map(|a| gram[(a, a)]).sum();
        let unknowns = problem.unknowns() as f64;
        let size = if trace > 0.0 {
            (trace / unknowns).sqrt()
        } else {
            // Without S: an entry of T is a sum of r^3 products of three entries of random sign.
            let entry = t.norm() / (t.as_slice().len() as f64).sqrt();
            (entry / (self.rank as f64).powf(1.5)).cbrt()
        };
        let size = size.max(f64::MIN_POSITIVE);
        let mut best: Option<Path> = None;
        let mut steps = 0;
        let mut starts = 0;
        if problem.d >= problem.n && problem.weights.0 > 0.0 {
            // Noise may spoil the frame: then it is no start, and random ones are.
            if let Ok(frame) = Peirce::new(self.rank).decompose(gram, t, rng) {
                let path = self.descend(&problem, self.unknowns(&frame.model), observer);
                (starts, steps) = (1, path.history.len() - 1);
                let fit = self.fit(&problem, path.clone(), starts, steps)?;
                if matches!(fit.status, Status::Converged | Status::Stopped) {
                    return Ok(fit);
                }
                best = Some(path);
            }
        }
        for _ in 0..self.starts {
            starts += 1;
            let q = Mat::from_fn(problem.n, problem.d, |_, _| {
                let x: f64 = StandardNormal.sample(&mut *rng);
                x * size
            });
            let path = self.descend(&problem, q, observer);
            steps += path.history.len() - 1;
            let done = path.last() <= self.tol || path.status == Status::Stopped;
            if best.as_ref().is_none_or(|b| path.last() < b.last()) {
                best = Some(path);
            }
            if done {
                break;
            }
        }
        let path = best.ok_or(Error::Stopped { op: OP })?;
        self.fit(&problem, path, starts, steps)
    }

    /// Fits from a given ring, such as that of [`Peirce`](crate::decomp::peirce::decomposition::Peirce).
    ///
    /// # Errors
    /// `Shape` when the start has another rank or number of outputs; otherwise as
    /// [`SymmetricNls::decompose`].
    pub fn refine(
        &self,
        gram: MatRef<'_, f64>,
        t: TensorView<'_>,
        start: &SymmetricRing,
        observer: Observer<'_>,
    ) -> Result<Fit<SymmetricRing>, Error> {
        let problem = self.problem(gram, t)?;
        if (start.rank(), start.outputs()) != (self.rank, problem.d) {
            let expected = format!("{} cores of size {}", problem.d, self.rank);
            let found = format!("{} of size {}", start.outputs(), start.rank());
            return Err(Error::shape(OP, expected, found));
        }
        let path = self.descend(&problem, self.unknowns(start), observer);
        let steps = path.history.len() - 1;
        self.fit(&problem, path, 1, steps)
    }

    /// Isometric coordinates of the cores.
    fn unknowns(&self, ring: &SymmetricRing) -> Mat<f64> {
        let places = places(self.rank);
        Mat::from_fn(places.len(), ring.outputs(), |k, a| {
            let (i, j) = places[k];
            ring.entry(a, i, j) * if i == j { 1.0 } else { 2f64.sqrt() }
        })
    }

    fn problem<'a>(&self, gram: MatRef<'a, f64>, t: TensorView<'a>) -> Result<Problem<'a>, Error> {
        let d = gram.nrows();
        let n = self.rank.saturating_mul(self.rank + 1) / 2;
        let counts = (1..=10_000).contains(&self.starts) && (1..=100_000).contains(&self.max_steps);
        let weight = |w: f64| w.is_finite() && w >= 0.0;
        let weights = self
            .weights
            .is_none_or(|(s, t)| weight(s) && weight(t) && s + t > 0.0);
        let domain = self.tol > 0.0 && self.tol < 1.0 && self.rank > 0 && counts && weights;
        if !domain || d == 0 || n.saturating_mul(d) > MAX_UNKNOWNS {
            let text = format!(
                "rank >= 1, tol in (0, 1), starts in 1..=10000, steps in 1..=100000, weights >= 0, and \
                 d r(r+1)/2 in 1..={MAX_UNKNOWNS}; got {self:?} with d = {d}"
            );
            return Err(Error::invalid(OP, text));
        }
        if gram.ncols() != d || t.dims() != [d, d, d] {
            let found = format!("{d} x {} and {:?}", gram.ncols(), t.dims());
            return Err(Error::shape(OP, "gram d x d and t d x d x d", found));
        }
        t.require_finite(OP)?;
        let finite = (0..d).all(|j| gram.col(j).iter().all(|x| x.is_finite()));
        if !finite {
            return Err(Error::NonFinite { op: OP, index: 0 });
        }
        let norms = (frobenius(gram), t.norm());
        let relative = |x: f64| if x > 0.0 { 1.0 / x } else { 1.0 };
        let (ws, wt) = self
            .weights
            .unwrap_or((relative(norms.0), relative(norms.1)));
        let size = (ws * norms.0).hypot(wt * norms.1);
        let (places, size) = (places(self.rank), if size > 0.0 { size } else { 1.0 });
        Ok(Problem {
            d,
            n,
            r: self.rank,
            gram,
            t,
            weights: (ws * ws, wt * wt),
            size,
            places,
        })
    }

    fn descend(&self, problem: &Problem<'_>, start: Mat<f64>, observer: Observer<'_>) -> Path {
        let mut q = start;
        let mut state = problem.state(&q);
        let mut history = vec![state.residual];
        let (mut damping, mut idle) = (1e-3, 0);
        let mut status = Status::IterationLimit;
        for step in 0..self.max_steps {
            let (normal, gradient) = problem.normal(&q, &state);
            let scale = (0..normal.nrows())
                .map(|i| normal[(i, i)])
                .fold(0.0, f64::max);
            let mut moved = false;
            for _ in 0..RAISES {
                let mut damped = normal.clone();
                for i in 0..damped.nrows() {
                    damped[(i, i)] += damping * scale;
                }
                if let Some(x) = cholesky_solve(damped.as_ref(), gradient.as_ref()) {
                    let next = Mat::from_fn(problem.n, problem.d, |k, a| {
                        q[(k, a)] - x[(k + problem.n * a, 0)]
                    });
                    let fresh = problem.state(&next);
                    if fresh.residual < state.residual {
                        (q, state, moved) = (next, fresh, true);
                        break;
                    }
                }
                damping *= 8.0;
            }
            let last = history[history.len() - 1];
            history.push(state.residual);
            damping = (damping / 10.0).max(1e-15);
            let progress = Progress::open("steps", step as u64 + 1).with_figure(state.residual);
            if observer(&progress).is_break() {
                status = Status::Stopped;
                break;
            }
            // Quadratic convergence: one step beyond the tolerance reaches rounding.
            if state.residual <= self.tol * 1e-4 {
                status = Status::Converged;
                break;
            }
            let gain = last - state.residual > 1e-9 * last;
            idle = if gain { 0 } else { idle + 1 };
            if !moved || idle >= 3 {
                status = Status::Stalled;
                break;
            }
        }
        Path { q, history, status }
    }

    /// What speaks for a model that leaves a residual: it is stationary, and leaves no more than chance does.
    fn inexact(&self, problem: &Problem<'_>, q: &Mat<f64>, residual: f64) -> Vec<Check> {
        let state = problem.state(q);
        let (ws, wt) = problem.weights;
        let mut checks = Vec::new();
        let (normal, gradient) = problem.normal(q, &state);
        let trace: f64 = (0..normal.nrows()).map(|i| normal[(i, i)]).sum();
        let slope = frobenius(gradient.as_ref()) / (trace.sqrt() * residual * problem.size);
        checks.push(Check::accuracy(
            "ring.slope",
            "slope of the residual in the cores",
            slope,
            STATIONARY,
        ));
        let d = problem.d as f64;
        let entries = f64::from(u8::from(ws > 0.0)) * d * (d + 1.0) / 2.0
            + f64::from(u8::from(wt > 0.0)) * d * (d + 1.0) * (d + 2.0) / 6.0;
        let free = problem.unknowns() as f64 - (self.rank * (self.rank - 1) / 2) as f64;
        let chance = (1.0 - free / entries).max(0.0).sqrt();
        checks.push(Check::accuracy(
            "ring.residual-against-chance",
            "residual against chance for so many parameters",
            residual,
            CHANCE * chance,
        ));
        checks.push(Check::accuracy(
            "ring.residual-by-chance",
            "probability that data without structure leave so little, at most",
            by_chance(residual, free, entries),
            FALSE_ALARM,
        ));
        checks
    }

    fn fit(
        &self,
        problem: &Problem<'_>,
        path: Path,
        starts: usize,
        sweeps: usize,
    ) -> Result<Fit<SymmetricRing>, Error> {
        let model = problem.model(&path.q)?;
        // From the model, not from the iteration.
        let gap = frobenius((model.gram() - problem.gram).as_ref());
        let tensor = model.rel_residual(problem.t)? * problem.t.norm();
        let (ws, wt) = problem.weights;
        let residual = (ws.sqrt() * gap).hypot(wt.sqrt() * tensor) / problem.size;
        let exact = Check::accuracy(
            "ring.residual",
            "relative residual of S and T",
            residual,
            self.tol,
        );
        let mut checks = Vec::new();
        let status = if exact.holds() {
            checks.push(exact);
            Status::Converged
        } else {
            checks = self.inexact(problem, &path.q, residual);
            let noise = checks.iter().all(Check::holds);
            checks.push(Check::reported(
                "ring.residual",
                "relative residual of S and T",
                residual,
            ));
            match path.status {
                Status::Stopped => Status::Stopped,
                _ if noise => Status::Converged,
                Status::IterationLimit => Status::IterationLimit,
                _ => Status::Stalled,
            }
        };
        let mut history = path.history;
        if let Some(last) = history.last_mut() {
            *last = residual;
        }
        let work = Work {
            sweeps,
            starts,
            ..Work::default()
        };
        let evidence = Evidence {
            rel_residual: residual,
            condition: 1.0,
            checks,
        };
        Ok(Fit {
            model,
            status,
            history,
            work,
            evidence,
        })
    }
}

/// Where one descent ended.
#[derive(Clone)]
struct Path {
    q: Mat<f64>,
    history: Vec<f64>,
    status: Status,
}

impl Path {
    fn last(&self) -> f64 {
        self.history.last().copied().unwrap_or(f64::INFINITY)
    }
}
