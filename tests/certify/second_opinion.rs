//! The checker and the emitted Python program, two implementations of one definition, on thousands of corrupted
//! and constructed certificates: a disagreement is a failure.

#![allow(clippy::unwrap_used, clippy::print_stderr)] // helpers of tests

use crate::certificates::{entry, every_kind, places, rows, scratch, tool};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use wickring::Error;
use wickring::certify::{Certificate, Claim, ClaimedTensor, Language, Limits, check, emit};

/// Numbers at which machine integers and floats end, and their neighbours, as JSON has them.
fn boundaries() -> Vec<String> {
    let mut found = Vec::new();
    for power in [0, 1, 8, 16, 31, 32, 53, 62, 63, 64, 65] {
        for step in -1..=1 {
            let n = (1i128 << power) + step;
            found.extend([n.to_string(), (-n).to_string()]);
        }
    }
    found.extend(
        [
            "-0",
            "0.5",
            "1.0",
            "-1e0",
            "1e308",
            "1e400",
            "1e-400",
            "9007199254740993.0",
        ]
        .map(String::from),
    );
    for text in [
        "0",
        "1",
        "-1",
        "2/4",
        "1/2",
        "-1/3",
        "1/0",
        "0/5",
        "+1",
        "1.0",
        "",
        "-",
        "1/-2",
        "x",
        "18446744073709551616",
    ] {
        found.push(json!(text).to_string());
    }
    found.extend(
        [
            "null",
            "true",
            "[]",
            "{}",
            "[[0,1]]",
            "[[0,1],[0,-1]]",
            "[[2,1]]",
            "[[-9223372036854775808,1]]",
        ]
        .map(String::from),
    );
    found.sort();
    found.dedup();
    found
}

/// A tree with raw JSON at a place.
fn with(whole: &Value, place: &str, raw: &str) -> String {
    let mut copy = whole.clone();
    *copy.pointer_mut(place).unwrap() = json!("@here@");
    copy.to_string().replacen("\"@here@\"", raw, 1)
}

/// The number at a place moved by amounts that arithmetic of some width does not see.
fn moved(number: &Value) -> Vec<String> {
    let text = number.as_str().map_or(number.to_string(), str::to_owned);
    let Ok(n) = text.parse::<i128>() else {
        return Vec::new();
    };
    let steps = [1, -1, 2, 1 << 32, 1 << 53, 1 << 63, 1 << 64, -(1 << 64)];
    let moved = steps.iter().map(|s| (n + s).to_string());
    moved
        .chain([
            (-n).to_string(),
            format!("\"{}/3\"", 3 * n),
            format!("\"{n}/2\""),
        ])
        .collect()
}

/// Every corruption of every place of a certificate.
fn corruptions(whole: &Value) -> Vec<String> {
    let (mut all, mut found) = (Vec::new(), vec![whole.to_string()]);
    places(whole, String::new(), &mut all);
    let boundaries = boundaries();
    for place in all {
        let old = whole.pointer(&place).unwrap();
        let mut raws = moved(old);
        match old {
            Value::Array(items) => {
                for k in 0..items.len().min(3) {
                    let mut shorter = items.clone();
                    let item = shorter.remove(k);
                    raws.push(Value::from(shorter.clone()).to_string());
                    shorter.insert(0, item.clone());
                    shorter.push(item);
                    raws.push(Value::from(shorter).to_string());
                }
                raws.push(json!([old]).to_string());
            }
            Value::Object(map) => {
                let text = old.to_string();
                for (key, value) in map {
                    raws.push(text.replacen('{', &format!("{{\"{key}\":{value},"), 1));
                    raws.push(text.replacen('{', &format!("{{\"{key}\":null,"), 1));
                    let mut fewer = map.clone();
                    fewer.remove(key);
                    raws.push(Value::from(fewer).to_string());
                }
                raws.push(text.replacen('{', "{\"more\":0,", 1));
            }
            _ => raws.extend(boundaries.iter().cloned()),
        }
        found.extend(raws.iter().map(|raw| with(whole, &place, raw)));
    }
    found
}

