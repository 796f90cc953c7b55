//! Laws of relu networks and of their learner, on generated cases and on every edge case of the theory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

use faer::Mat;
use proptest::prelude::*;
use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use rand_distr::StandardNormal;
use wickring::laws::bytes::Bytes;
use wickring::laws::learn::relu::{
    Change, abs_is_two_relus, contraction_is_the_tensor, fit_keeps_its_word, fuzz_relu,
    hermite_recurrence, learner_is_equivariant, model_file_round_trip, network_from,
    normal_forms_agree, relu_parseval,
};
use wickring::learn::relu::ReluLearner;
use wickring::planted::relu::{Story, draw};
use wickring::poly::Rational;
use wickring::{Error, Status};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 128,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn normal_forms_are_one_function(data in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = Bytes::new(&data);
        if let Some(network) = network_from(&mut bytes) {
            let x = Mat::from_fn(3, network.input_dim(), |_, _| f64::from(bytes.small() as i32));
            prop_assert_eq!(normal_forms_agree(&network, x.as_ref()), Ok(()));
            prop_assert_eq!(model_file_round_trip(&network), Ok(()));
        }
    }

    #[test]
    fn an_abs_is_two_relus(b in -99i64..99, c in -99i64..99, z in -99i64..99, q in 1i64..9) {
        let ratio = |p: i64| &Rational::from(p) * &Rational::from_integers(1.into(), q.into()).unwrap_or_default();
        prop_assert_eq!(abs_is_two_relus(&ratio(b), &ratio(c), &ratio(z)), Ok(()));
    }

    #[test]
    fn hermite_polynomials_are_exact_at_integers(z in -6i64..6) {
        prop_assert_eq!(hermite_recurrence(z), Ok(()));
    }

    #[test]
    fn contractions_contract_the_hermite_tensor(
        x in prop::collection::vec(-3.0..3.0f64, 1..4),
        y in -2.0..2.0f64,
        g in prop::collection::vec(-1.0..1.0f64, 3),
    ) {
        prop_assert_eq!(contraction_is_the_tensor(&x, y, &g[..x.len()]), Ok(()));
    }

    #[test]
    fn bytes_never_panic(data in prop::collection::vec(any::<u8>(), 0..300)) {
        fuzz_relu(&data);
    }
}

#[test]
fn the_fuzz_corpus_replays() -> Outcome {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/regressions/relu");
    let mut replayed = 0;
    for entry in std::fs::read_dir(folder)? {
        fuzz_relu(&std::fs::read(entry?.path())?);
        replayed += 1;
    }
    assert!(replayed >= 3, "{replayed} files");
    Ok(())
}

#[test]
fn moments_of_relu_obey_parseval() {
    for m in 1..=40 {
        assert_eq!(relu_parseval(m), Ok(()));
    }
}

/// Inputs and targets of three relus in eight dimensions.
fn problem(noise: f64, n: usize) -> Result<(Mat<f64>, Vec<f64>), Error> {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let truth = Story::Separated.plant(8, 3, &mut rng)?;
    draw(&truth, n, noise, &mut rng)
}

#[test]
fn learning_commutes_with_scales_shifts_and_linear_maps() -> Outcome {
    let (x, y) = problem(0.0, 800)?;
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let mix = Mat::from_fn(8, 8, |_, _| rng.sample::<f64, _>(StandardNormal));
    // A reflection is orthogonal to rounding.
    let v = Mat::from_fn(8, 1, |i, _| (i as f64 + 1.0) / 204f64.sqrt());
    let reflection = Mat::<f64>::identity(8, 8) - &v * v.transpose() * faer::Scale(2.0);
    let learner = ReluLearner::new();
    let changes = [
        (Change::Scale(1e8), 1e-24),
        (Change::Scale(-1e-8), 1e-24),
        (Change::Scale(1e-290), 1e-24),
        // Shifted by 1000 deviations, targets carry an error of 1e3 eps.
        (Change::Shift(1e3), 1e-22),
        (Change::Inputs(reflection), 1e-24),
        (Change::Inputs(mix), 1e-20),
    ];
    for (change, allowed) in changes {
        learner_is_equivariant(&learner, x.as_ref(), &y, &change, allowed)
            .map_err(|e| e.to_string())?;
    }
    Ok(())
}

