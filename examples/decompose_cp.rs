//! How many components has this tensor? `cargo run --release --example decompose_cp`.

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use wickring::decomp::{Cp, CpNonnegative};
use wickring::tensor::{CpTensor, Factor, Tensor};

fn main() -> Result<(), wickring::Error> {
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    // Three nonnegative components: spectra, times, samples.
    let hump = |n: usize, at: [f64; 3]| {
        Factor::from_fn(n, 3, move |i, r| (-(i as f64 - at[r]).powi(2) / 8.0).exp())
    };
    let parts = vec![
        hump(20, [4.0, 9.0, 15.0]),
        hump(15, [3.0, 7.0, 11.0]),
        hump(9, [2.0, 4.0, 7.0]),
    ];
    let tensor: Tensor = CpTensor::from_factors(parts)?.to_dense()?;

    let free = Cp::new(3).decompose(tensor.view(), rng)?;
    assert!(free.evidence.rel_residual < 1e-8);
    let positive = CpNonnegative::new(3).decompose(tensor.view(), rng)?;
    assert!(
        positive
            .model
            .factors()
            .iter()
            .all(|f| f.as_slice().iter().all(|&x| x >= 0.0))
    );
    // Too few components leave something, and the fit says so instead of `converged`.
    let short = Cp::new(2).tol(1e-6).decompose(tensor.view(), rng)?;
    assert!(short.converged().is_err());
    Ok(())
}
