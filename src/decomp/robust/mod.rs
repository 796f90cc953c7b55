//! Orthonormal tensors of order four under errors of bounded spectral norm.
//!
//! ```text
//! T = sum_{i<=m} a_i (x) a_i (x) a_i (x) a_i + E,     a_i orthonormal,    || E_{12,34} || <= eps
//! ```
//!
//! The entries of `E` may add up to far more than the signal: only its square flattening is bounded.
//!
//! | method | use it when | what it does |
//! |---|---|---|
//! | [`RobustMethod::SubspacePower`] | always first: never beaten in the benchmarks, `eps` up to 0.6 | climbs the projection onto the top `m` eigenvectors |
//! | [`RobustMethod::SchrammSteurer`] | a proof is wanted: polynomial guarantees, `O(n^5)` | truncation, clipping of two flattenings, random contraction, deflation |
//! | [`RobustMethod::ShiftedPower`] | little memory for spectra, `eps` at most 0.6 | climbs the form itself, shifted by twice the error |
//! | [`RobustMethod::Jennrich`] | a baseline, fast at small `eps` | eigenvectors of random contractions, boosted |
//!
//! Plain power iteration is the shifted one with shift 0; an error of `-eps Id` stops it, because it adds a
//! multiple of `-x` to every step.

pub(crate) mod climbs;
pub(crate) mod decomposition;
pub(crate) mod flattening;
pub(crate) mod planted;
pub(crate) mod schramm_steurer;
