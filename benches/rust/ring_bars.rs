//! The bars of rings that are statistics over seeds; the tables are in BENCHMARKS.md.
//!
//! `cargo run --release --features bench --example ring_bars -- noise|exact|symmetric-noise|few [seeds] [rank]`
//!
//! `noise`: rings with 1e-3 noise, the final error over that of ALS from the truth. `exact`: symmetric rings by
//! the Peirce frame, parameter error against condition. `symmetric-noise`: the objective reached from the
//! Peirce frame over that from the truth. `few`: symmetric rings from fewer outputs than dim Sym.
#![allow(clippy::print_stdout)]

use rand::Rng;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use std::time::Instant;
use wickring::decomp::{Peirce, RingAls, RingAuto, SymmetricNls};
use wickring::laws::ring::planted::random_symmetric_ring;
use wickring::run::unobserved;
use wickring::tensor::{SymmetricRing, Tensor, TensorRing};
use wickring::{Error, Status};

fn main() -> Result<(), Error> {
    let mut args = std::env::args().skip(1);
    let table = args.next().unwrap_or_default();
    let seeds = args.next().and_then(|s| s.parse().ok());
    let rank: Option<usize> = args.next().and_then(|s| s.parse().ok());
    let wanted = |r: usize| rank.is_none_or(|x| x == r);
    match table.as_str() {
        "exact" => exact(seeds.unwrap_or(10), wanted),
        "symmetric-noise" => symmetric_noise(seeds.unwrap_or(20), wanted),
        "few" => few(seeds.unwrap_or(20), wanted),
        _ => noise(seeds.unwrap_or(20), wanted),
    }
}

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn normal(rng: &mut impl Rng) -> f64 {
    StandardNormal.sample(rng)
}

fn noise(seeds: u64, wanted: impl Fn(usize) -> bool) -> Result<(), Error> {
    let cases: [(&[usize], usize); 10] = [
        (&[9, 9, 9], 3),
        (&[20, 20, 20], 3),
        (&[16, 16, 16], 4),
        (&[20, 20, 20], 4),
        (&[25, 25, 25], 5),
        (&[36, 36, 36], 6),
        (&[9, 9, 9, 9], 3),
        (&[16, 8, 8, 16], 4),
        (&[25, 6, 6, 25], 5),
        (&[36, 5, 5, 36], 6),
    ];
    println!("dims, rank: within 1.01, worst ratio, converged, median ms");
    for (dims, r) in cases.into_iter().filter(|c| wanted(c.1)) {
        let (mut good, mut worst, mut sure, mut times) = (0, 0.0f64, 0, Vec::new());
        for seed in 0..seeds {
            let mut source = rng(seed);
            let truth = TensorRing::<f64>::gaussian(dims, &vec![r; dims.len()], &mut source)?;
            let mut t = truth.to_dense()?;
            let level = 1e-3 * t.view().norm() / (t.as_slice().len() as f64).sqrt();
            for x in t.as_mut_slice() {
                *x += level * normal(&mut source);
            }
            let start = Instant::now();
            let fit = RingAuto::new(&[r]).decompose(t.view(), &mut source)?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
            let best = RingAls::new(&[r]).refine(t.view(), truth, &mut unobserved)?;
            let ratio = fit.evidence.rel_residual / best.evidence.rel_residual;
            good += usize::from(ratio <= 1.01);
            worst = worst.max(ratio);
            sure += usize::from(fit.status == Status::Converged);
            if ratio > 1.01 {
                let (x, y) = (fit.evidence.rel_residual, best.evidence.rel_residual);
                println!("  seed {seed}: {x:.3e} against {y:.3e}, {:?}", fit.status);
            }
        }
        times.sort_by(f64::total_cmp);
        let ms = times[times.len() / 2];
        println!("{dims:?}, {r}: {good}/{seeds}, {worst:.4}, {sure}/{seeds}, {ms:.1}");
    }
    Ok(())
}

fn exact(seeds: u64, wanted: impl Fn(usize) -> bool) -> Result<(), Error> {
    println!(
        "r, d: worst error, worst error / (1e-14 cond^1.5), greatest cond, over 1e-12 at cond <= 1e3"
    );
    let cases = [
        (2, 3),
        (3, 6),
        (4, 10),
        (6, 21),
        (10, 55),
        (10, 80),
        (16, 136),
        (16, 190),
        (20, 210),
        (20, 260),
    ];
    for (r, d) in cases.into_iter().filter(|c| wanted(c.0)) {
        let (mut worst, mut relative, mut most, mut over) = (0.0f64, 0.0f64, 0.0f64, 0);
        for seed in 0..seeds {
            let truth = random_symmetric_ring(d, r, &mut rng(seed))?;
            let (s, t) = (truth.gram(), truth.to_dense()?);
            let fit = Peirce::new(r).decompose(s.as_ref(), t.view(), &mut rng(seed + 100))?;
            let error = fit.model.align(&truth)?.distance;
            let cond = fit.evidence.condition;
            let share = error / (1e-14 * cond.powf(1.5));
            (worst, most) = (worst.max(error), most.max(cond));
            relative = relative.max(share);
            over += usize::from(cond <= 1e3 && error > 1e-12);
            if share > 1.0 {
                println!("  seed {seed}: error {error:.1e} at condition {cond:.1e}");
            }
        }
        println!("{r}, {d}: {worst:.1e}, {relative:.2}, {most:.1e}, {over}");
    }
    Ok(())
}

