//! Quadratic maps on the command line: learned, sampled, tested, exported; mismatches named.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic)]

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use std::path::Path;
use std::process::Command;
use wickring::laws::learn::quadratic_maps::random_quadratic_map;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn wickring(folder: &Path, args: &[&str]) -> (i32, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_wickring"))
        .current_dir(folder)
        .args(args)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    (
        run.status.code().unwrap(),
        text + &String::from_utf8_lossy(&run.stderr),
    )
}

fn write(folder: &Path, name: &str, columns: usize, rows: &[f64]) {
    let shape = [rows.len() / columns, columns];
    let bytes = wickring::io::npy::encode(&shape, false, rows);
    wickring::io::write_whole(&folder.join(name), &bytes).unwrap();
}

fn folder(name: &str) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("wickring-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    path
}

#[test]
fn maps_are_learned_sampled_tested_and_exported() {
    let at = folder("maps");
    let hidden = random_quadratic_map(6, 3, false, &mut rng(1)).unwrap();
    write(&at, "z.npy", 6, &hidden.sample(8000, &mut rng(2)));
    let (code, text) = wickring(&at, &["learn", "quadratic", "z.npy", "--out", "m.json"]);
    assert_eq!(code, 0, "{text}");
    let (code, text) = wickring(
        &at,
        &[
            "learn",
            "polynomial",
            "z.npy",
            "--degree",
            "2",
            "--out",
            "p.json",
        ],
    );
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("needs 6 outputs and 15 samples"), "{text}");
    for certificate in ["m.certificate.json", "p.certificate.json"] {
        let (code, text) = wickring(&at, &["check", certificate]);
        assert_eq!(code, 0, "{certificate}: {text}");
    }
    // Beside it the claim about model and samples, which needs the samples.
    for certificate in ["m.data.certificate.json", "p.data.certificate.json"] {
        let (code, text) = wickring(&at, &["check", certificate]);
        assert!(code == 3 && text.contains("OPEN"), "{certificate}: {text}");
        let (code, text) = wickring(&at, &["check", certificate, "--data", "z.npy"]);
        assert!(
            code == 0 && text.contains("standard errors"),
            "{certificate}: {text}"
        );
    }
    let (code, text) = wickring(&at, &["map", "distance", "m.json", "p.json", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    // Both are the likelihood of the same learning samples.
    assert!(
        code == 0 && value["distance"].as_f64().unwrap() < 1e-6,
        "{text}"
    );
    let (code, text) = wickring(
        &at,
        &[
            "sample", "p.json", "-n", "500", "--seed", "5", "--out", "s.npy",
        ],
    );
    assert_eq!(code, 0, "{text}");
    let (code, text) = wickring(&at, &["map", "test", "m.json", "s.npy"]);
    assert_eq!(code, 0, "{text}");
    let (code, text) = wickring(
        &at,
        &["map", "pce", "m.json", "--out", "pce.json", "--json"],
    );
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(
        code == 0 && value["outputs"].as_array().unwrap().len() == 6,
        "{text}"
    );
    let (code, text) = wickring(
        &at,
        &["map", "cumulants", "m.json", "--outputs", "0,1", "--json"],
    );
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(
        code == 0 && value["cumulants"].as_array().unwrap().len() == 2 + 3 + 4,
        "{text}"
    );
    std::fs::remove_dir_all(at).unwrap();
}

#[test]
fn mismatches_are_named_with_their_figure() {
    let at = folder("mismatch");
    let hidden = random_quadratic_map(6, 3, false, &mut rng(21)).unwrap();
    let n = 6000;
    let g = &mut rng(22);
    let x = faer::Mat::from_fn(n, 3, |_, _| {
        Distribution::<f64>::sample(&StandardNormal, &mut *g)
    });
    let eval = |f: &dyn Fn(f64) -> f64| {
        let y = faer::Mat::from_fn(n, 3, |i, j| f(x[(i, j)]));
        let z = hidden.eval(y.as_ref()).unwrap();
        (0..n)
            .flat_map(|i| (0..6).map(move |a| (i, a)))
            .map(|at| z[at])
            .collect::<Vec<f64>>()
    };
    let exact = eval(&|x| x);
    let uniform = eval(&|x| 3f64.sqrt() * (2.0 * wickring::poly::gaussian::normal_cdf(x) - 1.0));
    let cubic: Vec<f64> = exact
        .iter()
        .enumerate()
        .map(|(k, z)| z + 0.5 * x[(k / 6, k % 3)].powi(3))
        .collect();
    let mixture: Vec<f64> = exact
        .iter()
        .enumerate()
        .map(|(k, z)| if k / 6 % 2 == 0 { *z } else { z + 3.0 })
        .collect();
    let mut outliers = exact.clone();
    outliers.chunks_mut(6 * 300).for_each(|b| b[0] += 50.0);
    let noisy: Vec<f64> = exact
        .iter()
        .map(|z| {
            let e: f64 = StandardNormal.sample(&mut *g);
            z + 0.3 * e
        })
        .collect();
    for (name, rows) in [
        ("uniform", uniform),
        ("cubic", cubic),
        ("mixture", mixture),
        ("outliers", outliers),
        ("noisy", noisy),
    ] {
        write(&at, "z.npy", 6, &rows);
        for command in [
            &["learn", "quadratic", "z.npy", "--out", "m.json"][..],
            &[
                "learn",
                "polynomial",
                "z.npy",
                "--degree",
                "2",
                "--out",
                "m.json",
            ],
        ] {
            let (code, text) = wickring(&at, command);
            println!(
                "{name} {} exit {code}: {}",
                command[1],
                text.lines()
                    .rev()
                    .find(|l| l.contains("failed") || l.contains("needs"))
                    .unwrap_or("?")
            );
            assert_eq!(code, 3, "{name}: {text}");
            assert!(
                text.contains("failed: ") || text.contains("measured"),
                "{name}: {text}"
            );
        }
    }
    write(&at, "few.npy", 6, &exact[..6 * 20]);
    let (code, text) = wickring(&at, &["learn", "quadratic", "few.npy", "--out", "m.json"]);
    assert!(
        code == 2 && text.contains("at least 50 samples"),
        "{code} {text}"
    );
    std::fs::remove_dir_all(at).unwrap();
}
