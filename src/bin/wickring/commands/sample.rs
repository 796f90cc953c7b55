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
    /// Mixtures of em and moments: the value of a column, counted from 0, as COLUMN=VALUE; the others are drawn given it.
    #[arg(long, value_name = "COLUMN=VALUE", allow_hyphen_values = true)]
    given: Vec<String>,
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
    let json = json!({ "samples": args.n, "columns": columns, "out": out.to_string_lossy() });
    let text = format!(
        "wrote {} samples of {columns} columns to {}\n",
        args.n,
        out.display()
    );
    context.emit(&json, &text);
    Ok(Outcome::Certified)
}

fn draw(file: &ModelFile, args: &Sample, context: &Context) -> Result<(usize, Vec<f64>), Error> {
    if !args.given.is_empty() && file.header.schema != SCHEMA {
        let problem = "is no mixture: --given goes with mixtures";
        return Err(Error::file(args.model.as_path(), "schema", problem));
    }
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
            let noise = file.noise().map_err(|e| in_file(&args.model, e))?;
            let rng = &mut context.rng();
            let mut rows = map.sample(args.n, rng);
            add_noise(&mut rows, &noise, rng);
            Ok((columns, rows))
        }
        SCHEMA => {
            let model = MixtureModel::from_body(&file.body).map_err(|e| in_file(&args.model, e))?;
            within_budget(args.n, model.dim())?;
            if !args.given.is_empty() {
                return Ok((model.dim(), conditional(&model, args, context)?));
            }
            let rows = model.sample(args.n, Chain::default(), &mut context.rng())?;
            Ok((model.dim(), rows))
        }
        other => {
            let problem = format!("has schema {other}, which cannot be sampled from");
            Err(Error::file(args.model.as_path(), "schema", problem))
        }
    }
}

/// Whole rows in which the columns given have their values.
fn conditional(model: &MixtureModel, args: &Sample, context: &Context) -> Result<Vec<f64>, Error> {
    let MixtureModel::Gaussian(m) = model else {
        let requirement = "a model with components (learned by em or moments) for --given";
        return Err(Error::invalid("sample", requirement));
    };
    let one = |text: &String| {
        let parts = text.split_once('=');
        let both = parts.and_then(|(a, v)| Some((a.trim().parse().ok()?, v.trim().parse().ok()?)));
        let wrong = || Error::invalid("sample", format!("--given is COLUMN=VALUE, got {text}"));
        both.ok_or_else(wrong)
    };
    let known: Vec<(usize, f64)> = args.given.iter().map(one).collect::<Result<_, _>>()?;
    let dim = m.dim();
    let free: Vec<usize> = (0..dim)
        .filter(|a| known.iter().all(|(b, _)| a != b))
        .collect();
    let drawn = m.given(&known)?.sample(args.n, &mut context.rng());
    let mut rows = vec![0.0; args.n * dim];
    for (row, rest) in rows
        .chunks_exact_mut(dim)
        .zip(drawn.chunks_exact(free.len()))
    {
        known.iter().for_each(|(a, v)| row[*a] = *v);
        free.iter().zip(rest).for_each(|(a, v)| row[*a] = *v);
    }
    Ok(rows)
}

/// Refuses a number of samples that memory cannot hold.
pub fn within_budget(n: usize, columns: usize) -> Result<(), Error> {
    match n.checked_mul(columns) {
        Some(total) if total <= MAX_ENTRIES => Ok(()),
        _ => Err(Error::limit("sample", "numbers", MAX_ENTRIES as u64)),
    }
}
