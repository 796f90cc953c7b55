//! Polynomials put into polynomials.
//!
//! Variable by variable: a polynomial is a list of coefficients, polynomials in the later variables, that are composed first. The
//! sum of coefficients times powers is halved at a power of two, `low + g^m high`, so that only `log d` powers are
//! needed and dense univariate cases become few large products (a Taylor shift of degree `d` takes `log d` of them).

use super::value::Poly;
use crate::Error;
use crate::poly::coefficients::ring::Ring;
use crate::poly::coefficients::store::Store;
use crate::poly::product::budget::Budget;
use std::collections::BTreeMap;

const OP: &str = "Poly::compose";
/// Variables within one monomial that are composed one inside the other; beyond, term by term.
const DEEP: usize = 200;
/// Degrees below which an affine image is put in by Horner's rule.
const SHORT: u32 = 24;

impl<C: Ring> Poly<C> {
    /// `self` with `images[i]` put for variable `i`; variables beyond the list stay.
    ///
    /// # Errors
    /// `LimitExceeded`, `Stopped` or `Overflow` as products and powers may.
    ///
    /// # Complexity
    /// One product for each prefix of exponents that occurs; `O(M(d) log d)` for a dense polynomial of degree `d` in one
    /// variable, where products of that degree take `M(d)`.
    ///
    /// # Example
    /// ```
    /// use wickring::poly::{Budget, Poly, Rational, Vars};
    /// let mut vars = Vars::new();
    /// let p = Poly::<Rational>::parse("x^2 + y", &mut vars)?;
    /// let q = Poly::parse("x + y", &mut vars)?;
    /// let r = p.compose(&[q], &Budget::default())?;
    /// assert_eq!(r, Poly::parse("x^2 + 2*x*y + y^2 + y", &mut vars)?);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn compose(&self, images: &[Self], budget: &Budget<'_>) -> Result<Self, Error> {
        let terms: Vec<(Vec<u32>, C)> = self.iter().collect();
        let mut composition = Composition {
            images,
            powers: vec![BTreeMap::new(); images.len()],
            budget,
        };
        composition
            .all(&terms, 0, 0)
            .map_err(|error| error.said_by(OP))
    }
}

/// Terms in descending lexicographic order.
type Terms<C> = [(Vec<u32>, C)];

/// A composition under way.
struct Composition<'a, C: Ring> {
    images: &'a [Poly<C>],
    /// Powers of the images, as they were needed.
    powers: Vec<BTreeMap<u32, Poly<C>>>,
    budget: &'a Budget<'a>,
}

