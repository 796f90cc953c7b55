//! What was once accepted and is false or says nothing, and what must stay accepted.

#![allow(clippy::unwrap_used)] // helpers of tests

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use wickring::Error;
use wickring::certify::{Certificate, Claim, Language, Limits, check, emit};

/// A certificate of version 2 with one claim, given as JSON text.
fn certificate(kind: &str, data: &str) -> String {
    let object = format!(
        "{{\"schema\":\"wickring/certificate/2\",\"producer\":\"\",\"inputs\":[],\"fit\":null,\
         \"claims\":[{{\"kind\":\"{kind}\",\"about\":\"\",\"data\":{data}}}]}}"
    );
    Certificate::seal_text(&object).unwrap()
}

/// `TRUE`, `FALSE`, `VACUOUS`, or the message of a refusal.
fn verdict(kind: &str, data: &str) -> String {
    match check(&certificate(kind, data), Limits::default()) {
        Ok(report) => report.findings[0].word().to_owned(),
        Err(e) => e.to_string(),
    }
}

fn identity(left: &str, right: &str) -> String {
    verdict(
        "polynomial-identity",
        &format!("{{\"left\":{left},\"right\":{right}}}"),
    )
}

/// `1 x 1 x 1` with the same entry in all factors.
fn cp(field: &str, entry: &str, target: &str) -> String {
    let data = format!(
        "{{\"model\":\"cp\",\"field\":\"{field}\",\"cores\":[[[[{entry}]]],[[[1]]],[[[1]]]],\
         \"target\":{{\"dense\":{{\"shape\":[1,1,1],\"entries\":[{target}]}}}},\"order\":0,\"bound\":0}}"
    );
    verdict("cp-exact", &data)
}

#[test]
fn whole_numbers_are_exact_whatever_their_size() {
    for n in [1u128 << 31, 1 << 53, 1 << 63, 1 << 64, 1 << 100] {
        for (a, b) in [(n - 1, n), (n, n + 1), (n + 1, n - 1)] {
            assert_eq!(
                identity(&a.to_string(), &format!("[[1,{b}]]")),
                "FALSE",
                "{a} {b}"
            );
            assert_eq!(
                identity(&format!("-{a}"), &format!("[[1,-{b}]]")),
                "FALSE",
                "{a} {b}"
            );
            assert_eq!(cp("Z", &a.to_string(), &b.to_string()), "FALSE", "{a} {b}");
            assert_eq!(cp("Z", &a.to_string(), &format!("\"{a}\"")), "TRUE", "{a}");
            assert_eq!(
                identity(&a.to_string(), &format!("[[\"1\",\"{a}\"]]")),
                "TRUE",
                "{a}"
            );
        }
    }
    // A float has no place where numbers are exact.
    assert!(identity("1.0", "[[1,1.0]]").contains("no number"));
    assert!(cp("Z", "1e0", "1").contains("no number"));
}

#[test]
fn exponents_do_not_wrap() {
    for power in [
        "-9223372036854775808",
        "9223372036854775807",
        "-9223372036854775809",
        "18446744073709551616",
        "65537",
    ] {
        let refused = cp("Q[x,1/x]", &format!("[[{power},1]]"), "1");
        assert!(refused.contains("power"), "{refused}");
        let refused = identity(&format!("[\"^\",\"x\",{power}]"), "[]");
        assert!(
            refused.contains("exponent") || refused.contains("number"),
            "{refused}"
        );
    }
    assert_eq!(cp("Q[x,1/x]", "[[3,1]]", "[[3,1]]"), "TRUE");
    assert_eq!(cp("Q[x,1/x]", "[[3,1]]", "[[2,1]]"), "FALSE");
}

