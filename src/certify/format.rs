//! The header of a certificate, of schema `wickring/certificate/1` or `/2`, and what a check answers.
//!
//! Unknown, missing and repeated fields are refused. What a claim says stays raw and is judged by the checker.

use super::certificate::sha256;
use super::checker::replay::claim;
use super::checker::theorems::{KINDS, theorem};
use super::held_out;
use super::json::{Json, malformed};
use super::numbers::{Budget, OP};
use super::rounded::{self, TensorData};
use crate::Error;
use std::time::Instant;

pub(super) const SCHEMAS: [&str; 2] = ["wickring/certificate/1", "wickring/certificate/2"];

/// The status of the fit that a certificate was written for, as its producer states it.
///
/// See [`Report`] for an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatedFit {
    /// `converged`, `stalled`, ..
    pub status: String,
    /// The first check that failed, in words; empty when none did.
    pub failed: String,
}

/// The fields of the file.
pub(super) struct Header<'a> {
    pub(super) producer: String,
    pub(super) inputs: Vec<(String, String)>,
    pub(super) fit: Option<StatedFit>,
    pub(super) claims: &'a [Json<'a>],
}

impl<'a> Header<'a> {
    /// Reads the header and holds the content against the seal.
    pub(super) fn read(file: &'a Json<'a>, text: &str) -> Result<Self, Error> {
        let schema = file.field("schema").map_or(Ok(""), Json::text)?;
        let (fields, expected, fit) = if schema == SCHEMAS[1] {
            let [s, p, i, fit, c, seal] =
                file.fields(["schema", "producer", "inputs", "fit", "claims", "seal"])?;
            ([s, p, i, c, seal], file.seal(), Some(fit))
        } else {
            let fields = file.fields(["schema", "producer", "inputs", "claims", "seal"])?;
            // The text itself, with zeros in the place of the seal.
            let seal = fields[4].text()?;
            let zeros = text.replacen(seal, &"0".repeat(64), 1);
            (fields, sha256(zeros.as_bytes()), None)
        };
        let [schema, producer, inputs, claims, seal] = fields;
        let known = SCHEMAS.contains(&schema.text()?) && !claims.list()?.is_empty();
        if !known || seal.text()? != expected {
            let parts = format!(
                "the schema {}, a claim, and the seal {expected}",
                SCHEMAS[1]
            );
            return malformed(format!("a certificate with this content has {parts}"));
        }
        let inputs = inputs.list()?.iter().map(input);
        Ok(Self {
            producer: producer.text()?.to_owned(),
            inputs: inputs.collect::<Result<_, _>>()?,
            fit: fit.map_or(Ok(None), stated_fit)?,
            claims: claims.list()?,
        })
    }
}

fn input(json: &Json<'_>) -> Result<(String, String), Error> {
    let [path, sha256] = json.fields(["path", "sha256"])?;
    let (path, digest) = (path.text()?.to_owned(), sha256.text()?.to_owned());
    let hex = |b| b"0123456789abcdef".contains(&b);
    if digest.len() != 64 || !digest.bytes().all(hex) {
        return malformed(format!("the sha256 of {path:?} must have 64 digits"));
    }
    Ok((path, digest))
}

fn stated_fit(json: &Json<'_>) -> Result<Option<StatedFit>, Error> {
    if *json == Json::Null {
        return Ok(None);
    }
    let [status, failed] = json.fields(["status", "failed"])?;
    Ok(Some(StatedFit {
        status: status.text()?.to_owned(),
        failed: failed.text()?.to_owned(),
    }))
}

/// What was found about a claim, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    True(String),
    /// True, and it would be true of zeros as well.
    Vacuous(String),
    False(String),
    /// The data of the claim do not show that it is true, nor that it is false.
    Undecided(String),
    /// It rests on a tensor that is not there.
    Open(String),
}

/// Limits of one check.
/// See [`check`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Length of the certificate in bytes.
    pub bytes: usize,
    /// Word operations, and 256 and more for each term stored; each is paid for before it is done.
    pub steps: u64,
    /// When to stop.
    pub deadline: Option<Instant>,
}

impl Default for Limits {
    /// 64 MB of text and 2^30 steps: about a minute and one gigabyte at most.
    fn default() -> Self {
        Self {
            bytes: 1 << 26,
            steps: 1 << 30,
            deadline: None,
        }
    }
}

/// What became of one claim.
///
/// See [`Report`] for an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The kind of claim.
    pub kind: String,
    /// The producer's words about it, not checked.
    pub about: String,
    /// Whether the claim is true and says something.
    pub holds: bool,
    /// Whether the claim is true and says nothing: it would hold for zeros as well.
    pub vacuous: bool,
    /// Whether the claim names a tensor by its digest that was not offered, so that nothing is known about it.
    pub open: bool,
    /// Whether the data of the claim are too little to show that it is true; it may be true or false.
    pub undecided: bool,
    /// What was found to be true, or what is wrong.
    pub reason: String,
}

