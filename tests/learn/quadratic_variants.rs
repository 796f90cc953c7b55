//! Quadratic maps beyond the plain case: other laws, few outputs, noise, two-sample tests.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use wickring::fit::Fit;
use wickring::io::samples::Samples;
use wickring::laws::learn::quadratic_maps::{random_quadratic_map, sphere_samples};
use wickring::learn::{
    FewOutputs, Noise, Quadratic, RadialInput, RadialMap, RadialQuadratic, statistical_floor,
};
use wickring::run::unobserved;
use wickring::tensor::QuadraticMap;
use wickring::{Error, Status};

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Samples for latents of the given length; the direction is uniform.
fn radial(
    map: &QuadraticMap,
    n: usize,
    seed: u64,
    length: impl Fn(&mut ChaCha8Rng, usize) -> f64,
) -> Vec<f64> {
    let (r, g) = (map.latent_dim(), &mut rng(seed));
    let mut rows = Vec::new();
    for _ in 0..n {
        let u: Vec<f64> = (0..r).map(|_| StandardNormal.sample(&mut *g)).collect();
        let norm = u.iter().map(|x: &f64| x * x).sum::<f64>().sqrt();
        let scale = length(g, r) / norm;
        let x = faer::Mat::from_fn(1, r, |_, j| u[j] * scale);
        let z = map.eval(x.as_ref()).unwrap();
        rows.extend((0..z.ncols()).map(|a| z[(0, a)]));
    }
    rows
}

fn learn_radial(
    d: usize,
    rows: Vec<f64>,
    learner: RadialQuadratic,
) -> Result<Fit<RadialMap>, Error> {
    learner.learn(&Samples::from_rows(d, rows)?, &mut rng(0), &mut unobserved)
}

#[test]
fn rotation_invariant_inputs_are_learned_with_and_without_their_law() {
    for (r, d) in [(2, 3), (3, 8)] {
        let hidden = random_quadratic_map(d, r, false, &mut rng(3)).unwrap();
        let ball = |g: &mut ChaCha8Rng, r: usize| {
            ((r + 2) as f64).sqrt() * g.random::<f64>().powf(1.0 / r as f64)
        };
        let balls = radial(&hidden, 20_000, 4, ball);
        let spheres = sphere_samples(&hidden, 20_000, &mut rng(5)).unwrap();
        let gaussian = hidden.sample(20_000, &mut rng(6));
        for (name, rows, law) in [
            ("ball", &balls, RadialInput::Ball),
            ("sphere", &spheres, RadialInput::Sphere),
            ("gaussian", &gaussian, RadialInput::Moments(1.0, 1.0)),
        ] {
            let (four, six) = law.moments(r).unwrap().unwrap();
            for (law, refine) in [
                (law, false),
                (RadialInput::Unknown, false),
                (RadialInput::Unknown, true),
                (law, true),
            ] {
                let learner = RadialQuadratic::new(law).refine(refine);
                let fit = learn_radial(d, rows.clone(), learner).unwrap();
                let error = fit.model.map.distance(&hidden).unwrap();
                println!(
                    "{name} r={r} {law:?} refine {refine}: error {error:.1e} law {:?} true {:?} {} {:?}",
                    fit.model.law,
                    (four, six),
                    fit.status,
                    fit.evidence.first_failure()
                );
                assert_eq!(
                    fit.status,
                    Status::Converged,
                    "{:?}",
                    fit.evidence.first_failure()
                );
                assert!(
                    error
                        < if refine && name != "sphere" {
                            0.03
                        } else {
                            0.2
                        },
                    "{error}"
                );
                assert!((fit.model.law.0 / four - 1.0).abs() < 0.1);
                // On a sphere the length is known without the latents.
                assert_eq!(fit.model.radii.is_empty(), !refine && name != "sphere");
            }
        }
        // The wrong law is noticed.
        let wrong = learn_radial(
            d,
            spheres,
            RadialQuadratic::new(RadialInput::Moments(1.0, 1.0)),
        );
        match wrong {
            Ok(fit) => assert_ne!(fit.status, Status::Converged),
            Err(e) => assert!(matches!(e, Error::Degenerate { .. }), "{e}"),
        }
    }
}

