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

mod descent;
mod engine;
mod koszul;
mod landscape;
mod newton;
mod packed;
mod problem;
mod signs;
mod spectral;
mod subspace_power;

pub(crate) use descent::descend;
pub use engine::Overcomplete;
pub use koszul::KoszulYoung;
pub(super) use landscape::{Landscape, distinct, squares, unit_starts, unpacked};
pub use packed::PackedForm;
pub use spectral::{shifted_power, spectral_components};
pub use subspace_power::SubspacePower;
