//! Polynomial maps as models.

pub(crate) mod gauge;
pub(crate) mod monomials;
pub(crate) mod polynomial;
pub(crate) mod quadratic;
