//! `wickring decompose cp`: canonical polyadic decomposition of a tensor file.

use super::report::{Report, rank_bound};
use crate::commands::tensor_file::{Loaded, load, require_finite};
use crate::context::{Context, Outcome};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use wickring::Error;
use wickring::decomp::{
    Cp, CpConstrained, CpLoss, CpMasked, CpMethod, CpNonnegative, EntryLoss, RankTable, rank_table,
    rank_table_masked, rank_table_nonnegative,
};
use wickring::fit::Fit;
use wickring::tensor::{CpTensor, Tensor};

/// Arguments of `decompose cp`.
#[derive(Args)]
pub struct CpArgs {
    /// The tensor: .npy, .npz, .mat (v5), FROSTT .tns or .csv.
    file: PathBuf,
    /// The number of components: a number, a range such as 1..6, or auto.
    #[arg(long)]
    rank: String,
    /// How to search.
    #[arg(long, value_enum, default_value_t = Method::Auto)]
    method: Method,
    /// Nonnegative factors and weights.
    #[arg(long)]
    nonneg: bool,
    /// The loss: poisson (counts), gamma (positive entries whose spread grows with their mean), logit (zeros and ones, the
    /// model holds log odds) or huber:D (squares up to D, linear beyond); squares by default. Counts stay sparse.
    #[arg(long, value_parser = super::loss::parse,
        conflicts_with_all = ["nonneg", "randomized", "method", "tol", "exact", "prove"])]
    loss: Option<EntryLoss>,
    /// A constraint on one mode or several, MODES:KIND, repeatable; modes count from 0 or are `all`. KIND: nonneg, unimodal (and
    /// nonnegative), orthonormal, smooth:COST (squared second differences of components), l1:COST (moduli; makes zeros),
    /// fixed:FILE (known columns). Costs are for data of norm one. A mode may be smooth, l1 and one of the others at once.
    /// --nonneg beside it means all:nonneg.
    #[arg(long, value_parser = super::constraint::parse, value_name = "MODES:KIND",
        conflicts_with_all = ["loss", "randomized", "method", "exact", "prove"])]
    constraint: Vec<super::constraint::Asked>,
    /// Number of starts; by default until two agree, more where minima are hard to find.
    #[arg(long)]
    starts: Option<usize>,
    /// Iterations of each start.
    #[arg(long)]
    iterations: Option<usize>,
    /// Relative residual to reach; a larger one is not converged (exit 3).
    #[arg(long)]
    tol: Option<f64>,
    /// Compress by random projections: for large dense tensors of low rank.
    #[arg(long)]
    randomized: bool,
    /// Exact rational factors with a certificate, from as many random starts as --starts allows.
    #[arg(long, conflicts_with_all = ["nonneg", "randomized", "method", "iterations", "tol"])]
    exact: bool,
    /// Prove what can be proved: that an exact decomposition exists near the factors, that they are close to a strict
    /// local minimum, the exact rank, a lower bound. What cannot is named with the reason; exit 3 when nothing can.
    /// --out puts the theorems into the certificate.
    #[arg(long, conflicts_with = "nonneg")]
    prove: bool,
}

/// How `decompose cp` searches.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum Method {
    /// Algebraic start where one exists, then damped Gauss-Newton, with restarts.
    Auto,
    /// Alternating least squares with extrapolation.
    Als,
    /// Damped Gauss-Newton from random starts.
    Nls,
    /// Jennrich's algorithm alone.
    Algebraic,
}

/// What `--rank` asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ranks {
    One(usize),
    Range(usize, usize),
    Auto,
}

/// Greatest number of components.
const MOST_RANK: usize = 100_000;
/// Entries from which no copy is made.
const IN_PLACE: usize = 1 << 20;
/// Greatest number of components that `--rank auto` tries.
const AUTO_LIMIT: usize = 12;

