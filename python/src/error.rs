//! From the errors of the library to exceptions: `wickring.errors.<Name>(message, **fields)`.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;
use wickring::Error;

/// The exception of an error. The classes live in Python, so that they subclass the builtin ones that programs
/// catch, carry fields and pickle.
pub fn raise(py: Python<'_>, e: &Error) -> PyErr {
    build(py, e).unwrap_or_else(|e| e)
}

fn build(py: Python<'_>, e: &Error) -> PyResult<PyErr> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let fields = PyDict::new(py);
    let name = fill(e, &fields)?;
    let module = MODULE.get_or_try_init(py, || py.import("wickring.errors").map(Bound::unbind))?;
    let class = module.bind(py).getattr(name)?;
    Ok(PyErr::from_value(
        class.call((e.to_string(),), Some(&fields))?,
    ))
}

/// Puts the fields of `e` into a dictionary and names its class.
fn fill(e: &Error, fields: &Bound<'_, PyDict>) -> PyResult<&'static str> {
    let set = |key: &str, value: &str| fields.set_item(key, value);
    Ok(match e {
        Error::InvalidInput { op, requirement } => {
            set("op", op)?;
            set("requirement", requirement)?;
            "InvalidInput"
        }
        Error::Shape {
            op,
            expected,
            found,
        } => {
            set("op", op)?;
            set("expected", expected)?;
            set("found", found)?;
            "ShapeMismatch"
        }
        Error::Parse { op, at, expected } => {
            set("op", op)?;
            fields.set_item("at", at)?;
            set("expected", expected)?;
            "ParseError"
        }
        Error::File {
            path,
            place,
            problem,
        } => {
            fields.set_item("path", path)?;
            set("place", place)?;
            set("problem", problem)?;
            "FileError"
        }
        Error::NonFinite { op, index } => {
            set("op", op)?;
            fields.set_item("index", index)?;
            "NonFinite"
        }
        Error::Degenerate {
            op,
            hypothesis,
            measured,
        } => {
            set("op", op)?;
            set("hypothesis", hypothesis)?;
            fields.set_item("measured", measured)?;
            "Degenerate"
        }
        Error::Overflow { op, what } => {
            set("op", op)?;
            set("what", what)?;
            "Overflow"
        }
        Error::LimitExceeded { op, what, limit } => {
            set("op", op)?;
            set("what", what)?;
            fields.set_item("limit", limit)?;
            "LimitExceeded"
        }
        Error::Stopped { op } => {
            set("op", op)?;
            "Stopped"
        }
        Error::Backend { op, routine } => {
            set("op", op)?;
            set("routine", routine)?;
            "BackendFailure"
        }
        Error::NotConverged {
            status,
            rel_residual,
        } => {
            set("status", status.name())?;
            fields.set_item("rel_residual", rel_residual)?;
            "NotConverged"
        }
        _ => "WickringError",
    })
}

/// The value, or the exception of the error.
pub trait OrRaise<T> {
    /// See [`raise`].
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for Result<T, Error> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|e| raise(py, &e))
    }
}
