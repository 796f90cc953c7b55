//! The model: a finite mixture of Gaussians with a density.

use super::em::sweep::e_step::{BLOCK, Factor, Work};
use crate::Error;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::{ParallelIterator, ParallelSlice};

const LOG_TWO_PI: f64 = 1.837_877_066_409_345_3;

/// One component of a [`GaussianMixture`].
#[derive(Clone, Debug, PartialEq)]
pub struct Component {
    /// Its share, positive.
    pub weight: f64,
    /// Its mean.
    pub mean: Vec<f64>,
    /// Its covariance, row by row, symmetric positive definite.
    pub covariance: Vec<f64>,
}

/// `p(x) = sum_j w_j N(x; mu_j, Sigma_j)` with positive weights that sum to 1 and positive definite
/// covariances.
#[derive(Clone, Debug, PartialEq)]
pub struct GaussianMixture {
    dim: usize,
    components: Vec<Component>,
    factors: Vec<Factor>,
}

impl GaussianMixture {
    /// A mixture of given components; weights are divided by their sum.
    ///
    /// # Errors
    /// `InvalidInput` without components or with a weight that is not positive; `Shape`; `NonFinite`;
    /// `Degenerate` when a covariance is not positive definite.
    pub fn new(dim: usize, mut components: Vec<Component>) -> Result<Self, Error> {
        let op = "GaussianMixture::new";
        if dim == 0 || components.is_empty() {
            return Err(Error::invalid(
                op,
                "at least one dimension and one component",
            ));
        }
        let total: f64 = components.iter().map(|c| c.weight).sum();
        let mut factors = Vec::with_capacity(components.len());
        for (j, c) in components.iter_mut().enumerate() {
            if c.mean.len() != dim || c.covariance.len() != dim * dim {
                let found = format!("{} and {} entries", c.mean.len(), c.covariance.len());
                let expected = format!("a mean of {dim} and a covariance of {} entries", dim * dim);
                return Err(Error::shape(op, expected, found));
            }
            if c.mean.iter().chain(&c.covariance).any(|x| !x.is_finite()) {
                return Err(Error::NonFinite { op, index: j });
            }
            if !(c.weight > 0.0 && total.is_finite()) {
                let requirement = format!("positive weights, got {} for component {j}", c.weight);
                return Err(Error::invalid(op, requirement));
            }
            c.weight /= total;
            factors.push(factor(op, c)?);
        }
        Ok(Self {
            dim,
            components,
            factors,
        })
    }

    /// Components with one variance for all: `Q * N(0, variance I)` for the discrete `Q` of the atoms.
    ///
    /// # Errors
    /// As [`GaussianMixture::new`].
    pub fn spherical(
        dim: usize,
        atoms: impl IntoIterator<Item = (f64, Vec<f64>)>,
        variance: f64,
    ) -> Result<Self, Error> {
        let component = |(weight, mean)| Component {
            weight,
            mean,
            covariance: scaled_identity(dim, variance),
        };
        Self::new(dim, atoms.into_iter().map(component).collect())
    }

    /// Number of dimensions.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The components.
    pub fn components(&self) -> &[Component] {
        &self.components
    }

    /// Cholesky factors of the covariances.
    pub(super) fn factors(&self) -> &[Factor] {
        &self.factors
    }

    /// Number of components.
    pub fn len(&self) -> usize {
        self.components.len()
    }

    /// Always false: a mixture has at least one component.
    pub fn is_empty(&self) -> bool {
        self.components.is_empty()
    }

    /// `log p(x)` for every row of `rows` (row-major, `dim` columns; an incomplete last row is ignored).
    ///
    /// # Complexity
    /// `O(rows * components * dim^2)`, in parallel over fixed blocks.
    pub fn log_density(&self, rows: &[f64]) -> Vec<f64> {
        let blocks: Vec<Vec<f64>> = rows
            .par_chunks(BLOCK * self.dim)
            .map(|chunk| {
                let mut work = Work::new(self.dim, self.len());
                self.posterior(chunk, &mut work);
                let rows = chunk.len() / self.dim;
                work.log_density[..rows].to_vec()
            })
            .collect();
        blocks.concat()
    }

