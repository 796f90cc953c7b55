//! Canonical polyadic decomposition and its relatives.
//!
//! ```text
//! T ~ sum_r w_r a_r (x) b_r (x) c_r (x) ..
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | `engine` | [`Cp`], the default engine: options, the verb, the status |
//! | `starts` | batches of starts, choice of the best, return to the full space |
//! | `algebraic`, `rank_one` | Jennrich's algorithm on groups of modes |
//! | `fibres` | the exact model of a rank that no tensor exceeds |
//! | `sweep` | alternating least squares with extrapolation |
//! | `nls`, `normal` | Levenberg-Marquardt and its structured normal equations |
//! | `compress` | HOSVD, projections on spans |
//! | `tucker` | [`Tucker`]: HOSVD and orthogonal iteration |
//! | `masked`, `observed` | [`CpMasked`]: missing entries and weights |
//! | `ranks`, `consistency` | [`rank_table`], core consistency, Kruskal's condition |
//! | `nonnegative`, `measured` | [`CpNonnegative`], with weights or without |
//! | `sparse` | [`Cp::decompose_sparse`] |
//! | `verdict`, `condition` | the evidence |

mod algebraic;
mod compress;
mod condition;
mod consistency;
mod engine;
mod fibres;
mod masked;
mod measured;
mod nls;
mod nonnegative;
mod normal;
mod observed;
mod rank_one;
mod ranks;
mod sparse;
mod starts;
mod sweep;
mod tucker;
mod verdict;

pub(super) use algebraic::algebraic_start;
pub(super) use condition::condition;
pub use consistency::{core_consistency, kruskal_rank, kruskal_slack};
pub(super) use engine::Scaled;
pub use engine::{Cp, CpMethod};
pub use masked::CpMasked;
pub use nonnegative::CpNonnegative;
pub use ranks::{RankRow, RankTable, rank_table, rank_table_masked, rank_table_nonnegative};
pub use tucker::Tucker;
pub(super) use verdict::noise_left;

/// The names under which evidence is reported, shared with the symmetric engine.
pub(super) mod names {
    pub(in crate::decomp) use super::verdict::{
        AGREEMENT, CANCELLATION, GRADIENT, MOST_CANCELLATION, UNEXPLAINED,
    };
}
