//! Symmetric rings of order three from the tensor alone.

mod chance;
pub(crate) mod derivations;
pub(crate) mod gauss_newton;
pub(crate) mod problem;
