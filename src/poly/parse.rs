//! Reading polynomials: `2*x^2*y - 3/4*(x + 1)^3 + 0.5`.
//!
//! Grammar: sums of products of powers; `*` is required between factors, `^` or `**` raises to a
//! non-negative integer, `/` divides by a constant. Numbers are read exactly.

use super::{Budget, Poly, Rational, Vars};
use crate::Error;
use num_traits::One;

const OP: &str = "Poly::parse";
/// Parentheses deeper than this are refused: recursion must not exhaust the stack.
const MAX_NESTING: usize = 200;
/// Default budget for the number of terms of any intermediate result.
const MAX_TERMS: usize = 1_000_000;
/// A number with more digits than this is an attack: reading it costs more than linear time.
const MAX_DIGITS: usize = 1_000_000;
/// Bits of a number raised to a power.
const MAX_BITS: u64 = 1 << 24;
/// Summands gathered before they are added up.
const GATHER: usize = 4096;

impl Poly<Rational> {
    /// Reads a polynomial with rational coefficients; new names are appended to `vars`.
    ///
    /// # Errors
    /// `Parse` with the byte offset, `LimitExceeded` for nesting beyond 200, results beyond a million
    /// terms, numbers beyond a million digits or powers of numbers beyond 2^24 bits, `Overflow` when an
    /// exponent leaves 32 bits.
    ///
    /// # Example
    /// ```
    /// use wickring::poly::{Poly, Vars};
    /// let mut vars = Vars::new();
    /// let p = Poly::parse("(x + y)^2 - (x - y)^2", &mut vars)?;
    /// assert_eq!(p.display(&vars).to_string(), "4*x*y");
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn parse(text: &str, vars: &mut Vars) -> Result<Self, Error> {
        let budget = Budget::default().terms(MAX_TERMS).work(1 << 34);
        Self::parse_within(text, vars, &budget.bits(1 << 31))
    }

