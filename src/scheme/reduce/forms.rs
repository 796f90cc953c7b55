//! Linear forms computed through fresh variables, and their elimination over the rationals.

use super::ternary::{MAX_VARIABLES, Table};
use crate::poly::Rational;
use crate::scheme::search::vectors::Dice;
use num_traits::{One, Zero};
use std::collections::BTreeMap;

/// A form: variables with coefficients.
pub(crate) type Form = Vec<(usize, Rational)>;

/// Pairs of entries that are counted in one elimination of rational rows at most.
const MAX_PAIRS: usize = 1 << 22;

/// Forms over `inputs` variables. Fresh variable `k` has the number `inputs + k` and uses earlier ones only.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Forms {
    pub(crate) inputs: usize,
    pub(crate) fresh: Vec<Form>,
    pub(crate) rows: Vec<Form>,
}

impl Forms {
    /// The rows as they are.
    pub(crate) fn plain(rows: Vec<Form>, inputs: usize) -> Self {
        Self {
            inputs,
            fresh: Vec::new(),
            rows,
        }
    }

    fn all(&self) -> impl Iterator<Item = &Form> {
        self.fresh.iter().chain(&self.rows)
    }

    /// Additions and subtractions.
    pub(crate) fn additions(&self) -> usize {
        self.all().map(|f| f.len().saturating_sub(1)).sum()
    }

    /// Products by constants other than 1 and -1.
    pub(crate) fn scalings(&self) -> usize {
        let entries = self.all().flatten();
        entries.filter(|(_, c)| !c.abs().is_one()).count()
    }

    /// The rows over the inputs, fresh variables put in.
    pub(crate) fn expanded(&self) -> Vec<BTreeMap<usize, Rational>> {
        let mut known: Vec<BTreeMap<usize, Rational>> = Vec::new();
        for form in self.all() {
            let mut sum = BTreeMap::<usize, Rational>::new();
            for (v, c) in form {
                match v.checked_sub(self.inputs).and_then(|k| known.get(k)) {
                    Some(part) => part
                        .iter()
                        .for_each(|(u, d)| *sum.entry(*u).or_default() += &(c * d)),
                    None => *sum.entry(*v).or_default() += c,
                }
            }
            sum.retain(|_, c| !c.is_zero());
            known.push(sum);
        }
        known.split_off(self.fresh.len())
    }

    /// Rows over the inputs with common sums taken out: the fewest additions of `tries` eliminations, of which the first is made
    /// whatever `go_on` says. More than a thousand variables are left as they are.
    pub(crate) fn eliminated(
        rows: &[Form],
        inputs: usize,
        plan: Tries,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Self {
        let mut best = Self::plain(rows.to_vec(), inputs);
        if inputs > MAX_VARIABLES / 2 {
            return best;
        }
        let signs: Option<Vec<Vec<(usize, i8)>>> = rows
            .iter()
            .map(|r| r.iter().map(|(v, c)| Some((*v, sign(c)?))).collect())
            .collect();
        for trial in 0..plan.count {
            if trial > 0 && !go_on() {
                break;
            }
            let mut dice = Dice::new(plan.seed, trial);
            let found = match &signs {
                Some(s) if rows.len() <= 64 => in_signs::<1>(s, inputs, plan.ahead, &mut dice),
                Some(s) if rows.len() <= 128 => in_signs::<2>(s, inputs, plan.ahead, &mut dice),
                Some(s) if rows.len() <= 512 => in_signs::<8>(s, inputs, plan.ahead, &mut dice),
                _ => in_rationals(rows, inputs, &mut dice),
            };
            if found.additions() < best.additions() {
                best = found;
            }
        }
        best
    }
}

/// How often to eliminate, how many of the equals to look behind, and the seed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tries {
    pub(crate) count: u64,
    pub(crate) ahead: usize,
    pub(crate) seed: u64,
}

fn sign(c: &Rational) -> Option<i8> {
    match c {
        c if c.is_one() => Some(1),
        c if (-c).is_one() => Some(-1),
        _ => None,
    }
}