impl<C: Ring> Composition<'_, C> {
    /// The sum of terms whose variables below `from` are taken care of, `depth` of which occur.
    fn all(&mut self, mut terms: &Terms<C>, from: usize, depth: usize) -> Result<Poly<C>, Error> {
        self.budget.check_time(OP)?;
        let mut parts = Vec::new();
        while let Some((first, _)) = terms.first() {
            // Terms descend: no other one has an earlier variable.
            let v = (from..first.len().min(self.images.len())).find(|&v| first[v] > 0);
            let Some(v) = v else {
                parts.push(self.rest(terms));
                break;
            };
            let end = terms.partition_point(|(e, _)| e.get(v).is_some_and(|&k| k > 0));
            let (own, others) = terms.split_at(end);
            parts.push(if depth > DEEP {
                self.one_by_one(own, from)?
            } else {
                let list = self.coefficients(own, v, depth)?;
                self.combined(list, v)?
            });
            terms = others;
        }
        Ok(Poly::sum(parts))
    }

    /// What is left of terms without variables that have images.
    fn rest(&self, terms: &Terms<C>) -> Poly<C> {
        let keep = self.images.len();
        Poly::from_terms(terms.iter().map(|(e, c)| {
            let kept = |(v, &k): (usize, &u32)| if v < keep { 0 } else { k };
            (e.iter().enumerate().map(kept).collect(), c.clone())
        }))
    }

    /// The coefficients of the powers of variable `v`, composed, highest power first.
    fn coefficients(
        &mut self,
        mut terms: &Terms<C>,
        v: usize,
        depth: usize,
    ) -> Result<Vec<(u32, Poly<C>)>, Error> {
        let mut list = Vec::new();
        while let Some((first, _)) = terms.first() {
            let k = first[v];
            let end = terms.partition_point(|(e, _)| e[v] == k);
            list.push((k, self.all(&terms[..end], v + 1, depth + 1)?));
            terms = &terms[end..];
        }
        Ok(list)
    }

    /// `sum c_k g^k`.
    fn combined(&mut self, mut list: Vec<(u32, Poly<C>)>, v: usize) -> Result<Poly<C>, Error> {
        self.budget.check_time(OP)?;
        let least = list.last().map_or(0, |l| l.0);
        for (k, _) in &mut list {
            *k -= least;
        }
        let top = list.first().map_or(0, |l| l.0);
        let sum = if list.len() <= 1 {
            list.pop().map_or_else(Poly::zero, |(_, c)| c)
        } else if let Some(sum) = self.shifted(&list, v) {
            sum
        } else {
            let middle = 1 << top.ilog2();
            let mut high: Vec<_> = list
                .drain(..list.partition_point(|l| l.0 >= middle))
                .collect();
            let low = self.combined(list, v)?;
            for (k, _) in &mut high {
                *k -= middle;
            }
            // A lone high power is taken at once.
            let (by, high) = match high.as_mut_slice() {
                [(k, c)] => (middle + *k, std::mem::replace(c, Poly::zero())),
                _ => (middle, self.combined(high, v)?),
            };
            let high = self.times_power(&high, v, by)?;
            Poly::sum([low, high])
        };
        self.times_power(&sum, v, least)
    }

    /// `sum c_k g^k` for few numbers `c_k` and an affine image `g = slope y + offset`: Horner's rule on a list of numbers.
    fn shifted(&self, list: &[(u32, Poly<C>)], v: usize) -> Option<Poly<C>> {
        let image = &self.images[v];
        let (lead, slope) = image.leading_term()?;
        let (y, top) = (lead.len().checked_sub(1)?, list.first()?.0);
        let linear = lead[y] == 1 && lead[..y].iter().all(|&e| e == 0);
        let short = top < SHORT && list.len() as u32 * 4 > top && image.len() <= 2;
        if !linear || !short || !list.iter().all(|(_, c)| c.is_constant()) {
            return None;
        }
        let offset = match image.len() {
            1 => C::zero(),
            _ if image.coefficient(&[]).is_zero() => return None,
            _ => image.coefficient(&[]),
        };
        let mut values: Vec<C> = Vec::with_capacity(top as usize + 1);
        let mut next = list.iter().peekable();
        for k in (0..=top).rev() {
            // (sum of values y^i) (slope y + offset) from the top down, in place.
            values.push(C::zero());
            for i in (0..values.len()).rev() {
                let mut own = values[i].clone();
                own *= &offset;
                if let Some(below) = i.checked_sub(1) {
                    let mut up = values[below].clone();
                    up *= &slope;
                    own += &up;
                }
                values[i] = own;
            }
            if let Some((_, c)) = next.next_if(|l| l.0 == k)
                && !c.is_zero()
            {
                values[0] += &c.store().get(0);
            }
        }
        Some(Poly::from_terms(values.into_iter().enumerate().map(
            |(k, c)| {
                let mut e = vec![0; y + 1];
                e[y] = k as u32;
                (e, c)
            },
        )))
    }

    /// `f g_v^k`.
    fn times_power(&mut self, f: &Poly<C>, v: usize, k: u32) -> Result<Poly<C>, Error> {
        if k == 0 || f.is_zero() {
            return Ok(f.clone());
        }
        self.prepare(v, k)?;
        match self.powers[v].get(&k) {
            Some(power) if f.is_constant() => Ok(power.scale(&f.store().get(0))),
            Some(power) => f.mul_within(power, self.budget),
            None => Ok(Poly::zero()),
        }
    }

    /// Forms the power `k` of image `v` from the one below, if there is one.
    fn prepare(&mut self, v: usize, k: u32) -> Result<(), Error> {
        if self.powers[v].contains_key(&k) {
            return Ok(());
        }
        let image = &self.images[v];
        let below = self.powers[v].range(..k).next_back();
        let power = match below {
            Some((&j, power)) if 2 * u64::from(j) >= u64::from(k) && image.len() > 1 => {
                let more = match self.powers[v].get(&(k - j)) {
                    Some(more) => more.clone(),
                    None => image.pow_within(k - j, self.budget)?,
                };
                power.mul_within(&more, self.budget)?
            }
            _ => image.pow_within(k, self.budget)?,
        };
        self.powers[v].insert(k, power);
        Ok(())
    }

    /// The sum of terms with very many variables, each for itself.
    fn one_by_one(&mut self, terms: &Terms<C>, from: usize) -> Result<Poly<C>, Error> {
        let mut parts = Vec::with_capacity(terms.len());
        for term in terms {
            let mut part = self.rest(std::slice::from_ref(term));
            for v in from..term.0.len().min(self.images.len()) {
                part = self.times_power(&part, v, term.0[v])?;
            }
            parts.push(part);
        }
        Ok(Poly::sum(parts))
    }
}

