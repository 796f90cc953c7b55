//! What `wickring verify` says of one scheme or ring, as text and as JSON.

use serde_json::{Value, json};
use std::path::Path;
use std::time::Instant;
use wickring::Error;
use wickring::certify::{Claim, Limits, prove_border_rank};
use wickring::scheme::{
    Adjoined, Cost, Examination, Fault, KnownRanks, RationalRing, Residual, Scheme, Target,
    Verdict, find_faults,
};

/// What the flags ask for beside the verdict.
pub struct Wishes<'a> {
    /// Name a fault.
    pub find_bad: bool,
    /// Count operations.
    pub cost: bool,
    /// Accept this relative residual.
    pub tol: Option<f64>,
    /// Best known ranks.
    pub table: Option<&'a KnownRanks>,
    /// State claims for a certificate.
    pub claims: bool,
    /// When to stop.
    pub deadline: Option<Instant>,
}

/// Numbers that a claim may list.
const MAX_CLAIM: usize = 1 << 22;
/// Entries of a target, and of its flattenings, for a lower bound of its border rank.
const MAX_BOUNDED: usize = 1 << 14;
/// Terms times wrong entries that a search for a fault may look at.
const MAX_SEARCH: usize = 1 << 26;

/// How a finding stands, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Good {
    /// The claim holds, exactly or as asked for.
    Yes,
    /// It does not, but nobody made it: the target was guessed.
    Unclaimed,
    /// It does not.
    No,
}

/// One finding.
pub struct Row {
    /// For people.
    pub text: String,
    /// For programs.
    pub json: Value,
    /// Whether the claim holds.
    pub good: Good,
    /// What a certificate may say.
    pub claim: Option<Claim>,
    /// Why there is no claim although one was asked for.
    pub no_claim: Option<String>,
}

/// The claim, unless it was not asked for or is too large to be written down.
fn stated(
    wishes: &Wishes<'_>,
    size: usize,
    claim: impl FnOnce() -> Option<Claim>,
) -> (Option<Claim>, Option<String>) {
    if !wishes.claims {
        return (None, None);
    }
    if size > MAX_CLAIM {
        let why = format!("no claim is written: it would list {size} numbers, at most {MAX_CLAIM}");
        return (None, Some(why));
    }
    (claim(), None)
}

/// A finding about a sum of rank-one terms.
pub fn scheme_row(path: &Path, scheme: &Scheme, found: &Examination, wishes: &Wishes<'_>) -> Row {
    let rational =
        !found.field.starts_with("mod") && !matches!(found.verdict, Verdict::Border { .. });
    let bound = rational.then(|| found.residual.relative_bound(&found.target));
    let wrong = found.verdict == Verdict::Wrong;
    let within = wrong && within(bound, wishes.tol);
    let record = Record {
        path,
        scheme,
        found,
        wishes,
        bound,
        within,
        lower: lower_bound(found, wishes),
    };
    let size = found.scheme.claim_size(&found.target);
    let complex =
        found.scheme.adjoined == Adjoined::I || matches!(found.target, Target::Complex(..));
    let (claim, no_claim) = stated(wishes, size, || {
        let exact = || found.scheme.claim(&found.field, &found.target);
        match (&found.verdict, bound) {
            (Verdict::Exact, _) => Some(exact()),
            (Verdict::Border { order }, _) => Some(exact().up_to_order(*order)),
            (_, Some(bound)) if within && !complex => {
                Some(found.scheme.residual_claim(&found.target, bound))
            }
            _ => None,
        }
    });
    let no_claim = match claim.is_none() && within && complex && wishes.claims {
        true => Some("no claim is written: claims about residuals are about real models".into()),
        false => no_claim,
    };
    let good = match (!wrong || within, found.target_guessed) {
        (true, _) => Good::Yes,
        (_, true) => Good::Unclaimed,
        _ => Good::No,
    };
    Row {
        text: record.text(),
        json: record.json(),
        good,
        claim,
        no_claim,
    }
}

