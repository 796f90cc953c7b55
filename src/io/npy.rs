//! NumPy's `.npy` format.
//!
//! Own reader instead of a crate: it must refuse a header that claims more than the file holds before
//! allocating, name the place of every fault, and stream rows in either storage order.

use super::{npy_blocks, source};
use crate::Error;
use crate::error::quoted;
use crate::tensor::{Tensor, TensorView};
use num_complex::Complex;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// The longest header that is read; NumPy writes about 120 bytes.
const MAX_HEADER: usize = 1 << 16;
const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// The kind of one entry, as in [`NpyHeader`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// Boolean, one byte.
    Bool,
    /// Signed integer.
    Int,
    /// Unsigned integer.
    Uint,
    /// IEEE float.
    Float,
    /// Pair of IEEE floats.
    Complex,
}

/// Type of one entry, as in [`NpyHeader`]: kind, bytes, byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dtype {
    /// The kind.
    pub kind: EntryKind,
    /// Bytes per entry.
    pub size: usize,
    /// Whether the most significant byte comes first.
    pub big_endian: bool,
}

/// What the header of a `.npy` file says.
///
/// # Example
/// ```
/// use std::path::Path;
/// use wickring::io::npy::{EntryKind, encode, read_header};
/// let bytes = encode(&[2, 3], false, &[0.0; 6]);
/// let header = read_header(Path::new("x.npy"), &mut &bytes[..], bytes.len() as u64)?;
/// assert_eq!((header.dtype.kind, header.dtype.size), (EntryKind::Float, 8));
/// assert_eq!((header.shape, header.fortran_order), (vec![2, 3], false));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NpyHeader {
    /// Type of an entry.
    pub dtype: Dtype,
    /// Whether the first index is fastest.
    pub fortran_order: bool,
    /// The shape; empty for a scalar.
    pub shape: Vec<usize>,
    /// Offset of the first entry in the file.
    pub data_start: usize,
}

impl NpyHeader {
    /// Number of entries.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Reads the header and checks that the file holds exactly what it claims.
///
/// # Errors
/// `File` with the place (`header`, `byte ..`) and what was expected.
pub fn read_header(path: &Path, bytes: &mut impl Read, total: u64) -> Result<NpyHeader, Error> {
    let fault = |place: &str, problem: String| Error::file(path, place, problem);
    if total == 0 {
        return Err(fault("", "is empty, expected a .npy array".into()));
    }
    let mut start = [0u8; 8];
    let short = |_| fault("header", "ends before the header does".into());
    bytes.read_exact(&mut start).map_err(short)?;
    if &start[..6] != MAGIC {
        return Err(fault("byte 0", not_npy(&start).into()));
    }
    let (width, version) = (if start[6] == 1 { 2 } else { 4 }, start[6]);
    if !(1..=3).contains(&version) {
        return Err(fault(
            "byte 6",
            format!("has .npy version {version}, expected 1, 2 or 3"),
        ));
    }
    let mut length = [0u8; 4];
    bytes.read_exact(&mut length[..width]).map_err(short)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > MAX_HEADER {
        return Err(fault(
            "header",
            format!("claims {length} bytes, at most {MAX_HEADER} are read"),
        ));
    }
    let mut text = vec![0u8; length];
    bytes.read_exact(&mut text).map_err(short)?;
    let text = String::from_utf8_lossy(&text);
    let data_start = 8 + width + length;
    let (dtype, fortran_order, shape) =
        parse_header(&text).map_err(|problem| fault("header", problem))?;
    match claimed_bytes(dtype, &shape, data_start) {
        Some(claimed) if claimed == total => Ok(NpyHeader {
            dtype,
            fortran_order,
            shape,
            data_start,
        }),
        Some(claimed) => {
            let word = if claimed > total {
                "truncated"
            } else {
                "followed by other data"
            };
            let place = format!("byte {total}");
            let problem = format!(
                "array of shape {shape:?} is {word}: {claimed} bytes expected, {total} found"
            );
            Err(fault(&place, problem))
        }
        None => Err(fault(
            "header",
            format!("shape {shape:?} is too large to address"),
        )),
    }
}

/// What a file is that does not start as a `.npy` file does.
fn not_npy(start: &[u8]) -> &'static str {
    let foreign = super::foreign::recognise(start);
    foreign.unwrap_or("is not a .npy file (it does not start with \\x93NUMPY)")
}

