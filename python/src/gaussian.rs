//! Expectations, moments and cumulants under normal laws.

use crate::error::OrRaise;
use crate::operand::{Poly, fraction, rational};
use num_rational::BigRational;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use wickring::poly::Rational;
use wickring::poly::gaussian::{Covariance, GaussianLaw, Law};

fn numbers(x: &Bound<'_, PyAny>) -> PyResult<Vec<Rational>> {
    x.try_iter()?.map(|x| rational(&x?)).collect()
}

/// Moments or cumulants of `p` up to `order` for variables of law `N(mean, cov)`, in the order of its names.
pub fn figures(
    py: Python<'_>,
    p: &Poly,
    order: u32,
    cov: Option<&Bound<'_, PyAny>>,
    mean: Option<&Bound<'_, PyAny>>,
    cumulants: bool,
) -> PyResult<Vec<BigRational>> {
    if order > 64 {
        return Err(PyValueError::new_err("order: at most 64"));
    }
    let dim = p.names.len();
    let cov = match cov {
        None => Covariance::identity(dim),
        Some(rows) => {
            let rows: PyResult<Vec<_>> = rows.try_iter()?.map(|row| numbers(&row?)).collect();
            Covariance::new(rows?).or_raise(py)?
        }
    };
    let mean = match mean {
        None => vec![Rational::default(); cov.dim()],
        Some(mean) => numbers(mean)?,
    };
    let law = GaussianLaw::new(mean, cov).or_raise(py)?;
    let work = || match cumulants {
        true => law.cumulants(&p.p, order),
        false => law.moments(&p.p, order),
    };
    Ok(py.detach(work).or_raise(py)?.iter().map(fraction).collect())
}
