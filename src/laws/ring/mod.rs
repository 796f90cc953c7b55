//! Laws of tensor rings and their decompositions.

pub mod fuzz;
pub mod identities;
pub mod methods;
pub mod models;
pub mod planted;
pub mod subjects;
