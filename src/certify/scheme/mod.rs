//! Bilinear schemes from the public catalogues: read, verify exactly, find the fault, count the cost.
//!
//! A scheme writes a tensor as `T = sum_r a_r (x) b_r (x) c_r`. [`read_schemes`] reads the formats in which
//! groups publish them, [`examine`] says over which field and in which convention it is exact, and
//! [`find_faults`] names a single vector that explains a wrong one. Everything is exact: entries are
//! rationals, or Laurent polynomials in `x`, or Gaussian numbers.

mod arrays;
mod brackets;
mod build;
mod cost;
mod faults;
mod json;
mod model;
mod models;
mod read;
mod residual;
mod ring;
mod scalar;
mod tables;
mod verdict;

pub use arrays::{rings_from_arrays, schemes_from_arrays};
pub use build::matmul_of_sizes;
pub use cost::{Cost, RankTable};
pub use faults::{Fault, find_faults};
pub use model::{Adjoined, Factor, Scheme, Target};
pub use models::read_models;
pub use read::{SchemeFormat, read_lrp, read_schemes};
pub use residual::Residual;
pub use ring::RationalRing;
pub use verdict::{Examination, SchemeField, Verdict, examine};
