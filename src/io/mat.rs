//! MATLAB `.mat` files of version 5, plain or compressed.

use super::source;
use crate::Error;
use crate::tensor::{Tensor, TensorView};
use flate2::read::ZlibDecoder;
use std::io::Read;
use std::path::Path;

/// A numeric array of a `.mat` file.
#[derive(Clone, Debug, PartialEq)]
pub struct MatArray {
    /// The name of the variable.
    pub name: String,
    /// The real part; MATLAB's storage order is that of [`Tensor`].
    pub real: Tensor,
    /// The imaginary part of a complex array.
    pub imaginary: Option<Tensor>,
}

/// A variable of a `.mat` file before its content is unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The name.
    pub name: String,
    /// What it is: `array`, or why it holds no full numeric array (`a structure`, `a sparse matrix`).
    pub class: &'static str,
    /// The shape.
    pub shape: Vec<usize>,
}

impl Variable {
    /// Whether it is a full array of numbers.
    pub fn is_array(&self) -> bool {
        self.class == ARRAY
    }
}

const ARRAY: &str = "an array";

/// Names and shapes of all variables; nothing but heads is unpacked.
///
/// # Errors
/// `File` naming path and place: not version 5 (files of version 7.3 are HDF5: save with `-v7`), truncated,
/// or damaged.
pub fn list(path: &Path) -> Result<Vec<Variable>, Error> {
    let bytes = source::bytes(path)?;
    let mut found = Vec::new();
    scan(path, &bytes, &mut |variable| {
        found.push(variable.clone());
        false
    })?;
    Ok(found)
}

/// Reads every full numeric array; cells, structures, text, sparse matrices and objects are passed over.
///
/// # Errors
/// As [`list`]; also when the arrays unpack to more than 256 times the file and more than 256 MiB.
pub fn read(path: &Path) -> Result<Vec<MatArray>, Error> {
    scan(path, &source::bytes(path)?, &mut Variable::is_array)
}

/// Reads the array called `name`; no other is unpacked.
///
/// # Errors
/// As [`read`]; `File` listing what there is when `name` is no array of the file.
pub fn read_one(path: &Path, name: &str) -> Result<MatArray, Error> {
    let bytes = source::bytes(path)?;
    let mut seen = Vec::new();
    let arrays = scan(path, &bytes, &mut |v| {
        seen.push(v.clone());
        v.is_array() && v.name == name
    })?;
    let found = arrays.into_iter().next();
    found.ok_or_else(|| match seen.iter().find(|v| v.name == name) {
        Some(v) => Error::file(path, format!("variable {name}"), no_array(v)),
        None => {
            let names: Vec<&str> = seen.iter().map(|v| v.name.as_str()).collect();
            let problem = format!("has no variable '{name}'; it has {}", names.join(", "));
            Error::file(path, "", problem)
        }
    })
}

/// Why a variable is not read, and what to do.
pub fn no_array(v: &Variable) -> String {
    let remedy = match v.class {
        SPARSE => format!("save full({})", v.name),
        STRUCTURE => format!(
            "save the field itself: x = {}.field; save('f.mat', 'x', '-v7')",
            v.name
        ),
        _ => "save an array of numbers".to_owned(),
    };
    format!("is {}, expected a full array of numbers: {remedy}", v.class)
}

/// The same from bytes; `path` is only for messages.
///
/// # Errors
/// As [`read`].
pub fn decode(path: &Path, bytes: &[u8]) -> Result<Vec<MatArray>, Error> {
    scan(path, bytes, &mut Variable::is_array)
}

fn scan(
    path: &Path,
    bytes: &[u8],
    wanted: &mut dyn FnMut(&Variable) -> bool,
) -> Result<Vec<MatArray>, Error> {
    let most = source::budget(bytes.len() as u64);
    arrays(bytes, most, wanted).map_err(|fault| match fault {
        Fault::At(at, problem) => Error::file(path, format!("byte {at}"), problem),
        Fault::TooLarge(name) => source::too_large(path, format!("variable {name}"), most),
    })
}

/// Why bytes are no `.mat` file.
enum Fault {
    At(usize, String),
    TooLarge(String),
}

fn fault<T>(at: usize, problem: &str) -> Result<T, Fault> {
    Err(Fault::At(at, problem.to_owned()))
}

/// Unpacked bytes that hold the head of a matrix: flags, up to 64 sizes, and a name of up to 63 letters.
const HEAD: u64 = 1 << 12;

/// The wanted arrays in the bytes of a file, of which neither packed bytes nor entries as 64-bit floats may
/// exceed `most` bytes in all.
fn arrays(
    bytes: &[u8],
    most: u64,
    wanted: &mut dyn FnMut(&Variable) -> bool,
) -> Result<Vec<MatArray>, Fault> {
    if bytes.starts_with(b"MATLAB 7.3") || bytes.starts_with(b"\x89HDF") {
        return fault(0, "is a version 7.3 (HDF5) file; save it with -v7 instead");
    }
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
    let mut found = Vec::new();
    let mut left = most;
    let mut at = 128;
    while at + 8 <= bytes.len() {
        let (kind, body, next) = Reader { bytes, big }.element(at)?;
        let unpacked;
        let mut matrix = (kind == 14).then_some(body);
        if kind == 15 {
            unpacked = unpack(body, (big, at), &mut left, wanted)?;
            matrix = unpacked.as_deref();
        } else if let Some(body) = matrix {
            let (variable, _, _) = head(body, big, at)?;
            if !wanted(&variable) {
                matrix = None;
            } else {
                charge(&variable, &mut left)?;
            }
        }
        if let Some(body) = matrix {
            found.push(array(body, big, at)?);
        }
        at = next;
    }
    Ok(found)
}

