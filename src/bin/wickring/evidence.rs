//! How evidence is printed: one JSON form and one table for every command.

use serde_json::{Map, Value, json};
use wickring::fit::{Check, Evidence, Fit, Role};

/// A number, or null where JSON has none: infinities and NaN.
pub fn number(x: f64) -> Value {
    if x.is_finite() { json!(x) } else { Value::Null }
}

/// The checks, each with its key, role and bound; `name` repeats `label` under its older key.
pub fn checks(all: &[Check]) -> Value {
    let one = |c: &Check| {
        json!({
            "key": c.key,
            "label": c.label,
            "name": c.label,
            "role": c.role.word(),
            "measured": number(c.measured),
            "allowed": number(c.allowed),
            "holds": c.holds(),
        })
    };
    all.iter().map(one).collect()
}

/// Residual, condition number and checks under the keys that all reports share, added to `report`; the
/// list stands under its older key `evidence` too.
pub fn extend(report: &mut Map<String, Value>, evidence: &Evidence) {
    let list = checks(&evidence.checks);
    report.insert("rel_residual".into(), number(evidence.rel_residual));
    report.insert("condition".into(), number(evidence.condition));
    report.insert("evidence".into(), list.clone());
    report.insert("checks".into(), list);
}

/// How a fit ended, as certificates state it: its status, and the first check that failed, in words.
pub fn stated<M>(fit: &Fit<M>) -> (&'static str, String) {
    let failed = fit.evidence.checks.iter().find(|c| !c.holds());
    let words = |c: &Check| {
        let (key, label, measured, allowed) = (c.key, &c.label, c.measured, c.allowed);
        format!("{key}: {label}: {measured:.3e}, at most {allowed:.3e}")
    };
    (fit.status.name(), failed.map(words).unwrap_or_default())
}

/// The checks line by line: a mark where a bound is broken, the label, the measured value and the bound.
pub fn table(all: &[Check]) -> String {
    let mut text = String::new();
    for c in all {
        let mark = if c.holds() { ' ' } else { '!' };
        let bound = if c.allowed.is_finite() {
            format!("  (at most {:.3e})", c.allowed)
        } else {
            String::new()
        };
        text += &format!("{mark} {:<70} {:>11.4e}{bound}\n", c.label, c.measured);
    }
    text
}

/// What a reader can do about the first check that failed: more rows and how many, another flag, another model. `rows` were learned
/// from. `None` when nothing failed.
pub fn what_to_do(evidence: &Evidence, rows: usize) -> Option<String> {
    let failed = evidence.first_failure()?;
    let (room, _) = failed.key.split_once('.').unwrap_or((failed.key, ""));
    let maps = matches!(room, "quadratic" | "radial" | "polynomial");
    let text = match failed.role {
        Role::Power if failed.key == "quadratic.noise-told" => {
            "bring more than r(r+1)/2 outputs, which show the noise by themselves, or give its size by --noise".into()
        }
        Role::Power => {
            // Deviations are seen in proportion to one over the root of the rows.
            let times = (failed.measured / failed.allowed).powi(2);
            format!(
                "nothing speaks against the model, but {rows} rows would only have shown a deviation of {:.2}: about {:.0} rows show one of {:.2}",
                failed.measured,
                (rows as f64 * times).ceil(),
                failed.allowed
            )
        }
        Role::Sampling | Role::Accuracy if maps => {
            "the rows are not those of such a map, or carry noise: try --noise auto for noisy outputs, --radial unknown for latents that \
             are not normal, --general for linear parts, learn polynomial for higher degrees, learn mixture for none of these"
                .into()
        }
        Role::Sampling | Role::Accuracy => {
            "the rows are not draws of this law: try more components (--components, --max-components), another --method, or transform \
             columns with long tails"
                .into()
        }
        Role::Conditioning => {
            "the model rests on too few rows or on columns that nearly follow from each other: bring more rows, or leave such columns out"
                .into()
        }
        Role::Uniqueness => "other models fit as well: bring more outputs, or ask for a smaller model".into(),
        Role::Search => "a better model may exist: allow more components or more starts".into(),
        _ => return None,
    };
    Some(text)
}
