//! The independent checker: true claims pass, false ones are refuted, damaged files are refused.

#![allow(clippy::unwrap_used, clippy::print_stderr)] // helpers of tests

use wickring::Error;
use wickring::certify::{
    Certificate, Claim, ClaimedTensor, Entry, Expression, Language, Limits, check, emit,
};
use wickring::poly::Rational;

fn e(text: &str) -> Expression {
    Expression::parse(text).unwrap()
}

fn q(text: &str) -> Rational {
    text.parse().unwrap()
}

fn holds(claim: Claim) -> bool {
    let text = Certificate::new().claim(claim).to_json();
    let report = check(&text, Limits::default()).unwrap();
    assert_eq!(report.findings.len(), 1);
    report.holds()
}

/// `-1/2x^-1`: a rational times a power of the adjoined element.
pub(crate) fn entry(text: &str) -> Entry {
    let Some((c, power)) = text.split_once('x') else {
        return q(text).into();
    };
    let c = match c {
        "" => "1",
        "-" => "-1",
        c => c,
    };
    let power = power.strip_prefix('^').unwrap_or("1").parse().unwrap();
    Entry::powers([(power, q(c))])
}

pub(crate) fn rows(text: &str) -> Vec<Vec<Entry>> {
    let row = |line: &str| line.split_whitespace().map(entry).collect();
    text.split(';').map(row).collect()
}

/// A factor of one column.
fn floats(column: &[f64]) -> Vec<Vec<Entry>> {
    column
        .iter()
        .map(|x| vec![Entry::float(*x).unwrap()])
        .collect()
}

/// Strassen's algorithm, as printed in every textbook.
fn strassen() -> Vec<Vec<Vec<Entry>>> {
    vec![
        rows("1 0 1 0 1 -1 0; 0 0 0 0 1 0 1; 0 1 0 0 0 1 0; 1 1 0 1 0 0 -1"),
        rows("1 1 0 -1 0 1 0; 0 0 1 0 0 1 0; 0 0 0 1 0 0 1; 1 0 -1 0 1 0 1"),
        rows("1 0 0 1 -1 0 1; 0 0 1 0 1 0 0; 0 1 0 1 0 0 0; 1 -1 1 0 0 1 0"),
    ]
}

#[test]
fn identities_are_decided_over_the_rationals() {
    assert!(holds(
        Claim::identity("(x + y)^3", "x^3 + 3*x^2*y + 3*x*y^2 + y^3").unwrap()
    ));
    assert!(!holds(
        Claim::identity("(x + y)^3", "x^3 + 3*x^2*y + 3*x*y^2").unwrap()
    ));
    // A difference that floats cannot see.
    assert!(!holds(
        Claim::identity("x", "x + 1/1000000000000000000000000000").unwrap()
    ));
    assert!(matches!(
        Claim::identity("1/x", "x"),
        Err(Error::Parse { .. })
    ));
    // He_2 He_2 = He_4 + 4 He_2 + 2 He_0.
    let linearised = "(x^4 - 6*x^2 + 3) + 4*(x^2 - 1) + 2";
    assert!(holds(Claim::identity("(x^2 - 1)^2", linearised).unwrap()));
}

#[test]
fn ideals_and_squares() {
    let member = [(e("x - y"), e("x + y")), (e("y - 1"), e("y + 1"))];
    assert!(holds(Claim::ideal_membership(&e("x^2 - 1"), &member)));
    assert!(!holds(Claim::ideal_membership(&e("x^2 + 1"), &member)));
    let squares = [(q("1/2"), e("x + y")), (q("1/2"), e("x - y"))];
    assert!(holds(Claim::sum_of_squares(&e("x^2 + y^2"), &squares)));
    let negative = [(q("-1"), e("x"))];
    assert!(!holds(Claim::sum_of_squares(&e("-x^2"), &negative)));
    assert!(!holds(Claim::ideal_membership(&e("1"), &[])));
}

