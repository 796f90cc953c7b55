//! CP of tensors with missing or weighted entries.

mod climb;
pub(crate) mod decomposition;
mod dense;
mod evidence;
mod held_out;
mod observed;
mod spectral_start;
