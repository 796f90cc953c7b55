//! Factors of univariate integer polynomials.

use super::lift::lift;
use super::{MAX_DEGREE, binomial, distinct, knapsack, modular, recombine, reduced};
use crate::Error;
use crate::poly::coefficients::integers::Integers;
use crate::poly::coefficients::rational::{Integer, gcd64, integer_gcd};
use crate::poly::coefficients::store::Store;
use crate::poly::monomials::packed::{Exps, Monomials};
use crate::poly::polynomial::univariate::{Dense, Field, is_prime};
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;
use dashu_int::ops::{BitTest, SquareRoot, UnsignedAbs};

const OP: &str = "Poly::factor";
/// Good primes that are looked at: the one with the fewest factors is lifted, and the degrees of factors must agree with all.
const PRIMES: usize = 5;

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
    Ok(Some((v, coefficients(p, v))))
}

/// The coefficients of a polynomial in variable `v` alone, constant first.
pub(crate) fn coefficients(p: &Poly<Integer>, v: usize) -> Dense2 {
    if p.is_zero() {
        return Vec::new();
    }
    let (monomials, store) = (p.monomials(), p.store());
    let mut f = vec![Integer::ZERO; p.degree(v) as usize + 1];
    let n = monomials.nvars;
    if let (0, 1, Exps::W1(words), Integers::I64(values)) = (v, n, &monomials.exps, store) {
        for (&k, &c) in words.iter().zip(values) {
            f[k as usize] = c.into();
        }
        return f;
    }
    let mut row = vec![0; n.max(v + 1)];
    for i in 0..p.len() {
        monomials.row(i, &mut row[..n]);
        f[row[v] as usize] = store.get(i);
    }
    f
}

/// [`dense`] modulo `p`.
pub(crate) fn residues(f: &Poly<Integer>, p: u64) -> Result<Option<(usize, Dense)>, Error> {
    let field = Field { p };
    let found = dense(f)?;
    Ok(found.map(|(v, f)| (v, field.trim(f.iter().map(|c| reduced(c, p)).collect()))))
}

/// Back from dense coefficients in variable `v`.
pub(crate) fn sparse(f: &[Integer], v: usize) -> Poly<Integer> {
    let used = || {
        f.iter()
            .enumerate()
            .rev()
            .filter(|(_, c)| **c != Integer::ZERO)
    };
    let count = used().count();
    // No variables for a constant.
    let nvars = if f.len() > 1 && used().any(|(k, _)| k > 0) {
        v + 1
    } else {
        0
    };
    let mut rows = vec![0; count * nvars];
    if nvars > 0 {
        for (row, (k, _)) in rows.chunks_exact_mut(nvars).zip(used()) {
            row[v] = k as u32;
        }
    }
    let values = used().map(|(_, c)| c.clone()).collect();
    Poly::from_parts(
        Monomials::from_rows(nvars, rows, count),
        Store::from_vec(values),
    )
}

/// The irreducible factors of a primitive square-free polynomial in one variable.
pub(crate) fn irreducible(
    p: &Poly<Integer>,
    budget: &Budget<'_>,
) -> Result<Vec<Poly<Integer>>, Error> {
    let Some((v, f)) = dense(p)? else {
        return Err(Error::invalid(OP, "a polynomial in one variable"));
    };
    let factors = factors(f, budget)?;
    Ok(factors.iter().map(|g| sparse(g, v)).collect())
}

/// The same for coefficients, constant first; leading coefficients of factors are positive.
pub(crate) fn factors(mut f: Dense2, budget: &Budget<'_>) -> Result<Vec<Dense2>, Error> {
    let mut found = Vec::new();
    if f.first() == Some(&Integer::ZERO) {
        f.remove(0);
        found.push(vec![Integer::ZERO, Integer::ONE]);
    }
    if f.last().is_some_and(|c| *c < Integer::ZERO) {
        f = f.iter().map(|c| -c).collect();
    }
    if f.len() > 1 {
        // With x^k for x the degree is lower; then one prime factor of k after the other is put back.
        let k = exponents_gcd(&f);
        let mut open = match binomial::factors(&f) {
            Some(parts) => parts,
            None => {
                let low: Dense2 = f.iter().step_by(k).cloned().collect();
                let parts = of_general(&low, budget)?;
                parts.into_iter().map(|g| (g, k)).collect()
            }
        };
        while let Some((g, k)) = open.pop() {
            if let (2, 2.., Some(parts)) = (g.len(), k, binomial::factors(&spread(&g, k))) {
                open.extend(parts);
                continue;
            }
            let Some(q) = (2..=k).find(|q| k.is_multiple_of(*q)) else {
                found.push(g);
                continue;
            };
            let g = spread(&g, q);
            let parts = match binomial::factors(&g) {
                // What stays a binomial of the same degree is irreducible.
                Some(parts) if parts.iter().all(|(_, m)| *m == 1) => {
                    parts.into_iter().map(|p| p.0).collect()
                }
                _ => of_general(&g, budget)?,
            };
            open.extend(parts.into_iter().map(|g| (g, k / q)));
        }
    }
    found.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    Ok(found)
}

/// The greatest common divisor of the exponents.
fn exponents_gcd(f: &[Integer]) -> usize {
    let used = f.iter().enumerate().filter(|(_, c)| **c != Integer::ZERO);
    let gcd = |a: usize, b: usize| gcd64(a as u64, b as u64) as usize;
    used.map(|(i, _)| i).fold(0, gcd).max(1)
}

