//! Greatest common divisors modulo a prime, in any number of variables.

use super::ground::{Extension, Ground};
use super::integral::{image, section};
use super::prime_image::{Image, image_gcd};
use super::several::{self, Candidate};
use crate::Error;
use crate::poly::coefficients::rational::{Integer, Rational};
use crate::poly::coefficients::residue::Residue;
use crate::poly::factor::MAX_DEGREE;
use crate::poly::polynomial::univariate::Field;
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;

const OP: &str = "Poly::gcd_mod";

type P = Poly<Residue>;

impl Poly<Rational> {
    /// The greatest common divisor modulo the prime `p`, its lexicographic leading coefficient one; zero only for two zeros.
    ///
    /// The result is certain: by interpolation, verified by exact division, or where a small field has too few
    /// points by remainder sequences.
    ///
    /// # Errors
    /// `InvalidInput` for a `p` that is no prime below 2^62 or divides a denominator; `LimitExceeded` for degrees beyond
    /// 10^4 or when the budget ends, `Stopped`.
    ///
    /// # Example
    /// ```
    /// use wickring::poly::{Budget, Poly, Vars};
    /// let mut vars = Vars::new();
    /// let a = Poly::parse("x^2 + y^2", &mut vars)?;
    /// let b = Poly::parse("x*y + y^2 + x + y", &mut vars)?;
    /// // Modulo 2 the first is a square.
    /// let common = a.gcd_mod(&b, 2, &Budget::default())?;
    /// assert_eq!(common, Poly::parse("x + y", &mut vars)?.map(|c| c.numerator()));
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn gcd_mod(
        &self,
        other: &Self,
        p: u64,
        budget: &Budget<'_>,
    ) -> Result<Poly<Integer>, Error> {
        let (a, b) = (self.modulo(p)?, other.modulo(p)?);
        let found = gcd(&a, &b, p, budget).map_err(|e| e.said_by(OP))?;
        Ok(monic(found).to_integers())
    }
}

fn monic(f: P) -> P {
    let inverse = |c: Residue| {
        crate::poly::coefficients::ring::Ring::checked_div(&num_traits::One::one(), &c)
    };
    match f.leading_term().and_then(|(_, c)| inverse(c)) {
        Some(unit) => f.scale(&unit),
        None => f,
    }
}

/// Up to a constant.
fn gcd(a: &P, b: &P, p: u64, budget: &Budget<'_>) -> Result<P, Error> {
    budget.check_time(OP)?;
    if a.is_zero() || b.is_zero() {
        return Ok(if a.is_zero() { b.clone() } else { a.clone() });
    }
    // A variable that one side lacks is in no common divisor: that side's coefficients replace the other.
    let n = a.nvars().max(b.nvars());
    for v in 0..n {
        let (with, lacking) = match (a.degree(v), b.degree(v)) {
            (0, 0) => continue,
            (0, _) => (b, a),
            (_, 0) => (a, b),
            _ => continue,
        };
        return with_coefficients(with, lacking.clone(), v, p, budget);
    }
    if a.is_constant() {
        return Ok(a.clone());
    }
    let used: Vec<usize> = (0..n).filter(|&v| a.degree(v) > 0).collect();
    let high = |&v: &usize| a.degree(v).max(b.degree(v)) > MAX_DEGREE as u32;
    if used.iter().any(high) {
        return Err(Error::limit(OP, "degree", MAX_DEGREE as u64));
    }
    if let Some(found) = small_divisor(a, b, &used, p, budget)? {
        return Ok(found);
    }
    if used.len() > 1
        && let Some(found) = sparse(a, b, &used, p, budget)?
    {
        return Ok(found);
    }
    let images = [a, b].map(|f| image(&f.to_integers(), &used, p));
    let most = used.iter().map(|&v| a.degree(v).max(b.degree(v)));
    let most = u64::from(most.max().unwrap_or(0));
    let check = || budget.check_time(OP);
    let [x, y] = &images;
    // A small field has too few points: those of an extension serve as well, the divisor stays the same.
    let field = Field { p };
    let enough = 40 * most + 1000;
    let larger = (p < enough).then(|| Extension::new(p, enough)).flatten();
    let found = match larger {
        Some(field) => in_extension(&field, x, y, used.len(), &check),
        None => image_gcd(&field, x, y, used.len(), &check),
    };
    match found {
        Ok(found) => {
            let terms = found.into_iter().map(|(key, c)| {
                let mut row = vec![0; n];
                for (&v, k) in used.iter().zip(key) {
                    row[v] = k;
                }
                Residue::new(c, p).map(|c| (row, c))
            });
            let found = P::from_terms(terms.collect::<Result<Vec<_>, Error>>()?);
            let divides = |f: &P| f.divide_exact(&found, budget).map(|q| q.is_some());
            if found.is_constant() || (divides(a)? && divides(b)?) {
                return Ok(found);
            }
        }
        Err(Error::LimitExceeded { .. }) => {}
        Err(e) => return Err(e),
    }
    by_remainders(a, b, used[0], p, budget)
}

