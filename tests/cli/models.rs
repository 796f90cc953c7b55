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
