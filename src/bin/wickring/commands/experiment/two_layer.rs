//! `wickring experiment two-layer`: the phase diagram of overcomplete decomposition and of learning.

use super::list::beside;
use crate::context::{Context, Outcome};
use crate::plot::{Figure, Mark, Series, save};
use clap::Args;
use faer::Mat;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use serde_json::json;
use std::fmt::Write;
use wickring::decomp::{Overcomplete, PackedForm};
use wickring::io::write_whole;
use wickring::learn::two_layer::{
    Coefficients, PolynomialActivation, TwoLayerLearner, TwoLayerMethod, TwoLayerNetwork,
};
use wickring::linalg::small::unit_columns;
use wickring::{Error, Status};

/// Success against r/d^(3/2) of decomposing sum of w_i^3 and of learning sum of He_3(<w_i, x>) from samples; with
/// --oracle also of descent from near the truth, which tells what is in the samples at all.
///
/// Writes a table (CSV, one line per trial) to --out and a picture to --plot, in which a dashed line marks the
/// ceiling of identifiability, r = C(d+2, 3)/d ~ d^2/6. Errors are exact relative test errors (no test sample);
/// success is an error of at most 1e-12. Where a trial does not succeed the verdict is that of the program: its
/// status, and 1, the error of the trivial predictor, for what it declines.
#[derive(Args)]
pub struct TwoLayerStory {
    /// Numbers of inputs.
    #[arg(long, value_delimiter = ',', default_value = "12,16,20,24,32")]
    dims: Vec<usize>,
    /// Ratios r/d^(3/2).
    #[arg(long, value_delimiter = ',', default_value = "0.3,0.4,0.5,0.6,0.7,0.8")]
    ratios: Vec<f64>,
    /// Networks per point.
    #[arg(long, default_value_t = 3)]
    networks: u64,
    /// Samples per unknown for learning; 0 for decomposition alone.
    #[arg(long, default_value_t = 3.0)]
    samples: f64,
    /// Starts of each trial.
    #[arg(long, default_value_t = 5)]
    starts: usize,
    /// Steps of each start.
    #[arg(long, default_value_t = 4000)]
    steps: usize,
    /// Also descend on the samples from near the truth (weights shaken by a tenth): what the samples tell,
    /// whatever the search.
    #[arg(long)]
    oracle: bool,
}

const METHODS: [&str; 3] = ["decomposition", "samples", "oracle"];

/// One trial.
struct Line {
    method: &'static str,
    d: usize,
    r: usize,
    n: usize,
    seed: u64,
    error: f64,
    matched: f64,
    status: &'static str,
}

impl Line {
    fn ratio(&self) -> f64 {
        self.r as f64 / (self.d as f64).powf(1.5)
    }
}

/// Runs `wickring experiment two-layer`.
pub fn run(args: &TwoLayerStory, context: &Context) -> Result<Outcome, Error> {
    let op = "experiment two-layer";
    let out = context.out(op)?;
    if args.dims.iter().any(|d| !(2..=100).contains(d)) || args.ratios.iter().any(|c| !(*c > 0.0)) {
        return Err(Error::invalid(op, "dims from 2 to 100 and positive ratios"));
    }
    let mut lines: Vec<Line> = Vec::new();
    let mut stopped = false;
    'all: for &d in &args.dims {
        for &ratio in &args.ratios {
            let r = ((ratio * (d as f64).powf(1.5)).round() as usize).max(1);
            for seed in context.common.seed..context.common.seed + args.networks {
                stopped = context.should_stop();
                if stopped {
                    break 'all;
                }
                lines.push(by_decomposition(args, d, r, seed, context)?);
                if args.samples > 0.0 {
                    lines.push(by_samples(args, d, r, seed, context)?);
                    if args.oracle {
                        lines.push(by_oracle(args, d, r, seed, context)?);
                    }
                }
            }
            for method in METHODS {
                if let Some(share) = success(&lines, method, d, r) {
                    let ceiling = ceiling(d);
                    context.say(&format!(
                        "d {d}, r {r} ({ratio:.2} d^1.5, ceiling {ceiling:.2}): {method} {share:.2}"
                    ));
                }
            }
        }
    }
    write_whole(out, table(&lines).as_bytes())?;
    if let Some(path) = &context.common.plot {
        let seen = METHODS
            .iter()
            .filter(|m| lines.iter().any(|l| l.method == **m));
        let figures: Vec<Figure> = seen.map(|m| figure(args, m, &lines)).collect();
        save(path, &figures)?;
    }
    let mut json =
        json!({ "out": out.to_string_lossy(), "trials": lines.len(), "stopped": stopped });
    let mut text = format!("wrote {}: {} trials\n", out.display(), lines.len());
    let says = "no fast method is known with many more than d^(3/2) neurons";
    beside(&mut json, &mut text, says, &furthest(&lines));
    context.emit(&json, &text);
    Ok(if stopped {
        Outcome::NotCertified
    } else {
        Outcome::Certified
    })
}

