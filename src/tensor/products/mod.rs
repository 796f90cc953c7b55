//! Products that every decomposition uses.

pub(crate) mod khatri_rao;
pub(crate) mod mode_product;
pub(crate) mod mttkrp;
