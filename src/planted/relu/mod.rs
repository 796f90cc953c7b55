//! Relu networks that are known, and what a learner makes of them.

pub(crate) mod staged;
pub(crate) mod trial;

pub use staged::{Story, draw};
pub use trial::{Outcome, Planted, Trial};
