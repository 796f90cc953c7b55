//! `wickring verify`: is this factorisation exactly the tensor that it claims to be?

use super::check::Emit;
use crate::context::{Context, Outcome};
use clap::Args;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use wickring::Error;
use wickring::certify::Certificate;
use wickring::certify::scheme::{
    Cost, Examination, RankTable, Scheme, SchemeField, SchemeFormat, Target, Verdict, examine,
    find_faults, read_lrp, read_schemes, schemes_from_arrays,
};
use wickring::io::{npy, npz, write_whole};

/// Is this factorisation exactly the tensor that it claims to be? Exact arithmetic over Z, Q, Q(i), F_p or
/// Q[x,1/x], in every way of storing the matrices.
///
/// Reads .json, .m, .mpl, .exp, Laurent .txt, .npz with plain arrays, and .sms triples (name one of X_L.sms,
/// X_R.sms, X_P.sms). Exit 0 if every scheme is exact (or, over Q[x,1/x], exact up to O(x)), 1 if one is wrong.
#[derive(Args)]
pub struct Verify {
    /// Files with schemes.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The tensor it should be: matmul:N,M,P, polymul:A,B, or a .npy file; by default what the file says.
    #[arg(long)]
    tensor: Option<String>,
    /// auto, Z, Q, Qi, F2, Fp:P or laurent.
    #[arg(long, default_value = "auto")]
    field: String,
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
        RankTable::parse(&read_text(path)?).map_err(|e| Error::file(path, "", e.to_string()))
    });
    let table = table.transpose()?;
    let (mut all, mut records) = (true, Vec::new());
    let mut certificate = Certificate::new();
    for file in load(&args.files)? {
        certificate = certificate.input(&file.path.display().to_string(), &file.bytes);
        for scheme in &file.schemes {
            if context.should_stop() {
                return Err(Error::Stopped { op: "verify" });
            }
            let found = examine(scheme, target.as_ref(), field).map_err(|e| {
                let place = if scheme.name.is_empty() {
                    String::new()
                } else {
                    format!("scheme {}", scheme.name)
                };
                Error::file(&file.path, place, e.to_string())
            })?;
            all &= found.verdict != Verdict::Wrong;
            let record = Record {
                path: &file.path,
                scheme,
                found: &found,
                args,
                table: table.as_ref(),
            };
            if args.emit.is_none() || context.common.out.is_some() {
                context.say(&record.text());
            }
            records.push(record.json());
            let claim = found.scheme.claim(&found.field, &found.target);
            match found.verdict {
                Verdict::Exact => certificate = certificate.claim(claim),
                Verdict::Border { order } => {
                    certificate = certificate.claim(claim.up_to_order(order))
                }
                _ => (),
            }
        }
    }
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
        context.emit(&json!({ "exact": all, "schemes": records }), "");
    }
    Ok(if all {
        Outcome::Certified
    } else {
        Outcome::Refuted
    })
}

struct Record<'a> {
    path: &'a Path,
    scheme: &'a Scheme,
    found: &'a Examination,
    args: &'a Verify,
    table: Option<&'a RankTable>,
}

