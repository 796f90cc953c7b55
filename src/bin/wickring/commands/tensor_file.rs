//! Tensor files: which reader, which array, and what goes into the report.

use num_complex::Complex;
use serde_json::{Value, json};
use std::path::Path;
use wickring::Error;
use wickring::io::samples::digest;
use wickring::io::{mat, npy, npz, source, tns};
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

/// Reads the tensor in `path` (`-` is standard input, `.gz` is unpacked); `name` picks an array of a file that
/// holds several.
pub fn load(path: &Path, name: Option<&str>) -> Result<Loaded, Error> {
    let format = source::format(path)?;
    if let (Some(name), "npy" | "tns" | "csv" | "tsv") = (name, format.as_str()) {
        let problem =
            format!("--name {name} does nothing: a .{format} file holds one array without a name");
        return Err(Error::file(path, "", problem));
    }
    match format.as_str() {
        "npy" if npy::header(path)?.dtype.kind == npy::EntryKind::Complex => {
            npy::read_complex(path).map(Loaded::Complex)
        }
        "npy" => npy::read(path).map(Loaded::Real),
        "npz" => load_npz(path, name),
        "mat" => load_mat(path, name),
        "tns" => tns::read(path).map(Loaded::Sparse),
        _ => Err(Error::file(
            path,
            "",
            "expected a file ending in .npy, .npz, .mat or .tns (or these with .gz)",
        )),
    }
}

fn load_npz(path: &Path, name: Option<&str>) -> Result<Loaded, Error> {
    let chosen = match name {
        Some(name) => name.to_owned(),
        None => {
            let members = npz::list(path)?;
            let arrays = members.iter().filter_map(|m| {
                let order = m.shape.as_ref().ok()?.len();
                Some((m.name.as_str(), order))
            });
            let refused = members.iter().filter_map(|m| {
                let problem = m.shape.as_ref().err()?;
                Some(format!("array {}: {problem}", m.name))
            });
            pick(path, &arrays.collect::<Vec<_>>(), refused.collect())?
        }
    };
    Ok(match npz::read_array(path, &chosen)? {
        npz::Array::Real(t) => Loaded::Real(t),
        npz::Array::Complex(t) => Loaded::Complex(t),
    })
}

fn load_mat(path: &Path, name: Option<&str>) -> Result<Loaded, Error> {
    let chosen = match name {
        Some(name) => name.to_owned(),
        None => {
            let variables = mat::list(path)?;
            let arrays = variables.iter().filter(|v| v.is_array());
            let arrays = arrays.map(|v| (v.name.as_str(), v.shape.len()));
            let refused = variables.iter().filter(|v| !v.is_array());
            let refused = refused.map(|v| format!("variable {} {}", v.name, mat::no_array(v)));
            pick(path, &arrays.collect::<Vec<_>>(), refused.collect())?
        }
    };
    let array = mat::read_one(path, &chosen)?;
    match array.imaginary {
        None => Ok(Loaded::Real(array.real)),
        Some(im) => {
            let parts = array.real.as_slice().iter().zip(im.as_slice());
            let data = parts.map(|(&re, &im)| Complex::new(re, im)).collect();
            Tensor::from_vec(array.real.dims(), data).map(Loaded::Complex)
        }
    }
}

/// Without a name: the only array, or the only one of the greatest order. `refused` says why others are none.
fn pick(path: &Path, arrays: &[(&str, usize)], refused: Vec<String>) -> Result<String, Error> {
    let top = arrays.iter().map(|a| a.1).max().unwrap_or(0);
    let best: Vec<&str> = arrays.iter().filter(|a| a.1 == top).map(|a| a.0).collect();
    if let [one] = best[..] {
        return Ok(one.to_owned());
    }
    let names: Vec<&str> = arrays.iter().map(|a| a.0).collect();
    let problem = match (arrays.is_empty(), refused.is_empty()) {
        (true, true) => "holds no numeric array".to_owned(),
        (true, false) => format!("holds no numeric array: {}", refused.join("; ")),
        _ => format!(
            "holds several arrays: choose one with --name ({})",
            names.join(", ")
        ),
    };
    Err(Error::file(path, "", problem))
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
    let hex = digest(path)?;
    Ok(json!([{ "path": path.display().to_string(), "sha256": hex, "shape": dims }]))
}
