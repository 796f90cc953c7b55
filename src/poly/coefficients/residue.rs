//! Integers modulo a prime of word size, the prime chosen when the program runs.

use super::integers::Integers;
use super::rational::{Integer, Rational};
use super::reducer::Reducer;
use super::ring::Ring;
use crate::Error;
use crate::poly::factor::reduced;
use crate::poly::polynomial::univariate::{Field, is_prime};
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;
use num_traits::{One, Zero};
use std::fmt;
use std::ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// An element of `Z/p` for a prime `p < 2^62`.
///
/// The constants `zero()`, `one()` and `from_i64(n)` know no prime yet: they stand for integers, and take
/// the prime of the first residue that they meet.
///
/// # Example
/// ```
/// use wickring::poly::Residue;
/// let a = Residue::new(5, 7)?;
/// assert_eq!(a.clone() * a.clone(), Residue::new(25, 7)?);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone)]
pub struct Residue(Repr);

#[derive(Clone)]
enum Repr {
    /// An integer that has met no prime.
    Free(Integer),
    /// `value < p`.
    Of { value: u64, p: u64 },
}

impl Residue {
    /// `value` modulo the prime `p`.
    ///
    /// # Errors
    /// `InvalidInput` when `p` is not a prime below 2^62.
    pub fn new(value: u64, p: u64) -> Result<Self, Error> {
        check_prime("Residue::new", p)?;
        let value = value % p;
        Ok(Self(Repr::Of { value, p }))
    }

    /// `value < p` modulo a number known to be a prime below 2^62.
    pub(in crate::poly) fn known(value: u64, p: u64) -> Self {
        Self(Repr::Of { value, p })
    }

    /// The prime, when one is known.
    #[cfg(feature = "groebner")]
    pub(in crate::poly) fn prime(&self) -> Option<u64> {
        match self.0 {
            Repr::Free(_) => None,
            Repr::Of { p, .. } => Some(p),
        }
    }

    /// The least non-negative representative, or the integer itself when no prime is known.
    pub fn to_integer(&self) -> Integer {
        match &self.0 {
            Repr::Free(n) => n.clone(),
            Repr::Of { value, .. } => Integer::from(*value),
        }
    }

    fn join(
        &self,
        other: &Self,
        free: impl Fn(&Integer, &Integer) -> Integer,
        op: impl Fn(Field, u64, u64) -> u64,
    ) -> Self {
        let p = match (&self.0, &other.0) {
            (Repr::Free(a), Repr::Free(b)) => return Self(Repr::Free(free(a, b))),
            (Repr::Of { p, .. }, _) | (_, Repr::Of { p, .. }) => *p,
        };
        let (a, b) = (self.value(p), other.value(p));
        let value = op(Field { p }, a, b);
        Self(Repr::Of { value, p })
    }

    /// The residue modulo `p`; elements of two different fields do not mix, the first one's prime wins.
    pub(in crate::poly) fn value(&self, p: u64) -> u64 {
        match &self.0 {
            Repr::Free(n) => reduced(n, p),
            Repr::Of { value, .. } => *value % p,
        }
    }
}

/// Refuses what is no prime below 2^62.
pub(crate) fn check_prime(op: &'static str, p: u64) -> Result<(), Error> {
    match p < 1 << 62 && is_prime(p) {
        true => Ok(()),
        false => Err(Error::invalid(op, format!("a prime below 2^62, got {p}"))),
    }
}

impl PartialEq for Residue {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Repr::Free(a), Repr::Free(b)) => a == b,
            (Repr::Of { p, .. }, _) | (_, Repr::Of { p, .. }) => self.value(*p) == other.value(*p),
        }
    }
}

impl fmt::Display for Residue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_integer())
    }
}

impl fmt::Debug for Residue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Free(n) => write!(f, "{n}"),
            Repr::Of { value, p } => write!(f, "{value} mod {p}"),
        }
    }
}

impl AddAssign<&Residue> for Residue {
    fn add_assign(&mut self, other: &Residue) {
        *self = self.join(other, |a, b| a + b, Field::add);
    }
}
impl SubAssign<&Residue> for Residue {
    fn sub_assign(&mut self, other: &Residue) {
        *self = self.join(other, |a, b| a - b, Field::sub);
    }
}
impl MulAssign<&Residue> for Residue {
    fn mul_assign(&mut self, other: &Residue) {
        *self = self.join(other, |a, b| a * b, Field::mul);
    }
}
impl Neg for Residue {
    type Output = Self;
    fn neg(self) -> Self {
        let mut zero = Self::zero();
        zero -= &self;
        zero
    }
}

