//! Candidate directions of neurons from contracted moments.

pub(crate) mod gram;
pub(crate) mod hermite;
pub(crate) mod search;
pub(crate) mod subspace;
pub(crate) mod whitening;
