//! Coefficients: integers, rationals, residues, Gaussian rationals, intervals, and where they lie.

#[cfg(feature = "num-bigint")]
pub(crate) mod bigint;
pub(crate) mod complex_rational;
pub(crate) mod integers;
pub(crate) mod interval;
pub(crate) mod limbs;
pub(crate) mod rational;
pub(crate) mod rationals;
pub(crate) mod reducer;
pub(crate) mod residue;
pub(crate) mod ring;
pub(crate) mod store;
