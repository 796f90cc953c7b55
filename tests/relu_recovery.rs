//! Narrow relu networks: planted ones come back exactly, noisy ones at the level of the noise.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use wickring::learn::relu::{ReluLearner, ReluNetwork, Story, draw};
use wickring::{Error, Status};

/// Relative error on fresh noiseless samples.
fn fresh_error(
    truth: &ReluNetwork,
    found: &ReluNetwork,
    rng: &mut ChaCha8Rng,
) -> Result<f64, Error> {
    let (x, y) = draw(truth, 4000, 0.0, rng)?;
    let v = found.evaluate(x.as_ref())?;
    let mean = y.iter().sum::<f64>() / y.len() as f64;
    let variance: f64 = y.iter().map(|y| (y - mean).powi(2)).sum();
    Ok(v.iter().zip(&y).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / variance)
}

/// Error, number of neurons and status for a planted network.
fn planted(
    story: Story,
    (d, k, n): (usize, usize, usize),
    noise: f64,
    seed: u64,
) -> Result<(f64, usize, Status), Error> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let truth = story.plant(d, k, &mut rng)?;
    let (x, y) = draw(&truth, n, noise, &mut rng)?;
    let fit = ReluLearner::new().learn(x.as_ref(), &y, &mut rng)?;
    let error = fresh_error(&truth, &fit.model.network, &mut rng)?;
    Ok((error, fit.model.network.neurons().len(), fit.status))
}

#[test]
fn noiseless_networks_come_back_to_rounding() -> Result<(), Error> {
    let cases = [
        (Story::Separated, (20, 3, 500)),
        (Story::Separated, (50, 5, 1000)),
        (Story::Star, (20, 4, 3000)),
        (Story::Star, (50, 6, 8000)),
        (Story::NearSame(0.1), (20, 3, 10_000)),
        (Story::Crowded(0.3), (10, 3, 4000)),
    ];
    for (story, sizes) in cases {
        let (error, neurons, status) = planted(story, sizes, 0.0, 3)?;
        assert!(error <= 1e-20, "{story:?}: {error}");
        assert_eq!(neurons, sizes.1, "{story:?}");
        assert_eq!(status, Status::Converged, "{story:?}");
    }
    Ok(())
}
