//! `wickring predict` for mixtures: log-density, score, denoised rows, components of rows.

use super::Names;
use crate::commands::tensor_file::write_rows;
use crate::context::{Context, Missing, Outcome};
use clap::ValueEnum;
use serde_json::json;
use std::path::{Path, PathBuf};
use wickring::io::model::{ModelFile, in_file};
use wickring::io::{npy, write_whole};
use wickring::learn::mixture::{MixtureModel, SCHEMA};
use wickring::{Error, Status};

/// Rows evaluated at a time.
const ROWS: usize = 4096;

/// What a mixture is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Quantity {
    /// The logarithm of the density, one number for each row.
    LogDensity,
    /// Its gradient.
    Score,
    /// The mean of the signal given the row; models of em and moments need --variance, that of the noise added.
    Denoised,
    /// Where in the law of its column each entry lies: the probability that the column is at most as large.
    Quantiles,
    /// The most probable component, by its place in the model's list from 0; for models of em and moments.
    Labels,
    /// The probability of each component given the row; for models of em and moments.
    Responsibilities,
}

impl Quantity {
    /// The name of the array that it becomes.
    fn word(self) -> &'static str {
        match self {
            Self::LogDensity => "log_density",
            Self::Score => "score",
            Self::Denoised => "denoised",
            Self::Quantiles => "quantiles",
            Self::Labels => "labels",
            Self::Responsibilities => "responsibilities",
        }
    }

    /// The names of its columns, where those of the rows are known.
    fn columns(self, names: &[String], width: usize) -> Vec<String> {
        match self {
            _ if names.is_empty() => Vec::new(),
            Self::LogDensity | Self::Labels => vec![self.word().to_owned()],
            Self::Responsibilities => (0..width).map(|k| format!("component_{k}")).collect(),
            Self::Score | Self::Denoised | Self::Quantiles => names.to_vec(),
        }
    }
}

/// The mixture in a model file.
pub fn read(file: &ModelFile, path: &Path) -> Result<(MixtureModel, Status), Error> {
    let model = MixtureModel::from_body(&file.body).map_err(|e| in_file(path, e))?;
    Ok((model, file.header.status))
}

/// `quantity` from the measured entries of rows with gaps.
fn measured(
    (quantity, variance): (Quantity, Option<f64>),
    model: &MixtureModel,
    rows: &[f64],
) -> Result<Vec<f64>, Error> {
    let MixtureModel::Gaussian(m) = model else {
        let requirement = "a model with components (learned by em or moments) for --missing mask";
        return Err(Error::invalid("predict", requirement));
    };
    if variance.is_some() {
        return Err(Error::invalid(
            "predict",
            "--variance does not go with --missing mask",
        ));
    }
    match quantity {
        Quantity::LogDensity => m.log_density_measured(rows),
        Quantity::Responsibilities => m.responsibilities_measured(rows),
        Quantity::Quantiles => Ok(m.quantiles_of(rows)),
        Quantity::Labels => {
            let shares = m.responsibilities_measured(rows)?;
            Ok(shares
                .chunks_exact(m.len())
                .map(|s| likeliest(s) as f64)
                .collect())
        }
        Quantity::Score | Quantity::Denoised => {
            let requirement =
                "log-density, labels, responsibilities or quantiles with --missing mask";
            Err(Error::invalid("predict", requirement))
        }
    }
}

/// The first of the largest.
fn likeliest(shares: &[f64]) -> usize {
    let first = |best: usize, j: usize| if shares[j] > shares[best] { j } else { best };
    (1..shares.len()).fold(0, first)
}

