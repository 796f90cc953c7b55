//! `wickring learn ...`: models from samples.

use super::learn_relu;
use crate::context::{Context, Outcome};
use clap::Subcommand;
use wickring::Error;

/// What to learn.
#[derive(Subcommand)]
pub enum Learn {
    /// A narrow one-hidden-layer relu network, from inputs and targets.
    Relu(learn_relu::Relu),
}

/// Runs `wickring learn`.
pub fn run(command: &Learn, context: &Context) -> Result<Outcome, Error> {
    match command {
        Learn::Relu(args) => learn_relu::run(args, context),
    }
}
