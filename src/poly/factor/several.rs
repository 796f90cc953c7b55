//! Factors in several variables: monomials, contents, powers of variables and homogeneous polynomials first.

use super::wang::without_content;
use super::{integral, kronecker, positive, wang};
use crate::Error;
use crate::poly::coefficients::rational::{Integer, gcd64};
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;

const OP: &str = "Poly::factor";

/// The irreducible factors of a primitive square-free polynomial in any number of variables.
pub(crate) fn irreducible(
    p: &Poly<Integer>,
    budget: &Budget<'_>,
) -> Result<Vec<Poly<Integer>>, Error> {
    budget.check_time(OP)?;
    let mut found = Vec::new();
    // A variable that divides every term is a factor.
    let low = p.monomials().ranges().0;
    for (v, _) in low.iter().enumerate().filter(|(_, k)| **k > 0) {
        found.push(Poly::variable(v));
    }
    let p = crate::poly::gcd::integral::lowered(p, &low);
    if p.is_constant() {
        return Ok(found);
    }
    // Binomials of one variable, and of two, are best left as they are.
    if variables(&p).len() == 1 || homogeneous(&p) {
        found.extend(in_lowest_terms(&p, budget)?.into_iter().map(positive));
        return Ok(found);
    }
    // With x for x^k the degree is lower; then one prime factor of k after the other is put back.
    let powers = powers_of_variables(&p);
    let least = with_powers(&p, |v, e| e / powers[v]);
    let mut open: Vec<_> = in_lowest_terms(&least, budget)?
        .into_iter()
        .map(|g| (g, powers.clone()))
        .collect();
    while let Some((g, mut powers)) = open.pop() {
        let v = (0..g.nvars()).find(|&v| powers[v] > 1 && g.degree(v) > 0);
        let Some(v) = v else {
            found.push(positive(g));
            continue;
        };
        if variables(&g).len() == 1 {
            let whole = with_powers(&g, |w, e| if w == v { e * powers[v] } else { e });
            found.extend(integral::irreducible(&whole, budget)?);
            continue;
        }
        let q = (2..=powers[v]).find(|q| powers[v].is_multiple_of(*q));
        let q = q.unwrap_or(1);
        powers[v] /= q;
        let g = with_powers(&g, |w, e| if w == v { e * q } else { e });
        let parts = in_lowest_terms(&g, budget)?;
        open.extend(parts.into_iter().map(|g| (g, powers.clone())));
    }
    Ok(found)
}

/// For each variable the greatest common divisor of its exponents, one where it does not occur.
fn powers_of_variables(p: &Poly<Integer>) -> Vec<u32> {
    let mut powers = vec![0u32; p.nvars()];
    for (e, _) in p.iter() {
        for (g, &k) in powers.iter_mut().zip(&e) {
            *g = gcd64((*g).into(), k.into()) as u32;
        }
    }
    powers.iter().map(|&k| k.max(1)).collect()
}

fn variables(p: &Poly<Integer>) -> Vec<usize> {
    (0..p.nvars()).filter(|&v| p.degree(v) > 0).collect()
}

fn homogeneous(p: &Poly<Integer>) -> bool {
    let degree = p.total_degree();
    let total = |e: &[u32]| e.iter().map(|&k| u64::from(k)).sum::<u64>();
    p.iter().all(|(e, _)| total(&e) == degree)
}

fn with_powers(p: &Poly<Integer>, f: impl Fn(usize, u32) -> u32) -> Poly<Integer> {
    Poly::from_terms(p.iter().map(|(mut e, c)| {
        for (v, k) in e.iter_mut().enumerate() {
            *k = f(v, *k);
        }
        (e, c)
    }))
}

/// The same without a look at powers of variables; no variable divides `p`.
fn in_lowest_terms(p: &Poly<Integer>, budget: &Budget<'_>) -> Result<Vec<Poly<Integer>>, Error> {
    budget.check_time(OP)?;
    let used = variables(p);
    let Some(&last) = used.last().filter(|_| used.len() > 1) else {
        return integral::irreducible(p, budget);
    };
    if homogeneous(p) {
        // Factors of a homogeneous polynomial are homogeneous.
        let flat = with_powers(p, |v, e| if v == last { 0 } else { e });
        let parts = irreducible(&flat, budget)?;
        let whole = parts.iter().map(|g| g.homogenised(last));
        return whole.collect();
    }
    // The lower the degree, and the shorter the leading coefficient, the better.
    let cost = |v: usize| {
        let degree = p.degree(v);
        let at = |e: &[u32]| e.get(v).copied().unwrap_or(0) == degree;
        u64::from(degree) * (1 + p.iter().filter(|(e, _)| at(e)).count() as u64)
    };
    let main = used.iter().copied().min_by_key(|&v| (cost(v), v));
    let main = main.unwrap_or(last);
    let (p, content) = without_content(p, main, budget)?;
    let mut found = match content.is_constant() {
        true => Vec::new(),
        false => irreducible(&content, budget)?,
    };
    if p.degree(main) == 1 {
        found.push(p);
        return Ok(found);
    }
    if let Some(&v) = used.iter().find(|&&v| p.degree(v) == 1) {
        let (rest, content) = without_content(&p, v, budget)?;
        if !content.is_constant() {
            found.extend(irreducible(&content, budget)?);
        }
        found.push(rest);
        return Ok(found);
    }
    match wang::irreducible(&p, main, budget)? {
        Some(parts) => found.extend(parts),
        None => found.extend(kronecker::irreducible(&p, budget)?),
    }
    Ok(found)
}
