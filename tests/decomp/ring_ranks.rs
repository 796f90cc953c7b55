//! Ranks of rings from their unfoldings, with evidence; what sampled rows and starts without room reach.

#![allow(clippy::unwrap_used, clippy::panic)] // shared set-up of tests fails loudly

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use wickring::decomp::{RingAuto, RingCompletion, RingRanks, RingSampledAls};
use wickring::laws::planted::with_noise;
use wickring::run::unobserved;
use wickring::tensor::{Scalar, Tensor, TensorRing};
use wickring::{Error, Status};

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn planted<T: Scalar>(dims: &[usize], ranks: &[usize], seed: u64) -> TensorRing<T> {
    TensorRing::gaussian(dims, ranks, &mut rng(seed)).unwrap()
}

fn noisy(t: &Tensor, level: f64, seed: u64) -> Tensor {
    with_noise(t, level, &mut rng(seed)).unwrap()
}

#[test]
fn ranks_are_found_with_evidence() {
    // Modes smaller than the products of their ranks have full unfoldings, whose spectra may show accidental
    // gaps: the others must decide.
    for (dims, ranks) in [
        (&[10, 11, 12][..], &[3, 3, 3][..]),
        (&[12, 12, 12], &[2, 3, 2]),
        (&[9, 9, 9], &[3, 3, 3]),
        (&[8, 9, 10, 11], &[3, 3, 3, 3]),
        (&[3; 6], &[2; 6]),
        (&[4; 5], &[2; 5]),
        (&[6, 5, 6, 5], &[3, 2, 3, 2]),
        (&[6, 7, 5, 6, 4], &[2, 1, 3, 2, 2]),
        (&[3; 3], &[2; 3]),
    ] {
        for seed in 0..4 {
            let truth = planted::<f64>(dims, ranks, seed);
            let exact = truth.to_dense().unwrap();
            for t in [&exact, &noisy(&exact, 1e-4, 2)] {
                let found = RingRanks::of(t.view(), &mut rng(1)).unwrap();
                assert_eq!(found.candidates[0], ranks, "seed {seed}: {found:?}");
            }
            // Three modes of size three have no room: the ring is found from starts, or not.
            if dims == [3; 3] {
                continue;
            }
            let fit = RingAuto::auto()
                .decompose(exact.view(), &mut rng(1))
                .unwrap();
            assert_eq!(
                (fit.status, fit.model.ranks()),
                (Status::Converged, ranks.to_vec()),
                "{dims:?} seed {seed}"
            );
        }
    }
    // Exact data that are no ring in general position: a sum of three products is a train.
    let mut source = rng(5);
    let factor =
        |n: usize, rng: &mut ChaCha8Rng| faer::Mat::from_fn(n, 3, |_, _| f64::gaussian(rng));
    let factors: Vec<_> = (0..3).map(|_| factor(8, &mut source)).collect();
    let t = TensorRing::from_cp_factors(&factors)
        .unwrap()
        .to_dense()
        .unwrap();
    let fit = RingAuto::auto().decompose(t.view(), &mut rng(1)).unwrap();
    assert_eq!(
        (fit.status, fit.model.ranks()),
        (Status::Converged, vec![1, 3, 3])
    );
    // A tensor without structure: full unfoldings exclude little, and no candidate converges.
    let mut noise = rng(1);
    let random = Tensor::from_fn(&[8, 8, 8], |_| f64::gaussian(&mut noise)).unwrap();
    if let Ok(found) = RingRanks::of(random.view(), &mut rng(1)) {
        assert!(!found.decided, "{found:?}");
        let fit = RingAuto::auto()
            .max_sweeps(50)
            .starts(1)
            .decompose(random.view(), &mut rng(1));
        assert!(fit.is_err() || fit.is_ok_and(|f| f.status != Status::Converged));
    }
}

/// One core at every place, and no room for the algebraic method: four modes of size four at rank three.
#[test]
fn a_uniform_ring_without_room_is_found_from_starts() {
    let core = planted::<f64>(&[4], &[3], 2).into_cores().remove(0);
    let t = TensorRing::new(vec![core; 4]).unwrap().to_dense().unwrap();
    let fit = RingAuto::new(&[3])
        .decompose(t.view(), &mut rng(1))
        .unwrap();
    assert_eq!(fit.status, Status::Converged, "{:?}", fit.evidence);
}

