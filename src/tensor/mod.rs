//! Dense tensors, views onto faer without copies, and tensor models.
//!
//! Conventions: indices start at 0; the **first** index is fastest in memory, so that the mode-0 unfolding
//! (Kolda-Bader order of columns) is a column-major matrix and needs no copy.
//!
//! | item | use it for |
//! |---|---|
//! | [`Tensor`] | an owned dense tensor of any order |
//! | [`TensorView`] | a borrowed one; what public functions take |
//! | [`TensorRing`] | the model `T[i_0,..,i_{m-1}] = Tr(G_0(i_0) .. G_{m-1}(i_{m-1}))`, real or complex |
//! | [`TensorTrain`] | its open case, with canonical form and rounding |
//! | [`Scalar`] | what both are over: `f64` or `Complex<f64>` |
//! | [`SymmetricRing`] | the model `T[a,b,c] = Tr(Q_a Q_b Q_c)` with symmetric `Q_a` |

mod dense;
mod gauge;
mod ring;
mod ring_algebra;
mod ring_gauge;
mod ring_round;
mod scalar;
mod symmetric_ring;
mod train;

pub use dense::{Tensor, TensorView};
pub use gauge::Alignment;
pub use ring::TensorRing;
pub(crate) use ring::bonds_last;
pub use ring_gauge::{RingGauge, UniformRing};
pub use scalar::{Factors, Scalar};
pub(crate) use scalar::{columns, norm};
pub use symmetric_ring::SymmetricRing;
pub use train::TensorTrain;
