//! Symmetric CP (Waring) decompositions of any order.

pub(crate) mod waring;
pub(crate) mod waring_normal;
