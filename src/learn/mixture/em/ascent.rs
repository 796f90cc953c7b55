//! From a start to a local maximum of the likelihood: sweeps of expectation maximisation, accelerated.

use super::covariance_kind::CovarianceKind;
use super::evidence::ALLOWED_NEED;
use super::floor::Floor;
use super::sweep::m_step::{Scatter, Statistics, Update, statistics};
use crate::Error;
use crate::learn::mixture::gaussian::{Component, GaussianMixture};

/// Rows that a sweep goes over.
pub(in crate::learn::mixture) trait EStep {
    /// The sums that a sweep needs.
    ///
    /// # Errors
    /// `Degenerate` when a covariance is too thin for what was measured.
    fn statistics(&self, m: &GaussianMixture, scatter: Scatter) -> Result<Statistics, Error>;
    /// `sum log p`.
    fn log_likelihood(&self, m: &GaussianMixture) -> f64;
}

impl EStep for [f64] {
    fn statistics(&self, m: &GaussianMixture, scatter: Scatter) -> Result<Statistics, Error> {
        Ok(statistics(self, m, scatter))
    }
    fn log_likelihood(&self, m: &GaussianMixture) -> f64 {
        m.log_likelihood(self)
    }
}

/// A mixture and how it was reached.
#[derive(Clone, Debug)]
pub(in crate::learn::mixture) struct Climb {
    pub(in crate::learn::mixture) mixture: GaussianMixture,
    /// `sum log p`: of `mixture` at the end of [`climb`], before that a lower bound.
    pub(in crate::learn::mixture) log_likelihood: f64,
    /// Log-likelihood before each sweep.
    pub(in crate::learn::mixture) history: Vec<f64>,
    /// Whether the log-likelihood still to gain was predicted to be at most the tolerance.
    pub(in crate::learn::mixture) settled: bool,
    /// Whether no covariance was held up by the floor and every component has the rows that it needs.
    pub(in crate::learn::mixture) proper: bool,
    /// Whether the last sweep held a covariance up.
    pub(in crate::learn::mixture) floored: bool,
    /// Log-likelihood still to gain, as predicted by the last cycle.
    pub(in crate::learn::mixture) left: f64,
    /// Sweeps made, those that led nowhere included.
    pub(in crate::learn::mixture) sweeps: usize,
    /// Ratios of the lengths of consecutive steps in the last cycles.
    rates: [f64; 3],
    /// The longest extrapolation that is tried.
    reach: f64,
}

/// When a climb ends.
#[derive(Clone, Copy, Debug)]
pub(in crate::learn::mixture) struct Budget<'a> {
    pub(in crate::learn::mixture) sweeps: usize,
    /// Log-likelihood still to gain, in nats.
    pub(in crate::learn::mixture) tol: f64,
    /// What covariances must exceed.
    pub(in crate::learn::mixture) floor: &'a Floor,
}

/// Climbs from `start` (whose covariances may be of any family).
pub(in crate::learn::mixture) fn climb(
    rows: &(impl EStep + ?Sized),
    start: &GaussianMixture,
    kind: CovarianceKind,
    budget: Budget<'_>,
    stop: &mut dyn FnMut(f64) -> bool,
) -> Result<Climb, Error> {
    let mut at = Climb::from(start.clone());
    while !at.over(budget) {
        at.cycle(rows, kind, budget)?;
        if stop(at.log_likelihood) {
            break;
        }
    }
    at.close(rows);
    Ok(at)
}

impl From<GaussianMixture> for Climb {
    fn from(mixture: GaussianMixture) -> Self {
        Self {
            mixture,
            log_likelihood: f64::NEG_INFINITY,
            history: Vec::new(),
            settled: false,
            proper: true,
            floored: false,
            left: f64::INFINITY,
            sweeps: 0,
            rates: [1.0; 3],
            reach: 4.0,
        }
    }
}

impl Climb {
    /// Whether nothing is left to do within the budget.
    pub(in crate::learn::mixture) fn over(&self, budget: Budget<'_>) -> bool {
        self.settled || self.sweeps >= budget.sweeps
    }

    /// Goes on to a finer tolerance.
    pub(in crate::learn::mixture) fn reopen(&mut self) {
        self.settled = false;
    }

    /// The log-likelihood of the last mixture, where it is not known yet.
    pub(in crate::learn::mixture) fn close(&mut self, rows: &(impl EStep + ?Sized)) {
        if !self.settled {
            self.log_likelihood = rows.log_likelihood(&self.mixture);
        }
    }

