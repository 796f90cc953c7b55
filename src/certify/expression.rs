//! Expressions as certificates hold them: trees of sums, products and powers, not multiplied out.

use crate::Error;
use crate::poly::{Poly, Rational, Vars};
use serde_json::{Value, json};

const OP: &str = "Expression::parse";
/// Certificates nest at most 128 levels deep, of which a bracket takes up to three.
const MAX_NESTING: usize = 30;
const MAX_NODES: usize = 1 << 22;

/// A polynomial as it was written: `(x + y)^2` stays a square.
///
/// In JSON: a rational as a text or a whole number, a variable as a text, `["+", ..]`, `["*", ..]`,
/// `["^", base, exponent]`.
///
/// # Example
/// ```
/// use wickring::certify::{Certificate, Claim, Expression, Limits, check};
/// let square = Expression::parse("(x + 1/2)^2")?;
/// let claim = Claim::equal(&square, &Expression::parse("x^2 + x + 0.25")?);
/// assert!(check(&Certificate::new().claim(claim).to_json(), Limits::default())?.holds());
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Expression(Value);

impl Expression {
    /// Reads `(x + 1/2)^3 - 0.25*y`; decimals are exact, and only numbers may be divided by.
    ///
    /// # Errors
    /// `Parse` with the byte offset, `LimitExceeded` for brackets nested more than 30 deep.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut reader = Reader {
            text: text.as_bytes(),
            at: 0,
            nodes: 0,
        };
        let tree = reader.sum(0)?;
        match reader.peek() {
            None => Ok(Self(tree)),
            Some(_) => Err(reader.expected("an operator or the end")),
        }
    }

    /// The sum of the terms of `p`, with the names of `vars`.
    pub fn from_poly(p: &Poly<Rational>, vars: &Vars) -> Self {
        let mut sum = vec![json!("+")];
        for (exponents, c) in p.terms() {
            let mut term = vec![json!("*"), json!(c.to_string())];
            for (i, e) in exponents.iter().enumerate().filter(|(_, e)| **e > 0) {
                let name = vars.name(i);
                term.push(if *e == 1 {
                    json!(name)
                } else {
                    json!(["^", name, e])
                });
            }
            sum.push(Value::Array(term));
        }
        Self(Value::Array(sum))
    }

    /// `x'Qx + b'x + c` in the variables `x0, x1, ..`, with the exact values of the floats.
    ///
    /// # Shapes
    /// `quadratic` is `r*r` entries row by row, `linear` has `r`.
    ///
    /// # Errors
    /// `Shape`, and `NonFinite` when an entry is NaN or infinite.
    pub fn quadratic_form(quadratic: &[f64], linear: &[f64], constant: f64) -> Result<Self, Error> {
        let op = "Expression::quadratic_form";
        let r = linear.len();
        if quadratic.len() != r * r {
            return Err(Error::shape(
                op,
                format!("{r}*{r} entries"),
                quadratic.len().to_string(),
            ));
        }
        let mut sum = vec![json!("+")];
        let mut term = |index: usize, value: f64, names: Vec<usize>| {
            let exact = Rational::from_f64(value).ok_or(Error::NonFinite { op, index })?;
            if value != 0.0 {
                let names = names.into_iter().map(|i| json!(format!("x{i}")));
                sum.push(Value::Array(
                    [json!("*"), json!(exact.to_string())]
                        .into_iter()
                        .chain(names)
                        .collect(),
                ));
            }
            Ok(())
        };
        for (k, &q) in quadratic.iter().enumerate() {
            term(k, q, vec![k / r, k % r])?;
        }
        for (i, &b) in linear.iter().enumerate() {
            term(r * r + i, b, vec![i])?;
        }
        term(r * r + r, constant, vec![])?;
        Ok(Self(Value::Array(sum)))
    }

    /// The sum with a multiple of a variable, with the exact value of the float.
    ///
    /// # Errors
    /// `NonFinite`.
    pub fn plus_multiple(self, factor: f64, name: &str) -> Result<Self, Error> {
        let (op, index) = ("Expression::plus_multiple", 0);
        let exact = Rational::from_f64(factor).ok_or(Error::NonFinite { op, index })?;
        Ok(Self(json!(["+", self.0, ["*", exact.to_string(), name]])))
    }

    /// The tree as JSON.
    pub fn to_json(&self) -> Value {
        self.0.clone()
    }

    pub(super) fn tree(&self) -> &Value {
        &self.0
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    nodes: usize,
}

