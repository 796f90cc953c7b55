//! Operators on Hermite expansions: derivative, creation, Ornstein-Uhlenbeck, substitution, evaluation.
//!
//! Everything that commutes with the Laplacian acts on the symbol as it acts on the polynomial; the rest has
//! a closed form in the basis. Nothing here converts to monomials unless it says so.

use super::expansion::{HermiteExpansion, heat};
use super::heat_operator::exp_second_order;
use crate::Error;
use crate::poly::coefficients::ring::Ring;
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;
use std::collections::BTreeMap;

/// What one product on the way to an expectation may cost.
pub(in crate::poly::gaussian) fn budget() -> Budget<'static> {
    Budget::default().terms(1 << 22).work(1 << 33)
}

impl<C: Ring> HermiteExpansion<C> {
    fn with_symbol(&self, symbol: Poly<C>) -> Self {
        Self::from_symbol(symbol, self.variance().clone())
    }

    /// `d/dx_i`: `He_n^[s]' = n He_{n-1}^[s]`.
    #[must_use]
    pub fn derivative(&self, index: usize) -> Self {
        self.with_symbol(self.symbol().derivative(index))
    }

    /// Annihilation `a_i = s d/dx_i`, the adjoint of [`HermiteExpansion::creation`] under `N(0, s I)`.
    #[must_use]
    pub fn annihilation(&self, index: usize) -> Self {
        self.derivative(index).scale(self.variance())
    }

    /// Creation `x_i - s d/dx_i`: `He_a -> He_{a + e_i}`.
    ///
    /// # Errors
    /// `Overflow` when an exponent leaves 32 bits.
    pub fn creation(&self, index: usize) -> Result<Self, Error> {
        let raised = self.symbol().checked_mul(&Poly::variable(index))?;
        Ok(self.with_symbol(raised))
    }

    /// Multiplication by `x_i`: creation plus annihilation.
    ///
    /// # Errors
    /// `Overflow` when an exponent leaves 32 bits.
    pub fn times_variable(&self, index: usize) -> Result<Self, Error> {
        self.creation(index)?.checked_add(&self.annihilation(index))
    }

    /// The number operator `N He_a = |a| He_a = (x . grad - s Laplacian) He_a`; `-N` generates Ornstein-Uhlenbeck.
    #[must_use]
    pub fn number(&self) -> Self {
        self.graded(|degree| C::from_i64(degree as i64))
    }

    /// The Mehler (noise) operator `T_rho p(x) = E p(rho x + sqrt(1 - rho^2) sqrt(s) z)`: `He_a -> rho^|a| He_a`.
    /// With `rho = exp(-t)` it is the Ornstein-Uhlenbeck semigroup at time `t`.
    #[must_use]
    pub fn mehler(&self, rho: &C) -> Self {
        let top = self.symbol().total_degree() as usize;
        let mut powers = vec![C::one()];
        // A lone term of giant degree must not ask for a table of that size.
        let dense = top <= 1 << 16;
        if dense {
            for _ in 0..top {
                let mut next = powers[powers.len() - 1].clone();
                next *= rho;
                powers.push(next);
            }
        }
        self.graded(|degree| match powers.get(degree as usize) {
            Some(power) => power.clone(),
            None => num_traits::pow(rho.clone(), degree as usize),
        })
    }

    fn graded(&self, weight: impl Fn(u64) -> C) -> Self {
        let terms = self.symbol().iter().map(|(e, mut c)| {
            let degree = e.iter().map(|&k| u64::from(k)).sum();
            c *= &weight(degree);
            (e, c)
        });
        self.with_symbol(Poly::from_terms(terms))
    }

    /// The heat semigroup `P_t p(x) = E p(x + sqrt(t) z)`, in the same basis.
    ///
    /// # Errors
    /// As [`heat`].
    pub fn heat(&self, t: &C) -> Result<Self, Error> {
        Ok(self.with_symbol(heat(self.symbol(), t)?))
    }

    /// The part of degree exactly `k` in the basis (the Wiener chaos of order `k`).
    #[must_use]
    pub fn chaos(&self, k: u64) -> Self {
        self.keep(|e| e.iter().map(|&x| u64::from(x)).sum::<u64>() == k)
    }

