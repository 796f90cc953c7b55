//! `wickring learn mixture`: mixtures of Gaussians from samples.

use crate::context::{Context, Outcome};
use crate::plot::{Figure, Mark, Series, save};
use clap::{Args, ValueEnum};
use faer::MatRef;
use serde_json::{Value, json};
use std::path::PathBuf;
use wickring::decomp::Certificate;
use wickring::io::model::{Header, ModelFile};
use wickring::io::samples::Samples;
use wickring::learn::mixture::{
    Chain, CovarianceKind, Diffusion, Em, GaussianMixture, Generator, SCHEMA, extract_atoms,
};
use wickring::{Error, Status};

/// Rows that are loaded at most.
const MAX_ENTRIES: usize = 1 << 28;
/// Components tried with `--components auto`.
const MOST: usize = 9;

/// Learn a mixture of Gaussians: as a generative model by score regression (discrete and continuous mixtures
/// alike), or with few components by maximum likelihood.
#[derive(Args)]
pub struct Mixture {
    /// Samples as rows: .npy, .csv, .tsv files or folders of them.
    #[arg(required = true, num_args = 1..)]
    samples: Vec<PathBuf>,
    /// Number of components, or auto.
    #[arg(long, default_value = "auto")]
    components: String,
    /// How to learn.
    #[arg(long, value_enum, default_value_t = Method::Diffusion)]
    method: Method,
    /// em: family of covariances (tied-spherical, spherical, tied-diagonal, diagonal, tied, equal-shape, full,
    /// or the three letters of mclust), or auto for the best BIC.
    #[arg(long, default_value = "auto")]
    covariance: String,
    /// diffusion: standard deviation of the noise; estimated when absent.
    #[arg(long)]
    noise: Option<f64>,
    /// em: starts for each number of components.
    #[arg(long, default_value_t = 20)]
    starts: usize,
}

/// How to learn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Method {
    /// Score regression and reverse diffusion.
    Diffusion,
    /// Maximum likelihood by expectation maximisation.
    Em,
}

/// What either method hands to the writer.
struct Learned {
    generator: Generator,
    components: Option<GaussianMixture>,
    status: Status,
    certificate: Certificate,
    extra: Value,
}

/// Runs `wickring learn mixture`.
pub fn run(args: &Mixture, context: &Context) -> Result<Outcome, Error> {
    let op = "learn mixture";
    let out = context.out(op)?;
    let components = match args.components.as_str() {
        "auto" => None,
        text => {
            let wrong =
                |_| Error::invalid(op, format!("--components is a number or auto, got {text}"));
            Some(text.parse::<usize>().map_err(wrong)?)
        }
    };
    let samples = Samples::open(&args.samples)?;
    let (n, dim) = (samples.rows(), samples.columns());
    if n.checked_mul(dim)
        .is_none_or(|entries| entries > MAX_ENTRIES)
    {
        return Err(Error::limit(op, "numbers", MAX_ENTRIES as u64));
    }
    let mut rows = Vec::with_capacity(n * dim);
    for chunk in samples.chunks(4096) {
        rows.extend(chunk?.data);
    }
    let learned = match args.method {
        Method::Diffusion => diffusion(args, context, &rows, dim, components)?,
        Method::Em => em(args, context, &rows, dim, components)?,
    };
    let evidence: Vec<Value> = learned.certificate.evidence.iter().map(|e| {
        let allowed = if e.allowed.is_finite() { json!(e.allowed) } else { Value::Null };
        json!({ "name": e.name, "measured": e.measured, "allowed": allowed, "holds": e.holds() })
    }).collect();
    let mut report = learned.extra;
    report["evidence"] = Value::Array(evidence);
    let header = Header {
        schema: SCHEMA.to_owned(),
        seed: context.common.seed,
        status: learned.status,
        inputs: samples.inputs().cloned().collect(),
        report: report.clone(),
    };
    let body = learned.generator.to_body(learned.components.as_ref())?;
    let listed = body.get("components").cloned().unwrap_or(Value::Null);
    ModelFile { header, body }.write(out)?;
    if let Some(path) = &context.common.plot {
        let fresh = learned
            .generator
            .sample(2000.min(n), Chain::default(), &mut context.rng())?;
        save(path, &[scatter(&rows, &fresh, dim)])?;
    }
    let json = json!({ "status": learned.status.name(), "dim": dim, "components": listed, "report": report, "out": out });
    let mut text = format!("{}: {} samples of {dim} columns\n", learned.status, n);
    for e in &learned.certificate.evidence {
        text += &format!("  {}: {:.6}\n", e.name, e.measured);
    }
    if let Some(failed) = learned.certificate.first_failure() {
        context.warn(&format!(
            "{} is {:.4}, allowed {:.4}",
            failed.name, failed.measured, failed.allowed
        ));
    }
    text += &format!("wrote {}\n", out.display());
    context.emit(&json, &text);
    Ok(match learned.status {
        Status::Converged => Outcome::Certified,
        _ => Outcome::NotCertified,
    })
}

