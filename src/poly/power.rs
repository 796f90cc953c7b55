//! Powers of polynomials.

use super::monomials::Monomials;
use super::{Budget, Poly, Ring, Store};
use crate::Error;

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
            let power = Multinomial::new(&p, variables, k).run(budget)?;
            let factor = num_traits::pow(factor, k as usize);
            return Ok(Some(C::from_integral(&factor, &power)));
        }
        Multinomial::new(self, variables, k).run(budget).map(Some)
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

/// A sum of terms on its way to a power.
struct Multinomial<C> {
    k: u32,
    /// Variable and exponent of each term.
    variables: Vec<(usize, u32)>,
    /// The powers of each coefficient; none where it is one.
    powers: Vec<Vec<C>>,
    /// Pascal's triangle.
    binomials: Vec<Vec<C>>,
    row: Vec<u32>,
    rows: Vec<u32>,
    values: Vec<C>,
}

impl<C: Ring> Multinomial<C> {
    fn new(p: &Poly<C>, variables: Vec<(usize, u32)>, k: u32) -> Self {
        let mut binomials = vec![vec![C::one()]];
        for r in 0..k as usize {
            let mut next = binomials[r].clone();
            for (b, a) in next[1..].iter_mut().zip(&binomials[r]) {
                *b += a;
            }
            next.push(C::one());
            binomials.push(next);
        }
        let powers = |c: C| {
            // Elsewhere one may be the only sign of the characteristic.
            if C::DOMAIN && c.is_one() {
                return Vec::new();
            }
            let mut all = vec![C::one()];
            for j in 0..k as usize {
                let mut next = all[j].clone();
                next *= &c;
                all.push(next);
            }
            all
        };
        Self {
            k,
            variables,
            powers: p.iter().map(|(_, c)| powers(c)).collect(),
            binomials,
            row: vec![0; p.nvars()],
            rows: Vec::new(),
            values: Vec::new(),
        }
    }

    fn run(mut self, budget: &Budget<'_>) -> Result<Poly<C>, Error> {
        self.descend(0, self.k, C::one(), budget)?;
        let monomials = Monomials::from_rows(self.row.len(), self.rows, self.values.len());
        Ok(Poly::from_parts(monomials, C::Store::from_vec(self.values)))
    }

    /// All products of `left` of the terms from number `i` on, greatest first, times `c` and the powers so far.
    fn descend(&mut self, i: usize, left: u32, c: C, budget: &Budget<'_>) -> Result<(), Error> {
        if left == 0 {
            return self.push(c, budget);
        }
        let (v, e) = self.variables[i];
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
            if let Some(power) = self.powers[i].as_slice().get(j as usize) {
                c *= power;
            }
            self.descend(i + 1, left - j, c, budget)?;
        }
        if e > 0 {
            self.row[v] = 0;
        }
        Ok(())
    }

    fn push(&mut self, c: C, budget: &Budget<'_>) -> Result<(), Error> {
        if self.values.len().is_multiple_of(PATIENCE) {
            budget.check_time(OP)?;
        }
        self.rows.extend(&self.row);
        self.values.push(c);
        Ok(())
    }
}
