//! Residuals in binary64: what is claimed is true in exact arithmetic, replayed bit by bit, and not loose.

#![allow(clippy::unwrap_used)] // helpers of tests

use crate::certificates::{scratch, tool};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use wickring::certify::{
    Certificate, Claim, ClaimedTensor, Entry, Language, Limits, TensorData, check, check_with, emit,
};
use wickring::poly::Rational;
use wickring::tensor::{CpTensor, Factor, Tensor, TensorRing};

/// A residual in binary64 of weights and factors.
pub(crate) fn of_factors() -> Claim {
    let factor = |x: [f64; 4]| Factor::new(2, 2, x.to_vec()).unwrap();
    let factors = vec![factor([1.0, 0.5, 0.1, 2.0]), factor([1.0, 3.0, -1.0, 0.7])];
    let model = CpTensor::new(vec![0.3, 2.0], factors).unwrap();
    let t = Tensor::from_fn(&[2, 2], |i| model.entry(i).unwrap() + 1e-9).unwrap();
    Claim::cp_rounded(&model, t.view()).unwrap().unwrap().0
}

/// The same with entries missing.
pub(crate) fn of_observed() -> Claim {
    let factor = |x: [f64; 3]| Factor::new(3, 1, x.to_vec()).unwrap();
    let factors = vec![factor([1.0, 0.5, 0.1]), factor([1.0, 3.0, -1.0])];
    let model = CpTensor::new(vec![0.3], factors).unwrap();
    let missing = |i: &[usize]| i[0] == i[1];
    let entry = |i: &[usize]| match missing(i) {
        true => f64::NAN,
        false => model.entry(i).unwrap() + 1e-9,
    };
    let t = Tensor::from_fn(&[3, 3], entry).unwrap();
    Claim::cp_rounded(&model, t.view()).unwrap().unwrap().0
}

/// The same of a ring.
pub(crate) fn of_cores() -> Claim {
    let core = Tensor::from_fn(&[2, 2, 2], |i| 0.3 + (i[0] + 3 * i[1] * i[2]) as f64).unwrap();
    let ring = TensorRing::new(vec![core.clone(), core]).unwrap();
    let t = Tensor::from_fn(&[2, 2], |i| ring.entry(i).unwrap()).unwrap();
    Claim::ring_rounded(&ring, t.view()).unwrap().unwrap().0
}

/// Residuals of models with different sizes and bonds, of ordinary numbers and of such that squares nearly leave the range.
pub(crate) fn of_all_shapes() -> Vec<Claim> {
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    let mut claims = Vec::new();
    for range in [0, 3, 200] {
        let model = cp(&[3, 1, 2], 2, range, &mut rng);
        let t = nearby(&[3, 1, 2], 1e-9, &mut rng, |i| model.entry(i).unwrap());
        claims.extend(Claim::cp_rounded(&model, t.view()).unwrap());
        let model = ring(&[2, 3, 2], &[2, 3, 1], range, &mut rng);
        let t = nearby(&[2, 3, 2], 1e-9, &mut rng, |i| model.entry(i).unwrap());
        claims.extend(Claim::ring_rounded(&model, t.view()).unwrap());
    }
    assert!(claims.len() > 3, "{}", claims.len());
    claims.into_iter().map(|c| c.0).collect()
}

/// A number whose size is anywhere in the range, now and then zero.
fn number(range: i32, rng: &mut impl Rng) -> f64 {
    let x: f64 = rng.random_range(-1.0..1.0);
    match rng.random_range(0..12) {
        0 => 0.0,
        _ => x * 2f64.powi(rng.random_range(-range..=range)),
    }
}

fn cp(shape: &[usize], rank: usize, range: i32, rng: &mut impl Rng) -> CpTensor {
    let mut factors = Vec::new();
    for &n in shape {
        let data = (0..n * rank).map(|_| number(range, rng)).collect();
        factors.push(Factor::new(n, rank, data).unwrap());
    }
    let weights = (0..rank).map(|_| number(range, rng)).collect();
    CpTensor::new(weights, factors).unwrap()
}

