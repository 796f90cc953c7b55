//! Laws of the inputs: Gaussian, radial, products.

pub(crate) mod covariance;
pub(crate) mod law;
pub(crate) mod radial;
