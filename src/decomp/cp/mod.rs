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
//! | `sweep` | alternating least squares with extrapolation |
//! | `nls`, `normal` | Levenberg-Marquardt and its structured normal equations |
//! | `compress` | HOSVD, projections on spans |
//! | `masked`, `observed` | [`CpMasked`]: missing entries and weights |
//! | `verdict`, `condition` | the evidence |

mod algebraic;
mod compress;
mod condition;
mod engine;
mod masked;
mod nls;
mod normal;
mod observed;
mod rank_one;
mod starts;
mod sweep;
mod verdict;

pub use engine::{Cp, CpMethod};
pub use masked::CpMasked;
