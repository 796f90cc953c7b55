//! Factors of univariate integer polynomials.

use super::lift::lift;
use super::modular;
use super::{MAX_DEGREE, positive, reduced};
use crate::Error;
use crate::poly::coefficients::rational::{Integer, integer_gcd};
use crate::poly::coefficients::store::Store;
use crate::poly::polynomial::univariate::{Dense, Field, primes_below};
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;
use dashu_int::ops::{BitTest, SquareRoot, UnsignedAbs};

const OP: &str = "Poly::factor";
/// Sets of modular factors that may be tried before the search is called too long.
const MAX_SETS: u64 = 1 << 20;

/// Constant first.
pub(crate) type Dense2 = Vec<Integer>;

/// The only variable of `p` and its coefficients, constant first; `None` for more variables.
pub(crate) fn dense(p: &Poly<Integer>) -> Result<Option<(usize, Dense2)>, Error> {
    let used: Vec<usize> = (0..p.nvars()).filter(|&v| p.degree(v) > 0).collect();
    let v = match used.as_slice() {
        [] => 0,
        [v] => *v,
        _ => return Ok(None),
    };
    let degree = p.degree(v) as usize;
    if degree > MAX_DEGREE {
        return Err(Error::limit(OP, "degree", MAX_DEGREE as u64));
    }
    let mut f = vec![Integer::ZERO; if p.is_zero() { 0 } else { degree + 1 }];
    for (e, c) in p.iter() {
        f[e.get(v).copied().unwrap_or(0) as usize] = c;
    }
    Ok(Some((v, f)))
}

/// [`dense`] modulo `p`.
pub(crate) fn residues(f: &Poly<Integer>, p: u64) -> Result<Option<(usize, Dense)>, Error> {
    let field = Field { p };
    let found = dense(f)?;
    Ok(found.map(|(v, f)| (v, field.trim(f.iter().map(|c| reduced(c, p)).collect()))))
}

/// Back from dense coefficients in variable `v`.
pub(crate) fn sparse(f: &[Integer], v: usize) -> Poly<Integer> {
    Poly::from_terms(f.iter().enumerate().map(|(k, c)| {
        let mut e = vec![0; v + 1];
        e[v] = k as u32;
        (e, c.clone())
    }))
}

/// The irreducible factors of a primitive square-free polynomial in one variable.
pub(crate) fn irreducible(
    p: &Poly<Integer>,
    budget: &Budget<'_>,
) -> Result<Vec<Poly<Integer>>, Error> {
    let Some((v, f)) = dense(p)? else {
        return Err(Error::invalid(OP, "a polynomial in one variable"));
    };
    let Some((field, parts)) = lifted_parts(&f, budget)? else {
        return Ok(vec![positive(p.clone())]);
    };
    recombine(p, v, field, parts, budget)
}

/// The modulus and the monic factors modulo it, lifted beyond twice the bound of any factor; `None` when
/// `f` is irreducible already modulo one prime.
fn lifted_parts(
    f: &[Integer],
    budget: &Budget<'_>,
) -> Result<Option<(Integer, Vec<Dense2>)>, Error> {
    if f.len() <= 2 {
        return Ok(None);
    }
    let lead = f.last().cloned().unwrap_or(Integer::ONE);
    // Of a few primes the one with the fewest factors: recombination is exponential in their number.
    let mut best: Option<(u64, Vec<Dense>)> = None;
    let mut tried = 0;
    for p in primes_below(1 << 20) {
        budget.check_time(OP)?;
        let field = Field { p };
        let image = field.trim(f.iter().map(|c| reduced(c, p)).collect());
        let good =
            reduced(&lead, p) != 0 && field.gcd(&image, &field.derivative(&image)).len() == 1;
        if !good {
            continue;
        }
        let parts = modular::irreducible(field, &field.monic(&image));
        if parts.len() == 1 {
            return Ok(None);
        }
        if best.as_ref().is_none_or(|(_, b)| parts.len() < b.len()) {
            best = Some((p, parts));
        }
        tried += 1;
        if tried == if f.len() > 200 { 3 } else { 8 } {
            break;
        }
    }
    let Some((p, parts)) = best else {
        return Err(Error::limit(OP, "primes", 1 << 20));
    };
    // Mignotte: a factor of degree <= n has coefficients of at most 2^n |f|_2; times the leading one.
    let square: Integer = f.iter().map(|c| c * c).sum();
    let norm = Integer::from(square.unsigned_abs().sqrt()) + Integer::ONE;
    let bound = (norm << (f.len() + 1)) * &lead * &lead;
    budget.check_bits(OP, bound.bit_len() as u64 * f.len() as u64)?;
    lift(f, p, &parts, &bound, budget).map(Some)
}

