//! Factors of polynomials over the rationals and modulo primes.
//!
//! Univariate: Yun's square-free factors, binomials and powers of the variable first, then of several primes the one with the
//! fewest factors, Cantor and Zassenhaus modulo it, Hensel's lifting beyond the coefficient bound of Mignotte; few modular
//! factors are recombined by trial division, smallest sets first, many by van Hoeij's lattices.
//! Multivariate: contents, powers of variables and homogeneous forms first; then factors of an image in one variable are lifted
//! with their leading coefficients known beforehand, sparsely, modulo primes. Where no image serves, Kronecker's substitution.
//! Every factor was divided out or multiplied up exactly, so the product is certain; irreducibility follows from an irreducible
//! image, or from all smaller sets having failed.

pub(crate) mod binomial;
pub(crate) mod bivariate;
pub(crate) mod distinct;
pub(crate) mod integral;
pub(crate) mod knapsack;
pub(crate) mod kronecker;
pub(crate) mod lattice;
pub(crate) mod lift;
pub(crate) mod modular;
pub(crate) mod recombine;
pub(crate) mod several;
pub(crate) mod sparse_lift;
pub(crate) mod wang;

use super::coefficients::rational::{Integer, Rational};
use super::coefficients::rationals::Rationals;
use super::coefficients::store::Store;
use super::gcd::integral::gcd;
use super::polynomial::univariate::{Field, is_prime};
use super::polynomial::value::Poly;
use super::product::budget::Budget;
use crate::Error;
use num_traits::One;

/// A constant and irreducible factors with multiplicities.
///
/// See [`Poly::factor`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct Factors {
    /// The constant in front.
    pub unit: Rational,
    /// Irreducible primitive factors with integer coefficients and a positive leading one, with their
    /// multiplicities, by degree, then as they compare.
    pub factors: Vec<(Poly<Rational>, u32)>,
}

impl Factors {
    /// The product of everything, which is the polynomial that was factored.
    ///
    /// # Errors
    /// As [`Poly::mul_within`].
    pub fn expand(&self, budget: &Budget<'_>) -> Result<Poly<Rational>, Error> {
        let mut product = Poly::constant(self.unit.clone());
        for (factor, times) in &self.factors {
            product = product.mul_within(&factor.pow_within(*times, budget)?, budget)?;
        }
        Ok(product)
    }
}

/// `p` as a constant times a primitive polynomial over the integers with positive leading coefficient.
pub(crate) fn primitive(p: &Poly<Rational>) -> (Rational, Poly<Integer>) {
    let integers = p.store().integers().clone();
    let negative = !p.is_zero() && p.store().get(0).signum() < 0;
    let q = Poly::from_parts(p.monomials().clone(), integers);
    let content = p.store().content().clone();
    if negative {
        (-content, -&q)
    } else {
        (content, q)
    }
}

/// The rational polynomial with the same coefficients.
pub(crate) fn rational(p: &Poly<Integer>) -> Poly<Rational> {
    let store = Rationals::new(&Rational::one(), p.store().clone());
    Poly::from_parts(p.monomials().clone(), store)
}

impl Poly<Rational> {
    /// The irreducible factors over the rationals.
    ///
    /// # Errors
    /// `InvalidInput` for the zero polynomial; `LimitExceeded` or `Stopped` when the budget ends: the
    /// recombination of many modular factors is exponential.
    ///
    /// # Complexity
    /// Polynomial in the degree and the size of the coefficients but for recombination.
    ///
    /// # Example
    /// ```
    /// use wickring::poly::{Budget, Poly, Vars};
    /// let mut vars = Vars::new();
    /// let p = Poly::parse("x^4 - 1", &mut vars)?;
    /// let factors = p.factor(&Budget::default())?;
    /// assert_eq!(factors.factors.len(), 3);
    /// assert_eq!(factors.expand(&Budget::default())?, p);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    /// # Source
    /// Zassenhaus 1969; Cantor, Zassenhaus 1981; Mignotte 1974; van Hoeij 2002; Wang
    /// 1978; Chen, Monagan 2020.
    pub fn factor(&self, budget: &Budget<'_>) -> Result<Factors, Error> {
        if self.is_zero() {
            return Err(Error::invalid(
                "Poly::factor",
                "a nonzero polynomial, found 0",
            ));
        }
        let (unit, p) = primitive(self);
        let mut factors = Vec::new();
        let named = |e: Error| e.said_by("Poly::factor");
        for (part, times) in square_free_integer(&p, budget).map_err(named)? {
            for factor in several::irreducible(&part, budget).map_err(named)? {
                factors.push((rational(&factor), times));
            }
        }
        let key = |p: &Poly<Rational>| (p.total_degree(), p.len());
        factors.sort_by(|(a, i), (b, j)| {
            let order = key(a).cmp(&key(b)).then(i.cmp(j));
            order.then_with(|| a.iter().map(|t| t.0).cmp(b.iter().map(|t| t.0)))
        });
        Ok(Factors { unit, factors })
    }

