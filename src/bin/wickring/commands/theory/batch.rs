//! `wickring theory full-batch`.

use super::batch_report::Report;
use super::inputs::{InputArgs, Wanted, Warnings, grid, read_matrix, read_vector};
use crate::context::{Context, Outcome};
use clap::{Args, ValueEnum};
use faer::Mat;
use std::path::PathBuf;
use wickring::Error;
use wickring::fit::Fit;
use wickring::run::Progress;
use wickring::theory::batch::{
    BatchLearner, BatchPoint, BatchSimulation, Labels, LambdaSearch, MarginLearner, MarginLoss,
    Task, best_lambda, named_loss, ridge,
};
use wickring::theory::{Committee, Comparison, Covariances};

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

    /// The difference between theory and simulation that is put down to finite size: for `p` features the
    /// misclassified share to `4 / p`, a squared error to `8 / p` of itself.
    fn allowance(&self, theory: f64, p: f64) -> f64 {
        match self.labels {
            Some(Labels::Values(_)) => 8.0 * theory / p,
            _ => 4.0 / p,
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
    let wanted = match (&args.psi, args.simulate) {
        (Some(_), _) => Wanted::OtherFeatures,
        (None, 0) => Wanted::Prediction,
        (None, _) => Wanted::Simulation,
    };
    let inputs = args.inputs.resolve(widths, wanted, context, &mut rng)?;
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
    let warnings = match &args.psi {
        None => inputs.warnings(&seen(&inputs.law, &teacher)?, context)?,
        // The covariances are then those of other features than the latents: nothing to sample.
        Some(_) => Warnings {
            texts: Vec::new(),
            refuted: false,
        },
    };
    let simulation = match args.simulate {
        0 => None,
        sets => Some(BatchSimulation {
            source: inputs.sampled()?,
            law: &inputs.law,
            teacher: &teacher,
            sets,
            seed: context.common.seed,
            test_samples: args.test_samples,
        }),
    };
    let mut report = Report::new(args.simulate > 0, warnings);
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
            let found = match &simulation {
                None => None,
                Some(simulation) => {
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
            let allowance = solver.allowance(fit.model.error, p);
            report.push(fit, found, allowance);
        }
    }
    drop(meter);
    if context.common.plot.is_some() && !report.stopped {
        let solve = |alpha: f64, lambda: Option<f64>| match lambda {
            Some(lambda) => solver.solve(&task, alpha, lambda),
            None => best_lambda(LambdaSearch::default(), |l| solver.solve(&task, alpha, l)),
        };
        for lambda in &curves {
            // The search over lambda takes seventy solutions for each point.
            let count = if lambda.is_some() { 60 } else { 16 };
            let fits = between(&alphas, count)
                .into_iter()
                .map(|a| solve(a, *lambda));
            let fits = fits.collect::<Result<Vec<_>, Error>>()?;
            let line = fits.iter().map(|f| (f.model.alpha, f.model.error));
            report.lines.push((*lambda, line.collect()));
        }
    }
    report.finish(context, &inputs.description)
}

/// The given places and as many between the least and the greatest, in order.
fn between(places: &[f64], count: usize) -> Vec<f64> {
    let least = places.iter().copied().fold(f64::INFINITY, f64::min);
    let most = places.iter().copied().fold(0.0, f64::max);
    let share = |i: usize| i as f64 / count as f64;
    let mut all: Vec<f64> = (1..count)
        .map(|i| least * (most / least).powf(share(i)))
        .chain(places.iter().copied())
        .collect();
    all.sort_by(f64::total_cmp);
    all.dedup();
    all
}

/// The direction in which the inputs carry the teacher, as a student of one unit.
fn seen(law: &Covariances, teacher: &[f64]) -> Result<Committee, Error> {
    let (phi, d) = (law.phi(), law.latents());
    let weight = |i: usize| (0..d).map(|j| phi[(i, j)] * teacher[j]).sum::<f64>();
    Committee::new(Mat::from_fn(1, law.inputs(), |_, i| weight(i)), vec![1.0])
}
