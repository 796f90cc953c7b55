//! Golden runs: commands whose output must stay what it was, number by number.
//!
//! `tests/fixtures/golden.json` holds, for each case, the exit code, the JSON object and a summary of every file
//! written, made by the build before the house was redesigned. A run may print more keys than it did, never
//! fewer. Texts and whole numbers are compared exactly, other numbers to `TOLERANCE`: processors and
//! instruction sets differ in the last digits, and iterations stop within the tolerance that they claim.
//! `WICKRING_GOLDEN_STRICT=1` asks for 1e-9 and equal iteration counts, on the machine that wrote the file;
//! `WICKRING_GOLDEN_WRITE=1` writes it anew (`WICKRING_GOLDEN_BIN` names another binary to run).
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic)]

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use wickring::io::{npy, npz};
use wickring::tensor::Tensor;

const TOLERANCE: f64 = 1e-6;
/// Residuals and differences of this size are rounding.
const ROUNDING: f64 = 1e-9;
const FIXTURE: &str = "tests/fixtures/golden.json";
/// Keys whose values depend on the path that an iteration took.
const PATH_DEPENDENT: [&str; 9] = [
    "history",
    "iterations",
    "sweeps",
    "starts",
    "starts_agreeing",
    "condition",
    "cond",
    "samples_read",
    "reason",
];
/// Keys that name a build or a clock.
const VOLATILE: [&str; 6] = [
    "version",
    "sha256",
    "seconds",
    "cpu_seconds",
    "peak_bytes",
    "checker",
];
/// Notes whose value is noise of the search.
/// Latents are known up to their signs, which the last digits decide.
const NOISY: [&str; 6] = [
    "latents of the samples are Gaussian",
    "starts",
    "further starts",
    "relative gradient norm",
    "slope of the residual",
    "log-likelihood gained",
];

/// Name, arguments, files written. Later cases read what earlier ones wrote.
const CASES: &[(&str, &str, &[&str])] = &[
    ("eq", "poly eq (x+y)^2 x^2+2*x*y+y^2", &[]),
    ("expand", "poly expand (x+2*y-1/3)^5", &[]),
    ("divide", "poly divide x^4-y^4 x-y", &[]),
    ("gcd", "poly gcd x^4-y^4 x^3-y^3", &[]),
    ("factor", "poly factor x^8-16*y^4", &[]),
    ("groebner", "poly groebner x^2+y^2-1 x*y-2", &[]),
    ("roots", "poly roots x^5-3*x+1", &[]),
    ("moment", "poly moment x^2*y^2+x^6", &[]),
    ("cumulant", "poly cumulant x^2+y --order 1..4", &[]),
    ("hermite", "poly hermite x^5-x*y^2", &[]),
    ("verify-right", "verify strassen.exp", &[]),
    (
        "verify-wrong",
        "verify broken.exp --tensor matmul:2,2,2",
        &[],
    ),
    (
        "cp",
        "decompose cp cp.npy --rank 3 --out cp.npz",
        &["cp.npz"],
    ),
    ("cp-als", "decompose cp cp.npy --rank 2 --method als", &[]),
    ("cp-auto", "decompose cp cp.npy --rank auto", &[]),
    (
        "cp-masked",
        "decompose cp holes.npy --rank 3 --missing mask",
        &[],
    ),
    (
        "cp-nonnegative",
        "decompose cp positive.npy --rank 2 --nonneg",
        &[],
    ),
    (
        "symmetric",
        "decompose symmetric symmetric.npy --rank 2",
        &[],
    ),
    (
        "ring",
        "decompose ring ring.npy --rank 2 --out ring.npz",
        &["ring.npz"],
    ),
    ("ring-auto", "decompose ring ring.npy --rank auto", &[]),
    (
        "ring-als",
        "decompose ring ring.npy --rank 2 --method als",
        &[],
    ),
    ("exact", "decompose exact small.npy --rank 2", &[]),
    (
        "sample",
        "sample hidden.json -n 3000 --out z.npy",
        &["z.npy"],
    ),
    (
        "quadratic",
        "learn quadratic z.npy --out q.json",
        &["q.json"],
    ),
    (
        "quadratic-general",
        "learn quadratic z.npy --general --out qg.json",
        &["qg.json"],
    ),
    (
        "polynomial",
        "learn polynomial z.npy --degree 2 --out p.json",
        &["p.json"],
    ),
    (
        "relu",
        "learn relu --inputs x.npy --targets relu.npy --out relu.json",
        &["relu.json"],
    ),
    (
        "two-layer",
        "learn two-layer --inputs x.npy --targets cubic.npy --activation x^3-3*x --neurons 2 --out tl.json",
        &["tl.json"],
    ),
    (
        "em",
        "learn mixture clusters.npy --components 2 --method em --out em.json",
        &["em.json"],
    ),
    (
        "moments",
        "learn mixture clusters.npy --components 2 --method moments --out mm.json",
        &["mm.json"],
    ),
    (
        "predict",
        "predict relu.json --input x.npy --out y.npy",
        &["y.npy"],
    ),
    ("pce", "map pce hidden.json", &[]),
    ("cumulants", "map cumulants hidden.json", &[]),
    ("distance", "map distance q.json hidden.json", &[]),
    ("online", "theory online-sgd", &[]),
    ("batch", "theory full-batch", &[]),
];

