//! The fixed point for convex losses of the margin on the signs of a teacher.
//!
//! With `r = m / sqrt(rho q)` the correlation of the fields, `u = prox(sqrt(q) xi)` and `f = (u - a) / V`,
//!
//! ```text
//! Vh = -2 alpha E[Phi(c xi) f'],  qh = 2 alpha E[Phi(c xi) f^2],  c = r / sqrt(1 - r^2)
//! mh = 2 alpha / sqrt(2 pi rho gamma) E f(sqrt(q (1 - r^2)) xi)
//! ```
//!
//! where both labels give the same value, and in `mh` the Gaussian of the label has been merged with that of
//! the field, which leaves no narrow peak when the student is nearly perfect.

use super::loss::MarginLoss;
use super::nodes::PanelRule;
use super::ridge::sign_error;
use super::task::{BatchPoint, Hats, Task};
use crate::fit::{Check, Evidence, Fit, Work};
use crate::poly::gaussian::normal_cdf;
use crate::{Error, Status};

const OP: &str = "MarginLearner::predict";
/// Past iterates that one step combines.
const DEPTH: usize = 3;

/// A convex loss of the margin together with the options of the solver.
#[derive(Clone, Copy)]
pub struct MarginLearner<'a> {
    loss: &'a dyn MarginLoss,
    tol: f64,
    max_iterations: usize,
}

impl std::fmt::Debug for MarginLearner<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MarginLearner")
            .field("loss", &self.loss.name())
            .field("tol", &self.tol)
            .field("max_iterations", &self.max_iterations)
            .finish()
    }
}

/// `(ln V, ln q, r)`: free of scale, so that separable labels at small `lambda` are no special case.
type Coordinates = [f64; 3];

impl<'a> MarginLearner<'a> {
    /// A learner with a loss.
    pub fn new(loss: &'a dyn MarginLoss) -> Self {
        Self {
            loss,
            tol: 1e-11,
            max_iterations: 5000,
        }
    }

    /// Tolerance on one step of the map in `(ln V, ln q, r)`; default `1e-11`. Domain: `(0, 0.1]`.
    #[must_use]
    pub fn tol(mut self, tol: f64) -> Self {
        self.tol = tol;
        self
    }

    /// Budget of evaluations of the map; default 5000.
    #[must_use]
    pub fn max_iterations(mut self, budget: usize) -> Self {
        self.max_iterations = budget;
        self
    }

    /// Refuses options and tasks outside of their domain.
    fn require(&self, task: &Task, alpha: f64, lambda: f64) -> Result<(), Error> {
        Task::check_point(OP, alpha, lambda)?;
        if !(self.tol > 0.0 && self.tol <= 0.1) || self.max_iterations == 0 {
            let requirement = "a tolerance in (0, 0.1] and a positive budget";
            return Err(Error::invalid(OP, requirement));
        }
        if task.mean(|w, _| w) == 0.0 {
            let hypothesis = "features that are not all zero (mean eigenvalue)";
            return Err(Error::degenerate(OP, hypothesis, 0.0));
        }
        Ok(())
    }

