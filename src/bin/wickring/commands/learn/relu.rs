//! `wickring learn relu`: narrow relu networks from inputs and targets.

use crate::context::{Context, Outcome};
use crate::plot::{Figure, Mark, Series};
use clap::{Args, ValueEnum};
use faer::MatRef;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::PathBuf;
use std::str::FromStr;
use wickring::fit::Fit;
use wickring::io::model::Header;
use wickring::io::samples::Samples;
use wickring::learn::relu::{Learned, ReluLearner, ReluNetwork, Strategy};
use wickring::{Error, Status};

/// Learn y = c + <w, x> + sum of relus of linear forms of x, from samples.
///
/// Inputs should be Gaussian (any covariance; they are whitened) and centred: other inputs are accepted with a
/// warning. Without label noise the function is recovered to rounding once some 3 d samples lie between the
/// kinks of every two neurons. Exit code 3 with the reason when recovery is not certified; the best network
/// is still written, marked so. Offsets inside neurons are not part of the model; --offsets tries them.
#[derive(Args)]
pub struct Relu {
    /// Inputs, samples as rows: .npy, .csv, .tsv files or folders of them.
    #[arg(long, required = true, num_args = 1..)]
    inputs: Vec<PathBuf>,
    /// Targets, one a row.
    #[arg(long, required_unless_present = "target", num_args = 1..)]
    targets: Vec<PathBuf>,
    /// The column of --inputs that holds the targets, a name of its header or a number from 0; the inputs are the others, or
    /// those of --columns.
    #[arg(long, conflicts_with_all = ["targets", "name"], value_name = "COLUMN")]
    target: Option<String>,
    /// At most this many kinks (a relu, an abs, or relu(z) and relu(-z) together count one), or auto: ten, and
    /// twenty where ten leave something, whose steps cost four times as much.
    #[arg(long, default_value = "auto")]
    neurons: Neurons,
    /// Use the paper's own moments only (correlational): cannot see neurons whose low moments cancel.
    #[arg(long)]
    csq_only: bool,
    /// Let neurons have offsets, |<a, x> + o|: found by descent, for moderate offsets.
    #[arg(long)]
    offsets: bool,
    /// Baseline: this many random starts of Levenberg-Marquardt in place of the search.
    #[arg(long, conflicts_with = "csq_only")]
    random_starts: Option<usize>,
    /// Share of the samples held out for the report.
    #[arg(long, default_value_t = 0.125)]
    holdout: f64,
    /// How neurons are written: relus, abs neurons, or relus when next to no linear part is left over.
    #[arg(long, value_enum, default_value_t = Form::Auto)]
    form: Form,
    /// Most samples kept in memory; of more, a random part is fitted and all others measure the error.
    #[arg(long, default_value_t = 1_000_000)]
    max_samples: usize,
}

/// A number of neurons, or none in particular.
#[derive(Clone, Copy, Debug)]
struct Neurons(Option<usize>);

impl FromStr for Neurons {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        if s == "auto" {
            return Ok(Self(None));
        }
        let k = s
            .parse()
            .map_err(|_| format!("expected a number or auto, got '{s}'"))?;
        Ok(Self(Some(k)))
    }
}

/// How neurons are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Relus when next to no linear part is left over, else abs.
    Auto,
    /// Relus and a linear part.
    Relu,
    /// Abs neurons and a linear part.
    Abs,
}

/// Rows read at a time.
const ROWS: usize = 4096;

