//! `wickring experiment mixture` and `mixture-compare`.

use super::list::beside;
use crate::commands::learn::mixture_pictures::law;
use crate::context::{Context, Outcome};
use crate::plot::{Figure, Mark, Series, save};
use clap::Args;
use faer::MatRef;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::json;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use wickring::Error;
use wickring::io::samples::Samples;
use wickring::io::write_whole;
use wickring::learn::mixture::{Chain, CovarianceKind, Diffusion, Em, MixtureModel, Population};
use wickring::stats::{
    classifier_test, energy_test, histogram_total_variation, memorisation, projected_ks,
};

/// Rows drawn from each learned law, and rows of the slower measures.
const FRESH: usize = 100_000;
const HELD_OUT: usize = 4000;
const DENSITIES: usize = 300;
/// Side and half-width of the histogram.
const BINS: usize = 30;
const REACH: f64 = 13.0;

/// The paper's story on known laws: score regression and BIC-chosen EM against the number of samples.
///
/// Writes a table (CSV, one measured value per line) to --out; --plot draws the laws, the error of the denoiser
/// by noise level and the classifier's gap by number of samples. Cases: discrete, close, one, circle, circle8,
/// disc, segments, arc, atoms10, curve10 (a curve that spans four of ten dimensions).
#[derive(Args)]
pub struct Story {
    /// Which laws.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "discrete,circle,disc,segments,curve10"
    )]
    cases: Vec<String>,
    /// Numbers of samples.
    #[arg(long, value_delimiter = ',', default_value = "1000,4000,16000")]
    samples: Vec<usize>,
    /// Samples of each size.
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// Do not run EM (spherical components, their number up to 24 chosen by BIC) on the same data.
    #[arg(long)]
    no_em: bool,
    /// Let the learner estimate the noise level instead of giving it.
    #[arg(long)]
    unknown_noise: bool,
}

/// Are two samples from one law? Classifier, energy distance, projections; with --training also memorisation.
#[derive(Args)]
pub struct Compare {
    /// A sample: rows of a .npy, .csv or .tsv file.
    first: PathBuf,
    /// Another sample with as many columns.
    second: PathBuf,
    /// What the first sample's generator was trained on; the second sample is then taken as held out.
    #[arg(long)]
    training: Option<PathBuf>,
}

/// One measured value.
struct Value {
    case: &'static str,
    method: &'static str,
    samples: usize,
    seed: u64,
    measure: &'static str,
    /// The noise level, where there is one.
    at: f64,
    value: f64,
}

/// One method on one sample.
struct Run<'a> {
    truth: &'a Population,
    method: &'static str,
    data: &'a [f64],
    seed: u64,
}

impl Run<'_> {
    fn value(&self, measure: &'static str, at: f64, value: f64) -> Value {
        Value {
            case: self.truth.name,
            method: self.method,
            samples: self.data.len() / self.truth.dim(),
            seed: self.seed,
            measure,
            at,
            value,
        }
    }

    /// What any generator is asked for.
    fn measure(&self, model: &MixtureModel, out: &mut Vec<Value>) -> Result<Vec<f64>, Error> {
        let (truth, dim) = (self.truth, self.truth.dim());
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed ^ 0x6d65_6173_7572_6573);
        let fresh = model.sample(FRESH, Chain::default(), &mut rng)?;
        let exact = truth.sample(FRESH, &mut rng);
        if dim == 2 {
            out.push(self.value("histogram_tv", 0.0, total_variation(truth, &fresh)));
            out.push(self.value("histogram_tv_floor", 0.0, total_variation(truth, &exact)));
        }
        let few = |rows: &[f64]| rows[..HELD_OUT * dim].to_vec();
        let test = classifier_test(
            &fresh[..5 * HELD_OUT * dim],
            &exact[..5 * HELD_OUT * dim],
            dim,
            &mut rng,
        );
        out.push(self.value("classifier_gap", 0.0, test.gap));
        out.push(self.value("classifier_error", 0.0, test.error));
        let ks = memorisation(&few(&fresh), &few(&exact), self.data, dim);
        out.push(self.value("memorisation_ks", 0.0, ks));
        let places = &exact[..DENSITIES * dim];
        let known = truth.exact().log_density(places);
        let learned = model.log_density(places)?;
        let error: f64 = known.iter().zip(&learned).map(|(a, b)| (a - b).abs()).sum();
        out.push(self.value("mean_log_density_error", 0.0, error / DENSITIES as f64));
        Ok(fresh)
    }
}