#[test]
fn factorisations_are_multiplied_out() {
    let matmul = ClaimedTensor::Matmul([2, 2, 2]);
    for field in [
        "ZT", "Z", "Z[1/2]", "Q", "Q(i)", "Q[x,1/x]", "mod 2", "mod 7",
    ] {
        assert!(
            holds(Claim::cp_exact(field, &strassen(), &matmul)),
            "{field}"
        );
    }
    let mut flipped = strassen();
    flipped[1][3][2] = entry("1");
    assert!(!holds(Claim::cp_exact("Z", &flipped, &matmul)));
    assert!(holds(Claim::cp_exact("mod 2", &flipped, &matmul)));
    // Complex multiplication has rank two over Q(i): eigenvalues of multiplication by i are i and -i.
    let complex = ClaimedTensor::Exact(
        vec![2, 2, 2],
        ["1", "0", "0", "1", "0", "1", "-1", "0"]
            .map(entry)
            .to_vec(),
    );
    let factors = [
        rows("1 1; x -x"),
        rows("1 1; x -x"),
        rows("1/2 1/2; -1/2x 1/2x"),
    ];
    assert!(holds(Claim::cp_exact("Q(i)", &factors, &complex)));
    // W = x^2 y has border rank two: ((e0 + x e1)^3 - e0^3) / x.
    let w = ClaimedTensor::Exact(
        vec![2, 2, 2],
        ["0", "1", "1", "0", "1", "0", "0", "0"].map(entry).to_vec(),
    );
    let border = [rows("1 1; x 0"), rows("1 1; x 0"), rows("x^-1 -1x^-1; 1 0")];
    assert!(!holds(Claim::cp_exact("Q[x,1/x]", &border, &w)));
    assert!(holds(
        Claim::cp_exact("Q[x,1/x]", &border, &w).up_to_order(1)
    ));
    assert!(!holds(
        Claim::cp_exact("Q[x,1/x]", &border, &w).up_to_order(2)
    ));
    // The trace of a product of Pauli-like matrices as a ring of rank two.
    let core = [rows("1 0; 0 1"), rows("0 1; 1 0")];
    let swap = |i: usize, j: usize| if i == j { "2" } else { "0" };
    let trace: Vec<_> = (0..4).map(|k| entry(swap(k / 2, k % 2))).collect();
    // Core entry (a, i, b): identity for i = 0, exchange for i = 1.
    let core: Vec<_> = (0..2)
        .map(|a| core.iter().map(|m| m[a].clone()).collect())
        .collect();
    let target = ClaimedTensor::Exact(vec![2, 2], trace);
    assert!(holds(Claim::ring_exact(
        "Z",
        &[core.clone(), core],
        &target
    )));
}

#[test]
fn float_models_are_held_against_their_bound() {
    let factors = [floats(&[0.1, 0.2]), floats(&[1.0, 3.0])];
    let exact = ClaimedTensor::Floats(vec![2, 2], vec![0.1, 0.1 * 3.0, 0.2, 0.2 * 3.0]);
    // Products of floats are rounded once: half a unit in the last place each.
    assert!(holds(Claim::cp_residual(&factors, &exact, 1.2e-16)));
    assert!(!holds(Claim::cp_residual(&factors, &exact, 1e-18)));
    let off = ClaimedTensor::Floats(vec![2, 2], vec![0.1, 0.3, 0.2, 0.6 + 1e-9]);
    assert!(!holds(Claim::cp_residual(&factors, &off, 1e-10)));
    assert!(holds(Claim::cp_residual(&factors, &off, 1e-8)));
}

/// One claim of each kind, all true.
pub(crate) fn every_kind() -> String {
    let z = [e("x^2 - 1"), e("x*y + 3")];
    let w = ClaimedTensor::Exact(
        vec![2, 2, 2],
        ["0", "1", "1", "0", "1", "0", "0", "0"].map(entry).to_vec(),
    );
    let border = [
        rows("1 1; x 0"),
        rows("1 1; x 0"),
        rows("1x^-1 -1x^-1; 1 0"),
    ];
    let core: Vec<_> = vec![rows("1 0; 0 1"), rows("0 1; 1 0")];
    let trace = ClaimedTensor::Exact(vec![2, 2], ["2", "0", "0", "2"].map(entry).to_vec());
    let decimals = ClaimedTensor::Floats(vec![2, 2], vec![0.1, 0.3, 0.2, 0.6]);
    Certificate::new()
        .input("x.json", b"input")
        .claim(Claim::identity("(x + y)^2", "x^2 + 2*x*y + y^2").unwrap())
        .claim(Claim::ideal_membership(
            &e("x^2 - y^2"),
            &[(e("x - y"), e("x + y"))],
        ))
        .claim(Claim::sum_of_squares(&e("2*x^2"), &[(q("2"), e("x"))]))
        .claim(Claim::gaussian_moments(
            &z,
            &[(vec![0, 0], q("2"))],
            &[(vec![1], q("3"))],
            &q("0"),
        ))
        .claim(Claim::cp_exact(
            "Z",
            &strassen(),
            &ClaimedTensor::Matmul([2, 2, 2]),
        ))
        .claim(Claim::cp_exact("Q[x,1/x]", &border, &w).up_to_order(1))
        .claim(Claim::ring_exact("Q", &[core.clone(), core], &trace))
        .claim(Claim::cp_residual(
            &[floats(&[0.1, 0.2]), floats(&[1.0, 3.0])],
            &decimals,
            1e-15,
        ))
        .claim(crate::rounded::of_factors())
        .claim(crate::rounded::of_cores())
        .claim(crate::rounded::of_observed())
        .to_json()
}