    /// The probability of each component given each row, row-major, `rows x components`; each row sums to 1.
    ///
    /// # Complexity
    /// `O(rows * components * dim^2)`, in parallel over fixed blocks.
    ///
    /// # Example
    /// ```
    /// use wickring::learn::mixture::GaussianMixture;
    /// let m = GaussianMixture::spherical(1, [(0.5, vec![-1.0]), (0.5, vec![1.0])], 1.0)?;
    /// let p = m.responsibilities(&[0.0, 30.0]);
    /// assert!((p[0] - 0.5).abs() < 1e-12 && p[3] > 0.999);
    /// assert_eq!(m.labels(&[-2.0, 30.0]), [0, 1]);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn responsibilities(&self, rows: &[f64]) -> Vec<f64> {
        let blocks: Vec<Vec<f64>> = rows
            .par_chunks(BLOCK * self.dim)
            .map(|chunk| {
                let mut work = Work::new(self.dim, self.len());
                self.posterior(chunk, &mut work);
                let count = chunk.len() / self.dim;
                let each = (0..count * self.len()).map(|i| (i / self.len(), i % self.len()));
                each.map(|(i, j)| work.share(j)[i]).collect()
            })
            .collect();
        blocks.concat()
    }

    /// The most probable component of each row, by its place in [`GaussianMixture::components`]; the first of equals.
    pub fn labels(&self, rows: &[f64]) -> Vec<usize> {
        let shares = self.responsibilities(rows);
        let best = |row: &[f64]| {
            let first = |best: usize, j: usize| if row[j] > row[best] { j } else { best };
            (1..row.len()).fold(0, first)
        };
        shares.chunks_exact(self.len()).map(best).collect()
    }

    /// `sum log p(x)` over the rows.
    pub fn log_likelihood(&self, rows: &[f64]) -> f64 {
        self.log_density(rows).iter().sum()
    }

    /// Draws `count` rows, row-major.
    pub fn sample(&self, count: usize, rng: &mut impl Rng) -> Vec<f64> {
        let mut out = Vec::with_capacity(count * self.dim);
        let mut z = vec![0.0; self.dim];
        for _ in 0..count {
            let mut u: f64 = rng.random();
            let mut j = 0;
            while j + 1 < self.len() && u >= self.components[j].weight {
                u -= self.components[j].weight;
                j += 1;
            }
            z.fill_with(|| StandardNormal.sample(rng));
            let (mean, lower) = (&self.components[j].mean, &self.factors[j].lower);
            for a in 0..self.dim {
                let row = &lower[a * self.dim..a * self.dim + a];
                let below: f64 = row.iter().zip(&z).map(|(l, z)| l * z).sum();
                out.push(mean[a] + below + z[a] / lower[a * self.dim + a]);
            }
        }
        out
    }

    /// `grad log p(x)`.
    ///
    /// # Errors
    /// `Shape` when `x` has another length than `dim`.
    pub fn score(&self, x: &[f64]) -> Result<Vec<f64>, Error> {
        if x.len() != self.dim {
            let (expected, found) = (format!("{} entries", self.dim), x.len().to_string());
            return Err(Error::shape("GaussianMixture::score", expected, found));
        }
        let mut work = Work::new(self.dim, self.len());
        self.posterior(x, &mut work);
        let mut score = vec![0.0; self.dim];
        for (j, factor) in self.factors.iter().enumerate() {
            let mut y: Vec<f64> = x
                .iter()
                .zip(&self.components[j].mean)
                .map(|(x, m)| x - m)
                .collect();
            factor.forward(&mut y, 1, 1);
            factor.backward(&mut y);
            for (s, v) in score.iter_mut().zip(&y) {
                *s -= work.share(j)[0] * v;
            }
        }
        Ok(score)
    }

    /// The law of `x + sqrt(variance) z` with `z` standard normal.
    ///
    /// # Errors
    /// As [`GaussianMixture::new`].
    pub fn heated(&self, variance: f64) -> Result<Self, Error> {
        let mut components = self.components.clone();
        for c in &mut components {
            for a in 0..self.dim {
                c.covariance[a * self.dim + a] += variance;
            }
        }
        Self::new(self.dim, components)
    }
}

/// Cholesky factor of the covariance of `c`.
fn factor(op: &'static str, c: &Component) -> Result<Factor, Error> {
    let dim = c.mean.len();
    let mut lower = c.covariance.clone();
    let mut log_det = 0.0;
    for a in 0..dim {
        for b in 0..=a {
            let (i, j) = (a * dim, b * dim);
            let dot: f64 = (0..b).map(|k| lower[i + k] * lower[j + k]).sum();
            let rest = lower[i + b] - dot;
            if a == b {
                // Below this the pivot is rounding of the diagonal entry that it came from.
                let floor = 4.0 * f64::EPSILON * c.covariance[i + a].abs();
                if !(rest > floor && rest > f64::MIN_POSITIVE) {
                    let hypothesis = "a positive definite covariance (Cholesky pivot)";
                    return Err(Error::degenerate(op, hypothesis, rest));
                }
                log_det += rest.ln();
                lower[i + a] = 1.0 / rest.sqrt();
            } else {
                lower[i + b] = rest * lower[j + b];
            }
        }
    }
    let log_scale = c.weight.ln() - 0.5 * (dim as f64 * LOG_TWO_PI + log_det);
    Ok(Factor::new(lower, dim, log_scale))
}

/// `variance * I`, row by row.
pub(super) fn scaled_identity(dim: usize, variance: f64) -> Vec<f64> {
    let mut m = vec![0.0; dim * dim];
    (0..dim).for_each(|a| m[a * dim + a] = variance);
    m
}
