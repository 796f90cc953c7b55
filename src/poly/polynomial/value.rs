//! Sparse polynomials in any number of variables.

use crate::Error;
use crate::poly::coefficients::ring::Ring;
use crate::poly::coefficients::store::Store;
use crate::poly::monomials::packed;
use crate::poly::monomials::packed::{Monomials, Width};
use crate::poly::product::budget::Budget;
use crate::poly::text::vars::Vars;

/// A sparse polynomial over the ring `C`.
///
/// Variables are numbered from 0; missing trailing exponents are zero, so polynomials in different
/// numbers of variables add and multiply. Exponents are packed into machine words, as narrow as the
/// polynomial allows and widened when a result needs it; coefficients lie in the store of their ring.
/// Invariant ([`Poly::check_invariants`]): monomials descend strictly in lexicographic order and no
/// coefficient is zero, so two polynomials are equal exactly when their terms are.
#[derive(Clone)]
pub struct Poly<C: Ring> {
    monomials: Monomials,
    store: C::Store,
}

impl<C: Ring> Poly<C> {
    /// The zero polynomial.
    pub fn zero() -> Self {
        Self {
            monomials: Monomials::empty(),
            store: C::Store::from_vec(Vec::new()),
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
        if coefficient.is_zero() {
            return Self::zero();
        }
        let used = exponents.iter().rposition(|&e| e > 0).map_or(0, |i| i + 1);
        let row = exponents[..used].to_vec();
        Self {
            monomials: Monomials::from_rows(used, row, 1),
            store: C::Store::from_vec(vec![coefficient]),
        }
    }

    /// The sum of terms; equal exponents are added up.
    ///
    /// # Complexity
    /// `O(t log t)` for `t` terms.
    pub fn from_terms(terms: impl IntoIterator<Item = (Vec<u32>, C)>) -> Self {
        let mut all: Vec<(Vec<u32>, C)> = terms.into_iter().collect();
        let used = |e: &Vec<u32>| e.iter().rposition(|&k| k > 0).map_or(0, |i| i + 1);
        let nvars = all.iter().map(|(e, _)| used(e)).max().unwrap_or(0);
        for (e, _) in &mut all {
            e.resize(nvars, 0);
        }
        // A stable sort: equal exponents are added in the order given, which matters for floats.
        all.sort_by(|x, y| y.0.cmp(&x.0));
        let mut sums: Vec<(Vec<u32>, C)> = Vec::with_capacity(all.len());
        for (e, c) in all {
            match sums.last_mut() {
                Some((last, sum)) if *last == e => *sum += &c,
                _ => sums.push((e, c)),
            }
        }
        sums.retain(|(_, c)| !c.is_zero());
        let count = sums.len();
        let mut rows = Vec::with_capacity(count * nvars);
        let mut values = Vec::with_capacity(count);
        for (e, c) in sums {
            rows.extend(e);
            values.push(c);
        }
        Self {
            monomials: Monomials::from_rows(nvars, rows, count),
            store: C::Store::from_vec(values),
        }
    }

    /// Parts that keep the invariant but for zero coefficients, which are dropped.
    pub(crate) fn from_parts(monomials: Monomials, store: C::Store) -> Self {
        match store.nonzero() {
            None => Self { monomials, store },
            Some(kept) => Self {
                monomials: monomials.gather(&kept),
                store: store.gather(&kept),
            },
        }
    }

    /// Parts that keep the invariant.
    pub(crate) fn from_canonical(monomials: Monomials, store: C::Store) -> Self {
        debug_assert!(store.nonzero().is_none());
        Self { monomials, store }
    }

    pub(crate) fn monomials(&self) -> &Monomials {
        &self.monomials
    }

    /// The coefficients in the order of [`Poly::iter`].
    pub fn store(&self) -> &C::Store {
        &self.store
    }

    /// The terms in the order of storage, lexicographically greatest first: the cheapest way through.
    pub fn iter(&self) -> impl Iterator<Item = (Vec<u32>, C)> + '_ {
        (0..self.len()).map(|i| self.term(i))
    }

