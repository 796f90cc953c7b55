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
/// Exponents gathered before summands are added up.
const GATHER: usize = 1 << 16;

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

/// What stands between two operators.
enum Factor {
    Number(Rational),
    /// A variable's number and its exponent.
    Variable(usize, u32),
    Poly(Poly<Rational>),
}

/// The numbers of a product. Only numbers of like size are multiplied, so that a long product of short numbers
/// takes about linear time.
#[derive(Default)]
struct Numbers(Vec<Rational>);

impl Numbers {
    fn push(&mut self, mut number: Rational) {
        while let Some(last) = self.0.pop_if(|last| last.bits() <= 2 * number.bits()) {
            number *= &last;
        }
        self.0.push(number);
    }

    fn product(self) -> Result<Rational, Error> {
        let bits: u64 = self.0.iter().map(|c| c.bits() as u64).sum();
        if bits > MAX_BITS {
            return Err(Error::limit(OP, "bits", MAX_BITS));
        }
        let ones = Rational::one();
        Ok(self
            .0
            .into_iter()
            .rev()
            .fold(ones, |product, c| product * c))
    }
}

/// What stands between two signs.
enum Product {
    Term(Vec<u32>, Rational),
    Poly(Poly<Rational>),
}

fn raise(exponents: &mut Vec<u32>, index: usize, by: u32) -> Result<(), Error> {
    if exponents.len() <= index {
        exponents.resize(index + 1, 0);
    }
    let raised = exponents[index].checked_add(by).ok_or(Error::Overflow {
        op: OP,
        what: "exponent",
    })?;
    exponents[index] = raised;
    Ok(())
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
        let mut terms: Vec<(Vec<u32>, Rational)> = Vec::new();
        let mut parts: Vec<Poly<Rational>> = Vec::new();
        // Exponents held, and how many before what is held is added up: twice what was left the last time.
        let (mut held, mut most) = (0usize, GATHER);
        loop {
            // The sign is read with the product.
            match self.signed_product()? {
                Product::Term(e, c) => {
                    held += e.len() + 1;
                    terms.push((e, c));
                }
                Product::Poly(p) => {
                    held += p.len() * (p.nvars() + 1);
                    parts.push(p);
                }
            }
            let more = matches!(self.peek(), Some(b'+' | b'-'));
            if held > most || !more {
                parts.push(Poly::from_terms(std::mem::take(&mut terms)));
                let sum = Poly::sum(std::mem::take(&mut parts));
                self.budget.check_terms(OP, sum.len())?;
                self.budget.check_time(OP)?;
                if !more {
                    return Ok(sum);
                }
                held = sum.len() * (sum.nvars() + 1);
                most = GATHER.max(2 * held);
                parts.push(sum);
            }
        }
    }

    /// A product with any number of leading signs, read in a loop so that `-----x` needs no stack.
    fn signed_product(&mut self) -> Result<Product, Error> {
        let mut negative = false;
        while let Some(c @ (b'+' | b'-')) = self.peek() {
            negative ^= c == b'-';
            self.at += 1;
        }
        // Numbers and variables are gathered as one term; sums in parentheses are multiplied as they come.
        let mut numbers = Numbers::default();
        let mut exponents = Vec::new();
        let mut sums: Option<Poly<Rational>> = None;
        let mut first = true;
        loop {
            if first || self.peek() == Some(b'*') {
                self.at += usize::from(!first);
                first = false;
                match self.power()? {
                    Factor::Number(c) => numbers.push(c),
                    Factor::Variable(i, k) => raise(&mut exponents, i, k)?,
                    Factor::Poly(p) => {
                        sums = Some(match sums {
                            Some(product) => product.mul_within(&p, self.budget)?,
                            None => p,
                        });
                    }
                }
            } else if self.eat(b'/') {
                let at = self.at;
                let divisor = match self.power()? {
                    Factor::Number(c) => Some(c),
                    Factor::Poly(p) if p.total_degree() == 0 => Some(p.coefficient(&[])),
                    Factor::Poly(_) | Factor::Variable(..) => None,
                };
                let inverse = divisor.and_then(|c| c.recip());
                let inverse =
                    inverse.ok_or_else(|| Error::parse(OP, at, "a nonzero constant divisor"))?;
                numbers.push(inverse);
            } else {
                let coefficient = numbers.product()?;
                let coefficient = if negative { -coefficient } else { coefficient };
                return Ok(match sums {
                    None => Product::Term(exponents, coefficient),
                    Some(p) if exponents.is_empty() => Product::Poly(p.scale(&coefficient)),
                    Some(p) => {
                        let term = Poly::monomial(&exponents, coefficient);
                        Product::Poly(p.mul_within(&term, self.budget)?)
                    }
                });
            }
        }
    }

    fn power(&mut self) -> Result<Factor, Error> {
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
        let overflow = Error::Overflow {
            op: OP,
            what: "exponent",
        };
        let exponent: u32 = digits.parse().map_err(|_| overflow.clone())?;
        // A number to a large power explodes in bits, not in terms.
        let fits = |c: &Rational| {
            let bits = (c.bits() as u64)
                .saturating_sub(2)
                .saturating_mul(exponent.into());
            if bits > MAX_BITS {
                return Err(Error::limit(OP, "bits", MAX_BITS));
            }
            Ok(())
        };
        Ok(match base {
            Factor::Number(c) => {
                fits(&c)?;
                Factor::Number(c.pow(exponent))
            }
            Factor::Variable(i, k) => Factor::Variable(i, k.checked_mul(exponent).ok_or(overflow)?),
            Factor::Poly(p) => {
                let size = |c: &Rational| c.bits();
                if let Some(c) = p.iter().map(|(_, c)| c).max_by_key(size) {
                    fits(&c)?;
                }
                Factor::Poly(p.pow_within(exponent, self.budget)?)
            }
        })
    }

    fn atom(&mut self) -> Result<Factor, Error> {
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
                    return Ok(Factor::Poly(inner));
                }
                let found = self.peek();
                Err(self.expected("')'", found))
            }
            Some(c) if c.is_ascii_digit() || c == b'.' => self.number(),
            Some(c) if c.is_ascii_alphabetic() || c == b'_' => self.name(),
            found => Err(self.expected("a number, a variable or '('", found)),
        }
    }

    fn number(&mut self) -> Result<Factor, Error> {
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
        Ok(Factor::Number(value))
    }

    fn name(&mut self) -> Result<Factor, Error> {
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
        Ok(Factor::Variable(index, 1))
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
