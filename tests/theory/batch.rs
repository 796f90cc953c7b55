//! Full-batch theory, generators and simulations: residuals, closed cases, agreement, refusals.

use faer::Mat;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use wickring::laws::theory::averages::prox_is_minimal;
use wickring::poly::gaussian::Activation;
use wickring::run::unobserved;
use wickring::theory::batch::{
    BatchLearner, BatchSimulation, Hinge, Labels, LambdaSearch, Logistic, MarginLearner,
    MarginLoss, SquareLoss, SquaredHinge, Task, best_lambda, ridge,
};
use wickring::theory::{
    Committee, Covariances, Diagnostics, GaussianSource, Generator, Layer, Lesson, OnlineSgd,
    OnlineVerdict, PairedSamples, SgdSimulation, Source, StudentActivation, Warning,
};
use wickring::{Error, Status};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// A one-layer generator, its law and a teacher.
fn setting(
    activation: &Activation,
    d: usize,
    p: usize,
) -> Result<(Generator, Covariances, Vec<f64>), Error> {
    let mut rng = rng(7);
    let generator = Generator::random(&[d, p], activation, &mut rng)?;
    let law = generator.law()?.covariances;
    let teacher = Committee::random(1, d, false, &mut rng)?;
    let theta = teacher.first().row(0).iter().copied().collect();
    Ok((generator, law, theta))
}

#[test]
fn proximal_steps_are_minimal_for_every_length() -> Outcome {
    let losses: [&dyn MarginLoss; 4] = [&Logistic, &Hinge, &SquaredHinge, &SquareLoss];
    for loss in losses {
        for exponent in -8..=12 {
            let v = 10f64.powi(exponent);
            for a in [
                0.0,
                1.0,
                -1.0,
                30.0,
                -30.0,
                0.5 * -v,
                1.0 - v,
                -2.0 * v,
                1e6,
                -1e6,
                1e-9,
            ] {
                prox_is_minimal(loss, a, v).map_err(|b| format!("{}: {b}", loss.name()))?;
            }
        }
    }
    Ok(())
}

/// Also at `alpha = 1` with tiny `lambda`, where iterations stall.
#[test]
fn ridge_solves_its_equations_everywhere() -> Outcome {
    let (_, law, theta) = setting(&Activation::Sign, 20, 50)?;
    let task = Task::on_latents(&law, &theta)?;
    for l in -10..=6 {
        for alpha in [0.01, 0.1, 0.5, 0.99, 1.0, 1.01, 2.0, 10.0, 100.0] {
            for labels in [Labels::Values(0.1), Labels::Values(0.0), Labels::Signs] {
                let fit = ridge(&task, labels, alpha, 10f64.powi(l))?;
                let residual = fit.evidence.rel_residual;
                assert!(
                    residual <= 1e-12,
                    "alpha {alpha} lambda 1e{l}: {residual:e}"
                );
                assert_eq!(fit.status, Status::Converged);
                assert!(fit.model.error.is_finite() && fit.model.q >= 0.0);
            }
        }
    }
    Ok(())
}

/// The general solver on least squares must find what the closed route finds.
#[test]
fn the_square_margin_is_ridge_on_signs() -> Outcome {
    let (_, law, theta) = setting(&Activation::Erf, 20, 40)?;
    let task = Task::on_latents(&law, &theta)?;
    for (alpha, lambda) in [(0.3, 0.1), (1.0, 1e-3), (3.0, 1.0)] {
        let closed = ridge(&task, Labels::Signs, alpha, lambda)?.converged()?;
        let solved = MarginLearner::new(&SquareLoss)
            .predict(&task, alpha, lambda)?
            .converged()?;
        for (a, b) in [
            (closed.v, solved.v),
            (closed.q, solved.q),
            (closed.m, solved.m),
        ] {
            assert!((a / b - 1.0).abs() < 1e-8, "{closed:?} {solved:?}");
        }
        // Training figures: a squared residual against half of it.
        assert!((closed.train - 2.0 * solved.train).abs() < 1e-8);
    }
    Ok(())
}

#[test]
fn margin_losses_converge_also_on_separable_labels() -> Outcome {
    let (_, law, theta) = setting(&Activation::Sign, 20, 50)?;
    let task = Task::on_latents(&law, &theta)?;
    let losses: [&dyn MarginLoss; 3] = [&Logistic, &Hinge, &SquaredHinge];
    for loss in losses {
        for lambda in [1e-6, 1e-4, 1e-2, 1.0, 1e2] {
            for alpha in [0.3, 1.0, 4.0] {
                let fit = MarginLearner::new(loss).predict(&task, alpha, lambda)?;
                let name = loss.name();
                assert_eq!(
                    fit.status,
                    Status::Converged,
                    "{name} alpha {alpha} lambda {lambda} {:?}",
                    fit.evidence
                );
                assert!(fit.model.error > 0.0 && fit.model.error < 0.5);
            }
        }
    }
    Ok(())
}