/// Every place of a JSON value, as a pointer.
pub(crate) fn places(value: &serde_json::Value, at: String, found: &mut Vec<String>) {
    found.push(at.clone());
    match value {
        serde_json::Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(i, v)| places(v, format!("{at}/{i}"), found));
        }
        serde_json::Value::Object(map) => {
            map.iter()
                .for_each(|(k, v)| places(v, format!("{at}/{}", k.replace('/', "~1")), found));
        }
        _ => (),
    }
}

/// Corrupts every place in every way that cannot leave a true certificate, and seals the result again, so that
/// it is the content that must be refused.
#[test]
fn systematic_corruptions_are_rejected() {
    use serde_json::{Value, json};
    let text = every_kind();
    assert!(check(&text, Limits::default()).unwrap().holds());
    let mut whole: Value = serde_json::from_str(&text).unwrap();
    whole.as_object_mut().unwrap().remove("seal");
    let mut all = Vec::new();
    places(&whole, String::new(), &mut all);
    let limits = Limits {
        bytes: 1 << 20,
        steps: 1 << 22,
        ..Limits::default()
    };
    let deep = (0..100).fold(json!(1), |v, _| json!([v]));
    let (mut count, mut refuted) = (0, 0);
    for place in &all {
        // How the fit ended is told, not proved; it may be left out.
        if place.starts_with("/fit") {
            continue;
        }
        // Words are free, and so is what they say.
        let free = ["/about", "/producer", "/path"]
            .iter()
            .any(|f| place.ends_with(f));
        let old = whole.pointer(place).unwrap().clone();
        let mut wrong = vec![
            Value::Null,
            json!(true),
            json!({ "no": "field" }),
            deep.clone(),
        ];
        if !free {
            wrong.extend([
                json!("1e999999999"),
                json!("9".repeat(70_000)),
                json!("?"),
                json!([[[[[]]]]]),
            ]);
        }
        let mut variants: Vec<Value> = wrong
            .into_iter()
            .map(|w| {
                let mut copy = whole.clone();
                *copy.pointer_mut(place).unwrap() = w;
                copy
            })
            .collect();
        if let Value::Object(map) = &old {
            for key in map.keys() {
                let mut copy = whole.clone();
                copy.pointer_mut(place)
                    .unwrap()
                    .as_object_mut()
                    .unwrap()
                    .remove(key);
                variants.push(copy);
            }
            let mut copy = whole.clone();
            copy.pointer_mut(place)
                .unwrap()
                .as_object_mut()
                .unwrap()
                .insert("extra".into(), json!(1));
            variants.push(copy);
        }
        // A number a little off. A larger tolerance or bound is no fault.
        let number = old
            .as_f64()
            .or_else(|| old.as_str().and_then(|s| s.parse().ok()));
        let lenient = ["/bound", "/tolerance"].iter().any(|f| place.ends_with(f));
        if let Some(number) = number
            && !lenient
        {
            let mut copy = whole.clone();
            *copy.pointer_mut(place).unwrap() = if old.is_f64() {
                json!(number + 0.5)
            } else {
                json!(number as i64 + 7)
            };
            variants.push(copy);
        }
        for variant in variants.into_iter().filter(|v| *v != whole) {
            // What is no object has no place for a seal and stays as it is.
            let bare = variant.to_string();
            let sealed = Certificate::seal_text(&bare).unwrap_or(bare);
            count += 1;
            match check(&sealed, limits) {
                Ok(report) => {
                    assert!(!report.holds(), "{place}: {variant}");
                    refuted += 1;
                }
                Err(e) => assert!(e.to_string().len() < 500, "{e}"),
            }
        }
    }
    assert!(
        count >= 2000 && refuted > 50,
        "{count} corruptions, {refuted} refuted"
    );
    // Without a new seal, any changed byte is noticed.
    for at in (0..text.len() - 1).step_by(7) {
        let mut bytes = text.clone().into_bytes();
        bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' };
        let changed = String::from_utf8(bytes).unwrap();
        assert!(
            changed == text || check(&changed, limits).is_err(),
            "byte {at}"
        );
    }
}

