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
//! | [`Neuron`] | its activation: erf, linear, or any polynomial through exact Gaussian averages |
//! | [`StraightLine`], [`symbolic_average`] | those averages as polynomials in the covariance, compiled |
//!
//! Exact: the averages of polynomial activations. Asymptotic: the equivalence itself, with errors of order
//! `1/sqrt N`; it fails for localised weights, for inputs that were not centred and for covariances with an
//! eigenvalue of order `N`.
//!
//! Source: Goldt, Loureiro, Reeves, Krzakala, Mezard and Zdeborova, *The Gaussian equivalence of generative
//! models for learning with shallow neural networks*, 2020.

mod averages;
pub mod batch;
mod committee;
mod covariance;
mod diagnostics;
mod equations;
mod generator;
mod layer_law;
mod modes;
mod moments;
mod neuron;
mod ode;
mod online;
mod sgd;
mod source;
mod straight_line;
mod verdict;

pub use committee::{Committee, Overlaps};
pub use covariance::{CovarianceStream, Covariances};
pub use diagnostics::{Diagnostics, Warning};
pub use generator::{Generator, GeneratorLaw, Layer};
pub use modes::Modes;
pub use moments::{entry, symbolic_average};
pub use neuron::{AverageKind, Neuron};
pub use ode::{Integration, Method, System, integrate};
pub use online::{Lesson, Moment, OnlineSgd, Trajectory};
pub use sgd::SgdSimulation;
pub use source::{GaussianSource, PairedSamples, Source};
pub use straight_line::{LANES, Lanes, StraightLine};
pub use verdict::{Comparison, OnlineVerdict, Tally};
