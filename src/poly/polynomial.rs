//! Sparse polynomials in any number of variables.

use super::{Ring, Vars};
use crate::Error;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign};

/// A sparse polynomial over the ring `C`.
///
/// Variables are numbered from 0; missing trailing exponents are zero, so polynomials in different
/// numbers of variables add and multiply. Invariant: no coefficient is zero and no exponent vector ends
/// in a zero, so equality is structural.
#[derive(Clone, PartialEq)]
pub struct Poly<C: Ring> {
    terms: BTreeMap<Exponents, C>,
}

/// Exponents without trailing zeros, ordered by total degree, then lexicographically.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Exponents(Vec<u32>);

impl Exponents {
    fn new(mut e: Vec<u32>) -> Self {
        while e.last() == Some(&0) {
            e.pop();
        }
        Self(e)
    }
    fn degree(&self) -> u64 {
        self.0.iter().map(|&e| u64::from(e)).sum()
    }
    fn checked_mul(&self, other: &Self) -> Option<Self> {
        let n = self.0.len().max(other.0.len());
        let at = |e: &Self, i: usize| e.0.get(i).copied().unwrap_or(0);
        let sum = (0..n).map(|i| at(self, i).checked_add(at(other, i)));
        sum.collect::<Option<Vec<_>>>().map(Self)
    }
}

impl PartialOrd for Exponents {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Exponents {
    fn cmp(&self, other: &Self) -> Ordering {
        let degree = self.degree().cmp(&other.degree());
        degree.then_with(|| self.0.cmp(&other.0))
    }
}

impl<C: Ring> Poly<C> {
    /// The zero polynomial.
    pub fn zero() -> Self {
        Self {
            terms: BTreeMap::new(),
        }
    }

    /// A constant.
    pub fn constant(value: C) -> Self {
        Self::monomial(&[], value)
    }

    /// The variable number `index`.
    pub fn variable(index: usize) -> Self {
        let mut e = vec![0; index + 1];
        e[index] = 1;
        Self::monomial(&e, C::one())
    }

    /// One term.
    pub fn monomial(exponents: &[u32], coefficient: C) -> Self {
        Self::from_terms([(exponents.to_vec(), coefficient)])
    }

    /// The sum of terms; equal exponents are added up.
    pub fn from_terms(terms: impl IntoIterator<Item = (Vec<u32>, C)>) -> Self {
        let mut sum = Self::zero();
        for (e, c) in terms {
            sum.accumulate(Exponents::new(e), c);
        }
        sum
    }

    fn accumulate(&mut self, e: Exponents, c: C) {
        use std::collections::btree_map::Entry;
        match self.terms.entry(e) {
            Entry::Vacant(slot) => {
                if !c.is_zero() {
                    slot.insert(c);
                }
            }
            Entry::Occupied(mut slot) => {
                *slot.get_mut() += &c;
                if slot.get().is_zero() {
                    slot.remove();
                }
            }
        }
    }

    /// The terms, greatest first: by total degree, then lexicographically.
    pub fn terms(&self) -> impl Iterator<Item = (Vec<u32>, &C)> {
        self.terms.iter().rev().map(|(e, c)| (e.0.clone(), c))
    }

    /// Number of terms.
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// Whether there is no term.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether this is the zero polynomial.
    pub fn is_zero(&self) -> bool {
        self.is_empty()
    }

    /// One more than the highest variable that occurs.
    pub fn nvars(&self) -> usize {
        self.terms.keys().map(|e| e.0.len()).max().unwrap_or(0)
    }

    /// The greatest total degree of a term; 0 for the zero polynomial.
    pub fn total_degree(&self) -> u64 {
        self.terms.keys().map(Exponents::degree).max().unwrap_or(0)
    }

    /// The coefficient of a monomial, zero when it does not occur.
    pub fn coefficient(&self, exponents: &[u32]) -> C {
        let key = Exponents::new(exponents.to_vec());
        self.terms.get(&key).cloned().unwrap_or_else(C::zero)
    }

    /// Every coefficient multiplied by `factor`.
    #[must_use]
    pub fn scale(&self, factor: &C) -> Self {
        self.map(|c| c.clone() * factor.clone())
    }

    /// Every coefficient sent through `f`, zeros dropped.
    pub fn map<D: Ring>(&self, f: impl Fn(&C) -> D) -> Poly<D> {
        let terms = self.terms.iter().map(|(e, c)| (e.clone(), f(c)));
        let terms = terms.filter(|(_, c)| !c.is_zero()).collect();
        Poly { terms }
    }