/// The tool, or a plain word that the test is skipped.
pub(crate) fn tool(name: &str) -> bool {
    let found = std::process::Command::new(name)
        .arg("--version")
        .output()
        .is_ok();
    if !found {
        eprintln!("skipped: {name} is not installed");
    }
    found
}

pub(crate) fn scratch(name: &str) -> std::path::PathBuf {
    let dir = std::env::temp_dir().join(format!("wickring-emit-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    dir.join(name)
}

#[test]
fn coq_accepts_the_identities() {
    let hermite = Claim::identity(
        "(x^2 - 1)*(x^3 - 3*x)",
        "(x^5 - 10*x^3 + 15*x) + 6*(x^3 - 3*x) + 6*x",
    )
    .unwrap();
    let strassen = Claim::cp_exact("Z", &strassen(), &ClaimedTensor::Matmul([2, 2, 2]));
    let squares = Claim::sum_of_squares(
        &e("x^2 + y^2"),
        &[(q("1/2"), e("x + y")), (q("1/2"), e("x - y"))],
    );
    let text = Certificate::new()
        .claim(hermite)
        .claim(strassen)
        .claim(squares)
        .to_json();
    let coq = emit(&text, Language::Coq).unwrap();
    assert_eq!(coq.matches("Lemma").count(), 1 + 4 + 1);
    let lean = emit(&text, Language::Lean).unwrap();
    // One theorem for the whole scheme.
    assert_eq!(
        (
            lean.matches(":= by ring").count(),
            lean.matches("theorem").count()
        ),
        (2, 3)
    );
    let sage = emit(&text, Language::Sage).unwrap();
    assert_eq!(
        (
            sage.matches("assert claim").count(),
            sage.matches("TRUE").count()
        ),
        (6, 3)
    );
    assert!(sage.contains("v_x^2") && sage.contains("(1 / 2)"), "{sage}");
    let replay = emit(&every_kind(), Language::Sage).unwrap();
    assert!(
        replay.contains("CERTIFICATE"),
        "claims that are no identities are replayed"
    );
    if !tool("coqc") {
        return;
    }
    let compiles = |name: &str, text: &str| {
        let path = scratch(name);
        std::fs::write(&path, text).unwrap();
        std::process::Command::new("coqc")
            .arg(&path)
            .output()
            .unwrap()
            .status
            .success()
    };
    assert!(compiles("claims.v", &coq));
    assert!(
        !compiles("wrong.v", &coq.replacen("v_x", "v_x * v_x", 4)),
        "Coq must be able to say no"
    );
}

#[test]
fn python_replays_every_kind() {
    let script = emit(&every_kind(), Language::Python).unwrap();
    if !tool("python3") {
        return;
    }
    let run = |script: &str| {
        let path = scratch("replay.py");
        std::fs::write(&path, script).unwrap();
        let output = std::process::Command::new("python3")
            .arg(&path)
            .output()
            .unwrap();
        (
            output.status.success(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    let (good, lines) = run(&script);
    assert!(good && lines.matches("TRUE").count() == 11, "{lines}");
    let (good, lines) = run(&script.replacen("\\\"x - y\\\"", "\\\"y\\\"", 1).replacen(
        "\\\"x\\\"",
        "\\\"y\\\"",
        1,
    ));
    let refused = lines.contains("FALSE") || lines.contains("REFUSED");
    assert!(!good && refused, "{lines}");
}
