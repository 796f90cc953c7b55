//! Reading polynomials: `2*x^2*y - 3/4*(x + 1)^3 + 0.5`.
//!
//! Grammar: sums of products of powers; `*` is required between factors, `^` or `**` raises to a
//! non-negative integer, `/` divides by a constant. Numbers are read exactly.

use super::lexer::{Lexer, OP};
use super::vars::Vars;
use crate::Error;
use crate::poly::coefficients::rational::Rational;
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;
use num_traits::One;

/// Parentheses deeper than this are refused: recursion must not exhaust the stack.
const MAX_NESTING: usize = 200;
/// Default budget for the number of terms of any intermediate result.
const MAX_TERMS: usize = 1_000_000;
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
            lexer: Lexer::new(text, vars),
            depth: 0,
            budget,
        };
        let p = reader.sum()?;
        match reader.lexer.peek() {
            None => Ok(p),
            // Two factors side by side.
            Some(c) if c.is_ascii_alphanumeric() || matches!(c, b'_' | b'(' | 0x80..) => {
                let expected = "an operator (products are written with *) or the end";
                Err(reader.lexer.expected(expected, Some(c)))
            }
            Some(c) => Err(reader.lexer.expected("an operator or the end", Some(c))),
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
    lexer: Lexer<'a>,
    depth: usize,
    budget: &'a Budget<'a>,
}

impl Reader<'_> {
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
            let more = matches!(self.lexer.peek(), Some(b'+' | b'-'));
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
        let negative = self.lexer.negative();
        // Numbers and variables are gathered as one term; sums in parentheses are multiplied as they come.
        let mut numbers = Numbers::default();
        let mut exponents = Vec::new();
        let mut sums: Option<Poly<Rational>> = None;
        let mut first = true;
        loop {
            if first || self.lexer.peek() == Some(b'*') {
                self.lexer.at += usize::from(!first);
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
            } else if self.lexer.eat(b'/') {
                let at = self.lexer.at;
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
        let Some(exponent) = self.lexer.exponent()? else {
            return Ok(base);
        };
        // A number to a large power explodes in bits, not in terms.
        let fits = |c: &Rational| {
            let bits = (c.bits() as u64)
                .saturating_sub(2)
                .saturating_mul(exponent.into());
            let most = MAX_BITS.min(self.budget.bits);
            if bits > most {
                return Err(Error::limit(OP, "bits", most));
            }
            Ok(())
        };
        Ok(match base {
            Factor::Number(c) => {
                fits(&c)?;
                Factor::Number(c.pow(exponent))
            }
            Factor::Variable(i, k) => {
                let raised = k.checked_mul(exponent);
                let what = "exponent";
                Factor::Variable(i, raised.ok_or(Error::Overflow { op: OP, what })?)
            }
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
        match self.lexer.peek() {
            Some(b'(') => {
                if self.depth == MAX_NESTING {
                    return Err(Error::limit(OP, "nesting", MAX_NESTING as u64));
                }
                self.lexer.at += 1;
                self.depth += 1;
                let inner = self.sum()?;
                self.depth -= 1;
                if self.lexer.eat(b')') {
                    return Ok(Factor::Poly(inner));
                }
                let found = self.lexer.peek();
                Err(self.lexer.expected("')'", found))
            }
            Some(c) if c.is_ascii_digit() || c == b'.' => self.lexer.number().map(Factor::Number),
            Some(c) if c.is_ascii_alphabetic() || c == b'_' => {
                Ok(Factor::Variable(self.lexer.name()?, 1))
            }
            found => Err(self.lexer.expected("a number, a variable or '('", found)),
        }
    }
}
