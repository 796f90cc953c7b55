//! Gaussian calculus in floats: Hermite series of activations, dual kernels, quadrature.
//!
//! | item | use it for |
//! |---|---|
//! | [`Activation`] | relu, abs, sign, step, erf, polynomials: closed-form Hermite coefficients |
//! | [`HermiteSeries`] | coefficients of any function, its tail, its Mehler series |
//! | [`dual_kernel`], [`derivative_kernel`], [`mehler_kernel`] | `E[f(u) f(v)]` of correlated normals |
//! | [`NormalPanels`], [`gauss_hermite`], [`gauss_legendre`] | quadrature |

mod activation;
mod kernel;
mod quadrature;
mod series;
mod special;

pub use activation::Activation;
pub use kernel::{PairLaw, derivative_kernel, dual_kernel, mehler_kernel};
pub use quadrature::{NormalPanels, gauss_hermite, gauss_legendre};
pub use series::HermiteSeries;
pub use special::{erf, erfc, normal_cdf, normal_density};
