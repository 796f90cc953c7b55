//! Full-batch theory beside simulation on the grids of BENCHMARKS.md.
//!
//! `cargo run --release --features bench --example theory_batch_bars ridge|logistic [SETS]`: five activations, D = 200,
//! p = 400; 105 points of ridge or 24 of logistic regression, `SETS` (20) training sets each.
#![allow(clippy::print_stdout)]

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use std::time::Instant;
use wickring::Error;
use wickring::poly::gaussian::Activation;
use wickring::theory::batch::{
    BatchLearner, BatchSimulation, Labels, Logistic, MarginLearner, Task, ridge,
};
use wickring::theory::{Committee, Comparison, Generator};

const SEED: u64 = 1;
const D: usize = 200;
const P: usize = 400;

/// One point of a grid.
struct Point<'a> {
    learner: BatchLearner<'a>,
    alpha: f64,
    lambda: f64,
    /// What a difference may be without a reason in the standard errors.
    allowance: f64,
}

/// Counts over a grid.
#[derive(Default)]
struct Count {
    points: usize,
    within: usize,
    allowed: usize,
    /// Sum and largest relative difference, away from the peak and at it.
    away: (f64, f64),
    peak: f64,
    theory_seconds: f64,
}

impl Count {
    fn add(
        &mut self,
        name: &str,
        task: &Task,
        simulation: &BatchSimulation<'_>,
        point: &Point<'_>,
    ) -> Result<(), Error> {
        let Point {
            learner,
            alpha,
            lambda,
            allowance,
        } = *point;
        let start = Instant::now();
        let fit = match learner {
            BatchLearner::Ridge(labels) => ridge(task, labels, alpha, lambda)?,
            BatchLearner::Margin(loss) => MarginLearner::new(loss).predict(task, alpha, lambda)?,
        };
        self.theory_seconds += start.elapsed().as_secs_f64();
        let model = fit.converged()?;
        let samples = (alpha * P as f64).round() as usize;
        let sets = simulation.run(learner, samples, lambda, self.points as u64)?;
        let errors: Vec<f64> = sets.iter().map(|s| s.error).collect();
        let found = Comparison::new(alpha, model.error, &errors);
        let relative = (found.theory / found.mean - 1.0).abs();
        println!(
            "{name},{alpha},{lambda:e},{:.6},{:.6},{:.6},{:.2},{relative:.4}",
            found.theory,
            found.mean,
            found.standard_error,
            found.z()
        );
        self.points += 1;
        self.within += usize::from(found.agrees(0.0));
        self.allowed += usize::from(found.agrees(allowance));
        // The interpolation peak at alpha = 1 and small lambda, where sets differ most.
        if alpha == 1.0 && lambda < 1e-3 {
            self.peak = self.peak.max(relative);
        } else {
            self.away = (self.away.0 + relative, self.away.1.max(relative));
        }
        Ok(())
    }
}

fn main() -> Result<(), Error> {
    let mut args = std::env::args().skip(1);
    let logistic = args.next().is_some_and(|a| a == "logistic");
    let sets = args.next().and_then(|s| s.parse().ok()).unwrap_or(20);
    let activations = [
        ("sign", Activation::Sign),
        ("erf", Activation::Erf),
        ("tanh", Activation::Tanh),
        ("relu", Activation::Relu),
        ("He1+.5He2", Activation::Polynomial(vec![-0.5, 1.0, 0.5])),
    ];
    let (alphas, lambdas, learner, allowance) = if logistic {
        let learner = BatchLearner::Margin(&Logistic);
        (vec![0.5, 1.0, 2.0, 4.0], vec![1e-3, 1e-1], learner, 0.01)
    } else {
        let learner = BatchLearner::Ridge(Labels::Values(0.1));
        let alphas = vec![0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0];
        (alphas, vec![1e-4, 1e-2, 1.0], learner, 0.0)
    };
    let kinds = if logistic { 3 } else { 5 };
    let mut count = Count::default();
    println!("generator,alpha,lambda,theory,mean,standard_error,z,relative");
    for (name, activation) in &activations[..kinds] {
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        let generator = Generator::random(&[D, P], activation, &mut rng)?;
        let law = generator.law()?.covariances;
        let drawn = Committee::random(1, D, false, &mut rng)?;
        let teacher: Vec<f64> = drawn.first().row(0).iter().copied().collect();
        let task = Task::on_latents(&law, &teacher)?;
        let simulation = BatchSimulation {
            source: &generator,
            law: &law,
            teacher: &teacher,
            sets,
            seed: SEED,
            test_samples: 20_000,
        };
        for &lambda in &lambdas {
            for &alpha in &alphas {
                let point = Point {
                    learner,
                    alpha,
                    lambda,
                    allowance,
                };
                count.add(name, &task, &simulation, &point)?;
            }
        }
    }
    let share = |n: usize| 100.0 * n as f64 / count.points as f64;
    println!(
        "{} points: {:.1}% within 3.5 standard errors, {:.1}% within those or {allowance}; relative \
         difference on average {:.4}, at most {:.4}, {:.4} at the peak; theory {:.3} s in all",
        count.points,
        share(count.within),
        share(count.allowed),
        count.away.0 / count.points as f64,
        count.away.1,
        count.peak,
        count.theory_seconds
    );
    Ok(())
}
