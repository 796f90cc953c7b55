//! Files that are written whole or not at all.

use crate::Error;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Symbolic links followed at most, as Linux does.
const MAX_LINKS: usize = 40;
/// Names tried for a temporary file; each is one of 2^64.
const MAX_NAMES: usize = 16;

/// Writes `bytes` to `path`: into a temporary file in the same folder, flushed to disk, then renamed.
///
/// A reader sees the old file or the new one, never a part; the mode of an existing file is kept, and a
/// file that may not be written is not replaced. A symbolic link stays one: the file it names is written.
/// What is no regular file (a device, a pipe, `/dev/stdout`) is written into and never replaced. A file with
/// several hard links keeps them: it is overwritten in place once the new content lies whole beside it.
///
/// # Errors
/// `File` naming the path.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    write_together(&[(path, bytes)])
}

/// Writes several files so that a full disk leaves all of the old ones: every content lies whole beside its
/// place before the first is renamed.
///
/// # Errors
/// `File` naming the path that could not be written.
pub fn write_together(files: &[(&Path, &[u8])]) -> Result<(), Error> {
    let cannot = |path: &Path, e: &io::Error| Error::file(path, "", describe(e));
    let mut staged = Vec::with_capacity(files.len());
    for (path, bytes) in files {
        staged.push(Staged::new(path, bytes).map_err(|e| cannot(path, &e))?);
    }
    for (stage, (path, _)) in staged.into_iter().zip(files) {
        stage.commit().map_err(|e| cannot(path, &e))?;
    }
    Ok(())
}

/// Whether `path` is written into as it stands: a device, a pipe, a socket or a descriptor of the process.
pub fn is_stream(path: &Path) -> bool {
    resolve(path).is_ok_and(|target| matches!(target, Target::Stream(_)))
}

fn describe(e: &io::Error) -> String {
    let reason = match e.kind() {
        io::ErrorKind::IsADirectory => "it is a folder, expected the name of a file".to_owned(),
        _ => e.to_string(),
    };
    format!("cannot be written: {reason}")
}

/// Where a path leads.
enum Target {
    /// A regular file, or nothing yet: replaced by renaming.
    File(PathBuf),
    /// Written into.
    Stream(PathBuf),
    /// What would stand beside a device (`/dev/null.json`) has no place and is dropped.
    Nowhere,
}

/// Follows symbolic links; those of `/proc` and `/dev` lead to open descriptors and are not followed.
fn resolve(path: &Path) -> io::Result<Target> {
    let mut at = path.to_owned();
    for _ in 0..MAX_LINKS {
        if at.starts_with("/dev") || at.starts_with("/proc") {
            let exists = fs::symlink_metadata(&at).is_ok();
            return Ok(match exists || !beside_a_stream(&at) {
                true => Target::Stream(at),
                false => Target::Nowhere,
            });
        }
        let meta = match fs::symlink_metadata(&at) {
            Ok(meta) => meta,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return match at.file_name() {
                    Some(_) => Ok(Target::File(at)),
                    None => Err(io::Error::other("it is not the name of a file")),
                };
            }
            Err(e) => return Err(e),
        };
        if meta.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if !meta.is_symlink() {
            return Ok(match meta.is_file() {
                true => Target::File(at),
                false => Target::Stream(at),
            });
        }
        let next = fs::read_link(&at)?;
        at = match at.parent() {
            Some(parent) => parent.join(next),
            None => next,
        };
    }
    Err(io::Error::other("it is a loop of symbolic links"))
}

/// Whether the name without one of its endings is that of something that exists.
fn beside_a_stream(path: &Path) -> bool {
    let mut stem = path.to_owned();
    while stem.extension().is_some() {
        stem.set_extension("");
        if stem.exists() {
            return true;
        }
    }
    false
}

/// New content that lies whole beside its place; dropped without a commit it is removed.
struct Staged<'a> {
    target: Target,
    bytes: &'a [u8],
    part: Option<PathBuf>,
}

impl<'a> Staged<'a> {
    fn new(path: &Path, bytes: &'a [u8]) -> io::Result<Self> {
        let target = resolve(path)?;
        let mut staged = Self {
            target,
            bytes,
            part: None,
        };
        if let Target::File(at) = &staged.target {
            let (mut file, part) = create_beside(at)?;
            staged.part = Some(part);
            if let Ok(old) = fs::metadata(at) {
                // What may not be written is not replaced either.
                OpenOptions::new().write(true).open(at)?;
                file.set_permissions(old.permissions())?;
            }
            file.write_all(bytes)?;
            file.sync_all()?;
        }
        Ok(staged)
    }

    fn commit(mut self) -> io::Result<()> {
        match &self.target {
            Target::Stream(at) => {
                let mut stream = OpenOptions::new().append(true).open(at)?;
                stream.write_all(self.bytes)?;
                stream.flush()
            }
            Target::Nowhere => Ok(()),
            Target::File(at) if links(at) > 1 => {
                let mut file = OpenOptions::new().write(true).truncate(true).open(at)?;
                file.write_all(self.bytes)?;
                file.sync_all()
            }
            Target::File(at) => {
                if let Some(part) = &self.part {
                    fs::rename(part, at)?;
                    self.part = None;
                }
                Ok(())
            }
        }
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if let Some(part) = &self.part {
            // If that fails too, the first error is the one to tell.
            let _ = fs::remove_file(part);
        }
    }
}

#[cfg(unix)]
fn links(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).map_or(1, |m| m.nlink())
}

#[cfg(not(unix))]
fn links(_: &Path) -> u64 {
    1
}

/// A new file in the folder of `path` under a name that cannot be foreseen; never one that stood there, and
/// never through a link.
fn create_beside(path: &Path) -> io::Result<(File, PathBuf)> {
    let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
    for _ in 0..MAX_NAMES {
        // Every `RandomState` has other keys, seeded by the system.
        let state = std::hash::RandomState::new().build_hasher().finish();
        let part = path.with_file_name(format!(".wickring-{state:016x}.part"));
        match OpenOptions::new().write(true).create_new(true).open(&part) {
            Ok(file) => return Ok((file, part)),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => last = e,
            Err(e) => return Err(e),
        }
    }
    Err(last)
}
