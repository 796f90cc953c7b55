//! Observation noise: its level, the likelihood with it, and the refinement.

pub(crate) mod latent_posterior;
pub(crate) mod level;
pub(crate) mod likelihood;
pub(crate) mod noisy_samples;
pub(crate) mod refinement;