fn total_variation(truth: &Population, rows: &[f64]) -> f64 {
    let mut density = |p: &[f64]| -> Vec<f64> {
        let logs = truth.exact().log_density(p);
        logs.iter().map(|l| l.exp()).collect()
    };
    histogram_total_variation(rows, BINS, [-REACH; 2], [REACH; 2], &mut density)
}

/// Runs `wickring experiment mixture`.
pub fn story(args: &Story, context: &Context) -> Result<Outcome, Error> {
    let op = "experiment mixture";
    let out = context.out(op)?;
    if args
        .samples
        .iter()
        .any(|&n| !(100..=10_000_000).contains(&n))
        || args.samples.is_empty()
    {
        return Err(Error::invalid(
            op,
            "--samples are numbers from 100 to 10000000",
        ));
    }
    let truths: Vec<Population> = args
        .cases
        .iter()
        .map(|c| Population::named(c))
        .collect::<Result<_, _>>()?;
    let (mut values, mut pictures) = (Vec::new(), Vec::new());
    let mut stopped = false;
    'all: for truth in &truths {
        for &n in &args.samples {
            for seed in context.common.seed..context.common.seed + args.seeds {
                stopped = context.should_stop();
                if stopped {
                    break 'all;
                }
                let last = args.samples.iter().all(|&m| m <= n) && seed == context.common.seed;
                let picture = one(args, truth, n, seed, &mut values)?;
                if last && truth.dim() == 2 {
                    pictures.push(picture);
                }
            }
        }
        context.say(&format!("{}: done", truth.name));
    }
    write_whole(out, table(&values).as_bytes())?;
    if let Some(path) = &context.common.plot {
        let mut figures = vec![
            by_level(&truths, &args.samples, &values),
            by_samples(&truths, &values),
        ];
        figures.extend(pictures);
        save(path, &figures)?;
    }
    let mut json =
        json!({ "out": out.to_string_lossy(), "values": values.len(), "stopped": stopped });
    let mut text = format!("wrote {}: {} values\n", out.display(), values.len());
    let says = "mixtures, discrete or continuous, are learned to small total variation by regression of the score";
    beside(&mut json, &mut text, says, &gaps(&truths, &values));
    context.emit(&json, &text);
    Ok(if stopped {
        Outcome::NotCertified
    } else {
        Outcome::Certified
    })
}

/// What a classifier sees between truth and the law learned by diffusion from the most samples, law by law.
fn gaps(truths: &[Population], values: &[Value]) -> String {
    let of = |truth: &Population| {
        let here = |v: &&Value| {
            v.case == truth.name && v.measure == "classifier_gap" && v.method == "diffusion"
        };
        let most = values.iter().filter(here).map(|v| v.samples).max()?;
        let last = values.iter().filter(here).filter(|v| v.samples == most);
        let worst = last.map(|v| v.value).fold(f64::NEG_INFINITY, f64::max);
        Some(format!("{} {worst:.3} at {most} samples", truth.name))
    };
    let shown: Vec<String> = truths.iter().filter_map(of).collect();
    format!(
        "a classifier tells truth from the learned law with this gap: {}",
        shown.join(", ")
    )
}

/// Both methods on one sample; the picture is that of the diffusion.
fn one(
    args: &Story,
    truth: &Population,
    n: usize,
    seed: u64,
    values: &mut Vec<Value>,
) -> Result<Figure, Error> {
    let dim = truth.dim();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let data = truth.sample(n, &mut rng);
    let samples = MatRef::from_row_major_slice(&data, n, dim);
    let run = |method| Run {
        truth,
        method,
        data: &data,
        seed,
    };
    let learner = Diffusion::new();
    let learner = if args.unknown_noise {
        learner
    } else {
        learner.noise(1.0)
    };
    let fit = learner.learn(samples, &mut rng)?;
    let here = run("diffusion");
    // The exact denoiser is known in units of the true noise only.
    if !args.unknown_noise {
        let (errors, bound) = truth.score_error(&fit.model, HELD_OUT, &mut rng);
        for (at, error) in fit.model.temperatures().into_iter().zip(errors) {
            values.push(here.value("denoiser_error", at, error));
        }
        values.push(here.value("path_kl_bound", 0.0, bound));
    }
    let model = MixtureModel::Score(Box::new(fit.model));
    let fresh = here.measure(&model, values)?;
    let mut picture = law((&data, &[]), &fresh, &model)?;
    picture.title = format!(
        "{}, {n} samples: model over the data, and its score",
        truth.name
    );
    if !args.no_em {
        let em = Em::between(1, 24)
            .kinds(&[CovarianceKind::Spherical])
            .starts(5)
            .learn(samples, &mut rng)?;
        run("em-bic").measure(&MixtureModel::Gaussian(em.model.mixture), values)?;
    }
    Ok(picture)
}

