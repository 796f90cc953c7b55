//! What PARAFAC2 must do: planted slices come back, gaps are never read, and noise is not called converged.
#![allow(clippy::unwrap_used)]

use super::decomposition::Parafac2;
use super::identifiability::parafac2_uniqueness;
use crate::decomp::Uniqueness;
use crate::decomp::cp::constrained::orthonormal::frame;
use crate::decomp::cp::starts::jennrich::normal;
use crate::fit::Fit;
use crate::run::unobserved;
use crate::tensor::{Factor, Parafac2Model, Tensor, TensorView};
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

fn planted(rows: &[usize], width: usize, rank: usize, rng: &mut impl Rng) -> Parafac2Model {
    let bases = rows
        .iter()
        .map(|&n| frame("test", &gaussian(n, rank, rng)).unwrap());
    let bases: Vec<Factor> = bases.collect();
    let core = gaussian(rank, rank, rng);
    let shared = gaussian(width, rank, rng);
    let loadings = Factor::from_fn(rows.len(), rank, |_, _| 0.3 + rng.random::<f64>());
    Parafac2Model::new(bases, core, shared, loadings).unwrap()
}

fn slices(model: &Parafac2Model, noise: f64, rng: &mut impl Rng) -> Vec<Tensor> {
    let size = model.norm();
    let total: usize = (0..model.bases().len())
        .map(|k| model.slice(k).as_slice().len())
        .sum();
    let scale = noise * size / (total as f64).sqrt();
    let one = |k: usize| {
        let x = model.slice(k);
        let data = x
            .as_slice()
            .iter()
            .map(|v| v + scale * normal(rng))
            .collect();
        Tensor::from_vec(&[x.rows(), x.cols()], data).unwrap()
    };
    (0..model.bases().len()).map(one).collect()
}

fn fitted(method: &Parafac2, data: &[Tensor], seed: u64) -> Fit<Parafac2Model> {
    let views: Vec<TensorView<'_>> = data.iter().map(Tensor::view).collect();
    method.decompose(&views, &mut rng(seed)).unwrap()
}

fn score(a: &Parafac2Model, b: &Parafac2Model) -> f64 {
    let found = a.matching(b).unwrap();
    found.iter().map(|m| m.2).sum::<f64>() / found.len() as f64
}

#[test]
fn planted_slices_come_back() {
    let rows = [12, 9, 30, 7, 11, 10];
    for (seed, nonnegative) in [(1, false), (2, true), (3, false), (4, true)] {
        let r = &mut rng(seed);
        let truth = planted(&rows, 8, 3, r);
        let method = Parafac2::new(3).nonnegative_loadings(nonnegative);
        for noise in [0.0, 0.01] {
            let data = slices(&truth, noise, r);
            let fit = fitted(&method, &data, 7);
            let residual = fit.evidence.rel_residual;
            assert_eq!(
                fit.status,
                Status::Converged,
                "{seed} {noise}: {:?}",
                fit.evidence
            );
            assert!(residual <= noise.max(1e-6), "{seed} {noise}: {residual}");
            // Loadings of one sign leave components without a choice of signs.
            let found = score(&fit.model, &truth.canonical());
            assert!(
                found > 1.0 - 10.0 * noise.max(1e-4),
                "{seed} {noise}: {found} {residual}"
            );
            assert_ne!(parafac2_uniqueness(&fit.model).word(), "not unique");
        }
    }
}

#[test]
fn scale_and_order_of_slices_change_nothing_else() {
    let r = &mut rng(5);
    let truth = planted(&[9, 8, 10, 7], 6, 2, r);
    let data = slices(&truth, 0.02, r);
    let method = Parafac2::new(2);
    let fit = fitted(&method, &data, 1);
    for scale in [1e-150, -3e140] {
        let scaled = |t: &Tensor| {
            let entries = t.as_slice().iter().map(|x| x * scale).collect();
            Tensor::from_vec(t.dims(), entries).unwrap()
        };
        let other = fitted(&method, &Vec::from_iter(data.iter().map(scaled)), 1);
        assert!((other.evidence.rel_residual - fit.evidence.rel_residual).abs() < 1e-7);
    }
    let turned: Vec<Tensor> = data.iter().rev().cloned().collect();
    let other = fitted(&method, &turned, 1);
    assert!((other.evidence.rel_residual - fit.evidence.rel_residual).abs() < 1e-6);
    let again = fitted(&method, &data, 1);
    assert_eq!((again.model, again.history), (fit.model, fit.history));
}

