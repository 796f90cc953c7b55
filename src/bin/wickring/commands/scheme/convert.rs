//! `wickring scheme convert`: between the formats of the catalogues.

use super::files::{expand, in_file, tell, write_texts};
use crate::commands::verify::files::{load, read_target};
use crate::context::{Context, Outcome};
use crate::report::shown;
use clap::Args;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use wickring::Error;
use wickring::scheme::{Scheme, SchemeField, SchemeText, Verdict, examine_until};

/// Convert schemes between the formats of the catalogues. Every text is read again and must be the same scheme; entries are
/// written in the row-major convention of the target where the scheme is exact, else as they stand.
///
/// Forms: json (sparse triples), reduced (JSON with common sums taken out), exp (products of sums), m (Mathematica), mpl
/// (Maple), tables (.txt), flat (.txt of flip-graph programs), slp (assignments), sms (three files). The ending of OUT chooses, or
/// --to. With several inputs, a folder or a pattern, OUT is a folder.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wickring scheme convert laderman.m laderman.json\n  \
    wickring scheme convert 'catalogue/*.exp' converted --to flat\n  \
    wickring scheme convert strassen.json strassen_L.sms")]
pub struct ConvertArgs {
    /// Files, folders or patterns, and the file or folder to write (or that after --out).
    #[arg(required = true, num_args = 1.., value_names = ["IN", "OUT"])]
    paths: Vec<PathBuf>,
    /// The form; by default that of the ending of OUT.
    #[arg(long)]
    to: Option<String>,
    /// The tensor they are: matmul:N,M,P, polymul:A,B, another name, or a file; by default what the file says, else a guess.
    #[arg(long, visible_alias = "target")]
    tensor: Option<String>,
    /// Go on when a file cannot be read or written; exit 2 at the end all the same.
    #[arg(long)]
    keep_going: bool,
}

/// Runs the conversion.
pub fn run(args: &ConvertArgs, context: &Context) -> Result<Outcome, Error> {
    let target = args.tensor.as_deref().map(read_target).transpose()?;
    let (out, inputs) = match (&context.common.out, args.paths.split_last()) {
        (Some(out), _) => (out, args.paths.as_slice()),
        (None, Some((out, inputs))) if !inputs.is_empty() => (out, inputs),
        _ => {
            let what = "needs a second name, that of the file or folder to write";
            return Err(Error::invalid("scheme convert", what));
        }
    };
    let asked = args.to.as_deref().map(SchemeText::parse).transpose()?;
    let files = expand(inputs)?;
    let ending = out.extension().map(|e| e.to_string_lossy().into_owned());
    let by_ending = ending.as_deref().and_then(SchemeText::of_extension);
    let one = files.len() == 1
        && inputs.len() == 1
        && !inputs[0].is_dir()
        && ending.is_some()
        && !out.is_dir();
    let form = asked.or(by_ending.filter(|_| one)).ok_or_else(|| {
        let what = "the ending tells no form of schemes: say --to json, reduced, exp, m, mpl, tables, flat, slp or sms";
        Error::file(out.as_path(), "", what)
    })?;
    if let Some(other) = by_ending.filter(|o| one && o.extension() != form.extension()) {
        let problem = format!(
            "ends like the form {}, not like {}",
            other.name(),
            form.name()
        );
        return Err(Error::file(out.as_path(), "", problem));
    }
    if !one {
        std::fs::create_dir_all(out)
            .map_err(|e| Error::file(out.as_path(), "", format!("cannot be made a folder: {e}")))?;
    }
    let (mut records, mut text, mut failed) = (Vec::new(), String::new(), 0);
    let mut taken = BTreeSet::new();
    for file in &files {
        if context.should_stop() {
            return Err(Error::Stopped {
                op: "scheme convert",
            });
        }
        let place = |scheme: &Scheme, several: bool| match one && !several {
            true => out.clone(),
            false => {
                let stem = file
                    .file_stem()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                let stem = stem.strip_suffix("_L").unwrap_or(&stem).to_owned();
                let name: String = scheme
                    .name
                    .chars()
                    .map(|c| {
                        if c.is_ascii_alphanumeric() || "-x".contains(c) {
                            c
                        } else {
                            '_'
                        }
                    })
                    .collect();
                let name = if several {
                    format!("{stem}_{name}")
                } else {
                    stem
                };
                let folder = if one {
                    out.parent().unwrap_or(Path::new(""))
                } else {
                    out.as_path()
                };
                folder.join(format!("{name}.{}", form.extension()))
            }
        };
        match convert(file, target.as_ref(), form, context, &place, &mut taken) {
            Ok(Some(found)) => {
                text += &tell(
                    context,
                    &found.iter().flat_map(|f| f.1.clone()).collect::<Vec<_>>(),
                );
                records.extend(found.into_iter().map(|f| f.0));
            }
            Ok(None) => (),
            Err(e) if args.keep_going => {
                failed += 1;
                context.warn(&e.problem());
                records.push(json!({ "file": file.to_string_lossy(), "error": e.problem() }));
            }
            Err(e) => return Err(e),
        }
    }
    context.emit(
        &json!({ "form": form.name(), "schemes": records, "failed": failed }),
        &text,
    );
    Ok(if failed == 0 {
        Outcome::Certified
    } else {
        Outcome::NoClaim
    })
}

/// The schemes of one file, written; `None` for the second and third file of an SMS scheme.
fn convert(
    file: &Path,
    target: Option<&wickring::scheme::Target>,
    form: SchemeText,
    context: &Context,
    place: &dyn Fn(&Scheme, bool) -> PathBuf,
    taken: &mut BTreeSet<PathBuf>,
) -> Result<Option<Vec<(Value, Vec<PathBuf>)>>, Error> {
    let loaded = load(&[file.to_owned()])?;
    let mut found = Vec::new();
    for one in loaded {
        let several = one.schemes.len() > 1;
        if one.schemes.is_empty() {
            return Err(Error::file(file, "", "holds no sum of rank-one terms"));
        }
        for scheme in &one.schemes {
            let examined = examine_until(scheme, target, SchemeField::Auto, context.deadline());
            let (written, verdict) = match examined {
                Ok(e) if e.verdict != Verdict::Wrong => {
                    let mut turned = e.scheme;
                    turned.target = Some(e.target);
                    turned.modulo_two |= e.field == "mod 2";
                    (turned, "exact")
                }
                Err(e @ (Error::Stopped { .. } | Error::LimitExceeded { .. })) => return Err(e),
                _ => (scheme.clone(), "as it stands"),
            };
            let out = place(scheme, several);
            if !taken.insert(out.clone()) {
                if form == SchemeText::Sms || file.extension().is_some_and(|e| e == "sms") {
                    return Ok(None);
                }
                return Err(Error::file(
                    out.as_path(),
                    "",
                    "two schemes would be written to this file",
                ));
            }
            let same = |a: &Path, b: &Path| matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b);
            if same(&out, file) && !context.common.force {
                let problem =
                    "is the input and would be overwritten; choose another name, or add --force";
                return Err(Error::file(out.as_path(), "", problem));
            }
            let stem = out
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let texts = form.write(&written, &stem).map_err(|e| in_file(file, e))?;
            let paths = write_texts(&out, &texts)?;
            let record = json!({
                "file": file.to_string_lossy(), "name": scheme.name, "out": shown(&paths), "rank": written.rank(), "written": verdict,
                "target": written.target.as_ref().map(|t| t.name()), "modulo_two": written.modulo_two,
            });
            found.push((record, paths));
        }
    }
    Ok(Some(found))
}
