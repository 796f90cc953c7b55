//! Mixtures of spherical Gaussians and atoms by the method of moments.

pub(crate) mod atoms;
pub(crate) mod checks;
pub(crate) mod joint_diagonal;
pub(crate) mod learner;
pub(crate) mod sums;
