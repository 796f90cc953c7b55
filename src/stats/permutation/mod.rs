//! Tests against permutations of what is tested.

pub(crate) mod mehler_kernels;
pub(crate) mod residual_test;

pub use residual_test::{ResidualTest, residual_test};
