//! What constrained fits must do: planted models come back, rules hold, and what cannot be fitted is not called converged.
#![allow(clippy::unwrap_used)]

use super::decomposition::CpConstrained;
use super::rule::Constraint;
use super::smooth::roughness;
use super::unimodal;
use crate::decomp::CpMasked;
use crate::decomp::cp::starts::jennrich::normal;
use crate::fit::Fit;
use crate::run::unobserved;
use crate::tensor::{CpTensor, Factor, Tensor};
use crate::{Error, Status};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn gaussian(n: usize, rank: usize, rng: &mut impl Rng) -> Factor {
    Factor::from_fn(n, rank, |_, _| normal(rng))
}

fn positive(n: usize, rank: usize, rng: &mut impl Rng) -> Factor {
    Factor::from_fn(n, rank, |_, _| rng.random::<f64>())
}

/// Hills at different places.
fn hills(n: usize, rank: usize) -> Factor {
    let top = |r: usize| (r as f64 + 0.7) * n as f64 / rank as f64;
    Factor::from_fn(n, rank, |i, r| {
        (-((i as f64 - top(r)) / (0.2 * n as f64)).powi(2)).exp()
    })
}

fn noisy(model: &CpTensor, share: f64, rng: &mut impl Rng) -> Tensor {
    let mut t = model.to_dense().unwrap();
    let noise: Vec<f64> = t.as_slice().iter().map(|_| normal(rng)).collect();
    let size = noise.iter().map(|x| x * x).sum::<f64>().sqrt();
    let scale = share * t.view().norm() / size;
    let pairs = t.as_mut_slice().iter_mut().zip(&noise);
    pairs.for_each(|(x, e)| *x += scale * e);
    t
}

fn fitted(method: &CpConstrained, t: &Tensor, seed: u64) -> Fit<CpTensor> {
    method.decompose(t.view(), &mut rng(seed)).unwrap()
}

#[test]
fn the_nearest_unimodal_column_is_the_best_of_all_peaks() {
    // By hand: the rising fit by pooling to every peak, the falling one after it, the best of all.
    fn isotonic(z: &[f64]) -> Vec<f64> {
        let n = z.len();
        let mean = |i: usize, j: usize| z[i..=j].iter().sum::<f64>() / (j - i + 1) as f64;
        let least = |i: usize, k: usize| (k..n).map(|j| mean(i, j)).fold(f64::INFINITY, f64::min);
        (0..n)
            .map(|k| {
                (0..=k)
                    .map(|i| least(i, k))
                    .fold(f64::NEG_INFINITY, f64::max)
                    .max(0.0)
            })
            .collect()
    }
    let mut r = rng(1);
    for n in 1..9 {
        for _ in 0..20 {
            let z: Vec<f64> = (0..n).map(|_| normal(&mut r)).collect();
            let loss = |x: &[f64]| -> f64 { x.iter().zip(&z).map(|(a, b)| (a - b).powi(2)).sum() };
            let at = |cut: usize| {
                let mut tail: Vec<f64> = z[cut..].to_vec();
                tail.reverse();
                let mut tail = isotonic(&tail);
                tail.reverse();
                loss(&[isotonic(&z[..cut]), tail].concat())
            };
            let best = (0..=n).map(at).fold(f64::INFINITY, f64::min);
            let mut x = z.clone();
            unimodal::project(&mut x);
            assert!(unimodal::violation(&x) <= 1e-15, "{z:?} {x:?}");
            assert!(
                (loss(&x) - best).abs() <= 1e-12,
                "{z:?}: {} {best}",
                loss(&x)
            );
        }
    }
}

#[test]
fn planted_models_come_back_under_every_rule() {
    let r = &mut rng(3);
    let known = gaussian(9, 3, r);
    let frame = super::orthonormal::frame("test", &gaussian(9, 3, r)).unwrap();
    let cases: Vec<(Factor, Vec<Constraint>)> = vec![
        (positive(9, 3, r), vec![Constraint::Nonnegative]),
        (hills(9, 3), vec![Constraint::Unimodal]),
        (frame, vec![Constraint::Orthonormal]),
        (known.clone(), vec![Constraint::Fixed(known)]),
        (hills(9, 3), vec![Constraint::Smooth(1e-4)]),
        (
            hills(9, 3),
            vec![Constraint::Smooth(1e-4), Constraint::Nonnegative],
        ),
        (
            hills(9, 3),
            vec![Constraint::Smooth(1e-4), Constraint::Unimodal],
        ),
        (positive(9, 3, r), vec![Constraint::Sparse(1e-4)]),
        (
            positive(9, 3, r),
            vec![Constraint::Sparse(1e-4), Constraint::Nonnegative],
        ),
        (
            hills(9, 3),
            vec![Constraint::Unimodal, Constraint::Nonnegative],
        ),
    ];
    for (factor, rules) in cases {
        let planted =
            CpTensor::from_factors(vec![factor, gaussian(8, 3, r), gaussian(7, 3, r)]).unwrap();
        let t = noisy(&planted, 1e-3, r);
        let method = rules
            .iter()
            .fold(CpConstrained::new(3), |m, c| m.constrain(0, c.clone()));
        let fit = fitted(&method, &t, 5);
        let names: Vec<&str> = rules.iter().map(Constraint::word).collect();
        assert_eq!(
            fit.status,
            Status::Converged,
            "{names:?} {:?}",
            fit.evidence
        );
        let score = fit.model.match_score(&planted).unwrap();
        assert!(
            score > 0.995,
            "{names:?} {score} {}",
            fit.evidence.rel_residual
        );
        assert!(
            fit.evidence.rel_residual < 2e-2,
            "{names:?} {}",
            fit.evidence.rel_residual
        );
    }
}

