//! Greatest common divisors by images modulo primes, verified by exact division.

use super::prime_image::{Image, image_gcd};
use super::{several, univariate};
use crate::Error;
use crate::poly::coefficients::integers::Integers;
use crate::poly::coefficients::rational::{Integer, Rational, integer_gcd};
use crate::poly::coefficients::reducer::Reducer;
use crate::poly::coefficients::store::Store;
use crate::poly::factor::integral::{coefficients, sparse};
use crate::poly::factor::{exact, positive, primitive, rational, reduced};
use crate::poly::polynomial::univariate::{Dense, Field, MERSENNE, primes_below};
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;
use std::collections::BTreeMap;

const OP: &str = "Poly::gcd";
/// Primes start below here: products of residues fit 128 bits and sums 64.
const PRIMES: u64 = 1 << 62;
/// Dense interpolation over more points than this is refused.
const MAX_POINTS: f64 = 1e8;

impl Poly<Rational> {
    /// The greatest common divisor, primitive over the integers with a positive leading coefficient; zero
    /// only for two zeros.
    ///
    /// The result is certain: it divides both, by exact division, and no common divisor has a greater
    /// leading monomial, because none has modulo the primes used.
    ///
    /// # Errors
    /// `LimitExceeded` or `Stopped` when the budget ends.
    ///
    /// # Complexity
    /// As many images in one variable as variables times degree times terms of the result (sparse interpolation); nearly
    /// nothing when images at a random point show that there is no common divisor, or that one divides the other.
    ///
    /// # Example
    /// ```
    /// use wickring::poly::{Budget, Poly, Vars};
    /// let mut vars = Vars::new();
    /// let a = Poly::parse("x^2 - y^2", &mut vars)?;
    /// let b = Poly::parse("x^2 + 2*x*y + y^2", &mut vars)?;
    /// assert_eq!(a.gcd(&b, &Budget::default())?, Poly::parse("x + y", &mut vars)?);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    /// # Source
    /// Brown 1971; Zippel 1979; de Kleine, Monagan, Wittkopf 2005.
    pub fn gcd(&self, other: &Self, budget: &Budget<'_>) -> Result<Self, Error> {
        let part = |p: &Self| match p.is_zero() {
            true => Poly::zero(),
            false => primitive(p).1,
        };
        let found = gcd(&part(self), &part(other), budget);
        Ok(rational(&found.map_err(|e| e.said_by(OP))?))
    }
}

/// The greatest common divisor over the integers, with their common content, leading coefficient positive.
pub(crate) fn gcd(
    a: &Poly<Integer>,
    b: &Poly<Integer>,
    budget: &Budget<'_>,
) -> Result<Poly<Integer>, Error> {
    if a.is_zero() || b.is_zero() {
        let whole = if a.is_zero() { b } else { a };
        return Ok(positive(whole.clone()));
    }
    budget.check_time(OP)?;
    let (x, y) = (a.store().content(), b.store().content());
    let content = integer_gcd(&x, &y);
    let primitive = |p: &Poly<Integer>, c: &Integer| {
        Poly::<Integer>::from_parts(p.monomials().clone(), p.store().divided(c))
    };
    let (a, b) = (primitive(a, &x), primitive(b, &y));
    // Powers of variables first: they cost degrees in everything below.
    let (low_a, low_b) = (lowest(&a), lowest(&b));
    let shared: Vec<u32> = low_a.iter().zip(&low_b).map(|(x, y)| *x.min(y)).collect();
    let (a, b) = (lowered(&a, &low_a), lowered(&b, &low_b));
    let inner = without_lone_variables(a, b, budget)?;
    inner.mul_within(&Poly::monomial(&shared, content), budget)
}

fn lowest(p: &Poly<Integer>) -> Vec<u32> {
    p.monomials().ranges().0
}

pub(crate) fn lowered(p: &Poly<Integer>, low: &[u32]) -> Poly<Integer> {
    if low.iter().all(|&k| k == 0) {
        return p.clone();
    }
    Poly::from_terms(p.iter().map(|(mut e, c)| {
        for (k, l) in e.iter_mut().zip(low) {
            *k -= l;
        }
        (e, c)
    }))
}

/// A variable that one side lacks is in no common divisor: that side's coefficients replace the other.
fn without_lone_variables(
    a: Poly<Integer>,
    b: Poly<Integer>,
    budget: &Budget<'_>,
) -> Result<Poly<Integer>, Error> {
    for v in 0..a.nvars().max(b.nvars()) {
        let (with, lacking) = match (a.degree(v), b.degree(v)) {
            (0, 0) => continue,
            (0, _) => (&b, &a),
            (_, 0) => (&a, &b),
            _ => continue,
        };
        let mut common = lacking.clone();
        for coefficient in with.coefficients_in(v).values() {
            common = gcd(&common, coefficient, budget)?;
            if common.is_constant() {
                break;
            }
        }
        return Ok(common);
    }
    if a.is_constant() || b.is_constant() {
        return Ok(Poly::constant(Integer::ONE));
    }
    if a == b {
        return Ok(positive(a));
    }
    modular(&a, &b, budget)
}