macro_rules! by_value {
    ($($op:ident $method:ident $assign:ident),*) => {$(
        impl $op for Residue {
            type Output = Self;
            fn $method(mut self, other: Self) -> Self {
                self.$assign(&other);
                self
            }
        }
    )*};
}
by_value!(Add add add_assign, Sub sub sub_assign, Mul mul mul_assign);

impl Zero for Residue {
    fn zero() -> Self {
        Self(Repr::Free(Integer::ZERO))
    }
    fn is_zero(&self) -> bool {
        match &self.0 {
            Repr::Free(n) => n.is_zero(),
            Repr::Of { value, .. } => *value == 0,
        }
    }
}

impl One for Residue {
    fn one() -> Self {
        Self(Repr::Free(Integer::ONE))
    }
}

impl Ring for Residue {
    type Store = Vec<Self>;
    const EXACT: bool = true;
    fn from_i64(value: i64) -> Self {
        Self(Repr::Free(value.into()))
    }
    fn checked_div(&self, other: &Self) -> Option<Self> {
        if other.is_zero() {
            return None;
        }
        match (&self.0, &other.0) {
            (Repr::Free(a), Repr::Free(b)) => a.checked_div(b).map(|q| Self(Repr::Free(q))),
            (Repr::Of { p, .. }, _) | (_, Repr::Of { p, .. }) => {
                let (field, divisor) = (Field { p: *p }, other.value(*p));
                if divisor == 0 {
                    return None;
                }
                let value = field.mul(self.value(*p), field.inv(divisor));
                Some(Self(Repr::Of { value, p: *p }))
            }
        }
    }
}

impl Poly<Rational> {
    /// The image modulo the prime `p`.
    ///
    /// # Errors
    /// `InvalidInput` when `p` is not a prime below 2^62 or divides a denominator.
    pub fn modulo(&self, p: u64) -> Result<Poly<Residue>, Error> {
        let op = "Poly::modulo";
        check_prime(op, p)?;
        let field = Field { p };
        let mut terms = Vec::with_capacity(self.len());
        for (e, c) in self.iter() {
            let d = reduced(&c.denominator(), p);
            if d == 0 {
                let what = format!("denominators prime to {p}, got the coefficient {c}");
                return Err(Error::invalid(op, what));
            }
            let value = field.mul(reduced(&c.numerator(), p), field.inv(d));
            terms.push((e, Residue(Repr::Of { value, p })));
        }
        Ok(Poly::from_terms(terms))
    }
}

impl Poly<Residue> {
    /// The polynomial with the least non-negative representatives as coefficients.
    pub fn to_integers(&self) -> Poly<Integer> {
        self.map(Residue::to_integer)
    }
}

impl Poly<Integer> {
    /// The product modulo the prime `p`, coefficients in `0..p`: integer kernels and one reduction per term
    /// of the result, much faster than a product over [`Residue`].
    ///
    /// # Errors
    /// `InvalidInput` when `p` is not a prime below 2^62; else as [`Poly::mul_within`].
    pub fn mul_mod(&self, other: &Self, p: u64, budget: &Budget<'_>) -> Result<Self, Error> {
        check_prime("Poly::mul_mod", p)?;
        let (a, b) = (self.reduced_mod(p), other.reduced_mod(p));
        crate::poly::product::plan::modulo(&a, &b, &Reducer::new(p), budget)
    }

    /// Every coefficient reduced to `0..p`, for any `p > 0`; zero for `p = 0`.
    #[must_use]
    pub fn reduced_mod(&self, p: u64) -> Self {
        if p == 0 || p > i64::MAX as u64 {
            return Self::zero();
        }
        let by = Reducer::new(p);
        let values: Vec<i64> = match self.store() {
            Integers::I64(v) => {
                let most = p as i64;
                if v.iter().all(|&c| (0..most).contains(&c) && c != 0) {
                    return self.clone();
                }
                let one = |&c: &i64| by.signed(c < 0, by.word(c.unsigned_abs()));
                v.iter().map(one).collect()
            }
            Integers::I128(v) => {
                let one = |&c: &i128| by.signed(c < 0, by.double(c.unsigned_abs()));
                v.iter().map(one).collect()
            }
            _ => self.iter().map(|(_, c)| reduced(&c, p) as i64).collect(),
        };
        Self::from_parts(self.monomials().clone(), Integers::I64(values))
    }
}