#[test]
fn sampled_rows_recover_rings_and_judge_themselves() {
    for seed in 0..3 {
        let truth = planted::<f64>(&[20, 18, 16], &[2, 3, 2], seed);
        let exact = truth.to_dense().unwrap();
        let sampled = RingSampledAls::new(&[2, 3, 2]).starts(20).max_sweeps(200);
        let fit = sampled
            .decompose(exact.view(), &mut rng(seed), &mut unobserved)
            .unwrap();
        assert_eq!(fit.status, Status::Converged, "{seed} {:?}", fit.evidence);
        assert_eq!(
            fit.evidence.rel_residual,
            fit.model.rel_residual(exact.view()).unwrap()
        );
        // Sampling noise keeps it off the optimum of noisy data by a factor that the number of rows bounds:
        // with s rows for each unknown the variance of the estimate is about 1 / s of that of the data.
        let t = noisy(&exact, 1e-3, seed + 7);
        let fit = sampled
            .decompose(t.view(), &mut rng(seed), &mut unobserved)
            .unwrap();
        assert!(
            fit.evidence.rel_residual <= 3e-3,
            "{}",
            fit.evidence.rel_residual
        );
        let few = RingSampledAls::new(&[2]).max_sweeps(3).starts(1);
        let fit = few
            .decompose(t.view(), &mut rng(seed), &mut unobserved)
            .unwrap();
        assert_ne!(fit.status, Status::Converged);
    }
    let t = planted::<f64>(&[4, 4, 4], &[2, 2, 2], 1)
        .to_dense()
        .unwrap();
    for bad in [
        RingSampledAls::new(&[0]),
        RingSampledAls::new(&[2]).tol(0.0),
        RingSampledAls::new(&[2]).starts(0),
    ] {
        let e = bad
            .decompose(t.view(), &mut rng(1), &mut unobserved)
            .unwrap_err();
        assert!(matches!(e, Error::InvalidInput { .. }), "{e}");
    }
}

/// Two thirds of the entries; the others are NaN and never read.
fn with_holes(t: &Tensor, seed: u64) -> (Tensor, Vec<bool>) {
    let mut source = rng(seed);
    let entries = t.as_slice().iter();
    let seen: Vec<bool> = entries
        .map(|_| f64::gaussian(&mut source) > -0.43)
        .collect();
    let mut holes = t.clone();
    let unseen = holes.as_mut_slice().iter_mut().zip(&seen);
    unseen
        .filter(|(_, s)| !**s)
        .for_each(|(x, _)| *x = f64::NAN);
    (holes, seen)
}

#[test]
fn ranks_are_chosen_from_part_of_the_entries() {
    let complete = |holes: &Tensor, seen: &[bool]| {
        RingCompletion::auto().decompose(holes.view(), seen, &mut rng(2), &mut unobserved)
    };
    for ranks in [[1, 1, 1], [2, 2, 2], [2, 3, 2]] {
        let planted = TensorRing::<f64>::gaussian(&[12, 10, 11], &ranks, &mut rng(7)).unwrap();
        let t = planted.to_dense().unwrap();
        let (holes, seen) = with_holes(&t, 3);
        let fit = complete(&holes, &seen).unwrap();
        assert_eq!(fit.status, Status::Converged, "{:?}", fit.evidence);
        assert_eq!(fit.model.ranks(), ranks, "{:?}", fit.evidence);
        assert!(fit.model.rel_residual(t.view()).unwrap() < 1e-6);
        // With noise the rank is that of the signal as well.
        if ranks == [2, 2, 2] {
            let noisy = noisy(&t, 0.02, 4);
            let (holes, seen) = with_holes(&noisy, 3);
            let fit = complete(&holes, &seen).unwrap();
            assert_eq!(fit.model.ranks(), ranks, "{:?}", fit.evidence);
            assert!(fit.model.rel_residual(t.view()).unwrap() < 0.02);
        }
    }
    // No structure: nothing predicts the entries held out, at no rank.
    let mut source = rng(5);
    let noise = Tensor::from_fn(&[6, 6, 6], |_| f64::gaussian(&mut source)).unwrap();
    let (holes, seen) = with_holes(&noise, 3);
    let fit = complete(&holes, &seen).unwrap();
    assert_ne!(fit.status, Status::Converged, "{:?}", fit.evidence);
    let three = RingCompletion::new(&[3]).starts(2);
    let fit = three.decompose(holes.view(), &seen, &mut rng(2), &mut unobserved);
    assert!(fit.is_err() || fit.is_ok_and(|f| f.status != Status::Converged));
}

/// Four entries to spare tell nothing: the best product is often close to a small tensor of noise.
#[test]
fn a_handful_of_entries_is_never_called_noise() {
    for seed in 0..200 {
        let mut source = rng(seed);
        let t = Tensor::from_fn(&[2, 2, 2], |_| f64::gaussian(&mut source)).unwrap();
        let fit = RingAuto::new(&[1])
            .decompose(t.view(), &mut rng(1))
            .unwrap();
        assert_ne!(fit.status, Status::Converged, "{seed} {:?}", fit.evidence);
    }
}
