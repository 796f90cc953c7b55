//! Expression trees of certificates as formulas of other systems.

use super::provers::Language;
use crate::Error;
use serde_json::Value;
use std::collections::BTreeSet;

const OP: &str = "certify::emit";
const MAX_WRITTEN: usize = 1 << 24;

/// An identifier that is no keyword anywhere; different names stay different.
fn variable(name: &str) -> String {
    if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return format!("v_{name}");
    }
    let hex: String = name.bytes().map(|b| format!("{b:02x}")).collect();
    format!("w_{hex}")
}

/// Whether a text names a variable, by its first character.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || !c.is_ascii())
}

pub(super) fn variables(tree: &Value, found: &mut BTreeSet<String>) {
    match tree {
        Value::String(s) if is_name(s) => {
            found.insert(variable(s));
        }
        Value::Array(items) => items.iter().skip(1).for_each(|t| variables(t, found)),
        _ => (),
    }
}

/// A rational in the notation of a language.
fn number(text: &str, language: Language) -> String {
    let (n, d) = text.split_once('/').unwrap_or((text, "1"));
    match (language, d) {
        (_, "1") if n.starts_with('-') => format!("({n})"),
        (_, "1") => n.to_owned(),
        (Language::Coq, _) => format!("({n} # {d})"),
        _ => format!("({n} / {d})"),
    }
}

/// A formula for the tree, powers written out as products so that every ring tactic reads them.
pub(super) fn formula(tree: &Value, language: Language) -> Result<String, Error> {
    let wrong = || Error::invalid(OP, "a malformed expression: check the certificate first");
    let text = match tree {
        Value::String(s) if is_name(s) => variable(s),
        Value::String(s) => number(s, language),
        Value::Number(n) => number(&n.to_string(), language),
        Value::Array(items) => {
            let (op, args) = items.split_first().ok_or_else(wrong)?;
            let parts = |args: &[Value]| {
                args.iter()
                    .map(|a| formula(a, language))
                    .collect::<Result<Vec<_>, _>>()
            };
            match (op.as_str(), args) {
                (Some("+"), []) => "0".to_owned(),
                (Some("*"), []) => "1".to_owned(),
                (Some("+"), _) => format!("({})", parts(args)?.join(" + ")),
                (Some("*"), _) => format!("({})", parts(args)?.join(" * ")),
                (Some("^"), [base, exponent]) => {
                    let n = exponent.as_u64().filter(|&n| n <= 4096).ok_or_else(wrong)? as usize;
                    let base = formula(base, language)?;
                    if base.len() * n > MAX_WRITTEN {
                        return Err(Error::limit(OP, "bytes", MAX_WRITTEN as u64));
                    }
                    if n == 0 {
                        "1".to_owned()
                    } else if language == Language::Sage {
                        format!("({base}^{n})")
                    } else {
                        format!("({})", vec![base; n].join(" * "))
                    }
                }
                _ => return Err(wrong()),
            }
        }
        _ => return Err(wrong()),
    };
    if text.len() > MAX_WRITTEN {
        return Err(Error::limit(OP, "bytes", MAX_WRITTEN as u64));
    }
    Ok(text)
}
