//! Rings by Levenberg-Marquardt steps.

pub(crate) mod decomposition;
pub(crate) mod tangent;