#[test]
fn few_outputs_are_learned_or_said_to_be_uncertain() {
    let mut learned = 0;
    for seed in 0..4 {
        let (r, d) = [(3, 5), (3, 4)][seed as usize % 2];
        let hidden = random_quadratic_map(d, r, false, &mut rng(70 + seed)).unwrap();
        let rows = hidden.sample(6000, &mut rng(8 + seed));
        let samples = Samples::from_rows(d, rows).unwrap();
        let learner = FewOutputs::new(r).starts(10);
        let fit = learner
            .learn(&samples, &mut rng(0), &mut unobserved)
            .unwrap();
        let error = fit.model.distance(&hidden).unwrap();
        let floor = statistical_floor(&hidden, 6000);
        println!(
            "d={d} r={r}: {error:.2e}, floor {floor:.2e}, {} {:?}",
            fit.status,
            fit.evidence.first_failure()
        );
        // Whoever is on the variety is near the floor; whoever is not says so.
        learned += usize::from(fit.status == Status::Converged);
        assert!(fit.status != Status::Converged || error < 3.0 * floor);
    }
    assert!(learned >= 2, "{learned} of 4");
    // Two outputs cannot tell four latents.
    let two = Samples::from_rows(
        2,
        random_quadratic_map(2, 4, false, &mut rng(1))
            .unwrap()
            .sample(500, &mut rng(2)),
    )
    .unwrap();
    let e = FewOutputs::new(4)
        .learn(&two, &mut rng(0), &mut unobserved)
        .map(|f| f.status)
        .unwrap_err();
    assert!(matches!(e, Error::InvalidInput { .. }), "{e}");
}

#[test]
fn noise_is_estimated_reported_and_allowed_for_on_request() {
    let hidden = random_quadratic_map(12, 3, false, &mut rng(9)).unwrap();
    let mut rows = hidden.sample(40_000, &mut rng(10));
    let sd: Vec<f64> = (0..12)
        .map(|a| {
            let unit: Vec<f64> = (0..12).map(|b| f64::from(u8::from(a == b))).collect();
            hidden.combination(&unit).cumulants(2)[1].sqrt()
        })
        .collect();
    let g = &mut rng(11);
    for row in rows.chunks_mut(12) {
        row.iter_mut().zip(&sd).for_each(|(z, s)| {
            let e: f64 = StandardNormal.sample(&mut *g);
            *z += 0.1 * s * e;
        });
    }
    let samples = Samples::from_rows(12, rows).unwrap();
    let learn = |noise: Noise| {
        let learner = Quadratic::new().latent(3).noise(noise);
        learner
            .learn(&samples, &mut rng(0), &mut unobserved)
            .unwrap()
    };
    let (plain, aware) = (learn(Noise::Absent), learn(Noise::Estimated));
    let share = |fit: &Fit<QuadraticMap>| {
        let found = fit
            .evidence
            .checks
            .iter()
            .find(|e| ["quadratic.noise-share", "quadratic.noise"].contains(&e.key));
        found.unwrap().measured
    };
    println!(
        "plain {} {:?}, aware {} {:?}; {:.4} {:.4}",
        plain.status,
        plain.evidence.first_failure(),
        aware.status,
        aware.evidence.first_failure(),
        plain.model.distance(&hidden).unwrap(),
        aware.model.distance(&hidden).unwrap()
    );
    // Ten per cent noise, which adds one per cent to the variance.
    assert!((share(&aware) - 0.1).abs() < 0.01 && (share(&plain) - 0.1).abs() < 0.01);
    assert_eq!(
        aware.status,
        Status::Converged,
        "{:?}",
        aware.evidence.first_failure()
    );
    // The likelihood with noise in it: near the floor of noiseless samples, and better than the moments.
    let moments = Quadratic::new().latent(3).noise(Noise::Estimated);
    let moments = moments
        .refine(false)
        .learn(&samples, &mut rng(0), &mut unobserved)
        .unwrap();
    let error = aware.model.distance(&hidden).unwrap();
    assert!(error < moments.model.distance(&hidden).unwrap());
    assert!(error < 2.0 * statistical_floor(&hidden, 40_000), "{error}");
    let none =
        Quadratic::new()
            .noise(Noise::Known(1.5))
            .learn(&samples, &mut rng(0), &mut unobserved);
    assert!(matches!(none, Err(Error::InvalidInput { .. })), "{none:?}");
}

/// Rows with Gaussian noise of a share of each output's standard deviation.
fn with_noise(hidden: &QuadraticMap, n: usize, share: f64, seed: u64) -> Samples {
    let d = hidden.output_dim();
    let mut rows = hidden.sample(n, &mut rng(seed));
    let g = &mut rng(seed + 1);
    for a in 0..d {
        let unit: Vec<f64> = (0..d).map(|b| f64::from(u8::from(a == b))).collect();
        let sd = hidden.combination(&unit).cumulants(2)[1].sqrt();
        for row in rows.chunks_mut(d) {
            let e: f64 = StandardNormal.sample(&mut *g);
            row[a] += share * sd * e;
        }
    }
    Samples::from_rows(d, rows).unwrap()
}

