//! Every decomposition of a dense tensor is registered here once and gets the whole suite.

#![allow(clippy::unwrap_used)]

use num_complex::Complex;
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use wickring::decomp::{
    Constraint, Cp, CpConstrained, CpMasked, CpNonnegative, Tucker, rank_table,
    rank_table_nonnegative,
};
use wickring::laws::cp::fit_is_honest;
use wickring::laws::planted::{gaussian, gaussian_cp};
use wickring::tensor::{CpTensor, Factor, Tensor};
use wickring::{Error, Status};

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// A planted model with positive factors, which every registered algorithm can represent.
fn positive(dims: &[usize], rank: usize, seed: u64) -> CpTensor {
    let model = gaussian_cp(dims, rank, &mut rng(seed)).unwrap();
    let abs = |f: &Factor| Factor::from_fn(f.rows(), f.cols(), |i, r| f.column(r)[i].abs());
    CpTensor::from_factors(model.factors().iter().map(abs).collect()).unwrap()
}

macro_rules! suite {
    ($name:ident, $make:expr, $accuracy:expr) => {
        mod $name {
            use super::*;

            proptest! {
                #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

                #[test]
                fn planted_models_are_reproduced_and_the_residual_is_recomputed(
                    seed: u64, n in 3usize..6, r in 1usize..3,
                ) {
                    let t = positive(&[n, n + 1, 4], r, seed).to_dense().unwrap();
                    let fit = $make(r).decompose(t.view(), &mut rng(seed)).unwrap();
                    prop_assert_eq!(fit_is_honest(t.view(), &fit), Ok(()));
                    let residual = fit.evidence.rel_residual;
                    prop_assert!(residual <= $accuracy, "{residual} {}", fit.status);
                }

                // Only inputs that cannot be fitted show whether a status can say no.
                #[test]
                fn noise_is_not_called_converged(seed: u64, n in 6usize..8) {
                    let rng = &mut rng(seed);
                    let t = Tensor::from_fn(&[n, n, n], |_| gaussian(rng)).unwrap();
                    let fit = $make(1).decompose(t.view(), rng).unwrap();
                    prop_assert!(fit.status != Status::Converged, "{}", fit.evidence.rel_residual);
                }

                #[test]
                fn a_tolerance_that_was_not_reached_is_not_converged(seed: u64) {
                    let t = positive(&[5, 5, 5], 5, seed).to_dense().unwrap();
                    let fit = $make(1).tol(1e-6).decompose(t.view(), &mut rng(seed)).unwrap();
                    prop_assert!(fit.status != Status::Converged);
                }
            }

            #[test]
            fn same_seed_same_model() {
                let t = positive(&[4, 5, 3], 2, 7).to_dense().unwrap();
                let run = || $make(2).decompose(t.view(), &mut rng(3)).unwrap();
                let (a, b) = (run(), run());
                assert_eq!(a.model, b.model);
                assert_eq!(a.history, b.history);
            }

            #[test]
            fn extreme_scales_are_fitted_like_moderate_ones() {
                let t = positive(&[4, 5, 3], 2, 1).to_dense().unwrap();
                for scale in [1e-150, 1e150] {
                    let data = t.as_slice().iter().map(|x| x * scale).collect();
                    let s = Tensor::from_vec(t.dims(), data).unwrap();
                    let fit = $make(2).decompose(s.view(), &mut rng(1)).unwrap();
                    assert!(fit.evidence.rel_residual <= $accuracy, "{scale}");
                }
            }

            #[test]
            fn zero_and_singleton_tensors_are_exact() {
                for dims in [&[3usize, 2, 2][..], &[1, 1, 1], &[4], &[3, 1, 2]] {
                    let zero = Tensor::from_fn(dims, |_| 0.0).unwrap();
                    let fit = $make(2).decompose(zero.view(), &mut rng(0)).unwrap();
                    assert_eq!((fit.status, fit.evidence.rel_residual), (Status::Converged, 0.0));
                    let one = Tensor::from_fn(dims, |_| 2.5).unwrap();
                    let fit = $make(1).decompose(one.view(), &mut rng(0)).unwrap();
                    assert!(fit.evidence.rel_residual <= 1e-9, "{dims:?}");
                }
            }

            #[test]
            fn non_finite_input_is_refused() {
                for bad in [f64::NAN, f64::INFINITY] {
                    let mut t = positive(&[3, 3, 3], 1, 0).to_dense().unwrap();
                    t.as_mut_slice()[5] = bad;
                    let err = $make(1).decompose(t.view(), &mut rng(0)).map(|_| ()).unwrap_err();
                    assert!(matches!(err, Error::NonFinite { index: 5, .. }), "{err}");
                }
            }

            #[test]
            fn options_outside_their_domain_are_refused() {
                let t = positive(&[3, 3, 3], 1, 0).to_dense().unwrap();
                let tries = [
                    $make(0),
                    $make(1).starts(0),
                    $make(1).max_iterations(0),
                    $make(1).tol(0.0),
                    $make(1).tol(f64::NAN),
                ];
                for make in tries {
                    let err = make.decompose(t.view(), &mut rng(0)).map(|_| ()).unwrap_err();
                    assert!(matches!(err, Error::InvalidInput { .. }), "{err}");
                }
            }
        }
    };
}

