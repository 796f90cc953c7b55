//! The whole certificate: header, seal, claims; and the claims about polynomials.

use super::terms::{Checked, Machine, OP, malformed};
use super::{moments, tensors};
use crate::Error;
use crate::certify::{Finding, Limits, Report};
use dashu_ratio::RBig;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

const SCHEMA: &str = "wickring/certificate/1";

/// The file. Unknown, missing and repeated fields are refused; what carries meaning is judged where it is used.
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

/// `left = sum of a * b` over the pairs; for sums of squares `left = sum of a * b^2`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Algebra {
    left: Value,
    right: Vec<(Value, Value)>,
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
    let separators = text.bytes().filter(|b| b",[{".contains(b)).count();
    if text.len() > limits.bytes || separators > limits.bytes / 16 {
        return Err(Error::limit(OP, "bytes", limits.bytes as u64));
    }
    let file: Certificate = serde_json::from_str(text).or_else(|e| malformed(e.to_string()))?;
    let digest = Sha256::digest(text.replacen(&file.seal, &"0".repeat(64), 1));
    let seal: String = digest.iter().map(|b| format!("{b:02x}")).collect();
    if file.schema != SCHEMA || file.seal != seal || file.claims.is_empty() {
        let parts = format!("the schema {SCHEMA}, a claim, and the seal {seal}");
        return malformed(format!("a certificate with this content has {parts}"));
    }
    let hex = |s: &str| s.len() == 64 && s.bytes().all(|b| b"0123456789abcdef".contains(&b));
    let inputs: Vec<_> = file
        .inputs
        .into_iter()
        .map(|i| (i.path, i.sha256))
        .collect();
    if let Some((path, _)) = inputs.iter().find(|i| !hex(&i.1)) {
        return malformed(format!(
            "the sha256 of {path:?} is not 64 lower-case digits"
        ));
    }
    let (mut findings, mut steps) = (Vec::new(), limits.steps);
    for Claim { kind, about, data } in file.claims {
        let mut machine = Machine {
            names: Vec::new(),
            steps,
        };
        let verdict = replay(&kind, data, &mut machine)?;
        let holds = verdict.is_ok();
        let reason = verdict.unwrap_or_else(|why| why);
        findings.push(Finding {
            kind,
            about,
            holds,
            reason,
        });
        steps = machine.steps;
    }
    let producer = file.producer;
    Ok(Report {
        producer,
        inputs,
        findings,
    })
}

fn replay(kind: &str, data: Value, m: &mut Machine) -> Checked<Verdict> {
    fn typed<T: for<'a> Deserialize<'a>>(data: Value) -> Checked<T> {
        serde_json::from_value(data).or_else(|e| malformed(e.to_string()))
    }
    match kind {
        "polynomial-identity" | "ideal-membership" | "sos" => algebra(kind, &typed(data)?, m),
        "gaussian-moments" => moments::replay(&typed(data)?, m),
        "cp-exact" | "ring-exact" | "numeric-residual" => tensors::replay(kind, &typed(data)?, m),
        _ => malformed(format!("there are no claims of kind {kind:.40?}")),
    }
}

fn algebra(kind: &str, claim: &Algebra, m: &mut Machine) -> Checked<Verdict> {
    let mut gap = m.read(&claim.left)?;
    for (a, b) in &claim.right {
        let (mut a, b) = (m.read(a)?, m.read(b)?);
        if kind == "sos" {
            // The weight must be a number, or nothing would follow.
            let negative = a.iter().find(|(e, c)| !e.is_empty() || **c < RBig::ZERO);
            if let Some((_, c)) = negative {
                return Ok(Err(format!(
                    "the weight {c} of a square is not a positive number"
                )));
            }
            a = m.mul(&a, &b)?;
        }
        m.add(&mut gap, -1, &a, &b)?;
    }
    Ok(match gap.first_key_value() {
        None => Ok(format!(
            "holds over Q, with {} products on the right",
            claim.right.len()
        )),
        Some((e, c)) => Err(format!("{} terms differ, first by {c} at {e:?}", gap.len())),
    })
}
