//! The tensor that `decompose ring` reads, and what its report says about the file.

use num_complex::Complex;
use serde_json::{Value, json};
use std::path::Path;
use wickring::Error;
use wickring::io::samples::digest;
use wickring::io::{mat, npy, npz};
use wickring::tensor::Tensor;

/// A tensor as it stood in its file.
pub enum Loaded {
    /// Real entries.
    Real(Tensor),
    /// Complex entries.
    Complex(Tensor<Complex<f64>>),
}

/// Reads the tensor in `path`; `name` picks an array of a file that holds several.
pub fn load(path: &Path, name: Option<&str>) -> Result<Loaded, Error> {
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    match ending.to_ascii_lowercase().as_str() {
        "npy" => load_npy(path),
        "npz" => one(path, npz::read(path)?, name).map(Loaded::Real),
        "mat" => {
            let arrays = mat::read(path)?
                .into_iter()
                .map(|a| (a.name, (a.real, a.imaginary)));
            match one(path, arrays.collect(), name)? {
                (real, None) => Ok(Loaded::Real(real)),
                (real, Some(im)) => {
                    let parts = real.as_slice().iter().zip(im.as_slice());
                    let data = parts.map(|(&re, &im)| Complex::new(re, im)).collect();
                    Tensor::from_vec(real.dims(), data).map(Loaded::Complex)
                }
            }
        }
        _ => {
            let problem = "decompose ring reads dense tensors: .npy, .npz or .mat";
            Err(Error::file(path, "", problem))
        }
    }
}

fn load_npy(path: &Path) -> Result<Loaded, Error> {
    let unreadable = |e: std::io::Error| Error::file(path, "", format!("cannot be read: {e}"));
    let mut file = std::fs::File::open(path).map_err(unreadable)?;
    let total = file.metadata().map_err(unreadable)?.len();
    let header = npy::read_header(path, &mut file, total)?;
    if header.dtype.kind == npy::Kind::Complex {
        return npy::read_complex(path).map(Loaded::Complex);
    }
    npy::read(path).map(Loaded::Real)
}

/// The array called `name`, or the only one.
fn one<A>(path: &Path, arrays: Vec<(String, A)>, name: Option<&str>) -> Result<A, Error> {
    let listed = Vec::from_iter(arrays.iter().map(|a| a.0.as_str())).join(", ");
    let alone = arrays.len() == 1;
    let mut wanted = arrays
        .into_iter()
        .filter(|a| name.map_or(alone, |n| n == a.0));
    let problem = format!("choose an array with --name: {listed}");
    let found = wanted.next().map(|a| a.1);
    found.ok_or_else(|| Error::file(path, "", problem))
}

/// Refuses entries that are not finite, naming file and index.
pub fn require_finite(path: &Path, t: &Tensor) -> Result<(), Error> {
    let bad = t.as_slice().iter().filter(|x| !x.is_finite()).count();
    let Some(first) = t.as_slice().iter().position(|x| !x.is_finite()) else {
        return Ok(());
    };
    let mut rest = first;
    let index = t.dims().iter().map(|&n| {
        let i = rest % n;
        rest /= n;
        i.to_string()
    });
    let place = format!("entry ({})", Vec::from_iter(index).join(", "));
    let problem = format!("is not finite, and {bad} in all; mask them with --missing mask");
    Err(Error::file(path, place, problem))
}

/// The `inputs` entry of the report.
pub fn inputs(path: &Path, dims: &[usize]) -> Result<Value, Error> {
    let sha256 = digest(path)?;
    Ok(json!([{ "path": path.display().to_string(), "sha256": sha256, "shape": dims }]))
}
