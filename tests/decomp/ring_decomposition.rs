//! Rings found from tensors: planted recovery, noise, honest refusals, the AKLT state.

#![allow(clippy::unwrap_used, clippy::panic)] // shared set-up of tests fails loudly

use num_complex::Complex;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use wickring::decomp::{CoreSolver, RingAlgebraic, RingAls, RingAuto, RingCompletion, RingQueries};
use wickring::run::unobserved;
use wickring::tensor::{Scalar, Tensor, TensorRing};
use wickring::{Error, Status};

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn planted<T: Scalar>(dims: &[usize], ranks: &[usize], seed: u64) -> TensorRing<T> {
    TensorRing::gaussian(dims, ranks, &mut rng(seed)).unwrap()
}

/// Adds Gaussian noise of a relative size.
fn noisy(t: &Tensor, level: f64, seed: u64) -> Tensor {
    let mut rng = rng(seed);
    let scale = level * t.view().norm() / (t.as_slice().len() as f64).sqrt();
    let data = t
        .as_slice()
        .iter()
        .map(|x| x + scale * f64::gaussian(&mut rng));
    Tensor::from_vec(t.dims(), data.collect()).unwrap()
}

/// Shapes and ranks with room for the algebraic method.
const EXACT: [(&[usize], &[usize]); 11] = [
    (&[9, 9, 9], &[3, 3, 3]),
    (&[16, 17, 18], &[4, 4, 4]),
    (&[25, 25, 25], &[5, 5, 5]),
    (&[4, 3, 4], &[2, 2, 2]),
    (&[9, 8, 7, 9], &[3, 3, 3, 3]),
    (&[4, 5, 4, 5, 4], &[3, 3, 3, 3, 3]),
    (&[15, 15, 15], &[2, 3, 4]),
    (&[6, 5, 6, 5], &[3, 2, 3, 2]),
    (&[12, 7, 13], &[1, 4, 3]),
    (&[7, 9], &[2, 3]),
    (&[5], &[2]),
];

fn every_planted_ring_is_found<T: Scalar>(seeds: u64) {
    for (dims, ranks) in EXACT {
        for seed in 0..seeds {
            let t = planted::<T>(dims, ranks, seed).to_dense().unwrap();
            let fit = RingAlgebraic::new(ranks).decompose(t.view(), &mut rng(seed + 500));
            let fit = fit.unwrap_or_else(|e| panic!("{dims:?} {ranks:?} seed {seed}: {e}"));
            assert_eq!(
                fit.status,
                Status::Converged,
                "{dims:?} {ranks:?} {seed} {fit:?}"
            );
            assert_eq!(fit.model.ranks(), ranks);
            let residual = fit.model.rel_residual(t.view()).unwrap();
            assert!(
                residual <= 1e-8,
                "{dims:?} {ranks:?} seed {seed}: {residual}"
            );
            assert_eq!(residual, fit.evidence.rel_residual);
        }
    }
}

#[test]
fn planted_rings_are_found_real_and_complex() {
    every_planted_ring_is_found::<f64>(6);
    every_planted_ring_is_found::<Complex<f64>>(3);
}

/// The full count of the bar: `cargo test --release --test decomp ring_decomposition -- --ignored`.
#[test]
#[ignore = "statistics; about a minute in release"]
fn one_hundred_seeds_of_each_case_are_found() {
    every_planted_ring_is_found::<f64>(100);
    every_planted_ring_is_found::<Complex<f64>>(100);
}

/// The ground state of Affleck, Kennedy, Lieb and Tasaki on a ring of spins one: one core of rank two at all places.
fn aklt(spins: usize) -> Tensor {
    let (a, b) = ((2.0f64 / 3.0).sqrt(), (1.0f64 / 3.0).sqrt());
    let core = |i: usize, s: usize, j: usize| match (s, i, j) {
        (0, 0, 1) => a,
        (1, 0, 0) => -b,
        (1, 1, 1) => b,
        (2, 1, 0) => -a,
        _ => 0.0,
    };
    let core = Tensor::from_fn(&[2, 3, 2], |k| core(k[0], k[1], k[2])).unwrap();
    TensorRing::new(vec![core; spins])
        .unwrap()
        .to_dense()
        .unwrap()
}