/// Sums of twelve uniform numbers: nearly normal, the same bits everywhere.
fn nearly_normal(rng: &mut ChaCha8Rng) -> f64 {
    (0..12)
        .map(|_| f64::from(rng.next_u32()) / 4_294_967_296.0)
        .sum::<f64>()
        - 6.0
}

fn save(dir: &Path, name: &str, dims: &[usize], f: impl FnMut(&[usize]) -> f64) {
    let tensor = Tensor::from_fn(dims, f).unwrap();
    npy::write(&dir.join(name), tensor.view()).unwrap();
}

fn inputs(dir: &Path) {
    let rng = &mut ChaCha8Rng::seed_from_u64(20);
    let mut columns =
        |n: usize, r: usize| -> Vec<f64> { (0..n * r).map(|_| nearly_normal(rng)).collect() };
    let (a, b, c) = (columns(6, 3), columns(5, 3), columns(4, 3));
    let cp = |i: &[usize]| {
        (0..3)
            .map(|r| a[3 * i[0] + r] * b[3 * i[1] + r] * c[3 * i[2] + r])
            .sum::<f64>()
    };
    save(dir, "cp.npy", &[6, 5, 4], |i| cp(i));
    save(dir, "holes.npy", &[6, 5, 4], |i| {
        if (i[0] + 2 * i[1] + 3 * i[2]) % 7 == 0 {
            f64::NAN
        } else {
            cp(i)
        }
    });
    save(dir, "positive.npy", &[6, 5, 4], |i| {
        (0..2)
            .map(|r| (a[3 * i[0] + r] * b[3 * i[1] + r] * c[3 * i[2] + r]).abs())
            .sum()
    });
    save(dir, "symmetric.npy", &[4, 4, 4], |i| {
        (0..2)
            .map(|r| i.iter().map(|&k| c[3 * k + r]).product::<f64>())
            .sum()
    });
    let cores: Vec<Vec<f64>> = (0..3).map(|_| columns(4, 4)).collect();
    save(dir, "ring.npy", &[4, 4, 4], |i| {
        let m = |k: usize, p: usize, q: usize| cores[k][4 * i[k] + 2 * p + q];
        let paths = (0..8).map(|s| (s & 1, s >> 1 & 1, s >> 2));
        paths
            .map(|(p, q, s)| m(0, p, q) * m(1, q, s) * m(2, s, p))
            .sum()
    });
    save(dir, "small.npy", &[2, 2, 2], |i| {
        (1 + i[0]) as f64 * (2 + i[1]) as f64 + (i[0] * i[1] * i[2]) as f64
    });
    let x = columns(800, 6);
    save(dir, "x.npy", &[800, 6], |i| x[6 * i[0] + i[1]]);
    let w = [
        [0.6, 0.8, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.6, 0.0, -0.8, 0.0],
    ];
    let along = |row: usize, w: &[f64; 6]| (0..6).map(|j| x[6 * row + j] * w[j]).sum::<f64>();
    save(dir, "relu.npy", &[800], |i| {
        w.iter().map(|w| along(i[0], w).max(0.0)).sum()
    });
    save(dir, "cubic.npy", &[800], |i| {
        w.iter()
            .map(|w| along(i[0], w).powi(3) - 3.0 * along(i[0], w))
            .sum()
    });
    let y = columns(600, 2);
    save(dir, "clusters.npy", &[600, 2], |i| {
        y[2 * i[0] + i[1]] + if i[0] % 2 == 0 { 5.0 } else { 0.0 }
    });
    let strassen = "(a11+a22)*(b11+b22)*(c11+c22)\n(a21+a22)*(b11)*(c21-c22)\n(a11)*(b12-b22)*(c12+c22)\n\
                    (a22)*(b21-b11)*(c11+c21)\n(a11+a12)*(b22)*(c12-c11)\n(a21-a11)*(b11+b12)*(c22)\n(a12-a22)*(b21+b22)*(c11)\n";
    std::fs::write(dir.join("strassen.exp"), strassen).unwrap();
    std::fs::write(
        dir.join("broken.exp"),
        strassen.replacen("b12-b22", "b12+b22", 1),
    )
    .unwrap();
    let hidden = r#"{"schema":"wickring/quadratic-map/1","version":"0.1.0","seed":0,"status":"converged","inputs":[],"report":{},
        "latent_dim":2,"output_dim":4,"linear":[[0,0],[0,0],[0,0],[0,0]],"constant":[0,0,0,0],
        "quadratic":[[[1,0.5],[0.5,-1]],[[0.25,1],[1,0.75]],[[-1,0.5],[0.5,1.5]],[[2,-0.5],[-0.5,1]]]}"#;
    std::fs::write(dir.join("hidden.json"), hidden).unwrap();
}

