//! How often exact random rings are recovered, and how fast: the success table of BENCHMARKS.md.
//!
//! `cargo run --release --features bench --example ring_success [seeds]`

#![allow(clippy::print_stdout)]

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use std::time::Instant;
use wickring::decomp::RingAlgebraic;
use wickring::tensor::TensorRing;

fn main() -> Result<(), wickring::Error> {
    let seeds = std::env::args().nth(1).and_then(|s| s.parse().ok());
    let seeds: u64 = seeds.unwrap_or(100);
    println!("case                 success   median error   worst error   median ms");
    let cases: [(&[usize], &[usize]); 12] = [
        (&[9, 9, 9], &[3]),
        (&[20, 20, 20], &[3]),
        (&[20, 20, 20], &[4]),
        (&[25, 25, 25], &[5]),
        (&[50, 50, 50], &[5]),
        (&[36, 36, 36], &[6]),
        (&[70, 70, 70], &[8]),
        (&[20, 20, 20, 20], &[3]),
        (&[12, 12, 12, 12, 12], &[3]),
        (&[15, 15, 15], &[2, 3, 4]),
        (&[6, 5, 6, 5], &[3, 2, 3, 2]),
        (&[3, 3, 3, 3, 3, 3], &[2]),
    ];
    for (dims, ranks) in cases {
        let full = vec![ranks[0]; dims.len()];
        let full = if ranks.len() == 1 { &full[..] } else { ranks };
        let (mut errors, mut times) = (Vec::new(), Vec::new());
        for seed in 0..seeds {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let t = TensorRing::<f64>::gaussian(dims, full, &mut rng)?.to_dense()?;
            let start = Instant::now();
            let fit = RingAlgebraic::new(ranks).decompose(t.view(), &mut rng);
            times.push(start.elapsed().as_secs_f64() * 1e3);
            match fit {
                Ok(fit) => errors.push(fit.evidence.rel_residual),
                Err(e) => {
                    println!("{dims:?} {ranks:?} seed {seed}: {e}");
                    errors.push(f64::INFINITY);
                }
            }
        }
        errors.sort_by(f64::total_cmp);
        times.sort_by(f64::total_cmp);
        let half = errors.len() / 2;
        let good = errors.iter().filter(|e| **e <= 1e-8).count();
        println!(
            "{dims:?} {ranks:?}: {good}/{seeds}  {:.1e}  {:.1e}  {:.2}",
            errors[half],
            errors[errors.len() - 1],
            times[half]
        );
    }
    Ok(())
}
