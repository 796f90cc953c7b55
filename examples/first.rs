//! A tensor with two components, recovered and checked: `cargo run --release --example first`.

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use wickring::decomp::Cp;
use wickring::tensor::{CpTensor, Factor};

fn main() -> Result<(), wickring::Error> {
    // A 4 x 5 x 3 tensor that is the sum of two products of vectors.
    let columns =
        |n: usize, k: usize| Factor::from_fn(n, 2, move |i, r| ((i + k * r) as f64).cos());
    let truth = CpTensor::from_factors(vec![columns(4, 1), columns(5, 2), columns(3, 3)])?;
    let tensor = truth.to_dense()?;

    let fit = Cp::new(2).decompose(tensor.view(), &mut ChaCha8Rng::seed_from_u64(0))?;
    for check in &fit.evidence.checks {
        assert!(check.holds(), "{}: {}", check.label, check.measured);
    }
    // A model whose checks failed would be an error here, and `fit.model` still the best there is.
    let model = fit.converged()?;
    assert!(model.match_score(&truth)? > 1.0 - 1e-10);
    Ok(())
}
