//! Finding theorems: what can be proved about a tensor or a computed decomposition, as claims that the checker
//! replays, and in plain words what cannot be proved and why.
//!
//! Floats choose points, preconditioners and radii; none of them is trusted, since the checker recomputes every
//! inequality in integers. A claim is handed out only after the checker has accepted it.

pub(crate) mod entries;
pub(crate) mod existence;
pub(crate) mod minimum;
pub(crate) mod near;
pub(crate) mod ranks;
pub(crate) mod uniqueness;
pub(crate) mod zeros;

use super::certificate::{Certificate, Claim};
use super::format::{Limits, check};
use crate::Error;
use crate::poly::Integer;
use serde_json::{Value, json};

/// What was proved, what was not, and why.
///
/// See [`prove_rank`](crate::certify::prove_rank) for an example.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Proof {
    /// Claims that the checker accepts.
    pub claims: Vec<Claim>,
    /// What they say, one sentence for each theorem.
    pub proved: Vec<String>,
    /// What could not be proved, with the reason.
    pub refused: Vec<String>,
}

impl Proof {
    fn refusal(reason: impl Into<String>) -> Self {
        let refused = vec![reason.into()];
        Self {
            refused,
            ..Self::default()
        }
    }

    /// The claims and the words of both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.claims.extend(other.claims);
        self.proved.extend(other.proved);
        self.refused.extend(other.refused);
        self
    }

    /// Claims that are true together, after a replay; else a refusal.
    fn replayed(claims: Vec<Claim>, words: String, limits: Limits) -> Result<Self, Error> {
        let whole = Certificate::new();
        let whole = claims.iter().cloned().fold(whole, Certificate::claim);
        match check(&whole.to_json(), limits) {
            Ok(report) if report.holds() => {
                let claims = claims.into_iter().map(|c| c.about(words.clone()));
                Ok(Self {
                    claims: claims.collect(),
                    proved: vec![words],
                    refused: Vec::new(),
                })
            }
            Ok(_) => Ok(Self::refusal(format!(
                "that {words}: the test in integers fails at this point, which is too close to a singular one"
            ))),
            Err(Error::LimitExceeded { what, .. }) => Ok(Self::refusal(format!(
                "that {words}: the proof would cost more {what} than a check allows"
            ))),
            Err(e) => Err(e),
        }
    }
}

/// Small whole numbers stand for themselves, others are texts.
fn number(x: &Integer) -> Value {
    let text = x.to_string();
    match text.parse::<i32>() {
        Ok(n) => json!(n),
        Err(_) => json!(text),
    }
}

fn numbers(values: &[Integer]) -> Value {
    values.iter().map(number).collect()
}
