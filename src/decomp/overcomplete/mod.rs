//! Symmetric tensors with more components than dimensions.
//!
//! ```text
//! T = sum_{r<=R} w_r v_r (x) .. (x) v_r,     R > n
//! ```
//!
//! | which one do I want? | |
//! |---|---|
//! | [`Overcomplete`] | the default, orders three to eight: descent from a small start, Gauss-Newton, restarts |
//! | [`SubspacePower`] | order four, any signs, up to `n(n+1)/2 - n` components, one after the other |
//! | [`KoszulYoung`] | order three, *generic* components, up to almost `2n`: linear algebra alone, hypotheses named |
//! | [`shifted_power`], [`spectral_components`] | research options: maxima of the form, random contractions |
//! | [`PackedForm`] | the tensor as it works on it |

pub(crate) mod koszul;
pub(crate) mod landscape;
pub(crate) mod learner;
pub(crate) mod newton;
pub(crate) mod objective;
pub(crate) mod packed;
pub(crate) mod signs;
pub(crate) mod spectral;
pub(crate) mod subspace_power;
