//! Planted models are found, losses fall, slow definitions agree, noise is not called a model.
#![allow(clippy::unwrap_used)]

use super::decomposition::CpLoss;
use super::entry_loss::EntryLoss;
use super::evidence::by_rows;
use super::rows::{Entries, LossData};
use crate::decomp::CpMasked;
use crate::decomp::cp::starts::jennrich::normal;
use crate::fit::Fit;
use crate::run::unobserved;
use crate::tensor::sparse_modes::SparseModes;
use crate::tensor::{CpTensor, Factor, SparseTensor, Tensor};
use crate::{Error, Status};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, Gamma, Poisson};

const LOSSES: [EntryLoss; 4] = [
    EntryLoss::Poisson,
    EntryLoss::Gamma,
    EntryLoss::Logit,
    EntryLoss::Huber(0.3),
];

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Factors of a model with distinct components: bumps for nonnegative ones, normal numbers else.
fn planted(loss: EntryLoss, dims: &[usize], rank: usize, size: f64, seed: u64) -> CpTensor {
    let mut rng = rng(seed);
    let factor = |&n: &usize| {
        Factor::from_fn(n, rank, |i, r| match loss.is_nonnegative() {
            true => 0.1 + rng.random::<f64>() + if i % rank == r { 2.0 } else { 0.0 },
            false => normal(&mut rng).clamp(-1.5, 1.5),
        })
    };
    let factors = dims.iter().map(factor).collect();
    CpTensor::from_factors(factors).unwrap().scaled(&size)
}

/// Entries of the law of the loss with this model.
fn drawn(loss: EntryLoss, model: &CpTensor, seed: u64) -> Tensor {
    let mut rng = rng(seed ^ 0xd7a3);
    let mut t = model.to_dense().unwrap();
    for m in t.as_mut_slice() {
        *m = match loss {
            EntryLoss::Poisson if *m > 0.0 => Poisson::new(*m).unwrap().sample(&mut rng),
            EntryLoss::Poisson => 0.0,
            EntryLoss::Gamma => Gamma::new(10.0, *m / 10.0).unwrap().sample(&mut rng),
            EntryLoss::Logit => f64::from(rng.random::<f64>() < loss.expected(*m)),
            EntryLoss::Huber(_) => {
                let outlier = rng.random::<f64>() < 0.1;
                let spread = if outlier { 30.0 } else { 0.1 };
                *m + spread * normal(&mut rng)
            }
        };
    }
    t
}

fn fitted(loss: EntryLoss, rank: usize, t: &Tensor, seed: u64) -> Fit<CpTensor> {
    let method = CpLoss::new(rank, loss);
    method.decompose(t.view(), &mut rng(seed)).unwrap()
}

#[test]
fn planted_models_are_found() {
    for loss in LOSSES {
        for seed in 0..4 {
            let (dims, size) = match loss {
                EntryLoss::Logit => ([20, 18, 16], 1.5),
                _ => ([12, 10, 9], 1.0),
            };
            let truth = planted(loss, &dims, 2, size, seed);
            let t = drawn(loss, &truth, seed);
            let fit = fitted(loss, 2, &t, seed);
            let score = fit.model.match_score(&truth).unwrap();
            let failed = fit.evidence.first_failure().cloned();
            assert!(score > 0.9, "{loss} {seed}: {score}");
            assert_eq!(fit.status, Status::Converged, "{loss} {seed}: {failed:?}");
        }
    }
}

#[test]
fn losses_never_rise() {
    for loss in LOSSES {
        for seed in 0..3 {
            let t = drawn(loss, &planted(loss, &[6, 5, 4, 3], 2, 1.0, seed), seed);
            // One component too many: the way is long and flat.
            let history = fitted(loss, 3, &t, seed).history;
            let falls = |w: &[f64]| w[1] <= w[0] * (1.0 + 1e-12);
            assert!(history.windows(2).all(falls), "{loss} {seed}: {history:?}");
        }
    }
}

