//! `wickring decompose ring`: tensor ring of a tensor file.

use super::cp::pictures as cp_pictures;
use super::theorems;
use crate::commands::tensor_file::{Loaded, heading, inputs, load, require_finite, write_arrays};
use crate::context::{Context, Outcome};
use crate::evidence;
use clap::{Args, ValueEnum};
use num_complex::Complex;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use wickring::decomp::{Derivations, RingAlgebraic, RingAls, RingAuto, RingCompletion, RingNls};
use wickring::decomp::{RingRanks, RingSampledAls, RingSvd, SymmetricNls, asymmetry};
use wickring::decomp::{Uniqueness, ring_uniqueness};
use wickring::fit::Fit;
use wickring::io::write_whole;
use wickring::tensor::{Scalar, Tensor, TensorRing, TensorView};
use wickring::{Error, Status};

/// Relative residual of an algebraic answer below which polishing has nothing to gain.
const POLISHED: f64 = 1e-13;

/// Relative residual up to which a symmetric ring that nobody asked for is taken.
const EXACT: f64 = 1e-8;

/// Arguments of `decompose ring`.
#[derive(Args)]
pub struct RingArgs {
    /// The tensor: .npy, .npz or .mat (v5).
    file: PathBuf,
    /// One rank for all bonds, ranks R0,R1,.. in order, or auto.
    #[arg(long, default_value = "auto")]
    rank: String,
    /// How to find the ring.
    #[arg(long, value_enum, default_value_t = Method::Auto)]
    method: Method,
    /// Ask for a relative residual; a larger one is exit code 3.
    #[arg(long)]
    tol: Option<f64>,
    /// Random starts of least squares, where starts are needed.
    #[arg(long, default_value_t = 5)]
    starts: usize,
    /// Sweeps of least squares for each start.
    #[arg(long, default_value_t = 500)]
    max_sweeps: usize,
    /// Look for complex cores also when the tensor is real.
    #[arg(long)]
    complex: bool,
    /// The tensor is totally symmetric, of order three: look for one symmetric core for all three places.
    /// Without this it is tried when the tensor is symmetric to rounding.
    #[arg(long)]
    symmetric: bool,
    /// Prove, where there are as many parameters as entries or more, that an exact ring exists near the cores; exit 3
    /// with the reason where that cannot be proved. --out puts the theorem into the certificate.
    #[arg(long)]
    prove: bool,
    /// Also look for one core that serves at every place (translation-invariant tensors).
    #[arg(long)]
    uniform: bool,
}

/// How to find the ring.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Method {
    /// Algebra first, least squares under noise.
    Auto,
    /// Blockwise simultaneous diagonalisation only.
    Algebraic,
    /// Alternating least squares from random starts.
    Als,
    /// Sequential SVDs.
    Svd,
    /// Least squares on sampled rows, for large tensors.
    Sampled,
    /// Levenberg-Marquardt from the algebraic solution, or from random starts.
    Nls,
}

/// Runs `wickring decompose ring`.
pub fn run(args: &RingArgs, context: &Context) -> Result<Outcome, Error> {
    if let Some(tol) = args.tol.filter(|t| !(*t > 0.0 && *t < 1.0)) {
        let text = format!("--tol must lie in (0, 1), got {tol}");
        return Err(Error::invalid("decompose ring", text));
    }
    match load(&args.file, context)? {
        Loaded::Real(_) if args.prove && context.masks() => {
            let problem = "--prove needs every entry: theorems are about the whole tensor";
            Err(Error::invalid("decompose ring", problem))
        }
        Loaded::Real(t) if context.masks() => masked(args, &t, context),
        Loaded::Real(t) => {
            require_finite(&args.file, &t)?;
            if args.complex {
                let data = t.as_slice().iter().map(|&x| Complex::new(x, 0.0)).collect();
                return dense(args, &Tensor::from_vec(t.dims(), data)?, context);
            }
            match symmetric(args, &t, context)? {
                Some(fit) => report(args, &t, fit, context),
                None => dense(args, &t, context),
            }
        }
        Loaded::Complex(t) => dense(args, &t, context),
        Loaded::Sparse(_) => {
            let problem = "is sparse; decompose ring reads dense tensors (.npy, .npz, .mat)";
            Err(Error::file(args.file.as_path(), "", problem))
        }
    }
}

