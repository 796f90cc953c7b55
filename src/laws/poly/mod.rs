//! Laws of exact polynomials.

pub mod algebra;
pub mod batch;
pub mod identities;
pub mod ring;
