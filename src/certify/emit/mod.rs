//! The same claims for other systems: Lean and Coq where a claim is an identity, Python and Sage for all.

mod formula;
mod provers;

pub use provers::{Language, emit};
