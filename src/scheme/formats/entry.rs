//! Entries of schemes as the catalogues write them: `-1/2`, `(0-1*1)`, `1/50x`, `(x+x2)`, `xi`, `x2i`, `2 I`.

use crate::Error;
use crate::error::quoted;
use crate::poly::Rational;
use crate::scheme::characters::Characters;
use crate::scheme::model::Adjoined;
use num_traits::{One, Zero};
use std::collections::BTreeMap;

const OP: &str = "read_schemes";
const MAX_NESTING: usize = 40;
const MAX_POWER: i64 = 1 << 12;
const MAX_BITS: u64 = 1 << 14;
/// Digits of a number as written.
const MAX_DIGITS: usize = 1 << 12;
/// Products of terms that a text may ask for, for each of its bytes.
const MAX_WORK: usize = 1 << 8;

/// A sum of powers of the adjoined element: exponent to nonzero coefficient.
pub(crate) type Scalar = BTreeMap<i64, Rational>;

/// Reads one entry. `adjoined` remembers which element the scheme adjoins; a second one is refused.
pub(crate) fn read(text: &str, adjoined: &mut Adjoined) -> Result<Scalar, Error> {
    // Almost every entry is a small integer.
    if let Ok(value) = text.trim().parse::<i64>() {
        return Ok(constant(value.into()));
    }
    let mut reader = Reader {
        chars: Characters::of(text),
        adjoined,
        work: 0,
    };
    let value = reader.sum(0)?;
    match reader.chars.peek() {
        None => Ok(value),
        Some(_) => Err(reader.expected("an operator or the end")),
    }
}

pub(crate) fn constant(value: Rational) -> Scalar {
    if value.is_zero() {
        Scalar::new()
    } else {
        Scalar::from([(0, value)])
    }
}

fn add(sum: &mut Scalar, e: i64, c: &Rational) {
    let total = sum.remove(&e).unwrap_or_default();
    let total = &total + c;
    if !total.is_zero() {
        sum.insert(e, total);
    }
}

fn fits(n: i64, e: &i64) -> bool {
    n.unsigned_abs() <= MAX_POWER as u64 && e.unsigned_abs() <= MAX_POWER as u64
}

fn product(a: &Scalar, b: &Scalar) -> Result<Scalar, Error> {
    let mut sum = Scalar::new();
    for (ea, ca) in a {
        for (eb, cb) in b {
            let c = ca * cb;
            if c.bits() as u64 > MAX_BITS || (ea + eb).unsigned_abs() > MAX_POWER as u64 {
                return Err(Error::limit(OP, "bits", MAX_BITS));
            }
            add(&mut sum, ea + eb, &c);
        }
    }
    Ok(sum)
}

struct Reader<'a> {
    chars: Characters<'a>,
    adjoined: &'a mut Adjoined,
    work: usize,
}

