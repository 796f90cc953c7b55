//! Online (one-pass) gradient descent of a two-layer student: its learning curve without training it.
//!
//! A student `yhat = sum_k v_k g(w_k.x/sqrt N)` sees each pair once, inputs `x = G(c)` and labels
//! `y = sum_m A_m g(B_m.c/sqrt D)` made from the latents, and takes a gradient step of the squared loss:
//!
//! ```text
//! w_k -= lr/sqrt(N) v_k e g'(w_k.x/sqrt N) x,     v_k -= lr_second/N e g(w_k.x/sqrt N),     e = yhat - y
//! ```
//!
//! When the fields are jointly Gaussian in the limit (Gaussian equivalence) the second moments of the
//! fields obey closed equations in the time `t = steps / N`; [`OnlineSgd::predict`] integrates them.

use super::committee::Committee;
use super::equations::Equations;
use super::modes::Modes;
use super::ode::{Integration, Stepping, integrate};
use crate::fit::{Check, Evidence, Fit, Work};
use crate::run::Observer;
use crate::theory::covariance::Covariances;
use crate::theory::generator::neuron::StudentActivation;
use crate::{Error, Status};

/// Online learning of a two-layer student; see the module page.
#[derive(Clone, Debug, PartialEq)]
pub struct OnlineSgd {
    pub(in crate::theory) neuron: StudentActivation,
    pub(in crate::theory) rate_first: f64,
    pub(in crate::theory) rate_second: f64,
    pub(in crate::theory) label_noise: f64,
    method: Stepping,
    bin_width: f64,
    max_steps: usize,
}

/// Who learns from whom, on which inputs, and when to look.
///
/// See [`OnlineSgd::predict`] for an example.
#[derive(Clone, Copy, Debug)]
pub struct Lesson<'a> {
    /// Covariances of the inputs.
    pub law: &'a Covariances,
    /// The student at time 0, on the inputs.
    pub student: &'a Committee,
    /// The teacher, on the latents.
    pub teacher: &'a Committee,
    /// Times in units of `N` steps, nonnegative and nondecreasing.
    pub times: &'a [f64],
}

/// The state of learning at one time.
///
/// See [`OnlineSgd::predict`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// Steps divided by the number of inputs.
    pub time: f64,
    /// Generalisation error `E (yhat - y)^2 / 2`, label noise not counted.
    pub error: f64,
    /// Student overlaps `Q`, `K x K` by rows.
    pub q: Vec<f64>,
    /// Student-teacher overlaps `R`, `K x M` by rows.
    pub r: Vec<f64>,
    /// Second-layer weights of the student.
    pub second: Vec<f64>,
}

impl Moment {
    /// `Q`, `R` and the second layer.
    pub fn parts(&self) -> [&[f64]; 3] {
        [&self.q, &self.r, &self.second]
    }
}

/// A learning curve.
///
/// See [`OnlineSgd::predict`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct Trajectory {
    /// One entry per requested time that was reached.
    pub moments: Vec<Moment>,
    /// Teacher overlaps, `M x M` by rows; constant.
    pub teacher: Vec<f64>,
    /// How the equations were integrated; `None` for a simulation.
    pub integration: Option<Integration>,
}

/// Distance of a curve by fixed steps from the adaptive one at which it is not that of the equations; Euler at the published
/// step is off by about 0.01.
const FIXED_STEP: f64 = 0.1;

impl OnlineSgd {
    /// Student and teacher with activation `neuron`, learning rate `rate` in both layers.
    pub fn new(neuron: StudentActivation, rate: f64) -> Self {
        Self {
            neuron,
            rate_first: rate,
            rate_second: rate,
            label_noise: 0.0,
            method: Stepping::Adaptive(1e-8),
            bin_width: 0.0,
            max_steps: 2_000_000,
        }
    }

    /// Learning rate of the second layer; 0 keeps it fixed. Domain: `[0, 1000]`.
    #[must_use]
    pub fn rate_second(mut self, rate: f64) -> Self {
        self.rate_second = rate;
        self
    }

    /// Variance of Gaussian noise on the labels; default 0. Domain: nonnegative.
    #[must_use]
    pub fn label_noise(mut self, variance: f64) -> Self {
        self.label_noise = variance;
        self
    }

    /// How the equations are integrated; default adaptive with tolerance `1e-8`.
    #[must_use]
    pub fn method(mut self, method: Stepping) -> Self {
        self.method = method;
        self
    }

    /// Relative width of the bins of the spectrum; default 0, equal eigenvalues only. Domain: `[0, 1]`.
    #[must_use]
    pub fn bin_width(mut self, width: f64) -> Self {
        self.bin_width = width;
        self
    }

