//! Online learning against its equations at scale: the figures of BENCHMARKS.md that take minutes.
//!
//! `cargo run --release --features bench --example theory_online_bars scaling|rates|deep [SIZES] [SEEDS]`, for instance
//! `... scaling 500,1000,2000 8`: deviations of single runs and of the mean of eight; `rates`: time of an
//! evaluation of the right-hand side by activation; `deep`: covariances from samples, 1, 2 and 4 layers.
#![allow(clippy::print_stdout)]

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use std::time::Instant;
use wickring::Error;
use wickring::poly::gaussian::Activation;
use wickring::poly::{Poly, Vars};
use wickring::run::unobserved;
use wickring::theory::{
    Committee, Covariances, Generator, GeneratorLaw, Lesson, OnlineSgd, SgdSimulation, Stepping,
    StudentActivation, Trajectory,
};

const SEED: u64 = 1;

fn polynomial(text: &str) -> Result<StudentActivation, Error> {
    StudentActivation::polynomial(&Poly::parse(text, &mut Vars::new())?)
}

/// Times of comparison up to 10.
fn times(inputs: usize) -> Vec<f64> {
    let n = inputs as f64;
    let at = |i: i32| (0.1 * 100f64.powf(f64::from(i) / 6.0) * n).round() / n;
    std::iter::once(0.0).chain((0..7).map(at)).collect()
}

/// One student and teacher, their curve, and simulated runs.
struct Case {
    theory: Trajectory,
    runs: Vec<Trajectory>,
}

fn case(
    sgd: &OnlineSgd,
    generator: &Generator,
    law: &Covariances,
    seed: u64,
    runs: usize,
    size: f64,
) -> Result<Case, Error> {
    let mut rng = ChaCha8Rng::seed_from_u64(1000 + seed);
    let (n, d) = (law.inputs(), law.latents());
    let drawn = Committee::random(2, n, true, &mut rng)?;
    let first = faer::Scale(size) * drawn.first();
    let student = Committee::new(first, drawn.second().to_vec())?;
    let teacher = Committee::random(2, d, false, &mut rng)?;
    let times = times(n);
    let lesson = Lesson {
        law,
        student: &student,
        teacher: &teacher,
        times: &times,
    };
    let theory = sgd.predict(&lesson, &mut unobserved)?.converged()?;
    let plan = SgdSimulation {
        runs,
        seed,
        // A single run is judged by its overlaps alone.
        test_samples: if runs == 1 { 1 } else { 10_000 },
    };
    let runs = sgd.simulate(&lesson, generator, plan, &mut unobserved)?;
    Ok(Case { theory, runs })
}

impl Case {
    /// Greatest deviation of `Q` or `R` in the first run.
    fn deviation(&self) -> f64 {
        let pairs = self.theory.moments.iter().zip(&self.runs[0].moments);
        let gaps = pairs.flat_map(|(a, b)| {
            let a = a.q.iter().chain(&a.r);
            a.zip(b.q.iter().chain(&b.r)).map(|(a, b)| (a - b).abs())
        });
        gaps.fold(0.0, f64::max)
    }

    /// Greatest relative difference of the error from the mean over the runs.
    fn relative(&self) -> f64 {
        let mean = |t: usize| {
            let all = self.runs.iter().map(|r| r.moments[t].error);
            all.sum::<f64>() / self.runs.len() as f64
        };
        let moments = self.theory.moments.iter().enumerate();
        moments
            .map(|(t, m)| (m.error / mean(t) - 1.0).abs())
            .fold(0.0, f64::max)
    }
}

/// A2: single runs for each seed, then the mean of eight runs of the first seed.
fn scaling(sizes: &[usize], seeds: u64) -> Result<(), Error> {
    let erf = |rate| OnlineSgd::new(StudentActivation::erf(), rate);
    let he = OnlineSgd::new(polynomial("x + 3/10*x^2 - 3/10")?, 0.05);
    let cases = [
        ("sign", Activation::Sign, erf(0.2), 1.0),
        ("tanh", Activation::Tanh, erf(0.2), 1.0),
        ("erf", Activation::Erf, erf(0.2), 1.0),
        ("sign, student x + .3 He2", Activation::Sign, he, 0.5),
    ];
    println!("generator,N,worst_sqrtN,mean_sqrtN,slope,mean_of_8_relative,seconds");
    for (name, activation, sgd, size) in &cases {
        let mut line = Vec::new();
        for &n in sizes {
            let start = Instant::now();
            let mut rng = ChaCha8Rng::seed_from_u64(SEED);
            let generator = Generator::random(&[n / 5, n], activation, &mut rng)?;
            let law = generator.law()?.covariances;
            let mut all = Vec::new();
            let mut relative = 0.0;
            for seed in 0..seeds {
                let runs = if seed == 0 { 8 } else { 1 };
                let case = case(sgd, &generator, &law, seed, runs, *size)?;
                all.push(case.deviation());
                if seed == 0 {
                    relative = case.relative();
                }
            }
            let mean = all.iter().sum::<f64>() / all.len() as f64;
            let worst = all.iter().fold(0.0f64, |a, b| a.max(*b));
            line.push(((n as f64).ln(), mean.ln()));
            let root = (n as f64).sqrt();
            println!(
                "{name},{n},{:.3},{:.3},{:.3},{:.4},{:.1}",
                worst * root,
                mean * root,
                slope(&line),
                relative,
                start.elapsed().as_secs_f64()
            );
        }
    }
    Ok(())
}

