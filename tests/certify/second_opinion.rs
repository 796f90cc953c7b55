//! The checker and the emitted Python program, two implementations of one definition, on thousands of corrupted
//! and constructed certificates: a disagreement is a failure.

#![allow(clippy::unwrap_used, clippy::print_stderr)] // helpers of tests

use crate::certificates::{entry, every_kind, rows, scratch, tool};
use crate::corruption::{Twice, corruptions};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use wickring::Error;
use wickring::certify::{Certificate, Claim, ClaimedTensor, Language, Limits, check, emit};

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
    let rounded = crate::rounded::of_all_shapes().into_iter();
    texts.push(
        rounded
            .fold(Certificate::new(), Certificate::claim)
            .to_json(),
    );
    let mut bases = Vec::new();
    // A theorem speaks of the claims before it, so these stay whole.
    let theorems = crate::theorems::certificates();
    let theorems = theorems.into_iter().chain(crate::theorems::of_products());
    for text in theorems.chain(crate::theorems::larger()) {
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

/// Corrupted certificates: a fixed choice of single corruptions, and half as many double ones. The suite takes some; with
/// `WICKRING_CERTIFICATES=N` about N are made.
fn cases() -> Vec<String> {
    let asked = std::env::var("WICKRING_CERTIFICATES");
    let asked: usize = asked.map_or(8_000, |n| n.parse().unwrap());
    let mut rng = ChaCha8Rng::seed_from_u64(asked as u64);
    let bases = bases();
    let share = asked.div_ceil(bases.len());
    let mut cases = Vec::new();
    for base in bases {
        // What is malformed from the start reaches no line behind the reader.
        let sealed = Certificate::seal_text(&base.to_string()).unwrap();
        assert_ne!(verdict(&sealed).as_deref(), Some("REFUSED"), "{base}");
        let once = corruptions(&base);
        let keep = (3 * once.len()).div_ceil(2 * share);
        let kept = once.iter().step_by(keep).cloned();
        let before = cases.len();
        cases.extend(kept);
        let twice = Twice::of(&base, &once);
        while cases.len() < before + share {
            cases.push(twice.draw(&mut rng));
        }
    }
    cases
}

/// The program has no limits of its own: seconds and memory are those of this test.
const DRIVER: &str = r#"
import json, replay, resource, signal
resource.setrlimit(resource.RLIMIT_AS, (2 ** 31, 2 ** 31))
class Late(Exception):
    pass
def late(*_):
    raise Late
signal.signal(signal.SIGALRM, late)
for line in open("certificates.txt", encoding="utf-8"):
    signal.alarm(5)
    try:
        print(" ".join(verdict for _, _, verdict in replay.claims(json.loads(line))))
    except replay.Malformed:
        print("REFUSED")
    except (Late, MemoryError):
        print("BEYOND")
    except Exception as error:
        print("CRASHED", repr(error))
    signal.alarm(0)
"#;

#[test]
fn two_implementations_agree() {
    let cases = cases();
    let sealed = cases.iter().filter_map(|text| Certificate::seal_text(text));
    let (mut judged, mut longest) = (Vec::new(), Duration::ZERO);
    for text in sealed {
        let start = Instant::now();
        let verdict = verdict(&text);
        longest = longest.max(start.elapsed());
        judged.extend(verdict.map(|v| (text, v)));
    }
    // A step is at most some tens of nanoseconds.
    assert!(longest < Duration::from_secs(5), "{longest:?}");
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
    let (mut wrong, mut beyond) = (Vec::new(), 0);
    for ((text, ours), theirs) in judged.iter().zip(said) {
        // A claim may be found false before, or after, the rest of it is found to be malformed.
        let refused = |w: &str| matches!(w, "FALSE" | "REFUSED");
        if theirs == "BEYOND" && refused(ours) {
            // Refused here for another reason before the number that costs so much there was met.
            beyond += 1;
        } else if ours != theirs && !(refused(ours) && refused(theirs)) {
            wrong.push(format!("{ours} here, {theirs} there: {text}"));
        }
    }
    let shown = wrong
        .iter()
        .take(12)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join("\n");
    eprintln!(
        "{} of {} certificates judged, {beyond} beyond the second, {counts:?}, the dearest took {longest:?}",
        judged.len(),
        cases.len()
    );
    assert!(beyond < 3 + judged.len() / 1000, "{beyond} beyond");
    assert!(
        wrong.is_empty(),
        "{} disagreements of {}\n{shown}",
        wrong.len(),
        judged.len()
    );
}
