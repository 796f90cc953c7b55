//! Line formats, and those with nested lists.

use super::{OP, dense, dims, scalar};
use crate::Error;
use crate::poly::{Integer, Rational};
use crate::scheme::formats::entry::Scalar;
use crate::scheme::model::{Adjoined, Scheme};
use num_traits::One;
use std::fmt::Write;

/// The rational entries of a column.
fn rationals(
    scheme: &Scheme,
    k: usize,
    r: usize,
    form: &str,
) -> Result<Vec<(usize, Rational)>, Error> {
    if scheme.adjoined != Adjoined::None {
        let what = format!(
            "the form {form} holds rational entries, not those of {}",
            scheme.field()
        );
        return Err(Error::invalid(OP, what));
    }
    let value =
        |v: &std::collections::BTreeMap<i64, Rational>| v.get(&0).cloned().unwrap_or_default();
    Ok(scheme.factors[k].columns[r]
        .iter()
        .map(|(at, v)| (*at, value(v)))
        .collect())
}

/// The coefficient in front of an entry of the line format, with its sign and `*`, the `place`-th of a sum.
fn coefficient(value: &Scalar, place: usize) -> String {
    let (re, im) = (value.get(&0), value.get(&1));
    let plus = if place == 0 { "" } else { "+" };
    let sign = |c: &Rational| if c.signum() < 0 { "-" } else { "+" };
    match (re, im) {
        (re, None) => {
            let c = re.cloned().unwrap_or_default();
            let sign = if c.signum() < 0 { "-" } else { plus };
            match c.abs().is_one() {
                true => sign.to_owned(),
                false => format!("{sign}{}*", c.abs()),
            }
        }
        (None, Some(im)) => format!("{plus}({im}*i)*"),
        (Some(re), Some(im)) => format!("{plus}({re}{}{}*i)*", sign(im), im.abs()),
    }
}

/// `(a11+2*a12)*(b11)*(c11-c12)`; over Q(i) `(a11+(1/2-3*i)*a12)*..`.
pub(super) fn products(scheme: &Scheme) -> Result<String, Error> {
    let [n, m, p] = dims(scheme, "exp")?;
    if scheme.adjoined == Adjoined::X {
        let what = format!(
            "the form exp holds numbers, not entries of {}",
            scheme.field()
        );
        return Err(Error::invalid(OP, what));
    }
    let wide = [n, m, p].iter().any(|d| *d > 9);
    let widths = [m, p, p];
    let mut text = String::new();
    for r in 0..scheme.rank() {
        for k in 0..3 {
            text += if k == 0 { "(" } else { "*(" };
            let entries = &scheme.factors[k].columns[r];
            if entries.is_empty() {
                return Err(Error::invalid(
                    OP,
                    "the form exp does not hold a term that is zero",
                ));
            }
            for (place, (at, value)) in entries.iter().enumerate() {
                text += &coefficient(value, place);
                let (row, column) = (at / widths[k] + 1, at % widths[k] + 1);
                let letter = ["a", "b", "c"][k];
                let _ = match wide {
                    true => write!(text, "{letter}_{row}_{column}"),
                    false => write!(text, "{letter}{row}{column}"),
                };
            }
            text += ")";
        }
        text += "\n";
    }
    Ok(text)
}

fn matrix(scheme: &Scheme, k: usize, r: usize, width: usize, brackets: [&str; 2]) -> String {
    let rows: Vec<String> = dense(scheme, k, r)
        .chunks(width)
        .map(|row| format!("{}{}{}", brackets[0], row.join(","), brackets[1]))
        .collect();
    format!("{}{}{}", brackets[0], rows.join(","), brackets[1])
}

