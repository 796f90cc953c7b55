//! Numbers of certificates, read from their texts into exact rationals, and what arithmetic with them may cost.

use super::json::{Json, is_whole, malformed};
use crate::Error;
use dashu_int::{IBig, ops::BitTest};
use dashu_ratio::RBig;
use std::time::Instant;

pub(crate) const OP: &str = "certify::check";
const MAX_DIGITS: usize = 1 << 16;

/// A whole number from `least` to `most`.
pub(crate) fn whole(json: &Json, least: i64, most: i64) -> Result<i64, Error> {
    let n = match json {
        Json::Number(text) => text.parse().ok().filter(|n| (least..=most).contains(n)),
        _ => None,
    };
    let what = || {
        malformed(format!(
            "{} is no number from {least} to {most}",
            json.short()
        ))
    };
    n.map_or_else(what, Ok)
}

/// The same with `most` a limit of the checker, beyond which nothing is known.
pub(crate) fn limited(
    json: &Json<'_>,
    least: i64,
    most: i64,
    what: &'static str,
) -> Result<i64, Error> {
    let beyond = match json {
        Json::Number(n) if is_whole(n) => match n.strip_prefix('-') {
            Some(size) => least < 0 && size.parse().map_or(true, |n: u64| n > least.unsigned_abs()),
            None => n.parse().map_or(true, |n: u64| n > most.unsigned_abs()),
        },
        _ => false,
    };
    match beyond {
        true => Err(Error::limit(OP, what, most.unsigned_abs())),
        false => whole(json, least, most),
    }
}

/// Words of numerator and denominator; a denominator of one has none.
pub(crate) fn words(c: &RBig) -> usize {
    let d = c.denominator().bit_len();
    1 + c.numerator().bit_len() / 64 + if d > 1 { 1 + d / 64 } else { 0 }
}

/// Word operations of a sum or a product by schoolbook, with the greatest common divisors of fractions.
fn cost(a: &RBig, b: &RBig) -> usize {
    let (x, y) = (words(a), words(b));
    match a.is_int() && b.is_int() {
        true => x.saturating_mul(y),
        false => (x + y).saturating_mul(x + y),
    }
}

/// What may still be spent, in word operations, and until when.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    op: &'static str,
    limit: u64,
    left: u64,
    deadline: Option<Instant>,
    unwatched: usize,
}

impl Budget {
    /// `op` is what messages name.
    pub(crate) fn new(op: &'static str, limit: u64, deadline: Option<Instant>) -> Self {
        Self {
            op,
            limit,
            left: limit,
            deadline,
            unwatched: 0,
        }
    }

    /// Pays before the work is done; looks at the clock now and then.
    pub(crate) fn spend(&mut self, steps: usize) -> Result<(), Error> {
        let left = self.left.checked_sub(steps as u64);
        self.left = left.ok_or(Error::limit(self.op, "steps", self.limit))?;
        self.unwatched = self.unwatched.saturating_add(steps);
        if self.unwatched > 1 << 18 {
            self.unwatched = 0;
            if self.deadline.is_some_and(|d| Instant::now() >= d) {
                return Err(Error::Stopped { op: self.op });
            }
        }
        Ok(())
    }

    pub(crate) fn sum(&mut self, a: &RBig, b: &RBig) -> Result<RBig, Error> {
        self.spend(cost(a, b))?;
        Ok(a + b)
    }

    pub(crate) fn product(&mut self, a: &RBig, b: &RBig) -> Result<RBig, Error> {
        self.spend(cost(a, b))?;
        Ok(a * b)
    }

    /// A text such as "-3/4" or a whole number; where `floats` may stand, other numbers of JSON are the nearest
    /// binary64.
    pub(crate) fn rational(&mut self, json: &Json, floats: bool) -> Result<RBig, Error> {
        let wrong = || malformed(format!("{} is no number here", json.short()));
        let text = match json {
            Json::Number(text) if !is_whole(text) => {
                let nearest = text.parse::<f64>().ok().filter(|_| floats);
                let exact = nearest.and_then(|x| RBig::try_from(x).ok());
                return exact.map_or_else(wrong, Ok);
            }
            Json::Number(text) => text,
            Json::Text(text) => text.as_ref(),
            _ => return wrong(),
        };
        let (n, d) = text.split_once('/').unwrap_or((text, "1"));
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(n.strip_prefix('-').unwrap_or(n)) || !digits(d) {
            return wrong();
        }
        if n.len().max(d.len()) > MAX_DIGITS {
            return Err(Error::limit(OP, "digits of a number", MAX_DIGITS as u64));
        }
        let w = 1 + text.len() / 16;
        self.spend(w * w)?;
        match (n.parse::<IBig>(), d.parse::<IBig>()) {
            (Ok(n), Ok(d)) if d != IBig::ZERO => Ok(RBig::from(n) / RBig::from(d)),
            _ => wrong(),
        }
    }
}
