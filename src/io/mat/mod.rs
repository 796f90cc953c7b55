//! MATLAB `.mat` files of version 5, plain or compressed.
//!
//! Members of structures and cells have names as MATLAB writes them: `s.x`, `s(2).x` in an array of structures, `c{3}`.

mod parse;
mod write;

use super::source;
use crate::Error;
use crate::tensor::{SparseTensor, Tensor};
use parse::Fault;
use std::path::Path;

pub use write::encode;

/// A numeric array of a `.mat` file.
///
/// # Example
/// ```
/// use std::path::Path;
/// use wickring::io::mat::{decode, encode};
/// use wickring::tensor::Tensor;
/// let t = Tensor::from_vec(&[2, 2], vec![1.0, 2.0, 3.0, 4.0])?;
/// let found = decode(Path::new("x.mat"), &encode(&[("x", t.view())])?)?;
/// assert_eq!((found[0].name.as_str(), &found[0].real), ("x", &t));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct MatArray {
    /// The name of the variable.
    pub name: String,
    /// The real part; MATLAB's storage order is that of [`Tensor`].
    pub real: Tensor,
    /// The imaginary part of a complex array.
    pub imaginary: Option<Tensor>,
}

/// A variable of a `.mat` file before its content is unpacked.
///
/// # Example
/// ```
/// use wickring::io::mat::{MatValue, encode, list, read_value};
/// use wickring::io::write_whole;
/// use wickring::tensor::Tensor;
/// let path = std::env::temp_dir().join(format!("wickring-variable-{}.mat", std::process::id()));
/// let t = Tensor::from_vec(&[2, 2], vec![1.0, 2.0, 3.0, 4.0])?;
/// write_whole(&path, &encode(&[("x", t.view())])?)?;
/// assert!(list(&path)?[0].is_array());
/// assert!(matches!(read_value(&path, "x")?, MatValue::Array(found) if found.real == t));
/// # std::fs::remove_file(&path).ok();
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The name, with the way through structures and cells: `s.x`, `c{1}`.
    pub name: String,
    /// What it is: `an array`, `a sparse matrix`, or why it holds no numbers (`text`, `an object`).
    pub class: &'static str,
    /// The shape.
    pub shape: Vec<usize>,
}

impl Variable {
    /// Whether it is a full array of numbers.
    pub fn is_array(&self) -> bool {
        self.class == ARRAY
    }

    /// Whether it is a sparse matrix of real numbers.
    pub fn is_sparse(&self) -> bool {
        self.class == SPARSE
    }
}

/// What a variable holds.
///
/// See [`Variable`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub enum MatValue {
    /// A full array.
    Array(MatArray),
    /// A sparse matrix of real numbers.
    Sparse(SparseTensor),
}

const ARRAY: &str = "an array";
const SPARSE: &str = "a sparse matrix";
const COMPLEX_SPARSE: &str = "a complex sparse matrix";

/// Names and shapes of all variables, members of structures and cells among them; of arrays nothing but heads is
/// unpacked.
///
/// # Errors
/// `File` naming path and place: not version 5 (files of version 7.3 are HDF5: save with `-v7`), truncated,
/// or damaged.
pub fn list(path: &Path) -> Result<Vec<Variable>, Error> {
    let bytes = source::bytes(path)?;
    let mut found = Vec::new();
    scan(path, &bytes, &mut |variable| {
        found.push(variable.clone());
        false
    })?;
    Ok(found)
}

/// Reads every full numeric array, members of structures and cells among them; text, sparse matrices and objects
/// are passed over.
///
/// # Errors
/// As [`list`]; also when the arrays unpack to more than 256 times the file and more than 256 MiB.
pub fn read(path: &Path) -> Result<Vec<MatArray>, Error> {
    decode(path, &source::bytes(path)?)
}

/// Reads the variable called `name`; no other is unpacked.
///
/// # Errors
/// As [`read`]; `File` listing what there is when `name` holds no numbers.
pub fn read_value(path: &Path, name: &str) -> Result<MatValue, Error> {
    let bytes = source::bytes(path)?;
    let mut seen = Vec::new();
    let values = scan(path, &bytes, &mut |v| {
        seen.push(v.clone());
        v.name == name
    })?;
    values.into_iter().next().ok_or_else(|| {
        let within = |v: &&Variable| {
            v.name.starts_with(name) && v.name[name.len()..].starts_with(['.', '(', '{'])
        };
        let members: Vec<&str> = seen
            .iter()
            .filter(within)
            .map(|v| v.name.as_str())
            .collect();
        match seen.iter().find(|v| v.name == name) {
            Some(v) => Error::file(path, format!("variable {name}"), no_array(v)),
            None if !members.is_empty() => {
                let problem = format!("is no array, name a member of it: {}", members.join(", "));
                Error::file(path, format!("variable {name}"), problem)
            }
            None => {
                let names: Vec<&str> = seen.iter().map(|v| v.name.as_str()).collect();
                let problem = format!("has no variable '{name}'; it has {}", names.join(", "));
                Error::file(path, "", problem)
            }
        }
    })
}

/// Reads the full array called `name`; no other is unpacked.
///
/// # Errors
/// As [`read_value`]; `File` for a sparse matrix.
pub fn read_one(path: &Path, name: &str) -> Result<MatArray, Error> {
    match read_value(path, name)? {
        MatValue::Array(array) => Ok(array),
        MatValue::Sparse(s) => {
            let (name, shape) = (name.to_owned(), s.dims().to_vec());
            let v = Variable {
                name,
                class: SPARSE,
                shape,
            };
            Err(Error::file(
                path,
                format!("variable {}", v.name),
                no_array(&v),
            ))
        }
    }
}

/// Why a variable is not read as a full array, and what to do.
pub fn no_array(v: &Variable) -> String {
    let remedy = match v.class {
        SPARSE | COMPLEX_SPARSE => format!("save full({})", v.name),
        _ => "save an array of numbers".to_owned(),
    };
    format!("is {}, expected a full array of numbers: {remedy}", v.class)
}

/// The full arrays in the bytes of a file; `path` is only for messages.
///
/// # Errors
/// As [`read`].
pub fn decode(path: &Path, bytes: &[u8]) -> Result<Vec<MatArray>, Error> {
    let values = scan(path, bytes, &mut Variable::is_array)?.into_iter();
    let arrays = values.filter_map(|v| match v {
        MatValue::Array(array) => Some(array),
        MatValue::Sparse(_) => None,
    });
    Ok(arrays.collect())
}

fn scan(
    path: &Path,
    bytes: &[u8],
    wanted: &mut dyn FnMut(&Variable) -> bool,
) -> Result<Vec<MatValue>, Error> {
    if let Some(problem) = super::foreign::recognise(bytes) {
        return Err(Error::file(path, "byte 0", problem));
    }
    let most = source::budget(bytes.len() as u64);
    parse::values(bytes, most, wanted).map_err(|fault| match fault {
        Fault::At(at, problem) => Error::file(path, format!("byte {at}"), problem),
        Fault::TooLarge(name) => source::too_large(path, format!("variable {name}"), most),
    })
}
