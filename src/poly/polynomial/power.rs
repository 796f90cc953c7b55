//! Powers of polynomials.

use super::value::Poly;
use crate::Error;
use crate::poly::coefficients::integers::Integers;
use crate::poly::coefficients::rational::Integer;
use crate::poly::coefficients::ring::Ring;
use crate::poly::coefficients::store::Store;
use crate::poly::monomials::packed::{Monomials, Width, pack, width_for};
use crate::poly::product::budget::Budget;
use num_traits::One;
use std::any::Any;
use std::ops::{AddAssign, MulAssign};

const OP: &str = "Poly::pow_within";
/// Exponents that are listed at most; beyond, squares are packed as they come.
const MAX_LISTED: u64 = 1 << 26;
/// Terms between two looks at the clock.
const PATIENCE: usize = 1 << 12;

impl<C: Ring> Poly<C> {
    /// `self^exponent`, stopping when a result has more than `max_terms` terms.
    ///
    /// # Errors
    /// `LimitExceeded` beyond `max_terms`, `Overflow` when an exponent leaves 32 bits.
    pub fn pow(&self, exponent: u32, max_terms: usize) -> Result<Self, Error> {
        self.pow_within(exponent, &Budget::default().terms(max_terms))
    }

    /// `self^exponent`, within a budget: by the multinomial theorem where no two terms share a variable, else by repeated
    /// squaring.
    ///
    /// # Errors
    /// As [`Poly::mul_within`].
    ///
    /// # Complexity
    /// About two ring operations for each term of the result by the multinomial theorem, the last square otherwise.
    pub fn pow_within(&self, exponent: u32, budget: &Budget<'_>) -> Result<Self, Error> {
        let op = OP;
        if self.len() > 1 && C::EXACT && C::DOMAIN {
            // An edge of the Newton polytope alone leaves exponent + 1 terms: refuse before any work.
            budget.check_terms(op, exponent as usize + 1)?;
            // The last squaring multiplies at least half as many terms, whose coefficients have grown to
            // about half the bits of the result.
            let (terms, k) = (exponent as usize / 2 + 1, u64::from(exponent));
            let bits = k.saturating_mul(self.store().bits().max(1)) / 2;
            let each = terms.saturating_mul((bits / 64 + 1) as usize);
            budget.check_work(op, each, each)?;
        }
        let top = self.degrees().into_iter().max().unwrap_or(0);
        if u64::from(top) * u64::from(exponent) > u32::MAX.into() {
            let what = "exponent";
            return Err(Error::Overflow { op, what });
        }
        if let Some(power) = self.multinomial(exponent, budget)? {
            return Ok(power);
        }
        let mut result = Self::constant(C::one());
        for bit in (0..32 - exponent.leading_zeros()).rev() {
            if !result.is_constant() || bit + 1 < 32 - exponent.leading_zeros() {
                result = result.mul_within(&result, budget)?;
            }
            if exponent >> bit & 1 == 1 {
                result = match result.is_one() {
                    true => self.clone(),
                    false => result.mul_within(self, budget)?,
                };
            }
        }
        Ok(result)
    }

    /// The power of three or more terms no two of which share a variable: there every product of powers of terms is a
    /// monomial of its own, and they come in order.
    fn multinomial(&self, k: u32, budget: &Budget<'_>) -> Result<Option<Self>, Error> {
        if !C::EXACT || k < 3 || self.len() < 3 {
            return Ok(None);
        }
        let Some(variables) = self.lone_variables() else {
            return Ok(None);
        };
        // binomial(k + m - 1, m - 1) terms, as long as the numbers on the way stay small.
        let mut terms = 1u64;
        for i in 1..self.len() as u64 {
            terms = match terms.checked_mul(u64::from(k) + i) {
                Some(t) if t / i <= MAX_LISTED => t / i,
                _ => return Ok(None),
            };
        }
        if terms * self.nvars() as u64 > MAX_LISTED {
            return Ok(None);
        }
        budget.check_terms(OP, terms as usize)?;
        if let Some((factor, p, _)) = C::integral_form(self, &[]) {
            let power = integral(&p, variables, k, budget)?;
            let factor = num_traits::pow(factor, k as usize);
            return Ok(Some(C::from_integral(&factor, &power)));
        }
        if let Some(p) = (self as &dyn Any).downcast_ref::<Poly<Integer>>() {
            let power: Box<dyn Any> = Box::new(integral(p, variables, k, budget)?);
            return Ok(power.downcast().ok().map(|p| *p));
        }
        let values = self.iter().map(|(_, c)| c).collect();
        let sum = Multinomial::new(values, C::DOMAIN, variables, self.nvars(), k);
        let (monomials, values) = sum.run(budget)?;
        Ok(Some(Poly::from_parts(
            monomials,
            C::Store::from_vec(values),
        )))
    }

    /// For each term its only variable, and the exponent; `None` when a term has several or two share one. A constant
    /// has exponent 0.
    fn lone_variables(&self) -> Option<Vec<(usize, u32)>> {
        let mut found: Vec<(usize, u32)> = Vec::with_capacity(self.len());
        for (e, _) in self.iter() {
            let mut used = (0..e.len()).filter(|&v| e[v] > 0);
            let own = used.next().map_or((usize::MAX, 0), |v| (v, e[v]));
            // Terms descend, so the variables of lone ones ascend.
            if used.next().is_some() || found.last().is_some_and(|f| f.0 == own.0) {
                return None;
            }
            found.push(own);
        }
        Some(found)
    }
}

