//! A tensor ring from its entries, ranks unknown: `cargo run --release --example tensor_ring`.

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use wickring::decomp::RingAuto;
use wickring::tensor::TensorRing;

fn main() -> Result<(), wickring::Error> {
    let rng = &mut ChaCha8Rng::seed_from_u64(3);
    let hidden = TensorRing::<f64>::gaussian(&[9, 8, 9], &[2, 2, 2], rng)?;
    let tensor = hidden.to_dense()?;

    let ring = RingAuto::auto()
        .decompose(tensor.view(), rng)?
        .converged()?;
    assert_eq!(ring.ranks(), [2, 2, 2]);
    assert!(ring.rel_residual(tensor.view())? < 1e-8);
    Ok(())
}
