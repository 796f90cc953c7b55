//! Mixtures of Gaussians by expectation maximisation, with a choice of components and covariances.

pub(crate) mod ascent;
pub(crate) mod covariance_kind;
pub(crate) mod e_step;
pub(crate) mod learner;
pub(crate) mod m_step;
pub(crate) mod nesting_audit;
pub(crate) mod search;
pub(crate) mod selection;
pub(crate) mod starts;
