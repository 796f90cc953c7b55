//! Hermite expansions, their operators and kernels.

pub(crate) mod activation;
pub(crate) mod exact_series;
pub(crate) mod expansion;
pub(crate) mod heat_operator;
pub(crate) mod kernel;
pub(crate) mod operators;
pub(crate) mod series;