/// `f(x^k)`.
pub(crate) fn spread(f: &[Integer], k: usize) -> Dense2 {
    let mut g = vec![Integer::ZERO; (f.len() - 1) * k + 1];
    for (i, c) in f.iter().enumerate() {
        g[i * k] = c.clone();
    }
    g
}

/// Factors of a primitive square-free polynomial with nonzero constant and positive leading coefficient.
fn of_general(f: &[Integer], budget: &Budget<'_>) -> Result<Vec<Dense2>, Error> {
    if f.len() <= 2 {
        return Ok(vec![f.to_vec()]);
    }
    let Some((p, parts, degrees)) = modular_factors(f, budget)? else {
        return Ok(vec![f.to_vec()]);
    };
    // Mignotte, Mahler: the multiple of a factor of degree <= n/2 with the leading coefficient of f has coefficients of at
    // most 2^(n/2) |f|_2.
    let square: Integer = f.iter().map(|c| c * c).sum();
    let norm = Integer::from(square.unsigned_abs().sqrt()) + Integer::ONE;
    let mut bits = norm.bit_len() + (f.len() - 1) / 2 + 2;
    if parts.len() > recombine::FEW {
        bits = bits.max(knapsack::wanted_bits(f, parts.len()));
    }
    budget.check_bits(OP, bits as u64 * f.len() as u64)?;
    let (m, parts) = lift(f, p, &parts, &(Integer::ONE << bits), budget)?;
    recombine::recombine(f, p, &m, parts, &degrees, budget)
}

/// A prime, the monic irreducible factors modulo it, and whether a factor can have a degree.
type Modular = (u64, Vec<Dense>, Vec<bool>);

/// `None` when the degrees modulo several primes show that `f` is irreducible.
fn modular_factors(f: &[Integer], budget: &Budget<'_>) -> Result<Option<Modular>, Error> {
    let n = f.len() - 1;
    let check = || budget.check_time(OP);
    let mut possible = vec![true; n + 1];
    let mut best: Option<(u64, Vec<(usize, Dense)>, usize)> = None;
    let mut tried = 0;
    for p in (11u64..1 << 20).filter(|&p| is_prime(p)) {
        check()?;
        let field = Field { p };
        let image = field.trim(f.iter().map(|c| reduced(c, p)).collect());
        if image.len() <= n || distinct::gcd(field, &image, &field.derivative(&image)).len() > 1 {
            continue;
        }
        let parts = distinct::by_degree(field, &field.monic(&image), &check)?;
        let count = parts.iter().map(|(d, g)| (g.len() - 1) / d).sum();
        let sums = subset_sums(&parts, n);
        for (d, s) in possible.iter_mut().zip(&sums) {
            *d &= *s;
        }
        if !possible[1..n].iter().any(|&d| d) {
            return Ok(None);
        }
        if best.as_ref().is_none_or(|b| count < b.2) {
            best = Some((p, parts, count));
        }
        tried += 1;
        // Few degrees left are worth another prime: most irreducible polynomials end here.
        let left = possible[1..n].iter().filter(|d| **d).count();
        if tried == PRIMES || (tried >= 3 && (count <= 3 || left > n / 8 + 2)) {
            break;
        }
    }
    let Some((p, parts, _)) = best else {
        return Err(Error::limit(OP, "primes", 1 << 20));
    };
    let parts = modular::equal_degrees(Field { p }, parts, &check)?;
    Ok(Some((p, parts, possible)))
}

/// Which degrees products of the irreducible factors can have.
fn subset_sums(parts: &[(usize, Dense)], n: usize) -> Vec<bool> {
    let mut sums = vec![false; n + 1];
    sums[0] = true;
    for (d, g) in parts {
        for _ in 0..(g.len() - 1) / d {
            for k in (*d..=n).rev() {
                sums[k] |= sums[k - d];
            }
        }
    }
    sums
}

/// The remainder in `-m/2..=m/2`.
pub(crate) fn symmetric(c: &Integer, m: &Integer) -> Integer {
    let mut r = c % m;
    if r < Integer::ZERO {
        r += m;
    }
    if &r + &r > *m { r - m } else { r }
}

/// The exact quotient over the integers.
pub(crate) fn quotient(f: &[Integer], g: &[Integer]) -> Option<Dense2> {
    let n = g.len().checked_sub(1)?;
    let lead = g.last()?;
    if f.len() < g.len() {
        return None;
    }
    let mut rest = f.to_vec();
    let mut quotient = vec![Integer::ZERO; f.len() - n];
    for k in (0..quotient.len()).rev() {
        if rest[k + n] == Integer::ZERO {
            continue;
        }
        if !super::divides(lead, &rest[k + n]) {
            return None;
        }
        let q = &rest[k + n] / lead;
        for (j, y) in g[..n].iter().enumerate() {
            rest[k + j] -= &q * y;
        }
        quotient[k] = q;
    }
    let clean = rest[..n].iter().all(|c| *c == Integer::ZERO);
    clean.then_some(quotient)
}

/// Divided by the greatest common divisor of the coefficients, leading coefficient positive.
pub(crate) fn primitive(f: &[Integer]) -> Dense2 {
    let mut content = f.iter().fold(Integer::ZERO, |g, c| integer_gcd(&g, c));
    if f.last().is_some_and(|c| *c < Integer::ZERO) {
        content = -content;
    }
    match content == Integer::ZERO {
        true => Vec::new(),
        false => f.iter().map(|c| c / &content).collect(),
    }
}
