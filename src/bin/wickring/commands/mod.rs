//! One file per command; each parses its arguments, calls the library and prints.

mod learn;
mod poly;
mod poly_algebra;
mod poly_groebner;
mod poly_input;

use crate::context::{Context, Outcome};
use clap::Subcommand;
use wickring::Error;

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    /// Exact polynomial algebra: Z, Q, Q(i), F_p.
    #[command(subcommand)]
    Poly(poly::Poly),
    /// Models from samples, with evidence.
    #[command(subcommand)]
    Learn(learn::Learn),
}

/// Runs a command.
pub fn run(command: &Command, context: &Context) -> Result<Outcome, Error> {
    match command {
        Command::Poly(args) => poly::run(args, context),
        Command::Learn(args) => learn::run(args, context),
    }
}
