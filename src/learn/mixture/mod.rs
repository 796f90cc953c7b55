//! Mixtures of Gaussians: `x = mu + sigma z`, `mu` from an unknown law `Q`, `z` standard normal.
//!
//! | which one do I want? | |
//! |---|---|
//! | [`Em`] | a finite mixture with few components by maximum likelihood; covariances of any family; BIC |

mod audit;
mod cells;
mod door;
mod em;
mod em_climb;
mod em_search;
mod em_step;
mod gaussian;
mod kind;

pub use audit::{BrokenNesting, TableEntry, broken_nestings};
pub use em::{Em, EmModel, EmRow};
pub use gaussian::{Component, GaussianMixture};
pub use kind::CovarianceKind;
