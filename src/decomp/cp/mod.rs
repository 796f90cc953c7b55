//! Canonical polyadic decomposition and its relatives.
//!
//! ```text
//! T ~ sum_r w_r a_r (x) b_r (x) c_r (x) ..
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | `decomposition` | [`Cp`], the default engine: options, the verb, the status |
//! | `search` | batches of starts, choice of the best |
//! | `starts` | one start on the core, carried to its end; Jennrich's algorithm on groups of modes, the exact model of a rank that no tensor exceeds |
//! | `scaled` | the data at norm one, and back |
//! | `full_space` | from the core back to the full space, on to a stationary point |
//! | `als` | alternating least squares with extrapolation |
//! | `gauss_newton`, `normal_equations` | Levenberg-Marquardt and its structured normal equations |
//! | `compress` | HOSVD, projections on spans |
//! | `missing` | [`CpMasked`]: missing entries and weights |
//! | `ranks` | [`rank_table`]: noise, core consistency, split halves; [`uniqueness`] |
//! | `nonnegative` | [`CpNonnegative`], with weights or without |
//! | `constrained` | [`CpConstrained`]: unimodal, smooth, sparse, orthonormal, fixed factors, each for a mode |
//! | `losses` | [`CpLoss`]: counts, waiting times, yes or no, outliers |
//! | `sparse` | [`Cp::decompose_sparse`] |
//! | `checks`, `condition` | the evidence |

pub(crate) mod als;
pub(crate) mod checks;
pub(crate) mod compress;
pub(crate) mod condition;
pub(crate) mod constrained;
pub(crate) mod decomposition;
pub(crate) mod full_space;
pub(crate) mod gauss_newton;
pub(crate) mod losses;
pub(crate) mod missing;
pub(crate) mod nonnegative;
pub(crate) mod normal_equations;
pub(crate) mod ranks;
pub(crate) mod scaled;
pub(crate) mod search;
pub(crate) mod sparse;
pub(crate) mod starts;

pub(super) use condition::condition;
