//! A quadratic map of a hidden Gaussian from its outputs alone: `cargo run --release --example learn_quadratic`.

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use wickring::io::samples::Samples;
use wickring::laws::learn::quadratic_maps::random_quadratic_map;
use wickring::learn::Quadratic;
use wickring::run::unobserved;

fn main() -> Result<(), wickring::Error> {
    let rng = &mut ChaCha8Rng::seed_from_u64(7);
    let hidden = random_quadratic_map(6, 3, false, rng)?;
    let samples = Samples::from_rows(6, hidden.sample(20_000, rng))?;

    let fit = Quadratic::new().learn(&samples, rng, &mut unobserved)?;
    let model = fit.converged()?; // a fifth of the samples was held out and agrees
    assert_eq!(model.latent_dim(), 3);
    assert!(model.distance(&hidden)? < 0.05);
    Ok(())
}
