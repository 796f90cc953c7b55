//! Laws of the learners.

pub mod mixtures;
pub mod polynomial_maps;
pub mod quadratic_fuzz;
pub mod quadratic_maps;
pub mod relu;
pub mod two_layer;
