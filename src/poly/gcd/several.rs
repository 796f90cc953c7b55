//! Greatest common divisors in several variables: what images in one variable show at once, then sparse interpolation.

use super::ground::{Extension, Ground};
use super::integral::{Combined, gcd, residues};
use super::prime_image::Image;
use super::sparse::{Numbers, Part, Problem, Terms, common};
use crate::Error;
use crate::poly::coefficients::rational::Integer;
use crate::poly::coefficients::residue::Residue;
use crate::poly::coefficients::ring::Ring;
use crate::poly::factor::{content_in, exact};
use crate::poly::polynomial::univariate::{Dense, Field, MERSENNE, primes_below};
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;

const OP: &str = "Poly::gcd";
/// Interpolations that may fail before another way is taken.
const TRIES: usize = 6;

/// What images in one variable show of a divisor.
pub(crate) enum Shown {
    /// It contains none of the variables.
    Coprime,
    /// It does not contain this variable.
    Without(usize),
    /// Bounds for its degrees in the variables.
    Degrees(Vec<u32>),
}

/// The terms of a polynomial with the variables in a given order.
fn arranged<C: Ring>(p: &Poly<C>, order: &[usize], value: impl Fn(&C) -> u64) -> Terms {
    let (mut rows, mut values) = (Vec::new(), Vec::new());
    for (e, c) in p.iter() {
        let c = value(&c);
        if c != 0 {
            rows.extend(order.iter().map(|&v| e.get(v).copied().unwrap_or(0)));
            values.push(c);
        }
    }
    Terms {
        n: order.len(),
        rows,
        values,
    }
}

/// The same of a polynomial over the integers modulo `p`.
fn arranged_modulo(f: &Poly<Integer>, order: &[usize], p: u64) -> Terms {
    let nvars = f.monomials().nvars;
    let (mut rows, mut values) = (Vec::with_capacity(f.len() * order.len()), Vec::new());
    let mut row = vec![0; nvars];
    for (i, c) in residues(f, p).into_iter().enumerate().filter(|t| t.1 != 0) {
        f.monomials().row(i, &mut row);
        rows.extend(order.iter().map(|&v| row.get(v).copied().unwrap_or(0)));
        values.push(c);
    }
    Terms {
        n: order.len(),
        rows,
        values,
    }
}

/// The image in the first of the variables, fixed numbers in place of the others.
fn section<G: Ground>(field: &G, f: &Terms, v: usize, point: &[Dense]) -> Dense {
    let length = f.rows.chunks(f.n).map(|row| row[v] as usize + 1).max();
    let mut image = vec![0; length.unwrap_or(0)];
    for (row, &c) in f.rows.chunks(f.n).zip(&f.values) {
        let others = row.iter().enumerate().filter(|&(w, &k)| w != v && k > 0);
        let c = others.fold(c, |c, (w, &k)| field.mul(c, point[w][k as usize]));
        let sum = &mut image[row[v] as usize];
        *sum = field.add(*sum, c);
    }
    field.trim(image)
}

