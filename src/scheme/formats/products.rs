//! `.exp`: a rank-one term a line, as a product of three linear forms: `-(a11 - 2*a12)*b21*(c11+c12)/3`.
//!
//! ```text
//! line   = product {('+' | '-') product}            (or all of that in brackets)
//! form   = product {('+' | '-') product}
//! product = unary {['*'] unary | '/' unary}         unary = {'-' | '+'} (number | 'i' | 'j' | atom | '(' form ')')
//! atom   = letter digits | letter '_' digits '_' digits | letter '[' digits ',' digits ']'
//! ```
//! Numbers are whole or decimals, exact, with `i` or `j` behind them for the imaginary unit; what is divided by is a
//! number. Indices count from one.

use crate::Error;
use crate::poly::Rational;
use crate::scheme::build::{Builder, dims_in_name};
use crate::scheme::characters::Characters;
use crate::scheme::gaussian::Gaussian;
use crate::scheme::model::{Scheme, Target};
use num_traits::Zero;

const OP: &str = "read_schemes";
const MAX_NESTING: usize = 40;
const MAX_DIGITS: usize = 1 << 10;
/// Bits of a coefficient.
const MAX_BITS: usize = 1 << 14;

/// A letter with its indices as written: `12`, or `1` and `2`.
#[derive(Clone, Debug, PartialEq)]
struct Atom {
    factor: usize,
    digits: String,
    second: Option<String>,
}

/// A sum of multiples of atoms.
type Sum = Vec<(Atom, Gaussian)>;

/// A number, a sum of multiples of atoms, or a number times several of those.
#[derive(Clone, Debug)]
enum Form {
    Number(Gaussian),
    Sum(Sum),
    Product(Gaussian, Vec<Sum>),
}

struct Reader<'a> {
    chars: Characters<'a>,
    /// Whether a number that follows is divided by.
    divisor: bool,
}

impl Reader<'_> {
    /// Factors with `*`, `/` or nothing between them.
    fn factors(&mut self, depth: usize) -> Result<Vec<Form>, Error> {
        let mut found = Vec::new();
        if self.chars.minus() {
            found.push(Form::Number(number(-1)));
        }
        found.push(self.primary(depth)?);
        loop {
            let divides = match self.chars.peek() {
                Some(b @ (b'*' | b'/')) => {
                    self.chars.at += 1;
                    if self.chars.minus() {
                        found.push(Form::Number(number(-1)));
                    }
                    b == b'/'
                }
                Some(b) if b == b'(' || b.is_ascii_alphanumeric() => false,
                _ => return Ok(found),
            };
            self.divisor = divides;
            let factor = self.primary(depth)?;
            self.divisor = false;
            found.push(match (divides, factor) {
                (false, factor) => factor,
                (true, Form::Number(n)) => {
                    let inverse = n.recip();
                    Form::Number(
                        inverse.ok_or_else(|| self.chars.expected("a number other than zero"))?,
                    )
                }
                (true, _) => return Err(self.chars.expected("a number to divide by")),
            });
        }
    }

    /// Takes the imaginary unit, `i` or `j`, if it stands here, right behind a number or alone.
    fn unit(&mut self) -> bool {
        let at = |k: usize| self.chars.text.get(self.chars.at + k).copied();
        let index = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'[' | b'{');
        let found = at(0).is_some_and(|b| b"iIjJ".contains(&b)) && !at(1).is_some_and(index);
        self.chars.at += usize::from(found);
        found
    }

    fn primary(&mut self, depth: usize) -> Result<Form, Error> {
        match self.chars.peek() {
            Some(b'(') if depth == MAX_NESTING => {
                Err(Error::limit(OP, "levels of brackets", MAX_NESTING as u64))
            }
            Some(b'(') => {
                self.chars.at += 1;
                let form = self.form(depth + 1)?;
                if self.chars.peek() != Some(b')') {
                    return Err(self.chars.expected("'+', '-' or ')'"));
                }
                self.chars.at += 1;
                Ok(form)
            }
            Some(b'0'..=b'9' | b'.') => {
                let digits = self.chars.take(|b| b.is_ascii_digit() || b == b'.');
                let short = digits.len() <= MAX_DIGITS;
                let value = digits.parse().ok().filter(|_| short);
                let value: Rational = value.ok_or_else(|| self.chars.expected("a number"))?;
                // `1/2j` is half of j, as `1/2a12` is half of an entry.
                let unit = !std::mem::take(&mut self.divisor) && self.unit();
                Ok(Form::Number(match unit {
                    true => Gaussian {
                        re: Rational::default(),
                        im: value,
                    },
                    false => Gaussian::real(value),
                }))
            }
            Some(_) if self.unit() => Ok(Form::Number(Gaussian {
                re: Rational::default(),
                im: 1.into(),
            })),
            Some(b) if b.is_ascii_alphabetic() => self.atom(),
            _ => Err(self
                .chars
                .expected("a number, an entry such as a12, or '('")),
        }
    }

    /// A sum of multiples of atoms, a number, or a single product in brackets of its own.
    fn form(&mut self, depth: usize) -> Result<Form, Error> {
        let mut sum: Vec<(Atom, Gaussian)> = Vec::new();
        let (mut number, mut numbers) = (Gaussian::default(), 0);
        let mut items = 0;
        loop {
            let start = self.chars.at;
            items += 1;
            let found = split(self.factors(depth)?);
            let alone = items == 1 && self.chars.peek() == Some(b')');
            match found {
                Some((n, sums)) if sums.is_empty() => {
                    number.add(&n);
                    numbers += 1;
                }
                Some((n, mut sums)) if sums.len() == 1 => {
                    sum.extend(scaled(sums.pop().unwrap_or_default(), &n));
                }
                Some((n, sums)) if alone => return Ok(Form::Product(n, sums)),
                _ => {
                    self.chars.at = start;
                    return Err(self
                        .chars
                        .expected("a sum of single entries inside brackets"));
                }
            }
            if !matches!(self.chars.peek(), Some(b'+' | b'-')) {
                break;
            }
        }
        match (numbers == items, numbers == 0 || number.is_zero()) {
            (true, _) => Ok(Form::Number(number)),
            (false, true) => Ok(Form::Sum(sum)),
            _ => Err(self
                .chars
                .expected("a sum of entries without a number among them")),
        }
    }

    fn atom(&mut self) -> Result<Form, Error> {
        let start = self.chars.at;
        let letter = self.chars.text[self.chars.at].to_ascii_lowercase();
        self.chars.at += 1;
        let factor = usize::from(letter.wrapping_sub(b'a'));
        let open = self.chars.take(|b| matches!(b, b'_' | b'[' | b'{'));
        let digits = self.chars.take(|b| b.is_ascii_digit());
        let mut second = None;
        if matches!(self.chars.text.get(self.chars.at), Some(b'_' | b','))
            && self
                .chars
                .text
                .get(self.chars.at + 1)
                .is_some_and(u8::is_ascii_digit)
        {
            self.chars.at += 1;
            second = Some(self.chars.take(|b| b.is_ascii_digit()));
        }
        let closing = open.bytes().filter(|b| *b != b'_').count();
        let closed = self.chars.take(|b| matches!(b, b']' | b'}'));
        let long = second.as_ref().is_some_and(|s| s.len() > 8) || digits.len() > 8;
        if factor > 2 || digits.is_empty() || long || closed.len() != closing {
            self.chars.at = start;
            return Err(self
                .chars
                .expected("an entry of a, b or c with two indices, such as a12"));
        }
        let atom = Atom {
            factor,
            digits,
            second,
        };
        Ok(Form::Sum(vec![(atom, number(1))]))
    }
}

