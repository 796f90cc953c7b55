//! Learning curves of online gradient descent.

pub(crate) mod averages;
pub(crate) mod committee;
pub(crate) mod dormand_prince;
pub(crate) mod equations;
pub(crate) mod learner;
pub(crate) mod modes;
pub(crate) mod moments;
pub(crate) mod ode;
pub(crate) mod simulation;
