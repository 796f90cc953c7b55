//! `wickring decompose symmetric`: symmetric CP (Waring) decomposition of a tensor file.

use super::cp::report::Report;
use crate::commands::tensor_file::{Loaded, load, require_finite};
use crate::context::{Context, Outcome};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use wickring::Error;
use wickring::decomp::{KoszulYoung, Overcomplete, SubspacePower, SymmetricMethod, Waring};
use wickring::fit::Fit;
use wickring::tensor::{SymmetricCp, Tensor};

/// Arguments of `decompose symmetric`.
#[derive(Args)]
pub struct SymmetricArgs {
    /// The symmetric tensor: .npy, .npz, .mat (v5), FROSTT .tns or .csv.
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
    /// The engine.
    #[arg(long, value_enum, default_value_t = Engine::Auto, conflicts_with = "lbfgs")]
    method: Engine,
    /// Prove what can be proved: that an exact decomposition exists near the factors, or that they are close to a
    /// strict local minimum; exit 3 with the reason where neither can be proved. --out writes the certificate.
    #[arg(long)]
    prove: bool,
}

/// The engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Engine {
    /// Overcomplete from order 3 on when the rank exceeds the dimension, else Waring.
    Auto,
    /// Algebraic and random starts, Levenberg-Marquardt.
    Waring,
    /// Descent from small starts, Gauss-Newton: many more components than dimensions.
    Overcomplete,
    /// Subspace power method, order 4.
    SubspacePower,
    /// Koszul-Young flattenings, order 3, generic components, exact data.
    KoszulYoung,
}

/// Runs `wickring decompose symmetric`.
pub fn run(args: &SymmetricArgs, context: &Context) -> Result<Outcome, Error> {
    let path = args.file.as_path();
    let t = match load(path, context)? {
        Loaded::Real(t) => t,
        Loaded::Sparse(s) => s.to_dense(1 << 25)?,
        Loaded::Complex(_) => {
            return Err(Error::file(path, "", "is complex, expected real entries"));
        }
    };
    require_finite(path, &t)?;
    let mut report = Report::new("symmetric-cp", path, t.dims(), context)?;
    let fit = decompose(args, &t, context)?;
    let proof = args
        .prove
        .then(|| super::theorems::symmetric(&fit.model, &t, context));
    let proof = proof.transpose()?;
    // One factor stands for all: the files hold it once for each mode, like those of `decompose cp`.
    let fit = Fit {
        model: fit.model.to_cp()?,
        status: fit.status,
        history: fit.history,
        work: fit.work,
        evidence: fit.evidence,
    };
    report.fit(&fit);
    if let Some(proof) = proof {
        report.proof(&proof);
        let stated = (crate::evidence::stated(&fit), proof.claims);
        super::numeric_proof::theorems((path, report.sha256()), stated, context)?;
    }
    report.finish(&fit, context)
}

/// The fit of the engine asked for.
fn decompose(
    args: &SymmetricArgs,
    t: &Tensor,
    context: &Context,
) -> Result<Fit<SymmetricCp>, Error> {
    let mut rng = context.rng();
    let n = t.dims().first().copied().unwrap_or(0);
    let crowded = t.order() >= 3 && args.rank > n && !args.lbfgs;
    let mut meter = context.meter();
    match args.method {
        Engine::SubspacePower => SubspacePower::new(args.rank).decompose(t.view(), &mut rng),
        Engine::KoszulYoung => KoszulYoung::new(args.rank).decompose(t.view(), &mut rng),
        Engine::Overcomplete => {
            overcomplete(args).decompose_observed(t.view(), &mut rng, &mut |p| meter.step(p))
        }
        Engine::Auto if crowded => {
            overcomplete(args).decompose_observed(t.view(), &mut rng, &mut |p| meter.step(p))
        }
        _ => {
            let mut engine = Waring::new(args.rank);
            if args.lbfgs {
                engine = engine.method(SymmetricMethod::Lbfgs);
            }
            engine = args.starts.map_or(engine.clone(), |n| engine.starts(n));
            engine = args.tol.map_or(engine.clone(), |x| engine.tol(x));
            engine.decompose_observed(t.view(), &mut rng, &mut |p| meter.step(p))
        }
    }
}

fn overcomplete(args: &SymmetricArgs) -> Overcomplete {
    let mut engine = Overcomplete::new(args.rank);
    engine = args.starts.map_or(engine.clone(), |n| engine.starts(n));
    args.tol.map_or(engine.clone(), |x| engine.tol(x))
}
