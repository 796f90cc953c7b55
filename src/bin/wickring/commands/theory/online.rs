//! `wickring theory online-sgd`.

use super::curves::{figures, tabulate};
use super::inputs::{InputArgs, Inputs, Wanted, Warnings, polynomial, read_matrix, read_vector};
use crate::context::{Context, Outcome};
use crate::evidence;
use crate::plot::save;
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::PathBuf;
use wickring::theory::{
    Committee, Lesson, OnlineSgd, OnlineVerdict, SgdSimulation, Stepping, StudentActivation,
};
use wickring::{Error, Status};

/// Change of an output by one sample, in units of its error, up to which the equations stand without a simulation.
const MOST_OVERSHOOT: f64 = 4.0;

/// Flags of `theory online-sgd`.
#[derive(Args)]
pub struct OnlineArgs {
    /// A ready-made configuration; other flags override it.
    #[arg(long, value_enum, default_value_t = Preset::OneLayer)]
    preset: Preset,
    #[command(flatten)]
    inputs: InputArgs,
    /// Activation of student and teacher: erf, linear, or a polynomial such as 'x^3 - 3*x'.
    #[arg(long, default_value = "erf")]
    activation: String,
    /// Units of the student.
    #[arg(long, default_value_t = 2)]
    students: usize,
    /// Units of the teacher.
    #[arg(long, default_value_t = 2)]
    teachers: usize,
    /// Learning rate.
    #[arg(long, default_value_t = 0.2)]
    lr: f64,
    /// Learning rate of the second layer, if different; 0 keeps it fixed.
    #[arg(long)]
    lr_second: Option<f64>,
    /// Variance of Gaussian noise on the labels.
    #[arg(long, default_value_t = 0.0)]
    noise: f64,
    /// Last time, in steps divided by N.
    #[arg(long)]
    time: Option<f64>,
    /// Number of times, logarithmically spaced from 0.1.
    #[arg(long, default_value_t = 40)]
    points: usize,
    /// How the equations are integrated.
    #[arg(long, value_enum, default_value_t = Integrator::Adaptive)]
    integrator: Integrator,
    /// Step of euler and rk4.
    #[arg(long, default_value_t = 0.01)]
    dt: f64,
    /// Relative tolerance of the adaptive integrator.
    #[arg(long, default_value_t = 1e-8)]
    tol: f64,
    /// Merge eigenvalues within this relative width; 0 merges equal ones only.
    #[arg(long, default_value_t = 0.0)]
    bin_width: f64,
    /// First-layer weights of the student, K x N (.npy); drawn from the standard normal law by default.
    #[arg(long)]
    student_weights: Option<PathBuf>,
    /// Second-layer weights of the student (.npy).
    #[arg(long)]
    student_second: Option<PathBuf>,
    /// First-layer weights of the teacher, M x D (.npy).
    #[arg(long)]
    teacher_weights: Option<PathBuf>,
    /// Second-layer weights of the teacher (.npy); ones by default.
    #[arg(long)]
    teacher_second: Option<PathBuf>,
    /// Also train this many students, from the same start, and compare.
    #[arg(long, default_value_t = 0)]
    simulate: usize,
    /// Fresh samples on which each run measures its error at each time.
    #[arg(long, default_value_t = 4000)]
    test_samples: usize,
}

/// Ready-made configurations: the random generators of the paper's figures.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Preset {
    /// One random layer, D = 100, N = 1000, until t = 100.
    OneLayer,
    /// Four random layers, D = 100, N = 1000, until t = 100.
    Deep,
    /// One layer, D = 50, N = 250, until t = 10: seconds, also with a simulation.
    Quick,
}

/// How the equations are integrated.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Integrator {
    /// Dormand-Prince 5(4).
    Adaptive,
    /// Explicit Euler: parity with published trajectories at --dt 0.01.
    Euler,
    /// Classical Runge-Kutta.
    Rk4,
}

impl OnlineArgs {
    fn neuron(&self) -> Result<StudentActivation, Error> {
        match self.activation.as_str() {
            "erf" => Ok(StudentActivation::erf()),
            "linear" => Ok(StudentActivation::linear()),
            text => StudentActivation::polynomial(&polynomial(text, "erf, linear")?),
        }
    }

