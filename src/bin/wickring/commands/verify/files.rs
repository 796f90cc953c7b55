//! What `wickring verify` reads: schemes, factor files, rings, and the tensor to hold them against.

use crate::commands::tensor_file;
use crate::commands::tensor_file::require_finite;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use wickring::Error;
use wickring::io::npz;
use wickring::scheme::{
    RationalRing, Scheme, SchemeFormat, Target, read_lrp, read_models, read_schemes,
    rings_from_arrays, schemes_from_arrays, schemes_from_complex,
};

/// One file, or the three files of an SMS scheme.
pub struct Loaded {
    /// Its path; of three files the first.
    pub path: PathBuf,
    /// What was read, with its bytes.
    pub inputs: Vec<(PathBuf, Vec<u8>)>,
    /// The sums of rank-one terms in it.
    pub schemes: Vec<Scheme>,
    /// The rings and trains in it.
    pub rings: Vec<RationalRing>,
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, Error> {
    let problem = |e: std::io::Error| Error::file(path, "", format!("cannot be read: {e}"));
    let size = fs::metadata(path).map_err(problem)?.len();
    if size > 1 << 28 {
        return Err(Error::file(
            path,
            "",
            "a scheme of more than 256 MB is not read",
        ));
    }
    fs::read(path).map_err(problem)
}

fn text_of(path: &Path, bytes: &[u8]) -> Result<String, Error> {
    let text = std::str::from_utf8(bytes);
    let text = text.map_err(|e| {
        Error::file(
            path,
            format!("byte {}", e.valid_up_to()),
            "is not UTF-8 text",
        )
    });
    Ok(text?.to_owned())
}

/// The text of a file.
pub fn read_text(path: &Path) -> Result<String, Error> {
    text_of(path, &read_bytes(path)?)
}

/// `--tensor`: a tensor by name, or a file with one.
pub fn read_target(text: &str) -> Result<Target, Error> {
    let path = Path::new(text);
    let file = path
        .extension()
        .is_some_and(|e| ["npy", "npz", "mat", "tns"].iter().any(|known| e == *known));
    if !file {
        return Target::parse(text);
    }
    let tensor = match tensor_file::Loaded::read(path, None)? {
        tensor_file::Loaded::Real(t) => t,
        tensor_file::Loaded::Sparse(s) => s.to_dense(1 << 24)?,
        tensor_file::Loaded::Complex(t) => {
            return Target::complex(t.view()).map_err(|e| Error::file(path, "", e.problem()));
        }
    };
    require_finite(path, &tensor)?;
    Target::dense(tensor.view())
}

/// Reads the files; an SMS scheme is read once, whichever of its files are named.
pub fn load(paths: &[PathBuf]) -> Result<Vec<Loaded>, Error> {
    let mut loaded: Vec<Loaded> = Vec::new();
    for path in paths {
        let name = path
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        let stem = name.rsplit_once('.').map_or(&name[..], |(stem, _)| stem);
        let extension = path
            .extension()
            .map(|e| e.to_string_lossy().to_ascii_lowercase())
            .unwrap_or_default();
        let in_file = |e: Error| Error::file(path, "", e.problem());
        let mut rings = Vec::new();
        let (path, inputs, schemes) = match extension.as_str() {
            "sms" => {
                let whole = stem
                    .strip_suffix(['L', 'R', 'P'])
                    .filter(|s| s.ends_with(['_', '-', '.']));
                let whole = whole.ok_or_else(|| {
                    Error::file(
                        path,
                        "",
                        "an SMS scheme is three files X_L.sms, X_R.sms and X_P.sms",
                    )
                })?;
                let sibling = |k: char| path.with_file_name(format!("{whole}{k}.sms"));
                let first = sibling('L');
                if loaded.iter().any(|l| l.path == first) {
                    continue;
                }
                let parts = [
                    read_bytes(&first)?,
                    read_bytes(&sibling('R'))?,
                    read_bytes(&sibling('P'))?,
                ];
                let [l, r, p] = [
                    text_of(&first, &parts[0])?,
                    text_of(path, &parts[1])?,
                    text_of(path, &parts[2])?,
                ];
                let paths = ['L', 'R', 'P'].map(sibling);
                (
                    first,
                    paths.into_iter().zip(parts).collect(),
                    vec![read_lrp(&l, &r, &p, stem).map_err(in_file)?],
                )
            }
            ending if ending == "npz" || is_archive(path) => {
                let schemes = match npz::read_complex(path)? {
                    Some(arrays) => schemes_from_complex(&arrays, stem).map_err(in_file)?,
                    None => {
                        let arrays = npz::read(path).map_err(plain_arrays)?;
                        rings = rings_from_arrays(&arrays).map_err(in_file)?;
                        match rings.is_empty() {
                            true => schemes_from_arrays(&arrays, stem).map_err(in_file)?,
                            false => Vec::new(),
                        }
                    }
                };
                (
                    path.clone(),
                    vec![(path.clone(), read_bytes(path)?)],
                    schemes,
                )
            }
            other => {
                let bytes = read_bytes(path)?;
                if let Some(problem) = binary(&bytes) {
                    return Err(Error::file(path, "", problem));
                }
                let text = text_of(path, &bytes)?;
                // What a file holds counts, not how it is called.
                let found = SchemeFormat::of_text(&text);
                let format = found.or_else(|| SchemeFormat::of_extension(other));
                let known = "is none of the schemes that are read, expected .json, .m, .mpl, .exp, .txt, .sms or .npz";
                let format = format.ok_or_else(|| Error::file(path, "", known))?;
                let models = match format {
                    SchemeFormat::Json => read_models(&text).map_err(in_file)?,
                    _ => None,
                };
                let schemes = match models {
                    Some((schemes, found)) => {
                        rings = found;
                        schemes
                    }
                    None => read_schemes(&text, format, stem).map_err(in_file)?,
                };
                (path.clone(), vec![(path.clone(), bytes)], schemes)
            }
        };
        loaded.push(Loaded {
            path,
            inputs,
            schemes,
            rings,
        });
    }
    Ok(loaded)
}

/// Whether the file is an archive of arrays, whatever its name.
fn is_archive(path: &Path) -> bool {
    let mut start = [0; 4];
    let file = fs::File::open(path);
    file.is_ok_and(|mut f| f.read_exact(&mut start).is_ok() && start == *b"PK\x03\x04")
}

/// Why bytes are no scheme in text.
fn binary(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"\x93NUMPY") {
        return Some(
            "is a single array, and schemes need three: np.savez(f, u=U, v=V, w=W) with U, V, W of size x rank",
        );
    }
    bytes
        .starts_with(&[0x1f, 0x8b])
        .then_some("is compressed: unpack it with gunzip")
}

/// Pickled objects would run code of the file's author: say how to convert them.
fn plain_arrays(e: Error) -> Error {
    match e {
        Error::File {
            path,
            place,
            problem,
        } if problem.contains("object") || problem.contains("|O") => {
            let hint = "; convert once in Python: d = np.load(f, allow_pickle=True); np.savez(g, **{f'{k}_{x}': \
                        np.array(a, dtype=float) for k in d for x, a in zip('uvw', d[k])})";
            Error::File {
                path,
                place,
                problem: problem + hint,
            }
        }
        other => other,
    }
}
