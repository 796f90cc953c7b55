//! CP of one dense tensor: processor time, error and status.
//!
//! `cargo run --release --no-default-features --features bench,decomp --example tensor_sizes -- 200x200x200 RANK NOISE [SEED]`

#[path = "process.rs"]
mod process;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::StandardNormal;
use std::io::Write;
use std::time::Instant;
use wickring::Error;
use wickring::decomp::Cp;
use wickring::tensor::{CpTensor, Factor, Tensor};

fn main() -> Result<(), Error> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |k: usize, otherwise: f64| {
        args.get(k)
            .and_then(|s| s.parse().ok())
            .unwrap_or(otherwise)
    };
    let shape = args.first().map_or("100x100x100", String::as_str);
    let dims: Vec<usize> = shape.split('x').filter_map(|n| n.parse().ok()).collect();
    let (rank, noise, seed) = (
        number(1, 10.0) as usize,
        number(2, 0.01),
        number(3, 0.0) as u64,
    );
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let factors = dims
        .iter()
        .map(|&n| Factor::from_fn(n, rank, |_, _| rng.sample(StandardNormal)))
        .collect();
    let mut t: Tensor = CpTensor::from_factors(factors)?.to_dense()?;
    let size = t.view().norm() / (t.as_slice().len() as f64).sqrt();
    for x in t.as_mut_slice() {
        let e: f64 = rng.sample(StandardNormal);
        *x += noise * size * e;
    }
    let (before, clock) = (process::seconds(), Instant::now());
    let fit = Cp::new(rank).decompose(t.view(), &mut ChaCha8Rng::seed_from_u64(seed))?;
    let wall = clock.elapsed().as_secs_f64();
    let cpu = process::seconds()
        .zip(before)
        .map_or(f64::NAN, |(a, b)| a - b);
    let (error, starts, sweeps) = (fit.evidence.rel_residual, fit.work.starts, fit.work.sweeps);
    let input = t.as_slice().len() as f64 * 8.0;
    let peak = process::memory("VmHWM").map_or(f64::NAN, |p| p / input);
    let line = format!(
        "{shape} R{rank} noise {noise}: {cpu:.2} s of processor, {wall:.3} s, error {error:.9}, {}, {starts} starts, {sweeps} sweeps, peak {peak:.2} x input\n",
        fit.status
    );
    std::io::stdout()
        .write_all(line.as_bytes())
        .map_err(|e| Error::invalid("tensor_sizes", e.to_string()))
}
