//! One sweep: posterior shares, sums, and the covariances of a family.

pub(crate) mod e_step;
pub(crate) mod m_step;
pub(crate) mod products;
