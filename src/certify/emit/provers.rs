//! Files for Lean, Coq, Sage and Python.

use super::formula::{formula, variables};
use super::lean::Scheme;
use crate::Error;
use crate::certify::json::Json;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const OP: &str = "certify::emit";
/// Replays any certificate in plain Python; Sage runs it as well, which is what it gets for claims that are no
/// identities of polynomials over Q.
const REPLAY: &str = include_str!("replay.py");

/// Another system.
///
/// # Example
/// ```
/// use wickring::certify::{Certificate, Claim, Language, emit};
/// let claim = Claim::identity("(x + y)^2", "x^2 + 2*x*y + y^2")?;
/// let text = Certificate::new().claim(claim).to_json();
/// assert!(emit(&text, Language::Coq)?.contains("ring"));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Lean 4 with Mathlib.
    Lean,
    /// Lean 4 without any library: tables of integers that its kernel decides.
    LeanCore,
    /// Coq's standard library.
    Coq,
    /// Sage.
    Sage,
    /// Python 3, standard library only.
    Python,
}

/// Writes the claims of a certificate for another system.
///
/// Lean and Coq state claims as identities of polynomials over Q, closed by `ring`: polynomial identities, ideal
/// membership, sums of squares (with the signs of the weights) and exact CP decompositions of order three. For Lean
/// a decomposition is one theorem over any ring, commutative or not, with denominators cleared and multiples of a
/// modulus written out; for the core of Lean it is a table of integers that `decide` checks. Claims that a prover cannot take
/// are left out with their number and the reason. Sage compares identities in a polynomial ring over `QQ`, and
/// replays every other claim like Python.
///
/// # Errors
/// `InvalidInput` when the text is no certificate, or none of its claims can be taken.
pub fn emit(certificate: &str, language: Language) -> Result<String, Error> {
    let json = Value::from(&Json::parse(certificate)?);
    let claims = json["claims"].as_array().filter(|c| !c.is_empty());
    let claims = claims.ok_or_else(|| Error::invalid(OP, "the certificate has no claims"))?;
    if language == Language::Sage
        && let Some(found) = claims
            .iter()
            .map(|c| identities(c).ok())
            .collect::<Option<Vec<_>>>()
    {
        return sage(&found);
    }
    if matches!(language, Language::Python | Language::Sage) {
        let text = Value::from(certificate).to_string();
        return Ok(REPLAY.replacen("@TEXT@", &text, 1));
    }
    let mut file = match language {
        Language::Coq => "Require Import QArith.\nOpen Scope Q_scope.\n".to_owned(),
        Language::LeanCore => "-- Needs no library: lean FILE.lean\n".to_owned(),
        _ => {
            let names = ["Tactic.Ring", "Tactic.NoncommRing", "Data.Rat.Defs"];
            names
                .map(|name| format!("import Mathlib.{name}\n"))
                .concat()
        }
    };
    let mut refused = None;
    let mut taken = 0;
    for (n, claim) in claims.iter().enumerate() {
        let about = plain(claim["about"].as_str().unwrap_or(""));
        let kind = plain(claim["kind"].as_str().unwrap_or(""));
        let (words, text) = match stated(claim, n + 1, language) {
            Ok(text) => (format!("claim {}: {about}", n + 1), text),
            // The other claims can still be proved.
            Err(e @ (Error::InvalidInput { .. } | Error::LimitExceeded { .. })) => {
                let why = match &e {
                    Error::InvalidInput { requirement, .. } => plain(requirement),
                    other => plain(&other.to_string()),
                };
                refused = Some(e);
                (
                    format!("claim {} ({kind}) is left out: {why}", n + 1),
                    String::new(),
                )
            }
            Err(e) => return Err(e),
        };
        taken += usize::from(!text.is_empty());
        file += &match language {
            Language::Coq => format!("\n(* {words} *)\n{text}"),
            _ => format!("\n/- {words} -/\n{text}"),
        };
    }
    match refused {
        Some(e) if taken == 0 => Err(e),
        _ => Ok(file),
    }
}

