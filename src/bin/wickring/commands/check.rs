//! `wickring check`: replay certificates with the small independent checker.

use super::check_tensors::{compare_held, held_tensors, offered};
use crate::commands::learn::held_out::columns;
use crate::context::{Context, Outcome};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::io::Read;
use std::path::{Path, PathBuf};
use wickring::Error;
use wickring::certify::{self, Finding, Language, Limits, Report, TensorData};
use wickring::io::samples::{Samples, digest};
use wickring::io::write_whole;
use wickring::tensor::Tensor;

/// Replay certificates with the small independent checker, which trusts nothing but the file: exit 0 if
/// every claim is true and says something, 1 if one is false or a file of --data is not what was used, 2 if a
/// file is not a well-formed certificate, 3 if a claim is vacuous (it would hold for zeros as well) or open (it
/// needs a file that --data does not name) or undecided (its data are too little to show that it is true), or if checking costs more than allowed.
#[derive(Args)]
pub struct Check {
    /// Certificates (JSON); '-' reads standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Compare these files with the digests of the inputs that the certificates name, and replay with them the claims
    /// that hold only the digest of their tensor.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    data: Vec<PathBuf>,
    /// After checking, write the claims of the one certificate for another system, to --out or to standard output.
    #[arg(long, value_enum)]
    emit: Option<Emit>,
    /// Refuse certificates of more bytes than this.
    #[arg(long, default_value_t = Limits::default().bytes)]
    max_bytes: usize,
    /// Give up after this many word operations.
    #[arg(long, default_value_t = Limits::default().steps)]
    max_steps: u64,
}

/// Another system that can replay a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Emit {
    /// Lean 4 with Mathlib: identities, and a theorem over any ring for each scheme.
    Lean,
    /// Lean 4 without any library: schemes as tables that its kernel decides.
    LeanCore,
    /// Coq; identities only.
    Coq,
    /// Sage.
    Sage,
    /// Python 3, standard library only.
    Python,
}

impl Emit {
    /// Writes a certificate for the other system, to `--out` or to standard output.
    pub fn write(self, certificate: &str, context: &Context) -> Result<(), Error> {
        let language = match self {
            Self::Lean => Language::Lean,
            Self::LeanCore => Language::LeanCore,
            Self::Coq => Language::Coq,
            Self::Sage => Language::Sage,
            Self::Python => Language::Python,
        };
        let text = certify::emit(certificate, language)?;
        match &context.common.out {
            Some(path) => {
                write_whole(path, text.as_bytes())?;
                context.say(&format!("wrote {}", path.display()));
            }
            None => context.emit(&json!({ "text": text }), &text),
        }
        Ok(())
    }
}

/// Runs `wickring check`.
pub fn run(args: &Check, context: &Context) -> Result<Outcome, Error> {
    let limits = Limits {
        bytes: args.max_bytes,
        steps: args.max_steps,
        deadline: context.deadline(),
    };
    let data = args.data.iter().map(|path| Ok((path, digest(path)?)));
    let data = data.collect::<Result<Vec<_>, Error>>()?;
    let (mut refuted, mut open, mut text) = (false, false, String::new());
    let (mut reports, mut tensors) = (Vec::new(), None);
    for path in &args.files {
        let checked = read(path, limits.bytes).and_then(|certificate| {
            let report = certify::check(&certificate, limits)?;
            if args.data.is_empty() || !report.findings.iter().any(|f| f.open) {
                return Ok(report);
            }
            let columns = sampled_columns(&certificate);
            let samples = match columns.is_empty() {
                true => Vec::new(),
                false => samples(&args.data, &data, &report, &columns, &mut text),
            };
            let tensors = match report.findings.iter().any(|f| f.open && f.kind == ROUNDED) {
                true => &tensors.get_or_insert_with(|| offered(&args.data, &mut text))[..],
                false => &[],
            };
            let both = tensors.iter().chain(&samples).map(|t| TensorData {
                shape: t.dims(),
                entries: t.as_slice(),
            });
            certify::check_with(&certificate, limits, &both.collect::<Vec<_>>())
        });
        let report = match checked {
            Ok(report) => report,
            // The file may be right; nobody knows.
            Err(e @ (Error::LimitExceeded { .. } | Error::Stopped { .. })) => {
                text += &format!("UNKNOWN {}: {}\n", path.display(), e.problem());
                reports.push(
                    json!({ "file": path.to_string_lossy(), "holds": null, "reason": e.problem() }),
                );
                open = true;
                continue;
            }
            Err(e @ Error::File { .. }) => return Err(e),
            Err(e) => return Err(Error::file(path, "", e.problem())),
        };
        refuted |= report.refuted();
        open |= !report.holds();
        text += &words(&report);
        let (lines, compared, differ) = compare(&report.inputs, &data);
        refuted |= differ;
        text += &lines;
        if !data.is_empty() && path != Path::new("-") {
            let certificate = read(path, limits.bytes)?;
            let held = held_tensors(&certificate);
            if !held.is_empty() {
                let tensors = tensors.get_or_insert_with(|| offered(&args.data, &mut text));
                let (lines, differ, hidden) = compare_held(&held, tensors);
                text += &lines;
                refuted |= differ;
                open |= hidden;
            }
        }
        let mut object = object(path, &report);
        if !data.is_empty() {
            object["data"] = compared;
        }
        reports.push(object);
    }
    let outcome = match (refuted, open) {
        (true, _) => Outcome::Refuted,
        (_, true) => Outcome::NotCertified,
        _ => Outcome::Certified,
    };
    if let Some(language) = args.emit {
        let [path] = &args.files[..] else {
            return Err(Error::invalid("--emit", "takes one certificate at a time"));
        };
        if outcome == Outcome::Certified {
            language.write(&read(path, limits.bytes)?, context)?;
            return Ok(Outcome::Certified);
        }
    }
    let all = outcome == Outcome::Certified;
    context.emit(&json!({ "holds": all, "certificates": reports }), &text);
    Ok(outcome)
}

