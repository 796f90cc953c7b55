//! Polynomial maps under observation noise: `z = p(x) + e` with `x ~ N(0, I_r)` and independent normal errors on the outputs.
//!
//! | file | step |
//! |---|---|
//! | `start` | the algebra of the longest samples, where the noise is least |
//! | `modes` | the latents that may have given a sample |
//! | `posterior` | expectations over the latent given its sample, by quadrature that moves to where the law lies |
//! | `directions` | directions of the coefficients: changes of the latents, along which nothing is fitted, and the others |
//! | `scoring` | Fisher's scoring on the exact likelihood of the samples |
//! | `expected_error` | the error of the best estimate, from the information in a sample |
//! | `evidence` | held-out samples against fresh draws |
//! | `learner` | start, scoring and evidence in one |

pub(crate) mod directions;
pub(crate) mod evidence;
pub(crate) mod expected_error;
pub(crate) mod learner;
pub(crate) mod modes;
pub(crate) mod posterior;
pub(crate) mod scoring;
pub(crate) mod start;
