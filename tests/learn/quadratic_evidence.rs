//! When a quadratic learner says `converged`: under every flag, on written-down samples, with few rows.
#![allow(clippy::unwrap_used)]

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use wickring::Status;
use wickring::fit::Fit;
use wickring::io::samples::Samples;
use wickring::laws::learn::quadratic_maps::random_quadratic_map;
use wickring::learn::{Noise, Quadratic, RadialInput, RadialQuadratic, statistical_floor};
use wickring::run::unobserved;
use wickring::tensor::QuadraticMap;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn learn(rows: Vec<f64>, d: usize, noise: Noise) -> Result<Fit<QuadraticMap>, wickring::Error> {
    let samples = Samples::from_rows(d, rows)?;
    let learner = Quadratic::new().noise(noise);
    learner.learn(&samples, &mut rng(1), &mut unobserved)
}

fn rows_of(n: usize, seed: u64, law: impl Fn(&mut ChaCha8Rng) -> f64) -> Vec<f64> {
    let g = &mut rng(seed);
    (0..n).map(|_| law(g)).collect()
}

/// Raw moments are swamped by a mean: what moves about it must be tested.
#[test]
fn a_large_mean_does_not_pass_for_a_radial_law() {
    for seed in 0..3 {
        let uniform = rows_of(3000, seed, |g| 3.0 + g.random::<f64>());
        let normal = rows_of(3000, seed, |g| {
            let x: f64 = StandardNormal.sample(g);
            5.0 + x
        });
        for rows in [uniform, normal] {
            let samples = Samples::from_rows(3, rows).unwrap();
            let learner = RadialQuadratic::new(RadialInput::Unknown);
            let fit = learner.learn(&samples, &mut rng(0), &mut unobserved);
            assert!(!fit.is_ok_and(|f| f.status == Status::Converged), "{seed}");
        }
    }
}

/// Noise that is estimated may not make up for a law of another kind.
#[test]
fn noise_is_not_invented_for_a_skewed_law() {
    for seed in 0..2 {
        let exponential = rows_of(9000, seed, |g| -(1.0 - g.random::<f64>()).ln());
        let log_normal = rows_of(9000, seed, |g| {
            let x: f64 = StandardNormal.sample(g);
            x.exp()
        });
        for rows in [exponential, log_normal] {
            let fit = learn(rows, 3, Noise::Estimated);
            assert!(!fit.is_ok_and(|f| f.status == Status::Converged), "{seed}");
        }
    }
}

#[test]
fn samples_as_they_are_written_are_learned_at_the_floor() {
    let half = |x: f64| f64::from_bits((x.to_bits() + (1 << 41)) & !((1 << 42) - 1));
    let text = |p: usize| move |x: f64| format!("{x:.p$}").parse::<f64>().unwrap();
    let digits = |x: f64| format!("{x:.5e}").parse::<f64>().unwrap();
    let single = |x: f64| f64::from(x as f32);
    let ways: [&dyn Fn(f64) -> f64; 6] = [&text(2), &text(3), &text(4), &digits, &single, &half];
    for (seed, (r, d)) in [(2, 3), (3, 9)].into_iter().enumerate() {
        let hidden = random_quadratic_map(d, r, false, &mut rng(40 + seed as u64)).unwrap();
        let n = 4000;
        let clean = hidden.sample(n, &mut rng(50));
        for (k, way) in ways.iter().enumerate() {
            let rows = clean.iter().map(|&x| way(x)).collect();
            let fit = learn(rows, d, Noise::Absent).unwrap();
            let floors = fit.model.distance(&hidden).unwrap() / statistical_floor(&hidden, n);
            let why = fit.evidence.first_failure();
            assert_eq!(fit.status, Status::Converged, "way {k} r {r}: {why:?}");
            assert!(floors < 2.5, "way {k} r {r}: {floors} floors");
        }
    }
}

/// The misfit of the map is not taken for noise.
#[test]
fn small_noise_is_estimated_as_small() {
    let (n, d) = (1000, 9);
    let hidden = random_quadratic_map(d, 3, false, &mut rng(60)).unwrap();
    let clean = hidden.sample(n, &mut rng(61));
    let g = &mut rng(62);
    for share in [0.001, 0.01] {
        let spread = |j: usize| {
            let column = || clean.iter().skip(j).step_by(d);
            let mean = column().sum::<f64>() / n as f64;
            (column().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64).sqrt()
        };
        let spread: Vec<f64> = (0..d).map(spread).collect();
        let noisy = |(k, x): (usize, &f64)| {
            let e: f64 = StandardNormal.sample(&mut *g);
            x + share * spread[k % d] * e
        };
        let rows = clean.iter().enumerate().map(noisy).collect();
        let fit = learn(rows, d, Noise::Estimated).unwrap();
        let found = fit.evidence.check("quadratic.noise").unwrap().measured;
        let why = fit.evidence.first_failure();
        assert!((found / share - 1.0).abs() < 0.2, "{found} for {share}");
        assert_eq!(fit.status, Status::Converged, "{share}: {why:?}");
    }
}

/// Two latents and three spare outputs are as many as a map of three latents fills; the noise in them is no part of the map.
#[test]
fn spare_outputs_with_noise_are_no_latents() {
    let (n, d) = (1000, 6);
    for seed in 0..3 {
        let hidden = random_quadratic_map(d, 2, false, &mut rng(90 + seed)).unwrap();
        let clean = hidden.sample(n, &mut rng(95 + seed));
        let spread = |j: usize| {
            let column = || clean.iter().skip(j).step_by(d);
            let mean = column().sum::<f64>() / n as f64;
            (column().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64).sqrt()
        };
        let spread: Vec<f64> = (0..d).map(spread).collect();
        for share in [0.03, 0.2] {
            let g = &mut rng(99 + seed);
            let noisy = |(k, x): (usize, &f64)| {
                let e: f64 = StandardNormal.sample(&mut *g);
                x + share * spread[k % d] * e
            };
            let rows: Vec<f64> = clean.iter().enumerate().map(noisy).collect();
            for noise in [Noise::Known(share), Noise::Estimated] {
                let fit = learn(rows.clone(), d, noise).unwrap();
                let why = fit.evidence.first_failure();
                assert_eq!(fit.model.latent_dim(), 2, "{share} {noise:?}");
                assert_eq!(fit.status, Status::Converged, "{share} {noise:?}: {why:?}");
            }
        }
    }
}

/// Few held-out rows of heavy tails show less spread than their law has.
#[test]
fn few_rows_of_a_true_map_are_accepted() {
    for seed in 0..6 {
        let hidden = random_quadratic_map(9, 3, false, &mut rng(70 + seed)).unwrap();
        let fit = learn(hidden.sample(300, &mut rng(80 + seed)), 9, Noise::Absent).unwrap();
        let why = fit.evidence.first_failure();
        assert_eq!(fit.status, Status::Converged, "seed {seed}: {why:?}");
    }
}
