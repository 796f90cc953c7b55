//! The exact difference between a scheme and its target.

use super::model::{Adjoined, Scheme, Target};
use crate::Error;
use crate::certify::numbers::Budget;
use crate::poly::Rational;
use num_traits::Zero;
use std::collections::BTreeMap;

const OP: &str = "examine";
/// Steps of one verification: a product of machine integers is one, of rationals more than 64.
pub(crate) const MAX_STEPS: u64 = 1 << 33;
/// Entries of sparse accumulators and targets, about a hundred bytes each.
const MAX_HELD: usize = 1 << 22;
/// Entries of the dense accumulator of machine integers (16 bytes each).
const MAX_DENSE: usize = 1 << 24;

/// Position and power of the adjoined element to coefficient.
type Terms = BTreeMap<(usize, i64), Rational>;

/// A sum or a product of two rationals by schoolbook, and the place where it is kept.
fn pay(budget: &mut Budget, a: &Rational, b: &Rational) -> Result<(), Error> {
    let words = 2 + (a.bits() + b.bits()) / 64;
    budget.spend(64 + words.saturating_mul(words))
}

/// Scheme minus target: position (first index slowest) and power of the adjoined element to coefficient.
///
/// # Example
/// ```
/// use wickring::poly::Rational;
/// use wickring::scheme::{Residual, Scheme, Target};
/// let (one, zero) = (vec![Rational::from(1)], vec![Rational::from(0)]);
/// let target = Target::Matmul([1, 2, 1]);
/// // Only the first of the two products of a row and a column.
/// let factors = [vec![one.clone(), zero.clone()], vec![one.clone(), zero], vec![one]];
/// let residual = Residual::of(&Scheme::from_rationals(&factors, target.clone())?, &target)?;
/// assert_eq!((residual.wrong_entries(), residual.first_index()), (1, Some(vec![1, 1, 0])));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Residual {
    pub(crate) shape: Vec<usize>,
    pub(crate) terms: Terms,
}

impl Residual {
    /// Computes `sum_r a_r (x) b_r (x) .. - target` exactly.
    ///
    /// # Errors
    /// `Shape` when the factors do not fit the target, `LimitExceeded` beyond 2^33 steps: one for a product of
    /// machine integers, more than 64 for one of rationals.
    ///
    /// # Complexity
    /// One product for each rank-one term and each choice of nonzero entries.
    pub fn of(scheme: &Scheme, target: &Target) -> Result<Self, Error> {
        Self::within(scheme, target, &mut Budget::new(OP, MAX_STEPS, None))
    }

    /// The same, paid from a budget before the work is done.
    pub(crate) fn within(
        scheme: &Scheme,
        target: &Target,
        budget: &mut Budget,
    ) -> Result<Self, Error> {
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
        if products.fold(0u64, u64::saturating_add) > MAX_STEPS {
            return Err(Error::limit(OP, "products of entries", MAX_STEPS));
        }
        if target.count() > MAX_HELD {
            return Err(Error::limit(OP, "entries of a target", MAX_HELD as u64));
        }
        budget.spend(64 * target.count() + scheme.rank())?;
        let volume = shape.iter().try_fold(1usize, |v, &n| v.checked_mul(n));
        let volume = volume.ok_or(Error::Overflow {
            op: OP,
            what: "number of entries",
        })?;
        if scheme.adjoined == Adjoined::X {
            target.require_real(OP)?;
        }
        let real = !matches!(target, Target::Complex(..));
        let machine = if volume <= MAX_DENSE && real {
            Self::in_machine_integers(scheme, target, volume, budget)?
        } else {
            None
        };
        let terms = match machine {
            Some(terms) => terms,
            None => Self::in_rationals(scheme, target, &shape, budget)?,
        };
        Ok(Self { shape, terms })
    }

