//! Learners: samples in, a model and evidence out.
//!
//! Every learner is a value holding its options, with one verb, `learn`, returning [`crate::decomp::Fit`].
//! Samples are streamed ([`crate::io::samples`]); moments are accumulated in [`Moments`], whose result depends
//! neither on threads nor on how the sample was split.
//!
//! | which one do I want? | |
//! |---|---|
//! | [`Quadratic`] | a quadratic map of a hidden Gaussian, from its outputs alone |
//! | [`FewOutputs`] | the same with fewer outputs than symmetric matrices have dimensions |
//! | [`RadialQuadratic`] | the same for a rotation-invariant input, its radial law known or not |
//! | [`polynomial::Polynomial`] | a polynomial map of any constant degree, likewise |
//! | [`relu::ReluLearner`] | a narrow one-hidden-layer relu network, from inputs and targets |
//! | [`Dictionary`] | an orthonormal dictionary from fourth moments |
//! | [`two_layer::TwoLayerLearner`] | a two-layer network with a polynomial activation |
//! | [`mixture`] | a mixture of Gaussians, discrete or continuous: scores and reverse diffusion, EM, moments |
//!
//! [`HermiteContractions`] streams `E y (u.H_k)` of samples with targets, which the network learners share.

mod chunk_sums;
mod dictionary;
mod exact_cumulants;
mod exact_quadratic;
mod few_outputs;
mod floor;
mod hermite_contractions;
mod holdout;
mod latent_rank;
pub mod mixture;
mod moments;
mod moments_bytes;
mod noise;
mod normality;
mod outputs;
mod polish;
pub mod polynomial;
mod predictor;
mod quadratic;
mod radial_held;
mod radial_law;
mod radial_moments;
mod radial_quadratic;
pub mod relu;
mod seen_latents;
mod split;
pub mod two_layer;
mod two_sample;
mod white_stream;

pub use dictionary::Dictionary;
pub use exact_cumulants::ExactCumulants;
pub use few_outputs::FewOutputs;
pub use floor::statistical_floor;
pub use hermite_contractions::HermiteContractions;
pub use holdout::HoldoutTest;
pub use moments::{MomentSummary, Moments};
pub use noise::Noise;
pub use predictor::Predictor;
pub use quadratic::Quadratic;
pub use radial_law::RadialLaw;
pub use radial_quadratic::{RadialMap, RadialQuadratic};
pub use two_sample::{TwoSampleTest, energy_distance, sliced_wasserstein};
