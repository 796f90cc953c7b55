//! Trains and Tucker models from the command line: files, errors kept, rounding, comparison, certificates.
#![allow(clippy::unwrap_used)]

use crate::outside::Folder;
use serde_json::Value;

fn json(at: &Folder, line: &str) -> (Option<i32>, Value) {
    let args: Vec<&str> = line.split(' ').chain(["--json"]).collect();
    let out = at.command(&args).output().unwrap();
    let value = serde_json::from_slice(&out.stdout);
    let err = String::from_utf8_lossy(&out.stderr).into_owned();
    (out.status.code(), value.unwrap_or(Value::String(err)))
}

/// `1 / (1 + (i + j + k + l) / 6)` on 6^4.
fn stage(at: &Folder) {
    let data: Vec<f64> = (0..1296usize)
        .map(|x| 1.0 / (1.0 + (x % 6 + x / 6 % 6 + x / 36 % 6 + x / 216) as f64 / 6.0))
        .collect();
    at.array("t.npy", &[6, 6, 6, 6], &data);
}

#[test]
fn trains_keep_their_error_and_are_rounded() {
    let at = Folder::new("train");
    stage(&at);
    let (code, fine) = json(&at, "decompose train t.npy --tol 1e-8 --out fine.npz");
    assert_eq!(
        (code, fine["status"].as_str()),
        (Some(0), Some("converged")),
        "{fine}"
    );
    assert!(fine["rel_error"].as_f64().unwrap() <= 1e-8);
    let ranks = fine["ranks"].as_array().unwrap();
    assert_eq!(
        (ranks.len(), &ranks[0], &ranks[4]),
        (5, &1.into(), &1.into())
    );
    assert_eq!(json(&at, "check fine.certificate.json").0, Some(0));
    assert_eq!(
        json(&at, "verify fine.npz --tensor t.npy --tol 1e-8").0,
        Some(0)
    );
    // Rounded, it is the train that the tensor itself gives at that error, to within both errors.
    let (code, short) = json(&at, "decompose train fine.npz --tol 1e-3 --out short.npz");
    assert_eq!(code, Some(0), "{short}");
    let (_, coarse) = json(&at, "decompose train t.npy --tol 1e-3 --out coarse.npz");
    let first = |r: &Value| r["ranks"][2].as_u64().unwrap();
    assert!(first(&short) < first(&fine) && first(&coarse) <= first(&short));
    let (code, found) = json(&at, "compare coarse.npz short.npz");
    assert_eq!(code, Some(0), "{found}");
    assert!(found["distance"].as_f64().unwrap() <= 2e-3);
    // Ranks that cannot keep the error are exit code 3.
    let (code, found) = json(&at, "decompose train t.npy --tol 1e-8 --ranks 2");
    assert_eq!(
        (code, &found["ranks"]),
        (Some(3), &serde_json::json!([1, 2, 2, 2, 1]))
    );
}

#[test]
fn tucker_models_keep_their_error_and_leave_modes_alone() {
    let at = Folder::new("tucker");
    stage(&at);
    let (code, found) = json(&at, "decompose tucker t.npy --tol 1e-6 --out a.npz");
    assert_eq!(
        (code, found["status"].as_str()),
        (Some(0), Some("converged")),
        "{found}"
    );
    assert!(found["rel_error"].as_f64().unwrap() <= 1e-6);
    let (code, found) = json(&at, "decompose tucker t.npy --ranks 3,-,3,2 --out b.npz");
    assert_eq!(
        (code, &found["ranks"]),
        (Some(0), &serde_json::json!([3, 6, 3, 2])),
        "{found}"
    );
    let (_, once) = json(&at, "decompose tucker t.npy --ranks 3,-,3,2 --sweeps 0");
    assert!(found["rel_error"].as_f64() <= once["rel_error"].as_f64());
    let (_, all) = json(&at, "decompose tucker t.npy --ranks 2");
    assert_eq!(all["ranks"], serde_json::json!([2, 2, 2, 2]));
    let (_, mixed) = json(
        &at,
        "decompose tucker t.npy --tol 1e-2 --ranks auto,-,auto,auto",
    );
    assert_eq!(mixed["ranks"][1], 6, "{mixed}");
    let (code, apart) = json(&at, "compare a.npz b.npz");
    let distance = apart["distance"].as_f64().unwrap();
    let error = found["rel_error"].as_f64().unwrap();
    assert_eq!(code, Some(0), "{apart}");
    assert!((distance - error).abs() < 1e-5, "{distance} {error}");
    assert!(
        json(&at, "compare a.npz a.npz").1["distance"]
            .as_f64()
            .unwrap()
            < 1e-14
    );
}

