//! Several variables made one, and back.

use super::integral;
use super::recombine::advance;
use super::{MAX_DEGREE, positive};
use crate::Error;
use crate::poly::coefficients::rational::Integer;
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;

const OP: &str = "Poly::factor";
/// Sets of univariate factors that may be tried.
const MAX_SETS: u64 = 1 << 14;

/// The irreducible factors of a primitive square-free polynomial in any number of variables.
///
/// With `d` above every degree in a variable, `x_i -> z^(d^i)` is injective on the divisors of `p`, so
/// the image of every factor is a product of irreducible factors of the image of `p`.
pub(crate) fn irreducible(
    p: &Poly<Integer>,
    budget: &Budget<'_>,
) -> Result<Vec<Poly<Integer>>, Error> {
    let degrees = p.degrees();
    let used: Vec<usize> = (0..degrees.len()).filter(|&v| degrees[v] > 0).collect();
    if used.len() <= 1 {
        return integral::irreducible(p, budget);
    }
    let mut strides = Vec::with_capacity(used.len());
    let mut stride = 1u64;
    for &v in &used {
        strides.push(stride);
        stride = stride.saturating_mul(u64::from(degrees[v]) + 1);
    }
    if stride > MAX_DEGREE as u64 {
        return Err(Error::limit(
            OP,
            "degree after Kronecker's substitution",
            MAX_DEGREE as u64,
        ));
    }
    let forward = Poly::from_terms(p.iter().map(|(e, c)| {
        let at = |v: usize| u64::from(e.get(v).copied().unwrap_or(0));
        let k: u64 = used.iter().zip(&strides).map(|(&v, s)| at(v) * s).sum();
        (vec![k as u32], c)
    }));
    let back = |f: &Poly<Integer>| {
        Poly::from_terms(f.iter().map(|(e, c)| {
            let mut k = u64::from(e.first().copied().unwrap_or(0));
            let mut row = vec![0; degrees.len()];
            for &v in &used {
                let d = u64::from(degrees[v]) + 1;
                row[v] = (k % d) as u32;
                k /= d;
            }
            (row, c)
        }))
    };
    let mut parts = Vec::new();
    for (part, times) in super::square_free_integer(&forward, budget)? {
        for factor in integral::irreducible(&part, budget)? {
            parts.extend(std::iter::repeat_n(factor, times as usize));
        }
    }
    search(p, parts, back, budget)
}

fn search(
    p: &Poly<Integer>,
    mut parts: Vec<Poly<Integer>>,
    back: impl Fn(&Poly<Integer>) -> Poly<Integer>,
    budget: &Budget<'_>,
) -> Result<Vec<Poly<Integer>>, Error> {
    let (mut rest, mut found) = (p.clone(), Vec::new());
    let (mut size, mut sets) = (1, 0u64);
    // A factor or its cofactor takes at most half of the parts.
    while 2 * size <= parts.len() {
        let mut chosen: Vec<usize> = (0..size).collect();
        let hit = loop {
            sets += 1;
            if sets > MAX_SETS {
                return Err(Error::limit(OP, "sets of univariate factors", MAX_SETS));
            }
            budget.check_time(OP)?;
            let mut product = Poly::constant(Integer::ONE);
            for &i in &chosen {
                product = product.mul_within(&parts[i], budget)?;
            }
            let factor = back(&product);
            if factor.nvars() > 0
                && let Some(quotient) = rest.divide_exact(&factor, budget)?
            {
                found.push(positive(factor));
                rest = quotient;
                break true;
            }
            if !advance(&mut chosen, parts.len()) {
                break false;
            }
        };
        if hit {
            for &i in chosen.iter().rev() {
                parts.remove(i);
            }
        } else {
            size += 1;
        }
    }
    if !rest.is_constant() {
        found.push(positive(rest));
    }
    Ok(found)
}
