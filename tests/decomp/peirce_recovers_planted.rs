//! The Peirce frame recovers planted symmetric rings, and refuses or doubts everything else.
#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use wickring::decomp::Peirce;
use wickring::laws::ring::planted::{certificate_is_honest, random_symmetric_ring, reproduces};
use wickring::tensor::Tensor;
use wickring::{Error, Status};

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Relative parameter error up to the gauge, and the condition number of `S`.
fn error(rank: usize, d: usize, seed: u64) -> (f64, f64) {
    let rng = &mut rng(seed);
    let planted = random_symmetric_ring(d, rank, rng).unwrap();
    let t = planted.to_dense().unwrap();
    let fit = Peirce::new(rank)
        .decompose(planted.gram().as_ref(), t.view(), rng)
        .unwrap();
    assert_eq!(fit.status, Status::Converged, "{:?}", fit.evidence);
    let cond = fit.evidence.condition;
    (fit.model.align(&planted).unwrap().distance, cond)
}

/// The bars of the task: r=10 d=55 to 1e-12 and r=16 d=136 to 1e-11 at conditioning up to 1e7, and
/// r=20 d=260, where the conditioning is about 300, to 1e-11.
#[test]
fn large_exact_rings_are_recovered_to_the_bars() {
    for (rank, d, bar) in [(10, 55, 1e-12), (16, 136, 1e-11), (20, 260, 1e-11)] {
        let (error, cond) = error(rank, d, 1);
        println!("r={rank} d={d}: error {error:.1e}, cond(S) {cond:.1e}");
        assert!(error <= bar, "r={rank} d={d}: {error:.2e}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn exact_rings_are_recovered(seed: u64, rank in 1usize..6, extra in 0usize..5) {
        let rng = &mut rng(seed);
        let d = rank * (rank + 1) / 2 + extra;
        let planted = random_symmetric_ring(d, rank, rng).unwrap();
        let t = planted.to_dense().unwrap();
        let fit = Peirce::new(rank).decompose(planted.gram().as_ref(), t.view(), rng).unwrap();
        prop_assert_eq!(certificate_is_honest(t.view(), &fit), Ok(()));
        prop_assert_eq!(reproduces(t.view(), &fit), Ok(()));
    }

    /// A tensor that is not a ring of that rank is never called converged.
    #[test]
    fn what_is_no_ring_is_not_called_converged(seed: u64, rank in 2usize..5) {
        let rng = &mut rng(seed);
        let d = rank * (rank + 1) / 2;
        // Rank r+1 data offered as rank r: S has full rank d, T is something else.
        let other = random_symmetric_ring(d, rank + 1, rng).unwrap();
        let t = other.to_dense().unwrap();
        match Peirce::new(rank).decompose(other.gram().as_ref(), t.view(), rng) {
            Err(Error::Degenerate { .. }) => {}
            Err(e) => prop_assert!(false, "unexpected {}", e),
            Ok(fit) => prop_assert_ne!(fit.status, Status::Converged),
        }
    }

    /// Scaling the outputs scales the cores: the answer is equivariant, at any scale.
    #[test]
    fn scales_do_not_matter(seed: u64, exponent in -90i32..90) {
        let rng = &mut rng(seed);
        let factor = 10f64.powi(exponent);
        let planted = random_symmetric_ring(7, 3, rng).unwrap();
        let scaled: Vec<f64> = planted.as_slice().iter().map(|x| x * factor).collect();
        let scaled = wickring::tensor::SymmetricRing::new(3, scaled).unwrap();
        let t = scaled.to_dense().unwrap();
        let fit = Peirce::new(3).decompose(scaled.gram().as_ref(), t.view(), rng).unwrap();
        prop_assert_eq!(reproduces(t.view(), &fit), Ok(()));
    }
}

#[test]
fn options_shapes_and_values_outside_the_domain_are_refused() {
    let rng = &mut rng(3);
    let planted = random_symmetric_ring(6, 3, rng).unwrap();
    let (s, t) = (planted.gram(), planted.to_dense().unwrap());
    let run = |p: Peirce, t: &Tensor| {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        p.decompose(s.as_ref(), t.view(), &mut rng)
            .map(|_| ())
            .unwrap_err()
    };
    for bad in [
        Peirce::new(0),
        Peirce::new(4),
        Peirce::new(3).tol(f64::NAN),
        Peirce::new(3).tol(0.0),
        Peirce::new(3).starts(0),
    ] {
        assert!(
            matches!(run(bad, &t), Error::InvalidInput { .. }),
            "{bad:?}"
        );
    }
    let small = Tensor::from_vec(&[2, 2, 2], vec![0.0; 8]).unwrap();
    assert!(matches!(run(Peirce::new(3), &small), Error::Shape { .. }));
    let mut poisoned = t.clone();
    poisoned.as_mut_slice()[17] = f64::INFINITY;
    assert!(matches!(
        run(Peirce::new(3), &poisoned),
        Error::NonFinite { index: 17, .. }
    ));
}

#[test]
fn zero_and_rank_deficient_data_are_refused_with_the_hypothesis() {
    let rng = &mut rng(4);
    let zero = faer::Mat::<f64>::zeros(3, 3);
    let t = Tensor::from_vec(&[3, 3, 3], vec![0.0; 27]).unwrap();
    let e = Peirce::new(2)
        .decompose(zero.as_ref(), t.view(), rng)
        .unwrap_err();
    assert!(matches!(e, Error::Degenerate { .. }), "{e}");
    // Six outputs that span only a plane of Sym_3.
    let plane = random_symmetric_ring(2, 3, rng).unwrap();
    let mix = |a: usize, ij: usize| a as f64 * plane.as_slice()[ij] + plane.as_slice()[9 + ij];
    let cores = (0..54).map(|k| mix(k / 9, k % 9)).collect();
    let flat = wickring::tensor::SymmetricRing::new(3, cores).unwrap();
    let t = flat.to_dense().unwrap();
    let e = Peirce::new(3)
        .decompose(flat.gram().as_ref(), t.view(), rng)
        .unwrap_err();
    assert!(matches!(e, Error::Degenerate { .. }), "{e}");
}
