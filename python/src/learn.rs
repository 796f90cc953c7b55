//! Learners: rows in, a model and a dictionary of what was measured out; and the models that moments alone give.

use crate::arrays::{fit, rows};
use crate::decompose::How;
use crate::error::OrRaise;
use crate::model::{Model, header, plain};
use crate::observe::watched;
use faer::{Mat, MatRef};
use numpy::{PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::json;
use std::path::PathBuf;
use wickring::fit::Fit;
use wickring::io::model::{Header, ModelFile};
use wickring::io::samples::Samples;
use wickring::learn::mixture::{
    AutoMixture, Component, CovarianceKind, Diffusion, Em, GaussianMixture, InMemory, MixtureModel,
    MomentMethod, SCHEMA,
};
use wickring::learn::polynomial::{Form, Polynomial};
use wickring::learn::relu::{ReluLearner, ReluNetwork};
use wickring::learn::two_layer::{PolynomialActivation, TwoLayerLearner, TwoLayerNetwork};
use wickring::learn::{FewOutputs, Noise, Quadratic};
use wickring::run::Run;
use wickring::tensor::{QuadraticMap, SymmetricRing};
use wickring::{Error, Status};

type Rows<'py> = PyReadonlyArray2<'py, f64>;

/// Rows in memory, or the files that hold them.
#[derive(FromPyObject)]
pub enum Data<'py> {
    Memory(Rows<'py>),
    Files(Vec<PathBuf>),
}

impl Data<'_> {
    /// The rows as the learners read them; files are streamed.
    fn reader(&self) -> PyResult<impl Fn() -> Result<Samples, Error> + Send + use<'_>> {
        let (columns, memory, files) = match self {
            Self::Memory(x) => (x.shape()[1], rows(x)?, None),
            Self::Files(paths) => (0, &[][..], Some(paths.as_slice())),
        };
        Ok(move || match files {
            None => Samples::from_rows(columns, memory.to_vec()),
            Some(paths) => Samples::open(paths),
        })
    }
}
pub type Answer<'py> = PyResult<(Model, Bound<'py, PyDict>)>;

pub fn answer<'py, M>(py: Python<'py>, found: &Fit<M>, file: ModelFile) -> Answer<'py> {
    Ok((Model::of(file).or_raise(py)?, fit(py, found)?))
}

pub fn noise(value: Option<f64>) -> Noise {
    match value {
        None => Noise::Absent,
        Some(x) if x.is_nan() => Noise::Estimated,
        Some(x) => Noise::Known(x),
    }
}

/// A quadratic map of hidden normal variables; `level` is a share of noise, NaN to estimate it.
#[pyfunction]
pub fn learn_quadratic<'py>(
    py: Python<'py>,
    x: Data<'py>,
    latent: Option<usize>,
    flags: (bool, bool),
    level: Option<f64>,
    holdout: f64,
    how: How,
) -> Answer<'py> {
    let ((linear, refine), seed) = (flags, how.seed);
    let read = x.reader()?;
    let (found, inputs) = watched(py, how.progress, how.timeout, |watch| {
        let samples = read()?;
        let d = samples.columns();
        let few = |r: usize| r.checked_mul(r + 1).is_none_or(|n| n / 2 > d);
        let inputs = samples.inputs().cloned().collect();
        let mut run = Run::seeded(seed);
        let rng = run.parts().0;
        if let Some(rank) = latent.filter(|&r| few(r) && !linear) {
            let found = FewOutputs::new(rank)
                .holdout(holdout)
                .learn(&samples, rng, watch)?;
            return Ok((found, inputs));
        }
        let mut learner = Quadratic::new().general(linear).holdout(holdout);
        learner = learner.refine(refine).noise(noise(level));
        learner = latent.map_or(learner, |r| learner.latent(r));
        Ok((learner.learn(&samples, rng, watch)?, inputs))
    })?;
    let file = ModelFile::of_quadratic_map(&found.model, header(&found, inputs, seed));
    answer(py, &found, file)
}

/// A polynomial map of hidden normal variables; beside the share of held-out rows that of noise, NaN to estimate it.
#[pyfunction]
pub fn learn_polynomial<'py>(
    py: Python<'py>,
    x: Data<'py>,
    degree: usize,
    latent: Option<usize>,
    form: &str,
    shares: (f64, Option<f64>),
    how: How,
) -> Answer<'py> {
    let ((holdout, level), read, seed) = (shares, x.reader()?, how.seed);
    let mut learner = Polynomial::new(degree).holdout(holdout).noise(noise(level));
    learner = latent.map_or(learner, |r| learner.latent(r));
    learner = match form {
        "auto" => learner,
        "homogeneous" => learner.form(Form::Homogeneous),
        "general" => learner.form(Form::General),
        _ => {
            return Err(PyValueError::new_err(
                "form: one of auto, homogeneous, general",
            ));
        }
    };
    let (found, inputs) = watched(py, how.progress, how.timeout, |watch| {
        let samples = read()?;
        let inputs = samples.inputs().cloned().collect();
        let found = learner.learn(&samples, Run::seeded(seed).parts().0, watch)?;
        Ok((found, inputs))
    })?;
    let mut file = ModelFile::of_polynomial_map(&found.model.map, header(&found, inputs, seed));
    if found.model.noise.iter().any(|s| *s > 0.0) {
        file.body
            .insert("noise".into(), found.model.noise.clone().into());
    }
    answer(py, &found, file)
}

