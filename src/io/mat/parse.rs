//! The elements of a `.mat` file: tags, heads of matrices, entries, and the trees of structures and cells.

use super::{ARRAY, COMPLEX_SPARSE, MatArray, MatValue, SPARSE, Variable};
use crate::tensor::{SparseTensor, Tensor};
use flate2::read::ZlibDecoder;
use std::io::Read;

/// Why bytes are no `.mat` file.
pub(super) enum Fault {
    At(usize, String),
    TooLarge(String),
}

fn fault<T>(at: usize, problem: &str) -> Result<T, Fault> {
    Err(Fault::At(at, problem.to_owned()))
}

/// Unpacked bytes that hold the head of a matrix: flags, up to 64 sizes, and a name of up to 63 letters.
const HEAD: u64 = 1 << 12;
/// Structures and cells within each other at most.
const MAX_DEPTH: usize = 16;
/// Members of all structures and cells at most.
const MAX_MEMBERS: usize = 1 << 16;
/// A member of this type is a matrix; a packed one holds a matrix.
const MATRIX: u32 = 14;
const PACKED: u32 = 15;

const CELL: &str = "a cell array";
const STRUCTURE: &str = "a structure";

/// The wanted values in the bytes of a file, of which neither packed bytes nor entries as 64-bit floats may
/// exceed `most` bytes in all. Every leaf is asked for once.
pub(super) fn values(
    bytes: &[u8],
    most: u64,
    wanted: &mut dyn FnMut(&Variable) -> bool,
) -> Result<Vec<MatValue>, Fault> {
    let big = match bytes.get(126..128) {
        Some(b"IM") => false,
        Some(b"MI") => true,
        _ => {
            return fault(
                0,
                "is not a MATLAB version 5 file (no endian mark at byte 126)",
            );
        }
    };
    let mut walk = Walk {
        wanted,
        big,
        place: 128,
        left: most,
        members: 0,
        found: Vec::new(),
    };
    while walk.place + 8 <= bytes.len() {
        let (kind, body, next) = Reader { bytes, big }.element(walk.place)?;
        match kind {
            MATRIX => walk.matrix(body, None, 0)?,
            PACKED => walk.packed(body)?,
            _ => {}
        }
        walk.place = next;
    }
    Ok(walk.found)
}

/// A walk over the variables of a file.
struct Walk<'a> {
    wanted: &'a mut dyn FnMut(&Variable) -> bool,
    big: bool,
    /// Offset in the file of the variable that is read.
    place: usize,
    left: u64,
    members: usize,
    found: Vec<MatValue>,
}

