//! Line formats: sparse matrices `.sms`, tables of Laurent polynomials `.txt`, products of sums `.exp`.

use super::entry;
use crate::Error;
use crate::error::quoted;
use crate::poly::Rational;
use crate::scheme::build::{Builder, dims_in_name, matmul_of_sizes, modulo_two_in_name};
use crate::scheme::model::{Scheme, Target};

fn at_line(op: &'static str, n: usize, what: &str) -> Error {
    Error::invalid(op, format!("line {}: {what}", n + 1))
}

fn in_line(op: &'static str, n: usize, e: Error) -> Error {
    at_line(op, n, &e.to_string())
}

/// The matrices L (rank x a), R (rank x b) and P (c x rank) of an LRP scheme, one text each.
pub(crate) fn read_sms(texts: [&str; 3]) -> Result<Scheme, Error> {
    let op = "SMS scheme";
    let mut builder = Builder::new("", 3);
    let mut ranks = [0; 3];
    for (k, text) in texts.into_iter().enumerate() {
        let lines = text
            .lines()
            .enumerate()
            .map(|(n, line)| (n, line.split('#').next().unwrap_or("")));
        let mut lines = lines.filter(|(_, line)| !line.trim().is_empty());
        let (n, header) = lines
            .next()
            .ok_or_else(|| Error::parse(op, 0, "a header 'rows columns R'"))?;
        let sizes: Vec<usize> = header
            .split_whitespace()
            .take(2)
            .filter_map(|s| s.parse().ok())
            .collect();
        let [rows, columns] = sizes[..] else {
            return Err(at_line(op, n, "expected a header 'rows columns R'"));
        };
        let (size, rank) = if k == 2 {
            (rows, columns)
        } else {
            (columns, rows)
        };
        ranks[k] = rank;
        builder.at_least(k, size, rank);
        let mut ended = false;
        for (n, line) in lines {
            let words: Vec<&str> = line.split_whitespace().collect();
            let place = |w: &str| w.parse::<usize>().ok();
            match (
                words.first().and_then(|w| place(w)),
                words.get(1).and_then(|w| place(w)),
                &words[..],
            ) {
                (Some(0), Some(0), _) => {
                    ended = true;
                    break;
                }
                (Some(i), Some(j), [_, _, value])
                    if (1..=rows).contains(&i) && (1..=columns).contains(&j) =>
                {
                    let (row, column) = if k == 2 {
                        (i - 1, j - 1)
                    } else {
                        (j - 1, i - 1)
                    };
                    builder
                        .text(k, row, column, value)
                        .map_err(|e| in_line(op, n, e))?;
                }
                _ => {
                    return Err(at_line(
                        op,
                        n,
                        "expected 'row column value' inside the sizes of the header",
                    ));
                }
            }
        }
        if !ended {
            return Err(Error::parse(op, text.len(), "the closing line '0 0 0'"));
        }
    }
    if ranks[0] != ranks[1] || ranks[1] != ranks[2] {
        let expected = "L and R with as many rows as P has columns";
        return Err(Error::shape(op, expected, format!("{ranks:?}")));
    }
    builder.finish()
}

/// Three tables of entries, rows by positions and columns by terms, separated by lines that begin with `#`.
pub(crate) fn read_laurent(text: &str) -> Result<Scheme, Error> {
    let op = "Laurent scheme";
    let mut builder = Builder::new("", 3);
    let (mut k, mut row, mut width) = (0, 0, 0);
    for (n, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('#') || line.is_empty() {
            // Comment lines before the first row, or several in a row, separate nothing.
            if row > 0 && line.starts_with('#') {
                (k, row) = (k + 1, 0);
            }
            continue;
        }
        if k > 2 {
            return Err(at_line(op, n, "expected three tables, found a fourth"));
        }
        let mut found = 0;
        for (r, word) in line.split_whitespace().enumerate() {
            builder
                .text(k, row, r, word)
                .map_err(|e| in_line(op, n, e))?;
            found = r + 1;
        }
        if width == 0 {
            width = found;
        }
        if found != width {
            return Err(at_line(
                op,
                n,
                &format!("expected {width} entries, found {found}"),
            ));
        }
        builder.at_least(k, row + 1, width);
        row += 1;
    }
    builder.finish()
}

