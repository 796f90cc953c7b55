//! Incomplete tensors: gaps are filled where enough was measured, and nothing is claimed where it was not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use wickring::Status;
use wickring::decomp::{CpMasked, Uniqueness, fit_uniqueness};
use wickring::fit::Fit;
use wickring::laws::planted::{gaussian, gaussian_cp};
use wickring::run::{Progress, unobserved};
use wickring::tensor::{CpTensor, Tensor};

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// A planted tensor with relative noise, what is left of it at random, and the tensor without noise.
fn planted(dims: &[usize], rank: usize, noise: f64, kept: f64, seed: u64) -> (Tensor, Tensor) {
    let r = &mut rng(seed);
    let truth = gaussian_cp(dims, rank, r).unwrap().to_dense().unwrap();
    let sigma = noise * truth.view().norm() / (truth.as_slice().len() as f64).sqrt();
    let mut seen = truth.clone();
    for x in seen.as_mut_slice() {
        *x = match r.random::<f64>() < kept {
            true => *x + sigma * gaussian(r),
            false => f64::NAN,
        };
    }
    (seen, truth)
}

fn fitted(t: &Tensor, rank: usize, seed: u64) -> Fit<CpTensor> {
    let mask = CpMasked::mask_of(t.view());
    CpMasked::new(rank)
        .decompose(t.view(), mask.view(), &mut rng(seed))
        .unwrap()
}

/// Relative error of the model in the gaps.
fn gap_error(t: &Tensor, truth: &Tensor, model: &CpTensor) -> f64 {
    let filled = model.to_dense().unwrap();
    let (mut off, mut size) = (0.0, 0.0);
    for ((seen, x), y) in t
        .as_slice()
        .iter()
        .zip(truth.as_slice())
        .zip(filled.as_slice())
    {
        if seen.is_nan() {
            off += (x - y) * (x - y);
            size += x * x;
        }
    }
    (off / size).sqrt()
}

fn measured(fit: &Fit<CpTensor>, key: &str) -> Option<f64> {
    fit.evidence.check(key).map(|c| c.measured)
}

#[test]
fn gaps_are_filled_to_the_noise() {
    let cases: [(&[usize], usize, f64); 5] = [
        (&[20, 21, 22], 4, 0.75),
        (&[20, 21, 22], 4, 0.5),
        (&[24, 24, 24], 3, 0.15),
        (&[9, 10, 8, 11], 5, 0.4),
        (&[40, 5, 12], 3, 0.6),
    ];
    for (k, (dims, rank, kept)) in cases.into_iter().enumerate() {
        for seed in 0..4 {
            let (t, truth) = planted(dims, rank, 1e-3, kept, 100 * k as u64 + seed);
            let fit = fitted(&t, rank, seed);
            let off = gap_error(&t, &truth, &fit.model);
            let said = format!(
                "{dims:?} {rank} {kept} seed {seed}: {off:.1e} {:?}",
                fit.evidence
            );
            assert_eq!(fit.status, Status::Converged, "{said}");
            assert!(off < 2e-3, "{said}");
            let missing = t.as_slice().iter().filter(|x| x.is_nan()).count();
            assert_eq!(measured(&fit, "cp.missing-entries"), Some(missing as f64));
            assert!(measured(&fit, "cp.held-out").unwrap() < 2.0, "{said}");
        }
    }
}

#[test]
fn exact_gaps_are_filled_exactly() {
    for kept in [0.3, 0.6, 0.9] {
        let (t, truth) = planted(&[12, 13, 11], 3, 0.0, kept, 7);
        let fit = fitted(&t, 3, 1);
        assert_eq!(fit.status, Status::Converged, "{:?}", fit.evidence);
        assert!(gap_error(&t, &truth, &fit.model) < 1e-10);
    }
}

#[test]
fn too_few_entries_are_never_called_converged() {
    for seed in 0..4 {
        // About 320 of 8000 entries for 232 parameters; then fewer than parameters.
        let (t, _) = planted(&[20, 20, 20], 4, 1e-3, 0.04, seed);
        let fit = fitted(&t, 4, seed);
        assert_ne!(fit.status, Status::Converged, "{:?}", fit.evidence);
        // Jennrich's condition holds of the model, and says nothing about what was not seen.
        assert_eq!(fit_uniqueness(&fit), Uniqueness::Unknown);
        assert!(measured(&fit, "cp.entries-needed").unwrap() > 1.0);
        let (t, _) = planted(&[10, 10, 10], 4, 0.0, 0.08, seed);
        assert_ne!(fitted(&t, 4, seed).status, Status::Converged);
    }
}

#[test]
fn components_of_noise_do_not_predict() {
    // Eight components on noise of two: what was kept back is not predicted.
    for seed in 0..4 {
        let (t, _) = planted(&[9, 9, 9], 1, 30.0, 0.7, 40 + seed);
        let fit = fitted(&t, 8, seed);
        assert_ne!(fit.status, Status::Converged, "{:?}", fit.evidence);
    }
}

#[test]
fn weights_are_multiplicities() {
    let (t, _) = planted(&[8, 7, 9], 2, 0.05, 1.1, 5);
    let r = &mut rng(8);
    let mut once = Tensor::from_fn(&[8, 7, 9], |_| 1.0).unwrap();
    for w in once.as_mut_slice() {
        *w = [0.0, 0.25, 1.0, 4.0][r.random_range(0..4)];
    }
    let mut twice = once.clone();
    twice.as_mut_slice().iter_mut().for_each(|w| *w *= 8.0);
    let engine = CpMasked::new(2);
    let fit = |w: &Tensor| engine.decompose(t.view(), w.view(), &mut rng(2)).unwrap();
    let (a, b) = (fit(&once), fit(&twice));
    assert_eq!(a.status, Status::Converged, "{:?}", a.evidence);
    let far = a.model.to_dense().unwrap();
    let near = b.model.to_dense().unwrap();
    let off = far.as_slice().iter().zip(near.as_slice());
    assert!(off.map(|(x, y)| (x - y).abs()).fold(0.0, f64::max) < 1e-6 * far.view().norm());
    assert!((a.evidence.rel_residual - b.evidence.rel_residual).abs() < 1e-9);
}

#[test]
fn a_break_keeps_the_best_so_far() {
    let (t, _) = planted(&[15, 15, 15], 3, 1e-2, 0.5, 3);
    let mask = CpMasked::mask_of(t.view());
    let mut calls = 0;
    let mut observer = |_: &Progress| {
        calls += 1;
        match calls < 4 {
            true => std::ops::ControlFlow::Continue(()),
            false => std::ops::ControlFlow::Break(()),
        }
    };
    let engine = CpMasked::new(3);
    let fit = engine.decompose_observed(t.view(), mask.view(), &mut rng(0), &mut observer);
    let fit = fit.unwrap();
    assert_eq!((fit.status, calls), (Status::Stopped, 4));
    assert!(fit.evidence.rel_residual < 0.9);
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    let (t, _) = planted(&[11, 12, 10], 3, 1e-2, 0.5, 9);
    let mask = CpMasked::mask_of(t.view());
    let fit = || {
        let engine = CpMasked::new(3);
        engine
            .decompose_observed(t.view(), mask.view(), &mut rng(4), &mut unobserved)
            .unwrap()
    };
    assert_eq!(fit().model, fit().model);
}
