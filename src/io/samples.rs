//! Samples as rows of files, streamed.
//!
//! One file, many files or folders of them make one sample: rows are numbered through in the order given
//! (folders sorted by name), and nothing is ever loaded whole. Opening reads every file once, to check it
//! (shape, NaN and infinity with the row), to hash it, and to know its scale.

use super::digest::hex;
use super::rows::{PartKind, Reader, is_text, kind_of, rows_and_columns};
use super::source;
use crate::Error;
use faer::MatRef;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

pub use super::digest::digest;

/// Rows that are read at a time while a file is checked.
const CHECK_ROWS: usize = 4096;
/// The widest sample that is read.
const MAX_COLUMNS: usize = 1 << 20;

/// One input file as it goes into a model's provenance.
///
/// See [`Selection`] for an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The path as given.
    pub path: PathBuf,
    /// SHA-256 of the bytes, in hexadecimal.
    pub sha256: String,
    /// Rows and columns.
    pub shape: [usize; 2],
    /// The names of the columns; empty where the file has none.
    pub columns: Vec<String>,
}

/// What is read of the files of a sample.
///
/// # Example
/// ```
/// use wickring::io::samples::{Samples, Selection};
/// use wickring::io::write_whole;
/// let path = std::env::temp_dir().join(format!("wickring-selection-{}.csv", std::process::id()));
/// write_whole(&path, b"a,b\n1,2\n3,4\n")?;
/// let second = Selection { columns: vec!["b".to_owned()], ..Selection::default() };
/// let samples = Samples::open_selected(&[&path], &second)?;
/// assert_eq!((samples.rows(), samples.max_abs()), (2, &[4.0][..]));
/// assert!(samples.inputs().all(|input| input.sha256.len() == 64));
/// # std::fs::remove_file(&path).ok();
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Columns, each named as in the header of a table, or by number from 0; empty for all.
    pub columns: Vec<String>,
    /// The array of a file that holds several (`.npz`, `.mat`).
    pub name: Option<String>,
    /// Whether NaN is let through: an entry that was not measured.
    pub gaps: bool,
}

/// Columns for each row from which on a sample looks transposed.
const WIDE: usize = 4;
/// Narrower samples never look transposed.
const NARROW: usize = 16;

/// Samples as rows, from one or more files.
///
/// # Example
/// ```
/// use wickring::io::samples::{Chunk, Samples};
/// let samples = Samples::from_rows(2, vec![1.0, 2.0, 3.0, 4.0, 5.0, -6.0])?;
/// assert_eq!((samples.rows(), samples.max_abs()), (3, &[5.0, 6.0][..]));
/// let chunks: Vec<Chunk> = samples.chunks(2).collect::<Result<_, _>>()?;
/// assert_eq!((chunks[1].first_row, &chunks[1].data[..]), (2, &[5.0, -6.0][..]));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Samples {
    parts: Vec<Part>,
    columns: usize,
    max_abs: Vec<f64>,
    /// Whether NaN stands for an entry that was not measured.
    gaps: bool,
}

#[derive(Clone, Debug)]
struct Part {
    input: Input,
    kind: PartKind,
    first_row: usize,
}

impl Part {
    fn reader(&self) -> Result<Reader<'_>, Error> {
        Reader::open(&self.input.path, &self.kind, self.input.shape)
    }
}

/// Consecutive rows of a sample, row-major.
///
/// See [`Samples`] for an example.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// Number of the first row in the whole sample.
    pub first_row: usize,
    /// Number of columns.
    pub columns: usize,
    /// The entries, row after row.
    pub data: Vec<f64>,
}

impl Chunk {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.data.len().checked_div(self.columns).unwrap_or(0)
    }

    /// The `rows x columns` matrix, without a copy.
    pub fn as_matrix(&self) -> MatRef<'_, f64> {
        MatRef::from_row_major_slice(&self.data, self.rows(), self.columns)
    }
}

impl Samples {
    /// Opens files and folders as one sample and checks every entry.
    ///
    /// # Errors
    /// `File` with path and place: unreadable, empty, truncated, not numbers, another number of columns than
    /// the first file, NaN or infinity (with its row and column).
    pub fn open<P: AsRef<Path>>(paths: &[P]) -> Result<Self, Error> {
        Self::open_columns(paths, &[])
    }

    /// The same with some columns only, each named as in the header of a table, or by number from 0.
    ///
    /// # Errors
    /// As [`Samples::open`]; also `File` when a column is not there, or when the files are arrays, whose columns
    /// have no names.
    pub fn open_columns<P: AsRef<Path>>(paths: &[P], chosen: &[String]) -> Result<Self, Error> {
        let selection = Selection {
            columns: chosen.to_vec(),
            ..Selection::default()
        };
        Self::open_selected(paths, &selection)
    }

