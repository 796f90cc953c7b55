//! Pseudo-division, resultants and discriminants.

use super::{bezout, by_images};
use crate::Error;
use crate::poly::coefficients::rational::{Integer, Rational};
use crate::poly::coefficients::ring::Ring;
use crate::poly::factor::{primitive, rational};
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;
use std::collections::BTreeMap;

/// Degrees beyond this are refused: the coefficients are listed one by one.
const MAX_DEGREE: u32 = 10_000;

impl<C: Ring> Poly<C> {
    /// The coefficients of the powers of variable `v` that occur, polynomials in the others.
    pub fn coefficients_in(&self, v: usize) -> BTreeMap<u32, Self> {
        let mut parts: BTreeMap<u32, Vec<(Vec<u32>, C)>> = BTreeMap::new();
        for (mut e, c) in self.iter() {
            let k = e.get_mut(v).map_or(0, std::mem::take);
            parts.entry(k).or_default().push((e, c));
        }
        let parts = parts.into_iter();
        parts.map(|(k, t)| (k, Self::from_terms(t))).collect()
    }

    /// `(m, q, r)` with `m * self = q * divisor + r`, `m` a power of the leading coefficient of `divisor` in
    /// variable `v`, and the degree of `r` in `v` below that of `divisor`.
    ///
    /// # Errors
    /// `InvalidInput` for a zero divisor; `LimitExceeded`, `Stopped`, `Overflow` as products may.
    pub fn pseudo_divide(
        &self,
        divisor: &Self,
        v: usize,
        budget: &Budget<'_>,
    ) -> Result<(Self, Self, Self), Error> {
        let op = "Poly::pseudo_divide";
        if divisor.is_zero() {
            return Err(Error::invalid(op, "a nonzero divisor"));
        }
        if self.degree(v).saturating_sub(divisor.degree(v)) > MAX_DEGREE {
            return Err(Error::limit(op, "steps", MAX_DEGREE.into()));
        }
        let degree = divisor.degree(v);
        let lead = divisor
            .coefficients_in(v)
            .remove(&degree)
            .unwrap_or_else(Self::zero);
        let mut multiplier = Self::constant(C::one());
        let (mut q, mut r) = (Self::zero(), self.clone());
        while !r.is_zero() && r.degree(v) >= degree {
            budget.check_time(op)?;
            let k = r.degree(v);
            let top = r.coefficients_in(v).remove(&k).unwrap_or_else(Self::zero);
            let mut shift = vec![0; v + 1];
            shift[v] = k - degree;
            let term = top.mul_within(&Self::monomial(&shift, C::one()), budget)?;
            q = &q.mul_within(&lead, budget)? + &term;
            r = &r.mul_within(&lead, budget)? - &divisor.mul_within(&term, budget)?;
            multiplier = multiplier.mul_within(&lead, budget)?;
        }
        Ok((multiplier, q, r))
    }
}

impl Poly<Rational> {
    /// The resultant of `self` and `other` in variable `v`: the determinant of Sylvester's matrix.
    ///
    /// # Errors
    /// `LimitExceeded` for degrees beyond 10^4 or when the budget ends, `Stopped`, `Overflow`.
    ///
    /// # Complexity
    /// Modulo as many primes as its bound demands and at as many points as its degrees, `O(n^2)` each for degree `n`; with too many
    /// symbols for that, `n 2^n` products of polynomials up to degree 8, `O(n^2)` products and exact divisions beyond.
    ///
    /// # Example
    /// ```
    /// use wickring::poly::{Budget, Poly, Vars};
    /// let mut vars = Vars::new();
    /// let a = Poly::parse("x^2 - y", &mut vars)?;
    /// let b = Poly::parse("x - 3", &mut vars)?;
    /// assert_eq!(a.resultant(&b, 0, &Budget::default())?, Poly::parse("9 - y", &mut vars)?);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    /// # Source
    /// Collins 1971 (images); Bezout 1779; Brown, Traub 1971 (subresultants).
    pub fn resultant(&self, other: &Self, v: usize, budget: &Budget<'_>) -> Result<Self, Error> {
        let op = "Poly::resultant";
        if self.is_zero() || other.is_zero() {
            return Ok(Self::zero());
        }
        let (m, n) = (self.degree(v), other.degree(v));
        if m.max(n) > MAX_DEGREE {
            return Err(Error::limit(op, "degree", MAX_DEGREE.into()));
        }
        // Res(c a, d b) = c^n d^m Res(a, b).
        let ((c, a), (d, b)) = (primitive(self), primitive(other));
        let scale = &c.pow(n) * &d.pow(m);
        let found = integral(a, b, v, budget).map_err(|e| e.said_by(op))?;
        Ok(rational(&found).scale(&scale))
    }