#[test]
fn noise_is_told_by_the_variety_where_no_output_is_spare() {
    for (general, d) in [(false, 6), (true, 9)] {
        let hidden = random_quadratic_map(d, 3, general, &mut rng(31)).unwrap();
        for (share, assumed) in [
            (0.05, Noise::Estimated),
            (0.05, Noise::Known(0.05)),
            (0.0, Noise::Estimated),
        ] {
            let samples = with_noise(&hidden, 6000, share, 32);
            let learner = Quadratic::new().general(general).noise(assumed);
            let fit = learner
                .learn(&samples, &mut rng(0), &mut unobserved)
                .unwrap();
            let error = fit.model.distance(&hidden).unwrap();
            let floor = statistical_floor(&hidden, 6000);
            println!(
                "general {general} {share} {assumed:?}: {error:.2e}, floor {floor:.2e}, {:?}",
                fit.evidence.first_failure()
            );
            assert_eq!(fit.status, Status::Converged);
            assert!(error < 2.5 * floor, "{error} {floor}");
            let found = fit
                .evidence
                .checks
                .iter()
                .find(|e| e.key == "quadratic.noise");
            assert_eq!(found.is_some(), share > 0.0);
            assert!(found.is_none_or(|e| (e.measured - share).abs() < 0.005));
        }
        // Noise of another size than the one told is noticed.
        let samples = with_noise(&hidden, 6000, 0.1, 33);
        let learner = Quadratic::new().general(general).noise(Noise::Known(0.03));
        let fit = learner
            .learn(&samples, &mut rng(0), &mut unobserved)
            .unwrap();
        assert_ne!(fit.status, Status::Converged);
    }
}

#[test]
fn one_outlier_and_one_coordinate_that_is_not_normal_are_noticed() {
    let hidden = random_quadratic_map(6, 3, false, &mut rng(41)).unwrap();
    let n = 8000;
    let mut rows = hidden.sample(n, &mut rng(42));
    rows[6 * 4321..6 * 4322].iter_mut().for_each(|z| *z += 1.0);
    let g = &mut rng(43);
    // Two normals a standard deviation from the middle each, in one coordinate.
    let x = faer::Mat::from_fn(n, 3, |_, j| {
        let e: f64 = StandardNormal.sample(&mut *g);
        match j {
            0 => e + if g.random::<bool>() { 1.0 } else { -1.0 },
            _ => e,
        }
    });
    let z = hidden.eval(x.as_ref()).unwrap();
    let mixed = (0..n * 6).map(|k| z[(k / 6, k % 6)]).collect();
    for (name, rows) in [("outlier", rows), ("mixture", mixed)] {
        let samples = Samples::from_rows(6, rows).unwrap();
        let fit = Quadratic::new().learn(&samples, &mut rng(0), &mut unobserved);
        let fit = fit.unwrap();
        println!("{name}: {:?}", fit.evidence.first_failure());
        assert_ne!(fit.status, Status::Converged, "{name}");
    }
}

/// Moments may be drowned in noise; then no test may let the map pass as learned.
#[test]
fn maps_of_drowned_moments_are_not_converged() {
    let (mut good, mut refused) = (0, 0);
    for seed in 0..60 {
        let hidden = random_quadratic_map(6, 3, false, &mut rng(seed)).unwrap();
        let mut rows = hidden.sample(1000, &mut rng(seed + 1000));
        let g = &mut rng(seed + 2000);
        let size = |a: usize| {
            let column: Vec<f64> = rows.iter().skip(a).step_by(6).copied().collect();
            let mean = column.iter().sum::<f64>() / 1000.0;
            (column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 1000.0).sqrt()
        };
        let sd: Vec<f64> = (0..6).map(size).collect();
        for row in rows.chunks_mut(6) {
            row.iter_mut().zip(&sd).for_each(|(z, s)| {
                let e: f64 = StandardNormal.sample(&mut *g);
                *z += 0.2 * s * e;
            });
        }
        let samples = Samples::from_rows(6, rows).unwrap();
        let share = 0.2 / 1.04f64.sqrt();
        let learner = Quadratic::new().latent(3).noise(Noise::Known(share));
        let fit = learner
            .refine(false)
            .learn(&samples, &mut rng(0), &mut unobserved);
        match fit {
            Ok(fit) if fit.status == Status::Converged => {
                let error = fit.model.distance(&hidden).unwrap();
                let floor = statistical_floor(&hidden, 1000);
                println!("{seed}: {:.2} floors", error / floor);
                assert!(error < 8.0 * floor, "seed {seed}: {}", error / floor);
                good += 1;
            }
            _ => refused += 1,
        }
    }
    assert!(good > 20, "{good} accepted, {refused} refused");
}
