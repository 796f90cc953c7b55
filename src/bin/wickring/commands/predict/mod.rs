//! `wickring predict`: a learned function at the rows of a file.

pub(crate) mod mixture;
use crate::context::{Context, Missing, Outcome};
use clap::Args;
use mixture::Quantity;
use serde_json::json;
use std::path::PathBuf;
use wickring::io::model::{ModelFile, in_file};
use wickring::io::{npy, write_whole};
use wickring::learn::Predictor;
use wickring::{Error, Status};

/// Evaluate a learned function (relu network, two-layer network; quadratic and polynomial maps on given latents;
/// log-density, score or denoiser of a mixture, and the components that rows belong to).
///
/// The output has a row per input row: n numbers for one output, n x outputs otherwise.
#[derive(Args)]
pub struct Predict {
    /// A model file.
    model: PathBuf,
    /// Inputs, samples as rows (.npy, .csv, .tsv, or a folder of them); read in chunks, never whole.
    #[arg(long, required = true, num_args = 1..)]
    input: Vec<PathBuf>,
    /// Mixtures: what to evaluate.
    #[arg(long, value_enum, default_value_t = Quantity::LogDensity)]
    quantity: Quantity,
    /// Mixtures: evaluate score or denoised rows at this total noise variance instead of the data's own.
    #[arg(long)]
    variance: Option<f64>,
}

/// Rows evaluated at a time.
const ROWS: usize = 8192;

/// Runs `wickring predict`.
pub fn run(args: &Predict, context: &Context) -> Result<Outcome, Error> {
    let out = context.out("predict")?;
    let file = ModelFile::read(&args.model)?;
    if file.header.schema == wickring::learn::mixture::SCHEMA {
        let model = mixture::read(&file, &args.model)?;
        return mixture::run(&model, &args.input, (args.quantity, args.variance), context);
    }
    if context.common.missing == Missing::Mask {
        let problem = "is no mixture: --missing mask goes with mixtures";
        return Err(Error::file(args.model.as_path(), "schema", problem));
    }
    let predictor = Predictor::from_model(&file).map_err(|e| in_file(&args.model, e))?;
    let samples = context.samples(&args.input)?;
    if samples.columns() != predictor.inputs() {
        let (found, wanted) = (samples.columns(), predictor.inputs());
        let problem = format!("has {found} columns, but the model has {wanted} inputs");
        return Err(Error::file(args.input[0].as_path(), "", problem));
    }
    if file.header.status != Status::Converged {
        let status = file.header.status;
        context.warn(&format!(
            "the model is marked {status}: do not trust it further than its report"
        ));
    }
    let mut values = Vec::with_capacity(samples.rows() * predictor.outputs());
    for chunk in samples.chunks(ROWS) {
        let chunk = chunk?;
        values.extend(predictor.evaluate(chunk.as_matrix())?);
        if context.should_stop() {
            return Err(Error::Stopped { op: "predict" });
        }
    }
    let shape = match predictor.outputs() {
        1 => vec![samples.rows()],
        m => vec![samples.rows(), m],
    };
    let text_file = out.extension().is_some_and(|e| e == "csv" || e == "tsv");
    let bytes = if text_file {
        let tab = out.extension().is_some_and(|e| e == "tsv");
        rows_of_text(&values, predictor.outputs(), if tab { '\t' } else { ',' }).into_bytes()
    } else {
        npy::encode(&shape, false, &values)
    };
    write_whole(out, &bytes)?;
    let json =
        json!({ "out": out.to_string_lossy(), "shape": shape, "schema": file.header.schema });
    let text = format!("wrote {}: {shape:?}\n", out.display());
    context.emit(&json, &text);
    Ok(Outcome::Certified)
}

/// Rows of numbers as text, shortest digits that read back.
pub fn rows_of_text(values: &[f64], columns: usize, separator: char) -> String {
    let mut text = String::new();
    for row in values.chunks(columns.max(1)) {
        let cells: Vec<String> = row.iter().map(|v| format!("{v:?}")).collect();
        text.push_str(&cells.join(&separator.to_string()));
        text.push('\n');
    }
    text
}