    /// The same with some columns, or one array of files that hold several.
    ///
    /// # Errors
    /// As [`Samples::open_columns`]; also `File` when the array is not there, or when the files hold one array without
    /// a name.
    pub fn open_selected<P: AsRef<Path>>(
        paths: &[P],
        selection: &Selection,
    ) -> Result<Self, Error> {
        let mut files = Vec::new();
        for path in paths {
            expand(path.as_ref(), &mut files)?;
        }
        let mut samples = Self {
            parts: Vec::new(),
            columns: 0,
            max_abs: Vec::new(),
            gaps: selection.gaps,
        };
        for path in files {
            samples.append(&path, selection)?;
        }
        if samples.parts.is_empty() {
            return Err(Error::invalid(
                "Samples::open",
                "at least one sample file is needed",
            ));
        }
        Ok(samples)
    }

    /// A sample in memory, row after row.
    ///
    /// # Errors
    /// `Shape` when the length is not a multiple of `columns`, `NonFinite`.
    pub fn from_rows(columns: usize, data: Vec<f64>) -> Result<Self, Error> {
        let op = "Samples::from_rows";
        if columns == 0 || !data.len().is_multiple_of(columns) {
            let expected = format!("a multiple of {columns} > 0 entries");
            return Err(Error::shape(op, expected, data.len().to_string()));
        }
        if let Some(index) = data.iter().position(|x| !x.is_finite()) {
            return Err(Error::NonFinite { op, index });
        }
        let mut max_abs = vec![0.0; columns];
        widen(&mut max_abs, &data);
        let mut hash = Sha256::new();
        data.iter().for_each(|x| hash.update(x.to_le_bytes()));
        let shape = [data.len() / columns, columns];
        let path = PathBuf::from("<memory>");
        let input = Input {
            path,
            sha256: hex(&hash.finalize()),
            shape,
            columns: Vec::new(),
        };
        let kind = PartKind::Memory(data);
        let parts = vec![Part {
            input,
            kind,
            first_row: 0,
        }];
        Ok(Self {
            parts,
            columns,
            max_abs,
            gaps: false,
        })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.parts
            .last()
            .map_or(0, |p| p.first_row + p.input.shape[0])
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The names of the columns, from the header of the first table; empty when there is none.
    pub fn names(&self) -> &[String] {
        self.parts.first().map_or(&[], |p| &p.input.columns)
    }

    /// Whether there are far more columns than rows, as when variables were stored as rows: at least 16 columns, and
    /// four for each row.
    pub fn looks_transposed(&self) -> bool {
        self.columns >= NARROW && self.columns / WIDE >= self.rows()
    }

    /// The complaint that there are other columns than `wanted`, with the remedy where the numbers tell one.
    pub fn mismatch(&self, wanted: usize, whose: &str) -> Error {
        let mut problem = format!("has {} columns, but {whose}", self.columns);
        if self.rows() == wanted {
            problem += &format!("; it has {wanted} rows: it looks transposed, samples are rows");
        }
        let first = self.parts.first();
        let path = first.map_or(Path::new(""), |p| p.input.path.as_path());
        Error::file(path, "", problem)
    }

    /// The greatest absolute value in each column.
    pub fn max_abs(&self) -> &[f64] {
        &self.max_abs
    }

    /// The same rows, of a sample whose columns reach to `max_abs`.
    pub(crate) fn with_max_abs(self, max_abs: Vec<f64>) -> Self {
        Self { max_abs, ..self }
    }

    /// The files, for provenance.
    pub fn inputs(&self) -> impl Iterator<Item = &Input> {
        self.parts.iter().map(|p| &p.input)
    }

    /// The rows in chunks of `rows` (the last one shorter), across the borders of files: chunk `k` starts at
    /// row `k * rows` however the sample is split into files.
    ///
    /// # Panics
    /// If `rows` is zero.
    pub fn chunks(&self, rows: usize) -> Chunks<'_> {
        assert!(rows > 0, "chunks need at least one row");
        Chunks {
            samples: self,
            rows,
            next_row: 0,
            part: 0,
            reader: None,
            pending: Vec::new(),
        }
    }

