//! Polynomials in the basis of Hermite polynomials.

use super::heat_operator::{exp_second_order, from_integer};
use crate::Error;
use crate::poly::coefficients::rational::Integer;
use crate::poly::coefficients::ring::Ring;
use crate::poly::polynomial::value::Poly;

const OP: &str = "HermiteExpansion";
/// Below this many pairs of terms a product is formed by linearisation.
const LINEARISE_BELOW: usize = 256;

/// `sum_a c_a He_a(x)` with `He_a(x) = prod_i He_{a_i}(x_i)`: probabilists' Hermite polynomials, unnormalised,
/// so that every identity is exact over every ring.
///
/// The basis may be scaled to a variance `s`: `He_n^[s](x) = exp(-s/2 d^2) x^n`, orthogonal for `N(0, s)`;
/// `s = 1` unless said otherwise, and `s = 0` is the monomial basis. The `symbol` is the polynomial
/// `sum_a c_a x^a` that carries the same coefficients: `symbol = exp(s/2 Laplacian) p`.
///
/// # Example
/// ```
/// use wickring::poly::{Poly, Rational, Vars};
/// use wickring::poly::gaussian::HermiteExpansion;
/// let mut vars = Vars::new();
/// let p = Poly::<Rational>::parse("x^4", &mut vars)?;
/// let h = HermiteExpansion::from_poly(&p)?;
/// assert_eq!(h.symbol().display(&vars).to_string(), "x^4 + 6*x^2 + 3"); // He_4 + 6 He_2 + 3
/// assert_eq!(h.expectation(), Rational::from(3));
/// assert_eq!(h.to_poly()?, p);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct HermiteExpansion<C: Ring> {
    variance: C,
    symbol: Poly<C>,
}

/// `exp(t/2 Laplacian) p`, exact: `E p(x + sqrt(t) z)` for standard normal `z` when `t >= 0`, and its inverse for
/// negative `t`.
///
/// # Errors
/// `LimitExceeded` when the result would have more than 2^22 terms, `Overflow` for exponents at the top of 32 bits.
///
/// # Complexity
/// Terms of the result, times the number of variables, times half the degree.
pub fn heat<C: Ring>(p: &Poly<C>, t: &C) -> Result<Poly<C>, Error> {
    let operators: Vec<_> = (0..p.nvars()).map(|i| (i, i, t.clone())).collect();
    exp_second_order(p, &operators)
}

impl<C: Ring> HermiteExpansion<C> {
    /// The expansion of a polynomial in `He_a`.
    ///
    /// # Errors
    /// As [`heat`].
    pub fn from_poly(p: &Poly<C>) -> Result<Self, Error> {
        Self::from_poly_with_variance(p, C::one())
    }

    /// The expansion of a polynomial in `He_a^[s]`.
    ///
    /// # Errors
    /// As [`heat`].
    pub fn from_poly_with_variance(p: &Poly<C>, s: C) -> Result<Self, Error> {
        Ok(Self {
            symbol: heat(p, &s)?,
            variance: s,
        })
    }

    /// The expansion with the given coefficients: `symbol = sum_a c_a x^a` stands for `sum_a c_a He_a^[s]`.
    pub fn from_symbol(symbol: Poly<C>, s: C) -> Self {
        Self {
            variance: s,
            symbol,
        }
    }

    /// The polynomial itself.
    ///
    /// # Errors
    /// As [`heat`].
    pub fn to_poly(&self) -> Result<Poly<C>, Error> {
        heat(&self.symbol, &-self.variance.clone())
    }

    /// The same polynomial in the basis of another variance.
    ///
    /// # Errors
    /// As [`heat`].
    pub fn with_variance(&self, s: C) -> Result<Self, Error> {
        let mut step = s.clone();
        step -= &self.variance;
        Ok(Self {
            symbol: heat(&self.symbol, &step)?,
            variance: s,
        })
    }

    /// The variance of the basis.
    pub fn variance(&self) -> &C {
        &self.variance
    }

    /// The coefficients, as the polynomial `sum_a c_a x^a`.
    pub fn symbol(&self) -> &Poly<C> {
        &self.symbol
    }

    /// The coefficient of `He_a`.
    pub fn coefficient(&self, exponents: &[u32]) -> C {
        self.symbol.coefficient(exponents)
    }

    /// Number of terms.
    pub fn len(&self) -> usize {
        self.symbol.len()
    }

    /// Whether this is zero.
    pub fn is_empty(&self) -> bool {
        self.symbol.is_zero()
    }

    /// `E p(x)` for `x ~ N(0, s I)`: the constant coefficient.
    pub fn expectation(&self) -> C {
        self.symbol.coefficient(&[])
    }

    fn same_basis(&self, other: &Self, op: &'static str) -> Result<(), Error> {
        if self.variance == other.variance {
            return Ok(());
        }
        let (s, t) = (&self.variance, &other.variance);
        Err(Error::invalid(
            op,
            format!("needs one variance, got {s:?} and {t:?}; convert with with_variance"),
        ))
    }

    /// The sum.
    ///
    /// # Errors
    /// `InvalidInput` when the bases differ.
    pub fn checked_add(&self, other: &Self) -> Result<Self, Error> {
        self.same_basis(other, "HermiteExpansion::checked_add")?;
        Ok(Self {
            symbol: &self.symbol + &other.symbol,
            variance: self.variance.clone(),
        })
    }

    /// The multiple by a scalar.
    #[must_use]
    pub fn scale(&self, factor: &C) -> Self {
        Self {
            symbol: self.symbol.scale(factor),
            variance: self.variance.clone(),
        }
    }

