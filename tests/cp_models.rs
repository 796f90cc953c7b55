//! CP models and kernels against their definitions, exactly over the rationals.

#![allow(clippy::unwrap_used)]

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use wickring::decomp::{Waring, core_consistency};
use wickring::laws::planted::gaussian_cp;
use wickring::poly::Rational;
use wickring::tensor::{
    CpTensor, Factor, SparseTensor, SymmetricCp, Tensor, TensorView, best_assignment, mttkrp,
    mttkrp_all,
};

fn small(n: usize, r: usize, k: i64) -> Factor<Rational> {
    Factor::from_fn(n, r, |i, c| {
        Rational::new((i as i64 * 3 + c as i64 * k) % 7 - 3, 1 + k).unwrap()
    })
}

#[test]
fn exact_models_expand_add_and_contract_exactly() {
    let a = CpTensor::from_factors(vec![small(2, 2, 1), small(3, 2, 2), small(2, 2, 4)]).unwrap();
    let b = CpTensor::from_factors(vec![small(2, 3, 5), small(3, 3, 3), small(2, 3, 2)]).unwrap();
    let (da, db) = (a.to_dense().unwrap(), b.to_dense().unwrap());
    let sum = a.add(&b).unwrap().to_dense().unwrap();
    let product = a.hadamard(&b).unwrap().to_dense().unwrap();
    let mut inner = Rational::from(0);
    for (k, (x, y)) in da.as_slice().iter().zip(db.as_slice()).enumerate() {
        assert_eq!(sum.as_slice()[k], x + y);
        assert_eq!(product.as_slice()[k], x * y);
        inner = &inner + &(x * y);
    }
    assert_eq!(a.bilinear(&b).unwrap(), inner);
    assert_eq!(a.entry(&[1, 2, 0]).as_ref(), da.view().get(&[1, 2, 0]));
}

/// The definition, entry by entry.
fn slow_mttkrp(t: TensorView<'_>, f: &[Factor], mode: usize) -> Factor {
    let rank = f[0].cols();
    let mut out = Factor::zeros(t.dims()[mode], rank);
    let mut index = vec![0; t.order()];
    for &x in t.as_slice() {
        for r in 0..rank {
            let others = (0..f.len()).filter(|&k| k != mode);
            let p: f64 = others.map(|k| f[k].column(r)[index[k]]).product();
            out.column_mut(r)[index[mode]] += x * p;
        }
        for (i, &n) in index.iter_mut().zip(t.dims()) {
            *i += 1;
            if *i < n {
                break;
            }
            *i = 0;
        }
    }
    out
}

#[test]
fn mttkrp_equals_its_definition_dense_and_sparse() {
    let rng = &mut ChaCha8Rng::seed_from_u64(5);
    for dims in [
        &[4usize, 3, 5][..],
        &[6],
        &[3, 4],
        &[2, 3, 2, 4],
        &[2, 1, 3, 2, 2],
    ] {
        let t = gaussian_cp(dims, 4, rng).unwrap().to_dense().unwrap();
        let f = gaussian_cp(dims, 3, rng).unwrap();
        let all = mttkrp_all(t.view(), f.factors()).unwrap();
        let sparse = SparseTensor::from_dense(t.view());
        for (m, fast) in all.iter().enumerate() {
            let slow = slow_mttkrp(t.view(), f.factors(), m);
            let one = mttkrp(t.view(), f.factors(), m).unwrap();
            let stored = sparse.mttkrp(f.factors(), m).unwrap();
            // Sums of at most 60 products of moderate numbers.
            for other in [fast, &one, &stored] {
                let gaps = slow.as_slice().iter().zip(other.as_slice());
                assert!(
                    gaps.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) < 1e-11,
                    "{dims:?} {m}"
                );
            }
        }
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
