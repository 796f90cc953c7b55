//! Theory against simulation: z-scores and what they allow to say.

use super::online::learner::Trajectory;
use crate::Error;

/// Standard errors that theory and mean may be apart.
const STANDARD_ERRORS: f64 = 3.5;
/// Share of the comparisons that must agree.
const SHARE: f64 = 0.95;

/// One quantity at one time: predicted, and measured over runs.
///
/// # Example
/// ```
/// use wickring::theory::{Comparison, Tally};
/// let found = Comparison::new(1.0, 2.0, &[1.8, 2.1, 2.0]);
/// assert!(found.z().abs() < 1.0 && found.agrees(0.0));
/// let mut tally = Tally::default();
/// tally.add(&found, 0.0);
/// assert!(tally.holds_strictly() && tally.points == 1);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Time, or whatever the curve runs over.
    pub at: f64,
    /// Prediction.
    pub theory: f64,
    /// Mean over the runs.
    pub mean: f64,
    /// Standard error of that mean; NaN for a single run.
    pub standard_error: f64,
}

impl Comparison {
    /// Mean and standard error of `values` beside `theory`.
    pub fn new(at: f64, theory: f64, values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let spread = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
        Self {
            at,
            theory,
            mean,
            standard_error: (spread / (n - 1.0) / n).sqrt(),
        }
    }

    /// A curve: `predicted` is `(place, value)`, `runs[r]` the values of run `r` at these places.
    ///
    /// Few runs know little of their own spread at one place: its variance, in units of `scale` of the
    /// prediction squared, is drawn towards the mean over the curve with the weight of four runs.
    pub fn curve(
        predicted: &[(f64, f64)],
        scale: impl Fn(f64) -> f64,
        runs: &[Vec<f64>],
    ) -> Vec<Self> {
        let at = |t: usize| runs.iter().map(|r| r[t]).collect::<Vec<f64>>();
        let places = predicted.iter().enumerate();
        let mut all: Vec<Self> = places
            .map(|(t, &(place, theory))| Self::new(place, theory, &at(t)))
            .collect();
        let n = runs.len() as f64;
        let variance = |c: &Self| n * c.standard_error.powi(2);
        let unit = |c: &Self| scale(c.theory).powi(2).max(f64::MIN_POSITIVE);
        let relative = |c: &Self| variance(c) / unit(c);
        let pooled = all.iter().map(relative).sum::<f64>() / all.len() as f64;
        for c in &mut all {
            let own = (n - 1.0) * variance(c) + 4.0 * pooled * unit(c);
            c.standard_error = (own / (n + 3.0) / n).sqrt();
        }
        all
    }

    /// `(theory - mean) / standard error`; NaN for a single run, 0 where both are equal.
    pub fn z(&self) -> f64 {
        let gap = self.theory - self.mean;
        if gap.abs() <= 1e-12 * self.theory.abs() && self.standard_error == 0.0 {
            return 0.0;
        }
        gap / self.standard_error
    }

    /// Whether theory and mean differ by at most `3.5` standard errors or `allowance`.
    pub fn agrees(&self, allowance: f64) -> bool {
        let gap = (self.theory - self.mean).abs();
        gap <= allowance || gap <= STANDARD_ERRORS * self.standard_error
    }
}

/// How many of a list of comparisons agree, by the standard errors alone and with an allowance for the size.
///
/// See [`Comparison`] for an example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Comparisons counted.
    pub points: usize,
    /// Those within 3.5 standard errors.
    pub strict: usize,
    /// Those within 3.5 standard errors or the allowance.
    pub allowed: usize,
}

impl Tally {
    /// Counts one comparison.
    pub fn add(&mut self, found: &Comparison, allowance: f64) {
        self.points += 1;
        self.strict += usize::from(found.agrees(0.0));
        self.allowed += usize::from(found.agrees(allowance));
    }

    /// Share within the standard errors; 1 when there is nothing to compare.
    pub fn strict_share(&self) -> f64 {
        self.share(self.strict)
    }

    /// Share within the standard errors or the allowance.
    pub fn allowed_share(&self) -> f64 {
        self.share(self.allowed)
    }

    fn share(&self, count: usize) -> f64 {
        if self.points == 0 {
            return 1.0;
        }
        count as f64 / self.points as f64
    }

    /// Whether 95 of 100 agree with the allowance.
    pub fn holds(&self) -> bool {
        self.allowed_share() >= SHARE
    }

    /// Whether 95 of 100 agree by the standard errors alone.
    pub fn holds_strictly(&self) -> bool {
        self.strict_share() >= SHARE
    }
}