/// `auto`, one rank, or ranks separated by commas.
fn ranks(text: &str) -> Result<Option<Vec<usize>>, Error> {
    if text == "auto" {
        return Ok(None);
    }
    let parsed: Result<Vec<usize>, _> = text.split(',').map(|p| p.trim().parse()).collect();
    match parsed {
        Ok(ranks) if !ranks.contains(&0) => Ok(Some(ranks)),
        _ => {
            let quoted = wickring::error::quoted(text);
            let text = format!("--rank is a number, R0,R1,.. or auto, got {quoted}");
            Err(Error::invalid("decompose ring", text))
        }
    }
}

/// The symmetric methods, when they apply: derivations and the Peirce frame, then least squares on the tensor.
fn symmetric(
    args: &RingArgs,
    t: &Tensor,
    context: &Context,
) -> Result<Option<Fit<TensorRing<f64>>>, Error> {
    let tried = args.symmetric || (args.method == Method::Auto && asymmetry(t.view()) <= 1e-12);
    if !tried {
        return Ok(None);
    }
    let candidates: Vec<usize> = match ranks(&args.rank)?.as_deref() {
        Some([first, rest @ ..]) if rest.iter().all(|r| r == first) => vec![*first],
        Some(_) => return Ok(None),
        // The greatest rank whose symmetric matrices still fit into the outputs comes first.
        None => (1..=8)
            .rev()
            .filter(|r| r * (r + 1) / 2 <= t.dims()[0])
            .collect(),
    };
    let mut failure = None;
    for r in candidates {
        match one_symmetric(r, t, context) {
            // A residual that may be noise is for the general methods to judge, whose evidence is stronger.
            Ok(fit) if args.symmetric || exact(&fit) => return Ok(Some(fit)),
            Ok(_) => {}
            Err(e) => failure = Some(e),
        }
    }
    match failure {
        Some(e) if args.symmetric => Err(e),
        _ => Ok(None),
    }
}

fn exact(fit: &Fit<TensorRing<f64>>) -> bool {
    fit.status == Status::Converged && fit.evidence.rel_residual <= EXACT
}

fn one_symmetric(r: usize, t: &Tensor, context: &Context) -> Result<Fit<TensorRing<f64>>, Error> {
    let mut rng = context.rng();
    let mut meter = context.meter();
    let d = t.dims().first().copied().unwrap_or(0);
    let gram = faer::Mat::zeros(d, d);
    let nls = SymmetricNls::new(r).weights(0.0, 1.0 / t.view().norm().max(f64::MIN_POSITIVE));
    let fit = if d < r * (r + 1) / 2 {
        nls.decompose(gram.as_ref(), t.view(), &mut rng, &mut |p| meter.step(p))?
    } else {
        let fit = Derivations::new(r).decompose(t.view(), &mut rng)?;
        match fit.status {
            // Derivations square the condition; a few steps on the tensor itself reach rounding.
            Status::Converged if fit.evidence.rel_residual <= POLISHED => fit,
            _ => nls.refine(gram.as_ref(), t.view(), &fit.model, &mut |p| meter.step(p))?,
        }
    };
    let ring = TensorRing::from_symmetric(&fit.model)?;
    Ok(fit.map(|_| ring))
}

fn dense<T: Scalar>(args: &RingArgs, t: &Tensor<T>, context: &Context) -> Result<Outcome, Error> {
    let mut rng = context.rng();
    let given = ranks(&args.rank)?;
    let fit = match (args.method, given) {
        (Method::Auto, given) => automatic(args, t.view(), given, context, &mut rng)?,
        (_, Some(ranks)) => named(args, t.view(), &ranks, context, &mut rng)?,
        (_, None) => {
            let found = RingRanks::of(t.view(), &mut rng)?;
            let none = Error::invalid("decompose ring", "no ranks explain the unfoldings");
            let ranks = found.candidates.first().ok_or(none)?;
            named(args, t.view(), ranks, context, &mut rng)?
        }
    };
    report(args, t, fit, context)
}

