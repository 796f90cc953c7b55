//! Learners and the statistics below them.

mod mixture_choice;
mod mixture_diffusion;
mod mixture_em;
mod mixture_equivariance;
mod mixture_laws;
mod mixture_missing;
mod mixture_power;
mod moments_merge;
mod network_demos;
mod polynomial_learner;
mod polynomial_noise;
mod quadratic_evidence;
mod quadratic_learner;
mod quadratic_passes;
mod quadratic_variants;
mod relu_laws;
mod relu_recovery;
mod two_layer;
