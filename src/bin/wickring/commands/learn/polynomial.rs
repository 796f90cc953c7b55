//! `wickring learn polynomial`: polynomial maps of a hidden Gaussian, from output samples.

use super::held_out::Cumulants;
use super::quadratic::{Latent, beside, parse_noise, report, table};
use crate::commands::map::read_map;
use crate::context::{Context, Outcome};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use wickring::certify::{Certificate, Expression};
use wickring::fit::{Check, Fit};
use wickring::io::model::{Header, ModelFile, in_file};
use wickring::io::samples::Samples;
use wickring::io::write_whole;
use wickring::learn::polynomial::{Form, LearnedPolynomial, Polynomial, PowerSums, Requirements};
use wickring::learn::{Noise, add_noise};
use wickring::poly::gaussian::{GaussianLaw, joint_cumulant};
use wickring::poly::{Poly, Rational, Vars};
use wickring::tensor::PolynomialMap;
use wickring::{Error, Status};

/// Learn a polynomial map z = p(x) of degree W with hidden x ~ N(0, I) from samples of z alone, with or without noise.
///
/// With all outputs spanning the monomials this takes finitely many steps and few samples: the variety that the
/// samples lie on is found first, then its symmetries, then the map. The needs for each latent dimension are
/// printed before anything is tried. With --noise the likelihood is climbed from there; the error that so many samples leave
/// is reported beside.
#[derive(Args)]
pub struct LearnPolynomial {
    /// Samples as rows: .npy, .csv or .tsv files, or folders of them; together they are one sample.
    #[arg(required = true)]
    samples: Vec<PathBuf>,
    /// Degree of the map, 2 to 8.
    #[arg(long)]
    degree: usize,
    /// Latent dimension, or auto: from the span of the outputs.
    #[arg(long, default_value = "auto", value_parser = Latent::parse)]
    latent: Latent,
    /// Whether degrees below W occur too; auto: from the span of the outputs.
    #[arg(long, value_enum, default_value_t = Degrees::Auto)]
    form: Degrees,
    /// Write each output as a sum of so many powers of linear forms, c_1 <u_1, x>^W + ..
    #[arg(long)]
    terms: Option<usize>,
    /// Independent normal noise on the outputs to allow for: none, auto (estimated, for each output), or its standard
    /// deviation as a share of that of each output. With noise W and the latent dimension are at most 4.
    #[arg(long, default_value = "none", value_parser = parse_noise)]
    noise: Noise,
    /// Share of the samples held out for the tests, 0.01 to 0.5.
    #[arg(long, default_value_t = 0.2)]
    holdout: f64,
    /// A model to report the distance to, whatever the gauge.
    #[arg(long)]
    reference: Option<PathBuf>,
}

/// Which degrees occur.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Degrees {
    /// From the samples.
    Auto,
    /// Only W.
    Homogeneous,
    /// W and all lower ones.
    General,
}

/// Runs `wickring learn polynomial`.
pub fn run(args: &LearnPolynomial, context: &Context) -> Result<Outcome, Error> {
    let out = context.out("learn polynomial")?;
    let samples = context.samples(&args.samples)?;
    let mut learner = Polynomial::new(args.degree)
        .holdout(args.holdout)
        .noise(args.noise);
    if let Latent(Some(rank)) = args.latent {
        learner = learner.latent(rank);
    }
    learner = match args.form {
        Degrees::Auto => learner,
        Degrees::Homogeneous => learner.form(Form::Homogeneous),
        Degrees::General => learner.form(Form::General),
    };
    if let Some(count) = args.terms {
        learner = learner.terms(count);
    }
    say_needs(args, &samples, context);
    let mut meter = context.meter();
    let fit = learner.learn(&samples, &mut context.rng(), &mut |p| meter.step(p));
    drop(meter);
    let fit = fit.map_err(|e| match e {
        e @ Error::InvalidInput { .. } => in_file(&args.samples[0], e),
        e => e,
    })?;
    let fit = with_reference(fit, args.reference.as_deref())?;
    let header = Header {
        schema: String::new(),
        seed: context.common.seed,
        status: fit.status,
        inputs: samples.inputs().cloned().collect(),
        report: full_report(&fit, samples.rows()),
    };
    let mut file = ModelFile::of_polynomial_map(&fit.model.map, header);
    let noise = &fit.model.noise;
    if noise.iter().any(|s| *s > 0.0) {
        file.body.insert("noise".into(), json!(noise));
    }
    if let Some(terms) = &fit.model.terms {
        let latent = fit.model.map.latent_dim();
        file.body.insert("terms".into(), terms_json(terms, latent));
    }
    file.write(out)?;
    let beside_model = out.with_extension("certificate.json");
    let (status, failed) = crate::evidence::stated(&fit);
    let cumulants = cumulants(&fit.model.map)?;
    let claim = cumulants.claim("the learned map");
    let mut certificate = Certificate::new().fit(status, &failed).claim(claim);
    for input in samples.inputs() {
        certificate = certificate.hashed_input(&input.path.to_string_lossy(), &input.sha256);
    }
    let (what, law) = match cumulants.with_noise(noise)? {
        None => ("the learned map", cumulants),
        Some(noisy) => ("the learned map with its noise", noisy),
    };
    law.write((what, args.holdout), &samples, (status, &failed), context)?;
    write_whole(&beside_model, certificate.to_json().as_bytes())?;
    context.draw(|| {
        beside(&samples, |n| {
            let rng = &mut context.rng();
            let mut rows = fit.model.map.sample(n, rng);
            add_noise(&mut rows, noise, rng);
            rows
        })
    })?;
    context.emit(
        &summary(&fit, samples.rows(), out, &beside_model),
        &text(&fit, &samples, out, &beside_model),
    );
    Ok(match fit.status {
        Status::Converged => Outcome::Certified,
        _ => Outcome::NotCertified,
    })
}

