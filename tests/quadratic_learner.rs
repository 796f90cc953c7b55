//! The quadratic learner: planted maps, the statistical floor, and everything that must not be learned.
#![allow(clippy::unwrap_used, clippy::panic)]

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use wickring::Error;
use wickring::decomp::Fit;
use wickring::io::samples::Samples;
use wickring::laws::quadratic_maps::random_quadratic_map;
use wickring::learn::Quadratic;
use wickring::observe::unobserved;
use wickring::tensor::QuadraticMap;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn learn(columns: usize, rows: Vec<f64>, learner: Quadratic) -> Result<Fit<QuadraticMap>, Error> {
    let samples = Samples::from_rows(columns, rows)?;
    learner.learn(&samples, &mut rng(0), &mut unobserved)
}

fn floor(fit: &Fit<QuadraticMap>) -> f64 {
    let mut all = fit.certificate.evidence.iter();
    all.find(|e| e.name.contains("floor")).unwrap().measured
}

/// Relative parameter error in units of the statistical floor, moments only.
fn ratio(r: usize, d: usize, n: usize, seed: u64) -> f64 {
    let hidden = random_quadratic_map(d, r, false, &mut rng(seed)).unwrap();
    let rows = hidden.sample(n, &mut rng(seed + 1000));
    let fit = learn(d, rows, Quadratic::new()).unwrap();
    let error = fit.model.distance(&hidden).unwrap();
    println!(
        "r={r} d={d} n={n} seed {seed}: error {error:.2e}, floor {:.2e}, ratio {:.2}, {}, {:?}",
        floor(&fit),
        error / floor(&fit),
        fit.status,
        fit.certificate
            .evidence
            .iter()
            .map(|e| (e.measured * 100.0).round() / 100.0)
            .collect::<Vec<_>>()
    );
    assert_eq!(fit.model.latent_dim(), r);
    error / floor(&fit)
}

#[test]
fn moments_alone_come_within_five_times_the_floor() {
    let small: Vec<f64> = (0..5).map(|seed| ratio(3, 6, 20_000, seed)).collect();
    assert!(small.iter().all(|x| *x < 5.0), "{small:?}");
    let large = ratio(6, 21, 200_000, 0);
    assert!(large < 5.0, "{large}");
}

#[test]
#[ignore = "statistics over many seeds: run with --ignored"]
fn calibration() {
    for (r, d, n) in [(2, 3, 5000), (3, 6, 5000), (3, 8, 20000), (4, 10, 50000)] {
        let ratios: Vec<f64> = (10..30).map(|seed| ratio(r, d, n, seed)).collect();
        println!("{ratios:?}");
    }
}