/// A lower bound of the border rank of the target over C, where it costs no more than some milliseconds and the
/// scheme is one over a field in C.
fn lower_bound(found: &Examination, wishes: &Wishes<'_>) -> Option<usize> {
    let target = &found.target;
    let good = matches!(found.verdict, Verdict::Exact | Verdict::Border { .. });
    let volume = target
        .shape()
        .iter()
        .try_fold(1usize, |v, n| v.checked_mul(*n))?;
    if !good || found.field.starts_with("mod") || volume > MAX_BOUNDED {
        return None;
    }
    let limits = Limits {
        steps: 1 << 24,
        deadline: wishes.deadline,
        ..Limits::default()
    };
    let bound = prove_border_rank(&target.claimed(), MAX_BOUNDED, limits);
    bound
        .ok()
        .map(|(bound, _)| bound)
        .filter(|bound| *bound > 0)
}

fn within(bound: Option<f64>, tol: Option<f64>) -> bool {
    bound.zip(tol).is_some_and(|(bound, tol)| bound <= tol)
}

/// A finding about a ring or train.
///
/// # Errors
/// `Shape` when it does not fit the target, `LimitExceeded`; `InvalidInput` without a target.
pub fn ring_row(
    path: &Path,
    ring: &RationalRing,
    target: Option<&Target>,
    wishes: &Wishes<'_>,
) -> Result<Row, Error> {
    let kind = if ring.is_train() { "train" } else { "ring" };
    let missing = || Error::invalid("verify", format!("a {kind} needs --tensor FILE.npy"));
    let target = target.ok_or_else(missing)?;
    let residual = ring.residual_until(target, wishes.deadline)?;
    let bound = residual.relative_bound(target);
    let within = within(Some(bound), wishes.tol);
    let (word, good) = match (residual.is_zero(), within) {
        (true, _) => ("EXACT", Good::Yes),
        (_, true) => ("WITHIN", Good::Yes),
        _ => ("WRONG", Good::No),
    };
    let (claim, no_claim) = stated(wishes, ring.claim_size(target), || match word {
        "EXACT" => Some(ring.claim(target)),
        "WITHIN" => Some(ring.residual_claim(target, bound)),
        _ => None,
    });
    let what = format!(
        "{}: {} as a {kind} of ranks {:?} over {}",
        path.display(),
        target.name(),
        ring.ranks(),
        ring.field()
    );
    let text = match residual.is_zero() {
        true => format!("EXACT  {what}"),
        false => format!(
            "{word:<6} {what}: {}",
            gap_words(&residual, residual.wrong_entries(), Some(bound))
        ),
    };
    let json = json!({
        "file": path.to_string_lossy(), "name": ring.name, "model": kind, "verdict": word, "target": target.name(),
        "format": Value::Null, "rank": ring.ranks().iter().max(), "ranks": ring.ranks(), "field": ring.field(),
        "wrong_entries": residual.wrong_entries(), "largest_residual": residual.largest(),
        "rel_residual": bound, "error_order": Value::Null, "convention": "", "holds_mod_2": Value::Null,
        "target_guessed": false,
    });
    Ok(Row {
        text,
        json,
        good,
        claim,
        no_claim,
    })
}

/// How many entries are wrong, by how much, and where.
fn gap_words(residual: &Residual, wrong: usize, bound: Option<f64>) -> String {
    let first = residual.first_index().unwrap_or_default();
    let relative = match bound {
        Some(bound) if bound.is_finite() => format!(", relative residual {bound:.3e}"),
        _ => String::new(),
    };
    let largest = residual.largest();
    format!("{wrong} wrong entries, largest {largest:.3e}{relative}, first at {first:?}")
}

struct Record<'a> {
    path: &'a Path,
    scheme: &'a Scheme,
    found: &'a Examination,
    wishes: &'a Wishes<'a>,
    /// Of the relative residual, where there is one.
    bound: Option<f64>,
    within: bool,
    /// A lower bound of the border rank of the target.
    lower: Option<usize>,
}