/// Exact rings end at rounding, whichever method found them.
#[test]
fn exact_rings_are_sharp() {
    let fit = RingAuto::new(&[2])
        .decompose(aklt(6).view(), &mut rng(0))
        .unwrap();
    let residual = fit.evidence.rel_residual;
    assert!(
        fit.status == Status::Converged && residual <= 1e-12,
        "{residual}"
    );
    let mut found = 0;
    for seed in 0..4 {
        let t = planted::<f64>(&[4, 4, 4, 4], &[3, 3, 3, 3], seed);
        let t = t.to_dense().unwrap();
        let fit = RingAuto::new(&[3])
            .decompose(t.view(), &mut rng(seed))
            .unwrap();
        if fit.status == Status::Converged {
            found += 1;
            let residual = fit.evidence.rel_residual;
            assert!(residual <= 1e-12, "seed {seed}: {residual}");
        }
    }
    assert!(found >= 2, "{found} of 4 found");
}

#[test]
fn aklt_is_a_uniform_ring_of_rank_two() {
    let t = aklt(6);
    for seed in 0..20 {
        let fit = RingAlgebraic::new(&[2])
            .decompose(t.view(), &mut rng(seed))
            .unwrap();
        assert_eq!(fit.work.starts, 1, "seed {seed}: no restart is needed");
        assert!(
            fit.evidence.rel_residual <= 1e-12,
            "{}",
            fit.evidence.rel_residual
        );
        let uniform = fit.converged().unwrap().to_uniform().unwrap();
        // One core serves at all places; the ground state was stored with the other sign.
        assert_eq!(uniform.core.dims(), [2, 3, 2]);
        let residual = uniform.to_ring().unwrap().rel_residual(t.view()).unwrap();
        assert!(residual <= 1e-12, "seed {seed}: {residual}");
    }
}

/// Under noise the algebraic start followed by ALS ends where ALS ends from the truth.
#[test]
fn noise_is_fitted_as_well_as_from_the_truth() {
    for (dims, r) in [(&[12, 12, 12][..], 3), (&[6, 6, 6], 2), (&[8, 8, 8, 8], 2)] {
        for seed in 0..3 {
            let truth = planted::<f64>(dims, &vec![r; dims.len()], seed);
            let t = noisy(&truth.to_dense().unwrap(), 1e-3, seed + 9);
            let als = RingAls::new(&[r]);
            let start = RingAlgebraic::new(&[r])
                .decompose(t.view(), &mut rng(seed))
                .unwrap();
            assert_ne!(start.status, Status::Converged);
            let ours = als.refine(t.view(), start.model, &mut unobserved).unwrap();
            let best = als.refine(t.view(), truth, &mut unobserved).unwrap();
            let (x, y) = (ours.evidence.rel_residual, best.evidence.rel_residual);
            assert!(x <= 1.01 * y, "{dims:?} {r} seed {seed}: {x} against {y}");
            assert_eq!(ours.status, Status::Converged, "{:?}", ours.evidence);
            assert_eq!(ours.history.len(), ours.work.sweeps + 1);
        }
    }
}

#[test]
fn what_is_not_a_ring_of_that_rank_is_never_called_converged() {
    for seed in 0..4 {
        let higher = planted::<f64>(&[10, 10, 10], &[3, 3, 3], seed)
            .to_dense()
            .unwrap();
        let mut noise = rng(seed);
        let random = Tensor::from_fn(&[10, 10, 10], |_| f64::gaussian(&mut noise)).unwrap();
        for t in [&higher, &random] {
            if let Ok(fit) = RingAlgebraic::new(&[2]).decompose(t.view(), &mut rng(seed)) {
                assert_ne!(fit.status, Status::Converged);
                let ring = fit.model;
                let als = RingAls::new(&[2]).max_sweeps(300);
                let refined = als.refine(t.view(), ring, &mut unobserved).unwrap();
                assert_ne!(refined.status, Status::Converged, "{:?}", refined.evidence);
            }
            let als = RingAls::new(&[2]).starts(2).max_sweeps(300);
            let fit = als.decompose(t.view(), &mut rng(seed)).unwrap();
            assert_ne!(
                fit.status,
                Status::Converged,
                "seed {seed}: {:?}",
                fit.evidence
            );
        }
    }
}

#[test]
fn the_two_core_solvers_agree() {
    let truth = planted::<f64>(&[7, 8, 9], &[2, 3, 2], 4);
    let t = noisy(&truth.to_dense().unwrap(), 1e-2, 1);
    let fit = |solver| {
        let als = RingAls::new(&[2, 3, 2]).solver(solver);
        als.refine(t.view(), truth.clone(), &mut unobserved)
            .unwrap()
            .evidence
            .rel_residual
    };
    let (normal, qr) = (fit(CoreSolver::Normal), fit(CoreSolver::Qr));
    // Both stop when the residual moves by less than 1e-7 of itself for three sweeps.
    assert!((normal - qr).abs() <= 1e-5 * qr, "{normal} {qr}");
}

