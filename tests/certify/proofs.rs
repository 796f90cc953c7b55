//! What is proved of tensors whose ranks and minima are known, and what is refused and why.

#![allow(clippy::unwrap_used)] // helpers of tests

use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use wickring::Error;
use wickring::certify::{
    Certificate, Claim, ClaimedTensor, Limits, Proof, check, prove_border_rank, prove_cp,
    prove_rank, prove_ring, prove_symmetric, prove_unique, prove_zeros,
};
use wickring::decomp::{Cp, RingAls, Waring};
use wickring::poly::{Poly, Rational, Vars};
use wickring::tensor::{CpTensor, Factor, SymmetricCp, Tensor};

pub(crate) fn limits() -> Limits {
    Limits::default()
}

pub(crate) fn floats(shape: &[usize], entries: &[f64]) -> ClaimedTensor {
    ClaimedTensor::Floats(shape.to_vec(), entries.to_vec())
}

pub(crate) fn cube(entries: &[f64]) -> ClaimedTensor {
    floats(&[2, 2, 2], entries)
}

pub(crate) fn complex() -> ClaimedTensor {
    cube(&[1.0, 0.0, 0.0, 1.0, 0.0, 1.0, -1.0, 0.0])
}

pub(crate) fn w() -> ClaimedTensor {
    cube(&[0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0])
}

pub(crate) fn factor(rows: usize, rank: usize, rng: &mut ChaCha8Rng) -> Factor {
    let entries = (0..rows * rank).map(|_| f64::from(rng.random_range(-4i32..5)) + 0.25);
    Factor::new(rows, rank, entries.collect()).unwrap()
}

pub(crate) fn sum_of(sizes: &[usize], rank: usize, rng: &mut ChaCha8Rng) -> CpTensor {
    let factors = sizes.iter().map(|n| factor(*n, rank, rng)).collect();
    CpTensor::from_factors(factors).unwrap()
}

pub(crate) fn noisy(t: &Tensor, size: f64, rng: &mut ChaCha8Rng) -> Tensor {
    let entry = |x: &f64| x + size * (rng.random::<f64>() - 0.5);
    let entries = t.as_slice().iter().map(entry).collect();
    Tensor::from_vec(t.dims(), entries).unwrap()
}

pub(crate) fn words(proof: &Proof) -> String {
    [&proof.proved[..], &proof.refused[..]].concat().join("\n")
}

pub(crate) fn text(claims: &[Claim]) -> String {
    let whole = Certificate::new();
    claims
        .iter()
        .cloned()
        .fold(whole, Certificate::claim)
        .to_json()
}

#[test]
fn ranks_follow_from_slices_that_commute() {
    let found = |t: &ClaimedTensor, rank: usize| words(&prove_rank(t, rank, limits()).unwrap());
    assert!(found(&complex(), 2).contains("2 over C and a larger one over R"));
    // x^2 - 2: the factors are irrational.
    let surd = cube(&[1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 2.0, 0.0]);
    assert!(found(&surd, 2).contains("2 over R and over C"));
    assert!(found(&w(), 2).contains("every field that contains Q is larger than 2"));
    assert!(found(&w(), 1).contains("is larger than 1"));
    assert!(found(&ClaimedTensor::Matmul([2, 2, 2]), 4).contains("border rank"));
    // Three terms, of which two are parallel in one mode: not unique, and not claimed.
    let parallel = floats(
        &[3, 3, 2],
        &[
            1., 0., 0., 0., 0., 0., 0., 0., 1., 0., 0., 0., 0., 0., 0., 0., 0., 1.,
        ],
    );
    assert!(
        prove_rank(&parallel, 3, limits())
            .unwrap()
            .proved
            .iter()
            .all(|w| !w.contains("unique"))
    );
    for seed in 0..40 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (n, rank) = (rng.random_range(2..6usize), rng.random_range(2..5usize));
        let sizes = [rank + n % 2, rank, n];
        let exact = sum_of(&sizes, rank, &mut rng).to_dense().unwrap();
        let said = found(&ClaimedTensor::floats(exact.view()), rank);
        // Random columns may be parallel; nothing else stands in the way.
        assert!(
            said.contains(&format!("rank is {rank} over R and over C"))
                || said.contains("distinct")
                || said.contains("of rank"),
            "{seed}: {said}"
        );
    }
    let zero = prove_rank(&cube(&[0.0; 8]), 1, limits()).unwrap();
    assert!(zero.claims.is_empty(), "{}", words(&zero));
    let four = prove_rank(&floats(&[1, 1, 1, 1], &[1.0]), 1, limits()).unwrap();
    assert!(four.claims.is_empty() && words(&four).contains("order three"));
}