impl Record<'_> {
    fn best(&self) -> Option<usize> {
        match self.found.target {
            Target::Matmul(dims) if self.found.verdict == Verdict::Exact => {
                self.table?.best(dims, &self.found.field)
            }
            _ => None,
        }
    }

    fn text(&self) -> String {
        let (found, scheme) = (self.found, self.scheme);
        let name = if scheme.name.is_empty() {
            String::new()
        } else {
            format!(" [{}]", scheme.name)
        };
        let what = format!(
            "{}{name}: {} in {} terms",
            self.path.display(),
            found.target.name(),
            scheme.rank()
        );
        let residual = &found.residual;
        let wrong = format!(
            "{} wrong entries, largest {:.3e}",
            residual.wrong_entries(),
            residual.largest()
        );
        let mut text = match &found.verdict {
            Verdict::Exact if found.field.starts_with("mod") && !residual.is_zero() => {
                format!(
                    "EXACT  {what}, {} only; over Z it is WRONG in {} entries",
                    found.field,
                    residual.wrong_entries()
                )
            }
            Verdict::Exact => format!("EXACT  {what} over {}", found.field),
            Verdict::Border { order } => {
                format!(
                    "BORDER {what}: not exact, but T + O(x^{order}); {} entries are off",
                    residual.wrong_entries()
                )
            }
            _ => {
                let first = residual.first_index().unwrap_or_default();
                let hint = if found.holds_modulo_two {
                    "; it holds mod 2, so only signs or even numbers are wrong"
                } else {
                    ""
                };
                format!(
                    "WRONG  {what} over {}: {wrong}, first at {first:?}{hint}",
                    found.field
                )
            }
        };
        if !found.convention().is_empty() {
            text += &format!(" ({})", found.convention());
        }
        if self.args.find_bad && found.verdict == Verdict::Wrong {
            match find_faults(&found.scheme, residual).first() {
                Some(fault) => text += &format!("\n       one fault explains it: {fault}"),
                None => text += "\n       no single vector explains it",
            }
        }
        if self.args.cost {
            let c = Cost::of(&found.scheme, &found.target);
            let exponent = c
                .exponent
                .map(|w| format!(", exponent {w:.4}"))
                .unwrap_or_default();
            text += &format!(
                "\n       cost: {} multiplications, {} additions, {} scalings, {} nonzeros{exponent}",
                c.multiplications, c.additions, c.scalings, c.nonzeros
            );
        }
        if let Some(best) = self.best() {
            let word = match scheme.rank().cmp(&best) {
                std::cmp::Ordering::Less => "better than the best known",
                std::cmp::Ordering::Equal => "equal to the best known",
                std::cmp::Ordering::Greater => "above the best known",
            };
            text += &format!("\n       rank {} is {word}, {best}", scheme.rank());
        }
        text
    }

    fn json(&self) -> Value {
        let (found, scheme) = (self.found, self.scheme);
        let (verdict, order) = match &found.verdict {
            Verdict::Exact => ("EXACT", None),
            Verdict::Border { order } => ("BORDER", Some(order)),
            _ => ("WRONG", None),
        };
        let format = match found.target {
            Target::Matmul(dims) => json!(dims),
            _ => Value::Null,
        };
        let mut record = json!({
            "file": self.path, "name": scheme.name, "verdict": verdict, "target": found.target.name(),
            "format": format, "rank": scheme.rank(), "field": found.field,
            "wrong_entries": found.residual.wrong_entries(), "largest_residual": found.residual.largest(),
            "error_order": order, "convention": found.convention(), "holds_mod_2": found.holds_modulo_two,
        });
        if self.args.find_bad && found.verdict == Verdict::Wrong {
            let faults = find_faults(&found.scheme, &found.residual);
            record["fault"] = faults.first().map_or(Value::Null, |f| {
                let repairs: Vec<_> = f.repairs.iter().map(|(at, found, wanted)| {
                    json!({ "position": at, "found": found.to_string(), "wanted": wanted.to_string() })
                }).collect();
                json!({ "text": f.to_string(), "term": f.term, "factor": f.factor, "negated": f.negated, "repairs": repairs })
            });
        }
        if self.args.cost {
            let c = Cost::of(&found.scheme, &found.target);
            record["cost"] = json!({
                "multiplications": c.multiplications, "additions": c.additions, "scalings": c.scalings,
                "nonzeros": c.nonzeros, "exponent": c.exponent,
            });
        }
        if self.table.is_some() {
            record["best_known"] = json!(self.best());
        }
        record
    }
}

