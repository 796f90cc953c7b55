//! MATLAB `.mat` files of version 5, plain or compressed.

use crate::Error;
use crate::tensor::Tensor;
use flate2::read::ZlibDecoder;
use std::io::Read;
use std::path::Path;

/// Budget for a file, and for what it unpacks to, in bytes: 4 GiB.
const MAX_BYTES: u64 = 1 << 32;

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

/// Reads every full numeric array; cells, structures, text, sparse matrices and objects are passed over.
///
/// # Errors
/// `File` naming path and place: not version 5 (files of version 7.3 are HDF5: save with `-v7`), truncated,
/// or damaged. `LimitExceeded` when the file or its content is larger than 4 GiB.
pub fn read(path: &Path) -> Result<Vec<MatArray>, Error> {
    let unreadable = |e: std::io::Error| Error::file(path, "", format!("cannot be read: {e}"));
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::limit("mat::read", "bytes", MAX_BYTES));
    }
    decode(&bytes).map_err(|fault| match fault {
        Fault::At(at, problem) => Error::file(path, format!("byte {at}"), problem),
        Fault::TooLarge => Error::limit("mat::read", "bytes", MAX_BYTES),
    })
}

/// Why bytes are no `.mat` file.
enum Fault {
    At(usize, String),
    TooLarge,
}

fn fault<T>(at: usize, problem: &str) -> Result<T, Fault> {
    Err(Fault::At(at, problem.to_owned()))
}

/// The arrays in the bytes of a file.
///
/// # Errors
/// As [`read`], without the path.
fn decode(bytes: &[u8]) -> Result<Vec<MatArray>, Fault> {
    if bytes.starts_with(b"MATLAB 7.3") {
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
    let mut arrays = Vec::new();
    let mut unpacked = 0u64;
    let mut at = 128;
    while at + 8 <= bytes.len() {
        let reader = Reader { bytes, big };
        let (kind, body, next) = reader.element(at)?;
        if kind == 15 {
            let mut inner = Vec::new();
            let mut stream = ZlibDecoder::new(body).take(MAX_BYTES + 1 - unpacked);
            if stream.read_to_end(&mut inner).is_err() {
                return fault(at, "compressed element is damaged");
            }
            unpacked += inner.len() as u64;
            if unpacked > MAX_BYTES {
                return Err(Fault::TooLarge);
            }
            let reader = Reader { bytes: &inner, big };
            let (kind, body, _) = reader.element(0)?;
            arrays.extend(if kind == 14 {
                matrix(body, big, at)?
            } else {
                None
            });
        } else if kind == 14 {
            arrays.extend(matrix(body, big, at)?);
        }
        at = next;
    }
    Ok(arrays)
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

/// A matrix element; `None` when it is of a class that is passed over.
fn matrix(bytes: &[u8], big: bool, place: usize) -> Result<Option<MatArray>, Fault> {
    let reader = Reader { bytes, big };
    let (_, flags, at) = reader.element(0)?;
    let head = Reader { bytes: flags, big };
    let Some(flags) = head.u32(0) else {
        return fault(place, "has a matrix without flags");
    };
    // Classes 6 to 15 are double, single and the integers.
    if !(6..=15).contains(&(flags & 0xff)) {
        return Ok(None);
    }
    let (kind, body, at) = reader.element(at)?;
    let sizes = numbers(kind, body, big);
    let Some(sizes) = sizes.filter(|s| s.len() <= 64 && s.iter().all(|&n| n >= 0.0)) else {
        return fault(place, "has a matrix without dimensions");
    };
    let dims: Vec<usize> = sizes.iter().map(|&n| n as usize).collect();
    let (_, name, at) = reader.element(at)?;
    let name = String::from_utf8_lossy(name).into_owned();
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
    let imaginary = if flags & 0x0800 != 0 {
        Some(part(at)?.0)
    } else {
        None
    };
    Ok(Some(MatArray {
        name,
        real,
        imaginary,
    }))
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