    /// [`Poly::parse`] within a budget of your own for the products and powers in the text.
    ///
    /// # Errors
    /// As [`Poly::parse`], and `Stopped`.
    pub fn parse_within(text: &str, vars: &mut Vars, budget: &Budget<'_>) -> Result<Self, Error> {
        let mut reader = Reader {
            text: text.as_bytes(),
            at: 0,
            depth: 0,
            vars,
            budget,
        };
        let p = reader.sum()?;
        match reader.peek() {
            None => Ok(p),
            Some(c) => Err(reader.expected("an operator or the end", Some(c))),
        }
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
    vars: &'a mut Vars,
    budget: &'a Budget<'a>,
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn expected(&self, what: &str, found: Option<u8>) -> Error {
        let found = match found {
            None => "the end".to_owned(),
            Some(c) if c.is_ascii_graphic() => format!("'{}'", c as char),
            Some(c) => format!("byte {c:#04x}"),
        };
        Error::parse(OP, self.at, format!("{what}, found {found}"))
    }

    fn eat(&mut self, c: u8) -> bool {
        let found = self.peek() == Some(c);
        self.at += usize::from(found);
        found
    }

    fn sum(&mut self) -> Result<Poly<Rational>, Error> {
        let mut parts = vec![self.signed_product()?];
        // The sign is read with the product.
        while let Some(b'+' | b'-') = self.peek() {
            parts.push(self.signed_product()?);
            if parts.len() == GATHER {
                parts = vec![Poly::sum(parts)];
                self.budget.check_terms(OP, parts[0].len())?;
                self.budget.check_time(OP)?;
            }
        }
        let sum = Poly::sum(parts);
        self.budget.check_terms(OP, sum.len())?;
        Ok(sum)
    }

    /// A product with any number of leading signs, read in a loop so that `-----x` needs no stack.
    fn signed_product(&mut self) -> Result<Poly<Rational>, Error> {
        let mut negative = false;
        while let Some(c @ (b'+' | b'-')) = self.peek() {
            negative ^= c == b'-';
            self.at += 1;
        }
        let mut product = self.power()?;
        loop {
            if self.peek() == Some(b'*') {
                self.at += 1;
                let factor = self.power()?;
                product = product.mul_within(&factor, self.budget)?;
            } else if self.eat(b'/') {
                let at = self.at;
                let divisor = self.power()?;
                let inverse = match divisor.total_degree() {
                    0 => divisor.coefficient(&[]).recip(),
                    _ => None,
                };
                let inverse =
                    inverse.ok_or_else(|| Error::parse(OP, at, "a nonzero constant divisor"))?;
                product = product.scale(&inverse);
            } else {
                return Ok(if negative { -&product } else { product });
            }
        }
    }

    fn power(&mut self) -> Result<Poly<Rational>, Error> {
        let base = self.atom()?;
        let double_star = self.peek() == Some(b'*') && self.text.get(self.at + 1) == Some(&b'*');
        if double_star {
            self.at += 2;
        } else if !self.eat(b'^') {
            return Ok(base);
        }
        let first = self.peek();
        let digits = self.take_while(|c| c.is_ascii_digit());
        if digits.is_empty() {
            return Err(self.expected("a non-negative integer exponent", first));
        }
        let exponent: u32 = digits.parse().map_err(|_| Error::Overflow {
            op: OP,
            what: "exponent",
        })?;
        // A number to a large power explodes in bits, not in terms.
        let bits = |c: &Rational| c.bits() as u64 - 2;
        let bits = base.iter().map(|(_, c)| bits(&c)).max().unwrap_or(0);
        if bits.saturating_mul(exponent.into()) > MAX_BITS {
            return Err(Error::limit(OP, "bits", MAX_BITS));
        }
        base.pow_within(exponent, self.budget)
    }

    fn atom(&mut self) -> Result<Poly<Rational>, Error> {
        match self.peek() {
            Some(b'(') => {
                if self.depth == MAX_NESTING {
                    return Err(Error::limit(OP, "nesting", MAX_NESTING as u64));
                }
                self.at += 1;
                self.depth += 1;
                let inner = self.sum()?;
                self.depth -= 1;
                if self.eat(b')') {
                    return Ok(inner);
                }
                let found = self.peek();
                Err(self.expected("')'", found))
            }
            Some(c) if c.is_ascii_digit() || c == b'.' => self.number(),
            Some(c) if c.is_ascii_alphabetic() || c == b'_' => self.name(),
            found => Err(self.expected("a number, a variable or '('", found)),
        }
    }

    fn number(&mut self) -> Result<Poly<Rational>, Error> {
        let start = self.at;
        let mut text = self.take_while(|c| c.is_ascii_digit() || c == b'.');
        let signed = |c: Option<&u8>| matches!(c, Some(b'+' | b'-'));
        if matches!(self.text.get(self.at), Some(b'e' | b'E')) {
            let skip = 1 + usize::from(signed(self.text.get(self.at + 1)));
            if self
                .text
                .get(self.at + skip)
                .is_some_and(u8::is_ascii_digit)
            {
                let head = &self.text[self.at..self.at + skip];
                text.extend(head.iter().map(|&b| b as char));
                self.at += skip;
                text.push_str(&self.take_while(|c| c.is_ascii_digit()));
            }
        }
        if text.len() > MAX_DIGITS {
            return Err(Error::limit(OP, "digits", MAX_DIGITS as u64));
        }
        let value: Rational = text.parse().map_err(|e| match e {
            Error::Parse { expected, .. } => Error::parse(OP, start, expected),
            other => other,
        })?;
        Ok(Poly::constant(value))
    }

    fn name(&mut self) -> Result<Poly<Rational>, Error> {
        let start = self.at;
        let name = self.take_while(|c| c.is_ascii_alphanumeric() || c == b'_');
        let Some(index) = self.vars.index(&name) else {
            let known = self.vars.names().join(", ");
            let found = crate::error::quoted(&name);
            return Err(Error::parse(
                OP,
                start,
                format!("one of {known}, found {found}"),
            ));
        };
        if index > 4096 {
            return Err(Error::limit(OP, "variables", 4096));
        }
        let mut e = vec![0; index + 1];
        e[index] = 1;
        Ok(Poly::monomial(&e, Rational::one()))
    }

    fn take_while(&mut self, keep: impl Fn(u8) -> bool) -> String {
        let start = self.at;
        while self.text.get(self.at).is_some_and(|&c| keep(c)) {
            self.at += 1;
        }
        self.text[start..self.at]
            .iter()
            .map(|&b| b as char)
            .collect()
    }
}
