//! `wickring learn quadratic`: quadratic maps of a hidden Gaussian, from output samples.

use super::held_out::Cumulants;
use crate::commands::map::read_map;
use crate::context::{Context, Outcome};
use crate::evidence;
use crate::plot::{Figure, Mark, Series};
use clap::{Args, ValueEnum};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use wickring::certify::{Certificate, Expression};
use wickring::fit::{Check, Fit};
use wickring::io::model::{Header, ModelFile, in_file};
use wickring::io::samples::Samples;
use wickring::io::write_whole;
use wickring::learn::{
    ExactCumulants, FewOutputs, Noise, Quadratic, RadialInput, RadialQuadratic, add_noise, noise_of,
};
use wickring::run::Observer;
use wickring::tensor::{PolynomialMap, QuadraticMap};
use wickring::{Error, Status};

/// Learn z_a = x'Q_a x + b_a'x + c_a with hidden x ~ N(0, I) from samples of z alone.
#[derive(Args)]
pub struct LearnQuadratic {
    /// Samples as rows: .npy, .csv or .tsv files, or folders of them; together they are one sample.
    #[arg(required = true)]
    samples: Vec<PathBuf>,
    /// Latent dimension, or auto: from the spectrum of the covariance.
    #[arg(long, default_value = "auto", value_parser = Latent::parse)]
    latent: Latent,
    /// Learn a linear part b_a'x too; needs r(r+3)/2 outputs instead of r(r+1)/2.
    #[arg(long)]
    general: bool,
    /// Share of the samples held out for the test, 0.01 to 0.5.
    #[arg(long, default_value_t = 0.2)]
    holdout: f64,
    /// Improve on the moments by the likelihood where the samples allow it.
    #[arg(long, value_enum, default_value_t = Switch::True)]
    refine: Switch,
    /// Law of the latents: gaussian; or any rotation-invariant one, unknown, sphere (|x|^2 = r), ball, or its
    /// moments M4,M6 (E|x|^4 / r(r+2), E|x|^6 / r(r+2)(r+4) at E xx' = I).
    #[arg(long, default_value = "gaussian", value_parser = Radial::parse)]
    radial: Radial,
    /// Observation noise to allow for: none, auto (from spare outputs, else, with --refine, from the distance of the
    /// samples to their variety), or its standard deviation as a share of that of each output.
    #[arg(long, default_value = "none", value_parser = parse_noise)]
    noise: Noise,
    /// A model to report the distance to, whatever the gauge.
    #[arg(long)]
    reference: Option<PathBuf>,
}

/// The law of the latents.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Radial(Option<RadialInput>);

impl Radial {
    fn parse(text: &str) -> Result<Self, String> {
        let numbers: Vec<Option<f64>> = text.split(',').map(|t| t.trim().parse().ok()).collect();
        match (text, &numbers[..]) {
            ("gaussian", _) => Ok(Self(None)),
            ("unknown", _) => Ok(Self(Some(RadialInput::Unknown))),
            ("sphere", _) => Ok(Self(Some(RadialInput::Sphere))),
            ("ball", _) => Ok(Self(Some(RadialInput::Ball))),
            (_, [Some(four), Some(six)]) => Ok(Self(Some(RadialInput::Moments(*four, *six)))),
            _ => Err("expected gaussian, unknown, sphere, ball, or two moments M4,M6".into()),
        }
    }
}

/// Reads `none`, `auto` or a share.
pub fn parse_noise(text: &str) -> Result<Noise, String> {
    match (text, text.parse::<f64>()) {
        ("none", _) => Ok(Noise::Absent),
        ("auto", _) => Ok(Noise::Estimated),
        (_, Ok(s)) if (0.0..1.0).contains(&s) => Ok(Noise::Known(s)),
        _ => Err("expected none, auto, or a share of the standard deviation in [0, 1)".into()),
    }
}

/// `true` or `false`, as a value.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Switch {
    /// Yes.
    True,
    /// No.
    False,
}

/// A latent dimension, or none: from the samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Latent(pub Option<usize>);

impl Latent {
    /// Reads a number or `auto`.
    pub fn parse(text: &str) -> Result<Self, String> {
        match (text, text.parse()) {
            ("auto", _) => Ok(Self(None)),
            (_, Ok(number)) if number > 0 => Ok(Self(Some(number))),
            _ => Err("expected a positive integer or auto".into()),
        }
    }
}