    /// Two sweeps, and a third from where the first two point to.
    ///
    /// With steps `r = M(x) - x` and `s = M(M(x)) - M(x)` the third sweep starts at
    /// `x + 2 a r + a^2 (s - r)`, `a = |r| / |s - r|`; it is kept when the likelihood there is no less than after
    /// the first sweep, so a cycle never ends below its start. Lengths are those of the Fisher metric of the
    /// completed data, without its mixed terms, in which the steps of the algorithm shrink by its rate; gains
    /// shrink by the square, which predicts what is left.
    ///
    /// # Source
    /// Varadhan and Roland 2008, scheme S3, with a bound on the extrapolation that grows with success.
    pub(in crate::learn::mixture) fn cycle(
        &mut self,
        rows: &(impl EStep + ?Sized),
        kind: CovarianceKind,
        budget: Budget<'_>,
    ) -> Result<(), Error> {
        let one = self.sweep(rows, &self.mixture.clone(), kind, budget)?;
        let two = self.sweep(rows, &one.next, kind, budget)?;
        let (r, s) = (
            Step::of(&self.mixture, &one.next),
            Step::of(&one.next, &two.next),
        );
        let metric = |a: &Step, b: &Step| a.distance(b, &self.mixture);
        let none = Step::of(&self.mixture, &self.mixture);
        let (length, bend) = (metric(&r, &none), metric(&s, &r));
        let rate = (metric(&s, &none) / length).clamp(0.0, 1.0);
        self.rates.rotate_left(1);
        self.rates[2] = if rate.is_nan() { 0.0 } else { rate };
        let gain = two.log_likelihood - one.log_likelihood;
        // The first steps include the change of family; a fast step after an extrapolation hides the slow ones.
        let slowest = self
            .rates
            .iter()
            .fold(0.0f64, |m, r| m.max(*r))
            .min(1.0 - 1e-7);
        self.left = gain * slowest * slowest / (1.0 - slowest * slowest);
        self.history
            .extend([one.log_likelihood, two.log_likelihood]);
        self.log_likelihood = two.log_likelihood;
        (self.proper, self.floored) = (one.proper, one.floored);
        // A gain of rounding size or below is the end too: nothing can be predicted from it.
        let rounding = 1e-12 * two.log_likelihood.abs();
        if self.sweeps > 2 && (self.left <= budget.tol || gain <= rounding) {
            self.mixture = one.next;
            self.settled = true;
            return Ok(());
        }
        let a = (length / bend).min(self.reach);
        let ahead = (a > 1.0)
            .then(|| r.extrapolated(&s, a, &self.mixture))
            .flatten();
        self.mixture = two.next;
        (self.proper, self.floored) = (two.proper, two.floored);
        if let Some(ahead) = ahead {
            let bold = self.sweep(rows, &ahead, kind, budget);
            match bold {
                Ok(bold) if bold.log_likelihood >= two.log_likelihood => {
                    self.history.push(bold.log_likelihood);
                    self.log_likelihood = bold.log_likelihood;
                    self.mixture = bold.next;
                    (self.proper, self.floored) = (bold.proper, bold.floored);
                    if a >= self.reach {
                        self.reach *= 4.0;
                    }
                }
                _ => self.reach = (self.reach / 4.0).max(2.0),
            }
        }
        Ok(())
    }

    fn sweep(
        &mut self,
        rows: &(impl EStep + ?Sized),
        at: &GaussianMixture,
        kind: CovarianceKind,
        budget: Budget<'_>,
    ) -> Result<Swept, Error> {
        self.sweeps += 1;
        let s = rows.statistics(at, kind.scatter())?;
        let Update {
            mixture,
            floored,
            smallest,
        } = s.update(at, kind, budget.floor)?;
        Ok(Swept {
            log_likelihood: s.log_likelihood,
            next: mixture,
            proper: !floored && smallest * ALLOWED_NEED >= kind.samples_for_one(at.dim()),
            floored,
        })
    }
}

struct Swept {
    /// Before the sweep.
    log_likelihood: f64,
    next: GaussianMixture,
    proper: bool,
    floored: bool,
}

/// The change of each component: of the logarithm of its weight, its mean and its covariance.
struct Step(Vec<Vec<f64>>);

impl Step {
    fn of(from: &GaussianMixture, to: &GaussianMixture) -> Self {
        let pairs = from.components().iter().zip(to.components());
        let change = |(a, b): (&Component, &Component)| {
            let entries = a.mean.iter().zip(&b.mean);
            let entries = entries.chain(a.covariance.iter().zip(&b.covariance));
            let mut change = vec![(b.weight / a.weight).ln()];
            change.extend(entries.map(|(a, b)| b - a));
            change
        };
        Self(pairs.map(change).collect())
    }

    /// Length of the difference in the Fisher metric at `at`, which no affine map of the coordinates changes.
    fn distance(&self, other: &Self, at: &GaussianMixture) -> f64 {
        let dim = at.dim();
        let mut total = 0.0;
        let parts = self.0.iter().zip(&other.0);
        for ((a, b), (c, factor)) in parts.zip(at.components().iter().zip(at.factors())) {
            let gap: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
            let mut mean = gap[1..1 + dim].to_vec();
            factor.forward(&mut mean, 1, 1);
            let mut covariance = gap[1 + dim..].to_vec();
            factor.forward(&mut covariance, dim, dim);
            let mut other = (0..dim * dim)
                .map(|i| covariance[i % dim * dim + i / dim])
                .collect::<Vec<f64>>();
            factor.forward(&mut other, dim, dim);
            let square = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>();
            total += c.weight * (gap[0] * gap[0] + square(&mean) + 0.5 * square(&other));
        }
        total.sqrt()
    }

    /// `at + 2 a self + a^2 (second - self)`, if that is a mixture.
    fn extrapolated(&self, second: &Self, a: f64, at: &GaussianMixture) -> Option<GaussianMixture> {
        let dim = at.dim();
        let steps = self.0.iter().zip(&second.0);
        let moved = at.components().iter().zip(steps).map(|(c, (r, s))| {
            let to = |i: usize| 2.0 * a * r[i] + a * a * (s[i] - r[i]);
            Component {
                // Weights of components that vanish stay numbers.
                weight: c.weight * to(0).clamp(-50.0, 50.0).exp(),
                mean: c
                    .mean
                    .iter()
                    .enumerate()
                    .map(|(i, m)| m + to(1 + i))
                    .collect(),
                covariance: (0..dim * dim)
                    .map(|i| c.covariance[i] + to(1 + dim + i))
                    .collect(),
            }
        });
        GaussianMixture::new(dim, moved.collect()).ok()
    }
}
