//! Tensor rings from tensors.
//!
//! | file | what it holds |
//! |---|---|
//! | `engine` | the default engine: algebra first, least squares under noise |
//! | `algebraic`, `plan`, `blocks`, `pencil`, `real` | blockwise simultaneous diagonalisation, step by step |
//! | `als`, `sweep` | alternating least squares, two passes over the data for a sweep |
//! | `missing` | the same for part of the entries |
//! | `queried` | rings of order three from few queried entries |
//! | `sampled` | least squares on sampled rows |
//! | `svd` | sequential SVDs for rings and trains |
//! | `rank`, `range` | spectra of unfoldings and what they say about ranks |
//! | `derivations` | symmetric rings of order three from the third-order tensor alone |
//! | `symmetric_nls`, `symmetric_problem` | the same by least squares: noise, fewer outputs |
//! | `evidence` | when a residual may be called noise |

mod algebraic;
mod als;
mod blocks;
mod derivations;
mod engine;
mod evidence;
mod missing;
mod pencil;
mod plan;
mod queried;
mod range;
mod rank;
mod real;
mod sampled;
mod svd;
mod sweep;
mod symmetric_nls;
mod symmetric_problem;

pub use algebraic::RingAlgebraic;
pub use als::RingAls;
pub use derivations::{Derivations, asymmetry, derivation_form};
pub use engine::Ring;
pub use missing::RingCompletion;
pub use queried::RingQueries;
pub use rank::{RingRanks, UnfoldingRank};
pub use sampled::RingSampledAls;
pub use svd::{RingSvd, TtSvd};
pub use sweep::CoreSolver;
pub use symmetric_nls::SymmetricNls;
