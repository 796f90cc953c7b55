//! Flags that say where inputs come from.

use super::pairs;
use crate::context::Context;
use clap::{Args, ValueEnum};
use faer::Mat;
use rand::Rng;
use std::path::{Path, PathBuf};
use wickring::Error;
use wickring::io::npy;
use wickring::poly::gaussian::Activation;
use wickring::poly::{Poly, Rational, Vars};
use wickring::theory::{
    Committee, Covariances, Diagnostics, GaussianSource, Generator, Layer, Source, Warning,
};

const OP: &str = "theory";
/// The names that are known for generators.
const ACTIVATIONS: &str = "sign, erf, tanh, relu, abs, step, sigmoid, linear";

/// Where inputs come from: a random generator, weights from files, samples, or covariances.
#[derive(Args, Debug)]
pub struct InputArgs {
    /// Activation of the generator: sign, erf, tanh, relu, abs, step, sigmoid, linear, or a polynomial in
    /// one variable such as 'x^2 - 1'; one for all layers or, separated by commas, one for each. Relu, abs
    /// and other uncentred activations are centred.
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
    /// Samples of the latents, one per row (.npy, .csv, .tsv or folders, separated by commas); with
    /// `--input-samples`, any generator at all.
    #[arg(long, value_delimiter = ',', requires = "input_samples", conflicts_with_all = ["omega", "weights", "latents", "inputs", "depth"])]
    latent_samples: Vec<PathBuf>,
    /// The inputs made from those latents, one per row (.npy).
    #[arg(long, value_delimiter = ',', requires = "latent_samples")]
    input_samples: Vec<PathBuf>,
}

/// How the covariances of a generator are found.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum CovarianceKind {
    /// Hermite series layer by layer: exact for one layer.
    Exact,
    /// From samples.
    Sampled,
}

/// What the second covariance is with, and whether inputs will be sampled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wanted {
    /// Standard latents, for predictions only.
    Prediction,
    /// Standard latents, and samples.
    Simulation,
    /// Features of the teacher that have a covariance of their own.
    OtherFeatures,
}

/// Resolved inputs.
pub struct Inputs {
    /// Covariances of the centred inputs.
    pub law: Covariances,
    /// What simulations draw from; none for covariances when nothing is simulated.
    pub source: Option<Box<dyn Source>>,
    /// One line about them.
    pub description: String,
    /// Pairs in a finite sample, when inputs come from one.
    pub pairs: Option<usize>,
    /// Why the covariances cannot be what the theory takes them for.
    pub doubt: Option<String>,
}

/// Warnings about the hypotheses.
pub struct Warnings {
    /// In words.
    pub texts: Vec<String>,
    /// Whether one of them says that the prediction will be wrong.
    pub refuted: bool,
}

impl Inputs {
    /// Warnings about the hypotheses of the equivalence for projections on these weights, also printed.
    pub fn warnings(&self, weights: &Committee, context: &Context) -> Result<Warnings, Error> {
        let source = self.source.as_deref();
        let sample = source.map(|s| (s, 4000, context.common.seed));
        let found = Diagnostics::measure(&self.law, weights, sample)?;
        let list = found.warnings(self.law.latents());
        let mut texts: Vec<String> = list.iter().map(ToString::to_string).collect();
        texts.extend(self.doubt.clone());
        texts.iter().for_each(|w| context.warn(w));
        let refuted = self.doubt.is_some() || list.iter().any(Warning::refutes);
        Ok(Warnings { texts, refuted })
    }

    /// What simulations draw from.
    pub fn sampled(&self) -> Result<&dyn Source, Error> {
        let missing = || Error::invalid(OP, "these inputs cannot be sampled: no simulation");
        self.source.as_deref().ok_or_else(missing)
    }
}

impl InputArgs {
    /// Reads or draws what the flags ask for; `widths` are the defaults for latents, inputs and depth.
    pub fn resolve(
        &self,
        widths: (usize, usize, usize),
        wanted: Wanted,
        context: &Context,
        rng: &mut impl Rng,
    ) -> Result<Inputs, Error> {
        if let (Some(omega), Some(phi)) = (&self.omega, &self.phi) {
            let law = Covariances::new(read_matrix(omega)?, read_matrix(phi)?)?;
            let defect = match wanted {
                Wanted::OtherFeatures => 0.0,
                _ => law.defect(),
            };
            if defect > 0.1 {
                let problem = format!(
                    "Omega - Phi Phi' has an eigenvalue of -{defect:.2} of the largest of Omega: these are \
                     not covariances with standard latents"
                );
                return Err(Error::file(omega, "", problem));
            }
            if defect > 1e-4 {
                context.warn(&format!(
                    "Omega - Phi Phi' has an eigenvalue of -{defect:.1e} of the largest of Omega, as \
                     covariances of few samples have: simulated inputs will differ by as much"
                ));
            }
            let source = match wanted {
                Wanted::Simulation => Some(GaussianSource::new(&law)?),
                _ => None,
            };
            let description = format!(
                "covariances of {} inputs and {} latents from {}",
                law.inputs(),
                law.latents(),
                omega.display()
            );
            return Ok(Inputs {
                law,
                source: source.map(|s| Box::new(s) as Box<dyn Source>),
                description,
                pairs: None,
                doubt: None,
            });
        }
        if !self.latent_samples.is_empty() {
            let (c, x) = (&self.latent_samples, &self.input_samples);
            return pairs::open(c, x, wanted, context);
        }
        self.generated(widths, context, rng)
    }

