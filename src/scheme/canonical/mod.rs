//! What equivalent schemes have in common, and whether two schemes are equivalent.
//!
//! Schemes of `<n,m,p>` are carried to one another by sandwiching, `A -> P A Q^-1`, `B -> Q B S^-1`, `C -> P C S^-1`, and by
//! transposition and cyclic shifts where the sizes allow it.

mod bits;
mod equivalence;
mod invariants;

pub use equivalence::{Equivalence, EquivalenceSearch, equivalent_modulo_two};
pub use invariants::{Invariants, invariants};
