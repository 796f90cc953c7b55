//! Theory against simulation: z-scores and what they allow to say.

use super::online::Trajectory;
use crate::Error;

/// One quantity at one time: predicted, and measured over runs.
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

    /// `(theory - mean) / standard error`; NaN for a single run.
    pub fn z(&self) -> f64 {
        (self.theory - self.mean) / self.standard_error
    }

    /// Whether theory and mean differ by at most `3.5` standard errors or `allowance`.
    pub fn agrees(&self, allowance: f64) -> bool {
        let gap = (self.theory - self.mean).abs();
        gap <= allowance || gap <= 3.5 * self.standard_error
    }
}

/// How a prediction of online learning fared against simulated runs.
#[derive(Clone, Debug, PartialEq)]
pub struct OnlineVerdict {
    /// The generalisation error at each time.
    pub errors: Vec<Comparison>,
    /// Greatest difference of an entry of `Q` or `R` between theory and a single run.
    pub worst_overlap: f64,
    /// The bound `2.5 / sqrt N` it is held against, times the scale of the overlaps.
    pub allowed_overlap: f64,
    /// Share of the times at which the error agrees within 3.5 standard errors or the allowance.
    pub share: f64,
    /// Greatest relative difference between the predicted error and the mean over the runs.
    pub worst_relative: f64,
}

impl OnlineVerdict {
    /// Compares a prediction with runs for `inputs` inputs; times that not every run reached are left out.
    ///
    /// The allowance on the error is `2.5 / sqrt N` of the error at time 0: the theory is asymptotic, and
    /// its own deviation is of that order.
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
        let errors: Vec<Comparison> = (0..times)
            .map(|t| {
                let values: Vec<f64> = runs.iter().map(|r| r.moments[t].error).collect();
                Comparison::new(theory.moments[t].time, theory.moments[t].error, &values)
            })
            .collect();
        let bound = 2.5 / (inputs as f64).sqrt();
        let (mut worst, mut scale) = (0.0f64, 1.0f64);
        for t in 0..times {
            let expected = &theory.moments[t];
            for run in runs {
                let found = &run.moments[t];
                let pairs = expected.q.iter().chain(&expected.r);
                for (a, b) in pairs.zip(found.q.iter().chain(&found.r)) {
                    let gap = (a - b).abs();
                    worst = if gap.is_nan() { gap } else { worst.max(gap) };
                    scale = scale.max(a.abs());
                }
            }
        }
        let allowance = bound * errors[0].theory;
        let good = errors.iter().filter(|e| e.agrees(allowance)).count();
        let relative = errors.iter().map(|e| (e.theory / e.mean - 1.0).abs());
        Ok(Self {
            share: good as f64 / times as f64,
            worst_relative: relative.fold(0.0, f64::max),
            worst_overlap: worst,
            allowed_overlap: bound * scale,
            errors,
        })
    }

    /// Whether the overlaps keep their bound and the error agrees at 95 of 100 times.
    pub fn holds(&self) -> bool {
        self.worst_overlap <= self.allowed_overlap && self.share >= 0.95
    }
}
