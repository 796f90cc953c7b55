//! Gaussian calculus: exact Hermite expansions, moments and cumulants over any ring; Hermite series and dual
//! kernels of activations in floats.
//!
//! | item | use it for |
//! |---|---|
//! | [`HermiteExpansion`], [`heat`] | polynomials in the basis `He_a`, and its operators |
//! | [`WickPolynomial`] | the same for any covariance, symbols allowed |
//! | [`GaussianLaw`], [`Covariance`], [`Law`] | `E p`, moments and cumulants under `N(mu, S)`, symbols allowed |
//! | [`QuadraticPolynomial`], [`joint_cumulant`] | cumulants of quadratics by traces |
//! | [`RadialLaw`], [`ProductLaw`] | sphere, ball, any radius; independent coordinates |
//! | [`contract_form`], [`stein_sides`] | Hermite tensors as forms, Stein's identity |
//! | [`moments_to_cumulants`], [`cumulants_to_moments`], [`joint_cumulants`], [`joint_moments`] | one to the other |
//! | [`Activation`] | relu, abs, sign, step, erf, polynomials: closed-form Hermite coefficients |
//! | [`exact_hermite`], [`ExactCoefficient`] | the same, exactly, with the irrational factor as a symbol |
//! | [`HermiteSeries`] | coefficients of any function, its tail, its Mehler series |
//! | [`dual_kernel`], [`derivative_kernel`], [`mehler_kernel`] | `E[f(u) f(v)]` of correlated normals |
//! | [`StraightLine`] | moments in symbolic covariance entries, compiled for evaluation |
//! | [`NormalPanels`], [`gauss_hermite`], [`gauss_legendre`] | quadrature |
//!
//! `He_n` are the probabilists' polynomials, `He_2 = x^2 - 1`; `h_n = He_n / sqrt(n!)` appears only in floats.

pub(crate) mod hermite;
pub(crate) mod laws;
pub(crate) mod moments;
pub(crate) mod quadrature;
pub(crate) mod special;
pub(crate) mod straight_line;

pub use hermite::activation::Activation;
pub use hermite::exact_series::{ExactCoefficient, exact_hermite, hermite_at_zero};
pub use hermite::expansion::{HermiteExpansion, heat};
pub use hermite::kernel::{PairLaw, derivative_kernel, dual_kernel, mehler_kernel};
pub use hermite::series::HermiteSeries;
pub use laws::covariance::{Covariance, ExactFactor, symbolic_covariance};
pub use laws::law::{GaussianLaw, Law};
pub use laws::radial::{ProductLaw, RadialLaw};
pub use moments::cumulant::{
    cumulants_to_moments, joint_cumulants, joint_moments, moments_to_cumulants,
};
pub use moments::form::{contract_form, directional_derivative, stein_sides};
pub use moments::quadratic_form::{QuadraticPolynomial, joint_cumulant};
pub use moments::wick::WickPolynomial;
pub use quadrature::{NormalPanels, gauss_hermite, gauss_legendre};
pub use special::{erf, erfc, normal_cdf, normal_density};
pub use straight_line::StraightLine;
