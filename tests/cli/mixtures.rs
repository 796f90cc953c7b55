//! Mixtures from the command line: likelihoods of badly scaled columns, refusals, labels, limits.
#![allow(clippy::unwrap_used)]

use crate::outside::Folder;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use serde_json::Value;
use wickring::io::npy;

fn normal(n: usize, seed: u64) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..n).map(|_| StandardNormal.sample(&mut rng)).collect()
}

fn learn(at: &Folder, line: &str) -> (i32, Value, String) {
    let args: Vec<&str> = ["learn", "mixture"]
        .into_iter()
        .chain(line.split(' '))
        .chain(["--json"])
        .collect();
    let run = at.run(&args);
    let json = serde_json::from_str(&run.out).unwrap_or(Value::Null);
    (run.code, json, run.err)
}

/// Two columns of far units: a fit in any unit, and the log-likelihood in the units given.
#[test]
fn units_do_not_matter_and_families_are_not_dropped_in_silence() {
    let at = Folder::new("mixture-units");
    let z = normal(120, 3);
    let units = [(1.0, 1.0), (1e4, 1.0), (1e-3, 1e5)];
    let mut found = Vec::new();
    for (a, b) in units {
        let x: Vec<f64> = z
            .chunks_exact(2)
            .flat_map(|r| [a * r[0], b * r[1]])
            .collect();
        at.array("x.npy", &[60, 2], &x);
        let (code, json, err) = learn(&at, "x.npy --method em --components 1 --out m.json");
        assert_eq!(code, 0, "{err}");
        let full = json["report"]["table"].as_array().unwrap().iter();
        let full = full
            .filter(|r| r["covariance"] == "full")
            .map(|r| r["log_likelihood"].as_f64());
        found.push(full.flatten().next().unwrap() + 60.0 * f64::ln(a * b));
    }
    assert!(
        found.iter().all(|l| (l - found[0]).abs() < 1e-6),
        "{found:?}"
    );
    // Twelve rows of six columns: no full covariances for two components, and one line says so.
    at.array("few.npy", &[12, 6], &normal(72, 4));
    let (_, json, err) = learn(&at, "few.npy --method em --components 2 --out m.json");
    let table = json["report"]["table"].as_array().unwrap().iter();
    let unsound = table.filter(|r| r["covariance"] == "full" && r["components"] == 2);
    let gone = json["report"]["given_up"].as_array().unwrap().iter();
    let gone = gone.filter(|r| r["covariance"] == "full" && r["components"] == 2);
    assert_eq!(unsound.chain(gone).count(), 1);
    assert!(err.contains("full with 2 component(s) left out"), "{err}");
}

#[test]
fn singular_columns_and_idle_options_are_refused() {
    let at = Folder::new("mixture-refusals");
    let z = normal(120, 5);
    let twice: Vec<f64> = z
        .chunks_exact(2)
        .flat_map(|r| [r[0], r[1], 2.0 * r[0] + 1.0])
        .collect();
    at.array("twice.npy", &[60, 3], &twice);
    at.array("x.npy", &[60, 2], &z);
    for method in ["auto", "em", "moments", "diffusion"] {
        let (code, _, err) = learn(&at, &format!("twice.npy --method {method} --out m.json"));
        assert_eq!(code, 2, "{err}");
        let named = [
            "column 2 = 2 * column 0 + 1",
            "column 0 = 0.5 * column 2 + -0.5",
        ];
        assert!(named.iter().any(|n| err.contains(n)), "{err}");
        assert!(!at.path("m.json").exists());
    }
    for (idle, option) in [
        ("--covariance full --method diffusion", "--covariance"),
        ("--covariance full --method moments", "--covariance"),
        ("--noise 1 --method em", "--noise"),
        ("--max-cells 3 --method em", "--max-cells"),
        ("--starts 5 --method moments", "--starts"),
        ("--levels 9", "--levels"),
        ("--max-components 5 --method diffusion", "--max-components"),
        ("--method moments --missing mask", "--missing mask"),
        ("--noise 1 --missing mask", "--noise"),
        (
            "--max-components 5 --components 2 --method em",
            "--max-components",
        ),
        ("--max-components 0 --method em", "--max-components"),
    ] {
        let (code, _, err) = learn(&at, &format!("x.npy {idle} --out m.json"));
        assert_eq!(code, 2, "{idle}: {err}");
        assert!(err.contains(option), "{err}");
    }
}