#[test]
fn koszul_flattenings_reach_the_published_bounds() {
    let bound = |t: &ClaimedTensor| prove_border_rank(t, 1 << 18, limits()).unwrap().0;
    let matmul = |n, m, p| bound(&ClaimedTensor::Matmul([n, m, p]));
    assert_eq!(
        [matmul(2, 2, 2), matmul(2, 2, 3), matmul(3, 3, 3)],
        [6, 9, 15]
    );
    // Never more than the border rank: sums of R terms, and W, which is a limit of sums of two.
    assert_eq!(bound(&w()), 2);
    assert_eq!(bound(&cube(&[0.0; 8])), 0);
    for seed in 0..30 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let rank = rng.random_range(1..8usize);
        let sizes = [3, 3, 3].map(|n: usize| n + rng.random_range(0..3usize));
        let exact = sum_of(&sizes, rank, &mut rng).to_dense().unwrap();
        let found = bound(&ClaimedTensor::floats(exact.view()));
        assert!(found <= rank, "{found} of {rank}");
    }
}

#[test]
fn exact_decompositions_exist_near_computed_ones() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for (sizes, rank) in [
        (vec![3, 3, 3], 5),
        (vec![2, 2, 2], 3),
        (vec![2, 2, 2, 2], 4),
    ] {
        let t = Tensor::from_fn(&sizes, |_| f64::from(rng.random_range(-9i32..10))).unwrap();
        let fit = Cp::new(rank).decompose(t.view(), &mut rng).unwrap();
        assert!(fit.evidence.rel_residual < 1e-12);
        let proof = prove_cp(&fit.model, t.view(), limits()).unwrap();
        assert!(
            proof.proved[0].contains("exists within"),
            "{}",
            words(&proof)
        );
        // Claims are replayed without knowing how they were found.
        assert!(check(&text(&proof.claims), limits()).unwrap().holds());
    }
    let t = Tensor::from_fn(&[2, 2, 2], |i| {
        [3.0, -1.0, 4.0, 1.0, -5.0, 9.0, 2.0, 6.0][i[0] + 2 * i[1] + 4 * i[2]]
    })
    .unwrap();
    let ring = RingAls::new(&[2, 2, 2])
        .decompose(t.view(), &mut rng)
        .unwrap();
    let proof = prove_ring(&ring.model, t.view(), limits()).unwrap();
    assert!(
        proof.proved.iter().any(|w| w.contains("exists within")),
        "{}",
        words(&proof)
    );
    // Strassen's format: 84 parameters, 64 equations, a Jacobian of rank 61.
    let strassen = Tensor::from_fn(&[4, 4, 4], |x| {
        f64::from(u8::from(
            x[0] % 2 == x[1] / 2 && x[0] / 2 == x[2] / 2 && x[1] % 2 == x[2] % 2,
        ))
    });
    let strassen = strassen.unwrap();
    let fit = Cp::new(7)
        .starts(20)
        .decompose(strassen.view(), &mut rng)
        .unwrap();
    if fit.evidence.rel_residual < 1e-12 {
        let proof = prove_cp(&fit.model, strassen.view(), limits()).unwrap();
        assert!(
            proof.claims.is_empty() && words(&proof).contains("rank 61 for 64"),
            "{}",
            words(&proof)
        );
        assert!(
            words(&proof).contains("a family of dimension 9"),
            "{}",
            words(&proof)
        );
    }
}

#[test]
fn noisy_fits_are_strict_local_minima_or_in_a_family() {
    for (n, rank, noise) in [
        (3, 2, 0.0),
        (3, 2, 0.05),
        (3, 3, 0.05),
        (5, 4, 0.05),
        (4, 2, 1.0),
    ] {
        let mut rng = ChaCha8Rng::seed_from_u64(n as u64 + rank as u64);
        let t = noisy(
            &sum_of(&[n; 3], rank, &mut rng).to_dense().unwrap(),
            noise,
            &mut rng,
        );
        let fit = Cp::new(rank).decompose(t.view(), &mut rng).unwrap();
        let proof = prove_cp(&fit.model, t.view(), limits()).unwrap();
        assert!(
            words(&proof).contains("a strict local minimum"),
            "{n} {rank}: {}",
            words(&proof)
        );
        assert!(!proof.claims.is_empty(), "{n} {rank}: {}", words(&proof));
    }
    // Four terms of 3 x 3 x 3: 28 parameters, a secant variety of dimension 26.
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let t = sum_of(&[3; 3], 4, &mut rng).to_dense().unwrap();
    let fit = Cp::new(4).decompose(t.view(), &mut rng).unwrap();
    let proof = prove_cp(&fit.model, t.view(), limits()).unwrap();
    assert!(
        proof.claims.is_empty() && words(&proof).contains("family of dimension 2"),
        "{}",
        words(&proof)
    );
    // Two terms for W: no minimum, the factors grow.
    let t = Tensor::from_fn(&[2; 3], |i| {
        f64::from(u8::from(i.iter().sum::<usize>() == 1))
    })
    .unwrap();
    let fit = Cp::new(2).decompose(t.view(), &mut rng).unwrap();
    assert!(
        prove_cp(&fit.model, t.view(), limits())
            .unwrap()
            .claims
            .is_empty()
    );
    for noise in [0.0, 0.02] {
        let model = SymmetricCp::new(3, vec![1.0, -2.0], factor(3, 2, &mut rng)).unwrap();
        let t = model.to_dense().unwrap();
        let entry =
            |i: &[usize]| t.view().get(i).unwrap() + noise * (i.iter().sum::<usize>() as f64).sin();
        let t = Tensor::from_fn(&[3; 3], entry).unwrap();
        let fit = Waring::new(2).decompose(t.view(), &mut rng).unwrap();
        let proof = prove_symmetric(&fit.model, t.view(), limits()).unwrap();
        assert!(
            words(&proof).contains("strict local minimum") && !proof.claims.is_empty(),
            "{}",
            words(&proof)
        );
    }
}

