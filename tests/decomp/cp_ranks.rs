//! How many components: noise is given none, planted ones are counted, and what is not identified is said.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use faer::Mat;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use wickring::decomp::{
    Cp, CpMasked, RankTable, Uniqueness, rank_table, rank_table_masked, uniqueness,
};
use wickring::laws::planted::{gaussian, gaussian_cp};
use wickring::run::unobserved;
use wickring::tensor::{CpTensor, Factor, Tensor};
use wickring::{Error, Status};

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Columns with the given cosine between every two: common part and own part, orthonormalised by chance only.
fn collinear(n: usize, rank: usize, cosine: f64, rng: &mut ChaCha8Rng) -> Factor {
    let draw = Mat::from_fn(n, rank + 1, |_, _| gaussian(rng));
    let q = draw.qr().compute_thin_Q();
    let (own, common) = ((1.0 - cosine).sqrt(), cosine.sqrt());
    Factor::from_fn(n, rank, |i, r| own * q[(i, r)] + common * q[(i, rank)])
}

/// A planted tensor of norm one with noise of relative size `noise` in it.
fn planted(dims: &[usize], rank: usize, cosine: f64, noise: f64, seed: u64) -> Tensor {
    let r = &mut rng(seed);
    let mut t = Tensor::from_fn(dims, |_| 0.0).unwrap();
    if rank > 0 {
        let factors = dims
            .iter()
            .map(|&n| collinear(n, rank, cosine, r))
            .collect();
        t = CpTensor::from_factors(factors).unwrap().to_dense().unwrap();
    }
    let size = t.view().norm().max(1e-9);
    let sigma = noise / (t.as_slice().len() as f64).sqrt();
    let add = |x: &f64| x / size + sigma * gaussian(r);
    let data = t.as_slice().iter().map(add).collect();
    Tensor::from_vec(dims, data).unwrap()
}

fn table(t: &Tensor, most: usize, seed: u64) -> Result<RankTable, Error> {
    rank_table(
        t.view(),
        &Cp::new(1),
        (1..=most, 2),
        &mut rng(seed),
        &mut unobserved,
    )
}

#[test]
fn collinear_components_are_counted() {
    for (dims, rank, cosine, noise, seed) in [
        (&[12, 13, 14][..], 5, 0.8, 0.01, 721),
        (&[12, 13, 14], 2, 0.0, 0.1, 700),
        (&[15, 12, 14], 4, 0.9, 0.01, 5000),
        (&[20, 15, 10], 3, 0.6, 0.1, 5001),
        (&[8, 9, 10, 7], 4, 0.8, 0.1, 5002),
    ] {
        let t = planted(dims, rank, cosine, noise, seed);
        let found = table(&t, rank + 2, seed).unwrap();
        assert_eq!(
            found.rank(),
            rank,
            "{dims:?} {cosine} {noise}: {}",
            found.reason
        );
    }
}

#[test]
fn noise_has_no_components() {
    for seed in 0..4 {
        let t = planted(&[10, 9, 8], 0, 0.0, 1.0, 900 + seed);
        let found = table(&t, 6, seed).unwrap();
        assert_eq!((found.rank(), found.agreed), (0, false), "{}", found.reason);
    }
    // Noise that is smooth along a mode is noise too.
    let r = &mut rng(77);
    let mut t = planted(&[30, 8, 9], 0, 0.0, 1.0, 950);
    for fibre in t.as_mut_slice().chunks_exact_mut(30) {
        for i in 1..30 {
            fibre[i] += 0.8 * fibre[i - 1] + 0.0 * gaussian(r);
        }
    }
    let found = table(&t, 4, 1).unwrap();
    assert_eq!(found.rank(), 0, "{}", found.reason);
}

#[test]
fn components_are_counted_through_gaps() {
    let mut t = planted(&[9, 10, 11], 3, 0.0, 0.05, 31);
    for (k, x) in t.as_mut_slice().iter_mut().enumerate() {
        if (k * 7919) % 4 == 0 {
            *x = f64::NAN;
        }
    }
    let seen = CpMasked::mask_of(t.view());
    let engine = CpMasked::new(1).starts(4);
    let found = rank_table_masked(
        t.view(),
        seen.view(),
        &engine,
        (1..=5, 2),
        &mut rng(2),
        &mut unobserved,
    )
    .unwrap();
    assert_eq!(found.rank(), 3, "{}", found.reason);
}

#[test]
fn what_is_not_identified_is_counted() {
    let model = |dims: &[usize], rank: usize| gaussian_cp(dims, rank, &mut rng(4)).unwrap();
    assert_eq!(uniqueness(&model(&[6, 5, 4], 4)), Uniqueness::Unique);
    // A matrix: any invertible change of its R columns that is not a rescaling.
    assert_eq!(uniqueness(&model(&[6, 5], 3)), Uniqueness::Family(6));
    // Parameters in excess of entries: 9 (6 + 5 + 4 - 2) - 120 = -3, 10: 10.
    assert_eq!(uniqueness(&model(&[6, 5, 4], 10)), Uniqueness::Family(10));
    // 3 x 3 x 3 at rank 5 has a family of dimension 8 (5 x 7 parameters, 27 entries).
    assert_eq!(uniqueness(&model(&[3, 3, 3], 5)), Uniqueness::Family(8));
    // Two parallel columns in one mode: a matrix sits inside.
    let mut factors = model(&[4, 5, 6], 2).factors().to_vec();
    let first = factors[0].column(0).to_vec();
    factors[0].column_mut(1).copy_from_slice(&first);
    let sits = CpTensor::from_factors(factors).unwrap();
    assert_eq!(uniqueness(&sits), Uniqueness::Family(2));
}

#[test]
fn one_start_is_judged_by_the_same_words_as_many() {
    let t = planted(&[8, 9, 10], 3, 0.0, 0.05, 12);
    let one = Cp::new(3)
        .starts(1)
        .decompose(t.view(), &mut rng(0))
        .unwrap();
    let many = Cp::new(3).decompose(t.view(), &mut rng(0)).unwrap();
    assert_eq!(
        (one.status, many.status),
        (Status::Converged, Status::Converged)
    );
    assert!((one.evidence.rel_residual - many.evidence.rel_residual).abs() < 1e-9);
}

#[test]
fn a_border_rank_target_is_ill_conditioned() {
    let one_of_three = |i: &[usize]| f64::from(u8::from(i.iter().sum::<usize>() == 1));
    let t = Tensor::from_fn(&[2, 2, 2], one_of_three).unwrap();
    for seed in 0..3 {
        let fit = Cp::new(2).decompose(t.view(), &mut rng(seed)).unwrap();
        assert_eq!(fit.status, Status::IllConditioned, "{:?}", fit.evidence);
    }
}
