//! `wickring learn mixture`: mixtures of Gaussians from samples.

use super::mixture_audit;
use super::mixture_pictures::law;
use crate::context::{Context, Outcome};
use crate::evidence;
use crate::plot::save;
use clap::{Args, ValueEnum};
use faer::MatRef;
use serde_json::{Value, json};
use std::path::PathBuf;
use wickring::fit::Evidence;
use wickring::io::model::{Header, ModelFile};
use wickring::io::samples::Samples;
use wickring::learn::mixture::{
    Chain, CovarianceKind, Diffusion, Em, GaussianMixture, Generator, MomentMethod, SCHEMA,
    extract_atoms,
};
use wickring::{Error, Status};

const OP: &str = "learn mixture";
/// Numbers that em and moments load at most: 2 GiB.
const MAX_ENTRIES: usize = 1 << 28;
/// Components tried with `--components auto`.
const MOST: usize = 9;
/// Rows that components are read from and pictures are drawn with.
const LOOKED_AT: usize = 20_000;
/// Below this share of distinct rows the user is told.
const DISTINCT: f64 = 0.9;

/// Learn a mixture of Gaussians: as a generative model by score regression (discrete and continuous mixtures
/// alike), from third moments, or by maximum likelihood; or audit a table of likelihoods.
#[derive(Args)]
pub struct Mixture {
    /// Samples as rows: .npy, .csv, .tsv files or folders of them (diffusion streams them).
    #[arg(required_unless_present = "audit", num_args = 1..)]
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
    /// diffusion, moments: standard deviation of the noise; estimated when absent.
    #[arg(long)]
    noise: Option<f64>,
    /// em: starts for each number of components.
    #[arg(long, default_value_t = 20)]
    starts: usize,
    /// moments: do not follow the moments by sweeps of likelihood.
    #[arg(long)]
    moments_only: bool,
    /// diffusion: number of noise levels.
    #[arg(long)]
    levels: Option<usize>,
    /// diffusion: cells of a level at most.
    #[arg(long, default_value_t = 24)]
    max_cells: usize,
    /// diffusion: degree of the denoiser at most.
    #[arg(long, default_value_t = 4)]
    max_degree: usize,
    /// Without samples: read a table of fitted mixtures (.csv with the columns data, model, G, loglik) and name
    /// the fits that a smaller model beats, so that their maximisation failed. Exit code 1 when there are any.
    #[arg(long, conflicts_with = "samples")]
    audit: Option<PathBuf>,
}

/// How to learn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Method {
    /// Score regression and reverse diffusion: any law with noise, known or not.
    Diffusion,
    /// Tensor decomposition of third moments: spherical components with affinely independent means.
    Moments,
    /// Maximum likelihood by expectation maximisation.
    Em,
}

/// The checks under which the methods count rows that repeat another one.
const REPEATED: [&str; 3] = [
    "em.repeated-rows",
    "mixture-moments.repeated-rows",
    "diffusion.repeated-rows",
];

/// What each method hands to the writer.
struct Learned {
    generator: Generator,
    components: Option<GaussianMixture>,
    status: Status,
    evidence: Evidence,
    extra: Value,
}