#[test]
fn gaps_are_never_read_and_do_not_spoil_the_fit() {
    let r = &mut rng(6);
    let truth = planted(&[12, 9, 14, 8, 11, 10], 8, 2, r);
    let data = slices(&truth, 1e-3, r);
    let hole = |k: usize, i: usize| (i * 5 + k * 31) % 13 < 3;
    let seen: Vec<Tensor> = data
        .iter()
        .enumerate()
        .map(|(k, t)| {
            let w = (0..t.as_slice().len())
                .map(|i| f64::from(!hole(k, i)))
                .collect();
            Tensor::from_vec(t.dims(), w).unwrap()
        })
        .collect();
    let mut holed = data.clone();
    for (k, t) in holed.iter_mut().enumerate() {
        let entries = t.as_mut_slice().iter_mut().enumerate();
        entries
            .filter(|(i, _)| hole(k, *i))
            .for_each(|(_, x)| *x = f64::NAN);
    }
    let weights: Vec<TensorView<'_>> = seen.iter().map(Tensor::view).collect();
    let run = |data: &[Tensor]| {
        let views: Vec<TensorView<'_>> = data.iter().map(Tensor::view).collect();
        let method = Parafac2::new(2).nonnegative_loadings(true);
        method
            .decompose_masked(&views, &weights, &mut rng(2), &mut unobserved)
            .unwrap()
    };
    let (a, b) = (run(&holed), run(&data));
    assert_eq!(a.model, b.model);
    assert_eq!(a.status, Status::Converged, "{:?}", a.evidence);
    assert!(
        score(&a.model, &truth.canonical()) > 0.999,
        "{}",
        score(&a.model, &truth.canonical())
    );
    let missing = a
        .evidence
        .check("parafac2.missing-entries")
        .unwrap()
        .measured;
    assert!(missing > 80.0);
}

#[test]
fn noise_is_not_called_converged() {
    for seed in 0..6 {
        let r = &mut rng(100 + seed);
        let mut noise = |n: usize| Tensor::from_fn(&[n, 8], |_| normal(r)).unwrap();
        let data = [noise(10), noise(9), noise(12), noise(8), noise(10)];
        for rank in 1..4 {
            let fit = fitted(&Parafac2::new(rank), &data, seed);
            assert_ne!(
                fit.status,
                Status::Converged,
                "{rank} {}",
                fit.evidence.rel_residual
            );
            let left = fit.evidence.rel_residual.powi(2);
            let bound = fit.evidence.check("cp.unexplained").unwrap().allowed;
            assert!(left > 1.5 * bound, "{rank}: {left} {bound}");
        }
    }
}

#[test]
fn families_are_counted() {
    let r = &mut rng(8);
    // One slice is a matrix, of two slices loadings are determined up to a family.
    for (slices, unique) in [(1, false), (2, false), (8, true), (20, true)] {
        let found = parafac2_uniqueness(&planted(&vec![5; slices], 6, 2, r));
        assert_eq!(
            !matches!(found, Uniqueness::Family(_)),
            unique,
            "{slices}: {found:?}"
        );
    }
    let data = slices(&planted(&[9], 8, 2, r), 0.0, r);
    assert_eq!(
        fitted(&Parafac2::new(2), &data, 1).status,
        Status::IllConditioned
    );
}

#[test]
fn what_is_no_set_of_slices_is_refused() {
    let t = |n: usize, j: usize| Tensor::from_fn(&[n, j], |i| (1 + i[0] + i[1]) as f64).unwrap();
    let run = |method: Parafac2, data: &[Tensor]| {
        let views: Vec<TensorView<'_>> = data.iter().map(Tensor::view).collect();
        method.decompose(&views, &mut rng(0)).map(|_| ())
    };
    let one = Parafac2::new(2);
    assert!(matches!(
        run(one.clone(), &[]),
        Err(Error::InvalidInput { .. })
    ));
    assert!(matches!(
        run(one.clone(), &[t(1, 4)]),
        Err(Error::InvalidInput { .. })
    ));
    assert!(matches!(
        run(one.clone(), &[t(4, 4), t(4, 3)]),
        Err(Error::Shape { .. })
    ));
    for bad in [
        Parafac2::new(0),
        one.clone().starts(0),
        one.clone().tol(-1.0),
    ] {
        assert!(matches!(
            run(bad, &[t(4, 4)]),
            Err(Error::InvalidInput { .. })
        ));
    }
    let mut spoiled = t(4, 4);
    spoiled.as_mut_slice()[3] = f64::NAN;
    assert!(matches!(
        run(one.clone(), &[spoiled]),
        Err(Error::NonFinite { index: 3, .. })
    ));
    let zero = Tensor::from_fn(&[4, 4], |_| 0.0).unwrap();
    assert!(run(one, &[zero]).is_ok());
}