/// Runs `wickring decompose cp`.
pub fn run(args: &CpArgs, context: &Context) -> Result<Outcome, Error> {
    let ranks = parse_ranks(&args.rank)?;
    let loaded = load(&args.file, context)?;
    let mut report = Report::new("cp", &args.file, loaded.dims(), context)?;
    if args.prove && context.masks() {
        let problem = "--prove needs every entry: theorems are about the whole tensor";
        return Err(Error::invalid("decompose cp", problem));
    }
    if let Some(loss) = args.loss {
        let engine = loss_engine(single(ranks, "--loss")?, loss, args);
        return super::loss::run(&args.file, (&engine, loss), loaded, report, context);
    }
    if !args.constraint.is_empty() {
        let engine = constrained_engine(single(ranks, "--constraint")?, args);
        let t = match loaded {
            Loaded::Real(t) => t,
            Loaded::Sparse(s) => s.to_dense(1 << 25)?,
            Loaded::Complex(_) => {
                let problem = "is complex: --constraint is for real tensors";
                return Err(Error::file(args.file.as_path(), "", problem));
            }
        };
        let mut asked = args.constraint.clone();
        if args.nonneg {
            asked.push(super::constraint::Asked::nonneg());
        }
        return super::constraint::run(&args.file, (engine, &asked), &t, report, context);
    }
    match loaded {
        Loaded::Real(t) if args.exact => {
            require_finite(&args.file, &t)?;
            let rank = single(ranks, "--exact")?;
            let asked = super::super::exact::Asked {
                starts: args.starts,
                prove: args.prove,
                resume: None,
            };
            super::super::exact::run(&args.file, &t, rank, asked, context)
        }
        _ if args.exact => {
            let problem = "--exact needs a dense real tensor";
            Err(Error::file(args.file.as_path(), "", problem))
        }
        Loaded::Real(t) => real(args, context, ranks, t, report),
        // Entries that are not stored are zeros; the dense engine knows more than the sparse kernels when
        // the tensor fits into a quarter of a gigabyte.
        Loaded::Sparse(s) => match s.to_dense(1 << 25) {
            Ok(t) => real(args, context, ranks, t, report),
            Err(_) if args.prove => {
                let problem = "is too large for --prove";
                Err(Error::file(args.file.as_path(), "", problem))
            }
            Err(_) => {
                let rank = single(ranks, "a sparse tensor too large to expand")?;
                let engine = with_options(Cp::new(rank), args);
                let mut meter = context.meter();
                let mut rng = context.rng();
                let fit = engine.decompose_sparse(&s, &mut rng, &mut |p| meter.step(p))?;
                drop(meter);
                report.fit(&fit);
                super::super::numeric_proof::absent("the tensor is too large to expand", context)?;
                report.finish(&fit, context)
            }
        },
        Loaded::Complex(_) if args.prove => {
            let problem = "is complex: --prove is for real tensors";
            Err(Error::file(args.file.as_path(), "", problem))
        }
        Loaded::Complex(t) => {
            if args.nonneg || context.masks() {
                let problem = "is complex: --nonneg and --missing mask are for real tensors";
                return Err(Error::file(args.file.as_path(), "", problem));
            }
            let mut meter = context.meter();
            let mut watch = |p: &wickring::run::Progress| meter.step(p);
            let mut rng = context.rng();
            let fit = match ranks {
                Ranks::One(rank) => with_options(Cp::new(rank), args).decompose_observed(
                    t.view(),
                    &mut rng,
                    &mut watch,
                )?,
                _ => {
                    let (range, patience) = compared(ranks, t.dims());
                    let engine = with_options(Cp::new(*range.start()), args);
                    let table =
                        rank_table(t.view(), &engine, (range, patience), &mut rng, &mut watch)?;
                    report.table(&table);
                    chosen(table)?
                }
            };
            drop(meter);
            report.fit(&fit);
            let source = (args.file.as_path(), report.sha256());
            let stated = (crate::evidence::stated(&fit), Vec::new());
            super::super::numeric_proof::complex_cp(source, t.view(), &fit.model, stated, context)?;
            report.finish_complex(&fit, context)
        }
    }
}

/// The ranks to compare, and how many in a row that are not credible end the search.
fn compared(ranks: Ranks, dims: &[usize]) -> (std::ops::RangeInclusive<usize>, usize) {
    match ranks {
        Ranks::One(rank) => (rank..=rank, usize::MAX),
        Ranks::Range(a, b) => (a..=b, usize::MAX),
        Ranks::Auto => (1..=AUTO_LIMIT.min(rank_bound(dims)), 2),
    }
}

fn nonnegative_engine(rank: usize, args: &CpArgs, starts: Option<usize>) -> CpNonnegative {
    let mut engine = CpNonnegative::new(rank);
    if let Some(n) = args.starts.or(starts) {
        engine = engine.starts(n);
    }
    if let Some(n) = args.iterations {
        engine = engine.max_iterations(n);
    }
    match args.tol {
        Some(tol) => engine.tol(tol),
        None => engine,
    }
}

