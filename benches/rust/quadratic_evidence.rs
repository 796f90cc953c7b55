//! When the quadratic learners say `converged`: false refusals of planted maps, false acceptances of everything else.
//!
//! `cargo run --release --features bench --example quadratic_evidence -- [planted|zoo|all] [SEEDS] [FIRST SEED] [KIND]`
//!
//! One line for each fit: kind, rows, seed, status, error in statistical floors (planted), the first check that failed.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use std::io::Write;
use wickring::fit::Fit;
use wickring::io::samples::Samples;
use wickring::laws::learn::quadratic_maps::{random_quadratic_map, sphere_samples};
use wickring::learn::{Noise, Quadratic, RadialInput, RadialQuadratic, statistical_floor};
use wickring::run::unobserved;
use wickring::tensor::QuadraticMap;
use wickring::{Error, Status};

fn normal(g: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(g)
}

/// Spread of each column.
fn spreads(rows: &[f64], d: usize) -> Vec<f64> {
    let n = (rows.len() / d) as f64;
    (0..d)
        .map(|j| {
            let column = || rows.iter().skip(j).step_by(d);
            let mean = column().sum::<f64>() / n;
            (column().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt()
        })
        .collect()
}

fn noisy(rows: &[f64], d: usize, share: f64, g: &mut ChaCha8Rng) -> Vec<f64> {
    let spread = spreads(rows, d);
    let add = |(k, x): (usize, &f64)| x + share * spread[k % d] * normal(g);
    rows.iter().enumerate().map(add).collect()
}

fn written(rows: &[f64], how: &dyn Fn(f64) -> f64) -> Vec<f64> {
    rows.iter().map(|&x| how(x)).collect()
}

fn decimals(p: usize) -> impl Fn(f64) -> f64 {
    move |x| format!("{x:.p$}").parse().unwrap_or(x)
}

fn line<M>(
    (kind, n, seed): (&str, usize, u64),
    fit: &Result<Fit<M>, Error>,
    floors: impl Fn(&M) -> f64,
) -> Option<bool> {
    let out = &mut std::io::stdout();
    let text = match fit {
        Ok(fit) => {
            let why = fit.evidence.checks.iter().find(|c| !c.holds());
            let why = why.map_or(String::new(), |c| {
                format!("{} {:.3e} > {:.3e}", c.key, c.measured, c.allowed)
            });
            format!("{},{:.2},{why}", fit.status.name(), floors(&fit.model))
        }
        Err(e) => format!("refused,,{e}"),
    };
    writeln!(out, "{kind},{n},{seed},{text}").ok()?;
    Some(matches!(fit, Ok(f) if f.status == Status::Converged))
}

fn gaussian(rows: Vec<f64>, d: usize, noise: Noise, seed: u64) -> Result<Fit<QuadraticMap>, Error> {
    let samples = Samples::from_rows(d, rows)?;
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    Quadratic::new()
        .noise(noise)
        .learn(&samples, rng, &mut unobserved)
}

fn planted(seeds: std::ops::Range<u64>, only: &str) -> Result<(usize, usize), Error> {
    let (mut accepted, mut all) = (0, 0);
    let shapes = [(2, 3), (2, 5), (3, 6), (3, 9), (4, 10)];
    for seed in seeds {
        for (r, d) in shapes {
            for n in [300, 1000, 5000] {
                let g = &mut ChaCha8Rng::seed_from_u64(1000 * seed + n as u64 + 17 * d as u64);
                let hidden = random_quadratic_map(d, r, false, g)?;
                let clean = hidden.sample(n, g);
                let half = |x: f64| f64::from_bits((x.to_bits() + (1 << 41)) & !((1 << 42) - 1));
                let digits = |x: f64| format!("{x:.5e}").parse().unwrap_or(x);
                let kinds: Vec<(&str, Vec<f64>, Noise)> = vec![
                    ("exact", clean.clone(), Noise::Absent),
                    ("noise .001", noisy(&clean, d, 0.001, g), Noise::Estimated),
                    ("noise .03", noisy(&clean, d, 0.03, g), Noise::Estimated),
                    ("noise .2", noisy(&clean, d, 0.2, g), Noise::Estimated),
                    (
                        "noise .03 known",
                        noisy(&clean, d, 0.03, g),
                        Noise::Known(0.03),
                    ),
                    ("%.2f", written(&clean, &decimals(2)), Noise::Absent),
                    ("%.4f", written(&clean, &decimals(4)), Noise::Absent),
                    ("%.6g", written(&clean, &digits), Noise::Absent),
                    (
                        "float32",
                        written(&clean, &|x| f64::from(x as f32)),
                        Noise::Absent,
                    ),
                    ("float16", written(&clean, &half), Noise::Absent),
                ];
                let floors = |m: &QuadraticMap| {
                    m.distance(&hidden).unwrap_or(f64::NAN) / statistical_floor(&hidden, n)
                };
                for (kind, rows, noise) in kinds {
                    let name = format!("{kind} r{r} d{d}");
                    if !format!("{name} n{n}").contains(only) {
                        continue;
                    }
                    let fit = gaussian(rows, d, noise, seed);
                    let good = line((&name, n, seed), &fit, floors) == Some(true);
                    (accepted, all) = (accepted + usize::from(good), all + 1);
                }
                let ball = {
                    let mut rows = Vec::new();
                    for _ in 0..n {
                        let u: Vec<f64> = (0..r).map(|_| normal(g)).collect();
                        let size = u.iter().map(|x| x * x).sum::<f64>().sqrt();
                        let length =
                            ((r + 2) as f64).sqrt() * g.random::<f64>().powf(1.0 / r as f64);
                        let x = faer::Mat::from_fn(1, r, |_, j| u[j] * length / size);
                        let z = hidden.eval(x.as_ref())?;
                        rows.extend((0..d).map(|a| z[(0, a)]));
                    }
                    rows
                };
                for (kind, rows) in [("ball", ball), ("sphere", sphere_samples(&hidden, n, g)?)] {
                    let name = format!("radial {kind} r{r} d{d}");
                    if !format!("{name} n{n}").contains(only) {
                        continue;
                    }
                    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
                    let learner = RadialQuadratic::new(RadialInput::Unknown);
                    let fit = learner.learn(&Samples::from_rows(d, rows)?, rng, &mut unobserved);
                    let floors = |m: &wickring::learn::RadialMap| floors(&m.map);
                    let good = line((&name, n, seed), &fit, floors) == Some(true);
                    (accepted, all) = (accepted + usize::from(good), all + 1);
                }
            }
        }
    }
    Ok((accepted, all))
}

/// Draws of a law of `d` columns that is no quadratic map of a Gaussian.
type Law = (&'static str, fn(&mut ChaCha8Rng) -> f64);
const LAWS: [Law; 8] = [
    ("uniform", |g| g.random::<f64>() + 3.0),
    ("exponential", |g| -(1.0 - g.random::<f64>()).ln()),
    ("log-normal", |g| normal(g).exp()),
    ("gamma .5", |g| {
        normal(g).powi(2) * 0.5 + 0.1 * g.random::<f64>()
    }),
    ("laplace", |g| {
        let e = -(1.0 - g.random::<f64>()).ln();
        if g.random::<bool>() { e } else { -e }
    }),
    ("mixture", |g| {
        normal(g) + if g.random::<f64>() < 0.3 { 4.0 } else { 0.0 }
    }),
    ("cubic", |g| normal(g).powi(3)),
    ("counts", |g| {
        let mut k = 0.0;
        let mut p = g.random::<f64>();
        while p > (-3.0f64).exp() {
            p *= g.random::<f64>();
            k += 1.0;
        }
        k
    }),
];

fn zoo(seeds: std::ops::Range<u64>, only: &str) -> Result<(usize, usize), Error> {
    let (mut accepted, mut all) = (0, 0);
    for seed in seeds {
        for (kind, law) in LAWS {
            for (d, n) in [(3, 1000), (3, 4000), (6, 4000)] {
                let g = &mut ChaCha8Rng::seed_from_u64(7000 + seed);
                let rows: Vec<f64> = (0..n * d).map(|_| law(g)).collect();
                let mix: Vec<f64> = (0..d * d).map(|_| normal(g)).collect();
                let mixed: Vec<f64> = rows
                    .chunks_exact(d)
                    .flat_map(|row| {
                        let one = |a: usize| (0..d).map(|b| mix[a * d + b] * row[b]).sum::<f64>();
                        (0..d).map(one).collect::<Vec<_>>()
                    })
                    .collect();
                for (what, rows) in [("plain", rows), ("mixed", mixed)] {
                    for noise in [Noise::Absent, Noise::Estimated] {
                        let name = format!("{kind} {what} d{d} {noise:?}");
                        if !name.contains(only) {
                            continue;
                        }
                        let fit = gaussian(rows.clone(), d, noise, seed);
                        let bad = line((&name, n, seed), &fit, |_| f64::NAN) == Some(true);
                        (accepted, all) = (accepted + usize::from(bad), all + 1);
                    }
                    let name = format!("{kind} {what} d{d} radial");
                    if !name.contains(only) {
                        continue;
                    }
                    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
                    let learner = RadialQuadratic::new(RadialInput::Unknown);
                    let fit = learner.learn(&Samples::from_rows(d, rows)?, rng, &mut unobserved);
                    let bad = line((&name, n, seed), &fit, |_| f64::NAN) == Some(true);
                    (accepted, all) = (accepted + usize::from(bad), all + 1);
                }
            }
        }
    }
    Ok((accepted, all))
}

fn main() -> Result<(), Error> {
    let args: Vec<String> = std::env::args().collect();
    let what = args.get(1).map_or("all", String::as_str);
    let number = |k: usize, or: u64| args.get(k).and_then(|s| s.parse().ok()).unwrap_or(or);
    let only = args.get(4).map_or("", String::as_str);
    let (count, first) = (number(2, 3), number(3, 0));
    let seeds = first..first + count;
    let say = |name: &str, (a, n): (usize, usize)| {
        writeln!(std::io::stdout(), "# {name}: {a} of {n} converged").ok();
    };
    if what != "zoo" {
        say("planted", planted(seeds.clone(), only)?);
    }
    if what != "planted" {
        say("zoo", zoo(seeds, only)?);
    }
    Ok(())
}
