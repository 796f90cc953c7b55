//! `wickring decompose ...`: tensor decompositions with evidence.

use super::decompose_cp;
use crate::context::{Context, Outcome};
use clap::Subcommand;
use wickring::Error;

/// Which decomposition.
#[derive(Subcommand)]
pub enum Decompose {
    /// Canonical polyadic decomposition: a sum of rank-one tensors.
    Cp(decompose_cp::CpArgs),
}

/// Runs `wickring decompose`.
pub fn run(command: &Decompose, context: &Context) -> Result<Outcome, Error> {
    match command {
        Decompose::Cp(args) => decompose_cp::run(args, context),
    }
}
