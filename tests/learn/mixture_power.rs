//! `converged` is earned: true laws are not refused, wrong ones are noticed, few rows leave the question open.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use faer::MatRef;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use wickring::Status;
use wickring::learn::mixture::{
    Chain, Component, CovarianceKind, Diffusion, Em, GaussianMixture, MomentMethod, Population,
};

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn status(rows: &[f64], dim: usize) -> (Status, String) {
    let x = MatRef::from_row_major_slice(rows, rows.len() / dim, dim);
    let fit = Diffusion::new().learn(x, &mut rng(1)).unwrap();
    let law = fit.evidence.check("diffusion.law");
    (
        fit.status,
        format!("{:?} {:?}", fit.evidence.first_failure(), law),
    )
}

fn round(dim: usize, parts: &[(f64, &[f64], f64)]) -> GaussianMixture {
    let parts = parts.iter().map(|(weight, at, variance)| {
        let mut covariance = vec![0.0; dim * dim];
        (0..dim).for_each(|a| covariance[a * (dim + 1)] = *variance);
        Component {
            weight: *weight,
            mean: at.to_vec(),
            covariance,
        }
    });
    GaussianMixture::new(dim, parts.collect()).unwrap()
}

/// Laws with one noise level, discrete and continuous, at several sizes.
#[test]
fn true_laws_are_not_refused() {
    let seeds: u64 = std::env::var("WICKRING_SEEDS").map_or(1, |s| s.parse().unwrap());
    let sizes = if seeds > 1 {
        vec![1000, 3000, 10_000]
    } else {
        vec![1000, 3000]
    };
    let mut refused = Vec::new();
    let mut tried = 0;
    for name in Population::NAMES {
        let truth = Population::named(name).unwrap();
        for &n in &sizes {
            for seed in 0..seeds {
                let rows = truth.sample(n, &mut rng(100 * seed + 7));
                let (status, why) = status(&rows, truth.dim());
                tried += 1;
                if status != Status::Converged {
                    println!("{name} {n} {seed}: {status} {why}");
                    refused.push((name, n, seed));
                }
            }
        }
    }
    println!("{} of {tried} refused", refused.len());
    assert!(refused.len() * 50 <= tried, "{refused:?}");
}

/// A narrow and a wide component, which one noise level fits well or badly as the rows have it: where the weight of the narrow
/// one is off by more than .07, the fit is not called converged.
#[test]
fn wrong_laws_are_noticed() {
    let laws = [
        round(2, &[(0.5, &[0.0, 0.0], 0.1), (0.5, &[6.0, 0.0], 10.0)]),
        round(2, &[(0.4, &[0.0, 0.0], 0.05), (0.6, &[3.0, 3.0], 6.0)]),
    ];
    let learners = [
        Diffusion::new(),
        Diffusion::new().max_cells(3).max_degree(2),
    ];
    let (mut wrong, mut tried) = (0, 0);
    for (i, law) in laws.iter().enumerate() {
        let within = 2.8 * law.components()[0].covariance[0];
        let share = |rows: &[f64]| {
            let near = rows
                .chunks_exact(2)
                .filter(|r| r[0] * r[0] + r[1] * r[1] < within);
            near.count() as f64 / (rows.len() / 2) as f64
        };
        let truth = share(&law.sample(200_000, &mut rng(50)));
        for (j, learner) in learners.iter().enumerate() {
            for seed in 0..2 {
                let rows = law.sample(3000, &mut rng(seed));
                let x = MatRef::from_row_major_slice(&rows, 3000, 2);
                let fit = learner.learn(x, &mut rng(1)).unwrap();
                let fresh = fit
                    .model
                    .sample(50_000, Chain::default(), &mut rng(2))
                    .unwrap();
                let gap = (share(&fresh) - truth).abs();
                println!(
                    "law {i} learner {j} seed {seed}: {} gap {gap:.3}",
                    fit.status
                );
                tried += 1;
                wrong += usize::from(gap > 0.07);
                assert!(
                    fit.status != Status::Converged || gap <= 0.07,
                    "{i} {j} {seed}: {gap}"
                );
            }
        }
    }
    assert!(wrong >= 3, "{wrong} of {tried}");
    // Maximum likelihood with too few components, or of the wrong family; moments with too few.
    let ring: Vec<f64> = Population::named("circle")
        .unwrap()
        .sample(2000, &mut rng(3));
    let x = MatRef::from_row_major_slice(&ring, 2000, 2);
    let fit = Em::new(2)
        .kinds(&CovarianceKind::ALL)
        .learn(x, &mut rng(4))
        .unwrap();
    assert_eq!(fit.status, Status::Stalled, "{:?}", fit.evidence);
    assert!(fit.evidence.fails("em.law"));
    let fit = MomentMethod::new(2).learn(x, &mut rng(4)).map(|f| f.status);
    assert_ne!(fit, Ok(Status::Converged));
}

/// Rows that come in turns are the same sample.
#[test]
fn the_order_of_the_rows_is_no_evidence() {
    let one = GaussianMixture::spherical(2, [(1.0, vec![0.0, 0.0])], 1.0).unwrap();
    for (seed, turns) in [(1, 2), (2, 3), (3, 2)] {
        let mut rows = one.sample(600, &mut rng(seed));
        for (i, row) in rows.chunks_exact_mut(2).enumerate() {
            row[0] += 6.0 * (i % turns) as f64;
        }
        let x = MatRef::from_row_major_slice(&rows, 600, 2);
        let fit = Em::new(turns).learn(x, &mut rng(4)).unwrap();
        assert_eq!(fit.status, Status::Converged, "{:?}", fit.evidence);
    }
}

/// A hundred rows say little: not refused, not converged, and the report says what they would have shown.
#[test]
fn few_rows_leave_the_question_open() {
    let truth = Population::named("discrete").unwrap();
    for seed in 0..3 {
        let rows = truth.sample(150, &mut rng(seed));
        let x = MatRef::from_row_major_slice(&rows, 150, 2);
        let fit = Diffusion::new().learn(x, &mut rng(1)).unwrap();
        assert_eq!(
            fit.status,
            Status::Undecided,
            "{:?}",
            fit.evidence.first_failure()
        );
        let seen = fit.evidence.check("diffusion.detectable").unwrap();
        assert!((seen.measured - 2.53 / 150f64.sqrt()).abs() < 1e-12);
    }
}
