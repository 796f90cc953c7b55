//! Factors modulo a prime: square-free ones, then distinct degrees, then equal degrees (Cantor and Zassenhaus).

use super::distinct::{by_degree, gcd, power_mod};
use crate::Error;
use crate::poly::polynomial::univariate::{Dense, Field};

/// The monic square-free factors of `f` with their multiplicities, modulo `p` (Musser).
pub(crate) fn square_free(field: Field, f: &[u64]) -> Vec<(Dense, u32)> {
    let mut found = Vec::new();
    collect(field, &field.monic(f), 1, &mut found);
    found
}

fn collect(field: Field, f: &[u64], times: u32, found: &mut Vec<(Dense, u32)>) {
    if f.len() <= 1 {
        return;
    }
    let mut common = field.gcd(f, &field.derivative(f));
    let mut simple = field.divided(f, &common).0;
    let mut k = 1;
    while simple.len() > 1 {
        let repeated = field.gcd(&simple, &common);
        let factor = field.divided(&simple, &repeated).0;
        if factor.len() > 1 {
            found.push((factor, k * times));
        }
        common = field.divided(&common, &repeated).0;
        simple = repeated;
        k += 1;
    }
    // What is left is a p-th power: over a prime field its root has the same coefficients.
    if common.len() > 1 {
        let p = field.p as usize;
        let root: Dense = common.iter().step_by(p).copied().collect();
        collect(field, &root, times * p as u32, found);
    }
}

/// The monic irreducible factors of a monic square-free `f`, sorted.
///
/// # Errors
/// What `check` says.
///
/// # Complexity
/// `O(n^3)` operations modulo `p` for degree `n` up to 2000, `O(n^3 log p)` beyond.
pub(crate) fn irreducible(field: Field, f: &[u64], check: Check<'_>) -> Result<Vec<Dense>, Error> {
    let parts = by_degree(field, f, check)?;
    equal_degrees(field, parts, check)
}

/// Asked between steps.
pub(crate) type Check<'a> = &'a dyn Fn() -> Result<(), Error>;

/// The irreducible factors of products of factors of equal degrees, sorted.
pub(crate) fn equal_degrees(
    field: Field,
    parts: Vec<(usize, Dense)>,
    check: Check<'_>,
) -> Result<Vec<Dense>, Error> {
    let mut found = Vec::new();
    for (degree, part) in parts {
        split(field, part, degree, &mut found, check)?;
    }
    found.sort_by(|a, b| {
        a.len()
            .cmp(&b.len())
            .then_with(|| a.iter().rev().cmp(b.iter().rev()))
    });
    Ok(found)
}

/// Splits a product of irreducible factors of one degree by random elements. The factors do not depend
/// on the choices, only the time does, so a fixed sequence serves.
fn split(
    field: Field,
    f: Dense,
    degree: usize,
    found: &mut Vec<Dense>,
    check: Check<'_>,
) -> Result<(), Error> {
    let mut state = 0x2545_F491_4F6C_DD1Du64;
    let mut open = vec![f];
    while let Some(f) = open.pop() {
        if f.len() == degree + 1 {
            found.push(field.monic(&f));
            continue;
        }
        check()?;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % field.p
        };
        let random: Dense = field.trim((0..f.len() - 1).map(|_| next()).collect());
        let candidate = match field.p {
            2 => trace(field, &random, degree, &f),
            _ => {
                let exponent = half_order(field.p, degree);
                let power = power_mod(field, &random, &exponent, &f, check)?;
                field.difference(&power, &[1])
            }
        };
        let part = gcd(field, &f, &candidate);
        if part.len() > 1 && part.len() < f.len() {
            open.push(field.divided(&f, &part).0);
            open.push(part);
        } else {
            open.push(f);
        }
    }
    Ok(())
}

/// `(p^d - 1) / 2` as little-endian words.
fn half_order(p: u64, degree: usize) -> Vec<u64> {
    let mut words = vec![1u64];
    for _ in 0..degree {
        let mut carry = 0u128;
        for w in &mut words {
            carry += u128::from(*w) * u128::from(p);
            *w = carry as u64;
            carry >>= 64;
        }
        if carry > 0 {
            words.push(carry as u64);
        }
    }
    // p^d is odd, so the subtraction borrows nothing and only the shift is left.
    for i in 0..words.len() {
        let above = words.get(i + 1).map_or(0, |w| w << 63);
        words[i] = words[i] >> 1 | above;
    }
    words
}

/// `r + r^2 + r^4 + ... + r^(2^(d-1))`, which is 0 or 1 modulo each factor in characteristic two.
fn trace(field: Field, r: &[u64], degree: usize, f: &[u64]) -> Dense {
    let mut power = field.remainder(r, f);
    let mut sum = power.clone();
    for _ in 1..degree {
        power = field.remainder(&field.product(&power, &power), f);
        sum = field.sum(&sum, &power);
    }
    sum
}
