//! One fault that explains a wrong scheme.

use super::model::{Adjoined, Scheme};
use super::residual::Residual;
use crate::poly::Rational;
use std::fmt;

/// A single vector of a scheme which, replaced, makes the scheme exact.
///
/// # Example
/// ```
/// use wickring::poly::Rational;
/// use wickring::scheme::{Residual, SchemeFormat, Target, find_faults, read_schemes};
/// let scheme = read_schemes("a11*b11*c11\na12*b21*c11", SchemeFormat::Products, "")?.remove(0);
/// // Three times the entry of the first product in its second factor.
/// let wrong = scheme.changed(1, 0, 0, &Rational::from(2));
/// let residual = Residual::of(&wrong, &Target::Matmul([1, 2, 1]))?;
/// let faults = find_faults(&wrong, &residual);
/// assert!(faults.iter().any(|f| (f.term, f.factor, f.repairs.len()) == (0, 1, 1)));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The rank-one term, from 0.
    pub term: usize,
    /// The factor, from 0.
    pub factor: usize,
    /// Position in the vector, the value that stands there, and the value that should.
    pub repairs: Vec<(usize, Rational, Rational)>,
    /// Whether the vector as a whole has the wrong sign.
    pub negated: bool,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let factor = ["first", "second", "third"]
            .get(self.factor)
            .copied()
            .unwrap_or("last");
        let term = self.term + 1;
        match &self.repairs[..] {
            [(at, found, wanted)] => {
                write!(
                    f,
                    "entry {} of the {factor} factor in term {term} is {found} and should be {wanted}",
                    at + 1
                )
            }
            _ if self.negated => write!(
                f,
                "the vector of the {factor} factor in term {term} has the wrong sign"
            ),
            list => write!(
                f,
                "the vector of the {factor} factor in term {term} is wrong in {} entries",
                list.len()
            ),
        }
    }
}

/// Every single vector that explains the difference, those with the fewest repairs first.
///
/// If only `u` in `u (x) v (x) w` is wrong, the difference is `d (x) v (x) w` with known `v` and `w`. Schemes
/// over extensions of the rationals are not searched.
///
/// # Complexity
/// For each term and factor, the size of the difference.
pub fn find_faults(scheme: &Scheme, residual: &Residual) -> Vec<Fault> {
    let mut faults = Vec::new();
    if scheme.adjoined != Adjoined::None || residual.is_zero() {
        return faults;
    }
    for term in 0..scheme.rank() {
        for factor in 0..scheme.factors.len() {
            faults.extend(explain(scheme, residual, term, factor));
        }
    }
    faults.sort_by_key(|f| if f.negated { 1 } else { f.repairs.len() });
    faults
}

fn explain(scheme: &Scheme, residual: &Residual, term: usize, factor: usize) -> Option<Fault> {
    let column = |k: usize| &scheme.factors[k].columns[term];
    let value = |k: usize, at: usize| {
        column(k)
            .iter()
            .find(|(i, _)| *i == at)
            .and_then(|(_, v)| v.get(&0))
    };
    let others: Vec<usize> = (0..scheme.factors.len()).filter(|k| *k != factor).collect();
    let product = |index: &[usize]| -> Option<Rational> {
        others
            .iter()
            .try_fold(Rational::from(1), |p, &k| Some(&p * value(k, index[k])?))
    };
    let mut change: Vec<Option<Rational>> = vec![None; scheme.factors[factor].size()];
    for (&(flat, _), gap) in &residual.terms {
        let index = residual.index(flat);
        // Outside the support of the other vectors nothing can be repaired.
        let d = (gap / &product(&index)?)?;
        match &change[index[factor]] {
            None => change[index[factor]] = Some(d),
            Some(known) if *known == d => (),
            Some(_) => return None,
        }
    }
    // The difference must fill all of `d (x) v (x) w`.
    let rows = change.iter().filter(|d| d.is_some()).count();
    let support: usize = others.iter().map(|&k| column(k).len()).product();
    if rows * support != residual.terms.len() {
        return None;
    }
    let mut repairs = Vec::new();
    for (at, d) in change.into_iter().enumerate() {
        if let Some(d) = d {
            let found = value(factor, at).cloned().unwrap_or_default();
            let wanted = &found - &d;
            repairs.push((at, found, wanted));
        }
    }
    let negated = repairs.len() == column(factor).len() && repairs.iter().all(|(_, f, w)| *w == -f);
    Some(Fault {
        term,
        factor,
        repairs,
        negated,
    })
}
