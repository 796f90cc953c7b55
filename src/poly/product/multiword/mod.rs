//! Coefficients of several machine words: digits, residues, limbs.

pub(crate) mod choice;
pub(crate) mod classes;
pub(crate) mod digits;
pub(crate) mod limbs;
pub(crate) mod residues;