fn in_signs<const W: usize>(
    rows: &[Vec<(usize, i8)>],
    inputs: usize,
    ahead: usize,
    dice: &mut Dice,
) -> Forms {
    let mut table = Table::<W>::of(rows, inputs);
    let pairs = table.eliminate(ahead, dice);
    let rational = |s: i8| Rational::from(i64::from(s));
    let pair = |p: &super::ternary::Pair| {
        let second = rational(if p.opposite { -1 } else { 1 });
        vec![(p.first, Rational::one()), (p.second, second)]
    };
    let row = |r: usize| {
        let mut row: Form = table
            .row(r)
            .into_iter()
            .map(|(v, s)| (v, rational(s)))
            .collect();
        lead(&mut row);
        row
    };
    Forms {
        inputs,
        fresh: pairs.iter().map(pair).collect(),
        rows: (0..rows.len()).map(row).collect(),
    }
}

/// A positive coefficient comes first where there is one.
fn lead(row: &mut Form) {
    let first = row.iter().position(|(_, c)| c.signum() > 0);
    if let Some(k) = first {
        row[..=k].rotate_right(1);
    }
}

/// `x + ratio y` with `x < y`.
type Key = (usize, usize, Rational);

fn in_rationals(rows: &[Form], inputs: usize, dice: &mut Dice) -> Forms {
    let mut rows: Vec<BTreeMap<usize, Rational>> =
        rows.iter().map(|r| r.iter().cloned().collect()).collect();
    let mut fresh: Vec<Form> = Vec::new();
    let mut work = 0;
    loop {
        let mut counts = BTreeMap::<Key, usize>::new();
        for row in &rows {
            work += row.len() * row.len();
            for (k, (x, c)) in row.iter().enumerate() {
                for (y, d) in row.iter().skip(k + 1) {
                    if let Some(ratio) = d / c {
                        *counts.entry((*x, *y, ratio)).or_default() += 1;
                    }
                }
            }
        }
        let top = counts.values().copied().max().unwrap_or(0);
        if top < 2 || work > MAX_PAIRS {
            break;
        }
        let equal: Vec<&Key> = counts
            .iter()
            .filter(|(_, n)| **n == top)
            .map(|(k, _)| k)
            .collect();
        let (x, y, ratio) = equal[dice.below(equal.len())].clone();
        let name = inputs + fresh.len();
        for row in &mut rows {
            let found = match (row.get(&x), row.get(&y)) {
                (Some(c), Some(d)) if &(c * &ratio) == d => c.clone(),
                _ => continue,
            };
            row.remove(&x);
            row.remove(&y);
            row.insert(name, found);
        }
        fresh.push(vec![(x, Rational::one()), (y, ratio)]);
    }
    let rows = rows.into_iter().map(|r| {
        let mut row: Form = r.into_iter().collect();
        lead(&mut row);
        row
    });
    Forms {
        inputs,
        fresh,
        rows: rows.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eliminated_forms_expand_to_what_they_were() {
        for case in 0..60 {
            let mut dice = Dice::new(case, 1);
            let (count, n, small) = (1 + dice.below(150), 1 + dice.below(9), case % 2 == 0);
            let value = |dice: &mut Dice| match (small, dice.below(5)) {
                (_, 0 | 1) => Rational::zero(),
                (_, 2) => Rational::one(),
                (_, 3) => Rational::from(-1),
                (true, _) => Rational::one(),
                (false, k) => Rational::new(k as i64, 2 + dice.below(2) as i64).unwrap_or_default(),
            };
            let rows: Vec<Form> = (0..count)
                .map(|_| {
                    let all = (0..n).map(|v| (v, value(&mut dice))).collect::<Vec<_>>();
                    all.into_iter().filter(|e| !e.1.is_zero()).collect()
                })
                .collect();
            let found = Forms::eliminated(
                &rows,
                n,
                Tries {
                    count: 2,
                    ahead: 1,
                    seed: case,
                },
                &mut || true,
            );
            let plain = Forms::plain(rows.clone(), n);
            assert_eq!(found.expanded(), plain.expanded(), "case {case}");
            assert!(found.additions() <= plain.additions());
            if count > 40 && n > 3 {
                assert!(found.additions() < plain.additions(), "case {case}");
            }
        }
    }
}
