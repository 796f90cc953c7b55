//! Tensors in files, as `check --data` holds them against those in claims.

use crate::commands::tensor_file::{Loaded, unmeasured};
use num_complex::Complex;
use serde_json::Value;
use std::path::PathBuf;
use wickring::Error;
use wickring::io::npz;
use wickring::poly::Rational;
use wickring::tensor::Tensor;

/// Entries of tensors under the masks among the files, all together.
const MOST_MASKED: usize = 1 << 27;

/// A tensor inside of a claim: the claim's number, the shape, the entries with the last index fastest.
pub type Held = (usize, Vec<usize>, Vec<Value>);

/// The tensors that claims hold themselves.
pub fn held_tensors(certificate: &str) -> Vec<Held> {
    let whole: Value = serde_json::from_str(certificate).unwrap_or_default();
    let claims = whole["claims"].as_array().cloned().unwrap_or_default();
    let held = |(k, claim): (usize, Value)| -> Option<Held> {
        let target = &claim["data"]["target"];
        let held = ["dense", "observed"].map(|kind| &target[kind]);
        let held = held.into_iter().find(|t| t.is_object())?;
        let size = |n: &Value| n.as_u64().map(|n| n as usize);
        let shape = held["shape"].as_array()?.iter().map(size);
        Some((
            k + 1,
            shape.collect::<Option<_>>()?,
            held["entries"].as_array()?.clone(),
        ))
    };
    claims.into_iter().enumerate().filter_map(held).collect()
}

/// Tensors in claims against those in the files: what is said, whether one differs, and whether one leaves out entries that
/// its file has.
pub fn compare_held(held: &[Held], files: &[Tensor]) -> (String, bool, bool) {
    let (mut text, mut differ, mut hidden) = (String::new(), false, false);
    for (claim, shape, entries) in held {
        let same = files.iter().filter(|t| t.dims() == &shape[..]);
        let left_out: Vec<Option<usize>> = same.map(|t| left_out(entries, t)).collect();
        match left_out.iter().flatten().min() {
            _ if left_out.is_empty() => {}
            Some(0) => {}
            Some(n) => {
                hidden = true;
                text +=
                    &format!("NOTE    claim {claim} leaves out {n} entries that the file has\n");
            }
            None => {
                differ = true;
                text += &format!(
                    "DIFFERS claim {claim} holds another tensor of {shape:?} than the files\n"
                );
            }
        }
    }
    (text, differ, hidden)
}

/// How many entries of the tensor are missing in the claim, `null`; `None` where another entry differs.
fn left_out(entries: &[Value], t: &Tensor) -> Option<usize> {
    let (dims, values) = (t.dims(), t.as_slice());
    let mut missing = 0;
    for (k, entry) in entries.iter().enumerate() {
        // From the last index fastest to the first index fastest.
        let (mut rest, mut places) = (k, Vec::with_capacity(dims.len()));
        for n in dims.iter().rev() {
            places.push(rest % n);
            rest /= n;
        }
        let at = dims.iter().zip(places.iter().rev()).rev();
        let at = at.fold(0, |at, (n, i)| at * n + i);
        let value = *values.get(at)?;
        let same = match entry {
            Value::Null => {
                missing += usize::from(!value.is_nan());
                true
            }
            Value::String(text) => {
                let exact: Option<Rational> = text.parse().ok();
                exact.is_some() && exact == Rational::from_f64(value)
            }
            number => number.as_f64() == Some(value),
        };
        if !same {
            return None;
        }
    }
    (entries.len() == values.len()).then_some(missing)
}

/// The real tensors in files, the parts of complex ones; what cannot be read as a tensor is named.
pub fn offered(files: &[PathBuf], text: &mut String) -> Vec<Tensor> {
    let mut found = Vec::new();
    for path in files {
        let arrays = match Loaded::read(path, None) {
            Ok(loaded) => vec![Ok(loaded)],
            Err(problem) => match npz::list(path) {
                Ok(members) => members
                    .iter()
                    .map(|m| Loaded::read(path, Some(&m.name)))
                    .collect(),
                Err(_) => vec![Err(problem)],
            },
        };
        for array in arrays {
            match array.and_then(parts) {
                Ok(tensors) => found.extend(tensors),
                Err(e) => *text += &format!("NOTE    no tensor: {}\n", e.problem()),
            }
        }
    }
    let masked = masked(&found);
    found.extend(masked);
    found
}

/// Each tensor under each file of zeros and ones of its shape, as `--mask` leaves it.
fn masked(tensors: &[Tensor]) -> Vec<Tensor> {
    let known = |x: &f64| *x == 0.0 || *x == 1.0;
    let masks = tensors.iter().filter(|m| m.as_slice().iter().all(known));
    let (mut found, mut held) = (Vec::new(), 0);
    for mask in masks {
        for t in tensors.iter().filter(|t| t.dims() == mask.dims()) {
            held += t.as_slice().len();
            if std::ptr::eq(t, mask) || held > MOST_MASKED {
                continue;
            }
            let pairs = t.as_slice().iter().zip(mask.as_slice());
            let seen = pairs.map(|(x, m)| if *m == 0.0 { f64::NAN } else { *x });
            found.extend(Tensor::from_vec(t.dims(), seen.collect()));
        }
    }
    found
}

fn parts(loaded: Loaded) -> Result<Vec<Tensor>, Error> {
    Ok(match loaded {
        Loaded::Real(t) => vec![unmeasured(t)],
        Loaded::Sparse(t) => vec![t.to_dense(1 << 25)?],
        Loaded::Complex(t) => {
            let part = |f: fn(&Complex<f64>) -> f64| {
                Tensor::from_vec(t.dims(), t.as_slice().iter().map(f).collect())
            };
            vec![part(|z| z.re)?, part(|z| z.im)?]
        }
    })
}
