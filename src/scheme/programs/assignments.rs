//! Programs with assignments, read: `m1 = (a11 - 1/2 a12)*(b11 + b21)`, then `c11 = m1 - 2m3`.
//!
//! ```text
//! statement = name ('=' | ':=') sum          (one a line, or ended by ';'; '#' and '//' begin comments)
//!           | 'Simplify(' .. ')'             (a check of the program that wrote it; nothing depends on it)
//! sum       = ['-'] product {('+' | '-') product}
//! product   = factor {['*' | '/'] factor}    factor = {'-' | '+'} (number | name | '(' sum ')')
//! name      = letters, digits, '_', with an index such as a12, a1_2, a[1,2]
//! ```
//! Names that begin with a or b and are assigned nowhere are the inputs, names that begin with c the outputs; all others are
//! sums of inputs, products, or sums of products, and must be assigned before they are used.

use crate::Error;
use crate::error::quoted;
use crate::poly::Rational;
use crate::scheme::characters::Characters;
use num_traits::{One, Zero};
use std::collections::BTreeMap;

const OP: &str = "read_schemes";
const MAX_NESTING: usize = 40;
const MAX_DIGITS: usize = 1 << 10;
const MAX_BITS: usize = 1 << 12;
/// Entries of forms that are added in all.
const MAX_WORK: usize = 1 << 24;

type Form<K> = BTreeMap<K, Rational>;

/// What a name or an expression stands for.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Number(Rational),
    First(Form<String>),
    Second(Form<String>),
    /// Over the products.
    Output(Form<usize>),
}

/// A program, its inputs and outputs by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Assignments {
    pub(crate) products: Vec<(Form<String>, Form<String>)>,
    pub(crate) outputs: BTreeMap<String, Form<usize>>,
}

struct Reader<'a> {
    chars: Characters<'a>,
    known: &'a BTreeMap<String, Value>,
    products: &'a mut Vec<(Form<String>, Form<String>)>,
    work: &'a mut usize,
}

/// Reads a program.
pub(crate) fn read(text: &str) -> Result<Assignments, Error> {
    let mut found = Assignments::default();
    let mut known = BTreeMap::new();
    let mut work = 0;
    for (n, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or("");
        let line = line.split("//").next().unwrap_or("");
        let statements = line.split(';').map(str::trim);
        for statement in statements.filter(|s| !s.is_empty() && !is_check(s)) {
            let in_line = |e: Error| match e {
                Error::LimitExceeded { .. } => e,
                e => Error::invalid(OP, format!("line {}: {e}", n + 1)),
            };
            assign(statement, &mut known, &mut found, &mut work).map_err(in_line)?;
        }
    }
    for (name, value) in &known {
        if !name.starts_with(['c', 'C']) {
            continue;
        }
        if let Value::Output(form) = value {
            found
                .outputs
                .insert(index_of(name).to_owned(), form.clone());
        }
    }
    if found.products.is_empty() || found.outputs.is_empty() {
        let what = "needs products such as m1 = a11*b11 and outputs such as c11 = m1 + m2";
        return Err(Error::invalid(OP, what));
    }
    Ok(found)
}

/// Whether a statement only shows that an output is what it should be.
fn is_check(statement: &str) -> bool {
    statement.starts_with("Simplify(") && statement.ends_with(')')
}

/// The index behind the letters of a name.
fn index_of(name: &str) -> &str {
    name.trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == '_')
}

fn assign(
    statement: &str,
    known: &mut BTreeMap<String, Value>,
    found: &mut Assignments,
    work: &mut usize,
) -> Result<(), Error> {
    let (name, rest) = statement
        .split_once(":=")
        .or_else(|| statement.split_once('='))
        .ok_or_else(|| {
            Error::invalid(
                OP,
                format!("expected 'name = sum', found {}", quoted(statement)),
            )
        })?;
    let mut reader = Reader {
        chars: Characters::of(name),
        known,
        products: &mut found.products,
        work,
    };
    let plain = reader.name();
    let plain = plain.filter(|_| reader.chars.peek().is_none());
    let plain = plain.ok_or_else(|| Error::invalid(OP, format!("{} is no name", quoted(name))))?;
    if known.contains_key(&plain) {
        return Err(Error::invalid(
            OP,
            format!("{} is assigned twice", quoted(&plain)),
        ));
    }
    let mut reader = Reader {
        chars: Characters::of(rest),
        known,
        products: &mut found.products,
        work,
    };
    let value = reader.sum(0)?;
    if reader.chars.peek().is_some() {
        return Err(reader.chars.expected("an operator or the end of the line"));
    }
    known.insert(plain, value);
    Ok(())
}

