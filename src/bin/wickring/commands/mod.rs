//! One file per command; each parses its arguments, calls the library and prints.

mod check;
mod decompose;
mod decompose_cp;
mod learn;
mod poly;
mod verify;

use crate::context::{Context, Outcome};
use clap::Subcommand;
use wickring::Error;

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    Check(check::Check),
    Verify(verify::Verify),
    /// Exact polynomial algebra: Z, Q, Q(i), F_p.
    #[command(subcommand)]
    Poly(poly::Poly),
    /// Models from samples, with evidence.
    #[command(subcommand)]
    Learn(learn::Learn),
    /// Tensor decompositions with evidence.
    #[command(subcommand)]
    Decompose(decompose::Decompose),
}

/// Runs a command.
pub fn run(command: &Command, context: &Context) -> Result<Outcome, Error> {
    match command {
        Command::Check(args) => check::run(args, context),
        Command::Verify(args) => verify::run(args, context),
        Command::Poly(args) => poly::run(args, context),
        Command::Learn(args) => learn::run(args, context),
        Command::Decompose(args) => decompose::run(args, context),
    }
}
