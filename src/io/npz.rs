//! NumPy's `.npz` format: named arrays in a zip archive.

use super::{npy, source};
use crate::Error;
use crate::tensor::{Tensor, TensorView};
use num_complex::Complex;
use std::fs::File;
use std::io::{Cursor, Read, Seek, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// The longest head of an array that is looked at before its content is unpacked: magic, length and text.
const MAX_HEAD: u64 = 1 << 17;

/// An array of an archive before it is unpacked.
///
/// # Example
/// ```
/// use wickring::io::npz::{Array, list, read_array, write};
/// use wickring::tensor::Tensor;
/// let path = std::env::temp_dir().join(format!("wickring-member-{}.npz", std::process::id()));
/// let t = Tensor::from_vec(&[2], vec![1.0, 2.0])?;
/// write(&path, &[("x", t.view())])?;
/// let members = list(&path)?;
/// assert_eq!((members[0].name.as_str(), members[0].complex), ("x", false));
/// assert!(matches!(read_array(&path, "x")?, Array::Real(found) if found == t));
/// # std::fs::remove_file(&path).ok();
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The name, without its `.npy`.
    pub name: String,
    /// The shape, or why it holds no numbers.
    pub shape: Result<Vec<usize>, String>,
    /// Whether its numbers are complex.
    pub complex: bool,
}

/// An array of numbers.
///
/// See [`Member`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub enum Array {
    /// Real entries.
    Real(Tensor),
    /// Complex entries.
    Complex(Tensor<Complex<f64>>),
}

/// Reads every array of real numbers, in the order of the archive; names lose their `.npy`. Arrays of text and
/// of objects are passed over.
///
/// # Errors
/// `File` naming path and member: damaged, complex, or unpacking to more than 256 times the archive and more
/// than 256 MiB.
pub fn read(path: &Path) -> Result<Vec<(String, Tensor)>, Error> {
    let (archive, most) = open(path)?;
    unpack(path, archive, most)
}

/// The same for an archive in memory, of which no array may unpack to more than `most` bytes; `path` is only
/// for messages.
///
/// # Errors
/// As [`read`].
pub fn decode(path: &Path, bytes: &[u8], most: u64) -> Result<Vec<(String, Tensor)>, Error> {
    unpack(path, archive(path, Cursor::new(bytes))?, most)
}

/// Names and shapes of the arrays; nothing but heads is unpacked.
///
/// # Errors
/// `File` when the archive is damaged.
pub fn list(path: &Path) -> Result<Vec<Member>, Error> {
    let (mut archive, _) = open(path)?;
    members(path, &mut archive)
}

/// The one array of the archive called `name`; no other is unpacked.
///
/// # Errors
/// As [`read`]; `File` listing the names that exist when `name` is not among them.
pub fn read_one(path: &Path, name: &str) -> Result<Tensor, Error> {
    match read_array(path, name)? {
        Array::Real(t) => Ok(t),
        Array::Complex(_) => {
            let place = format!("array {name}");
            Err(Error::file(
                path,
                place,
                "holds complex numbers, expected real ones",
            ))
        }
    }
}

/// The same, real or complex.
///
/// # Errors
/// As [`read_one`].
pub fn read_array(path: &Path, name: &str) -> Result<Array, Error> {
    let (mut archive, most) = open(path)?;
    let found = members(path, &mut archive)?;
    match found.iter().position(|m| m.name == name) {
        Some(i) => one(path, &mut archive, i, most),
        None => {
            let names: Vec<&str> = found.iter().map(|m| m.name.as_str()).collect();
            let problem = format!("has no array '{name}'; it has {}", names.join(", "));
            Err(Error::file(path, "", problem))
        }
    }
}

/// A short text in an array of its own, as SciPy names the layout of a sparse matrix.
pub(super) fn text(path: &Path, name: &str) -> Result<String, Error> {
    let (mut archive, _) = open(path)?;
    let fault =
        |e: &dyn std::fmt::Display| Error::file(path, format!("array {name}"), e.to_string());
    let member = archive
        .by_name(&format!("{name}.npy"))
        .map_err(|e| fault(&e))?;
    let mut bytes = Vec::new();
    member
        .take(MAX_HEAD)
        .read_to_end(&mut bytes)
        .map_err(|e| fault(&e))?;
    // The text stands after the line that ends the header; NumPy's wide characters hold three zeros each.
    let start = bytes.iter().position(|&b| b == b'\n').map_or(0, |k| k + 1);
    let letters = bytes[start..].iter().filter(|b| b.is_ascii_alphanumeric());
    Ok(letters.map(|&b| char::from(b)).collect())
}

