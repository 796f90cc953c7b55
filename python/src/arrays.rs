//! Arrays of numpy as tensors and back.

use crate::error::OrRaise;
use numpy::npyffi::NPY_ORDER;
use numpy::{
    Element, PyArray1, PyArrayDyn, PyArrayMethods, PyReadonlyArray2, PyReadonlyArrayDyn,
    PyUntypedArrayMethods,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList};
use wickring::fit::{Evidence, Fit};
use wickring::tensor::{CpTensor, Factor, Scalar, Tensor, TensorView};

/// The entries of a Fortran-ordered array, first index fastest, in the caller's own memory. `wickring._check.tensor`
/// brings anything else into this form. `as_slice` alone is not enough: it takes either order and says nothing.
pub fn entries<'a, T: Element>(x: &'a PyReadonlyArrayDyn<'_, T>) -> PyResult<&'a [T]> {
    if !x.is_fortran_contiguous() {
        return Err(PyTypeError::new_err("a Fortran-ordered array is needed"));
    }
    Ok(x.as_slice()?)
}

/// Anything that `wickring._check.matrix` makes a C-ordered matrix of.
pub fn checked<'py>(x: &Bound<'py, PyAny>) -> PyResult<PyReadonlyArray2<'py, f64>> {
    static MATRIX: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let made = MATRIX.import(x.py(), "wickring._check", "matrix")?;
    made.call1((x,))?.extract()
}

/// The rows of a C-ordered matrix, in the caller's own memory; `wickring._check.matrix` makes one of anything else.
pub fn rows<'a>(x: &'a PyReadonlyArray2<'_, f64>) -> PyResult<&'a [f64]> {
    if !x.is_c_contiguous() {
        return Err(PyTypeError::new_err("a C-ordered matrix is needed"));
    }
    Ok(x.as_slice()?)
}

/// An array in Fortran order from entries, first index fastest.
pub fn array<'py, T: Element>(
    py: Python<'py>,
    dims: &[usize],
    data: Vec<T>,
) -> PyResult<Bound<'py, PyArrayDyn<T>>> {
    PyArray1::from_vec(py, data).reshape_with_order(dims.to_vec(), NPY_ORDER::NPY_FORTRANORDER)
}

/// A tensor as an array.
pub fn from_tensor<T: Element>(py: Python<'_>, t: Tensor<T>) -> PyResult<Bound<'_, PyArrayDyn<T>>> {
    let dims = t.dims().to_vec();
    array(py, &dims, t.into_vec())
}

/// An array as a tensor of its own.
pub fn tensor<T: Element + Clone>(x: &PyReadonlyArrayDyn<'_, T>) -> PyResult<Tensor<T>> {
    Tensor::from_vec(x.shape(), entries(x)?.to_vec()).or_raise(x.py())
}

/// An array as a view onto its memory.
pub fn view<'a, T: Element>(x: &'a PyReadonlyArrayDyn<'_, T>) -> PyResult<TensorView<'a, T>> {
    TensorView::new(x.shape(), entries(x)?).or_raise(x.py())
}

/// Factors as a list of `n x rank` arrays.
pub fn factors<'py, T: Element + Clone>(
    py: Python<'py>,
    factors: &[Factor<T>],
) -> PyResult<Bound<'py, PyList>> {
    let all: PyResult<Vec<_>> = factors
        .iter()
        .map(|f| array(py, &[f.rows(), f.cols()], f.as_slice().to_vec()))
        .collect();
    PyList::new(py, all?)
}

/// Arrays as the factors of a model.
pub fn cp_model<T: Element + Scalar>(
    py: Python<'_>,
    weights: Vec<T>,
    factors: &[PyReadonlyArrayDyn<'_, T>],
) -> PyResult<CpTensor<T>> {
    let mut all = Vec::new();
    for f in factors {
        let [rows, cols] = *f.shape() else {
            return Err(PyTypeError::new_err("a factor is a matrix"));
        };
        all.push(Factor::new(rows, cols, entries(f)?.to_vec()).or_raise(py)?);
    }
    CpTensor::new(weights, all).or_raise(py)
}

/// What was measured, as a dictionary.
pub fn evidence<'py>(py: Python<'py>, e: &Evidence) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("rel_residual", e.rel_residual)?;
    dict.set_item("condition", e.condition)?;
    let checks = PyList::empty(py);
    for c in &e.checks {
        let check = PyDict::new(py);
        check.set_item("key", c.key)?;
        check.set_item("label", &c.label)?;
        check.set_item("role", c.role.word())?;
        check.set_item("measured", c.measured)?;
        check.set_item("allowed", c.allowed)?;
        check.set_item("holds", c.holds())?;
        checks.append(check)?;
    }
    dict.set_item("checks", checks)?;
    Ok(dict)
}

/// A fit as a dictionary: `status`, `history`, `work`, `evidence`; the caller adds the model.
pub fn fit<'py, M>(py: Python<'py>, fit: &Fit<M>) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("status", fit.status.name())?;
    dict.set_item("history", fit.history.clone())?;
    let work = PyDict::new(py);
    work.set_item("sweeps", fit.work.sweeps)?;
    work.set_item("samples", fit.work.samples)?;
    work.set_item("starts", fit.work.starts)?;
    dict.set_item("work", work)?;
    dict.set_item("evidence", evidence(py, &fit.evidence)?)?;
    Ok(dict)
}
