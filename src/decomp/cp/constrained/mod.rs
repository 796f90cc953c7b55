//! CP with a constraint for each mode: nonnegative, unimodal, orthonormal, smooth, sparse, fixed.
//!
//! ```text
//! min 1/2 ||T - sum_r a_r (x) b_r (x) ..||^2 + sum_(m, r) (smooth_m / 2) ||D_m c_r||^2 + sparse_m ||c_r||_(1, m)
//! ```
//!
//! for data of norm one, where `c_r` is the rank-one component, `D_m` takes second differences along mode `m`, and `||.||_(1, m)`
//! is the sum over mode `m` of the lengths of slices. Both penalties are measured on components and not on columns, so that
//! nothing is gained by moving length from one mode to another.
//!
//! | file | what it holds |
//! |---|---|
//! | `decomposition` | [`CpConstrained`](crate::decomp::CpConstrained): options, the verb, the status |
//! | `rule` | the constraints of one mode, checked |
//! | `penalty` | the penalties of a model and what they pull at in one column |
//! | `nearest` | the nearest column that a rule admits |
//! | `unimodal` | the nearest unimodal column |
//! | `orthonormal` | the nearest frame (Procrustes) |
//! | `smooth` | second differences, and least squares with them |
//! | `splitting` | a mode that is smooth and bounded, by alternating directions |
//! | `sweep` | one mode after the other |
//! | `search` | starts and their descent |
//! | `evidence` | slope, violation and the rest, recomputed |

pub(crate) mod decomposition;
pub(in crate::decomp::cp) mod evidence;
mod nearest;
pub(in crate::decomp) mod orthonormal;
mod penalty;
pub(crate) mod rule;
mod search;
mod smooth;
mod splitting;
mod sweep;
#[cfg(test)]
mod tests;
mod unimodal;