fn automatic<T: Scalar>(
    args: &RingArgs,
    t: TensorView<'_, T>,
    given: Option<Vec<usize>>,
    context: &Context,
    rng: &mut ChaCha8Rng,
) -> Result<Fit<TensorRing<T>>, Error> {
    let ring = given.map_or_else(RingAuto::auto, |r| RingAuto::new(&r));
    let ring = ring.starts(args.starts).max_sweeps(args.max_sweeps);
    let ring = args.tol.map_or(ring.clone(), |tol| ring.tol(tol));
    let mut meter = context.meter();
    ring.decompose_observed(t, rng, &mut |p| meter.step(p))
}

fn named<T: Scalar>(
    args: &RingArgs,
    t: TensorView<'_, T>,
    ranks: &[usize],
    context: &Context,
    rng: &mut ChaCha8Rng,
) -> Result<Fit<TensorRing<T>>, Error> {
    let mut meter = context.meter();
    match args.method {
        Method::Algebraic => RingAlgebraic::new(ranks).decompose(t, rng),
        Method::Svd => RingSvd::new(ranks).decompose(t, rng),
        Method::Nls => RingNls::new(ranks)
            .starts(args.starts)
            .max_steps(args.max_sweeps)
            .decompose(t, rng, &mut |p| meter.step(p)),
        Method::Sampled => RingSampledAls::new(ranks)
            .starts(args.starts)
            .max_sweeps(args.max_sweeps)
            .decompose(t, rng, &mut |p| meter.step(p)),
        Method::Als | Method::Auto => RingAls::new(ranks)
            .starts(args.starts)
            .max_sweeps(args.max_sweeps)
            .decompose_observed(t, rng, &mut |p| meter.step(p)),
    }
}

/// Entries that are NaN or infinite were not measured.
fn masked(args: &RingArgs, t: &Tensor, context: &Context) -> Result<Outcome, Error> {
    let observed: Vec<bool> = t.as_slice().iter().map(|x| x.is_finite()).collect();
    if observed.iter().all(|&o| o) {
        return dense(args, t, context);
    }
    let ranks = ranks(&args.rank)?;
    let completion = ranks.map_or_else(RingCompletion::auto, |r| RingCompletion::new(&r));
    let mut meter = context.meter();
    let fit = completion
        .starts(args.starts)
        .max_sweeps(args.max_sweeps)
        .decompose(t.view(), &observed, &mut context.rng(), &mut |p| {
            meter.step(p)
        })?;
    report(args, t, fit, context)
}

fn report<T: Scalar>(
    args: &RingArgs,
    t: &Tensor<T>,
    fit: Fit<TensorRing<T>>,
    context: &Context,
) -> Result<Outcome, Error> {
    let dims = t.dims();
    let c = &fit.evidence;
    let mut json = json!({
        "schema": "wickring/tensor-ring/1",
        "version": env!("CARGO_PKG_VERSION"),
        "seed": context.common.seed,
        "inputs": inputs(&args.file, dims, context)?,
        "status": fit.status.name(),
        "ranks": fit.model.ranks(),
        "rel_error": number(c.rel_residual),
        "report": {
            "parameters": fit.model.parameters(),
            "sweeps": fit.work.sweeps,
            "starts": fit.work.starts,
            "history": fit.history,
        },
    });
    if let Some(report) = json["report"].as_object_mut() {
        evidence::extend(report, c);
    }
    let mut text = heading(&args.file, dims, context);
    let _ = writeln!(
        text,
        "ring of ranks {:?}: {}, relative error {:.3e}, condition {:.1e}, {} sweeps, {} starts",
        fit.model.ranks(),
        fit.status,
        c.rel_residual,
        c.condition,
        fit.work.sweeps,
        fit.work.starts
    );
    unique(&fit.model, &mut json, &mut text);
    for e in &c.checks {
        let bound = if e.allowed.is_finite() {
            let mark = if e.holds() { "ok" } else { "FAILS" };
            format!(" (at most {:.3e}) {mark}", e.allowed)
        } else {
            String::new()
        };
        let _ = writeln!(text, "  {}: {:.3e}{bound}", e.label, e.measured);
    }
    let wanted = args.tol.is_none_or(|tol| c.rel_residual <= tol);
    if let Some(tol) = args.tol.filter(|_| !wanted) {
        let _ = writeln!(text, "  above the residual asked for, {tol:.3e}");
    }
    if args.uniform {
        uniform(&fit.model, &mut json, &mut text);
    }
    let (mut claims, mut proved) = (Vec::new(), true);
    if args.prove {
        let proof = theorems::ring(&fit.model, t, context)?;
        json["theorems"] = theorems::object(&proof);
        text += &theorems::lines(&proof);
        claims = proof.claims;
        proved = !claims.is_empty();
    }
    context.draw(|| {
        let parts = |t: &[T]| t.iter().map(|x| x.to_complex().re).collect::<Vec<f64>>();
        let dense = fit.model.to_dense()?;
        let mut all = Vec::from_iter(cp_pictures::entries(
            &parts(t.as_slice()),
            &parts(dense.as_slice()),
        ));
        all.extend(cp_pictures::error(&fit.history));
        Ok(all)
    })?;
    if let Some(path) = &context.common.out {
        write(&fit.model, path, &mut text, &mut json)?;
        let digest = json["inputs"][0]["sha256"].as_str().unwrap_or_default();
        let source = (args.file.as_path(), digest);
        let stated = (evidence::stated(&fit), claims);
        super::numeric_proof::ring(source, t.view(), &fit.model, stated, context)?;
        let beside = Context::report_path(path);
        let object = context.with_notes(json.clone());
        let lines = serde_json::to_string_pretty(&object).unwrap_or_default() + "\n";
        write_whole(&beside, lines.as_bytes())?;
    }
    context.emit(&json, &text);
    Ok(if fit.status == Status::Converged && wanted && proved {
        Outcome::Certified
    } else {
        Outcome::NotCertified
    })
}