/// Runs `wickring learn quadratic`.
pub fn run(args: &LearnQuadratic, context: &Context) -> Result<Outcome, Error> {
    let out = context.out("learn quadratic")?;
    let samples = context.samples(&args.samples)?;
    let mut meter = context.meter();
    let learned = learn(args, &samples, context, &mut |p| meter.step(p));
    drop(meter);
    // What is wrong with the sample is told with its file; the exit code stays that of bad input.
    let (fit, radial) = learned.map_err(|e| match e {
        e @ Error::InvalidInput { .. } => in_file(&args.samples[0], e),
        e => e,
    })?;
    let fit = with_reference(fit, args.reference.as_deref())?;

    let mut file = model_file(&fit, &samples, context.common.seed);
    if let Some(radial) = radial {
        file.body.insert("radial".into(), radial);
    }
    file.write(out)?;
    let (status, failed) = evidence::stated(&fit);
    let certificate = certificate(&fit.model, &samples)?.fit(status, &failed);
    match args.radial {
        Radial(Some(_)) => {
            context.say("no certificate about held-out samples: the latents are not normal");
        }
        _ => {
            let alone = cumulants(&fit.model)?;
            let (what, law) = match alone.with_noise(&noise_of(&fit))? {
                None => ("the learned map", alone),
                Some(noisy) => ("the learned map with its noise", noisy),
            };
            law.write((what, args.holdout), &samples, (status, &failed), context)?;
        }
    }
    let beside = out.with_extension("certificate.json");
    write_whole(&beside, certificate.to_json().as_bytes())?;
    context.draw(|| pictures((&fit.model, &noise_of(&fit)), &samples, context.common.seed))?;
    let text = text(&fit, &samples, out, &beside);
    context.emit(&summary(&fit, samples.rows(), out, &beside), &text);
    Ok(match fit.status {
        Status::Converged => Outcome::Certified,
        _ => Outcome::NotCertified,
    })
}

/// The learner that the flags ask for; a law of the latents other than the Gaussian comes beside the map.
fn learn(
    args: &LearnQuadratic,
    samples: &Samples,
    context: &Context,
    observer: Observer<'_>,
) -> Result<(Fit<QuadraticMap>, Option<Value>), Error> {
    let (rng, refine) = (&mut context.rng(), args.refine == Switch::True);
    let Latent(latent) = args.latent;
    if let Radial(Some(law)) = args.radial {
        if args.general || args.noise != Noise::Absent {
            let text = "--radial goes without --general and without --noise";
            return Err(Error::invalid("learn quadratic", text));
        }
        let mut learner = RadialQuadratic::new(law)
            .holdout(args.holdout)
            .refine(refine);
        if let Some(rank) = latent {
            learner = learner.latent(rank);
        }
        let fit = learner.learn(samples, rng, observer)?;
        let beside = json!({
            "law": law.name(), "m4": fit.model.law.0, "m6": fit.model.law.1, "radii": fit.model.radii,
        });
        return Ok((fit.map(|m| m.map), Some(beside)));
    }
    let d = samples.columns();
    let filled = |r: usize| r.checked_mul(r + 1).is_none_or(|n| n / 2 > d);
    if let Some(rank) = latent.filter(|&r| filled(r) && !args.general) {
        context.say(&format!(
            "{d} outputs do not fill the quadratics of {rank} latents: least squares from random starts"
        ));
        let fit = FewOutputs::new(rank)
            .holdout(args.holdout)
            .learn(samples, rng, observer)?;
        return Ok((fit, None));
    }
    let mut learner = Quadratic::new().general(args.general).holdout(args.holdout);
    learner = learner.refine(refine).noise(args.noise);
    if let Some(rank) = latent {
        learner = learner.latent(rank);
    }
    Ok((learner.learn(samples, rng, observer)?, None))
}

/// The fit with its distance to another map in the evidence.
fn with_reference(
    mut fit: Fit<QuadraticMap>,
    reference: Option<&Path>,
) -> Result<Fit<QuadraticMap>, Error> {
    if let Some(path) = reference {
        let map = PolynomialMap::of_quadratic(&fit.model)?;
        let distance = map
            .distance(&read_map(path)?)
            .map_err(|e| in_file(path, e))?;
        let name = "distance to the reference, relative, in the best gauge";
        fit.evidence.checks.push(Check::reported(
            "quadratic.reference-distance",
            name,
            distance,
        ));
    }
    Ok(fit)
}

/// The model file of a fit.
pub fn model_file(fit: &Fit<QuadraticMap>, samples: &Samples, seed: u64) -> ModelFile {
    let header = Header {
        schema: String::new(),
        seed,
        status: fit.status,
        inputs: samples.inputs().cloned().collect(),
        report: report(fit, samples.rows()),
    };
    let mut file = ModelFile::of_quadratic_map(&fit.model, header);
    let noise = noise_of(fit);
    if noise.iter().any(|s| *s > 0.0) {
        file.body.insert("noise".into(), json!(noise));
    }
    file
}

/// Exact claims about the learned map that the independent checker can replay.
pub fn certificate(map: &QuadraticMap, samples: &Samples) -> Result<Certificate, Error> {
    let claim = cumulants(map)?.claim("the learned map");
    let mut certificate = Certificate::new().claim(claim);
    for input in samples.inputs() {
        certificate = certificate.hashed_input(&input.path.to_string_lossy(), &input.sha256);
    }
    Ok(certificate)
}

