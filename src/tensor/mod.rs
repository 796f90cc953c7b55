//! Dense tensors, views onto faer without copies, and tensor models.
//!
//! Conventions: indices start at 0; the **first** index is fastest in memory, so that the mode-0 unfolding
//! (Kolda-Bader order of columns) is a column-major matrix and needs no copy.
//!
//! | item | use it for |
//! |---|---|
//! | [`Tensor`] | an owned dense tensor of any order |
//! | [`TensorView`] | a borrowed one; what public functions take |
//! | [`QuadraticMap`] | `z_a = x'Q_a x + b_a'x + c_a` of a standard Gaussian `x` |
//! | [`Factor`] | a factor matrix: contiguous columns, one per component |
//! | [`CpTensor`] | the canonical polyadic model, float or exact |
//! | [`mttkrp_all`] | the kernel behind every CP algorithm, all modes by two matrix products |
//! | [`SymmetricRing`] | the model `T[a,b,c] = Tr(Q_a Q_b Q_c)` with symmetric `Q_a` |

mod assignment;
mod cp;
mod cp_compare;
mod dense;
mod gauge;
mod quadratic_map;
mod factor;
mod khatri_rao;
mod mode_product;
mod mttkrp;
mod symmetric_ring;

pub use assignment::best_assignment;
pub use cp::CpTensor;
pub use dense::{Tensor, TensorView};
pub use gauge::Alignment;
pub use quadratic_map::{QuadraticForm, QuadraticMap};
pub use factor::Factor;
pub use khatri_rao::{khatri_rao, kronecker};
pub use mode_product::{mode_product, unfolding_gram};
pub(crate) use mttkrp::{Side, half, one_in_group};
pub use mttkrp::{best_split, mttkrp, mttkrp_all, residual_into};
pub use symmetric_ring::SymmetricRing;