fn add<K: Ord + Clone>(sum: &mut Form<K>, form: &Form<K>, by: &Rational) {
    for (k, c) in form {
        *sum.entry(k.clone()).or_default() += &(c * by);
    }
    sum.retain(|_, c| !c.is_zero());
}

impl Reader<'_> {
    /// A name with its index written `1_2` where it was `[1,2]`.
    fn name(&mut self) -> Option<String> {
        if !self.chars.peek()?.is_ascii_alphabetic() {
            return None;
        }
        let mut name = self.chars.take(|b| b.is_ascii_alphanumeric() || b == b'_');
        if self.chars.text.get(self.chars.at) == Some(&b'[') {
            self.chars.at += 1;
            let inside = self
                .chars
                .take(|b| b.is_ascii_digit() || b == b',' || b == b' ');
            if self.chars.text.get(self.chars.at) != Some(&b']') {
                return None;
            }
            self.chars.at += 1;
            name += &inside.replace(' ', "").replace(',', "_");
        }
        let letter = name.chars().next()?.to_ascii_lowercase();
        let index = index_of(&name);
        let digits = name.len() - index.len()
            == name
                .chars()
                .take_while(|c| *c == '_' || c.is_ascii_alphabetic())
                .count();
        // a_1_2 is a1_2.
        let short = digits && name[..name.len() - index.len()].trim_end_matches('_').len() == 1;
        Some(match short && matches!(letter, 'a'..='c') {
            true => format!("{letter}{index}"),
            false => name,
        })
    }

    fn pay(&mut self, entries: usize) -> Result<(), Error> {
        *self.work += entries + 1;
        match *self.work > MAX_WORK {
            true => Err(Error::limit(OP, "work to expand sums", MAX_WORK as u64)),
            false => Ok(()),
        }
    }

    fn sum(&mut self, depth: usize) -> Result<Value, Error> {
        if depth > MAX_NESTING {
            return Err(Error::limit(OP, "levels of brackets", MAX_NESTING as u64));
        }
        let mut total: Option<Value> = None;
        loop {
            let sign = Rational::from(if self.chars.minus() { -1 } else { 1 });
            let value = self.product(depth)?;
            total = Some(match total {
                None => self.scaled(value, &sign)?,
                Some(sum) => self.added(sum, value, &sign)?,
            });
            if !matches!(self.chars.peek(), Some(b'+' | b'-')) {
                return total.ok_or_else(|| self.chars.expected("a sum"));
            }
        }
    }

    fn added(&mut self, sum: Value, value: Value, sign: &Rational) -> Result<Value, Error> {
        Ok(match (sum, value) {
            (Value::Number(x), Value::Number(y)) => Value::Number(x + (&y * sign)),
            (Value::First(mut x), Value::First(y)) => {
                self.pay(y.len())?;
                add(&mut x, &y, sign);
                Value::First(x)
            }
            (Value::Second(mut x), Value::Second(y)) => {
                self.pay(y.len())?;
                add(&mut x, &y, sign);
                Value::Second(x)
            }
            (Value::Output(mut x), Value::Output(y)) => {
                self.pay(y.len())?;
                add(&mut x, &y, sign);
                Value::Output(x)
            }
            (Value::Number(x), y) if x.is_zero() => self.scaled(y, sign)?,
            _ => {
                return Err(self
                    .chars
                    .expected("a sum of inputs of one matrix, or of products"));
            }
        })
    }

    fn scaled(&mut self, value: Value, by: &Rational) -> Result<Value, Error> {
        if by.is_one() {
            return Ok(value);
        }
        fn all<K: Ord + Clone>(form: &Form<K>, by: &Rational) -> Form<K> {
            let mut sum = Form::new();
            add(&mut sum, form, by);
            sum
        }
        let (size, bits) = match &value {
            Value::Number(x) => (1, x.bits()),
            Value::First(f) | Value::Second(f) => {
                (f.len(), f.values().map(Rational::bits).max().unwrap_or(0))
            }
            Value::Output(f) => (f.len(), f.values().map(Rational::bits).max().unwrap_or(0)),
        };
        self.pay(size)?;
        if bits + by.bits() > MAX_BITS {
            return Err(Error::limit(OP, "bits of a coefficient", MAX_BITS as u64));
        }
        Ok(match value {
            Value::Number(x) => Value::Number(&x * by),
            Value::First(f) => Value::First(all(&f, by)),
            Value::Second(f) => Value::Second(all(&f, by)),
            Value::Output(f) => Value::Output(all(&f, by)),
        })
    }

    fn product(&mut self, depth: usize) -> Result<Value, Error> {
        let mut value = self.factor(depth)?;
        loop {
            match self.chars.peek() {
                Some(b'*') => {
                    self.chars.at += 1;
                    let factor = self.factor(depth)?;
                    value = self.times(value, factor)?;
                }
                Some(b'/') => {
                    self.chars.at += 1;
                    let inverse = match self.factor(depth)? {
                        Value::Number(n) => n.recip(),
                        _ => None,
                    };
                    let inverse =
                        inverse.ok_or_else(|| self.chars.expected("a number to divide by"))?;
                    value = self.scaled(value, &inverse)?;
                }
                Some(b) if b == b'(' || b.is_ascii_alphanumeric() => {
                    let factor = self.factor(depth)?;
                    value = self.times(value, factor)?;
                }
                _ => return Ok(value),
            }
        }
    }

    fn times(&mut self, left: Value, right: Value) -> Result<Value, Error> {
        match (left, right) {
            (Value::Number(x), y) | (y, Value::Number(x)) => self.scaled(y, &x),
            (Value::First(x), Value::Second(y)) | (Value::Second(y), Value::First(x)) => {
                self.pay(x.len() + y.len())?;
                self.products.push((x, y));
                let number = self.products.len() - 1;
                Ok(Value::Output(Form::from([(number, Rational::one())])))
            }
            _ => Err(self.chars.expected(
                "a product of a sum of a by a sum of b: other programs are not bilinear",
            )),
        }
    }

    fn factor(&mut self, depth: usize) -> Result<Value, Error> {
        let minus = self.chars.minus();
        let value = match self.chars.peek() {
            Some(b'(') => {
                self.chars.at += 1;
                let inner = self.sum(depth + 1)?;
                if self.chars.peek() != Some(b')') {
                    return Err(self.chars.expected("'+', '-' or ')'"));
                }
                self.chars.at += 1;
                inner
            }
            Some(b'0'..=b'9' | b'.') => {
                let digits = self.chars.take(|b| b.is_ascii_digit() || b == b'.');
                let number = digits.parse().ok().filter(|_| digits.len() <= MAX_DIGITS);
                Value::Number(number.ok_or_else(|| self.chars.expected("a number"))?)
            }
            _ => {
                let start = self.chars.at;
                let name = self
                    .name()
                    .ok_or_else(|| self.chars.expected("a number, a name or '('"))?;
                match self.known.get(&name) {
                    Some(value) => value.clone(),
                    None => {
                        let index = index_of(&name).to_owned();
                        let single = Form::from([(index.clone(), Rational::one())]);
                        match name.chars().next() {
                            Some('a') if !index.is_empty() => Value::First(single),
                            Some('b') if !index.is_empty() => Value::Second(single),
                            _ => {
                                self.chars.at = start;
                                return Err(self.chars.expected("a name that was assigned before"));
                            }
                        }
                    }
                }
            }
        };
        let entries = match &value {
            Value::First(f) | Value::Second(f) => f.len(),
            Value::Output(f) => f.len(),
            Value::Number(_) => 1,
        };
        self.pay(entries)?;
        self.scaled(value, &Rational::from(if minus { -1 } else { 1 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_before_and_after_products_are_expanded() -> Result<(), Error> {
        let text = "# two products\ns1 = a11 - 1/2a12; m1 := (s1 + a12)(2b11) # and\nm2 = s1*-b[1,1]/3\nz = m1+m2\nc11 = z - 2m2;";
        let found = read(text)?;
        let half = |n: i64, d: i64| Rational::new(n, d).unwrap_or_default();
        let form = |list: &[(&str, Rational)]| -> Form<String> {
            list.iter()
                .map(|(k, c)| ((*k).to_owned(), c.clone()))
                .collect()
        };
        assert_eq!(found.products.len(), 2);
        assert_eq!(
            found.products[0].0,
            form(&[("11", half(1, 1)), ("12", half(1, 2))])
        );
        assert_eq!(found.products[0].1, form(&[("11", half(2, 1))]));
        // -b[1,1]/3 multiplies first, the division the product.
        assert_eq!(found.products[1].1, form(&[("1_1", half(-1, 1))]));
        let c: Vec<(usize, Rational)> = found.outputs["11"].clone().into_iter().collect();
        assert_eq!(c, [(0, half(1, 1)), (1, half(-1, 3))]);
        Ok(())
    }

    #[test]
    fn what_is_not_bilinear_is_refused() {
        for text in [
            "m1 = a11*a12\nc11 = m1",
            "m1 = a11*b11*b12\nc11=m1",
            "m1 = (a11+b11)*(a11+b11)\nc11=m1",
            "m1 = a11*b11\nm1 = a12*b11\nc11 = m1",
            "m1 = a11*b11\nc11 = m2",
            "c11 = a11",
            "m1 = a11*b11",
            "m1 = (a11*b11",
            "c11 = 1/0*a11*b11",
            "= a11*b11",
            "",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
