//! `wickring experiment relu-story` and `relu-bars`.

use super::list::beside;
use super::relu_sweeps::{Against, BARS, Place, Sweep, angle};
use crate::context::{Context, Outcome};
use crate::plot::{Figure, Mark, Series, save};
use clap::Args;
use serde_json::{Value, json};
use std::fmt::Write;
use std::time::Instant;
use wickring::io::write_whole;
use wickring::learn::relu::Strategy;
use wickring::planted::relu::Trial;
use wickring::{Error, Status};

/// Relative error against the number of samples, for the learner, its moment-only mode and random starts.
///
/// --against angle and --against kinks vary the least angle and the number of neurons instead, at the greatest of
/// --samples, for the learner and its moment-only mode.
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
    /// What is varied.
    #[arg(long, value_enum, default_value_t = Against::Samples)]
    against: Against,
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
        "story,inputs,kinks,samples,noise,seed,method,relative_error,oracle_error,neurons,status,angle\n",
    );
    for l in lines {
        let t = &l.trial;
        let status = l.status.map_or("refused", Status::name);
        let angle = angle(t.story, t.k).map_or(String::new(), |a| a.to_string());
        // Writing into a String cannot fail.
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{},{:e},{:e},{},{status},{angle}",
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
    let sweeps = args.against.sweeps(&args.samples);
    let methods: &[_] = match args.against {
        Against::Samples => &[FULL, MOMENTS, STARTS],
        _ => &[FULL, MOMENTS],
    };
    let mut lines = Vec::new();
    let mut stopped = false;
    'all: for sweep in &sweeps {
        for place in &sweep.places {
            for seed in context.common.seed..context.common.seed + args.networks {
                stopped = context.should_stop();
                if stopped {
                    break 'all;
                }
                lines.extend(measure(sweep.name, trial(args, place, seed), methods)?);
            }
        }
        context.say(&format!("{}: done", sweep.name));
    }
    write_whole(out, table(&lines).as_bytes())?;
    if let Some(path) = &context.common.plot {
        let figure = |sweep| figure(args.against, sweep, methods, &lines);
        save(path, &sweeps.iter().map(figure).collect::<Vec<_>>())?;
    }
    let mut json =
        json!({ "out": out.to_string_lossy(), "trials": lines.len(), "stopped": stopped });
    let mut text = format!("wrote {}: {} trials\n", out.display(), lines.len());
    let here = here(args.against, &sweeps, &lines);
    beside(&mut json, &mut text, args.against.says(), &here);
    context.emit(&json, &text);
    Ok(if stopped {
        Outcome::NotCertified
    } else {
        Outcome::Certified
    })
}

/// The trial of a place.
fn trial(args: &Story, place: &Place, seed: u64) -> Trial {
    Trial {
        story: place.family,
        d: args.inputs,
        k: place.kinks,
        n: place.samples,
        noise: args.noise,
        seed,
    }
}

/// The median error of a method at a place; NaN where it refused all.
fn error_at(lines: &[Line], name: &str, method: &str, place: &Place) -> f64 {
    let here = lines.iter().filter(|l| {
        let t = &l.trial;
        let same = t.story == place.family && t.k == place.kinks && t.n == place.samples;
        l.name == name && l.method == method && same
    });
    median(here.map(|l| l.error).filter(|e| e.is_finite()).collect())
}

/// What was found, in a line: the medians at the last place of every sweep, and how far errors of rounding reach.
fn here(against: Against, sweeps: &[Sweep], lines: &[Line]) -> String {
    let of = |sweep: &Sweep| {
        let last = sweep.places.last()?;
        let error = |p: &Place| error_at(lines, sweep.name, FULL.0, p);
        let exact = sweep.places.iter().rfind(|p| error(p) <= 1e-18);
        let reach = exact.map_or("nowhere".to_owned(), |p| format!("to {}", p.at));
        let (name, at, error) = (sweep.name, last.at, error(last));
        Some(match against {
            Against::Samples => format!("{name} {error:.1e}"),
            _ => format!("{name} {error:.1e} at {at}, exact {reach}"),
        })
    };
    let medians: Vec<String> = sweeps.iter().filter_map(of).collect();
    let most = lines.iter().map(|l| l.trial.n).max().unwrap_or(0);
    format!("median error at {most} samples: {}", medians.join("; "))
}

fn figure(
    against: Against,
    sweep: &Sweep,
    methods: &[(&'static str, Strategy)],
    lines: &[Line],
) -> Figure {
    let series = methods
        .iter()
        .map(|&(method, _)| {
            let at = |p: &Place| (p.at, error_at(lines, sweep.name, method, p));
            Series::new(method, Mark::Line, sweep.places.iter().map(at).collect())
        })
        .collect();
    Figure {
        title: sweep.name.to_owned(),
        x: against.axis().into(),
        y: "median relative error".into(),
        log_x: against != Against::Kinks,
        log_y: true,
        series,
        ..Figure::default()
    }
}

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
    beside(&mut json, &mut text, Against::Samples.says(), &here);
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