    fn learner(&self) -> Result<OnlineSgd, Error> {
        let method = match self.integrator {
            Integrator::Adaptive => Stepping::Adaptive(self.tol),
            Integrator::Euler => Stepping::Euler(self.dt),
            Integrator::Rk4 => Stepping::RungeKutta4(self.dt),
        };
        Ok(OnlineSgd::new(self.neuron()?, self.lr)
            .rate_second(self.lr_second.unwrap_or(self.lr))
            .label_noise(self.noise)
            .method(method)
            .bin_width(self.bin_width))
    }

    /// Times on whole steps of `n` inputs.
    fn times(&self, n: usize) -> Result<Vec<f64>, Error> {
        let end = match self.preset {
            Preset::Quick => 10.0,
            _ => 100.0,
        };
        let end = self.time.unwrap_or(end);
        let sane = end > 0.0 && end <= 1e6;
        if !sane || !(2..=100_000).contains(&self.points) {
            let what = "needs a --time in (0, 1e6] and 2 to 100000 --points";
            return Err(Error::invalid("theory online-sgd", what));
        }
        let from = end.min(0.1);
        let count = self.points - 1;
        let at = |i: usize| from * (end / from).powf(i as f64 / (count - 1).max(1) as f64);
        let whole = |t: f64| (t * n as f64).round() / n as f64;
        let mut times = vec![0.0];
        times.extend((0..count).map(|i| whole(if i + 1 == count { end } else { at(i) })));
        times.dedup();
        Ok(times)
    }
}

fn network(
    first: Option<&PathBuf>,
    second: Option<&PathBuf>,
    drawn: Committee,
    ones: bool,
) -> Result<Committee, Error> {
    let w = match first {
        Some(path) => read_matrix(path)?,
        None => drawn.first().to_owned(),
    };
    let v = match second {
        Some(path) => read_vector(path)?,
        None if w.nrows() == drawn.units() => drawn.second().to_vec(),
        None if ones => vec![1.0; w.nrows()],
        None => {
            let what = "--student-second is needed: the weights have another number of units";
            return Err(Error::invalid("theory online-sgd", what));
        }
    };
    Committee::new(w, v)
}