struct Loaded {
    path: PathBuf,
    bytes: Vec<u8>,
    schemes: Vec<Scheme>,
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, Error> {
    let problem = |e: std::io::Error| Error::file(path, "", format!("cannot be read: {e}"));
    let size = fs::metadata(path).map_err(problem)?.len();
    if size > 1 << 28 {
        return Err(Error::file(
            path,
            "",
            "a scheme of more than 256 MB is not read",
        ));
    }
    fs::read(path).map_err(problem)
}

fn text_of(path: &Path, bytes: &[u8]) -> Result<String, Error> {
    let text = std::str::from_utf8(bytes);
    let text = text.map_err(|e| {
        Error::file(
            path,
            format!("byte {}", e.valid_up_to()),
            "is not UTF-8 text",
        )
    });
    Ok(text?.to_owned())
}

fn read_text(path: &Path) -> Result<String, Error> {
    text_of(path, &read_bytes(path)?)
}

fn read_target(text: &str) -> Result<Target, Error> {
    let path = Path::new(text);
    if path.extension().is_some_and(|e| e == "npy") {
        return Target::dense(npy::read(path)?.view());
    }
    Target::parse(text)
}

fn load(paths: &[PathBuf]) -> Result<Vec<Loaded>, Error> {
    let mut loaded: Vec<Loaded> = Vec::new();
    for path in paths {
        let name = path
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        let stem = name.rsplit_once('.').map_or(&name[..], |(stem, _)| stem);
        let extension = path
            .extension()
            .map(|e| e.to_string_lossy().to_ascii_lowercase())
            .unwrap_or_default();
        let in_file = |e: Error| Error::file(path, "", e.to_string());
        let (path, bytes, schemes) = match extension.as_str() {
            "sms" => {
                let whole = stem
                    .strip_suffix(['L', 'R', 'P'])
                    .filter(|s| s.ends_with(['_', '-', '.']));
                let whole = whole.ok_or_else(|| {
                    Error::file(
                        path,
                        "",
                        "an SMS scheme is three files X_L.sms, X_R.sms and X_P.sms",
                    )
                })?;
                let sibling = |k: char| path.with_file_name(format!("{whole}{k}.sms"));
                let first = sibling('L');
                if loaded.iter().any(|l| l.path == first) {
                    continue;
                }
                let parts = [
                    read_bytes(&first)?,
                    read_bytes(&sibling('R'))?,
                    read_bytes(&sibling('P'))?,
                ];
                let [l, r, p] = [
                    text_of(&first, &parts[0])?,
                    text_of(path, &parts[1])?,
                    text_of(path, &parts[2])?,
                ];
                (
                    first,
                    parts.concat(),
                    vec![read_lrp(&l, &r, &p, stem).map_err(in_file)?],
                )
            }
            "npz" => {
                let arrays = npz::read(path).map_err(plain_arrays)?;
                let schemes = schemes_from_arrays(&arrays, stem).map_err(in_file)?;
                (path.clone(), read_bytes(path)?, schemes)
            }
            other => {
                let known = "expected .json, .m, .mpl, .exp, .txt, .sms or .npz";
                let format = SchemeFormat::of_extension(other)
                    .ok_or_else(|| Error::file(path, "", known))?;
                let bytes = read_bytes(path)?;
                let schemes =
                    read_schemes(&text_of(path, &bytes)?, format, stem).map_err(in_file)?;
                (path.clone(), bytes, schemes)
            }
        };
        loaded.push(Loaded {
            path,
            bytes,
            schemes,
        });
    }
    Ok(loaded)
}

/// Pickled objects would run code of the file's author: say how to convert them.
fn plain_arrays(e: Error) -> Error {
    match e {
        Error::File {
            path,
            place,
            problem,
        } if problem.contains("object") || problem.contains("|O") => {
            let hint = "; convert once in Python: d = np.load(f, allow_pickle=True); np.savez(g, **{f'{k}_{x}': \
                        np.array(a, dtype=float) for k in d for x, a in zip('uvw', d[k])})";
            Error::File {
                path,
                place,
                problem: problem + hint,
            }
        }
        other => other,
    }
}