    fn append(&mut self, path: &Path, selection: &Selection) -> Result<(), Error> {
        let kind = kind_of(path, selection)?;
        let mut shape = [0, 0];
        let mut columns = Vec::new();
        match &kind {
            PartKind::Npy(header) => shape = rows_and_columns(path, header)?,
            PartKind::Text(dialect) => {
                shape[1] = dialect.columns;
                columns.clone_from(&dialect.names);
            }
            PartKind::Held(array) => shape = array.shape,
            PartKind::Memory(_) => {}
        }
        if self.parts.is_empty() {
            self.columns = shape[1];
            self.max_abs = vec![0.0; shape[1]];
        } else if shape[1] != self.columns {
            let first = self.parts[0].input.path.display();
            let (have, want) = (shape[1], self.columns);
            let problem = format!("has {have} columns, but {first} has {want}");
            return Err(Error::file(path, "", problem));
        }
        if shape[1] == 0 || shape[1] > MAX_COLUMNS {
            let problem = format!("has {} columns, expected 1 to {MAX_COLUMNS}", shape[1]);
            return Err(Error::file(path, "", problem));
        }
        let first_row = self.rows();
        let input = Input {
            path: path.to_owned(),
            sha256: digest(path)?,
            shape,
            columns,
        };
        let mut part = Part {
            input,
            kind,
            first_row,
        };
        part.input.shape[0] = self.check(&part)?;
        self.parts.push(part);
        Ok(())
    }

    /// Reads a part once: its rows, its scale, and that every entry is finite.
    fn check(&mut self, part: &Part) -> Result<usize, Error> {
        let (path, columns) = (&part.input.path, self.columns);
        let mut reader = part.reader()?;
        let (mut seen, mut missing) = (0, 0);
        let mut first = None;
        loop {
            let data = reader.read(CHECK_ROWS)?;
            if data.is_empty() {
                break;
            }
            let fine = |x: &f64| x.is_finite() || self.gaps && x.is_nan();
            for (at, x) in data.iter().enumerate().filter(|(_, x)| !fine(x)) {
                missing += 1;
                first.get_or_insert((seen + at / columns, at % columns, x.is_nan()));
            }
            widen(&mut self.max_abs, &data);
            seen += data.len() / columns;
        }
        if let Some((row, column, nan)) = first {
            let word = if nan { "NaN" } else { "infinity" };
            let name = part.input.columns.get(column);
            let name = name.map_or(String::new(), |n| format!(" ({n})"));
            let total = seen * columns;
            let problem = format!(
                "is {word}, and {missing} of {total} entries are missing; rows are counted from 0, every entry must be finite"
            );
            let place = format!("row {row}, column {column}{name}");
            return Err(Error::file(path.as_path(), place, problem));
        }
        match seen {
            0 => Err(Error::file(path.as_path(), "", "holds no sample")),
            _ => Ok(seen),
        }
    }
}

/// Chunks of rows; see [`Samples::chunks`].
///
/// See [`Samples`] for an example.
pub struct Chunks<'a> {
    samples: &'a Samples,
    rows: usize,
    next_row: usize,
    part: usize,
    reader: Option<Reader<'a>>,
    pending: Vec<f64>,
}

impl Iterator for Chunks<'_> {
    type Item = Result<Chunk, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let columns = self.samples.columns;
        let wanted = self.rows * columns;
        while self.pending.len() < wanted && self.part < self.samples.parts.len() {
            let missing = (wanted - self.pending.len()) / columns;
            let mut reader = match self.reader.take() {
                Some(reader) => reader,
                None => match self.samples.parts[self.part].reader() {
                    Ok(reader) => reader,
                    Err(e) => return Some(Err(e)),
                },
            };
            match reader.read(missing) {
                Ok(data) if data.is_empty() => self.part += 1,
                Ok(data) => {
                    self.pending.extend(data);
                    self.reader = Some(reader);
                }
                Err(e) => return Some(Err(e)),
            }
        }
        if self.pending.is_empty() {
            return None;
        }
        let data = std::mem::take(&mut self.pending);
        let first_row = self.next_row;
        self.next_row += data.len() / columns;
        Some(Ok(Chunk {
            first_row,
            columns,
            data,
        }))
    }
}

/// A file itself, or the sample files of a folder in the order of their names.
fn expand(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let unreadable = |e: std::io::Error| Error::file(path, "", format!("cannot be read: {e}"));
    if path.as_os_str() == "-" || !std::fs::metadata(path).map_err(unreadable)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        if !file.is_file() {
            continue;
        }
        let format = source::format(&file)?;
        if format == "npy" || is_text(&format) {
            found.push(file);
        }
    }
    if found.is_empty() {
        return Err(Error::file(
            path,
            "",
            "is a folder without .npy, .csv or .tsv files",
        ));
    }
    found.sort();
    files.extend(found);
    Ok(())
}

fn widen(max_abs: &mut [f64], data: &[f64]) {
    for row in data.chunks_exact(max_abs.len()) {
        row.iter()
            .zip(&mut *max_abs)
            .for_each(|(x, m)| *m = m.max(x.abs()));
    }
}