    /// Solves the equations at one sample ratio and regularisation.
    ///
    /// Anderson acceleration of depth three on the map, restarted with a damped step whenever the step
    /// length doubles; convergence is decided by the equations evaluated with twice as many nodes.
    ///
    /// # Errors
    /// `InvalidInput`: `alpha`, `lambda`, tolerance or budget outside their domain.
    ///
    /// # Complexity
    /// `O(iterations (nodes + p))`, 300 to 1000 nodes, typically 10 to 40 iterations.
    /// Here `p` is the number of features.
    ///
    /// # Example
    /// ```
    /// use wickring::theory::batch::{Logistic, MarginLearner, Task};
    /// let task = Task::from_spectrum(vec![1.0; 4], vec![0.5; 4], 0.5, 1.0)?;
    /// let learner = MarginLearner::new(&Logistic);
    /// let few = learner.predict(&task, 1.0, 0.1)?.converged()?;
    /// let many = learner.predict(&task, 8.0, 0.1)?.converged()?;
    /// assert!(many.error < few.error && few.error < 0.5);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    ///
    /// # Source
    /// Loureiro et al. 2021, logistic regression; the coordinates and the solver are ours.
    pub fn predict(&self, task: &Task, alpha: f64, lambda: f64) -> Result<Fit<BatchPoint>, Error> {
        self.require(task, alpha, lambda)?;
        let map = Map {
            task,
            loss: self.loss,
            alpha,
            lambda,
            rule: PanelRule::new(1.0)?,
        };
        let (x, history) = self.iterate(&map);
        let finer = Map {
            rule: PanelRule::new(0.5)?,
            ..map
        };
        let residual = distance(&finer.apply(&x), &x);
        let allowed = (100.0 * self.tol).max(1e-9);
        let evidence = Evidence {
            rel_residual: residual,
            condition: 1.0,
            checks: vec![Check::accuracy(
                "batch.residual",
                "residual of the equations with twice the nodes",
                residual,
                allowed,
            )],
        };
        let reached = history.last().is_some_and(|step| *step <= self.tol);
        let status = match (reached, evidence.holds()) {
            (true, true) => Status::Converged,
            (true, false) => Status::IllConditioned,
            (false, _) if history.len() > self.max_iterations => Status::IterationLimit,
            (false, _) => Status::Stalled,
        };
        let (v, q, m) = finer.parameters(&x);
        Ok(Fit {
            model: BatchPoint {
                alpha,
                lambda,
                v,
                q,
                m,
                error: sign_error(q, m, task.rho),
                train: finer.train(&x),
            }
            .finite(OP)?,
            status,
            work: Work {
                sweeps: history.len().saturating_sub(1),
                ..Work::default()
            },
            history,
            evidence,
        })
    }

    /// The fixed point and the step lengths on the way.
    fn iterate(&self, map: &Map<'_>) -> (Coordinates, Vec<f64>) {
        let scale = map.task.mean(|w, _| w);
        let mut x: Coordinates = [scale.ln(), scale.ln(), 0.3];
        let mut history = Vec::new();
        let mut past: Vec<(Coordinates, Coordinates)> = Vec::new();
        let mut best = (f64::INFINITY, x);
        for _ in 0..=self.max_iterations {
            let image = map.apply(&x);
            let length = distance(&image, &x);
            history.push(length);
            if !length.is_finite() {
                return (best.1, history);
            }
            if length < best.0 {
                best = (length, x);
            }
            if length <= self.tol {
                return (x, history);
            }
            let previous = history.len().checked_sub(2).map_or(length, |i| history[i]);
            if length > 2.0 * previous {
                past.clear();
            }
            past.push((x, image));
            if past.len() > DEPTH + 1 {
                past.remove(0);
            }
            x = match accelerated(&past) {
                Some(next) => next,
                None => std::array::from_fn(|i| 0.5 * (x[i] + image[i])),
            };
            x[2] = x[2].clamp(-1.0 + 1e-14, 1.0 - 1e-14);
        }
        (best.1, history)
    }
}

/// The length of a step of the map.
fn distance(a: &Coordinates, b: &Coordinates) -> f64 {
    let gaps = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    gaps.fold(0.0, |s, g| if g.is_nan() { g } else { s.max(g) })
}

