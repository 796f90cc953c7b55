//! CP of tensors with missing or weighted entries.

mod climb;
mod dense;
mod evidence;
mod held_out;
pub(crate) mod masked;
mod observed;
mod spectral_start;
