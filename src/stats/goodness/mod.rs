//! Goodness of fit: a sample against a law that can be drawn from, from afar and from near.

pub(crate) mod law_test;
pub(crate) mod nearest;
pub(crate) mod neighbours;
pub(crate) mod rounding;
pub(crate) mod rows;