#[test]
fn random_starts_find_most_small_rings() {
    let mut found = 0;
    for seed in 0..10 {
        let t = planted::<f64>(&[10, 10, 10], &[2, 2, 2], seed)
            .to_dense()
            .unwrap();
        let fit = RingAls::new(&[2])
            .decompose(t.view(), &mut rng(seed))
            .unwrap();
        found += usize::from(fit.status == Status::Converged);
    }
    assert!(found >= 8, "{found} of 10");
}

#[test]
fn hypotheses_that_fail_are_named() {
    let t = planted::<f64>(&[3, 3, 3], &[2, 2, 2], 1)
        .to_dense()
        .unwrap();
    let room = RingAlgebraic::new(&[2]).decompose(t.view(), &mut rng(1));
    let named = |e: &Error, word: &str| {
        matches!(e, Error::Degenerate { hypothesis, measured, .. }
            if hypothesis.contains(word) && measured.is_finite())
    };
    assert!(named(&room.unwrap_err(), "room"));
    let t = planted::<f64>(&[9, 9, 9], &[2, 2, 2], 1)
        .to_dense()
        .unwrap();
    let rank = RingAlgebraic::new(&[3]).decompose(t.view(), &mut rng(1));
    assert!(named(&rank.unwrap_err(), "rank R_k R_l"));
    let quaternionic = RingAlgebraic::new(&[2]).decompose(quaternions().view(), &mut rng(1));
    let e = quaternionic.unwrap_err();
    assert!(named(&e, "real ring"), "{e}");
    let complex = complexified(&quaternions());
    let fit = RingAlgebraic::new(&[2])
        .decompose(complex.view(), &mut rng(1))
        .unwrap();
    assert_eq!(fit.status, Status::Converged);
}

/// `Tr(q_i q_j q_k)` over the unit quaternions as complex 2 x 2 matrices: a real tensor whose ring of rank
/// two is complex.
fn quaternions() -> Tensor {
    let z = Complex::new;
    let units = [
        [z(1.0, 0.0), z(0.0, 0.0), z(0.0, 0.0), z(1.0, 0.0)],
        [z(0.0, 1.0), z(0.0, 0.0), z(0.0, 0.0), z(0.0, -1.0)],
        [z(0.0, 0.0), z(1.0, 0.0), z(-1.0, 0.0), z(0.0, 0.0)],
        [z(0.0, 0.0), z(0.0, 1.0), z(0.0, 1.0), z(0.0, 0.0)],
    ];
    let core = Tensor::from_fn(&[2, 4, 2], |i| units[i[1]][2 * i[0] + i[2]]).unwrap();
    let dense = TensorRing::new(vec![core; 3]).unwrap().to_dense().unwrap();
    assert!(dense.as_slice().iter().all(|x| x.im.abs() < 1e-15));
    Tensor::from_vec(
        dense.dims(),
        dense.as_slice().iter().map(|x| x.re).collect(),
    )
    .unwrap()
}

fn complexified(t: &Tensor) -> Tensor<Complex<f64>> {
    let data = t.as_slice().iter().map(|x| x.to_complex()).collect();
    Tensor::from_vec(t.dims(), data).unwrap()
}

