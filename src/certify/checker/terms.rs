//! Polynomials as sums of terms, multiplied by the definition.

use crate::Error;
use dashu_int::{IBig, ops::BitTest};
use dashu_ratio::RBig;
use serde_json::Value;
use std::collections::BTreeMap;

pub(super) const OP: &str = "certify::check";
const MAX_EXPONENT: i64 = 1 << 16;

/// Exponents, without trailing zeros, to nonzero coefficients.
pub(super) type Terms = BTreeMap<Vec<i64>, RBig>;
pub(super) type Checked<T> = Result<T, Error>;

/// The text is not a certificate, whatever it claims.
pub(super) fn malformed<T>(what: impl Into<String>) -> Checked<T> {
    let short = what.into().chars().take(300).collect::<String>();
    Err(Error::invalid(OP, short))
}

pub(super) fn monomial(mut exponents: Vec<i64>, coefficient: RBig) -> Terms {
    while exponents.last() == Some(&0) {
        exponents.pop();
    }
    let term = (coefficient != RBig::ZERO).then_some((exponents, coefficient));
    term.into_iter().collect()
}

pub(super) fn one() -> Terms {
    monomial(Vec::new(), RBig::ONE)
}

/// A text such as "-3/4", a whole number, or a JSON float, which stands for the nearest binary64.
pub(super) fn rational(json: &Value) -> Checked<RBig> {
    let digits = |s: &str| s.len() < 1 << 16 && s.bytes().all(|b| b.is_ascii_digit());
    let read = |text: &str| {
        let (n, d) = text.split_once('/').unwrap_or((text, "1"));
        let plain = digits(n.strip_prefix('-').unwrap_or(n)) && digits(d);
        let (n, d): (IBig, IBig) = (n.parse().ok()?, d.parse().ok()?);
        (plain && d != IBig::ZERO).then(|| RBig::from(n) / RBig::from(d))
    };
    let value = match (json.as_str(), json.as_i64(), json.as_f64()) {
        (Some(text), ..) => read(text),
        (_, Some(n), _) => Some(n.into()),
        (.., float) => float.and_then(|x| RBig::try_from(x).ok()),
    };
    value.map_or_else(
        || malformed(format!("{:.60} is no number", json.to_string())),
        Ok,
    )
}

/// The variables of a claim, in order of appearance, and what may still be spent on it.
pub(super) struct Machine {
    names: Vec<String>,
    pub(super) steps: u64,
}

impl Machine {
    pub(super) fn new(steps: u64) -> Self {
        let names = Vec::new();
        Self { names, steps }
    }

    pub(super) fn spend(&mut self, steps: usize) -> Checked<()> {
        let left = self.steps.checked_sub(steps as u64);
        let over = || malformed("checking costs more steps than the limit allows");
        self.steps = left.map_or_else(over, Ok)?;
        Ok(())
    }

    /// `sum += factor * a * b`, term by term.
    pub(super) fn add(
        &mut self,
        sum: &mut Terms,
        factor: i64,
        a: &Terms,
        b: &Terms,
    ) -> Checked<()> {
        let words = |c: &RBig| 1 + (c.numerator().bit_len() + c.denominator().bit_len()) / 64;
        let at = |e: &[i64], i| e.get(i).copied().unwrap_or(0);
        self.spend(1)?;
        for ((ea, ca), (eb, cb)) in a.iter().flat_map(|x| b.iter().map(move |y| (x, y))) {
            self.spend(words(ca) * words(cb) + ea.len() + eb.len())?;
            let e = (0..ea.len().max(eb.len())).map(|i| at(ea, i) + at(eb, i));
            for (e, c) in monomial(e.collect(), ca * cb * RBig::from(factor)) {
                if e.iter().any(|k| k.abs() > MAX_EXPONENT) {
                    return malformed(format!("an exponent is beyond {MAX_EXPONENT}"));
                }
                let old = sum.remove(&e);
                self.spend(old.as_ref().map_or(64 + e.len() + words(&c), |_| 0))?;
                sum.extend(monomial(e, c + old.unwrap_or(RBig::ZERO)));
            }
        }
        Ok(())
    }

    pub(super) fn mul(&mut self, a: &Terms, b: &Terms) -> Checked<Terms> {
        let mut product = Terms::new();
        self.add(&mut product, 1, a, b)?;
        Ok(product)
    }

    /// An expression: a number, a variable, `["+", ..]`, `["*", ..]` or `["^", base, exponent]`.
    pub(super) fn read(&mut self, json: &Value) -> Checked<Terms> {
        if let Some(name) = json.as_str().filter(|s| s.starts_with(char::is_alphabetic)) {
            let known = self.names.iter().position(|n| n == name);
            let mut exponents = vec![0; known.unwrap_or(self.names.len())];
            self.spend(exponents.len())?;
            self.names.extend(known.is_none().then(|| name.to_owned()));
            exponents.push(1);
            return Ok(monomial(exponents, RBig::ONE));
        }
        let Some([op, args @ ..]) = json.as_array().map(Vec::as_slice) else {
            return Ok(monomial(Vec::new(), rational(json)?));
        };
        let mut result = if op == "+" { Terms::new() } else { one() };
        match (op.as_str(), args) {
            (Some("+" | "*"), _) => {
                for arg in args {
                    let arg = self.read(arg)?;
                    match op == "+" {
                        true => self.add(&mut result, 1, &one(), &arg)?,
                        false => result = self.mul(&result, &arg)?,
                    }
                }
            }
            (Some("^"), [base, exponent]) => {
                let base = self.read(base)?;
                for _ in 0..exponent.as_u64().unwrap_or(u64::MAX) {
                    result = self.mul(&result, &base)?;
                }
            }
            _ => return malformed(format!("{:.60} is no expression", json.to_string())),
        }
        Ok(result)
    }
}
