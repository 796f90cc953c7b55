//! CP under constraints of single modes, and PARAFAC2.

use crate::arrays::{factors, fit, view};
use crate::decompose::{How, Options, with_options};
use crate::observe::watched;
use numpy::{PyArray1, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use wickring::decomp::fit_uniqueness;
use wickring::decomp::{Constraint, CpConstrained, CpMasked, Parafac2, parafac2_uniqueness};
use wickring::run::Run;
use wickring::tensor::{Factor, Tensor, TensorView};

type Real<'py> = PyReadonlyArrayDyn<'py, f64>;

/// One constraint: its mode, its word, and a cost or a factor where it has one.
type Asked<'py> = (usize, String, Option<f64>, Option<Real<'py>>);

fn constraint(word: &str, cost: Option<f64>, known: Option<&Real<'_>>) -> PyResult<Constraint> {
    let cost = || cost.ok_or(PyValueError::new_err(format!("{word}: a cost is needed")));
    Ok(match word {
        "nonneg" => Constraint::Nonnegative,
        "unimodal" => Constraint::Unimodal,
        "orthonormal" => Constraint::Orthonormal,
        "smooth" => Constraint::Smooth(cost()?),
        "l1" => Constraint::Sparse(cost()?),
        "fixed" => {
            let known = known.ok_or(PyValueError::new_err("fixed: an array is needed"))?;
            let [rows, cols] = *known.shape() else {
                return Err(PyValueError::new_err("fixed: a matrix is needed"));
            };
            let data = crate::arrays::entries(known)?.to_vec();
            let factor = Factor::new(rows, cols, data);
            Constraint::Fixed(factor.map_err(|e| PyValueError::new_err(e.to_string()))?)
        }
        _ => {
            return Err(PyValueError::new_err(format!(
                "constraint: one of nonneg, unimodal, orthonormal, smooth, l1, fixed, got {word}"
            )));
        }
    })
}

#[pyfunction]
pub fn cp_constrained<'py>(
    py: Python<'py>,
    x: Real<'py>,
    rank: usize,
    masked: bool,
    constraints: Vec<Asked<'py>>,
    options: Options,
    how: How,
) -> PyResult<Bound<'py, PyDict>> {
    let t = view(&x)?;
    let mut engine = with_options!(CpConstrained::new(rank), options, starts, max_iterations);
    for (mode, word, cost, known) in &constraints {
        engine = engine.constrain(*mode, constraint(word, *cost, known.as_ref())?);
    }
    let found = watched(py, how.progress, how.timeout, |watch| {
        let mut run = Run::seeded(how.seed);
        let (rng, _) = run.parts();
        if masked {
            let mask = CpMasked::mask_of(t);
            return engine.decompose_masked(t, mask.view(), rng, watch);
        }
        engine.decompose_observed(t, rng, watch)
    })?;
    let dict = fit(py, &found)?;
    dict.set_item(
        "weights",
        PyArray1::from_vec(py, found.model.weights().to_vec()),
    )?;
    dict.set_item("factors", factors(py, found.model.factors())?)?;
    dict.set_item("unique", fit_uniqueness(&found).word())?;
    Ok(dict)
}

#[pyfunction]
pub fn parafac2<'py>(
    py: Python<'py>,
    slices: Vec<Real<'py>>,
    rank: usize,
    flags: (bool, bool),
    options: Options,
    how: How,
) -> PyResult<Bound<'py, PyDict>> {
    let (nonneg, masked) = flags;
    let views = slices.iter().map(view).collect::<PyResult<Vec<_>>>()?;
    let engine = with_options!(Parafac2::new(rank), options, starts, max_iterations);
    let engine = engine.nonnegative_loadings(nonneg);
    let found = watched(py, how.progress, how.timeout, |watch| {
        let mut run = Run::seeded(how.seed);
        let (rng, _) = run.parts();
        if masked {
            let seen: Vec<Tensor> = views.iter().map(|t| CpMasked::mask_of(*t)).collect();
            let weights: Vec<TensorView<'_>> = seen.iter().map(Tensor::view).collect();
            return engine.decompose_masked(&views, &weights, rng, watch);
        }
        engine.decompose_observed(&views, rng, watch)
    })?;
    let dict = fit(py, &found)?;
    let model = &found.model;
    let parts = [
        ("shared", model.shared()),
        ("loadings", model.loadings()),
        ("core", model.core()),
    ];
    for (name, f) in parts {
        let data = f.as_slice().to_vec();
        dict.set_item(name, crate::arrays::array(py, &[f.rows(), f.cols()], data)?)?;
    }
    dict.set_item("bases", factors(py, model.bases())?)?;
    dict.set_item("unique", parafac2_uniqueness(model).word())?;
    Ok(dict)
}
