//! Files of schemes: folders, patterns, one scheme out of several, and results written.

use crate::commands::verify::files::load;
use crate::context::Context;
use std::path::{Path, PathBuf};
use wickring::Error;
use wickring::io::write_whole;
use wickring::scheme::Scheme;

/// Files that are looked at in folders at most.
const MAX_FILES: usize = 1 << 16;

/// Every file that the arguments name: files, all files of folders (in order of names, folders in them too), and patterns with `*`
/// and `?` in the last part.
pub fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    for path in paths {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        if path.is_dir() {
            walk(path, &mut found, 0)?;
        } else if name.contains(['*', '?']) && !path.exists() {
            let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
            let mut inside = listed(folder.unwrap_or(Path::new(".")))?;
            let fits = |p: &PathBuf| {
                p.file_name()
                    .is_some_and(|n| matches(&name, &n.to_string_lossy()))
            };
            inside.retain(|p| p.is_file() && fits(p));
            if inside.is_empty() {
                return Err(Error::file(path.as_path(), "", "no file fits this pattern"));
            }
            found.extend(inside);
        } else {
            found.push(path.clone());
        }
        if found.len() > MAX_FILES {
            return Err(Error::limit("scheme", "files", MAX_FILES as u64));
        }
    }
    Ok(found)
}

fn listed(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let problem = |e: std::io::Error| Error::file(folder, "", format!("cannot be read: {e}"));
    let entries = std::fs::read_dir(folder).map_err(problem)?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(problem)?.path());
    }
    paths.sort();
    Ok(paths)
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>, depth: usize) -> Result<(), Error> {
    if depth > 16 || found.len() > MAX_FILES {
        return Err(Error::limit(
            "scheme",
            "files and folders",
            MAX_FILES as u64,
        ));
    }
    for path in listed(folder)? {
        let hidden = path
            .file_name()
            .is_some_and(|n| n.to_string_lossy().starts_with('.'));
        match path.is_dir() {
            _ if hidden => (),
            true => walk(&path, found, depth + 1)?,
            false => found.push(path),
        }
    }
    Ok(())
}

/// Whether a name fits a pattern.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    // Where each prefix of the pattern can end in the name.
    let mut ends = vec![false; name.len() + 1];
    ends[0] = true;
    for p in pattern {
        let mut next = vec![false; name.len() + 1];
        for k in 0..=name.len() {
            next[k] = match p {
                '*' => ends[k] || (k > 0 && next[k - 1]),
                _ => k > 0 && ends[k - 1] && (p == '?' || p == name[k - 1]),
            };
        }
        ends = next;
    }
    ends[name.len()]
}

/// The only scheme of a file, or the one that is named.
pub fn one(path: &Path, name: Option<&str>) -> Result<Scheme, Error> {
    let mut loaded = load(&[path.to_owned()])?;
    let mut schemes = loaded.pop().map(|l| l.schemes).unwrap_or_default();
    let names: Vec<String> = schemes.iter().map(|s| s.name.clone()).collect();
    if let Some(name) = name {
        schemes.retain(|s| s.name == name);
    }
    match (schemes.pop(), schemes.is_empty(), name) {
        (Some(scheme), true, _) => Ok(scheme),
        (None, _, None) => Err(Error::file(path, "", "holds no sum of rank-one terms")),
        (_, _, Some(name)) => {
            let problem = format!("has no scheme named {name}; it has {}", names.join(", "));
            Err(Error::file(path, "", problem))
        }
        (..) => {
            let problem = format!(
                "holds several schemes: choose one with --name ({})",
                names.join(", ")
            );
            Err(Error::file(path, "", problem))
        }
    }
}

/// A fault of a file, unless it is one of the budget.
pub fn in_file(path: &Path, e: Error) -> Error {
    match e {
        Error::LimitExceeded { .. }
        | Error::Stopped { .. }
        | Error::File { .. }
        | Error::Backend { .. } => e,
        e => Error::file(path, "", e.problem()),
    }
}

/// Writes texts: one to the path itself, three to `X_L.sms`, `X_R.sms`, `X_P.sms`. What was written.
pub fn write_texts(out: &Path, texts: &[String]) -> Result<Vec<PathBuf>, Error> {
    if let [text] = texts {
        write_whole(out, text.as_bytes())?;
        return Ok(vec![out.to_owned()]);
    }
    let stem = out
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let stem = stem.strip_suffix("_L").unwrap_or(&stem).to_owned();
    let paths = ["L", "R", "P"].map(|k| out.with_file_name(format!("{stem}_{k}.sms")));
    let parts: Vec<(&Path, &[u8])> = paths
        .iter()
        .map(PathBuf::as_path)
        .zip(texts.iter().map(String::as_bytes))
        .collect();
    wickring::io::write_together(&parts)?;
    Ok(paths.to_vec())
}

/// "wrote F" for people.
pub fn tell(context: &Context, paths: &[PathBuf]) -> String {
    let _ = context;
    paths
        .iter()
        .map(|p| format!("wrote {}\n", p.display()))
        .collect()
}