/// The power over the integers, in 128 bits where these suffice.
fn integral(
    p: &Poly<Integer>,
    variables: Vec<(usize, u32)>,
    k: u32,
    budget: &Budget<'_>,
) -> Result<Poly<Integer>, Error> {
    let n = p.nvars();
    let small = p.iter().map(|(_, c)| i64::try_from(&c).ok());
    let small: Option<Vec<i64>> = small.collect();
    // Every number on the way is at most the k-th power of the sum of max(|c|, 1).
    let bound = |all: &[i64]| {
        all.iter()
            .map(|c| u128::from(c.unsigned_abs().max(1)))
            .sum::<u128>()
    };
    let fits = |all: &Vec<i64>| u64::from(128 - bound(all).leading_zeros()) * u64::from(k) < 127;
    if let Some(all) = small.filter(fits) {
        let all = all.into_iter().map(i128::from).collect();
        let (monomials, values) = Multinomial::new(all, true, variables, n, k).run(budget)?;
        return Ok(Poly::from_parts(monomials, Integers::from_i128(values)));
    }
    let all = p.iter().map(|(_, c)| c).collect();
    let (monomials, values) = Multinomial::new(all, true, variables, n, k).run(budget)?;
    Ok(Poly::from_parts(monomials, Integers::from_vec(values)))
}

/// A sum of terms on its way to a power.
struct Multinomial<T> {
    k: u32,
    /// Variable and exponent of each term.
    variables: Vec<(usize, u32)>,
    /// The powers of each coefficient; none where it is one.
    powers: Vec<Vec<T>>,
    /// Pascal's triangle.
    binomials: Vec<Vec<T>>,
    /// Each term's monomial in one word, where the monomials of the result fit one.
    units: Option<Vec<u64>>,
    words: Vec<u64>,
    row: Vec<u32>,
    rows: Vec<u32>,
    values: Vec<T>,
}

impl<T> Multinomial<T>
where
    T: Clone + One + PartialEq + for<'a> AddAssign<&'a T> + for<'a> MulAssign<&'a T>,
{
    /// `plain`: factors of one may be left out, since no other number shows what ring this is.
    fn new(
        coefficients: Vec<T>,
        plain: bool,
        variables: Vec<(usize, u32)>,
        nvars: usize,
        k: u32,
    ) -> Self {
        let mut binomials = vec![vec![T::one()]];
        for r in 0..k as usize {
            let mut next = binomials[r].clone();
            for (b, a) in next[1..].iter_mut().zip(&binomials[r]) {
                *b += a;
            }
            next.push(T::one());
            binomials.push(next);
        }
        let powers = |c: T| {
            if plain && c.is_one() {
                return Vec::new();
            }
            let mut all = vec![T::one()];
            for j in 0..k as usize {
                let mut next = all[j].clone();
                next *= &c;
                all.push(next);
            }
            all
        };
        let unit = |&(v, e): &(usize, u32)| {
            let mut row = vec![0; nvars];
            if e > 0 {
                row[v] = e;
            }
            pack::<u64>(nvars, &row)
        };
        let top = variables.iter().map(|v| v.1).max().unwrap_or(0);
        let narrow = width_for(nvars, u64::from(top) * u64::from(k)) == Width::W1;
        Self {
            k,
            powers: coefficients.into_iter().map(powers).collect(),
            binomials,
            units: narrow.then(|| variables.iter().map(unit).collect()),
            words: Vec::new(),
            row: vec![0; nvars],
            rows: Vec::new(),
            values: Vec::new(),
            variables,
        }
    }

    fn run(mut self, budget: &Budget<'_>) -> Result<(Monomials, Vec<T>), Error> {
        self.descend(0, self.k, (T::one(), 0), budget)?;
        let nvars = self.row.len();
        let monomials = match self.units {
            Some(_) => Monomials::from_words(nvars, self.words),
            None => Monomials::from_rows(nvars, self.rows, self.values.len()),
        };
        Ok((monomials, self.values))
    }

    /// All products of `left` of the terms from number `i` on, greatest first, times the coefficient and the word so far.
    fn descend(
        &mut self,
        i: usize,
        left: u32,
        (c, word): (T, u64),
        budget: &Budget<'_>,
    ) -> Result<(), Error> {
        if left == 0 {
            return self.push(c, word, budget);
        }
        let (v, e) = self.variables[i];
        let unit = self.units.as_ref().map_or(0, |u| u[i]);
        let last = i + 1 == self.variables.len();
        // The last term takes all that is left.
        for j in (if last { left } else { 0 }..=left).rev() {
            if e > 0 {
                self.row[v] = e * j;
            }
            let mut c = c.clone();
            if j > 0 && j < left {
                c *= &self.binomials[left as usize][j as usize];
            }
            if let Some(power) = self.powers[i].get(j as usize) {
                c *= power;
            }
            self.descend(i + 1, left - j, (c, word + unit * u64::from(j)), budget)?;
        }
        if e > 0 {
            self.row[v] = 0;
        }
        Ok(())
    }

    fn push(&mut self, c: T, word: u64, budget: &Budget<'_>) -> Result<(), Error> {
        if self.values.len().is_multiple_of(PATIENCE) {
            budget.check_time(OP)?;
        }
        match self.units {
            Some(_) => self.words.push(word),
            None => self.rows.extend(&self.row),
        }
        self.values.push(c);
        Ok(())
    }
}