/// Every array of numbers as a complex one, where one of them is complex; else nothing is unpacked.
///
/// # Errors
/// As [`read`], for all arrays together.
pub fn read_complex(path: &Path) -> Result<Option<Vec<(String, Tensor<Complex<f64>>)>>, Error> {
    let (mut archive, most) = open(path)?;
    let found = members(path, &mut archive)?;
    if !found.iter().any(|m| m.complex) {
        return Ok(None);
    }
    let (mut arrays, mut left) = (Vec::new(), most);
    for (i, member) in found.into_iter().enumerate() {
        if member.shape.is_err() {
            continue;
        }
        let t = match one(path, &mut archive, i, left / 2)? {
            Array::Complex(t) => t,
            Array::Real(t) => {
                let data = t.as_slice().iter().map(|x| Complex::new(*x, 0.0));
                Tensor::from_vec(t.dims(), data.collect())?
            }
        };
        left = left.saturating_sub(16 * t.as_slice().len() as u64);
        arrays.push((member.name, t));
    }
    Ok(Some(arrays))
}

/// What an archive is read from.
trait Bytes: Read + Seek {}
impl<T: Read + Seek> Bytes for T {}

/// The archive, and what one of its arrays may unpack to.
fn open(path: &Path) -> Result<(ZipArchive<Box<dyn Bytes>>, u64), Error> {
    let unreadable = |e: std::io::Error| Error::file(path, "", format!("cannot be read: {e}"));
    if source::is_held(path) {
        let bytes = source::bytes(path)?;
        let most = source::budget(bytes.len() as u64);
        let bytes: Box<dyn Bytes> = Box::new(Cursor::new(bytes));
        return Ok((archive(path, bytes)?, most));
    }
    let file = File::open(path).map_err(unreadable)?;
    let meta = file.metadata().map_err(unreadable)?;
    if meta.is_dir() {
        return Err(Error::file(
            path,
            "",
            "is a folder, expected an .npz archive",
        ));
    }
    let most = source::budget(meta.len());
    let file: Box<dyn Bytes> = Box::new(file);
    Ok((archive(path, file)?, most))
}

fn archive<R: Read + Seek>(path: &Path, file: R) -> Result<ZipArchive<R>, Error> {
    let fault = |e| Error::file(path, "", format!("is not an .npz archive: {e}"));
    ZipArchive::new(file).map_err(fault)
}

fn members<R: Read + Seek>(path: &Path, archive: &mut ZipArchive<R>) -> Result<Vec<Member>, Error> {
    let mut out = Vec::with_capacity(archive.len().min(4096));
    for i in 0..archive.len() {
        let (name, member) = member(path, archive, i)?;
        let place = format!("array {name}");
        // The size in the directory is a claim, enough to look at the head.
        let total = member.size();
        let head = npy::read_header(path, &mut member.take(MAX_HEAD), total);
        let (shape, complex) = match head {
            Ok(header) => {
                let complex = header.dtype.kind == npy::EntryKind::Complex;
                (Ok(header.shape), complex)
            }
            Err(Error::File { problem, .. }) => (Err(problem), false),
            Err(e) => return Err(Error::file(path, place, e.to_string())),
        };
        out.push(Member {
            name,
            shape,
            complex,
        });
    }
    Ok(out)
}

fn member<'a, R: Read + Seek>(
    path: &Path,
    archive: &'a mut ZipArchive<R>,
    i: usize,
) -> Result<(String, zip::read::ZipFile<'a, R>), Error> {
    let fault = |e: &dyn std::fmt::Display| Error::file(path, format!("member {i}"), e.to_string());
    let member = archive.by_index(i).map_err(|e| fault(&e))?;
    let name = member.name().map_err(|e| fault(&e))?;
    let name = name.strip_suffix(".npy").unwrap_or(&name).to_owned();
    Ok((name, member))
}