/// The least-squares slope.
fn slope(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let (mx, my) = (
        points.iter().map(|p| p.0).sum::<f64>() / n,
        points.iter().map(|p| p.1).sum::<f64>() / n,
    );
    let up: f64 = points.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum();
    up / points.iter().map(|p| (p.0 - mx).powi(2)).sum::<f64>()
}

/// Seconds that this thread has run, where the system says so; else those on the clock.
fn cpu_seconds() -> f64 {
    let known = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let spent = known.and_then(|s| s.split_whitespace().next()?.parse::<f64>().ok());
    spent.map_or_else(|| START.elapsed().as_secs_f64(), |ns| 1e-9 * ns)
}

static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);

/// A4: least seconds per evaluation, `N` modes, by fixed steps; and the adaptive curve to t = 100.
fn rates(sizes: &[usize]) -> Result<(), Error> {
    let neurons = [
        ("erf", StudentActivation::erf(), 0.2),
        ("linear", StudentActivation::linear(), 0.05),
        ("He2", polynomial("x^2 - 1")?, 1e-3),
        ("He3", polynomial("x^3 - 3*x")?, 1e-5),
        ("x^5", polynomial("x^5")?, 1e-9),
    ];
    println!("modes,activation,us_per_evaluation,ratio_to_erf");
    for &n in sizes {
        // A spectrum of n different eigenvalues, so that nothing is merged.
        let omega = faer::Mat::from_fn(n, n, |i, j| {
            if i == j {
                0.5 + i as f64 / n as f64
            } else {
                0.0
            }
        });
        let d = (n / 5).max(1);
        let phi = faer::Mat::from_fn(n, d, |i, j| if i % d == j { 0.3 } else { 0.0 });
        let law = Covariances::new(omega, phi)?;
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        let drawn = Committee::random(2, n, true, &mut rng)?;
        let student = Committee::new(faer::Scale(0.3) * drawn.first(), vec![0.5, -0.5])?;
        let teacher = Committee::random(2, d, false, &mut rng)?;
        let mut base = None;
        for (name, neuron, rate) in &neurons {
            let seconds = |steps: f64| -> Result<f64, Error> {
                let times = [0.0, steps * 1e-4];
                let lesson = Lesson {
                    law: &law,
                    student: &student,
                    teacher: &teacher,
                    times: &times,
                };
                let sgd = OnlineSgd::new(neuron.clone(), *rate).method(Stepping::Euler(1e-4));
                let start = cpu_seconds();
                sgd.predict(&lesson, &mut unobserved)?.converged()?;
                Ok(cpu_seconds() - start)
            };
            // The spectrum and the starting values cancel; the certificate adds half the steps again. Least times
            // are taken before the difference: the least difference would be the luckiest one.
            let steps = (1e7 / (n as f64 + 200.0)).max(1000.0).floor();
            let (mut few, mut many) = (f64::INFINITY, f64::INFINITY);
            for _ in 0..5 {
                few = few.min(seconds(steps)?);
                many = many.min(seconds(2.0 * steps)?);
            }
            let best = (many - few) / (1.5 * steps) * 1e6;
            let base = *base.get_or_insert(best);
            println!("{n},{name},{best:.2},{:.2}", best / base);
        }
    }
    Ok(())
}

/// A8: covariances from `500 N` samples and by the recursion, against the mean of eight runs.
fn deep(sizes: &[usize], seeds: u64) -> Result<(), Error> {
    println!("layers,N,seed,sampled_relative,recursion_relative,seconds");
    for &n in sizes {
        for layers in [1usize, 2, 4] {
            let start = Instant::now();
            let mut rng = ChaCha8Rng::seed_from_u64(SEED);
            let mut widths = vec![100];
            widths.resize(layers + 1, n);
            let generator = Generator::random(&widths, &Activation::Sign, &mut rng)?;
            let laws = [
                generator.sampled_law(500 * n as u64, SEED)?,
                generator.law()?,
            ];
            let sgd = OnlineSgd::new(StudentActivation::erf(), 0.2);
            for seed in 0..seeds {
                let relative = |l: &GeneratorLaw| -> Result<f64, Error> {
                    let generator = generator.clone().centred_by(l.mean.clone())?;
                    Ok(case(&sgd, &generator, &l.covariances, seed, 8, 1.0)?.relative())
                };
                println!(
                    "{layers},{n},{seed},{:.4},{:.4},{:.1}",
                    relative(&laws[0])?,
                    relative(&laws[1])?,
                    start.elapsed().as_secs_f64()
                );
            }
        }
    }
    Ok(())
}

fn main() -> Result<(), Error> {
    let mut args = std::env::args().skip(1);
    let what = args.next().unwrap_or_default();
    let sizes = args.next().unwrap_or_else(|| "500,1000,2000".into());
    let sizes: Vec<usize> = sizes.split(',').filter_map(|s| s.parse().ok()).collect();
    let seeds = args.next().and_then(|s| s.parse().ok()).unwrap_or(8);
    match what.as_str() {
        "scaling" => scaling(&sizes, seeds),
        "rates" => rates(&sizes),
        "deep" => deep(&sizes, seeds),
        _ => Err(Error::invalid(
            "theory_online_bars",
            "scaling, rates or deep",
        )),
    }
}