#[test]
fn awkward_tensors_are_handled() {
    let zero = Tensor::from_vec(&[4, 4, 4], vec![0.0; 64]).unwrap();
    for fit in [
        RingAlgebraic::new(&[2]).decompose(zero.view(), &mut rng(1)),
        RingAls::new(&[2]).decompose(zero.view(), &mut rng(1)),
    ] {
        let fit = fit.unwrap();
        assert_eq!(
            (fit.status, fit.evidence.rel_residual),
            (Status::Converged, 0.0)
        );
    }
    // Scales near the ends of the range, where squares leave it.
    let t = planted::<f64>(&[5, 6, 5], &[2, 2, 2], 3)
        .to_dense()
        .unwrap();
    for scale in [1e-300, 1e-200, 1e-150, 1e-100, 1e100, 1e150, 1e200, 1e290] {
        let data = t.as_slice().iter().map(|x| x * scale).collect();
        let scaled = Tensor::from_vec(t.dims(), data).unwrap();
        let fit = RingAlgebraic::new(&[2])
            .decompose(scaled.view(), &mut rng(1))
            .unwrap();
        assert_eq!(fit.status, Status::Converged, "{scale}");
        let fit = RingAls::new(&[2])
            .decompose(scaled.view(), &mut rng(1))
            .unwrap();
        assert!(fit.evidence.rel_residual.is_finite());
    }
    for bad in [f64::NAN, f64::INFINITY] {
        let mut t = t.clone();
        t.as_mut_slice()[7] = bad;
        let e = RingAlgebraic::new(&[2])
            .decompose(t.view(), &mut rng(1))
            .unwrap_err();
        assert!(matches!(e, Error::NonFinite { index: 7, .. }));
        let e = RingAls::new(&[2])
            .decompose(t.view(), &mut rng(1))
            .unwrap_err();
        assert!(matches!(e, Error::NonFinite { index: 7, .. }));
    }
    for (ranks, tol) in [
        (&[][..], 1e-8),
        (&[0], 1e-8),
        (&[2, 2], 1e-8),
        (&[2], 0.0),
        (&[2], f64::NAN),
    ] {
        let e = RingAlgebraic::new(ranks)
            .tol(tol)
            .decompose(t.view(), &mut rng(1))
            .unwrap_err();
        assert!(matches!(e, Error::InvalidInput { .. }), "{e}");
        let e = RingAls::new(ranks)
            .tol(tol)
            .decompose(t.view(), &mut rng(1))
            .unwrap_err();
        assert!(matches!(e, Error::InvalidInput { .. }), "{e}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    let t = planted::<f64>(&[9, 9, 9], &[3, 3, 3], 1)
        .to_dense()
        .unwrap();
    let run = || {
        RingAlgebraic::new(&[3])
            .decompose(t.view(), &mut rng(5))
            .unwrap()
            .model
    };
    assert_eq!(run(), run());
}

#[test]
fn few_queries_are_enough() {
    for (dims, ranks) in [
        ([40, 30, 50], [2, 2, 2]),
        ([30, 40, 35], [3, 3, 3]),
        ([20, 20, 20], [2, 3, 2]),
    ] {
        for seed in 0..5 {
            let hidden = planted::<f64>(&dims, &ranks, seed);
            let mut asked = 0u64;
            let mut look = |i: &[usize]| {
                asked += 1;
                hidden.entry(i).unwrap()
            };
            let fit = RingQueries::new(&ranks)
                .decompose(&dims, &mut look, &mut rng(seed))
                .unwrap();
            assert_eq!(
                fit.status,
                Status::Converged,
                "{dims:?} {seed} {:?}",
                fit.evidence
            );
            let products = [
                ranks[0] * ranks[1],
                ranks[1] * ranks[2],
                ranks[2] * ranks[0],
            ];
            let fibres: usize = (0..3).map(|k| dims[k] * (products[k] + 4)).sum();
            let block = 4 * (products[0] + 4) * (products[2] + 4);
            assert_eq!(fit.work.samples, asked);
            // And fresh entries on which the answer is tested.
            assert!(asked as usize <= fibres + block + 128, "{asked}");
            let gap = fit.model.distance(&hidden).unwrap() / hidden.norm();
            assert!(gap <= 1e-7, "{dims:?} {seed}: {gap}");
        }
    }
    let mut noise = rng(1);
    let mut look = |_: &[usize]| f64::gaussian(&mut noise);
    let fit = RingQueries::new(&[2]).decompose(&[20, 20, 20], &mut look, &mut rng(1));
    assert!(fit.is_err() || fit.is_ok_and(|f| f.status != Status::Converged));
}

#[test]
fn missing_entries_are_recovered() {
    for seed in 0..3 {
        let t = planted::<f64>(&[9, 9, 9], &[2, 2, 2], seed)
            .to_dense()
            .unwrap();
        let mut source = rng(seed);
        let seen: Vec<bool> = t
            .as_slice()
            .iter()
            .map(|_| f64::gaussian(&mut source) > -0.5)
            .collect();
        let mut holes = t.clone();
        for (x, s) in holes.as_mut_slice().iter_mut().zip(&seen) {
            if !s {
                *x = f64::NAN;
            }
        }
        let fit = RingCompletion::new(&[2]).decompose(
            holes.view(),
            &seen,
            &mut rng(seed),
            &mut unobserved,
        );
        let fit = fit.unwrap();
        assert_eq!(fit.status, Status::Converged, "{seed} {:?}", fit.evidence);
        let residual = fit.model.rel_residual(t.view()).unwrap();
        assert!(residual <= 1e-6, "{residual}");
        // With fewer entries than parameters anything fits: refused.
        let few: Vec<bool> = (0..729).map(|i| i % 9 == 0).collect();
        let e = RingCompletion::new(&[2]).decompose(t.view(), &few, &mut rng(1), &mut unobserved);
        assert!(matches!(e, Err(Error::Degenerate { .. })));
    }
}