#[test]
fn every_mode_may_have_its_rule() {
    let r = &mut rng(4);
    let planted =
        CpTensor::from_factors(vec![hills(12, 2), positive(9, 2, r), gaussian(7, 2, r)]).unwrap();
    let t = noisy(&planted, 0.05, r);
    let method = CpConstrained::new(2)
        .constrain(0, Constraint::Unimodal)
        .constrain(0, Constraint::Smooth(1e-3))
        .constrain(1, Constraint::Nonnegative)
        .constrain(1, Constraint::Sparse(1e-3));
    let fit = fitted(&method, &t, 1);
    assert_eq!(fit.status, Status::Converged, "{:?}", fit.evidence);
    assert!(fit.model.match_score(&planted).unwrap() > 0.99);
    for column in fit.model.factors()[0].columns() {
        assert!(unimodal::violation(column) <= 1e-12);
    }
    // Scaling, and another order of modes, change nothing else.
    let scaled =
        Tensor::from_vec(t.dims(), t.as_slice().iter().map(|x| -3e90 * x).collect()).unwrap();
    let other = fitted(&method, &scaled, 1);
    assert!((other.evidence.rel_residual - fit.evidence.rel_residual).abs() < 1e-6);
    let turned = t.view().permuted(&[2, 0, 1]).unwrap();
    let method = CpConstrained::new(2)
        .constrain(1, Constraint::Unimodal)
        .constrain(1, Constraint::Smooth(1e-3))
        .constrain(2, Constraint::Nonnegative)
        .constrain(2, Constraint::Sparse(1e-3));
    let other = fitted(&method, &turned, 1);
    assert!((other.evidence.rel_residual - fit.evidence.rel_residual).abs() < 1e-5);
}

#[test]
fn what_cannot_be_fitted_is_not_called_converged() {
    let r = &mut rng(6);
    let noise = Tensor::from_fn(&[7, 7, 7], |_| normal(r)).unwrap();
    let signs = CpTensor::from_factors(vec![
        gaussian(7, 2, r),
        gaussian(7, 2, r),
        gaussian(7, 2, r),
    ]);
    let signs = signs.unwrap().to_dense().unwrap();
    let all = |c: Constraint| (0..3).fold(CpConstrained::new(2), |m, k| m.constrain(k, c.clone()));
    for c in [Constraint::Nonnegative, Constraint::Unimodal] {
        assert_ne!(
            fitted(&all(c.clone()), &noise, 1).status,
            Status::Converged,
            "{c:?}"
        );
        assert_ne!(
            fitted(&all(c.clone()), &signs, 1).status,
            Status::Converged,
            "{c:?}"
        );
    }
    for c in [
        Constraint::Orthonormal,
        Constraint::Smooth(0.1),
        Constraint::Sparse(0.01),
        Constraint::Fixed(gaussian(7, 2, r)),
    ] {
        let fit = fitted(&CpConstrained::new(2).constrain(1, c.clone()), &noise, 1);
        assert_ne!(fit.status, Status::Converged, "{c:?}");
    }
}

#[test]
fn smoothness_smooths_and_moduli_make_zeros() {
    let r = &mut rng(7);
    let planted =
        CpTensor::from_factors(vec![hills(20, 2), positive(6, 2, r), gaussian(5, 2, r)]).unwrap();
    let t = noisy(&planted, 0.3, r);
    let bend =
        |fit: &Fit<CpTensor>| -> f64 { fit.model.factors()[0].columns().map(roughness).sum() };
    let rough: Vec<f64> = [1e-3, 1e-1, 10.0]
        .iter()
        .map(|&c| {
            bend(&fitted(
                &CpConstrained::new(2).constrain(0, Constraint::Smooth(c)),
                &t,
                2,
            ))
        })
        .collect();
    assert!(rough[0] > rough[1] && rough[1] > rough[2], "{rough:?}");
    let mut sparse = positive(20, 2, r);
    sparse
        .as_mut_slice()
        .iter_mut()
        .enumerate()
        .filter(|(k, _)| k % 3 != 0)
        .for_each(|(_, x)| *x = 0.0);
    let planted =
        CpTensor::from_factors(vec![sparse.clone(), positive(6, 2, r), gaussian(5, 2, r)]).unwrap();
    let t = noisy(&planted, 0.05, r);
    let fit = fitted(
        &CpConstrained::new(2).constrain(0, Constraint::Sparse(3e-3)),
        &t,
        2,
    );
    let zeros = fit.model.factors()[0]
        .as_slice()
        .iter()
        .filter(|x| **x == 0.0)
        .count();
    assert!(zeros >= 20, "{zeros} of 26 zeros");
}

