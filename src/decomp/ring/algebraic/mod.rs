//! Rings of exact tensors in finitely many steps.

pub(crate) mod decomposition;
pub(crate) mod grouping;
pub(crate) mod order_three;
pub(crate) mod pencil;
pub(crate) mod real_gauge;
