//! Whether the hypotheses of Gaussian equivalence hold, measured before anything is predicted.

use super::covariance::Covariances;
use super::generator::source::{Source, stream};
use super::online::committee::Committee;
use crate::Error;
use std::fmt;

/// The quantities on which the theorem depends.
///
/// # Example
/// ```
/// use faer::Mat;
/// use wickring::theory::{Committee, Covariances, Diagnostics, Warning};
/// let law = Covariances::new(Mat::identity(16, 16), Mat::identity(16, 16))?;
/// // A student that looks at one of sixteen inputs has no Gaussian field to speak of.
/// let student = Committee::new(Mat::from_fn(1, 16, |_, i| f64::from(u8::from(i == 3))), vec![1.0])?;
/// let found = Diagnostics::measure(&law, &student, None)?;
/// assert_eq!(found.localisation, 16.0);
/// assert!(found.warnings(16).iter().any(|w| matches!(w, Warning::Localised(..))));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostics {
    /// `max_k N sum_i w_ki^4 / (sum_i w_ki^2)^2`: 3 for Gaussian weights, `N` for a single coordinate.
    pub localisation: f64,
    /// Largest eigenvalue of `Omega` over its trace.
    pub top_share: f64,
    /// Largest eigenvalue of `Omega` over the number of inputs.
    pub top_over_inputs: f64,
    /// Norm of the mean of `x` over the root of the trace of `Omega`, in units of what `samples` draws of
    /// centred inputs would show by chance; `None` without a source.
    pub mean_excess: Option<f64>,
    /// Excess kurtosis of a student's field farthest from zero, and its standard error; `None` without a
    /// source. It is zero for Gaussian fields.
    pub kurtosis: Option<(f64, f64)>,
    /// Samples behind the last two.
    pub samples: usize,
    inputs: usize,
}

/// A hypothesis that does not hold.
///
/// See [`Diagnostics`] for an example.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// A unit's weights sit on few inputs; carries the localisation and the number of inputs.
    Localised(f64, usize),
    /// One direction carries a share of the variance that does not vanish; carries the share.
    Outlier(f64),
    /// The inputs are not centred; carries the excess of their mean over chance.
    Uncentred(f64),
    /// A field of the student is not Gaussian; carries its excess kurtosis.
    NotGaussian(f64),
    /// Fewer latents than the limit needs; carries their number.
    FewLatents(usize),
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Localised(x, n) => write!(
                f,
                "a student's weights sit on few inputs (localisation {x:.1}, 3 when spread out, {n} at \
                 worst): its field is not Gaussian and the prediction will be wrong"
            ),
            Self::Outlier(share) => write!(
                f,
                "one direction carries {:.0}% of the variance of the inputs, as it does when their mean was \
                 not subtracted: finite-size corrections are of order one, remove it",
                100.0 * share
            ),
            Self::Uncentred(x) => write!(
                f,
                "the inputs are not centred (their mean is {x:.1} times what chance allows): subtract it"
            ),
            Self::NotGaussian(k) => write!(
                f,
                "a field of the student has excess kurtosis {k:.2} on samples: Gaussian equivalence does \
                 not hold for these weights"
            ),
            Self::FewLatents(d) => write!(
                f,
                "{d} latents are few: the equivalence holds up to terms of order 1/sqrt(D)"
            ),
        }
    }
}

impl Warning {
    /// Whether the prediction will be wrong, rather than less accurate than elsewhere.
    pub fn refutes(&self) -> bool {
        match self {
            Self::Localised(..) | Self::Uncentred(_) | Self::NotGaussian(_) => true,
            // A direction with 43% of the variance was followed well, one with 88% badly (N = 400).
            Self::Outlier(share) => *share > 0.5,
            Self::FewLatents(d) => *d < 10,
        }
    }
}

