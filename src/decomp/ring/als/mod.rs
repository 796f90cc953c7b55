//! Rings by alternating least squares: all entries, sampled rows, missing entries.

pub(crate) mod chains;
pub(crate) mod completion;
pub(crate) mod decomposition;
pub(crate) mod sampled;
pub(crate) mod sweep;