/// One product of three sums in each line: `(a11+2*a12)*(b21)*(c11-c22)`.
pub(crate) fn read_products(text: &str) -> Result<Scheme, Error> {
    let op = "product scheme";
    let mut terms: Vec<[Vec<Symbol>; 3]> = Vec::new();
    let mut dims = [[0usize; 2]; 3];
    for (n, line) in text.lines().enumerate() {
        let line = line.trim().trim_end_matches([',', ';', '+']).trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut groups: [Vec<Symbol>; 3] = Default::default();
        for group in line.split(")*(").flat_map(|g| g.split(") * (")) {
            let group = group.trim().trim_start_matches('(').trim_end_matches(')');
            for symbol in linear_form(group).map_err(|e| in_line(op, n, e))? {
                let k = symbol.factor;
                dims[k] = [
                    dims[k][0].max(symbol.row + 1),
                    dims[k][1].max(symbol.column + 1),
                ];
                groups[k].push(symbol);
            }
        }
        if groups.iter().any(Vec::is_empty) {
            return Err(at_line(
                op,
                n,
                "expected a product of sums of a, b and c, such as (a11+a12)*(b11)*(c11-c21)",
            ));
        }
        terms.push(groups);
    }
    let [[n, m], [m2, p], c] = dims;
    let (m, transposed) = (m.max(m2), c[0] > n || c[1] > p);
    let n = n.max(if transposed { c[1] } else { c[0] });
    let p = p.max(if transposed { c[0] } else { c[1] });
    let widths = [m, p, if transposed { n } else { p }];
    let mut builder = Builder::new("", 3);
    for (r, groups) in terms.iter().enumerate() {
        for symbol in groups.iter().flatten() {
            let flat = symbol.row * widths[symbol.factor] + symbol.column;
            builder.value(
                symbol.factor,
                flat,
                r,
                entry::constant(symbol.value.clone()),
            )?;
        }
    }
    builder.target = Some(Target::Matmul([n, m, p]));
    builder.finish()
}

struct Symbol {
    factor: usize,
    row: usize,
    column: usize,
    value: Rational,
}

/// `-a11 + 1/2*a12`: coefficients and the letters a, b, c with two indices from 1, `a1_10` or `a1,10` if large.
fn linear_form(text: &str) -> Result<Vec<Symbol>, Error> {
    let op = "linear form";
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let mut symbols = Vec::new();
    let bytes = compact.as_bytes();
    let mut start = 0;
    while start < bytes.len() {
        let next = bytes[start + 1..]
            .iter()
            .position(|b| matches!(b, b'+' | b'-'));
        let end = next.map_or(bytes.len(), |i| start + 1 + i);
        let wrong = || {
            Error::parse(
                op,
                start,
                format!(
                    "a term such as 2*a12, found {}",
                    quoted(&compact[start..end.min(compact.len())])
                ),
            )
        };
        let term = compact
            .get(start..end)
            .ok_or_else(wrong)?
            .trim_start_matches('+');
        let letter = term
            .find(|c: char| c.is_ascii_alphabetic())
            .ok_or_else(wrong)?;
        let (coefficient, symbol) = term.split_at(letter);
        let value: Rational = match coefficient.trim_end_matches('*') {
            "" => Rational::from(1),
            "-" => Rational::from(-1),
            c => c.parse().map_err(|_| wrong())?,
        };
        let factor = match symbol.as_bytes()[0].to_ascii_lowercase() {
            b'a' => 0,
            b'b' => 1,
            b'c' => 2,
            _ => return Err(wrong()),
        };
        let indices = symbol[1..].trim_matches(['_', '(', ')', '[', ']', '{', '}']);
        let split = match indices.find(['_', ',']) {
            Some(i) => Some((&indices[..i], &indices[i + 1..])),
            None if indices.len() == 2 && indices.is_ascii() => Some(indices.split_at(1)),
            None => None,
        };
        let (row, column) = split.ok_or_else(wrong)?;
        let index = |s: &str| {
            s.parse::<usize>()
                .ok()
                .filter(|i| (1..=4096).contains(i))
                .map(|i| i - 1)
        };
        let (row, column) = (
            index(row).ok_or_else(wrong)?,
            index(column).ok_or_else(wrong)?,
        );
        symbols.push(Symbol {
            factor,
            row,
            column,
            value,
        });
        start = end;
    }
    Ok(symbols)
}

/// The format that sizes alone suggest: a matrix product, else a product of polynomials.
pub(crate) fn guess(scheme: &mut Scheme, name: &str) {
    scheme.modulo_two |= modulo_two_in_name(name) || modulo_two_in_name(&scheme.name);
    if scheme.target.is_some() {
        return;
    }
    let sizes: Vec<usize> = scheme.factors.iter().map(|f| f.size()).collect();
    let named = dims_in_name(name).filter(|[n, m, p]| sizes == [n * m, m * p, n * p]);
    scheme.target_guessed = named.is_none();
    scheme.target = match (named.or_else(|| matmul_of_sizes(&sizes)), &sizes[..]) {
        (Some(dims), _) => Some(Target::Matmul(dims)),
        (None, &[a, b, c]) if a + b == c + 1 => Some(Target::Polymul([a, b])),
        _ => None,
    };
}