/// Certificates of one claim each: every kind, and factorisations over every ring.
fn bases() -> Vec<Value> {
    let unit = ClaimedTensor::Exact(vec![1, 1], vec![entry("1")]);
    let two = ClaimedTensor::Exact(vec![1, 1], vec![entry("2")]);
    let mut texts = vec![every_kind()];
    for field in [
        "ZT", "Z", "Z[1/2]", "Q", "Q(i)", "Q[x,1/x]", "mod 2", "mod 4", "mod 7",
    ] {
        let claim = Claim::cp_exact(
            field,
            &[rows("1 1 1"), rows("-1 1 1")].map(|f| vec![f[0].clone()]),
            &unit,
        );
        let one = Claim::cp_exact(field, &[rows("1"), rows("1")], &unit);
        texts.push(Certificate::new().claim(one).claim(claim).to_json());
    }
    let halves = Claim::cp_exact("Z[1/2]", &[rows("1/2"), rows("4")], &two);
    let gauss = Claim::cp_exact("Q(i)", &[rows("x"), rows("-1x")], &unit);
    let core: Vec<_> = vec![rows("1 0"), rows("1 1")];
    let ring = Claim::ring_exact(
        "Z",
        &[core],
        &ClaimedTensor::Exact(vec![1], vec![entry("2")]),
    );
    texts.push(
        Certificate::new()
            .claim(halves)
            .claim(gauss)
            .claim(ring)
            .to_json(),
    );
    let mut bases = Vec::new();
    // A theorem speaks of the claims before it, so these stay whole.
    for text in crate::theorems::certificates() {
        let mut base: Value = serde_json::from_str(&text).unwrap();
        base.as_object_mut().unwrap().remove("seal");
        bases.push(base);
    }
    for text in texts {
        let whole: Value = serde_json::from_str(&text).unwrap();
        for claim in whole["claims"].as_array().unwrap() {
            // Strassen's algorithm has the same fields as the smaller claims.
            if claim["data"]["target"]["matmul"].is_array()
                && claim["data"]["cores"][0][0][0].as_array().unwrap().len() > 1
            {
                continue;
            }
            let mut base = whole.clone();
            base["claims"] = json!([claim]);
            base["fit"] = json!({ "status": "converged", "failed": "" });
            base.as_object_mut().unwrap().remove("seal");
            bases.push(base);
        }
    }
    for (kind, data) in written() {
        let mut base = bases[0].clone();
        base["claims"] = json!([{ "kind": kind, "about": "", "data": data }]);
        bases.push(base);
    }
    bases
}