/// Runs `wickring learn relu`.
pub fn run(args: &Relu, context: &Context) -> Result<Outcome, Error> {
    let out = context.out("learn relu")?;
    let (inputs, targets) = context.pair((&args.inputs, &args.targets), args.target.as_deref())?;
    check(args, &inputs, &targets)?;
    let mut rng = context.rng();
    let kept = Kept::read(&inputs, &targets, args.max_samples, &mut rng)?;

    let mut learner = ReluLearner::new()
        .offsets(args.offsets)
        .held_out(args.holdout);
    if let Some(k) = args.neurons.0 {
        learner = learner.neurons(k);
    }
    if args.csq_only {
        learner = learner.strategy(Strategy::Correlational);
    } else if let Some(starts) = args.random_starts {
        learner = learner.strategy(Strategy::RandomStarts(starts));
    }
    let mut meter = context.meter();
    let x = MatRef::from_row_major_slice(&kept.x, kept.y.len(), inputs.columns());
    let mut fit = learner.learn_observed(x, &kept.y, &mut rng, &mut |p| meter.step(p))?;
    drop(meter);

    let relus = fit.model.network.to_relu();
    let report = &fit.model.report;
    // A linear part of the size that the error allows is no evidence against a sum of relus.
    let slack = if report.exact {
        1e-7
    } else {
        3.0 * report.expected_error.sqrt()
    };
    let pure = relus.linear_share() <= slack;
    if args.form == Form::Relu || (args.form == Form::Auto && pure) {
        fit.model.network = relus;
    }
    let rest = kept.rest_error(&fit.model.network, &inputs, &targets)?;

    let report = &fit.model.report;
    report.warnings.iter().for_each(|w| context.warn(w));
    let mut json = report.to_json(&fit.evidence.checks);
    json["error_on_samples_not_loaded"] = json!(rest);
    json["normal_form"] = json!(if fit.model.network.linear_share() <= slack {
        "relu"
    } else {
        "with linear part"
    });
    let header = Header {
        schema: String::new(),
        seed: context.common.seed,
        status: fit.status,
        inputs: inputs.inputs().chain(targets.inputs()).cloned().collect(),
        report: json.clone(),
    };
    fit.model.network.to_model(header).write(out)?;
    context.draw(|| Ok(vec![figure(&fit.model.network, &kept, inputs.columns())?]))?;
    let summary = summary(&fit, &json, out, rest);
    context.emit(&summary.0, &summary.1);
    Ok(match fit.status {
        Status::Converged => Outcome::Certified,
        _ => Outcome::NotCertified,
    })
}

fn check(args: &Relu, inputs: &Samples, targets: &Samples) -> Result<(), Error> {
    let name = args.targets.first().unwrap_or(&args.inputs[0]).as_path();
    // A one-dimensional .npy file reads as one column.
    if targets.columns() != 1 {
        let problem = format!(
            "has {} columns, expected one target a row",
            targets.columns()
        );
        return Err(Error::file(name, "", problem));
    }
    if targets.rows() != inputs.rows() {
        let (found, wanted) = (targets.rows(), inputs.rows());
        let problem = format!("has {found} rows, but the inputs have {wanted}");
        return Err(Error::file(name, "", problem));
    }
    if args.max_samples < 2 {
        return Err(Error::invalid(
            "learn relu",
            "--max-samples must be at least 2",
        ));
    }
    Ok(())
}

/// The samples in memory: all, or a random part of them in their order.
struct Kept {
    x: Vec<f64>,
    y: Vec<f64>,
    /// Which rows these are; empty when all.
    rows: Vec<usize>,
}

impl Kept {
    fn read(
        inputs: &Samples,
        targets: &Samples,
        most: usize,
        rng: &mut ChaCha8Rng,
    ) -> Result<Self, Error> {
        let all = inputs.rows();
        let mut kept = Self {
            x: Vec::new(),
            y: Vec::new(),
            rows: Vec::new(),
        };
        let columns = inputs.columns();
        let mut wanted = most.min(all);
        for (x, y) in inputs.chunks(ROWS).zip(targets.chunks(ROWS)) {
            let (x, y) = (x?, y?);
            for i in 0..x.rows() {
                let row = x.first_row + i;
                // Selection sampling: every subset of that size is equally likely.
                let take = wanted == all - row || rng.random_range(0..all - row) < wanted;
                if take {
                    wanted -= 1;
                    kept.x.extend(&x.data[i * columns..(i + 1) * columns]);
                    kept.y.push(y.data[i]);
                    if most < all {
                        kept.rows.push(row);
                    }
                }
            }
        }
        Ok(kept)
    }