/// Bytes of a file of that shape; `None` where it is too large to address. A mode without indices hides no others: strides
/// multiply what is left of them.
fn claimed_bytes(dtype: Dtype, shape: &[usize], data_start: usize) -> Option<u64> {
    let addressed = shape
        .iter()
        .try_fold(dtype.size as u64, |n, &d| n.checked_mul(d.max(1) as u64))
        .filter(|&n| n <= isize::MAX as u64)?;
    let entries = if shape.contains(&0) { 0 } else { addressed };
    entries.checked_add(data_start as u64)
}

/// The three entries of the header's dictionary literal.
fn parse_header(text: &str) -> Result<(Dtype, bool, Vec<usize>), String> {
    let field = |name: &str| {
        let at = [format!("'{name}'"), format!("\"{name}\"")]
            .iter()
            .find_map(|key| text.find(key.as_str()).map(|i| i + key.len()))
            .ok_or_else(|| format!("has no '{name}'"))?;
        let rest = text[at..].trim_start();
        let rest = rest
            .strip_prefix(':')
            .ok_or_else(|| format!("has no value for '{name}'"))?;
        Ok::<&str, String>(rest.trim_start())
    };
    let order = field("fortran_order")?;
    let fortran = order.starts_with("True");
    if !fortran && !order.starts_with("False") {
        return Err("'fortran_order' is neither True nor False".into());
    }
    let descr = field("descr")?;
    let quote = descr.chars().next().filter(|c| matches!(c, '\'' | '"'));
    let quote = quote.ok_or("has structured entries, expected one number per entry")?;
    let descr = descr[1..].split(quote).next().unwrap_or("");
    let shape = field("shape")?;
    let inside = shape.strip_prefix('(').and_then(|s| s.split_once(')'));
    let (inside, _) = inside.ok_or("'shape' is not a tuple")?;
    let parts = inside.split(',').map(str::trim).filter(|s| !s.is_empty());
    let shape: Result<Vec<usize>, _> = parts.map(|s| s.trim_end_matches('L').parse()).collect();
    let shape = shape.map_err(|_| format!("'shape' has the entry list {}", quoted(inside)))?;
    if shape.len() > 32 {
        return Err(format!(
            "has {} dimensions, at most 32 are read",
            shape.len()
        ));
    }
    Ok((parse_descr(descr)?, fortran, shape))
}

fn parse_descr(descr: &str) -> Result<Dtype, String> {
    let unknown = || format!("has entries of type {}, expected numbers", quoted(descr));
    if descr.contains('O') {
        return Err("holds pickled Python objects, which are not read; save plain numbers with np.save(.., np.asarray(x, dtype=float))".into());
    }
    let (order, rest) = match descr.chars().next() {
        Some(c @ ('<' | '>' | '|' | '=')) => (c, &descr[1..]),
        _ => ('=', descr),
    };
    let kind = match rest.chars().next() {
        Some('b' | '?') => EntryKind::Bool,
        Some('i') => EntryKind::Int,
        Some('u') => EntryKind::Uint,
        Some('f') => EntryKind::Float,
        Some('c') => EntryKind::Complex,
        _ => return Err(unknown()),
    };
    let size: usize = match (kind, &rest[1..]) {
        (EntryKind::Bool, "" | "1") => 1,
        (_, digits) => digits.parse().map_err(|_| unknown())?,
    };
    let fine = match kind {
        EntryKind::Bool => size == 1,
        EntryKind::Int | EntryKind::Uint => matches!(size, 1 | 2 | 4 | 8),
        EntryKind::Float => matches!(size, 2 | 4 | 8),
        EntryKind::Complex => matches!(size, 8 | 16),
    };
    let big_endian = order == '>';
    fine.then_some(Dtype {
        kind,
        size,
        big_endian,
    })
    .ok_or_else(unknown)
}

