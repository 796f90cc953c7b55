//! Where the coefficients of a polynomial lie.

use super::ring::Ring;
use crate::Error;
use crate::poly::monomials::packed::{NONE, Origins};
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;
use std::fmt::Debug;

/// The coefficients of a polynomial, one for each term.
///
/// A ring chooses its store through [`Ring::Store`]. `Vec<C>` serves any ring; the integers and the
/// rationals keep all coefficients at one width in flat memory, and their products and quotients never
/// allocate for a coefficient. Every method but the first three has a default in terms of those three.
///
/// See [`Integers`](crate::poly::Integers) for an example.
pub trait Store<C: Ring>: Clone + Debug + Default + Send + Sync + 'static {
    /// The coefficients, in the order of the terms.
    fn from_vec(values: Vec<C>) -> Self;

    /// Coefficient number `i`.
    ///
    /// # Panics
    /// If `i` is out of range.
    fn get(&self, i: usize) -> C;

    /// Number of coefficients.
    fn len(&self) -> usize;

    /// Whether there is no coefficient.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The coefficients at `positions`, in that order.
    #[must_use]
    fn gather(&self, positions: &[usize]) -> Self {
        Self::from_vec(positions.iter().map(|&i| self.get(i)).collect())
    }

    /// `a + b`, or `a - b`, joined term by term: each origin names a position in `a` and one in `b`, with
    /// `u32::MAX` where a side has no such term.
    #[must_use]
    fn joined(a: &Self, b: &Self, origins: &Origins, subtract: bool) -> Self {
        let value = |&(i, j): &(u32, u32)| {
            let mut value = match i {
                NONE => C::zero(),
                i => a.get(i as usize),
            };
            match (j, subtract) {
                (NONE, _) => {}
                (j, false) => value += &b.get(j as usize),
                (j, true) => value -= &b.get(j as usize),
            }
            value
        };
        Self::from_vec(origins.iter().map(value).collect())
    }

    /// `a + b`, or `a - b`, of polynomials neither of which is zero, where the store has a faster way than [`Store::joined`].
    #[must_use]
    fn sum(_a: &Poly<C>, _b: &Poly<C>, _subtract: bool) -> Option<Poly<C>> {
        None
    }

    /// Every coefficient times `factor`.
    #[must_use]
    fn scaled(&self, factor: &C) -> Self {
        let product = |i| {
            let mut c = self.get(i);
            c *= factor;
            c
        };
        Self::from_vec((0..self.len()).map(product).collect())
    }

    /// Every coefficient negated.
    #[must_use]
    fn negated(&self) -> Self {
        Self::from_vec((0..self.len()).map(|i| -self.get(i)).collect())
    }

    /// The positions of coefficients that are not zero, or `None` when that is all of them.
    fn nonzero(&self) -> Option<Vec<usize>> {
        let kept: Vec<usize> = (0..self.len())
            .filter(|&i| !self.get(i).is_zero())
            .collect();
        (kept.len() < self.len()).then_some(kept)
    }

    /// An upper bound for the bits of a coefficient where coefficients grow, 0 elsewhere.
    fn bits(&self) -> u64 {
        0
    }

    /// Whether the coefficients are equal one by one.
    fn same(&self, other: &Self) -> bool {
        self.len() == other.len() && (0..self.len()).all(|i| self.get(i) == other.get(i))
    }

    /// The product of two polynomials over this store.
    ///
    /// # Errors
    /// `LimitExceeded` or `Stopped` when the budget ends, `Overflow` when an exponent leaves 32 bits.
    fn product(a: &Poly<C>, b: &Poly<C>, budget: &Budget<'_>) -> Result<Poly<C>, Error> {
        crate::poly::product::plan::plain(a, b, budget)
    }

    /// The exact quotient `a / b`, or `None` when `b` is zero or does not divide `a`.
    ///
    /// # Errors
    /// `LimitExceeded` or `Stopped` when the budget ends.
    fn quotient(a: &Poly<C>, b: &Poly<C>, budget: &Budget<'_>) -> Result<Option<Poly<C>>, Error> {
        crate::poly::division::plan::plain(a, b, budget)
    }
}

impl<C: Ring> Store<C> for Vec<C> {
    fn from_vec(values: Vec<C>) -> Self {
        values
    }
    fn get(&self, i: usize) -> C {
        self[i].clone()
    }
    fn len(&self) -> usize {
        Vec::len(self)
    }
    fn nonzero(&self) -> Option<Vec<usize>> {
        if self.iter().all(|c| !c.is_zero()) {
            return None;
        }
        Some((0..self.len()).filter(|&i| !self[i].is_zero()).collect())
    }
    fn same(&self, other: &Self) -> bool {
        self == other
    }
}
