//! `wickring verify`: is this factorisation exactly the tensor that it claims to be?

pub(crate) mod files;
pub(crate) mod record;
use super::check::Emit;
use crate::context::{Context, Outcome};
use clap::Args;
use files::{load, read_target, read_text};
use record::{Good, Row, Wishes, ring_row, scheme_row};
use serde_json::{Value, json};
use std::path::PathBuf;
use wickring::Error;
use wickring::certify::Certificate;
use wickring::io::write_whole;
use wickring::scheme::{KnownRanks, SchemeField, examine_until};

/// Is this factorisation exactly the tensor that it claims to be? Exact arithmetic over Z, Q, Q(i), F_p or
/// Q[x,1/x], in every way of storing the matrices.
///
/// Reads .json, .m, .mpl, .exp, Laurent .txt, .npz with plain arrays, and .sms triples (name one of X_L.sms,
/// X_R.sms, X_P.sms); also the factors (weights, factor_0, ..) and the cores of rings and trains (core_0, ..)
/// that decompose writes, or the same in JSON. Exit 0 if every scheme is exact (or, over Q[x,1/x], exact up to
/// O(x)), 1 if one is wrong, 2 if nobody says what one should be, 3 if it costs too much; floats stand for the rationals that they are.
#[derive(Args)]
pub struct Verify {
    /// Files with schemes.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The tensor it should be: matmul:N,M,P, polymul:A,B, another name (structured:ug,3, xxt:4,4, short:N,
    /// cyclic:N, modulo:C0,C1,.., complex, quaternions), or a file (.npy, .npz, .mat, .tns); by default what
    /// the file says, else a guess from the sizes, and a scheme that is not what was guessed ends with exit 2.
    #[arg(long, visible_alias = "target")]
    tensor: Option<String>,
    /// auto, Z, Q, Qi, F2, Fp:P or laurent; auto is F2 for what the file or its name calls so, else the smallest
    /// of the others that holds the entries.
    #[arg(long, default_value = "auto")]
    field: String,
    /// Accept a model whose relative residual (Frobenius, exact arithmetic) is at most this.
    #[arg(long)]
    tol: Option<f64>,
    /// Name a single vector or entry that explains a wrong scheme.
    #[arg(long)]
    find_bad: bool,
    /// Count multiplications, additions and scalings.
    #[arg(long)]
    cost: bool,
    /// Write the exact schemes for another system instead of a certificate, to --out or to standard output.
    #[arg(long, value_enum)]
    emit: Option<Emit>,
    /// Compare ranks with a table of best known ones (CSV: format,ZT,Z,Q).
    #[arg(long)]
    compare: Option<PathBuf>,
}

/// Runs `wickring verify`.
pub fn run(args: &Verify, context: &Context) -> Result<Outcome, Error> {
    let field = SchemeField::parse(&args.field)?;
    let target = args.tensor.as_deref().map(read_target).transpose()?;
    let table = args.compare.as_deref().map(|path| {
        KnownRanks::parse(&read_text(path)?).map_err(|e| Error::file(path, "", e.problem()))
    });
    let table = table.transpose()?;
    if let Some(tol) = args.tol.filter(|t| !(*t > 0.0 && *t < 1.0)) {
        return Err(Error::invalid(
            "--tol",
            format!("must lie in (0, 1), got {tol}"),
        ));
    }
    let wishes = Wishes {
        find_bad: args.find_bad,
        cost: args.cost,
        tol: args.tol,
        table: table.as_ref(),
        claims: context.common.out.is_some() || args.emit.is_some(),
        deadline: context.deadline(),
    };
    let (mut worst, mut records) = (Good::Yes, Vec::new());
    let mut certificate = Certificate::new();
    for file in load(&args.files)? {
        for (path, bytes) in &file.inputs {
            certificate = certificate.input(&path.display().to_string(), bytes);
        }
        let place = |name: &str, e: Error| {
            let place = match name {
                "" => String::new(),
                name => format!("scheme {name}"),
            };
            match e {
                Error::LimitExceeded { .. } | Error::Stopped { .. } => e,
                e => Error::file(&file.path, place, e.problem()),
            }
        };
        let schemes = file.schemes.iter().map(|scheme| -> Result<Row, Error> {
            let found = examine_until(scheme, target.as_ref(), field, wishes.deadline);
            let found = found.map_err(|e| place(&scheme.name, e))?;
            Ok(scheme_row(&file.path, scheme, &found, &wishes))
        });
        let rings = file.rings.iter().map(|ring| {
            let row = ring_row(&file.path, ring, target.as_ref(), &wishes);
            row.map_err(|e| place(&ring.name, e))
        });
        for row in schemes.chain(rings) {
            if context.should_stop() {
                return Err(Error::Stopped { op: "verify" });
            }
            let row = row?;
            worst = worst.max(row.good);
            if args.emit.is_none() || context.common.out.is_some() {
                context.say(&row.text);
            }
            if let Some(reason) = row.no_claim {
                context.warn(&reason);
            }
            records.push(row.json);
            certificate = match row.claim {
                Some(claim) => certificate.claim(claim),
                None => certificate,
            };
        }
    }
    finish(args, &certificate, worst, records, context)
}

/// Writes what was proved.
fn finish(
    args: &Verify,
    certificate: &Certificate,
    worst: Good,
    records: Vec<Value>,
    context: &Context,
) -> Result<Outcome, Error> {
    if let Some(language) = args.emit {
        if certificate.is_empty() {
            context.warn("nothing was exact, so nothing is written");
        } else {
            language.write(&certificate.to_json(), context)?;
        }
    } else if let Some(out) = &context.common.out {
        if certificate.is_empty() {
            context.warn("nothing was exact, so no certificate is written");
        } else {
            write_whole(out, certificate.to_json().as_bytes())?;
            context.say(&format!(
                "wrote {}; check it: wickring check {0}",
                out.display()
            ));
        }
    }
    if context.common.json && (args.emit.is_none() || context.common.out.is_some()) {
        context.emit(
            &json!({ "exact": worst == Good::Yes, "schemes": records }),
            "",
        );
    }
    if worst == Good::Unclaimed {
        context.warn(
            "no claim: the file names no tensor, and is not what its sizes suggest; say --tensor",
        );
    }
    Ok(match worst {
        Good::Yes => Outcome::Certified,
        Good::Unclaimed => Outcome::NoClaim,
        Good::No => Outcome::Refuted,
    })
}
