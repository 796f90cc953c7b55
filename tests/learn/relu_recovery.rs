//! Narrow relu networks: planted ones come back exactly, noisy ones at the level of the noise.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

use faer::Mat;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use std::ops::ControlFlow;
use wickring::learn::relu::{ReluLearner, Strategy};
use wickring::planted::relu::{Outcome, Story, Trial};
use wickring::run::Progress;
use wickring::{Error, Status};

/// Errors, neurons and status of a planted problem.
fn run(trial: Trial, strategy: Strategy) -> Result<Outcome, Error> {
    trial.run(&trial.plant()?, strategy)
}

fn trial(story: Story, (d, k, n): (usize, usize, usize), noise: f64, seed: u64) -> Trial {
    Trial {
        story,
        d,
        k,
        n,
        noise,
        seed,
    }
}

#[test]
fn noiseless_networks_come_back_to_rounding() -> Result<(), Error> {
    let cases = [
        (Story::Separated, (20, 3, 500)),
        (Story::Separated, (50, 5, 1000)),
        (Story::Star, (20, 4, 3000)),
        (Story::Star, (30, 6, 6000)),
        (Story::NearSame(0.1), (20, 3, 10_000)),
        (Story::NearMixed(0.1), (10, 3, 5000)),
        (Story::Dipole(0.1), (10, 2, 5000)),
        (Story::Crowded(0.3), (10, 3, 4000)),
    ];
    for (story, sizes) in cases {
        let found = run(trial(story, sizes, 0.0, 3), Strategy::Full)?;
        assert!(found.error <= 1e-20, "{story:?}: {}", found.error);
        assert_eq!(found.neurons, sizes.1, "{story:?}");
        assert_eq!(found.status, Status::Converged, "{story:?}");
    }
    Ok(())
}

/// With fewer than `d` samples between the kinks of a pair the error is that of merging, and it is said.
#[test]
fn a_pair_that_no_sample_separates_is_reported() -> Result<(), Error> {
    let problem = trial(Story::NearSame(1e-3), (20, 3, 10_000), 0.0, 0);
    let planted = problem.plant()?;
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let fit = ReluLearner::new().learn(planted.x.as_ref(), &planted.y, &mut rng)?;
    assert!(planted.error(&fit.model.network)? <= 1e-8);
    assert_ne!(fit.status, Status::Converged);
    assert!(fit.model.report.reason.is_some());
    Ok(())
}

/// Targets written in single precision or with few digits are exact as far as they go: no neuron is spent on
/// their rounding, which depends on the inputs and would not pass for noise.
#[test]
fn rounded_targets_are_exact_up_to_their_rounding() -> Result<(), Error> {
    let planted = trial(Story::Separated, (10, 3, 2000), 0.0, 7).plant()?;
    let single = |v: f64| f64::from(v as f32);
    let written = |v: f64| format!("{v:.6}").parse().unwrap_or(v);
    for round in [&single as &dyn Fn(f64) -> f64, &written] {
        let y: Vec<f64> = planted.y.iter().map(|&v| round(v)).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let fit = ReluLearner::new().learn(planted.x.as_ref(), &y, &mut rng)?;
        assert_eq!(fit.status, Status::Converged);
        assert_eq!(fit.model.network.neurons().len(), 3);
        assert_eq!(fit.model.report.warnings.len(), 1);
        // Half a unit is 5e-7 of a deviation of order one.
        assert!(planted.error(&fit.model.network)? <= 1e-11);
    }
    Ok(())
}

/// Some 13 samples lie between the kinks, enough for the 10 unknowns that only they see.
#[test]
fn a_pair_that_nearly_cancels_is_found_from_the_samples_between() -> Result<(), Error> {
    let found = run(
        trial(Story::Dipole(1e-3), (10, 2, 40_000), 0.0, 101),
        Strategy::Full,
    )?;
    assert!(found.error <= 1e-18 && found.neurons == 2, "{found:?}");
    Ok(())
}

