//! Minimisers that several rooms share: limited-memory quasi-Newton descent.

pub(crate) mod lbfgs;
pub(crate) mod lbfgs_wolfe;