fn scaled(form: Sum, by: &Gaussian) -> Sum {
    form.into_iter()
        .map(|(atom, c)| (atom, c.times(by)))
        .collect()
}

fn number(n: i64) -> Gaussian {
    Gaussian::real(n.into())
}

/// The product of the numbers, and the sums; `None` when the number grows out of bounds.
fn split(factors: Vec<Form>) -> Option<(Gaussian, Vec<Sum>)> {
    let (mut number, mut sums) = (number(1), Vec::new());
    for factor in factors {
        match factor {
            Form::Number(n) => number = number.times(&n),
            Form::Sum(sum) => sums.push(sum),
            Form::Product(n, more) => {
                number = number.times(&n);
                sums.extend(more);
            }
        }
        if number.bits() > MAX_BITS {
            return None;
        }
    }
    Some((number, sums))
}

/// Row and column from zero. Indices written without anything between them are split where both parts fit `sizes`.
fn place(atom: &Atom, sizes: Option<[usize; 2]>) -> Result<[usize; 2], String> {
    let shown = format!("{}{}", ["a", "b", "c"][atom.factor], atom.digits);
    let index = |s: &str| {
        let n = s.parse::<usize>().ok().filter(|_| !s.starts_with('0'));
        n.filter(|n| (1..=4096).contains(n)).map(|n| n - 1)
    };
    let outside = |what: &str| format!("{what} is no entry from 1 to 4096");
    if let Some(second) = &atom.second {
        let pair = index(&atom.digits).zip(index(second));
        let (row, column) = pair.ok_or_else(|| outside(&format!("{shown}_{second}")))?;
        return Ok([row, column]);
    }
    let pairs = (1..atom.digits.len()).filter_map(|k| {
        let (row, column) = atom.digits.split_at(k);
        let pair = [index(row)?, index(column)?];
        let fits = |[n, m]: [usize; 2]| pair[0] < n && pair[1] < m;
        sizes.is_none_or(fits).then_some(pair)
    });
    match (&pairs.collect::<Vec<_>>()[..], sizes) {
        ([one], _) => Ok(*one),
        ([], None) if atom.digits.len() == 1 => Err(format!(
            "{shown} has one index where two are needed: write the row and the column, as in a12"
        )),
        ([], Some(sizes)) => Err(format!("{shown} is outside of the sizes {sizes:?}")),
        ([], None) => Err(outside(&shown)),
        (_, None) => Err(format!(
            "the indices of {shown} can be split in several ways: write a_1_11, or put the sizes into the name of \
             the file, as in x_2x3x11.exp"
        )),
        (_, Some(_)) => Err(format!(
            "the indices of {shown} can be split in several ways that fit the sizes: write a_1_11"
        )),
    }
}

