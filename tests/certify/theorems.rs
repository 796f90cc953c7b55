//! Theorems as certificates: one of each kind, small enough to be corrupted, and forgeries that are refused.

#![allow(clippy::unwrap_used)] // helpers of tests

use crate::proofs::{complex, cube, floats, limits, noisy, sum_of, text, w, words};
use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use serde_json::{Value, json};
use wickring::certify::{
    Certificate, ClaimedTensor, check, prove_border_rank, prove_cp, prove_rank, prove_ring,
    prove_symmetric, prove_unique, prove_zeros,
};
use wickring::poly::{Poly, Rational, Vars};
use wickring::tensor::{CpTensor, Factor, SymmetricCp, Tensor, TensorRing};

/// Certificates of one theorem each, small enough to be corrupted thousands of times.
pub(crate) fn certificates() -> Vec<String> {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut proofs = Vec::new();
    for (target, rank) in [
        (complex(), 2),
        (cube(&[1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 2.0, 0.0]), 2),
        (w(), 2),
    ] {
        proofs.push(prove_rank(&target, rank, limits()).unwrap());
    }
    let general: Vec<f64> = (0..27)
        .map(|_| f64::from(rng.random_range(-9i32..10)))
        .collect();
    let general = floats(&[3, 3, 3], &general);
    proofs.push(prove_rank(&general, 3, limits()).unwrap());
    proofs.push(prove_border_rank(&general, 1 << 10, limits()).unwrap().1);
    let row = |x: i64, y: i64| vec![Rational::from(x), Rational::from(y)];
    let unit: Vec<Vec<Rational>> = vec![row(1, 0), row(0, 2)];
    let target = cube(&[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 8.0]);
    proofs.push(prove_unique(&[unit.clone(), unit.clone(), unit], &target, limits()).unwrap());
    // As many parameters as entries: a matrix of rank 2.
    let model = sum_of(&[2, 2], 2, &mut rng);
    let exact = model.to_dense().unwrap();
    proofs.push(prove_cp(&model, exact.view(), limits()).unwrap());
    let model = sum_of(&[2, 1, 2], 1, &mut rng);
    let close = noisy(&model.to_dense().unwrap(), 0.01, &mut rng);
    proofs.push(prove_cp(&model, close.view(), limits()).unwrap());
    let vectors = Factor::new(2, 1, vec![1.0, 0.5]).unwrap();
    let model = SymmetricCp::new(2, vec![1.0], vectors).unwrap();
    let close = Tensor::from_vec(&[2, 2], vec![1.0, 0.5, 0.5, 0.3]).unwrap();
    proofs.push(prove_symmetric(&model, close.view(), limits()).unwrap());
    let vectors = Factor::new(2, 2, vec![1.0, 0.3, -0.7, 1.1]).unwrap();
    let model = SymmetricCp::new(2, vec![1.0, -1.0], vectors).unwrap();
    proofs.push(prove_symmetric(&model, model.to_dense().unwrap().view(), limits()).unwrap());
    let cores = (0..2).map(|_| Tensor::from_fn(&[1, 1, 1], |_| rng.random::<f64>()).unwrap());
    let ring = TensorRing::new(cores.collect()).unwrap();
    proofs.push(prove_ring(&ring, ring.to_dense().unwrap().view(), limits()).unwrap());
    let mut vars = Vars::new();
    let system: Vec<Poly<Rational>> = ["x^2 + y - 2", "x*y - 1/2"]
        .map(|p| Poly::parse(p, &mut vars).unwrap())
        .to_vec();
    proofs.push(
        prove_zeros(&system, &vars, &[vec![1.2, 0.4]], limits())
            .unwrap()
            .1,
    );
    for proof in &proofs {
        assert!(!proof.claims.is_empty(), "{}", words(proof));
    }
    proofs.iter().map(|p| text(&p.claims)).collect()
}