/// How a prediction of online learning fared against simulated runs.
///
/// # Example
/// ```
/// use faer::Mat;
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use wickring::run::unobserved;
/// use wickring::theory::{Committee, Covariances, GaussianSource, Lesson, OnlineSgd, OnlineVerdict};
/// use wickring::theory::{SgdSimulation, StudentActivation};
/// let mut rng = ChaCha8Rng::seed_from_u64(1);
/// let law = Covariances::new(Mat::identity(50, 50), Mat::identity(50, 50))?;
/// let (student, teacher) =
///     (Committee::random(1, 50, false, &mut rng)?, Committee::random(1, 50, false, &mut rng)?);
/// let lesson = Lesson { law: &law, student: &student, teacher: &teacher, times: &[0.0, 2.0] };
/// let learner = OnlineSgd::new(StudentActivation::erf(), 0.2);
/// let theory = learner.predict(&lesson, &mut unobserved)?.model;
/// let runs = SgdSimulation { runs: 4, seed: 1, test_samples: 200 };
/// let runs = learner.simulate(&lesson, &GaussianSource::new(&law)?, runs, &mut unobserved)?;
/// let verdict = OnlineVerdict::new(&theory, &runs, 50)?;
/// assert!(verdict.scaled_overlap < verdict.allowed_overlap);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct OnlineVerdict {
    /// The generalisation error at each time.
    pub errors: Vec<Comparison>,
    /// Greatest difference of an entry of `Q` or `R` between theory and a single run.
    pub worst_overlap: f64,
    /// The same, each entry divided by its predicted size where that is above one.
    pub scaled_overlap: f64,
    /// The bound on both, `2.5 / sqrt N`.
    pub allowed_overlap: f64,
    /// How the errors agree; time 0, which was given, is not counted.
    pub tally: Tally,
    /// What the allowance is: this share of the predicted error.
    pub allowance: f64,
    /// Greatest relative difference between the predicted error and the mean over the runs.
    pub worst_relative: f64,
}

impl OnlineVerdict {
    /// Compares a prediction with runs for `inputs` inputs; times that not every run reached are left out.
    ///
    /// The theory is asymptotic: a mean over runs may also be off by `1 / sqrt N` of the predicted error
    /// (a choice of ours, wider than the differences seen in BENCHMARKS.md), and a single run, which has no
    /// standard error, by `2.5 / sqrt N` of it.
    ///
    /// # Errors
    /// `Shape` when there are no runs or no common times.
    pub fn new(theory: &Trajectory, runs: &[Trajectory], inputs: usize) -> Result<Self, Error> {
        let op = "OnlineVerdict::new";
        let times = runs.iter().map(|r| r.moments.len()).min().unwrap_or(0);
        let times = times.min(theory.moments.len());
        if times == 0 {
            return Err(Error::shape(op, "runs with at least one time", "none"));
        }
        let expected = theory.moments[..times].iter();
        let predicted: Vec<(f64, f64)> = expected.map(|m| (m.time, m.error)).collect();
        let values = |r: &Trajectory| r.moments[..times].iter().map(|m| m.error).collect();
        let found: Vec<Vec<f64>> = runs.iter().map(values).collect();
        let errors = Comparison::curve(&predicted, f64::abs, &found);
        let root = (inputs as f64).sqrt();
        let (mut worst, mut scaled) = (0.0f64, 0.0f64);
        let grow = |old: f64, new: f64| if new.is_nan() { new } else { old.max(new) };
        for t in 0..times {
            let expected = &theory.moments[t];
            for run in runs {
                let found = &run.moments[t];
                let pairs = expected.q.iter().chain(&expected.r);
                for (a, b) in pairs.zip(found.q.iter().chain(&found.r)) {
                    worst = grow(worst, (a - b).abs());
                    scaled = grow(scaled, (a - b).abs() / a.abs().max(1.0));
                }
            }
        }
        let allowance = if runs.len() == 1 { 2.5 } else { 1.0 } / root;
        let mut tally = Tally::default();
        for e in errors.iter().filter(|e| e.at > 0.0) {
            tally.add(e, allowance * e.theory);
        }
        let relative = errors.iter().map(|e| (e.theory / e.mean - 1.0).abs());
        Ok(Self {
            tally,
            allowance,
            worst_relative: relative.fold(0.0, f64::max),
            worst_overlap: worst,
            scaled_overlap: scaled,
            allowed_overlap: 2.5 / root,
            errors,
        })
    }

    /// Whether the scaled overlaps keep their bound and the error agrees at 95 of 100 times.
    pub fn holds(&self) -> bool {
        self.scaled_overlap <= self.allowed_overlap && self.tally.holds()
    }

    /// The same without any allowance: overlaps as they are, errors by their standard errors alone.
    pub fn holds_strictly(&self) -> bool {
        self.worst_overlap <= self.allowed_overlap && self.tally.holds_strictly()
    }
}
