//! `wickring learn mixture`: mixtures of Gaussians from samples.

use super::mixture_audit;
use super::mixture_methods::{self as methods, evenly};
use super::mixture_pictures::law;
use crate::context::{Context, Missing, Outcome};
use crate::evidence;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::path::PathBuf;
use wickring::io::model::{Header, ModelFile};
use wickring::learn::mixture::{Chain, SCHEMA};
use wickring::{Error, Status};

pub(super) const OP: &str = "learn mixture";
/// Rows that components are read from and pictures are drawn with.
const LOOKED_AT: usize = 20_000;
/// Below this share of distinct rows the user is told.
const DISTINCT: f64 = 0.9;

/// Learn a mixture of Gaussians: by maximum likelihood, from third moments, or as a generative model by score
/// regression (discrete and continuous mixtures alike), whichever explains held-out rows best unless told; or audit a
/// table of likelihoods.
#[derive(Args)]
pub struct Mixture {
    /// Samples as rows: .npy, .csv, .tsv files or folders of them (diffusion streams them, the others load them).
    #[arg(required_unless_present = "audit", num_args = 1..)]
    samples: Vec<PathBuf>,
    /// Number of components, or auto.
    #[arg(long, default_value = "auto")]
    components: String,
    /// How to learn.
    #[arg(long, value_enum, default_value_t = Method::Auto)]
    method: Method,
    /// auto, em, moments: the largest number tried with --components auto; 30 by default.
    #[arg(long)]
    pub(super) max_components: Option<usize>,
    /// auto, em: family of covariances (tied-spherical, spherical, tied-diagonal, diagonal, tied, equal-shape, full,
    /// or the three letters of mclust), or auto for the best BIC (the default).
    #[arg(long)]
    pub(super) covariance: Option<String>,
    /// auto, diffusion, moments: standard deviation of the noise; estimated when absent.
    #[arg(long)]
    pub(super) noise: Option<f64>,
    /// auto, em: starts for each number of components; 20 by default.
    #[arg(long)]
    pub(super) starts: Option<usize>,
    /// moments: do not follow the moments by sweeps of likelihood.
    #[arg(long)]
    pub(super) moments_only: bool,
    /// diffusion: number of noise levels.
    #[arg(long)]
    pub(super) levels: Option<usize>,
    /// diffusion: cells of a level at most; 24 by default.
    #[arg(long)]
    pub(super) max_cells: Option<usize>,
    /// diffusion: degree of the denoiser at most; 4 by default.
    #[arg(long)]
    pub(super) max_degree: Option<usize>,
    /// Without samples: read a table of fitted mixtures (.csv with the columns data, model, G, loglik) and name
    /// the fits that a smaller model beats, so that their maximisation failed. Exit code 1 when there are any.
    #[arg(long, conflicts_with = "samples")]
    audit: Option<PathBuf>,
}

/// How to learn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Method {
    /// Whichever of the three explains rows that were held out best; EM unless another is clearly ahead.
    Auto,
    /// Score regression and reverse diffusion: any law with noise, known or not.
    Diffusion,
    /// Tensor decomposition of third moments: spherical components with affinely independent means.
    Moments,
    /// Maximum likelihood by expectation maximisation.
    Em,
}

impl Method {
    fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Diffusion => "diffusion",
            Self::Moments => "moments",
            Self::Em => "em",
        }
    }
}

impl Mixture {
    /// Refuses options that the method does not look at.
    fn refuse_idle(&self, components: Option<usize>) -> Result<(), Error> {
        use Method::{Auto, Diffusion, Em, Moments};
        let options: [(bool, &str, &[Method]); 8] = [
            (
                self.max_components.is_some(),
                "max-components",
                &[Auto, Em, Moments],
            ),
            (self.covariance.is_some(), "covariance", &[Auto, Em]),
            (self.starts.is_some(), "starts", &[Auto, Em]),
            (self.noise.is_some(), "noise", &[Auto, Diffusion, Moments]),
            (self.moments_only, "moments-only", &[Moments]),
            (self.levels.is_some(), "levels", &[Diffusion]),
            (self.max_cells.is_some(), "max-cells", &[Diffusion]),
            (self.max_degree.is_some(), "max-degree", &[Diffusion]),
        ];
        let idle = |(given, _, methods): &&(bool, &str, &[Method])| {
            *given && !methods.contains(&self.method)
        };
        if let Some((_, name, methods)) = options.iter().find(idle) {
            let words: Vec<&str> = methods.iter().map(|m| m.word()).collect();
            let text = format!(
                "--{name} goes with --method {}, not with {}",
                words.join(" or "),
                self.method.word()
            );
            return Err(Error::invalid(OP, text));
        }
        match (self.max_components, components) {
            (Some(_), Some(_)) => {
                let text = "--max-components goes with --components auto";
                Err(Error::invalid(OP, text))
            }
            (Some(0), None) => Err(Error::invalid(OP, "--max-components is at least 1, got 0")),
            _ => Ok(()),
        }
    }
}

