//! `wickring theory full-batch`.

use super::inputs::{InputArgs, grid, read_matrix, read_vector};
use super::report::Table;
use crate::context::{Context, Outcome};
use crate::plot::{Figure, Mark, Series, save};
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::PathBuf;
use wickring::decomp::Fit;
use wickring::observe::Progress;
use wickring::theory::batch::{
    BatchLearner, BatchPoint, BatchSimulation, Labels, LambdaSearch, MarginLearner, MarginLoss,
    Task, best_lambda, named_loss, ridge,
};
use wickring::theory::{Committee, Comparison};
use wickring::{Error, Status};

/// Flags of `theory full-batch`.
#[derive(Args)]
pub struct BatchArgs {
    /// A ready-made configuration; other flags override it.
    #[arg(long, value_enum, default_value_t = Preset::Ridge)]
    preset: Preset,
    #[command(flatten)]
    inputs: InputArgs,
    /// What is minimised; `ridge` learns the teacher's values, all others its signs.
    #[arg(long, value_enum)]
    loss: Option<Loss>,
    /// Variance of Gaussian noise on the values that ridge learns.
    #[arg(long, default_value_t = 0.1)]
    noise: f64,
    /// Samples per input: a,b,c or from:to:count.
    #[arg(long)]
    alpha: Option<String>,
    /// Regularisation: a,b,c or from:to:count.
    #[arg(long)]
    lambda: Option<String>,
    /// Find the regularisation of least error at each alpha, instead of --lambda.
    #[arg(long, conflicts_with = "lambda")]
    best_lambda: bool,
    /// The teacher (.npy, one entry per latent); drawn from the standard normal law by default.
    #[arg(long)]
    teacher: Option<PathBuf>,
    /// Covariance of the teacher's features (.npy) when they are not standard Gaussian; --phi is then
    /// E x u'. No simulation.
    #[arg(long, requires = "omega", conflicts_with = "simulate")]
    psi: Option<PathBuf>,
    /// Also learn from this many sampled training sets at each point, and compare.
    #[arg(long, default_value_t = 0)]
    simulate: usize,
    /// Fresh samples on which the misclassified share is counted.
    #[arg(long, default_value_t = 20_000)]
    test_samples: usize,
}

/// Ready-made configurations.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Preset {
    /// Ridge regression, D = 200, N = 400, lambda 1e-4, 1e-2 and 1, alpha 0.25 to 3 and the peak.
    Ridge,
    /// Logistic regression, D = 200, N = 400, lambda 1e-3 and 1e-1, alpha 0.5 to 4.
    Logistic,
    /// Ridge, D = 50, N = 100: seconds, also with a simulation.
    Quick,
}

/// What is minimised.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Loss {
    /// Squares on the teacher's values.
    Ridge,
    /// Squares on the teacher's signs.
    Square,
    /// Logistic loss.
    Logistic,
    /// Hinge loss.
    Hinge,
    /// Squared hinge loss.
    SquaredHinge,
}

/// A loss with the data that solving it needs.
struct Solver {
    labels: Option<Labels>,
    margin: Option<&'static dyn MarginLoss>,
}

impl Solver {
    fn new(loss: Loss, noise: f64) -> Result<Self, Error> {
        let name = match loss {
            Loss::Ridge => {
                return Ok(Self {
                    labels: Some(Labels::Values(noise)),
                    margin: None,
                });
            }
            Loss::Square => {
                return Ok(Self {
                    labels: Some(Labels::Signs),
                    margin: None,
                });
            }
            Loss::Logistic => "logistic",
            Loss::Hinge => "hinge",
            Loss::SquaredHinge => "squared-hinge",
        };
        Ok(Self {
            labels: None,
            margin: Some(named_loss(name)?),
        })
    }

    fn solve(&self, task: &Task, alpha: f64, lambda: f64) -> Result<Fit<BatchPoint>, Error> {
        match (self.margin, self.labels) {
            (Some(loss), _) => MarginLearner::new(loss).predict(task, alpha, lambda),
            (None, labels) => ridge(task, labels.unwrap_or(Labels::Signs), alpha, lambda),
        }
    }

