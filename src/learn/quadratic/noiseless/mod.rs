//! Noiseless samples followed to the statistical floor, through their latents.

pub(crate) mod fit;
pub(crate) mod latent_of_sample;
pub(crate) mod latents_of_all;
