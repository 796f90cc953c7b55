//! Mixtures of Gaussians by expectation maximisation, with a choice of components and covariances.

pub(crate) mod ascent;
pub(crate) mod coordinates;
pub(crate) mod covariance_kind;
pub(crate) mod evidence;
pub(crate) mod floor;
pub(crate) mod learner;
pub(crate) mod nesting_audit;
pub(crate) mod sample;
pub(crate) mod search;
pub(crate) mod selection;
pub(crate) mod starts;
pub(crate) mod sweep;
