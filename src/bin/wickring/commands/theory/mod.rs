//! `wickring theory ...`: Gaussian-equivalence predictions, beside a simulation on request.

mod batch;
mod batch_report;
mod curves;
mod inputs;
mod online;
mod pairs;
mod report;

use crate::context::{Context, Outcome};
use clap::Subcommand;
use wickring::Error;

/// What to predict.
#[derive(Subcommand)]
pub enum Theory {
    /// Learning curve of a two-layer student trained by one-pass gradient descent.
    OnlineSgd(Box<online::OnlineArgs>),
    /// Learning curves of ridge, logistic and other convex learners on full batches.
    FullBatch(Box<batch::BatchArgs>),
}

/// Runs `wickring theory`.
pub fn run(command: &Theory, context: &Context) -> Result<Outcome, Error> {
    match command {
        Theory::OnlineSgd(args) => online::run(args, context),
        Theory::FullBatch(args) => batch::run(args, context),
    }
}