#[test]
fn a_ring_whose_bond_has_rank_one_is_the_shortest_train() {
    let at = Folder::new("ring-train");
    stage(&at);
    let (code, train) = json(&at, "decompose train t.npy --tol 1e-6");
    assert_eq!(code, Some(0), "{train}");
    let (code, ring) = json(&at, "decompose ring t.npy --rank auto --tol 1e-6");
    assert_eq!(code, Some(0), "{ring}");
    let inner = |r: &Value| r["ranks"].as_array().unwrap()[..4].to_vec();
    assert_eq!(inner(&ring), inner(&train));
    assert!(ring["rel_error"].as_f64().unwrap() <= 1e-6);
    assert_eq!(
        (&ring["unique"], &train["unique"]),
        (&"unique".into(), &"unique".into())
    );
}

#[test]
fn constraints_hold_in_the_modes_that_they_are_asked_for() {
    let at = Folder::new("constraint");
    let hill = |i: usize, top: f64| (-(i as f64 - top).powi(2) / 6.0).exp();
    let data: Vec<f64> = (0..480usize)
        .map(|x| {
            let (i, j, k) = (x / 48, x / 6 % 8, x % 6);
            let parts = [(3.0, 1.0), (6.0, -0.7)].map(|(top, sign)| {
                let second = (1.0 + top + (j as f64) * top).sin().abs();
                hill(i, top) * second * (sign * (k as f64 + top)).cos()
            });
            parts[0] + parts[1]
        })
        .collect();
    at.array("t.npy", &[10, 8, 6], &data);
    let known = (0..20).map(|x| hill(x / 2, [3.0, 6.0][x % 2]));
    at.array("known.npy", &[10, 2], &Vec::from_iter(known));
    let (code, found) = json(
        &at,
        "decompose cp t.npy --rank 2 --constraint 0:unimodal --constraint 1:nonneg --constraint 0:smooth:1e-6 --out f.npz",
    );
    assert_eq!(
        (code, &found["unique"]),
        (Some(0), &"unique".into()),
        "{found}"
    );
    assert_eq!(found["constraints"].as_array().unwrap().len(), 3);
    assert!(found["rel_error"].as_f64().unwrap() < 1e-3);
    let (code, fixed) = json(
        &at,
        "decompose cp t.npy --rank 2 --constraint 0:fixed:known.npy --out g.npz",
    );
    assert_eq!(code, Some(0), "{fixed}");
    let (_, apart) = json(&at, "compare f.npz g.npz");
    assert!(apart["distance"].as_f64().unwrap() < 2e-3, "{apart}");
    // What changes its sign is not reproduced by what does not.
    let (_, bounded) = json(&at, "decompose cp t.npy --rank 2 --constraint all:nonneg");
    assert!(bounded["rel_error"].as_f64().unwrap() > 0.1, "{bounded}");
    for (bad, word) in [
        ("9:nonneg", "the modes are 0 to 2"),
        ("0:round", "MODES:KIND"),
        ("0:fixed:t.npy", "expected a matrix"),
        ("0:smooth:-1", "positive cost"),
    ] {
        let (code, found) = json(
            &at,
            &format!("decompose cp t.npy --rank 2 --constraint {bad}"),
        );
        let text = found.to_string();
        assert!(
            code == Some(2) && text.contains(word),
            "{bad}: {code:?} {text}"
        );
    }
}

#[test]
fn slices_of_different_heights_come_from_one_file_or_from_several() {
    let at = Folder::new("parafac2");
    let wave = |n: usize, k: usize| -> Vec<f64> {
        (0..n * 5)
            .map(|x| {
                let (i, j) = ((x / 5) as f64, (x % 5) as f64);
                let one = (i + k as f64).sin() * (1.0 + j) * (1.0 + k as f64 * 0.3);
                let other =
                    (0.5 * (i + k as f64)).cos() * (2.0 - j * j / 5.0) * (2.0 - 0.4 * k as f64);
                one + other
            })
            .collect()
    };
    for (k, n) in [30, 28, 33, 31].into_iter().enumerate() {
        at.array(&format!("run{k}.npy"), &[n, 5], &wave(n, k));
    }
    let (code, several) = json(
        &at,
        "decompose parafac2 run0.npy run1.npy run2.npy run3.npy --rank 2 --nonneg --out a.npz",
    );
    assert!(matches!(code, Some(0 | 3)), "{several}");
    assert_eq!(several["rows"], serde_json::json!([30, 28, 33, 31]));
    assert_eq!(several["inputs"].as_array().unwrap().len(), 4);
    assert!(["unique", "not known"].contains(&several["unique"].as_str().unwrap()));
    assert!(several["rel_error"].as_f64().unwrap() < 0.2, "{several}");
    let (code, apart) = json(&at, "compare a.npz a.npz");
    assert_eq!(
        (code, &apart["kind"]),
        (Some(0), &"parafac2".into()),
        "{apart}"
    );
    assert!(apart["distance"].as_f64().unwrap() < 1e-12);
    // The files are the slices already.
    let (code, _) = json(
        &at,
        "decompose parafac2 run0.npy run1.npy --rank 2 --slices 1",
    );
    assert_eq!(code, Some(2));
    let (code, found) = json(&at, "decompose parafac2 run0.npy --rank 2");
    assert!(
        code == Some(2) && found.to_string().contains("expected three modes"),
        "{found}"
    );
}
