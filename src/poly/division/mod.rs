//! Exact quotients: `a / b` when `b` divides `a`, and the certainty that it does not otherwise.
//!
//! Over the integers the dividend is taken apart block by block from the top, as [`super::product`] builds
//! products: the leading block of the divisor determines a block of the quotient, and every block below
//! must come out zero. Any other ring takes the textbook's way.

pub(crate) mod by_map;
pub(crate) mod by_slab;
pub(crate) mod with_remainder;
