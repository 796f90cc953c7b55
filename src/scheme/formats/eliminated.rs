//! Tables of coefficients whose common sums are taken out: U, V, W, `# Substitution information`, and the sums of each.
//!
//! Blocks are separated by lines that begin with `#`. `U` and `V` have, below a row for each entry of a matrix, one for
//! each sum of entries; the rows of their fourth and fifth block are these sums. `W` has, behind a column for each
//! product, one for each sum of products, and the rows of the sixth block are those.

use crate::Error;
use crate::poly::Rational;
use crate::scheme::build::Builder;
use crate::scheme::formats::entry;
use crate::scheme::model::Scheme;
use num_traits::Zero;

const OP: &str = "read_schemes";
const HEADING: &str = "Substitution information";
/// Entries that the expanded tables may have, and products on the way to them.
const MAX_WORK: usize = 1 << 26;

type Table = Vec<Vec<Rational>>;

/// Whether a text has the heading of the sums.
pub(crate) fn is_eliminated(text: &str) -> bool {
    text.lines()
        .any(|l| l.trim_start().starts_with('#') && l.contains(HEADING))
}

fn row(n: usize, line: &str) -> Result<Vec<Rational>, Error> {
    let number = |word: &str| {
        let value = word.parse().ok().filter(|_| word.len() <= 1024);
        let what = format!("line {}: expected numbers, found {word:.40?}", n + 1);
        value.ok_or_else(|| Error::invalid(OP, what))
    };
    line.split_whitespace().map(number).collect()
}

/// The three tables and the three lists of sums.
fn blocks(text: &str) -> Result<[Table; 6], Error> {
    let mut found: [Table; 6] = Default::default();
    let (mut k, mut sums) = (0, false);
    for (n, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('#') {
            sums |= line.contains(HEADING);
            // Before the sums, lines of comments in a row separate nothing; a list of sums may be empty.
            k = match (line.contains(HEADING), sums) {
                (true, _) => 3,
                (false, true) => k + 1,
                (false, false) if !found[k.min(5)].is_empty() => k + 1,
                _ => k,
            };
        } else if !line.is_empty() {
            let place = found.get_mut(k).filter(|_| sums || k < 3);
            let what = format!(
                "line {}: expected three tables and three lists of sums",
                n + 1
            );
            let place = place.ok_or_else(|| Error::invalid(OP, what))?;
            place.push(row(n, line)?);
        }
    }
    Ok(found)
}

/// Whether all rows have as many entries, and how many.
fn width(rows: &Table, what: &str) -> Result<usize, Error> {
    let first = rows.first().map_or(0, Vec::len);
    match rows.iter().find(|row| row.len() != first) {
        None => Ok(first),
        Some(row) => {
            let what = format!("the rows of {what} have {first} and {} entries", row.len());
            Err(Error::invalid(OP, what))
        }
    }
}

fn transposed(rows: &Table, columns: usize) -> Table {
    let column = |j: usize| rows.iter().map(|row| row[j].clone()).collect();
    (0..columns).map(column).collect()
}

/// A table with a row for each entry: those of the sums multiplied out.
fn expanded(mut rows: Table, sums: &Table, what: &str) -> Result<Table, Error> {
    let entries = rows.len().checked_sub(sums.len()).filter(|n| *n > 0);
    let wide = width(sums, "a list of sums")?;
    let entries = entries.filter(|n| sums.is_empty() || wide == *n);
    let entries = entries.ok_or_else(|| {
        let what = format!(
            "{what} has {} rows or columns and {} sums of {wide}: expected one for each entry and each sum",
            rows.len(),
            sums.len()
        );
        Error::invalid(OP, what)
    })?;
    let width = width(&rows, what)?;
    if entries.saturating_mul(width).saturating_mul(1 + sums.len()) > MAX_WORK {
        return Err(Error::limit(OP, "work to expand sums", MAX_WORK as u64));
    }
    let extra = rows.split_off(entries);
    for (sum, of_sum) in sums.iter().zip(&extra) {
        for (row, c) in rows.iter_mut().zip(sum).filter(|(_, c)| !c.is_zero()) {
            for (x, y) in row.iter_mut().zip(of_sum).filter(|(_, y)| !y.is_zero()) {
                *x += &(y * c);
            }
        }
    }
    Ok(rows)
}

pub(crate) fn read(text: &str) -> Result<Scheme, Error> {
    let [u, v, w, of_u, of_v, of_w] = blocks(text)?;
    let rank = width(&u, "U")?;
    if width(&v, "V")? != rank || rank == 0 || w.is_empty() {
        let what = "U, V and W must not be empty, and U and V have a column for each product";
        return Err(Error::invalid(OP, what));
    }
    let columns = width(&w, "W")?;
    let tables = [
        expanded(u, &of_u, "U")?,
        expanded(v, &of_v, "V")?,
        expanded(transposed(&w, columns), &of_w, "W")?,
    ];
    if tables[2].len() != rank {
        let what = format!(
            "W is about {} products, U and V about {rank}",
            tables[2].len()
        );
        return Err(Error::invalid(OP, what));
    }
    let mut builder = Builder::new("", 3);
    let [u, v, w] = tables;
    let outputs = w.first().map_or(0, Vec::len);
    for (k, table) in [u, v, transposed(&w, outputs)].into_iter().enumerate() {
        builder.at_least(k, table.len(), rank);
        for (at, row) in table.into_iter().enumerate() {
            for (r, x) in row.into_iter().enumerate() {
                builder.value(k, at, r, entry::constant(x))?;
            }
        }
    }
    builder.finish()
}
