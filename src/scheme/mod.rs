//! Bilinear schemes from the public catalogues: read, verify exactly, find the fault, count the cost.
//!
//! A scheme writes a tensor as `T = sum_r a_r (x) b_r (x) c_r`. [`read_schemes`] reads the formats in which
//! groups publish them, [`examine`] says over which field and in which convention it is exact, and
//! [`find_faults`] names a single vector that explains a wrong one. Everything is exact: entries are
//! rationals, or Laurent polynomials in `x`, or Gaussian numbers.

pub(crate) mod build;
pub(crate) mod canonical;
pub(crate) mod characters;
pub(crate) mod cost;
pub(crate) mod faults;
pub(crate) mod formats;
pub(crate) mod gaussian;
pub(crate) mod lift;
pub(crate) mod model;
pub(crate) mod programs;
pub(crate) mod reduce;
pub(crate) mod residual;
pub(crate) mod ring;
pub(crate) mod search;
pub(crate) mod target;
pub(crate) mod targets;
pub(crate) mod verdict;
pub(crate) mod whole;
pub(crate) mod writers;

pub use build::matmul_of_sizes;
pub use canonical::{
    Equivalence, EquivalenceSearch, Invariants, equivalent_modulo_two, invariants,
};
pub use cost::{Cost, KnownRanks};
pub use faults::{Fault, find_faults};
pub use formats::arrays::{rings_from_arrays, schemes_from_arrays, schemes_from_complex};
pub use formats::models::read_models;
pub use formats::read::{SchemeFormat, read_lrp, read_schemes};
pub use lift::{Lift, LiftOutcome, Lifted, NoLift, lift};
pub use model::{Adjoined, Scheme, SchemeFactor};
pub use programs::{ProgramLanguage, SchemeProgram};
pub use reduce::{Reduce, Reduced};
pub use residual::Residual;
pub use ring::RationalRing;
pub use search::{Found, Search, SearchField};
pub use target::Target;
pub use verdict::{Examination, SchemeField, Verdict, examine, examine_until};
pub use writers::SchemeText;