/// The checks under which the methods count rows that repeat another one.
const EM_REPEATED: &str = "em.repeated-rows";
const DIFFUSION_REPEATED: &str = "diffusion.repeated-rows";
const REPEATED: [&str; 3] = [
    EM_REPEATED,
    "mixture-moments.repeated-rows",
    DIFFUSION_REPEATED,
];

/// Runs `wickring learn mixture`.
pub fn run(args: &Mixture, context: &Context) -> Result<Outcome, Error> {
    if let Some(table) = &args.audit {
        return mixture_audit::run(table, context);
    }
    let out = context.out(OP)?;
    let components = number_of_components(&args.components)?;
    args.refuse_idle(components)?;
    let mut samples = context.samples(&args.samples)?;
    let looked_at = evenly(&samples, LOOKED_AT)?;
    let masked = context.common.missing == Missing::Mask;
    let learned = match args.method {
        Method::Auto | Method::Em if masked => {
            methods::masked(args, context, &samples, components)?
        }
        other if masked => {
            let text = format!(
                "--missing mask goes with --method em, not with {}",
                other.word()
            );
            return Err(Error::invalid(OP, text));
        }
        Method::Auto => methods::auto(args, context, (&mut samples, &looked_at), components)?,
        Method::Diffusion => {
            methods::diffusion(args, context, (&mut samples, &looked_at), components)?
        }
        Method::Moments => methods::moments(args, context, &samples, components)?,
        Method::Em => methods::em(args, context, &samples, components)?,
    };
    let repeated = learned.evidence.checks.iter();
    let repeated = repeated.filter(|e| REPEATED.contains(&e.key));
    for e in repeated.filter(|e| e.measured > 1.0 - DISTINCT) {
        let counted = match e.key {
            DIFFUSION_REPEATED => "copies count once",
            EM_REPEATED => {
                "copies count once in BIC, unless the digits of the columns explain them"
            }
            _ => "each copy counts as an independent row, so likelihoods and BIC say too much",
        };
        context.warn(&format!("{} is {:.2}: {counted}", e.label, e.measured));
    }
    let mut report = learned.extra;
    if let Some(report) = report.as_object_mut() {
        evidence::extend(report, &learned.evidence);
        let advice = evidence::what_to_do(&learned.evidence, samples.rows());
        report.insert("what_to_do".into(), json!(advice));
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
    context.draw(|| {
        let whole = |row: &&[f64]| row.iter().all(|x| x.is_finite());
        let rows = looked_at.chunks_exact(samples.columns()).filter(whole);
        let looked_at: Vec<f64> = rows.flatten().copied().collect();
        let (count, chain) = (2000.min(samples.rows()), Chain::default());
        let fresh = learned.generator.sample(count, chain, &mut context.rng())?;
        Ok(vec![law(
            (&looked_at, samples.names()),
            &fresh,
            &learned.generator,
        )?])
    })?;
    let (n, dim) = (samples.rows(), samples.columns());
    let mut text = format!("{}: {n} samples of {dim} columns\n", learned.status);
    text += &learned.words;
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
    if let Some(advice) = evidence::what_to_do(&learned.evidence, n) {
        text += &format!("what to do: {advice}\n");
    }
    text += &format!("wrote {}\n", out.display());
    let json = json!({ "status": learned.status.name(), "dim": dim, "components": listed, "report": report, "out": out.to_string_lossy() });
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
        let rows: Vec<&Value> = c["covariance"].as_array().into_iter().flatten().collect();
        let spread = rows
            .iter()
            .enumerate()
            .filter_map(|(a, row)| row[a].as_f64());
        let mut spread: Vec<String> = spread.map(|v| format!("{:.4}", v.sqrt())).collect();
        if spread.len() > 8 {
            spread.truncate(8);
            spread.push("...".into());
        }
        let spread = match spread.is_empty() {
            true => String::new(),
            false => format!(" standard deviation {}", spread.join(" ")),
        };
        text += &format!("  weight {weight:.4} mean {}{spread}\n", mean.join(" "));
    }
    text
}
