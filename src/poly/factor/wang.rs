//! Factors in several variables from those of an image in one (Wang 1978).
//!
//! The leading coefficient is factored first, and integers are put for all variables but one. Primes that occur in the value of one
//! factor of the leading coefficient only tell which factor of the image it belongs to. The factors are then lifted modulo primes,
//! with their leading coefficients in place, joined, and multiplied up. A factor with an irreducible image is irreducible.

use super::integral::Dense2;
use super::sparse_lift::{Start, all_variables};
use super::{exact, integral, positive, reduced};
use crate::Error;
use crate::poly::coefficients::rational::{Integer, integer_gcd};
use crate::poly::gcd::integral::{Combined, image};
use crate::poly::polynomial::univariate::{Dense, Field, MERSENNE, is_prime};
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;

const OP: &str = "Poly::factor";
/// Points that are tried before another method is.
const ATTEMPTS: u64 = 24;
/// Points among which the one with the fewest factors is chosen.
const CHOICE: usize = 3;
/// Primes that are joined before the point is given up.
const PRIMES: usize = 400;

/// An image in one variable, in factors, with what is known of the leading coefficients.
struct Image {
    /// Values of the other variables.
    point: Vec<Integer>,
    /// Factors over the integers, times constants so that their leading coefficients are the values of `leads`.
    factors: Vec<Dense2>,
    leads: Vec<Poly<Integer>>,
    /// Their product is this multiple of the image.
    scale: Integer,
}

/// A problem: a primitive square-free polynomial without content in `main`.
struct Problem<'a> {
    p: &'a Poly<Integer>,
    main: usize,
    others: Vec<usize>,
    /// The leading coefficient: a constant, and irreducible factors with multiplicities.
    unit: Integer,
    lead: Vec<(Poly<Integer>, u32)>,
}

