//! `wickring.Pass` and `wickring.PassSums`: what a learner asks of all rows, wherever they lie.

use crate::arrays::{checked, rows};
use crate::decompose::How;
use crate::error::OrRaise;
use crate::learn::{Answer, answer, noise};
use crate::model::header;
use crate::observe::watched;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyType};
use std::sync::{Mutex, PoisonError};
use wickring::Error;
use wickring::io::model::ModelFile;
use wickring::learn::{AllRows, Pass as Question, PassSums as Sums, Quadratic};
use wickring::run::{Observer, Progress, Run};

/// What is asked of all rows at once.
#[pyclass(frozen, module = "wickring._native")]
pub struct Pass {
    question: Question,
}

#[pymethods]
impl Pass {
    /// The answer for consecutive rows, the first of which has the number `first_row`, and `first_learned` among those for
    /// learning.
    fn of_rows(
        &self,
        first_row: u64,
        first_learned: u64,
        x: &Bound<'_, PyAny>,
    ) -> PyResult<PassSums> {
        let py = x.py();
        let x = checked(x)?;
        let data = rows(&x)?;
        let sums = py.detach(|| self.question.of_rows(first_row, first_learned, data));
        sums.or_raise(py).map(|sums| PassSums { sums })
    }
    /// How many of `count` rows from number `first` on are for learning.
    fn learning_rows(&self, py: Python<'_>, first: u64, count: u64) -> u64 {
        py.detach(|| self.question.learning_rows(first, count))
    }
    fn to_text(&self) -> String {
        self.question.to_text()
    }
    #[classmethod]
    fn from_text(_: &Bound<'_, PyType>, py: Python<'_>, text: &str) -> PyResult<Self> {
        let question = Question::from_text(text).or_raise(py)?;
        Ok(Self { question })
    }
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        let text = slf.get().to_text();
        Ok((slf.get_type().getattr("from_text")?, (text,)))
    }
}

/// The answer to a pass; answers about different rows add up.
#[pyclass(frozen, module = "wickring._native")]
pub struct PassSums {
    sums: Sums,
}

#[pymethods]
impl PassSums {
    fn __add__(&self, py: Python<'_>, other: &Self) -> PyResult<Self> {
        let work = || {
            let mut sums = self.sums.clone();
            sums.merge(&other.sums).map(|()| sums)
        };
        let sums = py.detach(work).or_raise(py)?;
        Ok(Self { sums })
    }
    fn __radd__(&self, py: Python<'_>, other: &Self) -> PyResult<Self> {
        other.__add__(py, self)
    }
    fn __eq__(&self, other: &Self) -> bool {
        self.sums == other.sums
    }
    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &py.detach(|| self.sums.to_bytes()))
    }
    #[classmethod]
    fn from_bytes(_: &Bound<'_, PyType>, py: Python<'_>, data: &[u8]) -> PyResult<Self> {
        let sums = Sums::from_bytes(data).or_raise(py)?;
        Ok(Self { sums })
    }
    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let bytes = slf.get().to_bytes(slf.py());
        Ok((slf.get_type().getattr("from_bytes")?, (bytes,)))
    }
}

/// Rows that a callable of Python answers for: `run(pass) -> sums`.
struct Engine {
    run: Py<PyAny>,
    /// What the callable raised.
    raised: Mutex<Option<PyErr>>,
}

impl AllRows for Engine {
    fn pass(&self, pass: &Question, observer: Observer<'_>) -> Result<Sums, Error> {
        let op = "PassSums";
        if observer(&Progress::open("pass over all rows", 0)).is_break() {
            return Err(Error::Stopped { op });
        }
        let question = pass.clone();
        let answer = Python::attach(|py| -> PyResult<Sums> {
            let answer = self.run.bind(py).call1((Pass { question },))?;
            let answer = answer.cast::<PassSums>()?;
            Ok(answer.get().sums.clone())
        });
        answer.map_err(|e| {
            *self.raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(e);
            Error::Stopped { op }
        })
    }
}

/// A quadratic map of hidden normal variables, from rows that `run` answers for; `sizes` are columns and, if any, the rows of
/// the panel.
#[pyfunction]
pub fn learn_quadratic_passes<'py>(
    py: Python<'py>,
    run: Py<PyAny>,
    sizes: (usize, Option<usize>),
    latent: Option<usize>,
    flags: (bool, bool),
    shares: (f64, Option<f64>),
    how: How,
) -> Answer<'py> {
    let ((columns, panel), (linear, refine), (holdout, level)) = (sizes, flags, shares);
    let raised = Mutex::new(None);
    let engine = Engine { run, raised };
    let seed = how.seed;
    let mut learner = Quadratic::new().general(linear).holdout(holdout);
    learner = learner.refine(refine).noise(noise(level));
    learner = latent.map_or(learner, |r| learner.latent(r));
    learner = panel.map_or(learner, |rows| learner.panel(rows));
    let found = watched(py, how.progress, how.timeout, |watch| {
        learner.learn_all(&engine, columns, Run::seeded(seed).parts().0, watch)
    });
    if let Some(e) = engine
        .raised
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
    {
        return Err(e);
    }
    let found = found?;
    let file = ModelFile::of_quadratic_map(&found.model, header(&found, Vec::new(), seed));
    answer(py, &found, file)
}
