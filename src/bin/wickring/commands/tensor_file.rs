//! Tensor files: reading with names and masks, what goes into the report, and where factors and rows are written.

use crate::context::{Context, Missing};
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use wickring::Error;
use wickring::io::samples::digest;
use wickring::io::{StoredTensor, arrays, npy, write_whole};
use wickring::tensor::Tensor;

pub use wickring::io::StoredTensor as Loaded;

/// Entries of a mask in coordinates that are expanded at most.
const MAX_MASK: usize = 1 << 28;

/// Reads the tensor in `path` (`-` is standard input, `.gz` is unpacked): the array of `--name`, NaN where `--mask` has
/// a zero.
pub fn load(path: &Path, context: &Context) -> Result<Loaded, Error> {
    let loaded = StoredTensor::read(path, context.name()?)?;
    let t = match (loaded, &context.common.mask) {
        (Loaded::Real(t), None) => t,
        (Loaded::Real(t), Some(mask)) => masked(path, t, mask, context)?,
        (other, None) => return Ok(other),
        (_, Some(_)) => {
            let problem = "takes no --mask: masks are for dense real tensors";
            return Err(Error::file(path, "", problem));
        }
    };
    context.count_missing(t.as_slice().iter().filter(|x| !x.is_finite()).count());
    Ok(Loaded::Real(match context.masks() {
        true => unmeasured(t),
        false => t,
    }))
}

/// The tensor with NaN for infinities, which were not measured either.
pub fn unmeasured(mut t: Tensor) -> Tensor {
    let infinite = t.as_mut_slice().iter_mut().filter(|x| x.is_infinite());
    infinite.for_each(|x| *x = f64::NAN);
    t
}

/// The tensor with NaN where the mask has a zero.
fn masked(path: &Path, t: Tensor, mask: &Path, context: &Context) -> Result<Tensor, Error> {
    let fault = |place: String, problem: String| Err(Error::file(mask, place, problem));
    let known = match StoredTensor::read(mask, None)? {
        Loaded::Real(m) => m,
        Loaded::Sparse(s) => s.to_dense(MAX_MASK)?,
        Loaded::Complex(_) => {
            return fault(String::new(), "is complex, expected ones and zeros".into());
        }
    };
    if known.dims() != t.dims() {
        let (found, wanted) = (known.dims(), t.dims());
        let mut problem = format!("has shape {found:?}, expected that of the tensor, {wanted:?}");
        if found.iter().rev().eq(wanted) {
            problem += "; its modes stand the other way round";
        }
        return fault(String::new(), problem);
    }
    let odd = known.as_slice().iter().position(|&m| m != 0.0 && m != 1.0);
    if let Some(at) = odd {
        let found = known.as_slice()[at];
        let problem = format!("expected 1 (measured) or 0 (missing), found {found}");
        return fault(entry(known.dims(), at), problem);
    }
    let (dims, mut data) = (t.dims().to_vec(), t.into_vec());
    for (at, (x, m)) in data.iter_mut().zip(known.as_slice()).enumerate() {
        if *m == 0.0 {
            *x = f64::NAN;
        } else if !x.is_finite() && context.common.missing == Missing::Refuse {
            let problem = "is not finite, but the mask says that it was measured; add --missing mask to leave it out too";
            return Err(Error::file(path, entry(&dims, at), problem));
        }
    }
    Tensor::from_vec(&dims, data)
}

/// The index of an entry, for messages.
fn entry(dims: &[usize], mut at: usize) -> String {
    let mut index = Vec::new();
    for &n in dims {
        index.push((at % n).to_string());
        at /= n;
    }
    format!("entry ({})", index.join(", "))
}

/// Refuses entries that are not finite, naming file and index.
pub fn require_finite(path: &Path, t: &Tensor) -> Result<(), Error> {
    let bad = t.as_slice().iter().filter(|x| !x.is_finite()).count();
    let Some(first) = t.as_slice().iter().position(|x| !x.is_finite()) else {
        return Ok(());
    };
    let total = t.as_slice().len();
    let problem = format!(
        "is not finite, and {bad} in all of {total} entries; decompose cp and decompose ring can do without, with --missing mask"
    );
    Err(Error::file(path, entry(t.dims(), first), problem))
}

/// The `inputs` entry of a report: of the tensor also how many entries are missing, and the mask after it.
pub fn inputs(path: &Path, dims: &[usize], context: &Context) -> Result<Value, Error> {
    let one = |path: &Path| -> Result<Value, Error> {
        let hex = digest(path)?;
        Ok(json!({ "path": path.display().to_string(), "sha256": hex, "shape": dims }))
    };
    let mut list = vec![one(path)?];
    if let Some(missing) = context.missing() {
        list[0]["missing"] = json!(missing);
    }
    if let Some(mask) = &context.common.mask {
        list.push(one(mask)?);
    }
    Ok(Value::Array(list))
}

/// The first line of a report: file, shape, entries that are missing.
pub fn heading(path: &Path, dims: &[usize], context: &Context) -> String {
    let shape: Vec<String> = dims.iter().map(usize::to_string).collect();
    let mut line = format!("{}: {}", path.display(), shape.join(" x "));
    if let Some(missing) = context.missing().filter(|&n| n > 0) {
        let total: usize = dims.iter().product();
        let _ = write!(line, "; {missing} of {total} entries are missing");
    }
    line + "\n"
}

/// Writes the arrays of a model to `out`, in the format that its ending says; the names of the files and of the report
/// that belongs beside them.
pub fn write_arrays(out: &Path, arrays: &[(String, Tensor)]) -> Result<(String, PathBuf), Error> {
    let files = arrays::write(out, arrays, &[])?;
    let names: Vec<String> = files.iter().map(|p| p.display().to_string()).collect();
    Ok((names.join(", "), Context::report_path(out)))
}

/// Writes rows, whole or not at all, in the format that the ending says: `.npy` with this shape, tables under a header
/// where the columns have names, and `.npz`, `.mat` and `.json` under `name`.
pub fn write_rows(
    out: &Path,
    (name, shape): (&str, &[usize]),
    rows: &[f64],
    names: &[String],
) -> Result<(), Error> {
    let width = shape.get(1).copied().unwrap_or(1);
    let ending = out.extension().and_then(|e| e.to_str()).unwrap_or("");
    match ending.to_ascii_lowercase().as_str() {
        "npy" => write_whole(out, &npy::encode(shape, false, rows)),
        "tsv" | "csv" => {
            let separator = if ending.eq_ignore_ascii_case("tsv") {
                '\t'
            } else {
                ','
            };
            let text = arrays::rows_of_text(rows, (width, names), separator);
            write_whole(out, text.as_bytes())
        }
        _ => {
            let at = |i: &[usize]| rows[i[0] * width + i.get(1).copied().unwrap_or(0)];
            let t = Tensor::from_fn(shape, at)?;
            arrays::write(out, &[(name.to_owned(), t)], names).map(|_| ())
        }
    }
}
