//! Hensel's lifting of a factorisation modulo `p` to one modulo a high power of `p`.

use super::integral::{Dense2, symmetric};
use crate::Error;
use crate::poly::coefficients::rational::Integer;
use crate::poly::polynomial::univariate::{Dense, Field};
use crate::poly::product::budget::Budget;

const OP: &str = "Poly::factor";

/// Monic factors of `f` modulo `m > bound`, a power of `p`, from the monic factors modulo `p`.
pub(crate) fn lift(
    f: &[Integer],
    p: u64,
    parts: &[Dense],
    bound: &Integer,
    budget: &Budget<'_>,
) -> Result<(Integer, Vec<Dense2>), Error> {
    let mut m = Integer::from(p);
    let mut steps = 0;
    while m <= *bound {
        m = &m * &m;
        steps += 1;
    }
    let lead = f.last().cloned().unwrap_or(Integer::ONE);
    let inverse = inverse_mod(&lead, p, &m);
    let monic: Dense2 = f.iter().map(|c| symmetric(&(c * &inverse), &m)).collect();
    let mut done = Vec::new();
    tree(&monic, Field { p }, parts, steps, budget, &mut done)?;
    Ok((m, done))
}

/// `1/a` modulo `m = p^(2^k)` by Newton's iteration.
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
    steps: u32,
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
    let (g, h) = pair(f, field.p, [g, h, s, t], steps, budget)?;
    tree(&g, field, left, steps, budget, done)?;
    tree(&h, field, right, steps, budget, done)
}

/// `f = g h` modulo `p^(2^steps)` from `f = g h`, `s g + t h = 1` modulo `p`, all monic but `s`, `t`:
/// each step doubles the exponent (von zur Gathen, Gerhard, algorithm 15.10).
fn pair(
    f: &[Integer],
    p: u64,
    start: [Dense; 4],
    steps: u32,
    budget: &Budget<'_>,
) -> Result<(Dense2, Dense2), Error> {
    let [mut g, mut h, mut s, mut t] =
        start.map(|f| f.into_iter().map(Integer::from).collect::<Dense2>());
    let mut m = Integer::from(p);
    for _ in 0..steps {
        budget.check_time(OP)?;
        m = &m * &m;
        let e = subtract(f, &multiply(&g, &h, &m), &m);
        let (q, r) = divide(&multiply(&s, &e, &m), &h, &m);
        let g2 = add(
            &add(&g, &multiply(&t, &e, &m), &m),
            &multiply(&q, &g, &m),
            &m,
        );
        let h2 = add(&h, &r, &m);
        let one = vec![Integer::ONE];
        let b = subtract(
            &add(&multiply(&s, &g2, &m), &multiply(&t, &h2, &m), &m),
            &one,
            &m,
        );
        let (c, d) = divide(&multiply(&s, &b, &m), &h2, &m);
        let t2 = subtract(&t, &multiply(&t, &b, &m), &m);
        t = subtract(&t2, &multiply(&c, &g2, &m), &m);
        s = subtract(&s, &d, &m);
        (g, h) = (g2, h2);
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
    trim(
        (0..n)
            .map(|i| symmetric(&op(at(f, i), at(g, i)), m))
            .collect(),
    )
}

fn add(f: &[Integer], g: &[Integer], m: &Integer) -> Dense2 {
    zip(f, g, m, |x, y| x + y)
}

fn subtract(f: &[Integer], g: &[Integer], m: &Integer) -> Dense2 {
    zip(f, g, m, |x, y| x - y)
}

fn multiply(f: &[Integer], g: &[Integer], m: &Integer) -> Dense2 {
    if f.is_empty() || g.is_empty() {
        return Vec::new();
    }
    let mut h = vec![Integer::ZERO; f.len() + g.len() - 1];
    for (i, x) in f.iter().enumerate() {
        for (j, y) in g.iter().enumerate() {
            h[i + j] += x * y;
        }
    }
    trim(h.iter().map(|c| symmetric(c, m)).collect())
}

/// Quotient and remainder by a monic divisor.
fn divide(f: &[Integer], g: &[Integer], m: &Integer) -> (Dense2, Dense2) {
    if f.len() < g.len() {
        return (Vec::new(), f.to_vec());
    }
    let mut rest = f.to_vec();
    let mut quotient = vec![Integer::ZERO; f.len() - g.len() + 1];
    for k in (0..quotient.len()).rev() {
        let q = symmetric(&rest[k + g.len() - 1], m);
        for (j, y) in g.iter().enumerate() {
            rest[k + j] -= &q * y;
        }
        quotient[k] = q;
    }
    rest.truncate(g.len() - 1);
    let rest = rest.iter().map(|c| symmetric(c, m)).collect();
    (trim(quotient), trim(rest))
}
