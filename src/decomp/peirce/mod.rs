//! Symmetric rings of order three by the Peirce decomposition of a Jordan algebra.

pub(crate) mod contraction;
pub(crate) mod decomposition;
pub(crate) mod frame;
pub(crate) mod jordan;
