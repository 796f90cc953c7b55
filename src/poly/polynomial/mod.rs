//! The polynomial type and its arithmetic.

pub(crate) mod arithmetic;
pub(crate) mod calculus;
pub(crate) mod composition;
pub(crate) mod merging;
pub(crate) mod power;
pub(crate) mod univariate;
pub(crate) mod value;