impl Walk<'_> {
    /// Takes bytes off the budget.
    fn charge(&mut self, name: &str, bytes: Option<u64>) -> Result<(), Fault> {
        match bytes.filter(|&n| n <= self.left) {
            Some(n) => self.left -= n,
            None => return Err(Fault::TooLarge(name.to_owned())),
        }
        Ok(())
    }

    /// A compressed variable: of an array that is not wanted only the head is unpacked.
    fn packed(&mut self, packed: &[u8]) -> Result<(), Fault> {
        let place = self.place;
        let damaged = |_| Fault::At(place, "compressed element is damaged".to_owned());
        let mut stream = ZlibDecoder::new(packed);
        let mut inner = Vec::new();
        (&mut stream)
            .take(HEAD)
            .read_to_end(&mut inner)
            .map_err(damaged)?;
        let reader = Reader {
            bytes: &inner,
            big: self.big,
        };
        if reader.u32(0) != Some(MATRIX) {
            return Ok(());
        }
        let head = head(inner.get(8..).unwrap_or(&[]), self.big, place)?;
        let tree = [CELL, STRUCTURE].contains(&head.variable.class);
        if !tree && !(self.wanted)(&head.variable) {
            return Ok(());
        }
        let most = self.left + HEAD;
        stream.take(most).read_to_end(&mut inner).map_err(damaged)?;
        if inner.len() as u64 > most {
            return Err(Fault::TooLarge(head.variable.name));
        }
        let big = self.big;
        let (_, body, _) = Reader { bytes: &inner, big }.element(0)?;
        match tree {
            true => {
                self.charge(&head.variable.name, Some(body.len() as u64))?;
                self.matrix(body, None, 0)
            }
            false => self.keep(body, head),
        }
    }

    /// A matrix and what is in it; members of trees come with their names.
    fn matrix(&mut self, body: &[u8], name: Option<String>, depth: usize) -> Result<(), Fault> {
        if body.is_empty() {
            return Ok(());
        }
        self.members += 1;
        if depth > MAX_DEPTH || self.members > MAX_MEMBERS {
            let problem = "holds structures or cells deeper than 16 or of more than 65536 members";
            return fault(self.place, problem);
        }
        let mut head = head(body, self.big, self.place)?;
        if let Some(name) = name {
            head.variable.name = name;
        }
        match head.variable.class {
            CELL => self.cells(body, &head, depth),
            STRUCTURE => self.structure(body, &head, depth),
            _ if (self.wanted)(&head.variable) => self.keep(body, head),
            _ => Ok(()),
        }
    }

    fn cells(&mut self, body: &[u8], head: &Head, depth: usize) -> Result<(), Fault> {
        let (mut at, mut k) = (head.at, 0);
        while at + 8 <= body.len() {
            let (_, member, next) = self.reader(body).element(at)?;
            k += 1;
            let name = format!("{}{{{k}}}", head.variable.name);
            self.matrix(member, Some(name), depth + 1)?;
            at = next;
        }
        Ok(())
    }

    fn structure(&mut self, body: &[u8], head: &Head, depth: usize) -> Result<(), Fault> {
        let reader = self.reader(body);
        let (_, width, at) = reader.element(head.at)?;
        let (_, names, mut at) = reader.element(at)?;
        let width = self.reader(width).u32(0).unwrap_or(0) as usize;
        if width == 0 || width > 1024 {
            return fault(self.place, "has a structure without names of fields");
        }
        let name = |field: &[u8]| {
            let end = field.iter().position(|&b| b == 0).unwrap_or(field.len());
            String::from_utf8_lossy(&field[..end]).into_owned()
        };
        let fields: Vec<String> = names.chunks_exact(width).map(name).collect();
        let single = head.variable.shape.iter().all(|&n| n == 1);
        let mut k = 0;
        while at + 8 <= body.len() && !fields.is_empty() {
            let (_, member, next) = self.reader(body).element(at)?;
            let (field, which) = (&fields[k % fields.len()], k / fields.len() + 1);
            let above = &head.variable.name;
            let name = match single {
                true => format!("{above}.{field}"),
                false => format!("{above}({which}).{field}"),
            };
            self.matrix(member, Some(name), depth + 1)?;
            (at, k) = (next, k + 1);
        }
        Ok(())
    }

    fn reader<'b>(&self, bytes: &'b [u8]) -> Reader<'b> {
        Reader {
            bytes,
            big: self.big,
        }
    }

    /// The entries of a wanted variable.
    fn keep(&mut self, body: &[u8], head: Head) -> Result<(), Fault> {
        let value = match head.variable.class {
            ARRAY => {
                let mut entries = head.variable.shape.iter();
                let size = entries.try_fold(8u64, |n, &d| n.checked_mul(d as u64));
                self.charge(&head.variable.name, size)?;
                MatValue::Array(self.array(body, head)?)
            }
            SPARSE => {
                self.charge(&head.variable.name, Some(body.len() as u64))?;
                MatValue::Sparse(self.sparse(body, &head)?)
            }
            _ => return Ok(()),
        };
        self.found.push(value);
        Ok(())
    }

    /// A full array of numbers.
    fn array(&self, bytes: &[u8], head: Head) -> Result<MatArray, Fault> {
        let Variable { name, shape, .. } = head.variable;
        let part = |at: usize| -> Result<(Tensor, usize), Fault> {
            let (kind, body, next) = self.reader(bytes).element(at)?;
            let Some(data) = numbers(kind, body, self.big) else {
                return fault(self.place, "has entries of an unknown type");
            };
            match Tensor::from_vec(&shape, data) {
                Ok(t) => Ok((t, next)),
                Err(e) => fault(self.place, &format!("array {name}: {e}")),
            }
        };
        let (real, at) = part(head.at)?;
        let imaginary = match head.complex {
            true => Some(part(at)?.0),
            false => None,
        };
        Ok(MatArray {
            name,
            real,
            imaginary,
        })
    }

    /// Compressed columns: rows of the entries, where each column starts, values.
    fn sparse(&self, bytes: &[u8], head: &Head) -> Result<SparseTensor, Fault> {
        let reader = self.reader(bytes);
        let list = |at: usize| -> Result<(Vec<f64>, usize), Fault> {
            let (kind, body, next) = reader.element(at)?;
            match numbers(kind, body, self.big) {
                Some(list) => Ok((list, next)),
                None => fault(self.place, "has entries of an unknown type"),
            }
        };
        let (rows, at) = list(head.at)?;
        let (starts, at) = list(at)?;
        if rows.iter().chain(&starts).any(|x| !(*x >= 0.0)) {
            return fault(self.place, "has a sparse matrix with negative indices");
        }
        let (mut values, _) = list(at)?;
        let (mut indices, shape) = (Vec::new(), &head.variable.shape);
        let count = starts.last().map_or(0, |&n| n as usize);
        let damaged = "has a sparse matrix whose columns do not add up";
        let columns = shape.get(1).copied().unwrap_or(0);
        if shape.len() != 2 || starts.len() != columns + 1 || count > rows.len().min(values.len()) {
            return fault(self.place, damaged);
        }
        for (column, ends) in starts.windows(2).enumerate() {
            let (from, to) = (ends[0] as usize, ends[1] as usize);
            if from > to || to > count || (column == 0 && from != 0) {
                return fault(self.place, damaged);
            }
            rows[from..to]
                .iter()
                .for_each(|&row| indices.extend([row as usize, column]));
        }
        values.truncate(count);
        let tensor = SparseTensor::from_coordinates(shape, &indices, values, |a, b| a + b);
        tensor.or_else(|e| fault(self.place, &format!("{}: {e}", head.variable.name)))
    }
}

