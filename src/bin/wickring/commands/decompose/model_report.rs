//! What trains and Tucker models write: arrays as `.npz`, a report as JSON beside it, lines for people.

use crate::commands::tensor_file::{heading, inputs, write_arrays};
use crate::context::{Context, Outcome};
use crate::evidence;
use serde_json::{Map, Value, json};
use std::fmt::Write;
use std::path::Path;
use wickring::fit::Fit;
use wickring::io::write_whole;
use wickring::tensor::{Scalar, Tensor, TensorView};
use wickring::{Error, Status};

/// A report under construction.
pub struct ModelReport {
    json: Map<String, Value>,
    text: String,
    arrays: Vec<(String, Tensor)>,
}

impl ModelReport {
    /// A report about the tensor in `path`.
    pub fn new(kind: &str, path: &Path, dims: &[usize], context: &Context) -> Result<Self, Error> {
        let mut json = Map::new();
        json.insert("schema".into(), json!(format!("wickring/{kind}/1")));
        json.insert("version".into(), json!(env!("CARGO_PKG_VERSION")));
        json.insert("seed".into(), json!(context.common.seed));
        json.insert("inputs".into(), inputs(path, dims, context)?);
        let text = heading(path, dims, context);
        let arrays = Vec::new();
        Ok(Self { json, text, arrays })
    }

    /// Another first line, where the tensor is more than one file.
    pub fn headed(&mut self, line: &str) {
        self.text = format!("{line}\n");
    }

    /// The digest of the file.
    pub fn sha256(&self) -> &str {
        let input = self.json.get("inputs").and_then(|inputs| inputs.get(0));
        let digest = input.and_then(|input| input["sha256"].as_str());
        digest.unwrap_or_default()
    }

    /// One more entry.
    pub fn add(&mut self, key: &str, value: Value) {
        self.json.insert(key.into(), value);
    }

    /// What was measured.
    pub fn fit<M>(&mut self, fit: &Fit<M>, what: &str, ranks: &[usize], parameters: usize) {
        let c = &fit.evidence;
        let word = if ranks.len() == 1 { "rank" } else { "ranks" };
        let listed: Vec<String> = ranks.iter().map(usize::to_string).collect();
        let _ = writeln!(
            self.text,
            "{what} of {word} {}: {}, relative error {:.3e}, {parameters} numbers",
            listed.join(", "),
            fit.status,
            c.rel_residual,
        );
        self.text += &evidence::table(&c.checks);
        let mut report = Map::new();
        report.insert("parameters".into(), json!(parameters));
        report.insert("sweeps".into(), json!(fit.work.sweeps));
        report.insert("history".into(), json!(fit.history));
        evidence::extend(&mut report, c);
        self.add("status", json!(fit.status.name()));
        self.add("ranks", json!(ranks));
        self.add("rel_error", evidence::number(c.rel_residual));
        self.add("report", Value::Object(report));
    }

    /// Whether the components are the only ones; the dimension of the family where they are not.
    pub fn unique(&mut self, word: &str, family: Option<usize>) {
        let more = family.map_or(String::new(), |n| format!(" (a family of dimension {n})"));
        let _ = writeln!(self.text, "components: {word}{more}");
        self.add("unique", json!(word));
        self.add("flat_directions", json!(family));
    }

    /// The arrays of the model; imaginary parts under the name with `_imag`.
    pub fn arrays<'a, T: Scalar>(
        &mut self,
        arrays: impl Iterator<Item = (String, TensorView<'a, T>)>,
    ) -> Result<(), Error> {
        for (name, t) in arrays {
            let part = |f: fn(num_complex::Complex<f64>) -> f64| {
                let data = t.as_slice().iter().map(|x| f(x.to_complex())).collect();
                Tensor::from_vec(t.dims(), data)
            };
            if T::COMPLEX {
                self.arrays.push((format!("{name}_imag"), part(|z| z.im)?));
            }
            self.arrays.push((name, part(|z| z.re)?));
        }
        Ok(())
    }

    /// Writes the arrays and the report where `--out` says, calls `prove` for a certificate, prints.
    pub fn finish(
        mut self,
        key: &str,
        status: Status,
        context: &Context,
        prove: impl FnOnce(&Context) -> Result<(), Error>,
    ) -> Result<Outcome, Error> {
        if let Some(path) = &context.common.out {
            let (written, beside) = write_arrays(path, &self.arrays)?;
            self.json
                .insert(key.into(), json!(path.display().to_string()));
            let _ = writeln!(self.text, "wrote {written} and {}", beside.display());
            prove(context)?;
            let value = context.with_notes(Value::Object(self.json.clone()));
            let lines = serde_json::to_string_pretty(&value).unwrap_or_default() + "\n";
            write_whole(&beside, lines.as_bytes())?;
        }
        context.emit(&Value::Object(self.json), &self.text);
        Ok(match status {
            Status::Converged => Outcome::Certified,
            _ => Outcome::NotCertified,
        })
    }
}