    /// In machine integers, where they suffice.
    fn in_machine_integers(
        scheme: &Scheme,
        target: &Target,
        volume: usize,
        budget: &mut Budget,
    ) -> Result<Option<Terms>, Error> {
        let Some((factors, scale)) = cleared(scheme) else {
            return Ok(None);
        };
        budget.spend(volume)?;
        let mut sums = vec![0i128; volume];
        for r in 0..scheme.rank() {
            accumulate(&factors, r, 0, 1, &mut sums, budget)?;
        }
        let scale_q = Rational::from(scale);
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
                Some(v) if whole(v).and_then(|v| v.checked_mul(scale.into())) == Some(sum) => (),
                other => {
                    budget.spend(64)?;
                    let sum = Rational::from(crate::poly::Integer::from(sum));
                    let gap = &sum / &scale_q;
                    let gap = gap.unwrap_or_default() - other.cloned().unwrap_or_default();
                    if !gap.is_zero() {
                        terms.insert((at, 0), gap);
                    }
                    if terms.len() > MAX_HELD {
                        return Err(Error::limit(OP, "wrong entries", MAX_HELD as u64));
                    }
                }
            }
        }
        Ok(Some(terms))
    }
    fn in_rationals(
        scheme: &Scheme,
        target: &Target,
        shape: &[usize],
        budget: &mut Budget,
    ) -> Result<Terms, Error> {
        let mut terms = Terms::new();
        let held = |n: usize| match n > MAX_HELD {
            true => Err(Error::limit(OP, "entries held", MAX_HELD as u64)),
            false => Ok(()),
        };
        for r in 0..scheme.rank() {
            let mut outer: Vec<((usize, i64), Rational)> = vec![((0, 0), Rational::from(1))];
            for (f, &n) in scheme.factors.iter().zip(shape) {
                let mut longer = Vec::new();
                for ((at, e), c) in &outer {
                    for (i, value) in &f.columns[r] {
                        for (k, v) in value {
                            pay(budget, c, v)?;
                            longer.push(((at * n + i, e + k), c * v));
                        }
                        held(terms.len() + longer.len())?;
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
                let sum = terms.entry((at, e)).or_default();
                pay(budget, sum, &c)?;
                *sum += &c;
            }
        }
        for (power, part) in [(0, target.entries()), (1, target.imaginary())] {
            for (at, value) in part {
                let sum = terms.entry((at, power)).or_default();
                pay(budget, sum, &value)?;
                *sum -= &value;
            }
        }
        terms.retain(|_, c| !c.is_zero());
        Ok(terms)
    }

    /// Number of coefficients that differ.
    pub fn terms(&self) -> usize {
        self.terms.len()
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
    /// rounded outward; infinite when the target is zero and the scheme is not, or when the sums of squares
    /// would cost more than 2^33 steps.
    pub fn relative_bound(&self, target: &Target) -> f64 {
        let mut budget = Budget::new(OP, MAX_STEPS, None);
        self.relative_bound_within(target, &mut budget)
            .unwrap_or(f64::INFINITY)
    }

    /// The same, paid from a budget.
    pub(crate) fn relative_bound_within(
        &self,
        target: &Target,
        budget: &mut Budget,
    ) -> Result<f64, Error> {
        if self.is_zero() {
            return Ok(0.0);
        }
        let gap = sum_of_squares(self.terms.values(), budget)?;
        let (real, imaginary) = (target.entries(), target.imaginary());
        let whole = sum_of_squares(real.values().chain(imaginary.values()), budget)?;
        let Some(ratio) = &gap / &whole else {
            return Ok(f64::INFINITY);
        };
        // Squares of bounds below 1e-150 would leave the range of floats.
        let mut bound = ratio.to_f64().sqrt().max(1e-150);
        for _ in 0..64 {
            match Rational::from_f64(bound) {
                Some(b) if &b * &b < ratio => bound = bound.next_up(),
                _ => return Ok(bound),
            }
        }
        Ok(f64::INFINITY)
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

fn sum_of_squares<'a>(
    values: impl Iterator<Item = &'a Rational>,
    budget: &mut Budget,
) -> Result<Rational, Error> {
    let mut sum = Rational::zero();
    for c in values {
        pay(budget, c, c)?;
        let square = c * c;
        pay(budget, &sum, &square)?;
        sum += &square;
    }
    Ok(sum)
}

type Columns = Vec<Vec<(usize, i128)>>;

/// All factors cleared of denominators with the product of those, when every sum is sure to fit 127 bits.
fn cleared(scheme: &Scheme) -> Option<(Vec<(usize, Columns)>, i64)> {
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
        let integer = |v: &Rational| i64::try_from(&(v * &Rational::from(lcm)).numerator()).ok();
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
    Some((factors, i64::try_from(scale).ok()?))
}

/// Adds term `r` from a factor on; a whole row of products is paid at a time.
fn accumulate(
    factors: &[(usize, Columns)],
    r: usize,
    at: usize,
    c: i128,
    sums: &mut [i128],
    budget: &mut Budget,
) -> Result<(), Error> {
    let Some(((n, columns), rest)) = factors.split_first() else {
        return Ok(());
    };
    budget.spend(columns[r].len())?;
    for &(i, value) in &columns[r] {
        let at = at * n + i;
        if rest.is_empty() {
            sums[at] += c * value;
        } else {
            accumulate(rest, r, at, c * value, sums, budget)?;
        }
    }
    Ok(())
}

fn num_integer_lcm(a: i64, b: i64) -> Option<i64> {
    let gcd = crate::poly::integer_gcd(&a.into(), &b.into());
    (a / i64::try_from(&gcd).ok()?).checked_mul(b)
}