    /// The product: few terms by linearisation, many by conversion to monomials and back.
    ///
    /// # Errors
    /// `InvalidInput` when the bases differ, `Overflow`, `LimitExceeded`.
    pub fn checked_mul(&self, other: &Self) -> Result<Self, Error> {
        self.same_basis(other, "HermiteExpansion::checked_mul")?;
        if self.len().saturating_mul(other.len()) <= LINEARISE_BELOW {
            return self.mul_by_linearisation(other);
        }
        self.mul_by_conversion(other)
    }

    /// The product by `He_m He_n = sum_k k! C(m,k) C(n,k) s^k He_{m+n-2k}` in each variable.
    ///
    /// # Errors
    /// `InvalidInput` when the bases differ, `Overflow` of exponents, `LimitExceeded` beyond 2^22 terms of
    /// one pair.
    pub fn mul_by_linearisation(&self, other: &Self) -> Result<Self, Error> {
        let op = "HermiteExpansion::mul_by_linearisation";
        self.same_basis(other, op)?;
        let mut parts = Vec::new();
        for (a, c) in self.symbol.iter() {
            for (b, d) in other.symbol.iter() {
                let mut coefficient = c.clone();
                coefficient *= &d;
                parts.push(linearise(&a, &b, coefficient, &self.variance)?);
            }
        }
        Ok(Self {
            symbol: Poly::sum(parts),
            variance: self.variance.clone(),
        })
    }

    /// The product by conversion to monomials and back.
    ///
    /// # Errors
    /// `InvalidInput` when the bases differ, `Overflow`, `LimitExceeded`.
    pub fn mul_by_conversion(&self, other: &Self) -> Result<Self, Error> {
        self.same_basis(other, "HermiteExpansion::mul_by_conversion")?;
        let product = self.to_poly()?.checked_mul(&other.to_poly()?)?;
        Self::from_poly_with_variance(&product, self.variance.clone())
    }

    /// `E[p q]` for `x ~ N(0, s I)` by Parseval, `sum_a c_a d_a a! s^|a|`: no product is formed.
    ///
    /// # Errors
    /// `InvalidInput` when the bases differ.
    ///
    /// # Complexity
    /// One look-up and `1 + nvars` multiplications for each term of the shorter factor.
    pub fn inner(&self, other: &Self) -> Result<C, Error> {
        self.same_basis(other, "HermiteExpansion::inner")?;
        let nvars = self.symbol.nvars().min(other.symbol.nvars());
        let variances = vec![self.variance.clone(); nvars];
        Ok(fischer(&self.symbol, &other.symbol, &variances))
    }
}

/// `sum_a c_a d_a a! prod_i s_i^{a_i}`: the Fischer product of two symbols, weighted by variances; variables
/// beyond the list cannot occur in both and count with weight zero.
pub(in crate::poly::gaussian) fn fischer<C: Ring>(
    left: &Poly<C>,
    right: &Poly<C>,
    variances: &[C],
) -> C {
    let (short, long) = if left.len() <= right.len() {
        (left, right)
    } else {
        (right, left)
    };
    let mut tables: Vec<Vec<C>> = variances.iter().map(|_| vec![C::one()]).collect();
    let mut sum = C::zero();
    for (e, c) in short.iter() {
        if e.len() > variances.len() {
            continue;
        }
        let mut term = long.coefficient(&e);
        if term.is_zero() {
            continue;
        }
        term *= &c;
        for (i, &k) in e.iter().enumerate().filter(|&(_, &k)| k > 0) {
            term *= factorial_power(&mut tables[i], &variances[i], k);
        }
        sum += &term;
    }
    sum
}

/// `k! s^k` from a table that grows on demand.
fn factorial_power<'a, C: Ring>(table: &'a mut Vec<C>, s: &C, k: u32) -> &'a C {
    let k = k as usize;
    while table.len() <= k {
        let n = table.len() as i64;
        let mut next = table[table.len() - 1].clone();
        next *= &C::from_i64(n);
        next *= s;
        table.push(next);
    }
    &table[k]
}

fn linearise<C: Ring>(a: &[u32], b: &[u32], coefficient: C, s: &C) -> Result<Poly<C>, Error> {
    let n = a.len().max(b.len());
    let mut terms = vec![(Vec::with_capacity(n), coefficient)];
    for i in 0..n {
        let (m, n) = (
            a.get(i).copied().unwrap_or(0),
            b.get(i).copied().unwrap_or(0),
        );
        let top = m.checked_add(n).ok_or(Error::Overflow {
            op: OP,
            what: "exponent",
        })?;
        let steps = m.min(n);
        if terms.len().saturating_mul(steps as usize + 1) > 1 << 22 {
            return Err(Error::limit(OP, "terms", 1 << 22));
        }
        let mut weight = Integer::ONE;
        let mut weights = vec![C::one()];
        let mut power = C::one();
        for k in 1..=u64::from(steps) {
            let up = (u64::from(m) - k + 1) * (u64::from(n) - k + 1);
            weight = weight * Integer::from(up) / Integer::from(k);
            power *= s;
            weights.push(from_integer::<C>(&weight) * power.clone());
        }
        let mut next = Vec::with_capacity(terms.len() * weights.len());
        for (e, c) in terms {
            for (k, w) in weights.iter().enumerate() {
                let mut e: Vec<u32> = e.clone();
                e.push(top - 2 * k as u32);
                let mut c = c.clone();
                c *= w;
                next.push((e, c));
            }
        }
        terms = next;
    }
    Ok(Poly::from_terms(terms))
}

impl<C: Ring + std::fmt::Display> std::fmt::Debug for HermiteExpansion<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "He^[{}]: {:?}", self.variance, self.symbol)
    }
}