/// Joint cumulants of three outputs, as far as they are computed.
fn cumulants(map: &QuadraticMap) -> Result<Cumulants, Error> {
    let mut outputs = vec![0, map.output_dim() / 2, map.output_dim() - 1];
    outputs.dedup();
    let exact = ExactCumulants::of(map, &outputs)?;
    let r = map.latent_dim();
    let forms = outputs.iter().map(|&a| {
        let core = &map.quadratic().as_slice()[a * r * r..(a + 1) * r * r];
        Expression::quadratic_form(core, map.linear(a), map.constant()[a])
    });
    let polynomials = forms.collect::<Result<_, _>>()?;
    // The claim numbers its own polynomials.
    let renumbered = exact.values.iter().map(|(index, value)| {
        let place = |a: &usize| outputs.iter().position(|o| o == a).unwrap_or(0);
        (index.iter().map(place).collect(), value.clone())
    });
    let values = renumbered.collect();
    Ok(Cumulants {
        outputs,
        polynomials,
        values,
    })
}

/// The report of any fit to so many rows.
pub fn report<M>(fit: &Fit<M>, rows: usize) -> Value {
    let mut report = Map::new();
    evidence::extend(&mut report, &fit.evidence);
    report.insert("cond".into(), evidence::number(fit.evidence.condition));
    let advice = evidence::what_to_do(&fit.evidence, rows);
    report.insert("what_to_do".into(), json!(advice));
    report.insert("samples_read".into(), json!(fit.work.samples));
    Value::Object(report)
}

fn summary(fit: &Fit<QuadraticMap>, rows: usize, out: &Path, beside: &Path) -> Value {
    json!({
        "status": fit.status.name(),
        "latent_dim": fit.model.latent_dim(),
        "output_dim": fit.model.output_dim(),
        "report": report(fit, rows),
        "model": out.to_string_lossy(),
        "certificate": beside.to_string_lossy(),
    })
}

fn text(fit: &Fit<QuadraticMap>, samples: &Samples, out: &Path, beside: &Path) -> String {
    let (r, d) = (fit.model.latent_dim(), fit.model.output_dim());
    let mut text = format!(
        "latent dimension {r}, {d} outputs, {} samples: {}\n",
        samples.rows(),
        match fit.status {
            Status::Converged => "ACCEPT (held-out samples agree with the model)".to_owned(),
            status => format!("NOT CERTIFIED ({status})"),
        }
    );
    text += &table(fit, samples.rows());
    text + &format!("wrote {} and {}\n", out.display(), beside.display())
}

/// The evidence, line by line, and the first failure.
pub fn table<M>(fit: &Fit<M>, rows: usize) -> String {
    let mut text = evidence::table(&fit.evidence.checks);
    if let Some(e) = fit.evidence.first_failure() {
        text += &format!(
            "failed: {}: {:.3e}, at most {:.3e}\n",
            e.label, e.measured, e.allowed
        );
    }
    if let Some(advice) = evidence::what_to_do(&fit.evidence, rows) {
        text += &format!("what to do: {advice}\n");
    }
    text
}

/// Distribution functions of the first outputs, samples against the model.
pub fn pictures(
    (map, noise): (&QuadraticMap, &[f64]),
    samples: &Samples,
    seed: u64,
) -> Result<Vec<Figure>, Error> {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    beside(samples, |n| {
        let mut rows = map.sample(n, rng);
        add_noise(&mut rows, noise, rng);
        rows
    })
}

/// The same for anything that can be drawn from.
pub fn beside(
    samples: &Samples,
    draw: impl FnOnce(usize) -> Vec<f64>,
) -> Result<Vec<Figure>, Error> {
    const MOST: usize = 20_000;
    /// Outputs that are drawn.
    const PANELS: usize = 6;
    let (d, n) = (samples.columns(), samples.rows().min(MOST));
    let chunk = samples.chunks(n).next().transpose()?;
    let data = chunk.map(|c| c.data).unwrap_or_default();
    let drawn = draw(n);
    let column = |rows: &[f64], a: usize| -> Vec<(f64, f64)> {
        let mut values: Vec<f64> = rows.iter().skip(a).step_by(d).copied().collect();
        values.sort_by(f64::total_cmp);
        let m = values.len().max(1) as f64;
        let every = (values.len() / 400).max(1);
        let at = |(i, v): (usize, f64)| (v, (i as f64 + 0.5) / m);
        values
            .into_iter()
            .enumerate()
            .step_by(every)
            .map(at)
            .collect()
    };
    let name = |a: usize| {
        let names = samples.names();
        names.get(a).cloned().unwrap_or_else(|| format!("z_{a}"))
    };
    let figure = |a: usize| Figure {
        title: match d > PANELS {
            true => {
                format!("distribution function of output {a}; {PANELS} of {d} outputs are drawn")
            }
            false => format!("distribution function of output {a}"),
        },
        x: name(a),
        y: "probability".into(),
        series: vec![
            Series::new("samples", Mark::Line, column(&data, a)),
            Series::new("learned map", Mark::Dashed, column(&drawn, a)),
        ],
        ..Figure::default()
    };
    Ok((0..d.min(PANELS)).map(figure).collect())
}