    /// The product.
    ///
    /// # Errors
    /// `Overflow` when an exponent leaves 32 bits.
    ///
    /// # Complexity
    /// `O(s*t*log(s*t))` ring operations for `s` and `t` terms.
    pub fn checked_mul(&self, other: &Self) -> Result<Self, Error> {
        let (op, what) = ("Poly::checked_mul", "exponent");
        let mut product = Self::zero();
        for (e, a) in &self.terms {
            for (f, b) in &other.terms {
                let sum = e.checked_mul(f).ok_or(Error::Overflow { op, what })?;
                let mut c = a.clone();
                c *= b;
                product.accumulate(sum, c);
            }
        }
        Ok(product)
    }

    /// `self^exponent` by repeated squaring, stopping when a result has more than `max_terms` terms.
    ///
    /// # Errors
    /// `LimitExceeded` beyond `max_terms`, `Overflow` when an exponent leaves 32 bits.
    pub fn pow(&self, exponent: u32, max_terms: usize) -> Result<Self, Error> {
        let mut result = Self::constant(C::one());
        for bit in (0..32 - exponent.leading_zeros()).rev() {
            result = result.bounded_mul(&result.clone(), max_terms)?;
            if exponent >> bit & 1 == 1 {
                result = result.bounded_mul(self, max_terms)?;
            }
        }
        Ok(result)
    }

    /// The product, refused before it is formed when even its support could pass `max_terms` squared.
    pub(crate) fn bounded_mul(&self, other: &Self, max_terms: usize) -> Result<Self, Error> {
        let op = "Poly::pow";
        let work = self.len().saturating_mul(other.len());
        let limit = max_terms as u64;
        if work > max_terms.saturating_mul(64) {
            return Err(Error::limit(op, "terms", limit));
        }
        let product = self.checked_mul(other)?;
        if product.len() > max_terms {
            return Err(Error::limit(op, "terms", limit));
        }
        Ok(product)
    }

    /// The value at a point; missing coordinates count as zero.
    pub fn eval(&self, point: &[C]) -> C {
        let mut sum = C::zero();
        for (e, c) in &self.terms {
            let mut t = c.clone();
            for (i, &k) in e.0.iter().enumerate().filter(|&(_, &k)| k > 0) {
                let x = point.get(i).cloned().unwrap_or_else(C::zero);
                t *= &num_traits::pow(x, k as usize);
            }
            sum += &t;
        }
        sum
    }

    /// The partial derivative in variable `index`.
    #[must_use]
    pub fn derivative(&self, index: usize) -> Self {
        Self::from_terms(self.terms.iter().filter_map(|(e, c)| {
            let k = *e.0.get(index)?;
            let mut f = e.0.clone();
            *f.get_mut(index)? = k.checked_sub(1)?;
            Some((f, c.clone() * C::from_i64(k.into())))
        }))
    }

    /// The text of the polynomial with the given names; reads back to the same polynomial.
    pub fn display<'a>(&'a self, vars: &'a Vars) -> impl std::fmt::Display + 'a
    where
        C: std::fmt::Display,
    {
        super::display::Shown { poly: self, vars }
    }
}

impl<C: Ring> AddAssign<&Poly<C>> for Poly<C> {
    fn add_assign(&mut self, other: &Poly<C>) {
        for (e, c) in &other.terms {
            self.accumulate(e.clone(), c.clone());
        }
    }
}

impl<C: Ring> SubAssign<&Poly<C>> for Poly<C> {
    fn sub_assign(&mut self, other: &Poly<C>) {
        for (e, c) in &other.terms {
            self.accumulate(e.clone(), -c.clone());
        }
    }
}

impl<C: Ring> Add for &Poly<C> {
    type Output = Poly<C>;
    fn add(self, other: Self) -> Poly<C> {
        let mut sum = self.clone();
        sum += other;
        sum
    }
}

impl<C: Ring> Sub for &Poly<C> {
    type Output = Poly<C>;
    fn sub(self, other: Self) -> Poly<C> {
        let mut difference = self.clone();
        difference -= other;
        difference
    }
}

impl<C: Ring> Neg for &Poly<C> {
    type Output = Poly<C>;
    fn neg(self) -> Poly<C> {
        self.map(|c| -c.clone())
    }
}

impl<C: Ring> Mul for &Poly<C> {
    type Output = Poly<C>;
    /// # Panics
    /// When an exponent leaves 32 bits; [`Poly::checked_mul`] returns an error instead.
    #[allow(clippy::panic)]
    fn mul(self, other: Self) -> Poly<C> {
        match self.checked_mul(other) {
            Ok(product) => product,
            Err(e) => panic!("{e}"),
        }
    }
}

impl<C: Ring + std::fmt::Display> std::fmt::Debug for Poly<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.display(&Vars::new()), f)
    }
}
