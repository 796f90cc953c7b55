//! Files that are written whole or not at all.

use crate::Error;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Writes `bytes` to `path`: into a temporary file in the same folder, flushed to disk, then renamed.
///
/// A reader sees the old file or the new one, never a part. An existing symbolic link is replaced, not
/// followed.
///
/// # Errors
/// `File` naming the path.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let name = path.file_name().and_then(|n| n.to_str());
    let name = name.ok_or_else(|| Error::file(path, "", "is not the name of a file"))?;
    let hidden = format!(".{name}.{}.part", std::process::id());
    let part: PathBuf = path.with_file_name(hidden);
    let written = fs::File::create(&part)
        .and_then(|mut f| f.write_all(bytes).and_then(|()| f.sync_all()))
        .and_then(|()| fs::rename(&part, path));
    written.map_err(|e| {
        // Nothing is left behind; if that fails too, the first error is the one to tell.
        let _ = fs::remove_file(&part);
        Error::file(path, "", format!("cannot be written: {e}"))
    })
}