/// Theorems about matrix products, named by their sizes.
pub(crate) fn of_products() -> Vec<String> {
    let product = |n| ClaimedTensor::Matmul(n);
    let one = vec![vec![Rational::from(1)]];
    let units = [one.clone(), one.clone(), one];
    let proofs = [
        prove_border_rank(&product([1, 2, 1]), 1 << 10, limits())
            .unwrap()
            .1,
        prove_border_rank(&product([2, 1, 2]), 1 << 10, limits())
            .unwrap()
            .1,
        prove_unique(&units, &product([1, 1, 1]), limits()).unwrap(),
        prove_rank(&product([2, 2, 2]), 5, limits()).unwrap(),
    ];
    let proved = proofs.iter().filter(|p| !p.claims.is_empty());
    let mut texts: Vec<String> = proved.map(|p| text(&p.claims)).collect();
    assert!(texts.len() > 1, "{}", texts.len());
    // The product of two numbers, near its one decomposition, as a tensor of one entry and by name.
    let vectors = (0..3).map(|_| Factor::new(1, 1, vec![1.0]).unwrap());
    let model = CpTensor::from_factors(vectors.collect()).unwrap();
    let proof = prove_cp(&model, model.to_dense().unwrap().view(), limits()).unwrap();
    texts.push(forged(&text(&proof.claims), &|d| {
        d["target"] = json!({ "matmul": [1, 1, 1] })
    }));
    assert!(texts.iter().all(|t| accepted(t)), "{texts:?}");
    texts
}

/// Theorems whose lines the smallest ones do not reach: choices of two columns out of three, bonds of different sizes, cubics
/// with one and with three real roots, a minimum far from the data.
pub(crate) fn larger() -> Vec<String> {
    let q = |list: &[i64]| list.iter().map(|n| Rational::from(*n)).collect::<Vec<_>>();
    let unit = vec![q(&[1, 0, 0]), q(&[0, 1, 0]), q(&[0, 0, 1])];
    let third = vec![q(&[1, 0, 1]), q(&[0, 1, 2])];
    let at = |i: usize, r: usize, f: &[Vec<Rational>]| f[i][r].to_f64();
    let entry = |i: &[usize]| {
        let term = |r| at(i[0], r, &unit) * at(i[1], r, &unit) * at(i[2], r, &third);
        (0..3).map(term).sum::<f64>()
    };
    let target = Tensor::from_fn(&[3, 3, 2], entry).unwrap();
    let target = ClaimedTensor::floats(target.view());
    let mut proofs = vec![
        prove_unique(
            &[unit.clone(), unit.clone(), third.clone()],
            &target,
            limits(),
        )
        .unwrap(),
    ];
    let mut rng = ChaCha8Rng::seed_from_u64(21);
    for _ in 0..3 {
        let whole = (0..27).map(|_| f64::from(rng.random_range(-5i32..6)));
        let whole = floats(&[3, 3, 3], &whole.collect::<Vec<_>>());
        proofs.push(prove_rank(&whole, 3, limits()).unwrap());
    }
    let core = |dims: [usize; 3], rng: &mut ChaCha8Rng| {
        Tensor::from_fn(&dims, |_| 0.5 + rng.random::<f64>()).unwrap()
    };
    let cores = [[1, 1, 2], [2, 2, 1], [1, 1, 1]].map(|dims| core(dims, &mut rng));
    let ring = TensorRing::new(cores.to_vec()).unwrap();
    proofs.push(prove_ring(&ring, ring.to_dense().unwrap().view(), limits()).unwrap());
    let model = sum_of(&[2, 2], 1, &mut rng);
    let far = noisy(&model.to_dense().unwrap(), 0.5, &mut rng);
    proofs.push(prove_cp(&model, far.view(), limits()).unwrap());
    let proved = proofs.iter().filter(|p| !p.claims.is_empty());
    let texts: Vec<String> = proved.map(|p| text(&p.claims)).collect();
    assert!(texts.len() > 3, "{}", texts.len());
    texts
}

/// The data of a certificate's last claim changed, and sealed again.
fn forged(text: &str, change: &dyn Fn(&mut Value)) -> String {
    let mut whole: Value = serde_json::from_str(text).unwrap();
    let last = whole["claims"].as_array().unwrap().len() - 1;
    change(&mut whole["claims"][last]["data"]);
    whole.as_object_mut().unwrap().remove("seal");
    Certificate::seal_text(&whole.to_string()).unwrap()
}

fn accepted(text: &str) -> bool {
    check(text, limits()).is_ok_and(|r| r.holds())
}

