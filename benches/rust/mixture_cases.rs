//! Learns known laws by score regression and prints how far the result is: `mixture_cases CASE ROWS [SEEDS]`.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::time::Instant;
use wickring::Error;
use wickring::learn::mixture::{Chain, Diffusion, Population, Step};
use wickring::stats::histogram_total_variation;

#[allow(clippy::print_stdout)]
fn main() -> Result<(), Error> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let case = words.first().map_or("discrete", String::as_str);
    let rows: usize = words.get(1).and_then(|w| w.parse().ok()).unwrap_or(10_000);
    let seeds: u64 = words.get(2).and_then(|w| w.parse().ok()).unwrap_or(2);
    let truth = Population::named(case)?;
    let dim = truth.dim();
    if words.get(3).is_some() {
        let (low, high) = ([-13.0; 2], [13.0; 2]);
        let mut density = |p: &[f64]| {
            truth
                .exact()
                .log_density(p)
                .iter()
                .map(|l| l.exp())
                .collect()
        };
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let mut tv = |rows: &[f64]| histogram_total_variation(rows, 30, low, high, &mut density);
        println!("floor {:.4}", tv(&truth.sample(200_000, &mut rng)));
        for (steps, step) in [
            (16, Step::Posterior),
            (32, Step::Plain),
            (64, Step::Plain),
            (128, Step::Plain),
            (16, Step::Corrected),
            (32, Step::Corrected),
            (48, Step::Corrected),
            (64, Step::Corrected),
        ] {
            let chain = Chain { steps, step };
            println!(
                "{chain:?} {:.4}",
                tv(&truth.sample_by_chain(200_000, chain, &mut rng)?)
            );
        }
    }
    for seed in 0..seeds {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let data = truth.sample(rows, &mut rng);
        let samples = faer::MatRef::from_row_major_slice(&data, rows, dim);
        let clock = Instant::now();
        let fit = Diffusion::new().noise(1.0).learn(samples, &mut rng)?;
        let fitting = clock.elapsed().as_secs_f64();
        let model = &fit.model;
        let clock = Instant::now();
        let fresh = model.sample(200_000, Chain::default(), &mut rng)?;
        let speed = 200_000.0 * 64.0 / clock.elapsed().as_secs_f64();
        let (_, bound) = truth.score_error(model, 20_000, &mut rng);
        println!(
            "{case} N={rows} seed {seed}: {} fit {fitting:.2} s, {speed:.2e} point-steps/s",
            fit.status
        );
        println!("  path KL bound {bound:.5}  shape {:?}", model.shape());
        if dim == 2 {
            let (low, high) = ([-13.0; 2], [13.0; 2]);
            let mut density = |p: &[f64]| {
                truth
                    .exact()
                    .log_density(p)
                    .iter()
                    .map(|l| l.exp())
                    .collect()
            };
            let mut tv =
                |rows: &[f64]| histogram_total_variation(rows, 30, low, high, &mut density);
            let (got, floor) = (tv(&fresh), tv(&truth.sample(200_000, &mut rng)));
            println!(
                "  histogram TV {got:.4}, floor {floor:.4}, excess {:.4}, data {:.4}",
                got - floor,
                tv(&data)
            );
        }
        let test = truth.sample(300, &mut rng);
        let exact = truth.exact().log_density(&test);
        let clock = Instant::now();
        let learned = model.log_density(&test)?;
        let gaps = exact.iter().zip(&learned).map(|(a, b)| (a - b).abs());
        println!(
            "  log-density off by {:.4} on average ({:.2} s)",
            gaps.sum::<f64>() / 300.0,
            clock.elapsed().as_secs_f64()
        );
    }
    Ok(())
}
