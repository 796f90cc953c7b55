//! Initial value problems: Dormand-Prince 5(4) with step control and dense output, Euler and Runge-Kutta 4.
//!
//! The equations of online learning are autonomous and not stiff unless the learning rate times the
//! largest eigenvalue is large, in which case the adaptive step settles at the stability limit.

use super::dormand_prince::{TABLEAU, combine, error_norm, first_step, interpolate};
use crate::Error;
use crate::Status;
use crate::run::{Observer, Progress};

/// An autonomous system `y' = f(y)` of known size.
///
/// # Example
/// ```
/// use wickring::Status;
/// use wickring::run::unobserved;
/// use wickring::theory::{Stepping, System, integrate};
/// struct Decay;
/// impl System for Decay {
///     fn rate(&mut self, y: &[f64], rate: &mut [f64]) {
///         rate[0] = -y[0];
///     }
///     fn blocks(&self) -> &[usize] {
///         &[1]
///     }
/// }
/// let (mut end, method) = (f64::NAN, Stepping::Adaptive(1e-10));
/// let mut keep = |_: f64, y: &[f64]| end = y[0];
/// let done = integrate(&mut Decay, &[1.0], &[1.0], method, 1000, &mut unobserved, &mut keep)?;
/// assert!(done.status == Status::Converged && (end - (-1f64).exp()).abs() < 1e-8);
/// # Ok::<(), wickring::Error>(())
/// ```
pub trait System {
    /// Writes `f(y)` into `rate`, overwriting it.
    fn rate(&mut self, y: &[f64], rate: &mut [f64]);
    /// Ends of the blocks of `y` whose error is measured together, increasing, the last one `y.len()`.
    fn blocks(&self) -> &[usize];
}

/// How a trajectory is computed.
///
/// See [`System`] for an example.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stepping {
    /// Dormand-Prince 5(4): local error per step at most this, relative to each block's norm.
    Adaptive(f64),
    /// Explicit Euler with this step; what published trajectories were made with.
    Euler(f64),
    /// The classical Runge-Kutta method of order four with this step.
    RungeKutta4(f64),
}

impl Stepping {
    /// Checks the step or tolerance.
    fn check(self, op: &'static str) -> Result<(), Error> {
        let (name, value) = match self {
            Self::Adaptive(tol) => ("tolerance", tol),
            Self::Euler(h) | Self::RungeKutta4(h) => ("step", h),
        };
        let most = if matches!(self, Self::Adaptive(_)) {
            0.1
        } else {
            1e6
        };
        if value > 0.0 && value <= most {
            return Ok(());
        }
        let requirement = format!("the {name} must lie in (0, {most}], got {value}");
        Err(Error::invalid(op, requirement))
    }
}

/// What an integration consumed and how it ended.
///
/// See [`System`] for an example.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Integration {
    /// `Converged`: every time was reached. `IterationLimit`: the step budget ran out.
    /// `Stalled`: the solution left the finite numbers. `Stopped`: the observer asked.
    pub status: Status,
    /// Accepted steps.
    pub steps: usize,
    /// Evaluations of the right-hand side.
    pub evaluations: usize,
    /// The time that was reached.
    pub reached: f64,
}

/// Integrates from time 0 and hands `(time, state)` to `sink` at each of `times`.
///
/// # Shapes
/// `times` is nondecreasing and nonnegative; `start` has the length of the system.
///
/// # Errors
/// `InvalidInput`: tolerance, step, times or budget outside their domain. `NonFinite`: `start`.
///
/// # Complexity
/// One evaluation per Euler step, four per Runge-Kutta step, six per adaptive step; nine vectors of memory.
///
/// # Source
/// Dormand and Prince 1980; step control and dense output as in Hairer, Norsett and Wanner, II.4-II.6.
pub fn integrate(
    system: &mut dyn System,
    start: &[f64],
    times: &[f64],
    method: Stepping,
    max_steps: usize,
    observer: Observer<'_>,
    sink: &mut dyn FnMut(f64, &[f64]),
) -> Result<Integration, Error> {
    let op = "theory::integrate";
    method.check(op)?;
    let ordered = times.windows(2).all(|w| w[0] <= w[1]);
    let finite = times.iter().all(|t| t.is_finite() && *t >= 0.0);
    if !ordered || !finite || times.is_empty() || max_steps == 0 {
        let what = "times must be finite, nonnegative and nondecreasing, the step budget positive";
        return Err(Error::invalid(op, what));
    }
    if let Some(index) = start.iter().position(|x| !x.is_finite()) {
        return Err(Error::NonFinite { op, index });
    }
    let mut run = Run {
        system,
        times,
        max_steps,
        observer,
        sink,
        done: Integration {
            status: Status::Converged,
            steps: 0,
            evaluations: 0,
            reached: 0.0,
        },
    };
    run.done.status = match method {
        Stepping::Adaptive(tol) => run.adaptive(start, tol),
        Stepping::Euler(h) => run.fixed(start, h, 1),
        Stepping::RungeKutta4(h) => run.fixed(start, h, 4),
    };
    Ok(run.done)
}