/// Takes the entries of a variable off the budget.
fn charge(v: &Variable, left: &mut u64) -> Result<(), Fault> {
    let entries = v
        .shape
        .iter()
        .try_fold(8u64, |n, &d| n.checked_mul(d as u64));
    match entries.filter(|&n| n <= *left) {
        Some(n) => *left -= n,
        None => return Err(Fault::TooLarge(v.name.clone())),
    }
    Ok(())
}

/// The body of the matrix in a compressed element, when it is wanted; else only its head is unpacked.
fn unpack(
    packed: &[u8],
    (big, at): (bool, usize),
    left: &mut u64,
    wanted: &mut dyn FnMut(&Variable) -> bool,
) -> Result<Option<Vec<u8>>, Fault> {
    let damaged = |_| Fault::At(at, "compressed element is damaged".to_owned());
    let mut stream = ZlibDecoder::new(packed);
    let mut inner = Vec::new();
    (&mut stream)
        .take(HEAD)
        .read_to_end(&mut inner)
        .map_err(damaged)?;
    let reader = Reader { bytes: &inner, big };
    if reader.u32(0) != Some(14) {
        return Ok(None);
    }
    let (variable, _, _) = head(inner.get(8..).unwrap_or(&[]), big, at)?;
    if !wanted(&variable) {
        return Ok(None);
    }
    charge(&variable, left)?;
    stream
        .take(*left + HEAD)
        .read_to_end(&mut inner)
        .map_err(damaged)?;
    if inner.len() as u64 > *left + HEAD {
        return Err(Fault::TooLarge(variable.name));
    }
    let (_, body, _) = Reader { bytes: &inner, big }.element(0)?;
    Ok(Some(body.to_vec()))
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
        let padded = if tag == 15 {
            body.len()
        } else {
            body.len().next_multiple_of(8)
        };
        Ok((tag, body, at + 8 + padded))
    }
}

const STRUCTURE: &str = "a structure";
const SPARSE: &str = "a sparse matrix";

/// What a matrix element is, whether it is complex, and the offset of its real part.
fn head(bytes: &[u8], big: bool, place: usize) -> Result<(Variable, bool, usize), Fault> {
    let reader = Reader { bytes, big };
    let (_, flags, at) = reader.element(0)?;
    let words = Reader { bytes: flags, big };
    let Some(flags) = words.u32(0) else {
        return fault(place, "has a matrix without flags");
    };
    let class = match flags & 0xff {
        1 => "a cell array",
        2 => STRUCTURE,
        3 => "an object",
        4 => "text",
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
    Ok((Variable { name, class, shape }, flags & 0x0800 != 0, at))
}

/// A full array of numbers.
fn array(bytes: &[u8], big: bool, place: usize) -> Result<MatArray, Fault> {
    let reader = Reader { bytes, big };
    let (variable, complex, at) = head(bytes, big, place)?;
    let (name, dims) = (variable.name, variable.shape);
    let part = |at: usize| -> Result<(Tensor, usize), Fault> {
        let (kind, body, next) = reader.element(at)?;
        let Some(data) = numbers(kind, body, big) else {
            return fault(place, "has entries of an unknown type");
        };
        match Tensor::from_vec(&dims, data) {
            Ok(t) => Ok((t, next)),
            Err(e) => fault(place, &format!("array {name}: {e}")),
        }
    };
    let (real, at) = part(at)?;
    let imaginary = if complex { Some(part(at)?.0) } else { None };
    Ok(MatArray {
        name,
        real,
        imaginary,
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

/// The bytes of a version 5 file with arrays of doubles, not compressed.
///
/// # Errors
/// `LimitExceeded` for an array of 4 GiB or more: the format has no room for its size.
pub fn encode(arrays: &[(&str, TensorView<'_>)]) -> Result<Vec<u8>, Error> {
    let mut bytes = format!("{:<124}", "MATLAB 5.0 MAT-file, written by wickring").into_bytes();
    bytes.extend([0x00, 0x01, b'I', b'M']);
    for (name, tensor) in arrays {
        let mut dims: Vec<i32> = Vec::new();
        for &n in tensor.dims() {
            let n = i32::try_from(n);
            dims.push(n.map_err(|_| Error::limit("mat::encode", "rows", i32::MAX as u64))?);
        }
        // Every array of MATLAB has rows and columns.
        dims.resize(dims.len().max(2), 1);
        let mut body = Vec::new();
        element(&mut body, 6, &[6, 0, 0, 0, 0, 0, 0, 0])?;
        let sizes: Vec<u8> = dims.iter().flat_map(|n| n.to_le_bytes()).collect();
        element(&mut body, 5, &sizes)?;
        element(&mut body, 1, name.as_bytes())?;
        let entries = tensor.as_slice().iter().flat_map(|x| x.to_le_bytes());
        element(&mut body, 9, &entries.collect::<Vec<u8>>())?;
        element(&mut bytes, 14, &body)?;
    }
    Ok(bytes)
}

/// Type, size, content, and zeros up to a multiple of eight bytes.
fn element(out: &mut Vec<u8>, kind: u32, content: &[u8]) -> Result<(), Error> {
    let most = u64::from(u32::MAX);
    let size = u32::try_from(content.len());
    let size = size.map_err(|_| Error::limit("mat::encode", "bytes per array", most))?;
    out.extend(kind.to_le_bytes());
    out.extend(size.to_le_bytes());
    out.extend(content);
    out.resize(out.len().next_multiple_of(8), 0);
    Ok(())
}
