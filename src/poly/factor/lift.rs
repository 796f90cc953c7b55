//! Hensel's lifting of a factorisation modulo `p` to one modulo a high power of `p`.

use super::integral::{Dense2, symmetric};
use crate::Error;
use crate::poly::coefficients::rational::Integer;
use crate::poly::polynomial::univariate::{Dense, Field};
use crate::poly::product::budget::Budget;
use dashu_int::UBig;
use dashu_int::ops::BitTest;

const OP: &str = "Poly::factor";

/// Monic factors of `f` modulo `m >= bound`, a power of `p`, coefficients in `0..m`, from the monic factors modulo `p`.
pub(crate) fn lift(
    f: &[Integer],
    p: u64,
    parts: &[Dense],
    bound: &Integer,
    budget: &Budget<'_>,
) -> Result<(Integer, Vec<Dense2>), Error> {
    let base = Integer::from(p);
    let (mut m, mut exponent) = (base.clone(), 1usize);
    while m < *bound {
        m *= &base;
        exponent += 1;
    }
    // Each step at most doubles the exponent, and the last one ends where it should.
    let mut exponents = Vec::new();
    while exponent > 1 {
        exponents.push(exponent);
        exponent = exponent.div_ceil(2);
    }
    let moduli: Vec<Integer> = exponents.iter().rev().map(|&k| base.pow(k)).collect();
    let lead = f.last().cloned().unwrap_or(Integer::ONE);
    let inverse = inverse_mod(&lead, p, &m);
    let monic: Dense2 = f.iter().map(|c| least(&(c * &inverse), &m)).collect();
    let mut done = Vec::new();
    tree(&monic, Field { p }, parts, &moduli, budget, &mut done)?;
    Ok((m, done))
}

/// The remainder in `0..m`.
pub(crate) fn least(c: &Integer, m: &Integer) -> Integer {
    let r = c % m;
    if r < Integer::ZERO { r + m } else { r }
}

/// `1/a` modulo a power `m` of `p` by Newton's iteration.
fn inverse_mod(a: &Integer, p: u64, m: &Integer) -> Integer {
    let field = Field { p };
    let mut x = Integer::from(field.inv(super::reduced(a, p)));
    let mut q = Integer::from(p);
    while q < *m {
        q = &q * &q;
        let two = Integer::from(2);
        x = symmetric(&(&x * (two - symmetric(&(a * &x), &q))), &q);
    }
    x
}

/// Splits the factors into two halves, lifts the two products, and goes on with each half.
fn tree(
    f: &[Integer],
    field: Field,
    parts: &[Dense],
    moduli: &[Integer],
    budget: &Budget<'_>,
    done: &mut Vec<Dense2>,
) -> Result<(), Error> {
    if parts.len() == 1 {
        done.push(f.to_vec());
        return Ok(());
    }
    let (left, right) = parts.split_at(parts.len() / 2);
    let product = |parts: &[Dense]| parts.iter().fold(vec![1], |f, g| field.product(&f, g));
    let (g, h) = (product(left), product(right));
    let (s, t) = field.bezout(&g, &h);
    let (g, h) = pair(f, [g, h, s, t], moduli, budget)?;
    tree(&g, field, left, moduli, budget, done)?;
    tree(&h, field, right, moduli, budget, done)
}

