//! The algebraic learner: planted maps of any degree, exact varieties, and what must not be learned.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use faer::Mat;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use wickring::fit::Fit;
use wickring::io::model::POLYNOMIAL_MAP;
use wickring::io::model::{Header, ModelFile};
use wickring::io::samples::Samples;
use wickring::laws::learn::polynomial_maps::random_polynomial_map;
use wickring::learn::polynomial::{Form, LearnedPolynomial, Polynomial, Requirements};
use wickring::run::unobserved;
use wickring::tensor::{MonomialBasis, PolynomialMap, QuadraticMap, SymmetricRing};
use wickring::{Error, Status};

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn learn(
    columns: usize,
    rows: Vec<f64>,
    learner: Polynomial,
) -> Result<Fit<LearnedPolynomial>, Error> {
    let samples = Samples::from_rows(columns, rows)?;
    learner.learn(&samples, &mut rng(0), &mut unobserved)
}

/// The bars of the variety: residual at most 1e-9 from four times the least number of samples.
/// Outputs that span the constant are read with lower degrees, however many they are: the homogeneous reading in one latent
/// more fits as well, and its latents are not normal.
#[test]
fn maps_with_lower_degrees_are_read_as_such_from_any_number_of_outputs() {
    for (latent, degree, outputs) in [(2, 2, 6), (2, 2, 7), (2, 2, 9), (2, 3, 11), (3, 2, 12)] {
        let mut rng = ChaCha8Rng::seed_from_u64(latent as u64 + 10 * outputs as u64);
        let hidden = random_polynomial_map(outputs, latent, degree, false, &mut rng).unwrap();
        let samples = Samples::from_rows(outputs, hidden.sample(2000, &mut rng)).unwrap();
        let learner = Polynomial::new(degree);
        let fit = learner.learn(&samples, &mut rng, &mut unobserved).unwrap();
        let failure = fit.evidence.first_failure().map(|c| c.key);
        assert_eq!(
            fit.status,
            Status::Converged,
            "{latent} {degree} {outputs}: {failure:?}"
        );
        assert!(fit.model.map.distance(&hidden).unwrap() < 0.2);
    }
    // A homogeneous map keeps its reading.
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let hidden = random_polynomial_map(8, 3, 2, true, &mut rng).unwrap();
    let samples = Samples::from_rows(8, hidden.sample(2000, &mut rng)).unwrap();
    let fit = Polynomial::new(2)
        .learn(&samples, &mut rng, &mut unobserved)
        .unwrap();
    assert_eq!(
        (fit.status, fit.model.map.latent_dim()),
        (Status::Converged, 3)
    );
}

#[test]
fn varieties_are_fitted_exactly_from_few_samples() {
    for (w, ranks, form) in [
        (2, 3..=5, Form::Homogeneous),
        (3, 2..=4, Form::Homogeneous),
        (4, 2..=3, Form::Homogeneous),
        (5, 2..=2, Form::Homogeneous),
        (2, 1..=3, Form::General),
        (3, 1..=3, Form::General),
    ] {
        for r in ranks {
            let needs = Requirements::of(r, w, form).unwrap();
            let d = needs.outputs;
            let homogeneous = form == Form::Homogeneous;
            let hidden = random_polynomial_map(d, r, w, homogeneous, &mut rng(r as u64)).unwrap();
            let n = 4 * needs.samples + 10;
            let clock = std::time::Instant::now();
            let fit = learn(d, hidden.sample(n, &mut rng(77)), Polynomial::new(w));
            let fit = fit.unwrap_or_else(|e| panic!("w={w} r={r} {form:?}: {e}"));
            println!(
                "w={w} r={r} {form:?} n={n}: {:.1e} {} distance {:.2e} {:.2}s {:?}",
                fit.evidence.rel_residual,
                fit.status,
                fit.model.map.distance(&hidden).unwrap(),
                clock.elapsed().as_secs_f64(),
                fit.evidence.first_failure()
            );
            assert_eq!(fit.model.map.latent_dim(), r);
            assert_eq!(fit.model.requirements.form, form);
            assert!(fit.evidence.rel_residual <= 1e-9);
        }
    }
}

