//! Gaussian equivalence: how two-layer networks and generalised linear models learn, without training them.
//!
//! Inputs come out of a generator `x = G(c)` with standard Gaussian latents `c`, labels from a teacher that
//! sees the latents. Low-dimensional projections of such inputs behave like Gaussian ones with the same
//! first two moments, so learning is predicted from two matrices, `Omega = E x x'` and `Phi = E x c'`
//! ([`Covariances`]).
//!
//! | item | use it for |
//! |---|---|
//! | [`Covariances`], [`CovarianceStream`] | the law of the inputs, given or accumulated from samples |
//! | [`Generator`], [`Source`], [`GaussianSource`], [`PairedSamples`] | where inputs come from, and their covariances |
//! | [`Diagnostics`] | whether the hypotheses hold, before anything is predicted |
//! | [`OnlineSgd`] | one-pass gradient descent of a two-layer student: predicted and simulated |
//! | [`batch`] | ridge, logistic and other convex learners on full batches: predicted and simulated |
//! | [`OnlineVerdict`], [`Comparison`] | theory beside simulation, as z-scores |
//! | [`StudentActivation`] | its activation: erf, linear, or any polynomial through exact Gaussian averages |
//! | [`HornerProgram`], [`symbolic_average`] | those averages as polynomials in the covariance, compiled |
//!
//! Exact: the averages of polynomial activations. Asymptotic: the equivalence itself, with errors of order
//! `1/sqrt N`; it fails for localised weights, for inputs that were not centred and for covariances with an
//! eigenvalue of order `N`.
//!
//! Source: Goldt, Loureiro, Reeves, Krzakala, Mezard and Zdeborova, *The Gaussian equivalence of generative
//! models for learning with shallow neural networks*, 2020.

pub mod batch;
pub(crate) mod covariance;
pub(crate) mod diagnostics;
pub(crate) mod generator;
pub(crate) mod online;
pub(crate) mod straight_line;
pub(crate) mod verdict;

pub use covariance::{CovarianceStream, Covariances};
pub use diagnostics::{Diagnostics, Warning};
pub use generator::layers::{Generator, GeneratorLaw, Layer};
pub use generator::neuron::{AverageKind, StudentActivation};
pub use generator::source::{GaussianSource, PairedSamples, Source};
pub use online::committee::{Committee, Overlaps};
pub use online::learner::{Lesson, Moment, OnlineSgd, Trajectory};
pub use online::modes::Modes;
pub use online::moments::{entry, symbolic_average};
pub use online::ode::{Integration, Stepping, System, integrate};
pub use online::simulation::SgdSimulation;
pub use straight_line::{HornerProgram, LANES, Lanes};
pub use verdict::{Comparison, OnlineVerdict, Tally};
