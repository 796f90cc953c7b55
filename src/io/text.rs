//! Tables of numbers as text, as programs write them: `.csv`, `.tsv` and `.txt`.
//!
//! Read without a word: a byte-order mark, comment lines (`#`, `%`), a header line, quoted entries, commas,
//! semicolons, tabs or blanks between entries, decimal commas where the comma does not separate, an index column
//! without a name (the default of pandas and of R), and words for what was not measured.

use super::source;
use crate::Error;
use crate::error::quoted;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

/// The longest line that is looked at to find the layout, in bytes.
const MAX_LINE: u64 = 1 << 24;

/// How a text table is laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    delimiter: u8,
    has_header: bool,
    /// Entries of a line, an index column included.
    width: usize,
    /// Which of them are read, in order.
    keep: Vec<usize>,
    /// Number of columns that are read.
    pub(super) columns: usize,
    /// Their names; empty without a header.
    pub(super) names: Vec<String>,
}

fn open(path: &Path) -> Result<Box<dyn Read>, Error> {
    if source::is_held(path) {
        return Ok(Box::new(Cursor::new(source::bytes(path)?)));
    }
    let file = File::open(path);
    let file = file.map_err(|e| Error::file(path, "", format!("cannot be read: {e}")))?;
    Ok(Box::new(file))
}

fn is_comment(line: &[u8]) -> bool {
    matches!(line.first(), None | Some(b'#' | b'%'))
}

/// The first two lines that are neither blank nor comments, and the last comment before them.
fn first_lines(path: &Path) -> Result<(String, String, Option<String>), Error> {
    let unreadable = |e: std::io::Error| Error::file(path, "", format!("cannot be read: {e}"));
    let mut lines = BufReader::new(open(path)?.take(4 * MAX_LINE));
    let (mut found, mut comment) = (Vec::new(), None);
    while found.len() < 2 {
        let mut line = Vec::new();
        let n = (&mut lines).take(MAX_LINE).read_until(b'\n', &mut line);
        if n.map_err(unreadable)? == 0 {
            break;
        }
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line);
        let line = line.trim_ascii_end();
        let text = || String::from_utf8_lossy(line).into_owned();
        match is_comment(line.trim_ascii_start()) {
            true if found.is_empty() && !line.is_empty() => comment = Some(text()),
            true => {}
            false => found.push(text()),
        }
    }
    let mut found = found.into_iter();
    match found.next() {
        Some(first) => Ok((first, found.next().unwrap_or_default(), comment)),
        None => Err(Error::file(path, "", "is empty, expected rows of numbers")),
    }
}

/// The entries of one line.
fn split(line: &str, delimiter: u8) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(line.as_bytes());
    let record = reader.records().next().and_then(Result::ok);
    let entries = record.unwrap_or_default();
    let kept = entries
        .iter()
        .filter(|e| delimiter != b' ' || !e.is_empty());
    kept.map(|e| e.trim().to_owned()).collect()
}

impl Dialect {
    /// Looks at the first two lines: the delimiter by what occurs, a header when it names the columns.
    ///
    /// `chosen` picks columns by name, or by number from 0.
    pub(super) fn detect(path: &Path, chosen: &[String]) -> Result<Self, Error> {
        let (first, second, comment) = first_lines(path)?;
        let tabs = path.extension().is_some_and(|e| e == "tsv");
        let delimiter = [b'\t', b';', b',', b' ']
            .into_iter()
            .find(|&d| first.bytes().any(|b| b == d))
            .unwrap_or(if tabs { b'\t' } else { b',' });
        let (head, body) = (split(&first, delimiter), split(&second, delimiter));
        let number = |e: &String| parse(e, delimiter).is_some();
        let words = head.iter().filter(|e| !number(e)).count();
        // pandas: no name above the index; R: one name fewer than entries.
        let unnamed = head.len() > 1 && head[0].is_empty() && body.len() == head.len() && {
            let counted = |(k, e): (usize, &String)| e.parse() == Ok(k);
            words > 0 || head[1..].iter().enumerate().all(counted)
        };
        let short = words == head.len() && body.len() == head.len() + 1;
        let has_header = unnamed || (words > 0 && words == head.len());
        if words > 0 && !has_header {
            let bad = head.iter().position(|e| !number(e)).unwrap_or(0);
            let place = format!("line 1, column {bad}");
            let problem = format!("expected a number, found {}", quoted(&head[bad]));
            return Err(Error::file(path, place, problem));
        }
        let index = usize::from(unnamed || short);
        let width = head.len() + usize::from(short);
        let mut names = match (has_header, comment) {
            (true, _) => head[usize::from(unnamed)..].to_vec(),
            (false, Some(comment)) => {
                let text = comment.trim_start_matches(['#', '%', ' ']);
                split(text, delimiter)
            }
            (false, None) => Vec::new(),
        };
        if names.len() != width - index {
            names.clear();
        }
        let mut keep: Vec<usize> = (index..width).collect();
        if !chosen.is_empty() {
            let picked = choose(path, chosen, &names, keep.len())?;
            keep = picked.iter().map(|&k| keep[k]).collect();
            names = picked
                .iter()
                .filter_map(|&k| names.get(k).cloned())
                .collect();
        }
        Ok(Self {
            delimiter,
            has_header,
            width,
            columns: keep.len(),
            keep,
            names,
        })
    }
}