suite!(cp, Cp::new, 1e-9);
suite!(cp_nonnegative, CpNonnegative::new, 1e-3);
suite!(cp_constrained, constrained, 1e-3);

fn constrained(rank: usize) -> CpConstrained {
    CpConstrained::new(rank).constrain(0, Constraint::Nonnegative)
}

#[test]
fn nonnegative_parts_come_through_gaps() {
    let truth = positive(&[7, 6, 8], 3, 11).to_dense().unwrap();
    let mut holed = truth.clone();
    // A third of the entries is missing, one slice almost wholly.
    for (k, x) in holed.as_mut_slice().iter_mut().enumerate() {
        if (k * 7919) % 3 == 0 || (k < 48 && k % 7 != 0) {
            *x = f64::NAN;
        }
    }
    let seen = CpMasked::mask_of(holed.view());
    let observer = &mut wickring::run::unobserved;
    let fit = CpNonnegative::new(3)
        .decompose_masked(holed.view(), seen.view(), &mut rng(3), observer)
        .unwrap();
    let factors = fit.model.factors();
    assert!(
        factors
            .iter()
            .all(|f| f.as_slice().iter().all(|&x| x >= 0.0))
    );
    let model = fit.model.to_dense().unwrap();
    let pairs = model.as_slice().iter().zip(truth.as_slice());
    let gap = pairs.map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt() / truth.view().norm();
    assert!(gap < 0.02, "{gap} {:?}", fit.evidence);
    // The reported residual is that of the entries that were seen.
    let w = seen.as_slice();
    let sum = |f: &dyn Fn(usize) -> f64| {
        (0..w.len())
            .filter(|&k| w[k] > 0.0)
            .map(f)
            .sum::<f64>()
            .sqrt()
    };
    let over = sum(&|k| (model.as_slice()[k] - truth.as_slice()[k]).powi(2));
    let whole = sum(&|k| truth.as_slice()[k].powi(2));
    assert!((fit.evidence.rel_residual - over / whole).abs() < 1e-12);
    // The number of parts is found in spite of the gaps.
    let table = rank_table_nonnegative(
        holed.view(),
        Some(seen.view()),
        &CpNonnegative::new(1).starts(4).max_iterations(400),
        (1..=4, usize::MAX),
        &mut rng(3),
        observer,
    )
    .unwrap();
    assert_eq!(table.rank(), 3, "{}", table.reason);
    // A slice that nothing was seen of is not determined, and that is said.
    for x in &mut holed.as_mut_slice()[..48] {
        *x = f64::NAN;
    }
    let seen = CpMasked::mask_of(holed.view());
    let fit = CpNonnegative::new(2)
        .decompose_masked(holed.view(), seen.view(), &mut rng(3), observer)
        .unwrap();
    assert_eq!(fit.status, Status::IllConditioned);
}

#[test]
fn a_border_rank_target_is_not_called_converged() {
    // W has rank 3 and border rank 2: two components approach it only by diverging.
    let w = |i: &[usize]| {
        if i.iter().sum::<usize>() == 1 {
            1.0
        } else {
            0.0
        }
    };
    let t = Tensor::from_fn(&[2, 2, 2], w).unwrap();
    let fit = Cp::new(2).decompose(t.view(), &mut rng(0)).unwrap();
    assert_ne!(fit.status, Status::Converged, "{:?}", fit.evidence);
}

#[test]
fn a_rank_above_the_bound_is_exact_and_stays_small() {
    let t = positive(&[3, 4, 5], 3, 2).to_dense().unwrap();
    for rank in [12, 40, 300] {
        let fit = Cp::new(rank).decompose(t.view(), &mut rng(0)).unwrap();
        assert_eq!(fit.status, Status::Converged, "{:?}", fit.evidence);
        assert_eq!(fit_is_honest(t.view(), &fit), Ok(()));
        assert!(fit.model.weights()[0] <= t.view().norm());
    }
}

