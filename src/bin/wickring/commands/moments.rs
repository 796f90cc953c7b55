//! `wickring moments ...`: sums of samples that are kept, merged and shown without the samples.

use crate::context::{Context, Outcome};
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::{Path, PathBuf};
use wickring::Error;
use wickring::io::{source, write_whole};
use wickring::stats::Moments as Sums;

/// What to do with moments.
#[derive(Subcommand)]
pub enum Moments {
    Add(Add),
    Merge(Merge),
    Show(Show),
}

/// Sum the rows of samples into a file of moments: counts, means, second and, if wanted, third order.
#[derive(Args)]
pub struct Add {
    /// Samples as rows.
    #[arg(required = true)]
    samples: Vec<PathBuf>,
    /// Also the third order, d^3/6 numbers for d columns.
    #[arg(long)]
    third: bool,
    /// Number of the first row in the whole sample: parts that are merged later must not share a row.
    #[arg(long, default_value_t = 0)]
    first_row: u64,
}

/// Merge files of moments of different rows: the same bytes as those of all rows at once.
#[derive(Args)]
pub struct Merge {
    /// Files that `moments add` or `moments merge` wrote.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// Show count, means and covariances.
#[derive(Args)]
pub struct Show {
    /// A file that `moments add` or `moments merge` wrote.
    file: PathBuf,
}

/// Rows that are read at a time.
const ROWS: usize = 8192;

/// Runs `wickring moments`.
pub fn run(command: &Moments, context: &Context) -> Result<Outcome, Error> {
    match command {
        Moments::Add(args) => add(args, context),
        Moments::Merge(args) => merge(args, context),
        Moments::Show(args) => show(args, context),
    }
}

fn add(args: &Add, context: &Context) -> Result<Outcome, Error> {
    let out = context.out("moments add")?;
    let samples = context.samples(&args.samples)?;
    let mut sums = Sums::new(samples.columns(), args.third)?;
    for chunk in samples.chunks(ROWS) {
        if context.should_stop() {
            return Err(Error::Stopped { op: "moments add" });
        }
        let chunk = chunk?;
        let first = args.first_row.checked_add(chunk.first_row as u64);
        let what = "row number";
        let first = first.ok_or(Error::Overflow {
            op: "moments add",
            what,
        })?;
        sums.add(first, &chunk.data)?;
    }
    finish(&sums, out, context)
}

fn merge(args: &Merge, context: &Context) -> Result<Outcome, Error> {
    let out = context.out("moments merge")?;
    let mut all: Option<Sums> = None;
    for path in &args.files {
        let one = read(path)?;
        match &mut all {
            None => all = Some(one),
            Some(sums) => sums.merge(&one).map_err(|e| {
                let remedy = "give each part its own rows with moments add --first-row";
                Error::file(path.as_path(), "", format!("{}; {remedy}", e.problem()))
            })?,
        }
    }
    let all = all.ok_or_else(|| Error::invalid("moments merge", "at least one file is needed"))?;
    finish(&all, out, context)
}

fn finish(sums: &Sums, out: &Path, context: &Context) -> Result<Outcome, Error> {
    write_whole(out, &sums.to_bytes())?;
    let (count, columns) = (sums.count(), sums.columns());
    let text = format!(
        "wrote {}: {count} rows of {columns} columns\n",
        out.display()
    );
    let json = json!({ "out": out.to_string_lossy(), "count": count, "columns": columns });
    context.emit(&json, &text);
    Ok(Outcome::Certified)
}

fn read(path: &Path) -> Result<Sums, Error> {
    let bytes = source::bytes(path)?;
    Sums::from_bytes(&bytes)
        .map_err(|e| Error::file(path, "", format!("is no file of moments: {}", e.problem())))
}

fn show(args: &Show, context: &Context) -> Result<Outcome, Error> {
    let sums = read(&args.file)?;
    let found = sums
        .summary()
        .map_err(|e| Error::file(args.file.as_path(), "", e.problem()))?;
    let covariance = found.covariance();
    let d = sums.columns();
    let rows: Vec<Vec<f64>> = (0..d)
        .map(|a| (0..d).map(|b| covariance[(a, b)]).collect())
        .collect();
    let mut text = format!("{} rows of {d} columns\n", found.count());
    for (k, mean) in found.mean().iter().enumerate() {
        let deviation = covariance[(k, k)].sqrt();
        text += &format!("column {k}: mean {mean:.6e}, standard deviation {deviation:.6e}\n");
    }
    let json = json!({
        "count": found.count(), "columns": d, "mean": found.mean(), "covariance": rows,
        "third_order": found.third_cumulants().is_some(),
    });
    context.emit(&json, &text);
    Ok(Outcome::Certified)
}