/// Both primitive, without monomial factors, in the same variables.
fn modular(
    a: &Poly<Integer>,
    b: &Poly<Integer>,
    budget: &Budget<'_>,
) -> Result<Poly<Integer>, Error> {
    let used: Vec<usize> = (0..a.nvars()).filter(|&v| a.degree(v) > 0).collect();
    if used.iter().any(|&v| a.degree(v).max(b.degree(v)) > 1 << 20) {
        return Err(Error::limit(OP, "degree", 1 << 20));
    }
    if let &[v] = used.as_slice() {
        return in_one_variable(a, b, v, budget);
    }
    if let Some(whole) = one_divides_the_other(a, b, &used, budget)? {
        return Ok(positive(whole));
    }
    if used.len() > 1
        && let Some(found) = several::integral(a, b, &used, budget)?
    {
        return Ok(found);
    }
    let points: f64 = used[..used.len() - 1]
        .iter()
        .map(|&v| f64::from(a.degree(v).min(b.degree(v))) + 1.0)
        .product();
    if points > MAX_POINTS {
        return Err(Error::limit(OP, "interpolation points", MAX_POINTS as u64));
    }
    let lead = |p: &Poly<Integer>| p.leading_term().map_or(Integer::ONE, |t| t.1);
    let scale = integer_gcd(&lead(a), &lead(b));
    let mut state: Option<Combined> = None;
    for p in primes_below(PRIMES) {
        budget.check_time(OP)?;
        let field = Field { p };
        if reduced(&lead(a), p) == 0 || reduced(&lead(b), p) == 0 {
            continue;
        }
        let (x, y) = (image(a, &used, p), image(b, &used, p));
        let mut common = image_gcd(&field, &x, &y, used.len(), &|| budget.check_time(OP))?;
        let factor = reduced(&scale, p);
        for c in common.values_mut() {
            *c = field.mul(*c, factor);
        }
        let top = common.keys().next_back().cloned().unwrap_or_default();
        if top.iter().all(|&k| k == 0) {
            return Ok(Poly::constant(Integer::ONE));
        }
        let stable = match &mut state {
            // A smaller leading monomial shows that all primes before were unlucky.
            Some(s) if top > s.top => continue,
            Some(s) if top == s.top => s.join(&common, field),
            _ => {
                state = Some(Combined::new(top, &common, p));
                // One prime is enough when the coefficients are small; division decides.
                true
            }
        };
        let Some(s) = state.as_ref().filter(|_| stable) else {
            continue;
        };
        budget.check_bits(OP, s.modulus.len() as u64 * 64 * s.terms.len() as u64)?;
        let candidate = s.candidate(&used);
        if a.divide_exact(&candidate, budget)?.is_some()
            && b.divide_exact(&candidate, budget)?.is_some()
        {
            return Ok(candidate);
        }
    }
    Err(Error::limit(OP, "primes", PRIMES))
}

fn in_one_variable(
    a: &Poly<Integer>,
    b: &Poly<Integer>,
    v: usize,
    budget: &Budget<'_>,
) -> Result<Poly<Integer>, Error> {
    let found = univariate::gcd(&coefficients(a, v), &coefficients(b, v), budget)?;
    Ok(sparse(&found, v))
}

/// The smaller one when it divides the other: tried when it does at a random point, all but the first variable replaced.
fn one_divides_the_other(
    a: &Poly<Integer>,
    b: &Poly<Integer>,
    used: &[usize],
    budget: &Budget<'_>,
) -> Result<Option<Poly<Integer>>, Error> {
    let (small, large) = if a.len() > b.len() { (b, a) } else { (a, b) };
    for (small, large) in [(small, large), (large, small)] {
        if used.iter().any(|&v| small.degree(v) > large.degree(v)) {
            continue;
        }
        let field = Field { p: MERSENNE };
        let [f, g] = [large, small].map(|p| section(p, used, field));
        if g.is_empty() || !field.remainder(&f, &g).is_empty() {
            continue;
        }
        if large.divide_exact(small, budget)?.is_some() {
            return Ok(Some(small.clone()));
        }
    }
    Ok(None)
}

/// The image in the first variable used, fixed large numbers in place of the others.
pub(in crate::poly) fn section(p: &Poly<Integer>, used: &[usize], field: Field) -> Dense {
    let Some((&first, others)) = used.split_first() else {
        return Dense::new();
    };
    let mut f = vec![0; p.degree(first) as usize + 1];
    let nvars = p.monomials().nvars;
    let table = |&v: &usize| {
        let x = (v as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) % field.p;
        let mut powers = vec![1];
        // Powers by steps where there are few; a high degree is put in by squaring.
        for k in 0..p.degree(v).min(MANY_POWERS) as usize {
            powers.push(field.mul(powers[k], x));
        }
        (v, x, powers)
    };
    let tables: Vec<_> = others.iter().filter(|&&v| v < nvars).map(table).collect();
    let mut row = vec![0; nvars];
    for (i, mut value) in residues(p, field.p).into_iter().enumerate() {
        p.monomials().row(i, &mut row);
        for (v, x, powers) in &tables {
            let e = row[*v];
            if e > 0 {
                let power = powers.get(e as usize).copied();
                value = field.mul(value, power.unwrap_or_else(|| field.pow(*x, e.into())));
            }
        }
        let sum = &mut f[row.get(first).copied().unwrap_or(0) as usize];
        *sum = field.add(*sum, value);
    }
    field.trim(f)
}