/// Long lists of numbers become their count, sum and sum of squares.
fn digest(value: Value) -> Value {
    match value {
        Value::Array(all) if all.len() > 24 && all.iter().all(Value::is_number) => {
            let x = |v: &Value| v.as_f64().unwrap();
            let (sum, squares) = all
                .iter()
                .fold((0.0, 0.0), |(s, q), v| (s + x(v), q + x(v) * x(v)));
            json!({ "count": all.len(), "sum": sum, "squares": squares })
        }
        Value::Array(all) => all.into_iter().map(digest).collect(),
        Value::Object(map) => Value::Object(map.into_iter().map(|(k, v)| (k, digest(v))).collect()),
        other => other,
    }
}

/// What a command wrote; null where it wrote nothing.
fn file(path: &Path) -> Value {
    if !path.exists() {
        return Value::Null;
    }
    let array = |t: &Tensor| json!({ "dims": t.dims(), "values": t.as_slice() });
    match path.extension().and_then(|e| e.to_str()) {
        Some("npy") => array(&npy::read(path).unwrap()),
        Some("npz") => {
            let all = npz::read(path).unwrap();
            Value::Object(all.iter().map(|(n, t)| (n.clone(), array(t))).collect())
        }
        _ => serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap(),
    }
}

fn run(dir: &Path, arguments: &str, files: &[&str]) -> Value {
    let binary = std::env::var_os("WICKRING_GOLDEN_BIN")
        .map_or(env!("CARGO_BIN_EXE_wickring").into(), PathBuf::from);
    // Commands without randomness or long work refuse the options for them.
    let common: &[&str] = match arguments.split(' ').next() {
        Some("decompose" | "learn" | "theory") => &["--seed", "0", "--progress", "none"],
        Some("sample") => &["--seed", "0"],
        _ => &[],
    };
    let out = Command::new(binary)
        .args(arguments.split(' '))
        .args(common)
        .arg("--json")
        .current_dir(dir)
        .output()
        .unwrap();
    let printed: Value = serde_json::from_slice(&out.stdout).unwrap_or(Value::Null);
    let read = |name: &&str| ((*name).to_owned(), digest(file(&dir.join(name))));
    let files: Map<String, Value> = files.iter().map(read).collect();
    json!({ "code": out.status.code(), "json": digest(printed), "files": files })
}

