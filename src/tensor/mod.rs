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
//! | [`PolynomialMap`], [`MonomialBasis`] | `z_a = sum_k C[a,k] x^(e_k)` of a standard Gaussian `x` |
//! | [`form_to_tensor`], [`tensor_to_form`] | homogeneous polynomials as symmetric tensors and back |
//! | [`Factor`] | a factor matrix: contiguous columns, one per component |
//! | [`CpTensor`] | the canonical polyadic model, float or exact |
//! | [`TuckerTensor`] | a small core times a matrix along every mode |
//! | [`Parafac2Model`] | matrices of one width that share the shape of their components |
//! | [`SparseTensor`] | coordinates and values, with a sparse MTTKRP |
//! | [`mttkrp_all`] | the kernel behind every CP algorithm, all modes by two matrix products |
//! | [`TensorRing`] | the model `T[i_0,..,i_{m-1}] = Tr(G_0(i_0) .. G_{m-1}(i_{m-1}))`, real or complex |
//! | [`TensorTrain`] | its open case, with canonical form and rounding |
//! | [`Scalar`] | what both are over: `f64` or `Complex<f64>` |
//! | [`SymmetricTensor`], [`SymmetricCp`] | packed symmetric tensors, Waring models |
//! | [`SymmetricRing`] | the model `T[a,b,c] = Tr(Q_a Q_b Q_c)` with symmetric `Q_a` |

pub(crate) mod assignment;
pub(crate) mod cp;
pub(crate) mod dense;
pub(crate) mod factor;
pub(crate) mod maps;
pub(crate) mod parafac2;
pub(crate) mod products;
pub(crate) mod ring;
pub(crate) mod scalar;
pub(crate) mod sparse;
pub(crate) mod sparse_modes;
pub(crate) mod symmetric;
pub(crate) mod train;
pub(crate) mod tucker;

pub use assignment::best_assignment;
pub use cp::model::CpTensor;
pub use dense::{Tensor, TensorView};
pub use factor::Factor;
pub use maps::gauge::Alignment;
pub use maps::monomials::{MonomialBasis, binomial};
pub use maps::polynomial::PolynomialMap;
pub use maps::quadratic::{QuadraticForm, QuadraticMap};
pub use parafac2::Parafac2Model;
pub use products::khatri_rao::{khatri_rao, kronecker};
pub use products::mode_product::{mode_product, unfolding_gram};
pub(crate) use products::mttkrp::{Side, half, one_in_group};
pub use products::mttkrp::{best_split, mttkrp, mttkrp_all, residual_into, residual_norm};
pub use ring::gauge::{RingGauge, UniformRing};
pub use ring::model::TensorRing;
pub(crate) use ring::model::bonds_last;
pub use ring::symmetric::SymmetricRing;
pub use scalar::{Scalar, ThinSvd};
pub(crate) use scalar::{columns, norm};
pub use sparse::SparseTensor;
pub(crate) use sparse::by_rows;
pub use symmetric::form::{form_to_tensor, tensor_to_form};
pub use symmetric::tensor::{SymmetricCp, SymmetricTensor};
pub use train::TensorTrain;
pub(crate) use train::kept;
pub use tucker::TuckerTensor;