/// The fit with its distance to another map in the evidence.
fn with_reference(
    mut fit: Fit<LearnedPolynomial>,
    reference: Option<&Path>,
) -> Result<Fit<LearnedPolynomial>, Error> {
    if let Some(path) = reference {
        let distance = fit.model.map.distance(&read_map(path)?);
        let distance = distance.map_err(|e| in_file(path, e))?;
        let name = "distance to the reference, relative, in the best gauge";
        fit.evidence.checks.push(Check::reported(
            "polynomial.reference-distance",
            name,
            distance,
        ));
    }
    Ok(fit)
}

/// Terms of the products that third cumulants are expanded into, at most.
const MAX_PRODUCTS: usize = 30_000;

/// Joint cumulants of three outputs, up to the third order where the products stay short.
fn cumulants(map: &PolynomialMap) -> Result<Cumulants, Error> {
    let mut outputs = vec![0, map.output_dim() / 2, map.output_dim() - 1];
    outputs.dedup();
    let polynomials: Vec<Poly<Rational>> = outputs
        .iter()
        .map(|&a| map.output(a))
        .collect::<Result<_, _>>()?;
    let law = GaussianLaw::standard(map.latent_dim());
    let terms = map.basis().len();
    let mut indices: Vec<Vec<usize>> = (0..outputs.len()).map(|i| vec![i]).collect();
    for j in 0..outputs.len() {
        indices.extend((0..=j).map(|i| vec![i, j]));
    }
    if terms.pow(3) <= MAX_PRODUCTS {
        indices.extend((0..outputs.len()).map(|i| vec![i, i, i]));
    }
    let value = |index: Vec<usize>| {
        let chosen: Vec<&Poly<Rational>> = index.iter().map(|&i| &polynomials[i]).collect();
        joint_cumulant(&law, &chosen).map(|v| (index, v))
    };
    let values = indices.into_iter().map(value).collect::<Result<_, _>>()?;
    let names = Vars::fixed((0..map.latent_dim()).map(|i| format!("x{i}")));
    let forms = polynomials.iter();
    let polynomials = forms.map(|p| Expression::from_poly(p, &names)).collect();
    Ok(Cumulants {
        outputs,
        polynomials,
        values,
    })
}

/// What each latent dimension takes, before anything is tried.
fn say_needs(args: &LearnPolynomial, samples: &Samples, context: &Context) {
    let (n, d) = (samples.rows(), samples.columns());
    context.say(&format!("{n} samples of {d} outputs"));
    let asked = |c: &Requirements| match args.latent {
        Latent(Some(r)) => c.latent == r,
        Latent(None) => c.outputs <= d || c.latent == 1,
    };
    let shown = |c: &Requirements| match args.form {
        Degrees::Auto => true,
        Degrees::Homogeneous => c.form == Form::Homogeneous,
        Degrees::General => c.form == Form::General,
    };
    let all = Requirements::all(args.degree).into_iter();
    for c in all.filter(asked).filter(shown) {
        let share = (1.0 - args.holdout) * n as f64;
        let enough = c.outputs <= d && (c.samples + 4) as f64 <= share;
        let word = if enough {
            "enough here"
        } else {
            "not enough here"
        };
        context.say(&format!("  {}: {word}", c.line()));
    }
}

fn full_report(fit: &Fit<LearnedPolynomial>, rows: usize) -> Value {
    let needs = &fit.model.requirements;
    let mut all = report(fit, rows);
    all["form"] = json!(needs.form.name());
    all["needed"] = json!({
        "monomials": needs.monomials,
        "outputs": needs.outputs,
        "learning_samples": needs.samples,
    });
    if let Some(terms) = &fit.model.terms {
        all["terms_rel_residual"] = json!(terms.residuals);
    }
    all
}

/// `p_a(x) = sum coefficient * (offset + <vector, x>)^degree`; no offset in homogeneous maps.
fn terms_json(terms: &PowerSums, latent: usize) -> Value {
    let one = |(c, u): &(f64, Vec<f64>)| match u.len() > latent {
        true => json!({ "coefficient": c, "offset": u[0], "vector": u[1..] }),
        false => json!({ "coefficient": c, "vector": u }),
    };
    let output = |list: &Vec<(f64, Vec<f64>)>| list.iter().map(one).collect::<Vec<_>>();
    json!(terms.terms.iter().map(output).collect::<Vec<_>>())
}

fn summary(fit: &Fit<LearnedPolynomial>, rows: usize, out: &Path, beside: &Path) -> Value {
    let map = &fit.model.map;
    json!({
        "status": fit.status.name(),
        "latent_dim": map.latent_dim(),
        "output_dim": map.output_dim(),
        "degree": map.degree(),
        "report": full_report(fit, rows),
        "model": out.to_string_lossy(),
        "certificate": beside.to_string_lossy(),
    })
}

fn text(fit: &Fit<LearnedPolynomial>, samples: &Samples, out: &Path, certificate: &Path) -> String {
    let (map, needs) = (&fit.model.map, &fit.model.requirements);
    let verdict = match fit.status {
        Status::Converged => "ACCEPT (held-out samples agree with the model)".to_owned(),
        status => format!("NOT CERTIFIED ({status})"),
    };
    let head = format!(
        "latent dimension {}, {} outputs, degree {}, {}, {} samples: {verdict}\n",
        map.latent_dim(),
        map.output_dim(),
        needs.degree,
        needs.form.name(),
        samples.rows()
    );
    let wrote = format!("wrote {} and {}\n", out.display(), certificate.display());
    head + &table(fit, samples.rows()) + &wrote
}
