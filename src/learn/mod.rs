//! Learners: samples in, a model and evidence out.
//!
//! Every learner is a value holding its options, with one verb, `learn`, returning [`crate::decomp::Fit`].
//! Samples are streamed ([`crate::io::samples`]); moments are accumulated in [`Moments`], whose result depends
//! neither on threads nor on how the sample was split.
//!
//! | which one do I want? | |
//! |---|---|
//! | [`Quadratic`] | a quadratic map of a hidden Gaussian, from its outputs alone |
//! | [`relu::ReluLearner`] | a narrow one-hidden-layer relu network, from inputs and targets |
//! | [`Dictionary`] | an orthonormal dictionary from fourth moments |
//! | [`two_layer::TwoLayerLearner`] | a two-layer network with a polynomial activation |

mod chunk_sums;
mod dictionary;
mod exact_cumulants;
mod hermite_contractions;
mod holdout;
mod latent_rank;
mod moments;
mod moments_bytes;
mod outputs;
mod polish;
mod predictor;
mod quadratic;
pub mod relu;
mod split;
pub mod two_layer;
mod white_stream;

pub use dictionary::Dictionary;
pub use exact_cumulants::ExactCumulants;
pub use hermite_contractions::HermiteContractions;
pub use holdout::HoldoutTest;
pub use moments::{MomentSummary, Moments};
pub use predictor::Predictor;
pub use quadratic::Quadratic;

pub mod mixture;
