//! Trains and Tucker models with a prescribed error, and rounding.
#![allow(clippy::unwrap_used)]

use num_complex::Complex;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use std::ops::ControlFlow;
use wickring::decomp::{TtSvd, Tucker};
use wickring::tensor::{Tensor, TensorTrain};
use wickring::{Error, Status};

/// `f((i_0 + .. + i_{d-1}) / 16)` on 16^4.
fn of_sum(f: impl Fn(f64) -> f64) -> Tensor {
    Tensor::from_fn(&[16; 4], |i| f(i.iter().sum::<usize>() as f64 / 16.0)).unwrap()
}

fn noise(dims: &[usize], seed: u64) -> Tensor {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Tensor::from_fn(dims, |_| StandardNormal.sample(&mut rng)).unwrap()
}

#[test]
fn trains_of_functions_have_the_known_ranks_and_errors() {
    let sine = of_sum(f64::sin);
    for tol in [1e-4, 1e-8, 1e-12] {
        let fit = TtSvd::new(tol).decompose(sine.view()).unwrap();
        assert_eq!(fit.model.ranks(), [1, 2, 2, 2], "{tol}");
    }
    let inverse = of_sum(|s| 1.0 / (1.0 + s));
    for (tol, ranks) in [(1e-4, [3, 3, 3]), (1e-8, [6, 6, 6]), (1e-12, [8, 9, 8])] {
        let fit = TtSvd::new(tol).decompose(inverse.view()).unwrap();
        assert_eq!(fit.status, Status::Converged);
        let found = fit.model.ranks();
        assert!(
            found[1..].iter().zip(ranks).all(|(&a, b)| a <= b),
            "{found:?}"
        );
        assert!(fit.evidence.rel_residual <= tol);
        let tucker = Tucker::within(tol).decompose(inverse.view()).unwrap();
        assert_eq!(tucker.status, Status::Converged, "{:?}", tucker.evidence);
        assert!(tucker.evidence.rel_residual <= tol);
        assert!(
            tucker.model.ranks().iter().all(|&r| r <= ranks[1]),
            "{:?}",
            tucker.model.ranks()
        );
    }
}

/// The tail of the spectrum sets the ranks whatever the shape: long first, middle and last modes, thin slabs, noise.
#[test]
fn errors_asked_for_are_kept_on_every_shape() {
    for (k, dims) in [
        &[300, 4, 5][..],
        &[4, 300, 5],
        &[4, 5, 300],
        &[3, 2, 40, 7],
        &[1, 6, 1, 9],
        &[7],
        &[1, 1],
        &[70, 30, 2],
    ]
    .iter()
    .enumerate()
    {
        let plain = noise(dims, k as u64);
        let low = Tensor::from_fn(dims, |i| {
            let s: usize = i.iter().sum();
            (s as f64).cos() + 1e-9 * (3.0 * s as f64).sin()
        })
        .unwrap();
        for (t, tol) in [
            (&plain, 0.5),
            (&plain, 1e-3),
            (&low, 1e-6),
            (&low, 1e-12),
            (&low, 0.0),
        ] {
            let train = TtSvd::new(tol).decompose(t.view()).unwrap();
            let tucker = Tucker::within(tol).decompose(t.view()).unwrap();
            assert_eq!(
                train.status,
                Status::Converged,
                "{dims:?} {tol} {:?}",
                train.evidence
            );
            assert_eq!(
                tucker.status,
                Status::Converged,
                "{dims:?} {tol} {:?}",
                tucker.evidence
            );
            for u in tucker.model.factors() {
                let gram = u.gram();
                let off = |i: usize, j: usize| gram.column(j)[i] - f64::from(u8::from(i == j));
                assert!((0..u.cols()).all(|j| (0..u.cols()).all(|i| off(i, j).abs() < 1e-12)));
            }
        }
        // cos and sin of three times a sum: two terms each.
        let ranks = TtSvd::new(1e-6)
            .decompose(low.view())
            .unwrap()
            .model
            .ranks();
        assert!(ranks.iter().all(|&r| r <= 2), "{dims:?} {ranks:?}");
    }
}