/// Twelve sets each at p = 80: within 4 standard errors or the finite-size allowance.
#[test]
fn predictions_agree_with_learning_from_samples() -> Outcome {
    let (generator, law, teacher) = setting(&Activation::Tanh, 40, 80)?;
    let task = Task::on_latents(&law, &teacher)?;
    let simulation = BatchSimulation {
        source: &generator,
        law: &law,
        teacher: &teacher,
        sets: 12,
        seed: 3,
        test_samples: 4000,
    };
    let cases: [(BatchLearner<'_>, f64, f64); 4] = [
        (BatchLearner::Ridge(Labels::Values(0.1)), 1.5, 0.1),
        (BatchLearner::Ridge(Labels::Signs), 1.0, 0.5),
        (BatchLearner::Margin(&Logistic), 2.0, 0.1),
        (BatchLearner::Margin(&Hinge), 2.0, 0.5),
    ];
    for (point, (learner, alpha, lambda)) in cases.into_iter().enumerate() {
        let predicted = match learner {
            BatchLearner::Ridge(labels) => ridge(&task, labels, alpha, lambda)?,
            BatchLearner::Margin(loss) => MarginLearner::new(loss).predict(&task, alpha, lambda)?,
        };
        let predicted = predicted.converged()?;
        let samples = (alpha * 80.0) as usize;
        let sets = simulation.run(learner, samples, lambda, point as u64)?;
        assert_eq!(
            sets,
            simulation.run(learner, samples, lambda, point as u64)?
        );
        let errors: Vec<f64> = sets.iter().map(|s| s.error).collect();
        let found = wickring::theory::Comparison::new(alpha, predicted.error, &errors);
        // 1/sqrt(80) of the error itself: fluctuations of the one generator and teacher.
        let slack = 4.0 * found.standard_error + 0.05 * predicted.error + 0.005;
        assert!(
            (found.theory - found.mean).abs() <= slack,
            "{learner:?}: {found:?}"
        );
    }
    Ok(())
}

#[test]
fn the_best_lambda_is_the_noise_for_isotropic_ridge() -> Outcome {
    // Isotropic features seen by the teacher: the posterior mean is ridge with lambda = noise / rho.
    let task = Task::from_spectrum(vec![1.0; 10], vec![2.0; 10], 2.0, 1.0)?;
    let best = best_lambda(LambdaSearch::default(), |l| {
        ridge(&task, Labels::Values(0.5), 1.3, l)
    })?;
    let lambda = best.converged()?.lambda;
    // The minimum is quadratic: an error of eps in value is sqrt(eps) in place, and the search stops at
    // 25 points by 22 golden sections.
    assert!((lambda - 0.25).abs() < 1e-3, "{lambda}");
    Ok(())
}

/// The hypotheses fail, or nearly: right, warned of, or refused.
#[test]
fn hard_cases_are_right_or_refused() -> Outcome {
    // A teacher orthogonal to the features: nothing can be learned.
    let task = Task::from_spectrum(vec![1.0; 8], vec![0.0; 8], 1.0, 1.0)?;
    let fit = MarginLearner::new(&Logistic)
        .predict(&task, 2.0, 0.1)?
        .converged()?;
    assert!((fit.error - 0.5).abs() < 1e-12 && fit.m == 0.0);
    assert!(
        ridge(&task, Labels::Values(0.0), 2.0, 0.1)?
            .converged()?
            .error
            >= 1.0
    );
    // A singular covariance: duplicate inputs.
    let weights = Mat::from_fn(30, 12, |i, j| (((i % 15) * 12 + j) as f64).powi(2).sin());
    let layer = Layer {
        weights,
        activation: Activation::Tanh,
    };
    let law = Generator::new(vec![layer])?.law()?.covariances;
    let theta: Vec<f64> = (0..12).map(|i| (i as f64).cos()).collect();
    let task = Task::on_latents(&law, &theta)?;
    assert!(task.eigenvalues().iter().filter(|w| **w == 0.0).count() >= 15);
    MarginLearner::new(&Logistic)
        .predict(&task, 1.0, 1e-2)?
        .converged()?;
    // Covariances that no pair of variables has.
    let impossible = Task::from_spectrum(vec![1.0; 8], vec![5.0; 8], 1.0, 1.0);
    assert!(matches!(impossible, Err(Error::Degenerate { .. })));
    assert!(Task::from_spectrum(vec![1.0], vec![0.5], 0.0, 1.0).is_err());
    assert!(Task::from_spectrum(vec![f64::NAN], vec![0.5], 1.0, 1.0).is_err());
    assert!(matches!(
        ridge(&task, Labels::Values(-1.0), 1.0, 1.0),
        Err(Error::InvalidInput { .. })
    ));
    assert!(matches!(
        ridge(&task, Labels::Signs, 1.0, 0.0),
        Err(Error::InvalidInput { .. })
    ));
    assert!(
        MarginLearner::new(&Hinge)
            .tol(0.0)
            .predict(&task, 1.0, 1.0)
            .is_err()
    );
    let short = MarginLearner::new(&Logistic)
        .max_iterations(2)
        .predict(&task, 1.0, 1.0)?;
    assert_eq!(short.status, Status::IterationLimit);
    // Few latents, a localised student and an uncentred generator are warned of.
    let mut rng = rng(1);
    let generator = Generator::random(&[5, 200], &Activation::Relu, &mut rng)?;
    let law = generator.law()?.covariances;
    let corner = Committee::new(
        Mat::from_fn(1, 200, |_, i| f64::from(u8::from(i == 0))),
        vec![1.0],
    )?;
    let raw = generator.clone().centred_by(vec![0.0; 200])?;
    let found = Diagnostics::measure(&law, &corner, Some((&raw, 2000, 0)))?.warnings(5);
    let has = |f: fn(&Warning) -> bool| found.iter().any(f);
    assert!(
        has(|w| matches!(w, Warning::Localised(..)))
            && has(|w| matches!(w, Warning::FewLatents(5)))
    );
    assert!(has(|w| matches!(w, Warning::Uncentred(_))), "{found:?}");
    let centred = Diagnostics::measure(&law, &corner, Some((&generator, 2000, 0)))?;
    assert!(
        !centred
            .warnings(5)
            .iter()
            .any(|w| matches!(w, Warning::Uncentred(_)))
    );
    Ok(())
}

/// Closed kernels and Mehler series against samples, at five standard errors of a covariance entry.
#[test]
fn covariances_of_generators_match_their_samples() -> Outcome {
    let polynomial = Activation::Polynomial(vec![0.0, 1.0, 0.5]);
    for f in [
        Activation::Sign,
        Activation::Relu,
        Activation::Tanh,
        polynomial,
    ] {
        for widths in [vec![10, 12], vec![10, 60, 12]] {
            let generator = Generator::random(&widths, &f, &mut rng(2))?;
            let exact = generator.law()?;
            let sampled = generator.sampled_law(40_000, 5)?;
            assert_eq!(exact.exact, widths.len() == 2);
            // Entries fluctuate by a few times 1/sqrt(40000); two layers are Gaussian up to 1/sqrt(60).
            let slack = if exact.exact { 0.05 } else { 0.35 };
            let gap = exact.covariances.omega() - sampled.covariances.omega();
            let size = (0..12)
                .map(|i| exact.covariances.omega()[(i, i)])
                .fold(0.0, f64::max);
            for i in 0..12 {
                for j in 0..12 {
                    assert!(
                        gap[(i, j)].abs() <= slack * size,
                        "{f:?} {widths:?} {}",
                        gap[(i, j)] / size
                    );
                }
                assert!(
                    !exact.exact || (exact.mean[i] - sampled.mean[i]).abs() < 0.05 * size.sqrt()
                );
            }
        }
    }
    Ok(())
}

/// Two runs of each kind of source: the same bytes twice, and within the bound of the theory.
#[test]
fn gradient_descent_follows_the_equations() -> Outcome {
    let n = 400;
    let mut rng = rng(11);
    let generator = Generator::random(&[80, n], &Activation::Sign, &mut rng)?;
    let law = generator.law()?.covariances;
    let (student, teacher) = (
        Committee::random(2, n, true, &mut rng)?,
        Committee::random(2, 80, false, &mut rng)?,
    );
    let times = [0.0, 0.5, 1.0, 2.0, 4.0];
    let lesson = Lesson {
        law: &law,
        student: &student,
        teacher: &teacher,
        times: &times,
    };
    let sgd = OnlineSgd::new(StudentActivation::erf(), 0.2);
    let theory = sgd.predict(&lesson, &mut unobserved)?.converged()?;
    let plan = SgdSimulation {
        runs: 2,
        seed: 5,
        test_samples: 4000,
    };
    let gaussian = GaussianSource::new(&law)?;
    let sources: [&dyn Source; 2] = [&generator, &gaussian];
    for source in sources {
        let runs = sgd.simulate(&lesson, source, plan, &mut unobserved)?;
        assert_eq!(runs, sgd.simulate(&lesson, source, plan, &mut unobserved)?);
        let verdict = OnlineVerdict::new(&theory, &runs, n)?;
        assert!(verdict.holds(), "{verdict:?}");
        // A prediction for another learning rate is told apart.
        let wrong = OnlineSgd::new(StudentActivation::erf(), 1.0)
            .predict(&lesson, &mut unobserved)?
            .converged()?;
        assert!(!OnlineVerdict::new(&wrong, &runs, n)?.holds());
    }
    // Pairs drawn from a finite sample.
    let (c, x) = generator.draw(200, &mut rng);
    let pairs = PairedSamples::new(c, x)?;
    assert_eq!((pairs.latents(), pairs.inputs()), (80, n));
    assert!((pairs.reuse(400) - 2.0).abs() < 1e-12);
    assert!(pairs.covariances()?.omega()[(0, 0)] > 0.5);
    // A rate at which descent explodes is an error, not a curve.
    let wild = OnlineSgd::new(StudentActivation::linear(), 900.0);
    let refused = wild.simulate(&lesson, &generator, plan, &mut unobserved);
    assert!(matches!(refused, Err(Error::Degenerate { .. })));
    Ok(())
}
