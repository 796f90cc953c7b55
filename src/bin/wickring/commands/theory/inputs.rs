//! Flags that say where inputs come from.

use crate::context::Context;
use clap::{Args, ValueEnum};
use faer::Mat;
use rand::Rng;
use std::path::{Path, PathBuf};
use wickring::Error;
use wickring::io::npy;
use wickring::poly::gaussian::Activation;
use wickring::poly::{Poly, Rational, Vars};
use wickring::theory::{Covariances, GaussianSource, Generator, Layer, PairedSamples, Source};

const OP: &str = "theory";

/// Where inputs come from: a random generator, weights from files, samples, or covariances.
#[derive(Args, Debug)]
pub struct InputArgs {
    /// Activation of the generator: sign, erf, tanh, relu, abs, step, sigmoid, linear, or a polynomial in
    /// one variable such as 'x^2 - 1'. Relu, abs and other uncentred activations are centred.
    #[arg(long, default_value = "sign")]
    generator: String,
    /// Number of latents D of a random generator.
    #[arg(long)]
    pub latents: Option<usize>,
    /// Number of inputs N of a random generator.
    #[arg(long)]
    pub inputs: Option<usize>,
    /// Number of layers of a random generator, each of the same width.
    #[arg(long)]
    pub depth: Option<usize>,
    /// Weights of the generator's layers, first layer first (.npy, outputs x inputs).
    #[arg(long, value_delimiter = ',', conflicts_with_all = ["latents", "inputs", "depth"])]
    weights: Vec<PathBuf>,
    /// How the covariances of a generator are found.
    #[arg(long, value_enum, default_value_t = CovarianceKind::Exact)]
    covariance: CovarianceKind,
    /// Samples for `--covariance sampled`; 500 per input by default.
    #[arg(long)]
    covariance_samples: Option<u64>,
    /// Covariance of the inputs, N x N (.npy), as of a trained generator; simulations draw Gaussians.
    #[arg(long, requires = "phi", conflicts_with_all = ["weights", "latents", "inputs", "depth"])]
    omega: Option<PathBuf>,
    /// Covariance of inputs with latents, N x D (.npy).
    #[arg(long, requires = "omega")]
    phi: Option<PathBuf>,
    /// Samples of the latents, one per row (.npy); with `--input-samples`, any generator at all.
    #[arg(long, requires = "input_samples", conflicts_with_all = ["omega", "weights", "latents", "inputs", "depth"])]
    latent_samples: Option<PathBuf>,
    /// The inputs made from those latents, one per row (.npy).
    #[arg(long, requires = "latent_samples")]
    input_samples: Option<PathBuf>,
}

/// How the covariances of a generator are found.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum CovarianceKind {
    /// Hermite series layer by layer: exact for one layer.
    Exact,
    /// From samples.
    Sampled,
}

/// Resolved inputs.
pub struct Inputs {
    /// Covariances of the centred inputs.
    pub law: Covariances,
    /// What simulations draw from.
    pub source: Box<dyn Source>,
    /// One line about them.
    pub description: String,
    /// Pairs in a finite sample, when inputs come from one.
    pub pairs: Option<usize>,
}

impl InputArgs {
    /// Reads or draws what the flags ask for; `widths` are the defaults for latents, inputs and depth.
    pub fn resolve(
        &self,
        widths: (usize, usize, usize),
        context: &Context,
        rng: &mut impl Rng,
    ) -> Result<Inputs, Error> {
        if let (Some(omega), Some(phi)) = (&self.omega, &self.phi) {
            let law = Covariances::from_tensors(&npy::read(omega)?, &npy::read(phi)?)?;
            let source = GaussianSource::new(&law)?;
            let description = format!(
                "covariances of {} inputs and {} latents from {}",
                law.inputs(),
                law.latents(),
                omega.display()
            );
            return Ok(Inputs {
                law,
                source: Box::new(source),
                description,
                pairs: None,
            });
        }
        if let (Some(c), Some(x)) = (&self.latent_samples, &self.input_samples) {
            let columns = |path: &Path| Ok::<_, Error>(read_matrix(path)?.transpose().to_owned());
            let source = PairedSamples::new(columns(c)?, columns(x)?)?;
            let law = source.covariances()?;
            let pairs = source.pairs().0.ncols();
            let description = format!("{pairs} pairs from {}", x.display());
            if pairs < 20 * law.inputs() {
                context.warn(&format!(
                    "{pairs} samples are few for covariances of {} inputs: expect errors of order {:.0}%",
                    law.inputs(),
                    100.0 * (law.inputs() as f64 / pairs as f64).sqrt()
                ));
            }
            return Ok(Inputs {
                law,
                source: Box::new(source),
                description,
                pairs: Some(pairs),
            });
        }
        self.generated(widths, context, rng)
    }

