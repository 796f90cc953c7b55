//! Rows of one file (or of memory), in order, a block at a time.

use super::samples::Selection;
use super::{StoredTensor, foreign, npy, source, text};
use crate::Error;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Entries of a sparse sample that are expanded at most: 256 MiB of them.
const MAX_EXPANDED: usize = 1 << 25;

/// Where rows come from.
#[derive(Clone, Debug)]
pub(super) enum PartKind {
    Npy(npy::NpyHeader),
    Text(text::Dialect),
    Memory(Vec<f64>),
    /// An array of a file that is not read again.
    Held(Held),
}

/// Rows in memory.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) shape: [usize; 2],
    pub(super) data: Vec<f64>,
}

/// Rows of one part, in order.
// One reader is open at a time: its size does not matter.
#[allow(clippy::large_enum_variant)]
pub(super) enum Reader<'a> {
    Npy {
        path: &'a Path,
        header: &'a npy::NpyHeader,
        file: File,
        row: usize,
        shape: [usize; 2],
    },
    Text(text::Rows),
    Memory {
        left: &'a [f64],
        columns: usize,
    },
}

impl<'a> Reader<'a> {
    pub(super) fn open(
        path: &'a Path,
        kind: &'a PartKind,
        shape: [usize; 2],
    ) -> Result<Self, Error> {
        let unreadable = |e| Error::file(path, "", format!("cannot be read: {e}"));
        Ok(match kind {
            PartKind::Memory(data) => Self::Memory {
                left: data,
                columns: shape[1],
            },
            PartKind::Held(array) => Self::Memory {
                left: &array.data,
                columns: shape[1],
            },
            PartKind::Text(dialect) => Self::Text(text::Rows::open(path, dialect)?),
            PartKind::Npy(header) => {
                let file = File::open(path).map_err(unreadable)?;
                Self::Npy {
                    path,
                    header,
                    file,
                    row: 0,
                    shape,
                }
            }
        })
    }

    /// Up to `rows` further rows, row after row; empty at the end.
    pub(super) fn read(&mut self, rows: usize) -> Result<Vec<f64>, Error> {
        match self {
            Self::Memory { left, columns } => {
                let (head, tail) = left.split_at((rows * *columns).min(left.len()));
                *left = tail;
                Ok(head.to_vec())
            }
            Self::Text(lines) => lines.read(rows),
            Self::Npy {
                path,
                header,
                file,
                row,
                shape,
            } => {
                let [n, columns] = *shape;
                let take = rows.min(n - *row);
                let changed = |_| Error::file(*path, "", "changed while it was read");
                let size = header.dtype.size;
                let at = |entry: usize| (header.data_start + entry * size) as u64;
                let mut decode = |from: usize, count: usize| {
                    let mut bytes = vec![0; count * size];
                    file.seek(SeekFrom::Start(at(from))).map_err(changed)?;
                    file.read_exact(&mut bytes).map_err(changed)?;
                    header.dtype.decode(&bytes).ok_or_else(|| complex(path))
                };
                let data = if header.fortran_order && columns > 1 {
                    let mut data = vec![0.0; take * columns];
                    for j in 0..columns {
                        let column = decode(*row + n * j, take)?;
                        column
                            .iter()
                            .enumerate()
                            .for_each(|(i, x)| data[i * columns + j] = *x);
                    }
                    data
                } else {
                    decode(*row * columns, take * columns)?
                };
                *row += take;
                Ok(data)
            }
        }
    }
}

fn complex(path: &Path) -> Error {
    Error::file(
        path,
        "header",
        "holds complex numbers, expected real samples",
    )
}

/// How the rows of a file are read. Arrays that cannot be read from the file itself (compressed, or a stream)
/// are held in memory.
pub(super) fn kind_of(path: &Path, selection: &Selection) -> Result<PartKind, Error> {
    let format = source::format(path)?;
    let chosen = &selection.columns[..];
    if let (Some(name), true) = (&selection.name, is_text(&format) || format == "npy") {
        let problem =
            format!("--name {name} does nothing: a .{format} file holds one array without a name");
        return Err(Error::file(path, "", problem));
    }
    if is_text(&format) {
        return Ok(PartKind::Text(text::Dialect::detect(path, chosen)?));
    }
    let array = match format.as_str() {
        "npz" | "mat" => match StoredTensor::read(path, selection.name.as_deref())? {
            StoredTensor::Real(t) => t,
            StoredTensor::Sparse(s) => s.to_dense(MAX_EXPANDED)?,
            StoredTensor::Complex(_) => return Err(complex(path)),
        },
        _ => {
            foreign::refuse(path)?;
            let header = npy::header(path)?;
            let _ = rows_and_columns(path, &header)?;
            if chosen.is_empty() && !source::is_held(path) {
                return Ok(PartKind::Npy(header));
            }
            npy::read(path)?
        }
    };
    let [rows, columns] = matrix(path, array.dims())?;
    let picked = match chosen {
        [] => (0..columns).collect(),
        chosen => text::choose(path, chosen, &[], columns)?,
    };
    let all = array.as_slice();
    let entry = |i: usize| picked.iter().map(move |&j| all[i + rows * j]);
    let data = (0..rows).flat_map(entry).collect();
    let shape = [rows, picked.len()];
    Ok(PartKind::Held(Held { shape, data }))
}

fn matrix(path: &Path, shape: &[usize]) -> Result<[usize; 2], Error> {
    match *shape {
        [n] => Ok([n, 1]),
        [n, d] => Ok([n, d]),
        _ => {
            let problem = format!("has shape {shape:?}, expected rows x columns");
            Err(Error::file(path, "header", problem))
        }
    }
}

pub(super) fn rows_and_columns(path: &Path, header: &npy::NpyHeader) -> Result<[usize; 2], Error> {
    if header.dtype.kind == npy::EntryKind::Complex {
        return Err(complex(path));
    }
    matrix(path, &header.shape)
}

pub(super) fn is_text(format: &str) -> bool {
    matches!(format, "csv" | "tsv" | "txt")
}