    /// The discriminant in variable `v`: `(-1)^(n(n-1)/2) Res(self, d self) / leading coefficient`.
    ///
    /// # Errors
    /// `InvalidInput` for degree 0 in `v`; else as [`Poly::resultant`].
    pub fn discriminant(&self, v: usize, budget: &Budget<'_>) -> Result<Self, Error> {
        let op = "Poly::discriminant";
        let n = u64::from(self.degree(v));
        if n == 0 {
            return Err(Error::invalid(
                op,
                "a polynomial that contains the variable",
            ));
        }
        if n == 1 {
            return Ok(Self::constant(Rational::from(1)));
        }
        if n > u64::from(MAX_DEGREE) {
            return Err(Error::limit(op, "degree", MAX_DEGREE.into()));
        }
        // Disc(c f) = c^(2n-2) Disc(f).
        let (c, f) = primitive(self);
        let found = integral_discriminant(&f, v, budget).map_err(|e| e.said_by(op))?;
        Ok(rational(&found).scale(&c.pow(2 * n as u32 - 2)))
    }
}

/// The discriminant for degree `n > 1`: the resultant of the derivatives of the homogenised polynomial, which count as of degree
/// `n - 1`, is `(-1)^(n(n-1)/2)` times `n^(n-2)` times it.
fn integral_discriminant(
    f: &Poly<Integer>,
    v: usize,
    budget: &Budget<'_>,
) -> Result<Poly<Integer>, Error> {
    let n = f.degree(v);
    let (op, routine) = ("Poly::discriminant", "exact division");
    let failed = || Error::Backend { op, routine };
    let odd = u64::from(n) * u64::from(n - 1) / 2 % 2 == 1;
    let sign = |p: Poly<Integer>| if odd { -&p } else { p };
    let slope = f.derivative(v);
    if n > bezout::MAX_DEGREE || symbols(f, v) < 3 {
        let found = integral(f.clone(), slope, v, budget)?;
        let found = found.divide_exact(&lead(f, v), budget)?;
        return found.map(sign).ok_or_else(failed);
    }
    let mut unit = vec![0; v + 1];
    unit[v] = 1;
    let multiple = f.scale(&Integer::from(n));
    let other = &multiple - &slope.mul_within(&Poly::monomial(&unit, Integer::ONE), budget)?;
    let [a, b] = [&slope, &other].map(|p| bezout::coefficients(p, v, n as usize - 1));
    let found = bezout::resultant(&a, &b, budget)?;
    let power = Poly::constant(Integer::from(n).pow(n as usize - 2));
    let found = found.divide_exact(&power, budget)?;
    found.map(sign).ok_or_else(failed)
}

/// How many variables besides `v` occur.
fn symbols(p: &Poly<Integer>, v: usize) -> usize {
    (0..p.nvars())
        .filter(|&w| w != v && p.degree(w) > 0)
        .count()
}