fn ring(shape: &[usize], ranks: &[usize], range: i32, rng: &mut impl Rng) -> TensorRing {
    let core = |k: usize, rng: &mut _| {
        let dims = [ranks[k], shape[k], ranks[(k + 1) % ranks.len()]];
        Tensor::from_fn(&dims, |_| number(range, rng)).unwrap()
    };
    let cores = (0..shape.len()).map(|k| core(k, rng)).collect();
    TensorRing::new(cores).unwrap()
}

/// Rounded values of the model, off by a relative `noise`.
fn nearby(shape: &[usize], noise: f64, rng: &mut impl Rng, f: impl Fn(&[usize]) -> f64) -> Tensor {
    let off = |rng: &mut _| 1.0 + noise * number(0, rng);
    Tensor::from_fn(shape, |index| f(index) * off(rng)).unwrap()
}

/// The verdict of the exact checker on the same model, tensor and bound.
fn exactly(cores: &[Vec<Vec<Vec<Entry>>>], cp: bool, t: &Tensor, bound: f64) -> bool {
    let target = ClaimedTensor::floats(t.view());
    let claim = if cp {
        let factors: Vec<_> = cores.iter().map(|core| core[0].clone()).collect();
        Claim::cp_residual(&factors, &target, bound)
    } else {
        Claim::ring_residual(cores, &target, bound)
    };
    let text = Certificate::new().claim(claim).to_json();
    let report = check(&text, Limits::default()).unwrap();
    // Above one it is vacuous, and true.
    !report.refuted()
}

/// Factors with the weights on the first, as exact numbers.
fn exact_factors(model: &CpTensor) -> Vec<Vec<Vec<Vec<Entry>>>> {
    let q = |x: f64| Rational::from_f64(x).unwrap();
    let factor = |k: usize| {
        let f = &model.factors()[k];
        let entry = |i: usize, r: usize| match k {
            0 => Entry::from(q(f.column(r)[i]) * q(model.weights()[r])),
            _ => Entry::from(q(f.column(r)[i])),
        };
        let rows = (0..f.rows()).map(|i| (0..f.cols()).map(|r| entry(i, r)).collect());
        vec![rows.collect()]
    };
    (0..model.order()).map(factor).collect()
}

fn exact_cores(ring: &TensorRing) -> Vec<Vec<Vec<Vec<Entry>>>> {
    let core = |g: &Tensor| {
        let at = |a, i, b| Entry::float(*g.view().get(&[a, i, b]).unwrap()).unwrap();
        let row = |a, i| (0..g.dims()[2]).map(|b| at(a, i, b)).collect();
        (0..g.dims()[0])
            .map(|a| (0..g.dims()[1]).map(|i| row(a, i)).collect())
            .collect()
    };
    ring.cores().iter().map(core).collect()
}

fn verdict(text: &str) -> &'static str {
    check(text, Limits::default()).unwrap().findings[0].word()
}

/// The claim with another bound, sealed again.
fn with_bound(text: &str, bound: f64) -> String {
    let mut whole: Value = serde_json::from_str(text).unwrap();
    whole.as_object_mut().unwrap().remove("seal");
    whole["claims"][0]["data"]["bound"] = bound.into();
    Certificate::seal_text(&whole.to_string()).unwrap()
}