/// Runs `wickring learn mixture`.
pub fn run(args: &Mixture, context: &Context) -> Result<Outcome, Error> {
    if let Some(table) = &args.audit {
        return mixture_audit::run(table, context);
    }
    let out = context.out(OP)?;
    let components = number_of_components(&args.components)?;
    let mut samples = context.samples(&args.samples)?;
    let looked_at = evenly(&samples, LOOKED_AT)?;
    let learned = match args.method {
        Method::Diffusion => diffusion(args, context, &mut samples, &looked_at, components)?,
        Method::Moments => moments(args, context, &samples, components)?,
        Method::Em => em(args, context, &samples, components)?,
    };
    let repeated = learned.evidence.checks.iter();
    let repeated = repeated.filter(|e| REPEATED.contains(&e.key));
    for e in repeated.filter(|e| e.measured > 1.0 - DISTINCT) {
        let counted = match args.method {
            Method::Diffusion => "copies count once",
            _ => "each copy counts as an independent row, so likelihoods and BIC say too much",
        };
        context.warn(&format!("{} is {:.2}: {counted}", e.label, e.measured));
    }
    let mut report = learned.extra;
    if let Some(report) = report.as_object_mut() {
        evidence::extend(report, &learned.evidence);
    }
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
        let count = 2000.min(samples.rows());
        let fresh = learned
            .generator
            .sample(count, Chain::default(), &mut context.rng())?;
        save(path, &[law(&looked_at, &fresh, &learned.generator)?])?;
    }
    let (n, dim) = (samples.rows(), samples.columns());
    let mut text = format!("{}: {n} samples of {dim} columns\n", learned.status);
    for e in &learned.evidence.checks {
        text += &format!("  {}: {:.6}\n", e.label, e.measured);
    }
    text += &component_lines(&listed);
    if let Some(failed) = learned.evidence.first_failure() {
        context.warn(&format!(
            "{} is {:.4}, allowed {:.4}",
            failed.label, failed.measured, failed.allowed
        ));
    }
    text += &format!("wrote {}\n", out.display());
    let json = json!({ "status": learned.status.name(), "dim": dim, "components": listed, "report": report, "out": out });
    context.emit(&json, &text);
    Ok(match learned.status {
        Status::Converged => Outcome::Certified,
        _ => Outcome::NotCertified,
    })
}

fn number_of_components(text: &str) -> Result<Option<usize>, Error> {
    if text == "auto" {
        return Ok(None);
    }
    let wrong = || {
        Error::invalid(
            OP,
            format!("--components is a positive number or auto, got {text}"),
        )
    };
    let count: usize = text.parse().map_err(|_| wrong())?;
    if count == 0 {
        Err(wrong())
    } else {
        Ok(Some(count))
    }
}

fn diffusion(
    args: &Mixture,
    context: &Context,
    samples: &mut Samples,
    looked_at: &[f64],
    components: Option<usize>,
) -> Result<Learned, Error> {
    let mut learner = Diffusion::new()
        .max_cells(args.max_cells)
        .max_degree(args.max_degree);
    if let Some(noise) = args.noise {
        learner = learner.noise(noise);
    }
    if let Some(levels) = args.levels {
        learner = learner.levels(levels);
    }
    let mut rng = context.rng();
    let mut meter = context.meter();
    let fit = learner.learn_from(samples, &mut rng, &mut |p| meter.step(p))?;
    drop(meter);
    let atoms = extract_atoms(&fit.model, looked_at, components, &mut rng)?;
    if let Some(fewer) = components.map(|k| k - 1).filter(|&k| k > 0) {
        let bic = extract_atoms(&fit.model, looked_at, Some(fewer), &mut rng)?.bic;
        fewer_suffice(context, fewer, bic, atoms.bic);
    }
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
        evidence: fit.evidence,
        extra,
    })
}

fn moments(
    args: &Mixture,
    context: &Context,
    samples: &Samples,
    components: Option<usize>,
) -> Result<Learned, Error> {
    let rows = load(samples)?;
    let x = MatRef::from_row_major_slice(&rows, samples.rows(), samples.columns());
    let most = MOST.min(samples.rows());
    let learner = components.map_or_else(|| MomentMethod::between(1, most), MomentMethod::new);
    let learner = learner.refine(!args.moments_only);
    let learner = match args.noise {
        Some(noise) => learner.noise(noise),
        None => learner,
    };
    let (mut rng, mut meter) = (context.rng(), context.meter());
    let fit = learner.learn_observed(x, &mut rng, &mut |p| meter.step(p))?;
    drop(meter);
    if let Some(fewer) = components.map(|k| k - 1).filter(|&k| k > 0)
        && let Ok(other) = MomentMethod::new(fewer).learn(x, &mut rng)
    {
        fewer_suffice(context, fewer, other.model.bic, fit.model.bic);
    }
    let alone = Generator::Gaussian(fit.model.from_moments.clone()).to_body(None)?;
    let extra = json!({
        "method": "moments",
        "one_variance": fit.model.one_variance,
        "log_likelihood": fit.model.log_likelihood,
        "bic": fit.model.bic,
        "moments_alone": alone.get("components"),
    });
    Ok(Learned {
        generator: Generator::Gaussian(fit.model.mixture),
        components: None,
        status: fit.status,
        evidence: fit.evidence,
        extra,
    })
}