pub(super) fn mathematica(scheme: &Scheme) -> Result<String, Error> {
    let [_, m, p] = dims(scheme, "m")?;
    let term = |r: usize| {
        let three: Vec<String> = [m, p, p]
            .iter()
            .enumerate()
            .map(|(k, width)| matrix(scheme, k, r, *width, ["{", "}"]))
            .collect();
        format!("{{{}}}", three.join(","))
    };
    let terms: Vec<String> = (0..scheme.rank()).map(term).collect();
    Ok(format!("{{{}}}\n", terms.join(",\n")))
}

pub(super) fn maple(scheme: &Scheme) -> Result<String, Error> {
    let [n, m, p] = dims(scheme, "mpl")?;
    let mut text = String::new();
    for r in 0..scheme.rank() {
        let three: Vec<String> = [(n, m), (m, p), (n, p)]
            .iter()
            .enumerate()
            .map(|(k, (rows, width))| {
                format!(
                    "Matrix({rows},{width},{})",
                    matrix(scheme, k, r, *width, ["[", "]"])
                )
            })
            .collect();
        let end = if r + 1 == scheme.rank() { "" } else { "," };
        let _ = writeln!(text, "Triad([{}]){end}", three.join(","));
    }
    Ok(text)
}

/// Three tables, rows by positions and columns by terms.
pub(super) fn tables(scheme: &Scheme) -> String {
    let mut text = String::new();
    for (k, factor) in scheme.factors.iter().enumerate() {
        let _ = writeln!(text, "# factor {}", k + 1);
        let columns: Vec<Vec<String>> = (0..scheme.rank()).map(|r| dense(scheme, k, r)).collect();
        for at in 0..factor.size() {
            let row: Vec<&str> = columns.iter().map(|c| c[at].as_str()).collect();
            let _ = writeln!(text, "{}", row.join(" "));
        }
    }
    text
}

/// `n m p rank`, then U, V and W term after term, W by rows of the transposed product.
pub(super) fn flat(scheme: &Scheme) -> Result<String, Error> {
    let [n, m, p] = dims(scheme, "flat")?;
    let one = Integer::one();
    let mut columns = Vec::new();
    for k in 0..3 {
        for r in 0..scheme.rank() {
            columns.push(rationals(scheme, k, r, "flat")?);
        }
    }
    let whole = columns
        .iter()
        .flatten()
        .all(|(_, c)| c.denominator() == one);
    let mut text = format!("{n} {m} {p} {}\n", scheme.rank());
    for (k, size) in [n * m, m * p, n * p].into_iter().enumerate() {
        let mut words = Vec::new();
        for column in &columns[k * scheme.rank()..][..scheme.rank()] {
            let mut line = vec![Rational::default(); size];
            for (at, c) in column {
                let place = if k == 2 { at % p * n + at / p } else { *at };
                line[place] = c.clone();
            }
            for c in line {
                words.push(c.numerator().to_string());
                if !whole {
                    words.push(c.denominator().to_string());
                }
            }
        }
        let _ = writeln!(text, "{}", words.join(" "));
    }
    Ok(text)
}

/// L and R with a row for each product, P with a column for each.
pub(super) fn sms(scheme: &Scheme) -> Vec<String> {
    let each = |(k, factor): (usize, &crate::scheme::model::SchemeFactor)| {
        let (rank, size) = (scheme.rank(), factor.size());
        let (rows, columns) = if k == 2 { (size, rank) } else { (rank, size) };
        let mut entries: Vec<(usize, usize, String)> = Vec::new();
        for (r, column) in factor.columns.iter().enumerate() {
            for (at, v) in column {
                let (row, column) = if k == 2 { (*at, r) } else { (r, *at) };
                entries.push((row + 1, column + 1, scalar(v, scheme.adjoined)));
            }
        }
        entries.sort();
        let mut text = format!("{rows} {columns} R\n");
        for (row, column, value) in entries {
            let _ = writeln!(text, "{row} {column} {value}");
        }
        text + "0 0 0\n"
    };
    scheme.factors.iter().enumerate().map(each).collect()
}
