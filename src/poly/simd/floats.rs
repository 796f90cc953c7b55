//! Residues modulo primes below `2^50` as floating-point numbers: products are exact with a fused multiply-add.
//!
//! `h = fl(a b)` and `l = a b - h` are exact numbers, `q` is `h / p` up to rounding, and `(h - q p) + l` is an integer below `2^53`.
//! Residues are symmetric, of at most `p / 2 + 1` in magnitude once they are settled and up to `4 p / 3` between (van der Hoeven,
//! Lecerf, Quintin, "Modular SIMD arithmetic in Mathemagix", 2016).

use super::level::{Level, has_avx2};

/// Whether the processor multiplies and adds at once, so that these functions are fast.
pub(crate) fn fused() -> bool {
    has_avx2() || cfg!(target_arch = "aarch64")
}

/// A prime below `2^50`, and its inverse.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FloatPrime {
    pub(crate) p: f64,
    inverse: f64,
}

/// Sums with it have no digits after the point.
const ROUND: f64 = 6_755_399_441_055_744.0;

impl FloatPrime {
    pub(crate) fn new(p: u64) -> Self {
        let p = p as f64;
        Self {
            p,
            inverse: 1.0 / p,
        }
    }

    /// `a b`, of at most `5 p / 6` in magnitude, for factors whose product is at most `4 p^2 / 3`.
    #[inline(always)]
    pub(crate) fn mul(self, a: f64, b: f64) -> f64 {
        let h = a * b;
        let l = a.mul_add(b, -h);
        let q = h.mul_add(self.inverse, ROUND) - ROUND;
        (-q).mul_add(self.p, h) + l
    }

    /// The residue of least size.
    #[inline(always)]
    pub(crate) fn settled(self, x: f64) -> f64 {
        let q = x.mul_add(self.inverse, ROUND) - ROUND;
        (-q).mul_add(self.p, x)
    }

    /// The inverse of a residue that is not zero (Fermat).
    pub(crate) fn inv(self, x: f64) -> f64 {
        let (mut result, mut base, mut exponent) = (1.0, x, self.p as u64 - 2);
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = self.mul(result, base);
            }
            base = self.mul(base, base);
            exponent >>= 1;
        }
        self.settled(result)
    }

    /// `x <- s x + u g + w h`, entry by entry, settled.
    #[inline(always)]
    fn combine(self, x: &mut [f64], [s, u, w]: [f64; 3], g: &[f64], h: &[f64]) {
        for ((x, &g), &h) in x.iter_mut().zip(g).zip(h) {
            *x = self.settled(self.mul(*x, s) + self.mul(g, u) + self.mul(h, w));
        }
    }
}

