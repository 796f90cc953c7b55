//! `wickring learn ...`: models from samples.

use crate::context::{Context, Outcome};
use clap::Subcommand;
use wickring::Error;

/// What to learn.
#[derive(Subcommand)]
pub enum Learn {}

/// Runs `wickring learn`.
pub fn run(command: &Learn, _context: &Context) -> Result<Outcome, Error> {
    match *command {}
}