#[test]
fn the_error_falls_with_the_samples_and_the_law_is_accepted() {
    for (w, r, d, homogeneous) in [(3, 2, 6, true), (3, 2, 10, false), (4, 2, 5, true)] {
        let hidden = random_polynomial_map(d, r, w, homogeneous, &mut rng(5)).unwrap();
        let mut errors = Vec::new();
        for n in [500, 32_000] {
            let fit = learn(d, hidden.sample(n, &mut rng(6)), Polynomial::new(w)).unwrap();
            assert_eq!(
                fit.status,
                Status::Converged,
                "{:?}",
                fit.evidence.first_failure()
            );
            errors.push(fit.model.map.distance(&hidden).unwrap());
        }
        println!("w={w} r={r} d={d}: {errors:?}");
        // Eight times less is expected; the covariance of x is all that is estimated.
        assert!(
            errors[1] < 0.4 * errors[0] && errors[1] < 0.06,
            "{errors:?}"
        );
    }
}

#[test]
fn outputs_of_few_terms_are_written_as_such() {
    // Two cubes of linear forms in each of ten outputs of three latents.
    let basis = MonomialBasis::homogeneous(3, 3).unwrap();
    let draw = &mut rng(9);
    let mut c = faer::Mat::<f64>::zeros(10, basis.len());
    for a in 0..10 {
        for _ in 0..2 {
            let u: Vec<f64> = (0..3).map(|_| StandardNormal.sample(&mut *draw)).collect();
            let mut b = faer::Mat::<f64>::zeros(3, 3);
            (0..3).for_each(|j| b[(0, j)] = u[j]);
            // Row x_0^3 of the substitution is <u, x>^3.
            let t = basis.substitution(b.as_ref()).unwrap();
            (0..basis.len()).for_each(|k| c[(a, k)] += t[(0, k)]);
        }
    }
    let hidden = PolynomialMap::new(basis, c).unwrap();
    let rows = hidden.sample(3000, &mut rng(10));
    let fit = learn(10, rows.clone(), Polynomial::new(3).terms(2)).unwrap();
    assert_eq!(
        fit.status,
        Status::Converged,
        "{:?}",
        fit.evidence.first_failure()
    );
    let terms = fit.model.terms.as_ref().unwrap();
    assert!(terms.worst() < 1e-8 && terms.terms.iter().all(|t| t.len() == 2));
    // One term is not enough, and that is said.
    let one = learn(10, rows, Polynomial::new(3).terms(1)).unwrap();
    assert_eq!(one.status, Status::Stalled);
    assert!(
        one.evidence
            .first_failure()
            .unwrap()
            .label
            .contains("powers")
    );
}

