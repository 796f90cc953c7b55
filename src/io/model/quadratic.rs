//! Model files: JSON with a schema, its provenance and a report; see the contract in docs/FORMATS.md.

use crate::error::quoted;
use crate::io::samples::Input;
use crate::io::source;
use crate::tensor::{QuadraticMap, SymmetricRing};
use crate::{Error, Status};
use serde_json::{Map, Value, json};
use std::path::Path;

/// The largest model file that is read: 1 GiB.
const MAX_BYTES: u64 = 1 << 30;
/// Schema of [`QuadraticMap`].
pub const QUADRATIC_MAP: &str = "wickring/quadratic-map/1";

/// What every model file carries beside the model.
///
/// See [`ModelFile`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// `wickring/<kind>/<version>`.
    pub schema: String,
    /// Seed of the run that made the model.
    pub seed: u64,
    /// How far to trust the model.
    pub status: Status,
    /// The files that it was made from.
    pub inputs: Vec<Input>,
    /// What was measured, with tolerances.
    pub report: Value,
}

/// A model file: the header and the entries of its schema.
///
/// # Example
/// ```
/// use wickring::Status;
/// use wickring::io::model::{Header, ModelFile, QUADRATIC_MAP};
/// use wickring::tensor::{QuadraticMap, SymmetricRing};
/// let map = QuadraticMap::new(SymmetricRing::new(1, vec![1.0])?, vec![0.0], vec![-1.0])?; // x^2 - 1
/// let (schema, status, inputs) = (QUADRATIC_MAP.to_owned(), Status::Converged, Vec::new());
/// let header = Header { schema, seed: 7, status, inputs, report: serde_json::Value::Null };
/// let read = ModelFile::from_json(&ModelFile::of_quadratic_map(&map, header).to_json())?;
/// assert_eq!((read.header.seed, read.quadratic_map()?), (7, map));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ModelFile {
    /// What every model file carries.
    pub header: Header,
    /// The entries that the schema defines.
    pub body: Map<String, Value>,
}

impl ModelFile {
    /// The text of the file: one JSON object, numbers as shortest round-trip decimals, a line per entry of
    /// the top level.
    pub fn to_json(&self) -> String {
        let h = &self.header;
        let input = |i: &Input| {
            let path = i.path.to_string_lossy();
            let mut value = json!({ "path": path, "sha256": i.sha256, "shape": i.shape });
            if !i.columns.is_empty() {
                value["columns"] = json!(i.columns);
            }
            value
        };
        let mut lines = Vec::new();
        let mut push = |key: &str, value: &Value| lines.push(format!("  {}: {value}", json!(key)));
        push("schema", &json!(h.schema));
        push("version", &json!(env!("CARGO_PKG_VERSION")));
        push("seed", &json!(h.seed));
        push("status", &json!(h.status.name()));
        push(
            "inputs",
            &Value::Array(h.inputs.iter().map(input).collect()),
        );
        push("report", &h.report);
        self.body.iter().for_each(|(key, value)| push(key, value));
        format!("{{\n{}\n}}\n", lines.join(",\n"))
    }

