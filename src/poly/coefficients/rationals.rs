//! Rationals as one content times primitive integers: the coefficient store of polynomials over Q.

use super::integers::Integers;
use super::rational::{Integer, Rational, integer_gcd};
use super::ring::IntegralForm;
use super::ring::Ring;
use super::store::Store;
use crate::Error;
use crate::poly::monomials::packed::Origins;
use crate::poly::polynomial::merging;
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::{Budget, Task};
use num_traits::{One, Zero};

/// A positive rational content times integers of greatest common divisor one.
///
/// The form is unique, so equality is structural, and a product of primitive polynomials is primitive
/// (Gauss), so products over Q cost what products over Z cost.
///
/// # Example
/// ```
/// use wickring::poly::{Rational, Rationals, Store};
/// let thirds = |n| Rational::new(n, 3).unwrap_or_default();
/// let store: Rationals = Store::from_vec(vec![thirds(2), thirds(4)]);
/// assert_eq!(store.content(), &thirds(2)); // times 1 and 2
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Rationals {
    content: Rational,
    integers: Integers,
}

impl Default for Rationals {
    fn default() -> Self {
        Self {
            content: Rational::one(),
            integers: Integers::default(),
        }
    }
}

impl Rationals {
    /// `scale` times the integers, in canonical form. Zeros are allowed and stay where they are.
    pub(crate) fn new(scale: &Rational, integers: Integers) -> Self {
        let g = integers.content();
        if g.is_zero() || scale.is_zero() {
            let zeros = integers.len();
            return Self {
                content: Rational::one(),
                integers: Integers::I64(vec![0; zeros]),
            };
        }
        let signed = if scale.signum() < 0 {
            integers.negated()
        } else {
            integers
        };
        let (content, integers) = match g.is_one() {
            true => (scale.abs(), signed),
            false => (
                &scale.abs() * &Rational::from(g.clone()),
                signed.divided(&g),
            ),
        };
        Self { content, integers }
    }

    /// The positive rational that all coefficients share.
    pub fn content(&self) -> &Rational {
        &self.content
    }

    /// The primitive integers.
    pub fn integers(&self) -> &Integers {
        &self.integers
    }
}

/// The least common multiple of two positive integers.
fn lcm(a: &Integer, b: &Integer) -> Integer {
    if a.is_one() {
        return b.clone();
    }
    a / integer_gcd(a, b) * b
}

/// `(g, x, y)` with `a = g x`, `b = g y`, `x` and `y` integers and `g` as large as possible.
fn common(a: &Rational, b: &Rational) -> (Rational, Integer, Integer) {
    if a == b {
        return (a.clone(), Integer::ONE, Integer::ONE);
    }
    let (da, db) = (a.denominator(), b.denominator());
    let d = lcm(&da, &db);
    let (x, y) = (a.numerator() * (&d / da), b.numerator() * (&d / db));
    let g = integer_gcd(&x, &y);
    let (x, y) = (x / &g, y / &g);
    (Rational::from_integers(g, d).unwrap_or_default(), x, y)
}

impl Store<Rational> for Rationals {
    fn from_vec(values: Vec<Rational>) -> Self {
        let mut d = Integer::ONE;
        for v in values.iter().filter(|v| !v.is_integer()) {
            d = lcm(&d, &v.denominator());
        }
        let whole = |v: &Rational| match d.is_one() {
            true => v.numerator(),
            false => v.numerator() * (&d / v.denominator()),
        };
        let integers = Integers::from_vec(values.iter().map(whole).collect());
        let scale = Rational::from_integers(Integer::ONE, d).unwrap_or_default();
        Self::new(&scale, integers)
    }

    fn get(&self, i: usize) -> Rational {
        let value = Rational::from(self.integers.get(i));
        if self.content.is_one() {
            return value;
        }
        &self.content * &value
    }

    fn len(&self) -> usize {
        self.integers.len()
    }

    fn gather(&self, positions: &[usize]) -> Self {
        Self::new(&self.content, self.integers.gather(positions))
    }

