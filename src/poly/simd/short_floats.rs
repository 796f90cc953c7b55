//! Polynomials modulo small primes as lists of floating-point numbers: sums of many products are exact before they are reduced.
//!
//! Residues are symmetric, of at most `p / 2 + 1` in magnitude once they are settled.

use super::floats::compiled;
use super::level::Level;

/// Primes are below here: for lists of so many entries sums of products stay below `2^52`.
pub(crate) const SHORT: u64 = 1 << 20;
/// Longest lists.
pub(crate) const LONGEST: usize = 10_000;

/// A small prime, and its inverse.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShortPrime {
    p: f64,
    inverse: f64,
}

/// Sums with it have no digits after the point.
const ROUND: f64 = 6_755_399_441_055_744.0;

impl ShortPrime {
    pub(crate) fn new(p: u64) -> Self {
        let p = p as f64;
        Self {
            p,
            inverse: 1.0 / p,
        }
    }

    /// The residue of least size of an integer below `2^52`.
    #[inline(always)]
    pub(crate) fn settled(self, x: f64) -> f64 {
        let q = x * self.inverse + ROUND - ROUND;
        x - q * self.p
    }

    /// Residues in `0..p` as floating-point numbers.
    pub(crate) fn floats(self, f: &[u64]) -> Vec<f64> {
        f.iter().map(|&c| self.settled(c as f64)).collect()
    }

    /// Back, without zeros at the end.
    pub(crate) fn words(self, f: &[f64]) -> Vec<u64> {
        let p = self.p as i64;
        let each = f.iter().map(|&c| (c as i64).rem_euclid(p) as u64);
        let mut words: Vec<u64> = each.collect();
        while words.last() == Some(&0) {
            words.pop();
        }
        words
    }
}

/// Without zeros at the end.
fn trim(x: &mut Vec<f64>) {
    while x.last() == Some(&0.0) {
        x.pop();
    }
}

/// `x + sum of c_i g_i` for four rows at once.
#[inline(always)]
fn add_four(x: &mut [f64], c: [f64; 4], g: [&[f64]; 4]) {
    let rows = g[0].iter().zip(g[1]).zip(g[2].iter().zip(g[3]));
    for (x, ((&a, &b), (&d, &e))) in x.iter_mut().zip(rows) {
        *x += (c[0] * a + c[1] * b) + (c[2] * d + c[3] * e);
    }
}