/// Least squares from the truth is the best that the samples allow; its mean error is `s^2 p / n`.
#[test]
fn noisy_networks_are_found_at_the_level_of_the_noise() -> Result<(), Error> {
    let cases = [
        (Story::Separated, (20, 3, 2000), 0.1),
        (Story::Separated, (20, 3, 2000), 0.5),
        (Story::Star, (20, 4, 6000), 0.3),
    ];
    for (story, sizes, noise) in cases {
        let problem = trial(story, sizes, noise, 1);
        let planted = problem.plant()?;
        let found = problem.run(&planted, Strategy::Full)?;
        let ratio = found.error / planted.oracle_error()?;
        assert!(ratio <= 1.2, "{story:?} with noise {noise}: {ratio}");
        assert_eq!(found.neurons, sizes.1);
        assert_eq!(
            found.status,
            Status::Converged,
            "{story:?} with noise {noise}"
        );
    }
    Ok(())
}

/// The paper's moments see a star of four (its moments of degree four do not vanish) and not one of six.
#[test]
fn moments_alone_reach_stars_of_four_and_no_further() -> Result<(), Error> {
    let four = run(
        trial(Story::Star, (20, 4, 20_000), 0.0, 1),
        Strategy::Correlational,
    )?;
    assert!(four.error <= 1e-20, "{}", four.error);
    let six = trial(Story::Star, (40, 6, 8000), 0.0, 1);
    let moments = run(six, Strategy::Correlational)?;
    assert!(moments.error > 0.5 && moments.status != Status::Converged);
    let full = run(six, Strategy::Full)?;
    assert!(full.error <= 1e-20, "{}", full.error);
    Ok(())
}

#[test]
fn the_search_is_never_worse_than_random_starts() -> Result<(), Error> {
    for (story, sizes) in [
        (Story::Separated, (12, 3, 600)),
        (Story::Star, (12, 6, 3000)),
    ] {
        for seed in 0..3 {
            let problem = trial(story, sizes, 0.0, seed);
            let planted = problem.plant()?;
            let full = problem.run(&planted, Strategy::Full)?.error;
            for baseline in [Strategy::RandomStarts(8), Strategy::SubspaceStarts(20)] {
                let other = problem.run(&planted, baseline)?.error;
                assert!(
                    full <= 1.1 * other || full.max(other) < 1e-18,
                    "{full} and {other}"
                );
            }
        }
    }
    Ok(())
}

/// A star of six whose first moments cancel, beside one neuron that outweighs it.
#[test]
fn a_strong_neuron_does_not_hide_a_star() -> Result<(), Error> {
    for (d, n, weight) in [(3, 3000, 3.0), (8, 4000, 3.0), (8, 4000, 0.3)] {
        let (x, _) = trial(Story::Separated, (d, 1, n), 0.0, 5)
            .plant()
            .map(|p| (p.x, p.y))?;
        let value = |i: usize| {
            let star = |j: i32| {
                let angle = std::f64::consts::PI * f64::from(j) / 6.0;
                let z = angle.cos() * x[(i, 0)] + angle.sin() * x[(i, 1)];
                if j % 2 == 0 { z.max(0.0) } else { -z.max(0.0) }
            };
            let strong = weight * (0.3 * x[(i, 1)] + x[(i, 2)]).max(0.0);
            strong + (0..6).map(star).sum::<f64>()
        };
        let y: Vec<f64> = (0..x.nrows()).map(value).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let fit = ReluLearner::new().learn(x.as_ref(), &y, &mut rng)?;
        let report = &fit.model.report;
        assert!(report.exact, "{d} {weight}: {report:?}");
        assert_eq!(fit.model.network.neurons().len(), 7);
    }
    Ok(())
}