#[test]
fn rows_are_told_their_components() {
    let at = Folder::new("mixture-labels");
    let mut x = normal(600, 7);
    for (i, r) in x.chunks_exact_mut(2).enumerate() {
        r[0] += if i % 3 == 0 { 40.0 } else { 0.0 };
    }
    at.array("x.npy", &[300, 2], &x);
    for method in ["em", "moments"] {
        let line = format!("x.npy --method {method} --components 2 --out m.json");
        let (code, _, err) = learn(&at, &line);
        assert_eq!(code, 0, "{err}");
        let predict = |quantity: &str, out: &str| {
            let run = at.run(&[
                "predict",
                "m.json",
                "--input",
                "x.npy",
                "--quantity",
                quantity,
                "--out",
                out,
                "--force",
            ]);
            assert_eq!(run.code, 0, "{}", run.err);
        };
        predict("labels", "l.npy");
        predict("labels", "l.csv");
        predict("responsibilities", "r.npy");
        let bytes = std::fs::read(at.path("l.npy")).unwrap();
        assert!(String::from_utf8_lossy(&bytes[..60]).contains("'<i8'"));
        let labels = npy::read(&at.path("l.npy")).unwrap();
        let shares = npy::read(&at.path("r.npy")).unwrap();
        assert_eq!((labels.dims(), shares.dims()), (&[300][..], &[300, 2][..]));
        let text = std::fs::read_to_string(at.path("l.csv")).unwrap();
        let own = labels.as_slice()[0];
        for (i, line) in text.lines().enumerate() {
            let label = labels.as_slice()[i];
            assert_eq!(
                (label == own, line.parse::<f64>().unwrap()),
                (i % 3 == 0, label)
            );
            let share = [shares.as_slice()[i], shares.as_slice()[300 + i]];
            assert!((share[0] + share[1] - 1.0).abs() < 1e-12 && share[label as usize] > 0.999);
        }
    }
    // A law given by scores has no list of components to choose from.
    let run = at.run(&[
        "predict",
        "m.json",
        "--input",
        "x.npy",
        "--quantity",
        "labels",
        "--variance",
        "2",
        "--out",
        "v.npy",
    ]);
    assert_eq!(run.code, 2, "{}", run.err);
}

/// The largest number tried is no answer.
#[test]
fn a_cap_on_components_is_exit_three() {
    let at = Folder::new("mixture-cap");
    let mut x = normal(1200, 9);
    for (i, r) in x.chunks_exact_mut(2).enumerate() {
        r[1] += 15.0 * (i % 4) as f64;
    }
    at.array("x.npy", &[600, 2], &x);
    let line = "x.npy --method em --covariance tied-spherical --out m.json";
    let (code, json, err) = learn(&at, &format!("{line} --max-components 3"));
    assert_eq!(
        (code, json["status"].as_str()),
        (3, Some("stalled")),
        "{err}"
    );
    assert!(err.contains("--max-components"), "{err}");
    let (code, json, err) = learn(&at, line);
    assert_eq!(
        (code, json["status"].as_str()),
        (0, Some("converged")),
        "{err}"
    );
    assert_eq!(json["components"].as_array().unwrap().len(), 4);
}

/// Two rows of many columns, and many columns with rows: refused by name before their pairs are stored.
#[test]
fn too_many_columns_are_refused_before_memory_is_taken() {
    let at = Folder::new("mixture-wide");
    at.array("two.npy", &[2, 20_000], &normal(40_000, 1));
    for method in ["auto", "em", "moments", "diffusion"] {
        let started = std::time::Instant::now();
        let (code, _, err) = learn(&at, &format!("two.npy --method {method} --out m.json"));
        assert_eq!(code, 3, "{err}");
        assert!(err.contains("columns") && err.contains("2000"), "{err}");
        assert!(started.elapsed().as_secs_f64() < 20.0);
    }
}

/// The clock is obeyed, and what there is so far is written.
#[test]
fn the_clock_is_obeyed_by_every_method() {
    let at = Folder::new("mixture-clock");
    let mut x = normal(20_000 * 6, 2);
    for (i, r) in x.chunks_exact_mut(6).enumerate() {
        r[i % 6] += 7.0;
        r[(i / 7) % 6] -= 5.0;
    }
    at.array("x.npy", &[20_000, 6], &x);
    for (method, seconds) in [("em", 2.0), ("diffusion", 4.0), ("moments", 1.0)] {
        let started = std::time::Instant::now();
        let line = format!("x.npy --method {method} --max-seconds {seconds} --out m.json --force");
        let (code, json, err) = learn(&at, &line);
        let took = started.elapsed().as_secs_f64();
        assert!(code == 3 || code == 0, "{method}: {err}");
        // The first component is fitted in no time.
        assert!(
            method != "em" || json["status"] == "stopped",
            "{method} {took}: {err}"
        );
        assert_eq!(
            json.is_null() || json.get("error").is_some(),
            !at.path("m.json").exists()
        );
        // A tenth and half a second, and as much again for an unoptimised build on a busy machine.
        assert!(took < 1.1 * seconds + 0.5 + 1.5, "{method} took {took}");
        let _ = std::fs::remove_file(at.path("m.json"));
    }
}