#[test]
fn what_is_no_polynomial_map_of_a_gaussian_is_never_called_converged() {
    let n = 4000;
    let hidden = random_polynomial_map(5, 2, 3, true, &mut rng(2)).unwrap();
    let x: Vec<f64> = (0..2 * n)
        .scan(rng(3), |g, _| Some(StandardNormal.sample(g)))
        .collect();
    let of = |x: &[f64]| -> Vec<f64> {
        let z = hidden
            .eval(faer::MatRef::from_row_major_slice(x, x.len() / 2, 2))
            .unwrap();
        (0..z.nrows())
            .flat_map(|i| (0..5).map(move |a| (i, a)))
            .map(|at| z[at])
            .collect()
    };
    let exact = of(&x);
    let uniform: Vec<f64> = x
        .iter()
        .map(|v| 3f64.sqrt() * (2.0 * wickring::poly::gaussian::normal_cdf(*v) - 1.0))
        .collect();
    let mut noise = rng(4);
    let noisy: Vec<f64> = exact
        .iter()
        .map(|z| {
            let e: f64 = StandardNormal.sample(&mut noise);
            z + 0.1 * e
        })
        .collect();
    let mut outliers = exact.clone();
    outliers.chunks_mut(5 * 100).for_each(|b| b[0] += 30.0);
    let mixture: Vec<f64> = exact
        .chunks(5)
        .enumerate()
        .flat_map(|(i, z)| z.iter().map(move |z| if i % 2 == 0 { *z } else { z + 4.0 }))
        .collect();
    for (name, rows, degree) in [
        ("uniform", of(&uniform), 3),
        ("noisy", noisy, 3),
        ("outliers", outliers, 3),
        ("mixture", mixture, 3),
        ("wrong degree", exact.clone(), 2),
        ("wrong degree", exact, 4),
    ] {
        match learn(5, rows, Polynomial::new(degree)) {
            Err(e) => {
                println!("{name}: {e}");
                assert!(matches!(
                    e,
                    Error::Degenerate { .. } | Error::InvalidInput { .. }
                ));
            }
            Ok(fit) => {
                println!("{name}: {} {:?}", fit.status, fit.evidence.first_failure());
                assert_ne!(fit.status, Status::Converged, "{name}");
                assert!(fit.evidence.first_failure().is_some(), "{name}");
            }
        }
    }
}

#[test]
fn needs_are_told_and_bad_options_refused() {
    let hidden = random_polynomial_map(10, 3, 3, true, &mut rng(2)).unwrap();
    let rows = |n: usize| hidden.sample(n, &mut rng(3));
    let few = learn(10, rows(25), Polynomial::new(3).latent(3)).unwrap_err();
    assert!(few.to_string().contains("34 samples"), "{few}");
    let narrow = learn(10, rows(2000), Polynomial::new(3).latent(4)).unwrap_err();
    assert!(narrow.to_string().contains("20 outputs"), "{narrow}");
    for bad in [
        Polynomial::new(1),
        Polynomial::new(9),
        Polynomial::new(3).latent(0),
        Polynomial::new(3).holdout(f64::NAN),
        Polynomial::new(3).terms(0),
    ] {
        let e = learn(10, rows(100), bad).unwrap_err();
        assert!(matches!(e, Error::InvalidInput { .. }), "{bad:?}: {e}");
    }
    let constant = learn(3, vec![1.0; 900], Polynomial::new(2));
    assert!(!constant.is_ok_and(|fit| fit.status == Status::Converged));
}

#[test]
fn model_files_hold_the_map_and_seeds_fix_the_bytes() {
    let hidden = random_polynomial_map(12, 2, 3, false, &mut rng(8)).unwrap();
    let rows = hidden.sample(5000, &mut rng(9));
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| learn(12, rows.clone(), Polynomial::new(3)).unwrap().model)
    };
    let (one, two) = (run(1), run(2));
    assert_eq!(one, two);
    let header = Header {
        schema: String::new(),
        seed: 0,
        status: Status::Converged,
        inputs: Vec::new(),
        report: serde_json::Value::Null,
    };
    let file = ModelFile::of_polynomial_map(&one.map, header);
    assert_eq!(file.header.schema, POLYNOMIAL_MAP);
    let again = ModelFile::from_json(&file.to_json())
        .unwrap()
        .polynomial_map()
        .unwrap();
    // Rounding in squares of coefficients.
    assert!(again.distance(&one.map).unwrap() < 1e-12);
    // The exact mean of an output is that of its Gaussian moments.
    let mean = one.map.exact_mean(3).unwrap();
    let sampled: f64 = rows.iter().skip(3).step_by(12).sum::<f64>() / 5000.0;
    assert!((mean.to_f64() - sampled).abs() < 6.0 * (one.map.covariance()[(3, 3)] / 4000.0).sqrt());
}

