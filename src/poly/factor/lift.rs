//! Hensel's lifting of a factorisation modulo `p` to one modulo a high power of `p`.

use super::integral::{Dense2, symmetric};
use crate::Error;
use crate::poly::coefficients::rational::Integer;
use crate::poly::polynomial::univariate::{Dense, Field};
use crate::poly::product::budget::Budget;
use crate::poly::simd::floats::{FloatPrime, fused, multiply_long, reduce_long};
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
    let plan = Plan::new(p, exponent);
    if let Some(q) = plan.short.last() {
        m = Integer::from(*q).pow(plan.digits);
    }
    let lead = f.last().cloned().unwrap_or(Integer::ONE);
    let inverse = inverse_mod(&lead, p, &m);
    let monic: Dense2 = f.iter().map(|c| least(&(c * &inverse), &m)).collect();
    let mut done = Vec::new();
    tree(&monic, &plan, parts, budget, &mut done)?;
    Ok((m, done))
}

/// The moduli on the way, powers of `p`.
struct Plan {
    field: Field,
    /// Each divides the square of the one before; the last one is beyond the bound. Empty when there are short ones.
    moduli: Vec<Integer>,
    /// The same below `2^50`.
    short: Vec<u64>,
    /// How many digits in the radix of the last short one are beyond the bound.
    digits: usize,
}

/// So many digits are lifted one by one; more precision is doubled.
const DIGITS: usize = 16;