    /// Mean square error on the samples that were not loaded, over the variance of those that were.
    fn rest_error(
        &self,
        network: &ReluNetwork,
        inputs: &Samples,
        targets: &Samples,
    ) -> Result<Option<f64>, Error> {
        if self.rows.is_empty() {
            return Ok(None);
        }
        let (mut sum, mut count, mut next) = (0.0, 0usize, 0usize);
        for (x, y) in inputs.chunks(ROWS).zip(targets.chunks(ROWS)) {
            let (x, y) = (x?, y?);
            let values = network.evaluate(x.as_matrix())?;
            for (i, (v, y)) in values.iter().zip(&y.data).enumerate() {
                if self.rows.get(next) == Some(&(x.first_row + i)) {
                    next += 1;
                } else {
                    sum += (v - y) * (v - y);
                    count += 1;
                }
            }
        }
        let n = self.y.len() as f64;
        let mean = self.y.iter().sum::<f64>() / n;
        let variance = self.y.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / n;
        Ok((count > 0 && variance > 0.0).then(|| sum / count as f64 / variance))
    }
}

/// Predictions against targets.
fn figure(network: &ReluNetwork, kept: &Kept, columns: usize) -> Result<Figure, Error> {
    let n = kept.y.len().min(2000);
    let x = MatRef::from_row_major_slice(&kept.x[..n * columns], n, columns);
    let values = network.evaluate(x)?;
    let points: Vec<(f64, f64)> = kept.y.iter().copied().zip(values).collect();
    let ends = points
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |e, p| {
            (e.0.min(p.0), e.1.max(p.0))
        });
    Ok(Figure {
        title: "prediction against target".into(),
        x: "target".into(),
        y: "prediction".into(),
        equal: true,
        series: vec![
            Series::new("samples", Mark::Points, points),
            Series::new(
                "equal",
                Mark::Dashed,
                vec![(ends.0, ends.0), (ends.1, ends.1)],
            ),
        ],
        ..Figure::default()
    })
}

fn summary(
    fit: &Fit<Learned>,
    report: &Value,
    out: &std::path::Path,
    rest: Option<f64>,
) -> (Value, String) {
    let (network, r) = (&fit.model.network, &fit.model.report);
    let kinds: Vec<&str> = network
        .neurons()
        .iter()
        .map(|n| n.activation.name())
        .collect();
    let json = json!({
        "status": fit.status.name(),
        "neurons": kinds.len(),
        "report": report,
        "out": out.to_string_lossy(),
    });
    let mut text = String::new();
    let count = match kinds.first() {
        Some(kind) => format!("{} {kind} neurons", kinds.len()),
        None => "no neurons".to_owned(),
    };
    let h = &r.held_out;
    // Writing into a String cannot fail.
    let _ = writeln!(
        text,
        "{count}, linear part {:.1e} of the network",
        network.linear_share()
    );
    let _ = writeln!(
        text,
        "held-out relative error {:.3e} [{:.3e}, {:.3e}] on {} samples",
        h.relative_error, h.low, h.high, h.samples
    );
    if r.exact {
        let _ = writeln!(text, "exact: nothing but rounding is left");
    } else {
        let _ = writeln!(
            text,
            "noise {:.3e}; held-out error {:.2} of the one expected from it; expected relative error of the function {:.2e}",
            r.noise, r.above_noise, r.expected_error
        );
    }
    let _ = writeln!(
        text,
        "resolvable: neurons {:.1e} rad apart (by sampling), {:.1e} rad (by noise)",
        r.resolvable_angle, r.noise_angle
    );
    if let Some(rest) = rest {
        let _ = writeln!(
            text,
            "relative error on the samples that were not loaded {rest:.3e}"
        );
    }
    let verdict = match (&r.reason, fit.status) {
        (_, Status::Stopped) => "STOPPED: the best so far".to_owned(),
        (None, _) => "CERTIFIED".to_owned(),
        (Some(reason), _) => format!("NOT CERTIFIED: {reason}"),
    };
    let _ = writeln!(text, "{verdict}\nwrote {} ({})", out.display(), fit.status);
    (json, text)
}
