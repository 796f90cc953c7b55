//! Two-layer networks: the reduction is exact, planted networks come back, what is beyond reach is declined.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use faer::Mat;
use proptest::prelude::*;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use wickring::fit::Fit;
use wickring::laws::learn::two_layer::{
    fuzz_overcomplete, model_file_predicts, test_error_is_tensor_error,
};
use wickring::learn::two_layer::{
    Coefficients, HermiteFit, LearnedTwoLayer, PolynomialActivation, TwoLayerLearner,
    TwoLayerMethod, TwoLayerNetwork,
};
use wickring::linalg::small::unit_columns;
use wickring::poly::Rational;
use wickring::{Error, Status};

fn normal(rows: usize, cols: usize, rng: &mut ChaCha8Rng) -> Mat<f64> {
    Mat::from_fn(rows, cols, |_, _| StandardNormal.sample(rng))
}

/// `r` random unit weights, one a row.
fn unit_weights(r: usize, d: usize, rng: &mut ChaCha8Rng) -> Mat<f64> {
    let mut w = normal(d, r, rng);
    unit_columns(w.as_mut());
    w.transpose().to_owned()
}

struct Case {
    truth: TwoLayerNetwork,
    x: Mat<f64>,
    y: Vec<f64>,
    rng: ChaCha8Rng,
}

fn planted(sigma: &str, (d, n, r): (usize, usize, usize), seed: u64) -> Case {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let w = unit_weights(r, d, &mut rng);
    let sigma = PolynomialActivation::parse(sigma).unwrap();
    let truth = TwoLayerNetwork::plain(sigma, w).unwrap();
    sampled(truth, n, rng)
}

fn sampled(truth: TwoLayerNetwork, n: usize, mut rng: ChaCha8Rng) -> Case {
    let x = normal(n, truth.input_dim(), &mut rng);
    let y = truth.evaluate(x.as_ref()).unwrap();
    Case { truth, x, y, rng }
}

impl Case {
    fn learner(&self) -> TwoLayerLearner {
        TwoLayerLearner::new(self.truth.activation().clone(), self.truth.neurons())
    }

    fn learn(&mut self, learner: &TwoLayerLearner) -> Fit<LearnedTwoLayer> {
        learner
            .learn(self.x.as_ref(), &self.y, &mut self.rng)
            .unwrap()
    }

    fn error(&self, fit: &Fit<LearnedTwoLayer>) -> f64 {
        self.truth.test_error(&fit.model.network).unwrap()
    }
}

#[test]
fn samples_at_twice_the_unknowns_give_the_network() {
    let mut case = planted("x^3 - 3*x", (20, 1000, 22), 0);
    let learner = case.learner();
    let fit = case.learn(&learner);
    assert_eq!(fit.status, Status::Converged, "{:?}", fit.model.report);
    assert!(case.error(&fit) <= 1e-10, "{}", case.error(&fit));
    assert_eq!(fit.model.report.method, TwoLayerMethod::Risk);
    model_file_predicts(&fit.model.network, case.x.as_ref()).unwrap();
}

#[test]
fn regression_is_exact_and_so_is_its_decomposition() {
    let mut case = planted("1 + 2*x + x^3", (12, 700, 14), 1);
    let learner = case.learner();
    let fit = case.learn(&learner);
    assert_eq!(
        fit.model.report.method,
        TwoLayerMethod::Regression,
        "{}",
        fit.model.report.choice
    );
    assert!(fit.model.report.improper_error.unwrap() <= 1e-20);
    assert_eq!(fit.status, Status::Converged, "{:?}", fit.model.report);
    assert!(case.error(&fit) <= 1e-12);
    // The tensor itself, against the truth.
    let (x, y) = (case.x.as_ref(), &case.y);
    let tensor = HermiteFit::by_least_squares(x, y, &[0, 1, 3])
        .unwrap()
        .tensor(3)
        .unwrap();
    let left = tensor.minus_powers(&[1.0; 14], case.truth.weights());
    assert!(left.norm() <= 1e-10 * tensor.norm(), "{}", left.norm());
}

#[test]
fn activations_of_degrees_two_to_five() {
    let cases = [
        ("x^2 - 1", (6, 400, 2)),
        ("1 - x + 0.5*x^2 + x^3", (8, 700, 6)),
        ("x^4 - 6*x^2 + 3", (6, 900, 8)),
        ("x + x^2 + x^4", (6, 900, 5)),
        ("x^5 + x", (5, 900, 6)),
    ];
    for (sigma, sizes) in cases {
        let mut case = planted(sigma, sizes, 2);
        let learner = case.learner();
        let fit = case.learn(&learner);
        let error = case.error(&fit);
        assert!(error <= 1e-12, "{sigma}: {error:e} {:?}", fit.model.report);
        assert_eq!(fit.status, Status::Converged, "{sigma}");
    }
}