/// The largest ratio at which each method still succeeds in every trial.
fn furthest(lines: &[Line]) -> String {
    let seen = METHODS
        .iter()
        .filter(|m| lines.iter().any(|l| l.method == **m));
    let reached = seen.map(|method| {
        let all = |l: &&Line| success(lines, method, l.d, l.r).is_some_and(|s| s >= 1.0);
        let ratios = lines
            .iter()
            .filter(|l| l.method == *method)
            .filter(all)
            .map(Line::ratio);
        match ratios.fold(f64::NEG_INFINITY, f64::max) {
            r if r.is_finite() => format!("{method}: every trial up to {r:.2} d^(3/2) neurons"),
            _ => format!("{method}: no size with success in every trial"),
        }
    });
    reached.collect::<Vec<_>>().join("; ")
}

/// The generic rank `C(d+2, 3)/d` in units of `d^(3/2)`.
fn ceiling(d: usize) -> f64 {
    let d = d as f64;
    (d + 1.0) * (d + 2.0) / 6.0 / d.powf(1.5)
}

fn plant(d: usize, r: usize, rng: &mut ChaCha8Rng) -> Mat<f64> {
    let mut w = Mat::<f64>::from_fn(d, r, |_, _| StandardNormal.sample(rng));
    unit_columns(w.as_mut());
    w.transpose().to_owned()
}

/// Share of the planted weights that a found one equals up to an angle of 0.045.
fn matched(truth: &Mat<f64>, found: faer::MatRef<'_, f64>) -> f64 {
    let mut unit = found.transpose().to_owned();
    unit_columns(unit.as_mut());
    let gram = truth * &unit;
    let best = |i: usize| gram.row(i).iter().fold(0.0f64, |m, g| m.max(g.abs()));
    let count = (0..truth.nrows()).filter(|&i| best(i) > 0.999).count();
    count as f64 / truth.nrows() as f64
}

fn cubic() -> Result<PolynomialActivation, Error> {
    PolynomialActivation::new(vec![0.0, -3.0, 0.0, 1.0])
}

fn by_decomposition(
    args: &TwoLayerStory,
    d: usize,
    r: usize,
    seed: u64,
    context: &Context,
) -> Result<Line, Error> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let w = plant(d, r, &mut rng);
    let form = PackedForm::of_powers(3, &vec![1.0; r], w.as_ref())?;
    let mut meter = context.meter();
    let fit = Overcomplete::new(r)
        .starts(args.starts)
        .max_iterations(args.steps)
        .decompose_packed(&form, &mut rng, &mut |p| meter.step(p));
    drop(meter);
    let mut line = Line {
        method: METHODS[0],
        d,
        r,
        n: 0,
        seed,
        error: 1.0,
        matched: 0.0,
        status: "declined",
    };
    let fit = match fit {
        Ok(fit) => fit,
        Err(Error::Stopped { .. }) => return Ok(line),
        Err(e) => return Err(e),
    };
    // What is not certified is worth no more than the mean of the targets.
    line.status = fit.status.name();
    line.matched = matched(&w, fit.model.vectors().as_mat().transpose());
    if fit.status == Status::Converged {
        line.error = fit.evidence.rel_residual.powi(2);
    }
    Ok(line)
}

/// A planted network with its samples, and what random numbers come after.
type Sampled = (TwoLayerNetwork, Mat<f64>, Vec<f64>, ChaCha8Rng);

fn sampled(args: &TwoLayerStory, d: usize, r: usize, seed: u64) -> Result<Sampled, Error> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let truth = TwoLayerNetwork::plain(cubic()?, plant(d, r, &mut rng))?;
    let n = ((args.samples * (r * d) as f64).ceil() as usize).max(2 * r * d + 2 * d + 10);
    let x = Mat::<f64>::from_fn(n, d, |_, _| StandardNormal.sample(&mut rng));
    let y = truth.evaluate(x.as_ref())?;
    Ok((truth, x, y, rng))
}