#[test]
fn rings_hold_values_not_summands() {
    let two = "[[0,1],[0,1]]";
    assert!(cp("ZT", two, two).contains("does not lie"));
    assert_eq!(cp("Z", two, "2"), "TRUE");
    assert_eq!(cp("ZT", "[[0,2],[0,-1]]", "1"), "TRUE");
    assert!(cp("Z", "\"1/2\"", "\"1/2\"").contains("does not lie"));
    assert_eq!(cp("Z", "[[0,\"1/2\"],[0,\"1/2\"]]", "1"), "TRUE");
    assert!(cp("Z[1/2]", "\"1/3\"", "\"1/3\"").contains("does not lie"));
    assert_eq!(cp("Z[1/2]", "[[0,\"1/3\"],[0,\"2/3\"]]", "1"), "TRUE");
    assert!(cp("Z[1/2]", "[[0,\"1/2\"],[0,\"1/6\"]]", "\"2/3\"").contains("does not lie"));
    assert!(cp("mod 7", "\"1/7\"", "\"1/7\"").contains("does not lie"));
    assert_eq!(cp("mod 7", "[[0,\"1/7\"],[0,\"6/7\"]]", "8"), "TRUE");
    assert_eq!(cp("Q(i)", "[[2,1],[1,1]]", "[[0,-1],[1,1]]"), "TRUE");
    assert_eq!(cp("Q(i)", "[[2,1]]", "1"), "FALSE");
    for field in [
        "mod 07", "mod +7", "mod 1", "mod 0", "mod -7", "mod 7 ", "z", "F7",
    ] {
        assert!(cp(field, "1", "1").contains("over"), "{field}");
    }
    assert_eq!(
        cp("mod 18446744073709551629", "1", "18446744073709551630"),
        "TRUE"
    );
}

