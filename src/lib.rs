//! From samples to polynomials, tensors and proofs.
//!
//! `wickring` is a symbolic-numeric toolkit. Exact polynomials and Gaussian calculus ([`poly`]) feed
//! tensors ([`tensor`]), which feed certified decompositions ([`decomp`]), which feed learners with
//! guarantees ([`learn`]). Every answer carries evidence; exact claims become certificates that a small
//! independent checker replays ([`certify`]).
//!
//! ```
#![doc = include_str!("../examples/first.rs")]
//! ```
//!
//! | module | what it holds |
//! |---|---|
//! | [`error`] | [`Error`] (no answer) and [`Status`] (an answer, and how far to trust it) |
//! | [`run`] | randomness, progress and the wish to stop, in one argument |
//! | [`fit`] | what every algorithm returns: a model, its evidence, a status |
//! | [`linalg`] | the guarded doorway to faer's solvers |
//! | [`poly`] | exact rings, sparse polynomials, Hermite expansions, Gaussian moments |
//! | [`tensor`] | dense tensors, views onto faer, tensor models |
//! | [`optim`] | minimisers that several modules share |
//! | [`stats`] | mergeable moments, splits, two-sample tests |
//! | [`decomp`] | one decomposition per file or folder, all returning [`fit::Fit`] |
//! | [`learn`] | learners: one folder for each kind of model |
//! | [`theory`] | learning curves of two-layer and linear learners, predicted and simulated |
//! | [`certify`] | exact claims and their independent checker |
//! | [`scheme`] | readers and verdicts of bilinear schemes |
//! | [`planted`] | problems with known answers |
//! | [`io`] | bytes in, typed values or a clear error out |
//! | [`laws`] | every law once, for tests, property tests and fuzzing alike |

// What only a higher floor calls is no fault of a lower one that is built alone.
#![cfg_attr(not(feature = "laws"), allow(dead_code, unused_imports))]

#[cfg(feature = "certify")]
pub mod certify;
#[cfg(feature = "decomp")]
pub mod decomp;
pub mod error;
#[cfg(feature = "decomp")]
pub mod fit;
#[cfg(feature = "io")]
pub mod io;
#[cfg(feature = "laws")]
pub mod laws;
#[cfg(feature = "learn")]
pub mod learn;
#[cfg(feature = "tensor")]
pub mod linalg;
pub mod memory;
#[cfg(feature = "decomp")]
pub mod optim;
#[cfg(feature = "learn")]
pub mod planted;
pub mod poly;
#[cfg(feature = "tensor")]
pub mod run;
#[cfg(feature = "scheme")]
pub mod scheme;
#[cfg(feature = "learn")]
pub mod stats;
#[cfg(feature = "tensor")]
pub mod tensor;
#[cfg(feature = "theory")]
pub mod theory;

pub use error::{Error, Status};
