//! CP with nonnegative factors.

pub(crate) mod decomposition;
pub(crate) mod weighted_sweep;