/// The resultant of primitive polynomials.
fn integral(
    a: Poly<Integer>,
    b: Poly<Integer>,
    v: usize,
    budget: &Budget<'_>,
) -> Result<Poly<Integer>, Error> {
    let (m, n) = (a.degree(v), b.degree(v));
    if m == 0 || n == 0 {
        return match m {
            0 => a.pow_within(n, budget),
            _ => b.pow_within(m, budget),
        };
    }
    let used = a.nvars().max(b.nvars());
    let used = (0..used)
        .filter(|&w| w != v && a.degree(w).max(b.degree(w)) > 0)
        .count();
    let most = m.max(n);
    let tiny = most <= bezout::MAX_DEGREE;
    let sparse = a.len() + b.len() <= 3 * most as usize + 6;
    // Minors are cheap when there are few of them or their entries are short; images when there are few symbols.
    let minors = tiny && (used > 3 || used > 1 && (most < 5 || sparse));
    if !minors && let Some(found) = by_images::resultant(&a, &b, v, budget)? {
        return Ok(found);
    }
    if !tiny {
        return subresultant(a, b, v, budget);
    }
    // Both count as of the greater degree; a missing leading coefficient costs a power of the other one.
    let (long, short, swapped) = if m < n {
        (&b, &a, true)
    } else {
        (&a, &b, false)
    };
    let most = m.max(n) as usize;
    let [x, y] = [long, short].map(|p| bezout::coefficients(p, v, most));
    let found = bezout::resultant(&x, &y, budget)?;
    let power = lead(long, v).pow_within(m.abs_diff(n), budget)?;
    let found = divided(&found, &power, budget)?;
    Ok(if swapped && m % 2 == 1 && n % 2 == 1 {
        -&found
    } else {
        found
    })
}

fn lead(p: &Poly<Integer>, v: usize) -> Poly<Integer> {
    let k = p.degree(v);
    p.coefficients_in(v).remove(&k).unwrap_or_else(Poly::zero)
}

fn divided(
    a: &Poly<Integer>,
    b: &Poly<Integer>,
    budget: &Budget<'_>,
) -> Result<Poly<Integer>, Error> {
    let (op, routine) = ("Poly::resultant", "exact division");
    a.divide_exact(b, budget)?
        .ok_or(Error::Backend { op, routine })
}

/// The resultant by the subresultant remainder sequence (Cohen 1993, algorithm 3.3.7, without contents).
fn subresultant(
    mut a: Poly<Integer>,
    mut b: Poly<Integer>,
    v: usize,
    budget: &Budget<'_>,
) -> Result<Poly<Integer>, Error> {
    let one = || Poly::constant(Integer::ONE);
    let (mut g, mut h, mut negative) = (one(), one(), false);
    if a.degree(v) < b.degree(v) {
        negative = a.degree(v) % 2 == 1 && b.degree(v) % 2 == 1;
        std::mem::swap(&mut a, &mut b);
    }
    while b.degree(v) > 0 {
        let delta = a.degree(v) - b.degree(v);
        negative ^= a.degree(v) % 2 == 1 && b.degree(v) % 2 == 1;
        let (multiplier, _, mut r) = a.pseudo_divide(&b, v, budget)?;
        // Cohen's remainder belongs to lead^(delta+1); steps that were skipped are made up for.
        let full = lead(&b, v).pow_within(delta + 1, budget)?;
        r = r.mul_within(&divided(&full, &multiplier, budget)?, budget)?;
        if r.is_zero() {
            return Ok(Poly::zero());
        }
        let scale = g.mul_within(&h.pow_within(delta, budget)?, budget)?;
        a = b;
        b = divided(&r, &scale, budget)?;
        g = lead(&a, v);
        h = next_scale(&g, &h, delta, budget)?;
    }
    let degree = a.degree(v);
    if b.is_zero() {
        return Ok(if degree == 0 { one() } else { Poly::zero() });
    }
    let last = next_scale(&b, &h, degree, budget)?;
    Ok(if negative { -&last } else { last })
}

/// `h^(1-delta) g^delta`.
fn next_scale(
    g: &Poly<Integer>,
    h: &Poly<Integer>,
    delta: u32,
    budget: &Budget<'_>,
) -> Result<Poly<Integer>, Error> {
    let power = g.pow_within(delta, budget)?;
    match delta {
        0 => Ok(h.clone()),
        1 => Ok(power),
        _ => divided(&power, &h.pow_within(delta - 1, budget)?, budget),
    }
}

#[cfg(test)]
mod tests {
    use crate::poly::coefficients::rational::Rational;
    use crate::poly::polynomial::value::Poly;
    use crate::poly::product::budget::Budget;
    use crate::poly::text::vars::Vars;
    use num_traits::Zero;