    /// Term `i` in the order of storage.
    fn term(&self, i: usize) -> (Vec<u32>, C) {
        let mut row = vec![0; self.monomials.nvars];
        self.monomials.row(i, &mut row);
        while row.last() == Some(&0) {
            row.pop();
        }
        (row, self.store.get(i))
    }

    /// The terms, greatest first: by total degree, then lexicographically. Exponents carry no trailing
    /// zeros.
    pub fn terms(&self) -> impl Iterator<Item = (Vec<u32>, C)> + '_ {
        let degrees = self.degrees_of_terms();
        let mut order: Vec<usize> = (0..self.len()).collect();
        // Stable, and storage is lexicographic already.
        order.sort_by_key(|&i| std::cmp::Reverse(degrees[i]));
        order.into_iter().map(|i| self.term(i))
    }

    fn degrees_of_terms(&self) -> Vec<u64> {
        let mut row = vec![0; self.monomials.nvars];
        let degree = |i| {
            self.monomials.row(i, &mut row);
            row.iter().map(|&e| u64::from(e)).sum()
        };
        (0..self.len()).map(degree).collect()
    }

    /// Number of terms.
    pub fn len(&self) -> usize {
        self.monomials.len()
    }

    /// Whether there is no term.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether this is the zero polynomial.
    pub fn is_zero(&self) -> bool {
        self.is_empty()
    }

    /// One more than the highest variable that occurs.
    pub fn nvars(&self) -> usize {
        let degrees = self.monomials.degrees();
        degrees.iter().rposition(|&d| d > 0).map_or(0, |v| v + 1)
    }

    /// The greatest total degree of a term; 0 for the zero polynomial.
    pub fn total_degree(&self) -> u64 {
        self.degrees_of_terms().into_iter().max().unwrap_or(0)
    }

    /// The greatest exponent of variable `index`; 0 for the zero polynomial.
    pub fn degree(&self, index: usize) -> u32 {
        self.monomials.degrees().get(index).copied().unwrap_or(0)
    }

    /// The greatest exponent of each variable that occurs.
    pub fn degrees(&self) -> Vec<u32> {
        let mut degrees = self.monomials.degrees();
        degrees.truncate(self.nvars());
        degrees
    }

    /// The coefficient of a monomial, zero when it does not occur.
    pub fn coefficient(&self, exponents: &[u32]) -> C {
        match self.monomials.find(exponents) {
            Some(i) => self.store.get(i),
            None => C::zero(),
        }
    }

    /// The lexicographically greatest term; `None` for the zero polynomial.
    pub fn leading_term(&self) -> Option<(Vec<u32>, C)> {
        (!self.is_empty()).then(|| self.term(0))
    }

    /// Every coefficient multiplied by `factor`.
    #[must_use]
    pub fn scale(&self, factor: &C) -> Self {
        if factor.is_zero() {
            return Self::zero();
        }
        Self::from_parts(self.monomials.clone(), self.store.scaled(factor))
    }

    /// Every coefficient sent through `f`, zeros dropped.
    pub fn map<D: Ring>(&self, f: impl Fn(&C) -> D) -> Poly<D> {
        let values = (0..self.len()).map(|i| f(&self.store.get(i))).collect();
        let (monomials, values) = packed::drop_zeros(self.monomials.clone(), values);
        Poly {
            monomials,
            store: D::Store::from_vec(values),
        }
    }

    /// The product.
    ///
    /// # Errors
    /// `Overflow` when an exponent leaves 32 bits, `LimitExceeded` beyond 2^28 terms.
    ///
    /// # Complexity
    /// `O(s*t)` ring operations for `s` and `t` terms; `O(s + t + r)` memory for `r` terms of result
    /// where the result has dense blocks.
    pub fn checked_mul(&self, other: &Self) -> Result<Self, Error> {
        self.mul_within(other, &Budget::default())
    }

    /// The product, within a budget.
    ///
    /// # Errors
    /// `Overflow` when an exponent leaves 32 bits, `LimitExceeded` or `Stopped` when the budget ends.
    ///
    /// # Example
    /// ```
    /// use wickring::poly::{Budget, Integer, Poly};
    /// let x = Poly::<Integer>::variable(0);
    /// let y = Poly::variable(1);
    /// let product = (&x + &y).mul_within(&(&x - &y), &Budget::default())?;
    /// assert_eq!(product, &(&x * &x) - &(&y * &y));
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn mul_within(&self, other: &Self, budget: &Budget<'_>) -> Result<Self, Error> {
        if self.is_zero() || other.is_zero() {
            return Ok(Self::zero());
        }
        C::Store::product(self, other, budget)
    }

    pub(crate) fn is_one(&self) -> bool {
        self.is_constant() && self.len() == 1 && self.store.get(0).is_one()
    }

    /// Whether no variable occurs.
    pub fn is_constant(&self) -> bool {
        self.is_empty() || (self.len() == 1 && self.nvars() == 0)
    }

    /// The exact quotient, or `None` when `divisor` is zero or does not divide.
    ///
    /// Over the integers and the rationals the answer is certain: a quotient is returned only with
    /// `self - quotient * divisor = 0` established without overflow.
    ///
    /// # Errors
    /// `LimitExceeded` or `Stopped` when the budget ends.
    ///
    /// # Example
    /// ```
    /// use wickring::poly::{Budget, Poly, Rational, Vars};
    /// let mut vars = Vars::new();
    /// let a = Poly::<Rational>::parse("x^4 - y^4", &mut vars)?;
    /// let b = Poly::parse("x - y", &mut vars)?;
    /// let quotient = a.divide_exact(&b, &Budget::default())?;
    /// assert_eq!(quotient.map(|q| &q * &b), Some(a));
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn divide_exact(&self, divisor: &Self, budget: &Budget<'_>) -> Result<Option<Self>, Error> {
        if divisor.is_zero() {
            return Ok(None);
        }
        if self.is_zero() {
            return Ok(Some(Self::zero()));
        }
        C::Store::quotient(self, divisor, budget)
    }

    /// The value at a point; missing coordinates count as zero.
    pub fn eval(&self, point: &[C]) -> C {
        let mut powers: Vec<Vec<C>> = Vec::new();
        for (v, &degree) in self.monomials.degrees().iter().enumerate() {
            let x = point.get(v).cloned().unwrap_or_else(C::zero);
            // A table of powers pays unless the degree is far beyond the number of terms.
            let table = (degree as usize) < 4 * self.len() + 16;
            let mut list = vec![C::one()];
            for k in 0..if table { degree as usize } else { 0 } {
                let mut next = list[k].clone();
                next *= &x;
                list.push(next);
            }
            if !table {
                list = vec![x];
            }
            powers.push(list);
        }
        let mut row = vec![0; self.monomials.nvars];
        let mut sum = C::zero();
        for i in 0..self.len() {
            self.monomials.row(i, &mut row);
            let mut t = self.store.get(i);
            for (v, &k) in row.iter().enumerate().filter(|&(_, &k)| k > 0) {
                match powers[v]
                    .as_slice()
                    .get(k as usize)
                    .filter(|_| powers[v].len() > 1)
                {
                    Some(power) => t *= power,
                    None => t *= &num_traits::pow(powers[v][0].clone(), k as usize),
                }
            }
            sum += &t;
        }
        sum
    }

    /// The text of the polynomial with the given names; reads back to the same polynomial.
    pub fn display<'a>(&'a self, vars: &'a Vars) -> impl std::fmt::Display + 'a
    where
        C: std::fmt::Display,
    {
        crate::poly::text::display::Shown { poly: self, vars }
    }

    /// Whether the invariant of the type holds.
    pub fn check_invariants(&self) -> bool {
        let n = self.monomials.nvars;
        let rows = self.monomials.all_rows();
        let rows: Vec<&[u32]> = rows.chunks(n.max(1)).collect();
        let ordered = rows.windows(2).all(|w| w[0] > w[1]);
        let narrow = self.monomials.width() != Width::Rows || n > 0;
        let length = self.store.len() == self.len();
        ordered && narrow && length && self.store.nonzero().is_none()
    }
}

impl<C: Ring> PartialEq for Poly<C> {
    fn eq(&self, other: &Self) -> bool {
        self.store.same(&other.store) && self.monomials.same(&other.monomials)
    }
}

impl<C: Ring + std::fmt::Display> std::fmt::Debug for Poly<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.display(&Vars::new()), f)
    }
}