/// The three sums of one product.
type Term = [Vec<(Atom, Gaussian)>; 3];

fn at_line(n: usize, what: &str) -> Error {
    Error::invalid(OP, format!("line {}: {what}", n + 1))
}

/// The line without a bracket that opens at its start and closes at its end.
fn inside(mut line: &str) -> &str {
    for _ in 0..MAX_NESTING {
        let mut depth = 0usize;
        let closed = line.bytes().position(|b| {
            match b {
                b'(' => depth += 1,
                b')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        });
        let whole = line.strip_prefix('(').and_then(|l| l.strip_suffix(')'));
        match whole.filter(|_| closed == Some(line.len() - 1)) {
            Some(whole) => line = whole.trim(),
            None => break,
        }
    }
    line
}

/// The products of all lines, each with the number of its line.
fn terms(text: &str) -> Result<Vec<(usize, Term)>, Error> {
    let mut terms = Vec::new();
    for (n, line) in text.lines().enumerate() {
        let line = line.trim().trim_end_matches([',', ';', '+']).trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut reader = Reader {
            chars: Characters::of(inside(line)),
            divisor: false,
        };
        loop {
            let factors = reader.factors(0).map_err(|e| at_line(n, &e.to_string()))?;
            terms.push((n, term(factors).map_err(|e| at_line(n, &e))?));
            match reader.chars.peek() {
                None => break,
                Some(b'+' | b'-') => {}
                Some(_) => {
                    let e = reader
                        .chars
                        .expected("'*', '+', '-' or the end of the line");
                    return Err(at_line(n, &e.to_string()));
                }
            }
        }
    }
    Ok(terms)
}

/// The terms of a text; `name` is that of the file, whose `2x3x4` may tell the sizes.
pub(crate) fn read(text: &str, name: &str) -> Result<Scheme, Error> {
    let terms = terms(text)?;
    let named = dims_in_name(name);
    let sizes = |factor: usize, [n, m, p]: [usize; 3]| match factor {
        0 => [n, m],
        1 => [m, p],
        // c may be written c_ij or c_ji.
        _ => [n.max(p), n.max(p)],
    };
    let mut dims = [[0usize; 2]; 3];
    let mut placed = Vec::new();
    for (n, groups) in &terms {
        let mut one: [Vec<([usize; 2], &Gaussian)>; 3] = Default::default();
        for (atom, value) in groups.iter().flatten() {
            let k = atom.factor;
            let at = place(atom, named.map(|d| sizes(k, d))).map_err(|e| at_line(*n, &e))?;
            dims[k] = [dims[k][0].max(at[0] + 1), dims[k][1].max(at[1] + 1)];
            one[k].push((at, value));
        }
        placed.push(one);
    }
    let [[n, m], [m2, p], c] = dims;
    let (m, transposed) = (m.max(m2), c[0] > n || c[1] > p);
    let mut target = [
        n.max(if transposed { c[1] } else { c[0] }),
        m,
        p.max(if transposed { c[0] } else { c[1] }),
    ];
    // Rows of zeros at the end show in the name alone.
    if let Some(named) = named
        && target.iter().zip(&named).all(|(t, n)| t <= n)
    {
        target = named;
    }
    let [n, m, p] = target;
    let widths = [m, p, if transposed { n } else { p }];
    let mut builder = Builder::new("", 3);
    for (r, groups) in placed.iter().enumerate() {
        for (k, group) in groups.iter().enumerate() {
            let mut sum: std::collections::BTreeMap<usize, Gaussian> = Default::default();
            for (at, value) in group {
                sum.entry(at[0] * widths[k] + at[1]).or_default().add(value);
            }
            for (flat, value) in sum {
                if !value.im.is_zero() {
                    builder.adjoin_i();
                }
                builder.value(k, flat, r, value.scalar())?;
            }
        }
    }
    builder.target = Some(Target::Matmul(target));
    builder.finish()
}

/// The forms of a, b and c, the numbers multiplied into the first.
fn term(factors: Vec<Form>) -> Result<[Vec<(Atom, Gaussian)>; 3], String> {
    let (number, sums) = split(factors).ok_or("the coefficient is too long")?;
    let mut groups: [Option<Vec<(Atom, Gaussian)>>; 3] = Default::default();
    for sum in sums {
        let k = sum.first().map_or(0, |(atom, _)| atom.factor);
        if sum.iter().any(|(atom, _)| atom.factor != k) {
            return Err("a factor mixes entries of a, b and c: commutative schemes are not bilinear, and not read".into());
        }
        if groups[k].replace(sum).is_some() {
            return Err(format!(
                "{} is in two factors: commutative schemes are not bilinear, and not read",
                ["a", "b", "c"][k]
            ));
        }
    }
    let [Some(a), Some(b), Some(c)] = groups else {
        let wanted = "expected a product of sums of a, b and c, such as (a11+a12)*b11*(c11-c21)";
        return Err(wanted.into());
    };
    Ok([scaled(a, &number), b, c])
}
