//! `wickring learn two-layer`: networks with a polynomial activation from inputs and targets.

use crate::context::{Context, Outcome};
use crate::plot::{Figure, Mark, Series};
use clap::{Args, ValueEnum};
use faer::MatRef;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::PathBuf;
use wickring::fit::Fit;
use wickring::io::model::Header;
use wickring::io::samples::Samples;
use wickring::learn::two_layer::{
    Coefficients, LearnedTwoLayer, PolynomialActivation, TwoLayerLearner, TwoLayerMethod,
    TwoLayerNetwork,
};
use wickring::{Error, Status};

/// Learn y = sum of c_i sigma(<w_i, x>) with a given polynomial sigma, from samples.
///
/// With more samples than monomials of the degree the polynomial is learnt by regression and its top tensor
/// decomposed; with fewer, down to some two per unknown, the empirical risk is descended from a small start. Exit
/// code 3 with the reason when the network is not certified; what is beyond reach is declined, and the model
/// written is then the mean of the targets.
#[derive(Args)]
pub struct TwoLayer {
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
    /// The activation, a polynomial in one variable: 'a0+a1*x+a2*x^2+a3*x^3', or of Hermite polynomials: 'He3-0.5*He1'.
    #[arg(long, allow_hyphen_values = true)]
    activation: String,
    /// The number of neurons.
    #[arg(long)]
    neurons: usize,
    /// How the network is found.
    #[arg(long, value_enum, default_value_t = Path::Auto)]
    method: Path,
    /// The outer coefficients c_i: all one, free, or free when ones do not fit.
    #[arg(long, value_enum, default_value_t = Outer::Auto)]
    coefficients: Outer,
    /// Starts of each path.
    #[arg(long, default_value_t = 3)]
    starts: usize,
    /// Share of the samples held out for the report.
    #[arg(long, default_value_t = 0.05)]
    holdout: f64,
}

/// How the network is found.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Path {
    /// By the number of samples.
    Auto,
    /// Descent on the samples.
    Risk,
    /// Least squares on all polynomials, then decomposition.
    Regression,
    /// Moments, then decomposition.
    Moments,
}

/// What is known about the outer coefficients.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Outer {
    /// Ones, then free.
    Auto,
    /// Ones.
    Equal,
    /// Free.
    Free,
}

/// Rows read at a time.
const ROWS: usize = 4096;
/// Most numbers kept in memory, inputs and targets together: some 500000 rows of 60 columns.
const MOST_NUMBERS: usize = 1 << 25;

/// Runs `wickring learn two-layer`.
pub fn run(args: &TwoLayer, context: &Context) -> Result<Outcome, Error> {
    let out = context.out("learn two-layer")?;
    let activation = PolynomialActivation::parse(&args.activation)
        .map_err(|e| Error::invalid("--activation", e.problem()))?;
    let (inputs, targets) = context.pair((&args.inputs, &args.targets), args.target.as_deref())?;
    check(args, &inputs, &targets)?;
    let (x, y) = (read(&inputs)?, read(&targets)?);
    let method = match args.method {
        Path::Auto => TwoLayerMethod::Auto,
        Path::Risk => TwoLayerMethod::Risk,
        Path::Regression => TwoLayerMethod::Regression,
        Path::Moments => TwoLayerMethod::Moments,
    };
    let coefficients = match args.coefficients {
        Outer::Auto => Coefficients::Auto,
        Outer::Equal => Coefficients::Equal,
        Outer::Free => Coefficients::Free,
    };
    let learner = TwoLayerLearner::new(activation, args.neurons)
        .method(method)
        .coefficients(coefficients)
        .starts(args.starts)
        .held_out(args.holdout);
    let x = MatRef::from_row_major_slice(&x, y.len(), inputs.columns());
    let mut meter = context.meter();
    let fit = learner.learn_observed(x, &y, &mut context.rng(), &mut |p| meter.step(p))?;
    drop(meter);
    let report = fit.model.report.to_json(&fit.evidence.checks);
    let header = Header {
        schema: String::new(),
        seed: context.common.seed,
        status: fit.status,
        inputs: inputs.inputs().chain(targets.inputs()).cloned().collect(),
        report: report.clone(),
    };
    fit.model.network.to_model(header).write(out)?;
    context.draw(|| Ok(vec![figure(&fit.model.network, x, &y)?]))?;
    let summary = summary(&fit, &report, out);
    context.emit(&summary.0, &summary.1);
    Ok(match fit.status {
        Status::Converged => Outcome::Certified,
        _ => Outcome::NotCertified,
    })
}

