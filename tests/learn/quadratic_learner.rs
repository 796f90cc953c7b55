//! The quadratic learner: planted maps, the statistical floor, and everything that must not be learned.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use wickring::fit::Fit;
use wickring::io::samples::Samples;
use wickring::laws::learn::quadratic_maps::random_quadratic_map;
use wickring::learn::Quadratic;
use wickring::run::unobserved;
use wickring::tensor::QuadraticMap;
use wickring::{Error, Status};

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn learn(columns: usize, rows: Vec<f64>, learner: Quadratic) -> Result<Fit<QuadraticMap>, Error> {
    let samples = Samples::from_rows(columns, rows)?;
    learner.learn(&samples, &mut rng(0), &mut unobserved)
}

fn floor(fit: &Fit<QuadraticMap>) -> f64 {
    let mut all = fit.evidence.checks.iter();
    all.find(|e| e.key.ends_with(".floor")).unwrap().measured
}

/// Relative parameter error in units of the statistical floor, from moments only or refined.
fn ratio(r: usize, d: usize, n: usize, seed: u64, refine: bool) -> f64 {
    let hidden = random_quadratic_map(d, r, false, &mut rng(seed)).unwrap();
    let rows = hidden.sample(n, &mut rng(seed + 1000));
    let fit = learn(d, rows, Quadratic::new().refine(refine)).unwrap();
    let error = fit.model.distance(&hidden).unwrap();
    println!(
        "r={r} d={d} n={n} seed {seed}: error {error:.2e}, floor {:.2e}, ratio {:.2}, {}, {:?}",
        floor(&fit),
        error / floor(&fit),
        fit.status,
        fit.evidence
            .checks
            .iter()
            .map(|e| (e.measured * 100.0).round() / 100.0)
            .collect::<Vec<_>>()
    );
    assert_eq!(fit.model.latent_dim(), r);
    error / floor(&fit)
}

#[test]
fn moments_alone_come_within_five_times_the_floor() {
    let small: Vec<f64> = (0..5)
        .map(|seed| ratio(3, 6, 20_000, seed, false))
        .collect();
    assert!(small.iter().all(|x| *x < 5.0), "{small:?}");
    let large = ratio(6, 21, 200_000, 0, false);
    assert!(large < 5.0, "{large}");
}

#[test]
fn refined_maps_reach_the_floor() {
    let mut ratios: Vec<f64> = (0..10).map(|seed| ratio(3, 6, 5_000, seed, true)).collect();
    ratios.sort_by(f64::total_cmp);
    assert!(ratios[5] < 1.5 && ratios[9] < 2.5, "{ratios:?}");
}

#[test]
#[ignore = "statistics over many fits: cargo test --release --test learn quadratic_learner -- --ignored --nocapture"]
fn floor_and_calibration_over_many_seeds() {
    for refine in [false, true] {
        for (r, d, n) in [
            (2, 3, 5000),
            (3, 6, 2000),
            (3, 8, 20000),
            (4, 10, 50000),
            (6, 21, 20000),
        ] {
            let mut ratios: Vec<f64> = (10..30).map(|seed| ratio(r, d, n, seed, refine)).collect();
            ratios.sort_by(f64::total_cmp);
            println!(
                "refine {refine} r={r} d={d} n={n}: median {:.2}, worst {:.2}",
                ratios[10], ratios[19]
            );
            let (median, worst) = if refine { (1.5, 2.5) } else { (2.5, 5.0) };
            assert!(ratios[10] < median && ratios[19] < worst);
        }
    }
}

#[test]
fn linear_and_constant_parts_are_learned() {
    for (r, d) in [(2, 5), (2, 6), (3, 9)] {
        let hidden = random_quadratic_map(d, r, true, &mut rng(11)).unwrap();
        let rows = hidden.sample(60_000, &mut rng(12));
        let fit = learn(d, rows.clone(), Quadratic::new().general(true)).unwrap();
        let error = fit.model.distance(&hidden).unwrap();
        println!(
            "r={r} d={d}: {error:.2e}, floor {:.2e}, {:?}",
            floor(&fit),
            fit.status
        );
        assert_eq!(
            (fit.model.latent_dim(), fit.status),
            (r, Status::Converged),
            "{:?}",
            fit.evidence
        );
        assert!(error < 0.08, "{error}");
        // The mean is k_1 = Tr Q + c, to the accuracy of a sample mean.
        let gap = |m: &QuadraticMap, a: usize| m.combination(&unit(d, a)).cumulants(2);
        for a in 0..d {
            let (found, truth) = (gap(&fit.model, a), gap(&hidden, a));
            assert!((found[0] - truth[0]).abs() < 6.0 * (truth[1] / 48_000.0).sqrt());
        }
        // Without --general the rank of the covariance gives it away.
        match learn(d, rows, Quadratic::new()) {
            Err(e @ Error::Degenerate { .. }) => {
                assert!(d > 5 || e.to_string().contains("--general"))
            }
            other => assert!(d == 6 && other.unwrap().status != Status::Converged),
        }
    }
}