fn em(
    args: &Mixture,
    context: &Context,
    samples: &Samples,
    components: Option<usize>,
) -> Result<Learned, Error> {
    let kinds = match args.covariance.as_str() {
        "auto" => CovarianceKind::ALL.to_vec(),
        name => {
            let unknown = || Error::invalid(OP, format!("--covariance: unknown family {name}"));
            vec![CovarianceKind::from_name(name).ok_or_else(unknown)?]
        }
    };
    let rows = load(samples)?;
    let (n, dim) = (samples.rows(), samples.columns());
    let learner = components.map_or_else(|| Em::between(1, MOST.min(n)), Em::new);
    let mut rng = context.rng();
    let mut meter = context.meter();
    let x = MatRef::from_row_major_slice(&rows, n, dim);
    let learner = learner.kinds(&kinds).starts(args.starts);
    let fit = learner.learn_observed(x, &mut rng, &mut |p| meter.step(p))?;
    let chosen = fit.model.mixture.len();
    if components.is_none() && chosen == MOST {
        context.warn(&format!(
            "BIC is best at {MOST} components, the largest number tried: more may be better, or the law is none of few Gaussians"
        ));
    }
    let smaller = fit
        .model
        .table
        .iter()
        .filter(|r| r.components < chosen && r.sound);
    if components.is_some()
        && let Some(best) = smaller.max_by(|a, b| a.bic.total_cmp(&b.bic))
    {
        fewer_suffice(context, best.components, best.bic, fit.model.bic);
    }
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
        evidence: fit.evidence,
        extra,
    })
}

/// Says so when fewer components than were asked for explain the sample better.
fn fewer_suffice(context: &Context, fewer: usize, bic: f64, asked: f64) {
    if bic > asked {
        context.warn(&format!(
            "{fewer} components have the better BIC ({bic:.1}, {asked:.1} for the number asked for): some of those listed may be one"
        ));
    }
}

/// Every row, for methods that go over them many times.
fn load(samples: &Samples) -> Result<Vec<f64>, Error> {
    let (n, dim) = (samples.rows(), samples.columns());
    if n.checked_mul(dim).is_none_or(|total| total > MAX_ENTRIES) {
        return Err(Error::limit(OP, "numbers", MAX_ENTRIES as u64));
    }
    let mut rows = Vec::with_capacity(n * dim);
    for chunk in samples.chunks(4096) {
        rows.extend(chunk?.data);
    }
    Ok(rows)
}

/// About `count` rows, evenly spaced.
fn evenly(samples: &Samples, count: usize) -> Result<Vec<f64>, Error> {
    let dim = samples.columns();
    let step = samples.rows().div_ceil(count).max(1);
    let mut rows = Vec::new();
    for chunk in samples.chunks(4096) {
        let chunk = chunk?;
        for (i, row) in chunk.data.chunks_exact(dim).enumerate() {
            if (chunk.first_row + i) % step == 0 {
                rows.extend_from_slice(row);
            }
        }
    }
    Ok(rows)
}

fn component_lines(listed: &Value) -> String {
    let mut text = String::new();
    for c in listed.as_array().into_iter().flatten() {
        let weight = c["weight"].as_f64().unwrap_or(0.0);
        let mean = c["mean"].as_array().into_iter().flatten();
        let mut mean: Vec<String> = mean
            .filter_map(Value::as_f64)
            .map(|x| format!("{x:.4}"))
            .collect();
        if mean.len() > 8 {
            mean.truncate(8);
            mean.push("...".into());
        }
        text += &format!("  weight {weight:.4} mean {}\n", mean.join(" "));
    }
    text
}
