//! CP of tensors with missing or weighted entries.

pub(crate) mod masked;
pub(crate) mod observed;
