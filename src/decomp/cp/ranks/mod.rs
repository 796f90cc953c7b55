//! How many components: the table of ranks and the core consistency behind it.

pub(crate) mod core_consistency;
pub(crate) mod table;
