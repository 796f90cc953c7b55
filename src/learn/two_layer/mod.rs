//! Two-layer networks with a polynomial activation, learnt from samples.
//!
//! ```text
//! y = sum_{i<=r} c_i sigma(<w_i, x>) + noise,     sigma = a_0 + a_1 z + .. + a_m z^m
//! ```
//!
//! In Hermite polynomials every degree is one symmetric tensor, `sum_k <H_k(x), sum_i c_i b_k(|w_i|) w_i^k>`
//! ([`PolynomialActivation::hermite`]). The low degrees are regression; all difficulty is the top one, whose
//! tensor `a_m sum_i c_i w_i^m` must be decomposed, and whose relative error *is* the relative test error
//! ([`TwoLayerNetwork::test_error`]).
//!
//! | path | needs | use |
//! |---|---|---|
//! | [`TwoLayerMethod::Regression`] | more samples than monomials | exact tensor by least squares, then decomposition |
//! | [`TwoLayerMethod::Risk`] | some `2 r d` samples | descent on the samples from a small start |
//! | [`TwoLayerMethod::Moments`] | very many samples | the tensor by averages: one pass, but its noise never vanishes |
//!
//! What is proper and what is not: for `d^{3/2} << r << d^2` no efficient learner of degree three is known to beat
//! `E y` with a *network*; the polynomial itself ([`HermiteFit`]) is learnt exactly from as many samples as it has
//! coefficients.
//!
//! Source: Mondelli and Montanari, On the connection between learning two-layers neural networks and tensor
//! decomposition (2018).

pub(crate) mod activation;
pub(crate) mod checks;
pub(crate) mod derivatives;
pub(crate) mod descents;
pub(crate) mod from_tensor;
pub(crate) mod learner;
pub(crate) mod network;
pub(crate) mod prepared;
pub(crate) mod regression;
pub(crate) mod risk;
pub(crate) mod sample;
pub(crate) mod search;
pub(crate) mod watch;

pub use activation::{MAX_DEGREE, PolynomialActivation};
pub use checks::TwoLayerReport;
pub use learner::{Coefficients, LearnedTwoLayer, TwoLayerLearner, TwoLayerMethod};
pub use network::TwoLayerNetwork;
pub use regression::HermiteFit;

const OP: &str = "TwoLayerLearner::learn";
