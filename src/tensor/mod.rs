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
//! | [`SymmetricRing`] | the model `T[a,b,c] = Tr(Q_a Q_b Q_c)` with symmetric `Q_a` |

mod dense;
mod gauge;
mod quadratic_map;
mod symmetric_ring;

pub use dense::{Tensor, TensorView};
pub use gauge::Alignment;
pub use quadratic_map::{QuadraticForm, QuadraticMap};
pub use symmetric_ring::SymmetricRing;
