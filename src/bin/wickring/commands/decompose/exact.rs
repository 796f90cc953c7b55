//! `wickring decompose exact`: rational CP factors with a certificate.

use super::cp::pictures;
use super::theorems;
use crate::commands::tensor_file::{Loaded, load, require_finite, write_arrays};
use crate::context::{Context, Outcome};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};
use wickring::certify::{Certificate, Limits, check};
use wickring::decomp::{ExactCp, uniqueness};
use wickring::io::{source, write_whole};
use wickring::poly::Rational;
use wickring::run::Progress;
use wickring::scheme::{Scheme, SchemeField, Target, Verdict, examine};
use wickring::tensor::{CpTensor, Factor, Tensor};
use wickring::{Error, Status};

/// Arguments of `decompose exact`.
#[derive(Args)]
pub struct ExactArgs {
    /// The tensor, of order 3: .npy, .npz, .mat (v5), FROSTT .tns or .csv.
    file: PathBuf,
    /// The number of terms.
    #[arg(long)]
    rank: usize,
    /// Random starts at most.
    #[arg(long)]
    starts: Option<usize>,
    /// Also prove that the decomposition is the only one of its rank, by Kruskal's theorem, or bounds of the rank;
    /// exit 3 with the reason when none can be proved.
    #[arg(long)]
    prove: bool,
    /// Keep finished starts in this file, and go on from those that it holds: a run that was killed or stopped ends as
    /// though it had not been. Delete the file to begin anew.
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
}

/// What `decompose exact` is asked beside file and rank.
#[derive(Clone, Copy, Default)]
pub struct Asked<'a> {
    /// Random starts at most.
    pub starts: Option<usize>,
    /// Whether theorems are proved.
    pub prove: bool,
    /// Where finished starts are kept.
    pub resume: Option<&'a Path>,
}

/// Runs `wickring decompose exact`.
pub fn run_file(args: &ExactArgs, context: &Context) -> Result<Outcome, Error> {
    let path = args.file.as_path();
    let tensor = match load(path, context)? {
        Loaded::Real(t) => t,
        Loaded::Sparse(s) => s.to_dense(1 << 20)?,
        Loaded::Complex(_) => {
            return Err(Error::file(path, "", "is complex, expected real entries"));
        }
    };
    require_finite(path, &tensor)?;
    let asked = Asked {
        starts: args.starts,
        prove: args.prove,
        resume: args.resume.as_deref(),
    };
    run(&args.file, &tensor, args.rank, asked, context)
}

/// Decomposes `tensor` into `rank` terms over Q. `--out f.npz` (or `.mat`, `.csv`) gets the factors as
/// floats and `f.certificate.json` beside it the proof; `--out f.json` gets the certificate.
pub fn run(
    file: &Path,
    tensor: &Tensor,
    rank: usize,
    asked: Asked<'_>,
    context: &Context,
) -> Result<Outcome, Error> {
    let prove = asked.prove;
    let solver = ExactCp::new(rank).starts(asked.starts.unwrap_or(200));
    let mut kept = context.checkpoint(asked.resume)?;
    let mut meter = context.meter();
    let mut watch = |p: &Progress| meter.step(p);
    let fit = solver.decompose_kept(tensor.view(), &mut context.rng(), &mut watch, &mut kept);
    let fit = fit?;
    drop(meter);
    let scheme = Scheme::from_rationals(&fit.model.factors, Target::dense(tensor.view())?)?;
    let found = examine(&scheme, None, SchemeField::Auto)?;
    // Two witnesses: the exact residual, and the checker that knows neither solver nor scheme.
    let mut exact = fit.status == Status::Converged && found.verdict == Verdict::Exact;
    let digest = source::raw(file)?;
    let claim = found.scheme.claim(&found.field, &found.target);
    let proof = (prove && exact).then(|| theorems::exact(&fit.model.factors, tensor, context));
    let proof = proof.transpose()?.unwrap_or_default();
    let certificate = Certificate::new()
        .input(&file.display().to_string(), &digest)
        .fit(fit.status.name(), "");
    // A claim of uniqueness speaks of the first claim.
    let certificate = proof
        .claims
        .iter()
        .cloned()
        .fold(certificate, Certificate::claim);
    let certificate = certificate.claim(claim).to_json();
    exact = exact && check(&certificate, Limits::default())?.holds();
    context.draw(|| Ok(pictures::factors(&rounded(&fit.model.factors)?)))?;
    if let Some(out) = &context.common.out {
        let arrays = out.extension().is_none_or(|e| e != "json");
        if arrays {
            write_factors(out, &fit.model.factors)?;
        }
        if exact {
            let proof = if arrays {
                out.with_extension("certificate.json")
            } else {
                out.clone()
            };
            write_whole(&proof, certificate.as_bytes())?;
            context.say(&format!(
                "wrote {}; check it: wickring check {0}",
                proof.display()
            ));
        }
    }
    let text = |q: &Rational| q.to_string();
    let factors: Vec<Vec<Vec<String>>> = fit
        .model
        .factors
        .iter()
        .map(|rows| {
            rows.iter()
                .map(|row| row.iter().map(text).collect())
                .collect()
        })
        .collect();
    let status = if exact { Status::Converged } else { fit.status };
    let mut report = json!({
        "exact": exact, "status": status.name(), "rank": rank, "field": found.field,
        "starts": fit.work.starts, "rel_residual": fit.evidence.rel_residual, "factors": factors,
    });
    let unique = uniqueness(&rounded(&fit.model.factors)?).word();
    report["unique"] = json!(unique);
    if prove {
        report["theorems"] = theorems::object(&proof);
    }
    let mut line = if exact {
        format!(
            "EXACT  rank {rank} over {} after {} starts; the checker agrees\n",
            found.field, fit.work.starts
        )
    } else {
        let residual = fit.evidence.rel_residual;
        format!(
            "NOT EXACT  best rounding of rank {rank} has relative residual {residual:.3e}; try more --starts\n"
        )
    };
    line += &format!("components: {unique}\n");
    line += &theorems::lines(&proof);
    context.emit(&report, &line);
    Ok(if exact && (!prove || !proof.claims.is_empty()) {
        Outcome::Certified
    } else {
        Outcome::NotCertified
    })
}

/// The factors to the nearest floats.
fn rounded(factors: &[Vec<Vec<Rational>>]) -> Result<CpTensor, Error> {
    let one = |rows: &Vec<Vec<Rational>>| {
        let rank = rows.first().map_or(0, Vec::len);
        Factor::from_fn(rows.len(), rank, |i, r| rows[i][r].to_f64())
    };
    CpTensor::from_factors(factors.iter().map(one).collect())
}

fn write_factors(out: &Path, factors: &[Vec<Vec<Rational>>]) -> Result<(), Error> {
    let mut named = Vec::new();
    for (k, rows) in factors.iter().enumerate() {
        let rank = rows.first().map_or(0, Vec::len);
        let factor = Tensor::from_fn(&[rows.len(), rank], |i| rows[i[0]][i[1]].to_f64())?;
        named.push((format!("factor_{k}"), factor));
    }
    let rank = factors.first().and_then(|f| f.first()).map_or(0, Vec::len);
    named.push((
        "weights".to_owned(),
        Tensor::from_vec(&[rank], vec![1.0; rank])?,
    ));
    write_arrays(out, &named).map(|_| ())
}