#[cfg(test)]
mod tests {
    use crate::poly::coefficients::rational::{Integer, Rational};
    use crate::poly::coefficients::ring::Ring;
    use crate::poly::polynomial::value::Poly;
    use crate::poly::product::budget::Budget;
    use rand::{Rng, RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// The definition: every term by itself.
    fn slow<C: Ring>(p: &Poly<C>, images: &[Poly<C>]) -> Poly<C> {
        Poly::sum(p.iter().map(|(e, c)| {
            let mut term = Poly::constant(c);
            for (v, &k) in e.iter().enumerate() {
                let image = images.get(v).cloned().unwrap_or_else(|| Poly::variable(v));
                for _ in 0..k {
                    term = &term * &image;
                }
            }
            term
        }))
    }

    fn random(rng: &mut impl Rng, (nvars, degree): (usize, u32), terms: usize) -> Poly<Integer> {
        let term = |_| {
            let e = (0..nvars).map(|_| rng.random_range(0..=degree)).collect();
            (e, Integer::from(rng.random_range(-9i64..=9)))
        };
        Poly::from_terms((0..terms).map(term).collect::<Vec<_>>())
    }

    #[test]
    fn compositions_are_those_of_the_definition() {
        let rng = &mut ChaCha8Rng::seed_from_u64(21);
        for round in 0..400 {
            let shape = [(1, 40), (1, 9), (2, 5), (3, 3), (6, 1), (4, 2)][round % 6];
            let count = rng.random_range(0..30);
            let p = random(rng, shape, count);
            let images: Vec<_> = (0..rng.random_range(0..=shape.0))
                .map(|_| {
                    let image = [(1, 1), (2, 1), (3, 2), (0, 0), (1, 3)][rng.random_range(0..5)];
                    let count = rng.random_range(0..4);
                    random(rng, image, count)
                })
                .collect();
            let found = p.compose(&images, &Budget::default());
            assert_eq!(found, Ok(slow(&p, &images)), "{p:?} of {images:?}");
            let third = |p: &Poly<Integer>| {
                p.map(|c| Rational::from_integers(c.clone(), 3.into()).unwrap_or_default())
            };
            let images: Vec<_> = images.iter().map(third).collect();
            let found = third(&p).compose(&images, &Budget::default());
            assert_eq!(found, Ok(slow(&third(&p), &images)));
        }
    }

    /// A shift there and back is the polynomial; a dense one is long enough for halves of every kind.
    #[test]
    fn shifts_are_undone() {
        let rng = &mut ChaCha8Rng::seed_from_u64(22);
        for n in [2, 23, 24, 25, 70, 200] {
            let p = random(rng, (1, n), 3 * n as usize);
            let shift = |by: i64| &Poly::variable(0) + &Poly::constant(Integer::from(by));
            let moved = p.compose(&[shift(5)], &Budget::default());
            let back = moved.and_then(|q| q.compose(&[shift(-5)], &Budget::default()));
            assert_eq!(back, Ok(p));
        }
    }

    /// Monomials with very many variables are no deep recursion, and errors name the operation.
    #[test]
    fn deep_monomials_and_budgets() {
        let n = 3000;
        let whole = Poly::monomial(&vec![1; n], Integer::ONE);
        let p = &whole + &Poly::monomial(&vec![1; n - 1], Integer::ONE);
        let images = vec![Poly::variable(0); n];
        let wanted = &Poly::monomial(&[n as u32], Integer::ONE)
            + &Poly::monomial(&[n as u32 - 1], Integer::ONE);
        assert_eq!(p.compose(&images, &Budget::default()), Ok(wanted));
        let x = Poly::<Integer>::variable(0);
        let power = Poly::monomial(&[40], Integer::ONE);
        let sum = &(&x + &Poly::variable(1)) + &Poly::variable(2);
        let few = power.compose(&[sum], &Budget::default().terms(100));
        assert!(matches!(
            few,
            Err(crate::Error::LimitExceeded {
                op: "Poly::compose",
                ..
            })
        ));
    }
}
