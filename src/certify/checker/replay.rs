//! Which kind of claim is replayed where, and the claims about polynomials.

use super::terms::{Checked, Machine};
use super::{moments, tensors};
use crate::certify::format::Verdict;
use crate::certify::json::{Json, malformed};
use crate::certify::numbers::Budget;
use dashu_ratio::RBig;

/// The verdict on one claim, which is paid from the budget.
pub(in crate::certify) fn claim(kind: &str, data: &Json, budget: &mut Budget) -> Checked<Verdict> {
    let mut machine = Machine::new(budget.clone());
    let verdict = replay(kind, data, &mut machine);
    *budget = machine.budget;
    verdict
}

fn replay(kind: &str, data: &Json, m: &mut Machine) -> Checked<Verdict> {
    match kind {
        "polynomial-identity" | "ideal-membership" | "sos" => algebra(kind, data, m),
        "gaussian-moments" => moments::replay(data, m),
        "cp-exact" | "ring-exact" | "numeric-residual" => tensors::replay(kind, data, m),
        _ => malformed(format!("there are no claims of kind {kind:.40?}")),
    }
}

/// `left = sum of a * b` over the pairs `[a, b]`; for sums of squares `left = sum of a * b^2`.
fn algebra(kind: &str, data: &Json, m: &mut Machine) -> Checked<Verdict> {
    let [left, right] = data.fields(["left", "right"])?;
    let (mut gap, mut unit, mut empty) = (m.read(left)?, false, true);
    let zero = gap.is_empty();
    for pair in right.list()? {
        let [x, y] = pair.list()? else {
            return malformed("the right side is a list of pairs");
        };
        let (mut a, b) = (m.read(x)?, m.read(y)?);
        if kind == "sos" {
            // The weight must be a number, or nothing would follow.
            if a.iter().any(|(e, c)| !e.is_empty() || *c < RBig::ZERO) {
                return Ok(Verdict::False(
                    "a weight is not a positive number".to_owned(),
                ));
            }
            a = m.mul(&a, &b)?;
        }
        unit |= a.len() == 1 && a.contains_key(&Vec::new()[..]);
        empty &= a.is_empty() || b.is_empty();
        m.add(&mut gap, true, &a, &b)?;
    }
    let same = matches!(right.list()?, [pair] if matches!(pair.list()?, [Json::Number("1"), y] if y == left));
    let written = matches!(left, Json::Number(_) | Json::Text(_))
        || matches!(left, Json::List(l) if l.len() == 1);
    Ok(match gap.first_key_value() {
        Some((e, _)) => Verdict::False(format!("{} terms differ, first at {e:?}", gap.len())),
        None if kind == "ideal-membership" && unit => {
            Verdict::Vacuous("a number generates everything".into())
        }
        None if same => Verdict::Vacuous("both sides are written alike".into()),
        None if zero && empty && (written || kind != "polynomial-identity") => {
            Verdict::Vacuous("zero is zero".into())
        }
        None if zero && kind == "ideal-membership" => {
            Verdict::Vacuous("zero is in every ideal".into())
        }
        None => Verdict::True(format!("equal over Q, {} products", right.list()?.len())),
    })
}
