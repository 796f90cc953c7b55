//! `wickring check`: replay certificates with the small independent checker.

use crate::context::{Context, Outcome};
use clap::{Args, ValueEnum};
use serde_json::json;
use std::io::Read;
use std::path::{Path, PathBuf};
use wickring::Error;
use wickring::certify::{self, Language, Limits};
use wickring::io::write_whole;

/// Replay certificates with the small independent checker, which trusts nothing but the file: exit 0 if
/// every claim is true, 1 if one is false, 2 if a file is not a well-formed certificate.
#[derive(Args)]
pub struct Check {
    /// Certificates (JSON); '-' reads standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
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
    /// Lean 4 with Mathlib; identities only.
    Lean,
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
    };
    let (mut all, mut text, mut reports) = (true, String::new(), Vec::new());
    for path in &args.files {
        let report = certify::check(&read(path, limits.bytes)?, limits)
            .map_err(|e| Error::file(path, "", e.to_string()))?;
        all &= report.holds();
        for finding in &report.findings {
            let word = if finding.holds { "TRUE " } else { "FALSE" };
            let about = match finding.about.as_str() {
                "" => String::new(),
                words => format!(" (said to be about: {})", words.escape_debug()),
            };
            let (kind, reason) = (&finding.kind, &finding.reason);
            text += &format!("{word} {kind}: {reason}{about}\n");
        }
        let findings: Vec<_> = report
            .findings
            .iter()
            .map(|f| json!({ "kind": f.kind, "about": f.about, "holds": f.holds, "reason": f.reason }))
            .collect();
        let inputs: Vec<_> = report
            .inputs
            .iter()
            .map(|(path, sha256)| json!({ "path": path, "sha256": sha256 }))
            .collect();
        reports.push(json!({
            "file": path, "holds": report.holds(), "producer": report.producer,
            "inputs": inputs, "claims": findings,
        }));
    }
    if let Some(language) = args.emit {
        let [path] = &args.files[..] else {
            return Err(Error::invalid("--emit", "takes one certificate at a time"));
        };
        if all {
            language.write(&read(path, limits.bytes)?, context)?;
            return Ok(Outcome::Certified);
        }
    }
    context.emit(&json!({ "holds": all, "certificates": reports }), &text);
    Ok(if all {
        Outcome::Certified
    } else {
        Outcome::Refuted
    })
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