#[test]
fn unequal_coefficients_and_correlated_weights() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let (d, r) = (10, 8);
    let mut w = unit_weights(r, d, &mut rng);
    // Correlated: all lean to one direction.
    for i in 0..r {
        w[(i, 0)] += 0.7;
    }
    let c: Vec<f64> = (0..r).map(|i| [1.0, -0.5, 2.0, 0.3][i % 4]).collect();
    for sigma in ["x - x^2 + x^3", "x^4 + x^2"] {
        let sigma = PolynomialActivation::parse(sigma).unwrap();
        let truth = TwoLayerNetwork::new(sigma, 0.0, c.clone(), w.clone()).unwrap();
        let mut case = sampled(truth, 1500, rng.clone());
        let learner = case.learner().coefficients(Coefficients::Free);
        let fit = case.learn(&learner);
        let error = case.error(&fit);
        assert!(error <= 1e-10, "{error:e} {:?}", fit.model.report);
    }
}

#[test]
fn noise_is_measured_and_the_function_found() {
    let mut case = planted("x^3 - 3*x", (10, 1500, 8), 3);
    for e in &mut case.y {
        let z: f64 = StandardNormal.sample(&mut case.rng);
        *e += 0.5 * z;
    }
    let learner = case.learner();
    let fit = case.learn(&learner);
    let report = &fit.model.report;
    assert_eq!(fit.status, Status::Converged, "{report:?}");
    let noise = report.noise.unwrap();
    assert!((noise / 0.5 - 1.0).abs() < 0.1, "{noise}");
    assert!(case.error(&fit) <= 3.0 * report.expected_error.unwrap());
}

/// Held-out rows far out meet many times the average share of the noise: no reason to refuse what is right.
#[test]
fn planted_networks_under_noise_are_not_refused() {
    for (sigma, seeds) in [("He5", 28..36), ("He6", 30..36), ("He6", 55..58)] {
        for seed in seeds {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut w = normal(2, 4, &mut rng).transpose().to_owned();
            unit_columns(w.as_mut());
            let sigma = PolynomialActivation::parse(sigma).unwrap();
            let truth = TwoLayerNetwork::plain(sigma, w.transpose().to_owned()).unwrap();
            let mut case = sampled(truth, 460, rng);
            let mean = case.y.iter().sum::<f64>() / 460.0;
            let square = case.y.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
            let size = 0.1 * (square / 460.0).sqrt();
            for e in &mut case.y {
                let z: f64 = StandardNormal.sample(&mut case.rng);
                *e += size * z;
            }
            let learner = case.learner();
            let fit = case.learn(&learner);
            let report = &fit.model.report;
            assert_eq!(fit.status, Status::Converged, "{seed}: {report:?}");
            assert!(case.error(&fit) <= 0.01);
        }
    }
}

/// What a polynomial network can only come near is never noise, whatever share of the targets it explains.
#[test]
fn targets_of_other_activations_are_not_certified() {
    let targets: [(&str, &str, fn(f64) -> f64); 5] = [
        ("sin", "x^3-3*x", |z| (2.0 * z).sin()),
        ("tanh", "x^3+x", f64::tanh),
        ("cos", "x^4+x^2", |z| (2.0 * z).cos()),
        ("relu", "x^4+x^2+x", |z| z.max(0.0)),
        ("step", "x^3+x", |z| f64::from(u8::from(z > 0.0))),
    ];
    for (name, sigma, f) in targets {
        let mut case = planted(sigma, (6, 1000, 3), 1);
        let z = &case.x * case.truth.weights().transpose();
        case.y = (0..1000)
            .map(|k| (0..3).map(|i| f(z[(k, i)])).sum())
            .collect();
        let learner = case.learner();
        let fit = case.learn(&learner);
        let report = &fit.model.report;
        assert_ne!(fit.status, Status::Converged, "{name}: {report:?}");
        assert!(
            report.reason.is_some() && report.expected_error.is_none(),
            "{name}"
        );
    }
}

#[test]
fn a_local_minimum_is_left_for_a_better_start_or_refused() {
    for seed in 0..3 {
        let mut case = planted("He5", (10, 1500, 8), seed);
        let learner = case.learner().starts(1);
        let fit = case.learn(&learner);
        let found = fit.status == Status::Converged;
        assert!(!found || case.error(&fit) <= 1e-10, "{seed}");
        assert_eq!(
            found, fit.model.report.exact,
            "{seed}: {:?}",
            fit.model.report
        );
    }
}

