//! `wickring experiment relu-story` and `relu-bars`.

use super::list::beside;
use crate::context::{Context, Outcome};
use crate::plot::{Figure, Mark, Series, save};
use clap::Args;
use serde_json::{Value, json};
use std::fmt::Write;
use std::time::Instant;
use wickring::io::write_whole;
use wickring::learn::relu::Strategy;
use wickring::planted::relu::{Story as Family, Trial};
use wickring::{Error, Status};

/// Relative error against the number of samples, for the learner, its moment-only mode and random starts.
///
/// Writes a table (CSV, one line per trial) to --out and a picture to --plot. Errors are measured on 20000 fresh
/// samples. Everything is planted from --seed on.
#[derive(Args)]
pub struct Story {
    /// Number of inputs.
    #[arg(long, default_value_t = 20)]
    inputs: usize,
    /// Networks per point.
    #[arg(long, default_value_t = 3)]
    networks: u64,
    /// Numbers of samples.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "500,1000,2000,5000,10000,20000"
    )]
    samples: Vec<usize>,
    /// Standard deviation of the label noise.
    #[arg(long, default_value_t = 0.0)]
    noise: f64,
}

/// Success counts at fixed sizes; --baselines runs eight random starts and twenty starts in the subspace too.
#[derive(Args)]
pub struct Bars {
    /// Networks per size.
    #[arg(long, default_value_t = 10)]
    networks: u64,
    /// Only sizes whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Run the baselines on the same data.
    #[arg(long)]
    baselines: bool,
}

/// One method on one trial.
struct Line {
    name: &'static str,
    trial: Trial,
    method: &'static str,
    /// Relative error; NaN when the learner refused.
    error: f64,
    oracle: f64,
    neurons: usize,
    status: Option<Status>,
    seconds: f64,
}

const SAYS: &str = "few ReLUs are learned whatever their signs and however near their directions";
const FULL: (&str, Strategy) = ("full", Strategy::Full);
const MOMENTS: (&str, Strategy) = ("csq-only", Strategy::Correlational);
const STARTS: (&str, Strategy) = ("8 random starts", Strategy::RandomStarts(8));
const INSIDE: (&str, Strategy) = ("20 starts in the subspace", Strategy::SubspaceStarts(20));

fn measure(
    name: &'static str,
    trial: Trial,
    methods: &[(&'static str, Strategy)],
) -> Result<Vec<Line>, Error> {
    let planted = trial.plant()?;
    let oracle = if trial.noise > 0.0 {
        planted.oracle_error()?
    } else {
        0.0
    };
    let mut lines = Vec::new();
    for &(method, strategy) in methods {
        let clock = Instant::now();
        let result = trial.run(&planted, strategy);
        let seconds = clock.elapsed().as_secs_f64();
        let (error, neurons, status) = match result {
            Ok(r) => (r.error, r.neurons, Some(r.status)),
            // Too few samples is an answer; it has no error to plot.
            Err(Error::Degenerate { .. }) => (f64::NAN, 0, None),
            Err(e) => return Err(e),
        };
        lines.push(Line {
            name,
            trial,
            method,
            error,
            oracle,
            neurons,
            status,
            seconds,
        });
    }
    Ok(lines)
}

fn table(lines: &[Line]) -> String {
    let mut text = String::from(
        "story,inputs,kinks,samples,noise,seed,method,relative_error,oracle_error,neurons,status\n",
    );
    for l in lines {
        let t = &l.trial;
        let status = l.status.map_or("refused", Status::name);
        // Writing into a String cannot fail.
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{},{:e},{:e},{},{status}",
            l.name, t.d, t.k, t.n, t.noise, t.seed, l.method, l.error, l.oracle, l.neurons
        );
    }
    text
}

fn median(mut v: Vec<f64>) -> f64 {
    v.sort_by(f64::total_cmp);
    match v.len() {
        0 => f64::NAN,
        n => (v[(n - 1) / 2] + v[n / 2]) / 2.0,
    }
}

/// Runs `wickring experiment relu-story`.
pub fn story(args: &Story, context: &Context) -> Result<Outcome, Error> {
    let out = context.out("experiment relu-story")?;
    let families = [
        ("separated", Family::Separated, 3),
        ("near-parallel 0.1", Family::NearSame(0.1), 3),
        ("cancelling 0.1", Family::Dipole(0.1), 2),
        ("star 6", Family::Star, 6),
    ];
    let methods = [FULL, MOMENTS, STARTS];
    let mut lines = Vec::new();
    let mut stopped = false;
    'all: for (name, family, k) in families {
        for &n in &args.samples {
            for seed in context.common.seed..context.common.seed + args.networks {
                stopped = context.should_stop();
                if stopped {
                    break 'all;
                }
                let (d, noise) = (args.inputs, args.noise);
                let trial = Trial {
                    story: family,
                    d,
                    k,
                    n,
                    noise,
                    seed,
                };
                lines.extend(measure(name, trial, &methods)?);
            }
        }
        context.say(&format!("{name}: done"));
    }
    write_whole(out, table(&lines).as_bytes())?;
    if let Some(path) = &context.common.plot {
        let figures = families.map(|(name, ..)| figure(name, &methods, &args.samples, &lines));
        save(path, &figures)?;
    }
    let mut json =
        json!({ "out": out.to_string_lossy(), "trials": lines.len(), "stopped": stopped });
    let mut text = format!("wrote {}: {} trials\n", out.display(), lines.len());
    let most = args.samples.iter().copied().max().unwrap_or(0);
    let at = |name: &'static str| {
        let here = lines
            .iter()
            .filter(|l| l.name == name && l.method == FULL.0 && l.trial.n == most);
        let error = median(here.map(|l| l.error).filter(|e| e.is_finite()).collect());
        format!("{name} {error:.1e}")
    };
    let medians: Vec<String> = families.iter().map(|f| at(f.0)).collect();
    let here = format!("median error at {most} samples: {}", medians.join(", "));
    beside(&mut json, &mut text, SAYS, &here);
    context.emit(&json, &text);
    Ok(if stopped {
        Outcome::NotCertified
    } else {
        Outcome::Certified
    })
}

