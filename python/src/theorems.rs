//! Theorems about tensors, fits and zeros of polynomials, each handed out only after a replay.

use crate::arrays::{entries, view};
use crate::error::OrRaise;
use numpy::{PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use wickring::Error;
use wickring::certify::{
    Certificate, Limits, Proof, prove_border_rank, prove_cp, prove_ring, prove_zeros,
};
use wickring::poly::{Poly, Rational, Vars};
use wickring::scheme::Target;
use wickring::tensor::{CpTensor, Factor, Tensor, TensorRing};

type Array<'py> = PyReadonlyArrayDyn<'py, f64>;

fn limits(steps: Option<u64>) -> Limits {
    let usual = Limits::default();
    Limits {
        steps: steps.unwrap_or(usual.steps),
        ..usual
    }
}

fn told<'py>(py: Python<'py>, proof: Proof) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let none = proof.claims.is_empty();
    let certificate = proof
        .claims
        .into_iter()
        .fold(Certificate::new(), Certificate::claim);
    dict.set_item("proved", proof.proved)?;
    dict.set_item("refused", proof.refused)?;
    dict.set_item("certificate", (!none).then(|| certificate.to_json()))?;
    Ok(dict)
}

/// Entries of the largest matrix whose rank bounds the border rank.
const FLATTENING: usize = 1 << 16;

/// What can be proved about a sum of rank-one terms and its tensor: existence, a strict minimum, the border rank.
#[pyfunction]
#[pyo3(signature = (weights, parts, tensor, max_steps = None))]
pub fn prove_sum<'py>(
    py: Python<'py>,
    weights: Vec<f64>,
    parts: Vec<Array<'py>>,
    tensor: Array<'py>,
    max_steps: Option<u64>,
) -> PyResult<Bound<'py, PyDict>> {
    let factor = |a: &Array<'py>| -> PyResult<Factor> {
        let (rows, columns) = match a.shape() {
            [n, r] => (*n, *r),
            _ => (0, 0),
        };
        Factor::new(rows, columns, entries(a)?.to_vec()).or_raise(py)
    };
    let factors = parts.iter().map(factor).collect::<PyResult<Vec<_>>>()?;
    let model = CpTensor::new(weights, factors).or_raise(py)?;
    let t = view(&tensor)?;
    let target = Target::dense(t).or_raise(py)?.claimed();
    let limits = limits(max_steps);
    let proof = py.detach(|| -> Result<Proof, Error> {
        let near = prove_cp(&model, t, limits)?;
        let (_, below) = prove_border_rank(&target, FLATTENING, limits)?;
        Ok(near.and(below))
    });
    told(py, proof.or_raise(py)?)
}

/// What can be proved about a tensor ring and its tensor: that an exact one exists nearby.
#[pyfunction]
#[pyo3(signature = (parts, tensor, max_steps = None))]
pub fn prove_cores<'py>(
    py: Python<'py>,
    parts: Vec<Array<'py>>,
    tensor: Array<'py>,
    max_steps: Option<u64>,
) -> PyResult<Bound<'py, PyDict>> {
    let core = |a: &Array<'py>| Tensor::from_vec(a.shape(), entries(a)?.to_vec()).or_raise(py);
    let cores = parts.iter().map(core).collect::<PyResult<Vec<_>>>()?;
    let ring = TensorRing::new(cores).or_raise(py)?;
    let t = view(&tensor)?;
    let limits = limits(max_steps);
    told(py, py.detach(|| prove_ring(&ring, t, limits)).or_raise(py)?)
}

/// Simple real zeros of as many polynomials as variables near starts, proved one by one.
#[pyfunction]
#[pyo3(signature = (equations, starts, max_steps = None))]
pub fn prove_roots<'py>(
    py: Python<'py>,
    equations: Vec<String>,
    starts: Vec<Vec<f64>>,
    max_steps: Option<u64>,
) -> PyResult<Bound<'py, PyDict>> {
    let mut vars = Vars::new();
    let system: Result<Vec<Poly<Rational>>, Error> = equations
        .iter()
        .map(|e| Poly::parse(e, &mut vars))
        .collect();
    let system = system.or_raise(py)?;
    let limits = limits(max_steps);
    let found = py.detach(|| prove_zeros(&system, &vars, &starts, limits));
    let (zeros, proof) = found.or_raise(py)?;
    let dict = told(py, proof)?;
    dict.set_item("variables", vars.names())?;
    let points: Vec<Vec<f64>> = zeros.iter().map(|z| z.point.clone()).collect();
    dict.set_item("points", points)?;
    let radii: Vec<f64> = zeros.iter().map(|z| z.radius).collect();
    dict.set_item("radii", radii)?;
    Ok(dict)
}