/// The divisor by sparse interpolation, verified; `None` when that fails.
fn sparse(a: &P, b: &P, used: &[usize], p: u64, budget: &Budget<'_>) -> Result<Option<P>, Error> {
    let found = several::modulo(a, b, used, p, budget, |x, y| gcd(x, y, p, budget))?;
    let (candidate, v) = match found {
        None => return Ok(None),
        Some(Candidate::Without(v)) => {
            let common = with_coefficients(a, P::zero(), v, p, budget)?;
            return with_coefficients(b, common, v, p, budget).map(Some);
        }
        Some(Candidate::Multiple(f, v)) => (f, v),
    };
    let divides = |f: &P| -> Result<bool, Error> {
        Ok(a.divide_exact(f, budget)?.is_some() && b.divide_exact(f, budget)?.is_some())
    };
    if candidate.is_constant() || divides(&candidate)? {
        return Ok(Some(candidate));
    }
    // The leading coefficient was a multiple of the right one.
    let content = with_coefficients(&candidate, P::zero(), v, p, budget)?;
    let Some(part) = candidate.divide_exact(&content, budget)? else {
        return Ok(None);
    };
    let common = with_coefficients(a, P::zero(), v, p, budget)?;
    let common = with_coefficients(b, common, v, p, budget)?;
    let found = part.mul_within(&common, budget)?;
    Ok(divides(&found)?.then_some(found))
}

/// One of the two when it divides the other; tried when the degrees allow it.
fn small_divisor(
    a: &P,
    b: &P,
    used: &[usize],
    p: u64,
    budget: &Budget<'_>,
) -> Result<Option<P>, Error> {
    let field = Field { p };
    for (small, large) in [(a, b), (b, a)] {
        if used.iter().any(|&v| small.degree(v) > large.degree(v)) {
            continue;
        }
        let [f, g] = [large, small].map(|q| section(&q.to_integers(), used, field));
        // Nothing is known where the divisor vanishes or loses its degree; then division is tried, too.
        if !g.is_empty() && !field.remainder(&f, &g).is_empty() {
            continue;
        }
        if large.divide_exact(small, budget)?.is_some() {
            return Ok(Some(small.clone()));
        }
    }
    Ok(None)
}

/// [`image_gcd`] with coefficients taken into a larger field and back.
fn in_extension(
    field: &Extension,
    a: &Image,
    b: &Image,
    nvars: usize,
    check: &dyn Fn() -> Result<(), Error>,
) -> Result<Image, Error> {
    let up = |f: &Image| -> Image {
        let each = f.iter().map(|(e, &c)| (e.clone(), field.of_residue(c)));
        each.collect()
    };
    let found = image_gcd(field, &up(a), &up(b), nvars, check)?;
    let down = found
        .into_iter()
        .map(|(e, c)| Some((e, field.to_residue(c)?)));
    // Its coefficients lie in the smaller field when no point was luckless.
    let (op, what, limit) = (OP, "points of the field", field.size());
    down.collect::<Option<Image>>()
        .ok_or(Error::LimitExceeded { op, what, limit })
}

/// The greatest common divisor of `common` and all coefficients of `f` in variable `v`.
fn with_coefficients(
    f: &P,
    mut common: P,
    v: usize,
    p: u64,
    budget: &Budget<'_>,
) -> Result<P, Error> {
    for coefficient in f.coefficients_in(v).values() {
        common = gcd(&common, coefficient, p, budget)?;
        if common.is_constant() && !common.is_zero() {
            break;
        }
    }
    Ok(common)
}

/// Primitive remainder sequences in variable `v`.
fn by_remainders(a: &P, b: &P, v: usize, p: u64, budget: &Budget<'_>) -> Result<P, Error> {
    let primitive = |f: &P| -> Result<(P, P), Error> {
        let content = with_coefficients(f, P::zero(), v, p, budget)?;
        let routine = "exact division";
        let part = f.divide_exact(&content, budget)?;
        let part = part.ok_or(Error::Backend { op: OP, routine })?;
        Ok((content, monic(part)))
    };
    let ((content_a, mut f), (content_b, mut g)) = (primitive(a)?, primitive(b)?);
    let content = gcd(&content_a, &content_b, p, budget)?;
    if f.degree(v) < g.degree(v) {
        std::mem::swap(&mut f, &mut g);
    }
    while g.degree(v) > 0 {
        let (_, _, rest) = f.pseudo_divide(&g, v, budget)?;
        f = g;
        if rest.is_zero() {
            return f.mul_within(&content, budget);
        }
        g = primitive(&rest)?.1;
    }
    // Primitive polynomials without a common part of positive degree.
    Ok(content)
}