/// Anderson's combination of past iterates; `None` when there are too few or their steps are dependent,
/// or when the combination would jump by more than two in a coordinate.
fn accelerated(past: &[(Coordinates, Coordinates)]) -> Option<Coordinates> {
    let (x, image) = past.last()?;
    let step = |p: &(Coordinates, Coordinates)| -> Coordinates {
        std::array::from_fn(|i| p.1[i] - p.0[i])
    };
    let now = step(past.last()?);
    let older = &past[..past.len() - 1];
    if older.is_empty() {
        return None;
    }
    // Least squares for the weights of step differences, by Gram-Schmidt (at most three columns).
    let columns = older.iter().map(|p| {
        let s = step(p);
        let change: Coordinates = std::array::from_fn(|i| now[i] - s[i]);
        let moved: Coordinates = std::array::from_fn(|i| image[i] - p.1[i]);
        (change, moved)
    });
    let dot = |a: &Coordinates, b: &Coordinates| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut basis: Vec<(Coordinates, Coordinates)> = Vec::new();
    for (mut change, mut moved) in columns.rev() {
        let full = dot(&change, &change);
        for (b, mb) in &basis {
            let c = dot(b, &change);
            (0..3).for_each(|i| {
                change[i] -= c * b[i];
                moved[i] -= c * mb[i];
            });
        }
        let left = dot(&change, &change);
        // Nearly dependent changes carry no information but rounding.
        if !(left > 1e-12 * full) {
            continue;
        }
        let norm = left.sqrt();
        basis.push((change.map(|c| c / norm), moved.map(|m| m / norm)));
    }
    let mut next = *image;
    for (b, moved) in &basis {
        let c = dot(b, &now);
        (0..3).for_each(|i| next[i] -= c * moved[i]);
    }
    let sane = next.iter().zip(x).all(|(n, x)| (n - x).abs() <= 2.0) && next[2].abs() < 1.0;
    (sane && !basis.is_empty()).then_some(next)
}

/// One application of the fixed-point equations.
struct Map<'a> {
    task: &'a Task,
    loss: &'a dyn MarginLoss,
    alpha: f64,
    lambda: f64,
    rule: PanelRule,
}

impl Map<'_> {
    fn parameters(&self, x: &Coordinates) -> (f64, f64, f64) {
        let (v, q) = (x[0].exp(), x[1].exp());
        (v, q, x[2] * (q * self.task.rho).sqrt())
    }

    fn apply(&self, x: &Coordinates) -> Coordinates {
        let (v, q, m) = self.task.overlaps(self.hats(x), self.lambda);
        let r = if q > 0.0 {
            m / (q * self.task.rho).sqrt()
        } else {
            0.0
        };
        [v.ln(), q.ln(), r]
    }

    /// Where the integrand bends, in standard deviations, when `a = spread * xi`.
    fn places(&self, v: f64, spread: f64) -> Vec<(f64, f64)> {
        let features = self.loss.features(v).into_iter();
        features
            .map(|f| (f.at / spread, f.width / spread))
            .collect()
    }

    fn hats(&self, x: &Coordinates) -> Hats {
        let (v, q, _) = self.parameters(x);
        let (r, rest) = (x[2], ((1.0 - x[2]) * (1.0 + x[2])).sqrt());
        let (spread, c) = (q.sqrt(), x[2] / rest);
        let mut places = self.places(v, spread);
        places.push((0.0, 1.0 / c.abs().max(1.0)));
        let [hat_v, hat_q] = self.rule.sum(&places, &mut |xi| {
            let p = self.loss.prox(spread * xi, v);
            let share = if r == 0.0 { 0.5 } else { normal_cdf(c * xi) };
            [-share * p.slope, share * p.pull * p.pull]
        });
        let narrow = spread * rest;
        let [mean] = self.rule.sum(&self.places(v, narrow), &mut |xi| {
            [self.loss.prox(narrow * xi, v).pull]
        });
        let two = 2.0 * self.alpha;
        let unit = (2.0 * std::f64::consts::PI * self.task.rho * self.task.gamma).sqrt();
        Hats {
            v: two * hat_v,
            q: two * hat_q,
            m: two / unit * mean,
        }
    }

    /// The mean training loss: that of the proximal point.
    fn train(&self, x: &Coordinates) -> f64 {
        let (v, q, _) = self.parameters(x);
        let rest = ((1.0 - x[2]) * (1.0 + x[2])).sqrt();
        let (spread, c) = (q.sqrt(), x[2] / rest);
        let mut places = self.places(v, spread);
        places.push((0.0, 1.0 / c.abs().max(1.0)));
        let [loss] = self.rule.sum(&places, &mut |xi| {
            [2.0 * normal_cdf(c * xi) * self.loss.loss(self.loss.prox(spread * xi, v).u)]
        });
        loss
    }
}