impl Finding {
    pub(super) fn new(kind: String, about: String, verdict: Verdict) -> Self {
        let holds = matches!(verdict, Verdict::True(_));
        let vacuous = matches!(verdict, Verdict::Vacuous(_));
        let open = matches!(verdict, Verdict::Open(_));
        let undecided = matches!(verdict, Verdict::Undecided(_));
        let (Verdict::True(reason)
        | Verdict::Vacuous(reason)
        | Verdict::False(reason)
        | Verdict::Undecided(reason)
        | Verdict::Open(reason)) = verdict;
        // Values may have thousands of digits.
        let reason = reason.chars().take(300).collect();
        Self {
            kind,
            about,
            holds,
            vacuous,
            open,
            undecided,
            reason,
        }
    }

    /// Whether the claim is false.
    pub fn refuted(&self) -> bool {
        !(self.holds || self.vacuous || self.open || self.undecided)
    }

    /// `TRUE`, `FALSE`, `VACUOUS`, `OPEN` or `UNDECIDED`.
    pub fn word(&self) -> &'static str {
        match self {
            f if f.holds => "TRUE",
            f if f.vacuous => "VACUOUS",
            f if f.open => "OPEN",
            f if f.undecided => "UNDECIDED",
            _ => "FALSE",
        }
    }
}

/// What became of a certificate.
///
/// # Example
/// ```
/// use wickring::certify::{Certificate, Claim, Limits, check};
/// let text = Certificate::new()
///     .fit("stalled", "relative residual")
///     .claim(Claim::identity("x*x", "x^2")?)
///     .claim(Claim::identity("x", "y")?)
///     .to_json();
/// let report = check(&text, Limits::default())?;
/// assert!(!report.holds() && report.refuted());
/// let words: Vec<&str> = report.findings.iter().map(|f| f.word()).collect();
/// assert_eq!(words, ["TRUE", "FALSE"]);
/// assert_eq!(report.fit.map(|f| f.status).as_deref(), Some("stalled"));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Who wrote it, by its own account.
    pub producer: String,
    /// The files that it was made from and their SHA-256, as stated.
    pub inputs: Vec<(String, String)>,
    /// The status of the fit that it was written for, as stated; absent in version 1.
    pub fit: Option<StatedFit>,
    /// One finding for each claim, in order; never empty.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether every claim is true and says something.
    pub fn holds(&self) -> bool {
        self.findings.iter().all(|f| f.holds)
    }

    /// Whether a claim is false.
    pub fn refuted(&self) -> bool {
        self.findings.iter().any(Finding::refuted)
    }
}

/// Replays every claim of a certificate, given as JSON text.
///
/// # Errors
/// `InvalidInput` when the text is not a well-formed certificate (a false claim is no error: see
/// [`Report::holds`]), `LimitExceeded` when checking it would cost more than `limits`, `Stopped` at their deadline.
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
    check_with(text, limits, &[])
}

/// The same with tensors at hand, for the claims that name theirs by its digest; without it such a claim is open.
///
/// # Errors
/// As [`check`].
pub fn check_with(text: &str, limits: Limits, tensors: &[TensorData<'_>]) -> Result<Report, Error> {
    // A value takes about 64 bytes once read, and there are no more values than separators.
    let separators = text.bytes().filter(|b| b",[{".contains(b)).count();
    if text.len() > limits.bytes || separators > limits.bytes / 16 {
        return Err(Error::limit(OP, "bytes", limits.bytes as u64));
    }
    let mut budget = Budget::new(OP, limits.steps, limits.deadline);
    budget.spend(64 * separators + text.len() / 8)?;
    let file = Json::parse(text)?;
    let header = Header::read(&file, text)?;
    let mut findings = Vec::new();
    for (k, item) in header.claims.iter().enumerate() {
        let [kind, about, data] = item.fields(["kind", "about", "data"])?;
        let (kind, about) = (kind.text()?, about.text()?.to_owned());
        let verdict = match kind {
            "rounded-residual" => rounded::replay(data, &mut budget, tensors)?,
            "held-out-cumulants" => {
                held_out::replay(data, &header.claims[..k], &mut budget, tensors)?
            }
            _ if KINDS.contains(&kind) => theorem(kind, data, &header.claims[..k], &mut budget)?,
            _ => claim(kind, data, &mut budget)?,
        };
        findings.push(Finding::new(kind.to_owned(), about, verdict));
    }
    Ok(Report {
        producer: header.producer,
        inputs: header.inputs,
        fit: header.fit,
        findings,
    })
}
