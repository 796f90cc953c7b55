//! Learners: samples in, a model and evidence out.

pub mod mixture;
