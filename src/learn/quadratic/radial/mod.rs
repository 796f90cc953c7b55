//! Quadratic maps of rotation-invariant inputs.

pub(crate) mod held_out;
pub(crate) mod law;
pub(crate) mod law_check;
pub(crate) mod learner;
pub(crate) mod map;
pub(crate) mod raw_moments;
