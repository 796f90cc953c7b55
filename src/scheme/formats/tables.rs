//! Line formats: sparse matrices `.sms`, tables of Laurent polynomials `.txt`.

use crate::Error;
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
    let op = "read_schemes";
    let mut builder = Builder::new("", 3);
    let mut ranks = [0; 3];
    for (k, text) in texts.into_iter().enumerate() {
        let lines = text
            .lines()
            .enumerate()
            .map(|(n, line)| (n, line.split('#').next().unwrap_or("")));
        let mut lines = lines.filter(|(_, line)| !line.trim().is_empty());
        let [rows, columns] = sms_header(op, lines.next())?;
        let (size, rank) = match k {
            2 => (rows, columns),
            _ => (columns, rows),
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
                    let (row, column) = match k {
                        2 => (i - 1, j - 1),
                        _ => (j - 1, i - 1),
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

/// The sizes in the first line of a sparse matrix.
fn sms_header(op: &'static str, line: Option<(usize, &str)>) -> Result<[usize; 2], Error> {
    let (n, header) = line.ok_or_else(|| Error::parse(op, 0, "a header 'rows columns R'"))?;
    let words = header.split_whitespace().take(2);
    let sizes: Vec<usize> = words.filter_map(|s| s.parse().ok()).collect();
    <[usize; 2]>::try_from(sizes).map_err(|_| at_line(op, n, "expected a header 'rows columns R'"))
}

/// Three tables of entries, rows by positions and columns by terms, separated by lines that begin with `#`.
pub(crate) fn read_laurent(text: &str) -> Result<Scheme, Error> {
    let op = "read_schemes";
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
