//! Transforms: a polynomial modulo `x^n - 1` to its values at the roots of unity and back.
//!
//! The ring splits as a binary tree: node `b` of a level stands for `x^2L - W_b^2 = (x^L - W_b)(x^L + W_b)`, and its halves
//! are nodes `2b` and `2b + 1` of the next level. Values come in the order of the leaves, which pointwise products do not mind.
//! Two levels are passed at once; blocks that leave the cache are split first and finished one by one. Residues stay below
//! `4 p` on the way down and below `2 p` on the way up (Harvey 2014).
//!
//! Lengths `3 2^k` take `(x^2h - 1)(x^h - i)`, which is node 0 and node 2 of the same tree.

use super::primes::{Factor, Prime, lazy, once};
use crate::Error;
use crate::poly::parallel::join;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Points that stay in cache together.
const CACHED: usize = 1 << 14;
/// Points from which halves are worth a thread of their own.
const SHARED: usize = 1 << 14;
/// Points between two looks at the clock.
const PATIENCE: usize = 1 << 17;

/// Whether to give up, asked now and then; a yes is remembered.
pub(crate) struct Patience<'a> {
    check: &'a (dyn Fn() -> Result<(), Error> + Sync),
    over: AtomicBool,
}

impl<'a> Patience<'a> {
    pub(crate) fn new(check: &'a (dyn Fn() -> Result<(), Error> + Sync)) -> Self {
        let over = AtomicBool::new(false);
        Self { check, over }
    }

    pub(crate) fn is_over(&self) -> bool {
        let over = self.over.load(Relaxed) || (self.check)().is_err();
        if over {
            self.over.store(true, Relaxed);
        }
        over
    }

    /// Whether all transforms so far are whole.
    pub(crate) fn kept(&self, op: &'static str) -> Result<(), Error> {
        match self.is_over() {
            true => Err(Error::Stopped { op }),
            false => Ok(()),
        }
    }
}

/// A prime with the roots for one length.
pub(crate) struct Transform<'a> {
    pub(crate) prime: &'a Prime,
    pub(crate) table: &'a [Factor],
    /// When it is over, what is left behind is no transform.
    pub(crate) patience: &'a Patience<'a>,
}

/// The least length `2^k` or `3 2^k` that is no less than `n`.
pub(crate) fn length(n: usize) -> usize {
    let whole = n.next_power_of_two();
    match whole / 4 * 3 {
        less if less >= n && whole >= 16 => less,
        _ => whole,
    }
}

/// The points of node 0: all for a power of two, two thirds otherwise.
pub(crate) fn main_part(n: usize) -> usize {
    if n.is_power_of_two() { n } else { n / 3 * 2 }
}

/// Roots that transforms of `n` points look up.
pub(crate) fn roots_for(n: usize) -> usize {
    n.next_power_of_two()
}

