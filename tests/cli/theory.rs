//! `wickring theory` as scripts meet it: exit codes, files, determinism, and inputs that the theory is wrong for.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output};

fn wickring(args: &[&str]) -> Output {
    let binary = env!("CARGO_BIN_EXE_wickring");
    Command::new(binary).args(args).output().unwrap()
}

/// Exit code and the JSON object.
fn json(args: &str) -> (Option<i32>, Value) {
    let args: Vec<&str> = args.split_whitespace().chain(["--json"]).collect();
    let run = wickring(&args);
    let text = String::from_utf8(run.stdout).unwrap();
    let value = serde_json::from_str(&text).unwrap_or(Value::Null);
    (run.status.code(), value)
}

/// Exit code and standard error of a run that fails.
fn refusal(args: &str) -> (Option<i32>, String) {
    let run = wickring(&args.split_whitespace().collect::<Vec<_>>());
    (
        run.status.code(),
        String::from_utf8_lossy(&run.stderr).into_owned(),
    )
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("wickring-theory-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// Writes a matrix given by its entries.
    fn matrix(&self, name: &str, rows: usize, columns: usize, f: impl Fn(usize, usize) -> f64) {
        let data: Vec<f64> = (0..rows * columns)
            .map(|at| f(at / columns, at % columns))
            .collect();
        let bytes = wickring::io::npy::encode(&[rows, columns], false, &data);
        std::fs::write(self.path(name), bytes).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Numbers between -1 and 1 that depend on both indices without a pattern.
fn scattered(i: usize, j: usize) -> f64 {
    let mut x = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ ((j as u64 + 1) << 17);
    for _ in 0..3 {
        x = (x ^ (x >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    (x >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

fn number(v: &Value, key: &str) -> f64 {
    v[key].as_f64().unwrap_or(f64::NAN)
}

#[test]
fn online_learning_agrees_and_does_not_depend_on_threads() {
    let folder = Folder::new("online");
    let (csv, plot) = (folder.path("curve.csv"), folder.path("curve.svg"));
    let common = "theory online-sgd --preset quick --simulate 3 --points 12 --time 4";
    let (code, one) = json(&format!("{common} --threads 1 --out {csv} --plot {plot}"));
    assert_eq!(code, Some(0), "{one}");
    assert_eq!(one["verdict"]["agrees"], true);
    assert_eq!(one["hypotheses_hold"], true);
    let (_, two) = json(&format!("{common} --threads 2"));
    // Everything but the clocks.
    let measured = ["seconds", "cpu_seconds", "peak_bytes"];
    let timeless = |v: &Value| {
        let fields = v.as_object().unwrap().iter();
        let kept = fields.filter(|(k, _)| !measured.contains(&k.as_str()));
        kept.map(|(k, v)| (k.clone(), v.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(timeless(&one), timeless(&two));
    let text = std::fs::read_to_string(csv).unwrap();
    let head = text.lines().next().unwrap();
    assert!(head.starts_with("time,error,error_simulated,error_se,error_z,q_0_0,q_0_1"));
    assert_eq!(text.lines().count(), 13);
    assert!(std::fs::read_to_string(plot).unwrap().contains("<svg"));
    // The certificate says what was checked.
    assert!(one["evidence"].as_array().unwrap().len() >= 2);
}

#[test]
fn full_batch_agrees_and_finds_the_best_lambda() {
    let (code, ridge) = json("theory full-batch --preset quick --simulate 8");
    assert_eq!(code, Some(0), "{ridge}");
    assert!(number(&ridge, "worst_residual") <= 1e-12);
    let error = |v: &Value| v["points"][0]["error"].as_f64().unwrap();
    let grid = "theory full-batch --preset quick --loss logistic --alpha 2";
    let (code, best) = json(&format!("{grid} --best-lambda"));
    assert_eq!(code, Some(0));
    for lambda in ["1e-4", "1e-2", "10"] {
        let (_, other) = json(&format!("{grid} --lambda {lambda}"));
        assert!(error(&best) <= error(&other) + 1e-9, "{lambda}");
    }
}

/// Euler at the published step, all activations, generators given in every way.
#[test]
fn every_input_and_activation_is_accepted() {
    let folder = Folder::new("inputs");
    folder.matrix("F.npy", 120, 60, |i, j| 0.22 * scattered(i, j));
    folder.matrix("G.npy", 90, 120, |i, j| 0.16 * scattered(i, j + 500));
    let (f, g) = (folder.path("F.npy"), folder.path("G.npy"));
    for args in [
        "--activation linear --lr 0.05".to_owned(),
        "--activation x^2-1 --lr 0.01 --lr-second 0".to_owned(),
        "--activation x-x^3/6 --lr 0.02 --students 3 --teachers 1 --integrator euler".to_owned(),
        "--integrator rk4 --dt 0.05 --noise 0.1 --bin-width 0.01".to_owned(),
        "--depth 3 --generator tanh --inputs 120".to_owned(),
        "--generator relu,sign --inputs 120".to_owned(),
        "--covariance sampled --covariance-samples 20000".to_owned(),
        format!("--weights {f}"),
        format!("--weights {f},{g} --generator tanh,erf"),
    ] {
        let (code, out) = json(&format!("theory online-sgd --preset quick --time 2 {args}"));
        assert_eq!(code, Some(0), "{args}: {out}");
        let curve = out["curve"].as_array().unwrap();
        let errors = curve.iter().map(|m| number(m, "error"));
        assert!(
            errors.into_iter().all(|e| e.is_finite() && e >= 0.0),
            "{args}"
        );
    }
    for loss in ["ridge", "square", "logistic", "hinge", "squared-hinge"] {
        let args = format!("theory full-batch --loss {loss} --weights {f} --alpha 0.3,1:4:3");
        let (code, out) = json(&args);
        assert_eq!(
            (code, out["points"].as_array().map(Vec::len)),
            (Some(0), Some(12))
        );
    }
}

/// Samples of an uncentred relu network, and the covariances made from them.
#[test]
fn samples_are_centred_and_raw_moments_are_warned_of() {
    let folder = Folder::new("samples");
    let (n, d, p) = (40usize, 30usize, 4000usize);
    // Quasi-random normals: sums of twelve parts of a linear congruential sequence.
    let mut state = 1u64;
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut normal = || (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
    let weights: Vec<f64> = (0..n * d).map(|_| normal() / (d as f64).sqrt()).collect();
    let c: Vec<f64> = (0..p * d).map(|_| normal()).collect();
    let field = |i: usize, s: usize| {
        (0..d)
            .map(|j| weights[i * d + j] * c[s * d + j])
            .sum::<f64>()
    };
    let x: Vec<f64> = (0..p * n)
        .map(|at| field(at % n, at / n).max(0.0))
        .collect();
    folder.matrix("c.npy", p, d, |s, j| c[s * d + j]);
    folder.matrix("x.npy", p, n, |s, i| x[s * n + i]);
    let moment = |i: usize, j: usize| (0..p).map(|s| x[s * n + i] * x[s * n + j]).sum::<f64>();
    folder.matrix("raw.npy", n, n, |i, j| moment(i, j) / p as f64);
    let mixed = |i: usize, j: usize| (0..p).map(|s| x[s * n + i] * c[s * d + j]).sum::<f64>();
    folder.matrix("phi.npy", n, d, |i, j| mixed(i, j) / p as f64);
    let samples = format!(
        "--latent-samples {} --input-samples {}",
        folder.path("c.npy"),
        folder.path("x.npy")
    );
    let args = format!("theory full-batch --preset quick --loss ridge {samples} --simulate 6");
    let (code, out) = json(&args);
    assert_eq!(code, Some(0), "{out}");
    let raw = format!(
        "--omega {} --phi {}",
        folder.path("raw.npy"),
        folder.path("phi.npy")
    );
    let (_, out) = json(&format!("theory online-sgd --preset quick {raw}"));
    let warnings = out["warnings"].to_string();
    assert!(warnings.contains("mean was not subtracted"), "{warnings}");
    // The wrong way round, or of another file.
    let (x, phi) = (folder.path("x.npy"), folder.path("phi.npy"));
    for wrong in [
        format!("--omega {x} --phi {phi}"),
        format!("--omega {phi} --phi {phi}"),
        format!(
            "--omega {} --phi {}",
            folder.path("raw.npy"),
            folder.path("raw.npy")
        ),
        format!("--omega {} --phi nowhere.npy", folder.path("raw.npy")),
    ] {
        let (code, text) = refusal(&format!("theory full-batch {wrong}"));
        assert_eq!(code, Some(2), "{wrong}: {text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}

/// Hypotheses that fail: right, or said to be wrong.
#[test]
fn wrong_predictions_are_not_certified() {
    let folder = Folder::new("wrong");
    folder.matrix("w.npy", 2, 250, |k, i| if i == k { 15.8 } else { 0.0 });
    let localised = format!("--student-weights {}", folder.path("w.npy"));
    for args in [localised.as_str(), "--latents 5"] {
        let alone = format!("theory online-sgd --preset quick --time 2 {args}");
        let (code, out) = json(&alone);
        assert_eq!(
            (code, &out["hypotheses_hold"]),
            (Some(3), &Value::Bool(false))
        );
        let (code, out) = json(&format!("{alone} --simulate 3"));
        // What the comparison says is what counts.
        assert_eq!(code == Some(0), out["verdict"]["agrees"] == true);
    }
    let (code, out) = json("theory full-batch --preset quick --latents 5");
    assert_eq!(
        (code, &out["hypotheses_hold"]),
        (Some(3), &Value::Bool(false))
    );
    // Equations that a single sample throws off, a step far too long, inputs without variance that vary with latents.
    folder.matrix("zero.npy", 40, 40, |_, _| 0.0);
    folder.matrix("phi.npy", 40, 20, |i, j| 0.1 * scattered(i, j));
    let (zero, phi) = (folder.path("zero.npy"), folder.path("phi.npy"));
    for (args, expected) in [
        ("--activation x^2-1 --lr 0.2 --time 0.1".to_owned(), 3),
        ("--integrator euler --dt 5 --points 3".to_owned(), 3),
        (format!("--omega {zero} --phi {phi}"), 2),
    ] {
        let (code, out) = json(&format!("theory online-sgd --preset quick {args}"));
        assert_eq!(code, Some(expected), "{args}: {out}");
        assert_ne!(out["status"], "converged", "{args}");
    }
    // A student of another learning rate than the simulated one cannot be had from here; a rate at which
    // descent explodes can.
    let (code, _) = json("theory online-sgd --preset quick --activation x^3 --lr 5");
    assert_eq!(code, Some(3));
}

/// A teacher on latents that no input depends on; separable labels; susceptibilities up to 1e12.
#[test]
fn extreme_learners_are_solved() {
    let folder = Folder::new("extreme");
    folder.matrix("F.npy", 80, 50, |i, j| {
        if j < 40 { 0.27 * scattered(i, j) } else { 0.0 }
    });
    folder.matrix("t.npy", 50, 1, |j, _| f64::from(u8::from(j >= 40)));
    let files = format!(
        "--weights {} --teacher {}",
        folder.path("F.npy"),
        folder.path("t.npy")
    );
    let (code, out) = json(&format!(
        "theory full-batch --loss logistic {files} --alpha 1,2"
    ));
    assert_eq!(code, Some(0), "{out}");
    for point in out["points"].as_array().unwrap() {
        assert!((number(point, "error") - 0.5).abs() < 1e-12, "{point}");
    }
    let grid = "--alpha 0.01,0.3,1,4 --lambda 1e-12,1e-6,1e12";
    for loss in ["logistic", "hinge", "squared-hinge"] {
        let (code, out) = json(&format!(
            "theory full-batch --loss {loss} {grid} --latents 40 --inputs 80"
        ));
        assert_eq!(code, Some(0), "{loss}: {out}");
        let largest = out["points"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| number(p, "v"));
        assert!(largest.fold(0.0, f64::max) > 1e11, "{out}");
    }
    let grid = "--alpha 0.01:100:5 --lambda 1e-10:1e6:5";
    let (code, out) = json(&format!(
        "theory full-batch --loss ridge {grid} --latents 40 --inputs 80"
    ));
    assert_eq!(code, Some(0));
    assert!(number(&out, "worst_residual") <= 1e-12, "{out}");
}

#[test]
fn bad_usage_is_one_clear_line() {
    for args in [
        "online-sgd --activation x*y",
        "online-sgd --activation 3",
        "online-sgd --activation relu",
        "online-sgd --activation tanh",
        "online-sgd --generator Tanh",
        "full-batch --generator gelu",
        "online-sgd --generator nonsense(",
        "online-sgd --lr -1",
        "online-sgd --time 0",
        "online-sgd --students 0",
        "online-sgd --latents 0",
        "online-sgd --depth 0",
        "online-sgd --generator relu,sign,tanh --depth 2",
        "full-batch --alpha 0",
        "full-batch --alpha 1:2",
        "full-batch --lambda nan",
        "full-batch --noise -1",
        "full-batch --weights nowhere.npy",
    ] {
        let (code, text) = refusal(&format!("theory {args}"));
        assert_eq!(code, Some(2), "{args}: {text}");
        assert!(
            !text.contains("panicked") && !text.is_empty(),
            "{args}: {text}"
        );
    }
}
