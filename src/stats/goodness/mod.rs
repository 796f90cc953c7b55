//! Goodness of fit: one test for a sample against a law that can be drawn from.

pub(crate) mod law_test;
pub(crate) mod rounding;
pub(crate) mod rows;
