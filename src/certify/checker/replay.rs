//! The whole certificate: header, seal, claims; and the claims about polynomials.

use super::terms::{Checked, Machine, OP, Terms, malformed, one, rational};
use super::{moments, tensors};
use crate::Error;
use crate::certify::{Finding, Limits, Report};
use dashu_ratio::RBig;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

const SCHEMA: &str = "wickring/certificate/1";

/// The file. Unknown, missing and repeated fields are refused; whatever carries meaning stays raw and is
/// judged where it is used.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Certificate {
    schema: String,
    producer: String,
    inputs: Vec<Input>,
    claims: Vec<Claim>,
    seal: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    path: String,
    sha256: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Claim {
    kind: String,
    about: String,
    data: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    lhs: Value,
    rhs: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Membership {
    polynomial: Value,
    generators: Vec<Value>,
    cofactors: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Squares {
    polynomial: Value,
    weights: Vec<Value>,
    roots: Vec<Value>,
}

/// What was found to hold, or why it does not.
pub(super) type Verdict = Result<String, String>;

/// Replays every claim of a certificate, given as JSON text.
///
/// # Errors
/// `InvalidInput` when the text is not a well-formed certificate (a false claim is no error: see
/// [`Report::holds`]) or when checking it would cost more than `limits`.
///
/// # Example
/// ```
/// use wickring::certify::{Certificate, Claim, Limits, check};
/// let claim = Claim::identity("(x + y)^2", "x^2 + 2*x*y + y^2")?;
/// let text = Certificate::new().claim(claim).to_json();
/// assert!(check(&text, Limits::default())?.holds());
/// # Ok::<(), wickring::Error>(())
/// ```
pub fn check(text: &str, limits: Limits) -> Result<Report, Error> {
    // A value takes about 80 bytes once read, and there are no more values than separators.
    let values = text
        .bytes()
        .filter(|b| matches!(b, b',' | b'[' | b'{'))
        .count();
    if text.len() > limits.bytes || values > limits.bytes / 16 {
        return Err(Error::limit(OP, "bytes", limits.bytes as u64));
    }
    let file: Certificate = serde_json::from_str(text).or_else(|e| malformed(e.to_string()))?;
    if file.schema != SCHEMA {
        return malformed(format!("the schema must be '{SCHEMA}'"));
    }
    if file.seal != seal(text, &file.seal) {
        return malformed("the seal does not fit: the file was changed after it was written");
    }
    let hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    let digest = |i: &Input| i.sha256.len() == 64 && i.sha256.bytes().all(hex);
    if !file.inputs.iter().all(digest) || file.claims.is_empty() {
        return malformed(
            "inputs need a sha256 of 64 lower-case digits, and there must be a claim",
        );
    }
    let inputs = file
        .inputs
        .into_iter()
        .map(|i| (i.path, i.sha256))
        .collect();
    let (mut findings, mut steps) = (Vec::new(), limits.steps);
    for Claim { kind, about, data } in file.claims {
        let mut machine = Machine {
            names: Vec::new(),
            steps,
        };
        let verdict = replay(&kind, data, &mut machine)?;
        let (holds, reason) = (verdict.is_ok(), verdict.unwrap_or_else(|why| why));
        findings.push(Finding {
            kind,
            about,
            holds,
            reason,
        });
        steps = machine.steps;
    }
    Ok(Report {
        producer: file.producer,
        inputs,
        findings,
    })
}

/// The SHA-256 of the text with zeros in place of the seal's digits.
fn seal(text: &str, seal: &str) -> String {
    let digest = Sha256::digest(text.replacen(seal, &"0".repeat(64), 1));
    digest.iter().map(|b| format!("{b:02x}")).collect()
}

fn replay(kind: &str, data: Value, m: &mut Machine) -> Checked<Verdict> {
    fn typed<T: for<'a> Deserialize<'a>>(data: Value) -> Checked<T> {
        serde_json::from_value(data).or_else(|e| malformed(e.to_string()))
    }
    match kind {
        "polynomial-identity" => identity(&typed(data)?, m),
        "ideal-membership" => membership(&typed(data)?, m),
        "sos" => squares(&typed(data)?, m),
        "gaussian-moments" => moments::replay(&typed(data)?, m),
        "cp-exact" | "ring-exact" | "numeric-residual" => tensors::replay(kind, &typed(data)?, m),
        _ => malformed(format!(
            "there are no claims of kind {}",
            crate::error::quoted(kind)
        )),
    }
}

fn identity(claim: &Identity, m: &mut Machine) -> Checked<Verdict> {
    let mut gap = m.read(&claim.lhs)?;
    let rhs = m.read(&claim.rhs)?;
    m.add(&mut gap, -1, &one(), &rhs)?;
    Ok(vanishes(&gap, "an identity of polynomials over Q"))
}

fn membership(claim: &Membership, m: &mut Machine) -> Checked<Verdict> {
    let mut gap = m.polynomial(&claim.polynomial)?;
    if claim.generators.len() != claim.cofactors.len() {
        return malformed("there must be one cofactor for each generator");
    }
    for (g, h) in claim.generators.iter().zip(&claim.cofactors) {
        let (g, h) = (m.polynomial(g)?, m.polynomial(h)?);
        m.add(&mut gap, -1, &g, &h)?;
    }
    Ok(vanishes(&gap, "a member of the ideal over Q"))
}

fn squares(claim: &Squares, m: &mut Machine) -> Checked<Verdict> {
    let mut gap = m.polynomial(&claim.polynomial)?;
    if claim.weights.len() != claim.roots.len() {
        return malformed("there must be one weight for each root");
    }
    for (weight, root) in claim.weights.iter().zip(&claim.roots) {
        let (weight, root) = (rational(weight)?, m.polynomial(root)?);
        if weight < RBig::ZERO {
            return Ok(Err(format!("the weight {weight} of a square is negative")));
        }
        let scaled = m.mul(&root, &super::terms::monomial(Vec::new(), weight))?;
        m.add(&mut gap, -1, &scaled, &root)?;
    }
    Ok(vanishes(
        &gap,
        "a sum of squares over Q, so nowhere negative",
    ))
}

fn vanishes(gap: &Terms, holds: &str) -> Verdict {
    match gap.first_key_value() {
        None => Ok(holds.to_owned()),
        Some((e, c)) => Err(format!("{} terms differ, first by {c} at {e:?}", gap.len())),
    }
}
