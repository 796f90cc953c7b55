//! `wickring decompose parafac2`: PARAFAC2 of matrices of one width.

use super::model_pictures;
use super::model_report::ModelReport;
use crate::commands::tensor_file::{Loaded, inputs, load, require_finite};
use crate::context::{Context, Outcome};
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use wickring::Error;
use wickring::decomp::{CpMasked, Parafac2, Uniqueness, parafac2_uniqueness};
use wickring::fit::Fit;
use wickring::io::{arrays, source};
use wickring::tensor::{Factor, Parafac2Model, Tensor, TensorView};

/// Arguments of `decompose parafac2`.
#[derive(Args)]
pub struct Parafac2Args {
    /// The slices: one tensor of three modes, one .npz, .mat or .json with a matrix for each slice (in the order of their
    /// names, numbers by value), or a file with a matrix for each slice.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The number of components, at most the rows of the shortest slice.
    #[arg(long)]
    rank: usize,
    /// The mode of a tensor whose indices are slices, from 0 (the default); the other two are their rows and columns.
    #[arg(long)]
    slices: Option<usize>,
    /// Nonnegative loadings of slices.
    #[arg(long)]
    nonneg: bool,
    /// Number of starts.
    #[arg(long)]
    starts: Option<usize>,
    /// Rounds of each start.
    #[arg(long)]
    iterations: Option<usize>,
    /// Relative residual to reach; a larger one is not converged (exit 3).
    #[arg(long)]
    tol: Option<f64>,
}

/// Runs `wickring decompose parafac2`.
pub fn run(args: &Parafac2Args, context: &Context) -> Result<Outcome, Error> {
    let slices = read(args, context)?;
    let missing = |t: &Tensor| t.as_slice().iter().filter(|x| !x.is_finite()).count();
    context.count_missing(slices.iter().map(missing).sum());
    if !context.masks() {
        for (k, t) in slices.iter().enumerate() {
            require_finite(args.files.get(k).unwrap_or(&args.files[0]), t)?;
        }
    }
    let rows: Vec<usize> = slices.iter().map(|t| t.dims()[0]).collect();
    let width = slices[0].dims()[1];
    // Slices of different heights are shown as one matrix, on top of each other.
    let dims = match rows.iter().all(|&n| n == rows[0]) {
        true => vec![slices.len(), rows[0], width],
        false => vec![rows.iter().sum(), width],
    };
    let mut report = ModelReport::new("parafac2", &args.files[0], &dims, context)?;
    if args.files.len() > 1 {
        report.add("inputs", listed(&args.files, &slices, context)?);
        report.headed(&summed_up(&args.files, &rows, width, context));
    }
    report.add("rows", json!(rows));
    let fit = fitted(args, &slices, context)?;
    let unique = parafac2_uniqueness(&fit.model);
    let parameters = fit.evidence.check("parafac2.parameters");
    let parameters = parameters.map_or(0.0, |c| c.measured) as usize;
    report.fit(&fit, "PARAFAC2 model", &[args.rank], parameters);
    report.add("rank", json!(args.rank));
    report.unique(unique.word(), family(unique));
    write(&mut report, &fit.model)?;
    context.draw(|| Ok(model_pictures::parafac2(&fit.model)))?;
    report.finish("model", fit.status, context, |context| {
        super::numeric_proof::absent("PARAFAC2 models have none", context)
    })
}

/// How many directions change the components and nothing else, where some do.
fn family(unique: Uniqueness) -> Option<usize> {
    match unique {
        Uniqueness::Family(n) => Some(n),
        _ => None,
    }
}

fn fitted(
    args: &Parafac2Args,
    slices: &[Tensor],
    context: &Context,
) -> Result<Fit<Parafac2Model>, Error> {
    let mut engine = Parafac2::new(args.rank).nonnegative_loadings(args.nonneg);
    engine = args.starts.map_or(engine.clone(), |n| engine.starts(n));
    engine = args
        .iterations
        .map_or(engine.clone(), |n| engine.max_iterations(n));
    engine = args.tol.map_or(engine.clone(), |x| engine.tol(x));
    let views: Vec<TensorView<'_>> = slices.iter().map(Tensor::view).collect();
    let mut rng = context.rng();
    let mut meter = context.meter();
    let mut watch = |p: &wickring::run::Progress| meter.step(p);
    if !context.masks() {
        return engine.decompose_observed(&views, &mut rng, &mut watch);
    }
    let seen: Vec<Tensor> = views.iter().map(|t| CpMasked::mask_of(*t)).collect();
    let weights: Vec<TensorView<'_>> = seen.iter().map(Tensor::view).collect();
    engine.decompose_masked(&views, &weights, &mut rng, &mut watch)
}

/// The arrays `shared`, `loadings`, `core` and `basis_0`, `basis_1`, ..
fn write(report: &mut ModelReport, model: &Parafac2Model) -> Result<(), Error> {
    let named = [
        ("shared".to_owned(), model.shared()),
        ("loadings".to_owned(), model.loadings()),
        ("core".to_owned(), model.core()),
    ];
    let bases = model.bases().iter().enumerate();
    let bases = bases.map(|(k, p)| (format!("basis_{k}"), p));
    let all: Vec<(String, &Factor)> = named.into_iter().chain(bases).collect();
    let shapes: Vec<[usize; 2]> = all.iter().map(|(_, f)| [f.rows(), f.cols()]).collect();
    let views = all.into_iter().zip(&shapes);
    let views = views.map(|((name, f), dims)| Ok((name, TensorView::new(dims, f.as_slice())?)));
    let views: Vec<_> = views.collect::<Result<_, Error>>()?;
    report.arrays(views.into_iter())
}

