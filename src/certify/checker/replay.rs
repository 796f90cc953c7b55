//! The whole certificate: header, seal, claims; and the claims about polynomials.

use super::terms::{Checked, Machine, OP, malformed};
use super::{moments, tensors};
use crate::Error;
use crate::certify::format::{Algebra, File, Finding, Limits, RawClaim, Report, Verdict};
use dashu_ratio::RBig;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

const SCHEMA: &str = "wickring/certificate/1";

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
    let file: File = serde_json::from_str(text).or_else(|e| malformed(e.to_string()))?;
    let digest = Sha256::digest(text.replacen(&file.seal, &"0".repeat(64), 1));
    let seal: String = digest.iter().map(|b| format!("{b:02x}")).collect();
    if file.schema != SCHEMA || file.seal != seal || file.claims.is_empty() {
        let parts = format!("the schema {SCHEMA}, a claim, and the seal {seal}");
        return malformed(format!("a certificate with this content has {parts}"));
    }
    let hex = |s: &str| s.len() == 64 && s.bytes().all(|b| b"0123456789abcdef".contains(&b));
    let inputs = file.inputs.into_iter().map(|i| (i.path, i.sha256));
    let inputs: Vec<_> = inputs.collect();
    if let Some((path, _)) = inputs.iter().find(|i| !hex(&i.1)) {
        return malformed(format!("the sha256 of {path:?} must have 64 digits"));
    }
    let (mut findings, mut steps) = (Vec::new(), limits.steps);
    for RawClaim { kind, about, data } in file.claims {
        let mut machine = Machine::new(steps);
        let verdict = replay(&kind, data, &mut machine)?;
        findings.push(Finding::new(kind, about, verdict));
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
            if a.iter().any(|(e, c)| !e.is_empty() || *c < RBig::ZERO) {
                return Ok(Err("a weight is not a positive number".to_owned()));
            }
            a = m.mul(&a, &b)?;
        }
        m.add(&mut gap, -1, &a, &b)?;
    }
    Ok(match gap.first_key_value() {
        None => Ok(format!("equal over Q, {} products", claim.right.len())),
        Some((e, _)) => Err(format!("{} terms differ, first at {e:?}", gap.len())),
    })
}