compiled! {
    /// The product of two polynomials, settled, into `out`.
    fn multiply(field: ShortPrime, f: &[f64], g: &[f64], out: &mut Vec<f64>) {
        let (f, g) = if f.len() < g.len() { (f, g) } else { (g, f) };
        out.clear();
        if f.is_empty() {
            return;
        }
        out.resize(f.len() + g.len() - 1, 0.0);
        let n = g.len();
        let mut fours = f.chunks_exact(4);
        let mut i = 0;
        for c in &mut fours {
            let c = [c[0], c[1], c[2], c[3]];
            // Entries that all four rows reach, and three at each end.
            if n > 3 {
                let middle = [&g[3..], &g[2..n - 1], &g[1..n - 2], &g[..n - 3]];
                add_four(&mut out[i + 3..i + n], c, middle);
                for j in 0..3 {
                    for k in 0..=j {
                        out[i + j] += c[k] * g[j - k];
                        out[i + n + 2 - j] += c[3 - k] * g[n - 1 - (j - k)];
                    }
                }
            } else {
                for (k, c) in c.into_iter().enumerate() {
                    for (x, &y) in out[i + k..].iter_mut().zip(g) {
                        *x += c * y;
                    }
                }
            }
            i += 4;
        }
        for &c in fours.remainder() {
            for (x, &y) in out[i..].iter_mut().zip(g) {
                *x += c * y;
            }
            i += 1;
        }
        for x in out.iter_mut() {
            *x = field.settled(*x);
        }
        trim(out);
    }

    /// Replaces `x` by its remainder by `g`, whose leading coefficient is one, settled.
    fn reduce(field: ShortPrime, x: &mut Vec<f64>, g: &[f64]) {
        let n = g.len().saturating_sub(1);
        if x.len() <= n || n == 0 {
            x.truncate(n);
            return;
        }
        let mut k = x.len() - n;
        while k > 1 {
            k -= 2;
            let q1 = field.settled(x[k + n + 1]);
            let q0 = field.settled(x[k + n] - q1 * g[n - 1]);
            x[k] -= q0 * g[0];
            let pairs = g[..n - 1].iter().zip(&g[1..n]);
            for (x, (&before, &g)) in x[k + 1..k + n].iter_mut().zip(pairs) {
                *x -= q1 * before + q0 * g;
            }
        }
        if k == 1 {
            let q = field.settled(x[n]);
            for (x, &g) in x[..n].iter_mut().zip(g) {
                *x -= q * g;
            }
        }
        x.truncate(n);
        for x in x.iter_mut() {
            *x = field.settled(*x);
        }
        trim(x);
    }

    /// The sum of the rows of a matrix, each with its factor, settled.
    fn combine(field: ShortPrime, factors: &[f64], rows: &[f32], sum: &mut Vec<f64>) {
        let n = sum.len();
        for x in sum.iter_mut() {
            *x = 0.0;
        }
        let mut at = 0;
        for c in factors.chunks(4) {
            let row = |k: usize| &rows[(at + k) * n..(at + k + 1) * n];
            if let &[c0, c1, c2, c3] = c {
                let pairs = row(0).iter().zip(row(1)).zip(row(2).iter().zip(row(3)));
                for (x, ((&a, &b), (&d, &e))) in sum.iter_mut().zip(pairs) {
                    let (a, b, d, e) = (f64::from(a), f64::from(b), f64::from(d), f64::from(e));
                    *x += (c0 * a + c1 * b) + (c2 * d + c3 * e);
                }
            } else {
                for (k, &c) in c.iter().enumerate() {
                    for (x, &a) in sum.iter_mut().zip(row(k)) {
                        *x += c * f64::from(a);
                    }
                }
            }
            at += c.len();
        }
        for x in sum.iter_mut() {
            *x = field.settled(*x);
        }
        trim(sum);
    }

    /// Replaces `x` by the remainder of some multiple of it by `g`, both settled with last entries that are not zero.
    fn eliminate_short(f: ShortPrime, x: &mut Vec<f64>, g: &[f64]) {
        let n = g.len().saturating_sub(1);
        let top = g.last().copied().unwrap_or(1.0);
        while x.len() > n {
            let a1 = x.pop().unwrap_or(0.0);
            if x.len() > n && n > 0 {
                let a0 = x.pop().unwrap_or(0.0);
                let k = x.len() + 1 - n;
                let square = f.settled(top * top);
                let c = f.settled(top * a0 - a1 * g[n - 1]);
                let u = f.settled(top * a1);
                let (low, high) = x.split_at_mut(k);
                for x in low.iter_mut() {
                    *x = f.settled(*x * square - 0.0);
                }
                low[k - 1] = f.settled(low[k - 1] - c * g[0]);
                let pairs = g[..n - 1].iter().zip(&g[1..n]);
                for (x, (&before, &g)) in high.iter_mut().zip(pairs) {
                    *x = f.settled(*x * square - (u * before + c * g));
                }
            } else {
                let k = x.len() - n;
                let (low, high) = x.split_at_mut(k);
                for x in low {
                    *x = f.settled(*x * top);
                }
                for (x, &g) in high.iter_mut().zip(g) {
                    *x = f.settled(*x * top - a1 * g);
                }
            }
            trim(x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ShortPrime, combine, eliminate_short, multiply, reduce};
    use crate::poly::polynomial::univariate::{Dense, Field};

    #[test]
    fn lists_give_what_words_give() {
        let mut seed = 5u64;
        for p in [2, 3, 11, 101, 65_537, 1_048_573] {
            let (field, words) = (ShortPrime::new(p), Field { p });
            for round in 0..400usize {
                let mut next = |limit: u64| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (seed >> 33) % limit
                };
                let limit = if round % 3 == 0 { 2 } else { p };
                let mut list = |degree: usize, top: u64| -> Dense {
                    let low = (0..degree).map(|_| next(limit));
                    low.chain([top]).collect()
                };
                let (f, g, h) = (
                    list(round % 23, 1),
                    list(round / 23, 1),
                    list(round % 7, p - 1),
                );
                let (x, y, z) = (field.floats(&f), field.floats(&g), field.floats(&h));
                let mut out = Vec::new();
                multiply(field, &x, &y, &mut out);
                assert_eq!(field.words(&out), words.product(&f, &g), "{p} {f:?} {g:?}");
                let mut rest = x.clone();
                reduce(field, &mut rest, &y);
                assert_eq!(field.words(&rest), words.remainder(&f, &g));
                let mut rest = x.clone();
                eliminate_short(field, &mut rest, &z);
                let wanted = words.monic(&words.remainder(&f, &h));
                assert_eq!(words.monic(&field.words(&rest)), wanted, "{p} {f:?} {h:?}");
                let rows: Vec<f32> = (0..x.len() * y.len())
                    .map(|i| (y[i % y.len()] * ((i / y.len()) % 2) as f64) as f32)
                    .collect();
                let mut sum = vec![0.0; y.len()];
                combine(field, &x, &rows, &mut sum);
                let odd = f.iter().skip(1).step_by(2);
                let factor = odd.fold(0, |s, &c| words.add(s, c));
                assert_eq!(field.words(&sum), words.scaled(&g, factor));
            }
        }
    }
}
