//! The words of polynomial text: numbers, names, exponents, signs.

use super::vars::Vars;
use crate::Error;
use crate::poly::coefficients::rational::Rational;

pub(in crate::poly) const OP: &str = "Poly::parse";
/// A number with more digits than this is an attack: reading it costs more than linear time.
const MAX_DIGITS: usize = 1_000_000;
/// Parentheses around an exponent.
const MAX_EXPONENT_NESTING: u32 = 8;
/// Most variables.
const MAX_VARIABLES: usize = 4096;

/// A place in a text.
pub(in crate::poly) struct Lexer<'a> {
    text: &'a [u8],
    pub(in crate::poly) at: usize,
    vars: &'a mut Vars,
}

impl<'a> Lexer<'a> {
    pub(in crate::poly) fn new(text: &'a str, vars: &'a mut Vars) -> Self {
        Self {
            text: text.as_bytes(),
            at: 0,
            vars,
        }
    }

    pub(in crate::poly) fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    pub(in crate::poly) fn expected(&self, what: &str, found: Option<u8>) -> Error {
        let found = match found {
            None => "the end".to_owned(),
            Some(c) if c.is_ascii_graphic() => format!("'{}'", c as char),
            Some(c) => format!("byte {c:#04x}"),
        };
        Error::parse(OP, self.at, format!("{what}, found {found}"))
    }

    pub(in crate::poly) fn eat(&mut self, c: u8) -> bool {
        let found = self.peek() == Some(c);
        self.at += usize::from(found);
        found
    }

    /// The exponent after `^` or `**`, if one of them stands here.
    pub(in crate::poly) fn exponent(&mut self) -> Result<Option<u32>, Error> {
        let double_star = self.peek() == Some(b'*') && self.text.get(self.at + 1) == Some(&b'*');
        if double_star {
            self.at += 2;
        } else if !self.eat(b'^') {
            return Ok(None);
        }
        self.whole(MAX_EXPONENT_NESTING).map(Some)
    }

    /// A non-negative integer, perhaps a power, perhaps in parentheses: `3`, `(3)`, `(2^20)`.
    fn whole(&mut self, nesting: u32) -> Result<u32, Error> {
        let wanted = "a non-negative integer exponent";
        if nesting > 0 && self.eat(b'(') {
            let mut value = self.whole(nesting - 1)?;
            if let Some(power) = self.exponent()? {
                let (op, what) = (OP, "exponent");
                let raised = value.checked_pow(power);
                value = raised.ok_or(Error::Overflow { op, what })?;
            }
            let found = self.peek();
            return match self.eat(b')') {
                true => Ok(value),
                false => Err(self.expected("')'", found)),
            };
        }
        let first = self.peek();
        let digits = self.take_while(|c| c.is_ascii_digit());
        if digits.is_empty() {
            return Err(self.expected(wanted, first));
        }
        let (op, what) = (OP, "exponent");
        digits.parse().map_err(|_| Error::Overflow { op, what })
    }

    /// Whether leading signs, any number of them, make a minus.
    pub(in crate::poly) fn negative(&mut self) -> bool {
        let mut negative = false;
        while let Some(c @ (b'+' | b'-')) = self.peek() {
            negative ^= c == b'-';
            self.at += 1;
        }
        negative
    }

    pub(in crate::poly) fn number(&mut self) -> Result<Rational, Error> {
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
        text.parse().map_err(|e| match e {
            Error::Parse { expected, .. } => Error::parse(OP, start, expected),
            other => other,
        })
    }

    pub(in crate::poly) fn name(&mut self) -> Result<usize, Error> {
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
        if index > MAX_VARIABLES {
            return Err(Error::limit(OP, "variables", MAX_VARIABLES as u64));
        }
        Ok(index)
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