/// Descent from the truth with every weight shaken by a tenth of its length, on the samples of [`by_samples`].
fn by_oracle(
    args: &TwoLayerStory,
    d: usize,
    r: usize,
    seed: u64,
    context: &Context,
) -> Result<Line, Error> {
    let (truth, x, y, mut rng) = sampled(args, d, r, seed)?;
    let size = 0.1 / (d as f64).sqrt();
    let weights = truth.weights();
    let shaken = Mat::from_fn(r, d, |i, j| {
        let z: f64 = StandardNormal.sample(&mut rng);
        weights[(i, j)] + size * z
    });
    let mut meter = context.meter();
    let near = TwoLayerNetwork::plain(cubic()?, shaken)?;
    let found = near.refined(x.as_ref(), &y, 60, &mut |p| meter.step(p))?;
    drop(meter);
    let error = truth.test_error(&found)?;
    Ok(Line {
        method: METHODS[2],
        d,
        r,
        n: y.len(),
        seed,
        error,
        matched: matched(&weights.to_owned(), found.weights()),
        status: if error <= 1e-12 { "found" } else { "left" },
    })
}

fn by_samples(
    args: &TwoLayerStory,
    d: usize,
    r: usize,
    seed: u64,
    context: &Context,
) -> Result<Line, Error> {
    let (truth, x, y, mut rng) = sampled(args, d, r, seed)?;
    let (w, n) = (truth.weights().to_owned(), y.len());
    let mut meter = context.meter();
    let fit = TwoLayerLearner::new(cubic()?, r)
        .method(TwoLayerMethod::Risk)
        .coefficients(Coefficients::Equal)
        .starts(args.starts)
        .max_iterations(args.steps)
        .learn_observed(x.as_ref(), &y, &mut rng, &mut |p| meter.step(p))?;
    drop(meter);
    let converged = fit.status == Status::Converged;
    let network = &fit.model.network;
    Ok(Line {
        method: METHODS[1],
        d,
        r,
        n,
        seed,
        error: if converged {
            truth.test_error(network)?
        } else {
            1.0
        },
        matched: matched(&w, network.weights()),
        status: if fit.model.report.declined {
            "declined"
        } else {
            fit.status.name()
        },
    })
}

fn success(lines: &[Line], method: &str, d: usize, r: usize) -> Option<f64> {
    let here: Vec<&Line> = lines
        .iter()
        .filter(|l| l.method == method && l.d == d && l.r == r)
        .collect();
    let good = here.iter().filter(|l| l.error <= 1e-12).count();
    (!here.is_empty()).then(|| good as f64 / here.len() as f64)
}

fn table(lines: &[Line]) -> String {
    let mut text = String::from(
        "method,inputs,neurons,ratio,ceiling,samples,seed,relative_test_error,matched,status\n",
    );
    for l in lines {
        // Writing into a String cannot fail.
        let _ = writeln!(
            text,
            "{},{},{},{:.4},{:.4},{},{},{:e},{:.4},{}",
            l.method,
            l.d,
            l.r,
            l.ratio(),
            ceiling(l.d),
            l.n,
            l.seed,
            l.error,
            l.matched,
            l.status
        );
    }
    text
}

fn figure(args: &TwoLayerStory, method: &str, lines: &[Line]) -> Figure {
    let mut series = Vec::new();
    for &d in &args.dims {
        let mut ranks: Vec<usize> = lines
            .iter()
            .filter(|l| l.method == method && l.d == d)
            .map(|l| l.r)
            .collect();
        ranks.dedup();
        let scale = (d as f64).powf(1.5);
        let point = |r: usize| success(lines, method, d, r).map(|s| (r as f64 / scale, s));
        let points = ranks.into_iter().filter_map(point).collect();
        series.push(Series::new(format!("d = {d}"), Mark::Line, points));
        let x = ceiling(d);
        let label = format!("ceiling d^2/6 at d = {d}");
        series.push(Series::new(label, Mark::Dashed, vec![(x, 0.0), (x, 1.0)]));
    }
    Figure {
        title: format!("exact recovery by {method}"),
        x: "r / d^(3/2)".into(),
        y: "share of networks recovered".into(),
        series,
        ..Figure::default()
    }
}
