//! Every decomposition of a dense tensor is registered here once and gets the whole suite.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use wickring::decomp::{Cp, CpNonnegative};
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
                    let residual = fit.model.rel_residual(t.view()).unwrap();
                    prop_assert!((residual - fit.certificate.rel_residual).abs() <= 1e-12 * (1.0 + residual));
                    prop_assert!(residual <= $accuracy, "{residual} {}", fit.status);
                }

                // Only inputs that cannot be fitted show whether a status can say no.
                #[test]
                fn noise_is_not_called_converged(seed: u64, n in 6usize..8) {
                    let rng = &mut rng(seed);
                    let t = Tensor::from_fn(&[n, n, n], |_| gaussian(rng)).unwrap();
                    let fit = $make(1).decompose(t.view(), rng).unwrap();
                    prop_assert!(fit.status != Status::Converged, "{}", fit.certificate.rel_residual);
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
                    assert!(fit.certificate.rel_residual <= $accuracy, "{scale}");
                }
            }

            #[test]
            fn zero_and_singleton_tensors_are_exact() {
                for dims in [&[3usize, 2, 2][..], &[1, 1, 1], &[4], &[3, 1, 2]] {
                    let zero = Tensor::from_fn(dims, |_| 0.0).unwrap();
                    let fit = $make(2).decompose(zero.view(), &mut rng(0)).unwrap();
                    assert_eq!((fit.status, fit.certificate.rel_residual), (Status::Converged, 0.0));
                    let one = Tensor::from_fn(dims, |_| 2.5).unwrap();
                    let fit = $make(1).decompose(one.view(), &mut rng(0)).unwrap();
                    assert!(fit.certificate.rel_residual <= 1e-9, "{dims:?}");
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
    assert_ne!(fit.status, Status::Converged, "{:?}", fit.certificate);
}
