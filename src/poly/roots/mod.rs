//! Real roots and resultants.

pub(crate) mod bracket;
pub(crate) mod isolation;
pub(crate) mod resultant;
