//! Learners: samples in, a model and evidence out.
//!
//! Every learner is a value holding its options, with one verb, `learn`, returning [`crate::fit::Fit`].
//! Samples are streamed ([`crate::io::samples`]); moments are accumulated in [`crate::stats::Moments`], whose result depends
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
//! [`crate::stats::HermiteContractions`] streams `E y (u.H_k)` of samples with targets, which the network learners share.

pub(crate) mod dictionary;
mod method;
pub mod mixture;
pub mod polynomial;
pub(crate) mod predictor;
pub(crate) mod quadratic;
pub mod relu;
pub mod two_layer;

pub use dictionary::Dictionary;
pub use method::{Labelled, Learn};
pub use quadratic::all_rows::{AllRows, Pass, PassSums};
pub use quadratic::checks::exact_cumulants::ExactCumulants;
pub use quadratic::few_outputs::learner::FewOutputs;
pub use quadratic::statistical_floor::statistical_floor;

pub use predictor::Predictor;
pub use quadratic::learner::Quadratic;
pub use quadratic::noisy::level::Noise;
pub use quadratic::noisy::noisy_samples::{add_noise, noise_of};
pub use quadratic::radial::law::RadialInput;
pub use quadratic::radial::learner::RadialQuadratic;
pub use quadratic::radial::map::RadialMap;
