//! Binomials `c x^n + d`: roots of the quotient, and cyclotomic polynomials.

use super::integral::Dense2;
use crate::poly::coefficients::rational::Integer;
use dashu_int::UBig;
use dashu_int::ops::{BitTest, UnsignedAbs};

/// Factors `g` and exponents `m` with `f` the product of all `g(x^m)`, where those with `m = 1` are irreducible; `None` when
/// `f` is no binomial, or none that this tells anything about.
///
/// With `d/c = +-(u/v)^k` and the greatest such `k` that divides `n`, the binomial is a product of cyclotomic polynomials in
/// `x^(n/k) v/u`; for `k = 1` it is irreducible unless it is `c (x^n + 4 t^4)` with four dividing `n` (Capelli).
pub(crate) fn factors(f: &[Integer]) -> Option<Vec<(Dense2, usize)>> {
    let n = f.len().checked_sub(1).filter(|&n| n > 0)?;
    if f[1..n].iter().any(|c| *c != Integer::ZERO) || f[0] == Integer::ZERO {
        return None;
    }
    let minus = (f[0] < Integer::ZERO) != (f[n] < Integer::ZERO);
    let (u, v) = (f[0].clone().unsigned_abs(), f[n].clone().unsigned_abs());
    let one = u.is_one() && v.is_one();
    let roots = |k: &usize| Some((root(&u, *k)?, root(&v, *k)?));
    let most = if one {
        n
    } else {
        u.bit_len().max(v.bit_len()).min(n)
    };
    let k = (1..=most)
        .rev()
        .filter(|k| n.is_multiple_of(*k))
        .find(|k| one || roots(k).is_some())?;
    let (u, v) = if one { (u, v) } else { roots(&k)? };
    if k == 1 {
        // -4 t^4 is the only way left to be reducible.
        let quartic = !minus && n.is_multiple_of(4) && is_quartic(&u, &v);
        return (!quartic).then(|| vec![(f.to_vec(), 1)]);
    }
    let (u, v) = (Integer::from(u), Integer::from(v));
    let wanted = |e: &usize| match minus {
        true => k.is_multiple_of(*e),
        false => (2 * k).is_multiple_of(*e) && !k.is_multiple_of(*e),
    };
    let homogeneous = |e: usize| {
        let phi = cyclotomic(e);
        let top = phi.len() - 1;
        let each = phi.iter().enumerate();
        let terms = each.map(|(i, &c)| Integer::from(c) * v.pow(i) * u.pow(top - i));
        (terms.collect::<Dense2>(), n / k)
    };
    Some((1..=2 * k).filter(wanted).map(homogeneous).collect())
}

/// Whether `u/v` is four times a fourth power.
fn is_quartic(u: &UBig, v: &UBig) -> bool {
    let four = UBig::from(4u8);
    // u = 4 a^4, v = b^4; or u = a^4, v = 4 b^4, since a quarter is 4 times (1/2)^4.
    let whole =
        (u % &four == UBig::ZERO) && root(&(u / &four), 4).is_some() && root(v, 4).is_some();
    let part = (v % &four == UBig::ZERO) && root(u, 4).is_some() && root(&(v / &four), 4).is_some();
    whole || part
}

/// The root of a perfect power.
fn root(n: &UBig, k: usize) -> Option<UBig> {
    let root = n.nth_root(k);
    (root.pow(k) == *n).then_some(root)
}

/// The coefficients of the cyclotomic polynomial number `n`, constant first: the product of `(1 - x^d)^mu(n/d)` over the
/// divisors `d` of `n`, as power series up to its degree; for `n = 1` the sign changes.
pub(crate) fn cyclotomic(n: usize) -> Vec<i64> {
    if n == 1 {
        return vec![-1, 1];
    }
    let mut primes = Vec::new();
    let (mut rest, mut phi) = (n, n);
    for q in 2.. {
        if q * q > rest {
            break;
        }
        if rest.is_multiple_of(q) {
            primes.push(q);
            while rest.is_multiple_of(q) {
                rest /= q;
            }
        }
    }
    if rest > 1 {
        primes.push(rest);
    }
    for q in &primes {
        phi = phi / q * (q - 1);
    }
    let mut f = vec![0i64; phi + 1];
    f[0] = 1;
    for set in 0..1u32 << primes.len() {
        let chosen = primes.iter().enumerate().filter(|(i, _)| set >> i & 1 == 1);
        let d = n / chosen.map(|(_, q)| q).product::<usize>();
        if set.count_ones().is_multiple_of(2) {
            for i in (d..=phi).rev() {
                f[i] -= f[i - d];
            }
        } else {
            for i in d..=phi {
                f[i] += f[i - d];
            }
        }
    }
    f
}