fn table(values: &[Value]) -> String {
    let mut text = String::from("case,method,samples,seed,measure,at,value\n");
    for v in values {
        // Writing into a String cannot fail.
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{:e}",
            v.case, v.method, v.samples, v.seed, v.measure, v.at, v.value
        );
    }
    text
}

/// Error of the denoiser at each noise level, for the largest samples.
fn by_level(truths: &[Population], samples: &[usize], values: &[Value]) -> Figure {
    let largest = samples.iter().copied().max().unwrap_or(0);
    let series = truths.iter().map(|t| {
        let own = values
            .iter()
            .filter(|v| v.case == t.name && v.measure == "denoiser_error" && v.samples == largest);
        let points = own.map(|v| (v.at, v.value)).collect();
        Series::new(t.name, Mark::Points, points)
    });
    let mut series: Vec<Series> = series.collect();
    if series.iter().all(|s| s.points.is_empty()) {
        // The noise was not given: say so with an empty frame instead of failing.
        series.push(Series::new(
            "not measured: the noise level was not given",
            Mark::Points,
            vec![(1.0, 1.0)],
        ));
    }
    Figure {
        title: format!("Mean squared error of the denoiser, {largest} samples"),
        x: "noise variance of the level".into(),
        y: "mean squared error".into(),
        log_x: true,
        log_y: true,
        series,
        ..Figure::default()
    }
}

/// What a classifier sees between the learned and the true law.
fn by_samples(truths: &[Population], values: &[Value]) -> Figure {
    let mut series = Vec::new();
    for t in truths {
        for (method, mark) in [("diffusion", Mark::Line), ("em-bic", Mark::Dashed)] {
            let own = values.iter().filter(|v| {
                v.case == t.name && v.method == method && v.measure == "classifier_gap"
            });
            let points: Vec<(f64, f64)> =
                own.map(|v| (v.samples as f64, v.value.max(1e-3))).collect();
            if !points.is_empty() {
                series.push(Series::new(format!("{} {method}", t.name), mark, points));
            }
        }
    }
    Figure {
        title: "Classifier gap (lower bound of the total variation; at least 0.001 drawn)".into(),
        x: "samples".into(),
        y: "gap".into(),
        log_x: true,
        log_y: true,
        series,
        ..Figure::default()
    }
}

/// Runs `wickring experiment mixture-compare`.
pub fn compare(args: &Compare, context: &Context) -> Result<Outcome, Error> {
    let (a, dim) = load(&args.first)?;
    let (b, other) = load(&args.second)?;
    let columns = |path: &Path, found: usize| {
        let first = args.first.display();
        Error::file(
            path,
            "",
            format!("has {found} columns, but {first} has {dim}"),
        )
    };
    if other != dim {
        return Err(columns(&args.second, other));
    }
    let mut rng = context.rng();
    let few = |rows: &[f64], count: usize| rows[..rows.len().min(count * dim)].to_vec();
    let test = classifier_test(&few(&a, 20_000), &few(&b, 20_000), dim, &mut rng);
    let (energy, p) = energy_test(&few(&a, 1500), &few(&b, 1500), dim, 199, &mut rng);
    let ks = projected_ks(&few(&a, 50_000), &few(&b, 50_000), dim, 32, &mut rng);
    let mut json = json!({
        "classifier_gap": test.gap, "classifier_error": test.error,
        "energy_distance": energy, "energy_p": p, "projected_ks": ks,
    });
    let mut text = format!(
        "classifier gap {:.4} +- {:.4} (0 for equal laws)\nenergy distance {energy:.5}, p = {p:.3}\n\
         Kolmogorov distance, worst of 32 projections {ks:.4}\n",
        test.gap, test.error
    );
    if let Some(path) = &args.training {
        let (training, found) = load(path)?;
        if found != dim {
            return Err(columns(path, found));
        }
        let ks = memorisation(
            &few(&a, 4000),
            &few(&b, 4000),
            &few(&training, 100_000),
            dim,
        );
        json["memorisation_ks"] = json!(ks);
        let _ = writeln!(
            text,
            "Kolmogorov distance of nearest-row distances {ks:.4} (large: copies)"
        );
    }
    context.emit(&json, &text);
    Ok(Outcome::Certified)
}

fn load(path: &Path) -> Result<(Vec<f64>, usize), Error> {
    let samples = Samples::open(&[path])?;
    let dim = samples.columns();
    let mut rows = Vec::new();
    for chunk in samples.chunks(8192) {
        rows.extend(chunk?.data);
        // The tests use the first rows only.
        if rows.len() / dim >= 100_000 {
            break;
        }
    }
    Ok((rows, dim))
}
