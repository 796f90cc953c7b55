//! The exact difference between a scheme and its target.

use super::model::{Adjoined, Scheme, Target};
use crate::Error;
use crate::poly::Rational;
use num_traits::Zero;
use std::collections::BTreeMap;

const OP: &str = "verify";
/// Products of three entries that one verification may form.
const MAX_PRODUCTS: u64 = 1 << 31;
/// Entries of the dense accumulator of machine integers (16 bytes each).
const MAX_DENSE: usize = 1 << 24;

/// Scheme minus target: position (first index slowest) and power of the adjoined element to coefficient.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Residual {
    pub(crate) shape: Vec<usize>,
    pub(crate) terms: BTreeMap<(usize, i64), Rational>,
}

impl Residual {
    /// Computes `sum_r a_r (x) b_r (x) .. - target` exactly.
    ///
    /// # Errors
    /// `Shape` when the factors do not fit the target, `LimitExceeded` beyond 2^31 products of entries.
    ///
    /// # Complexity
    /// One product for each rank-one term and each choice of nonzero entries.
    pub fn of(scheme: &Scheme, target: &Target) -> Result<Self, Error> {
        let shape = target.shape();
        let sizes: Vec<usize> = scheme.factors.iter().map(|f| f.size()).collect();
        if sizes != shape {
            let expected = format!("factors of {shape:?} rows for {}", target.name());
            return Err(Error::shape(OP, expected, format!("{sizes:?}")));
        }
        let products = (0..scheme.rank()).map(|r| {
            let counts = scheme.factors.iter().map(|f| f.columns[r].len() as u64);
            counts.fold(1u64, u64::saturating_mul)
        });
        if products.fold(0u64, u64::saturating_add) > MAX_PRODUCTS {
            return Err(Error::limit(OP, "products of entries", MAX_PRODUCTS));
        }
        let volume = shape.iter().try_fold(1usize, |v, &n| v.checked_mul(n));
        let volume = volume.ok_or(Error::Overflow {
            op: OP,
            what: "number of entries",
        })?;
        let machine = if volume <= MAX_DENSE {
            Self::in_machine_integers(scheme, target, volume)
        } else {
            None
        };
        let terms = machine.unwrap_or_else(|| Self::in_rationals(scheme, target, &shape));
        Ok(Self { shape, terms })
    }

    /// All factors cleared of denominators, when every sum is sure to fit 127 bits.
    fn in_machine_integers(
        scheme: &Scheme,
        target: &Target,
        volume: usize,
    ) -> Option<BTreeMap<(usize, i64), Rational>> {
        if scheme.adjoined != Adjoined::None {
            return None;
        }
        let mut bound = scheme.rank() as f64;
        let mut scale = 1i128;
        let mut factors = Vec::new();
        for f in &scheme.factors {
            let mut lcm = 1i64;
            let values = || f.columns.iter().flatten().filter_map(|(_, v)| v.get(&0));
            for v in values() {
                let d = i64::try_from(&v.denominator()).ok()?;
                lcm = num_integer_lcm(lcm, d)?;
            }
            let integer =
                |v: &Rational| i64::try_from(&(v * &Rational::from(lcm)).numerator()).ok();
            let mut columns = Vec::new();
            let mut largest = 0f64;
            for column in &f.columns {
                let mut entries = Vec::new();
                for (i, v) in column {
                    let value = integer(v.get(&0)?)?;
                    largest = largest.max((value as f64).abs());
                    entries.push((*i, i128::from(value)));
                }
                columns.push(entries);
            }
            bound *= largest.max(1.0);
            scale = scale.checked_mul(lcm.into())?;
            factors.push((f.size(), columns));
        }
        // 2^120 leaves room for the rounding of the bound itself and for the target.
        if bound > 2f64.powi(120) || scale > 1 << 60 {
            return None;
        }
        let mut sums = vec![0i128; volume];
        for r in 0..scheme.rank() {
            accumulate(&factors, r, 0, 1, &mut sums);
        }
        let scale_q = Rational::from(i64::try_from(scale).ok()?);
        let mut terms = BTreeMap::new();
        let wanted = target.entries();
        let whole = |v: &Rational| {
            i128::try_from(&v.numerator())
                .ok()
                .filter(|_| v.is_integer())
        };
        for (at, &sum) in sums.iter().enumerate() {
            match wanted.get(&at) {
                None if sum == 0 => (),
                Some(v) if whole(v).and_then(|v| v.checked_mul(scale)) == Some(sum) => (),
                other => {
                    let sum = Rational::from(crate::poly::Integer::from(sum));
                    let gap = (&sum / &scale_q)? - other.cloned().unwrap_or_default();
                    if !gap.is_zero() {
                        terms.insert((at, 0), gap);
                    }
                }
            }
        }
        Some(terms)
    }

