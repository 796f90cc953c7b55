//! `wickring sample`: draw from a learned or hand-written model.

use super::tensor_file::write_rows;
use crate::context::{Context, Outcome};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use wickring::Error;
use wickring::io::model::POLYNOMIAL_MAP;
use wickring::io::model::{ModelFile, QUADRATIC_MAP, in_file};
use wickring::learn::mixture::{Chain, MixtureModel, SCHEMA};
use wickring::learn::{RadialMap, add_noise};

/// Draw samples from a model, as rows of a .npy, .csv, .npz, .mat or .json file.
#[derive(Args)]
pub struct Sample {
    /// A model file.
    model: PathBuf,
    /// Number of samples.
    #[arg(short)]
    n: usize,
}

/// Entries that are drawn at most: 8 GiB.
const MAX_ENTRIES: usize = 1 << 30;

/// Runs `wickring sample`.
pub fn run(args: &Sample, context: &Context) -> Result<Outcome, Error> {
    let out = context.out("sample")?;
    if args.n == 0 {
        return Err(Error::invalid("sample", "-n must be at least 1, got 0"));
    }
    let file = ModelFile::read(&args.model)?;
    let (columns, rows) = draw(&file, args, context)?;
    let made_from = file.header.inputs.first().map(|i| &i.columns[..]);
    let names = made_from.filter(|n| n.len() == columns).unwrap_or(&[]);
    write_rows(out, ("samples", &[args.n, columns]), &rows, names)?;
    let json = json!({ "samples": args.n, "columns": columns, "out": out });
    let text = format!(
        "wrote {} samples of {columns} columns to {}\n",
        args.n,
        out.display()
    );
    context.emit(&json, &text);
    Ok(Outcome::Certified)
}

fn draw(file: &ModelFile, args: &Sample, context: &Context) -> Result<(usize, Vec<f64>), Error> {
    match file.header.schema.as_str() {
        QUADRATIC_MAP => {
            let map = file.quadratic_map().map_err(|e| in_file(&args.model, e))?;
            let columns = map.output_dim();
            within_budget(args.n, columns)?;
            if file.body.contains_key("radial") {
                let model =
                    RadialMap::from_model(file, map).map_err(|e| in_file(&args.model, e))?;
                let rows = model.sample(args.n, &mut context.rng());
                return Ok((columns, rows.map_err(|e| in_file(&args.model, e))?));
            }
            let noise = file.noise().map_err(|e| in_file(&args.model, e))?;
            let rng = &mut context.rng();
            let mut rows = map.sample(args.n, rng);
            add_noise(&mut rows, &noise, rng);
            Ok((columns, rows))
        }
        POLYNOMIAL_MAP => {
            let map = file.polynomial_map();
            let map = map.map_err(|e| in_file(&args.model, e))?;
            let columns = map.output_dim();
            within_budget(args.n, columns)?;
            Ok((columns, map.sample(args.n, &mut context.rng())))
        }
        SCHEMA => {
            let model = MixtureModel::from_body(&file.body).map_err(|e| in_file(&args.model, e))?;
            within_budget(args.n, model.dim())?;
            let rows = model.sample(args.n, Chain::default(), &mut context.rng())?;
            Ok((model.dim(), rows))
        }
        other => {
            let problem = format!("has schema {other}, which cannot be sampled from");
            Err(Error::file(args.model.as_path(), "schema", problem))
        }
    }
}

/// Refuses a number of samples that memory cannot hold.
pub fn within_budget(n: usize, columns: usize) -> Result<(), Error> {
    match n.checked_mul(columns) {
        Some(total) if total <= MAX_ENTRIES => Ok(()),
        _ => Err(Error::limit("sample", "numbers", MAX_ENTRIES as u64)),
    }
}
