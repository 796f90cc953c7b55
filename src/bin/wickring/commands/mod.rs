//! One file per command; each parses its arguments, calls the library and prints.

mod bench;
mod check;
mod check_tensors;
mod compare;
mod completions;
mod convert;
mod decompose;
mod demo;
mod experiment;
mod learn;
mod man;
mod map;
mod moments;
mod poly;
mod predict;
mod sample;
mod scheme;
mod tensor_file;
mod theory;
mod verify;

use crate::context::{Context, Outcome};
use clap::Subcommand;
use wickring::Error;

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    Demo(demo::Demo),
    Check(check::Check),
    Verify(verify::Verify),
    /// Exact polynomial algebra: Z, Q, Q(i), F_p.
    #[command(subcommand)]
    Poly(poly::Poly),
    /// Models from samples, with evidence.
    #[command(subcommand)]
    Learn(learn::Learn),
    /// Gaussian-equivalence predictions, beside a simulation on request.
    #[command(subcommand)]
    Theory(theory::Theory),
    /// Evaluate a learned function.
    Predict(predict::Predict),
    Sample(sample::Sample),
    /// Questions to a learned quadratic or polynomial map: chaos expansion, cumulants, distance, tests.
    #[command(subcommand)]
    Map(map::Map),
    /// Sums of samples: made from parts, merged, shown; the same bytes however the sample is split.
    #[command(subcommand)]
    Moments(moments::Moments),
    Compare(compare::Compare),
    Bench(bench::Bench),
    Convert(convert::Convert),
    Completions(completions::Completions),
    Man(man::Man),
    /// Planted problems that tell a paper's story: tables and pictures.
    #[command(subcommand)]
    Experiment(experiment::Experiment),
    /// A workshop for bilinear schemes: search, lift, reduce, print, convert, compare.
    #[command(subcommand)]
    Scheme(scheme::Scheme),
    /// Tensor decompositions with evidence.
    #[command(subcommand)]
    Decompose(decompose::Decompose),
}

/// Runs a command.
pub fn run(command: &Command, context: &Context) -> Result<Outcome, Error> {
    match command {
        Command::Demo(args) => demo::run(args, context),
        Command::Check(args) => check::run(args, context),
        Command::Verify(args) => verify::run(args, context),
        Command::Poly(args) => poly::run(args, context),
        Command::Learn(args) => learn::run(args, context),
        Command::Map(args) => map::run(args, context),
        Command::Moments(args) => moments::run(args, context),
        Command::Compare(args) => compare::run(args, context),
        Command::Bench(args) => bench::run(args, context),
        Command::Convert(args) => convert::run(args, context),
        Command::Completions(args) => completions::run(args, context),
        Command::Man(args) => man::run(args, context),
        Command::Sample(args) => sample::run(args, context),
        Command::Theory(args) => theory::run(args, context),
        Command::Predict(args) => predict::run(args, context),
        Command::Experiment(args) => experiment::run(args, context),
        Command::Scheme(args) => scheme::run(args, context),
        Command::Decompose(args) => decompose::run(args, context),
    }
}