    /// The square-free part: the product of the irreducible factors, primitive.
    ///
    /// # Errors
    /// As [`Poly::gcd`].
    pub fn square_free_part(&self, budget: &Budget<'_>) -> Result<Self, Error> {
        let mut product = Poly::constant(Integer::ONE);
        if self.is_zero() {
            return Ok(Self::zero());
        }
        let named = |e: Error| e.said_by("Poly::square_free_part");
        for (part, _) in square_free_integer(&primitive(self).1, budget).map_err(named)? {
            product = product.mul_within(&part, budget)?;
        }
        Ok(rational(&product))
    }
}

/// Square-free factors with multiplicities of a primitive polynomial, its content in every variable
/// included.
pub(crate) fn square_free_integer(
    p: &Poly<Integer>,
    budget: &Budget<'_>,
) -> Result<Vec<(Poly<Integer>, u32)>, Error> {
    let mut found = Vec::new();
    let (powers, rest) = without_monomials(p);
    for (v, &times) in powers.iter().enumerate().filter(|(_, k)| **k > 0) {
        let mut exponents = vec![0; v + 1];
        exponents[v] = 1;
        let variable = Poly::from_terms([(exponents, Integer::ONE)]);
        merge(&mut found, variable, times, budget)?;
    }
    let mut open = vec![rest];
    while let Some(p) = open.pop() {
        let Some(v) = (0..p.nvars()).find(|&v| p.degree(v) > 0) else {
            continue;
        };
        // Yun in one variable; the content in that variable waits for its turn.
        let content = content_in(&p, v, budget)?;
        let p = exact(&p, &content, budget)?;
        open.push(content);
        let derivative = p.derivative(v);
        let mut common = gcd(&p, &derivative, budget)?;
        let mut simple = exact(&p, &common, budget)?;
        let mut k = 1;
        while simple.degree(v) > 0 {
            let repeated = gcd(&simple, &common, budget)?;
            let factor = exact(&simple, &repeated, budget)?;
            if factor.degree(v) > 0 {
                merge(&mut found, positive(factor), k, budget)?;
            }
            common = exact(&common, &repeated, budget)?;
            simple = repeated;
            k += 1;
        }
    }
    Ok(found)
}

/// The highest power of every variable that divides, and what is left: derivatives of high powers would be followed down one
/// by one.
fn without_monomials(p: &Poly<Integer>) -> (Vec<u32>, Poly<Integer>) {
    let mut powers = p.degrees();
    for (exponents, _) in p.iter() {
        for (v, least) in powers.iter_mut().enumerate() {
            *least = (*least).min(exponents.get(v).copied().unwrap_or(0));
        }
    }
    if powers.iter().all(|k| *k == 0) {
        return (powers, p.clone());
    }
    let lowered = p.iter().map(|(mut exponents, c)| {
        let pairs = exponents.iter_mut().zip(&powers);
        pairs.for_each(|(e, k)| *e -= k);
        (exponents, c)
    });
    let rest = Poly::from_terms(lowered);
    (powers, rest)
}

fn merge(
    found: &mut Vec<(Poly<Integer>, u32)>,
    factor: Poly<Integer>,
    times: u32,
    budget: &Budget<'_>,
) -> Result<(), Error> {
    match found.iter_mut().find(|(_, k)| *k == times) {
        Some((product, _)) => *product = product.mul_within(&factor, budget)?,
        None => found.push((factor, times)),
    }
    Ok(())
}

pub(crate) fn positive(p: Poly<Integer>) -> Poly<Integer> {
    match p.leading_term() {
        Some((_, c)) if c < Integer::ZERO => -&p,
        _ => p,
    }
}