/// The first line of a report about several files.
fn summed_up(files: &[PathBuf], rows: &[usize], width: usize, context: &Context) -> String {
    let name = |path: Option<&PathBuf>| path.map_or(String::new(), |p| p.display().to_string());
    let (first, last) = (name(files.first()), name(files.last()));
    let least = rows.iter().min().copied().unwrap_or(0);
    let most = rows.iter().max().copied().unwrap_or(0);
    let heights = match least == most {
        true => format!("{least} rows each"),
        false => format!("{least} to {most} rows"),
    };
    let gaps = context.missing().filter(|&n| n > 0);
    let gaps = gaps.map_or(String::new(), |n| {
        let total = rows.iter().sum::<usize>() * width;
        format!("; {n} of {total} entries are missing")
    });
    let n = files.len();
    format!("{first} .. {last}: {n} slices of {heights} and {width} columns{gaps}")
}

/// The `inputs` of a report about several files.
fn listed(files: &[PathBuf], slices: &[Tensor], context: &Context) -> Result<Value, Error> {
    let mut all = Vec::new();
    for (path, t) in files.iter().zip(slices) {
        if let Value::Array(mut one) = inputs(path, t.dims(), context)? {
            all.push(one.swap_remove(0));
        }
    }
    Ok(Value::Array(all))
}

/// The slices, one matrix each, all of one width.
fn read(args: &Parafac2Args, context: &Context) -> Result<Vec<Tensor>, Error> {
    let matrices_alone = || match args.slices {
        None => Ok(()),
        Some(_) => Err(Error::invalid(
            "--slices",
            "chooses a mode of one tensor, and these files hold the slices themselves: leave it out",
        )),
    };
    let slices = match args.files.as_slice() {
        [one] => match several(one, context)? {
            Some(slices) => {
                matrices_alone()?;
                slices
            }
            None => cut(one, args.slices.unwrap_or(0), context)?,
        },
        many => {
            matrices_alone()?;
            let matrices = many.iter().map(|path| matrix(path, context));
            matrices.collect::<Result<Vec<_>, _>>()?
        }
    };
    let width = slices.first().map_or(0, |t| t.dims()[1]);
    match slices.iter().position(|t| t.dims()[1] != width) {
        Some(k) => {
            let path = args.files.get(k).unwrap_or(&args.files[0]);
            let found = slices[k].dims()[1];
            let problem = format!("slice {k} has {found} columns, slice 0 has {width}");
            Err(Error::file(path.as_path(), "", problem))
        }
        None => Ok(slices),
    }
}

/// The matrices of a file that holds several, unless one array was chosen by name.
fn several(path: &Path, context: &Context) -> Result<Option<Vec<Tensor>>, Error> {
    let holds = matches!(source::format(path)?.as_str(), "npz" | "mat" | "json");
    if !holds || context.name()?.is_some() {
        return Ok(None);
    }
    let mut found = arrays::read(path)?;
    found.retain(|(_, t)| t.dims().len() == 2);
    if found.len() < 2 {
        return Ok(None);
    }
    found.sort_by_key(|(name, _)| by_number(name));
    Ok(Some(found.into_iter().map(|(_, t)| t).collect()))
}

/// A name as words and numbers, so that `run10` stands after `run9`.
pub fn by_number(name: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let start = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let tail = &rest[start..];
        let end = tail
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(tail.len());
        parts.push((rest[..start].to_owned(), tail[..end].parse().unwrap_or(0)));
        rest = &tail[end..];
    }
    parts
}

/// The slices of one tensor of order three.
fn cut(path: &Path, mode: usize, context: &Context) -> Result<Vec<Tensor>, Error> {
    let t = dense(path, context)?;
    if t.dims().len() != 3 || mode > 2 {
        let problem = format!(
            "has shape {:?}, expected three modes of which --slices is one (0, 1 or 2), several matrices, or a file for each slice",
            t.dims()
        );
        return Err(Error::file(path, "", problem));
    }
    (0..t.dims()[mode])
        .map(|k| t.view().slice(mode, k))
        .collect()
}

fn matrix(path: &Path, context: &Context) -> Result<Tensor, Error> {
    let t = dense(path, context)?;
    if t.dims().len() == 2 {
        return Ok(t);
    }
    let problem = format!("has shape {:?}, expected a matrix for each slice", t.dims());
    Err(Error::file(path, "", problem))
}

fn dense(path: &Path, context: &Context) -> Result<Tensor, Error> {
    match load(path, context)? {
        Loaded::Real(t) => Ok(t),
        Loaded::Sparse(s) => s.to_dense(1 << 25),
        Loaded::Complex(_) => Err(Error::file(path, "", "is complex, expected real entries")),
    }
}

#[cfg(test)]
mod tests {
    use super::by_number;

    #[test]
    fn numbers_in_names_count_by_value() {
        let mut names = ["run10", "run9", "a2b1", "run1", "a2b0"];
        names.sort_by_key(|n| by_number(n));
        assert_eq!(names, ["a2b0", "a2b1", "run1", "run9", "run10"]);
    }
}