/// A narrow network of relus.
#[pyfunction]
pub fn learn_relu<'py>(
    py: Python<'py>,
    x: Rows<'py>,
    y: PyReadonlyArray1<'py, f64>,
    neurons: Option<usize>,
    offsets: bool,
    holdout: f64,
    how: How,
) -> Answer<'py> {
    let (n, d, data) = (x.shape()[0], x.shape()[1], rows(&x)?);
    let targets = y.as_slice()?;
    let mut learner = ReluLearner::new().offsets(offsets).held_out(holdout);
    if let Some(k) = neurons {
        learner = learner.neurons(k);
    }
    let found = watched(py, how.progress, how.timeout, |watch| {
        let x = MatRef::from_row_major_slice(data, n, d);
        learner.learn_observed(x, targets, Run::seeded(how.seed).parts().0, watch)
    })?;
    let file = found
        .model
        .network
        .to_model(header(&found, Vec::new(), how.seed));
    answer(py, &found, file)
}

/// A two-layer network with a polynomial activation.
#[pyfunction]
pub fn learn_two_layer<'py>(
    py: Python<'py>,
    x: Rows<'py>,
    y: PyReadonlyArray1<'py, f64>,
    activation: &str,
    sizes: (usize, usize),
    holdout: f64,
    how: How,
) -> Answer<'py> {
    let (n, d, data) = (x.shape()[0], x.shape()[1], rows(&x)?);
    let targets = y.as_slice()?;
    let activation = PolynomialActivation::parse(activation).or_raise(py)?;
    let (neurons, starts) = sizes;
    let learner = TwoLayerLearner::new(activation, neurons)
        .starts(starts)
        .held_out(holdout);
    let found = watched(py, how.progress, how.timeout, |watch| {
        let x = MatRef::from_row_major_slice(data, n, d);
        learner.learn_observed(x, targets, Run::seeded(how.seed).parts().0, watch)
    })?;
    let file = found
        .model
        .network
        .to_model(header(&found, Vec::new(), how.seed));
    answer(py, &found, file)
}

fn mixture_file(generator: &MixtureModel, header: Header) -> Result<ModelFile, Error> {
    let body = generator.to_body(None)?;
    let schema = SCHEMA.to_owned();
    let header = Header { schema, ..header };
    Ok(ModelFile { header, body })
}

fn kinds(names: &[String]) -> PyResult<Vec<CovarianceKind>> {
    let one = |name: &String| {
        let known = || CovarianceKind::ALL.map(CovarianceKind::name).join(", ");
        let wrong = || PyValueError::new_err(format!("covariance: one of {}", known()));
        CovarianceKind::from_name(name).ok_or_else(wrong)
    };
    names.iter().map(one).collect()
}

/// A mixture of normal laws, by `em` or `moments`, with a number of components in a range.
#[pyfunction]
pub fn learn_mixture<'py>(
    py: Python<'py>,
    x: Rows<'py>,
    method: &str,
    components: (usize, usize),
    covariances: Vec<String>,
    starts: usize,
    how: How,
) -> Answer<'py> {
    let (n, d, data) = (x.shape()[0], x.shape()[1], rows(&x)?);
    let (least, most) = components;
    let seed = how.seed;
    let by_moments = match method {
        "em" => false,
        "moments" => true,
        _ => return Err(PyValueError::new_err("method: one of em, moments")),
    };
    let em = Em::between(least, most)
        .kinds(&kinds(&covariances)?)
        .starts(starts);
    let found = watched(py, how.progress, how.timeout, |watch| {
        let x = MatRef::from_row_major_slice(data, n, d);
        let mut run = Run::seeded(seed);
        let rng = run.parts().0;
        Ok(match by_moments {
            true => MomentMethod::between(least, most)
                .learn_observed(x, rng, watch)?
                .map(|m| (m.mixture, m.bic)),
            false => em
                .learn_observed(x, rng, watch)?
                .map(|m| (m.mixture, m.bic)),
        })
    })?;
    let mut head = header(&found, Vec::new(), seed);
    head.report["bic"] = json!(found.model.1);
    let generator = MixtureModel::Gaussian(found.model.0.clone());
    answer(py, &found, mixture_file(&generator, head).or_raise(py)?)
}

