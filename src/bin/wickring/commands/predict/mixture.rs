//! `wickring predict` for mixtures: log-density, score, denoised rows.

use super::rows_of_text;
use crate::context::{Context, Outcome};
use clap::ValueEnum;
use serde_json::json;
use std::path::{Path, PathBuf};
use wickring::io::model::{ModelFile, in_file};
use wickring::io::{npy, write_whole};
use wickring::learn::mixture::{Generator, SCHEMA};
use wickring::{Error, Status};

/// Rows evaluated at a time, and antithetic pairs of noise for a log-density.
const ROWS: usize = 4096;
const PAIRS: usize = 64;

/// What a mixture is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Quantity {
    /// The logarithm of the density, one number for each row.
    LogDensity,
    /// Its gradient.
    Score,
    /// The mean of the signal given the row; for models of scores.
    Denoised,
}

/// The mixture in a model file.
pub fn read(file: &ModelFile, path: &Path) -> Result<(Generator, Status), Error> {
    let model = Generator::from_body(&file.body).map_err(|e| in_file(path, e))?;
    Ok((model, file.header.status))
}

/// Evaluates `quantity`, at a noise variance when one is given, and writes it to `--out`.
pub fn run(
    (model, status): &(Generator, Status),
    input: &[PathBuf],
    (quantity, variance): (Quantity, Option<f64>),
    context: &Context,
) -> Result<Outcome, Error> {
    let out = context.out("predict")?;
    let samples = context.samples(input)?;
    let dim = model.dim();
    if samples.columns() != dim {
        let problem = format!("has {} columns, but the model has {dim}", samples.columns());
        return Err(Error::file(input[0].as_path(), "", problem));
    }
    if *status != Status::Converged {
        context.warn(&format!(
            "the model is marked {status}: do not trust it further than its report"
        ));
    }
    let mut rng = context.rng();
    let mut values = Vec::new();
    for chunk in samples.chunks(ROWS) {
        let rows = chunk?.data;
        values.extend(match (quantity, variance, model) {
            (Quantity::LogDensity, None, _) => model.log_density(&rows, PAIRS, &mut rng)?,
            (Quantity::LogDensity, Some(_), _) => {
                return Err(Error::invalid(
                    "predict",
                    "--variance goes with score or denoised",
                ));
            }
            (Quantity::Score, None, _) => model.score(&rows)?,
            (Quantity::Score, Some(v), Generator::Score(m)) => m.score(&rows, v)?,
            (Quantity::Denoised, v, Generator::Score(m)) => {
                m.denoise(&rows, v.unwrap_or(m.noise() * m.noise()))?
            }
            _ => {
                let requirement =
                    "a model learned by diffusion for a noise variance or denoised rows";
                return Err(Error::invalid("predict", requirement));
            }
        });
        if context.should_stop() {
            return Err(Error::Stopped { op: "predict" });
        }
    }
    let width = if quantity == Quantity::LogDensity {
        1
    } else {
        dim
    };
    let shape = if width == 1 && quantity == Quantity::LogDensity {
        vec![samples.rows()]
    } else {
        vec![samples.rows(), width]
    };
    let bytes = match out.extension().and_then(|e| e.to_str()) {
        Some("csv") => rows_of_text(&values, width, ',').into_bytes(),
        Some("tsv") => rows_of_text(&values, width, '\t').into_bytes(),
        _ => npy::encode(&shape, false, &values),
    };
    write_whole(out, &bytes)?;
    let json = json!({ "out": out.to_string_lossy(), "shape": shape, "schema": SCHEMA });
    context.emit(&json, &format!("wrote {}: {shape:?}\n", out.display()));
    Ok(Outcome::Certified)
}
