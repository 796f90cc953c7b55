//! `wickring scheme lift`: from a scheme modulo 2 or 3 to the integers or the rationals.

use super::files::{in_file, one, tell, write_texts};
use crate::commands::verify::files::read_target;
use crate::context::{Context, Outcome};
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::{Path, PathBuf};
use wickring::Error;
use wickring::io::write_whole;
use wickring::scheme::{Lift, LiftOutcome, SchemeText, lift};

/// Lift a scheme modulo 2 or 3 to the integers or the rationals: signs first, then Hensel steps with rational
/// reconstruction; the result is verified exactly.
///
/// Exit 0 when it was lifted; 1 when it has no lift, not even modulo 4 (or 9), and then --out is a proof of that as
/// .json; 3 when none was found, which proves nothing.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wickring scheme lift found_mod2.json --out lifted.json\n  \
    wickring scheme lift s.exp --from F3 --to Q --out lifted.exp")]
pub struct LiftArgs {
    /// The scheme.
    file: PathBuf,
    /// Where it is exact.
    #[arg(long, value_enum, default_value_t = From::F2)]
    from: From,
    /// Where it should be: Z, or Q with denominators.
    #[arg(long, value_enum, default_value_t = To::Q)]
    to: To,
    /// The tensor it is: matmul:N,M,P, polymul:A,B, another name, or a file; by default what the file says, else a guess.
    #[arg(long, visible_alias = "target")]
    tensor: Option<String>,
    /// The scheme of that name, where the file has several.
    #[arg(long)]
    name: Option<String>,
    /// Other values of free unknowns that are tried.
    #[arg(long, default_value_t = Lift::default().tries)]
    tries: u32,
}

/// The prime.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum From {
    #[value(name = "F2")]
    F2,
    #[value(name = "F3")]
    F3,
}

/// The ring.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum To {
    #[value(name = "Z")]
    Z,
    #[value(name = "Q")]
    Q,
}

/// Runs the lift.
pub fn run(args: &LiftArgs, context: &Context) -> Result<Outcome, Error> {
    let target = args.tensor.as_deref().map(read_target).transpose()?;
    let scheme = one(&args.file, args.name.as_deref())?;
    let options = Lift {
        prime: if args.from == From::F2 { 2 } else { 3 },
        fractions: args.to == To::Q,
        tries: args.tries.min(1 << 16),
        seed: context.common.seed,
        deadline: context.deadline(),
    };
    let outcome = lift(&scheme, target.as_ref(), &options).map_err(|e| in_file(&args.file, e))?;
    let rank = scheme.rank();
    let shown = args.file.display();
    let p = options.prime;
    let (value, text, end) = match outcome {
        LiftOutcome::Lifted(found) => {
            let field = found.scheme.field();
            let name = found
                .scheme
                .target
                .as_ref()
                .map_or(String::new(), |t| t.name());
            let mut written = Vec::new();
            if let Some(out) = &context.common.out {
                let ending = out.extension().map(|e| e.to_string_lossy().into_owned());
                let form = SchemeText::of_extension(&ending.unwrap_or_default())
                    .unwrap_or(SchemeText::Json);
                let stem = out.file_stem().map(|s| s.to_string_lossy().into_owned());
                written = write_texts(out, &form.write(&found.scheme, &stem.unwrap_or_default())?)?;
            }
            let (digits, tries) = (found.digits, found.tries);
            let text = format!(
                "LIFTED {shown}: {name} in {rank} terms over {field} (modulo {p}^{digits}, attempt {tries})\n"
            );
            let value = json!({
                "verdict": "LIFTED", "target": name, "rank": rank, "field": field, "digits": digits, "tries": tries,
                "out": crate::report::shown(&written),
            });
            (value, text + &tell(context, &written), Outcome::Certified)
        }
        LiftOutcome::Impossible(proof) => {
            let square = p * p;
            let mut text = format!(
                "NO LIFT {shown}: no scheme that is exact modulo {square} is congruent to it modulo {p}; {} entries of the \
                 tensor prove it\n",
                proof.len()
            );
            if let Some(out) = &context.common.out {
                if out.extension().is_none_or(|e| e != "json") {
                    return Err(Error::file(
                        out.as_path(),
                        "--out",
                        "there is no lift; its proof is written as .json",
                    ));
                }
                write_whole(out, proof.to_json().as_bytes())?;
                text += &format!("wrote {}\n", out.display());
            }
            let value = json!({
                "verdict": "NO LIFT", "rank": rank, "modulus": square, "proof_entries": proof.len(),
                "proof_holds": proof.holds()?, "out": context.common.out.as_deref().map(Path::to_string_lossy),
            });
            (value, text, Outcome::Refuted)
        }
        LiftOutcome::NotFound { digits } => {
            let text = format!(
                "NOT FOUND {shown}: no lift to {} within {p}^{digits}; this proves nothing\n",
                if options.fractions { "Q" } else { "Z" }
            );
            let value = json!({ "verdict": "NOT FOUND", "rank": rank, "digits": digits });
            (value, text, Outcome::NotCertified)
        }
    };
    context.emit(&value, &text);
    Ok(end)
}
