//! `wickring decompose cp`: the command, its losses and constraints, and what it reports.

mod command;
mod constraint;
mod loss;
pub(crate) mod pictures;
pub(crate) mod report;

pub use command::{CpArgs, run};