fn check(args: &TwoLayer, inputs: &Samples, targets: &Samples) -> Result<(), Error> {
    let name = args.targets.first().unwrap_or(&args.inputs[0]).as_path();
    if targets.columns() != 1 {
        let columns = targets.columns();
        let problem = format!("has {columns} columns, expected one target a row");
        return Err(Error::file(name, "", problem));
    }
    if targets.rows() != inputs.rows() {
        let (found, wanted) = (targets.rows(), inputs.rows());
        let problem = format!("has {found} rows, but the inputs have {wanted}");
        return Err(Error::file(name, "", problem));
    }
    if inputs.rows().saturating_mul(inputs.columns() + 1) > MOST_NUMBERS {
        let op = "learn two-layer";
        return Err(Error::limit(op, "numbers in memory", MOST_NUMBERS as u64));
    }
    Ok(())
}

fn read(samples: &Samples) -> Result<Vec<f64>, Error> {
    let mut all = Vec::with_capacity(samples.rows() * samples.columns());
    for chunk in samples.chunks(ROWS) {
        all.extend(chunk?.data);
    }
    Ok(all)
}

/// Predictions against targets.
fn figure(network: &TwoLayerNetwork, x: MatRef<'_, f64>, y: &[f64]) -> Result<Figure, Error> {
    let n = y.len().min(2000);
    let values = network.evaluate(x.subrows(0, n))?;
    let points: Vec<(f64, f64)> = y.iter().copied().zip(values).collect();
    let low = points.iter().map(|p| p.0).fold(f64::INFINITY, f64::min);
    let high = points.iter().map(|p| p.0).fold(f64::NEG_INFINITY, f64::max);
    Ok(Figure {
        title: "prediction against target".into(),
        x: "target".into(),
        y: "prediction".into(),
        equal: true,
        series: vec![
            Series::new("samples", Mark::Points, points),
            Series::new("equal", Mark::Dashed, vec![(low, low), (high, high)]),
        ],
        ..Figure::default()
    })
}

fn summary(fit: &Fit<LearnedTwoLayer>, report: &Value, out: &std::path::Path) -> (Value, String) {
    let r = &fit.model.report;
    let network = &fit.model.network;
    let json = json!({
        "status": fit.status.name(),
        "neurons": network.neurons(),
        "report": report,
        "out": out.to_string_lossy(),
    });
    let mut text = String::new();
    // Writing into a String cannot fail.
    let _ = writeln!(text, "path: {} ({})", r.method.name(), r.choice);
    let _ = writeln!(
        text,
        "{} neurons of {} inputs, {:.1} samples for each unknown, {:.2} of the generic rank",
        network.neurons(),
        network.input_dim(),
        r.samples as f64 / r.parameters as f64,
        r.crowding
    );
    let _ = writeln!(
        text,
        "held-out relative error {:.3e} on {} samples (the mean of the targets has 1)",
        r.held_out_error, r.held_out_samples
    );
    if let Some(error) = r.improper_error {
        let _ = writeln!(
            text,
            "held-out relative error of the best polynomial {error:.3e}"
        );
    }
    if r.exact {
        let _ = writeln!(text, "exact: nothing but rounding is left");
    } else if let (Some(noise), Some(error)) = (r.noise, r.expected_error) {
        let _ = writeln!(
            text,
            "noise {noise:.3e}; expected relative error of the function {error:.2e}"
        );
    }
    if r.free_directions.is_some_and(|f| f > 0) {
        let free = r.free_directions.unwrap_or(0);
        let _ = writeln!(
            text,
            "weights not unique: they move in {free} directions without changing the function"
        );
    }
    let verdict = match (&r.reason, fit.status) {
        (_, Status::Stopped) => "STOPPED: the best so far".to_owned(),
        (None, _) => "CERTIFIED".to_owned(),
        (Some(reason), _) if r.declined => format!("DECLINED: {reason}"),
        (Some(reason), _) => format!("NOT CERTIFIED: {reason}"),
    };
    let _ = writeln!(text, "{verdict}\nwrote {} ({})", out.display(), fit.status);
    (json, text)
}