    /// The terms of degree at most `k`: the best approximation of degree `k` in mean square.
    #[must_use]
    pub fn truncate(&self, k: u64) -> Self {
        self.keep(|e| e.iter().map(|&x| u64::from(x)).sum::<u64>() <= k)
    }

    fn keep(&self, wanted: impl Fn(&[u32]) -> bool) -> Self {
        let terms = self.symbol().iter().filter(|(e, _)| wanted(e));
        self.with_symbol(Poly::from_terms(terms))
    }

    /// Expectation over the listed variables (each `N(0, s)`), a function of the others.
    #[must_use]
    pub fn marginal_expectation(&self, variables: &[usize]) -> Self {
        self.keep(|e| {
            variables
                .iter()
                .all(|&i| e.get(i).copied().unwrap_or(0) == 0)
        })
    }

    /// The polynomial with `x_i` fixed to a value.
    ///
    /// # Errors
    /// `LimitExceeded` when the degree in `x_i` is above 100000.
    pub fn restrict(&self, index: usize, value: &C) -> Result<Self, Error> {
        let mut lines: BTreeMap<Vec<u32>, Vec<(u32, C)>> = BTreeMap::new();
        for (mut e, c) in self.symbol().iter() {
            let mut k = 0;
            if let Some(slot) = e.get_mut(index) {
                std::mem::swap(slot, &mut k);
            }
            lines.entry(e).or_default().push((k, c));
        }
        let mut terms = Vec::with_capacity(lines.len());
        for (e, line) in lines {
            terms.push((e, clenshaw(&line, value, self.variance())?));
        }
        Ok(self.with_symbol(Poly::from_terms(terms)))
    }

    /// The value at a point (missing coordinates are 0) by nested Clenshaw recurrences in the basis itself: over
    /// floats it stays accurate at degrees where the monomial form has lost every digit.
    ///
    /// # Errors
    /// `LimitExceeded` when a degree is above 100000.
    pub fn eval(&self, point: &[C]) -> Result<C, Error> {
        let mut rest = self.clone();
        for i in (0..self.symbol().nvars()).rev() {
            let value = point.get(i).cloned().unwrap_or_else(C::zero);
            rest = rest.restrict(i, &value)?;
        }
        Ok(rest.expectation())
    }

    /// `p(x + y)`: shifts commute with the heat operator, so this is the shift of the symbol.
    ///
    /// # Errors
    /// `LimitExceeded` beyond 2^22 terms, `Overflow`.
    pub fn shift(&self, by: &[C]) -> Result<Self, Error> {
        let n = self.symbol().nvars();
        let images: Vec<Poly<C>> = (0..n)
            .map(|i| {
                let constant = by.get(i).cloned().unwrap_or_else(C::zero);
                &Poly::variable(i) + &Poly::constant(constant)
            })
            .collect();
        Ok(self.with_symbol(substitute(self.symbol(), &images)?))
    }

    /// `p(A x + b)` as an expansion in the same basis, for any matrix with one row per variable of `p`.
    ///
    /// For orthogonal `A` the symbol is substituted as it stands; otherwise it is first corrected by
    /// `exp(s/2 grad'(A A' - I) grad)`.
    ///
    /// # Shapes
    /// `rows` holds at least `nvars` rows of equal length (the number of new variables); `offset` one entry per row.
    ///
    /// # Errors
    /// `Shape`, `LimitExceeded`, `Overflow`.
    pub fn substitute_linear(&self, rows: &[Vec<C>], offset: &[C]) -> Result<Self, Error> {
        let op = "HermiteExpansion::substitute_linear";
        let n = self.symbol().nvars();
        if rows.len() < n || offset.len() < n || rows.iter().any(|r| r.len() != rows[0].len()) {
            let found = format!("{} rows and {} offsets", rows.len(), offset.len());
            return Err(Error::shape(
                op,
                format!("{n} rows of one length and {n} offsets"),
                found,
            ));
        }
        let mut operators = Vec::new();
        for i in 0..n {
            for j in i..n {
                let mut gap = if i == j { -C::one() } else { C::zero() };
                for (x, y) in rows[i].iter().zip(&rows[j]) {
                    gap += &(x.clone() * y.clone());
                }
                operators.push((i, j, gap * self.variance().clone()));
            }
        }
        let corrected = exp_second_order(self.symbol(), &operators)?;
        let images: Vec<Poly<C>> = (0..n).map(|i| linear_form(&rows[i], &offset[i])).collect();
        Ok(self.with_symbol(substitute(&corrected, &images)?))
    }
}

