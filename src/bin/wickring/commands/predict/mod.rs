//! `wickring predict`: a learned function at the rows of a file.

pub(crate) mod mixture;
use crate::commands::tensor_file::write_rows;
use crate::context::{Context, Missing, Outcome};
use clap::Args;
use mixture::Quantity;
use serde_json::json;
use std::path::PathBuf;
use wickring::io::model::{ModelFile, POLYNOMIAL_MAP, QUADRATIC_MAP, in_file};
use wickring::io::samples::{Input, Samples};
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
        let names = Names::of(&file, 0);
        let asked = (args.quantity, args.variance);
        return mixture::run(&model, (&args.input, &names), asked, context);
    }
    if context.common.missing == Missing::Mask {
        let problem = "is no mixture: --missing mask goes with mixtures";
        return Err(Error::file(args.model.as_path(), "schema", problem));
    }
    let predictor = Predictor::from_model(&file).map_err(|e| in_file(&args.model, e))?;
    let names = Names::of(&file, predictor.outputs());
    let samples = names.open(&args.input, predictor.inputs(), context)?;
    if samples.columns() != predictor.inputs() {
        let whose = format!("the model has {} inputs", predictor.inputs());
        return Err(samples.mismatch(predictor.inputs(), &whose));
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
    write_rows(out, ("predictions", &shape), &values, names.outputs())?;
    let json =
        json!({ "out": out.to_string_lossy(), "shape": shape, "schema": file.header.schema });
    let text = format!("wrote {}: {shape:?}\n", out.display());
    context.emit(&json, &text);
    Ok(Outcome::Certified)
}

/// What the columns are called of which a model was made.
pub struct Names {
    inputs: Vec<String>,
    outputs: Vec<String>,
}

impl Names {
    /// From the files in the header: of a map the columns are its outputs, of a network its inputs and then its target.
    pub fn of(file: &ModelFile, outputs: usize) -> Self {
        let columns = |input: Option<&Input>| input.map_or(Vec::new(), |i| i.columns.clone());
        let files = &file.header.inputs;
        let map = [QUADRATIC_MAP, POLYNOMIAL_MAP].contains(&file.header.schema.as_str());
        let (inputs, named) = match map {
            true => (Vec::new(), columns(files.first())),
            false => (columns(files.first()), columns(files.last())),
        };
        Self {
            inputs,
            outputs: Some(named)
                .filter(|n| n.len() == outputs)
                .unwrap_or_default(),
        }
    }

    /// The names of the outputs; empty where they are not known.
    pub fn outputs(&self) -> &[String] {
        &self.outputs
    }

    /// Rows with `wanted` columns; where both the table and the model have names, the columns with the model's names, in
    /// its order.
    ///
    /// # Errors
    /// As [`Context::rows`].
    pub fn open(
        &self,
        paths: &[PathBuf],
        wanted: usize,
        context: &Context,
    ) -> Result<Samples, Error> {
        let samples = context.rows(paths, &context.common.columns)?;
        let (found, known) = (samples.names(), &self.inputs[..]);
        let named = known.len() == wanted && !found.is_empty() && found != known;
        if !named || !context.common.columns.is_empty() {
            return Ok(samples);
        }
        if known.iter().all(|name| found.contains(name)) {
            context.note(format!(
                "columns were taken by the model's names: {}",
                known.join(", ")
            ));
            return context.rows(paths, known);
        }
        if found.len() == wanted {
            let (found, known) = (found.join(", "), known.join(", "));
            context.note(format!("the columns are called {found}, those of the model {known}: they were taken in this order"));
        }
        Ok(samples)
    }
}
