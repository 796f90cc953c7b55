//! Held-out rows of a sample beside the cumulants of a model.

#![allow(clippy::unwrap_used)] // helpers of tests

use crate::certificates::{scratch, tool};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use wickring::certify::{
    Certificate, Claim, Expression, Language, Limits, TensorData, check, check_with, emit,
};
use wickring::poly::Rational;
use wickring::stats::held_out_threshold;
use wickring::tensor::Tensor;

fn q(text: &str) -> Rational {
    text.parse().unwrap()
}

/// Cumulants of `x^2 + y/2` and `x y - 1`.
fn values() -> Vec<(Vec<usize>, Rational)> {
    let list = [
        (vec![0], "1"),
        (vec![1], "-1"),
        (vec![0, 0], "9/4"),
        (vec![0, 1], "0"),
        (vec![1, 1], "1"),
        (vec![0, 0, 0], "8"),
        (vec![0, 0, 1], "0"),
        (vec![0, 1, 1], "2"),
        (vec![1, 1, 1], "0"),
    ];
    list.into_iter().map(|(index, v)| (index, q(v))).collect()
}

/// Rows of those two and a third column.
fn sample(rows: usize) -> Tensor {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let normal =
        |rng: &mut ChaCha8Rng| (0..12).map(|_| rng.random_range(0.0..1.0)).sum::<f64>() - 6.0;
    let pairs: Vec<[f64; 2]> = (0..rows)
        .map(|_| [normal(&mut rng), normal(&mut rng)])
        .collect();
    Tensor::from_fn(&[rows, 3], |i| {
        let [x, y] = pairs[i[0]];
        [x * x + y / 2.0, 7.0, x * y - 1.0][i[1]]
    })
    .unwrap()
}

fn columns(t: &Tensor, chosen: &[usize]) -> Vec<f64> {
    let n = t.dims()[0];
    let column = |c: &usize| t.as_slice()[c * n..(c + 1) * n].to_vec();
    chosen.iter().flat_map(column).collect()
}

fn model() -> Claim {
    let z = ["x^2 + 1/2*y", "x*y - 1"].map(|z| Expression::parse(z).unwrap());
    Claim::gaussian_moments(&z, &[], &values(), &q("0"))
}

/// The certificate with another value at a place of the second claim.
fn with(text: &str, field: &str, value: Value) -> String {
    let mut whole: Value = serde_json::from_str(text).unwrap();
    whole.as_object_mut().unwrap().remove("seal");
    whole["claims"][1]["data"][field] = value;
    Certificate::seal_text(&whole.to_string()).unwrap()
}

fn word(text: &str, entries: &[f64], rows: usize) -> String {
    let data = [TensorData {
        shape: &[rows, 2],
        entries,
    }];
    match check_with(text, Limits::default(), &data) {
        Ok(report) => report.findings[1].word().to_owned(),
        Err(e) => e.to_string(),
    }
}

#[test]
fn held_out_rows_are_replayed() {
    let rows = 3000;
    let t = sample(rows);
    let entries = columns(&t, &[0, 2]);
    let threshold = held_out_threshold(0.3);
    let data = TensorData {
        shape: &[rows, 2],
        entries: &entries,
    };
    let claim = Claim::held_out_cumulants(0, &values(), &[0, 2], data, threshold);
    let (claim, bound) = claim.unwrap();
    // The sum of twelve uniform variables has lighter tails than a normal one: near, and not the same.
    assert!(bound > 0.1 && bound < 8.0, "{bound}");
    let text = Certificate::new().claim(model()).claim(claim).to_json();
    let report = check(&text, Limits::default()).unwrap();
    assert_eq!(
        (report.findings[0].word(), report.findings[1].word()),
        ("TRUE", "OPEN")
    );
    assert!(!report.holds() && !report.refuted());
    let mut cases = vec![
        (text.clone(), "TRUE"),
        (with(&text, "bound", (bound * 0.99).into()), "FALSE"),
        (with(&text, "bound", 1e9.into()), "VACUOUS"),
        (
            with(&text, "threshold", "0000000000000000".into()),
            "UNDECIDED",
        ),
    ];
    for (text, expected) in &cases {
        assert_eq!(word(text, &entries, rows), *expected, "{text}");
    }
    for (field, value, needle) in [
        ("model", 1.into(), "from 0 to 0"),
        ("model", (-1).into(), "from 0 to 0"),
        ("columns", serde_json::json!([0]), "a column for each"),
        ("threshold", "00".into(), "16 digits"),
        ("threshold", "+000000000000000".into(), "16 digits"),
        ("sha256", "00".into(), "64 digits"),
        ("bound", (-1.0).into(), "negative"),
    ] {
        let refused = word(&with(&text, field, value), &entries, rows);
        assert!(refused.contains(needle), "{field}: {refused}");
    }
    // Another sample is not that sample.
    let mut other = entries.clone();
    other[5] += 1e-9;
    assert_eq!(word(&text, &other, rows), "OPEN");
    if !tool("python3") {
        return;
    }
    let dir = scratch("held-out");
    std::fs::create_dir_all(&dir).unwrap();
    wickring::io::npy::write(&dir.join("t.npy"), t.view()).unwrap();
    cases.push((with(&text, "columns", serde_json::json!([0, 1])), "OPEN"));
    for (text, expected) in &cases {
        std::fs::write(dir.join("replay.py"), emit(text, Language::Python).unwrap()).unwrap();
        let mut command = std::process::Command::new("python3");
        let output = command
            .current_dir(&dir)
            .args(["replay.py", "t.npy"])
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let second = said.lines().nth(1).unwrap_or_default();
        assert!(second.starts_with(expected), "{expected}: {said}");
    }
}

#[test]
fn too_few_rows_make_no_claim() {
    let t = sample(3);
    let entries = columns(&t, &[0, 2]);
    let data = TensorData {
        shape: &[3, 2],
        entries: &entries,
    };
    let claim = |threshold| Claim::held_out_cumulants(0, &values(), &[0, 2], data, threshold);
    assert!(claim(0).is_none() && claim(u64::MAX).is_some());
    // A column that does not vary, and is where it should be, is at no distance; elsewhere there is none.
    let flat = [7.0, 7.0, 7.0];
    let data = TensorData {
        shape: &[3, 1],
        entries: &flat,
    };
    let mean = |v: &str| [(vec![0], q(v))];
    let at = |v: &str| Claim::held_out_cumulants(0, &mean(v), &[0], data, u64::MAX);
    assert!(at("8").is_none());
}
