//! Bilinear schemes from the public catalogues: read, verify exactly, find the fault, count the cost.
//!
//! A scheme writes a tensor as `T = sum_r a_r (x) b_r (x) c_r`. [`read_schemes`] reads the formats in which
//! groups publish them, [`examine`] says over which field and in which convention it is exact, and
//! [`find_faults`] names a single vector that explains a wrong one. Everything is exact: entries are
//! rationals, or Laurent polynomials in `x`, or Gaussian numbers.

pub(crate) mod build;
pub(crate) mod cost;
pub(crate) mod faults;
pub(crate) mod formats;
pub(crate) mod model;
pub(crate) mod residual;
pub(crate) mod ring;
pub(crate) mod verdict;

pub use build::matmul_of_sizes;
pub use cost::{Cost, RankTable};
pub use faults::{Fault, find_faults};
pub use formats::arrays::{rings_from_arrays, schemes_from_arrays, schemes_from_complex};
pub use formats::models::read_models;
pub use formats::read::{SchemeFormat, read_lrp, read_schemes};
pub use model::{Adjoined, Factor, Scheme, Target};
pub use residual::Residual;
pub use ring::RationalRing;
pub use verdict::{Examination, SchemeField, Verdict, examine, examine_until};
