//! A quadratic map of a hidden Gaussian, from its outputs alone.

pub(crate) mod all_rows;
pub(crate) mod checks;
pub(crate) mod data;
pub(crate) mod few_outputs;
pub(crate) mod latent_rank;
pub(crate) mod learner;
pub(crate) mod moment_fit;
pub(crate) mod noiseless;
pub(crate) mod noisy;
mod pass_text;
pub(crate) mod radial;
pub(crate) mod refinement;
pub(crate) mod statistical_floor;
pub(crate) mod whitened;