    fn joined(a: &Self, b: &Self, origins: &Origins, subtract: bool) -> Self {
        // An empty side has no content to share.
        if a.is_empty() || b.is_empty() {
            let content = if a.is_empty() { &b.content } else { &a.content };
            let integers = Integers::joined(&a.integers, &b.integers, origins, subtract);
            return Self::new(content, integers);
        }
        let (g, x, y) = common(&a.content, &b.content);
        let (left, right);
        let left = if x.is_one() {
            &a.integers
        } else {
            left = a.integers.scaled(&x);
            &left
        };
        let right = if y.is_one() {
            &b.integers
        } else {
            right = b.integers.scaled(&y);
            &right
        };
        Self::new(&g, Integers::joined(left, right, origins, subtract))
    }

    fn sum(a: &Poly<Rational>, b: &Poly<Rational>, subtract: bool) -> Option<Poly<Rational>> {
        let (x, y) = (a.store(), b.store());
        if x.content != y.content {
            return None;
        }
        let (left, right) = ((a.monomials(), &x.integers), (b.monomials(), &y.integers));
        let (monomials, integers) = merging::merged(left, right, subtract)?;
        let store = Self::new(&x.content, integers);
        Some(Poly::from_canonical(monomials, store))
    }

    fn scaled(&self, factor: &Rational) -> Self {
        Self::new(&(&self.content * factor), self.integers.clone())
    }

    fn negated(&self) -> Self {
        Self {
            content: self.content.clone(),
            integers: self.integers.negated(),
        }
    }

    fn nonzero(&self) -> Option<Vec<usize>> {
        self.integers.nonzero()
    }

    fn bits(&self) -> u64 {
        self.integers.bits()
    }

    fn same(&self, other: &Self) -> bool {
        self == other
    }

    fn product(
        a: &Poly<Rational>,
        b: &Poly<Rational>,
        budget: &Budget<'_>,
    ) -> Result<Poly<Rational>, Error> {
        let (x, y) = (a.store(), b.store());
        let (left, right) = ((a.monomials(), &x.integers), (b.monomials(), &y.integers));
        let (monomials, integers) =
            crate::poly::product::plan::integers(left, right, &Task::exact(budget))?;
        // A product of primitive polynomials is primitive, so the content needs no new search.
        let content = if integers.is_empty() {
            Rational::one()
        } else {
            &x.content * &y.content
        };
        Ok(Poly::from_canonical(monomials, Self { content, integers }))
    }

    fn quotient(
        a: &Poly<Rational>,
        b: &Poly<Rational>,
        budget: &Budget<'_>,
    ) -> Result<Option<Poly<Rational>>, Error> {
        let (x, y) = (a.store(), b.store());
        let Some(content) = &x.content / &y.content else {
            return Ok(None);
        };
        // A primitive quotient over Q of primitive polynomials is integral (Gauss), up to its sign.
        let (left, right) = ((a.monomials(), &x.integers), (b.monomials(), &y.integers));
        let quotient = crate::poly::division::plan::integers(left, right, budget)?;
        Ok(quotient.map(|(monomials, integers)| {
            let content = if integers.is_empty() {
                Rational::one()
            } else {
                content
            };
            Poly::from_parts(monomials, Self { content, integers })
        }))
    }
}

impl Ring for Rational {
    type Store = Rationals;
    const EXACT: bool = true;
    const DOMAIN: bool = true;
    fn from_i64(value: i64) -> Self {
        Self::from(value)
    }
    fn checked_div(&self, other: &Self) -> Option<Self> {
        self / other
    }
    fn integral_form(p: &Poly<Self>, scalars: &[&Self]) -> Option<IntegralForm<Self>> {
        if scalars.iter().any(|s| !s.is_integer()) {
            return None;
        }
        let Rationals { content, integers } = p.store();
        let plain = Poly::from_parts(p.monomials().clone(), integers.clone());
        let scalars = scalars.iter().map(|s| s.numerator()).collect();
        Some((content.clone(), plain, scalars))
    }
    fn from_integral(factor: &Self, p: &Poly<Integer>) -> Poly<Self> {
        let store = Rationals::new(factor, p.store().clone());
        Poly::from_parts(p.monomials().clone(), store)
    }
}
