//! Packed exponents and monomial orders.

pub(crate) mod order;
pub(crate) mod packed;
pub(crate) mod word;