fn diffusion(
    args: &Mixture,
    context: &Context,
    rows: &[f64],
    dim: usize,
    components: Option<usize>,
) -> Result<Learned, Error> {
    let mut learner = Diffusion::new();
    if let Some(noise) = args.noise {
        learner = learner.noise(noise);
    }
    let mut rng = context.rng();
    let mut meter = context.meter();
    let mut source = wickring::learn::mixture::InMemory { rows, dim };
    let fit = learner.learn_from(&mut source, &mut rng, &mut |p| meter.step(p))?;
    drop(meter);
    let atoms = extract_atoms(&fit.model, rows, components, &mut rng)?;
    let extra = json!({
        "method": "diffusion",
        "noise": fit.model.noise(),
        "rank": fit.model.rank(),
        "levels": fit.model.temperatures(),
        "discrete": atoms.discrete,
    });
    Ok(Learned {
        generator: Generator::Score(Box::new(fit.model)),
        components: atoms.discrete.then_some(atoms.mixture),
        status: fit.status,
        certificate: fit.certificate,
        extra,
    })
}

fn em(
    args: &Mixture,
    context: &Context,
    rows: &[f64],
    dim: usize,
    components: Option<usize>,
) -> Result<Learned, Error> {
    let kinds = match args.covariance.as_str() {
        "auto" => CovarianceKind::ALL.to_vec(),
        name => {
            let unknown = || {
                Error::invalid(
                    "learn mixture",
                    format!("--covariance: unknown family {name}"),
                )
            };
            vec![CovarianceKind::from_name(name).ok_or_else(unknown)?]
        }
    };
    let n = rows.len() / dim;
    let learner = components.map_or_else(|| Em::between(1, MOST.min(n)), Em::new);
    let mut rng = context.rng();
    let mut meter = context.meter();
    let samples = MatRef::from_row_major_slice(rows, n, dim);
    let learner = learner.kinds(&kinds).starts(args.starts);
    let fit = learner.learn_observed(samples, &mut rng, &mut |p| meter.step(p))?;
    let table: Vec<Value> = fit.model.table.iter().map(|r| {
        json!({ "covariance": r.kind.name(), "components": r.components, "log_likelihood": r.log_likelihood,
                "parameters": r.parameters, "bic": r.bic, "sound": r.sound })
    }).collect();
    let extra = json!({
        "method": "em",
        "covariance": fit.model.kind.name(),
        "log_likelihood": fit.model.log_likelihood,
        "bic": fit.model.bic,
        "table": table,
    });
    Ok(Learned {
        generator: Generator::Gaussian(fit.model.mixture),
        components: None,
        status: fit.status,
        certificate: fit.certificate,
        extra,
    })
}

/// The first two coordinates of data and samples.
fn scatter(rows: &[f64], fresh: &[f64], dim: usize) -> Figure {
    let points = |rows: &[f64]| -> Vec<(f64, f64)> {
        let step = (rows.len() / dim).div_ceil(2000).max(1);
        let second = |r: &[f64]| r.get(1).copied().unwrap_or(0.0);
        rows.chunks_exact(dim)
            .step_by(step)
            .map(|r| (r[0], second(r)))
            .collect()
    };
    Figure {
        title: "Samples of the model over the data".into(),
        x: "coordinate 0".into(),
        y: "coordinate 1".into(),
        series: vec![
            Series::new("data", Mark::Points, points(rows)),
            Series::new("model", Mark::Points, points(fresh)),
        ],
        ..Figure::default()
    }
}
