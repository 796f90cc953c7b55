//! Named arrays in any of the formats that are written, by the ending of the name.

use super::{mat, npy, npz, source, write_together};
use crate::Error;
use crate::tensor::Tensor;
use serde_json::{Map, Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Endings under which several named arrays are written.
pub const SEVERAL: [&str; 5] = ["npz", "json", "mat", "csv", "tsv"];

/// The files that named arrays become, with their bytes.
///
/// `.npz` and `.mat` hold all arrays under their names, `.npy` and `.tns` one array. `.json` is an object with lists of
/// lists, the first index outermost; `factor_0`, `factor_1`, .. are one list `factors`, and cores `cores`, unless there
/// are imaginary parts. In `.csv` and `.tsv` each array is a table, of several ones in a file for each, `OUT_NAME.csv`;
/// arrays of order three and more have a row for each index of the first mode, the last index fastest, under a comment
/// `# shape: 4 3 2`. `columns` are the names in the header of a table that has so many columns.
///
/// # Errors
/// `File` naming `out` when the ending is none of these, the format holds one array only, or a text would have rows without
/// entries.
pub fn encode(
    out: &Path,
    arrays: &[(String, Tensor)],
    columns: &[String],
) -> Result<Vec<(PathBuf, Vec<u8>)>, Error> {
    let ending = out.extension().and_then(|e| e.to_str()).unwrap_or("");
    let ending = ending.to_ascii_lowercase();
    let views: Vec<_> = arrays.iter().map(|(n, t)| (n.as_str(), t.view())).collect();
    let whole = |bytes| Ok(vec![(out.to_owned(), bytes)]);
    let single = || match arrays {
        [(_, one)] => Ok(one),
        several => {
            let names: Vec<&str> = several.iter().map(|a| a.0.as_str()).collect();
            let listed = names.join(", ");
            let problem = format!("holds one array: choose one with --name ({listed})");
            Err(Error::file(out, "", problem))
        }
    };
    // A line for each row of nothing would be endless.
    let empty = arrays.iter().find(|a| a.1.as_slice().is_empty());
    if let (Some((name, t)), "csv" | "tsv" | "json") = (empty, ending.as_str()) {
        let problem = format!(
            "{name} has the shape {:?}, without entries: .npy and .npz keep such an array",
            t.dims()
        );
        return Err(Error::file(out, "", problem));
    }
    match ending.as_str() {
        "npz" => whole(npz::encode(out, &views)?),
        "mat" => whole(mat::encode(&views)?),
        "npy" => {
            let one = single()?;
            whole(npy::encode(one.dims(), true, one.as_slice()))
        }
        "tns" => whole(coordinates(single()?).into_bytes()),
        "json" => whole(format!("{}\n", object(arrays)).into_bytes()),
        "csv" | "tsv" => {
            let separator = if ending == "tsv" { '\t' } else { ',' };
            let file = |(name, t): &(String, Tensor)| {
                let path = match arrays.len() {
                    1 => out.to_owned(),
                    _ => {
                        let stem = out.file_stem().unwrap_or_default().to_string_lossy();
                        out.with_file_name(format!("{stem}_{name}.{ending}"))
                    }
                };
                (path, table(t, columns, separator).into_bytes())
            };
            Ok(arrays.iter().map(file).collect())
        }
        _ => {
            let problem = "expected an ending out of .npy, .npz, .mat, .tns, .csv, .tsv and .json";
            Err(Error::file(out, "", problem))
        }
    }
}

/// Writes named arrays as [`encode`] says, all files or none, and returns their names.
///
/// # Errors
/// As [`encode`]; `File` naming what could not be written.
pub fn write(
    out: &Path,
    arrays: &[(String, Tensor)],
    columns: &[String],
) -> Result<Vec<PathBuf>, Error> {
    let files = encode(out, arrays, columns)?;
    let parts: Vec<(&Path, &[u8])> = files.iter().map(|(p, b)| (p.as_path(), &b[..])).collect();
    write_together(&parts)?;
    Ok(files.into_iter().map(|(p, _)| p).collect())
}

/// Reads back what [`write()`] wrote as `.npz`, `.mat` or `.json`; complex arrays become two, `NAME` and `NAME_imag`.
///
/// # Errors
/// `File` naming path and place.
pub fn read(path: &Path) -> Result<Vec<(String, Tensor)>, Error> {
    match source::format(path)?.as_str() {
        "npz" => {
            let mut out = Vec::new();
            for member in npz::list(path)?.into_iter().filter(|m| m.shape.is_ok()) {
                match npz::read_array(path, &member.name)? {
                    npz::Array::Real(t) => out.push((member.name, t)),
                    npz::Array::Complex(t) => {
                        let (re, im) = t.as_slice().iter().map(|z| (z.re, z.im)).unzip();
                        let imag = format!("{}_imag", member.name);
                        out.push((member.name, Tensor::from_vec(t.dims(), re)?));
                        out.push((imag, Tensor::from_vec(t.dims(), im)?));
                    }
                }
            }
            Ok(out)
        }
        "mat" => {
            let mut out = Vec::new();
            for array in mat::read(path)? {
                if let Some(im) = array.imaginary {
                    out.push((format!("{}_imag", array.name), im));
                }
                out.push((array.name, array.real));
            }
            Ok(out)
        }
        "json" => read_object(path),
        _ => {
            let problem = "expected named arrays: .npz, .mat or .json";
            Err(Error::file(path, "", problem))
        }
    }
}

/// The name of an array in a list: its stem and its place.
fn numbered(name: &str) -> Option<(&str, usize)> {
    let (stem, place) = name.rsplit_once('_')?;
    Some((stem, place.parse().ok()?)).filter(|(stem, _)| ["factor", "core"].contains(stem))
}

fn object(arrays: &[(String, Tensor)]) -> Value {
    let imaginary = arrays.iter().any(|(n, _)| n.ends_with("_imag"));
    let mut object = Map::new();
    for (name, t) in arrays {
        let value = nested(t.dims(), t.as_slice(), 0, 1);
        match numbered(name).filter(|_| !imaginary) {
            Some((stem, _)) => {
                let list = object.entry(format!("{stem}s")).or_insert(json!([]));
                if let Value::Array(list) = list {
                    list.push(value);
                }
            }
            None => {
                object.insert(name.clone(), value);
            }
        }
    }
    Value::Object(object)
}

fn read_object(path: &Path) -> Result<Vec<(String, Tensor)>, Error> {
    let bytes = source::bytes(path)?;
    let value: Result<Map<String, Value>, _> = serde_json::from_slice(&bytes);
    let value = value.map_err(|e| Error::file(path, "", format!("is no JSON object: {e}")))?;
    let mut out = Vec::new();
    for (key, value) in value {
        let stem = ["factor", "core"]
            .into_iter()
            .find(|s| key == format!("{s}s"));
        match (stem, value) {
            (Some(stem), Value::Array(items)) => {
                for (k, item) in items.iter().enumerate() {
                    out.push((format!("{stem}_{k}"), array(path, &key, item)?));
                }
            }
            (_, value @ Value::Array(_)) => {
                let t = array(path, &key, &value)?;
                out.push((key, t));
            }
            _ => {}
        }
    }
    Ok(out)
}

/// Lists of lists of numbers of one depth and even lengths.
fn array(path: &Path, key: &str, value: &Value) -> Result<Tensor, Error> {
    let mut dims = Vec::new();
    let mut at = value;
    while let Value::Array(items) = at {
        dims.push(items.len());
        match items.first() {
            Some(first) if dims.len() < 32 => at = first,
            _ => break,
        }
    }
    let mut flat = Vec::new();
    if !flatten(value, &dims, &mut flat) {
        let problem = "expected lists of numbers, all of one length";
        return Err(Error::file(path, key, problem));
    }
    let strides: Vec<usize> = (0..dims.len())
        .map(|m| dims[m + 1..].iter().product())
        .collect();
    Tensor::from_fn(&dims, |index| {
        let at: usize = index.iter().zip(&strides).map(|(i, s)| i * s).sum();
        flat[at]
    })
}

fn flatten(value: &Value, dims: &[usize], out: &mut Vec<f64>) -> bool {
    match (value, dims) {
        (Value::Array(items), [n, rest @ ..]) => {
            items.len() == *n && items.iter().all(|item| flatten(item, rest, out))
        }
        (number, []) => number.as_f64().map(|x| out.push(x)).is_some(),
        _ => false,
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

/// A table with a row for each index of the first mode.
fn table(t: &Tensor, columns: &[String], separator: char) -> String {
    let n = t.dims().first().copied().unwrap_or(1);
    let inner = t.dims().get(1..).unwrap_or(&[]);
    let d: usize = inner.iter().product();
    let mut values = Vec::with_capacity(n * d);
    let mut index = vec![0; inner.len()];
    for i in 0..n {
        for _ in 0..d {
            let place = index
                .iter()
                .zip(inner)
                .rev()
                .fold(0, |at, (i, n)| at * n + i);
            values.push(t.as_slice()[i + n * place]);
            // The last index is fastest.
            for (i, n) in index.iter_mut().zip(inner).rev() {
                *i += 1;
                if *i < *n {
                    break;
                }
                *i = 0;
            }
        }
    }
    let mut text = String::new();
    if inner.len() > 1 {
        let sizes: Vec<String> = t.dims().iter().map(usize::to_string).collect();
        let _ = writeln!(text, "# shape: {}", sizes.join(" "));
    }
    text + &rows_of_text(&values, (d, columns), separator)
}

/// Rows of numbers as text, shortest digits that read back, under a header where there is a name for each column.
pub fn rows_of_text(
    values: &[f64],
    (width, columns): (usize, &[String]),
    separator: char,
) -> String {
    let joint = separator.to_string();
    let mut text = String::new();
    if columns.len() == width && width > 0 {
        let names: Vec<String> = columns.iter().map(|n| cell(n, separator)).collect();
        text += &(names.join(&joint) + "\n");
    }
    for row in values.chunks(width.max(1)) {
        let cells: Vec<String> = row.iter().map(|v| format!("{v:?}")).collect();
        text.push_str(&cells.join(&joint));
        text.push('\n');
    }
    text
}

/// A name as an entry of a table.
fn cell(name: &str, separator: char) -> String {
    let plain = !name.contains([separator, '"', '\n', '\r', '#', '%']);
    match plain {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}