/// Powers that are worth a table.
const MANY_POWERS: u32 = 1 << 10;

/// The coefficients modulo `m`.
pub(in crate::poly) fn residues(p: &Poly<Integer>, m: u64) -> Vec<u64> {
    if let Integers::I64(values) = p.store() {
        let by = Reducer::new(m);
        let one = |&c: &i64| by.signed(c < 0, by.word(c.unsigned_abs())) as u64;
        return values.iter().map(one).collect();
    }
    (0..p.len())
        .map(|i| reduced(&p.store().get(i), m))
        .collect()
}

/// The terms modulo `m`, exponents of the variables `used` only.
pub(in crate::poly) fn image(p: &Poly<Integer>, used: &[usize], m: u64) -> Image {
    let at = |e: &[u32], v: usize| e.get(v).copied().unwrap_or(0);
    let terms = p.iter().map(|(e, c)| {
        let key = used.iter().map(|&v| at(&e, v)).collect();
        (key, reduced(&c, m))
    });
    terms.filter(|(_, c)| *c != 0).collect()
}

/// Images of one divisor joined by the Chinese remainder theorem.
pub(crate) struct Combined {
    top: Vec<u32>,
    terms: BTreeMap<Vec<u32>, Integer>,
    modulus: Modulus,
}

/// A product of primes.
struct Modulus(Integer);

impl Modulus {
    fn len(&self) -> usize {
        self.0.as_sign_words().1.len()
    }
}

fn balanced(c: Integer, m: &Integer) -> Integer {
    if &c + &c > *m { c - m } else { c }
}

impl Combined {
    pub(crate) fn new(top: Vec<u32>, image: &Image, p: u64) -> Self {
        let m = Integer::from(p);
        let terms = image
            .iter()
            .map(|(e, &c)| (e.clone(), balanced(Integer::from(c), &m)))
            .collect();
        let modulus = Modulus(m);
        Self {
            top,
            terms,
            modulus,
        }
    }

    /// Joins one more image; true when it changed nothing.
    pub(crate) fn join(&mut self, image: &Image, field: Field) -> bool {
        let m = &self.modulus.0;
        let inverse = field.inv(reduced(m, field.p));
        let next = m * Integer::from(field.p);
        let mut stable = true;
        let mut keys: Vec<Vec<u32>> = self.terms.keys().cloned().collect();
        keys.extend(
            image
                .keys()
                .filter(|k| !self.terms.contains_key(*k))
                .cloned(),
        );
        for key in keys {
            let old = self.terms.get(&key).cloned().unwrap_or(Integer::ZERO);
            let wanted = image.get(&key).copied().unwrap_or(0);
            let step = field.sub(wanted, reduced(&old, field.p));
            if step != 0 {
                stable = false;
                let sum = old + m * Integer::from(field.mul(step, inverse));
                let sum = crate::poly::factor::integral::symmetric(&sum, &next);
                self.terms.insert(key, sum);
            }
        }
        self.modulus = Modulus(next);
        stable
    }

    /// The primitive polynomial of these terms in the variables `used`.
    pub(crate) fn candidate(&self, used: &[usize]) -> Poly<Integer> {
        let n = used.iter().max().map_or(0, |v| v + 1);
        let p = Poly::from_terms(self.terms.iter().map(|(key, c)| {
            let mut row = vec![0; n];
            for (&v, &k) in used.iter().zip(key) {
                row[v] = k;
            }
            (row, c.clone())
        }));
        let content = p.store().content();
        positive(Poly::from_parts(
            p.monomials().clone(),
            p.store().divided(&content),
        ))
    }
}

impl Poly<Rational> {
    /// The least common multiple, primitive.
    ///
    /// # Errors
    /// As [`Poly::gcd`].
    pub fn lcm(&self, other: &Self, budget: &Budget<'_>) -> Result<Self, Error> {
        if self.is_zero() || other.is_zero() {
            return Ok(Self::zero());
        }
        let (a, b) = (primitive(self).1, primitive(other).1);
        let common = gcd(&a, &b, budget)?;
        Ok(rational(
            &exact(&a, &common, budget)?.mul_within(&b, budget)?,
        ))
    }

    /// The content, a rational with the sign of the leading coefficient, and the primitive part:
    /// `self = content * part`.
    pub fn content_and_primitive_part(&self) -> (Rational, Self) {
        let (content, part) = primitive(self);
        (content, rational(&part))
    }
}