/// Bounds for the degrees from one image for each variable: certain, because a leading coefficient that does not vanish keeps
/// the degree of every divisor.
pub(crate) fn shown<G: Ground>(
    field: &G,
    a: &Terms,
    b: &Terms,
    check: &dyn Fn() -> Result<(), Error>,
) -> Result<Shown, Error> {
    let most = |f: &Terms, v: usize| f.rows.chunks(f.n).map(|row| row[v]).max().unwrap_or(0);
    let point: Vec<Dense> = (0..a.n)
        .map(|v| {
            let seed = (v as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let x = 1 + seed % (field.size() - 1);
            let count = most(a, v).max(most(b, v)) as usize;
            let mut powers = vec![1; count + 1];
            for k in 0..count {
                powers[k + 1] = field.mul(powers[k], x);
            }
            powers
        })
        .collect();
    let mut degrees = Vec::with_capacity(a.n);
    for v in 0..a.n {
        check()?;
        let (x, y) = (most(a, v), most(b, v));
        let [f, g] = [a, b].map(|f| section(field, f, v, &point));
        let kept = f.len() == x as usize + 1 || g.len() == y as usize + 1;
        degrees.push(if kept && !f.is_empty() && !g.is_empty() {
            common(field, f, g, check)?.len() as u32 - 1
        } else {
            x.min(y)
        });
    }
    Ok(match degrees.iter().position(|&d| d == 0) {
        _ if degrees.iter().all(|&d| d == 0) => Shown::Coprime,
        Some(v) => Shown::Without(v),
        None => Shown::Degrees(degrees),
    })
}

/// The variables with the main one first: that with the shortest leading coefficients, then of the greatest degree.
fn main_first<C: Ring>(a: &Poly<C>, b: &Poly<C>, used: &[usize]) -> (Vec<usize>, [Poly<C>; 2]) {
    let lead = |f: &Poly<C>, v: usize| {
        let d = f.degree(v);
        Poly::from_terms(
            f.iter()
                .filter(|(e, _)| e.get(v).copied().unwrap_or(0) == d)
                .map(|(mut e, c)| {
                    if let Some(k) = e.get_mut(v) {
                        *k = 0;
                    }
                    (e, c)
                }),
        )
    };
    let count = |f: &Poly<C>, v: usize| {
        let d = f.degree(v);
        f.iter()
            .filter(|(e, _)| e.get(v).copied().unwrap_or(0) == d)
            .count()
    };
    let key = |&v: &usize| (count(a, v) + count(b, v), std::cmp::Reverse(a.degree(v)));
    let Some(x) = used.iter().copied().min_by_key(key) else {
        return (Vec::new(), [Poly::zero(), Poly::zero()]);
    };
    let mut order = vec![x];
    order.extend(used.iter().copied().filter(|&v| v != x));
    (order, [lead(a, x), lead(b, x)])
}

/// Residues modulo a prime that divides no coefficient: degrees and coprimality are read off images in them.
fn harmless_field(a: &Poly<Integer>, b: &Poly<Integer>) -> Field {
    let whole = |p: &u64| {
        let kept = |f: &Poly<Integer>| residues(f, *p).iter().all(|&c| c != 0);
        kept(a) && kept(b)
    };
    let mut primes = std::iter::once(MERSENNE).chain(primes_below(1 << 62));
    // Coefficients have finitely many prime factors.
    let p = primes.find(whole).unwrap_or(MERSENNE);
    Field { p }
}

/// The greatest common divisor of primitive polynomials in the variables `used`, two at least; `None` when chance was against it.
pub(crate) fn integral(
    a: &Poly<Integer>,
    b: &Poly<Integer>,
    used: &[usize],
    budget: &Budget<'_>,
) -> Result<Option<Poly<Integer>>, Error> {
    let check = || budget.check_time(OP);
    let image = arranged_modulo;
    let field = harmless_field(a, b);
    let (x, y) = (image(a, used, field.p), image(b, used, field.p));
    let degrees = match shown(&field, &x, &y, &check)? {
        Shown::Coprime => return Ok(Some(Poly::constant(Integer::ONE))),
        Shown::Without(v) => return free_of(a, b, used[v], budget).map(Some),
        Shown::Degrees(degrees) => degrees,
    };
    let (order, leads) = main_first(a, b, used);
    let gamma = gcd(&leads[0], &leads[1], budget)?;
    let degree = |v: usize| used.iter().position(|&u| u == v).map_or(0, |i| degrees[i]);
    let bounds = order[1..].iter().map(|&v| degree(v) + gamma.degree(v));
    let bounds: Vec<u32> = bounds.collect();
    let mut numbers = Numbers(1);
    let (mut state, mut parts, mut failures) = (None::<Combined>, None::<Vec<Part>>, 0);
    for p in std::iter::once(MERSENNE).chain(primes_below(1 << 62)) {
        check()?;
        let field = Field { p };
        let [a1, b1, g1] = [a, b, &gamma].map(|f| image(f, &order, p));
        if (a1.values.len(), b1.values.len(), g1.values.len()) != (a.len(), b.len(), gamma.len()) {
            continue;
        }
        let bounds = bounds.clone();
        let problem = Problem {
            field: &field,
            a: a1,
            b: b1,
            gamma: g1,
            bounds,
            check: &check,
        };
        let found = match &parts {
            Some(parts) => problem.with_monomials(parts, &mut numbers)?,
            None => problem.interpolated(&mut numbers)?,
        };
        let Some(found) = found else {
            failures += 1;
            if failures > TRIES {
                return Ok(None);
            }
            continue;
        };
        let terms: Image = problem.terms(&found).into_iter().collect();
        parts.get_or_insert(found);
        let stable = match &mut state {
            Some(s) => s.join(&terms, field),
            None => {
                let top = terms.keys().next_back().cloned().unwrap_or_default();
                state = Some(Combined::new(top, &terms, p));
                true
            }
        };
        let Some(s) = state.as_ref().filter(|_| stable) else {
            continue;
        };
        if let Some(found) = divisor(s.candidate(&order), a, b, order[0], budget)? {
            return Ok(Some(found));
        }
        failures += 1;
        if failures > TRIES {
            return Ok(None);
        }
    }
    Ok(None)
}

/// The common divisor that a multiple of it without the main variable shows, when it is one.
fn divisor(
    candidate: Poly<Integer>,
    a: &Poly<Integer>,
    b: &Poly<Integer>,
    main: usize,
    budget: &Budget<'_>,
) -> Result<Option<Poly<Integer>>, Error> {
    let divides = |f: &Poly<Integer>| -> Result<bool, Error> {
        Ok(a.divide_exact(f, budget)?.is_some() && b.divide_exact(f, budget)?.is_some())
    };
    if divides(&candidate)? {
        return Ok(Some(candidate));
    }
    // The leading coefficient was a multiple of the right one.
    let content = content_in(&candidate, main, budget)?;
    if content.is_constant() {
        return Ok(None);
    }
    let [x, y] = [content_in(a, main, budget)?, content_in(b, main, budget)?];
    let part = exact(&candidate, &content, budget)?;
    let found = part.mul_within(&gcd(&x, &y, budget)?, budget)?;
    Ok(divides(&found)?.then(|| crate::poly::factor::positive(found)))
}

/// The greatest common divisor of all coefficients in a variable that it does not contain.
fn free_of(
    a: &Poly<Integer>,
    b: &Poly<Integer>,
    v: usize,
    budget: &Budget<'_>,
) -> Result<Poly<Integer>, Error> {
    let mut all: Vec<Poly<Integer>> = a.coefficients_in(v).into_values().collect();
    all.extend(b.coefficients_in(v).into_values());
    all.sort_by_key(Poly::len);
    let mut common = Poly::zero();
    for f in &all {
        common = gcd(&common, f, budget)?;
        if common == Poly::constant(Integer::ONE) {
            break;
        }
    }
    Ok(common)
}

/// What the images show modulo a prime, and a common divisor from sparse interpolation: it has to be divided by.
pub(crate) fn modulo(
    a: &Poly<Residue>,
    b: &Poly<Residue>,
    used: &[usize],
    p: u64,
    budget: &Budget<'_>,
    gamma: impl Fn(&Poly<Residue>, &Poly<Residue>) -> Result<Poly<Residue>, Error>,
) -> Result<Option<Candidate>, Error> {
    let most = used.iter().map(|&v| a.degree(v).max(b.degree(v))).max();
    let enough = 1000 + 40 * u64::from(most.unwrap_or(0)) + 50 * a.len().min(b.len()) as u64;
    let field = Field { p };
    if p > enough {
        return over(&field, a, b, used, |c| c.value(p), Some, p, budget, gamma);
    }
    let Some(field) = Extension::new(p, enough.min(1 << 20)) else {
        return Ok(None);
    };
    let down = |c| field.to_residue(c);
    over(
        &field,
        a,
        b,
        used,
        |c| field.of_residue(c.value(p)),
        down,
        p,
        budget,
        gamma,
    )
}

/// What is known of a common divisor modulo a prime.
pub(crate) enum Candidate {
    /// It does not contain this variable.
    Without(usize),
    /// This may be it, up to a factor without the main variable.
    Multiple(Poly<Residue>, usize),
}

#[allow(clippy::too_many_arguments)]
fn over<G: Ground>(
    field: &G,
    a: &Poly<Residue>,
    b: &Poly<Residue>,
    used: &[usize],
    up: impl Fn(&Residue) -> u64,
    down: impl Fn(u64) -> Option<u64>,
    p: u64,
    budget: &Budget<'_>,
    gamma: impl Fn(&Poly<Residue>, &Poly<Residue>) -> Result<Poly<Residue>, Error>,
) -> Result<Option<Candidate>, Error> {
    let check = || budget.check_time("Poly::gcd_mod");
    let degrees = match shown(
        field,
        &arranged(a, used, &up),
        &arranged(b, used, &up),
        &check,
    )? {
        Shown::Coprime => {
            return Ok(Some(Candidate::Multiple(
                Poly::constant(Residue::known(1, p)),
                used[0],
            )));
        }
        Shown::Without(v) => return Ok(Some(Candidate::Without(used[v]))),
        Shown::Degrees(degrees) => degrees,
    };
    let (order, leads) = main_first(a, b, used);
    let gamma = gamma(&leads[0], &leads[1])?;
    let degree = |v: usize| used.iter().position(|&u| u == v).map_or(0, |i| degrees[i]);
    let bounds = order[1..].iter().map(|&v| degree(v) + gamma.degree(v));
    let [a1, b1, g1] = [a, b, &gamma].map(|f| arranged(f, &order, &up));
    let problem = Problem {
        field,
        a: a1,
        b: b1,
        gamma: g1,
        bounds: bounds.collect(),
        check: &check,
    };
    let mut numbers = Numbers(1);
    for _ in 0..TRIES {
        let Some(parts) = problem.interpolated(&mut numbers)? else {
            continue;
        };
        let n = used.iter().max().map_or(0, |v| v + 1);
        let terms = problem.terms(&parts).into_iter().map(|(key, c)| {
            let mut row = vec![0; n];
            for (&v, k) in order.iter().zip(key) {
                row[v] = k;
            }
            down(c).map(|c| (row, Residue::known(c, p)))
        });
        if let Some(terms) = terms.collect::<Option<Vec<_>>>() {
            return Ok(Some(Candidate::Multiple(Poly::from_terms(terms), order[0])));
        }
    }
    Ok(None)
}
