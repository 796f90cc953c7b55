//! `wickring poly moment|cumulant|hermite|eq|expand` as a user calls them.
#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

fn poly(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wickring"));
    command.arg("poly").args(args).output().unwrap()
}

fn json(args: &[&str]) -> serde_json::Value {
    let out = poly(&[args, &["--json"]].concat());
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(
        out.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    serde_json::from_str(&text).unwrap()
}

fn refused(args: &[&str], code: i32, word: &str) {
    let out = poly(args);
    let message = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(code), "{args:?}: {message}");
    assert!(message.contains(word), "{args:?}: {message}");
    assert_eq!(message.trim_end().lines().count(), 1, "{message}");
}

#[test]
fn moments_and_cumulants_are_exact() {
    // x^2 + 1/2 y: mean 1, second moment 3 + 1/4, third 15 + 9/4 / ... by hand: E(a+b)^3 = 15 + 3 * 1 * 1/4.
    let values = json(&["moment", "x^2 + 1/2*y", "--order", "1..3"]);
    assert_eq!(values["moments"], serde_json::json!(["1", "13/4", "63/4"]));
    let values = json(&["cumulant", "x^2", "--order", "1..4"]);
    // kappa_n of chi-square with one degree of freedom: 2^(n-1) (n-1)!.
    assert_eq!(
        values["cumulants"],
        serde_json::json!(["1", "2", "8", "48"])
    );
    let values = json(&["moment", "x^2*y^2", "--dist", "sphere"]);
    assert_eq!(values["moments"], serde_json::json!(["1/8"]));
    let values = json(&["moment", "x^2", "--dist", "uniform", "--order", "1,2"]);
    assert_eq!(values["moments"], serde_json::json!(["1/3", "1/5"]));
}