/// Where `new` differs from `old`; more keys are no difference.
fn differences(old: &Value, new: &Value, at: &str, strict: bool, out: &mut Vec<String>) {
    let key = at.rsplit('/').next().unwrap_or("");
    if VOLATILE.contains(&key) || !strict && PATH_DEPENDENT.contains(&key) {
        return;
    }
    match (old, new) {
        (Value::Object(a), Value::Object(b)) => {
            if !strict
                && a.get("name")
                    .and_then(Value::as_str)
                    .is_some_and(|n| NOISY.iter().any(|x| n.starts_with(x)))
            {
                return;
            }
            for (k, v) in a {
                match b.get(k) {
                    Some(w) => differences(v, w, &format!("{at}/{k}"), strict, out),
                    None => out.push(format!("{at}/{k} is gone")),
                }
            }
        }
        // Lists of checks may grow: each old one must be there under its name.
        (Value::Array(a), Value::Array(b)) if a.iter().all(|v| v.get("name").is_some()) => {
            for v in a {
                let name = v["name"].as_str().unwrap_or("?");
                match b.iter().find(|w| w["name"] == v["name"]) {
                    Some(w) => differences(v, w, &format!("{at}/{name}"), strict, out),
                    None => out.push(format!("{at}/{name} is gone")),
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (k, (v, w)) in a.iter().zip(b).enumerate() {
                differences(v, w, &format!("{at}/{k}"), strict, out);
            }
        }
        (Value::Number(a), Value::Number(b)) => {
            let (x, y) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            let (relative, rounding) = if strict {
                (1e-9, 1e-15)
            } else {
                (TOLERANCE, ROUNDING)
            };
            if (x - y).abs() > relative * x.abs().max(y.abs()) + rounding {
                out.push(format!("{at}: {a} became {b}"));
            }
        }
        // Errors print an object where nothing was printed.
        (Value::Null, Value::Object(_)) if key == "json" => {}
        (a, b) if a == b => {}
        (a, b) => out.push(format!("{at}: {a} became {b}")),
    }
}

#[test]
fn golden_runs_give_what_they_gave() {
    let dir = std::env::temp_dir().join(format!("wickring-golden-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    inputs(&dir);
    let runs = CASES
        .iter()
        .map(|(name, arguments, files)| ((*name).to_owned(), run(&dir, arguments, files)));
    let runs: Map<String, Value> = runs.collect();
    std::fs::remove_dir_all(&dir).unwrap();
    if std::env::var_os("WICKRING_GOLDEN_WRITE").is_some() {
        std::fs::write(FIXTURE, format!("{:#}\n", Value::Object(runs))).unwrap();
        return;
    }
    let golden: Map<String, Value> =
        serde_json::from_slice(&std::fs::read(FIXTURE).unwrap()).unwrap();
    assert_eq!(golden.len(), CASES.len());
    let strict = std::env::var_os("WICKRING_GOLDEN_STRICT").is_some();
    let mut found = Vec::new();
    for (name, old) in &golden {
        differences(old, &runs[name], name, strict, &mut found);
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn a_changed_number_a_missing_key_and_another_exit_code_are_noticed() {
    let count = |old: &str, new: &str| {
        let mut out = Vec::new();
        differences(
            &serde_json::from_str(old).unwrap(),
            &serde_json::from_str(new).unwrap(),
            "",
            false,
            &mut out,
        );
        out.len()
    };
    assert_eq!(count(r#"{"a": 1.0}"#, r#"{"a": 1.0, "b": 2}"#), 0);
    assert_eq!(count(r#"{"a": 1.0}"#, r#"{"a": 1.00001}"#), 1);
    assert_eq!(count(r#"{"a": 1.0, "b": 2}"#, r#"{"a": 1.0}"#), 1);
    assert_eq!(count(r#"{"code": 0}"#, r#"{"code": 3}"#), 1);
    assert_eq!(
        count(r#"{"status": "converged"}"#, r#"{"status": "stalled"}"#),
        1
    );
    assert_eq!(count(r#"{"x": [1, 2]}"#, r#"{"x": [1]}"#), 1);
}