impl Plan {
    /// For `p^exponent`, or a little more.
    fn new(p: u64, exponent: usize) -> Self {
        let field = Field { p };
        let most = (1..).take_while(|&k| p.checked_pow(k).is_some_and(|q| q < 1 << 50));
        let most = most.count().max(1);
        let digits = exponent.div_ceil(most);
        let fits = digits <= DIGITS && fused() && p < 1 << 25;
        // Each step at most doubles the exponent, and the last one ends where it should.
        let mut open = if fits {
            exponent.div_ceil(digits)
        } else {
            exponent
        };
        let mut exponents = Vec::new();
        while open > 1 || exponents.is_empty() {
            exponents.push(open);
            open = open.div_ceil(2);
        }
        exponents.reverse();
        let mut plan = Self {
            field,
            moduli: Vec::new(),
            short: Vec::new(),
            digits,
        };
        if fits {
            plan.short = exponents.iter().map(|&k| p.pow(k as u32)).collect();
        } else {
            let base = Integer::from(p);
            plan.moduli = exponents.iter().map(|&k| base.pow(k)).collect();
        }
        plan
    }
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
    plan: &Plan,
    parts: &[Dense],
    budget: &Budget<'_>,
    done: &mut Vec<Dense2>,
) -> Result<(), Error> {
    if parts.len() == 1 {
        done.push(f.to_vec());
        return Ok(());
    }
    let field = plan.field;
    let (left, right) = parts.split_at(parts.len() / 2);
    let product = |parts: &[Dense]| parts.iter().fold(vec![1], |f, g| field.product(&f, g));
    let (g, h) = (product(left), product(right));
    let (s, t) = field.bezout(&g, &h);
    let (g, h) = match plan.short.is_empty() {
        true => pair(f, [g, h, s, t], &plan.moduli, budget)?,
        false => by_digits(f, [g, h, s, t], plan, budget)?,
    };
    tree(&g, plan, left, budget, done)?;
    tree(&h, plan, right, budget, done)
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

/// `f = g h` modulo a power `q` of `p` below `2^50` by doubling, then digit after digit in this radix.
///
/// With `f = g h + q^i e` the corrections of the next digit are the remainders of `s e` by `h` and of `t e` by `g` modulo `q`.
fn by_digits(
    f: &[Integer],
    start: [Dense; 4],
    plan: &Plan,
    budget: &Budget<'_>,
) -> Result<(Dense2, Dense2), Error> {
    let q = plan.short.last().copied().unwrap_or(plan.field.p);
    let [g, h, s, t] = doubled(f, start, plan, budget)?;
    let whole = |f: &[f64]| -> Dense2 {
        let each = f.iter().map(|&c| (c as i64).rem_euclid(q as i64));
        each.map(Integer::from).collect()
    };
    let (mut a, mut b) = (whole(&g), whole(&h));
    if plan.digits == 1 {
        return Ok((a, b));
    }
    let modulus = Integer::from(q);
    let field = FloatPrime::new(q);
    let mut rest = f.to_vec();
    let mut power = Integer::ONE;
    let (mut u, mut w) = (a.clone(), b.clone());
    for i in 1..plan.digits {
        budget.check_time(OP)?;
        let bits = modulus.bit_len() + (&power * &modulus).bit_len();
        // What the last digits added to the product: at first that of the first digits.
        let added = match i {
            1 => sum_of_products(&[(u.as_slice(), w.as_slice())], bits),
            _ => {
                let added = sum_of_products(&[(&u, b.as_slice()), (&w, a.as_slice())], bits);
                add_digits(&mut a, &u, &power);
                added
            }
        };
        for (k, x) in rest.iter_mut().enumerate() {
            let less = added.get(k).map_or_else(|| x.clone(), |c| &*x - c);
            *x = less / &modulus;
        }
        power *= &modulus;
        let e = rest.iter().map(|c| super::reduced(c, q) as f64);
        let e: Vec<f64> = e.map(|c| field.settled(c)).collect();
        u = whole(&corrected(field, &t, &e, &g));
        w = whole(&corrected(field, &s, &e, &h));
        add_digits(&mut b, &w, &power);
    }
    add_digits(&mut a, &u, &power);
    Ok((a, b))
}

fn add_digits(a: &mut [Integer], digits: &[Integer], power: &Integer) {
    for (x, d) in a.iter_mut().zip(digits) {
        *x += d * power;
    }
}

/// The remainder of `s e` by a monic `h`.
fn corrected(field: FloatPrime, s: &[f64], e: &[f64], h: &[f64]) -> Vec<f64> {
    let mut product = Vec::new();
    let mut e = e.to_vec();
    reduce_long(field, &mut e, h);
    multiply_long(field, s, &e, &mut product);
    reduce_long(field, &mut product, h);
    product
}

/// [`pair`] modulo numbers below `2^50`, with the cofactors.
fn doubled(
    f: &[Integer],
    start: [Dense; 4],
    plan: &Plan,
    budget: &Budget<'_>,
) -> Result<[Vec<f64>; 4], Error> {
    let q = plan.short.last().copied().unwrap_or(plan.field.p);
    let f: Vec<f64> = f.iter().map(|c| super::reduced(c, q) as f64).collect();
    let [mut g, mut h, mut s, mut t] =
        start.map(|f| f.iter().map(|&c| c as f64).collect::<Vec<f64>>());
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for (step, &m) in plan.short.iter().enumerate() {
        budget.check_time(OP)?;
        let field = FloatPrime::new(m);
        let add = |x: &mut [f64], y: &[f64], sign: f64| {
            for (x, y) in x.iter_mut().zip(y) {
                *x = field.settled(*x + sign * y);
            }
        };
        multiply_long(field, &g, &h, &mut x);
        let mut e: Vec<f64> = f.iter().map(|&c| field.settled(c)).collect();
        add(&mut e, &x, -1.0);
        let (u, w) = (corrected(field, &t, &e, &g), corrected(field, &s, &e, &h));
        add(&mut g, &u, 1.0);
        add(&mut h, &w, 1.0);
        // Where digits follow, the cofactors are needed as well.
        if step + 1 == plan.short.len() && plan.digits == 1 {
            break;
        }
        multiply_long(field, &s, &g, &mut x);
        multiply_long(field, &t, &h, &mut y);
        if x.len() < y.len() {
            std::mem::swap(&mut x, &mut y);
        }
        add(&mut x, &y, 1.0);
        if let Some(one) = x.first_mut() {
            *one = field.settled(*one - 1.0);
        }
        let (u, w) = (corrected(field, &t, &x, &g), corrected(field, &s, &x, &h));
        for (to, from) in [(&mut t, u), (&mut s, w)] {
            to.resize(to.len().max(from.len()), 0.0);
            add(to, &from, -1.0);
        }
    }
    Ok([g, h, s, t])
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
    let length = f.len() + g.len() - 1;
    if f.len().min(g.len()) < 5 {
        let mut h = vec![Integer::ZERO; length];
        for (i, x) in f.iter().enumerate() {
            for (j, y) in g.iter().enumerate() {
                h[i + j] += x * y;
            }
        }
        return trim(h.iter().map(|c| c % m).collect());
    }
    let bits = 2 * m.bit_len();
    let h = sum_of_products(&[(f, g)], bits);
    trim(h.iter().map(|c| c % m).collect())
}

/// The sum of products of polynomials with coefficients that are not negative and have products of so many bits, as products of
/// integers (Kronecker).
fn sum_of_products(pairs: &[(&[Integer], &[Integer])], bits: usize) -> Dense2 {
    let length = pairs
        .iter()
        .map(|(f, g)| (f.len() + g.len()).saturating_sub(1));
    let length = length.max().unwrap_or(0);
    let width = (bits + length.max(1).ilog2() as usize + 2).div_ceil(64);
    let pack = |f: &[Integer]| {
        let mut words = vec![0; f.len() * width];
        for (c, slot) in f.iter().zip(words.chunks_mut(width)) {
            let own = c.as_sign_words().1;
            slot[..own.len()].copy_from_slice(own);
        }
        UBig::from_words(&words)
    };
    let products = pairs.iter().map(|(f, g)| pack(f) * pack(g));
    let h = products.reduce(|x, y| x + y).unwrap_or(UBig::ZERO);
    let words = h.as_words();
    let slot = |k: usize| {
        let at = |k: usize| (k * width).min(words.len());
        Integer::from(UBig::from_words(&words[at(k)..at(k + 1)]))
    };
    (0..length).map(slot).collect()
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

#[cfg(test)]
mod tests {
    use super::{Plan, by_digits, least, multiply, pair};
    use crate::poly::coefficients::rational::Integer;
    use crate::poly::polynomial::univariate::Field;
    use crate::poly::product::budget::Budget;

    /// Digits give the factors that doubling gives, which multiply to the polynomial.
    #[test]
    fn digits_and_doubling_agree() {
        let mut seed = 3u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            seed >> 20
        };
        for (round, p) in [3, 11, 13, 101, 65_537, 1_048_573]
            .into_iter()
            .cycle()
            .take(90)
            .enumerate()
        {
            let field = Field { p };
            let mut list =
                |n: usize| -> Vec<u64> { (0..n).map(|_| next() % p).chain([1]).collect() };
            let (g, h) = (list(1 + round % 7), list(1 + round / 7));
            if field.gcd(&g, &h).len() > 1 {
                continue;
            }
            let exponent = 1 + round % 41;
            let plan = Plan::new(p, exponent);
            let Some(&q) = plan.short.last() else {
                continue;
            };
            let m = Integer::from(q).pow(plan.digits);
            let f = field.product(&g, &h);
            // Any polynomial with this image.
            let top = f.len() - 1;
            let random = |c: &u64| {
                least(
                    &(Integer::from(*c) + Integer::from(p) * Integer::from(next()).pow(9)),
                    &m,
                )
            };
            let mut f: Vec<Integer> = f.iter().map(random).collect();
            f[top] = Integer::ONE;
            let (s, t) = field.bezout(&g, &h);
            let start = [g, h, s, t];
            let budget = Budget::default();
            let found = by_digits(&f, start.clone(), &plan, &budget);
            let Ok((a, b)) = &found else {
                unreachable!("no limit");
            };
            assert_eq!(multiply(a, b, &m), f, "{p} {exponent}");
            let mut moduli = vec![Integer::from(p)];
            while moduli.last().is_some_and(|q| *q < m) {
                moduli.extend(moduli.last().map(|q| q * q));
            }
            let mut wanted = pair(&f, start, &moduli, &budget).unwrap_or_default();
            for list in [&mut wanted.0, &mut wanted.1] {
                list.iter_mut().for_each(|c| *c = least(c, &m));
            }
            assert_eq!(found, Ok(wanted));
        }
    }
}
