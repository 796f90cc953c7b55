//! Schemes of three factors as lists of terms with whole coefficients: what searches, lifts and eliminations work on.

use super::formats::entry::constant;
use super::model::{Adjoined, Scheme, SchemeFactor, Target};
use crate::Error;
use crate::poly::{Integer, Rational};
use num_traits::Zero;

/// A vector by its nonzero entries, in order of positions.
pub(crate) type Sparse = Vec<(usize, i64)>;
/// A rank-one term: one vector for each factor.
pub(crate) type Term = [Sparse; 3];

/// Refuses what has not exactly three factors over the rationals.
pub(crate) fn require_three(scheme: &Scheme, op: &'static str) -> Result<(), Error> {
    if scheme.factors.len() != 3 {
        let found = scheme.factors.len().to_string();
        return Err(Error::shape(op, "three factors", found));
    }
    match scheme.adjoined {
        Adjoined::None => Ok(()),
        _ => Err(Error::invalid(
            op,
            format!("needs rational entries, not entries of {}", scheme.field()),
        )),
    }
}

/// Column `r` of each factor with every value passed through `value`; `None` as soon as one has no image.
fn mapped(scheme: &Scheme, value: impl Fn(&Rational) -> Option<i64>) -> Option<Vec<Term>> {
    let column = |k: usize, r: usize| -> Option<Sparse> {
        let entries = scheme.factors.get(k)?.columns.get(r)?.iter();
        let entries = entries.map(|(at, v)| Some((*at, v.get(&0).map_or(Some(0), &value)?)));
        let all: Option<Sparse> = entries.collect();
        all.map(|list| list.into_iter().filter(|(_, c)| *c != 0).collect())
    };
    (0..scheme.rank())
        .map(|r| Some([column(0, r)?, column(1, r)?, column(2, r)?]))
        .collect()
}

/// The terms, where all entries are whole numbers of at most 62 bits.
pub(crate) fn whole_terms(scheme: &Scheme) -> Option<Vec<Term>> {
    mapped(scheme, |v| {
        let small = |n: &i64| n.unsigned_abs() < 1 << 62;
        let whole = v.is_integer().then(|| i64::try_from(&v.numerator()).ok());
        whole.flatten().filter(small)
    })
}

/// The terms with entries in `0..p`; `None` where a denominator is divisible by `p`.
pub(crate) fn residue_terms(scheme: &Scheme, p: u32) -> Option<Vec<Term>> {
    let modulus = i64::from(p);
    mapped(scheme, |v| {
        let part = |n: Integer| {
            let rest = n % Integer::from(modulus);
            i64::try_from(&rest).ok().map(|r| r.rem_euclid(modulus))
        };
        let (n, d) = (part(v.numerator())?, part(v.denominator())?);
        Some(n * inverse(d, modulus)? % modulus)
    })
}

/// The inverse modulo a prime below 2^31.
pub(crate) fn inverse(a: i64, p: i64) -> Option<i64> {
    let (mut r, mut s) = ((p, a.rem_euclid(p)), (0i64, 1i64));
    while r.1 != 0 {
        let q = r.0 / r.1;
        r = (r.1, r.0 - q * r.1);
        s = (s.1, s.0 - q * s.1);
    }
    (r.0 == 1).then(|| s.0.rem_euclid(p))
}

/// A scheme from terms.
pub(crate) fn scheme_of(terms: &[Term], target: &Target) -> Result<Scheme, Error> {
    let rational = |(at, c): &(usize, i64)| (*at, Rational::from(*c));
    let columns = |t: &Term| t.each_ref().map(|v| v.iter().map(rational).collect());
    let terms: Vec<[Vec<(usize, Rational)>; 3]> = terms.iter().map(columns).collect();
    rational_scheme(&terms, target)
}

/// A scheme from terms with rational entries.
pub(crate) fn rational_scheme(
    terms: &[[Vec<(usize, Rational)>; 3]],
    target: &Target,
) -> Result<Scheme, Error> {
    let mut factors = Vec::new();
    for (k, size) in target.shape().into_iter().enumerate().take(3) {
        let mut factor = SchemeFactor::new(size, terms.len())?;
        for (r, term) in terms.iter().enumerate() {
            for (at, value) in term[k].iter().filter(|e| !e.1.is_zero()) {
                factor.set(*at, r, constant(value.clone()))?;
            }
        }
        factors.push(factor.finish()?);
    }
    let scheme = Scheme {
        name: String::new(),
        factors,
        adjoined: Adjoined::None,
        target: Some(target.clone()),
        target_guessed: false,
        modulo_two: false,
    };
    scheme.check_invariants()?;
    Ok(scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverses_are_inverses_and_zero_has_none() {
        for p in [2, 3, 7, 101, 2_147_483_647] {
            for a in 1..p.min(40) {
                assert_eq!(inverse(a, p).map(|b| a * b % p), Some(1), "{a} mod {p}");
            }
            assert_eq!(inverse(0, p), None);
            assert_eq!(inverse(p, p), None);
        }
    }

    #[test]
    fn residues_of_fractions() -> Result<(), Error> {
        let half = Rational::new(1, 2).unwrap_or_default();
        let one = Rational::from(1);
        let rows = |v: &Rational| vec![vec![v.clone()]];
        let scheme = Scheme::from_rationals(
            &[rows(&half), rows(&one), rows(&Rational::from(-1))],
            Target::Matmul([1, 1, 1]),
        )?;
        assert_eq!(residue_terms(&scheme, 2), None);
        assert_eq!(whole_terms(&scheme), None);
        let found = residue_terms(&scheme, 3);
        assert_eq!(
            found,
            Some(vec![[vec![(0, 2)], vec![(0, 1)], vec![(0, 2)]]])
        );
        Ok(())
    }
}
