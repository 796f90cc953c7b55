//! Sums, differences, the operators, and polynomials as a ring of coefficients.

use super::value::Poly;
use crate::poly::coefficients::ring::Ring;
use crate::poly::coefficients::store::Store;
use crate::poly::monomials::packed::{Monomials, merge};
use num_traits::{One, Zero};
use std::ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign};

impl<C: Ring> Poly<C> {
    fn joined(&self, other: &Self, subtract: bool) -> Self {
        if other.is_zero() {
            return self.clone();
        }
        if self.is_zero() {
            return if subtract { -other } else { other.clone() };
        }
        if let Some(sum) = C::Store::sum(self, other, subtract) {
            return sum;
        }
        let (monomials, origins): (Monomials, _) = merge(self.monomials(), other.monomials());
        let store = C::Store::joined(self.store(), other.store(), &origins, subtract);
        Self::from_parts(monomials, store)
    }

    /// The sum of many polynomials, in `O(t log n)` for `n` of them with `t` terms together: adding them
    /// one by one would copy the growing sum every time.
    pub fn sum(polynomials: impl IntoIterator<Item = Self>) -> Self {
        // Like the digits of a binary counter: only sums of equally many are added.
        let mut stack: Vec<(u32, Self)> = Vec::new();
        for p in polynomials {
            let mut top = (0, p);
            while let Some((rank, sum)) = stack.pop_if(|(rank, _)| *rank == top.0) {
                top = (rank + 1, sum.joined(&top.1, false));
            }
            stack.push(top);
        }
        let mut total = Self::zero();
        while let Some((_, sum)) = stack.pop() {
            total = sum.joined(&total, false);
        }
        total
    }
}

impl<C: Ring> AddAssign<&Poly<C>> for Poly<C> {
    /// Copies the sum; [`Poly::sum`] adds many at once.
    fn add_assign(&mut self, other: &Poly<C>) {
        *self = self.joined(other, false);
    }
}

impl<C: Ring> SubAssign<&Poly<C>> for Poly<C> {
    fn sub_assign(&mut self, other: &Poly<C>) {
        *self = self.joined(other, true);
    }
}

impl<C: Ring> MulAssign<&Poly<C>> for Poly<C> {
    /// # Panics
    /// As the operator `*`.
    fn mul_assign(&mut self, other: &Poly<C>) {
        *self = &*self * other;
    }
}

impl<C: Ring> Add for &Poly<C> {
    type Output = Poly<C>;
    fn add(self, other: Self) -> Poly<C> {
        self.joined(other, false)
    }
}

impl<C: Ring> Sub for &Poly<C> {
    type Output = Poly<C>;
    fn sub(self, other: Self) -> Poly<C> {
        self.joined(other, true)
    }
}

impl<C: Ring> Neg for &Poly<C> {
    type Output = Poly<C>;
    fn neg(self) -> Poly<C> {
        Poly::from_parts(self.monomials().clone(), self.store().negated())
    }
}

impl<C: Ring> Mul for &Poly<C> {
    type Output = Poly<C>;
    /// # Panics
    /// When an exponent leaves 32 bits or the result 2^28 terms; [`Poly::checked_mul`] returns an error
    /// instead.
    #[allow(clippy::panic)]
    fn mul(self, other: Self) -> Poly<C> {
        match self.checked_mul(other) {
            Ok(product) => product,
            Err(e) => panic!("{e}"),
        }
    }
}

macro_rules! by_value {
    ($($op:ident $method:ident),*) => {$(
        impl<C: Ring> $op for Poly<C> {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                $op::$method(&self, &other)
            }
        }
    )*};
}
by_value!(Add add, Sub sub, Mul mul);

impl<C: Ring> Neg for Poly<C> {
    type Output = Self;
    fn neg(self) -> Self {
        -&self
    }
}

impl<C: Ring> Zero for Poly<C> {
    fn zero() -> Self {
        Self::zero()
    }
    fn is_zero(&self) -> bool {
        self.is_empty()
    }
}

impl<C: Ring> One for Poly<C> {
    fn one() -> Self {
        Self::constant(C::one())
    }
}

/// Polynomials are coefficients themselves: `Poly<Poly<Rational>>` has polynomials for coefficients.
impl<C: Ring + std::fmt::Display> Ring for Poly<C> {
    type Store = Vec<Self>;
    const EXACT: bool = C::EXACT;
    const DOMAIN: bool = C::DOMAIN;
    fn from_i64(value: i64) -> Self {
        Self::constant(C::from_i64(value))
    }
    fn checked_div(&self, other: &Self) -> Option<Self> {
        let budget = crate::poly::product::budget::Budget::default();
        self.divide_exact(other, &budget).ok().flatten()
    }
}