/// The remainder in `-m/2..=m/2`.
pub(crate) fn symmetric(c: &Integer, m: &Integer) -> Integer {
    let mut r = c % m;
    if r < Integer::ZERO {
        r += m;
    }
    if &r + &r > *m { r - m } else { r }
}

fn product_mod(f: &[Integer], g: &[Integer], m: &Integer) -> Dense2 {
    if f.is_empty() || g.is_empty() {
        return Vec::new();
    }
    let mut h = vec![Integer::ZERO; f.len() + g.len() - 1];
    for (i, x) in f.iter().enumerate() {
        for (j, y) in g.iter().enumerate() {
            h[i + j] += x * y;
        }
    }
    h.iter().map(|c| symmetric(c, m)).collect()
}

/// Tries sets of lifted factors, smallest first.
fn recombine(
    p: &Poly<Integer>,
    v: usize,
    m: Integer,
    mut parts: Vec<Dense2>,
    budget: &Budget<'_>,
) -> Result<Vec<Poly<Integer>>, Error> {
    let mut rest = p.clone();
    let mut found = Vec::new();
    let (mut size, mut sets) = (1, 0u64);
    while 2 * size <= parts.len() {
        let mut chosen: Vec<usize> = (0..size).collect();
        let mut hit = false;
        loop {
            sets += 1;
            if sets > MAX_SETS {
                return Err(Error::limit(OP, "sets of modular factors", MAX_SETS));
            }
            if sets.is_multiple_of(64) {
                budget.check_time(OP)?;
            }
            if let Some(factor) = candidate(&rest, v, &m, &parts, &chosen)
                && let Some(quotient) = rest.divide_exact(&factor, budget)?
            {
                found.push(positive(factor));
                rest = quotient;
                for &i in chosen.iter().rev() {
                    parts.remove(i);
                }
                hit = true;
                break;
            }
            if !advance(&mut chosen, parts.len()) {
                break;
            }
        }
        if !hit {
            size += 1;
        }
    }
    if rest.degree(v) > 0 {
        found.push(positive(rest));
    }
    Ok(found)
}

/// The next set of as many indices below `n`.
pub(crate) fn advance(chosen: &mut [usize], n: usize) -> bool {
    let k = chosen.len();
    for i in (0..k).rev() {
        if chosen[i] < n - (k - i) {
            chosen[i] += 1;
            for j in i + 1..k {
                chosen[j] = chosen[j - 1] + 1;
            }
            return true;
        }
    }
    false
}

/// The primitive polynomial that the chosen factors would make; `None` when the constant terms already
/// tell that it does not divide.
fn candidate(
    rest: &Poly<Integer>,
    v: usize,
    m: &Integer,
    parts: &[Dense2],
    chosen: &[usize],
) -> Option<Poly<Integer>> {
    let mut top = vec![0; v + 1];
    top[v] = rest.degree(v);
    let lead = rest.coefficient(&top);
    let constant = rest.coefficient(&[]);
    let low = chosen
        .iter()
        .fold(lead.clone(), |c, &i| symmetric(&(c * &parts[i][0]), m));
    // lead * factor(0) must divide lead * rest(0).
    if constant != Integer::ZERO && !super::divides(&low, &(&constant * &lead)) {
        return None;
    }
    let mut f = vec![lead];
    for &i in chosen {
        f = product_mod(&f, &parts[i], m);
    }
    let content = f.iter().fold(Integer::ZERO, |g, c| integer_gcd(&g, c));
    let p = sparse(&f, v);
    let store = p.store().divided(&content);
    (!store.is_empty()).then(|| Poly::from_parts(p.monomials().clone(), store))
}
