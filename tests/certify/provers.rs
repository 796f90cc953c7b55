//! Files for provers: what each takes, what is left out by name, and that the identities in them are right.

#![allow(clippy::unwrap_used)] // helpers of tests

use crate::certificates::{entry, every_kind, rows, scratch, tool};
use serde_json::Value;
use wickring::certify::{Certificate, Claim, ClaimedTensor, Language, emit};

fn product_of_polynomials() -> ClaimedTensor {
    let product = ["1", "0", "0", "0", "1", "0", "0", "1", "0", "0", "0", "1"].map(entry);
    ClaimedTensor::Exact(vec![2, 2, 3], product.to_vec())
}

/// Karatsuba's algorithm with a half, for the product of two polynomials of degree one.
fn halves(field: &str) -> String {
    let factors = [
        rows("1/2 0 1; 0 1 1"),
        rows("1 0 1; 0 1 1"),
        rows("2 0 0; -2 -1 1; 0 1 0"),
    ];
    let claim = Claim::cp_exact(field, &factors, &product_of_polynomials());
    Certificate::new().claim(claim.about("halves")).to_json()
}

/// The same modulo two without signs.
fn modulo_two() -> String {
    let factors = [
        rows("1 0 1; 0 1 1"),
        rows("1 0 1; 0 1 1"),
        rows("1 0 0; 1 1 1; 0 1 0"),
    ];
    let claim = Claim::cp_exact("mod 2", &factors, &product_of_polynomials());
    Certificate::new().claim(claim).to_json()
}

/// Evaluates the identities of theorems over any ring at matrices that do not commute.
const EVALUATE: &str = r#"
import re, sys
class M:
    def __init__(self, v): self.v = v
    def of(x): return x if isinstance(x, M) else M([x, 0, 0, x])
    def __add__(self, o): return M([x + y for x, y in zip(self.v, M.of(o).v)])
    def __neg__(self): return M([-x for x in self.v])
    def __sub__(self, o): return self + -M.of(o)
    def __mul__(self, o):
        (a, b, c, d), (e, f, g, h) = self.v, M.of(o).v
        return M([a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h])
    def __rmul__(self, o): return M.of(o) * self
text = open(sys.argv[1], encoding="utf-8").read()
found = 0
for names, body in re.findall(r"\[Ring R\] \(([^:]*) : R\) :\n(.*?) := by", text, re.S):
    for seed in range(5):
        names = names.split() if isinstance(names, str) else names
        values = {n: M([(7 * i + 5 * j + 3 * seed + i * j) % 11 - 5 for j in range(4)]) for i, n in enumerate(names)}
        for identity in body.split("\u2227"):
            left, right = identity.split("\n    = ")
            assert M.of(eval(left.strip(), values)).v == M.of(eval(right.strip(), values)).v, identity
            found += 1
print(found)
"#;

fn identities(lean: &str) -> usize {
    let dir = scratch("lean");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("evaluate.py"), EVALUATE).unwrap();
    std::fs::write(dir.join("claims.lean"), lean).unwrap();
    let mut command = std::process::Command::new("python3");
    let command = command
        .current_dir(&dir)
        .args(["evaluate.py", "claims.lean"]);
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(error.is_empty(), "{error}");
    said.trim().parse().unwrap()
}

#[test]
fn schemes_are_theorems_over_any_ring() {
    let every = emit(&every_kind(), Language::Lean).unwrap();
    assert_eq!(every.matches("[Ring R]").count(), 1);
    let rational = emit(&halves("Q"), Language::Lean).unwrap();
    assert!(rational.contains("2 * (a0 * b0)"), "{rational}");
    let two = emit(&modulo_two(), Language::Lean).unwrap();
    assert!(two.contains("2 * (a0 * b0)"), "{two}");
    if !tool("python3") {
        return;
    }
    // Five evaluations of four entries, and of three.
    assert_eq!(identities(&every), 20);
    let dyadic = emit(&halves("Z[1/2]"), Language::Lean).unwrap();
    for lean in [rational, dyadic, two] {
        assert_eq!(identities(&lean), 15, "{lean}");
    }
}

/// The lists of a table.
fn lists(text: &str, name: &str) -> Value {
    let start = text.find(&format!("def {name} :")).unwrap();
    let list = text[start..].split_once(":= ").unwrap().1;
    let end = list.find("\n  def").unwrap();
    let list = list[..end].replace('(', "[").replace(')', "]");
    serde_json::from_str(&list).unwrap()
}

#[test]
fn tables_hold_the_brent_equations() {
    for (text, modulus) in [(halves("Q"), 0), (modulo_two(), 2)] {
        let lean = emit(&text, Language::LeanCore).unwrap();
        assert!(
            lean.contains("by decide +kernel") && !lean.contains("import"),
            "{lean}"
        );
        let [a, b, c, t] = ["A", "B", "C", "T"].map(|name| lists(&lean, name));
        let target = t.as_array().unwrap();
        for (i, j, k) in (0..12).map(|n| (n / 6, n / 3 % 2, n % 3)) {
            let product = |r: usize| {
                let three = [&a[i][r], &b[j][r], &c[k][r]];
                three.map(|x| x.as_i64().unwrap()).iter().product::<i64>()
            };
            let here = |t: &&Value| t[0] == i && t[1] == j && t[2] == k;
            let wanted = target
                .iter()
                .find(here)
                .map_or(0, |t| t[3].as_i64().unwrap());
            let off = (0..3).map(product).sum::<i64>() - wanted;
            assert!(
                off == 0 || (modulus > 0 && off % modulus == 0),
                "{i} {j} {k}: {off}"
            );
        }
    }
}

#[test]
fn what_a_prover_cannot_take_is_left_out_by_name() {
    for (language, count) in [
        (Language::Lean, 7),
        (Language::LeanCore, 10),
        (Language::Coq, 7),
    ] {
        let file = emit(&every_kind(), language).unwrap();
        assert_eq!(file.matches("is left out").count(), count, "{file}");
        assert!(
            file.contains("claim 4 (gaussian moments) is left out"),
            "{file}"
        );
    }
    let claim = Claim::identity("(x + y)^2", "x^2 + 2*x*y + y^2").unwrap();
    let alone = Certificate::new().claim(claim).to_json();
    assert!(emit(&alone, Language::Lean).is_ok());
    assert!(
        emit(&alone, Language::LeanCore).is_err(),
        "a file that proves nothing is none"
    );
}
