//! How many Gaussian clusters, and where: `cargo run --release --example mixture`.

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use wickring::learn::mixture::{Em, GaussianMixture};

fn main() -> Result<(), wickring::Error> {
    let rng = &mut ChaCha8Rng::seed_from_u64(2);
    let atoms = [
        (0.5, vec![0.0, 0.0]),
        (0.3, vec![6.0, 1.0]),
        (0.2, vec![12.0, 2.0]),
    ];
    let hidden = GaussianMixture::spherical(2, atoms, 1.0)?;
    let rows = hidden.sample(1500, rng);
    let rows = faer::MatRef::from_row_major_slice(&rows, 1500, 2);

    let fit = Em::between(1, 6).learn(rows, rng)?;
    assert_eq!(fit.model.mixture.len(), 3);
    Ok(())
}
