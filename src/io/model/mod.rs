//! Model files.

pub(crate) mod polynomial;
pub mod quadratic;

pub use polynomial::POLYNOMIAL_MAP;
pub use quadratic::{Header, ModelFile, QUADRATIC_MAP, in_file};
