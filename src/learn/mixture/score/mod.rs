//! Scores of mixtures by piecewise polynomial regression, and reverse diffusion.

pub(crate) mod denoiser;
pub(crate) mod evidence;
pub(crate) mod learner;
pub(crate) mod level;
pub(crate) mod likelihood;
pub(crate) mod model;
pub(crate) mod noise_levels;
pub(crate) mod noised_rows;
pub(crate) mod regression;
pub(crate) mod reverse_chain;
pub(crate) mod sample_summary;
