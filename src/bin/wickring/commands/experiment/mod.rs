//! `wickring experiment ...`: planted problems that tell a paper's story.

pub(crate) mod list;
pub(crate) mod mixture;
pub(crate) mod quadratic;
pub(crate) mod relu;
pub(crate) mod relu_sweeps;
pub(crate) mod two_layer;
use crate::context::{Context, Outcome};
use clap::Subcommand;
use wickring::Error;

/// Which story.
#[derive(Subcommand)]
pub enum Experiment {
    /// What the papers behind this program claim, each with the command that shows it here.
    List,
    /// Quadratic maps of hidden normals: error against samples, latent dimension, outputs and perturbation.
    QuadraticStory(quadratic::Story),
    /// Mixtures: discrete ones, a circle, a disc, segments and a curve in ten dimensions.
    Mixture(mixture::Story),
    /// Two samples, or a model and a sample: classifier, energy, projections, memorisation.
    MixtureCompare(mixture::Compare),
    /// Narrow relu networks: separated, near-parallel, cancelling and correlational-hard ones.
    ReluStory(relu::Story),
    /// Narrow relu networks at the sizes of BENCHMARKS.md, beside baselines in the same run.
    ReluBars(relu::Bars),
    /// Two-layer cubic networks: the phase diagram of decomposition and of learning from samples.
    TwoLayer(two_layer::TwoLayerStory),
}

/// Runs `wickring experiment`.
pub fn run(command: &Experiment, context: &Context) -> Result<Outcome, Error> {
    match command {
        Experiment::List => list::run(context),
        Experiment::QuadraticStory(args) => quadratic::story(args, context),
        Experiment::Mixture(args) => mixture::story(args, context),
        Experiment::MixtureCompare(args) => mixture::compare(args, context),
        Experiment::ReluStory(args) => relu::story(args, context),
        Experiment::ReluBars(args) => relu::bars(args, context),
        Experiment::TwoLayer(args) => two_layer::run(args, context),
    }
}