/// Words without anything that could end a comment.
fn plain(words: &str) -> String {
    let keep = |c: char| match c.is_ascii_graphic() && !"*/-\"".contains(c) {
        true => c,
        false => ' ',
    };
    words.chars().map(keep).take(200).collect()
}

/// The theorems of a claim.
fn stated(claim: &Value, n: usize, language: Language) -> Result<String, Error> {
    if language == Language::LeanCore {
        return Scheme::read(claim)?.table(n);
    }
    if language == Language::Lean && claim["kind"] == "cp-exact" {
        return Ok(Scheme::read(claim)?.theorem(n));
    }
    let mut text = String::new();
    for (k, (left, right)) in identities(claim)?.into_iter().enumerate() {
        text += &lemma(&format!("claim_{n}_{}", k + 1), &left, &right, language)?;
    }
    Ok(text)
}

/// Comparisons in one polynomial ring over the rationals; `sage FILE.sage` ends with an error at a false one.
fn sage(claims: &[Vec<(Value, Value)>]) -> Result<String, Error> {
    let mut names = BTreeSet::new();
    for (left, right) in claims.iter().flatten() {
        variables(left, &mut names);
        variables(right, &mut names);
    }
    // A ring needs a variable.
    names.insert("v_".to_owned());
    let names: Vec<String> = names.into_iter().collect();
    let mut file = format!("R = PolynomialRing(QQ, {names:?})\n");
    file += &format!("({},) = R.gens()\n", names.join(", "));
    for (n, identities) in claims.iter().enumerate() {
        for (k, (left, right)) in identities.iter().enumerate() {
            let name = format!("claim_{}_{}", n + 1, k + 1);
            let left = formula(left, Language::Sage)?;
            let right = formula(right, Language::Sage)?;
            file += &format!(
                "\n{name} = R({left}) == R({right})\nassert {name}, \"{name} is false\"\n"
            );
        }
        file += &format!("print(\"TRUE claim {}\")\n", n + 1);
    }
    Ok(file)
}

fn lemma(name: &str, left: &Value, right: &Value, language: Language) -> Result<String, Error> {
    let mut names = BTreeSet::new();
    variables(left, &mut names);
    variables(right, &mut names);
    let names: Vec<String> = names.into_iter().collect();
    let (left, right) = (formula(left, language)?, formula(right, language)?);
    let bound = match (names.is_empty(), language) {
        (true, _) => String::new(),
        (false, Language::Coq) => format!("forall {} : Q, ", names.join(" ")),
        (false, _) => format!(" ({} : ℚ)", names.join(" ")),
    };
    Ok(match language {
        Language::Coq => {
            format!("Lemma {name} : {bound}\n  {left}\n  == {right}.\nProof. intros. ring. Qed.\n")
        }
        _ => format!("theorem {name}{bound} :\n    {left}\n    = {right} := by ring\n"),
    })
}

/// The identities that make up a claim.
fn identities(claim: &Value) -> Result<Vec<(Value, Value)>, Error> {
    let data = &claim["data"];
    let kind = claim["kind"].as_str().unwrap_or("");
    match kind {
        "polynomial-identity" | "ideal-membership" | "sos" => {
            let pairs = data["right"].as_array().map_or(&[][..], Vec::as_slice);
            let mut sum = vec![json!("+")];
            for pair in pairs {
                let (a, b) = (&pair[0], &pair[1]);
                // A weight is a number; `w q^2 >= 0` is then read off.
                if kind == "sos" && a.as_str().is_some_and(|a| a.starts_with('-')) {
                    return Err(Error::invalid(
                        OP,
                        "a sum of squares with a negative weight",
                    ));
                }
                sum.push(if kind == "sos" {
                    json!(["*", a, b, b])
                } else {
                    json!(["*", a, b])
                });
            }
            Ok(vec![(data["left"].clone(), Value::Array(sum))])
        }
        "cp-exact" => bilinear(data),
        _ => Err(Error::invalid(
            OP,
            format!("a claim of kind {kind} is no identity of polynomials: use sage or python"),
        )),
    }
}

