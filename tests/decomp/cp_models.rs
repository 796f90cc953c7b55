//! CP models and kernels against their definitions, exactly over the rationals.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use wickring::Status;
use wickring::decomp::{Cp, Waring, core_consistency, kruskal_rank, uniqueness};
use wickring::laws::cp::{arithmetic_is_that_of_tensors, mttkrp_is_its_definition};
use wickring::laws::planted::{gaussian, gaussian_cp, with_noise};
use wickring::poly::Rational;
use wickring::tensor::{CpTensor, Factor, Parafac2Model, SymmetricCp, Tensor, best_assignment};

fn small(n: usize, r: usize, k: i64) -> Factor<Rational> {
    Factor::from_fn(n, r, |i, c| {
        Rational::new((i as i64 * 3 + c as i64 * k) % 7 - 3, 1 + k).unwrap()
    })
}

#[test]
fn exact_models_expand_add_and_contract_exactly() {
    let a = CpTensor::from_factors(vec![small(2, 2, 1), small(3, 2, 2), small(2, 2, 4)]).unwrap();
    let b = CpTensor::from_factors(vec![small(2, 3, 5), small(3, 3, 3), small(2, 3, 2)]).unwrap();
    assert_eq!(arithmetic_is_that_of_tensors(&a, &b), Ok(()));
    let dense = a.to_dense().unwrap();
    assert_eq!(a.entry(&[1, 2, 0]).as_ref(), dense.view().get(&[1, 2, 0]));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mttkrp_equals_its_definition_dense_and_sparse(
        seed: u64, dims in prop::collection::vec(1usize..6, 1..6), rank in 1usize..5,
    ) {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let t = gaussian_cp(&dims, 4, rng).unwrap().to_dense().unwrap();
        let f = gaussian_cp(&dims, rank, rng).unwrap();
        prop_assert_eq!(mttkrp_is_its_definition(t.view(), f.factors()), Ok(()));
    }
}

#[test]
fn mttkrp_in_blocks_equals_its_definition() {
    // More rows and more entries than one block of the kernel holds.
    let rng = &mut ChaCha8Rng::seed_from_u64(5);
    for dims in [&[1100usize, 70][..], &[40, 30, 60]] {
        let t = gaussian_cp(dims, 2, rng).unwrap().to_dense().unwrap();
        let f = gaussian_cp(dims, 3, rng).unwrap();
        assert_eq!(mttkrp_is_its_definition(t.view(), f.factors()), Ok(()));
    }
}

#[test]
fn the_canonical_form_ignores_scale_sign_and_order() {
    let rng = &mut ChaCha8Rng::seed_from_u64(9);
    let a = gaussian_cp(&[4, 3, 5], 3, rng).unwrap();
    let order = [2usize, 0, 1];
    let scales = [[2.0, -1.0, -0.5], [-4.0, -0.25, 1.0], [1.0, 8.0, 0.125]];
    let moved =
        a.factors().iter().enumerate().map(|(m, f)| {
            Factor::from_fn(f.rows(), 3, |i, r| f.column(order[r])[i] * scales[r][m])
        });
    let b = CpTensor::from_factors(moved.collect()).unwrap().canonical();
    let a = a.canonical();
    assert!((a.match_score(&b).unwrap() - 1.0).abs() < 1e-14);
    for (x, y) in a.factors().iter().zip(b.factors()) {
        let gap = x
            .as_slice()
            .iter()
            .zip(y.as_slice())
            .map(|(p, q)| (p - q).abs());
        assert!(gap.fold(0.0, f64::max) < 1e-14);
    }
}

#[test]
fn the_best_assignment_is_the_best_permutation() {
    let score = |i: usize, j: usize| ((i * 7 + j * 13) % 11) as f64;
    let p = best_assignment(4, score);
    let got: f64 = p.iter().enumerate().map(|(i, &j)| score(i, j)).sum();
    let mut top = 0.0f64;
    for code in 0..256usize {
        let q: Vec<usize> = (0..4).map(|k| code / 4usize.pow(k) % 4).collect();
        if (0..4).all(|j| q.contains(&j)) {
            top = top.max(q.iter().enumerate().map(|(i, &j)| score(i, j)).sum());
        }
    }
    assert_eq!(got, top);
}

#[test]
fn symmetric_models_are_recovered_with_their_signs() {
    let rng = &mut ChaCha8Rng::seed_from_u64(2);
    for (order, n, rank) in [(3, 6, 4), (4, 5, 4), (3, 6, 6)] {
        let v = gaussian_cp(&[n], rank, rng).unwrap().factors()[0].clone();
        let weights = (0..rank)
            .map(|r| if r % 2 == 0 { 1.0 } else { -1.5 })
            .collect();
        let t = SymmetricCp::new(order, weights, v)
            .unwrap()
            .to_dense()
            .unwrap();
        let fit = Waring::new(rank).decompose(t.view(), rng).unwrap();
        assert!(
            fit.model.rel_residual(t.view()).unwrap() < 1e-9,
            "order {order}: {}",
            fit.status
        );
    }
}

#[test]
fn core_consistency_is_a_hundred_for_the_true_model() {
    let rng = &mut ChaCha8Rng::seed_from_u64(4);
    let a = gaussian_cp(&[5, 6, 4], 3, rng).unwrap();
    let t: Tensor = a.to_dense().unwrap();
    let c = core_consistency(t.view(), &a).unwrap().unwrap();
    assert!((c - 100.0).abs() < 1e-8, "{c}");
}