/// Claims that reach what the generated ones do not.
fn written() -> Vec<(&'static str, Value)> {
    let two = json!([[[1, 0], [0, 1]]]);
    let cp = |cores: Value, target: Value| json!({ "model": "cp", "field": "Z", "cores": cores, "target": target, "order": 0, "bound": 0 });
    let four = json!([[[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]]);
    let (row, inner) = (json!([[[1, 1]]]), json!([[[1, 0, 1, 0], [0, 1, 0, 1]]]));
    let outer = json!([[[1, 1, 0, 0], [0, 0, 1, 1]]]);
    let many = vec![json!([[[1]]]); 64];
    let ones = json!({ "dense": { "shape": vec![1; 64], "entries": [1] } });
    // Of x^2 - 1, x y + 3 and -2.
    let z = json!([
        ["+", ["^", "x", 2], ["*", -1, "1"]],
        ["+", ["*", "x", "y"], "3"],
        ["*", -1, "2"]
    ]);
    let values = json!([
        ["moment", [0, 1, 1], 2],
        ["moment", [1, 1, 1, 1], 144],
        ["cumulant", [1, 1], 1],
        ["cumulant", [0, 0, 0], 8],
        ["cumulant", [0, 1, 1], 2],
        ["cumulant", [0, 0], 2]
    ]);
    let moments = |tolerance: &str, values: &Value| json!({ "polynomials": z, "tolerance": tolerance, "values": values });
    let near = json!([["moment", [1, 1], "101/10"], ["cumulant", [0, 0], "19/10"]]);
    let sum = |left: Value, right: Value| json!({ "left": left, "right": right });
    vec![
        (
            "cp-exact",
            cp(json!([two, row, two]), json!({ "matmul": [2, 1, 1] })),
        ),
        (
            "cp-exact",
            cp(json!([outer, four, inner]), json!({ "matmul": [1, 2, 2] })),
        ),
        (
            "cp-exact",
            cp(json!([four, inner, outer]), json!({ "matmul": [2, 2, 1] })),
        ),
        ("cp-exact", cp(json!(many), ones)),
        // The residual is the bound exactly.
        (
            "numeric-residual",
            json!({ "model": "cp", "field": "binary64", "cores": [[[[1]]], [[[1]]]], "order": 0, "bound": 0.5,
                "target": { "dense": { "shape": [1, 1], "entries": [2.0] } } }),
        ),
        ("gaussian-moments", moments("0", &values)),
        ("gaussian-moments", moments("1/10", &near)),
        ("gaussian-moments", moments("1/11", &near)),
        ("gaussian-moments", moments("100", &near)),
        (
            "gaussian-moments",
            moments("0", &json!([["cumulant", [0, 0, 1], 0]])),
        ),
        (
            "gaussian-moments",
            moments("2", &json!([["cumulant", [0, 0], 2], ["moment", [2], -2]])),
        ),
        ("polynomial-identity", sum(json!(0), json!([]))),
        (
            "polynomial-identity",
            sum(json!(0), json!([[0, "x"], ["y", 0]])),
        ),
        (
            "polynomial-identity",
            sum(json!(["+", "x", ["*", -1, "x"]]), json!([])),
        ),
        ("polynomial-identity", sum(json!("x"), json!([[1, "x"]]))),
        (
            "polynomial-identity",
            sum(json!(["+", "x", "x"]), json!([[1, "x"], ["1", ["+", "x"]]])),
        ),
        (
            "ideal-membership",
            sum(json!(["*", "x", "y"]), json!([["x", "y"]])),
        ),
        ("ideal-membership", sum(json!("x"), json!([["x", "1"]]))),
        (
            "ideal-membership",
            sum(json!(0), json!([[0, "x"], ["y", 0]])),
        ),
        (
            "ideal-membership",
            sum(json!(["+", "x", "2"]), json!([[1, "x"], ["x", "2"]])),
        ),
        (
            "sos",
            sum(
                json!(["+", ["^", "x", 2], ["^", "y", 2]]),
                json!([[1, "x"], [1, "y"]]),
            ),
        ),
        (
            "sos",
            sum(json!(["*", -1, ["^", "x", 2]]), json!([[-1, "x"]])),
        ),
        (
            "sos",
            sum(json!(["^", "x", 4]), json!([[["^", "x", 2], "x"]])),
        ),
        ("sos", sum(json!(0), json!([[1, 0]]))),
    ]
}

/// What the checker says, in the words of the Python program; `None` beyond its limits.
fn verdict(text: &str) -> Option<String> {
    let limits = Limits {
        steps: 1 << 20,
        ..Limits::default()
    };
    match check(text, limits) {
        Ok(report) => Some(
            report
                .findings
                .iter()
                .map(|f| f.word())
                .collect::<Vec<_>>()
                .join(" "),
        ),
        Err(Error::LimitExceeded { .. }) => None,
        Err(_) => Some("REFUSED".into()),
    }
}

const DRIVER: &str = r#"
import json, replay
for line in open("certificates.txt", encoding="utf-8"):
    try:
        print(" ".join(verdict for _, _, verdict in replay.claims(json.loads(line))))
    except replay.Malformed:
        print("REFUSED")
    except Exception as error:
        print("CRASHED", repr(error))
"#;

#[test]
fn two_implementations_agree() {
    let mut cases = Vec::new();
    for base in bases() {
        // What is malformed from the start reaches no line behind the reader.
        let sealed = Certificate::seal_text(&base.to_string()).unwrap();
        assert_ne!(verdict(&sealed).as_deref(), Some("REFUSED"), "{base}");
        let corrupted = corruptions(&base);
        // A fixed choice among the many.
        let keep = corrupted.len().div_ceil(900);
        cases.extend(
            corrupted
                .into_iter()
                .enumerate()
                .filter(|(i, _)| i % keep == 0)
                .map(|c| c.1),
        );
    }
    let sealed = cases.iter().filter_map(|text| Certificate::seal_text(text));
    let judged: Vec<(String, String)> = sealed
        .filter_map(|text| Some((verdict(&text)?, text)).map(|(v, t)| (t, v)))
        .collect();
    let mut counts = BTreeMap::new();
    for (_, verdict) in &judged {
        *counts.entry(verdict.as_str()).or_insert(0) += 1;
    }
    assert!(judged.len() > 5000, "{}", judged.len());
    for word in ["TRUE", "FALSE", "VACUOUS", "UNDECIDED", "REFUSED"] {
        assert!(counts.get(word).is_some_and(|n| *n > 10), "{counts:?}");
    }
    // For `benches/mutants.py`.
    if let Ok(path) = std::env::var("WICKRING_CORPUS") {
        let line = |(text, word): &(String, String)| json!([word, text]).to_string() + "\n";
        std::fs::write(path, judged.iter().map(line).collect::<String>()).unwrap();
    }
    if !tool("python3") {
        return;
    }
    let replay = scratch("replay.py");
    std::fs::write(&replay, emit(&every_kind(), Language::Python).unwrap()).unwrap();
    let lines: String = judged
        .iter()
        .map(|(text, _)| json!(text).to_string() + "\n")
        .collect();
    std::fs::write(scratch("certificates.txt"), lines).unwrap();
    let output = std::process::Command::new("python3")
        .args(["-c", DRIVER])
        .current_dir(replay.parent().unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let said: Vec<&str> = said.lines().collect();
    assert_eq!(
        said.len(),
        judged.len(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut wrong = Vec::new();
    for ((text, ours), theirs) in judged.iter().zip(said) {
        // A claim may be found false before, or after, the rest of it is found to be malformed.
        let refused = |w: &str| matches!(w, "FALSE" | "REFUSED");
        if ours != theirs && !(refused(ours) && refused(theirs)) {
            wrong.push(format!("{ours} here, {theirs} there: {text}"));
        }
    }
    let shown = wrong
        .iter()
        .take(12)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        wrong.is_empty(),
        "{} disagreements of {}\n{shown}",
        wrong.len(),
        judged.len()
    );
}