impl Reader<'_> {
    fn expected(&self, what: &str) -> Error {
        let entry = quoted(&String::from_utf8_lossy(self.chars.text));
        Error::parse(OP, self.chars.at, format!("{what} in the entry {entry}"))
    }

    fn sum(&mut self, depth: usize) -> Result<Scalar, Error> {
        if depth > MAX_NESTING {
            return Err(Error::limit(OP, "levels of brackets", MAX_NESTING as u64));
        }
        let mut sum = Scalar::new();
        loop {
            let mut sign = Rational::one();
            while let Some(b @ (b'+' | b'-')) = self.chars.peek() {
                self.chars.at += 1;
                if b == b'-' {
                    sign = -sign;
                }
            }
            for (e, c) in self.product(depth)? {
                add(&mut sum, e, &(&c * &sign));
            }
            if !matches!(self.chars.peek(), Some(b'+' | b'-')) {
                return Ok(sum);
            }
        }
    }

    /// The product of two scalars, when the text is long enough for it.
    fn times(&mut self, a: &Scalar, b: &Scalar) -> Result<Scalar, Error> {
        let words = |s: &Scalar| s.values().map(|c| 1 + c.bits() / 64).sum::<usize>();
        self.work = self.work.saturating_add(words(a).saturating_mul(words(b)));
        let most = MAX_WORK * (64 + self.chars.text.len());
        if self.work > most {
            return Err(Error::limit(OP, "products of terms", most as u64));
        }
        product(a, b)
    }

    /// Factors with `*`, `/`, or nothing between them: `1/50x` is `(1/50)*x`.
    fn product(&mut self, depth: usize) -> Result<Scalar, Error> {
        let mut value = self.atom(depth)?;
        loop {
            match self.chars.peek() {
                Some(b'*') => {
                    self.chars.at += 1;
                    let factor = self.atom(depth)?;
                    value = self.times(&value, &factor)?;
                }
                Some(b'/') => {
                    self.chars.at += 1;
                    let divisor = self.atom(depth)?;
                    let inverse = match divisor.first_key_value() {
                        Some((e, c)) if divisor.len() == 1 => {
                            c.recip().map(|c| Scalar::from([(-e, c)]))
                        }
                        _ => None,
                    };
                    let inverse = inverse.ok_or_else(|| {
                        self.expected("a single term other than zero to divide by")
                    })?;
                    value = self.times(&value, &inverse)?;
                }
                Some(b) if b == b'(' || b.is_ascii_alphabetic() => {
                    let factor = self.atom(depth)?;
                    value = self.times(&value, &factor)?;
                }
                _ => return Ok(value),
            }
        }
    }

    /// Digits with a point and a power of ten.
    fn number(&mut self) -> Result<Rational, Error> {
        let mut digits = self.chars.take(|b| b.is_ascii_digit() || b == b'.');
        let next = self.chars.text.get(self.chars.at);
        if matches!(next, Some(b'e' | b'E')) && digits.len() < 64 {
            self.chars.at += 1;
            let sign_or_digit = |b: u8| b.is_ascii_digit() || b == b'-' || b == b'+';
            digits = format!("{digits}e{}", self.chars.take(sign_or_digit));
        }
        if digits.len() > MAX_DIGITS {
            return Err(Error::limit(OP, "digits", MAX_DIGITS as u64));
        }
        digits.parse().map_err(|_| self.expected("a number"))
    }

    fn atom(&mut self, depth: usize) -> Result<Scalar, Error> {
        let base = match self.chars.peek() {
            Some(b'(') => {
                self.chars.at += 1;
                let inner = self.sum(depth + 1)?;
                if self.chars.peek() != Some(b')') {
                    return Err(self.expected("')'"));
                }
                self.chars.at += 1;
                inner
            }
            Some(b'-') => {
                self.chars.at += 1;
                let minus = self.atom(depth + 1)?;
                return self.times(&constant(Rational::from(-1)), &minus);
            }
            Some(b'0'..=b'9' | b'.') => constant(self.number()?),
            Some(b) if b.is_ascii_alphabetic() => self.element()?,
            _ => return Err(self.expected("a number, the element or '('")),
        };
        if depth > MAX_NESTING {
            return Err(Error::limit(OP, "levels of signs", MAX_NESTING as u64));
        }
        if self.chars.peek() != Some(b'^') {
            return Ok(base);
        }
        self.chars.at += 1;
        let bracket = self.chars.peek() == Some(b'(');
        self.chars.at += usize::from(bracket);
        let _ = self.chars.peek();
        let text = self.chars.take(|b| b.is_ascii_digit() || b == b'-');
        if bracket && self.chars.peek() != Some(b')') {
            return Err(self.expected("')'"));
        }
        self.chars.at += usize::from(bracket);
        let n: i64 = text
            .parse()
            .map_err(|_| self.expected("a whole exponent"))?;
        match base.first_key_value() {
            Some((e, c)) if base.len() == 1 && fits(n, e) => {
                let c = if n < 0 { c.recip() } else { Some(c.clone()) };
                let c = c.ok_or_else(|| self.expected("something other than zero"))?;
                if c.bits() as u64 * n.unsigned_abs() > MAX_BITS {
                    return Err(Error::limit(OP, "bits", MAX_BITS));
                }
                Ok(Scalar::from([(e * n, c.pow(n.unsigned_abs() as u32))]))
            }
            None if n > 0 => Ok(base),
            _ => Err(self.expected("the power of a single term")),
        }
    }

    /// `i`, `I`, or `x` with the powers `x2`, `xi`, `x2i`.
    fn element(&mut self) -> Result<Scalar, Error> {
        let name = self.chars.take(|b| b.is_ascii_alphanumeric());
        let (wanted, power) = match name.as_str() {
            "i" | "I" => (Adjoined::I, 1),
            _ => {
                let rest = name
                    .strip_prefix(['x', 'X', 'e'])
                    .ok_or_else(|| self.expected("i or x"))?;
                let (digits, sign) = rest.strip_suffix('i').map_or((rest, 1), |d| (d, -1));
                let size: i64 = if digits.is_empty() {
                    1
                } else {
                    digits.parse().unwrap_or(MAX_POWER + 1)
                };
                (Adjoined::X, sign * size)
            }
        };
        if power.unsigned_abs() > MAX_POWER as u64 {
            return Err(self.expected("a power of x that is not larger than 4096"));
        }
        if *self.adjoined != Adjoined::None && *self.adjoined != wanted {
            return Err(self.expected("either i or x, not both"));
        }
        *self.adjoined = wanted;
        Ok(Scalar::from([(power, Rational::one())]))
    }
}