/// What was found, a line for the fit and one for each claim.
fn words(report: &Report) -> String {
    let mut text = String::new();
    if let Some(fit) = &report.fit {
        let failed = match fit.failed.as_str() {
            "" => String::new(),
            words => format!("; it failed: {}", words.escape_debug()),
        };
        let status = fit.status.escape_debug();
        text += &format!("FIT     said to be {status}{failed}\n");
    }
    for finding in &report.findings {
        let about = match finding.about.as_str() {
            "" => String::new(),
            words => format!(" (said to be about: {})", words.escape_debug()),
        };
        let (word, kind, reason) = (finding.word(), &finding.kind, &finding.reason);
        text += &format!("{word:<7} {kind}: {reason}{about}\n");
    }
    text
}

/// The same for programs.
fn object(path: &Path, report: &Report) -> Value {
    let finding = |f: &Finding| {
        json!({
            "kind": f.kind, "about": f.about, "verdict": f.word(), "holds": f.holds, "reason": f.reason,
        })
    };
    let findings: Vec<_> = report.findings.iter().map(finding).collect();
    let input = |(path, sha256): &(String, String)| json!({ "path": path, "sha256": sha256 });
    let inputs: Vec<_> = report.inputs.iter().map(input).collect();
    let fit = report.fit.as_ref();
    let fit = fit.map(|f| json!({ "status": f.status, "failed": f.failed }));
    json!({
        "file": path.to_string_lossy(), "holds": report.holds(), "producer": report.producer, "fit": fit,
        "inputs": inputs, "claims": findings,
    })
}

const ROUNDED: &str = "rounded-residual";

/// The columns that claims about held-out samples name.
fn sampled_columns(certificate: &str) -> Vec<Vec<usize>> {
    let whole: Value = serde_json::from_str(certificate).unwrap_or_default();
    let claims = whole["claims"].as_array().cloned().unwrap_or_default();
    let sampled = claims.iter().filter(|c| c["kind"] == "held-out-cumulants");
    let column = |c: &Value| c.as_u64().map(|c| c as usize);
    let listed = |c: &Value| -> Option<Vec<usize>> {
        c["data"]["columns"]
            .as_array()?
            .iter()
            .map(column)
            .collect()
    };
    sampled.filter_map(listed).collect()
}

/// The columns of the samples in the files, in the order in which the certificate names them.
fn samples(
    paths: &[PathBuf],
    digests: &[(&PathBuf, String)],
    report: &Report,
    wanted: &[Vec<usize>],
    text: &mut String,
) -> Vec<Tensor> {
    let place = |path: &PathBuf| {
        let digest = digests.iter().find(|d| d.0 == path).map(|d| &d.1);
        let input = |i: &(String, String)| Some(&i.1) == digest;
        report.inputs.iter().position(input).unwrap_or(usize::MAX)
    };
    let mut paths: Vec<&PathBuf> = paths.iter().collect();
    paths.sort_by_key(|path| place(path));
    let read = || {
        let samples = Samples::open(&paths)?;
        let inside = |c: &&Vec<usize>| c.iter().all(|&c| c < samples.columns());
        let one =
            |c: &Vec<usize>| Tensor::from_vec(&[samples.rows(), c.len()], columns(&samples, c)?);
        wanted
            .iter()
            .filter(inside)
            .map(one)
            .collect::<Result<Vec<_>, Error>>()
    };
    read().unwrap_or_else(|e| {
        *text += &format!("NOTE    no samples: {}\n", e.problem());
        Vec::new()
    })
}

/// Files against the inputs by their digests, and whether a file is none of them.
fn compare(inputs: &[(String, String)], data: &[(&PathBuf, String)]) -> (String, Value, bool) {
    let (mut text, mut rows, mut differ) = (String::new(), Vec::new(), false);
    for (path, sha256) in data {
        let input = inputs.iter().find(|i| i.1 == *sha256);
        differ |= input.is_none();
        text += &match input {
            Some((name, _)) => format!("SAME    {} is the input {name:?}\n", path.display()),
            None => format!("DIFFERS {} has the bytes of no input\n", path.display()),
        };
        let name = input.map(|i| &i.0);
        rows.push(json!({ "file": path.to_string_lossy(), "sha256": sha256, "input": name }));
    }
    for (name, sha256) in inputs {
        if !data.is_empty() && !data.iter().any(|d| d.1 == *sha256) {
            text += &format!("ABSENT  the input {name:?} was not compared\n");
        }
    }
    (text, json!(rows), differ)
}

fn read(path: &Path, limit: usize) -> Result<String, Error> {
    let problem = |e: std::io::Error| Error::file(path, "", e.to_string());
    let mut bytes = Vec::new();
    let most = limit as u64 + 1;
    if path == Path::new("-") {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        let file = std::fs::File::open(path).map_err(problem)?;
        file.take(most).read_to_end(&mut bytes)
    }
    .map_err(problem)?;
    String::from_utf8(bytes).map_err(|e| {
        let place = format!("byte {}", e.utf8_error().valid_up_to());
        Error::file(path, place, "a certificate is UTF-8 text")
    })
}