/// `f = g h` modulo the last of `moduli` from `f = g h`, `s g + t h = 1` modulo `p`, all monic but `s`, `t`: each modulus divides
/// the square of the one before (von zur Gathen, Gerhard, algorithm 15.10).
fn pair(
    f: &[Integer],
    start: [Dense; 4],
    moduli: &[Integer],
    budget: &Budget<'_>,
) -> Result<(Dense2, Dense2), Error> {
    let [mut g, mut h, mut s, mut t] =
        start.map(|f| f.into_iter().map(Integer::from).collect::<Dense2>());
    for (step, m) in moduli.iter().enumerate() {
        budget.check_time(OP)?;
        let e = subtract(f, &multiply(&g, &h, m), m);
        let (q, r) = divide(&multiply(&s, &e, m), &h, m);
        budget.check_time(OP)?;
        let g2 = add(&g, &multiply(&t, &e, m), m);
        g = add(&g2, &multiply(&q, &g, m), m);
        h = add(&h, &r, m);
        if step + 1 == moduli.len() {
            break;
        }
        budget.check_time(OP)?;
        let one = vec![Integer::ONE];
        let b = add(&multiply(&s, &g, m), &multiply(&t, &h, m), m);
        let b = subtract(&b, &one, m);
        let (c, d) = divide(&multiply(&s, &b, m), &h, m);
        let t2 = subtract(&t, &multiply(&t, &b, m), m);
        t = subtract(&t2, &multiply(&c, &g, m), m);
        s = subtract(&s, &d, m);
    }
    Ok((g, h))
}

fn trim(mut f: Dense2) -> Dense2 {
    while f.last().is_some_and(|c| *c == Integer::ZERO) {
        f.pop();
    }
    f
}

fn zip(
    f: &[Integer],
    g: &[Integer],
    m: &Integer,
    op: impl Fn(Integer, Integer) -> Integer,
) -> Dense2 {
    let at = |f: &[Integer], i: usize| f.get(i).cloned().unwrap_or(Integer::ZERO);
    let n = f.len().max(g.len());
    trim((0..n).map(|i| least(&op(at(f, i), at(g, i)), m)).collect())
}

fn add(f: &[Integer], g: &[Integer], m: &Integer) -> Dense2 {
    zip(f, g, m, |x, y| x + y)
}

fn subtract(f: &[Integer], g: &[Integer], m: &Integer) -> Dense2 {
    zip(f, g, m, |x, y| x - y)
}

/// The product modulo `m` of polynomials with coefficients in `0..m`: longer ones as one product of integers (Kronecker).
pub(crate) fn multiply(f: &[Integer], g: &[Integer], m: &Integer) -> Dense2 {
    if f.is_empty() || g.is_empty() {
        return Vec::new();
    }
    let (length, short) = (f.len() + g.len() - 1, f.len().min(g.len()));
    if short < 5 {
        let mut h = vec![Integer::ZERO; length];
        for (i, x) in f.iter().enumerate() {
            for (j, y) in g.iter().enumerate() {
                h[i + j] += x * y;
            }
        }
        return trim(h.iter().map(|c| c % m).collect());
    }
    let bits = 2 * m.bit_len() + short.ilog2() as usize + 1;
    let width = bits.div_ceil(64);
    let pack = |f: &[Integer]| {
        let mut words = vec![0; f.len() * width];
        for (c, slot) in f.iter().zip(words.chunks_mut(width)) {
            let own = c.as_sign_words().1;
            slot[..own.len()].copy_from_slice(own);
        }
        UBig::from_words(&words)
    };
    let h = pack(f) * pack(g);
    let words = h.as_words();
    let slot = |k: usize| {
        let at = |k: usize| (k * width).min(words.len());
        Integer::from(UBig::from_words(&words[at(k)..at(k + 1)])) % m
    };
    trim((0..length).map(slot).collect())
}

/// Quotient and remainder by a monic divisor modulo `m`, coefficients in `0..m`.
pub(crate) fn divide(f: &[Integer], g: &[Integer], m: &Integer) -> (Dense2, Dense2) {
    if f.len() < g.len() {
        return (Vec::new(), f.to_vec());
    }
    let n = g.len() - 1;
    let mut rest = f.to_vec();
    let mut quotient = vec![Integer::ZERO; f.len() - n];
    for k in (0..quotient.len()).rev() {
        let q = least(&rest[k + n], m);
        if q != Integer::ZERO {
            for (j, y) in g[..n].iter().enumerate() {
                rest[k + j] -= &q * y;
            }
        }
        quotient[k] = q;
    }
    rest.truncate(n);
    let rest = rest.iter().map(|c| least(c, m)).collect();
    (trim(quotient), trim(rest))
}
