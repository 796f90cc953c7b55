//! FROSTT `.tns`: sparse tensors as text, one entry per line, indices from 1.

use crate::Error;
use crate::error::quoted;
use crate::tensor::SparseTensor;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// Reads a sparse tensor; each dimension is the greatest index of its mode, values at equal indices add up.
///
/// Blank lines and lines starting with `#` are skipped. NaN and infinities are kept: refusing them is the
/// business of whoever decides about missing values.
///
/// # Errors
/// `File` naming the line and what was expected there.
pub fn read(path: &Path) -> Result<SparseTensor, Error> {
    let unreadable = |e: std::io::Error| Error::file(path, "", format!("cannot be read: {e}"));
    let file = File::open(path).map_err(unreadable)?;
    let mut entries = Vec::new();
    let mut dims: Vec<usize> = Vec::new();
    for (n, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(unreadable)?;
        let text = line.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let (index, value) = parse_line(text)
            .map_err(|problem| Error::file(path, format!("line {}", n + 1), problem))?;
        if dims.is_empty() {
            dims = vec![0; index.len()];
        }
        if dims.len() != index.len() {
            let problem = format!(
                "has {} indices, the lines before have {}",
                index.len(),
                dims.len()
            );
            return Err(Error::file(path, format!("line {}", n + 1), problem));
        }
        dims.iter_mut()
            .zip(&index)
            .for_each(|(d, &i)| *d = (*d).max(i + 1));
        entries.push((index, value));
    }
    if entries.is_empty() {
        return Err(Error::file(path, "", "holds no entry of a tensor"));
    }
    SparseTensor::from_entries(&dims, entries, |a, b| a + b)
}

fn parse_line(text: &str) -> Result<(Vec<usize>, f64), String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let Some((value, index)) = words.split_last().filter(|(_, i)| !i.is_empty()) else {
        return Err(format!(
            "expected indices and a value, found {}",
            quoted(text)
        ));
    };
    let value = value
        .parse()
        .map_err(|_| format!("expected a number, found {}", quoted(value)))?;
    let mut out = Vec::with_capacity(index.len());
    for word in index {
        match word.parse::<usize>() {
            Ok(i) if i >= 1 => out.push(i - 1),
            _ => return Err(format!("expected an index from 1, found {}", quoted(word))),
        }
    }
    Ok((out, value))
}
