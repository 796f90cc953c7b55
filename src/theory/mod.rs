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
//! | [`OnlineSgd`] | one-pass gradient descent of a two-layer student: equations of motion |
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
mod committee;
mod covariance;
mod equations;
mod modes;
mod moments;
mod neuron;
mod ode;
mod online;
mod straight_line;

pub use committee::{Committee, Overlaps};
pub use covariance::{CovarianceStream, Covariances};
pub use modes::Modes;
pub use moments::{entry, symbolic_average};
pub use neuron::{AverageKind, Neuron};
pub use ode::{Integration, Method, System, integrate};
pub use online::{Moment, OnlineSgd, Trajectory};
pub use straight_line::{LANES, Lanes, StraightLine};