/// The irreducible factors of `p`, which has no content in variable `main`; `None` when no point served.
///
/// # Errors
/// As [`Poly::factor`].
pub(crate) fn irreducible(
    p: &Poly<Integer>,
    main: usize,
    budget: &Budget<'_>,
) -> Result<Option<Vec<Poly<Integer>>>, Error> {
    let top = p.coefficients_in(main).pop_last();
    let top = top.map_or_else(Poly::zero, |(_, c)| c);
    let content = top.store().content();
    let negative = top.leading_term().is_some_and(|(_, c)| c < Integer::ZERO);
    let divided = top.store().divided(&content);
    let divided = positive(Poly::from_parts(top.monomials().clone(), divided));
    let unit = if negative { -content } else { content };
    let mut lead = Vec::new();
    for (part, times) in super::square_free_integer(&divided, budget)? {
        for factor in super::several::irreducible(&part, budget)? {
            lead.push((factor, times));
        }
    }
    let others = (0..p.nvars()).filter(|&v| v != main && p.degree(v) > 0);
    let problem = Problem {
        p,
        main,
        others: others.collect(),
        unit,
        lead,
    };
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut best: Option<Image> = None;
    let mut seen = 0;
    for attempt in 0..ATTEMPTS {
        budget.check_time(OP)?;
        let Some(image) = problem.image(attempt, &mut state, budget)? else {
            continue;
        };
        if image.factors.len() == 1 {
            return Ok(Some(vec![positive(p.clone())]));
        }
        let fewer = |b: &Image| image.factors.len() < b.factors.len();
        if best.as_ref().is_none_or(fewer) {
            best = Some(image);
        }
        seen += 1;
        if seen < CHOICE {
            continue;
        }
        if let Some(image) = best.take()
            && let Some(found) = problem.lifted(&image, attempt, budget)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

impl Problem<'_> {
    /// An image at a random point; `None` when the point is of no use.
    fn image(
        &self,
        attempt: u64,
        state: &mut u64,
        budget: &Budget<'_>,
    ) -> Result<Option<Image>, Error> {
        let range = 40 * (attempt + 1) * (attempt + 1);
        let mut next = || {
            *state ^= *state << 13;
            *state ^= *state >> 7;
            *state ^= *state << 17;
            Integer::from((*state >> 8) % (2 * range + 1)) - Integer::from(range)
        };
        let point: Vec<Integer> = self.others.iter().map(|_| next()).collect();
        let mut values = vec![None; self.p.nvars()];
        for (&v, x) in self.others.iter().zip(&point) {
            values[v] = Some(x.clone());
        }
        let at = |q: &Poly<Integer>| q.eval_partial(&values).coefficient(&[]);
        let tops: Vec<Integer> = self.lead.iter().map(|(q, _)| at(q)).collect();
        if tops.contains(&Integer::ZERO) {
            return Ok(None);
        }
        let whole = self.p.eval_partial(&values);
        let Some((_, f)) = integral::dense(&whole)? else {
            return Ok(None);
        };
        let content = f.iter().fold(Integer::ZERO, |g, c| integer_gcd(&g, c));
        let Some(own) = own_primes(&tops, &(&content * &self.unit)) else {
            return Ok(None);
        };
        // A square in the image would show modulo this prime, too.
        let field = Field { p: MERSENNE };
        let small = residues(field, &f);
        if small.len() < f.len() || field.gcd(&small, &field.derivative(&small)).len() > 1 {
            return Ok(None);
        }
        let primitive: Dense2 = f.iter().map(|c| c / &content).collect();
        let negative = primitive.last().is_some_and(|c| *c < Integer::ZERO);
        let factors = integral::factors(primitive, budget)?;
        if factors.len() == 1 {
            let (leads, scale) = (Vec::new(), Integer::ONE);
            return Ok(Some(Image {
                point,
                factors,
                leads,
                scale,
            }));
        }
        let content = if negative { -content } else { content };
        Ok(self.with_leads(point, factors, content, &tops, &own))
    }

    /// Gives every factor of the leading coefficient to its factor of the image.
    fn with_leads(
        &self,
        point: Vec<Integer>,
        mut factors: Vec<Dense2>,
        mut content: Integer,
        tops: &[Integer],
        own: &[Integer],
    ) -> Option<Image> {
        let mut left: Vec<u32> = self.lead.iter().map(|(_, k)| *k).collect();
        let mut leads = Vec::with_capacity(factors.len());
        for g in &mut factors {
            let mut rest = g.last()? * &content;
            let (mut lead, mut value) = (Poly::constant(Integer::ONE), Integer::ONE);
            // The last first: its value may hold primes of those before, not the other way round.
            for j in (0..own.len()).rev() {
                while super::divides(&own[j], &rest) && super::divides(&tops[j], &rest) {
                    rest = &rest / &tops[j];
                    left[j] = left[j].checked_sub(1)?;
                    lead = &lead * &self.lead[j].0;
                    value *= &tops[j];
                }
            }
            // lead(point) = value; both sides get what they lack.
            let top = g.last()?.clone();
            let common = integer_gcd(&top, &value);
            leads.push(lead.scale(&(&top / &common)));
            let factor = &value / &common;
            if !super::divides(&factor, &content) {
                return None;
            }
            content = &content / &factor;
            g.iter_mut().for_each(|c| *c *= &factor);
        }
        if left.iter().any(|&k| k > 0) {
            return None;
        }
        // What is left of the content every factor takes, and the polynomial all but once.
        let mut scale = Integer::ONE;
        if content != Integer::ONE {
            for (g, lead) in factors.iter_mut().zip(&mut leads) {
                g.iter_mut().for_each(|c| *c *= &content);
                *lead = lead.scale(&content);
            }
            scale = content.pow(factors.len() - 1);
        }
        Some(Image {
            point,
            factors,
            leads,
            scale,
        })
    }

    /// The factors that have these images, multiplied up to prove it.
    fn lifted(
        &self,
        of: &Image,
        seed: u64,
        budget: &Budget<'_>,
    ) -> Result<Option<Vec<Poly<Integer>>>, Error> {
        let mut used = vec![self.main];
        used.extend(&self.others);
        let check = || budget.check_time(OP);
        let mut joined: Option<Vec<Combined>> = None;
        let primes = (0..=MERSENNE).rev().filter(|&q| is_prime(q));
        for p in primes.take(PRIMES) {
            let field = Field { p };
            let mut whole = image(self.p, &used, p);
            let scale = reduced(&of.scale, p);
            whole.values_mut().for_each(|c| *c = field.mul(*c, scale));
            let factors: Vec<Dense> = of.factors.iter().map(|g| residues(field, g)).collect();
            let leads: Vec<_> = of.leads.iter().map(|q| image(q, &used, p)).collect();
            let point: Vec<u64> = of.point.iter().map(|x| reduced(x, p)).collect();
            let start = Start {
                field,
                whole: &whole,
                factors: &factors,
                leads: &leads,
                point: &point,
                seed: seed.wrapping_mul(0x2545_F491_4F6C_DD1D).wrapping_add(p),
            };
            let Some(found) = all_variables(&start, &check)? else {
                return Ok(None);
            };
            let stable = match &mut joined {
                None => {
                    let first = found.iter().map(|g| Combined::new(Vec::new(), g, p));
                    joined = Some(first.collect());
                    true
                }
                Some(all) => {
                    let each = all.iter_mut().zip(&found);
                    // Every one must be joined, whatever the others say.
                    each.fold(true, |s, (c, g)| c.join(g, field) && s)
                }
            };
            let Some(all) = joined.as_ref().filter(|_| stable) else {
                continue;
            };
            let mut product = Poly::constant(Integer::ONE);
            let candidates: Vec<_> = all.iter().map(|c| c.candidate(&used)).collect();
            for g in &candidates {
                product = product.mul_within(g, budget)?;
            }
            if positive(product) == positive(self.p.clone()) {
                return Ok(Some(candidates));
            }
        }
        Ok(None)
    }
}

fn residues(field: Field, f: &[Integer]) -> Dense {
    field.trim(f.iter().map(|c| reduced(c, field.p)).collect())
}

/// For each value a divisor that is prime to `other` and to the values before it; `None` when one has none.
fn own_primes(values: &[Integer], other: &Integer) -> Option<Vec<Integer>> {
    let mut own: Vec<Integer> = Vec::with_capacity(values.len());
    for value in values {
        let mut rest = integer_gcd(value, &Integer::ZERO);
        for d in own.iter().chain([other]) {
            loop {
                let common = integer_gcd(&rest, d);
                if common == Integer::ONE {
                    break;
                }
                rest = &rest / &common;
            }
        }
        if rest == Integer::ONE {
            return None;
        }
        own.push(rest);
    }
    Some(own)
}

/// The polynomial without its content in variable `v`, and the content.
pub(crate) fn without_content(
    p: &Poly<Integer>,
    v: usize,
    budget: &Budget<'_>,
) -> Result<(Poly<Integer>, Poly<Integer>), Error> {
    let content = super::content_in(p, v, budget)?;
    Ok((exact(p, &content, budget)?, content))
}
