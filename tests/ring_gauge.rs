//! Rings and trains as models: evaluation, arithmetic, gauges, rounding.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

use num_complex::Complex;
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use wickring::laws::bytes::Bytes;
use wickring::laws::ring_models;
use wickring::tensor::{Scalar, Tensor, TensorRing};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn all_laws_hold(data in proptest::collection::vec(any::<u8>(), 0..400), tolerance in 0.0..0.5f64) {
        let real = ring_models::all_laws::<f64>(&mut Bytes::new(&data), tolerance);
        prop_assert_eq!(real, Ok(()));
        let complex = ring_models::all_laws::<Complex<f64>>(&mut Bytes::new(&data), tolerance);
        prop_assert_eq!(complex, Ok(()));
    }
}

#[test]
fn stored_inputs_keep_the_laws() {
    for entry in std::fs::read_dir("fuzz/regressions/ring_models").unwrap() {
        ring_models::fuzz_ring_models(&std::fs::read(entry.unwrap().path()).unwrap());
    }
}

fn random<T: Scalar>(dims: &[usize], ranks: &[usize], seed: u64) -> TensorRing<T> {
    TensorRing::gaussian(dims, ranks, &mut ChaCha8Rng::seed_from_u64(seed)).unwrap()
}

fn gauge_is_found<T: Scalar>() {
    for seed in 0..10 {
        let x = random::<T>(&[5, 7, 6], &[2, 3, 2], seed);
        let mut rng = ChaCha8Rng::seed_from_u64(1000 + seed);
        let gauges = x.ranks().into_iter().map(|r| {
            faer::Mat::from_fn(r, r, |i, j| {
                T::gaussian(&mut rng) + T::from_real(if i == j { 3.0 } else { 0.0 })
            })
        });
        let y = x.gauged(&gauges.collect::<Vec<_>>()).unwrap();
        let found = x.gauge_to(&y).unwrap();
        // Gauges near 3 I have condition below 100 on these seeds; 1e-11 leaves 5e4 eps.
        assert!(found.mismatch < 1e-11, "seed {seed}: {}", found.mismatch);
        assert!(found.uniqueness > 1e-6, "seed {seed}: {}", found.uniqueness);
        let other = random::<T>(&[5, 7, 6], &[2, 3, 2], seed + 77);
        assert!(x.gauge_to(&other).unwrap().mismatch > 1e-2);
        // One canonical form for both, up to phases: compare moduli.
        let (a, b) = (x.canonical().unwrap(), y.canonical().unwrap());
        for (g, h) in a.cores().iter().zip(b.cores()) {
            for (p, q) in g.as_slice().iter().zip(h.as_slice()) {
                let gap = (p.squared().sqrt() - q.squared().sqrt()).abs();
                assert!(gap < 1e-8, "seed {seed}: {p:?} {q:?}");
            }
        }
    }
}

#[test]
fn a_gauge_between_two_rings_is_found_and_only_then() {
    gauge_is_found::<f64>();
    gauge_is_found::<Complex<f64>>();
}

#[test]
fn a_uniform_ring_is_made_uniform_again() {
    let core: Tensor = random::<f64>(&[4], &[3], 5).into_cores().remove(0);
    let ring = TensorRing::new(vec![core; 5]).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let gauges = (0..5).map(|_| {
        faer::Mat::from_fn(3, 3, |i, j| {
            f64::gaussian(&mut rng) + if i == j { 4.0 } else { 0.0 }
        })
    });
    let moved = ring.gauged(&gauges.collect::<Vec<_>>()).unwrap();
    let uniform = moved.to_uniform().unwrap();
    assert_eq!(uniform.sign, 1.0);
    let gap = uniform.to_ring().unwrap().distance(&ring).unwrap() / ring.norm();
    assert!(gap < 1e-11, "{gap}");
    assert!(random::<f64>(&[4; 3], &[2; 3], 1).to_uniform().is_err());
}
