//! `wickring scheme`: what comes before and after verification: search, lift, reduce, convert, print, compare.

mod canonical;
mod convert;
mod files;
mod lift;
mod program;
mod reduce;
mod search;
mod table;

use crate::context::{Context, Outcome};
use clap::Subcommand;
use wickring::Error;

/// A workshop for bilinear schemes.
#[derive(Subcommand)]
pub enum Scheme {
    Search(search::SearchArgs),
    Lift(lift::LiftArgs),
    Reduce(reduce::ReduceArgs),
    Program(program::ProgramArgs),
    Convert(convert::ConvertArgs),
    Table(table::TableArgs),
    Canonical(canonical::CanonicalArgs),
}

/// Runs `wickring scheme ..`.
pub fn run(command: &Scheme, context: &Context) -> Result<Outcome, Error> {
    match command {
        Scheme::Search(args) => search::run(args, context),
        Scheme::Lift(args) => lift::run(args, context),
        Scheme::Reduce(args) => reduce::run(args, context),
        Scheme::Program(args) => program::run(args, context),
        Scheme::Convert(args) => convert::run(args, context),
        Scheme::Table(args) => table::run(args, context),
        Scheme::Canonical(args) => canonical::run(args, context),
    }
}
