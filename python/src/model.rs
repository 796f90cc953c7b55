//! Learned models, by the model files of the command line: evaluated, drawn from, written and read.

use crate::arrays::rows;
use crate::error::OrRaise;
use faer::MatRef;
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyType;
use serde_json::Value;
use std::path::PathBuf;
use wickring::fit::Fit;
use wickring::io::POLYNOMIAL_MAP;
use wickring::io::model::{Header, ModelFile, QUADRATIC_MAP};
use wickring::io::samples::Input;
use wickring::learn::mixture::{Chain, GaussianMixture, MixtureModel, SCHEMA};
use wickring::learn::{Predictor, add_noise};
use wickring::run::Run;
use wickring::{Error, Status};

/// A model as its file has it.
#[pyclass(frozen, module = "wickring._native")]
pub struct Model {
    file: ModelFile,
    kind: Kind,
}

enum Kind {
    Function(Predictor),
    Mixture(MixtureModel),
}

impl Model {
    /// # Errors
    /// `InvalidInput` when the file holds no model that is known.
    pub fn of(file: ModelFile) -> Result<Self, Error> {
        let kind = match file.header.schema.as_str() {
            SCHEMA => Kind::Mixture(MixtureModel::from_body(&file.body)?),
            _ => Kind::Function(Predictor::from_model(&file)?),
        };
        Ok(Self { file, kind })
    }

    fn mixture(&self) -> PyResult<&MixtureModel> {
        match &self.kind {
            Kind::Mixture(m) => Ok(m),
            Kind::Function(_) => Err(PyValueError::new_err("only a mixture has a density")),
        }
    }
}

/// What a model file says of how its model came about.
pub fn header<M>(fit: &Fit<M>, inputs: Vec<Input>, seed: u64) -> Header {
    let e = &fit.evidence;
    let number = |x: f64| match x.is_finite() {
        true => Value::from(x),
        false => Value::from(x.to_string()),
    };
    let checks = e.checks.iter().map(|c| {
        serde_json::json!({
            "key": c.key, "name": c.label, "measured": number(c.measured), "allowed": number(c.allowed),
        })
    });
    Header {
        schema: String::new(),
        seed,
        status: fit.status,
        inputs,
        report: serde_json::json!({
            "rel_residual": number(e.rel_residual), "cond": number(e.condition), "checks": checks.collect::<Vec<_>>(),
        }),
    }
}

/// A header without a history.
pub fn plain(status: Status) -> Header {
    Header {
        schema: String::new(),
        seed: 0,
        status,
        inputs: Vec::new(),
        report: serde_json::json!({}),
    }
}

/// Rows of numbers as an array of `n x columns`.
pub fn matrix<'py>(
    py: Python<'py>,
    columns: usize,
    data: Vec<f64>,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let n = data.len() / columns.max(1);
    PyArray1::from_vec(py, data).reshape([n, columns])
}

