//! Times of ring methods on tensors in .npy files, one JSON line each; driven by benches/peers/ring_vs_tensorly.py.
//!
//! `cargo run --release --features bench --example ring_times RANK FILE...`
#![allow(clippy::print_stdout)]

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use std::path::Path;
use std::time::Instant;
use wickring::decomp::{RingAls, RingAuto};
use wickring::io::npy;
use wickring::run::unobserved;
use wickring::tensor::TensorRing;

/// Sweeps of a short and of a long run: their difference is the time of sweeps alone, without what is done once.
const SWEEPS: [usize; 2] = [20, 60];

fn main() -> Result<(), wickring::Error> {
    let mut args = std::env::args().skip(1);
    let rank: usize = args.next().and_then(|s| s.parse().ok()).unwrap_or(2);
    for file in args {
        let t = npy::read(Path::new(&file))?;
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let start = Instant::now();
        let fit = RingAuto::new(&[rank]).decompose(t.view(), &mut rng)?;
        let total = start.elapsed().as_secs_f64() * 1e3;
        let ring = TensorRing::gaussian(t.dims(), &vec![rank; t.order()], &mut rng)?;
        let mut least = [f64::INFINITY; 2];
        for _ in 0..3 {
            for (time, sweeps) in least.iter_mut().zip(SWEEPS) {
                let als = RingAls::new(&[rank]).max_sweeps(sweeps).stall(1e-300);
                let start = Instant::now();
                let swept = als.refine(t.view(), ring.clone(), &mut unobserved)?;
                let ms = start.elapsed().as_secs_f64() * 1e3;
                // A run that ended early would look fast: it is counted for the sweeps that it made.
                *time = time.min(ms * sweeps as f64 / swept.work.sweeps.max(1) as f64);
            }
        }
        let sweep = (least[1] - least[0]) / (SWEEPS[1] - SWEEPS[0]) as f64;
        println!(
            "{{\"file\": \"{file}\", \"ms\": {total}, \"error\": {}, \"sweep_ms\": {sweep}}}",
            fit.evidence.rel_residual
        );
    }
    Ok(())
}