/// Where ten neurons leave something, up to twenty are tried.
#[test]
fn more_than_ten_neurons_are_found_unasked() -> Result<(), Error> {
    for (story, sizes) in [
        (Story::Star, (4, 12, 4000)),
        (Story::Separated, (4, 11, 3000)),
    ] {
        let found = run(trial(story, sizes, 0.0, 2), Strategy::Full)?;
        assert!(found.error <= 1e-18, "{story:?}: {}", found.error);
        assert_eq!(found.neurons, sizes.1, "{story:?}");
        assert_eq!(found.status, Status::Converged, "{story:?}");
    }
    Ok(())
}

/// Correlated inputs are whitened and that is said; inputs that are not Gaussian are named, and fitted all the same.
#[test]
fn correlated_and_other_inputs_are_told() -> Result<(), Error> {
    let planted = trial(Story::Separated, (6, 3, 2000), 0.0, 3).plant()?;
    let (n, d) = (planted.x.nrows(), planted.x.ncols());
    let mixed = Mat::from_fn(n, d, |i, j| {
        planted.x[(i, j)] + 2.0 * planted.x[(i, (j + 1) % d)] + planted.x[(i, 0)]
    });
    let uniform = Mat::from_fn(n, d, |i, j| (planted.x[(i, j)] * 50.0).sin());
    for (x, word) in [(mixed, "whitened"), (uniform, "lighter tails")] {
        let y = planted.truth.evaluate(x.as_ref())?;
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let fit = ReluLearner::new().learn(x.as_ref(), &y, &mut rng)?;
        let report = &fit.model.report;
        assert!(report.exact, "{word}: {report:?}");
        assert_eq!(report.warnings.len(), 1, "{:?}", report.warnings);
        assert!(report.warnings[0].contains(word), "{:?}", report.warnings);
    }
    Ok(())
}

#[test]
fn offsets_are_found_when_asked_for() -> Result<(), Error> {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let (x, _) = trial(Story::Star, (6, 1, 1500), 0.0, 2)
        .plant()
        .map(|p| (p.x, p.y))?;
    let y: Vec<f64> = (0..x.nrows())
        .map(|i| (x[(i, 0)] + 0.5).max(0.0) - (x[(i, 1)] - 0.3).max(0.0))
        .collect();
    let plain = ReluLearner::new().learn(x.as_ref(), &y, &mut rng)?;
    assert_ne!(plain.status, Status::Converged);
    let fit = ReluLearner::new()
        .offsets(true)
        .learn(x.as_ref(), &y, &mut rng)?;
    assert!(fit.model.report.exact);
    let mut offsets: Vec<f64> = fit
        .model
        .network
        .neurons()
        .iter()
        .map(|n| n.offset.abs())
        .collect();
    offsets.sort_by(f64::total_cmp);
    assert_eq!(offsets.len(), 2);
    // Unit weights, so offsets compare; the fit is exact to some 1e-14.
    assert!((offsets[0] - 0.3).abs() < 1e-10 && (offsets[1] - 0.5).abs() < 1e-10);
    Ok(())
}

#[test]
fn threads_do_not_change_a_bit() -> Result<(), Error> {
    let planted = trial(Story::Separated, (10, 3, 9000), 0.2, 4).plant()?;
    let learn = || {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        ReluLearner::new().learn(planted.x.as_ref(), &planted.y, &mut rng)
    };
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let mut seen = Vec::new();
    for threads in [1, 3] {
        let pool = pool(threads).map_err(|e| Error::invalid("pool", e.to_string()))?;
        seen.push(pool.install(learn)?.model);
    }
    assert_eq!(seen[0], seen[1]);
    Ok(())
}

#[test]
fn a_caller_can_stop_the_search() -> Result<(), Error> {
    let planted = trial(Story::Star, (10, 6, 3000), 0.0, 4).plant()?;
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut stop = |_: &Progress| ControlFlow::Break(());
    let (x, y) = (planted.x.as_ref(), &planted.y);
    let fit = ReluLearner::new().learn_observed(x, y, &mut rng, &mut stop)?;
    assert_eq!(fit.status, Status::Stopped);
    Ok(())
}
