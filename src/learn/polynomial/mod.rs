//! Polynomial maps of any constant degree, from output samples alone: the algebraic learner.
//!
//! Noiseless samples `z = C phi(x)`, with `phi` all monomials of degree `w` in `r` variables and `C` of full
//! column rank `m`, lie on a variety: the image of `R^r` under a Veronese map, changed linearly. In finitely
//! many steps:
//!
//! | file | step |
//! |---|---|
//! | `requirements` | how many outputs and samples it takes, said before anything is tried |
//! | `reduction` | reduce to `m` dimensions; the rank tells the latent dimension, and whether lower degrees occur |
//! | `lie_algebra` | the quadrics that vanish on the samples, and the linear vector fields that keep them: `gl_r` |
//! | `eigenfunctions` | eigenfunctions of a random field are monomials in `r` linear forms: the latents up to `GL(r)` |
//! | `variety_fit` | Gauss-Newton on the coefficients with the latents eliminated, down to rounding |
//! | `attempt` | one reading of the span, taken through these steps |
//! | `latents` | latents of any sample, one by one |
//! | `latent_covariance` | `x ~ N(0, I)` leaves only `O(r)`: the covariance of the latents of all samples |
//! | `terms` | each output as a sum of `L` powers of linear forms |
//! | `learner` | [`Polynomial`], which does all that, and asks whether held-out samples lie on the variety and the latents are Gaussian |
//!
//! With observation noise ([`Polynomial::noise`]) the same algebra, on the longest samples, is where the likelihood is climbed from:
//! the folder `noisy`.
//!
//! Lower degrees are carried by one more variable, `phi(1, x)`, and the constant 1 as one more output.
//!
//! Nothing here uses moments beyond the second: the only statistical error is that of the covariance of `x`.
//!
//! Source: S. Chen, Li, Li and Zhang, *Learning polynomial transformations* (arXiv 2204.04209) for the problem;
//! the route by the Lie algebra of the variety is this project's.

pub(crate) mod attempt;
pub(crate) mod eigenfunctions;
pub(crate) mod latent_covariance;
pub(crate) mod latents;
pub(crate) mod learner;
pub(crate) mod lie_algebra;
pub(crate) mod noisy;
pub(crate) mod reduction;
pub(crate) mod requirements;
pub(crate) mod terms;
pub(crate) mod variety_fit;

pub use learner::{LearnedPolynomial, Polynomial};
pub use requirements::{Form, Requirements};
pub use terms::PowerSums;

const OP: &str = "Polynomial::learn";