/// Says whether the cores are the only ones.
fn unique<T: Scalar>(ring: &TensorRing<T>, json: &mut Value, text: &mut String) {
    let found = ring_uniqueness(ring);
    let family = match found {
        Uniqueness::Family(n) => Some(n),
        _ => None,
    };
    let more = family.map_or(String::new(), |n| format!(" (a family of dimension {n})"));
    let word = found.word();
    json["unique"] = json!(word);
    json["flat_directions"] = json!(family);
    let _ = writeln!(
        text,
        "  cores, up to changes of basis at bonds: {word}{more}"
    );
    if ring.ranks().contains(&1) && ring.order() > 1 {
        let _ = writeln!(text, "  a bond has rank one: the ring is a train");
    }
}

/// Says whether one core serves at every place.
fn uniform<T: Scalar>(ring: &TensorRing<T>, json: &mut Value, text: &mut String) {
    match ring.to_uniform() {
        Ok(one) => {
            json["uniform"] = json!({ "sign": one.sign, "core_shape": one.core.dims() });
            let _ = writeln!(
                text,
                "  one core serves at every place, with sign {}",
                one.sign
            );
        }
        Err(e) => {
            json["uniform"] = Value::Null;
            let why = e.problem();
            let _ = writeln!(text, "  no single core serves at every place: {why}");
        }
    }
}

/// Cores as arrays `core_k` of shape `[R_k][n_k][R_{k+1}]` (imaginary parts as `core_k_imag`).
fn write<T: Scalar>(
    ring: &TensorRing<T>,
    path: &Path,
    text: &mut String,
    json: &mut Value,
) -> Result<(), Error> {
    let mut arrays = Vec::new();
    for (k, g) in ring.cores().iter().enumerate() {
        let part = |f: fn(Complex<f64>) -> f64| {
            let data = g.as_slice().iter().map(|x| f(x.to_complex())).collect();
            Tensor::from_vec(g.dims(), data)
        };
        arrays.push((format!("core_{k}"), part(|z| z.re)?));
        if T::COMPLEX {
            arrays.push((format!("core_{k}_imag"), part(|z| z.im)?));
        }
    }
    let (written, beside) = write_arrays(path, &arrays)?;
    json["cores"] = json!(path.display().to_string());
    let _ = writeln!(text, "wrote {written} and {}", beside.display());
    Ok(())
}

/// JSON has no infinity.
fn number(x: f64) -> Value {
    if x.is_finite() {
        json!(x)
    } else {
        json!(x.to_string())
    }
}
