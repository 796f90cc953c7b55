//! From directions to a network: rounds of least squares, Levenberg-Marquardt, merging of neurons.

pub(crate) mod absolute_values;
pub(crate) mod iteration;
pub(crate) mod levenberg_marquardt;
pub(crate) mod merge;
