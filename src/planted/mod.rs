//! Problems with known answers, for experiments and tests.

pub mod relu;
