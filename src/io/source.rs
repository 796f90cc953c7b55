//! Where bytes come from: files, compressed files, standard input and pipes.

use crate::Error;
use flate2::read::MultiGzDecoder;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of one input that are held in memory at most: 4 GiB.
pub(super) const MAX_BYTES: u64 = 1 << 32;
/// What any compressed file may unpack to, in bytes: 256 MiB.
const FREE: u64 = 1 << 28;
/// Beyond that, how many times its own size. Measured numbers pack 1.05 to 3 times, counts and zeros up to
/// 100 times; deflate cannot exceed 1032.
const RATIO: u64 = 256;

/// Bytes that `packed` bytes may unpack to before they count as a trap.
pub(super) fn budget(packed: u64) -> u64 {
    packed.saturating_mul(RATIO).clamp(FREE, MAX_BYTES)
}

/// [`budget`] of what is read from `path` into memory.
pub(super) fn budget_of(path: &Path) -> Result<u64, Error> {
    let packed = match is_stream(path) {
        true => raw(path)?.len() as u64,
        false => std::fs::metadata(path)
            .map_err(|e| Error::file(path, "", format!("cannot be read: {e}")))?
            .len(),
    };
    Ok(budget(packed))
}

/// The message for content that unpacks to more than [`budget`] allows.
pub(super) fn too_large(path: &Path, place: impl Into<String>, most: u64) -> Error {
    let problem = format!(
        "unpacks to more than {most} bytes, the most that is read from a compressed file of this size; save it uncompressed (as .npy or plain text)"
    );
    Error::file(path, place, problem)
}

/// Inputs that can be read only once, kept for the next reader.
static ONCE: Mutex<BTreeMap<PathBuf, Arc<[u8]>>> = Mutex::new(BTreeMap::new());

/// Whether `path` is `-` (standard input), a pipe or a device: what cannot be read twice.
pub fn is_stream(path: &Path) -> bool {
    path.as_os_str() == "-"
        || std::fs::metadata(path).is_ok_and(|meta| !meta.is_file() && !meta.is_dir())
}

/// Whether `path` is read whole into memory: a stream, or a compressed file.
pub(super) fn is_held(path: &Path) -> bool {
    is_stream(path) || has_ending(path, "gz")
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension()
        .is_some_and(|e| e.eq_ignore_ascii_case(ending))
}

/// The format that the name of a file promises, in small letters: `npy` for `x.npy` and for `x.npy.gz`; for
/// standard input, pipes and names without an ending, what the first bytes look like.
///
/// # Errors
/// `File` when the bytes have to be looked at and cannot be read.
pub fn format(path: &Path) -> Result<String, Error> {
    let stem = match has_ending(path, "gz") {
        true => path.file_stem().map_or(PathBuf::new(), PathBuf::from),
        false => path.to_owned(),
    };
    match stem.extension().and_then(|e| e.to_str()) {
        Some(ending) => Ok(ending.to_ascii_lowercase()),
        None if is_held(path) => {
            let bytes = bytes(path)?;
            // A workbook or a picture of memory in a pipe is no table.
            match super::foreign::recognise(&bytes) {
                Some(problem) => Err(Error::file(path, "byte 0", problem)),
                None => Ok(sniff(&bytes).to_owned()),
            }
        }
        None => Ok(String::new()),
    }
}

fn sniff(bytes: &[u8]) -> &'static str {
    if bytes.starts_with(b"\x93NUMPY") {
        "npy"
    } else if bytes.starts_with(b"PK\x03\x04") {
        "npz"
    } else if bytes.starts_with(b"MATLAB") {
        "mat"
    } else if bytes.trim_ascii_start().starts_with(b"{") {
        "json"
    } else {
        "csv"
    }
}

/// The whole content, unpacked when the name ends in `.gz` or the bytes say so.
///
/// # Errors
/// `File` naming the path: unreadable, damaged, or larger than what is held in memory.
pub fn bytes(path: &Path) -> Result<Arc<[u8]>, Error> {
    let raw = raw(path)?;
    if !raw.starts_with(&[0x1f, 0x8b]) {
        if has_ending(path, "gz") {
            return Err(Error::file(path, "byte 0", "is not compressed by gzip"));
        }
        return Ok(raw);
    }
    let most = budget(raw.len() as u64);
    let mut out = Vec::new();
    let damaged = |e: io::Error| Error::file(path, "", format!("is damaged (gzip): {e}"));
    MultiGzDecoder::new(&raw[..])
        .take(most + 1)
        .read_to_end(&mut out)
        .map_err(damaged)?;
    match out.len() as u64 > most {
        true => Err(too_large(path, "", most)),
        false => Ok(out.into()),
    }
}

/// The bytes as they stand in the file, not unpacked; those of a stream stay known.
///
/// # Errors
/// `File` naming the path.
pub fn raw(path: &Path) -> Result<Arc<[u8]>, Error> {
    let unreadable = |e: io::Error| Error::file(path, "", format!("cannot be read: {e}"));
    let once = is_stream(path);
    let mut kept = ONCE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(bytes) = kept.get(path).filter(|_| once) {
        return Ok(bytes.clone());
    }
    let mut out = Vec::new();
    if path.as_os_str() == "-" {
        io::stdin().lock().take(MAX_BYTES + 1).read_to_end(&mut out)
    } else {
        File::open(path).and_then(|f| f.take(MAX_BYTES + 1).read_to_end(&mut out))
    }
    .map_err(unreadable)?;
    if out.len() as u64 > MAX_BYTES {
        return Err(Error::file(
            path,
            "",
            format!("is larger than {MAX_BYTES} bytes"),
        ));
    }
    let bytes: Arc<[u8]> = out.into();
    if once {
        kept.insert(path.to_owned(), bytes.clone());
    }
    Ok(bytes)
}