#[pymethods]
impl Model {
    #[classmethod]
    fn from_json(_: &Bound<'_, PyType>, py: Python<'_>, text: &str) -> PyResult<Self> {
        py.detach(|| Self::of(ModelFile::from_json(text)?))
            .or_raise(py)
    }
    #[classmethod]
    fn load(_: &Bound<'_, PyType>, py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        py.detach(|| Self::of(ModelFile::read(&path)?)).or_raise(py)
    }
    /// Writes the file whole or not at all.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| self.file.write(&path)).or_raise(py)
    }
    fn to_json(&self) -> String {
        self.file.to_json()
    }
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        Ok((slf.get_type().getattr("from_json")?, (slf.get().to_json(),)))
    }
    #[getter]
    fn schema(&self) -> &str {
        &self.file.header.schema
    }
    #[getter]
    fn status(&self) -> &str {
        self.file.header.status.name()
    }
    /// Values of a function at rows of inputs.
    fn evaluate<'py>(
        &self,
        py: Python<'py>,
        x: PyReadonlyArray2<'py, f64>,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let Kind::Function(f) = &self.kind else {
            return Err(PyValueError::new_err("a mixture is no function"));
        };
        let data = rows(&x)?;
        let (n, d) = (x.shape()[0], x.shape()[1]);
        let work = || f.evaluate(MatRef::from_row_major_slice(data, n, d));
        matrix(py, f.outputs(), py.detach(work).or_raise(py)?)
    }
    /// Draws rows from the law of a map of normal variables or of a mixture.
    fn sample<'py>(
        &self,
        py: Python<'py>,
        count: usize,
        seed: u64,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let work = || -> Result<(usize, Vec<f64>), Error> {
            let mut run = Run::seeded(seed);
            let rng = run.parts().0;
            if let Kind::Mixture(m) = &self.kind {
                return Ok((m.dim(), m.sample(count, Chain::default(), rng)?));
            }
            match self.schema() {
                QUADRATIC_MAP => {
                    let map = self.file.quadratic_map()?;
                    let mut rows = map.sample(count, rng);
                    add_noise(&mut rows, &self.file.noise()?, rng);
                    Ok((map.output_dim(), rows))
                }
                POLYNOMIAL_MAP => {
                    let map = self.file.polynomial_map()?;
                    let mut rows = map.sample(count, rng);
                    add_noise(&mut rows, &self.file.noise()?, rng);
                    Ok((map.output_dim(), rows))
                }
                other => Err(Error::invalid("sample", format!("{other} is no law"))),
            }
        };
        let (columns, data) = py.detach(work).or_raise(py)?;
        matrix(py, columns, data)
    }
    /// `log p` at each row.
    fn log_density<'py>(
        &self,
        py: Python<'py>,
        x: PyReadonlyArray2<'py, f64>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let (model, data) = (self.mixture()?, rows(&x)?);
        let work = || model.log_density(data);
        Ok(PyArray1::from_vec(py, py.detach(work).or_raise(py)?))
    }
    /// The law of the other columns where some columns have the values given, by their numbers.
    fn given(&self, py: Python<'_>, known: Vec<(usize, f64)>) -> PyResult<Self> {
        let MixtureModel::Gaussian(m) = self.mixture()? else {
            return Err(PyValueError::new_err(
                "a model given by scores has no conditional law",
            ));
        };
        let work = || {
            let law = MixtureModel::Gaussian(m.given(&known)?);
            let header = Header {
                schema: SCHEMA.to_owned(),
                ..plain(self.file.header.status)
            };
            let body = law.to_body(None)?;
            Self::of(ModelFile { header, body })
        };
        py.detach(work).or_raise(py)
    }
    /// Where in the law of its column each entry lies, for mixtures.
    fn quantiles_of<'py>(
        &self,
        py: Python<'py>,
        x: PyReadonlyArray2<'py, f64>,
        seed: u64,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let (model, data, d) = (self.mixture()?, rows(&x)?, x.shape()[1]);
        let work = || model.quantiles_of(data, Run::seeded(seed).parts().0);
        matrix(py, d, py.detach(work).or_raise(py)?)
    }
    /// `log weight_j + log p_j` at each row, `n x components`.
    fn joint_log_density<'py>(
        &self,
        py: Python<'py>,
        x: PyReadonlyArray2<'py, f64>,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let MixtureModel::Gaussian(m) = self.mixture()? else {
            return Err(PyValueError::new_err(
                "a model given by scores has no components",
            ));
        };
        let (data, k) = (rows(&x)?, m.len());
        let work = || -> Result<Vec<f64>, Error> {
            let mut all = vec![0.0; data.len() / m.dim() * k];
            for (j, c) in m.components().iter().enumerate() {
                let weight = c.weight.ln();
                let mut alone = c.clone();
                alone.weight = 1.0;
                let one = GaussianMixture::new(m.dim(), vec![alone])?;
                let values = one.log_density(data);
                all.iter_mut()
                    .skip(j)
                    .step_by(k)
                    .zip(values)
                    .for_each(|(a, v)| *a = weight + v);
            }
            Ok(all)
        };
        matrix(py, k, py.detach(work).or_raise(py)?)
    }
}
