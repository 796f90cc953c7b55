//! Deep generators `x = G(c)`: layers of weights and activations, sampled and with their covariances.

use super::layer_law;
use super::source::{Source, normal_matrix, stream};
use crate::Error;
use crate::poly::gaussian::Activation;
use crate::theory::covariance::CovarianceStream;
use crate::theory::covariance::Covariances;
use crate::theory::covariance::require_finite;
use faer::{Mat, MatRef};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// One layer `h -> sigma(W h)`.
///
/// See [`Generator::new`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// `outputs x inputs`.
    pub weights: Mat<f64>,
    /// Applied to each output.
    pub activation: Activation,
}

/// A generator made of layers; the mean of its outputs is removed.
///
/// Invariant: at least one layer, widths fit, weights finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Generator {
    layers: Vec<Layer>,
    mean: Vec<f64>,
}

/// The law of a generator's outputs as far as the theory needs it.
///
/// See [`Generator::new`] for an example.
#[derive(Clone, Debug)]
pub struct GeneratorLaw {
    /// Covariances of the centred outputs.
    pub covariances: Covariances,
    /// Mean of the outputs before centring.
    pub mean: Vec<f64>,
    /// Whether this is exact up to rounding (one layer) rather than the Gaussian recursion (several).
    pub exact: bool,
    /// Bound on the error of an entry from truncated Hermite series.
    pub truncation: f64,
}