/// Deviance as textbooks write it, every entry by itself.
fn slow_deviance(loss: EntryLoss, t: &Tensor, weights: &Tensor, model: &CpTensor) -> f64 {
    let m = model.to_dense().unwrap();
    let term = |((&x, &w), &m): ((&f64, &f64), &f64)| {
        let log = |a: f64, b: f64| if a == 0.0 { 0.0 } else { a * (a / b).ln() };
        let unit = match loss {
            EntryLoss::Poisson => log(x, m) - x + m,
            EntryLoss::Gamma => (x - m) / m - (x / m).ln(),
            EntryLoss::Logit => {
                let p = 1.0 / (1.0 + (-m).exp());
                log(x, p) + log(1.0 - x, 1.0 - p)
            }
            EntryLoss::Huber(d) if (x - m).abs() <= d => (x - m) * (x - m) / 2.0,
            EntryLoss::Huber(d) => d * (x - m).abs() - d * d / 2.0,
        };
        if w == 0.0 { 0.0 } else { 2.0 * w * unit }
    };
    let pairs = t.as_slice().iter().zip(weights.as_slice());
    pairs.zip(m.as_slice()).map(term).sum()
}

#[test]
fn loss_and_gradient_agree_with_slow_definitions() {
    for loss in LOSSES {
        for seed in 0..6 {
            let dims = [[4, 3, 5], [2, 6, 1]][seed as usize % 2];
            let t = drawn(loss, &planted(loss, &dims, 2, 1.0, seed), seed);
            let weights =
                Tensor::from_fn(&dims, |i| ((i[0] + 2 * i[1] + i[2]) % 3) as f64).unwrap();
            let model = planted(loss, &dims, 3, 0.7, seed + 50);
            let entries = Entries::Dense(t.as_slice(), Some(weights.as_slice()));
            let data = LossData {
                loss,
                dims: &dims,
                entries,
            };
            let factors = by_rows(&model.balanced());
            let slow = |factors: &[Vec<f64>]| {
                let factors = factors
                    .iter()
                    .map(|f| Factor::from_fn(f.len() / 3, 3, |i, r| f[3 * i + r]));
                let model = CpTensor::from_factors(factors.collect()).unwrap();
                slow_deviance(loss, &t, &weights, &model) / 2.0
            };
            let (fast, slow_value) = (data.value(&factors, 3), slow(&factors));
            assert!(
                (fast - slow_value).abs() <= 1e-11 * slow_value,
                "{loss}: {fast} {slow_value}"
            );
            for (m, gradient) in data.gradient(&factors, 3).iter().enumerate() {
                for (k, &g) in gradient.iter().enumerate() {
                    let h = 1e-5 * factors[m][k].abs().max(0.1);
                    let at = |step: f64| {
                        let mut moved = factors.clone();
                        moved[m][k] += step;
                        slow(&moved)
                    };
                    let difference = (at(h) - at(-h)) / (2.0 * h);
                    let scale = slow_value.max(1.0) * 1e-5;
                    assert!(
                        (g - difference).abs() <= scale,
                        "{loss} {m} {k}: {g} {difference}"
                    );
                }
            }
        }
    }
}

#[test]
fn sparse_counts_are_the_dense_ones() {
    for seed in 0..4 {
        let dims = [9, 8, 7];
        let truth = planted(EntryLoss::Poisson, &dims, 2, 0.02, seed);
        let t = drawn(EntryLoss::Poisson, &truth, seed);
        let sparse = SparseTensor::from_dense(t.view());
        let method = CpLoss::new(2, EntryLoss::Poisson);
        let dense = method.decompose(t.view(), &mut rng(seed)).unwrap();
        let stored = method
            .decompose_sparse(&sparse, &mut rng(seed), &mut unobserved)
            .unwrap();
        let keys = ["cp.deviance", "cp.null-deviance", "cp.dispersion"];
        for key in keys {
            let of = |fit: &Fit<CpTensor>| fit.evidence.check(key).unwrap().measured;
            let (a, b) = (of(&dense), of(&stored));
            assert!((a - b).abs() <= 1e-6 * a, "{seed} {key}: {a} {b}");
        }
        let (a, b) = (dense.evidence.rel_residual, stored.evidence.rel_residual);
        assert!((a - b).abs() <= 1e-5, "{seed}: {a} {b}");
        // The same loss and gradient at one model.
        let sorted = SparseModes::of(&sparse, 1.0).unwrap();
        let data = |entries| LossData {
            loss: EntryLoss::Poisson,
            dims: &dims,
            entries,
        };
        let (whole, few) = (
            data(Entries::Dense(t.as_slice(), None)),
            data(Entries::Sparse(&sorted)),
        );
        let factors = by_rows(&truth.balanced());
        let (a, b) = (whole.value(&factors, 2), few.value(&factors, 2));
        assert!((a - b).abs() <= 1e-11 * a, "{a} {b}");
        let (a, b) = (
            whole.gradient(&factors, 2).concat(),
            few.gradient(&factors, 2).concat(),
        );
        let far = a
            .iter()
            .zip(&b)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f64::max);
        assert!(far <= 1e-9, "{far}");
    }
}