impl Dtype {
    /// The entries in `bytes` as real numbers; `None` for complex entries.
    pub fn decode(self, bytes: &[u8]) -> Option<Vec<f64>> {
        if self.kind == EntryKind::Complex {
            return None;
        }
        Some(
            bytes
                .chunks_exact(self.size)
                .map(|b| self.number(b))
                .collect(),
        )
    }

    /// The entries in `bytes` as complex numbers.
    pub fn decode_complex(self, bytes: &[u8]) -> Vec<Complex<f64>> {
        if self.kind != EntryKind::Complex {
            let real = |b| Complex::new(self.number(b), 0.0);
            return bytes.chunks_exact(self.size).map(real).collect();
        }
        let half = self.size / 2;
        let part = Dtype {
            kind: EntryKind::Float,
            size: half,
            ..self
        };
        let pair = |b: &[u8]| Complex::new(part.number(&b[..half]), part.number(&b[half..]));
        bytes.chunks_exact(self.size).map(pair).collect()
    }

    fn number(self, bytes: &[u8]) -> f64 {
        let mut raw = [0u8; 8];
        if self.big_endian {
            bytes.iter().rev().zip(&mut raw).for_each(|(b, r)| *r = *b);
        } else {
            bytes.iter().zip(&mut raw).for_each(|(b, r)| *r = *b);
        }
        let word = u64::from_le_bytes(raw);
        match (self.kind, self.size) {
            (EntryKind::Float, 8) => f64::from_bits(word),
            (EntryKind::Float, 4) => f64::from(f32::from_bits(word as u32)),
            (EntryKind::Float, _) => half(word as u16),
            (EntryKind::Int, 1) => f64::from(word as i8),
            (EntryKind::Int, 2) => f64::from(word as i16),
            (EntryKind::Int, 4) => f64::from(word as i32),
            (EntryKind::Int, _) => word as i64 as f64,
            (EntryKind::Bool, _) => f64::from(u8::from(word != 0)),
            _ => word as f64,
        }
    }
}

/// The value of an IEEE half-precision number.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    sign * match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        e => (1.0 + fraction / 1024.0) * 2f64.powi(e - 15),
    }
}

/// What the header of a file says, after the size of the file was held against it.
///
/// # Errors
/// `File` naming path and place.
pub fn header(path: &Path) -> Result<NpyHeader, Error> {
    if source::is_held(path) {
        let bytes = source::bytes(path)?;
        return read_header(path, &mut &bytes[..], bytes.len() as u64);
    }
    open(path).map(|(header, _)| header)
}

/// Reads a real array.
///
/// # Errors
/// `File` naming path and place; complex entries are refused.
pub fn read(path: &Path) -> Result<Tensor, Error> {
    let complex = "holds complex numbers, expected real ones";
    match source::is_held(path) {
        true => load(path, |header, bytes| array(path, "", header, bytes)),
        false => {
            let (header, reader) = open(path)?;
            match header.dtype.kind {
                EntryKind::Complex => Err(Error::file(path, "", complex)),
                _ => npy_blocks::read(path, &header, reader),
            }
        }
    }
}

/// Reads a real or complex array as complex numbers.
///
/// # Errors
/// `File` naming path and place.
pub fn read_complex(path: &Path) -> Result<Tensor<Complex<f64>>, Error> {
    load(path, |header, bytes| {
        npy_blocks::in_order(header, header.dtype.decode_complex(bytes))
    })
}

/// Whether a fault of a header says that the entries are of another type: no numbers, but no damage either.
pub(super) fn is_other_type(problem: &str) -> bool {
    problem.contains("expected numbers")
        || problem.contains("pickled")
        || problem.contains("structured")
}

/// The complex array that starts in `bytes` with a header.
pub(super) fn decode_complex(path: &Path, mut bytes: &[u8]) -> Result<Tensor<Complex<f64>>, Error> {
    let total = bytes.len() as u64;
    let header = read_header(path, &mut bytes, total)?;
    npy_blocks::in_order(&header, header.dtype.decode_complex(bytes))
}