    /// A polynomial with few terms, small coefficients and the given degree in variable 0.
    fn drawn(state: &mut u64, nvars: usize, degree: u32, terms: usize) -> Poly<super::Integer> {
        let mut next = |n: u64| {
            *state ^= *state << 13;
            *state ^= *state >> 7;
            *state ^= *state << 17;
            (*state >> 11) % n
        };
        let mut list = vec![(vec![degree], super::Integer::ONE)];
        for _ in 0..terms {
            let row =
                (0..nvars).map(|v| next(if v == 0 { u64::from(degree) + 1 } else { 3 }) as u32);
            list.push((row.collect(), super::Integer::from(next(19) as i64 - 9)));
        }
        Poly::from_terms(list)
    }

    /// Images, Bezout's matrix and subresultants agree, signs included, also where degrees differ.
    #[test]
    fn three_ways_to_a_resultant_agree() -> Result<(), crate::Error> {
        let (mut state, budget) = (7, Budget::default());
        for round in 0..120 {
            let nvars = 1 + round % 4;
            let (m, n) = (1 + round as u32 / 4 % 5, 1 + round as u32 / 20 % 4);
            let a = drawn(&mut state, nvars, m, 5);
            let b = drawn(&mut state, nvars, n, 4);
            let (m, n) = (a.degree(0), b.degree(0));
            if m == 0 || n == 0 {
                continue;
            }
            let wanted = super::subresultant(a.clone(), b.clone(), 0, &budget)?;
            assert_eq!(
                super::integral(a.clone(), b.clone(), 0, &budget)?,
                wanted,
                "{a:?} {b:?}"
            );
            let images = super::by_images::resultant(&a, &b, 0, &budget)?;
            assert!(images.is_none_or(|r| r == wanted), "{a:?} {b:?}");
            let most = m.max(n) as usize;
            let [x, y] = [&a, &b].map(|p| super::bezout::coefficients(p, 0, most));
            let formal = super::bezout::resultant(&x, &y, &budget)?;
            let (lead, gap) = match m < n {
                true => (super::lead(&b, 0), n - m),
                false => (super::lead(&a, 0), m - n),
            };
            let sign = if m < n && n % 2 == 1 && (n - m) % 2 == 1 {
                -1
            } else {
                1
            };
            let factor = lead.pow_within(gap, &budget)?.scale(&sign.into());
            assert_eq!(formal, &wanted * &factor, "{a:?} {b:?}");
            if m > 1 {
                let found = super::integral_discriminant(&a, 0, &budget)?;
                let slope = a.derivative(0);
                let slow = super::subresultant(a.clone(), slope, 0, &budget)?;
                let negative = m * (m - 1) / 2 % 2 == 1;
                let slow = if negative { -&slow } else { slow };
                assert_eq!(&found * &super::lead(&a, 0), slow, "{a:?}");
            }
        }
        Ok(())
    }

    #[test]
    fn resultants_of_products_of_linear_factors() -> Result<(), crate::Error> {
        // Res(prod (x - a_i), prod (x - b_j)) = prod (a_i - b_j).
        let mut vars = Vars::new();
        let a = Poly::<Rational>::parse("(x-1)*(x-4)*(x+2)", &mut vars)?;
        let b = Poly::parse("(x-3)*(x+5)", &mut vars)?;
        let budget = Budget::default();
        let wanted: i64 = [1, 4, -2].iter().flat_map(|a| [a - 3, a + 5]).product();
        let found = a.resultant(&b, 0, &budget)?;
        assert_eq!(found, Poly::constant(Rational::from(wanted)));
        assert!(a.resultant(&a, 0, &budget)?.coefficient(&[]).is_zero());
        let cubic = Poly::<Rational>::parse("x^3 + p*x + q", &mut vars)?;
        let wanted = Poly::parse("-4*p^3 - 27*q^2", &mut vars)?;
        assert_eq!(cubic.discriminant(0, &budget)?, wanted);
        Ok(())
    }
}