/// Modes so long that starts are made on a sketch, and cores so large that sweeps end the starts.
#[test]
fn large_tensors_are_fitted_to_the_noise() {
    let cases: [(&[usize], usize); 3] = [
        (&[150, 60, 50], 2),
        (&[45, 40, 50], 14),
        (&[20, 18, 16, 17], 12),
    ];
    for (dims, rank) in cases {
        for seed in 0..2 {
            let rng = &mut ChaCha8Rng::seed_from_u64(seed);
            let truth = gaussian_cp(dims, rank, rng).unwrap();
            let t = with_noise(&truth.to_dense().unwrap(), 0.02, rng).unwrap();
            let fit = Cp::new(rank).decompose(t.view(), rng).unwrap();
            assert_eq!(fit.status, Status::Converged, "{dims:?}, seed {seed}");
            assert!(
                fit.evidence.rel_residual < 0.02,
                "{dims:?}: {}",
                fit.evidence.rel_residual
            );
            let score = fit.model.match_score(&truth).unwrap();
            assert!(score > 0.999, "{dims:?}, seed {seed}: {score}");
        }
    }
}

/// Components of the size of rounding may be any, and the unit of the data says nothing about it.
#[test]
fn components_that_nothing_needs_are_not_unique() {
    let rng = &mut ChaCha8Rng::seed_from_u64(3);
    let one = gaussian_cp(&[5, 6, 7], 1, rng).unwrap().to_dense().unwrap();
    let fit = Cp::new(2).decompose(one.view(), rng).unwrap();
    assert_eq!(uniqueness(&fit.model).word(), "not unique");
    let two = gaussian_cp(&[8, 8, 8], 2, rng).unwrap().to_dense().unwrap();
    for scale in [1.0, 1e-200, 1e-300, 1e200] {
        let data = two.as_slice().iter().map(|x| x * scale).collect();
        let t = Tensor::from_vec(&[8, 8, 8], data).unwrap();
        let fit = Cp::new(2).decompose(t.view(), rng).unwrap();
        assert_eq!(uniqueness(&fit.model).word(), "unique", "{scale:e}");
    }
}

/// A mode much longer than all others together: nothing of the square of its length is formed.
#[test]
fn long_modes_cost_their_length() {
    let rng = &mut ChaCha8Rng::seed_from_u64(4);
    let t = Tensor::from_fn(&[30_000, 10, 5], |_| gaussian(rng)).unwrap();
    let before = std::time::Instant::now();
    let fit = Cp::new(8)
        .starts(1)
        .max_iterations(5)
        .decompose(t.view(), rng)
        .unwrap();
    assert!(before.elapsed().as_secs() < 30, "{:?}", before.elapsed());
    assert!(fit.evidence.rel_residual < 1.0);
}

/// Noise without components is refused where sweeps end the starts and algebra makes two of them, too.
#[test]
fn large_tensors_of_noise_are_never_converged() {
    for (dims, rank) in [(&[45usize, 40, 50][..], 14), (&[150, 60, 50], 2)] {
        for seed in 0..2 {
            let rng = &mut ChaCha8Rng::seed_from_u64(seed);
            let t = Tensor::from_fn(dims, |_| gaussian(rng)).unwrap();
            let fit = Cp::new(rank).decompose(t.view(), rng).unwrap();
            assert_ne!(fit.status, Status::Converged, "{dims:?}, seed {seed}");
        }
    }
}

/// Weights and columns below 2^-1022, whose reciprocals overflow: an input of the fuzzer gave a relative residual of NaN.
#[test]
fn models_with_subnormal_sizes_stay_finite() {
    let tiny = 1.15e-309;
    let column = |x: f64, y: f64| Factor::from_fn(2, 1, |i, _| if i == 0 { x } else { y });
    let model = CpTensor::new(vec![-tiny], vec![column(1.0, 0.0), column(0.6, 0.8)]).unwrap();
    let balanced = model.balanced();
    assert!(
        balanced
            .iter()
            .flat_map(|f| f.as_slice())
            .all(|x| x.is_finite()),
        "{balanced:?}"
    );
    let t = Tensor::from_vec(&[2, 2], vec![tiny, 0.5, 0.0, 0.0]).unwrap();
    let fit = Cp::new(8).starts(2).max_iterations(20);
    let fit = fit
        .decompose(t.view(), &mut ChaCha8Rng::seed_from_u64(1))
        .unwrap();
    let found = fit.model.rel_residual(t.view()).unwrap();
    assert!(
        found < 1e-12 && fit.evidence.rel_residual < 1e-12,
        "{found}"
    );
    let thin = Factor::from_fn(2, 2, |i, r| if i == r { tiny } else { 0.0 });
    assert_eq!(kruskal_rank(&thin), (2, true));
    let two = Factor::from_fn(2, 2, |i, r| if i == r { 1.0 } else { 0.25 });
    let loadings = Factor::from_fn(1, 2, |_, r| 1.0 + r as f64);
    let slices = Parafac2Model::new(vec![two.clone()], thin, two, loadings).unwrap();
    let core = slices.canonical().core().clone();
    assert!(core.as_slice().iter().all(|x| x.is_finite()), "{core:?}");
}
