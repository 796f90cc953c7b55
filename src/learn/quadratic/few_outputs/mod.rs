//! Quadratic maps with fewer outputs than symmetric matrices have dimensions.

pub(crate) mod candidates;
pub(crate) mod learner;
mod on_variety;
pub(crate) mod variety;