#[test]
fn covariances_are_read_exactly_or_refused() {
    let folder = std::env::temp_dir().join(format!("wickring-poly-cli-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let good = file("good.csv", "2,0.1\n1/10,3\n");
    let values = json(&["moment", "x*y", "--cov", &good, "--order", "1..2"]);
    // E xy = 1/10, E x^2 y^2 = 6 + 2/100.
    assert_eq!(values["moments"], serde_json::json!(["1/10", "301/50"]));
    let singular = file("singular.csv", "1,1\n1,1\n");
    let values = json(&["moment", "x^2*y^2", "--cov", &singular]);
    assert_eq!(values["moments"], serde_json::json!(["3"]));
    refused(
        &["moment", "x*y", "--cov", &file("skew.csv", "1,2\n3,4\n")],
        2,
        "symmetric",
    );
    refused(
        &["moment", "x*y", "--cov", &file("neg.csv", "1,2\n2,1\n")],
        2,
        "semidefinite",
    );
    refused(
        &["moment", "x*y", "--cov", &file("ragged.csv", "1,2\n2\n")],
        2,
        "ragged.csv",
    );
    refused(
        &["moment", "x*y", "--cov", &file("word.csv", "1,a\na,1\n")],
        2,
        "word.csv",
    );
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn hermite_expansions_go_both_ways() {
    let out = poly(&["hermite", "x^4*y"]);
    let text = String::from_utf8(out.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines, ["1\tHe4(x) He1(y)", "6\tHe2(x) He1(y)", "3\tHe1(y)"]);
    let out = poly(&["hermite", "--inverse", "x^4"]);
    let text = String::from_utf8(out.stdout).unwrap();
    assert_eq!(text.trim_end(), "x^4 - 6*x^2 + 3");
    // He_40 is exact, its constant term 39!!.
    let out = poly(&["hermite", "--inverse", "x^40"]);
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(text.contains("319830986772877770815625"), "{text}");
    // Total degree 8 in eight variables.
    let sum = (1..=8)
        .map(|i| format!("x{i}"))
        .collect::<Vec<_>>()
        .join(" + ");
    let values = json(&["moment", &format!("({sum})^8")]);
    // A normal variable of variance 8: 105 * 8^4.
    assert_eq!(values["moments"], serde_json::json!(["430080"]));
}

#[test]
fn identities_are_decided() {
    assert_eq!(
        poly(&["eq", "(x+y)^2", "x^2+2*x*y+y^2"]).status.code(),
        Some(0)
    );
    assert_eq!(poly(&["eq", "(x+y)^2", "x^2+y^2"]).status.code(), Some(1));
    refused(&["expand", "x +"], 2, "found the end");
    refused(&["expand", "x^99999999999"], 2, "overflow");
    refused(&["expand", "(x+y)^1000000000"], 3, "budget");
    refused(&["moment", "x^2", "--order", "0"], 2, "order");
}

#[test]
fn equality_beyond_multiplying_out() {
    let same = json(&["eq", "((x+y)*(x-y))^100000", "(x^2-y^2)^100000"]);
    assert_eq!(same["proof"], "schwartz-zippel");
    assert!(same["error_log2"].as_f64().unwrap() <= -100.0);
    assert_eq!(json(&["eq", "(x+1)^2", "x^2+2*x+1"])["proof"], "expanded");
    let out = poly(&["eq", "(x+y+z)^99999", "(x+y+z)^99999+x", "--json"]);
    assert_eq!(out.status.code(), Some(1));
    let found: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(
        (&found["equal"], &found["proof"]),
        (&false.into(), &"point".into())
    );
    refused(&["eq", "x/0", "x"], 2, "nonzero constant divisor");
}

/// Fields go by their usual names, and `I` is the imaginary unit as `i` is.
#[test]
fn fields_by_name() {
    for (field, left, right) in [
        ("Qi", "I^2", "-1"),
        ("Qi", "(1+I)*(1-i)", "2"),
        ("F3", "(x+y)^3", "x^3+y^3"),
        ("F7", "(x+y)^7", "x^(7)+y^7"),
        ("Fp:101", "x+101", "x"),
    ] {
        assert_eq!(
            json(&["eq", left, right, "--field", field])["equal"],
            true,
            "{field}: {left}"
        );
    }
    refused(&["eq", "x", "x", "--field", "F4"], 2, "prime");
    refused(&["eq", "x", "x", "--field", "F"], 2, "--field");
}

/// Roots beyond the range of floating-point numbers are printed with their digits.
#[test]
fn decimals_of_roots_have_relative_precision() {
    let found = json(&["roots", "x^2-2*10^700"]);
    assert_eq!(
        found["roots"][1]["decimal"],
        "1.4142135623730950e350".replace("0e", "e")
    );
    let found = json(&["roots", "10^17*x^2-3*x"]);
    assert_eq!(found["roots"][1]["exact"], "3/100000000000000000");
    let out = poly(&["roots", "10^700*x^2-3"]);
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(
        text.contains("1.732050807568877") && text.contains("e-350"),
        "{text}"
    );
}

#[test]
fn ideals_are_asked_about() {
    let values = json(&["groebner", "x-t^2; y-t^3", "--eliminate", "t"]);
    assert_eq!(values["basis"], serde_json::json!(["x^3 - y^2"]));
    let values = json(&["groebner", "x*y; x*z", "--saturate", "x"]);
    assert_eq!(values["basis"], serde_json::json!(["y", "z"]));
    let values = json(&[
        "groebner",
        "x^2+1; x*y-2",
        "--field",
        "F7",
        "--order",
        "lex",
    ]);
    assert_eq!(values["basis"], serde_json::json!(["x + 4*y", "y^2 + 4"]));
    let values = json(&["groebner", "x*y; x*z", "--order", "block:1"]);
    assert_eq!(values["dimension"], 2);
    let values = json(&["groebner", "(x-y)^3", "--radical", "x^2-y^2"]);
    assert_eq!(values["radical_contains"], true);
    let out = poly(&["groebner", "(x-y)^3", "--radical", "x"]);
    assert_eq!(out.status.code(), Some(1));
    refused(&["groebner", "x", "--eliminate", "y"], 2, "'y'");
    refused(&["groebner", "x", "--field", "Qi"], 2, "--field");
    // The certificate of a member of the radical is that of its least power in the ideal.
    let name = format!("wickring-ideal-{}.certificate.json", std::process::id());
    let path = std::env::temp_dir().join(name).display().to_string();
    let out = poly(&["groebner", "(x-y)^3", "--radical", "x-y", "--out", &path]);
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_wickring"));
    let out = command.args(["check", &path]).output().unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stdout)
    );
    std::fs::remove_file(&path).unwrap();
}
