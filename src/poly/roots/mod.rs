//! Real roots and resultants.

pub(crate) mod bracket;
pub(crate) mod descartes;
pub(crate) mod isolation;
pub(crate) mod rational;
pub(crate) mod resultant;