#[test]
fn weights_that_the_function_does_not_tell_are_named() {
    // Squares: any rotation among the neurons. Cubes up to the generic rank are told.
    for (sigma, r, free) in [("x^2", 2, 1), ("x^2", 4, 6), ("x^2+x", 2, 0), ("x^3", 4, 0)] {
        let mut case = planted(sigma, (4, 400, r), 3);
        let learner = case.learner().coefficients(Coefficients::Equal);
        let fit = case.learn(&learner);
        assert_eq!(fit.status, Status::Converged, "{sigma} {r}");
        assert_eq!(fit.model.report.free_directions, Some(free), "{sigma} {r}");
        let check = fit.evidence.check("two-layer.uniqueness").unwrap();
        assert_eq!(check.measured, free as f64);
    }
}

/// Every step of every stage asks; once told to stop, the fit takes no further step.
#[test]
fn stops_wherever_it_is() {
    let case = planted("x^3 - 3*x", (8, 600, 6), 0);
    let mut stages: Vec<&'static str> = Vec::new();
    for most in [1usize, 30, 200, 400] {
        let mut asked = 0;
        let mut late = 0;
        let mut rng = case.rng.clone();
        let fit = case
            .learner()
            .method(TwoLayerMethod::Risk)
            .learn_observed(case.x.as_ref(), &case.y, &mut rng, &mut |p| {
                asked += 1;
                late += usize::from(asked > most);
                stages.push(p.stage);
                if asked >= most {
                    std::ops::ControlFlow::Break(())
                } else {
                    std::ops::ControlFlow::Continue(())
                }
            })
            .unwrap();
        assert_eq!(late, 0, "after {most}");
        assert_eq!(fit.status == Status::Stopped, asked >= most, "{most}");
        assert!(fit.status == Status::Converged || fit.model.report.reason.is_some());
    }
    assert!(stages.contains(&"polish"), "{stages:?}");
}

#[test]
fn beyond_reach_no_fit_is_claimed() {
    // More unknowns than the samples determine, and targets without structure.
    let mut case = planted("x^3 - 3*x", (12, 600, 30), 4);
    let learner = case.learner().starts(1);
    let fit = case.learn(&learner);
    assert!(case.error(&fit) > 1e-6);
    assert_ne!(fit.status, Status::Converged, "{:?}", fit.model.report);
    assert!(fit.model.report.reason.is_some());

    let mut noise = planted("x^3 - 3*x", (8, 300, 4), 4);
    noise.y = (0..300)
        .map(|_| StandardNormal.sample(&mut noise.rng))
        .collect();
    let learner = noise.learner();
    let fit = noise.learn(&learner);
    assert_ne!(fit.status, Status::Converged);
    if fit.model.report.declined {
        let values = fit.model.network.evaluate(noise.x.as_ref()).unwrap();
        let mean = noise.y.iter().sum::<f64>() / 300.0;
        assert!(values.iter().all(|v| (v - mean).abs() < 1e-9));
    }
}

#[test]
fn faults_are_named() {
    let case = planted("x^3", (4, 60, 2), 0);
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let short = case
        .learner()
        .learn(case.x.as_ref(), &case.y[1..], &mut rng);
    assert!(matches!(short, Err(Error::Shape { .. })));
    let crowded = TwoLayerLearner::new(case.truth.activation().clone(), 40);
    let few = crowded.learn(case.x.as_ref(), &case.y, &mut rng);
    assert!(matches!(few, Err(Error::Degenerate { .. })));
    assert!(PolynomialActivation::parse("x*y").is_err());
    let again = |seed| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        case.learner()
            .learn(case.x.as_ref(), &case.y, &mut rng)
            .unwrap()
            .model
    };
    assert_eq!(again(7), again(7));
}

fn rationals(n: usize) -> impl Strategy<Value = Vec<Rational>> {
    prop::collection::vec((-6i64..7, 1i64..4), n).prop_map(|list| {
        list.into_iter()
            .map(|(a, b)| Rational::new(a, b).unwrap())
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_test_error_is_the_tensor_error(
        sigma in (2usize..6).prop_flat_map(rationals),
        f in prop::collection::vec(rationals(3), 1..4),
        g in prop::collection::vec(rationals(3), 1..3),
    ) {
        prop_assert_eq!(test_error_is_tensor_error(&sigma, &f, &g), Ok(()));
    }
}

#[test]
fn fuzz_corpus() {
    let folder =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/regressions/overcomplete");
    let mut state = 0x9e37_79b9u64;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let data = std::fs::read(&path).unwrap();
        assert_eq!(fuzz_overcomplete(&data), Ok(()), "{}", path.display());
        for _ in 0..60 {
            let mut damaged = data.clone();
            damaged.resize(24 + data.len(), 0);
            for byte in &mut damaged {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                if state >> 61 == 0 {
                    *byte = (state >> 33) as u8;
                }
            }
            assert_eq!(fuzz_overcomplete(&damaged), Ok(()), "{damaged:?}");
        }
    }
}
