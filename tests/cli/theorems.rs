//! `--prove`, `poly solve` and the lower bounds of `verify`, as scripts meet them.
#![allow(clippy::unwrap_used)]

use crate::outside::Folder;
use serde_json::Value;

fn json(at: &Folder, line: &str) -> (i32, Value) {
    let args: Vec<&str> = line.split_whitespace().chain(["--json"]).collect();
    let run = at.run(&args);
    let found = serde_json::from_str(&run.out);
    (
        run.code,
        found.unwrap_or_else(|e| Value::from(format!("{e}: {}{}", run.out, run.err))),
    )
}

/// Sines that no polynomial of small degree fits, row by row.
fn waves(n: usize) -> Vec<f64> {
    (0..n).map(|k| (3.7 * k as f64 + 1.0).sin()).collect()
}

/// The kinds of the claims in a certificate that `check` accepts, in Rust and in Python.
fn kinds(at: &Folder, name: &str) -> Vec<String> {
    let (code, checked) = json(at, &format!("check {name}"));
    assert_eq!(code, 0, "{checked}");
    let python = at.run(&["check", name, "--emit", "python", "--out", "replay.py"]);
    assert_eq!(python.code, 0, "{}", python.err);
    if let Ok(run) = std::process::Command::new("python3")
        .arg(at.path("replay.py"))
        .output()
    {
        assert!(
            run.status.success(),
            "{}",
            String::from_utf8_lossy(&run.stdout)
        );
    }
    let claims = checked["certificates"][0]["claims"].as_array().unwrap();
    claims
        .iter()
        .map(|c| c["kind"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn decompositions_are_proved_as_far_as_possible() {
    let at = Folder::new("prove");
    // Multiplication of complex numbers: rank 3 over R, by Gauss; rank 2 over C.
    at.array(
        "c.npy",
        &[2, 2, 2],
        &[1.0, 0.0, 0.0, 1.0, 0.0, 1.0, -1.0, 0.0],
    );
    let (code, found) = json(&at, "decompose cp c.npy --rank 3 --prove --out c.npz");
    assert_eq!(code, 0, "{found}");
    let proved = found["theorems"]["proved"].to_string();
    assert!(proved.contains("exists within"), "{found}");
    assert!(kinds(&at, "c.certificate.json").contains(&"cp-exists".to_owned()));
    let (code, found) = json(&at, "decompose cp c.npy --rank 2 --prove");
    assert_eq!(code, 3, "{found}");
    assert!(
        found["theorems"]["proved"]
            .to_string()
            .contains("larger one over R"),
        "{found}"
    );
    // Noise: a strict local minimum.
    at.array("n.npy", &[3, 4, 3], &waves(36));
    let (code, found) = json(&at, "decompose cp n.npy --rank 1 --prove --out n.npz");
    assert!(
        found["theorems"]["proved"]
            .to_string()
            .contains("strict local minimum"),
        "{code} {found}"
    );
    assert!(kinds(&at, "n.certificate.json").contains(&"cp-minimiser".to_owned()));
    let text = at.run(&["decompose", "cp", "n.npy", "--rank", "1", "--prove"]);
    assert!(text.out.contains("PROVED"), "{}", text.out);
    // Four terms of 3 x 3 x 3 leave a family.
    at.array("f.npy", &[3, 3, 3], &waves(27));
    let (code, found) = json(&at, "decompose symmetric f.npy --rank 1 --prove");
    assert!(
        code == 2 || found["theorems"]["claims"] == 0,
        "not symmetric: {found}"
    );
    let symmetric: Vec<f64> = (0..27)
        .map(|k| ((k / 9 + k / 3 % 3 + k % 3) as f64).cos())
        .collect();
    at.array("s.npy", &[3, 3, 3], &symmetric);
    let (_, found) = json(
        &at,
        "decompose symmetric s.npy --rank 1 --prove --out s.npz",
    );
    assert!(
        found["theorems"]["proved"]
            .to_string()
            .contains("strict local minimum"),
        "{found}"
    );
    assert_eq!(kinds(&at, "s.certificate.json"), ["symmetric-minimiser"]);
    at.array("r.npy", &[2, 2, 2], &waves(8));
    let (_, found) = json(&at, "decompose ring r.npy --rank 2 --prove --out r.npz");
    assert!(found["theorems"]["claims"].is_u64(), "{found}");
    at.array(
        "k.npy",
        &[2, 2, 3],
        &[1., 0., 0., 0., 1., 0., 0., 1., 0., 0., 0., 1.],
    );
    let (code, found) = json(&at, "decompose exact k.npy --rank 3 --prove --out k.json");
    assert_eq!(code, 0, "{found}");
    assert!(kinds(&at, "k.json").len() >= 2);
    // Options that would mean nothing.
    for line in [
        "cp n.npy --rank 1 --prove --nonneg",
        "cp n.npy --rank 1 --prove --missing mask",
    ] {
        let args: Vec<&str> = ["decompose"].into_iter().chain(line.split(' ')).collect();
        assert_eq!(at.run(&args).code, 2, "{line}");
    }
}

#[test]
fn zeros_are_found_and_proved() {
    let at = Folder::new("solve");
    let line = "poly solve x^2+y^2-4 x*y-1 --start x=2,y=1/2";
    assert_eq!(json(&at, line).0, 2, "a start is decimal");
    let line = "poly solve x^2+y^2-4 x*y-1 --start x=2,y=0.5 --prove --out z.certificate.json";
    let (code, found) = json(&at, line);
    assert_eq!(code, 0, "{found}");
    let x = found["zeros"][0]["point"][0].as_f64().unwrap();
    assert!((x - (2.0 + 3f64.sqrt()).sqrt()).abs() < 1e-15);
    assert!(found["zeros"][0]["radius"].as_f64().unwrap() < 1e-15);
    assert_eq!(kinds(&at, "z.certificate.json"), ["poly-zero"]);
    let (code, found) = json(&at, "poly solve x^2+y^2-4 x*y-1 --prove");
    assert_eq!(
        (code, found["zeros"].as_array().unwrap().len()),
        (0, 4),
        "{found}"
    );
    let again = json(&at, "poly solve x^2+y^2-4 x*y-1 --prove --seed 7").1;
    assert_eq!(again["zeros"].as_array().unwrap().len(), 4);
    // A double zero that was given as the start is named, though nothing can be proved of it.
    let (code, found) = json(&at, "poly solve (x-1)^2 --start x=1 --prove");
    assert_eq!(
        (code, &found["exact_zeros"]),
        (3, &serde_json::json!([[1.0]])),
        "{found}"
    );
    let told = at.run(&["poly", "solve", "(x-1)^2", "--start", "x=1", "--prove"]);
    assert!(
        told.out.contains("x = 1   a zero exactly") && !told.out.contains("no zero found"),
        "{}",
        told.out
    );
    // Nothing is proved without being asked, nor of double zeros or of none.
    assert_eq!(json(&at, "poly solve x^2-2 --start x=1").0, 3);
    for line in ["(x-1)^2", "x^2+1"] {
        let (code, found) = json(&at, &format!("poly solve {line} --prove"));
        assert!(
            code == 3 && found["zeros"].as_array().unwrap().is_empty(),
            "{found}"
        );
    }
    for line in [
        "x*y-1",
        "x-1 --start z=1",
        "x-1 --start x=1,x=2",
        "x-1 --start x=nan",
        "x-y y --start x=1",
    ] {
        assert_eq!(json(&at, &format!("poly solve {line}")).0, 2, "{line}");
    }
}

#[test]
fn verify_says_how_few_terms_are_possible() {
    let at = Folder::new("bounds");
    let strassen = "(a11+a22)*(b11+b22)*(c11+c22)\n(a21+a22)*b11*(c21-c22)\na11*(b12-b22)*(c12+c22)\n\
                    a22*(b21-b11)*(c11+c21)\n(a11+a12)*b22*(c12-c11)\n(a21-a11)*(b11+b12)*c22\n(a12-a22)*(b21+b22)*c11\n";
    std::fs::write(at.path("s.exp"), strassen).unwrap();
    let (code, found) = json(&at, "verify s.exp");
    assert_eq!(
        (code, &found["schemes"][0]["border_rank_at_least"]),
        (0, &Value::from(6)),
        "{found}"
    );
    let text = at.run(&["verify", "s.exp"]);
    assert!(
        text.out
            .contains("border rank at least 6, this scheme has 7 terms"),
        "{}",
        text.out
    );
    assert_eq!(
        json(&at, "verify s.exp --field F2").1["schemes"][0]["border_rank_at_least"],
        Value::Null
    );
}