    /// Reads the text of a model file.
    ///
    /// # Errors
    /// `InvalidInput` naming the entry that is missing or wrong.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let op = "ModelFile::from_json";
        let value: Value = serde_json::from_str(text)
            .map_err(|e| Error::invalid(op, format!("is not a model file: not JSON: {e}")))?;
        let Value::Object(mut body) = value else {
            return Err(Error::invalid(
                op,
                "is not a model file: expected a JSON object",
            ));
        };
        let schema = match body.remove("schema") {
            Some(Value::String(s)) if s.starts_with("wickring/") => s,
            Some(other) => {
                let found = quoted(&other.to_string());
                return Err(Error::invalid(
                    op,
                    format!("schema: expected wickring/.., found {found}"),
                ));
            }
            None => return Err(Error::invalid(op, "is not a model file: it has no schema")),
        };
        body.remove("version");
        let seed = body.remove("seed").and_then(|v| v.as_u64()).unwrap_or(0);
        // A model written by hand need not say how far to trust it.
        let status = match body.remove("status") {
            None => Status::Converged,
            Some(v) => {
                let found = quoted(&v.to_string());
                let known = v.as_str().and_then(Status::from_name);
                known.ok_or_else(|| Error::invalid(op, format!("status: unknown {found}")))?
            }
        };
        let inputs = read_inputs(body.remove("inputs"));
        let report = body.remove("report").unwrap_or(Value::Null);
        let header = Header {
            schema,
            seed,
            status,
            inputs,
            report,
        };
        Ok(Self { header, body })
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// `File` with the path and the entry that is missing or wrong.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let fault = |place: String, what: &str| Error::file(path, place, what);
        if let Ok(meta) = std::fs::metadata(path) {
            if meta.is_dir() {
                return Err(fault(
                    String::new(),
                    "is a folder, expected a model file (JSON)",
                ));
            }
            if meta.len() > MAX_BYTES {
                let most = format!("has {} bytes, at most {MAX_BYTES} are read", meta.len());
                return Err(fault(String::new(), &most));
            }
        }
        let bytes = source::bytes(path)?;
        if bytes.starts_with(b"\x93NUMPY") || bytes.starts_with(b"PK\x03\x04") {
            let problem = "holds arrays of numbers, expected a model file (JSON)";
            return Err(fault("byte 0".into(), problem));
        }
        let text = std::str::from_utf8(&bytes).map_err(|e| {
            let problem = "is not text, expected a model file (JSON in UTF-8)";
            fault(format!("byte {}", e.valid_up_to()), problem)
        })?;
        Self::from_json(text).map_err(|e| in_file(path, e))
    }

    /// Writes the model file, whole or not at all.
    ///
    /// # Errors
    /// `File` naming the path.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        crate::io::atomic::write_whole(path, self.to_json().as_bytes())
    }

    /// A file with a quadratic map.
    pub fn of_quadratic_map(map: &QuadraticMap, header: Header) -> Self {
        let (d, r) = (map.output_dim(), map.latent_dim());
        let rows = |a: usize| -> Vec<Vec<f64>> {
            let entry = |i| {
                (0..r)
                    .map(move |j| map.quadratic().entry(a, i, j))
                    .collect()
            };
            (0..r).map(entry).collect()
        };
        let quadratic: Vec<_> = (0..d).map(rows).collect();
        let linear: Vec<&[f64]> = (0..d).map(|a| map.linear(a)).collect();
        let mut body = Map::new();
        body.insert("latent_dim".into(), json!(r));
        body.insert("output_dim".into(), json!(d));
        body.insert("quadratic".into(), json!(quadratic));
        body.insert("linear".into(), json!(linear));
        body.insert("constant".into(), json!(map.constant()));
        let schema = QUADRATIC_MAP.into();
        Self {
            header: Header { schema, ..header },
            body,
        }
    }

    /// The quadratic map in the file.
    ///
    /// # Errors
    /// `InvalidInput` naming the entry that is missing, of another shape, not symmetric or not finite.
    pub fn quadratic_map(&self) -> Result<QuadraticMap, Error> {
        let op = "ModelFile::quadratic_map";
        if self.header.schema != QUADRATIC_MAP {
            let found = quoted(&self.header.schema);
            return Err(Error::invalid(
                op,
                format!("schema: expected {QUADRATIC_MAP}, found {found}"),
            ));
        }
        let (r, d) = (self.size(op, "latent_dim")?, self.size(op, "output_dim")?);
        let cores = self.numbers(op, "quadratic", &[d, r, r])?;
        let ring = SymmetricRing::new(r, cores)
            .map_err(|e| Error::invalid(op, format!("quadratic: {e}")))?;
        let linear = match self.body.get("linear") {
            Some(_) => self.numbers(op, "linear", &[d, r])?,
            None => vec![0.0; d * r],
        };
        let constant = match self.body.get("constant") {
            Some(_) => self.numbers(op, "constant", &[d])?,
            None => vec![0.0; d],
        };
        QuadraticMap::new(ring, linear, constant)
    }

    /// The standard deviation of Gaussian noise on each output of a quadratic or polynomial map; zeros when the file has none.
    ///
    /// # Errors
    /// `InvalidInput` when there are not as many as outputs, or one is negative.
    pub fn noise(&self) -> Result<Vec<f64>, Error> {
        let op = "ModelFile::noise";
        let d = self.size(op, "output_dim")?;
        if !self.body.contains_key("noise") {
            return Ok(vec![0.0; d]);
        }
        let noise = self.numbers(op, "noise", &[d])?;
        match noise.iter().find(|s| **s < 0.0) {
            Some(s) => Err(Error::invalid(
                op,
                format!("noise: expected numbers of at least 0, found {s}"),
            )),
            None => Ok(noise),
        }
    }

    /// A positive integer entry of the body, at most 2^20.
    ///
    /// # Errors
    /// `InvalidInput` naming the entry.
    pub fn size(&self, op: &'static str, key: &str) -> Result<usize, Error> {
        let value = self.body.get(key).and_then(Value::as_u64);
        let valid = value.filter(|v| (1..=1 << 20).contains(v));
        let expected = || Error::invalid(op, format!("{key}: expected an integer from 1 to 2^20"));
        valid.map(|v| v as usize).ok_or_else(expected)
    }

    /// A nested array of numbers of the given shape, flattened with the last index fastest.
    ///
    /// # Errors
    /// `InvalidInput` naming the entry and the place.
    pub fn numbers(&self, op: &'static str, key: &str, shape: &[usize]) -> Result<Vec<f64>, Error> {
        let missing = || Error::invalid(op, format!("{key}: is missing"));
        let mut out = Vec::new();
        flatten(
            op,
            key,
            self.body.get(key).ok_or_else(missing)?,
            shape,
            &mut out,
        )?;
        Ok(out)
    }
}