pub(crate) fn exact(
    a: &Poly<Integer>,
    b: &Poly<Integer>,
    budget: &Budget<'_>,
) -> Result<Poly<Integer>, Error> {
    let routine = "exact division";
    let op = "Poly::factor";
    a.divide_exact(b, budget)?
        .ok_or(Error::Backend { op, routine })
}

/// The content of `p` seen as a polynomial in variable `v`.
pub(crate) fn content_in(
    p: &Poly<Integer>,
    v: usize,
    budget: &Budget<'_>,
) -> Result<Poly<Integer>, Error> {
    let mut content = Poly::zero();
    for coefficient in p.coefficients_in(v).values() {
        content = gcd(&content, coefficient, budget)?;
        if content.is_constant() {
            break;
        }
    }
    // The integer content is one already; a constant gcd must not take more away.
    Ok(if content.is_constant() {
        Poly::constant(Integer::ONE)
    } else {
        content
    })
}

/// A leading coefficient and monic irreducible factors modulo a prime, with multiplicities.
pub type ModularFactors = (u64, Vec<(Poly<Integer>, u32)>);

impl Poly<Integer> {
    /// The factors of a univariate polynomial modulo the prime `p < 2^62`: the leading coefficient and the
    /// monic irreducible factors, coefficients in `0..p`.
    ///
    /// # Errors
    /// `InvalidInput` for a `p` that is no such prime, more than one variable, or zero modulo `p`.
    ///
    /// # Complexity
    /// `O(n^3 log p)` for degree `n`; degrees beyond 10^4 are refused with `LimitExceeded`.
    pub fn factor_mod(&self, p: u64) -> Result<ModularFactors, Error> {
        self.factor_mod_within(p, &Budget::default())
    }

    /// [`Poly::factor_mod`] within a budget.
    ///
    /// # Errors
    /// Also `Stopped`, when the budget ends.
    pub fn factor_mod_within(&self, p: u64, budget: &Budget<'_>) -> Result<ModularFactors, Error> {
        let op = "Poly::factor_mod";
        let check = || budget.check_time(op);
        if p >= 1 << 62 || !is_prime(p) {
            return Err(Error::invalid(op, format!("a prime below 2^62, got {p}")));
        }
        let Some((v, f)) = integral::residues(self, p)? else {
            let what = "a polynomial in one variable";
            return Err(Error::invalid(op, what));
        };
        let field = Field { p };
        let Some(&unit) = f.last() else {
            return Err(Error::invalid(op, "a polynomial that is not zero modulo p"));
        };
        let mut all = Vec::new();
        for (part, times) in modular::square_free(field, &f) {
            for factor in modular::irreducible(field, &part, &check)? {
                all.push((factor, times));
            }
        }
        all.sort_by(|(a, _), (b, _)| {
            let order = a.len().cmp(&b.len());
            order.then_with(|| a.iter().rev().cmp(b.iter().rev()))
        });
        let poly = |f: Vec<u64>| {
            Poly::from_terms(f.into_iter().enumerate().map(|(k, c)| {
                let mut e = vec![0; v + 1];
                e[v] = k as u32;
                (e, Integer::from(c))
            }))
        };
        let factors = all.into_iter().map(|(f, k)| (poly(f), k)).collect();
        Ok((unit, factors))
    }
}

/// Degrees beyond this are refused in univariate work.
pub(crate) const MAX_DEGREE: usize = 10_000;

/// `p` modulo `m`, coefficients in `0..m`.
pub(crate) fn reduced(c: &Integer, m: u64) -> u64 {
    let (sign, words) = c.as_sign_words();
    let step = |r: u64, &w: &u64| match r {
        0 => w % m,
        r if m <= 1 << 62 => Field { p: m }.reduce(u128::from(r) << 64 | u128::from(w)),
        r => ((u128::from(r) << 64 | u128::from(w)) % u128::from(m)) as u64,
    };
    let r = words.iter().rev().fold(0, step);
    match sign {
        dashu_int::Sign::Negative if r > 0 => m - r,
        _ => r,
    }
}

/// The zero-or-not of a remainder, for readers of integers.
pub(crate) fn divides(d: &Integer, n: &Integer) -> bool {
    !d.is_zero() && (n % d).is_zero()
}