/// Unpacks member `i`. Neither its packed bytes nor its entries as 64-bit floats may exceed `most` bytes.
fn one<R: Read + Seek>(
    path: &Path,
    archive: &mut ZipArchive<R>,
    i: usize,
    most: u64,
) -> Result<Array, Error> {
    let (name, member) = member(path, archive, i)?;
    let place = format!("array {name}");
    let mut bytes = Vec::new();
    // The size in the directory is a claim; the limit is on what really comes out.
    let total = member.size();
    let mut stream = member.take(most + 1);
    let mut head = Vec::new();
    let fault = |e: std::io::Error| Error::file(path, place.as_str(), e.to_string());
    let _ = (&mut stream)
        .take(MAX_HEAD.min(total))
        .read_to_end(&mut head)
        .map_err(fault)?;
    let header = npy::read_header(path, &mut &head[..], total).map_err(|e| within(e, &place))?;
    if header.len() as u64 > most / 8 || total > most {
        return Err(source::too_large(path, place, most));
    }
    bytes.append(&mut head);
    stream.read_to_end(&mut bytes).map_err(fault)?;
    match header.dtype.kind {
        npy::EntryKind::Complex => npy::decode_complex(path, &bytes).map(Array::Complex),
        _ => npy::decode(path, &place, &bytes).map(Array::Real),
    }
    .map_err(|e| within(e, &place))
}

/// A fault in the head of a member is a fault of that member.
fn within(e: Error, array: &str) -> Error {
    match e {
        Error::File {
            path,
            place,
            problem,
        } if !place.starts_with(array) => {
            let place = match place.is_empty() {
                true => array.to_owned(),
                false => format!("{array}: {place}"),
            };
            Error::file(path, place, problem)
        }
        other => other,
    }
}

fn unpack<R: Read + Seek>(
    path: &Path,
    mut archive: ZipArchive<R>,
    most: u64,
) -> Result<Vec<(String, Tensor)>, Error> {
    let found = members(path, &mut archive)?;
    let mut arrays = Vec::with_capacity(found.len());
    let mut left = most;
    let mut refused = None;
    for (i, member) in found.into_iter().enumerate() {
        // Text and objects beside the numbers are no fault of the numbers.
        if let Some(problem) = member.shape.err().filter(|p| npy::is_other_type(p)) {
            refused.get_or_insert((member.name, problem));
            continue;
        }
        match one(path, &mut archive, i, left)? {
            Array::Real(t) => {
                left = left.saturating_sub(8 * t.as_slice().len() as u64);
                arrays.push((member.name, t));
            }
            Array::Complex(_) => {
                let place = format!("array {}", member.name);
                let problem = "holds complex numbers, expected real ones";
                return Err(Error::file(path, place, problem));
            }
        }
    }
    match refused {
        Some((name, problem)) if arrays.is_empty() => {
            Err(Error::file(path, format!("array {name}"), problem))
        }
        _ => Ok(arrays),
    }
}

/// Writes named arrays, whole or not at all. The same arrays give the same bytes.
///
/// # Errors
/// `File` naming the path.
pub fn write(path: &Path, arrays: &[(&str, TensorView<'_>)]) -> Result<(), Error> {
    super::atomic::write_whole(path, &encode(path, arrays)?)
}

/// The bytes of an archive of named arrays; `path` is only for messages.
///
/// # Errors
/// `File` naming the path.
pub fn encode(path: &Path, arrays: &[(&str, TensorView<'_>)]) -> Result<Vec<u8>, Error> {
    let fault = |e: &dyn std::fmt::Display| Error::file(path, "", format!("cannot be packed: {e}"));
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    // No time stamps, so that equal content is equal bytes.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default())
        .large_file(false);
    for (name, tensor) in arrays {
        zip.start_file(format!("{name}.npy"), options)
            .map_err(|e| fault(&e))?;
        let bytes = npy::encode(tensor.dims(), true, tensor.as_slice());
        zip.write_all(&bytes).map_err(|e| fault(&e))?;
    }
    let done = zip.finish().map_err(|e| fault(&e))?;
    Ok(done.into_inner())
}
