//! Tables of numbers as text, as programs write them: `.csv`, `.tsv` and `.txt`.
//!
//! Read without a word: byte-order marks and UTF-16, comment lines (`#`, `%`), a header line, quoted entries, also over
//! several lines, commas, semicolons, tabs, bars or blanks between entries, decimal commas where the comma does not
//! separate, an index column without a name (the default of pandas and of R), truth values as 1 and 0, and words for what
//! was not measured.

mod lines;

use crate::Error;
use crate::error::quoted;
use crate::tensor::Tensor;
use lines::{FAILED, Lines};
use std::path::{Path, PathBuf};

/// How a text table is laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    delimiter: u8,
    /// Records before the first row: a header, a line that names the delimiter.
    skip: usize,
    /// Entries of a line, an index column included.
    width: usize,
    /// Which of them are read, in order.
    keep: Vec<usize>,
    /// Number of columns that are read.
    pub(super) columns: usize,
    /// Their names; empty without a header.
    pub(super) names: Vec<String>,
    /// The shape of the tensor whose unfolding the table is, from a comment `# shape: 4 3 2`.
    pub(super) shape: Option<Vec<usize>>,
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
    // A name over several lines is one name.
    let one_line = |e: &str| e.split_whitespace().collect::<Vec<_>>().join(" ");
    kept.map(one_line).collect()
}

/// The delimiter by what occurs outside of quotes.
fn delimiter_of(line: &str, path: &Path) -> u8 {
    let mut outside = true;
    // What is quoted counts as a letter.
    let letter = |b: u8| {
        outside ^= b == b'"';
        if outside && b != b'"' { b } else { b'q' }
    };
    let plain: Vec<u8> = line.bytes().map(letter).collect();
    let known = [b'\t', b';', b'|', b',', b' '];
    let found = known.into_iter().find(|d| plain.trim_ascii().contains(d));
    let tabs = path.extension().is_some_and(|e| e == "tsv");
    found.unwrap_or(if tabs { b'\t' } else { b',' })
}

/// `sep=;`, as spreadsheets write and want it.
fn named_delimiter(line: &str) -> Option<u8> {
    let word = line.trim().trim_matches('"');
    let rest = word.get(..4).filter(|w| w.eq_ignore_ascii_case("sep="));
    match (rest, word.as_bytes()) {
        (Some(_), [.., delimiter]) if word.len() == 5 => Some(*delimiter),
        _ => None,
    }
}

/// The shape in a comment `# shape: 4 3 2`.
fn shape_of(comments: &[String]) -> Option<Vec<usize>> {
    let text = |c: &String| {
        c.trim_start_matches(['#', '%', ' '])
            .strip_prefix("shape:")
            .map(str::to_owned)
    };
    let words = comments.iter().find_map(text)?;
    let sizes: Option<Vec<usize>> = words.split_whitespace().map(|w| w.parse().ok()).collect();
    sizes.filter(|s| s.len() > 2)
}

/// What the first record is.
struct Header {
    /// Whether it names columns.
    is_header: bool,
    /// Whether an index column without a name stands before the others.
    index: bool,
    /// Whether the names are one fewer than the entries.
    short: bool,
}

impl Header {
    /// Of the first record and the second one; `None` where the first holds numbers and words.
    fn of(head: &[String], body: &[String], delimiter: u8) -> Option<Self> {
        let number = |e: &String| parse(e, delimiter).is_some();
        let words = |record: &[String]| record.iter().filter(|e| !number(e)).count();
        let found = words(head);
        let counts = |record: &[String]| record.iter().enumerate().all(|(k, e)| e.parse() == Ok(k));
        let whole = |e: &String| e.parse::<i64>().is_ok();
        let even = body.len() == head.len();
        // pandas: no name above the index (`Unnamed: 0` once it was read and written again); R: one name fewer.
        let first = head.first().map(String::as_str).unwrap_or_default();
        let blank = first.is_empty() || first.starts_with("Unnamed: 0");
        // A grid between two scales, as of wavelengths: nothing in the corner, and labels that rise or fall.
        let labels: Vec<f64> = head
            .iter()
            .skip(1)
            .filter_map(|e| parse(e, delimiter))
            .collect();
        let scale =
            labels.windows(2).all(|w| w[0] < w[1]) || labels.windows(2).all(|w| w[0] > w[1]);
        let grid = first.is_empty() && labels.len() + 1 == head.len() && labels.len() > 2 && scale;
        let unnamed = head.len() > 1 && blank && even && (found > 0 || counts(&head[1..]) || grid);
        let short = found == head.len() && body.len() == head.len() + 1;
        // pandas without an index numbers columns that have no names.
        let numbered = head.len() > 1 && even && counts(head) && !body.iter().all(whole);
        let named = found > 0 && (found == head.len() || (even && words(body) == 0));
        let is_header = unnamed || named || numbered;
        (is_header || found == 0).then_some(Self {
            is_header,
            index: unnamed || short,
            short,
        })
    }
}

