//! Which ranks a ring could have.

pub(crate) mod completion;
pub(crate) mod dominant_range;
pub(crate) mod factorings;
pub(crate) mod from_unfoldings;
