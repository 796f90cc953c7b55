//! Tensor files: which reader, which array, and what goes into the report.

use num_complex::Complex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::Path;
use wickring::Error;
use wickring::io::{mat, npy, npz, tns};
use wickring::tensor::{SparseTensor, Tensor};

/// A tensor as it stood in its file.
pub enum Loaded {
    /// Dense and real.
    Real(Tensor),
    /// Dense and complex.
    Complex(Tensor<Complex<f64>>),
    /// Coordinates and values.
    Sparse(SparseTensor),
}

impl Loaded {
    /// The shape.
    pub fn dims(&self) -> &[usize] {
        match self {
            Self::Real(t) => t.dims(),
            Self::Complex(t) => t.dims(),
            Self::Sparse(t) => t.dims(),
        }
    }
}

/// Reads the tensor in `path`; `name` picks an array of a file that holds several.
pub fn load(path: &Path, name: Option<&str>) -> Result<Loaded, Error> {
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    match ending.to_ascii_lowercase().as_str() {
        "npy" => load_npy(path),
        "npz" => pick(path, npz::read(path)?, name).map(Loaded::Real),
        "mat" => {
            let arrays = mat::read(path)?.into_iter().map(|a| (a.name.clone(), a));
            let array = pick(path, arrays.collect(), name)?;
            match array.imaginary {
                None => Ok(Loaded::Real(array.real)),
                Some(im) => {
                    let parts = array.real.as_slice().iter().zip(im.as_slice());
                    let data = parts.map(|(&re, &im)| Complex::new(re, im)).collect();
                    Tensor::from_vec(array.real.dims(), data).map(Loaded::Complex)
                }
            }
        }
        "tns" => tns::read(path).map(Loaded::Sparse),
        _ => Err(Error::file(
            path,
            "",
            "expected a file ending in .npy, .npz, .mat or .tns",
        )),
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

/// Has a number of modes.
trait Shaped {
    fn order(&self) -> usize;
}
impl Shaped for Tensor {
    fn order(&self) -> usize {
        self.dims().len()
    }
}
impl Shaped for mat::MatArray {
    fn order(&self) -> usize {
        self.real.dims().len()
    }
}

/// The array called `name`; without a name the only one, or the only one of the greatest order.
fn pick<A: Shaped>(path: &Path, arrays: Vec<(String, A)>, name: Option<&str>) -> Result<A, Error> {
    let names: Vec<&str> = arrays.iter().map(|a| a.0.as_str()).collect();
    let listed = names.join(", ");
    let top = arrays.iter().map(|a| a.1.order()).max().unwrap_or(0);
    let best: Vec<usize> = (0..arrays.len())
        .filter(|&k| arrays[k].1.order() == top)
        .collect();
    let found = match name {
        Some(name) => names.iter().position(|n| *n == name),
        None if best.len() == 1 => best.first().copied(),
        None => None,
    };
    let problem = match name {
        Some(name) => format!("has no array '{name}'; it has {listed}"),
        None if arrays.is_empty() => "holds no numeric array".to_owned(),
        None => format!("holds several arrays: choose one with --name ({listed})"),
    };
    let found = found.ok_or_else(|| Error::file(path, "", problem))?;
    arrays
        .into_iter()
        .nth(found)
        .map(|a| a.1)
        .ok_or_else(|| Error::file(path, "", "is empty"))
}

/// Refuses entries that are not finite, naming file and index.
pub fn require_finite(path: &Path, t: &Tensor) -> Result<(), Error> {
    let bad = t.as_slice().iter().filter(|x| !x.is_finite()).count();
    let Some(first) = t.as_slice().iter().position(|x| !x.is_finite()) else {
        return Ok(());
    };
    let mut index = Vec::new();
    let mut rest = first;
    for &n in t.dims() {
        index.push((rest % n).to_string());
        rest /= n;
    }
    let place = format!("entry ({})", index.join(", "));
    let problem = format!("is not finite, and {bad} in all; mask them with --missing mask");
    Err(Error::file(path, place, problem))
}

/// The `inputs` entry of a report.
pub fn inputs(path: &Path, dims: &[usize]) -> Result<Value, Error> {
    let bytes =
        std::fs::read(path).map_err(|e| Error::file(path, "", format!("cannot be read: {e}")))?;
    let digest = Sha256::digest(&bytes);
    let hex: String = digest.iter().map(|b| format!("{b:02x}")).collect();
    Ok(json!([{ "path": path.display().to_string(), "sha256": hex, "shape": dims }]))
}