#[test]
fn given_ranks_modes_left_alone_and_refusals() {
    let t = noise(&[6, 5, 4], 3);
    let fit = TtSvd::with_ranks(&[3, 2]).decompose(t.view()).unwrap();
    assert_eq!(fit.model.ranks(), [1, 3, 2]);
    let ratio = fit.evidence.check("train.optimality").unwrap().measured;
    assert!((1.0..=2f64.sqrt()).contains(&ratio), "{ratio}");
    let full = TtSvd::with_ranks(&[99]).decompose(t.view()).unwrap();
    assert_eq!(full.model.ranks(), [1, 6, 4]);
    assert!(full.evidence.rel_residual < 1e-14);
    assert!(TtSvd::with_ranks(&[1, 2, 3]).decompose(t.view()).is_err());
    assert!(TtSvd::new(1.0).decompose(t.view()).is_err());

    let fit = Tucker::within(0.3)
        .leave_alone(&[1])
        .decompose(t.view())
        .unwrap();
    assert_eq!(fit.model.ranks()[1], 5);
    assert!(fit.evidence.rel_residual <= 0.3);
    let fit = Tucker::new(&[2, 9, 2])
        .leave_alone(&[1])
        .decompose(t.view())
        .unwrap();
    assert_eq!(fit.model.ranks(), [2, 5, 2]);
    assert!(
        Tucker::within(0.1)
            .leave_alone(&[3])
            .decompose(t.view())
            .is_err()
    );
    // A bound on the ranks that the error cannot afford is said, not hidden.
    let short = Tucker::within(1e-3)
        .most(&[2, 2, 2])
        .decompose(t.view())
        .unwrap();
    assert_eq!(
        (short.status, short.model.ranks()),
        (Status::Stalled, &[2, 2, 2][..])
    );
    let short = TtSvd::new(1e-3).max_rank(2).decompose(t.view()).unwrap();
    assert_eq!(short.status, Status::Stalled);
}

#[test]
fn complex_huge_and_tiny_tensors() {
    for scale in [1e-300, 1.0, 1e300] {
        let t = Tensor::from_fn(&[5, 6, 4], |i| {
            let x = (i[0] + 2 * i[1] + 3 * i[2]) as f64;
            Complex::new(x.cos(), (0.5 * x).sin()) * scale
        })
        .unwrap();
        let train = TtSvd::new(1e-10).decompose(t.view()).unwrap();
        assert_eq!(
            train.status,
            Status::Converged,
            "{scale} {:?}",
            train.evidence
        );
        assert_eq!(train.model.ranks(), [1, 4, 4]);
        let tucker = Tucker::within(1e-10).decompose(t.view()).unwrap();
        assert_eq!(
            tucker.status,
            Status::Converged,
            "{scale} {:?}",
            tucker.evidence
        );
        assert!(tucker.model.rel_residual(t.view()).unwrap() < 1e-10);
    }
}

/// Norms beyond the exponent range neither overflow nor keep every rank.
#[test]
fn long_trains_round_to_their_rank() {
    let ones = Tensor::from_vec(&[1, 10, 1], vec![1.0; 10]).unwrap();
    let train = TensorTrain::new(vec![ones; 700]).unwrap();
    let rounded = train.add(&train).unwrap().round(1e-12).unwrap();
    assert!(rounded.ranks().iter().all(|&r| r == 1));
    assert!((rounded.entry(&[3; 700]).unwrap() - 2.0).abs() < 1e-10);
    let short = TensorTrain::new(train.cores()[..400].to_vec()).unwrap();
    let mut sum = short.clone();
    for _ in 0..50 {
        sum = sum.add(&short).unwrap().round(1e-10).unwrap();
        assert!(sum.ranks().iter().all(|&r| r == 1));
    }
    assert!((sum.norm().unwrap() / short.norm().unwrap() - 51.0).abs() < 1e-8);
    let t = noise(&[5, 5, 5, 5], 1);
    let train = TtSvd::new(0.0).decompose(t.view()).unwrap().model;
    let cut = TtSvd::with_ranks(&[3]).round(&train).unwrap();
    assert_eq!(cut.model.ranks(), [1, 3, 3, 3]);
    let gap = cut.model.rel_residual(t.view()).unwrap();
    assert!((gap - cut.evidence.rel_residual).abs() < 1e-12);
    assert_eq!(
        TtSvd::new(1e-3)
            .most(&[9, 3, 9])
            .round(&train)
            .unwrap()
            .status,
        Status::Stalled
    );
    assert_eq!(
        TtSvd::new(0.5).round(&train).unwrap().status,
        Status::Converged
    );
}

#[test]
fn a_wish_to_stop_is_heard() {
    let t = noise(&[30, 30, 30], 1);
    let mut stop = |_: &_| ControlFlow::Break(());
    let train = TtSvd::new(0.1).decompose_observed(t.view(), &mut stop);
    assert!(matches!(train, Err(Error::Stopped { .. })));
    let mut calls = 0;
    let mut late = |p: &wickring::run::Progress| {
        calls += usize::from(p.stage == "sweeps");
        if calls > 1 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let fit = Tucker::new(&[3, 3, 3])
        .decompose_observed(t.view(), &mut late)
        .unwrap();
    assert_eq!((fit.status, fit.work.sweeps), (Status::Stopped, 1));
}
