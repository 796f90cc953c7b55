//! Sweeps of CP on a random sparse tensor: processor time of each.
//!
//! `cargo run --release --no-default-features --features bench,decomp --example sparse_sizes -- 100000x10000x1000 ENTRIES RANK [SEED]`

#[path = "process.rs"]
mod process;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::io::Write;
use wickring::Error;
use wickring::decomp::Cp;
use wickring::run::unobserved;
use wickring::tensor::SparseTensor;

fn main() -> Result<(), Error> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |k: usize, otherwise: usize| {
        args.get(k)
            .and_then(|s| s.parse().ok())
            .unwrap_or(otherwise)
    };
    let shape = args.first().map_or("100000x10000x1000", String::as_str);
    let dims: Vec<usize> = shape.split('x').filter_map(|n| n.parse().ok()).collect();
    let (entries, rank, seed) = (number(1, 200_000), number(2, 16), number(3, 0) as u64);
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let index: Vec<usize> = (0..entries)
        .flat_map(|_| {
            dims.iter()
                .map(|&n| rng.random_range(0..n))
                .collect::<Vec<_>>()
        })
        .collect();
    let values: Vec<f64> = (0..entries).map(|_| rng.random_range(-1.0..1.0)).collect();
    let t = SparseTensor::from_coordinates(&dims, &index, values, |a, b| a + b)?;
    let time = |sweeps: usize| -> Result<f64, Error> {
        let before = process::seconds();
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let _ = Cp::new(rank)
            .starts(1)
            .max_iterations(sweeps)
            .decompose_sparse(&t, rng, &mut unobserved)?;
        Ok(process::seconds()
            .zip(before)
            .map_or(f64::NAN, |(a, b)| a - b))
    };
    let (short, long) = (time(5)?, time(45)?);
    let line = format!(
        "{shape}, {} entries, rank {rank}: {:.1} ms a sweep, {short:.2} s for five and the sorting\n",
        t.nnz(),
        25.0 * (long - short)
    );
    std::io::stdout()
        .write_all(line.as_bytes())
        .map_err(|e| Error::invalid("sparse_sizes", e.to_string()))
}