    fn learner(&self) -> BatchLearner<'static> {
        match (self.margin, self.labels) {
            (Some(loss), _) => BatchLearner::Margin(loss),
            (None, labels) => BatchLearner::Ridge(labels.unwrap_or(Labels::Signs)),
        }
    }

    /// The difference between theory and simulation that is put down to finite size: the misclassified
    /// share to 0.01, a squared error to a twentieth.
    fn allowance(&self, theory: f64) -> f64 {
        match self.labels {
            Some(Labels::Values(_)) => 0.05 * theory,
            _ => 0.01,
        }
    }
}

/// Runs `wickring theory full-batch`.
pub fn run(args: &BatchArgs, context: &Context) -> Result<Outcome, Error> {
    let (widths, loss, alphas, lambdas) = match args.preset {
        Preset::Ridge => (
            (200, 400, 1),
            Loss::Ridge,
            "0.25,0.5,0.75,0.9,1,1.1,1.25,1.5,2,3",
            "1e-4,1e-2,1",
        ),
        Preset::Logistic => (
            (200, 400, 1),
            Loss::Logistic,
            "0.5,0.75,1,1.5,2,3,4",
            "1e-3,1e-1",
        ),
        Preset::Quick => ((50, 100, 1), Loss::Ridge, "0.5,1,2", "1e-2,1"),
    };
    let alphas = grid("--alpha", args.alpha.as_deref().unwrap_or(alphas))?;
    let lambdas = grid("--lambda", args.lambda.as_deref().unwrap_or(lambdas))?;
    let solver = Solver::new(args.loss.unwrap_or(loss), args.noise)?;
    let mut rng = context.rng();
    let inputs = args.inputs.resolve(widths, context, &mut rng)?;
    let teacher = match &args.teacher {
        Some(path) => read_vector(path)?,
        None => {
            let drawn = Committee::random(1, inputs.law.latents(), false, &mut rng)?;
            drawn.first().row(0).iter().copied().collect()
        }
    };
    let task = match &args.psi {
        None => Task::on_latents(&inputs.law, &teacher)?,
        Some(path) => Task::on_features(&inputs.law, read_matrix(path)?.as_ref(), &teacher)?,
    };
    context.say(&format!("inputs: {}", inputs.description));
    let simulation = BatchSimulation {
        source: inputs.source.as_ref(),
        law: &inputs.law,
        teacher: &teacher,
        sets: args.simulate,
        seed: context.common.seed,
        test_samples: args.test_samples,
    };
    let mut report = Report::new(args.simulate > 0);
    let curves: Vec<Option<f64>> = match args.best_lambda {
        true => vec![None],
        false => lambdas.iter().copied().map(Some).collect(),
    };
    let total = (curves.len() * alphas.len()) as u64;
    let mut meter = context.meter();
    'all: for lambda in &curves {
        for &wanted in &alphas {
            let point = report.fits.len() as u64;
            if meter
                .step(&Progress::of("learning curves", point, total))
                .is_break()
            {
                report.stopped = true;
                break 'all;
            }
            let p = task.features() as f64;
            let samples = (wanted * p).round().max(1.0);
            // A simulation has whole samples, and the theory is compared at just that ratio.
            let alpha = if args.simulate > 0 {
                samples / p
            } else {
                wanted
            };
            let fit = match lambda {
                Some(lambda) => solver.solve(&task, alpha, *lambda)?,
                None => best_lambda(LambdaSearch::default(), |l| solver.solve(&task, alpha, l))?,
            };
            let found = match args.simulate {
                0 => None,
                _ => {
                    let lambda = fit.model.lambda;
                    let sets = simulation.run(solver.learner(), samples as usize, lambda, point)?;
                    let errors: Vec<f64> = sets.iter().map(|s| s.error).collect();
                    let trains: Vec<f64> = sets.iter().map(|s| s.train).collect();
                    let compare = |theory: f64, v: &[f64]| Comparison::new(alpha, theory, v);
                    Some((
                        compare(fit.model.error, &errors),
                        compare(fit.model.train, &trains),
                    ))
                }
            };
            report.push(fit, found, &solver);
        }
    }
    drop(meter);
    report.finish(context, &inputs.description, args.best_lambda)
}

/// What was found, point by point.
struct Report {
    fits: Vec<Fit<BatchPoint>>,
    errors: Vec<Comparison>,
    table: Table,
    agreeing: usize,
    stopped: bool,
}