/// For each output `k` of `T`: `sum_r C[k,r] (A_r . a)(B_r . b) = sum_ij T[i,j,k] a_i b_j`.
fn bilinear(data: &Value) -> Result<Vec<(Value, Value)>, Error> {
    let field = data["field"].as_str().unwrap_or("");
    let wrong = || {
        Error::invalid(
            OP,
            format!(
                "a decomposition over {field} of this shape is no identity over Q: use sage or python"
            ),
        )
    };
    let cores = data["cores"]
        .as_array()
        .filter(|c| c.len() == 3 && matches!(field, "ZT" | "Z" | "Z[1/2]" | "Q"));
    let cores = cores.ok_or_else(wrong)?;
    let rows: Option<Vec<&Vec<Value>>> = cores.iter().map(|c| c[0].as_array()).collect();
    let [a, b, c] = <[&Vec<Value>; 3]>::try_from(rows.ok_or_else(wrong)?).map_err(|_| wrong())?;
    let rank = a.first().and_then(Value::as_array).map_or(0, Vec::len);
    let linear = |rows: &[Value], letter: &str, r: usize| {
        let mut sum = vec![json!("+")];
        for (i, row) in rows.iter().enumerate().filter(|(_, row)| !is_zero(&row[r])) {
            sum.push(json!(["*", row[r], format!("{letter}{i}")]));
        }
        Value::Array(sum)
    };
    let products: Vec<Value> = (0..rank)
        .map(|r| json!(["*", linear(a, "a", r), linear(b, "b", r)]))
        .collect();
    let sizes = [a.len(), b.len(), c.len()];
    let wanted = outputs(&data["target"], sizes).ok_or_else(wrong)?;
    let mut identities = Vec::new();
    for (row, wanted) in c.iter().zip(wanted) {
        let mut sum = vec![json!("+")];
        for (r, product) in products
            .iter()
            .enumerate()
            .filter(|(r, _)| !is_zero(&row[*r]))
        {
            sum.push(json!(["*", row[r], product]));
        }
        identities.push((Value::Array(sum), Value::Array(wanted)));
    }
    Ok(identities)
}

fn is_zero(v: &Value) -> bool {
    v.as_i64() == Some(0) || v.as_str() == Some("0")
}

/// The terms `T[i,j,k] a_i b_j` of each output `k`, behind a plus sign; `None` for a target of another shape.
fn outputs(target: &Value, [a, b, c]: [usize; 3]) -> Option<Vec<Vec<Value>>> {
    let mut wanted: Vec<Vec<Value>> = vec![vec![json!("+")]; c];
    if let Some(dims) = target["matmul"].as_array() {
        let dims: Vec<usize> = dims
            .iter()
            .filter_map(|d| d.as_u64().map(|d| d as usize))
            .collect();
        let &[n, m, p] = &dims[..] else {
            return None;
        };
        for k in 0..(n * p).min(c) {
            let sum = (0..m).map(|j| {
                json!([
                    "*",
                    format!("a{}", k / p * m + j),
                    format!("b{}", j * p + k % p)
                ])
            });
            wanted[k].extend(sum);
        }
    } else {
        let entries = target["dense"]["entries"].as_array()?;
        if entries.len() != a * b * c {
            return None;
        }
        for (flat, v) in entries.iter().enumerate().filter(|(_, v)| !is_zero(v)) {
            let (k, ij) = (flat % c, flat / c);
            wanted[k].push(json!([
                "*",
                v,
                format!("a{}", ij / b),
                format!("b{}", ij % b)
            ]));
        }
    }
    Some(wanted)
}
