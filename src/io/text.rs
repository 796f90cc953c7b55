//! Tables of numbers as text: `.csv` and `.tsv`, with or without a header line.

use crate::Error;
use crate::error::quoted;
use std::fs::File;
use std::path::{Path, PathBuf};

/// How a text table is laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    delimiter: u8,
    has_header: bool,
    pub(super) columns: usize,
}

impl Dialect {
    /// Looks at the first line: the delimiter by the file's ending or by what occurs, a header when an entry
    /// is not a number.
    pub(super) fn detect(path: &Path) -> Result<Self, Error> {
        use std::io::{BufRead, BufReader, Read};
        let unreadable = |e: std::io::Error| Error::file(path, "", format!("cannot be read: {e}"));
        let file = File::open(path).map_err(unreadable)?;
        let mut lines = BufReader::new(file.take(1 << 24));
        let mut line = Vec::new();
        while line.trim_ascii().is_empty() {
            line.clear();
            if lines.read_until(b'\n', &mut line).map_err(unreadable)? == 0 {
                return Err(Error::file(path, "", "is empty, expected rows of numbers"));
            }
        }
        let line = String::from_utf8_lossy(line.trim_ascii()).into_owned();
        let tabs = path.extension().is_some_and(|e| e == "tsv");
        let delimiter = [b'\t', b',', b';', b' ']
            .into_iter()
            .find(|&d| line.bytes().any(|b| b == d))
            .unwrap_or(if tabs { b'\t' } else { b',' });
        let entries: Vec<&str> = line.split(delimiter as char).map(str::trim).collect();
        let entries: Vec<&str> = match delimiter {
            b' ' => entries.into_iter().filter(|e| !e.is_empty()).collect(),
            _ => entries,
        };
        let is_number = |e: &&str| parse(e).is_some();
        let has_header = !entries.iter().all(is_number);
        // One name in quotes per column; a line of text without any delimiter is no table at all.
        if has_header && entries.iter().any(is_number) {
            let bad = entries.iter().position(|e| parse(e).is_none()).unwrap_or(0);
            let place = format!("line 1, column {bad}");
            let problem = format!("expected a number, found {}", quoted(entries[bad]));
            return Err(Error::file(path, place, problem));
        }
        let columns = entries.len();
        Ok(Self {
            delimiter,
            has_header,
            columns,
        })
    }
}

/// A number as spreadsheets and NumPy write it; NaN and infinity are values here and refused later, with
/// their row.
fn parse(entry: &str) -> Option<f64> {
    let entry = entry.trim().trim_matches('"');
    match entry.to_ascii_lowercase().as_str() {
        "" | "na" | "nan" | "-nan" | "null" => Some(f64::NAN),
        _ => entry.parse().ok(),
    }
}

/// Rows of a text table, in order.
pub(super) struct Rows {
    path: PathBuf,
    records: csv::Reader<File>,
    record: csv::StringRecord,
    columns: usize,
    /// Runs of blanks count as one delimiter.
    blanks: bool,
}

impl Rows {
    pub(super) fn open(path: &Path, dialect: &Dialect) -> Result<Self, Error> {
        let file = File::open(path);
        let file = file.map_err(|e| Error::file(path, "", format!("cannot be read: {e}")))?;
        let records = csv::ReaderBuilder::new()
            .delimiter(dialect.delimiter)
            .has_headers(dialect.has_header)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(file);
        let record = csv::StringRecord::new();
        Ok(Self {
            path: path.to_owned(),
            records,
            record,
            columns: dialect.columns,
            blanks: dialect.delimiter == b' ',
        })
    }

    /// Up to `rows` further rows, row after row; empty at the end.
    pub(super) fn read(&mut self, rows: usize) -> Result<Vec<f64>, Error> {
        let mut data = Vec::with_capacity((rows * self.columns).min(1 << 20));
        for _ in 0..rows {
            let more = self.records.read_record(&mut self.record);
            let line = self.record.position().map_or(0, csv::Position::line);
            let place = |what: &str| format!("line {line}{what}");
            match more {
                Ok(true) => {}
                Ok(false) => break,
                Err(e) => {
                    let problem = format!("is not a row of numbers: {e}");
                    return Err(Error::file(&self.path, place(""), problem));
                }
            }
            let before = data.len();
            let kept = self.record.iter().filter(|e| !self.blanks || !e.is_empty());
            for (j, entry) in kept.enumerate() {
                let value = parse(entry).ok_or_else(|| {
                    let problem = format!("expected a number, found {}", quoted(entry));
                    Error::file(&self.path, place(&format!(", column {j}")), problem)
                })?;
                data.push(value);
            }
            let found = data.len() - before;
            if found != self.columns {
                let problem = format!("has {found} entries, expected {}", self.columns);
                return Err(Error::file(&self.path, place(""), problem));
            }
        }
        Ok(data)
    }
}
