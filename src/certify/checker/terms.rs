//! Polynomials as sums of terms, multiplied by the definition, and what that may cost.

use crate::Error;
use crate::certify::json::{Json, malformed};
use crate::certify::numbers::{Budget, OP, limited, words};
use crate::certify::rings::MAX_EXPONENT;
use dashu_ratio::RBig;
use std::collections::BTreeMap;

/// Exponents, without trailing zeros, to nonzero coefficients.
pub(super) type Terms = BTreeMap<Vec<i64>, RBig>;
pub(super) type Checked<T> = Result<T, Error>;

/// What names of variables begin with: a letter of ASCII, or anything beyond ASCII.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || !c.is_ascii()
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

/// The variables of a claim, in order of appearance, and what may still be spent on it.
pub(super) struct Machine {
    names: Vec<String>,
    pub(super) budget: Budget,
}

impl Machine {
    pub(super) fn new(budget: Budget) -> Self {
        let names = Vec::new();
        Self { names, budget }
    }

    /// `sum += coefficient * x^exponents`.
    pub(super) fn put(&mut self, sum: &mut Terms, exponents: Vec<i64>, c: RBig) -> Checked<()> {
        if exponents
            .iter()
            .any(|k| k.unsigned_abs() > MAX_EXPONENT as u64)
        {
            return Err(Error::limit(OP, "exponent", MAX_EXPONENT as u64));
        }
        for (e, c) in monomial(exponents, c) {
            let c = match sum.remove(&e) {
                Some(old) => self.budget.sum(&old, &c)?,
                None => {
                    // In memory: a place in the tree, the exponents, the number.
                    self.budget.spend(256 + 8 * (e.len() + words(&c)))?;
                    c
                }
            };
            sum.extend(monomial(e, c));
        }
        Ok(())
    }

    /// `sum += a * b`, or `sum -= a * b` when `minus`, term by term.
    pub(super) fn add(
        &mut self,
        sum: &mut Terms,
        minus: bool,
        a: &Terms,
        b: &Terms,
    ) -> Checked<()> {
        let at = |e: &[i64], i| e.get(i).copied().unwrap_or(0);
        self.budget.spend(1)?;
        for ((ea, ca), (eb, cb)) in a.iter().flat_map(|x| b.iter().map(move |y| (x, y))) {
            self.budget.spend(16 + ea.len() + eb.len())?;
            let e = (0..ea.len().max(eb.len())).map(|i| at(ea, i) + at(eb, i));
            let c = self.budget.product(ca, cb)?;
            self.put(sum, e.collect(), if minus { -c } else { c })?;
        }
        Ok(())
    }

    pub(super) fn mul(&mut self, a: &Terms, b: &Terms) -> Checked<Terms> {
        let mut product = Terms::new();
        self.add(&mut product, false, a, b)?;
        Ok(product)
    }

    /// An expression: a number, a variable, `["+", ..]`, `["*", ..]` or `["^", base, exponent]`.
    pub(super) fn read(&mut self, json: &Json) -> Checked<Terms> {
        let (op, args) = match json {
            Json::Text(name) if name.starts_with(is_letter) => {
                let known = self.names.iter().position(|n| n == name);
                let mut exponents = vec![0; known.unwrap_or(self.names.len())];
                self.budget.spend(256 + 8 * exponents.len())?;
                self.names.extend(known.is_none().then(|| name.to_string()));
                exponents.push(1);
                return Ok(monomial(exponents, RBig::ONE));
            }
            Json::List(items) => match &items[..] {
                [Json::Text(op), args @ ..] => (op.as_ref(), args),
                _ => return malformed("a list is no expression without an operator"),
            },
            number => return Ok(monomial(Vec::new(), self.budget.rational(number, false)?)),
        };
        let mut result = if op == "+" { Terms::new() } else { one() };
        match (op, args) {
            ("+", _) => {
                for arg in args {
                    let arg = self.read(arg)?;
                    self.add(&mut result, false, &one(), &arg)?;
                }
            }
            ("*", _) => {
                for arg in args {
                    let arg = self.read(arg)?;
                    result = self.mul(&result, &arg)?;
                }
            }
            ("^", [base, exponent]) => {
                let base = self.read(base)?;
                for _ in 0..limited(exponent, 0, MAX_EXPONENT, "exponent")? {
                    result = self.mul(&result, &base)?;
                }
            }
            _ => return malformed(format!("{op:.60?} of {} is no expression", args.len())),
        }
        Ok(result)
    }
}