#[test]
fn bounds_are_true_and_close() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let (mut proved, mut close) = (0, 0);
    for trial in 0..240 {
        let order = rng.random_range(2..5);
        let shape: Vec<usize> = (0..order).map(|_| rng.random_range(1..5)).collect();
        let range = [0, 3, 40, 250, 400][trial % 5];
        let noise = [0.0, 1e-15, 1e-8, 0.1][trial % 4];
        let (claim, cores, t) = if trial % 3 == 0 {
            let ranks: Vec<usize> = (0..order).map(|_| rng.random_range(1..4)).collect();
            let model = ring(&shape, &ranks, range, &mut rng);
            let t = nearby(&shape, noise, &mut rng, |i| model.entry(i).unwrap());
            if !t.as_slice().iter().all(|x| x.is_finite()) {
                continue;
            }
            let claim = Claim::ring_rounded(&model, t.view()).unwrap();
            (claim, exact_cores(&model), t)
        } else {
            let model = cp(&shape, rng.random_range(1..5), range, &mut rng);
            let t = nearby(&shape, noise, &mut rng, |i| model.entry(i).unwrap());
            if !t.as_slice().iter().all(|x| x.is_finite()) {
                continue;
            }
            let claim = Claim::cp_rounded(&model, t.view()).unwrap();
            (claim, exact_factors(&model), t)
        };
        let Some((claim, bound)) = claim else {
            continue;
        };
        proved += 1;
        let text = Certificate::new().claim(claim).to_json();
        let word = if bound < 1.0 { "TRUE" } else { "VACUOUS" };
        assert_eq!(verdict(&text), word, "{text}");
        assert_eq!(verdict(&with_bound(&text, bound.next_down())), "FALSE");
        assert!(exactly(&cores, trial % 3 > 0, &t, bound), "{text}");
        // Of ordinary sizes nothing much is lost beyond rounding.
        if range == 0 && noise > 1e-9 && bound < 1.0 {
            assert!(
                !exactly(&cores, trial % 3 > 0, &t, bound * (1.0 - 1e-4)),
                "{text}"
            );
            close += 1;
        }
    }
    assert!(proved > 150 && close > 10, "{proved} proved, {close} close");
}

#[test]
fn a_tensor_known_by_its_digest_is_needed() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let shape = [60, 50, 48];
    let model = cp(&shape, 3, 0, &mut rng);
    let mut t = nearby(&shape, 1e-9, &mut rng, |i| model.entry(i).unwrap());
    let (claim, bound) = Claim::cp_rounded(&model, t.view()).unwrap().unwrap();
    assert!(claim.names_tensor() && bound < 2e-9);
    let text = Certificate::new().claim(claim).to_json();
    assert!(text.len() < 20_000);
    let report = check(&text, Limits::default()).unwrap();
    assert!(report.findings[0].open && !report.holds() && !report.refuted());
    let word = |t: &Tensor, text: &str| {
        let data = [TensorData {
            shape: t.dims(),
            entries: t.as_slice(),
        }];
        check_with(text, Limits::default(), &data).unwrap().findings[0].word()
    };
    assert_eq!(word(&t, &text), "TRUE");
    assert_eq!(word(&t, &with_bound(&text, bound / 2.0)), "FALSE");
    if tool("python3") {
        let dir = scratch("rounded");
        std::fs::create_dir_all(&dir).unwrap();
        wickring::io::npy::write(&dir.join("t.npy"), t.view()).unwrap();
        for (bound, expected) in [(bound, "TRUE"), (bound.next_down(), "FALSE")] {
            let program = emit(&with_bound(&text, bound), Language::Python).unwrap();
            std::fs::write(dir.join("replay.py"), program).unwrap();
            let run = |args: &[&str]| {
                let mut command = std::process::Command::new("python3");
                let output = command.current_dir(&dir).args(args).output().unwrap();
                String::from_utf8(output.stdout).unwrap()
            };
            assert!(run(&["replay.py"]).starts_with("OPEN"));
            let said = run(&["replay.py", "t.npy"]);
            assert!(said.starts_with(expected), "{said}");
        }
    }
    t.as_mut_slice()[7] += 1e-12;
    assert_eq!(word(&t, &text), "OPEN");
}

