//! `--out NAME.certificate.json`: what a command found, as a certificate that `wickring check` replays.

use super::input::Field;
use crate::context::Context;
use wickring::Error;
use wickring::certify::{Certificate, Claim, Limits, check};
use wickring::io::write_whole;

/// Steps of a replay: a certificate that is written is one that anybody checks in seconds.
const MAX_STEPS: u64 = 1 << 28;

/// Writes the claim where `--out` names a certificate, once it has been replayed.
///
/// # Errors
/// `File` when the field is not Q or Z, or the claim says nothing; `LimitExceeded` when its replay costs too much.
pub fn write(
    field: Field,
    context: &Context,
    claim: impl FnOnce() -> Result<Claim, Error>,
) -> Result<(), Error> {
    let Some(out) = context.certificate() else {
        return Ok(());
    };
    if !matches!(field, Field::Rationals | Field::Integers) {
        return refuse(context, "certificates of polynomials are over Q");
    }
    let text = Certificate::new().claim(claim()?).to_json();
    let limits = Limits {
        steps: MAX_STEPS,
        deadline: context.deadline(),
        ..Limits::default()
    };
    let report = check(&text, limits)?;
    if let Some(finding) = report.findings.iter().find(|f| !f.holds) {
        return refuse(
            context,
            &format!("the claim is {}: {}", finding.word(), finding.reason),
        );
    }
    write_whole(out, text.as_bytes())?;
    let shown = out.display();
    context.say(&format!("wrote {shown}; check it: wickring check {shown}"));
    Ok(())
}

/// Says why the certificate that `--out` names is not written; nothing when it names none.
///
/// # Errors
/// `File` with the reason.
pub fn refuse(context: &Context, why: &str) -> Result<(), Error> {
    match context.certificate() {
        Some(out) => Err(Error::file(out, "--out", format!("is not written: {why}"))),
        None => Ok(()),
    }
}
