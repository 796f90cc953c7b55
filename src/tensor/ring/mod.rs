//! Tensor rings: the model, its arithmetic and its gauge.

pub(crate) mod arithmetic;
pub(crate) mod diagonal;
pub(crate) mod gauge;
pub(crate) mod model;
pub(crate) mod rounding;
pub(crate) mod symmetric;