#[test]
fn uniqueness_by_kruskal() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let exact = |f: &Factor| -> Vec<Vec<Rational>> {
        let entry = |i: usize, r: usize| Rational::from_f64(f.column(r)[i]).unwrap();
        (0..f.rows())
            .map(|i| (0..f.cols()).map(|r| entry(i, r)).collect())
            .collect()
    };
    for (n, rank, unique) in [
        (4, 5, true),
        (3, 4, false),
        (3, 5, false),
        (6, 6, true),
        (12, 12, true),
    ] {
        let model = sum_of(&[n; 3], rank, &mut rng);
        let factors: Vec<_> = model.factors().iter().map(exact).collect();
        let target = ClaimedTensor::floats(model.to_dense().unwrap().view());
        let proof = prove_unique(&factors, &target, limits()).unwrap();
        assert_eq!(
            !proof.claims.is_empty(),
            unique,
            "{n} {rank}: {}",
            words(&proof)
        );
    }
    // Parallel columns in one mode, full rank in one other only.
    let twin = Factor::new(2, 2, vec![1.0, 2.0, 2.0, 4.0]).unwrap();
    let factors = [
        exact(&twin),
        exact(&factor(2, 2, &mut rng)),
        exact(&factor(2, 2, &mut rng)),
    ];
    let columns =
        CpTensor::from_factors(vec![twin, factor(2, 2, &mut rng), factor(2, 2, &mut rng)]).unwrap();
    let target = ClaimedTensor::floats(columns.to_dense().unwrap().view());
    assert!(
        prove_unique(&factors, &target, limits())
            .unwrap()
            .claims
            .is_empty()
    );
    assert!(matches!(
        prove_unique(&factors[..2], &target, limits()),
        Err(Error::Shape { .. })
    ));
}

#[test]
fn zeros_of_square_systems_are_enclosed() {
    let mut vars = Vars::new();
    let system: Vec<Poly<Rational>> = ["x^2 + y^2 + z^2 - 3", "x*y - z", "x - y + 1/7*z^3"]
        .map(|p| Poly::parse(p, &mut vars).unwrap())
        .to_vec();
    let starts = vec![
        vec![1.0, 1.2, 1.1],
        vec![-1.0, -1.2, 1.1],
        vec![1.0, 1.2, 1.1],
        vec![0.0; 3],
    ];
    let (zeros, proof) = prove_zeros(&system, &vars, &starts, limits()).unwrap();
    assert!(
        zeros.len() >= 2 && zeros.len() == proof.claims.len(),
        "{}",
        words(&proof)
    );
    for zero in &zeros {
        let [x, y, z] = zero.point[..] else {
            unreachable!()
        };
        let gaps = [
            x * x + y * y + z * z - 3.0,
            x * y - z,
            x - y + z.powi(3) / 7.0,
        ];
        assert!(
            gaps.iter().all(|g| g.abs() < 1e-14) && zero.radius < 1e-15,
            "{gaps:?}"
        );
    }
    // A double zero is none that is simple.
    let mut vars = Vars::new();
    let double: Vec<Poly<Rational>> = vec![Poly::parse("(x - 1)^2", &mut vars).unwrap()];
    let (zeros, proof) = prove_zeros(&double, &vars, &[vec![1.5], vec![1.0]], limits()).unwrap();
    assert!(zeros.is_empty() && !proof.refused.is_empty());
    assert!(matches!(
        prove_zeros(&double, &vars, &[vec![1.0, 2.0]], limits()),
        Err(Error::Shape { .. })
    ));
}
