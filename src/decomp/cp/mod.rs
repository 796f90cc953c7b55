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

pub(crate) mod als;
pub(crate) mod checks;
pub(crate) mod compress;
pub(crate) mod condition;
pub(crate) mod decomposition;
pub(crate) mod fibre_model;
pub(crate) mod gauss_newton;
pub(crate) mod jennrich;
pub(crate) mod missing;
pub(crate) mod nonnegative;
pub(crate) mod normal_equations;
pub(crate) mod rank_one;
pub(crate) mod ranks;
pub(crate) mod search;
pub(crate) mod sparse;

pub(super) use condition::condition;
