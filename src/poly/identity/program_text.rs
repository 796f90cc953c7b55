//! Reading straight-line programs: the grammar of polynomials, nothing multiplied out.

use super::program::{Node, Program};
use crate::Error;
use crate::poly::coefficients::rational::Rational;
use crate::poly::text::lexer::{Lexer, OP};
use crate::poly::text::vars::Vars;
use num_traits::Zero;

/// Parentheses deeper than this are refused: recursion must not exhaust the stack.
const MAX_NESTING: usize = 200;

impl Program {
    /// Reads an expression as [`crate::poly::polynomial::value::Poly::parse`] does, and multiplies nothing out: `(x + y)^1000000` is three steps.
    ///
    /// # Errors
    /// `Parse` with the byte offset, `LimitExceeded` for nesting beyond 200, numbers beyond a million digits or programs
    /// beyond 2^24 steps; `Overflow` for exponents beyond 32 bits.
    pub fn parse(text: &str, vars: &mut Vars) -> Result<Self, Error> {
        let mut reader = Reader {
            lexer: Lexer::new(text, vars),
            program: Self::new(),
            depth: 0,
        };
        let value = reader.sum()?;
        match reader.lexer.peek() {
            None => {
                reader.program.finish(value)?;
                Ok(reader.program)
            }
            Some(c) => Err(reader.lexer.expected("an operator or the end", Some(c))),
        }
    }
}

struct Reader<'a> {
    lexer: Lexer<'a>,
    program: Program,
    depth: usize,
}

impl Reader<'_> {
    fn sum(&mut self) -> Result<Node, Error> {
        let mut sum: Option<Node> = None;
        loop {
            let negative = self.lexer.negative();
            let product = self.product()?;
            sum = Some(match (sum, negative) {
                (None, false) => product,
                (None, true) => {
                    let zero = self.program.constant(Rational::zero())?;
                    self.program.sub(zero, product)?
                }
                (Some(left), false) => self.program.add(left, product)?,
                (Some(left), true) => self.program.sub(left, product)?,
            });
            match (self.lexer.peek(), sum) {
                (Some(b'+' | b'-'), _) => {}
                (_, Some(sum)) => return Ok(sum),
                (_, None) => {}
            }
        }
    }

    fn product(&mut self) -> Result<Node, Error> {
        let mut product = self.power()?;
        loop {
            if self.lexer.eat(b'*') {
                let factor = self.power()?;
                product = self.program.mul(product, factor)?;
            } else if self.lexer.eat(b'/') {
                let at = self.lexer.at;
                let divisor = self.power()?;
                let inverse = self.program.number_at(divisor).and_then(Rational::recip);
                let inverse =
                    inverse.ok_or_else(|| Error::parse(OP, at, "a nonzero constant divisor"))?;
                let inverse = self.program.constant(inverse)?;
                product = self.program.mul(product, inverse)?;
            } else {
                return Ok(product);
            }
        }
    }

    fn power(&mut self) -> Result<Node, Error> {
        let base = self.atom()?;
        match self.lexer.exponent()? {
            Some(k) => self.program.power(base, k),
            None => Ok(base),
        }
    }

    fn atom(&mut self) -> Result<Node, Error> {
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
                    return Ok(inner);
                }
                let found = self.lexer.peek();
                Err(self.lexer.expected("')'", found))
            }
            Some(c) if c.is_ascii_digit() || c == b'.' => {
                let value = self.lexer.number()?;
                self.program.constant(value)
            }
            Some(c) if c.is_ascii_alphabetic() || c == b'_' => {
                let index = self.lexer.name()?;
                self.program.variable(index)
            }
            found => Err(self.lexer.expected("a number, a variable or '('", found)),
        }
    }
}
