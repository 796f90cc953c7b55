//! Laws of the learning curves.

pub mod averages;
pub mod fuzz;
