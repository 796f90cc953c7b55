//! `wickring learn ...`: models from samples.

pub(crate) mod held_out;
pub(crate) mod mixture;
pub(crate) mod mixture_audit;
mod mixture_methods;
pub(crate) mod mixture_pictures;
pub(crate) mod polynomial;
pub(crate) mod quadratic;
pub(crate) mod relu;
pub(crate) mod two_layer;
use crate::context::{Context, Outcome};
use clap::Subcommand;
use wickring::Error;

/// What to learn.
#[derive(Subcommand)]
pub enum Learn {
    Mixture(mixture::Mixture),
    Quadratic(quadratic::LearnQuadratic),
    Polynomial(polynomial::LearnPolynomial),
    /// A narrow one-hidden-layer relu network, from inputs and targets.
    Relu(relu::Relu),
    /// A two-layer network with a polynomial activation, from inputs and targets.
    TwoLayer(two_layer::TwoLayer),
}

/// Runs `wickring learn`.
pub fn run(command: &Learn, context: &Context) -> Result<Outcome, Error> {
    match command {
        Learn::Polynomial(args) => polynomial::run(args, context),
        Learn::Mixture(args) => mixture::run(args, context),
        Learn::Quadratic(args) => quadratic::run(args, context),
        Learn::Relu(args) => relu::run(args, context),
        Learn::TwoLayer(args) => two_layer::run(args, context),
    }
}
