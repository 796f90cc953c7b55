//! The same minimisation on sampled data, beside the prediction.

use super::loss::MarginLoss;
use super::ridge::{Labels, sign_error};
use super::solvers;
use crate::Error;
use crate::theory::covariance::Covariances;
use crate::theory::generator::source::{Source, stream};
use faer::Mat;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

const OP: &str = "BatchSimulation::run";

/// What is minimised.
///
/// See [`BatchSimulation`] for an example.
#[derive(Clone, Copy)]
pub enum BatchLearner<'a> {
    /// Square loss, on values or on signs.
    Ridge(Labels),
    /// A loss of the margin on signs.
    Margin(&'a dyn MarginLoss),
}

impl std::fmt::Debug for BatchLearner<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ridge(labels) => write!(f, "Ridge({labels:?})"),
            Self::Margin(loss) => write!(f, "Margin({})", loss.name()),
        }
    }
}

/// Samples from a source with a teacher on its latents, learned from in full batches.
///
/// # Example
/// ```
/// use faer::Mat;
/// use wickring::theory::batch::{BatchLearner, BatchSimulation, Labels};
/// use wickring::theory::{Covariances, GaussianSource};
/// let law = Covariances::new(Mat::identity(3, 3), Mat::identity(3, 3))?;
/// let (source, teacher) = (GaussianSource::new(&law)?, [1.0, 0.0, -1.0]);
/// let simulation =
///     BatchSimulation { source: &source, law: &law, teacher: &teacher, sets: 2, seed: 0, test_samples: 10 };
/// let runs = simulation.run(BatchLearner::Ridge(Labels::Values(0.0)), 50, 1e-6, 0)?;
/// assert!(runs.iter().all(|r| r.error < 1e-6)); // labels without noise
/// # Ok::<(), wickring::Error>(())
/// ```
pub struct BatchSimulation<'a> {
    /// Where samples come from.
    pub source: &'a dyn Source,
    /// Its covariances, from which the population error on values is computed exactly.
    pub law: &'a Covariances,
    /// Teacher on the latents.
    pub teacher: &'a [f64],
    /// Training sets per point.
    pub sets: usize,
    /// Seed; set `i` of point `j` reads a stream of its own.
    pub seed: u64,
    /// Fresh samples on which the misclassified share is counted, the same for every set.
    pub test_samples: usize,
}

impl std::fmt::Debug for BatchSimulation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BatchSimulation")
            .field("inputs", &self.law.inputs())
            .field("sets", &self.sets)
            .field("seed", &self.seed)
            .field("test_samples", &self.test_samples)
            .finish_non_exhaustive()
    }
}

/// What one training set gave.
///
/// See [`BatchSimulation`] for an example.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampled {
    /// Generalisation error; as [`super::task::BatchPoint::error`].
    pub error: f64,
    /// The same from the overlaps of teacher and student, as if the fields were Gaussian.
    pub gaussian_error: f64,
    /// Training loss; as [`super::task::BatchPoint::train`].
    pub train: f64,
}

