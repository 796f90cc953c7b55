//! Quadratic maps with fewer outputs than symmetric matrices have dimensions.

pub(crate) mod candidates;
pub(crate) mod learner;
pub(crate) mod variety;