/// The array in `bytes`, header and entries, as found in an archive under `place`; `path` is only for messages.
///
/// # Errors
/// `File` naming path and place; complex entries are refused.
pub fn decode(path: &Path, place: &str, mut bytes: &[u8]) -> Result<Tensor, Error> {
    let total = bytes.len() as u64;
    let header = read_header(path, &mut bytes, total)?;
    array(path, place, &header, bytes)
}

fn array(path: &Path, place: &str, header: &NpyHeader, bytes: &[u8]) -> Result<Tensor, Error> {
    let complex = || Error::file(path, place, "holds complex numbers, expected real ones");
    npy_blocks::in_order(header, header.dtype.decode(bytes).ok_or_else(complex)?)
}

/// The header of a file, and a reader of what follows it.
fn open(path: &Path) -> Result<(NpyHeader, BufReader<File>), Error> {
    let unreadable = |e: std::io::Error| Error::file(path, "", format!("cannot be read: {e}"));
    let file = File::open(path).map_err(unreadable)?;
    let meta = file.metadata().map_err(unreadable)?;
    if meta.is_dir() {
        return Err(Error::file(path, "", "is a folder, expected a .npy file"));
    }
    let mut reader = BufReader::new(file);
    let header = read_header(path, &mut reader, meta.len())?;
    Ok((header, reader))
}

/// Header and entries of a file, decoded. What is unpacked may not grow beyond its budget as 64-bit floats either.
fn load<T>(
    path: &Path,
    decode: impl FnOnce(&NpyHeader, &[u8]) -> Result<T, Error>,
) -> Result<T, Error> {
    let unreadable = |e: std::io::Error| Error::file(path, "", format!("cannot be read: {e}"));
    if source::is_held(path) {
        let bytes = source::bytes(path)?;
        let header = read_header(path, &mut &bytes[..], bytes.len() as u64)?;
        let most = source::budget_of(path)?;
        if header.len() as u64 > most / 8 {
            return Err(source::too_large(path, "", most));
        }
        return decode(&header, &bytes[header.data_start..]);
    }
    let (header, mut reader) = open(path)?;
    let mut bytes = Vec::with_capacity(header.len() * header.dtype.size);
    reader.read_to_end(&mut bytes).map_err(unreadable)?;
    decode(&header, &bytes)
}

/// The bytes of a `.npy` file with 64-bit floats; entries in the order that `fortran_order` says.
pub fn encode(shape: &[usize], fortran_order: bool, data: &[f64]) -> Vec<u8> {
    let mut bytes = beginning("<f8", shape, fortran_order);
    bytes.reserve(8 * data.len());
    data.iter().for_each(|x| bytes.extend(x.to_le_bytes()));
    bytes
}

/// The bytes of a `.npy` file with one column of 64-bit integers.
pub fn encode_integers(data: &[i64]) -> Vec<u8> {
    let mut bytes = beginning("<i8", &[data.len()], false);
    bytes.reserve(8 * data.len());
    data.iter().for_each(|x| bytes.extend(x.to_le_bytes()));
    bytes
}

fn beginning(descr: &str, shape: &[usize], fortran_order: bool) -> Vec<u8> {
    let order = if fortran_order { "True" } else { "False" };
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    let comma = if shape.len() == 1 { "," } else { "" };
    let shape = format!("({}{comma})", sizes.join(", "));
    let mut header =
        format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}");
    // The data start at a multiple of 64 bytes, as NumPy asks.
    let pad = 64 - (10 + header.len() + 1) % 64;
    header.push_str(&" ".repeat(pad % 64));
    header.push('\n');
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes
}

/// Writes a tensor, whole or not at all.
///
/// # Errors
/// `File` naming the path.
pub fn write(path: &Path, tensor: TensorView<'_>) -> Result<(), Error> {
    super::atomic::write_whole(path, &encode(tensor.dims(), true, tensor.as_slice()))
}
