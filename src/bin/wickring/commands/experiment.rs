//! `wickring experiment ...`: planted problems that tell a paper's story.

use super::{experiment_mixture, experiment_quadratic, experiment_relu, experiment_two_layer};
use crate::context::{Context, Outcome};
use clap::Subcommand;
use wickring::Error;

/// Which story.
#[derive(Subcommand)]
pub enum Experiment {
    /// Quadratic maps of hidden normals: error against samples, latent dimension, outputs and perturbation.
    QuadraticStory(experiment_quadratic::Story),
    /// Mixtures: discrete ones, a circle, a disc, segments and a curve in ten dimensions.
    Mixture(experiment_mixture::Story),
    /// Two samples, or a model and a sample: classifier, energy, projections, memorisation.
    MixtureCompare(experiment_mixture::Compare),
    /// Narrow relu networks: separated, near-parallel, cancelling and correlational-hard ones.
    ReluStory(experiment_relu::Story),
    /// Narrow relu networks at the sizes of BENCHMARKS.md, beside baselines in the same run.
    ReluBars(experiment_relu::Bars),
    /// Two-layer cubic networks: the phase diagram of decomposition and of learning from samples.
    TwoLayer(experiment_two_layer::TwoLayerStory),
}

/// Runs `wickring experiment`.
pub fn run(command: &Experiment, context: &Context) -> Result<Outcome, Error> {
    match command {
        Experiment::QuadraticStory(args) => experiment_quadratic::story(args, context),
        Experiment::Mixture(args) => experiment_mixture::story(args, context),
        Experiment::MixtureCompare(args) => experiment_mixture::compare(args, context),
        Experiment::ReluStory(args) => experiment_relu::story(args, context),
        Experiment::ReluBars(args) => experiment_relu::bars(args, context),
        Experiment::TwoLayer(args) => experiment_two_layer::run(args, context),
    }
}
