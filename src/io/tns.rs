//! FROSTT `.tns`: sparse tensors as text, one entry per line, indices from 1.

use super::source;
use crate::Error;
use crate::error::quoted;
use crate::tensor::SparseTensor;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// The greatest number of modes; that of NumPy.
const MAX_ORDER: usize = 32;
/// Indices of any mode that are free, whatever the number of entries: 2^20.
const FREE_INDEX: usize = 1 << 20;
/// Beyond that, indices for each entry. In the largest public tensors of this format every mode has fewer
/// indices than the file has entries; a table of factors with millions of rows for a handful of entries is a
/// slip of units or of offsets.
const INDICES_PER_ENTRY: usize = 64;

/// Reads a sparse tensor; each dimension is the greatest index of its mode, values at equal indices add up.
///
/// Blank lines and lines starting with `#` are skipped. NaN and infinities are kept: refusing them is the
/// business of whoever decides about missing values.
///
/// # Errors
/// `File` naming the line and what was expected there; also for an index above 2^20 and above 64 times the
/// number of entries: every index is a row of a factor matrix.
pub fn read(path: &Path) -> Result<SparseTensor, Error> {
    if source::is_held(path) {
        return parse(path, &source::bytes(path)?[..]);
    }
    let unreadable = |e: std::io::Error| Error::file(path, "", format!("cannot be read: {e}"));
    parse(path, BufReader::new(File::open(path).map_err(unreadable)?))
}

/// The same from any text; `path` is only for messages.
///
/// # Errors
/// As [`read`].
pub fn parse(path: &Path, text: impl BufRead) -> Result<SparseTensor, Error> {
    let unreadable = |e: std::io::Error| Error::file(path, "", format!("cannot be read: {e}"));
    let (mut indices, mut values): (Vec<usize>, Vec<f64>) = (Vec::new(), Vec::new());
    let mut index: Vec<usize> = Vec::new();
    let mut dims: Vec<usize> = Vec::new();
    // The line with the greatest index of each mode.
    let mut lines: Vec<usize> = Vec::new();
    for (n, line) in text.lines().enumerate() {
        let line = line.map_err(unreadable)?;
        let text = line.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let value = parse_line(text, &mut index)
            .map_err(|problem| Error::file(path, format!("line {}", n + 1), problem))?;
        if index.len() > MAX_ORDER {
            let problem = format!("has {} indices, at most {MAX_ORDER} are read", index.len());
            return Err(Error::file(path, format!("line {}", n + 1), problem));
        }
        if dims.is_empty() {
            dims = vec![0; index.len()];
            lines = vec![0; index.len()];
        }
        if dims.len() != index.len() {
            let problem = format!(
                "has {} indices, the lines before have {}",
                index.len(),
                dims.len()
            );
            return Err(Error::file(path, format!("line {}", n + 1), problem));
        }
        for (k, &i) in index.iter().enumerate() {
            if i >= dims[k] {
                (dims[k], lines[k]) = (i + 1, n + 1);
            }
        }
        indices.extend_from_slice(&index);
        values.push(value);
    }
    if values.is_empty() {
        return Err(Error::file(path, "", "holds no entry of a tensor"));
    }
    let most = values
        .len()
        .saturating_mul(INDICES_PER_ENTRY)
        .max(FREE_INDEX);
    if let Some(mode) = dims.iter().position(|&d| d > most) {
        let problem = format!(
            "index {} of mode {mode} is more than the {most} indices that a file of {} entries may use; number the indices that occur from 1",
            dims[mode],
            values.len()
        );
        return Err(Error::file(path, format!("line {}", lines[mode]), problem));
    }
    SparseTensor::from_coordinates(&dims, &indices, values, |a, b| a + b)
}

/// The value of a line; its indices, from 0, go into `out`.
fn parse_line(text: &str, out: &mut Vec<usize>) -> Result<f64, String> {
    let Some((index, value)) = text.rsplit_once(char::is_whitespace) else {
        return Err(format!(
            "expected indices and a value, found {}",
            quoted(text)
        ));
    };
    let value = value
        .parse()
        .map_err(|_| format!("expected a number, found {}", quoted(value)))?;
    out.clear();
    for word in index.split_whitespace() {
        match word.parse::<usize>() {
            Ok(i) if i >= 1 => out.push(i - 1),
            _ => return Err(format!("expected an index from 1, found {}", quoted(word))),
        }
    }
    Ok(value)
}
