//! Laws of Gaussian calculus.

pub mod cases;
pub mod hermite;
pub mod moments;
pub mod wick;
