//! The map in white coordinates, and the third cumulants there.

pub(crate) mod map;
pub(crate) mod standard_outputs;
pub(crate) mod third_cumulants;
