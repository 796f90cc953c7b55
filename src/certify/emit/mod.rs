//! The same claims for other systems: Lean and Coq where a claim is an identity, Python and Sage for all.

pub(crate) mod formula;
pub(crate) mod lean;
pub(crate) mod provers;