    /// Budget of integration steps; default two million.
    #[must_use]
    pub fn max_steps(mut self, steps: usize) -> Self {
        self.max_steps = steps;
        self
    }

    /// The activation.
    pub fn neuron(&self) -> &StudentActivation {
        &self.neuron
    }

    pub(in crate::theory) fn check(&self, op: &'static str) -> Result<(), Error> {
        let domains = [
            ("the learning rate", self.rate_first, self.rate_first > 0.0),
            (
                "the second learning rate",
                self.rate_second,
                self.rate_second >= 0.0,
            ),
            ("the label noise", self.label_noise, self.label_noise >= 0.0),
        ];
        for (name, value, good) in domains {
            if !good || value > 1000.0 {
                return Err(Error::invalid(
                    op,
                    format!("{name} is out of range: {value}"),
                ));
            }
        }
        Ok(())
    }

    /// The curve against one at a coarser step.
    fn step_change(
        &self,
        problem: &Problem<'_>,
        model: &Trajectory,
        observer: Observer<'_>,
    ) -> Result<Check, Error> {
        // The error of a fixed step is what the caller asked for, as long as the curve is still that of the equations.
        let (coarse, allowed) = match self.method {
            Stepping::Adaptive(tol) => (Stepping::Adaptive((100.0 * tol).min(0.1)), 1e-4),
            // Times asked for cut steps short, so another fixed step may be the same one.
            Stepping::Euler(_) | Stepping::RungeKutta4(_) => (Stepping::Adaptive(1e-6), FIXED_STEP),
        };
        let other = self.solve(problem, coarse, observer)?;
        let spread = largest_gap(&model.moments, &other.moments);
        let name = "change of the order parameters at a coarser step, relative";
        Ok(Check::accuracy("online.step-change", name, spread, allowed))
    }

    /// Predicts the learning curve at the times of the lesson.
    ///
    /// The certificate compares the run with one at a hundred times the tolerance (of fixed steps, with the adaptive one), and
    /// the overlaps at time 0 with those computed without the spectrum.
    ///
    /// # Shapes
    /// The student has `N` inputs, the teacher has `D`.
    ///
    /// # Errors
    /// `InvalidInput`: an option out of its domain. `Shape`, `NonFinite`, `Degenerate`: the covariances.
    ///
    /// # Complexity
    /// `O(N^3)` for the spectrum, then `O(bins K^2 (K + M) + K^2 (K + M)^2)` per evaluation.
    /// Here `K` is the number of units of the student and `M` the number of units of the teacher.
    ///
    /// # Example
    /// ```
    /// use faer::mat;
    /// use wickring::run::unobserved;
    /// use wickring::theory::{Committee, Covariances, Lesson, StudentActivation, OnlineSgd};
    /// let law = Covariances::new(mat![[1.0, 0.3], [0.3, 1.0]], mat![[0.8], [0.6]])?;
    /// let student = Committee::new(mat![[0.1, -0.2]], vec![1.0])?;
    /// let teacher = Committee::new(mat![[1.0]], vec![1.0])?;
    /// let lesson = Lesson { law: &law, student: &student, teacher: &teacher, times: &[0.0, 20.0] };
    /// let curve = OnlineSgd::new(StudentActivation::erf(), 0.2).predict(&lesson, &mut unobserved)?.converged()?;
    /// assert!(curve.moments[1].error < curve.moments[0].error);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    ///
    /// # Source
    /// Goldt, Loureiro, Reeves, Krzakala, Mezard and Zdeborova 2020, section 3, in Stein form.
    pub fn predict(
        &self,
        lesson: &Lesson<'_>,
        observer: Observer<'_>,
    ) -> Result<Fit<Trajectory>, Error> {
        let op = "OnlineSgd::predict";
        self.check(op)?;
        let Lesson {
            law,
            student,
            teacher,
            ..
        } = *lesson;
        let modes = Modes::new(law, student, teacher, self.bin_width)?;
        let overlaps = student.overlaps(teacher, law)?;
        let problem = Problem {
            modes: &modes,
            lesson,
            overlap: &overlaps.t,
        };
        let model = self.solve(&problem, self.method, observer)?;
        let (status, steps) = match &model.integration {
            Some(i) => (i.status, i.steps),
            None => (Status::Stalled, 0),
        };
        let mut checks = Vec::new();
        if status == Status::Converged {
            checks.push(self.step_change(&problem, &model, observer)?);
        }
        let start = start_gap(&modes, &overlaps.q, student.units());
        // Bins of positive width merge eigenvalues that differ: the error is of the order of the width.
        let allowed = 1e-10 + self.bin_width;
        checks.push(Check::accuracy(
            "online.start-gap",
            "overlaps at time 0 from the bins, relative",
            start,
            allowed,
        ));
        let evidence = Evidence {
            rel_residual: start,
            condition: 1.0,
            checks,
        };
        let status = match status {
            Status::Converged if !evidence.holds() => Status::IllConditioned,
            status => status,
        };
        Ok(Fit {
            history: vec![evidence.rel_residual],
            work: Work {
                sweeps: steps,
                ..Work::default()
            },
            model,
            status,
            evidence,
        })
    }

