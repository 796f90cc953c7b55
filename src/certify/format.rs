//! The schema `wickring/certificate/1` and what a check answers: declarations only.
//!
//! Unknown, missing and repeated fields are refused. Whatever carries meaning stays raw JSON and is judged by
//! the checker where it is used.

use serde::Deserialize;
use serde_json::Value;

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) schema: String,
    pub(super) producer: String,
    pub(super) inputs: Vec<Input>,
    pub(super) claims: Vec<RawClaim>,
    pub(super) seal: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    pub(super) path: String,
    pub(super) sha256: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawClaim {
    pub(super) kind: String,
    pub(super) about: String,
    pub(super) data: Value,
}

/// `left = sum of a * b` over the pairs `[a, b]`; for sums of squares `left = sum of a * b^2`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Algebra {
    pub(super) left: Value,
    pub(super) right: Vec<(Value, Value)>,
}

/// `["moment", [a, b, ..], v]` says that `E[z_a z_b ..] = v` up to `tolerance`, `["cumulant", ..]` likewise.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Moments {
    pub(super) polynomials: Vec<Value>,
    pub(super) values: Vec<(String, Vec<usize>, Value)>,
    pub(super) tolerance: Value,
}

/// `T[i, j, ..] = Tr(G_0[i] G_1[j] ..)` with cores `R x n x R'` for the model `ring`. For `cp` the cores are
/// `1 x n x R`, the diagonals of diagonal matrices. Over `Q[x,1/x]` the error may be `O(x^order)`; `bound` is
/// that of a numeric claim.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Factorisation {
    pub(super) model: String,
    pub(super) field: String,
    pub(super) cores: Vec<Vec<Vec<Vec<Value>>>>,
    pub(super) target: Target,
    pub(super) order: u32,
    pub(super) bound: Value,
}

/// The tensor of matrix multiplication, or entries row by row, the last index fastest.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Target {
    Matmul([u16; 3]),
    Dense {
        shape: Vec<usize>,
        entries: Vec<Value>,
    },
}

impl Target {
    /// What the claim is about, as the data have it.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Matmul([n, m, p]) => format!("matrix multiplication <{n},{m},{p}>"),
            Self::Dense { shape, .. } => format!("a tensor of {shape:?}"),
        }
    }
}

/// What was found to hold, or why it does not.
pub(super) type Verdict = Result<String, String>;

/// Limits of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Length of the certificate in bytes.
    pub bytes: usize,
    /// Word operations, and 64 for each term stored.
    pub steps: u64,
}

impl Default for Limits {
    /// 64 MB of text and 2^28 steps: about a minute and one gigabyte at most.
    fn default() -> Self {
        Self {
            bytes: 1 << 26,
            steps: 1 << 28,
        }
    }
}

/// What became of one claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The kind of claim.
    pub kind: String,
    /// The producer's words about it, not checked.
    pub about: String,
    /// Whether the claim is true.
    pub holds: bool,
    /// What was found to be true, or what is wrong.
    pub reason: String,
}

impl Finding {
    pub(super) fn new(kind: String, about: String, verdict: Verdict) -> Self {
        let holds = verdict.is_ok();
        // Values may have thousands of digits.
        let reason = verdict.unwrap_or_else(|why| why);
        let reason = reason.chars().take(300).collect();
        Self {
            kind,
            about,
            holds,
            reason,
        }
    }
}

/// What became of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Who wrote it, by its own account.
    pub producer: String,
    /// The files that it was made from and their SHA-256, as stated.
    pub inputs: Vec<(String, String)>,
    /// One finding for each claim, in order; never empty.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether every claim is true.
    pub fn holds(&self) -> bool {
        self.findings.iter().all(|f| f.holds)
    }
}