impl Dialect {
    /// Looks at the first records: the delimiter by what occurs, a header when it names the columns.
    ///
    /// `chosen` picks columns by name, or by number from 0.
    pub(super) fn detect(path: &Path, chosen: &[String]) -> Result<Self, Error> {
        let start = Start::read(path)?;
        let (delimiter, head) = (start.delimiter, &start.head);
        let number = |e: &String| parse(e, delimiter).is_some();
        let Some(header) = Header::of(head, &start.body, delimiter) else {
            let bad = head.iter().position(|e| !number(e)).unwrap_or(0);
            let place = format!("line 1, column {bad}");
            let problem = format!("expected a number, found {}", quoted(&head[bad]));
            return Err(Error::file(path, place, problem));
        };
        let index = usize::from(header.index);
        let width = head.len() + usize::from(header.short);
        let shape = shape_of(&start.comments);
        let mut names = match (header.is_header, start.comments.last()) {
            (true, _) => head[usize::from(header.index && !header.short)..].to_vec(),
            (false, Some(comment)) if shape.is_none() => {
                split(comment.trim_start_matches(['#', '%', ' ']), delimiter)
            }
            _ => Vec::new(),
        };
        if names.len() != width - index {
            names.clear();
        }
        let mut keep: Vec<usize> = (index..width).collect();
        if !chosen.is_empty() {
            let picked = choose(path, chosen, &names, keep.len())?;
            keep = picked.iter().map(|&k| keep[k]).collect();
            let name = |&k: &usize| names.get(k).cloned();
            names = picked.iter().filter_map(name).collect();
        }
        Ok(Self {
            delimiter,
            skip: start.skip + usize::from(header.is_header),
            width: width + usize::from(start.trailing),
            columns: keep.len(),
            keep,
            names,
            shape,
        })
    }
}

/// The beginning of a table.
struct Start {
    delimiter: u8,
    /// Records before the first: a line that names the delimiter.
    skip: usize,
    /// Whether a delimiter ends every line, which makes no column.
    trailing: bool,
    /// Comments before the first record.
    comments: Vec<String>,
    /// The first record, and the second one.
    head: Vec<String>,
    body: Vec<String>,
}

