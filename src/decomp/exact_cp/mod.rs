//! Rational factors of a small tensor: from floats to a proof.

pub(crate) mod descent;
mod finished;
pub(crate) mod fixing;
mod found;
pub(crate) mod plane_cubic;
pub(crate) mod rational_solve;
pub(crate) mod search;
pub(crate) mod system;