/// Bytes with their byte order.
struct Reader<'a> {
    bytes: &'a [u8],
    big: bool,
}

impl<'a> Reader<'a> {
    fn u32(&self, at: usize) -> Option<u32> {
        let b: [u8; 4] = self.bytes.get(at..at + 4)?.try_into().ok()?;
        Some(if self.big {
            u32::from_be_bytes(b)
        } else {
            u32::from_le_bytes(b)
        })
    }

    /// Type, content and the offset of the next element.
    fn element(&self, at: usize) -> Result<(u32, &'a [u8], usize), Fault> {
        let Some(tag) = self.u32(at) else {
            return fault(at, "ends inside the tag of an element");
        };
        // The short form packs size, type and up to four bytes into eight.
        if tag >> 16 != 0 {
            let size = (tag >> 16) as usize;
            return match self.bytes.get(at + 4..at + 4 + size.min(5)) {
                Some(body) if size <= 4 => Ok((tag & 0xffff, body, at + 8)),
                _ => fault(at, "has a damaged short element"),
            };
        }
        let size = self.u32(at + 4).map(|s| s as usize);
        let body = size.and_then(|s| self.bytes.get(at + 8..(at + 8).checked_add(s)?));
        let Some(body) = body else {
            return fault(at, "ends inside an element");
        };
        // Compressed elements are not padded.
        let padded = if tag == PACKED {
            body.len()
        } else {
            body.len().next_multiple_of(8)
        };
        Ok((tag, body, at + 8 + padded))
    }
}

/// The head of a matrix.
struct Head {
    variable: Variable,
    complex: bool,
    /// Offset of what follows it.
    at: usize,
}

/// What a matrix element is, whether it is complex, and the offset of its real part.
fn head(bytes: &[u8], big: bool, place: usize) -> Result<Head, Fault> {
    let reader = Reader { bytes, big };
    let (_, flags, at) = reader.element(0)?;
    let words = Reader { bytes: flags, big };
    let Some(flags) = words.u32(0) else {
        return fault(place, "has a matrix without flags");
    };
    let complex = flags & 0x0800 != 0;
    let class = match flags & 0xff {
        1 => CELL,
        2 => STRUCTURE,
        3 => "an object",
        4 => "text",
        5 if complex => COMPLEX_SPARSE,
        5 => SPARSE,
        // Double, single and the integers.
        6..=15 => ARRAY,
        16 => "a function handle",
        _ => "an opaque object",
    };
    let (kind, body, at) = reader.element(at)?;
    let sizes = numbers(kind, body, big);
    let Some(sizes) = sizes.filter(|s| s.len() <= 64 && s.iter().all(|&n| n >= 0.0)) else {
        return fault(place, "has a matrix without dimensions");
    };
    let shape = sizes.iter().map(|&n| n as usize).collect();
    let (_, name, at) = reader.element(at)?;
    let name = String::from_utf8_lossy(name).into_owned();
    Ok(Head {
        variable: Variable { name, class, shape },
        complex,
        at,
    })
}

/// Numbers of a storage type as floats; `None` for a type that holds no numbers.
fn numbers(kind: u32, bytes: &[u8], big: bool) -> Option<Vec<f64>> {
    macro_rules! all {
        ($type:ty, $width:literal) => {
            bytes
                .chunks_exact($width)
                .filter_map(|c| c.try_into().ok())
                .map(|c: [u8; $width]| {
                    (if big {
                        <$type>::from_be_bytes(c)
                    } else {
                        <$type>::from_le_bytes(c)
                    }) as f64
                })
                .collect()
        };
    }
    Some(match kind {
        1 => all!(i8, 1),
        2 => all!(u8, 1),
        3 => all!(i16, 2),
        4 => all!(u16, 2),
        5 => all!(i32, 4),
        6 => all!(u32, 4),
        7 => all!(f32, 4),
        9 => all!(f64, 8),
        12 => all!(i64, 8),
        13 => all!(u64, 8),
        _ => return None,
    })
}