impl Report {
    fn new(simulated: bool) -> Self {
        let mut names = vec!["alpha", "lambda", "error"];
        if simulated {
            names.extend(["error_simulated", "error_se", "error_z"]);
        }
        names.extend(["train", "v", "q", "m", "residual"]);
        if simulated {
            names.extend(["train_simulated", "train_se"]);
        }
        Self {
            fits: Vec::new(),
            errors: Vec::new(),
            table: Table::new(names.into_iter().map(str::to_owned).collect()),
            agreeing: 0,
            stopped: false,
        }
    }

    fn push(
        &mut self,
        fit: Fit<BatchPoint>,
        found: Option<(Comparison, Comparison)>,
        solver: &Solver,
    ) {
        let p = fit.model;
        let mut row = vec![p.alpha, p.lambda, p.error];
        if let Some((error, _)) = &found {
            row.extend([error.mean, error.standard_error, error.z()]);
        }
        row.extend([p.train, p.v, p.q, p.m, fit.certificate.rel_residual]);
        if let Some((error, train)) = found {
            row.extend([train.mean, train.standard_error]);
            self.agreeing += usize::from(error.agrees(solver.allowance(p.error)));
            self.errors.push(error);
        }
        self.table.push(row);
        self.fits.push(fit);
    }

    fn finish(self, context: &Context, title: &str, best: bool) -> Result<Outcome, Error> {
        self.table.save(context)?;
        if let Some(path) = &context.common.plot {
            save(path, &[self.figure(title, best)])?;
        }
        let solved = self
            .fits
            .iter()
            .filter(|f| f.status == Status::Converged)
            .count();
        let worst = self
            .fits
            .iter()
            .map(|f| f.certificate.rel_residual)
            .fold(0.0, f64::max);
        let compared = !self.errors.is_empty();
        let share = self.agreeing as f64 / self.errors.len().max(1) as f64;
        let agrees = !compared || share >= 0.95;
        let mut text = self.table.text(if compared { 6 } else { 4 }, 40);
        text += &format!(
            "equations: {solved} of {} points solved, residual at most {worst:.1e}\n",
            self.fits.len()
        );
        if compared {
            let word = if agrees { "AGREES" } else { "DISAGREES" };
            text += &format!(
                "verdict: {word} (theory within 3.5 standard errors or the finite-size allowance at {:.0}% \
                 of points)\n",
                100.0 * share
            );
        }
        let json = json!({
            "status": if self.stopped { "stopped" } else if solved == self.fits.len() { "converged" } else { "ill-conditioned" },
            "seed": context.common.seed,
            "inputs": title,
            "worst_residual": worst,
            "points": self.table.json(),
            "verdict": compared.then(|| json!({
                "agrees": agrees,
                "share_within": share,
                "z": self.errors.iter().map(Comparison::z).collect::<Vec<_>>(),
            })),
        });
        context.emit(&json, &text);
        Ok(if solved == self.fits.len() && agrees && !self.stopped {
            Outcome::Certified
        } else {
            Outcome::NotCertified
        })
    }

    /// Error against alpha, one line for each lambda.
    fn figure(&self, title: &str, best: bool) -> Figure {
        let mut lambdas: Vec<f64> = self.fits.iter().map(|f| f.model.lambda).collect();
        lambdas.dedup();
        if best {
            lambdas = vec![f64::NAN];
        }
        let mut series = Vec::new();
        for lambda in lambdas {
            let here = |f: &Fit<BatchPoint>| best || f.model.lambda == lambda;
            let fits = self.fits.iter().filter(|f| here(f));
            let points = fits.map(|f| (f.model.alpha, f.model.error)).collect();
            let label = if best {
                "best lambda".to_owned()
            } else {
                format!("lambda = {lambda}")
            };
            series.push(Series::new(label, Mark::Line, points));
            let mut dots = Series::new("", Mark::Points, Vec::new());
            for (f, e) in self.fits.iter().zip(&self.errors).filter(|(f, _)| here(f)) {
                dots.points.push((f.model.alpha, e.mean));
                let bar = if e.standard_error.is_finite() {
                    e.standard_error
                } else {
                    0.0
                };
                dots.errors.push(bar);
            }
            if !dots.points.is_empty() {
                series.push(dots);
            }
        }
        Figure {
            title: title.to_owned(),
            x: "alpha = n / p".to_owned(),
            y: "generalisation error".to_owned(),
            log_x: true,
            log_y: true,
            series,
        }
    }
}
