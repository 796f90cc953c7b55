//! The default method, rows with gaps, quantities of rows and conditional draws, from the command line.
#![allow(clippy::unwrap_used)]

use crate::outside::Folder;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use serde_json::Value;
use wickring::io::npy;

fn clusters(n: usize, seed: u64) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut x: Vec<f64> = (0..2 * n)
        .map(|_| StandardNormal.sample(&mut rng))
        .collect();
    for (i, row) in x.chunks_exact_mut(2).enumerate() {
        let shift = if i % 3 == 0 { 12.0 } else { 0.0 };
        row[0] += shift;
        row[1] += 0.5 * row[0];
    }
    x
}

fn run(at: &Folder, line: &str) -> (i32, String, String) {
    let args: Vec<&str> = line.split(' ').collect();
    let run = at.run(&args);
    (run.code, run.out, run.err)
}

#[test]
fn the_default_says_which_method_it_took_and_why() {
    let at = Folder::new("mixture-auto");
    at.array("x.npy", &[300, 2], &clusters(300, 1));
    let line = "learn mixture x.npy --max-components 4 --out m.json --json";
    let (code, out, err) = run(&at, line);
    assert_eq!(code, 0, "{err}");
    let json: Value = serde_json::from_str(&out).unwrap();
    let report = &json["report"];
    assert_eq!(
        (report["method"].as_str(), report["chosen_by"].as_str()),
        (Some("em"), Some("auto"))
    );
    let candidates = report["candidates"].as_array().unwrap();
    assert_eq!(candidates.len(), 3);
    assert!(candidates[0]["held_out"].as_f64().unwrap() < 0.0);
    assert!(
        candidates
            .iter()
            .all(|c| !c["reason"].as_str().unwrap().is_empty())
    );
    assert_eq!(json["components"].as_array().unwrap().len(), 2);
    let (_, out, _) = run(&at, "learn mixture x.npy --max-components 4 --out t.json");
    assert!(
        out.contains("method: em") && out.contains("best of") && out.contains("standard deviation"),
        "{out}"
    );
    // The model file keeps the reasons.
    let file = std::fs::read_to_string(at.path("m.json")).unwrap();
    assert!(file.contains("candidates"));
}

#[test]
fn rows_with_gaps_are_learned_and_predicted() {
    let at = Folder::new("mixture-gaps");
    let mut x = clusters(300, 2);
    x.iter_mut().skip(1).step_by(8).for_each(|v| *v = f64::NAN);
    x[0] = f64::NAN;
    x[1] = f64::NAN;
    at.array("x.npy", &[300, 2], &x);
    let (code, _, err) = run(&at, "learn mixture x.npy --components 2 --out m.json");
    assert_eq!(code, 2, "{err}");
    let line =
        "learn mixture x.npy --components 2 --covariance tied --missing mask --out m.json --json";
    let (code, out, err) = run(&at, line);
    assert_eq!(code, 0, "{out}{err}");
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["report"]["missing"]["empty_rows"], 1);
    assert_eq!(json["report"]["missing"]["entries"], 74);
    let (code, _, err) = run(
        &at,
        "predict m.json --input x.npy --quantity labels --missing mask --out l.npy",
    );
    assert_eq!(code, 0, "{err}");
    let labels = npy::read(&at.path("l.npy")).unwrap();
    let labels = labels.as_slice();
    let own = labels[3];
    assert!((1..300).all(|i| (labels[i] == own) == (i % 3 == 0)));
    let (code, _, err) = run(
        &at,
        "predict m.json --input x.npy --quantity score --missing mask --out s.npy",
    );
    assert_eq!(code, 2, "{err}");
}

#[test]
fn quantities_and_conditional_draws() {
    let at = Folder::new("mixture-quantities");
    let x = clusters(300, 3);
    at.array("x.npy", &[300, 2], &x);
    let (code, _, err) = run(
        &at,
        "learn mixture x.npy --method em --components 2 --covariance tied --out m.json",
    );
    assert_eq!(code, 0, "{err}");
    for (quantity, more) in [
        ("quantiles", ""),
        ("denoised", " --variance 0.5"),
        ("score", " --variance 0.5"),
    ] {
        let line = format!(
            "predict m.json --input x.npy --quantity {quantity}{more} --out {quantity}.npy"
        );
        let (code, _, err) = run(&at, &line);
        assert_eq!(code, 0, "{err}");
        let got = npy::read(&at.path(&format!("{quantity}.npy"))).unwrap();
        assert_eq!(got.dims(), [300, 2]);
    }
    let quantiles = npy::read(&at.path("quantiles.npy")).unwrap();
    let mean = quantiles.as_slice().iter().sum::<f64>() / 600.0;
    assert!((mean - 0.5).abs() < 0.02, "{mean}");
    let (code, _, err) = run(
        &at,
        "predict m.json --input x.npy --quantity denoised --out d.npy",
    );
    assert_eq!(code, 2, "{err}");
    // The second column is half the first and noise of variance one.
    let (code, _, err) = run(&at, "sample m.json -n 4000 --given 0=12 --out g.npy");
    assert_eq!(code, 0, "{err}");
    let drawn = npy::read(&at.path("g.npy")).unwrap();
    let (first, second) = drawn.as_slice().split_at(4000);
    assert!(first.iter().all(|v| *v == 12.0));
    let mean = second.iter().sum::<f64>() / 4000.0;
    assert!((mean - 6.0).abs() < 0.4, "{mean}");
    for wrong in [
        "--given 2=1",
        "--given x",
        "--given 0=1 --given 1=2",
        "--given 0=nan",
    ] {
        let (code, _, err) = run(&at, &format!("sample m.json -n 5 {wrong} --out w.npy"));
        assert_eq!(code, 2, "{wrong}: {err}");
    }
}