fn symmetric_noise(seeds: u64, wanted: impl Fn(usize) -> bool) -> Result<(), Error> {
    println!(
        "r, d, noise: objective within 1.01, worst ratio, converged, worst ratio of the start"
    );
    let cases = [(2, 5), (3, 9), (4, 14), (5, 21), (6, 30)];
    for (r, d) in cases.into_iter().filter(|c| wanted(c.0)) {
        for level in [1e-2, 1e-3, 1e-4] {
            let (mut good, mut worst, mut sure, mut raw) = (0, 0.0f64, 0, 0.0f64);
            for seed in 0..seeds {
                let truth = random_symmetric_ring(d, r, &mut rng(seed))?;
                let (s, t) = noisy(&truth, level, seed + 5)?;
                let nls = SymmetricNls::new(r);
                // From the Peirce frame, and from random starts where noise has spoiled it.
                let ours = nls.decompose(s.as_ref(), t.view(), &mut rng(seed), &mut unobserved)?;
                let best = nls.refine(s.as_ref(), t.view(), &truth, &mut unobserved)?;
                let residual = |fit: &wickring::fit::Fit<SymmetricRing>| fit.evidence.rel_residual;
                let ratio = (residual(&ours) / residual(&best)).powi(2);
                good += usize::from(ratio <= 1.01);
                sure += usize::from(ours.status == Status::Converged);
                worst = worst.max(ratio);
                raw = raw.max(ours.history[0] / residual(&best));
            }
            println!("{r}, {d}, {level:.0e}: {good}/{seeds}, {worst:.4}, {sure}/{seeds}, {raw:.1}");
        }
    }
    Ok(())
}

fn few(seeds: u64, wanted: impl Fn(usize) -> bool) -> Result<(), Error> {
    println!("r, d, dim Sym: exact fit, truth found, median starts, worst starts, median ms");
    let cases = [
        (2, 2),
        (3, 3),
        (3, 4),
        (3, 5),
        (4, 5),
        (4, 7),
        (4, 9),
        (5, 7),
        (5, 11),
        (6, 8),
        (6, 15),
    ];
    for (r, d) in cases.into_iter().filter(|c| wanted(c.0)) {
        let (mut fitted, mut found, mut starts, mut times) = (0, 0, Vec::new(), Vec::new());
        for seed in 0..seeds {
            let truth = random_symmetric_ring(d, r, &mut rng(seed))?;
            let (s, t) = (truth.gram(), truth.to_dense()?);
            let start = Instant::now();
            let nls = SymmetricNls::new(r).starts(40);
            let fit = nls.decompose(s.as_ref(), t.view(), &mut rng(seed), &mut unobserved)?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
            starts.push(fit.work.starts);
            if fit.status == Status::Converged {
                fitted += 1;
                found += usize::from(fit.model.align(&truth)?.distance < 1e-4);
            }
        }
        starts.sort_unstable();
        times.sort_by(f64::total_cmp);
        let (half, last) = (times.len() / 2, times.len() - 1);
        let (n, ms) = (r * (r + 1) / 2, times[half]);
        let (middle, most) = (starts[half], starts[last]);
        println!("{r}, {d}, {n}: {fitted}/{seeds}, {found}/{seeds}, {middle}, {most}, {ms:.0}");
    }
    Ok(())
}

/// Symmetric noise of a relative size on both moments.
fn noisy(truth: &SymmetricRing, level: f64, seed: u64) -> Result<(faer::Mat<f64>, Tensor), Error> {
    let mut rng = rng(seed);
    let d = truth.outputs();
    let (mut s, mut t) = (truth.gram(), truth.to_dense()?);
    let es = level * s.norm_l2() / d as f64;
    let et = level * t.view().norm() / (d as f64).powf(1.5);
    for a in 0..d {
        for b in 0..=a {
            let x = es * normal(&mut rng);
            s[(a, b)] += x;
            s[(b, a)] = s[(a, b)];
            for c in 0..=b {
                let x = et * normal(&mut rng);
                let mut places = [
                    (a, b, c),
                    (a, c, b),
                    (b, a, c),
                    (b, c, a),
                    (c, a, b),
                    (c, b, a),
                ];
                places.sort_unstable();
                for (k, &(i, j, l)) in places.iter().enumerate() {
                    if k == 0 || places[k - 1] != places[k] {
                        t.as_mut_slice()[i + d * (j + d * l)] += x;
                    }
                }
            }
        }
    }
    Ok((s, t))
}