    /// By how many times a single sample changes the output that it was learned from, at the largest field that so many steps
    /// are likely to meet: `rate v^2 g'(z)^2 tr Omega / N` with `z = (2 Q log n)^(1/2)` after `n` steps.
    ///
    /// From 2 on a step overshoots by more than it corrects, from 4 on it leaves three times the error that it met. The
    /// equations average over samples and do not see that: where `g'` grows, rare samples then rule the simulation at any
    /// finite `N`.
    ///
    /// # Errors
    /// `Shape` when student, teacher and law do not fit.
    pub fn largest_step(&self, lesson: &Lesson<'_>) -> Result<f64, Error> {
        let Lesson { law, student, .. } = *lesson;
        let overlaps = student.overlaps(lesson.teacher, law)?;
        let (k, n) = (student.units(), law.inputs() as f64);
        let omega = law.omega();
        let spread = (0..law.inputs()).map(|i| omega[(i, i)]).sum::<f64>() / n;
        let steps = lesson.times.iter().copied().fold(0.0, f64::max) * n;
        let one = |unit: usize| {
            let field = (2.0 * overlaps.q[unit * k + unit] * steps.max(2.0).ln()).sqrt();
            // The slope of a polynomial need not be greatest at the end.
            let slope = (0..=8).map(|i| self.neuron.slope(field * f64::from(i) / 8.0).powi(2));
            let slope = slope.fold(0.0, f64::max);
            self.rate_first * student.second()[unit].powi(2) * slope * spread
        };
        Ok((0..k).map(one).fold(0.0, f64::max))
    }

    fn solve(
        &self,
        problem: &Problem<'_>,
        method: Stepping,
        observer: Observer<'_>,
    ) -> Result<Trajectory, Error> {
        let Lesson { student, times, .. } = *problem.lesson;
        let k = student.units();
        let mut system = Equations::new(self, problem);
        let mut reader = system.clone();
        let mut moments = Vec::with_capacity(times.len());
        let mut sink = |time: f64, y: &[f64]| {
            let (q, r, error) = reader.observe(y);
            let second = y[y.len() - k..].to_vec();
            moments.push(Moment {
                time,
                error,
                q,
                r,
                second,
            });
        };
        let start = system.start(student.second());
        let steps = self.max_steps;
        let done = integrate(
            &mut system,
            &start,
            times,
            method,
            steps,
            observer,
            &mut sink,
        )?;
        Ok(Trajectory {
            moments,
            teacher: problem.overlap.to_vec(),
            integration: Some(done),
        })
    }
}

/// A lesson seen through the spectrum of its inputs.
pub(in crate::theory) struct Problem<'a> {
    pub modes: &'a Modes,
    pub lesson: &'a Lesson<'a>,
    /// `B B'/D` by rows.
    pub overlap: &'a [f64],
}

/// The greatest change of `Q`, `R` and `v` between two curves, relative to the largest entry of each kind.
fn largest_gap(a: &[Moment], b: &[Moment]) -> f64 {
    if a.len() != b.len() {
        return f64::INFINITY;
    }
    let mut worst = 0.0f64;
    for part in 0..3 {
        let largest = a.iter().flat_map(|m| m.parts()[part]);
        // Order parameters below a thousandth do not matter beside a learning curve.
        let scale = largest.fold(1e-3f64, |s, x| s.max(x.abs()));
        for (a, b) in a.iter().zip(b) {
            for (x, y) in a.parts()[part].iter().zip(b.parts()[part]) {
                let gap = (x - y).abs() / scale;
                worst = if gap.is_nan() { gap } else { worst.max(gap) };
            }
        }
    }
    worst
}

/// How far the binned densities are from `Q` at time 0.
fn start_gap(modes: &Modes, q: &[f64], k: usize) -> f64 {
    let bins = modes.bins();
    let (mut worst, mut block) = (0.0f64, 0);
    let size = q.iter().fold(f64::MIN_POSITIVE, |s, x| s.max(x.abs()));
    for l in 0..k {
        for i in 0..=l {
            let part = modes.q[block * bins..][..bins].iter();
            let sum: f64 = part.zip(&modes.eigenvalues).map(|(q, e)| q * e).sum();
            worst = worst.max((sum - q[i * k + l]).abs() / size);
            block += 1;
        }
    }
    worst
}
