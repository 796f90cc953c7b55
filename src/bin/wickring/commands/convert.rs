//! `wickring convert IN OUT`: between the formats of tensors, factors and samples, by the endings of the names.

use super::tensor_file::Loaded;
use crate::context::{Context, Outcome};
use clap::Args;
use num_complex::Complex;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use wickring::Error;
use wickring::io::{StoredTensor, arrays, mat, npz, source, write_together};
use wickring::tensor::Tensor;

/// Convert between .npy, .npz, .mat (v5), .tns, .csv and .tsv; .json is written too. Every array of an archive
/// is taken, or the one that --name picks.
///
/// A complex array becomes two: NAME and NAME_imag. A .csv of several arrays becomes a file for each,
/// OUT_NAME.csv.
#[derive(Args)]
pub struct Convert {
    /// The file to read; - is standard input, .gz is unpacked.
    input: PathBuf,
    /// The file to write.
    output: PathBuf,
}

/// Entries of a sparse tensor that are expanded at most: 2 GiB of them.
const MAX_ENTRIES: usize = 1 << 28;

/// Runs `wickring convert`.
pub fn run(args: &Convert, context: &Context) -> Result<Outcome, Error> {
    let same = |a: &Path, b: &Path| matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b);
    if same(&args.input, &args.output) && !context.common.force {
        let problem = "is the input and would be overwritten; choose another name, or add --force";
        return Err(Error::file(args.output.as_path(), "", problem));
    }
    let (arrays, names) = read(args, context)?;
    let files = arrays::encode(&args.output, &arrays, &names)?;
    let parts: Vec<(&Path, &[u8])> = files.iter().map(|(p, b)| (p.as_path(), &b[..])).collect();
    write_together(&parts)?;
    let mut text = String::new();
    for (path, bytes) in &parts {
        let _ = writeln!(text, "wrote {} ({} bytes)", path.display(), bytes.len());
    }
    let listed: Vec<Value> = arrays
        .iter()
        .map(|(name, t)| json!({ "name": name, "shape": t.dims() }))
        .collect();
    let out: Vec<_> = parts.iter().map(|(p, _)| p.to_string_lossy()).collect();
    context.emit(&json!({ "out": out, "arrays": listed }), &text);
    Ok(Outcome::Certified)
}

type Named = Vec<(String, Tensor)>;

/// The arrays, and the names of the columns of a table.
fn read(args: &Convert, context: &Context) -> Result<(Named, Vec<String>), Error> {
    let path = args.input.as_path();
    let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or("x");
    let format = source::format(path)?;
    let names: Vec<String> = match (context.name()?, format.as_str()) {
        (Some(name), _) => vec![name.to_owned()],
        (None, "npz") if is_sparse(path)? => {
            let mut arrays = Vec::new();
            push(&mut arrays, stem, StoredTensor::read(path, None)?)?;
            return Ok((arrays, Vec::new()));
        }
        (None, "npz") => {
            let members = npz::list(path)?.into_iter();
            members
                .filter(|m| m.shape.is_ok())
                .map(|m| m.name)
                .collect()
        }
        (None, "mat") => {
            let found = mat::list(path)?.into_iter();
            found
                .filter(|v| v.is_array() || v.is_sparse())
                .map(|v| v.name)
                .collect()
        }
        (None, "csv" | "tsv" | "txt") => {
            return table(path, stem, context);
        }
        _ => {
            let mut arrays = Vec::new();
            push(&mut arrays, stem, StoredTensor::read(path, None)?)?;
            return Ok((arrays, Vec::new()));
        }
    };
    let mut arrays = Vec::new();
    for name in &names {
        push(&mut arrays, name, StoredTensor::read(path, Some(name))?)?;
    }
    match arrays.is_empty() {
        true => Err(Error::file(path, "", "holds no array of numbers")),
        false => Ok((arrays, Vec::new())),
    }
}

/// Rows of a table as a matrix with the names of its columns; the tensor whose unfolding it is, where it says so.
fn table(path: &Path, stem: &str, context: &Context) -> Result<(Named, Vec<String>), Error> {
    let samples = context.rows(&[path], &context.common.columns)?;
    let names = samples.names().to_vec();
    if context.common.columns.is_empty() {
        let mut arrays = Vec::new();
        push(&mut arrays, stem, StoredTensor::read(path, None)?)?;
        return Ok((arrays, names));
    }
    let (n, d) = (samples.rows(), samples.columns());
    let mut data = vec![0.0; n * d];
    for chunk in samples.chunks(4096) {
        let chunk = chunk?;
        for (i, row) in chunk.data.chunks_exact(d).enumerate() {
            let at = chunk.first_row + i;
            row.iter()
                .enumerate()
                .for_each(|(j, x)| data[at + n * j] = *x);
        }
    }
    Ok((
        vec![(stem.to_owned(), Tensor::from_vec(&[n, d], data)?)],
        names,
    ))
}

fn push(arrays: &mut Named, name: &str, found: Loaded) -> Result<(), Error> {
    match found {
        Loaded::Real(t) => arrays.push((name.to_owned(), t)),
        Loaded::Sparse(s) => arrays.push((name.to_owned(), s.to_dense(MAX_ENTRIES)?)),
        Loaded::Complex(t) => {
            let part = |f: fn(&Complex<f64>) -> f64| {
                Tensor::from_vec(t.dims(), t.as_slice().iter().map(f).collect())
            };
            arrays.push((name.to_owned(), part(|z| z.re)?));
            arrays.push((format!("{name}_imag"), part(|z| z.im)?));
        }
    }
    Ok(())
}

/// Whether SciPy wrote the archive as one sparse matrix.
fn is_sparse(path: &Path) -> Result<bool, Error> {
    let members = npz::list(path)?;
    let holds = |name: &str| members.iter().any(|m| m.name == name);
    Ok(["format", "shape", "data"].into_iter().all(holds))
}