#[test]
fn gaps_are_never_read() {
    let r = &mut rng(8);
    let planted =
        CpTensor::from_factors(vec![hills(10, 2), positive(9, 2, r), gaussian(8, 2, r)]).unwrap();
    let t = noisy(&planted, 1e-3, r);
    let mut holed = t.clone();
    for (k, x) in holed.as_mut_slice().iter_mut().enumerate() {
        if (k * 7919) % 4 == 0 {
            *x = f64::NAN;
        }
    }
    let seen = CpMasked::mask_of(holed.view());
    let method = CpConstrained::new(2).constrain(0, Constraint::Unimodal);
    let run = |t: &Tensor| {
        method
            .decompose_masked(t.view(), seen.view(), &mut rng(2), &mut unobserved)
            .unwrap()
    };
    let (a, b) = (run(&holed), run(&t));
    assert_eq!(a.model, b.model);
    assert_eq!(a.status, Status::Converged, "{:?}", a.evidence);
    assert!(a.model.match_score(&planted).unwrap() > 0.999);
}

#[test]
fn rules_that_exclude_each_other_are_refused() {
    let t = Tensor::from_fn(&[4, 4, 4], |i| (1 + i[0] * i[1] + i[2]) as f64).unwrap();
    let one = || CpConstrained::new(2);
    let tries = [
        one().constrain(3, Constraint::Nonnegative),
        one()
            .constrain(0, Constraint::Nonnegative)
            .constrain(0, Constraint::Orthonormal),
        one().constrain(0, Constraint::Smooth(0.0)),
        one().constrain(0, Constraint::Sparse(f64::NAN)),
        one()
            .constrain(0, Constraint::Smooth(1.0))
            .constrain(0, Constraint::Smooth(1.0)),
        one()
            .constrain(0, Constraint::Orthonormal)
            .constrain(0, Constraint::Sparse(1.0)),
        one().constrain(0, Constraint::Fixed(Factor::zeros(4, 2))),
        one().constrain(0, Constraint::Fixed(Factor::from_fn(4, 1, |_, _| 1.0))),
        CpConstrained::new(5).constrain(0, Constraint::Orthonormal),
        (0..3).fold(one(), |m, k| m.constrain(k, Constraint::Orthonormal)),
    ];
    for method in tries {
        let refused = method.decompose(t.view(), &mut rng(0)).map(|_| ());
        assert!(
            matches!(refused, Err(Error::InvalidInput { .. })),
            "{method:?} {refused:?}"
        );
    }
}

#[test]
fn a_zero_tensor_has_a_model_that_keeps_the_rules() {
    let known = Factor::from_fn(4, 2, |i, r| (1 + i * r) as f64);
    let method = CpConstrained::new(2)
        .constrain(0, Constraint::Orthonormal)
        .constrain(1, Constraint::Fixed(known.clone()))
        .constrain(2, Constraint::Unimodal);
    let zero = Tensor::from_fn(&[3, 4, 5], |_| 0.0).unwrap();
    let seen = Tensor::from_fn(&[3, 4, 5], |i| f64::from(i[0] != i[1])).unwrap();
    let fits = [
        method.decompose(zero.view(), &mut rng(0)).unwrap(),
        method
            .decompose_masked(zero.view(), seen.view(), &mut rng(0), &mut unobserved)
            .unwrap(),
    ];
    for fit in fits {
        assert_eq!(fit.status, Status::Converged);
        let [a, b, _] = fit.model.factors() else {
            unreachable!()
        };
        let inner: f64 = a
            .column(0)
            .iter()
            .zip(a.column(1))
            .map(|(x, y)| x * y)
            .sum();
        assert_eq!((inner, a.column_norm(0), a.column_norm(1)), (0.0, 1.0, 1.0));
        for r in 0..2 {
            let length = known.column_norm(r);
            let off = b.column(r).iter().zip(known.column(r));
            assert!(off.into_iter().all(|(x, y)| (x * length - y).abs() < 1e-12));
        }
        assert!(fit.model.weights().iter().all(|w| *w == 0.0));
        let kept = |c: &&crate::fit::Check| c.key == "cp.constraint-violation";
        assert_eq!(fit.evidence.checks.iter().filter(kept).count(), 1);
    }
}
