//! `wickring decompose train`: tensor train of a tensor file, or a shorter train of a file of cores.

use super::model_pictures;
use super::model_report::ModelReport;
use crate::commands::compare::cores;
use crate::commands::tensor_file::{Loaded, load, require_finite};
use crate::context::{Context, Outcome};
use clap::Args;
use num_complex::Complex;
use std::path::PathBuf;
use wickring::Error;
use wickring::decomp::{TtSvd, ring_uniqueness};
use wickring::tensor::{Scalar, Tensor, TensorRing, TensorTrain, TensorView};

/// Arguments of `decompose train`.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("size").required(true).multiple(true).args(["tol", "rank"]))]
pub struct TrainArgs {
    /// The tensor: .npy, .npz, .mat (v5), FROSTT .tns or .csv; or the cores of a train or ring (.npz with core_0, ..), to be
    /// rounded.
    file: PathBuf,
    /// The relative error that is allowed, in [0, 1); 0 keeps all above rounding.
    #[arg(long)]
    tol: Option<f64>,
    /// The inner ranks R1,R2,.. or one for all; with --tol they are bounds.
    #[arg(long, alias = "ranks", value_delimiter = ',', value_name = "R1,R2,..")]
    rank: Vec<usize>,
}

/// Runs `wickring decompose train`.
pub fn run(args: &TrainArgs, context: &Context) -> Result<Outcome, Error> {
    let path = args.file.as_path();
    let method = match args.tol {
        Some(tol) => TtSvd::new(tol).most(&args.rank),
        None => TtSvd::with_ranks(&args.rank),
    };
    if context.common.name.is_empty()
        && let Some(ring) = cores(path)?
    {
        return match real(&ring)? {
            Some(ring) => round(args, &method, &ring, context),
            None => round(args, &method, &ring, context),
        };
    }
    match load(path, context)? {
        Loaded::Real(t) => {
            require_finite(path, &t)?;
            fresh(args, &method, t.view(), context)
        }
        Loaded::Complex(t) => fresh(args, &method, t.view(), context),
        Loaded::Sparse(s) => fresh(args, &method, s.to_dense(1 << 25)?.view(), context),
    }
}

/// The real ring, where no core has an imaginary part.
fn real(ring: &TensorRing<Complex<f64>>) -> Result<Option<TensorRing<f64>>, Error> {
    let plain = |g: &Tensor<Complex<f64>>| g.as_slice().iter().all(|z| z.im == 0.0);
    if !ring.cores().iter().all(plain) {
        return Ok(None);
    }
    let part = |g: &Tensor<Complex<f64>>| {
        Tensor::from_vec(g.dims(), g.as_slice().iter().map(|z| z.re).collect())
    };
    let cores: Result<Vec<_>, _> = ring.cores().iter().map(part).collect();
    TensorRing::new(cores?).map(Some)
}

fn round<T: Scalar>(
    args: &TrainArgs,
    method: &TtSvd,
    ring: &TensorRing<T>,
    context: &Context,
) -> Result<Outcome, Error> {
    let fit = method.round(&TensorTrain::from_ring(ring)?)?;
    let mut report = ModelReport::new("tensor-train", &args.file, &ring.dims(), context)?;
    report.add("rounded_from", ring.ranks().into());
    report.fit(
        &fit,
        "train",
        &outer(&fit.model),
        fit.model.as_ring().parameters(),
    );
    let unique = ring_uniqueness(fit.model.as_ring());
    report.unique(unique.word(), None);
    report.arrays(
        fit.model
            .cores()
            .iter()
            .enumerate()
            .map(|(k, g)| (format!("core_{k}"), g.view())),
    )?;
    context.draw(|| model_pictures::train(&fit.model))?;
    let status = fit.status;
    report.finish("cores", status, context, |context| {
        super::numeric_proof::absent("its input is a train, not a tensor", context)
    })
}

fn fresh<T: Scalar>(
    args: &TrainArgs,
    method: &TtSvd,
    t: TensorView<'_, T>,
    context: &Context,
) -> Result<Outcome, Error> {
    let mut report = ModelReport::new("tensor-train", &args.file, t.dims(), context)?;
    let mut meter = context.meter();
    let fit = method.decompose_observed(t, &mut |p| meter.step(p))?;
    report.fit(
        &fit,
        "train",
        &outer(&fit.model),
        fit.model.as_ring().parameters(),
    );
    let unique = ring_uniqueness(fit.model.as_ring());
    report.unique(unique.word(), None);
    report.arrays(
        fit.model
            .cores()
            .iter()
            .enumerate()
            .map(|(k, g)| (format!("core_{k}"), g.view())),
    )?;
    context.draw(|| model_pictures::train(&fit.model))?;
    let digest = report.sha256().to_owned();
    let source = (args.file.as_path(), digest.as_str());
    let stated = (crate::evidence::stated(&fit), Vec::new());
    report.finish("cores", fit.status, context, |context| {
        super::numeric_proof::ring(source, t, fit.model.as_ring(), stated, context)
    })
}

/// All ranks, the two outer ones included.
fn outer<T: Scalar>(train: &TensorTrain<T>) -> Vec<usize> {
    let mut ranks = train.ranks();
    ranks.push(1);
    ranks
}