/// One integration under way.
struct Run<'a> {
    system: &'a mut dyn System,
    times: &'a [f64],
    max_steps: usize,
    observer: Observer<'a>,
    sink: &'a mut dyn FnMut(f64, &[f64]),
    done: Integration,
}

impl Run<'_> {
    fn rate(&mut self, y: &[f64], out: &mut [f64]) {
        self.done.evaluations += 1;
        self.system.rate(y, out);
    }

    /// Counts a step; `Some` ends the run.
    fn step_taken(&mut self, time: f64, end: f64) -> Option<Status> {
        self.done.steps += 1;
        self.done.reached = time;
        if self.done.steps.is_multiple_of(64) {
            let share = (1e6 * time / end.max(f64::MIN_POSITIVE)) as u64;
            let progress = Progress::of("equations of motion", share, 1_000_000);
            if (self.observer)(&progress).is_break() {
                return Some(Status::Stopped);
            }
        }
        (self.done.steps >= self.max_steps).then_some(Status::IterationLimit)
    }

    /// Euler or Runge-Kutta with a step of `h`, shortened to land on every requested time.
    ///
    /// Steps are counted between two outputs rather than added up, so that a long run does not drift off
    /// its grid.
    fn fixed(&mut self, start: &[f64], h: f64, order: usize) -> Status {
        let n = start.len();
        let mut y = start.to_vec();
        let mut k = vec![vec![0.0; n]; order];
        let mut stage = vec![0.0; n];
        let (times, mut from) = (self.times, 0.0);
        let end = times.last().copied().unwrap_or(0.0);
        for &target in times {
            let count = ((target - from) / h - 1e-9).ceil().max(0.0);
            for i in 0..count as u64 {
                let at = from + i as f64 * h;
                let h = h.min(target - at);
                self.rate(&y, &mut k[0]);
                for s in 1..order {
                    let reach = if s == 3 { h } else { h / 2.0 };
                    for (x, (y, k)) in stage.iter_mut().zip(y.iter().zip(&k[s - 1])) {
                        *x = y + reach * k;
                    }
                    self.rate(&stage, &mut k[s]);
                }
                for (i, y) in y.iter_mut().enumerate() {
                    *y += match order {
                        1 => h * k[0][i],
                        _ => h / 6.0 * (k[0][i] + 2.0 * k[1][i] + 2.0 * k[2][i] + k[3][i]),
                    };
                }
                if !y.iter().all(|x| x.is_finite()) {
                    return Status::Stalled;
                }
                if let Some(status) = self.step_taken(at + h, end) {
                    return status;
                }
            }
            from = target;
            (self.sink)(target, &y);
        }
        self.done.reached = end;
        Status::Converged
    }

    /// The rates `k` of the six stages after the first; `stage` is left at the fifth-order solution.
    fn stages(&mut self, y: &[f64], h: f64, stage: &mut [f64], k: &mut [Vec<f64>]) {
        for s in 1..7 {
            let row = &TABLEAU[s - 1];
            combine(stage, y, h, &row[..s], k);
            let (_, later) = k.split_at_mut(s);
            self.done.evaluations += 1;
            self.system.rate(stage, &mut later[0]);
        }
    }

    /// Dormand-Prince 5(4) with a proportional-integral controller.
    fn adaptive(&mut self, start: &[f64], tol: f64) -> Status {
        let n = start.len();
        let end = self.times.last().copied().unwrap_or(0.0);
        let (mut y, mut next, mut stage) = (start.to_vec(), vec![0.0; n], vec![0.0; n]);
        let mut k = vec![vec![0.0; n]; 7];
        self.rate(&y, &mut k[0]);
        let mut h =
            first_step(&y, &k[0], self.system.blocks(), tol).min(end.max(f64::MIN_POSITIVE));
        let (mut t, mut previous, mut pending) = (0.0, 1e-4f64, 0);
        while pending < self.times.len() && self.times[pending] <= t {
            (self.sink)(t, &y);
            pending += 1;
        }
        let mut rejected = 0;
        while pending < self.times.len() {
            if t + h > end {
                h = end - t;
            }
            self.stages(&y, h, &mut stage, &mut k);
            // The last row of the tableau is the fifth-order solution: first same as last.
            next.copy_from_slice(&stage);
            let error = error_norm(&y, &next, &k, h, self.system.blocks(), tol);
            if error.is_nan() || error > 1.0 {
                rejected += 1;
                h *= if error.is_finite() {
                    (0.9 * error.powf(-0.2)).clamp(0.1, 0.9)
                } else {
                    0.1
                };
                if h < 1e-14 * t.max(1e-3) || rejected > 200 {
                    return Status::Stalled;
                }
                continue;
            }
            let reached = if t + h >= end { end } else { t + h };
            while pending < self.times.len() && self.times[pending] <= reached {
                interpolate(&mut stage, &y, &next, &k, h, (self.times[pending] - t) / h);
                (self.sink)(self.times[pending], &stage);
                pending += 1;
            }
            t = reached;
            std::mem::swap(&mut y, &mut next);
            k.swap(0, 6);
            // Exponents 0.2 - 0.75 * 0.04 and 0.04: the values that Hairer's DOPRI5 stabilises with.
            let floor = error.max(1e-10);
            let factor = 0.9 * floor.powf(-0.17) * previous.powf(0.04);
            h *= factor.clamp(0.2, if rejected > 0 { 1.0 } else { 8.0 });
            (previous, rejected) = (floor.max(1e-4), 0);
            if let Some(status) = self.step_taken(t, end)
                && pending < self.times.len()
            {
                return status;
            }
        }
        Status::Converged
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::unobserved;

    /// The harmonic oscillator, or a solution that leaves the finite numbers at time 1.
    struct Oscillator(bool);
    impl System for Oscillator {
        fn rate(&mut self, y: &[f64], rate: &mut [f64]) {
            (rate[0], rate[1]) = if self.0 {
                (y[0] * y[0], 0.0)
            } else {
                (y[1], -y[0])
            };
        }
        fn blocks(&self) -> &[usize] {
            &[2]
        }
    }

    fn worst(method: Stepping) -> (f64, Integration) {
        let times: Vec<f64> = (0..=40).map(|i| f64::from(i) * 0.25).collect();
        let mut gap = 0.0f64;
        let mut sink = |t: f64, y: &[f64]| gap = gap.max((y[0] - t.cos()).abs());
        let mut watch = unobserved;
        let start = [1.0, 0.0];
        let done = integrate(
            &mut Oscillator(false),
            &start,
            &times,
            method,
            100_000,
            &mut watch,
            &mut sink,
        );
        (gap, done.unwrap())
    }

    #[test]
    fn every_method_reaches_its_order() {
        let (tight, loose) = (
            worst(Stepping::Adaptive(1e-10)),
            worst(Stepping::Adaptive(1e-6)),
        );
        assert_eq!(tight.1.status, Status::Converged);
        // Ten units of time at a local error of tol per step; 1000 covers the number of steps.
        assert!(tight.0 < 1e-7 && loose.0 < 1e-3, "{} {}", tight.0, loose.0);
        let ratio = |m: fn(f64) -> Stepping| worst(m(0.02)).0 / worst(m(0.01)).0;
        assert!((ratio(Stepping::Euler) - 2.0).abs() < 0.3);
        assert!((ratio(Stepping::RungeKutta4) - 16.0).abs() < 2.0);
    }

    #[test]
    fn a_solution_that_explodes_is_not_converged() {
        for method in [Stepping::Adaptive(1e-8), Stepping::Euler(0.01)] {
            let mut watch = unobserved;
            let mut times = 0;
            let run = integrate(
                &mut Oscillator(true),
                &[1.0, 0.0],
                &[0.5, 50.0],
                method,
                100_000,
                &mut watch,
                &mut |_, _| times += 1,
            );
            assert_eq!(run.unwrap().status, Status::Stalled, "{method:?}");
            assert_eq!(times, 1);
        }
    }
}
