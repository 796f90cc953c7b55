//! Real roots and resultants.

pub(crate) mod bezout;
pub(crate) mod bracket;
pub(crate) mod by_images;
pub(crate) mod descartes;
pub(crate) mod isolation;
pub(crate) mod rational;
pub(crate) mod resultant;