/// `[op, items..]`, or the item itself when there is one.
fn node(op: &str, mut items: Vec<Value>) -> Value {
    if items.len() == 1 {
        return items.swap_remove(0);
    }
    items.insert(0, json!(op));
    Value::Array(items)
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn expected(&self, what: &str) -> Error {
        Error::parse(OP, self.at, what)
    }

    fn take(&mut self, keep: impl Fn(u8) -> bool) -> String {
        let kept = self.text[self.at..].iter().take_while(|&&b| keep(b));
        let found: String = kept.map(|&b| b as char).collect();
        self.at += found.len();
        found
    }

    /// Reads leading signs and says whether they make a minus.
    fn minus(&mut self) -> bool {
        let mut minus = false;
        while let Some(b @ (b'+' | b'-')) = self.peek() {
            minus ^= b == b'-';
            self.at += 1;
        }
        minus
    }

    fn sum(&mut self, depth: usize) -> Result<Value, Error> {
        if depth > MAX_NESTING {
            return Err(Error::limit(OP, "levels of brackets", MAX_NESTING as u64));
        }
        let mut sum = Vec::new();
        loop {
            let mut product = Vec::new();
            if self.minus() {
                product.push(json!(-1));
            }
            product.push(self.power(depth)?);
            while let Some(b @ (b'*' | b'/')) = self.peek() {
                self.at += 1;
                let at = self.at;
                let factor = self.power(depth)?;
                product.push(if b == b'/' {
                    let number = factor.as_str().and_then(|s| s.parse::<Rational>().ok());
                    let inverse = number.and_then(|n| n.recip());
                    let wanted = || Error::parse(OP, at, "a number other than zero to divide by");
                    json!(inverse.ok_or_else(wanted)?.to_string())
                } else {
                    factor
                });
            }
            sum.push(node("*", product));
            if !matches!(self.peek(), Some(b'+' | b'-')) {
                return Ok(node("+", sum));
            }
        }
    }

    fn power(&mut self, depth: usize) -> Result<Value, Error> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(Error::limit(OP, "nodes", MAX_NODES as u64));
        }
        let base = match self.peek() {
            Some(b'(') => {
                self.at += 1;
                let inner = self.sum(depth + 1)?;
                if self.peek() != Some(b')') {
                    return Err(self.expected("')'"));
                }
                self.at += 1;
                inner
            }
            Some(b'0'..=b'9' | b'.') => {
                let digits = self.take(|b| b.is_ascii_digit() || b == b'.');
                let value: Rational = digits.parse().map_err(|_| self.expected("a number"))?;
                json!(value.to_string())
            }
            Some(b) if b.is_ascii_alphabetic() => {
                json!(self.take(|b| b.is_ascii_alphanumeric() || b == b'_'))
            }
            _ => return Err(self.expected("a number, a variable or '('")),
        };
        let star = self.peek() == Some(b'*') && self.text.get(self.at + 1) == Some(&b'*');
        if self.peek() != Some(b'^') && !star {
            return Ok(base);
        }
        self.at += if star { 2 } else { 1 };
        let exponent: Option<u64> = self.take(|b| b.is_ascii_digit()).parse().ok();
        let exponent = exponent.ok_or_else(|| self.expected("a whole exponent"))?;
        Ok(json!(["^", base, exponent]))
    }
}
