//! How many components: tables, noise, core consistency, split halves; and whether components are unique.

pub(crate) mod core_consistency;
pub(crate) mod identifiability;
mod noise_gain;
pub(crate) mod rule;
mod split_half;
pub(crate) mod table;
