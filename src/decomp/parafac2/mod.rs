//! PARAFAC2: matrices of one width and different heights, with components that keep their inner products.
//!
//! ```text
//! min sum_k ||X_k - P_k F diag(C[k, ..]) A'||^2,   P_k' P_k = 1
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | `decomposition` | [`Parafac2`](crate::decomp::Parafac2): options, the verbs, the status |
//! | `slices` | the data, compressed, filled where entries are missing |
//! | `direct_fit` | starts and their descent |
//! | `evidence` | slope, orthonormality and the rest, recomputed |
//! | `identifiability` | whether the components are the only ones |

pub(crate) mod decomposition;
mod direct_fit;
mod evidence;
pub(crate) mod identifiability;
mod slices;
#[cfg(test)]
mod tests;
