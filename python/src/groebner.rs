//! Groebner bases.

use crate::error::OrRaise;
use crate::observe::budgeted;
use crate::operand::Poly;
use pyo3::prelude::*;
use wickring::poly::{Order, groebner_basis};

/// `(basis, dimension of the quotient or None)`.
#[pyfunction]
pub fn groebner(
    py: Python<'_>,
    generators: Vec<Bound<'_, Poly>>,
    order: &str,
    certify: bool,
    timeout: Option<f64>,
) -> PyResult<(Vec<Poly>, Option<u64>)> {
    let order = Order::from_name(order).or_raise(py)?;
    let all: Vec<&Poly> = generators.iter().map(|g| g.get()).collect();
    let names = Poly::union(&all);
    let all: Vec<_> = all
        .iter()
        .map(|g| g.within(py, &names))
        .collect::<PyResult<_>>()?;
    let found = budgeted(py, timeout, |budget| {
        groebner_basis(&all, names.len(), &order, certify, budget)
    })?;
    let dimension = found.quotient_dimension().or_raise(py)?;
    let basis = found.basis.into_iter().map(|p| Poly::of(p, names.clone()));
    Ok((basis.collect(), dimension))
}