fn unit(d: usize, a: usize) -> Vec<f64> {
    (0..d).map(|i| f64::from(u8::from(i == a))).collect()
}

/// Beyond 45 white coordinates nothing of third order is stored; the answer is the same kind of answer.
#[test]
fn streamed_cumulants_reach_the_floor_too() {
    let ratio = ratio(10, 55, 10_000, 3, false);
    assert!(ratio < 5.0, "{ratio}");
}

#[test]
fn what_is_no_quadratic_map_of_a_gaussian_is_never_called_converged() {
    let n = 20_000;
    let draw = &mut rng(21);
    let mut normal =
        |k: usize| -> Vec<f64> { (0..k).map(|_| StandardNormal.sample(&mut *draw)).collect() };
    let hidden = random_quadratic_map(6, 3, false, &mut rng(22)).unwrap();
    let x = normal(3 * n);
    let of = |f: &dyn Fn(&[f64]) -> Vec<f64>| -> Vec<f64> { x.chunks(3).flat_map(f).collect() };
    let quadratic = |x: &[f64]| -> Vec<f64> {
        let x = faer::MatRef::from_row_major_slice(x, 1, 3);
        let z = hidden.eval(x).unwrap();
        (0..6).map(|a| z[(0, a)]).collect()
    };
    // A cubic, uniform inputs (sums of them), a mixture of two maps, plain Gaussians, outliers.
    let cubic = of(&|x| {
        quadratic(x)
            .iter()
            .enumerate()
            .map(|(a, z)| z + 0.4 * x[a % 3].powi(3))
            .collect()
    });
    let uniform = of(&|x| quadratic(&x.iter().map(|v| 1.7 * v.tanh()).collect::<Vec<_>>()));
    let mixture = of(&|x| {
        quadratic(x)
            .iter()
            .map(|z| if x[0] > 0.0 { *z } else { z - 3.0 })
            .collect()
    });
    let gaussian = normal(6 * n);
    let mut outliers = of(&|x| quadratic(x));
    outliers
        .chunks_mut(6 * 200)
        .for_each(|block| block[..6].iter_mut().for_each(|z| *z += 40.0));
    let noise = normal(6 * n);
    let noisy: Vec<f64> = of(&|x| quadratic(x))
        .iter()
        .zip(&noise)
        .map(|(z, e)| z + 0.3 * e)
        .collect();
    for (name, rows) in [
        ("cubic", cubic),
        ("uniform", uniform),
        ("mixture", mixture),
        ("gaussian", gaussian),
        ("outliers", outliers),
        ("noisy", noisy),
    ] {
        match learn(6, rows, Quadratic::new()) {
            Err(e) => {
                println!("{name}: {e}");
                assert!(matches!(e, Error::Degenerate { .. }), "{name}: {e}");
            }
            Ok(fit) => {
                let failure = fit.evidence.first_failure();
                println!("{name}: {} {failure:?}", fit.status);
                assert_ne!(fit.status, Status::Converged, "{name}");
                assert!(failure.is_some());
            }
        }
    }
}

/// One sample that is not of the map is told, whichever way the map was found.
#[test]
fn a_single_outlier_is_told() {
    for seed in 0..24 {
        let (r, d) = [(2, 3), (3, 6)][seed as usize % 2];
        let hidden = random_quadratic_map(d, r, false, &mut rng(seed)).unwrap();
        let mut rows = hidden.sample(2000, &mut rng(seed + 500));
        let mut draw = rng(seed + 900);
        rows[17 * d..18 * d].iter_mut().for_each(|z| {
            let g: f64 = StandardNormal.sample(&mut draw);
            *z = 20.0 * g;
        });
        match learn(d, rows, Quadratic::new().latent(r)) {
            Err(e) => assert!(matches!(e, Error::Degenerate { .. }), "{seed}: {e}"),
            Ok(fit) => {
                let failure = fit.evidence.first_failure();
                println!("{seed}: {} {failure:?}", fit.status);
                assert_ne!(fit.status, Status::Converged, "seed {seed}");
            }
        }
    }
}

