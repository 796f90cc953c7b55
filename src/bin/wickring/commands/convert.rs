//! `wickring convert IN OUT`: between the formats of tensors, factors and samples, by the endings of the names.

use super::decompose::parafac2::by_number;
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
/// OUT_NAME.csv. Several files of one shape, or a folder of them, become one tensor whose first mode counts the files;
/// entries that are missing stay missing (NaN).
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wickring convert x.mat x.npz\n  \
    wickring convert table.csv y.npy --columns height,width\n  \
    wickring convert samples cube.npy          (a folder with a table for each sample)")]
pub struct Convert {
    /// The file to read (- is standard input, .gz is unpacked), or several, or a folder; and the file to write.
    #[arg(required = true, num_args = 2.., value_names = ["IN", "OUT"])]
    paths: Vec<PathBuf>,
}

/// Entries of a sparse tensor that are expanded at most: 2 GiB of them.
const MAX_ENTRIES: usize = 1 << 28;

/// Runs `wickring convert`.
pub fn run(args: &Convert, context: &Context) -> Result<Outcome, Error> {
    let Some((output, inputs)) = args.paths.split_last() else {
        return Err(Error::invalid("convert", "needs IN and OUT"));
    };
    let same = |a: &Path, b: &Path| matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b);
    let replaced = inputs.iter().any(|input| same(input, output));
    if replaced && !context.common.force {
        let problem = "is the input and would be overwritten; choose another name, or add --force";
        return Err(Error::file(output.as_path(), "", problem));
    }
    let (arrays, names) = match inputs {
        [one] if !one.is_dir() => read(one, context)?,
        several => (vec![stacked(several, context)?], Vec::new()),
    };
    let files = arrays::encode(output, &arrays, &names)?;
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

/// Endings of the files of a folder that are stacked.
const STACKED: [&str; 6] = ["npy", "npz", "mat", "csv", "tsv", "txt"];

/// The files of folders in the order of their names, numbers in them by value.
fn listed(inputs: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for input in inputs {
        if !input.is_dir() {
            files.push(input.clone());
            continue;
        }
        let unreadable =
            |e: std::io::Error| Error::file(input.as_path(), "", format!("cannot be read: {e}"));
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(input).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.is_file() && STACKED.contains(&source::format(&path)?.as_str()) {
                inside.push(path);
            }
        }
        if inside.is_empty() {
            let problem = "is a folder without .npy, .npz, .mat, .csv or .tsv files";
            return Err(Error::file(input.as_path(), "", problem));
        }
        inside.sort_by_key(|p| by_number(&p.to_string_lossy()));
        files.extend(inside);
    }
    Ok(files)
}

/// The tensor whose first mode counts the files.
fn stacked(inputs: &[PathBuf], context: &Context) -> Result<(String, Tensor), Error> {
    let files = listed(inputs)?;
    let name = context.name()?;
    let mut slices: Vec<Tensor> = Vec::new();
    for path in &files {
        let table = matches!(source::format(path)?.as_str(), "csv" | "tsv" | "txt");
        if table && !context.common.columns.is_empty() {
            let problem = "--columns chooses from one table, and several files are stacked whole";
            return Err(Error::file(path.as_path(), "--columns", problem));
        }
        let slice = match StoredTensor::read(path, name)? {
            Loaded::Real(t) => t,
            Loaded::Sparse(s) => s.to_dense(MAX_ENTRIES)?,
            Loaded::Complex(_) => {
                let problem = "is complex; only real files are stacked";
                return Err(Error::file(path.as_path(), "", problem));
            }
        };
        if let Some(first) = slices.first().filter(|f| f.dims() != slice.dims()) {
            let (found, wanted) = (slice.dims(), first.dims());
            let head = files[0].display();
            let problem = format!(
                "has shape {found:?}, but {head} has {wanted:?}; matrices of one width and different heights: decompose parafac2"
            );
            return Err(Error::file(path.as_path(), "", problem));
        }
        let total = slice.as_slice().len().saturating_mul(files.len());
        if total > MAX_ENTRIES {
            return Err(Error::limit("convert", "entries", MAX_ENTRIES as u64));
        }
        slices.push(slice);
    }
    let missing = slices.iter().flat_map(|t| t.as_slice());
    let missing = missing.filter(|x| x.is_nan()).count();
    if missing > 0 {
        context.note(format!("{missing} entries are missing (NaN)"));
    }
    let dims: Vec<usize> = std::iter::once(slices.len())
        .chain(slices.first().map_or(Vec::new(), |t| t.dims().to_vec()))
        .collect();
    let entries = slices.first().map_or(0, |t| t.as_slice().len());
    let data = (0..entries).flat_map(|at| slices.iter().map(move |t| t.as_slice()[at]));
    Ok(("stack".to_owned(), Tensor::from_vec(&dims, data.collect())?))
}

/// The arrays, and the names of the columns of a table.
fn read(path: &Path, context: &Context) -> Result<(Named, Vec<String>), Error> {
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
