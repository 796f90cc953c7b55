//! `wickring experiment quadratic-story`.

use super::list::beside;
use crate::context::{Context, Outcome};
use crate::plot::{Figure, Mark, Series, save};
use clap::Args;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::{Value, json};
use std::fmt::Write;
use std::time::Instant;
use wickring::io::samples::Samples;
use wickring::io::write_whole;
use wickring::laws::learn::quadratic_maps::{perturbed_quadratic_map, random_quadratic_map};
use wickring::learn::{Quadratic, statistical_floor};
use wickring::run::unobserved;
use wickring::{Error, Status};

/// Learning quadratic transformations: error against samples, latent dimension, outputs and perturbation.
///
/// Planted homogeneous quadratic maps, from moments only and refined, against the statistical floor
/// ((r + 2 + tau) / 2n)^(1/2). Writes a table (CSV, one line per trial) to --out and four pictures to --plot; prints the
/// medians of error over floor and the slope of the error against the number of samples. Seeds count from --seed on.
#[derive(Args)]
pub struct Story {
    /// Maps per point.
    #[arg(long, default_value_t = 10)]
    maps: u64,
    /// Latent dimensions for error against samples; the outputs are as many as symmetric matrices have dimensions.
    #[arg(long, value_delimiter = ',', default_value = "3,4,6")]
    latents: Vec<usize>,
    /// Numbers of samples.
    #[arg(long, value_delimiter = ',', default_value = "2000,8000,30000,200000")]
    samples: Vec<usize>,
    /// Latent dimensions for error against r, at 20000 samples.
    #[arg(long, value_delimiter = ',', default_value = "2,3,4,5,6")]
    dimensions: Vec<usize>,
    /// Outputs for error against d, at r = 3 and 20000 samples.
    #[arg(long, value_delimiter = ',', default_value = "6,8,12,20,40")]
    outputs: Vec<usize>,
    /// Sizes of the perturbation of a degenerate map (all Q_a diagonal), at r = 3, d = 6 and 20000 samples.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "0.001,0.003,0.01,0.03,0.1,0.3,1"
    )]
    perturbations: Vec<f64>,
}

/// Samples where another quantity is varied.
const SAMPLES: usize = 20_000;

#[derive(Clone, Copy)]
struct Trial {
    sweep: &'static str,
    r: usize,
    d: usize,
    n: usize,
    /// None: Gaussian entries.
    perturbation: Option<f64>,
    seed: u64,
    refine: bool,
}

struct Line {
    trial: Trial,
    error: f64,
    floor: f64,
    status: Option<Status>,
    seconds: f64,
}

impl Trial {
    fn method(&self) -> &'static str {
        if self.refine { "refined" } else { "moments" }
    }

    /// What is varied.
    fn x(&self) -> f64 {
        match self.sweep {
            "samples" => self.n as f64,
            "latents" => self.r as f64,
            "outputs" => self.d as f64,
            _ => self.perturbation.unwrap_or(1.0),
        }
    }

    fn run(self) -> Result<Line, Error> {
        let rng = &mut ChaCha8Rng::seed_from_u64(self.seed);
        let hidden = match self.perturbation {
            None => random_quadratic_map(self.d, self.r, false, rng)?,
            Some(size) => perturbed_quadratic_map(self.d, self.r, size, rng)?,
        };
        let samples = Samples::from_rows(self.d, hidden.sample(self.n, rng))?;
        let clock = Instant::now();
        let learner = Quadratic::new().latent(self.r).refine(self.refine);
        let found = learner.learn(&samples, rng, &mut unobserved);
        let seconds = clock.elapsed().as_secs_f64();
        let (error, status) = match found {
            Ok(fit) => (fit.model.distance(&hidden)?, Some(fit.status)),
            // A refusal is an answer; it has no error to plot.
            Err(Error::Degenerate { .. }) => (f64::NAN, None),
            Err(e) => return Err(e),
        };
        let floor = statistical_floor(&hidden, self.n);
        Ok(Line {
            trial: self,
            error,
            floor,
            status,
            seconds,
        })
    }
}

