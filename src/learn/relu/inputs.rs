//! Do the inputs look like centred Gaussians? The theory asks for it; the answer becomes warnings.

use super::sample::Sample;
use faer::MatRef;

/// Standard deviations from which on a departure is worth a warning (there are up to a few hundred
/// statistics, so 4 happens by chance and 6 does not).
const WORTH_A_WORD: f64 = 6.0;

/// What was measured about the inputs.
///
/// See [`ReluLearner::learn`](crate::learn::relu::ReluLearner::learn) for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct InputCheck {
    /// Length of the mean in whitened coordinates, in deviations from zero.
    pub mean: f64,
    /// Mardia's kurtosis `mean |z|^4 - r (r + 2)`, in deviations from zero.
    pub kurtosis: f64,
    /// The worst input's skewness or kurtosis, in deviations from the Gaussian value.
    pub marginal: f64,
    /// Which input that is, counted from 0.
    pub worst_input: usize,
    /// How that input departs: in words, for instance `heavier tails than a Gaussian`.
    pub worst_kind: &'static str,
    /// Ratio of the greatest to the smallest second moment over all directions, of inputs in units of their own
    /// size: what whitening evened out. 1 for independent inputs up to sampling.
    pub condition: f64,
}

/// Conditions beyond this are no accident of sampling, which gives `((1 + sqrt(r/n)) / (1 - sqrt(r/n)))^2`.
fn by_chance(r: f64, n: f64) -> f64 {
    let root = (r / n).sqrt().min(0.9);
    let edge = ((1.0 + root) / (1.0 - root)).powi(2);
    1.0 + 1.5 * (edge - 1.0)
}

impl InputCheck {
    /// Measures the whitened sample and, column by column, the inputs `x` (`n x d`), whose second moments had
    /// this `condition`.
    pub(super) fn of(sample: &Sample, x: MatRef<'_, f64>, condition: f64) -> Self {
        let (n, r) = (sample.len() as f64, sample.dim() as f64);
        let mut center = vec![0.0; sample.dim()];
        let mut fourth = 0.0;
        for j in 0..sample.len() {
            let z = sample.inputs().col(j);
            let mut square = 0.0;
            for (c, v) in center.iter_mut().zip(z.iter()) {
                *c += v / n;
                square += v * v;
            }
            fourth += square * square / n;
        }
        let length: f64 = center.iter().map(|c| c * c).sum();
        // n |mean|^2 is chi-squared with r degrees of freedom.
        let mean = (n * length - r) / (2.0 * r).sqrt().max(1.0);
        let kurtosis =
            (fourth - r * (r + 2.0) * (n - 1.0) / (n + 1.0)) / (8.0 * r * (r + 2.0) / n).sqrt();
        let (marginal, worst_kind, worst_input) = (0..x.ncols())
            .map(|j| {
                let (size, kind) = marginal(x, j);
                (size, kind, j)
            })
            .fold((0.0, AS_GAUSSIAN, 0), |a, b| if b.0 > a.0 { b } else { a });
        Self {
            mean,
            kurtosis,
            marginal,
            worst_input,
            worst_kind,
            condition,
        }
    }

    /// A line on inputs that were correlated or of unequal scale over directions, in `r` dimensions and `n` samples.
    pub(super) fn whitened(&self, r: usize, n: usize) -> Option<String> {
        let c = self.condition;
        (c > by_chance(r as f64, n as f64)).then(|| {
            format!(
                "the inputs are correlated (their second moments differ by a factor of {c:.1e} over directions) and \
                 were whitened: angles between neurons are those in whitened coordinates, weights those of the \
                 inputs as given"
            )
        })
    }

    /// One line for each departure that matters.
    pub fn warnings(&self) -> Vec<String> {
        let mut out = Vec::new();
        if self.mean > WORTH_A_WORD {
            let m = self.mean;
            out.push(format!(
                "the inputs are not centred ({m:.0} deviations): neurons pass through the origin of the \
                 inputs as given; centre them if yours do not"
            ));
        }
        if self.kurtosis.abs() > WORTH_A_WORD || self.marginal > WORTH_A_WORD {
            let (k, m, i) = (self.kurtosis, self.marginal, self.worst_input);
            let alone = match m > WORTH_A_WORD {
                true => format!("input {i} has {}, {m:.0} deviations off", self.worst_kind),
                false => "each alone does".to_owned(),
            };
            out.push(format!(
                "the inputs do not look Gaussian (joint kurtosis {k:.0} deviations off; {alone}): the subspace \
                 moments assume it; the fit and its held-out error do not"
            ));
        }
        out
    }
}

/// What a column that does not depart is said to be.
const AS_GAUSSIAN: &str = "the moments of a Gaussian";

/// Skewness or kurtosis of column `j`, whichever is further from the Gaussian value, in deviations, and its name.
fn marginal(x: MatRef<'_, f64>, j: usize) -> (f64, &'static str) {
    let n = x.nrows() as f64;
    let mean = x.col(j).iter().sum::<f64>() / n;
    let moment = |p: i32| x.col(j).iter().map(|v| (v - mean).powi(p)).sum::<f64>() / n;
    let variance = moment(2);
    if variance <= 0.0 || n < 8.0 {
        return (0.0, AS_GAUSSIAN);
    }
    let skewness = moment(3) / variance.powf(1.5) / (6.0 / n).sqrt();
    let kurtosis = (moment(4) / (variance * variance) - 3.0) / (24.0 / n).sqrt();
    let kind = match (skewness.abs() > kurtosis.abs(), kurtosis > 0.0) {
        (true, _) => "an unsymmetric law",
        (false, true) => "heavier tails than a Gaussian",
        (false, false) => "lighter tails than a Gaussian",
    };
    (skewness.abs().max(kurtosis.abs()), kind)
}
