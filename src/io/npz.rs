//! NumPy's `.npz` format: named arrays in a zip archive.

use super::npy;
use crate::Error;
use crate::tensor::{Tensor, TensorView};
use std::fs::File;
use std::io::{Cursor, Read, Seek, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Default budget for one unpacked array, in bytes: 4 GiB.
const MAX_ARRAY: u64 = 1 << 32;

/// Reads every array of the archive, in its order; names lose their `.npy`.
///
/// # Errors
/// `File` naming path and member; `LimitExceeded` when a member unpacks to more than 4 GiB.
pub fn read(path: &Path) -> Result<Vec<(String, Tensor)>, Error> {
    let file = File::open(path);
    let file = file.map_err(|e| Error::file(path, "", format!("cannot be read: {e}")))?;
    unpack(path, file, MAX_ARRAY)
}

/// The same for an archive in memory, of which no array may unpack to more than `most` bytes; `path` is only
/// for messages.
///
/// # Errors
/// As [`read`].
pub fn decode(path: &Path, bytes: &[u8], most: u64) -> Result<Vec<(String, Tensor)>, Error> {
    unpack(path, Cursor::new(bytes), most)
}

fn unpack(path: &Path, file: impl Read + Seek, most: u64) -> Result<Vec<(String, Tensor)>, Error> {
    let fault = |place: &str, e: &dyn std::fmt::Display| Error::file(path, place, e.to_string());
    let mut archive =
        ZipArchive::new(file).map_err(|e| fault("", &format!("is not an .npz archive: {e}")))?;
    let mut arrays = Vec::with_capacity(archive.len().min(4096));
    for i in 0..archive.len() {
        let member = archive
            .by_index(i)
            .map_err(|e| fault(&format!("member {i}"), &e))?;
        let name = member
            .name()
            .map_err(|e| fault(&format!("member {i}"), &e))?;
        let name = name.trim_end_matches(".npy").to_owned();
        let place = format!("array {name}");
        let mut bytes = Vec::new();
        // The size in the directory is a claim; the limit is on what really comes out.
        let mut unpacked = member.take(most + 1);
        unpacked
            .read_to_end(&mut bytes)
            .map_err(|e| fault(&place, &e))?;
        if bytes.len() as u64 > most {
            return Err(Error::limit("npz::read", "bytes per array", most));
        }
        arrays.push((name, npy::decode(path, &place, &bytes)?));
    }
    Ok(arrays)
}

/// The one array of the archive called `name`.
///
/// # Errors
/// As [`read`]; `File` listing the names that exist when `name` is not among them.
pub fn read_one(path: &Path, name: &str) -> Result<Tensor, Error> {
    let mut arrays = read(path)?;
    match arrays.iter().position(|(n, _)| n == name) {
        Some(i) => Ok(arrays.swap_remove(i).1),
        None => {
            let names: Vec<&str> = arrays.iter().map(|(n, _)| n.as_str()).collect();
            let problem = format!("has no array '{name}'; it has {}", names.join(", "));
            Err(Error::file(path, "", problem))
        }
    }
}

/// Writes named arrays, whole or not at all. The same arrays give the same bytes.
///
/// # Errors
/// `File` naming the path.
pub fn write(path: &Path, arrays: &[(&str, TensorView<'_>)]) -> Result<(), Error> {
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
    super::atomic::write_whole(path, &done.into_inner())
}