impl BatchSimulation<'_> {
    /// Trains on `sets` samples of `samples` pairs each; `point` numbers the random streams.
    ///
    /// # Errors
    /// `InvalidInput` for no samples or no sets; `Shape`; `LimitExceeded` beyond `1e8` numbers per set; those
    /// of the solvers.
    ///
    /// # Complexity
    /// `O(sets (samples p min(samples, p)))`, times Newton sweeps for margin losses.
    /// Here `p` is the number of features.
    pub fn run(
        &self,
        learner: BatchLearner<'_>,
        samples: usize,
        lambda: f64,
        point: u64,
    ) -> Result<Vec<Sampled>, Error> {
        let (p, d) = (self.law.inputs(), self.law.latents());
        let fits = self.source.inputs() == p && self.source.latents() == d;
        if !fits || self.teacher.len() != d {
            let expected = format!("a source of {p} inputs and a teacher on {d} latents");
            let found = format!("{} and {}", self.source.inputs(), self.teacher.len());
            return Err(Error::shape(OP, expected, found));
        }
        if samples == 0 || self.sets == 0 || !(lambda > 0.0 && lambda.is_finite()) {
            let requirement = "at least one sample and one set, and lambda positive";
            return Err(Error::invalid(OP, requirement));
        }
        if samples.saturating_mul(p) > 100_000_000 {
            return Err(Error::limit(OP, "numbers in a training set", 100_000_000));
        }
        let test = match learner {
            BatchLearner::Ridge(Labels::Values(_)) => None,
            _ => Some(self.pairs(self.test_samples.max(1), u64::MAX)),
        };
        (0..self.sets as u64)
            .into_par_iter()
            .map(|set| {
                let number = (point << 20) + set;
                self.one(learner, samples, lambda, number, test.as_ref())
            })
            .collect()
    }

    /// Features scaled by `1/sqrt p`, and teacher fields.
    fn pairs(&self, count: usize, number: u64) -> (Mat<f64>, Vec<f64>) {
        let (p, d) = (self.law.inputs() as f64, self.law.latents() as f64);
        let (c, mut x) = self.source.draw(count, &mut stream(self.seed, number));
        for j in 0..count {
            (0..x.nrows()).for_each(|i| x[(i, j)] /= p.sqrt());
        }
        let field = |j: usize| {
            let products = self.teacher.iter().enumerate().map(|(i, t)| t * c[(i, j)]);
            products.sum::<f64>() / d.sqrt()
        };
        let fields = (0..count).map(field).collect();
        (x, fields)
    }

    fn one(
        &self,
        learner: BatchLearner<'_>,
        samples: usize,
        lambda: f64,
        number: u64,
        test: Option<&(Mat<f64>, Vec<f64>)>,
    ) -> Result<Sampled, Error> {
        let (mut x, fields) = self.pairs(samples, number);
        let n = samples as f64;
        let (w, train) = match learner {
            BatchLearner::Ridge(labels) => {
                let y = self.labels(labels, &fields, number);
                let w = solvers::ridge(x.as_ref(), &y, lambda)?;
                let gaps = student_fields(&w, &x).into_iter().zip(&y);
                (w, gaps.map(|(u, y)| (u - y) * (u - y)).sum::<f64>() / n)
            }
            BatchLearner::Margin(loss) => {
                for (j, field) in fields.iter().enumerate() {
                    let sign = if *field < 0.0 { -1.0 } else { 1.0 };
                    (0..x.nrows()).for_each(|i| x[(i, j)] *= sign);
                }
                let w = solvers::margin(x.as_ref(), loss, lambda)?;
                let losses = student_fields(&w, &x).into_iter().map(|u| loss.loss(u));
                (w, losses.sum::<f64>() / n)
            }
        };
        let (q, m, rho) = self.overlaps(&w);
        let values = matches!(learner, BatchLearner::Ridge(Labels::Values(_)));
        let gaussian_error = if values {
            rho + q - 2.0 * m
        } else {
            sign_error(q, m, rho)
        };
        let error = match test {
            None => gaussian_error,
            Some((x, fields)) => {
                let guesses = student_fields(&w, x).into_iter().zip(fields);
                guesses.filter(|(u, t)| u * *t < 0.0).count() as f64 / fields.len() as f64
            }
        };
        Ok(Sampled {
            error,
            gaussian_error,
            train,
        })
    }

    fn labels(&self, labels: Labels, fields: &[f64], number: u64) -> Vec<f64> {
        // The upper half of the streams is for label noise.
        let mut rng = stream(self.seed ^ 0x6c61_6265_6c73, number);
        let noisy = |field: &f64| match labels {
            Labels::Values(noise) => {
                let z: f64 = StandardNormal.sample(&mut rng);
                field + noise.sqrt() * z
            }
            Labels::Signs => {
                if *field < 0.0 {
                    -1.0
                } else {
                    1.0
                }
            }
        };
        fields.iter().map(noisy).collect()
    }

    /// `(q, m, rho)` of a student.
    fn overlaps(&self, w: &[f64]) -> (f64, f64, f64) {
        let (p, d) = (self.law.inputs() as f64, self.law.latents() as f64);
        let w = Mat::from_fn(w.len(), 1, |i, _| w[i]);
        let theta = Mat::from_fn(self.teacher.len(), 1, |i, _| self.teacher[i]);
        let q = (w.transpose() * (self.law.omega() * &w))[(0, 0)] / p;
        let m = (w.transpose() * (self.law.phi() * &theta))[(0, 0)] / (p * d).sqrt();
        (q, m, (theta.transpose() * &theta)[(0, 0)] / d)
    }
}

fn student_fields(w: &[f64], x: &Mat<f64>) -> Vec<f64> {
    let w = Mat::from_fn(1, w.len(), |_, i| w[i]);
    let fields = w * x;
    (0..x.ncols()).map(|j| fields[(0, j)]).collect()
}