fn figure(
    name: &str,
    methods: &[(&'static str, Strategy)],
    samples: &[usize],
    lines: &[Line],
) -> Figure {
    let series = methods
        .iter()
        .map(|&(method, _)| {
            let at = |n: usize| {
                let here = |l: &&Line| l.name == name && l.method == method && l.trial.n == n;
                let errors = lines
                    .iter()
                    .filter(here)
                    .map(|l| l.error)
                    .filter(|e| e.is_finite());
                (n as f64, median(errors.collect()))
            };
            let points = samples.iter().map(|&n| at(n)).collect();
            Series::new(method, Mark::Line, points)
        })
        .collect();
    Figure {
        title: name.to_owned(),
        x: "samples".into(),
        y: "median relative error".into(),
        log_x: true,
        log_y: true,
        series,
        ..Figure::default()
    }
}

/// A size with the error that counts as a success there; 0 when the figure is the ratio to the oracle.
type Bar = (&'static str, Family, (usize, usize, usize), f64, f64);

/// The sizes of BENCHMARKS.md.
const BARS: [Bar; 20] = [
    (
        "separated 20-3-500",
        Family::Separated,
        (20, 3, 500),
        0.0,
        1e-20,
    ),
    (
        "separated 50-5-1000",
        Family::Separated,
        (50, 5, 1000),
        0.0,
        1e-20,
    ),
    (
        "separated 50-8-10000",
        Family::Separated,
        (50, 8, 10_000),
        0.0,
        1e-20,
    ),
    ("star 50-4-3000", Family::Star, (50, 4, 3000), 0.0, 1e-20),
    ("star 50-6-8000", Family::Star, (50, 6, 8000), 0.0, 1e-20),
    ("star 50-8-20000", Family::Star, (50, 8, 20_000), 0.0, 1e-20),
    (
        "near .1 20-3-10000",
        Family::NearSame(0.1),
        (20, 3, 10_000),
        0.0,
        1e-20,
    ),
    (
        "near .01 20-3-10000",
        Family::NearSame(0.01),
        (20, 3, 10_000),
        0.0,
        1e-7,
    ),
    (
        "near .001 20-3-10000",
        Family::NearSame(0.001),
        (20, 3, 10_000),
        0.0,
        1e-8,
    ),
    (
        "mixed .1 20-3-10000",
        Family::NearMixed(0.1),
        (20, 3, 10_000),
        0.0,
        1e-20,
    ),
    (
        "mixed .01 20-3-10000",
        Family::NearMixed(0.01),
        (20, 3, 10_000),
        0.0,
        1e-7,
    ),
    (
        "mixed .001 20-3-10000",
        Family::NearMixed(0.001),
        (20, 3, 10_000),
        0.0,
        1e-8,
    ),
    (
        "law .02 20-3-10000",
        Family::NearSame(0.02),
        (20, 3, 10_000),
        0.0,
        1e-18,
    ),
    (
        "dipole .001 10-2-40000",
        Family::Dipole(0.001),
        (10, 2, 40_000),
        0.0,
        1e-18,
    ),
    (
        "noise .1 20-3-2000",
        Family::Separated,
        (20, 3, 2000),
        0.1,
        0.0,
    ),
    (
        "noise .5 20-3-2000",
        Family::Separated,
        (20, 3, 2000),
        0.5,
        0.0,
    ),
    (
        "noise .1 20-3-10000",
        Family::Separated,
        (20, 3, 10_000),
        0.1,
        0.0,
    ),
    (
        "noise .5 20-3-10000",
        Family::Separated,
        (20, 3, 10_000),
        0.5,
        0.0,
    ),
    (
        "noise star 20-4-10000",
        Family::Star,
        (20, 4, 10_000),
        0.3,
        0.0,
    ),
    (
        "noise star 50-4-20000",
        Family::Star,
        (50, 4, 20_000),
        0.3,
        0.0,
    ),
];

/// Runs `wickring experiment relu-bars`.
pub fn bars(args: &Bars, context: &Context) -> Result<Outcome, Error> {
    let methods: &[(&'static str, Strategy)] = if args.baselines {
        &[FULL, STARTS, INSIDE]
    } else {
        &[FULL]
    };
    let mut all = Vec::new();
    let mut rows: Vec<Value> = Vec::new();
    for (name, story, (d, k, n), noise, bar) in BARS {
        if !name.contains(&args.only) {
            continue;
        }
        let mut lines = Vec::new();
        for seed in context.common.seed..context.common.seed + args.networks {
            if context.should_stop() {
                return Err(Error::Stopped {
                    op: "experiment relu-bars",
                });
            }
            lines.extend(measure(
                name,
                Trial {
                    story,
                    d,
                    k,
                    n,
                    noise,
                    seed,
                },
                methods,
            )?);
        }
        for &(method, _) in methods {
            let here: Vec<&Line> = lines.iter().filter(|l| l.method == method).collect();
            let (text, row) = summary(name, method, bar, &here);
            context.say(&text);
            rows.push(row);
        }
        all.extend(lines);
    }
    if let Some(out) = &context.common.out {
        write_whole(out, table(&all).as_bytes())?;
    }
    if rows.is_empty() {
        let names: Vec<&str> = BARS.iter().map(|b| b.0).collect();
        let found = wickring::error::quoted(&args.only);
        let what = format!(
            "no size is named like {found}; the sizes are {}",
            names.join(", ")
        );
        return Err(Error::invalid("--only", what));
    }
    let right: u64 = rows
        .iter()
        .filter_map(|r| r["neurons_right"].as_u64())
        .sum();
    let all_of: u64 = rows.iter().filter_map(|r| r["networks"].as_u64()).sum();
    let (mut json, mut text) = (json!({ "bars": rows }), String::new());
    let here = format!("the number of neurons was right in {right} of {all_of} runs");
    beside(&mut json, &mut text, SAYS, &here);
    context.emit(&json, &text);
    Ok(Outcome::Certified)
}

fn summary(name: &str, method: &str, bar: f64, lines: &[&Line]) -> (String, Value) {
    let of = |f: &dyn Fn(&Line) -> f64| lines.iter().map(|l| f(l)).collect::<Vec<f64>>();
    let seconds = median(of(&|l| l.seconds));
    let worst = |v: Vec<f64>| v.into_iter().fold(0.0, f64::max);
    let right = lines.iter().filter(|l| l.neurons == l.trial.k).count();
    let certified = lines
        .iter()
        .filter(|l| l.status == Some(Status::Converged))
        .count();
    let n = lines.len();
    let figure = if bar > 0.0 {
        let good = lines.iter().filter(|l| l.error <= bar).count();
        let (mid, top) = (median(of(&|l| l.error)), worst(of(&|l| l.error)));
        format!("{good}/{n} below {bar:.0e}, median {mid:.1e}, worst {top:.1e}")
    } else {
        let ratio = |l: &Line| l.error / l.oracle;
        format!(
            "error over oracle: median {:.3}, worst {:.3}",
            median(of(&ratio)),
            worst(of(&ratio))
        )
    };
    let text = format!(
        "{name:<24} {method:<26} {figure}; neurons right {right}/{n}, certified {certified}/{n}, {seconds:.2} s"
    );
    let json = json!({ "size": name, "method": method, "figure": figure, "neurons_right": right,
        "certified": certified, "networks": n, "median_seconds": seconds });
    (text, json)
}