/// Runs `wickring experiment quadratic-story`.
pub fn story(args: &Story, context: &Context) -> Result<Outcome, Error> {
    let out = context.out("experiment quadratic-story")?;
    let points = points(args);
    let (mut lines, mut rows, mut stopped) = (Vec::<Line>::new(), Vec::new(), false);
    'all: for point in points {
        for refine in [false, true] {
            let first = lines.len();
            for seed in context.common.seed..context.common.seed + args.maps {
                stopped = context.should_stop();
                if stopped {
                    break 'all;
                }
                let trial = Trial {
                    seed,
                    refine,
                    ..point
                };
                lines.push(trial.run()?);
            }
            let (text, row) = summary(&lines[first..]);
            context.say(&text);
            rows.push(row);
        }
    }
    let slopes = slopes(args, &lines);
    for (r, method, slope) in &slopes {
        context.say(&format!(
            "slope of the error against n, r = {r}, {method}: {slope:.3}"
        ));
    }
    write_whole(out, table(&lines).as_bytes())?;
    if let Some(path) = &context.common.plot {
        save(path, &figures(&lines))?;
    }
    let refined = slopes.iter().filter(|s| s.1 == "refined");
    let shown: Vec<String> = refined
        .map(|(r, _, s)| format!("{s:.2} for r = {r}"))
        .collect();
    let slopes: Vec<Value> = slopes
        .iter()
        .map(|(r, method, slope)| json!({ "latents": r, "method": method, "slope": slope }))
        .collect();
    let mut json = json!({ "out": out.to_string_lossy(), "points": rows, "slopes": slopes, "stopped": stopped });
    let mut text = format!("wrote {}: {} trials\n", out.display(), lines.len());
    let says = "the error falls like n^(-1/2), at polynomial cost";
    let here = match shown.is_empty() {
        true => "no slope was measured: two numbers of samples are needed".to_owned(),
        false => format!("slope of log error against log n: {}", shown.join(", ")),
    };
    beside(&mut json, &mut text, says, &here);
    context.emit(&json, &text);
    Ok(if stopped {
        Outcome::NotCertified
    } else {
        Outcome::Certified
    })
}

fn points(args: &Story) -> Vec<Trial> {
    let filled = |r: usize| r * (r + 1) / 2;
    let base = Trial {
        sweep: "samples",
        r: 3,
        d: 6,
        n: SAMPLES,
        perturbation: None,
        seed: 0,
        refine: true,
    };
    let mut points = Vec::new();
    for &r in args.latents.iter().filter(|r| **r > 0) {
        let d = filled(r);
        points.extend(args.samples.iter().map(|&n| Trial { r, d, n, ..base }));
    }
    let sweep = "latents";
    let sizes = args.dimensions.iter().filter(|r| **r > 0);
    points.extend(sizes.map(|&r| Trial {
        sweep,
        r,
        d: filled(r),
        ..base
    }));
    let sweep = "outputs";
    points.extend(args.outputs.iter().map(|&d| Trial { sweep, d, ..base }));
    let sweep = "perturbation";
    points.extend(args.perturbations.iter().map(|&size| Trial {
        sweep,
        perturbation: Some(size),
        ..base
    }));
    points
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut v: Vec<f64> = values.filter(|x| x.is_finite()).collect();
    v.sort_by(f64::total_cmp);
    match v.len() {
        0 => f64::NAN,
        n => 0.5 * (v[(n - 1) / 2] + v[n / 2]),
    }
}

fn summary(lines: &[Line]) -> (String, Value) {
    let t = &lines[0].trial;
    let ratio = median(lines.iter().map(|l| l.error / l.floor));
    let worst = lines.iter().map(|l| l.error / l.floor).fold(0.0, f64::max);
    let error = median(lines.iter().map(|l| l.error));
    let seconds = median(lines.iter().map(|l| l.seconds));
    let converged = |l: &&Line| l.status == Some(Status::Converged);
    let accepted = lines.iter().filter(converged).count();
    let size = t
        .perturbation
        .map_or(String::new(), |p| format!(" perturbation {p}"));
    let text = format!(
        "{:<12} r={} d={:<3} n={:<7}{size} {:<8} median error {error:.2e}, over the floor {ratio:.2} (worst {worst:.2}), accepted {accepted}/{}, {seconds:.2} s",
        t.sweep,
        t.r,
        t.d,
        t.n,
        t.method(),
        lines.len()
    );
    let json = json!({
        "sweep": t.sweep, "latents": t.r, "outputs": t.d, "samples": t.n, "perturbation": t.perturbation,
        "method": t.method(), "median_error": finite(error), "median_over_floor": finite(ratio),
        "worst_over_floor": finite(worst), "accepted": accepted, "maps": lines.len(),
    });
    (text, json)
}