    fn in_rationals(
        scheme: &Scheme,
        target: &Target,
        shape: &[usize],
    ) -> BTreeMap<(usize, i64), Rational> {
        let mut terms: BTreeMap<(usize, i64), Rational> = BTreeMap::new();
        for r in 0..scheme.rank() {
            let mut outer: Vec<((usize, i64), Rational)> = vec![((0, 0), Rational::from(1))];
            for (f, &n) in scheme.factors.iter().zip(shape) {
                let mut longer = Vec::new();
                for ((at, e), c) in &outer {
                    for (i, value) in &f.columns[r] {
                        longer.extend(value.iter().map(|(k, v)| ((at * n + i, e + k), c * v)));
                    }
                }
                outer = longer;
            }
            for ((at, mut e), mut c) in outer {
                if scheme.adjoined == Adjoined::I {
                    if e.rem_euclid(4) >= 2 {
                        c = -c;
                    }
                    e = e.rem_euclid(2);
                }
                *terms.entry((at, e)).or_default() += &c;
            }
        }
        for (at, value) in target.entries() {
            *terms.entry((at, 0)).or_default() -= &value;
        }
        terms.retain(|_, c| !c.is_zero());
        terms
    }

    /// Whether there is no difference.
    pub fn is_zero(&self) -> bool {
        self.terms.is_empty()
    }

    /// What is left modulo a prime; `None` when a denominator is divisible by it.
    pub fn modulo(&self, p: u32) -> Option<Self> {
        let p = crate::poly::Integer::from(p);
        let zero = crate::poly::Integer::from(0);
        if self.terms.values().any(|c| &c.denominator() % &p == zero) {
            return None;
        }
        let mut rest = self.clone();
        rest.terms.retain(|_, c| &c.numerator() % &p != zero);
        Some(rest)
    }

    /// Number of entries of the tensor that are wrong.
    pub fn wrong_entries(&self) -> usize {
        let mut places: Vec<usize> = self.terms.keys().map(|k| k.0).collect();
        places.dedup();
        places.len()
    }

    /// The lowest power of `x` in the difference.
    pub fn lowest_power(&self) -> Option<i64> {
        self.terms.keys().map(|k| k.1).min()
    }

    /// The largest coefficient of the difference, as a float.
    pub fn largest(&self) -> f64 {
        self.terms
            .values()
            .map(|c| c.to_f64().abs())
            .fold(0.0, f64::max)
    }

    /// An upper bound of `||scheme - target|| / ||target||` (Frobenius), the square root of the exact quotient
    /// rounded outward; infinite when the target is zero and the scheme is not.
    pub fn relative_bound(&self, target: &Target) -> f64 {
        let sum = |values: &mut dyn Iterator<Item = &Rational>| {
            let mut sum = Rational::zero();
            values.for_each(|c| sum += &(c * c));
            sum
        };
        let gap = sum(&mut self.terms.values());
        if gap.is_zero() {
            return 0.0;
        }
        let Some(ratio) = &gap / &sum(&mut target.entries().values()) else {
            return f64::INFINITY;
        };
        // Squares of bounds below 1e-150 would leave the range of floats.
        let mut bound = ratio.to_f64().sqrt().max(1e-150);
        for _ in 0..64 {
            match Rational::from_f64(bound) {
                Some(b) if &b * &b < ratio => bound = bound.next_up(),
                _ => return bound,
            }
        }
        f64::INFINITY
    }

    /// The index of the first wrong entry.
    pub fn first_index(&self) -> Option<Vec<usize>> {
        let &(flat, _) = self.terms.keys().next()?;
        Some(self.index(flat))
    }

    pub(crate) fn index(&self, mut flat: usize) -> Vec<usize> {
        let mut index = vec![0; self.shape.len()];
        for (i, &n) in index.iter_mut().zip(&self.shape).rev() {
            *i = flat % n;
            flat /= n;
        }
        index
    }
}

type Columns = Vec<Vec<(usize, i128)>>;

fn accumulate(factors: &[(usize, Columns)], r: usize, at: usize, c: i128, sums: &mut [i128]) {
    let Some(((n, columns), rest)) = factors.split_first() else {
        return;
    };
    for &(i, value) in &columns[r] {
        let at = at * n + i;
        if rest.is_empty() {
            sums[at] += c * value;
        } else {
            accumulate(rest, r, at, c * value, sums);
        }
    }
}

fn num_integer_lcm(a: i64, b: i64) -> Option<i64> {
    let gcd = crate::poly::integer_gcd(&a.into(), &b.into());
    (a / i64::try_from(&gcd).ok()?).checked_mul(b)
}