    fn generated(
        &self,
        (latents, inputs, depth): (usize, usize, usize),
        context: &Context,
        rng: &mut impl Rng,
    ) -> Result<Inputs, Error> {
        let names: Vec<&str> = self.generator.split(',').collect();
        let activations = names.iter().map(|n| activation(n.trim()));
        let mut activations = activations.collect::<Result<Vec<_>, Error>>()?;
        let layers = match self.weights.len() {
            0 => self
                .depth
                .unwrap_or(if names.len() > 1 { names.len() } else { depth }),
            given => given,
        };
        if !(1..=64).contains(&layers) {
            return Err(Error::invalid(OP, "needs a depth in 1..=64"));
        }
        if names.len() == 1 {
            activations = vec![activations[0].clone(); layers];
        }
        if activations.len() != layers {
            let what = format!("{} activations for {layers} layers", activations.len());
            return Err(Error::invalid(OP, what));
        }
        let mut generator = if self.weights.is_empty() {
            let d = self.latents.unwrap_or(latents);
            let n = self.inputs.unwrap_or(inputs);
            if !(1..=100_000).contains(&d) || !(1..=20_000).contains(&n) {
                let what = "needs 1 to 100000 latents and 1 to 20000 inputs";
                return Err(Error::invalid(OP, what));
            }
            let mut widths = vec![d];
            widths.extend(std::iter::repeat_n(n, layers));
            Generator::random_layers(&widths, activations, rng)?
        } else {
            let layer = |(path, activation): (&PathBuf, Activation)| {
                let weights = read_matrix(path)?;
                Ok(Layer {
                    weights,
                    activation,
                })
            };
            let layers = self.weights.iter().zip(activations).map(layer);
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
            source: Some(Box::new(generator)),
            description,
            pairs: None,
            doubt: None,
        })
    }
}

/// An activation by name, or a polynomial.
fn activation(text: &str) -> Result<Activation, Error> {
    if let Some(known) = Activation::from_name(text) {
        return Ok(known);
    }
    let p = polynomial(text, ACTIVATIONS)?;
    let degree = p.total_degree().min(60) as u32;
    let coefficients = (0..=degree).map(|k| p.coefficient(&[k]).to_f64());
    Ok(Activation::Polynomial(coefficients.collect()))
}

/// `linear` or a polynomial in one variable; `names` are those that the caller knows besides.
pub fn polynomial(text: &str, names: &str) -> Result<Poly<Rational>, Error> {
    if text == "linear" {
        return Ok(Poly::variable(0));
    }
    let mut vars = Vars::new();
    let p = Poly::parse(text, &mut vars)?;
    // A longer name is a function that is not known, not a variable: nobody means the linear activation by 'gelu'.
    let letter = vars.names().iter().all(|name| name.chars().count() == 1);
    if letter && p.nvars() == 1 && p.total_degree() <= 60 {
        return Ok(p);
    }
    let requirement = format!(
        "an activation by name ({names}) or a polynomial of degree 1 to 60 in a variable of one letter, not '{text}'"
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
    refuse_gaps(path, t.dims(), t.as_slice())?;
    Ok(t.view().as_matrix(1).to_owned())
}

/// Refuses NaN and infinity, naming file and place.
fn refuse_gaps(path: &Path, dims: &[usize], data: &[f64]) -> Result<(), Error> {
    let Some(at) = data.iter().position(|x| !x.is_finite()) else {
        return Ok(());
    };
    let place = match dims {
        // Stored by columns.
        [rows, _] => format!("entry [{}, {}]", at % rows, at / rows),
        _ => format!("entry [{at}]"),
    };
    let problem = format!("is {}, expected finite numbers", data[at]);
    Err(Error::file(path, place, problem))
}

/// A vector from an .npy file (one axis, or a matrix with one row or column).
pub fn read_vector(path: &Path) -> Result<Vec<f64>, Error> {
    let t = npy::read(path)?;
    let long = t.dims().iter().filter(|d| **d != 1).count();
    if long > 1 {
        let problem = format!("expected a vector, found an array of shape {:?}", t.dims());
        return Err(Error::file(path, "header", problem));
    }
    refuse_gaps(path, t.dims(), t.as_slice())?;
    Ok(t.into_vec())
}

/// Numbers and ranges `from:to:count` (logarithmic) separated by commas, all positive.
pub fn grid(flag: &str, text: &str) -> Result<Vec<f64>, Error> {
    let bad = || {
        let what = "takes numbers and ranges from:to:count, positive and separated by commas";
        Error::invalid(OP, format!("{flag} {what}, not '{text}'"))
    };
    let number = |t: &str| {
        let x: f64 = t.trim().parse().ok()?;
        (x > 0.0 && x.is_finite()).then_some(x)
    };
    let mut all = Vec::new();
    for item in text.split(',') {
        let parts: Vec<&str> = item.split(':').collect();
        match parts[..] {
            [one] => all.push(number(one).ok_or_else(bad)?),
            [from, to, count] => {
                let (from, to) = (number(from).ok_or_else(bad)?, number(to).ok_or_else(bad)?);
                let count: usize = count.trim().parse().map_err(|_| bad())?;
                if !(2..=10_000).contains(&count) {
                    return Err(bad());
                }
                let last = (count - 1) as f64;
                // The ends are meant exactly.
                let inner = |i: usize| (from.ln() + (to / from).ln() * i as f64 / last).exp();
                all.push(from);
                all.extend((1..count - 1).map(inner));
                all.push(to);
            }
            _ => return Err(bad()),
        }
    }
    Ok(all)
}
