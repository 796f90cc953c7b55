//! Streaming moments against forming the third-order tensor: `cargo run --release --features bench --example quadratic_moments`.
#![allow(clippy::print_stdout)]

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::ops::ControlFlow;
use std::time::Instant;
use wickring::Error;
use wickring::io::samples::{Chunk, Samples};
use wickring::laws::learn::quadratic_maps::random_quadratic_map;
use wickring::learn::Quadratic;
use wickring::run::{Progress, unobserved};
use wickring::stats::Moments;

fn main() -> Result<(), Error> {
    // d = 136 outputs fill the quadratics of 16 latents; n samples.
    let n: usize = std::env::args()
        .nth(1)
        .and_then(|a| a.parse().ok())
        .unwrap_or(20_000);
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let hidden = random_quadratic_map(136, 16, false, rng)?;
    let samples = Samples::from_rows(136, hidden.sample(n, rng))?;
    for _ in 0..3 {
        let clock = Instant::now();
        let whole = |chunk: &Chunk, out: &mut Vec<f64>| out.extend_from_slice(&chunk.data);
        let third = Moments::of_samples(&samples, (136, true), &whole, &mut unobserved)?;
        let formed = clock.elapsed().as_secs_f64();
        // Covariance and third cumulants come first, then sharpening, then the tests.
        let clock = Instant::now();
        let (mut moments, mut sharpened) = (0.0, 0.0);
        let mut watch = |p: &Progress| {
            match p.stage {
                "moments" | "third cumulants" => moments = clock.elapsed().as_secs_f64(),
                "sharpening" => sharpened = clock.elapsed().as_secs_f64(),
                _ => {}
            }
            ControlFlow::Continue(())
        };
        let fit = Quadratic::new()
            .refine(false)
            .learn(&samples, rng, &mut watch);
        let learned = clock.elapsed().as_secs_f64();
        let status = fit.map_or_else(|e| e.to_string(), |f| f.status.to_string());
        println!(
            "n={n} d=136: third-order tensor {formed:.3} s ({} rows); streamed moments {moments:.3} s, ratio {:.3}; sharpened {sharpened:.3} s; whole learner from moments {learned:.3} s ({status}), ratio {:.3}",
            third.count(),
            moments / formed,
            learned / formed
        );
    }
    Ok(())
}