#[test]
fn noise_and_constants_are_no_models() {
    for loss in LOSSES {
        for seed in 0..3 {
            let dims = [8, 7, 6];
            let level = if loss.is_nonnegative() { 3.0 } else { 0.0 };
            let ones = |n: &usize| Factor::from_fn(*n, 1, |_, _| 1.0);
            let flat = CpTensor::from_factors(dims.iter().map(ones).collect()).unwrap();
            let noise = drawn(loss, &flat.scaled(&level), seed);
            let constant = Tensor::from_fn(&dims, |_| 1.0).unwrap();
            for (t, rank) in [(&noise, 1), (&noise, 2), (&constant, 1), (&constant, 2)] {
                let fit = fitted(loss, rank, t, seed);
                assert_ne!(
                    fit.status,
                    Status::Converged,
                    "{loss} {seed} {rank}: {:?}",
                    fit.evidence
                );
            }
        }
    }
}

#[test]
fn entries_outside_of_the_domain_are_refused() {
    let mut t = Tensor::from_fn(&[3, 3, 3], |_| 0.5).unwrap();
    for (loss, bad) in [
        (EntryLoss::Poisson, -1.0),
        (EntryLoss::Gamma, 0.0),
        (EntryLoss::Logit, 1.5),
    ] {
        t.as_mut_slice()[4] = bad;
        let refused = CpLoss::new(1, loss).decompose(t.view(), &mut rng(0));
        assert!(matches!(refused, Err(Error::InvalidInput { .. })), "{loss}");
    }
    for d in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let refused = CpLoss::new(1, EntryLoss::Huber(d)).decompose(t.view(), &mut rng(0));
        assert!(matches!(refused, Err(Error::InvalidInput { .. })), "{d}");
    }
    t.as_mut_slice()[4] = f64::NAN;
    let refused = CpLoss::new(1, EntryLoss::Poisson).decompose(t.view(), &mut rng(0));
    assert!(matches!(refused, Err(Error::NonFinite { index: 4, .. })));
    let long = [1usize << 31, 1 << 30, 2];
    let huge = SparseTensor::from_coordinates(&long, &[5, 0, 1], vec![1.0], |a, b| a + b).unwrap();
    let method = CpLoss::new(2, EntryLoss::Poisson);
    let refused = method.decompose_sparse(&huge, &mut rng(0), &mut unobserved);
    assert!(matches!(refused, Err(Error::LimitExceeded { .. })));
}

#[test]
fn missing_entries_are_foretold_and_scales_do_not_matter() {
    for loss in [EntryLoss::Poisson, EntryLoss::Gamma, EntryLoss::Huber(0.3)] {
        let truth = planted(loss, &[7, 6, 5], 2, 1.0, 3);
        let whole = truth.to_dense().unwrap();
        for scale in [1.0, 1e-290, 1e290] {
            let mut t = whole.clone();
            t.as_mut_slice().iter_mut().for_each(|x| *x *= scale);
            t.as_mut_slice()
                .iter_mut()
                .step_by(8)
                .for_each(|x| *x = f64::NAN);
            let seen = CpMasked::mask_of(t.view());
            let loss = match loss {
                EntryLoss::Huber(d) => EntryLoss::Huber(d * scale),
                other => other,
            };
            let method = CpLoss::new(2, loss);
            let fit = method
                .decompose_masked(t.view(), seen.view(), &mut rng(1), &mut unobserved)
                .unwrap();
            let found = fit.model.to_dense().unwrap();
            let pairs = found.as_slice().iter().zip(whole.as_slice());
            let far = pairs
                .map(|(a, b)| (a / scale - b).abs())
                .fold(0.0, f64::max);
            assert!(far < 1e-3, "{loss} {scale}: {far} {:?}", fit.evidence);
        }
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    for loss in LOSSES {
        let t = drawn(loss, &planted(loss, &[40, 30, 12], 3, 1.0, 9), 9);
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            let method = CpLoss::new(3, loss).max_iterations(10);
            pool.install(|| method.decompose(t.view(), &mut rng(2)).unwrap().model)
        };
        assert_eq!(run(1), run(3), "{loss}");
    }
}