fn flatten(
    op: &'static str,
    place: &str,
    value: &Value,
    shape: &[usize],
    out: &mut Vec<f64>,
) -> Result<(), Error> {
    let Some((&n, inner)) = shape.split_first() else {
        let x = value.as_f64().filter(|x| x.is_finite());
        let wrong = || {
            Error::invalid(
                op,
                format!(
                    "{place}: expected a finite number, found {}",
                    quoted(&value.to_string())
                ),
            )
        };
        out.push(x.ok_or_else(wrong)?);
        return Ok(());
    };
    match value.as_array() {
        Some(items) if items.len() == n => {
            for (i, item) in items.iter().enumerate() {
                flatten(op, &format!("{place}[{i}]"), item, inner, out)?;
            }
            Ok(())
        }
        Some(items) => {
            let text = format!("{place}: expected {n} entries, found {}", items.len());
            Err(Error::invalid(op, text))
        }
        None => Err(Error::invalid(
            op,
            format!("{place}: expected an array of {n} entries"),
        )),
    }
}

fn read_inputs(value: Option<Value>) -> Vec<Input> {
    let items = value
        .and_then(|v| v.as_array().cloned())
        .unwrap_or_default();
    let one = |v: &Value| {
        let n = |i: usize| v["shape"][i].as_u64().unwrap_or(0) as usize;
        let sha256 = v["sha256"].as_str().unwrap_or_default().to_owned();
        let path = v["path"].as_str().unwrap_or_default().into();
        let names = v["columns"].as_array().map_or(&[][..], Vec::as_slice);
        let names = names.iter().filter_map(|n| n.as_str().map(str::to_owned));
        Input {
            path,
            sha256,
            shape: [n(0), n(1)],
            columns: names.collect(),
        }
    };
    items.iter().map(one).collect()
}

/// The same complaint, with the file that it is about.
pub fn in_file(path: &Path, e: Error) -> Error {
    match e {
        Error::InvalidInput { requirement, .. } => Error::file(path, "", requirement),
        Error::File { .. } => e,
        other => Error::file(path, "", other.problem()),
    }
}