fn real(
    args: &CpArgs,
    context: &Context,
    ranks: Ranks,
    mut t: Tensor,
    mut report: Report,
) -> Result<Outcome, Error> {
    let masked = context.masks();
    if !masked {
        require_finite(&args.file, &t)?;
    }
    let mut meter = context.meter();
    let mut watch = |p: &wickring::run::Progress| meter.step(p);
    let mut rng = context.rng();
    let fit = match (ranks, masked, args.nonneg) {
        (Ranks::One(rank), true, true) => {
            let mask = CpMasked::mask_of(t.view());
            nonnegative_engine(rank, args, None).decompose_masked(
                t.view(),
                mask.view(),
                &mut rng,
                &mut watch,
            )?
        }
        (Ranks::One(rank), false, true) => {
            let engine = nonnegative_engine(rank, args, None);
            engine.decompose_observed(t.view(), &mut rng, &mut watch)?
        }
        (ranks, masked, true) => {
            let (range, patience) = compared(ranks, t.dims());
            let mask = masked.then(|| CpMasked::mask_of(t.view()));
            let table = rank_table_nonnegative(
                t.view(),
                mask.as_ref().map(Tensor::view),
                &nonnegative_engine(*range.start(), args, Some(10)),
                (range, patience),
                &mut rng,
                &mut watch,
            )?;
            report.table(&table);
            chosen(table)?
        }
        (Ranks::One(rank), true, false) => {
            let mask = CpMasked::mask_of(t.view());
            masked_engine(rank, args).decompose_observed(
                t.view(),
                mask.view(),
                &mut rng,
                &mut watch,
            )?
        }
        (Ranks::One(rank), false, false) => {
            let engine = with_options(Cp::new(rank), args);
            if t.as_slice().len() > IN_PLACE {
                engine.decompose_in_place(&mut t, &mut rng, &mut watch)?
            } else {
                engine.decompose_observed(t.view(), &mut rng, &mut watch)?
            }
        }
        (ranks, _, false) => {
            let (range, patience) = compared(ranks, t.dims());
            let first = *range.start();
            let table = if masked {
                let mask = CpMasked::mask_of(t.view());
                let engine = masked_engine(first, args);
                rank_table_masked(
                    t.view(),
                    mask.view(),
                    &engine,
                    (range, patience),
                    &mut rng,
                    &mut watch,
                )?
            } else {
                let engine = with_options(Cp::new(first), args);
                rank_table(t.view(), &engine, (range, patience), &mut rng, &mut watch)?
            };
            report.table(&table);
            chosen(table)?
        }
    };
    drop(meter);
    report.fit(&fit);
    let mut claims = Vec::new();
    if args.prove {
        let proof = super::super::theorems::cp(&fit.model, &t, context)?;
        report.proof(&proof);
        claims = proof.claims;
    }
    let source = (args.file.as_path(), report.sha256());
    let stated = crate::evidence::stated(&fit);
    super::super::numeric_proof::cp(source, t.view(), &fit.model, (stated, claims), context)?;
    report.finish(&fit, context)
}

/// The chosen fit; the smallest where nothing is above the noise.
fn chosen<T>(table: RankTable<T>) -> Result<Fit<CpTensor<T>>, Error> {
    let row = table.rows.into_iter().nth(table.chosen.unwrap_or(0));
    row.map(|r| r.fit)
        .ok_or(Error::Stopped { op: "decompose cp" })
}

fn with_options(engine: Cp, args: &CpArgs) -> Cp {
    let method = match args.method {
        Method::Auto => CpMethod::Auto,
        Method::Als => CpMethod::Als,
        Method::Nls => CpMethod::Nls,
        Method::Algebraic => CpMethod::Algebraic,
    };
    let mut engine = engine.method(method).randomized(args.randomized);
    engine = args.starts.map_or(engine.clone(), |n| engine.starts(n));
    engine = args
        .iterations
        .map_or(engine.clone(), |n| engine.max_iterations(n));
    args.tol.map_or(engine.clone(), |x| engine.tol(x))
}

fn loss_engine(rank: usize, loss: EntryLoss, args: &CpArgs) -> CpLoss {
    let mut engine = CpLoss::new(rank, loss);
    engine = args.starts.map_or(engine.clone(), |n| engine.starts(n));
    args.iterations
        .map_or(engine.clone(), |n| engine.max_iterations(n))
}

fn constrained_engine(rank: usize, args: &CpArgs) -> CpConstrained {
    let mut engine = CpConstrained::new(rank);
    engine = args.starts.map_or(engine.clone(), |n| engine.starts(n));
    engine = args
        .iterations
        .map_or(engine.clone(), |n| engine.max_iterations(n));
    args.tol.map_or(engine.clone(), |x| engine.tol(x))
}

fn masked_engine(rank: usize, args: &CpArgs) -> CpMasked {
    let mut engine = CpMasked::new(rank);
    engine = args.starts.map_or(engine.clone(), |n| engine.starts(n));
    engine = args
        .iterations
        .map_or(engine.clone(), |n| engine.max_iterations(n));
    args.tol.map_or(engine.clone(), |x| engine.tol(x))
}

fn single(ranks: Ranks, what: &str) -> Result<usize, Error> {
    match ranks {
        Ranks::One(rank) => Ok(rank),
        _ => Err(Error::invalid(
            "decompose cp",
            format!("--rank must be one number for {what}; fit each number by itself and compare"),
        )),
    }
}

fn parse_ranks(text: &str) -> Result<Ranks, Error> {
    let expected = || {
        let requirement = format!(
            "--rank must be a number from 1 to {MOST_RANK}, a range such as 1..6, or auto, got '{text}'"
        );
        Error::invalid("decompose cp", requirement)
    };
    if text == "auto" {
        return Ok(Ranks::Auto);
    }
    let number = |s: &str| {
        s.trim()
            .parse::<usize>()
            .ok()
            .filter(|n| (1..=MOST_RANK).contains(n))
    };
    match text.split_once("..") {
        None => number(text).map(Ranks::One).ok_or_else(expected),
        Some((a, b)) => match (number(a), number(b.trim_start_matches('='))) {
            (Some(a), Some(b)) if a <= b => Ok(Ranks::Range(a, b)),
            _ => Err(expected()),
        },
    }
}