/// Functions that are compiled for several sets of instructions and take the best there is; all give the same bits.
macro_rules! compiled {
    ($($(#[$doc:meta])* fn $name:ident($field:ident: $own:ty, $($arg:ident: $type:ty),*) $body:block)*) => { $(
        $(#[$doc])*
        pub(crate) fn $name($field: $own, $($arg: $type),*) {
            #[inline(always)]
            fn plain($field: $own, $($arg: $type),*) $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,fma")]
                fn avx512(field: $own, $($arg: $type),*) {
                    plain(field, $($arg),*);
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2(field: $own, $($arg: $type),*) {
                    plain(field, $($arg),*);
                }
                let level = Level::current();
                if level >= Level::Avx512 {
                    // SAFETY: the processor has these instructions.
                    return unsafe { avx512($field, $($arg),*) };
                }
                if level >= Level::Avx2 {
                    // SAFETY: the processor has these instructions.
                    return unsafe { avx2($field, $($arg),*) };
                }
            }
            plain($field, $($arg),*);
        }
    )* };
}

pub(crate) use compiled;

compiled! {
    /// `x <- s x + g`, entry by entry, not settled: `g` at most half of `p`.
    fn horner(f: FloatPrime, x: &mut [f64], s: f64, g: &[f64]) {
        for (x, &g) in x.iter_mut().zip(g) {
            *x = f.mul(*x, s) + g;
        }
    }

    /// `x <- s (g - x)`, entry by entry, settled.
    fn differ(f: FloatPrime, x: &mut [f64], s: f64, g: &[f64]) {
        for (x, &g) in x.iter_mut().zip(g) {
            *x = f.settled(f.mul(g - *x, s));
        }
    }

    /// The product of two polynomials modulo any number below `2^50`, settled, into `out`.
    fn multiply_long(f: FloatPrime, a: &[f64], b: &[f64], out: &mut Vec<f64>) {
        let (a, b) = if a.len() < b.len() { (a, b) } else { (b, a) };
        out.clear();
        if a.is_empty() {
            return;
        }
        out.resize(a.len() + b.len() - 1, 0.0);
        for (i, pair) in a.chunks(2).enumerate() {
            let out = &mut out[2 * i..];
            if let &[c, d] = pair {
                // c b_k + d b_(k-1) at place k.
                out[0] = f.settled(out[0] + f.mul(c, b[0]));
                let n = b.len();
                for (x, (&now, &before)) in out[1..n].iter_mut().zip(b[1..].iter().zip(b)) {
                    *x = f.settled(*x + f.mul(c, now) + f.mul(d, before));
                }
                out[n] = f.settled(out[n] + f.mul(d, b[n - 1]));
            } else {
                for (x, &y) in out.iter_mut().zip(b) {
                    *x = f.settled(*x + f.mul(pair[0], y));
                }
            }
        }
    }

    /// Replaces `x` by its remainder by `g`, whose leading coefficient is one, modulo any number below `2^50`.
    fn reduce_long(f: FloatPrime, x: &mut Vec<f64>, g: &[f64]) {
        let n = g.len().saturating_sub(1);
        let mut k = if n == 0 { 0 } else { x.len().saturating_sub(n) };
        while k > 1 {
            k -= 2;
            let q1 = x[k + n + 1];
            let q0 = f.settled(x[k + n] - f.mul(q1, g[n - 1]));
            x[k] = f.settled(x[k] - f.mul(q0, g[0]));
            let pairs = g[..n - 1].iter().zip(&g[1..n]);
            for (x, (&before, &g)) in x[k + 1..k + n].iter_mut().zip(pairs) {
                *x = f.settled(*x - f.mul(q1, before) - f.mul(q0, g));
            }
        }
        if k == 1 {
            let q = x[n];
            for (x, &g) in x[..n].iter_mut().zip(g) {
                *x = f.settled(*x - f.mul(q, g));
            }
        }
        x.truncate(n);
    }

    /// `x <- s x`, entry by entry, settled.
    fn scale(f: FloatPrime, x: &mut [f64], s: f64) {
        for x in x {
            *x = f.settled(f.mul(*x, s));
        }
    }

    /// Replaces `x` by the remainder of some multiple of it by `g`, both settled with last entries that are not zero; at most
    /// `steps` passes, so that the caller may look at the clock.
    fn eliminate(f: FloatPrime, x: &mut Vec<f64>, g: &[f64], steps: usize) {
        let n = g.len().saturating_sub(1);
        let top = g.last().copied().unwrap_or(1.0);
        for _ in 0..steps {
            if x.len() <= n {
                return;
            }
            if x.len() > n + 1 && n > 0 {
                let (a1, a0) = (x.pop().unwrap_or(0.0), x.pop().unwrap_or(0.0));
                let k = x.len() + 1 - n;
                // top^2 f - (top a1 t + c) t^(k-1) g with c = top a0 - a1 g_(n-1).
                let square = f.settled(f.mul(top, top));
                let c = f.settled(f.mul(top, a0) - f.mul(a1, g[n - 1]));
                let u = f.settled(-f.mul(top, a1));
                let (low, high) = x.split_at_mut(k - 1);
                for x in low {
                    *x = f.settled(f.mul(*x, square));
                }
                if let Some((first, high)) = high.split_first_mut() {
                    *first = f.settled(f.mul(*first, square) - f.mul(g[0], c));
                    f.combine(high, [square, u, -c], &g[..n - 1], &g[1..n]);
                }
            } else {
                let c = x.pop().unwrap_or(0.0);
                let k = x.len() - n;
                let (low, high) = x.split_at_mut(k);
                for x in low {
                    *x = f.settled(f.mul(*x, top));
                }
                f.combine(high, [top, -c, 0.0], g, g);
            }
            while x.last() == Some(&0.0) {
                x.pop();
            }
        }
    }

    /// Entries `to..from` of the quotient of `x` by a divisor `g` with leading coefficient one that leaves no remainder, after
    /// all later ones: entry `k` takes place `k + n` for degree `n`. An even number of them, or all and one less.
    fn divide(f: FloatPrime, x: &mut [f64], g: &[f64], to: usize, from: usize) {
        let n = g.len().saturating_sub(1);
        // What is below place n does not matter.
        let mut k = from;
        while n > 0 && k > to + 1 {
            k -= 2;
            let q1 = x[k + 1 + n];
            let q0 = f.settled(x[k + n] - f.mul(q1, g[n - 1]));
            x[k + n] = q0;
            if k >= n {
                x[k] = f.settled(x[k] - f.mul(q0, g[0]));
            }
            let start = n.max(k + 1).min(k + n);
            let pairs = g[start - k - 1..n - 1].iter().zip(&g[start - k..n]);
            for (x, (&before, &g)) in x[start..k + n].iter_mut().zip(pairs) {
                *x = f.settled(*x - f.mul(q1, before) - f.mul(q0, g));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FloatPrime, differ, divide, eliminate, horner, multiply_long, reduce_long, scale};
    use crate::poly::polynomial::univariate::Field;

    #[test]
    fn residues_are_exact() {
        let mut seed = 1u64;
        for below in [27, 35, 51, (1 << 50) - 3, (1 << 50) - 10_007] {
            let p = (1u64 << 50) - below;
            let field = FloatPrime::new(p);
            let mut next = || {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let r = (seed >> 14) % p;
                let edges = [0, 1, p / 2, p / 2 + 1, p - 1];
                edges.get((seed >> 5) as usize % 9).copied().unwrap_or(r)
            };
            let whole = |x: f64| (x as i64).rem_euclid(p as i64) as u64;
            for _ in 0..500 {
                let v: Vec<u64> = (0..60).map(|_| next()).collect();
                let f: Vec<f64> = v.iter().map(|&c| field.settled(c as f64)).collect();
                for (&c, &x) in v.iter().zip(&f) {
                    assert!(whole(x) == c && 2.0 * x.abs() <= field.p + 2.0);
                }
                let product =
                    |a: u64, b: u64| (u128::from(a) * u128::from(b) % u128::from(p)) as u64;
                let (mut z, mut t, mut d) = (f[..17].to_vec(), f[..17].to_vec(), f[..17].to_vec());
                horner(field, &mut z, f[57], &f[20..37]);
                scale(field, &mut t, f[57]);
                differ(field, &mut d, f[57], &f[20..37]);
                for i in 0..17 {
                    assert_eq!(whole(z[i]), (product(v[i], v[57]) + v[20 + i]) % p);
                    assert_eq!(whole(t[i]), product(v[i], v[57]));
                    assert_eq!(whole(d[i]), product((v[20 + i] + p - v[i]) % p, v[57]));
                }
                if v[0] != 0 {
                    assert_eq!(product(whole(field.inv(f[0])), v[0]), 1 % p);
                }
            }
        }
    }

    #[test]
    fn quotients_and_remainders_are_those_of_the_definition() {
        let mut seed = 5u64;
        for (p, limit) in [(13u64, 13), ((1 << 50) - 27, 1 << 50), ((1 << 50) - 27, 4)] {
            let (field, words) = (FloatPrime::new(p), Field { p });
            let whole = |x: &f64| (*x as i64).rem_euclid(p as i64) as u64;
            for round in 0..300usize {
                let mut next = || {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (seed >> 14) % limit.min(p)
                };
                let (la, lb) = (round % 23 + 1, round / 23 + 1);
                let f: Vec<u64> = (1..la).map(|_| next()).chain([1]).collect();
                let g: Vec<u64> = (1..lb).map(|_| next()).chain([1]).collect();
                let up = |f: &[u64]| -> Vec<f64> {
                    f.iter().map(|&c| field.settled(c as f64)).collect()
                };
                let mut long = Vec::new();
                multiply_long(field, &up(&f), &up(&g), &mut long);
                let found: Vec<u64> = long.iter().map(whole).collect();
                assert_eq!(found, words.product(&f, &g));
                let mut rest = up(&f);
                reduce_long(field, &mut rest, &up(&g));
                let found: Vec<u64> = rest.iter().map(whole).collect();
                assert_eq!(words.trim(found), words.remainder(&f, &g));
                let mut x = up(&words.product(&f, &g));
                let middle = la.saturating_sub(2 * (lb / 2)).min(la);
                divide(field, &mut x, &up(&g), middle, la);
                divide(field, &mut x, &up(&g), 0, middle);
                assert_eq!(x[lb - 1..].iter().map(whole).collect::<Vec<_>>(), f);
                let h: Vec<u64> = g.iter().map(|&c| words.mul(c, 3)).collect();
                let mut x = up(&f);
                eliminate(field, &mut x, &up(&h), usize::MAX);
                let found: Vec<u64> = x.iter().map(whole).collect();
                assert_eq!(words.monic(&found), words.monic(&words.remainder(&f, &h)));
            }
        }
    }
}