#[test]
fn what_is_no_narrow_network_is_not_called_converged() -> Outcome {
    let (x, _) = problem(0.0, 1500)?;
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let targets: [(&str, Box<dyn Fn(usize) -> f64>); 6] = [
        ("a product", Box::new(|i| x[(i, 0)] * x[(i, 1)])),
        ("a cubic", Box::new(|i| x[(i, 0)] * x[(i, 1)] * x[(i, 2)])),
        ("a wave", Box::new(|i| (3.0 * x[(i, 0)]).sin())),
        ("a step", Box::new(|i| x[(i, 0)].signum())),
        ("an exponential", Box::new(|i| x[(i, 0)].exp())),
        (
            "a relu off the origin",
            Box::new(|i| (x[(i, 0)] - 0.7).max(0.0)),
        ),
    ];
    for (name, target) in &targets {
        let y: Vec<f64> = (0..x.nrows()).map(target).collect();
        let fit = ReluLearner::new()
            .neurons(4)
            .learn(x.as_ref(), &y, &mut rng)?;
        assert_ne!(fit.status, Status::Converged, "{name}");
        assert!(fit.model.report.reason.is_some(), "{name}");
        fit_keeps_its_word(&fit, x.as_ref(), &y).map_err(|e| e.to_string())?;
    }
    let noise: Vec<f64> = (0..x.nrows()).map(|_| rng.sample(StandardNormal)).collect();
    let fit = ReluLearner::new().learn(x.as_ref(), &noise, &mut rng)?;
    assert_ne!(fit.status, Status::Converged, "pure noise");
    Ok(())
}

#[test]
fn edge_cases_have_the_right_answer() -> Outcome {
    let (x, _) = problem(0.0, 800)?;
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let z = |i: usize, w: &[f64]| {
        w.iter()
            .enumerate()
            .map(|(j, w)| w * x[(i, j)])
            .sum::<f64>()
    };
    let (u, v) = ([1.0, 2.0, -1.0], [0.5, -1.0, 1.0]);
    let relu = |z: f64| z.max(0.0);
    type Case<'a> = (&'a str, usize, Box<dyn Fn(usize) -> f64 + 'a>);
    let cases: [Case<'_>; 8] = [
        ("constant", 0, Box::new(|_| 3.25)),
        ("zero", 0, Box::new(|_| 0.0)),
        ("linear", 0, Box::new(|i| 2.0 + z(i, &u))),
        (
            "opposite pair with a minus is linear",
            1,
            Box::new(|i| relu(z(i, &u)) - relu(-z(i, &u)) + relu(z(i, &v))),
        ),
        (
            "opposite pair is an abs",
            1,
            Box::new(|i| relu(z(i, &u)) + relu(-z(i, &u))),
        ),
        (
            "three in a plane",
            3,
            Box::new(|i| {
                relu(x[(i, 0)]) - relu(x[(i, 1)]) + relu(0.6 * x[(i, 0)] + 0.8 * x[(i, 1)])
            }),
        ),
        (
            "weights over six orders",
            3,
            Box::new(|i| relu(z(i, &u)) + 1e-3 * relu(z(i, &v)) - 1e-6 * relu(x[(i, 5)])),
        ),
        (
            "one relu, one abs, a linear part",
            2,
            Box::new(|i| relu(z(i, &u)) - z(i, &v).abs() + x[(i, 7)]),
        ),
    ];
    for (name, neurons, target) in &cases {
        let y: Vec<f64> = (0..x.nrows()).map(target).collect();
        let fit = ReluLearner::new().learn(x.as_ref(), &y, &mut rng)?;
        assert_eq!(
            fit.status,
            Status::Converged,
            "{name}: {:?}",
            fit.model.report.reason
        );
        assert_eq!(fit.model.network.neurons().len(), *neurons, "{name}");
        assert!(fit.model.report.exact, "{name}");
        fit_keeps_its_word(&fit, x.as_ref(), &y).map_err(|e| e.to_string())?;
        normal_forms_agree(&fit.model.network, x.as_ref().subrows(0, 20))
            .map_err(|e| e.to_string())?;
    }
    Ok(())
}

