//! A tensor as it stands in a file, whatever the format.

use super::{foreign, mat, npy, npz, source, text, tns};
use crate::Error;
use crate::tensor::{SparseTensor, Tensor};
use num_complex::Complex;
use std::path::Path;

/// A tensor as it stood in its file.
///
/// # Example
/// ```
/// use wickring::io::{StoredTensor, npy};
/// use wickring::tensor::Tensor;
/// let path = std::env::temp_dir().join(format!("wickring-stored-{}.npy", std::process::id()));
/// let t = Tensor::from_vec(&[2, 2], vec![1.0, 2.0, 3.0, 4.0])?;
/// npy::write(&path, t.view())?;
/// assert!(matches!(StoredTensor::read(&path, None)?, StoredTensor::Real(found) if found == t));
/// # std::fs::remove_file(&path).ok();
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum StoredTensor {
    /// Dense and real.
    Real(Tensor),
    /// Dense and complex.
    Complex(Tensor<Complex<f64>>),
    /// Coordinates and values.
    Sparse(SparseTensor),
}

impl StoredTensor {
    /// The shape.
    pub fn dims(&self) -> &[usize] {
        match self {
            Self::Real(t) => t.dims(),
            Self::Complex(t) => t.dims(),
            Self::Sparse(t) => t.dims(),
        }
    }

    /// Reads the tensor in `path`: `.npy`, `.npz` (also a sparse matrix of SciPy's), `.mat` (version 5, also members
    /// of structures and cells), `.tns`, `.csv`, `.tsv` and `.txt`, each also with `.gz`, and `-` for standard input.
    ///
    /// `name` picks an array of a file that holds several; without it the only array is taken, or the only one of the
    /// greatest order. A table is a matrix, or, under a comment `# shape: 4 3 2`, the tensor of that shape with a row
    /// for each index of the first mode and the last index fastest. Entries that are missing are NaN.
    ///
    /// # Errors
    /// `File` naming path and place, and what to do about a format that is not read.
    pub fn read(path: &Path, name: Option<&str>) -> Result<Self, Error> {
        if path.is_dir() {
            let problem = "is a folder, expected a file; a folder with a slice in each file: wickring convert FOLDER cube.npy first";
            return Err(Error::file(path, "", problem));
        }
        let format = source::format(path)?;
        if let (Some(name), "npy" | "tns" | "csv" | "tsv" | "txt") = (name, format.as_str()) {
            let problem = format!(
                "--name {name} does nothing: a .{format} file holds one array without a name"
            );
            return Err(Error::file(path, "", problem));
        }
        foreign::refuse(path)?;
        match format.as_str() {
            "npy" if npy::header(path)?.dtype.kind == npy::EntryKind::Complex => {
                npy::read_complex(path).map(Self::Complex)
            }
            "npy" => npy::read(path).map(Self::Real),
            "npz" => from_npz(path, name),
            "mat" => from_mat(path, name),
            "tns" => tns::read(path).map(Self::Sparse),
            "csv" | "tsv" | "txt" => text::read(path).map(Self::Real),
            _ => {
                let problem =
                    "expected a file ending in .npy, .npz, .mat, .tns or .csv (or these with .gz)";
                Err(Error::file(path, "", problem))
            }
        }
    }
}

fn from_npz(path: &Path, name: Option<&str>) -> Result<StoredTensor, Error> {
    let chosen = match name {
        Some(name) => name.to_owned(),
        None => {
            let members = npz::list(path)?;
            if let Some(sparse) = scipy(path, &members)? {
                return Ok(StoredTensor::Sparse(sparse));
            }
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
        npz::Array::Real(t) => StoredTensor::Real(t),
        npz::Array::Complex(t) => StoredTensor::Complex(t),
    })
}

/// The matrix that `scipy.sparse.save_npz` wrote, compressed by rows or columns or as coordinates; `None` for other
/// archives.
fn scipy(path: &Path, members: &[npz::Member]) -> Result<Option<SparseTensor>, Error> {
    let holds = |names: &[&str]| names.iter().all(|n| members.iter().any(|m| m.name == *n));
    if !holds(&["format", "shape", "data"]) {
        return Ok(None);
    }
    let whole = |name: &str| -> Result<Vec<usize>, Error> {
        let numbers = npz::read_one(path, name)?.into_vec();
        if numbers.iter().any(|x| !(*x >= 0.0)) {
            let problem = "expected indices from 0";
            return Err(Error::file(path, format!("array {name}"), problem));
        }
        Ok(numbers.into_iter().map(|x| x as usize).collect())
    };
    let fault = |problem: &str| Err(Error::file(path, "", problem));
    let shape = whole("shape")?;
    let [rows, columns] = match shape[..] {
        [rows, columns] => [rows, columns],
        _ => return fault("holds a sparse array of SciPy's that is no matrix, which is not read"),
    };
    let format = npz::text(path, "format")?;
    let (outer, inner) = match format.as_str() {
        "csr" | "csc" if holds(&["indices", "indptr"]) => {
            let (inner, starts) = (whole("indices")?, whole("indptr")?);
            let lines = if format == "csr" { rows } else { columns };
            let even = starts.len() == lines + 1 && starts.last() == Some(&inner.len());
            if !even || starts[0] != 0 || starts.windows(2).any(|w| w[0] > w[1]) {
                return fault("holds a sparse matrix whose rows do not add up");
            }
            let runs = starts.windows(2).enumerate();
            let outer = runs.flat_map(|(k, w)| std::iter::repeat_n(k, w[1] - w[0]));
            (outer.collect(), inner)
        }
        "coo" if holds(&["row", "col"]) => (whole("row")?, whole("col")?),
        _ => {
            return fault(
                "holds a sparse matrix in a layout that is not read; save it with scipy.sparse.save_npz(f, m.tocsr())",
            );
        }
    };
    let values = npz::read_one(path, "data")?.into_vec();
    let pair = |(&o, &i): (&usize, &usize)| if format == "csc" { [i, o] } else { [o, i] };
    let indices: Vec<usize> = outer.iter().zip(&inner).flat_map(pair).collect();
    let tensor = SparseTensor::from_coordinates(&[rows, columns], &indices, values, |a, b| a + b);
    tensor
        .map(Some)
        .map_err(|e| Error::file(path, "", e.to_string()))
}

fn from_mat(path: &Path, name: Option<&str>) -> Result<StoredTensor, Error> {
    let chosen = match name {
        Some(name) => name.to_owned(),
        None => {
            let variables = mat::list(path)?;
            let numbers = |v: &&mat::Variable| v.is_array() || v.is_sparse();
            let arrays = variables.iter().filter(numbers);
            let arrays = arrays.map(|v| (v.name.as_str(), v.shape.len()));
            let refused = variables.iter().filter(|v| !numbers(v));
            let refused = refused.map(|v| format!("variable {} {}", v.name, mat::no_array(v)));
            pick(path, &arrays.collect::<Vec<_>>(), refused.collect())?
        }
    };
    let array = match mat::read_value(path, &chosen)? {
        mat::MatValue::Sparse(s) => return Ok(StoredTensor::Sparse(s)),
        mat::MatValue::Array(array) => array,
    };
    match array.imaginary {
        None => Ok(StoredTensor::Real(array.real)),
        Some(im) => {
            let parts = array.real.as_slice().iter().zip(im.as_slice());
            let data = parts.map(|(&re, &im)| Complex::new(re, im)).collect();
            Tensor::from_vec(array.real.dims(), data).map(StoredTensor::Complex)
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
