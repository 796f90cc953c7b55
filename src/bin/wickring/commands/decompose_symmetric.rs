//! `wickring decompose symmetric`: symmetric CP (Waring) decomposition of a tensor file.

use super::cp_report::Report;
use super::tensor_file::{Loaded, load, require_finite};
use crate::context::{Context, Outcome};
use clap::Args;
use std::path::PathBuf;
use wickring::Error;
use wickring::decomp::{Fit, SymmetricMethod, Waring};

/// Arguments of `decompose symmetric`.
#[derive(Args)]
pub struct SymmetricArgs {
    /// The symmetric tensor: .npy, .npz, .mat (v5) or FROSTT .tns.
    file: PathBuf,
    /// The number of components.
    #[arg(long)]
    rank: usize,
    /// Greatest number of starts.
    #[arg(long)]
    starts: Option<usize>,
    /// Relative residual to reach; a larger one is not converged (exit 3).
    #[arg(long)]
    tol: Option<f64>,
    /// Descend by L-BFGS from a small initialisation first.
    #[arg(long)]
    lbfgs: bool,
    /// The array to read, where the file holds several.
    #[arg(long)]
    name: Option<String>,
}

/// Runs `wickring decompose symmetric`.
pub fn run(args: &SymmetricArgs, context: &Context) -> Result<Outcome, Error> {
    let path = args.file.as_path();
    let t = match load(path, args.name.as_deref())? {
        Loaded::Real(t) => t,
        Loaded::Sparse(s) => s.to_dense(1 << 25)?,
        Loaded::Complex(_) => {
            return Err(Error::file(path, "", "is complex, expected real entries"));
        }
    };
    require_finite(path, &t)?;
    let mut engine = Waring::new(args.rank);
    if args.lbfgs {
        engine = engine.method(SymmetricMethod::Lbfgs);
    }
    engine = args.starts.map_or(engine.clone(), |n| engine.starts(n));
    engine = args.tol.map_or(engine.clone(), |x| engine.tol(x));
    let mut report = Report::new("symmetric-cp", path, t.dims(), context)?;
    let mut meter = context.meter();
    let fit = engine.decompose_observed(t.view(), &mut context.rng(), &mut |p| meter.step(p))?;
    drop(meter);
    // One factor stands for all: the files hold it once for each mode, like those of `decompose cp`.
    let fit = Fit {
        model: fit.model.to_cp()?,
        status: fit.status,
        history: fit.history,
        work: fit.work,
        certificate: fit.certificate,
    };
    report.fit(&fit);
    report.finish(&fit, context)
}
