//! Planted overcomplete tensors: `cargo run --release --features bench --example overcomplete_cases -- ORDER DIM RANK SEEDS [STARTS]`.
//!
//! One line a seed: status, relative residual, components matched beyond 0.999, starts, steps, seconds.

use faer::Mat;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use std::io::Write;
use wickring::decomp::{Overcomplete, PackedForm};
use wickring::linalg::norm2;
use wickring::run::unobserved;

fn main() -> Result<(), wickring::Error> {
    let args: Vec<usize> = std::env::args()
        .skip(1)
        .filter_map(|a| a.parse().ok())
        .collect();
    let at = |k: usize, default: usize| args.get(k).copied().unwrap_or(default);
    let (order, d, r, seeds, starts) = (at(0, 3), at(1, 20), at(2, 45), at(3, 3), at(4, 5));
    let mut out = std::io::stdout().lock();
    let mut good = 0;
    for seed in 0..seeds as u64 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut a = Mat::<f64>::from_fn(r, d, |_, _| StandardNormal.sample(&mut rng));
        for i in 0..r {
            let length = norm2(&a.row(i).iter().copied().collect::<Vec<_>>());
            (0..d).for_each(|j| a[(i, j)] /= length);
        }
        let form = PackedForm::of_powers(order, &vec![1.0; r], a.as_ref())?;
        let clock = std::time::Instant::now();
        let fit = Overcomplete::new(r).starts(starts).decompose_packed(
            &form,
            &mut rng,
            &mut unobserved,
        )?;
        let seconds = clock.elapsed().as_secs_f64();
        let gram = &a * fit.model.vectors().as_mat();
        let best = |i: usize| (0..r).map(|q| gram[(i, q)].abs()).fold(0.0, f64::max);
        let matched = (0..r).filter(|&i| best(i) > 0.999).count();
        let residual = fit.evidence.rel_residual;
        good += usize::from(residual * residual <= 1e-12 && matched == r);
        // A closed pipe is no reason to fail.
        let _ = writeln!(
            out,
            "seed {seed}: {} residual {residual:.1e} matched {matched}/{r} starts {} steps {} cond {:.0} {seconds:.2} s",
            fit.status, fit.work.starts, fit.work.sweeps, fit.evidence.condition
        );
    }
    let _ = writeln!(out, "order {order}, d {d}, r {r}: {good} of {seeds} exact");
    Ok(())
}