#[test]
fn repeated_and_unknown_fields_are_refused_at_any_depth() {
    assert!(verdict("sos", r#"{"left":1,"left":0,"right":[]}"#).contains("repeated"));
    assert!(verdict("sos", r#"{"left":0,"right":[],"\u006ceft":0}"#).contains("repeated"));
    assert!(verdict("sos", r#"{"left":0,"right":[],"note":0}"#).contains("no field"));
    let deep = r#"{"model":"cp","field":"Z","cores":[[[[1]]]],"target":{"dense":{"shape":[1],"entries":[2],"entries":[1]}},"order":0,"bound":0}"#;
    assert!(verdict("cp-exact", deep).contains("repeated"));
    let other = deep.replacen("\"entries\":[2],", "\"more\":1,", 1);
    assert!(verdict("cp-exact", &other).contains("no field"));
}

#[test]
fn what_holds_for_zeros_is_vacuous() {
    assert_eq!(identity("0", "[]"), "VACUOUS");
    assert_eq!(identity("[\"+\"]", "[[0,\"x\"]]"), "VACUOUS");
    assert_eq!(
        identity("[\"*\",\"x\",\"y\"]", "[[1,[\"*\",\"x\",\"y\"]]]"),
        "VACUOUS"
    );
    assert_eq!(
        identity("[\"*\",\"x\",\"y\"]", "[[1,[\"*\",\"y\",\"x\"]]]"),
        "TRUE"
    );
    assert_eq!(identity("[\"+\",\"x\",[\"*\",-1,\"x\"]]", "[]"), "TRUE");
    for (left, right, word) in [
        ("\"x\"", "[[1,\"x\"]]", "VACUOUS"),
        ("\"x\"", "[[\"x\",1],[\"3\",0]]", "VACUOUS"),
        ("0", "[[\"x\",0]]", "VACUOUS"),
        ("[\"*\",\"x\",\"y\"]", "[[\"x\",\"y\"]]", "TRUE"),
        ("\"x\"", "[[1,\"y\"]]", "FALSE"),
    ] {
        let data = format!("{{\"left\":{left},\"right\":{right}}}");
        assert_eq!(verdict("ideal-membership", &data), word, "{data}");
    }
    assert_eq!(
        verdict("sos", "{\"left\":0,\"right\":[[0,\"x\"]]}"),
        "VACUOUS"
    );
    let moments = |tolerance: &str, value: &str| {
        let data = format!(
            "{{\"polynomials\":[\"x\"],\"values\":[[\"moment\",[0,0],{value}]],\"tolerance\":{tolerance}}}"
        );
        verdict("gaussian-moments", &data)
    };
    assert_eq!(moments("\"1/2\"", "1"), "TRUE");
    assert_eq!(moments("1", "0"), "VACUOUS");
    assert_eq!(
        moments(&format!("\"1{}\"", "0".repeat(300)), "5"),
        "VACUOUS"
    );
    assert_eq!(moments("0", "2"), "FALSE");
    let residual = |bound: &str, entry: &str| {
        let data = format!(
            "{{\"model\":\"cp\",\"field\":\"binary64\",\"cores\":[[[[{entry}]]]],\
             \"target\":{{\"dense\":{{\"shape\":[1],\"entries\":[1.0]}}}},\"order\":0,\"bound\":{bound}}}"
        );
        verdict("numeric-residual", &data)
    };
    assert_eq!(residual("0.5", "1.25"), "TRUE");
    assert_eq!(residual("0.125", "1.25"), "FALSE");
    assert_eq!(residual("1.0", "1.25"), "VACUOUS");
    assert_eq!(residual("1e308", "7.0"), "VACUOUS");
    assert!(residual("1e400", "7.0").contains("no number"));
    assert_eq!(cp("mod 5", "10", "5"), "VACUOUS");
}

#[test]
fn layout_does_not_break_a_certificate_but_content_does() {
    let claim = Claim::identity("(x + y)^2", "x^2 + 2*x*y + y^2").unwrap();
    let text = Certificate::new()
        .claim(claim)
        .fit("stalled", "residual 0.3 > 1e-8")
        .to_json();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let pretty = serde_json::to_string_pretty(&value).unwrap();
    assert_ne!(pretty, text);
    let report = check(&pretty, Limits::default()).unwrap();
    assert!(report.holds());
    let fit = report.fit.unwrap();
    assert_eq!(
        (fit.status.as_str(), fit.failed.as_str()),
        ("stalled", "residual 0.3 > 1e-8")
    );
    for (old, new) in [
        ("stalled", "converged"),
        ("\"2\"", "\"02\""),
        ("\"x\"", "\"z\""),
    ] {
        assert!(text.contains(old), "{old}");
        assert!(
            check(&text.replace(old, new), Limits::default()).is_err(),
            "{old}"
        );
    }
    // Version 1 is sealed by its text, and says nothing of a fit.
    let object = "{\"schema\":\"wickring/certificate/1\",\"producer\":\"\",\"inputs\":[],\"claims\":[{\"kind\":\
                  \"polynomial-identity\",\"about\":\"\",\"data\":{\"left\":\"x\",\"right\":[[\"x\",1]]}}]}";
    let old = Certificate::seal_text(object).unwrap();
    let report = check(&old, Limits::default()).unwrap();
    assert!(report.holds() && report.fit.is_none());
    assert!(check(&old.replace(":", " :"), Limits::default()).is_err());
}

/// Work is paid for before it is done: no small text asks for hours.
#[test]
fn small_certificates_end_soon() {
    let cumulants = vec!["[\"cumulant\",[0,0,0,0,0,0,0,0,0,0],0]"; 3000].join(",");
    let many = format!("{{\"polynomials\":[\"x\"],\"values\":[{cumulants}],\"tolerance\":0}}");
    let digits = |n: usize| format!("{}{}1", "7".repeat(20_000), n);
    let fractions: Vec<_> = (0..80).map(|n| format!("\"1/{}\"", digits(n))).collect();
    let sum = format!("{{\"left\":[\"+\",{}],\"right\":[]}}", fractions.join(","));
    let tower = "{\"left\":[\"^\",[\"^\",[\"^\",3,65536],65536],65536],\"right\":[]}";
    let powers = "{\"left\":[\"^\",[\"+\",\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\"],60000],\"right\":[]}";
    let moment =
        "{\"polynomials\":[[\"^\",\"x\",65536]],\"values\":[[\"moment\",[0],0]],\"tolerance\":0}";
    for (kind, data) in [
        ("gaussian-moments", many.as_str()),
        ("polynomial-identity", &sum),
        ("polynomial-identity", tower),
        ("polynomial-identity", powers),
        ("gaussian-moments", moment),
    ] {
        let text = certificate(kind, data);
        let start = Instant::now();
        let outcome = check(
            &text,
            Limits {
                steps: 1 << 24,
                ..Limits::default()
            },
        );
        assert!(
            matches!(outcome, Err(Error::LimitExceeded { .. })),
            "{kind} {outcome:?}"
        );
        assert!(
            start.elapsed() < Duration::from_secs(8),
            "{kind}: {:?}",
            start.elapsed()
        );
        let limits = Limits {
            deadline: Some(Instant::now()),
            ..Limits::default()
        };
        assert!(
            matches!(check(&text, limits), Err(Error::Stopped { .. })),
            "{kind}"
        );
    }
}

#[test]
fn other_systems_get_the_numbers_as_they_are() {
    let text = certificate(
        "polynomial-identity",
        "{\"left\":18446744073709551617,\"right\":[[1,18446744073709551617]]}",
    );
    for language in [
        Language::Lean,
        Language::Coq,
        Language::Sage,
        Language::Python,
    ] {
        let file = emit(&text, language).unwrap();
        assert!(
            file.contains("18446744073709551617"),
            "{language:?}: {file}"
        );
    }
}

/// Lines of the checker that no other test needed (`benches/mutants.py`).
#[test]
fn what_mutants_of_the_checker_let_pass() {
    let algebra = |kind: &str, left: &str, right: &str| {
        verdict(kind, &format!("{{\"left\":{left},\"right\":{right}}}"))
    };
    // A weight that is no number proves nothing about signs.
    assert_eq!(
        algebra("sos", "[\"^\",\"x\",3]", "[[\"x\",\"x\"]]"),
        "FALSE"
    );
    assert_eq!(algebra("sos", "[\"^\",\"x\",2]", "[[1,\"x\"]]"), "TRUE");
    assert_eq!(algebra("sos", "[\"+\"]", "[]"), "VACUOUS");
    let cancels = "[\"+\",\"x\",[\"*\",-1,\"x\"]]";
    assert_eq!(identity(cancels, "[]"), "TRUE");
    assert_eq!(identity("0", "[]"), "VACUOUS");
    // Floats have no place in tolerances of exact claims.
    let moments = |tolerance: &str| {
        let data = format!(
            "{{\"polynomials\":[\"x\"],\"values\":[[\"moment\",[0,0],1]],\"tolerance\":{tolerance}}}"
        );
        verdict("gaussian-moments", &data)
    };
    assert_eq!(moments("\"1/4\""), "TRUE");
    assert!(moments("0.25").contains("no number"));
    // One claim that says something does not make up for one that does not.
    let both = Certificate::new()
        .claim(Claim::identity("(x + 1)^2", "x^2 + 2*x + 1").unwrap())
        .claim(Claim::identity("0", "0").unwrap());
    let report = check(&both.to_json(), Limits::default()).unwrap();
    assert!(report.findings[0].holds && !report.holds() && !report.refuted());
}

/// An entry that is an empty sum is zero. The columns of `cp-unique` once left it out, so that three terms passed for two.
#[test]
fn an_empty_sum_in_a_factor_is_a_zero_of_its_column() {
    let factor = json!([[[[], 1, 0], [0, [], 1], [1, 0, []]]]);
    let entry = |k: usize| u8::from(k.is_multiple_of(13));
    let entries: Vec<u8> = (0..27).map(entry).collect();
    let exact = json!({
        "model": "cp", "field": "Z", "cores": [factor, factor, factor], "order": 0, "bound": 0,
        "target": { "dense": { "shape": [3, 3, 3], "entries": entries } },
    });
    let verdicts = |ranks: Value| {
        let object = json!({
            "schema": "wickring/certificate/2", "producer": "", "inputs": [], "fit": null, "claims": [
                { "kind": "cp-exact", "about": "", "data": exact },
                { "kind": "cp-unique", "about": "", "data": { "model": 0, "prime": 7, "ranks": ranks } },
            ],
        });
        let text = Certificate::seal_text(&object.to_string()).unwrap();
        let report = check(&text, Limits::default()).unwrap();
        report.findings.iter().map(|f| f.word()).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(json!([2, 2, 2])), ["TRUE", "UNDECIDED"]);
    assert_eq!(verdicts(json!([3, 3, 3])), ["TRUE", "TRUE"]);
}
