//! The synthetic cases of BENCHMARKS.md: success and median time of the default CP engine.
//!
//! `cargo run --release --features bench --example cp_cases -- [CASE] [SEEDS]`

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::io::Write;
use std::time::Instant;
use wickring::Error;
use wickring::decomp::Cp;
use wickring::laws::planted::{collinear_cp, gaussian_cp, with_noise};
use wickring::tensor::{CpTensor, Tensor};

/// Name, dimensions, rank, cosine (negative: Gaussian), noise.
type Case = (&'static str, &'static [usize], usize, f64, f64);
const CASES: [Case; 8] = [
    ("a1", &[50, 50, 50], 10, -1.0, 0.0),
    ("a2", &[10, 10, 10], 14, -1.0, 0.0),
    ("a3", &[20, 20, 20, 20], 10, -1.0, 0.0),
    ("b1", &[40, 40, 40], 5, 0.9, 0.0),
    ("b2", &[40, 40, 40], 8, 0.95, 0.0),
    ("b3", &[30, 30, 30], 5, 0.99, 0.0),
    ("c1", &[50, 50, 50], 10, -1.0, 0.1),
    ("c2", &[40, 40, 40], 5, 0.9, 0.01),
];

fn draw(case: &Case, seed: u64) -> Result<(CpTensor, Tensor), Error> {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let &(_, dims, rank, cosine, noise) = case;
    let truth = if cosine < 0.0 {
        gaussian_cp(dims, rank, rng)?
    } else {
        collinear_cp(dims, rank, cosine, rng)?
    };
    let t = truth.to_dense()?;
    let t = if noise > 0.0 {
        with_noise(&t, noise, rng)?
    } else {
        t
    };
    Ok((truth, t))
}

fn main() -> Result<(), Error> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let seeds: u64 = args.get(1).and_then(|s| s.parse().ok()).unwrap_or(20);
    let mut out = std::io::stdout();
    for case in CASES
        .iter()
        .filter(|c| args.first().is_none_or(|n| n == "all" || n == c.0))
    {
        let (mut good, mut times, mut starts, mut sweeps) = (0, Vec::new(), 0, 0);
        let mut statuses = Vec::new();
        for seed in 0..seeds {
            let (truth, t) = draw(case, seed)?;
            let clock = Instant::now();
            let fit = Cp::new(case.2).decompose(t.view(), &mut ChaCha8Rng::seed_from_u64(seed))?;
            times.push(clock.elapsed().as_secs_f64() * 1e3);
            let score = fit.model.match_score(&truth)?;
            let residual = fit.evidence.rel_residual;
            let success = if case.4 == 0.0 {
                residual < 1e-6 && score > 0.99
            } else {
                residual <= case.4 && score > 0.95
            };
            good += u32::from(success);
            starts += fit.work.starts;
            sweeps += fit.work.sweeps;
            let line = format!(
                "{} {:.3e} fms {score:.4} cond {:.1e}",
                fit.status, residual, fit.evidence.condition
            );
            if args.len() > 2 {
                let _ = writeln!(out, "  {seed} {line}");
            }
            statuses.push(fit.status.name());
        }
        times.sort_by(f64::total_cmp);
        let converged = statuses.iter().filter(|s| **s == "converged").count();
        let _ = writeln!(
            out,
            "{} success {good}/{seeds} converged {converged} median {:.2} ms (max {:.1}) starts {:.1} sweeps {:.1}",
            case.0,
            times[times.len() / 2],
            times[times.len() - 1],
            starts as f64 / seeds as f64,
            sweeps as f64 / seeds as f64
        );
    }
    Ok(())
}
