//! From a scheme modulo 2 or 3 to one over the integers or the rationals.
//!
//! Hensel lifting as in Kauers and Moosbauer, "Flip graphs for matrix multiplication" (2022): with `E = (T - [[x]]) / p^k` one
//! solves `J d = E` modulo `p` and adds `p^k d`. The Jacobian modulo `p` never changes, so it is eliminated once. Entries that
//! are not zero come first in the order of pivots and free unknowns stay zero: zeros remain zeros, and the first step modulo 2 is
//! a choice of signs whenever signs are enough.

pub(crate) mod elimination;
mod hensel;
pub(crate) mod lines;
mod obstruction;
mod residues;

pub use hensel::{Lift, LiftOutcome, Lifted, lift};
pub use obstruction::NoLift;