#[test]
fn the_algebra_has_the_dimensions_of_the_theory_over_the_rationals() {
    use wickring::laws::learn::polynomial_maps::veronese_dimensions;
    let mut draw = rng(12);
    for (v, w, count) in [(2, 2, 9), (2, 3, 11), (2, 4, 13), (3, 2, 20)] {
        let mut entry = || (40.0 * Distribution::<f64>::sample(&StandardNormal, &mut draw)) as i64;
        let points: Vec<Vec<i64>> = (0..count)
            .map(|k| (0..v).map(|j| entry() + i64::from(j == k % v)).collect())
            .collect();
        veronese_dimensions(v, w, &points).unwrap_or_else(|b| panic!("{b}"));
        // Too few points leave quadrics that do not belong.
        assert!(veronese_dimensions(v, w, &points[..v]).is_err());
    }
}

#[test]
fn fuzz_regressions_are_replayed() {
    for entry in std::fs::read_dir("fuzz/regressions/polynomial_map").unwrap() {
        let path = entry.unwrap().path();
        let data = std::fs::read(&path).unwrap();
        wickring::laws::learn::polynomial_maps::fuzz_polynomial_map(&data)
            .unwrap_or_else(|b| panic!("{}: {b}", path.display()));
    }
}

#[test]
fn distances_do_not_see_the_gauge() {
    for (r, w) in [(2, 3), (3, 3), (3, 4)] {
        let map = random_polynomial_map(8, r, w, false, &mut rng(1)).unwrap();
        let wide = MonomialBasis::homogeneous(r + 1, w).unwrap();
        let noise = faer::Mat::from_fn(r, r, |i, j| ((3 * i + 5 * j) as f64).sin());
        let (u, _, _) = wickring::linalg::polar_orthogonal("test", noise.as_ref()).unwrap();
        let b = faer::Mat::from_fn(r + 1, r + 1, |i, j| match (i, j) {
            (0, 0) => 1.0,
            (0, _) | (_, 0) => 0.0,
            _ => u[(i - 1, j - 1)],
        });
        let turned = map.coefficients() * wide.substitution(b.as_ref()).unwrap();
        let turned = PolynomialMap::new(map.basis().clone(), turned).unwrap();
        let near = map.distance(&turned).unwrap();
        // Rounding of some twenty products of entries of order one, conditioned by the gauge.
        assert!(near < 1e-10, "{near}");
        let other = random_polynomial_map(8, r, w, false, &mut rng(2)).unwrap();
        assert!(map.distance(&other).unwrap() > 0.1);
    }
}

/// Two maps a little apart are found a little apart, in both directions, whatever gauge lies between them.
#[test]
fn the_gauge_between_noisy_maps_is_found() {
    for seed in 0..40 {
        let (r, d) = [(3, 5), (4, 8), (5, 14)][seed as usize % 3];
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let gaussian = |rng: &mut ChaCha8Rng| -> f64 { StandardNormal.sample(rng) };
        let x = Mat::from_fn(d * r, r, |_, _| gaussian(&mut rng));
        let e = Mat::from_fn(d * r, r, |_, _| 0.02 * gaussian(&mut rng));
        let u = Mat::from_fn(r, r, |_, _| gaussian(&mut rng))
            .qr()
            .compute_Q();
        let map = |cores: &dyn Fn(usize) -> Mat<f64>| {
            let mut entries = Vec::new();
            for a in 0..d {
                let core = cores(a);
                entries.extend((0..r * r).map(|k| core[(k / r, k % r)] + core[(k % r, k / r)]));
            }
            let ring = SymmetricRing::new(r, entries).unwrap();
            let map = QuadraticMap::new(ring, vec![0.0; d * r], vec![0.0; d]).unwrap();
            PolynomialMap::of_quadratic(&map).unwrap()
        };
        let one = map(&|a| x.subrows(a * r, r).to_owned());
        let two = map(&|a| {
            let noisy = x.subrows(a * r, r) + e.subrows(a * r, r);
            &u * noisy * u.transpose()
        });
        let (there, back) = (one.distance(&two).unwrap(), two.distance(&one).unwrap());
        // A relative error of .02 in independent entries; its size varies by a few percent.
        assert!(
            there < 0.03 && back < 0.03,
            "seed {seed}: {there} and {back}"
        );
    }
}
