//! `wickring learn ...`: models from samples.

use super::{learn_mixture, learn_polynomial, learn_quadratic, learn_relu, learn_two_layer};
use crate::context::{Context, Outcome};
use clap::Subcommand;
use wickring::Error;

/// What to learn.
#[derive(Subcommand)]
pub enum Learn {
    Mixture(learn_mixture::Mixture),
    Quadratic(learn_quadratic::LearnQuadratic),
    Polynomial(learn_polynomial::LearnPolynomial),
    /// A narrow one-hidden-layer relu network, from inputs and targets.
    Relu(learn_relu::Relu),
    /// A two-layer network with a polynomial activation, from inputs and targets.
    TwoLayer(learn_two_layer::TwoLayer),
}

/// Runs `wickring learn`.
pub fn run(command: &Learn, context: &Context) -> Result<Outcome, Error> {
    match command {
        Learn::Polynomial(args) => learn_polynomial::run(args, context),
        Learn::Mixture(args) => learn_mixture::run(args, context),
        Learn::Quadratic(args) => learn_quadratic::run(args, context),
        Learn::Relu(args) => learn_relu::run(args, context),
        Learn::TwoLayer(args) => learn_two_layer::run(args, context),
    }
}
