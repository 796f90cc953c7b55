//! Groebner bases: computed by the crate `groebner` (MIT), checked here.
//!
//! | file | what it holds |
//! |---|---|
//! | `basis.rs` | the public type and functions |
//! | `ideals.rs` | elimination, saturation, radical membership, dimension |
//! | `backend.rs` | conversions, and the thread that the other crate runs on |
//! | `pairs.rs` | the S-pairs that suffice |
//! | `monomials.rs` | monomials as numbers |
//! | `matrix.rs` | the multiples of the basis that reduce given rows, as sparse vectors |
//! | `reconstruction.rs` | denominators of numbers known modulo primes |
//! | `images.rs` | the basis modulo small primes |
//! | `proof.rs` | that rows reduce to zero, over the rationals and modulo a prime |

pub(crate) mod backend;
pub(crate) mod basis;
pub(crate) mod ideals;
pub(crate) mod images;
pub(crate) mod matrix;
pub(crate) mod monomials;
pub(crate) mod pairs;
pub(crate) mod proof;
pub(crate) mod reconstruction;

pub use basis::{GroebnerBasis, groebner_basis, groebner_basis_mod};
pub use ideals::{IdealField, eliminate, in_radical, saturate};
