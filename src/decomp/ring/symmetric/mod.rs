//! Symmetric rings of order three from the tensor alone.

pub(crate) mod derivations;
pub(crate) mod gauss_newton;
pub(crate) mod problem;