impl Transform<'_> {
    /// Residues below `p` to values below `4 p`.
    pub(crate) fn forward(&self, x: &mut [u64]) {
        let p = self.prime.p;
        let main = main_part(x.len());
        let (low, high) = x.split_at_mut(main);
        if !high.is_empty() {
            let half = high.len();
            let (a, b) = low.split_at_mut(half);
            let i = self.table[1];
            for ((a, b), c) in a.iter_mut().zip(&*b).zip(high.iter_mut()) {
                // c0 + c2 and c0 - c2 + i c1.
                let turned = once(lazy(*b, i, p), p);
                let (sum, rest) = (*a + *c, *a + p - *c);
                *a = sum;
                *c = rest + turned;
            }
            join(
                low.len() >= SHARED,
                || self.down(low, 0),
                || {
                    self.down(high, 2);
                },
            );
            return;
        }
        self.down(low, 0);
    }

    /// Values below `2 p` to residues below `p`, times `2^64`.
    pub(crate) fn backward(&self, x: &mut [u64]) {
        let p = self.prime.p;
        let main = main_part(x.len());
        let (low, high) = x.split_at_mut(main);
        let scale = |n: usize| {
            let wide = ((1u128 << 64) % u128::from(p)) as u64;
            let inverse = self.prime.inv(n as u64);
            self.prime.factor(self.prime.mul(wide, inverse))
        };
        let by = scale(low.len());
        if high.is_empty() {
            self.up(low, 0);
            for v in low {
                *v = once(lazy(*v, by, p), p);
            }
            return;
        }
        join(low.len() >= SHARED, || self.up(low, 0), || self.up(high, 2));
        let other = scale(high.len());
        let (i, half) = (self.table[1], self.prime.factor(p.div_ceil(2)));
        let (a, b) = low.split_at_mut(high.len());
        for ((a, b), c) in a.iter_mut().zip(b).zip(high) {
            *a = once(lazy(*a, by, p), p);
            *b = once(lazy(*b, by, p), p);
            *c = once(lazy(*c, other, p), p);
            // The product is (a - q, b, q) with q = (a + i b - c) / 2.
            let turned = once(lazy(*b, i, p), p);
            let q = once(lazy(*a + turned + p - *c, half, p), p);
            *a = once(*a + p - q, p);
            *c = q;
        }
    }

    /// From the root of node `b` down to the leaves.
    fn down(&self, x: &mut [u64], b: usize) {
        if x.len() <= CACHED {
            return self.down_cached(x, b);
        }
        if x.len() >= PATIENCE && self.patience.is_over() {
            return;
        }
        let quarter = x.len() / 4;
        self.split(x, b);
        let (left, right) = x.split_at_mut(2 * quarter);
        let both = |x: &mut [u64], b: usize| {
            let (one, two) = x.split_at_mut(quarter);
            join(
                quarter >= SHARED,
                || self.down(one, b),
                || self.down(two, b + 1),
            );
        };
        join(
            quarter >= SHARED,
            || both(left, 4 * b),
            || both(right, 4 * b + 2),
        );
    }

    fn down_cached(&self, x: &mut [u64], b: usize) {
        let (mut length, mut first) = (x.len(), b);
        if length.trailing_zeros() % 2 == 1 {
            self.halve(x, b);
            length /= 2;
            first *= 2;
        }
        while length > 1 {
            for (k, block) in x.chunks_exact_mut(length).enumerate() {
                self.split(block, first + k);
            }
            length /= 4;
            first *= 4;
        }
    }

    /// One level down.
    fn halve(&self, x: &mut [u64], b: usize) {
        let (p, w) = (self.prime.p, self.table[b]);
        let middle = x.len() / 2;
        let (u, v) = x.split_at_mut(middle);
        for (u, v) in u.iter_mut().zip(v) {
            let (a, t) = (once(*u, 2 * p), lazy(*v, w, p));
            *u = a + t;
            *v = a + 2 * p - t;
        }
    }

    /// Two levels down.
    #[inline(always)]
    fn split(&self, x: &mut [u64], b: usize) {
        let p = self.prime.p;
        let (w, even, odd) = (self.table[b], self.table[2 * b], self.table[2 * b + 1]);
        let quarter = x.len() / 4;
        let (x0, rest) = x.split_at_mut(quarter);
        let (x1, rest) = rest.split_at_mut(quarter);
        let (x2, x3) = rest.split_at_mut(quarter);
        for (((x0, x1), x2), x3) in x0.iter_mut().zip(x1).zip(x2).zip(x3) {
            let (t2, t3) = (lazy(*x2, w, p), lazy(*x3, w, p));
            let (a0, a1) = (once(*x0, 2 * p), once(*x1, 2 * p));
            let (b0, b2) = (once(a0 + t2, 2 * p), once(a0 + 2 * p - t2, 2 * p));
            let (b1, b3) = (lazy(a1 + t3, even, p), lazy(a1 + 2 * p - t3, odd, p));
            *x0 = b0 + b1;
            *x1 = b0 + 2 * p - b1;
            *x2 = b2 + b3;
            *x3 = b2 + 2 * p - b3;
        }
    }

    /// From the leaves up to the root of node `b`.
    fn up(&self, x: &mut [u64], b: usize) {
        if x.len() <= CACHED {
            return self.up_cached(x, b);
        }
        if x.len() >= PATIENCE && self.patience.is_over() {
            return;
        }
        let quarter = x.len() / 4;
        let (left, right) = x.split_at_mut(2 * quarter);
        let both = |x: &mut [u64], b: usize| {
            let (one, two) = x.split_at_mut(quarter);
            join(
                quarter >= SHARED,
                || self.up(one, b),
                || self.up(two, b + 1),
            );
        };
        join(
            quarter >= SHARED,
            || both(left, 4 * b),
            || both(right, 4 * b + 2),
        );
        self.merge(x, b);
    }

    fn up_cached(&self, x: &mut [u64], b: usize) {
        let odd = x.len().trailing_zeros() % 2 == 1;
        let top = if odd { x.len() / 2 } else { x.len() };
        let mut length = 4;
        while length <= top {
            let first = b * (x.len() / length);
            for (k, block) in x.chunks_exact_mut(length).enumerate() {
                self.merge(block, first + k);
            }
            length *= 4;
        }
        if odd {
            let (p, w) = (self.prime.p, self.inverse(b));
            let middle = x.len() / 2;
            let (u, v) = x.split_at_mut(middle);
            for (u, v) in u.iter_mut().zip(v) {
                let (a, c) = (*u, *v);
                *u = once(a + c, 2 * p);
                *v = lazy(c + 2 * p - a, w, p);
            }
        }
    }

    /// `-1 / W_b`: the roots of one level in the other order.
    #[inline(always)]
    fn inverse(&self, b: usize) -> Factor {
        if b == 0 {
            let p = self.prime.p;
            return self.prime.factor(p - 1);
        }
        let level = 1 << b.ilog2();
        self.table[3 * level - 1 - b]
    }

    /// Two levels up.
    #[inline(always)]
    fn merge(&self, x: &mut [u64], b: usize) {
        let p = self.prime.p;
        let (w, even, odd) = (
            self.inverse(b),
            self.inverse(2 * b),
            self.inverse(2 * b + 1),
        );
        let quarter = x.len() / 4;
        let (x0, rest) = x.split_at_mut(quarter);
        let (x1, rest) = rest.split_at_mut(quarter);
        let (x2, x3) = rest.split_at_mut(quarter);
        for (((x0, x1), x2), x3) in x0.iter_mut().zip(x1).zip(x2).zip(x3) {
            let a0 = once(*x0 + *x1, 2 * p);
            let a1 = lazy(*x1 + 2 * p - *x0, even, p);
            let a2 = once(*x2 + *x3, 2 * p);
            let a3 = lazy(*x3 + 2 * p - *x2, odd, p);
            *x0 = once(a0 + a2, 2 * p);
            *x1 = once(a1 + a3, 2 * p);
            *x2 = lazy(a2 + 2 * p - a0, w, p);
            *x3 = lazy(a3 + 2 * p - a1, w, p);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::primes::primes;
    use super::{Patience, Transform, length, roots_for};

    /// Products modulo `x^n - 1`, or whatever the length stands for, are those of the definition.
    #[test]
    fn transforms_give_products() {
        let all = primes(1);
        let prime = &all[0];
        let mut seed = 1u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            seed % prime.p
        };
        for n in [1, 2, 3, 5, 8, 12, 16, 24, 32, 48, 96, 128] {
            let size = length(n);
            assert!(size >= n && size < 2 * n.max(1));
            let table = prime.table(roots_for(size));
            let check = || Ok(());
            let patience = Patience::new(&check);
            let transform = Transform {
                prime,
                table: &table,
                patience: &patience,
            };
            let (la, lb) = (n.div_ceil(2), n + 1 - n.div_ceil(2));
            let a: Vec<u64> = (0..la).map(|_| next()).collect();
            let b: Vec<u64> = (0..lb).map(|_| next()).collect();
            let mut wanted = vec![0; size];
            for (i, &x) in a.iter().enumerate() {
                for (j, &y) in b.iter().enumerate() {
                    wanted[i + j] = (wanted[i + j] + prime.mul(x, y)) % prime.p;
                }
            }
            let (mut x, mut y) = (a.clone(), b.clone());
            x.resize(size, 0);
            y.resize(size, 0);
            transform.forward(&mut x);
            transform.forward(&mut y);
            for (x, &y) in x.iter_mut().zip(&y) {
                *x = prime.montgomery(prime.word(*x), prime.word(y));
            }
            transform.backward(&mut x);
            assert_eq!(x, wanted, "{n}");
        }
    }
}
