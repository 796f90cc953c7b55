//! Where the search begins: algebra where it applies, random factors elsewhere.

pub(crate) mod fibre_model;
pub(crate) mod jennrich;
pub(crate) mod rank_one;
pub(crate) mod start;
