//! `wickring decompose tucker`: Tucker decomposition of a tensor file.

use super::model_pictures;
use super::model_report::ModelReport;
use crate::commands::tensor_file::{Loaded, load, require_finite};
use crate::context::{Context, Outcome};
use crate::evidence;
use clap::Args;
use std::path::PathBuf;
use wickring::Error;
use wickring::decomp::Tucker;
use wickring::tensor::{Factor, Scalar, TensorView, TuckerTensor};
use wickring::{linalg, poly};

/// Arguments of `decompose tucker`.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("size").required(true).multiple(true).args(["tol", "rank"]))]
pub struct TuckerArgs {
    /// The tensor: .npy, .npz, .mat (v5), FROSTT .tns or .csv.
    file: PathBuf,
    /// The relative error that is allowed, in [0, 1); 0 keeps all above rounding.
    #[arg(long)]
    tol: Option<f64>,
    /// One entry for each mode, or one for all: a rank (with --tol a bound), `-` for a mode that is left alone, or, with
    /// --tol, `auto`.
    #[arg(
        long,
        alias = "ranks",
        allow_hyphen_values = true,
        value_name = "R1,R2,.."
    )]
    rank: Option<String>,
    /// Sweeps of orthogonal iteration; 100 for given ranks and 0 with --tol, unless given.
    #[arg(long)]
    sweeps: Option<usize>,
}

/// Runs `wickring decompose tucker`.
pub fn run(args: &TuckerArgs, context: &Context) -> Result<Outcome, Error> {
    let path = args.file.as_path();
    match load(path, context)? {
        Loaded::Real(t) => {
            require_finite(path, &t)?;
            dense(args, t.view(), context)
        }
        Loaded::Complex(t) => dense(args, t.view(), context),
        Loaded::Sparse(s) => dense(args, s.to_dense(1 << 25)?.view(), context),
    }
}

/// The method that the options describe, for a tensor of `order` modes.
fn method(args: &TuckerArgs, order: usize) -> Result<Tucker, Error> {
    let text = args.rank.as_deref().unwrap_or("auto");
    let mut words: Vec<&str> = text.split(',').map(str::trim).collect();
    if let [one] = words[..] {
        words = vec![one; order];
    }
    let refuse = |what: String| Err(Error::invalid("decompose tucker", what));
    if words.len() != order {
        let n = words.len();
        return refuse(format!(
            "--rank has {n} entries for a tensor of {order} modes"
        ));
    }
    let (mut ranks, mut alone) = (Vec::new(), Vec::new());
    for (m, word) in words.into_iter().enumerate() {
        match (word, word.parse::<usize>()) {
            ("-", _) => {
                alone.push(m);
                ranks.push(usize::MAX);
            }
            ("auto", _) if args.tol.is_some() => ranks.push(usize::MAX),
            (_, Ok(rank)) if rank > 0 => ranks.push(rank),
            _ => {
                let quoted = wickring::error::quoted(word);
                return refuse(format!(
                    "--rank is a list of numbers from 1, `-` and, with --tol, `auto`, got {quoted}"
                ));
            }
        }
    }
    let method = match args.tol {
        Some(tol) => Tucker::within(tol).most(&ranks),
        None => Tucker::new(&ranks),
    };
    let method = method.leave_alone(&alone);
    Ok(match args.sweeps {
        Some(sweeps) => method.max_sweeps(sweeps),
        None => method,
    })
}

fn dense<T: linalg::Scalar + poly::Ring + Scalar>(
    args: &TuckerArgs,
    t: TensorView<'_, T>,
    context: &Context,
) -> Result<Outcome, Error> {
    let method = method(args, t.order())?;
    let mut report = ModelReport::new("tucker", &args.file, t.dims(), context)?;
    let mut meter = context.meter();
    let fit = method.decompose_observed(t, &mut |p| meter.step(p))?;
    let parameters = parameters(&fit.model);
    report.fit(&fit, "Tucker model", fit.model.ranks(), parameters);
    // Whatever rotates a basis and its mode of the core leaves the tensor as it is.
    report.unique("not unique", None);
    let shapes: Vec<[usize; 2]> = fit
        .model
        .factors()
        .iter()
        .map(|f| [f.rows(), f.cols()])
        .collect();
    let factors = fit.model.factors().iter().zip(&shapes);
    let factors = factors
        .map(|(f, dims)| TensorView::new(dims, f.as_slice()))
        .collect::<Result<Vec<_>, _>>()?;
    let named = factors.iter().enumerate();
    let named = named.map(|(k, f)| (format!("factor_{k}"), *f));
    report.arrays(std::iter::once(("core".to_owned(), fit.model.core())).chain(named))?;
    context.draw(|| Ok(model_pictures::tucker(&fit.model)))?;
    let (digest, stated) = (report.sha256().to_owned(), evidence::stated(&fit));
    let model = (fit.model.core(), &factors[..]);
    report.finish("model", fit.status, context, |context| {
        let source = (args.file.as_path(), &digest[..]);
        super::numeric_proof::tucker(source, t, model, (stated, Vec::new()), context)
    })
}

/// Numbers that the file holds.
fn parameters<T: linalg::Scalar>(model: &TuckerTensor<T>) -> usize {
    let size = |f: &Factor<T>| f.as_slice().len();
    model.core().as_slice().len() + model.factors().iter().map(size).sum::<usize>()
}
