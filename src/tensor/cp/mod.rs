//! The CP model and the comparison of two of them.

pub(crate) mod compare;
pub(crate) mod model;