impl Start {
    fn read(path: &Path) -> Result<Self, Error> {
        let unreadable = |e: std::io::Error| Error::file(path, "", format!("cannot be read: {e}"));
        super::foreign::refuse(path)?;
        let mut lines = Lines::open(path)?;
        let mut first = lines.record().map_err(unreadable)?;
        let asked = first.as_deref().and_then(named_delimiter);
        if asked.is_some() {
            first = lines.record().map_err(unreadable)?;
        }
        let Some(first) = first else {
            return Err(Error::file(path, "", "is empty, expected rows of numbers"));
        };
        let comments = lines.comments.clone();
        let second = lines.record().map_err(unreadable)?.unwrap_or_default();
        let delimiter = asked.unwrap_or_else(|| delimiter_of(&first, path));
        let (mut head, mut body) = (split(&first, delimiter), split(&second, delimiter));
        let blank = |r: &[String]| r.len() > 1 && r.last().is_some_and(String::is_empty);
        let words = head.iter().any(|e| parse(e, delimiter).is_none());
        let trailing = words && blank(&head) && blank(&body) && head.len() == body.len();
        if trailing {
            head.pop();
            body.pop();
        }
        Ok(Self {
            delimiter,
            skip: usize::from(asked.is_some()),
            trailing,
            comments,
            head,
            body,
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

/// Words for what was not measured, in small letters; those of failed formulas beside.
const MISSING: [&str; 16] = [
    "", "na", "n/a", "<na>", "nat", "nan", "-nan", "null", "none", "missing", "-", "?", ".",
    "#n/a n/a", "-1.#ind", "1.#qnan",
];

/// A number as spreadsheets and NumPy write it; words for what was not measured are NaN here and refused later,
/// with their row, like infinity.
fn parse(entry: &str, delimiter: u8) -> Option<f64> {
    let entry = entry.trim().trim_matches('"').trim();
    if let Ok(x) = entry.parse() {
        return Some(x);
    }
    if delimiter != b',' && entry.contains(',') && !entry.contains('.') {
        return entry.replacen(',', ".", 1).parse().ok();
    }
    let small = entry.to_ascii_lowercase();
    match small.as_str() {
        "true" => Some(1.0),
        "false" => Some(0.0),
        word if MISSING.contains(&word) || FAILED.contains(&word) => Some(f64::NAN),
        // Fortran's exponents.
        word if word.contains('d') => word.replacen('d', "e", 1).parse().ok(),
        _ => None,
    }
}

/// Rows of a text table, in order.
pub(super) struct Rows {
    path: PathBuf,
    records: csv::Reader<Lines>,
    record: csv::ByteRecord,
    dialect: Dialect,
    /// Records that are still to be skipped.
    skip: usize,
}

impl Rows {
    pub(super) fn open(path: &Path, dialect: &Dialect) -> Result<Self, Error> {
        let records = csv::ReaderBuilder::new()
            .delimiter(dialect.delimiter)
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(Lines::open(path)?);
        Ok(Self {
            path: path.to_owned(),
            records,
            record: csv::ByteRecord::new(),
            dialect: dialect.clone(),
            skip: dialect.skip,
        })
    }

    /// Up to `rows` further rows, row after row; empty at the end.
    pub(super) fn read(&mut self, rows: usize) -> Result<Vec<f64>, Error> {
        let mut data = Vec::with_capacity((rows * self.dialect.columns).min(1 << 20));
        let mut read = 0;
        while read < rows {
            let more = self.records.read_byte_record(&mut self.record);
            let line = self.record.position().map_or(0, csv::Position::line);
            match more {
                Ok(true) => {}
                Ok(false) => break,
                Err(e) => {
                    let problem = format!("is not a row of numbers: {e}");
                    return Err(Error::file(&self.path, format!("line {line}"), problem));
                }
            }
            // A line of blanks is one empty entry.
            let blank = self.record.iter().all(<[u8]>::is_empty);
            let single = self.record.len() == 1 && self.dialect.width > 1;
            if blank && (single || self.dialect.delimiter == b' ') {
                continue;
            }
            if self.skip > 0 {
                self.skip -= 1;
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
        let entries: Vec<&[u8]> = kept.collect();
        let number = |e: &[u8]| {
            std::str::from_utf8(e)
                .ok()
                .and_then(|e| parse(e, d.delimiter))
        };
        let text = |e: &[u8]| String::from_utf8_lossy(e).into_owned();
        if entries.len() != d.width {
            let mut problem = format!("has {} entries, expected {}", entries.len(), d.width);
            if entries.iter().any(|e| number(e).is_none()) {
                let words: Vec<String> = entries.iter().map(|e| text(e)).collect();
                let found = quoted(&words.join(" "));
                problem += &format!(
                    ": {found} is no row of numbers; take out lines of text that are not comments"
                );
            }
            return Err(Error::file(&self.path, place(""), problem));
        }
        for (k, &at) in d.keep.iter().enumerate() {
            let value = number(entries[at]).ok_or_else(|| {
                let mut problem =
                    format!("expected a number, found {}", quoted(&text(entries[at])));
                if d.keep.len() > 1 {
                    problem += "; leave a column of words out with --columns";
                }
                let name = d.names.get(k).map_or(String::new(), |n| format!(" ({n})"));
                Error::file(&self.path, place(&format!(", column {at}{name}")), problem)
            })?;
            data.push(value);
        }
        Ok(())
    }
}

/// A table as a matrix, or as the tensor whose shape a comment names; entries that are missing are NaN.
pub(super) fn read(path: &Path) -> Result<Tensor, Error> {
    let dialect = Dialect::detect(path, &[])?;
    let mut rows = Rows::open(path, &dialect)?;
    let (mut data, d) = (Vec::new(), dialect.columns);
    loop {
        let more = rows.read(4096)?;
        if more.is_empty() {
            break;
        }
        data.extend(more);
    }
    let n = data.len().checked_div(d).unwrap_or(0);
    if n == 0 {
        return Err(Error::file(path, "", "holds no row of numbers"));
    }
    let shape = dialect.shape.unwrap_or_else(|| vec![n, d]);
    let first = shape.first().copied().unwrap_or(0);
    let claimed = shape.iter().try_fold(1usize, |n, &k| n.checked_mul(k));
    if claimed != Some(data.len()) || first != n {
        let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
        let mut problem = format!(
            "has {n} rows of {d} entries, but its comment says shape {}: a row for each index of the first mode",
            sizes.join(" ")
        );
        if claimed == Some(data.len()) && first == d {
            problem += "; the table is transposed";
        }
        return Err(Error::file(path, "", problem));
    }
    // Rows run over the first index, the last one fastest within them.
    let strides: Vec<usize> = (0..shape.len())
        .map(|m| shape[m + 1..].iter().product())
        .collect();
    Tensor::from_fn(&shape, |index| {
        let flat: usize = index.iter().zip(&strides).map(|(i, s)| i * s).sum();
        data[flat]
    })
}
