//! Tensor rings from tensors.
//!
//! | file | what it holds |
//! |---|---|
//! | `engine` | the default engine: algebra first, least squares under noise |
//! | `algebraic`, `plan`, `blocks`, `pencil`, `real` | blockwise simultaneous diagonalisation, step by step |
//! | `als`, `sweep` | alternating least squares, two passes over the data for a sweep |
//! | `missing` | the same for part of the entries |
//! | `svd` | sequential SVDs for rings and trains |
//! | `rank`, `range` | spectra of unfoldings and what they say about ranks |
//! | `evidence` | when a residual may be called noise |

mod algebraic;
mod als;
mod blocks;
mod engine;
mod evidence;
mod missing;
mod pencil;
mod plan;
mod range;
mod rank;
mod real;
mod svd;
mod sweep;

pub use algebraic::RingAlgebraic;
pub use als::RingAls;
pub use engine::Ring;
pub use missing::RingCompletion;
pub use rank::{RingRanks, UnfoldingRank};
pub use svd::{RingSvd, TtSvd};
pub use sweep::CoreSolver;