/// Runs `wickring theory online-sgd`.
pub fn run(args: &OnlineArgs, context: &Context) -> Result<Outcome, Error> {
    let learner = args.learner()?;
    let mut rng = context.rng();
    let widths = match args.preset {
        Preset::OneLayer => (100, 1000, 1),
        Preset::Deep => (100, 1000, 4),
        Preset::Quick => (50, 250, 1),
    };
    let wanted = match args.simulate {
        0 => Wanted::Prediction,
        _ => Wanted::Simulation,
    };
    let inputs = args.inputs.resolve(widths, wanted, context, &mut rng)?;
    let (n, d) = (inputs.law.inputs(), inputs.law.latents());
    let drawn = Committee::random(args.students, n, true, &mut rng)?;
    let (first, second) = (args.student_weights.as_ref(), args.student_second.as_ref());
    let student = network(first, second, drawn, false)?;
    let drawn = Committee::random(args.teachers, d, false, &mut rng)?;
    let (first, second) = (args.teacher_weights.as_ref(), args.teacher_second.as_ref());
    let teacher = network(first, second, drawn, true)?;
    let times = args.times(n)?;
    let lesson = Lesson {
        law: &inputs.law,
        student: &student,
        teacher: &teacher,
        times: &times,
    };
    let mut warnings = diagnose(args, &inputs, &student, context)?;
    let largest = learner.largest_step(&lesson)?;
    if !(largest < MOST_OVERSHOOT) {
        let warning = format!(
            "a single sample may change its own output by {largest:.1} times its error (2 overshoots, {MOST_OVERSHOOT} throws it \
             three times as far off): rare samples will rule at this size, take a smaller --lr"
        );
        context.warn(&warning);
        warnings.texts.push(warning);
        warnings.refuted = true;
    }
    let mut meter = context.meter();
    let fit = learner.predict(&lesson, &mut |p| meter.step(p))?;
    let steps = fit.model.integration.map_or(0, |i| i.steps);
    context.say(&format!("inputs: {}", inputs.description));
    let neuron = learner.neuron().name();
    context.say(&format!(
        "student: {} units, teacher: {} units, {neuron}; equations: {steps} steps, {}",
        student.units(),
        teacher.units(),
        fit.status
    ));
    let runs = if args.simulate == 0 {
        Vec::new()
    } else {
        let plan = SgdSimulation {
            runs: args.simulate,
            seed: context.common.seed,
            test_samples: args.test_samples,
        };
        learner.simulate(&lesson, inputs.sampled()?, plan, &mut |p| meter.step(p))?
    };
    drop(meter);
    let table = tabulate(&fit.model, &runs);
    table.save(context)?;
    if let Some(path) = &context.common.plot {
        save(path, &figures(&fit.model, &runs, &inputs.description))?;
    }
    let verdict = match runs.is_empty() || fit.model.moments.is_empty() {
        true => None,
        false => Some(OnlineVerdict::new(&fit.model, &runs, n)?),
    };
    // A run that was cut short by the clock or the user proves nothing about the times it did not reach.
    let complete = runs.iter().all(|r| r.moments.len() == times.len());
    let holds = verdict.as_ref().is_none_or(OnlineVerdict::holds);
    // Without a simulation the hypotheses decide; with one, the comparison does.
    let sound = !warnings.refuted || verdict.is_some();
    let status = match fit.status {
        Status::Converged if !complete => Status::Stopped,
        Status::Converged if !holds => Status::Stalled,
        Status::Converged if !sound => Status::Undecided,
        status => status,
    };
    let shown = match &verdict {
        Some(v) => describe(v),
        None if !sound => super::report::UNSOUND.to_owned(),
        None => String::new(),
    };
    let json = json!({
        "status": status.name(),
        "seed": context.common.seed,
        "inputs": inputs.description,
        "warnings": warnings.texts,
        "hypotheses_hold": !warnings.refuted,
        "rel_residual": evidence::number(fit.evidence.rel_residual),
        "condition": evidence::number(fit.evidence.condition),
        "evidence": evidence::checks(&fit.evidence.checks),
        "checks": evidence::checks(&fit.evidence.checks),
        "curve": table.json(),
        "verdict": verdict.as_ref().map(|v| json!({
            "agrees": holds,
            "agrees_strictly": v.holds_strictly(),
            "worst_overlap": v.worst_overlap,
            "scaled_overlap": v.scaled_overlap,
            "allowed_overlap": v.allowed_overlap,
            "share_within_standard_errors": v.tally.strict_share(),
            "share_within": v.tally.allowed_share(),
            "allowance": v.allowance,
            "worst_relative_error": v.worst_relative,
            "z": v.errors.iter().map(|e| e.z()).collect::<Vec<_>>(),
        })),
    });
    let columns = if runs.is_empty() { 2 } else { 5 };
    context.emit(&json, &(table.text(columns, 12) + &shown));
    Ok(match status {
        Status::Converged => Outcome::Certified,
        _ => Outcome::NotCertified,
    })
}

/// A verdict in words: first without, then with the allowance for finite size.
fn describe(v: &OnlineVerdict) -> String {
    let word = |holds| if holds { "AGREES" } else { "DISAGREES" };
    format!(
        "overlaps: within {:.4} of single runs, {:.4} relative to those above one; bound 2.5 / sqrt N = \
         {:.4}\nerror: at {:.0}% of times within 3.5 standard errors of the mean, at {:.0}% within those or \
         {:.1}% of itself; relative difference at most {:.1}%\nverdict: {} (strictly, without allowance for \
         finite size: {})\n",
        v.worst_overlap,
        v.scaled_overlap,
        v.allowed_overlap,
        100.0 * v.tally.strict_share(),
        100.0 * v.tally.allowed_share(),
        100.0 * v.allowance,
        100.0 * v.worst_relative,
        word(v.holds()),
        word(v.holds_strictly())
    )
}

/// Warnings about the hypotheses, also printed.
fn diagnose(
    args: &OnlineArgs,
    inputs: &Inputs,
    student: &Committee,
    context: &Context,
) -> Result<Warnings, Error> {
    let mut list = inputs.warnings(student, context)?;
    if let (Some(pairs), Some(last)) = (inputs.pairs, args.times(inputs.law.inputs())?.last()) {
        let draws = last * inputs.law.inputs() as f64;
        if args.simulate > 0 && draws > 0.1 * pairs as f64 {
            let warning = format!(
                "the simulation sees each of the {pairs} pairs {:.1} times: it is not online learning",
                draws / pairs as f64
            );
            context.warn(&warning);
            list.texts.push(warning);
        }
    }
    Ok(list)
}