fn finite(x: f64) -> Value {
    if x.is_finite() { json!(x) } else { Value::Null }
}

/// Least squares of `log error` against `log n` over all trials.
fn slopes(args: &Story, lines: &[Line]) -> Vec<(usize, &'static str, f64)> {
    let mut out = Vec::new();
    for &r in &args.latents {
        for method in ["moments", "refined"] {
            let here = |l: &&Line| {
                let t = &l.trial;
                t.sweep == "samples" && t.r == r && t.method() == method && l.error > 0.0
            };
            let points: Vec<(f64, f64)> = lines
                .iter()
                .filter(here)
                .map(|l| ((l.trial.n as f64).ln(), l.error.ln()))
                .collect();
            let k = points.len() as f64;
            let (mx, my) = (
                points.iter().map(|p| p.0).sum::<f64>() / k,
                points.iter().map(|p| p.1).sum::<f64>() / k,
            );
            let xy: f64 = points.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum();
            let xx: f64 = points.iter().map(|p| (p.0 - mx).powi(2)).sum();
            if xx > 0.0 {
                out.push((r, method, xy / xx));
            }
        }
    }
    out
}

fn table(lines: &[Line]) -> String {
    let mut text = String::from(
        "sweep,latents,outputs,samples,perturbation,seed,method,relative_error,floor,status\n",
    );
    for l in lines {
        let t = &l.trial;
        let size = t.perturbation.map_or(String::new(), |p| p.to_string());
        let status = l.status.map_or("refused", Status::name);
        // Writing into a String cannot fail.
        let _ = writeln!(
            text,
            "{},{},{},{},{size},{},{},{:e},{:e},{status}",
            t.sweep,
            t.r,
            t.d,
            t.n,
            t.seed,
            t.method(),
            l.error,
            l.floor
        );
    }
    text
}

fn figures(lines: &[Line]) -> Vec<Figure> {
    let titles = [
        ("samples", "error against samples"),
        ("latents", "error against latent dimension"),
        ("outputs", "error against outputs"),
        ("perturbation", "error against perturbation"),
    ];
    let mut figures = Vec::new();
    for (sweep, title) in titles {
        let here: Vec<&Line> = lines.iter().filter(|l| l.trial.sweep == sweep).collect();
        let mut groups: Vec<(usize, &'static str)> = Vec::new();
        for l in &here {
            // Only against samples there are several latent dimensions side by side.
            let r = if sweep == "samples" { l.trial.r } else { 0 };
            if !groups.contains(&(r, l.trial.method())) {
                groups.push((r, l.trial.method()));
            }
        }
        let mut series = Vec::new();
        for (r, method) in groups {
            let own = |l: &&&Line| l.trial.method() == method && (r == 0 || l.trial.r == r);
            let mut xs: Vec<f64> = here.iter().filter(own).map(|l| l.trial.x()).collect();
            xs.sort_by(f64::total_cmp);
            xs.dedup();
            let of = |f: &dyn Fn(&Line) -> f64| -> Vec<(f64, f64)> {
                let at = |x: f64| here.iter().filter(own).filter(move |l| l.trial.x() == x);
                xs.iter()
                    .map(|&x| (x, median(at(x).map(|l| f(l)))))
                    .collect()
            };
            let name = if r == 0 {
                String::new()
            } else {
                format!("r = {r}, ")
            };
            series.push(Series::new(
                format!("{name}{method}"),
                Mark::Line,
                of(&|l| l.error),
            ));
            if method == "refined" {
                // In the colour of what it bounds.
                series.push(Series::new("", Mark::Dashed, of(&|l| l.floor)));
            }
        }
        if series
            .iter()
            .any(|s| s.points.iter().any(|p| p.1.is_finite()))
        {
            figures.push(Figure {
                title: format!("{title} (dashed: the statistical floor)"),
                x: sweep.into(),
                y: "median relative error".into(),
                log_x: sweep != "latents",
                log_y: true,
                series,
                ..Figure::default()
            });
        }
    }
    figures
}
