//! True factors from modular ones: small sets are tried, then lattices tell.

use super::integral::{Dense2, primitive, quotient, symmetric};
use super::knapsack;
use super::knapsack::Lifted;
use super::lift::multiply;
use crate::Error;
use crate::poly::coefficients::rational::Integer;
use crate::poly::product::budget::Budget;

const OP: &str = "Poly::factor";
/// So many modular factors are combined by trying all sets.
pub(crate) const FEW: usize = 12;
/// Sets that may be tried where lattices did not help.
const MAX_SETS: u64 = 1 << 24;

/// The next set of as many indices below `n`.
pub(crate) fn advance(chosen: &mut [usize], n: usize) -> bool {
    let k = chosen.len();
    for i in (0..k).rev() {
        if chosen[i] < n - (k - i) {
            chosen[i] += 1;
            for j in i + 1..k {
                chosen[j] = chosen[j - 1] + 1;
            }
            return true;
        }
    }
    false
}

/// The state of a search: what is left of the polynomial, and its factors modulo `m`.
struct Search<'a> {
    rest: Dense2,
    parts: Vec<Dense2>,
    m: &'a Integer,
    degrees: &'a [bool],
    sets: u64,
}

impl Search<'_> {
    /// A factor and its cofactor, if the product of these parts gives one. The degree must be at most half.
    fn attempt(&self, chosen: &[usize]) -> Option<(Dense2, Dense2)> {
        let degree: usize = chosen.iter().map(|&i| self.parts[i].len() - 1).sum();
        if !self.degrees[degree] {
            return None;
        }
        let (lead, constant) = (self.rest.last()?, self.rest.first()?);
        let low = chosen.iter().fold(lead.clone(), |c, &i| {
            symmetric(&(c * &self.parts[i][0]), self.m)
        });
        // lead * factor(0) must divide lead * rest(0).
        if !super::divides(&low, &(constant * lead)) {
            return None;
        }
        let mut f = vec![symmetric_to_least(lead, self.m)];
        for &i in chosen {
            f = multiply(&f, &self.parts[i], self.m);
        }
        let f: Dense2 = f.iter().map(|c| symmetric(c, self.m)).collect();
        let f = primitive(&f);
        let cofactor = quotient(&self.rest, &f)?;
        Some((f, cofactor))
    }

    /// All factors that are products of so many parts.
    fn of_size(
        &mut self,
        size: usize,
        found: &mut Vec<Dense2>,
        budget: &Budget<'_>,
    ) -> Result<(), Error> {
        'again: while 2 * size <= self.parts.len() {
            let mut chosen: Vec<usize> = (0..size).collect();
            loop {
                self.sets += 1;
                if self.sets > MAX_SETS {
                    return Err(Error::limit(OP, "sets of modular factors", MAX_SETS));
                }
                if self.sets.is_multiple_of(16) {
                    budget.check_time(OP)?;
                }
                if let Some((factor, cofactor)) = self.attempt(&chosen) {
                    found.push(factor);
                    self.rest = cofactor;
                    for &i in chosen.iter().rev() {
                        self.parts.remove(i);
                    }
                    continue 'again;
                }
                if !advance(&mut chosen, self.parts.len()) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The factors of a partition; `None` when a class makes none.
    fn of_classes(
        &self,
        classes: &[Vec<usize>],
        budget: &Budget<'_>,
    ) -> Result<Option<Vec<Dense2>>, Error> {
        let degree = |c: &Vec<usize>| -> usize { c.iter().map(|&i| self.parts[i].len() - 1).sum() };
        let mut order: Vec<&Vec<usize>> = classes.iter().collect();
        order.sort_by_key(|c| degree(c));
        let mut left = Search {
            rest: self.rest.clone(),
            parts: self.parts.clone(),
            ..*self
        };
        let mut found = Vec::new();
        // The last one, which may have more than half of the degree, is what the others leave.
        let last = order.len().saturating_sub(1);
        for class in &order[..last] {
            budget.check_time(OP)?;
            let Some((factor, cofactor)) = left.attempt(class) else {
                return Ok(None);
            };
            found.push(factor);
            left.rest = cofactor;
        }
        found.push(left.rest);
        Ok(Some(found))
    }
}

fn symmetric_to_least(c: &Integer, m: &Integer) -> Integer {
    super::lift::least(c, m)
}

/// The irreducible factors of `f`, from its monic factors modulo `m`, a power of `p` beyond twice the coefficients of any factor
/// of at most half the degree times the leading coefficient.
pub(crate) fn recombine(
    f: &[Integer],
    p: u64,
    m: &Integer,
    parts: Vec<Dense2>,
    degrees: &[bool],
    budget: &Budget<'_>,
) -> Result<Vec<Dense2>, Error> {
    let mut search = Search {
        rest: f.to_vec(),
        parts,
        m,
        degrees,
        sets: 0,
    };
    let mut found = Vec::new();
    let mut size = 1;
    while 2 * size <= search.parts.len() {
        if size > 2 && search.parts.len() > FEW {
            let of = Lifted {
                f: &search.rest,
                p,
                m,
                parts: &search.parts,
            };
            let mut accept = |classes: &[Vec<usize>]| search.of_classes(classes, budget);
            if let Some(rest) = knapsack::partition(&of, budget, &mut accept)? {
                found.extend(rest);
                return Ok(found);
            }
            // No help: every set, within the budget.
            for size in size..=search.parts.len() / 2 {
                search.of_size(size, &mut found, budget)?;
            }
            break;
        }
        search.of_size(size, &mut found, budget)?;
        size += 1;
    }
    if search.rest.len() > 1 {
        found.push(search.rest);
    }
    Ok(found)
}