#[test]
fn duplicated_slices_have_the_rank_of_one_slice() {
    let slice = positive(&[4, 5], 4, 3).to_dense().unwrap();
    let data = [slice.as_slice(); 6].concat();
    let t = Tensor::from_vec(&[4, 5, 6], data).unwrap();
    let table = rank_table(
        t.view(),
        &Cp::new(1).starts(4),
        (1..=6, 2),
        &mut rng(0),
        &mut wickring::run::unobserved,
    )
    .unwrap();
    assert_eq!(table.rank(), 4, "{}", table.reason);
}

#[test]
fn the_rank_of_complex_tensors_is_found() {
    let r = &mut rng(8);
    let mut factor =
        |n: usize| Factor::from_fn(n, 3, |_, _| Complex::new(gaussian(r), gaussian(r)));
    let planted = CpTensor::from_factors(vec![factor(5), factor(6), factor(4)]).unwrap();
    let exact: Tensor<Complex<f64>> = planted.to_dense().unwrap();
    for noise in [0.0, 0.02] {
        let r = &mut rng(9);
        let add = |x: &Complex<f64>| x + Complex::new(gaussian(r), gaussian(r)) * noise;
        let data = exact.as_slice().iter().map(add).collect();
        let t = Tensor::from_vec(exact.dims(), data).unwrap();
        let table = rank_table(
            t.view(),
            &Cp::new(1).starts(6),
            (1..=6, 2),
            &mut rng(0),
            &mut wickring::run::unobserved,
        )
        .unwrap();
        assert_eq!(table.rank(), 3, "{noise}: {}", table.reason);
        let row = &table.rows[table.chosen.unwrap()];
        assert!(row.evidence.core_consistency.unwrap() > 95.0 && row.kruskal_slack >= 0);
    }
}

#[test]
fn a_break_ends_the_search_with_the_best_so_far() {
    let t = positive(&[6, 7, 8], 3, 4).to_dense().unwrap();
    let mut calls = 0;
    let fit = Cp::new(2)
        .decompose_observed(t.view(), &mut rng(0), &mut |_| {
            calls += 1;
            std::ops::ControlFlow::Break(())
        })
        .unwrap();
    assert_eq!((fit.status, calls), (Status::Stopped, 1));
    assert!(fit.evidence.rel_residual.is_finite());
}

#[test]
fn tucker_models_are_reproduced_and_noise_is_not_explained() {
    let t = positive(&[6, 7, 5], 2, 5).to_dense().unwrap();
    for scale in [1e-150, 1.0, 1e150] {
        let data = t.as_slice().iter().map(|x| x * scale).collect();
        let s = Tensor::from_vec(t.dims(), data).unwrap();
        let fit = Tucker::new(&[2, 2, 2]).decompose(s.view()).unwrap();
        assert_eq!(fit.status, Status::Converged);
        assert!(fit.evidence.rel_residual < 1e-14 && fit.model.ranks() == [2, 2, 2]);
        let gram = fit.model.factors()[1].gram();
        for (i, x) in gram.as_slice().iter().enumerate() {
            let one = if i % 3 == 0 { 1.0 } else { 0.0 };
            assert!((x - one).abs() < 1e-14);
        }
    }
    let r = &mut rng(6);
    let noise = Tensor::from_fn(&[8, 8, 8], |_| gaussian(r)).unwrap();
    let short = Tucker::new(&[2, 2, 2])
        .max_sweeps(0)
        .decompose(noise.view())
        .unwrap();
    let long = Tucker::new(&[2, 2, 2]).decompose(noise.view()).unwrap();
    assert_ne!(long.status, Status::Converged);
    // Orthogonal iteration starts from the HOSVD and never loses.
    assert!(long.evidence.rel_residual <= short.evidence.rel_residual + 1e-14);
    let zero = Tensor::from_fn(&[2, 1, 3], |_| 0.0).unwrap();
    let fit = Tucker::new(&[1, 4, 2]).decompose(zero.view()).unwrap();
    assert_eq!(
        (fit.status, fit.model.ranks()),
        (Status::Converged, &[1, 1, 2][..])
    );
    for bad in [
        Tucker::new(&[2, 2]),
        Tucker::new(&[0, 1, 1]),
        Tucker::new(&[1, 1, 1]).tol(-1.0),
    ] {
        assert!(matches!(
            bad.decompose(t.view()),
            Err(Error::InvalidInput { .. })
        ));
    }
}