#[test]
fn forged_theorems_are_refused() {
    let all = certificates();
    let (mut tried, mut kinds) = (0, std::collections::BTreeSet::new());
    for text in &all {
        assert!(accepted(text));
        let whole: Value = serde_json::from_str(text).unwrap();
        let claim = whole["claims"].as_array().unwrap().last().unwrap().clone();
        kinds.insert(claim["kind"].to_string());
        let data = &claim["data"];
        let more = |v: &Value| json!(v.as_i64().unwrap() + 1);
        let mut forge = |change: &dyn Fn(&mut Value)| {
            tried += 1;
            assert!(!accepted(&forged(text, change)), "{}", claim["kind"]);
        };
        if data["radius"].is_array() {
            // Smaller than what the point is off, larger than what the test bears, none, negative.
            for radius in [[1, -300], [1 << 20, 0], [0, -60], [-1, -60]] {
                forge(&|d| d["radius"] = json!(radius));
            }
            for scale in [0, 59, 61, 300, -1] {
                forge(&|d| d["scale"] = json!(scale));
            }
            let matrix = if data["C"].is_array() { "C" } else { "L" };
            forge(&|d| d[format!("scale{matrix}")] = json!(1));
            forge(&|d| {
                let row = d[matrix][0].as_array_mut().unwrap();
                row.iter_mut().for_each(|x| *x = json!(0));
            });
            let place = if data["cores"].is_array() {
                "/cores/0/0/0/0"
            } else {
                "/point/0"
            };
            forge(&|d| *d.pointer_mut(place).unwrap() = json!("1152921504606846977000"));
            if data["unknowns"].as_array().is_some_and(|u| u.len() > 1) {
                forge(&|d| d["unknowns"][0] = d["unknowns"][1].clone());
                forge(&|d| d["unknowns"][0] = json!(1000));
            }
        }
        if data["projection"].is_array() {
            forge(&|d| d["bound"] = more(&d["bound"]));
            forge(&|d| d["prime"] = json!(2_147_483_646));
            forge(&|d| d["prime"] = json!(1));
            forge(&|d| d["projection"][0] = d["projection"][1].clone());
            forge(&|d| d["p"] = json!(0));
        }
        if data["a"].is_array() {
            forge(&|d| d["rank"] = more(&d["rank"]));
            forge(&|d| {
                d["a"]
                    .as_array_mut()
                    .unwrap()
                    .iter_mut()
                    .for_each(|x| *x = json!(0))
            });
        }
        if data["real"].is_boolean() {
            forge(&|d| d["real"] = json!(!d["real"].as_bool().unwrap()));
        }
        if data["ranks"].is_array() {
            forge(&|d| d["ranks"][0] = json!(1));
            forge(&|d| d["prime"] = json!(2));
            forge(&|d| d["model"] = json!(1));
        }
    }
    assert!(tried > 60 && kinds.len() >= 9, "{tried} {kinds:?}");
}

/// The words of the findings.
fn verdicts(text: &str) -> Vec<&'static str> {
    let report = check(text, limits()).unwrap();
    report.findings.iter().map(|f| f.word()).collect()
}

#[test]
fn too_little_data_leaves_a_claim_open_and_only_a_settled_rank_refutes_it() {
    let (mut undecided, mut refuted) = (0, 0);
    for text in certificates() {
        let whole: Value = serde_json::from_str(&text).unwrap();
        let claim = whole["claims"].as_array().unwrap().last().unwrap().clone();
        let data = &claim["data"];
        let last = |change: &dyn Fn(&mut Value)| *verdicts(&forged(&text, change)).last().unwrap();
        if data["radius"].is_array() {
            // A true statement about the same point, with a preconditioner that shows nothing.
            let matrix = if data["C"].is_array() { "C" } else { "L" };
            let blind = last(&|d| {
                let row = d[matrix][0].as_array_mut().unwrap();
                row.iter_mut().for_each(|x| *x = json!(0));
            });
            assert_eq!(blind, "UNDECIDED", "{}", claim["kind"]);
            undecided += 1;
        }
        if data["projection"].is_array() {
            let weak = last(&|d| d["bound"] = json!(d["bound"].as_i64().unwrap() + 1));
            assert_eq!(weak, "UNDECIDED");
            undecided += 1;
        }
        if data["real"].is_boolean() {
            let flipped = last(&|d| d["real"] = json!(!d["real"].as_bool().unwrap()));
            assert_eq!(flipped, "FALSE", "{}", claim["kind"]);
            refuted += 1;
        }
    }
    assert!(undecided >= 4 && refuted >= 1, "{undecided} {refuted}");
}