impl Record<'_> {
    /// Wrong entries in the field of the verdict.
    fn wrong_entries(&self) -> usize {
        let found = self.found;
        let prime = found
            .field
            .strip_prefix("mod ")
            .and_then(|p| p.parse().ok());
        let rest = prime.filter(|_| found.verdict == Verdict::Wrong);
        let rest = rest.and_then(|p| found.residual.modulo(p));
        rest.as_ref().unwrap_or(&found.residual).wrong_entries()
    }

    /// The likeliest fault, unless the search would be long.
    fn fault(&self) -> Result<Option<Fault>, &'static str> {
        let found = self.found;
        let work = found.scheme.rank().saturating_mul(found.residual.terms());
        match work > MAX_SEARCH {
            true => Err("too many terms are wrong to look for one fault"),
            false => Ok(find_faults(&found.scheme, &found.residual)
                .into_iter()
                .next()),
        }
    }

    fn best(&self) -> Option<usize> {
        match self.found.target {
            Target::Matmul(dims) if self.found.verdict == Verdict::Exact => {
                self.wishes.table?.best(dims, &self.found.field)
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
                let hint = if found.holds_modulo_two && !found.field.starts_with("mod") {
                    "; it holds mod 2 (--field F2), so only signs or even numbers are wrong"
                } else {
                    ""
                };
                let gap = gap_words(residual, self.wrong_entries(), self.bound);
                let word = match (self.within, found.target_guessed) {
                    (true, _) => "WITHIN",
                    (_, true) => "NO CLAIM, and not",
                    _ => "WRONG ",
                };
                format!("{word} {what} over {}: {gap}{hint}", found.field)
            }
        };
        if found.target_guessed {
            text += ", the target guessed from the sizes";
        }
        if !found.convention().is_empty() {
            text += &format!(" ({})", found.convention());
        }
        if self.wishes.find_bad && found.verdict == Verdict::Wrong {
            text += &match self.fault() {
                Ok(Some(fault)) => format!("\n       one fault explains it: {fault}"),
                Ok(None) => "\n       no single vector explains it".to_owned(),
                Err(why) => format!("\n       {why}"),
            };
        }
        if self.wishes.cost {
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
        if let Some(bound) = self.lower {
            let rank = scheme.rank();
            text += &match rank == bound {
                true => format!("\n       border rank at least {bound}: no scheme has fewer terms"),
                false => {
                    format!("\n       border rank at least {bound}, this scheme has {rank} terms")
                }
            };
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
            _ if self.within => ("WITHIN", None),
            _ if found.target_guessed => ("NO CLAIM", None),
            _ => ("WRONG", None),
        };
        let format = match found.target {
            Target::Matmul(dims) => json!(dims),
            _ => Value::Null,
        };
        let mut record = json!({
            "file": self.path, "name": scheme.name, "model": "cp", "verdict": verdict, "target": found.target.name(),
            "format": format, "rank": scheme.rank(), "field": found.field,
            "wrong_entries": self.wrong_entries(), "largest_residual": found.residual.largest(),
            "rel_residual": self.bound.filter(|b| b.is_finite()),
            "error_order": order, "convention": found.convention(), "holds_mod_2": found.holds_modulo_two,
            "target_guessed": found.target_guessed, "border_rank_at_least": self.lower,
        });
        if self.wishes.find_bad && found.verdict == Verdict::Wrong {
            record["fault"] = self.fault().ok().flatten().map_or(Value::Null, |f| {
                let repairs: Vec<_> = f.repairs.iter().map(|(at, found, wanted)| {
                    json!({ "position": at, "found": found.to_string(), "wanted": wanted.to_string() })
                }).collect();
                json!({ "text": f.to_string(), "term": f.term, "factor": f.factor, "negated": f.negated, "repairs": repairs })
            });
        }
        if self.wishes.cost {
            let c = Cost::of(&found.scheme, &found.target);
            record["cost"] = json!({
                "multiplications": c.multiplications, "additions": c.additions, "scalings": c.scalings,
                "nonzeros": c.nonzeros, "exponent": c.exponent,
            });
        }
        if self.wishes.table.is_some() {
            record["best_known"] = json!(self.best());
        }
        record
    }
}
