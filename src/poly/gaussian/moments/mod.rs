//! Gaussian moments and cumulants.

pub(crate) mod cumulant;
pub(crate) mod expectation;
pub(crate) mod form;
pub(crate) mod quadratic_form;
pub(crate) mod wick;