#[test]
fn missing_entries_count_for_nothing_and_are_counted() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let shape = [6, 5, 4];
    for (wrong, n) in [(0.0, 0), (3.0, 0), (0.0, 200)] {
        let model = cp(&shape, 2, 0, &mut rng);
        let mut whole = nearby(&shape, 1e-9, &mut rng, |i| model.entry(i).unwrap());
        whole.as_mut_slice()[7] += wrong;
        let mut t = whole.clone();
        for (k, x) in t.as_mut_slice().iter_mut().enumerate() {
            // Any NaN stands for a missing entry.
            if k < n || k % 7 == 0 {
                *x = f64::from_bits(0x7ff8_0000_0000_0000 + k as u64);
            }
        }
        let Some((claim, bound)) = Claim::cp_rounded(&model, t.view()).unwrap() else {
            assert_eq!(n, 200, "nothing observed has no bound");
            continue;
        };
        assert!(bound < 2e-9, "{bound}");
        let text = Certificate::new().claim(claim).to_json();
        let report = check(&text, Limits::default()).unwrap();
        assert!(report.holds() && report.findings[0].reason.contains("over its 102 observed"));
        assert_eq!(verdict(&with_bound(&text, bound.next_down())), "FALSE");
        // The entry that is wrong counts once it is observed.
        let (_, of_all) = Claim::cp_rounded(&model, whole.view()).unwrap().unwrap();
        assert!((of_all > 1e-3) == (wrong > 0.0), "{of_all}");
        // One entry more that is missing is a weaker claim, and must say so.
        let mut whole: Value = serde_json::from_str(&text).unwrap();
        whole.as_object_mut().unwrap().remove("seal");
        let target = &mut whole["claims"][0]["data"]["target"]["observed"];
        assert_eq!(target["missing"], 18);
        target["entries"][1] = Value::Null;
        let weaker = Certificate::seal_text(&whole.to_string()).unwrap();
        assert!(check(&weaker, Limits::default()).is_err());
        let infinite = Tensor::from_vec(&[2, 2], vec![1.0, f64::INFINITY, 1.0, 1.0]).unwrap();
        assert!(Claim::cp_rounded(&model, infinite.view()).is_err());
    }
}

#[test]
fn what_binary64_cannot_bound_has_no_claim() {
    let factor = |x: f64| Factor::new(2, 1, vec![x, x]).unwrap();
    let model = |x: f64| CpTensor::new(vec![1.0], vec![factor(x), factor(x)]).unwrap();
    let zero = Tensor::from_vec(&[2, 2], vec![0.0; 4]).unwrap();
    assert_eq!(Claim::cp_rounded(&model(0.0), zero.view()).unwrap(), None);
    let huge = Tensor::from_vec(&[2, 2], vec![1e200; 4]).unwrap();
    assert_eq!(Claim::cp_rounded(&model(1e100), huge.view()).unwrap(), None);
    let other = Tensor::from_vec(&[4], vec![1.0; 4]).unwrap();
    assert!(Claim::cp_rounded(&model(1.0), other.view()).is_err());
}

/// The claim is true of the model itself and of a zero tensor, but this arithmetic cannot tell.
#[test]
fn without_a_bound_a_claim_is_undecided() {
    let text = Certificate::new().claim(of_factors()).to_json();
    for entry in [0.0, 1e-300, 1e200] {
        let mut whole: Value = serde_json::from_str(&text).unwrap();
        whole.as_object_mut().unwrap().remove("seal");
        let data = &mut whole["claims"][0]["data"];
        data["target"]["dense"]["entries"] = vec![entry; 4].into();
        data["weights"] = vec![0.0; 2].into();
        let sealed = Certificate::seal_text(&whole.to_string()).unwrap();
        assert_eq!(verdict(&sealed), "UNDECIDED", "{entry}");
        if tool("python3") {
            let path = scratch("undecided.py");
            std::fs::write(&path, emit(&sealed, Language::Python).unwrap()).unwrap();
            let mut command = std::process::Command::new("python3");
            let output = command.arg(path).output().unwrap();
            let said = String::from_utf8(output.stdout).unwrap();
            assert!(said.starts_with("UNDECIDED"), "{said}");
        }
    }
}