impl Generator {
    /// Takes layers, the one nearest to the latents first, and centres the outputs by the mean that the
    /// layer recursion gives (exact for one layer, and zero for odd activations).
    ///
    /// # Errors
    /// `Shape` when widths do not fit, `NonFinite`; `InvalidInput` without layers; those of the Hermite
    /// coefficients.
    ///
    /// # Example
    /// ```
    /// use faer::mat;
    /// use wickring::poly::gaussian::Activation;
    /// use wickring::theory::{Generator, Layer};
    /// let weights = mat![[0.6, 0.8], [0.8, -0.6]];
    /// let sign = Generator::new(vec![Layer { weights, activation: Activation::Sign }])?;
    /// let law = sign.law()?;
    /// assert!(law.exact && law.covariances.omega()[(0, 0)] == 1.0);
    /// // The rows are orthogonal, so the two signs are independent.
    /// assert!(law.covariances.omega()[(0, 1)].abs() < 1e-15);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn new(layers: Vec<Layer>) -> Result<Self, Error> {
        let op = "Generator::new";
        if layers.is_empty() {
            return Err(Error::invalid(op, "at least one layer"));
        }
        for (l, layer) in layers.iter().enumerate() {
            let w = &layer.weights;
            let below = if l == 0 {
                w.ncols()
            } else {
                layers[l - 1].weights.nrows()
            };
            if w.ncols() != below || w.nrows() == 0 || w.ncols() == 0 {
                let found = format!("layer {l} of {} x {}", w.nrows(), w.ncols());
                return Err(Error::shape(
                    op,
                    format!("layers that fit: {below} inputs"),
                    found,
                ));
            }
            require_finite(op, w.as_ref())?;
        }
        let mean = layer_law::mean(&layers)?;
        Ok(Self { layers, mean })
    }

    /// Random layers of the given widths, `widths[0]` latents: Gaussian rows of norm one.
    ///
    /// # Errors
    /// `InvalidInput` for fewer than two widths or a width of zero.
    pub fn random(
        widths: &[usize],
        activation: &Activation,
        rng: &mut impl Rng,
    ) -> Result<Self, Error> {
        let layers = widths.len().saturating_sub(1);
        Self::random_layers(widths, vec![activation.clone(); layers], rng)
    }

    /// The same with an activation for each layer.
    ///
    /// # Errors
    /// `InvalidInput` for fewer than two widths, a width of zero, or another number of activations.
    pub fn random_layers(
        widths: &[usize],
        activations: Vec<Activation>,
        rng: &mut impl Rng,
    ) -> Result<Self, Error> {
        let one_more = widths.len() == activations.len() + 1;
        if widths.len() < 2 || widths.contains(&0) || !one_more {
            let requirement = "at least two widths, none of them zero, and one activation less";
            return Err(Error::invalid("Generator::random", requirement));
        }
        let layer = |(w, activation): (&[usize], Activation)| {
            let mut weights = normal_matrix(w[1], w[0], rng);
            for i in 0..w[1] {
                let norm = weights.row(i).iter().map(|x| x * x).sum::<f64>().sqrt();
                // A row of zeros has probability zero but is no reason to divide.
                let norm = norm.max(f64::MIN_POSITIVE);
                (0..w[0]).for_each(|j| weights[(i, j)] /= norm);
            }
            Layer {
                weights,
                activation,
            }
        };
        Self::new(widths.windows(2).zip(activations).map(layer).collect())
    }

    /// The same generator with another mean removed from its outputs.
    ///
    /// # Errors
    /// `Shape`, `NonFinite`.
    pub fn centred_by(mut self, mean: Vec<f64>) -> Result<Self, Error> {
        let op = "Generator::centred_by";
        if mean.len() != self.mean.len() {
            let expected = format!("{} entries", self.mean.len());
            return Err(Error::shape(op, expected, mean.len().to_string()));
        }
        if let Some(index) = mean.iter().position(|x| !x.is_finite()) {
            return Err(Error::NonFinite { op, index });
        }
        self.mean = mean;
        Ok(self)
    }

    /// The layers.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// What is subtracted from the outputs.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The outputs for latents given as columns, centred.
    ///
    /// # Errors
    /// `Shape`.
    pub fn apply(&self, c: MatRef<'_, f64>) -> Result<Mat<f64>, Error> {
        if c.nrows() != self.latents() {
            let expected = format!("{} latents", self.latents());
            return Err(Error::shape(
                "Generator::apply",
                expected,
                c.nrows().to_string(),
            ));
        }
        Ok(self.outputs(c))
    }

    fn outputs(&self, c: MatRef<'_, f64>) -> Mat<f64> {
        let mut h = c.to_owned();
        for layer in &self.layers {
            h = &layer.weights * &h;
            for j in 0..h.ncols() {
                let column = h.col_mut(j);
                column
                    .iter_mut()
                    .for_each(|x| *x = layer.activation.eval(*x));
            }
        }
        for j in 0..h.ncols() {
            (0..h.nrows()).for_each(|i| h[(i, j)] -= self.mean[i]);
        }
        h
    }

    /// Covariances without sampling: exact for one layer (closed kernels or Mehler series), and for
    /// several the recursion that treats each layer's inputs as Gaussian.
    ///
    /// # Errors
    /// Those of the Hermite coefficients; `Degenerate` when an activation is constant on its inputs.
    ///
    /// # Complexity
    /// `O(N^2 (D + 60))` per layer.
    /// Here `N` is the number of inputs and `D` the number of latents.
    pub fn law(&self) -> Result<GeneratorLaw, Error> {
        layer_law::law(&self.layers)
    }

    /// Covariances and mean from `samples` draws, in fixed blocks over all threads.
    ///
    /// The relative error is of order `sqrt(N / samples)`: take 500 samples per input.
    ///
    /// # Errors
    /// `InvalidInput` with fewer than two samples; `NonFinite` when the generator overflows.
    ///
    /// # Complexity
    /// `O(samples N (N + D))`; `O(N^2)` memory for each of eight streams.
    /// Here `D` is the number of latents.
    pub fn sampled_law(&self, samples: u64, seed: u64) -> Result<GeneratorLaw, Error> {
        // Eight streams whatever the number of threads, merged in order: same bytes everywhere.
        let parts: Vec<Result<CovarianceStream, Error>> = (0..8u64)
            .into_par_iter()
            .map(|part| {
                let mut rng = stream(seed, part);
                let mut sums = CovarianceStream::new(self.inputs(), self.latents());
                let mut left = samples / 8 + u64::from(part < samples % 8);
                while left > 0 {
                    let count = left.min(512) as usize;
                    let (c, x) = self.draw(count, &mut rng);
                    sums.push(c.as_ref(), x.as_ref())?;
                    left -= count as u64;
                }
                Ok(sums)
            })
            .collect();
        let mut total = CovarianceStream::new(self.inputs(), self.latents());
        for part in parts {
            total.merge(&part?)?;
        }
        let shift = total.mean();
        Ok(GeneratorLaw {
            covariances: total.finish()?,
            mean: shift.iter().zip(&self.mean).map(|(a, b)| a + b).collect(),
            exact: false,
            truncation: 0.0,
        })
    }
}

impl Source for Generator {
    fn latents(&self) -> usize {
        self.layers.first().map_or(0, |l| l.weights.ncols())
    }

    fn inputs(&self) -> usize {
        self.mean.len()
    }

    fn draw(&self, count: usize, rng: &mut ChaCha8Rng) -> (Mat<f64>, Mat<f64>) {
        let c = normal_matrix(self.latents(), count, rng);
        let x = self.outputs(c.as_ref());
        (c, x)
    }
}
