//! `wickring decompose orthogonal`: orthonormal components of a tensor of order four under bounded errors.

use super::cp::report::Report;
use crate::commands::tensor_file::{Loaded, load, require_finite};
use crate::context::{Context, Outcome};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use wickring::Error;
use wickring::decomp::{Robust, RobustMethod};
use wickring::fit::Fit;

/// Arguments of `decompose orthogonal`.
#[derive(Args)]
pub struct OrthogonalArgs {
    /// The tensor of order four: .npy, .npz or .mat (v5).
    file: PathBuf,
    /// The number of components, at most the dimension.
    #[arg(long)]
    rank: usize,
    /// The method.
    #[arg(long, value_enum, default_value_t = Kind::SubspacePower)]
    method: Kind,
    /// Spectral norm of the error relative to a component, for schramm-steurer; measured unless given.
    #[arg(long)]
    error: Option<f64>,
}

/// The method.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// Climbs of the projection onto the top eigenvectors.
    SubspacePower,
    /// Truncation, clipping, random contraction, deflation.
    SchrammSteurer,
    /// Power iteration on the form, shifted.
    ShiftedPower,
    /// Random contractions.
    Jennrich,
}

/// Runs `wickring decompose orthogonal`.
pub fn run(args: &OrthogonalArgs, context: &Context) -> Result<Outcome, Error> {
    let path = args.file.as_path();
    let t = match load(path, context)? {
        Loaded::Real(t) => t,
        Loaded::Sparse(s) => s.to_dense(1 << 25)?,
        Loaded::Complex(_) => {
            return Err(Error::file(path, "", "is complex, expected real entries"));
        }
    };
    require_finite(path, &t)?;
    let method = match args.method {
        Kind::SubspacePower => RobustMethod::SubspacePower,
        Kind::SchrammSteurer => RobustMethod::SchrammSteurer { error: args.error },
        Kind::ShiftedPower => RobustMethod::ShiftedPower { shift: None },
        Kind::Jennrich => RobustMethod::Jennrich,
    };
    let mut report = Report::new("symmetric-cp", path, t.dims(), context)?;
    let (engine, mut rng) = (Robust::new(args.rank).method(method), context.rng());
    let fit = context.within("decompose orthogonal", move || {
        engine.decompose(t.view(), &mut rng)
    })?;
    let fit = Fit {
        model: fit.model.to_cp()?,
        status: fit.status,
        history: fit.history,
        work: fit.work,
        evidence: fit.evidence,
    };
    report.fit(&fit);
    report.finish(&fit, context)
}