impl Diagnostics {
    /// Measures the hypotheses for a student; with a source, also on `samples` draws of it.
    ///
    /// # Errors
    /// `Shape` when the student does not fit, `InvalidInput` for one sample.
    ///
    /// # Complexity
    /// `O(40 N^2)` for the largest eigenvalue and one pass over the samples.
    /// Here `N` is the number of inputs.
    pub fn measure(
        law: &Covariances,
        student: &Committee,
        source: Option<(&dyn Source, usize, u64)>,
    ) -> Result<Self, Error> {
        let op = "Diagnostics::measure";
        let n = law.inputs();
        if student.dim() != n {
            let found = student.dim().to_string();
            return Err(Error::shape(op, format!("a student of {n} inputs"), found));
        }
        let top = law.largest_eigenvalue();
        let trace: f64 = (0..n).map(|i| law.omega()[(i, i)]).sum();
        let w = student.first();
        let localisation = (0..student.units()).map(|k| {
            let power = |e: i32| w.row(k).iter().map(|x| x.powi(e)).sum::<f64>();
            let square = power(2);
            if square > 0.0 {
                n as f64 * power(4) / (square * square)
            } else {
                0.0
            }
        });
        let mut found = Self {
            localisation: localisation.fold(0.0, f64::max),
            top_share: if trace > 0.0 { top / trace } else { 0.0 },
            top_over_inputs: top / n as f64,
            mean_excess: None,
            kurtosis: None,
            samples: 0,
            inputs: n,
        };
        if let Some((source, samples, seed)) = source {
            if samples < 2 || source.inputs() != n {
                let requirement = "a source of the student's inputs and at least two samples";
                return Err(Error::invalid(op, requirement));
            }
            found.sample(student, source, (samples, seed), trace);
        }
        found.samples = source.map_or(0, |s| s.1);
        Ok(found)
    }

    fn sample(
        &mut self,
        student: &Committee,
        source: &dyn Source,
        (samples, seed): (usize, u64),
        trace: f64,
    ) {
        let mut rng = stream(seed, u64::MAX);
        let mut mean = vec![0.0; self.inputs];
        let mut powers = vec![[0.0f64; 4]; student.units()];
        let mut left = samples;
        while left > 0 {
            let count = left.min(256);
            let (_, x) = source.draw(count, &mut rng);
            for j in 0..count {
                mean.iter_mut()
                    .enumerate()
                    .for_each(|(i, m)| *m += x[(i, j)]);
            }
            let fields = student.first() * &x;
            for (k, sums) in powers.iter_mut().enumerate() {
                for j in 0..count {
                    let z = fields[(k, j)];
                    (0..4).for_each(|e| sums[e] += z.powi(e as i32 + 1));
                }
            }
            left -= count;
        }
        let p = samples as f64;
        let norm = mean.iter().map(|m| (m / p).powi(2)).sum::<f64>();
        // The squared norm of the mean of centred samples is trace / samples on average.
        self.mean_excess = Some((norm / (trace / p).max(f64::MIN_POSITIVE)).sqrt());
        let excess = powers.iter().map(|s| {
            let [a, b, c, d] = s.map(|x| x / p);
            let variance = b - a * a;
            let fourth = d - 4.0 * a * c + 6.0 * a * a * b - 3.0 * a.powi(4);
            if variance > 0.0 {
                fourth / (variance * variance) - 3.0
            } else {
                0.0
            }
        });
        let worst = excess.fold(0.0f64, |w, k| if k.abs() > w.abs() { k } else { w });
        self.kurtosis = Some((worst, (24.0 / p).sqrt()));
    }

    /// The hypotheses that do not hold, in words.
    ///
    /// Thresholds: a localisation of `3 + sqrt N` is where the fourth moment of a field of bounded inputs
    /// leaves the Gaussian one by more than `1/sqrt N`; a share of 20% for one direction (an uncentred relu has
    /// 33%) and a kurtosis of 0.3 are where simulations of the published scenarios leave the prediction visibly.
    pub fn warnings(&self, latents: usize) -> Vec<Warning> {
        let n = self.inputs as f64;
        let mut list = Vec::new();
        if self.localisation > 3.0 + n.sqrt() {
            list.push(Warning::Localised(self.localisation, self.inputs));
        }
        if self.top_share > 0.2 && self.inputs > 3 {
            list.push(Warning::Outlier(self.top_share));
        }
        if let Some(excess) = self.mean_excess.filter(|e| *e > 3.0) {
            list.push(Warning::Uncentred(excess));
        }
        if let Some((k, error)) = self.kurtosis
            && k.abs() > 0.3
            && k.abs() > 5.0 * error
        {
            list.push(Warning::NotGaussian(k));
        }
        if latents < 20 {
            list.push(Warning::FewLatents(latents));
        }
        list
    }
}