/// A mixture by whichever method explains held-out rows best; the answer also has `method` and `candidates`.
#[pyfunction]
pub fn learn_best_mixture<'py>(
    py: Python<'py>,
    x: Rows<'py>,
    components: (usize, usize),
    starts: usize,
    how: How,
) -> Answer<'py> {
    let (n, d, data) = (x.shape()[0], x.shape()[1], rows(&x)?);
    let seed = how.seed;
    let learner = AutoMixture::new()
        .between(components.0, components.1)
        .starts(starts);
    let found = watched(py, how.progress, how.timeout, |watch| {
        let x = MatRef::from_row_major_slice(data, n, d);
        learner.learn_observed(x, Run::seeded(seed).parts().0, watch)
    })?;
    let law = found.model.answer.law();
    let file = mixture_file(&law, header(&found, Vec::new(), seed)).or_raise(py)?;
    let (model, dict) = answer(py, &found, file)?;
    dict.set_item("method", found.model.answer.method().name())?;
    let lines = pyo3::types::PyList::empty(py);
    for c in &found.model.candidates {
        let line = PyDict::new(py);
        line.set_item("method", c.method.name())?;
        line.set_item("held_out", c.held_out)?;
        line.set_item("ahead_of_em", c.ahead_of_em)?;
        line.set_item("reason", &c.reason)?;
        lines.append(line)?;
    }
    dict.set_item("candidates", lines)?;
    Ok((model, dict))
}

/// Scores of a ladder of noise levels, for continuous mixtures.
#[pyfunction]
pub fn learn_score<'py>(
    py: Python<'py>,
    x: Rows<'py>,
    noise: Option<f64>,
    how: How,
) -> Answer<'py> {
    let (dim, data, seed) = (x.shape()[1], rows(&x)?, how.seed);
    let learner = noise.map_or_else(Diffusion::new, |s| Diffusion::new().noise(s));
    let found = watched(py, how.progress, how.timeout, |watch| {
        let mut source = InMemory { rows: data, dim };
        learner.learn_from(&mut source, Run::seeded(seed).parts().0, watch)
    })?;
    let generator = MixtureModel::Score(Box::new(found.model.clone()));
    let file = mixture_file(&generator, header(&found, Vec::new(), seed)).or_raise(py)?;
    answer(py, &found, file)
}

/// The normal law `mean + factor z` as a map of normal variables without quadratic part; `factor` is `d x r`.
#[pyfunction]
pub fn normal_map(py: Python<'_>, mean: Vec<f64>, factor: Rows<'_>) -> PyResult<Model> {
    let (d, r) = (factor.shape()[0], factor.shape()[1]);
    let linear = rows(&factor)?.to_vec();
    let work = || {
        let map = QuadraticMap::new(SymmetricRing::new(r, vec![0.0; d * r * r])?, linear, mean)?;
        Model::of(ModelFile::of_quadratic_map(&map, plain(Status::Stalled)))
    };
    work().or_raise(py)
}

/// One normal law as a mixture.
#[pyfunction]
pub fn normal_mixture(py: Python<'_>, mean: Vec<f64>, covariance: Rows<'_>) -> PyResult<Model> {
    let (dim, weight) = (mean.len(), 1.0);
    let covariance = rows(&covariance)?.to_vec();
    let work = || {
        let one = Component {
            weight,
            mean,
            covariance,
        };
        let generator = MixtureModel::Gaussian(GaussianMixture::new(dim, vec![one])?);
        Model::of(mixture_file(&generator, plain(Status::Stalled))?)
    };
    work().or_raise(py)
}

/// An affine function as a network without neurons.
#[pyfunction]
pub fn affine_network(py: Python<'_>, constant: f64, linear: Vec<f64>) -> PyResult<Model> {
    let network = ReluNetwork::new(constant, linear, Vec::new()).or_raise(py)?;
    Model::of(network.to_model(plain(Status::Stalled))).or_raise(py)
}

/// A constant as a two-layer network whose only neuron counts nothing.
#[pyfunction]
pub fn constant_network(
    py: Python<'_>,
    activation: &str,
    constant: f64,
    inputs: usize,
) -> PyResult<Model> {
    let activation = PolynomialActivation::parse(activation).or_raise(py)?;
    let weights = Mat::from_fn(1, inputs, |_, j| if j == 0 { 1.0 } else { 0.0 });
    let network = TwoLayerNetwork::new(activation, constant, vec![0.0], weights).or_raise(py)?;
    Model::of(network.to_model(plain(Status::Stalled))).or_raise(py)
}