    fn generated(
        &self,
        (latents, inputs, depth): (usize, usize, usize),
        context: &Context,
        rng: &mut impl Rng,
    ) -> Result<Inputs, Error> {
        let activation = activation(&self.generator)?;
        let mut generator = if self.weights.is_empty() {
            let d = self.latents.unwrap_or(latents);
            let n = self.inputs.unwrap_or(inputs);
            let depth = self.depth.unwrap_or(depth);
            if depth == 0 || depth > 64 || d > 100_000 || n > 20_000 {
                let what = "needs a depth in 1..=64, at most 100000 latents and 20000 inputs";
                return Err(Error::invalid(OP, what));
            }
            let mut widths = vec![d];
            widths.extend(std::iter::repeat_n(n, depth));
            Generator::random(&widths, &activation, rng)?
        } else {
            let layer = |path: &PathBuf| {
                Ok(Layer {
                    weights: read_matrix(path)?,
                    activation: activation.clone(),
                })
            };
            let layers = self.weights.iter().map(layer);
            Generator::new(layers.collect::<Result<_, Error>>()?)?
        };
        let samples = self
            .covariance_samples
            .unwrap_or(500 * generator.inputs() as u64);
        let law = match self.covariance {
            CovarianceKind::Exact => generator.law()?,
            CovarianceKind::Sampled => generator.sampled_law(samples, context.common.seed)?,
        };
        if law.truncation > 1e-6 {
            context.warn(&format!(
                "rows of the weights are nearly parallel: entries of Omega are good to {:.0e} only, use \
                 --covariance sampled",
                law.truncation
            ));
        }
        if self.covariance == CovarianceKind::Sampled {
            generator = generator.centred_by(law.mean.clone())?;
        }
        let layers = generator.layers().len();
        let how = match (self.covariance, law.exact) {
            (CovarianceKind::Sampled, _) => format!("covariances from {samples} samples"),
            (_, true) => "exact covariances".to_owned(),
            (_, false) => "covariances by the layer recursion".to_owned(),
        };
        let description = format!(
            "{layers}-layer {} generator, D = {}, N = {}, {how}",
            self.generator,
            generator.latents(),
            generator.inputs()
        );
        Ok(Inputs {
            law: law.covariances,
            source: Box::new(generator),
            description,
            pairs: None,
        })
    }
}

/// An activation by name, or a polynomial.
fn activation(text: &str) -> Result<Activation, Error> {
    if let Some(known) = Activation::from_name(text) {
        return Ok(known);
    }
    let p = polynomial(text)?;
    let degree = p.total_degree().min(60) as u32;
    let coefficients = (0..=degree).map(|k| p.coefficient(&[k]).to_f64());
    Ok(Activation::Polynomial(coefficients.collect()))
}

/// `linear` or a polynomial in one variable.
pub fn polynomial(text: &str) -> Result<Poly<Rational>, Error> {
    if text == "linear" {
        return Ok(Poly::variable(0));
    }
    let p = Poly::parse(text, &mut Vars::new())?;
    if p.nvars() == 1 && p.total_degree() <= 60 {
        return Ok(p);
    }
    let requirement = format!(
        "an activation by name or a polynomial in one variable of degree 1 to 60, not '{text}'"
    );
    Err(Error::invalid(OP, requirement))
}

/// A matrix from an .npy file.
pub fn read_matrix(path: &Path) -> Result<Mat<f64>, Error> {
    let t = npy::read(path)?;
    if t.order() != 2 {
        let problem = format!("expected a matrix, found an array of shape {:?}", t.dims());
        return Err(Error::file(path, "header", problem));
    }
    Ok(t.view().as_matrix(1).to_owned())
}

/// A vector from an .npy file (one axis, or a matrix with one row or column).
pub fn read_vector(path: &Path) -> Result<Vec<f64>, Error> {
    let t = npy::read(path)?;
    let long = t.dims().iter().filter(|d| **d != 1).count();
    if long > 1 {
        let problem = format!("expected a vector, found an array of shape {:?}", t.dims());
        return Err(Error::file(path, "header", problem));
    }
    Ok(t.into_vec())
}

/// `a,b,c` or `from:to:count` (logarithmic), all positive.
pub fn grid(flag: &str, text: &str) -> Result<Vec<f64>, Error> {
    let bad = || {
        Error::invalid(
            OP,
            format!("{flag} takes a,b,c or from:to:count, positive, not '{text}'"),
        )
    };
    let number = |t: &str| {
        t.trim()
            .parse::<f64>()
            .ok()
            .filter(|x| *x > 0.0 && x.is_finite())
    };
    let parts: Vec<&str> = text.split(':').collect();
    if let [from, to, count] = parts[..] {
        let (from, to) = (number(from).ok_or_else(bad)?, number(to).ok_or_else(bad)?);
        let count: usize = count.trim().parse().map_err(|_| bad())?;
        if !(2..=10_000).contains(&count) {
            return Err(bad());
        }
        let at = |i: usize| (from.ln() + (to / from).ln() * i as f64 / (count - 1) as f64).exp();
        return Ok((0..count).map(at).collect());
    }
    text.split(',').map(|t| number(t).ok_or_else(bad)).collect()
}