/// Evaluates `quantity`, at a noise variance when one is given, and writes it to `--out`.
pub fn run(
    (model, status): &(MixtureModel, Status),
    (input, names): (&[PathBuf], &Names),
    (quantity, variance): (Quantity, Option<f64>),
    context: &Context,
) -> Result<Outcome, Error> {
    let out = context.out("predict")?;
    let dim = model.dim();
    let samples = names.open(input, dim, context)?;
    if samples.columns() != dim {
        return Err(samples.mismatch(dim, &format!("the model has {dim}")));
    }
    if *status != Status::Converged {
        context.warn(&format!(
            "the model is marked {status}: do not trust it further than its report"
        ));
    }
    let masked = context.common.missing == Missing::Mask;
    let mut values = Vec::new();
    // Of the quadrature: sum and largest.
    let mut error = (0.0, 0.0f64);
    for chunk in samples.chunks(ROWS) {
        let rows = chunk?.data;
        if masked {
            values.extend(measured((quantity, variance), model, &rows)?);
            continue;
        }
        values.extend(match (quantity, variance, model) {
            (Quantity::LogDensity, None, MixtureModel::Score(m)) => {
                let both = m.log_density_with_error(&rows)?;
                error = both.iter().fold(error, |e, (_, b)| (e.0 + b, e.1.max(*b)));
                both.into_iter().map(|(l, _)| l).collect()
            }
            (Quantity::LogDensity, None, _) => model.log_density(&rows)?,
            (Quantity::LogDensity, Some(_), _) => {
                return Err(Error::invalid(
                    "predict",
                    "--variance goes with score or denoised",
                ));
            }
            (Quantity::Score, None, _) => model.score(&rows)?,
            (Quantity::Score, Some(v), MixtureModel::Score(m)) => m.score(&rows, v)?,
            (Quantity::Score, Some(v), MixtureModel::Gaussian(m)) => {
                MixtureModel::Gaussian(m.heated(v)?).score(&rows)?
            }
            (Quantity::Denoised, v, _) => model.denoised(&rows, v)?,
            (Quantity::Quantiles, None, _) => model.quantiles_of(&rows, &mut context.rng())?,
            (Quantity::Labels, None, MixtureModel::Gaussian(m)) => {
                m.labels(&rows).into_iter().map(|j| j as f64).collect()
            }
            (Quantity::Responsibilities, None, MixtureModel::Gaussian(m)) => m.responsibilities(&rows),
            (Quantity::Labels | Quantity::Responsibilities, ..) => {
                let requirement = "a model with components (learned by em or moments) and no --variance for labels and responsibilities";
                return Err(Error::invalid("predict", requirement));
            }
            (Quantity::Quantiles, Some(_), _) => {
                let requirement = "--variance goes with score or denoised";
                return Err(Error::invalid("predict", requirement));
            }
        });
        if context.should_stop() {
            return Err(Error::Stopped { op: "predict" });
        }
    }
    let width = match (quantity, model) {
        (Quantity::LogDensity | Quantity::Labels, _) => 1,
        (Quantity::Responsibilities, MixtureModel::Gaussian(m)) => m.len(),
        _ => dim,
    };
    let shape = match quantity {
        Quantity::LogDensity | Quantity::Labels => vec![samples.rows()],
        _ => vec![samples.rows(), width],
    };
    // Labels are whole numbers, in tables and arrays alike.
    let ending = out.extension().and_then(|e| e.to_str()).unwrap_or("");
    let whole = || values.iter().map(|v| *v as i64);
    match (quantity, ending) {
        (Quantity::Labels, "npy") => {
            write_whole(out, &npy::encode_integers(&Vec::from_iter(whole())))?
        }
        (Quantity::Labels, "csv" | "tsv") => {
            let lines: String = whole().map(|l| format!("{l}\n")).collect();
            write_whole(out, lines.as_bytes())?;
        }
        _ => write_rows(
            out,
            (quantity.word(), &shape),
            &values,
            &quantity.columns(samples.names(), width),
        )?,
    }
    let mut json = json!({ "out": out.to_string_lossy(), "shape": shape, "schema": SCHEMA });
    let mut text = format!("wrote {}: {shape:?}\n", out.display());
    if quantity == Quantity::LogDensity && matches!(model, MixtureModel::Score(_)) {
        let mean = error.0 / samples.rows().max(1) as f64;
        json["quadrature_error"] = json!({ "mean": mean, "largest": error.1 });
        text += &format!(
            "  error of the quadrature: {mean:.4} in the mean, at most {:.4}; that of the learned law is not in it\n",
            error.1
        );
    }
    context.emit(&json, &text);
    Ok(Outcome::Certified)
}
