//! From random starts to exact schemes: how often, how fast.
//!
//! `cargo run --release --features bench --example exact_schemes -- matmul 3 3 3 23 20` searches for `<3,3,3;23>` with seeds
//! 0 to 19; `polymul 3 3 5 10`, `quaternion 8 10`, `cyclic 3 4 10` and `s3 9 10` likewise (the last two are group
//! algebras). `numeric` as a last word only searches, `single` allows one start.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::time::Instant;
use wickring::certify::{Certificate, Limits, check};
use wickring::decomp::ExactCp;
use wickring::error::Status;
use wickring::run::unobserved;
use wickring::scheme::{Scheme, SchemeField, Target, Verdict, examine};
use wickring::tensor::Tensor;

/// `e_i e_j = sign * e_k` for the units 1, i, j, k.
const QUATERNION: [[(usize, f64); 4]; 4] = [
    [(0, 1.0), (1, 1.0), (2, 1.0), (3, 1.0)],
    [(1, 1.0), (0, -1.0), (3, 1.0), (2, -1.0)],
    [(2, 1.0), (3, -1.0), (0, -1.0), (1, 1.0)],
    [(3, 1.0), (2, 1.0), (1, -1.0), (0, -1.0)],
];

/// The symmetric group of order six: 0, 1, 2 the rotations, 3, 4, 5 the reflections.
const S3: [[usize; 6]; 6] = [
    [0, 1, 2, 3, 4, 5],
    [1, 2, 0, 4, 5, 3],
    [2, 0, 1, 5, 3, 4],
    [3, 5, 4, 0, 2, 1],
    [4, 3, 5, 1, 0, 2],
    [5, 4, 3, 2, 1, 0],
];

#[allow(clippy::print_stdout)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<usize> = words.iter().filter_map(|w| w.parse().ok()).collect();
    let (tensor, rank, seeds) = match (words.first().map(String::as_str), &numbers[..]) {
        (Some("matmul"), &[n, m, p, rank, seeds]) => {
            let product = |i: &[usize]| {
                let (a, b, c) = (
                    (i[0] / m, i[0] % m),
                    (i[1] / p, i[1] % p),
                    (i[2] / p, i[2] % p),
                );
                f64::from(u8::from(a.1 == b.0 && a.0 == c.0 && b.1 == c.1))
            };
            (
                Tensor::from_fn(&[n * m, m * p, n * p], product)?,
                rank,
                seeds,
            )
        }
        (Some("polymul"), &[a, b, rank, seeds]) => {
            let product = |i: &[usize]| f64::from(u8::from(i[0] + i[1] == i[2]));
            (Tensor::from_fn(&[a, b, a + b - 1], product)?, rank, seeds)
        }
        (Some("quaternion"), &[rank, seeds]) => {
            let product = |i: &[usize]| match QUATERNION[i[0]][i[1]] {
                (k, sign) if k == i[2] => sign,
                _ => 0.0,
            };
            (Tensor::from_fn(&[4, 4, 4], product)?, rank, seeds)
        }
        (Some("cyclic"), &[n, rank, seeds]) => {
            let product = |i: &[usize]| f64::from(u8::from((i[0] + i[1]) % n == i[2]));
            (Tensor::from_fn(&[n, n, n], product)?, rank, seeds)
        }
        (Some("s3"), &[rank, seeds]) => {
            let product = |i: &[usize]| f64::from(u8::from(S3[i[0]][i[1]] == i[2]));
            (Tensor::from_fn(&[6, 6, 6], product)?, rank, seeds)
        }
        _ => return Err("see the head of this example".into()),
    };
    let target = Target::dense(tensor.view())?;
    let numeric = words.iter().any(|w| w == "numeric");
    let (mut good, mut times) = (0, Vec::new());
    for seed in 0..seeds as u64 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let clock = Instant::now();
        if numeric {
            let (x, residual) = ExactCp::new(rank).search(tensor.view(), &mut rng)?;
            good += usize::from(residual < 1e-9);
            let largest = x.iter().fold(0.0f64, |m, v| m.max(v.abs()));
            println!(
                "seed {seed}: {residual:.1e} largest {largest:.2} {:.3} s",
                clock.elapsed().as_secs_f64()
            );
        } else {
            let single = words.iter().any(|w| w == "single");
            let solver = ExactCp::new(rank).starts(if single { 1 } else { 200 });
            let fit = solver.decompose(tensor.view(), &mut rng, &mut unobserved);
            let word = match &fit {
                Ok(fit) if fit.status == Status::Converged => {
                    let scheme = Scheme::from_rationals(&fit.model.factors, target.clone())?;
                    let found = examine(&scheme, None, SchemeField::Auto)?;
                    let claim = found.scheme.claim(&found.field, &found.target);
                    let text = Certificate::new().claim(claim).to_json();
                    let checked = check(&text, Limits::default())?.holds();
                    good += usize::from(checked && found.verdict == Verdict::Exact);
                    format!(
                        "EXACT over {}, {} starts, checker says {checked}",
                        found.field, fit.work.starts
                    )
                }
                Ok(fit) => format!(
                    "{} after {} starts, residual {:.1e}",
                    fit.status, fit.work.starts, fit.evidence.rel_residual
                ),
                Err(e) => e.to_string(),
            };
            println!(
                "seed {seed}: {word}, {:.3} s",
                clock.elapsed().as_secs_f64()
            );
        }
        times.push(clock.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    println!(
        "{good} of {seeds}, median {:.3} s, largest {:.3} s",
        times[times.len() / 2],
        times[times.len() - 1]
    );
    Ok(())
}
