//! `wickring convert IN OUT`: between the formats of tensors, factors and samples, by the endings of the names.

use super::tensor_file::{Loaded, load};
use crate::context::{Context, Outcome};
use clap::Args;
use num_complex::Complex;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use wickring::Error;
use wickring::io::{mat, npy, npz, source, write_together};
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
    /// The array to convert, where the file holds several.
    #[arg(long)]
    name: Option<String>,
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
    let arrays = read(args, context)?;
    let files = encode(&args.output, &arrays)?;
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

fn read(args: &Convert, context: &Context) -> Result<Named, Error> {
    let path = args.input.as_path();
    let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or("x");
    let format = source::format(path)?;
    let names: Vec<String> = match (&args.name, format.as_str()) {
        (Some(name), _) => vec![name.clone()],
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
                .filter(mat::Variable::is_array)
                .map(|v| v.name)
                .collect()
        }
        (None, "csv" | "tsv" | "txt") => {
            return Ok(vec![(stem.to_owned(), table(path, context)?)]);
        }
        _ => {
            let mut arrays = Vec::new();
            push(&mut arrays, stem, load(path, None)?)?;
            return Ok(arrays);
        }
    };
    let mut arrays = Vec::new();
    for name in &names {
        push(&mut arrays, name, load(path, Some(name))?)?;
    }
    match arrays.is_empty() {
        true => Err(Error::file(path, "", "holds no array of numbers")),
        false => Ok(arrays),
    }
}

/// Rows of a table as a matrix.
fn table(path: &Path, context: &Context) -> Result<Tensor, Error> {
    let samples = context.samples(&[path])?;
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
    Tensor::from_vec(&[n, d], data)
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

/// The files that the arrays become.
fn encode(out: &Path, arrays: &[(String, Tensor)]) -> Result<Vec<(PathBuf, Vec<u8>)>, Error> {
    let ending = out.extension().and_then(|e| e.to_str()).unwrap_or("");
    let ending = ending.to_ascii_lowercase();
    let views: Vec<_> = arrays.iter().map(|(n, t)| (n.as_str(), t.view())).collect();
    let whole = |bytes| Ok(vec![(out.to_owned(), bytes)]);
    let single = || match arrays {
        [(_, one)] => Ok(one),
        several => {
            let names: Vec<&str> = several.iter().map(|a| a.0.as_str()).collect();
            let problem = format!(
                "holds one array: choose one with --name ({})",
                names.join(", ")
            );
            Err(Error::file(out, "", problem))
        }
    };
    match ending.as_str() {
        "npz" => whole(npz::encode(out, &views)?),
        "mat" => whole(mat::encode(&views)?),
        "npy" => {
            let one = single()?;
            whole(npy::encode(one.dims(), true, one.as_slice()))
        }
        "tns" => whole(coordinates(single()?).into_bytes()),
        "json" => {
            let object: serde_json::Map<String, Value> = arrays
                .iter()
                .map(|(n, t)| (n.clone(), nested(t.dims(), t.as_slice(), 0, 1)))
                .collect();
            whole(format!("{}\n", Value::Object(object)).into_bytes())
        }
        "csv" | "tsv" => arrays
            .iter()
            .map(|(name, t)| {
                let path = match arrays.len() {
                    1 => out.to_owned(),
                    _ => {
                        let stem = out.file_stem().unwrap_or_default().to_string_lossy();
                        out.with_file_name(format!("{stem}_{name}.{ending}"))
                    }
                };
                let separator = if ending == "tsv" { '\t' } else { ',' };
                Ok((path, rows(out, name, t, separator)?.into_bytes()))
            })
            .collect(),
        _ => {
            let problem = "expected an ending out of .npy, .npz, .mat, .tns, .csv, .tsv and .json";
            Err(Error::file(out, "", problem))
        }
    }
}

/// Lists of lists, the first index outermost.
fn nested(dims: &[usize], data: &[f64], at: usize, stride: usize) -> Value {
    match dims {
        [] => json!(data.get(at)),
        [n, rest @ ..] => {
            let inner = |i| nested(rest, data, at + i * stride, stride * n);
            Value::Array((0..*n).map(inner).collect())
        }
    }
}

/// FROSTT text of the entries that are not zero.
fn coordinates(t: &Tensor) -> String {
    let mut text = String::new();
    for (flat, x) in t.as_slice().iter().enumerate().filter(|(_, x)| **x != 0.0) {
        let mut rest = flat;
        for &n in t.dims() {
            let _ = write!(text, "{} ", rest % n + 1);
            rest /= n;
        }
        let _ = writeln!(text, "{x:?}");
    }
    text
}

fn rows(out: &Path, name: &str, t: &Tensor, separator: char) -> Result<String, Error> {
    let [n, d] = match *t.dims() {
        [n] => [n, 1],
        [n, d] => [n, d],
        ref dims => {
            let problem = format!("a table has rows and columns, but {name} has shape {dims:?}");
            return Err(Error::file(out, "", problem));
        }
    };
    let mut values = Vec::with_capacity(n * d);
    for i in 0..n {
        values.extend((0..d).map(|j| t.as_slice()[i + n * j]));
    }
    Ok(super::predict::rows_of_text(&values, d, separator))
}