/// Positions of the chosen columns: a name, else a number from 0.
pub(super) fn choose(
    path: &Path,
    chosen: &[String],
    names: &[String],
    columns: usize,
) -> Result<Vec<usize>, Error> {
    let place = |wanted: &String| {
        let named = names.iter().position(|n| n == wanted);
        let counted = || wanted.parse().ok().filter(|&k: &usize| k < columns);
        named.or_else(counted).ok_or_else(|| {
            let listed = match names {
                [] => format!("columns 0 to {}", columns.saturating_sub(1)),
                names => names.join(", "),
            };
            let problem = format!("has no column {}; it has {listed}", quoted(wanted));
            Error::file(path, "--columns", problem)
        })
    };
    chosen.iter().map(place).collect()
}

/// A number as spreadsheets and NumPy write it; words for what was not measured are NaN here and refused later,
/// with their row, like infinity.
fn parse(entry: &str, delimiter: u8) -> Option<f64> {
    let entry = entry.trim().trim_matches('"').trim();
    match entry.to_ascii_lowercase().as_str() {
        "" | "na" | "n/a" | "#n/a" | "nan" | "-nan" | "null" | "none" | "missing" | "-" | "?"
        | "." => Some(f64::NAN),
        _ if delimiter != b',' && entry.contains(',') && !entry.contains('.') => {
            entry.replacen(',', ".", 1).parse().ok()
        }
        _ => entry.parse().ok(),
    }
}

/// Rows of a text table, in order.
pub(super) struct Rows {
    path: PathBuf,
    records: csv::Reader<Box<dyn Read>>,
    record: csv::StringRecord,
    dialect: Dialect,
    /// Whether the header is still to come.
    before_header: bool,
}

impl Rows {
    pub(super) fn open(path: &Path, dialect: &Dialect) -> Result<Self, Error> {
        let records = csv::ReaderBuilder::new()
            .delimiter(dialect.delimiter)
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(open(path)?);
        Ok(Self {
            path: path.to_owned(),
            records,
            record: csv::StringRecord::new(),
            dialect: dialect.clone(),
            before_header: dialect.has_header,
        })
    }

    /// Up to `rows` further rows, row after row; empty at the end.
    pub(super) fn read(&mut self, rows: usize) -> Result<Vec<f64>, Error> {
        let mut data = Vec::with_capacity((rows * self.dialect.columns).min(1 << 20));
        let mut read = 0;
        while read < rows {
            let more = self.records.read_record(&mut self.record);
            let line = self.record.position().map_or(0, csv::Position::line);
            match more {
                Ok(true) => {}
                Ok(false) => break,
                Err(e) => {
                    let problem = format!("is not a row of numbers: {e}");
                    return Err(Error::file(&self.path, format!("line {line}"), problem));
                }
            }
            let first = self.record.get(0).unwrap_or("");
            let first = first.trim_start_matches('\u{feff}');
            if first.starts_with(['#', '%']) && !first.starts_with("#N/A") {
                continue;
            }
            if std::mem::take(&mut self.before_header) {
                continue;
            }
            self.row(line, &mut data)?;
            read += 1;
        }
        Ok(data)
    }

    fn row(&self, line: u64, data: &mut Vec<f64>) -> Result<(), Error> {
        let d = &self.dialect;
        let place = |what: &str| format!("line {line}{what}");
        // Runs of blanks count as one delimiter.
        let kept = self.record.iter();
        let kept = kept.filter(|e| d.delimiter != b' ' || !e.is_empty());
        let entries: Vec<&str> = kept.collect();
        if entries.len() != d.width {
            let mut problem = format!("has {} entries, expected {}", entries.len(), d.width);
            if entries.iter().any(|e| parse(e, d.delimiter).is_none()) {
                let found = quoted(&entries.join(" "));
                problem += &format!(
                    ": {found} is no row of numbers; take out lines of text that are not comments"
                );
            }
            return Err(Error::file(&self.path, place(""), problem));
        }
        for &k in &d.keep {
            let entry = entries[k].trim_start_matches('\u{feff}');
            let value = parse(entry, d.delimiter).ok_or_else(|| {
                let mut problem = format!("expected a number, found {}", quoted(entry));
                if d.keep.len() > 1 {
                    problem += "; leave a column of words out with --columns";
                }
                Error::file(&self.path, place(&format!(", column {k}")), problem)
            })?;
            data.push(value);
        }
        Ok(())
    }
}