#[test]
fn constant_duplicated_and_scaled_columns_are_handled() {
    let hidden = random_quadratic_map(6, 3, false, &mut rng(31)).unwrap();
    let rows = hidden.sample(20_000, &mut rng(32));
    let plain = learn(6, rows.clone(), Quadratic::new()).unwrap();
    // A constant and a duplicate, then every column at another, extreme scale.
    let scales = [1e200, 1e-200, 1.0, 1e3, 1e-5, 1e150, 1.0, 1e-300];
    let wide: Vec<f64> = rows
        .chunks(6)
        .flat_map(|z| [z[0], z[1], z[2], z[3], z[4], z[5], 7.25, z[2]])
        .zip(scales.iter().cycle())
        .map(|(z, s)| z * s)
        .collect();
    let fit = learn(8, wide, Quadratic::new()).unwrap();
    assert_eq!(
        (fit.model.latent_dim(), fit.status),
        (3, Status::Converged),
        "{:?}",
        fit.evidence
    );
    assert_eq!(fit.model.constant()[6], 7.25);
    assert!((0..3).all(|i| fit.model.quadratic().entry(6, i, i) == 0.0));
    // Equivariance: the same map in other units.
    let back: Vec<f64> = (0..6)
        .flat_map(|a| (0..9).map(move |ij| (a, ij)))
        .map(|(a, ij)| fit.model.quadratic().entry(a, ij / 3, ij % 3) / scales[a])
        .collect();
    let ring = wickring::tensor::SymmetricRing::new(3, back).unwrap();
    let gap = ring.align(plain.model.quadratic()).unwrap().distance;
    assert!(gap < 0.02, "{gap}");
}

#[test]
fn too_little_data_and_bad_options_are_refused() {
    let rows = |n: usize| {
        random_quadratic_map(6, 3, false, &mut rng(1))
            .unwrap()
            .sample(n, &mut rng(2))
    };
    let refused = |e: Result<Fit<QuadraticMap>, Error>| e.map(|f| f.status).unwrap_err();
    assert!(matches!(
        refused(learn(6, rows(1), Quadratic::new())),
        Error::InvalidInput { .. }
    ));
    assert!(matches!(
        refused(learn(6, rows(20), Quadratic::new())),
        Error::InvalidInput { .. }
    ));
    for bad in [
        Quadratic::new().latent(0),
        Quadratic::new().latent(4),
        Quadratic::new().holdout(0.0),
        Quadratic::new().holdout(f64::NAN),
        Quadratic::new().starts(0),
    ] {
        let e = refused(learn(6, rows(1000), bad));
        assert!(matches!(e, Error::InvalidInput { .. }), "{bad:?}: {e}");
    }
    let constant = learn(2, vec![3.0; 400], Quadratic::new());
    assert!(matches!(refused(constant), Error::Degenerate { .. }));
    // Five outputs of a quadratic map of rank 3: no r has r(r+1)/2 = 5.
    let five: Vec<f64> = rows(2000).chunks(6).flat_map(|z| z[..5].to_vec()).collect();
    assert!(matches!(
        refused(learn(5, five, Quadratic::new())),
        Error::Degenerate { .. }
    ));
}

#[test]
fn equal_seeds_give_equal_bytes_whatever_the_threads() {
    let hidden = random_quadratic_map(6, 3, false, &mut rng(41)).unwrap();
    let rows = hidden.sample(30_000, &mut rng(42));
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| learn(6, rows.clone(), Quadratic::new()).unwrap().model)
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(3));
}

#[test]
fn an_observer_can_stop_the_work() {
    let rows = random_quadratic_map(6, 3, false, &mut rng(1))
        .unwrap()
        .sample(30_000, &mut rng(2));
    let samples = Samples::from_rows(6, rows).unwrap();
    let mut calls = 0;
    let mut stop = |_: &wickring::run::Progress| {
        calls += 1;
        if calls > 3 {
            std::ops::ControlFlow::Break(())
        } else {
            std::ops::ControlFlow::Continue(())
        }
    };
    let e = Quadratic::new()
        .learn(&samples, &mut rng(0), &mut stop)
        .map(|f| f.status)
        .unwrap_err();
    assert!(matches!(e, Error::Stopped { .. }));
}

/// Once there is a model from the moments, stopping keeps it.
#[test]
fn stopping_late_keeps_the_best_so_far() {
    let hidden = random_quadratic_map(6, 3, false, &mut rng(1)).unwrap();
    let samples = Samples::from_rows(6, hidden.sample(30_000, &mut rng(2))).unwrap();
    let mut stop = |p: &wickring::run::Progress| match p.stage {
        "likelihood" => std::ops::ControlFlow::Break(()),
        _ => std::ops::ControlFlow::Continue(()),
    };
    let fit = Quadratic::new()
        .learn(&samples, &mut rng(0), &mut stop)
        .unwrap();
    assert_eq!(fit.status, Status::Stopped);
    assert!(fit.model.distance(&hidden).unwrap() < 0.05);
}