/// `sum_j row_j x_j + constant`.
pub(in crate::poly::gaussian) fn linear_form<C: Ring>(row: &[C], constant: &C) -> Poly<C> {
    let mut terms: Vec<(Vec<u32>, C)> = vec![(Vec::new(), constant.clone())];
    for (j, a) in row.iter().enumerate() {
        let mut e = vec![0; j + 1];
        e[j] = 1;
        terms.push((e, a.clone()));
    }
    Poly::from_terms(terms)
}

/// `p` with variable `i` replaced by `images[i]` (zero beyond the list): Horner in one variable after the other.
///
/// # Errors
/// `LimitExceeded` beyond 2^22 terms or 1000 variables, `Overflow`.
pub(in crate::poly::gaussian) fn substitute<C: Ring>(
    p: &Poly<C>,
    images: &[Poly<C>],
) -> Result<Poly<C>, Error> {
    // The recursion is as deep as there are variables.
    if p.nvars() > 1000 {
        return Err(Error::limit("substitute", "variables", 1000));
    }
    let terms: Vec<(Vec<u32>, C)> = p.iter().collect();
    nested(terms, images, 0, p.nvars())
}

/// Recursion over variables: its depth is the number of variables, each level strictly shorter.
fn nested<C: Ring>(
    terms: Vec<(Vec<u32>, C)>,
    images: &[Poly<C>],
    i: usize,
    n: usize,
) -> Result<Poly<C>, Error> {
    if i >= n || terms.is_empty() {
        let mut sum = C::zero();
        terms.iter().for_each(|(_, c)| sum += c);
        return Ok(Poly::constant(sum));
    }
    let mut by_power: BTreeMap<u32, Vec<(Vec<u32>, C)>> = BTreeMap::new();
    for (e, c) in terms {
        let k = e.get(i).copied().unwrap_or(0);
        by_power.entry(k).or_default().push((e, c));
    }
    let zero = Poly::zero();
    let image = images.get(i).unwrap_or(&zero);
    let mut result = Poly::zero();
    let mut power = by_power.keys().next_back().copied().unwrap_or(0);
    while let Some((k, group)) = by_power.pop_last() {
        let step = image.pow_within(power - k, &budget())?;
        result = result.mul_within(&step, &budget())?;
        result += &nested(group, images, i + 1, n)?;
        power = k;
    }
    result.mul_within(&image.pow_within(power, &budget())?, &budget())
}

/// `sum_k c_k He_k^[s](x)` from pairs in any order: `b_k = c_k + x b_{k+1} - s (k+1) b_{k+2}`.
fn clenshaw<C: Ring>(line: &[(u32, C)], x: &C, s: &C) -> Result<C, Error> {
    let top = line.iter().map(|&(k, _)| k).max().unwrap_or(0);
    if top > 100_000 {
        return Err(Error::limit(
            "HermiteExpansion::restrict",
            "degree",
            100_000,
        ));
    }
    let mut dense = vec![C::zero(); top as usize + 1];
    for (k, c) in line {
        dense[*k as usize] += c;
    }
    let (mut next, mut after) = (C::zero(), C::zero());
    for (k, c) in dense.into_iter().enumerate().rev() {
        let mut here = c;
        here += &(x.clone() * next.clone());
        here -= &(C::from_i64(k as i64 + 1) * s.clone() * after);
        (after, next) = (next, here);
    }
    Ok(next)
}

impl HermiteExpansion<f64> {
    /// The coefficients in the orthonormal basis `He_a^[s] / sqrt(a! s^|a|)`, with their exponents, highest first.
    pub fn orthonormal_coefficients(&self) -> Vec<(Vec<u32>, f64)> {
        let deviation = self.variance().sqrt();
        let size = |k: u32| -> f64 { (1..=k).map(|n| f64::from(n).sqrt() * deviation).product() };
        let terms = self.symbol().iter();
        terms
            .map(|(e, c)| (e.clone(), c * e.iter().map(|&k| size(k)).product::<f64>()))
            .collect()
    }
}
