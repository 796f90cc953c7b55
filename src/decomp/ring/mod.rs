//! Tensor rings from tensors.
//!
//! | file | what it holds |
//! |---|---|
//! | `engine` | the default engine: algebra first, least squares under noise |
//! | `algebraic`, `plan`, `blocks`, `pencil`, `real` | blockwise simultaneous diagonalisation, step by step |
//! | `als`, `sweep`, `chains`, `compress` | alternating least squares, two passes over the data for a sweep |
//! | `nls`, `tangent` | Levenberg-Marquardt on all cores at once |
//! | `missing`, `missing_ranks` | least squares on part of the entries, and their choice of ranks |
//! | `queried`, `runs` | rings from few queried entries |
//! | `sampled` | least squares on sampled rows |
//! | `svd` | sequential SVDs for rings and trains |
//! | `rank`, `factoring`, `range` | spectra of unfoldings and what they say about ranks |
//! | `scale` | tensors near the ends of the exponent range |
//! | `derivations` | symmetric rings of order three from the third-order tensor alone |
//! | `symmetric_nls`, `symmetric_problem` | the same by least squares: noise, fewer outputs |
//! | `evidence` | when a residual may be called noise |

mod algebraic;
mod als;
mod blocks;
mod chains;
mod compress;
mod derivations;
mod engine;
mod evidence;
mod factoring;
mod missing;
mod missing_ranks;
mod nls;
mod pencil;
mod plan;
mod queried;
mod range;
mod rank;
mod real;
mod runs;
mod sampled;
mod scale;
mod svd;
mod sweep;
mod symmetric_nls;
mod symmetric_problem;
mod tangent;

pub use algebraic::RingAlgebraic;
pub use als::RingAls;
pub use derivations::{Derivations, asymmetry, derivation_form};
pub use engine::Ring;
pub use missing::RingCompletion;
pub use nls::RingNls;
pub use queried::RingQueries;
pub use rank::{RingRanks, UnfoldingRank};
pub use sampled::RingSampledAls;
pub(crate) use scale::{cube_root_power, divided, multiplied, times};
pub use svd::{RingSvd, TtSvd};
pub use sweep::CoreSolver;
pub use symmetric_nls::SymmetricNls;