#[test]
fn a_sum_of_relus_comes_back_as_relus_and_dependent_inputs_do_no_harm() -> Outcome {
    let (x, y) = problem(0.0, 800)?;
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    // The ninth input repeats the first, the tenth is zero.
    let wide = Mat::from_fn(x.nrows(), 10, |i, j| match j {
        8 => x[(i, 0)],
        9 => 0.0,
        _ => x[(i, j)],
    });
    for inputs in [x.as_ref(), wide.as_ref()] {
        let learned = ReluLearner::new()
            .learn(inputs, &y, &mut rng)?
            .converged()?;
        assert_eq!(learned.report.input_rank, 8);
        // Nothing linear is left over: the eight entries are rounding, each some 100 eps.
        assert!(learned.network.to_relu().linear_share() < 1e-12);
    }
    Ok(())
}

#[test]
fn impossible_requests_are_refused() -> Outcome {
    let (x, y) = problem(0.0, 60)?;
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let mut learn = |l: ReluLearner, x: &Mat<f64>, y: &[f64]| l.learn(x.as_ref(), y, &mut rng);
    let few = learn(ReluLearner::new().neurons(7), &x, &y);
    assert!(matches!(few, Err(Error::Degenerate { .. })));
    let tiny = Mat::from_fn(6, 8, |i, j| x[(i, j)]);
    assert!(matches!(
        learn(ReluLearner::new(), &tiny, &y[..6]),
        Err(Error::Degenerate { .. })
    ));
    assert!(matches!(
        learn(ReluLearner::new(), &x, &y[..59]),
        Err(Error::Shape { .. })
    ));
    for bad in [f64::NAN, f64::INFINITY] {
        let mut targets = y.clone();
        targets[17] = bad;
        assert!(matches!(
            learn(ReluLearner::new(), &x, &targets),
            Err(Error::NonFinite { index: 17, .. })
        ));
        let mut inputs = x.clone();
        inputs[(2, 3)] = bad;
        assert!(matches!(
            learn(ReluLearner::new(), &inputs, &y),
            Err(Error::NonFinite { index: 19, .. })
        ));
    }
    for wrong in [0.0, -1.0, 0.6, f64::NAN] {
        let refused = learn(ReluLearner::new().held_out(wrong), &x, &y);
        assert!(matches!(refused, Err(Error::InvalidInput { .. })));
    }
    assert!(matches!(
        learn(ReluLearner::new().neurons(29), &x, &y),
        Err(Error::InvalidInput { .. })
    ));
    Ok(())
}

#[test]
fn unusual_inputs_are_noticed() -> Outcome {
    let (x, _) = problem(0.0, 3000)?;
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let target = |x: &Mat<f64>| -> Vec<f64> {
        (0..x.nrows())
            .map(|i| (x[(i, 0)] - x[(i, 1)]).max(0.0) + x[(i, 2)].abs())
            .collect()
    };
    let uniform = Mat::from_fn(3000, 8, |_, _| rng.random_range(-1.0..1.0));
    let shifted = Mat::from_fn(3000, 8, |i, j| x[(i, j)] + 1.0);
    for (inputs, word) in [(&x, ""), (&uniform, "Gaussian"), (&shifted, "centred")] {
        let fit = ReluLearner::new().learn(inputs.as_ref(), &target(inputs), &mut rng)?;
        let warnings = &fit.model.report.warnings;
        assert_eq!(warnings.is_empty(), word.is_empty(), "{warnings:?}");
        assert!(
            word.is_empty() || warnings.iter().any(|w| w.contains(word)),
            "{warnings:?}"
        );
        // The function is found all the same: descent does not care.
        assert!(fit.model.report.exact, "{word}");
    }
    Ok(())
}
