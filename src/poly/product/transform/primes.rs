//! Word primes with roots of unity of large 2-power order, and arithmetic modulo one of them.

use crate::poly::polynomial::univariate::is_prime;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// `2^TWOS` divides `p - 1`: transforms of up to so many points.
pub(crate) const TWOS: u32 = 32;

/// A factor and its quotient `w 2^64 / p`, rounded down, with which products are reduced (Shoup).
pub(crate) type Factor = [u64; 2];

/// A prime `p = c 2^32 + 1` between `2^61` and `2^62`.
#[derive(Debug)]
pub(crate) struct Prime {
    pub(crate) p: u64,
    /// `-1/p` modulo `2^64`.
    negative_inverse: u64,
    /// `2^125 / p`, rounded down.
    reciprocal: u64,
    /// Of order `2^TWOS`.
    root: u64,
    /// The roots of the butterflies: see [`Prime::table`].
    table: Mutex<Arc<Vec<Factor>>>,
}

/// Roots that are kept for the next transform: 4 megabytes a prime.
const KEPT: usize = 1 << 18;

/// `x w mod p`, below `2 p`, for any word `x` (Harvey, "Faster arithmetic for number-theoretic transforms", 2014).
#[inline(always)]
pub(crate) fn lazy(x: u64, [w, quotient]: Factor, p: u64) -> u64 {
    let q = ((u128::from(x) * u128::from(quotient)) >> 64) as u64;
    x.wrapping_mul(w).wrapping_sub(q.wrapping_mul(p))
}

/// `x` or `x - m`, whichever is no less than 0 and below `m`, for `x < 2 m`.
#[inline(always)]
pub(crate) fn once(x: u64, m: u64) -> u64 {
    x.min(x.wrapping_sub(m))
}

impl Prime {
    fn new(p: u64) -> Self {
        // Newton's iteration doubles the bits that are right; an odd number is its own inverse modulo 8.
        let inverse = (0..5).fold(p, |x: u64, _| {
            x.wrapping_mul(2u64.wrapping_sub(p.wrapping_mul(x)))
        });
        let mut prime = Self {
            p,
            negative_inverse: inverse.wrapping_neg(),
            reciprocal: ((1u128 << 125) / u128::from(p)) as u64,
            root: 1,
            table: Mutex::new(Arc::new(Vec::new())),
        };
        // A power of a non-residue has the full order.
        let candidates = (2..).map(|x| prime.pow(x, (p - 1) >> TWOS));
        let root = candidates
            .into_iter()
            .find(|&r| prime.pow(r, 1 << (TWOS - 1)) == p - 1);
        prime.root = root.unwrap_or(1);
        prime
    }

    /// `x y mod p` for `x, y < p`.
    pub(crate) fn mul(&self, x: u64, y: u64) -> u64 {
        (u128::from(x) * u128::from(y) % u128::from(self.p)) as u64
    }

    pub(crate) fn pow(&self, base: u64, mut exponent: u64) -> u64 {
        let (mut result, mut base) = (1, base % self.p);
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = self.mul(result, base);
            }
            base = self.mul(base, base);
            exponent >>= 1;
        }
        result
    }

    pub(crate) fn inv(&self, x: u64) -> u64 {
        self.pow(x, self.p - 2)
    }

    /// `x y / 2^64 mod p`, below `2 p`, for `x y < 2^64 p` (Montgomery).
    #[inline(always)]
    pub(crate) fn montgomery(&self, x: u64, y: u64) -> u64 {
        let product = u128::from(x) * u128::from(y);
        let q = (product as u64).wrapping_mul(self.negative_inverse);
        ((product + u128::from(q) * u128::from(self.p)) >> 64) as u64
    }

    /// `w < p` as a factor.
    #[inline(always)]
    pub(crate) fn factor(&self, w: u64) -> Factor {
        // The estimate is at most two too small.
        let mut q = ((u128::from(w) * u128::from(self.reciprocal)) >> 61) as u64;
        let mut rest = 0u64.wrapping_sub(q.wrapping_mul(self.p));
        while rest >= self.p {
            rest -= self.p;
            q += 1;
        }
        [w, q]
    }

    /// `x mod p` for any word.
    #[inline(always)]
    pub(crate) fn word(&self, x: u64) -> u64 {
        // p > 2^61, so the quotient is below 8.
        once(once(once(x, 4 * self.p), 2 * self.p), self.p)
    }

    /// A root of unity of order `2^log`.
    fn root_of_order(&self, log: u32) -> u64 {
        (log..TWOS).fold(self.root, |r, _| self.mul(r, r))
    }

    /// At least `count` roots `W_b` with `W_0 = 1`, `W_2b^2 = W_b`, `W_(2b+1) = i W_2b`, `count` a power of two.
    pub(crate) fn table(&self, count: usize) -> Arc<Vec<Factor>> {
        let mut kept = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= count {
            return kept.clone();
        }
        let mut all = Vec::with_capacity(count.max(1));
        all.extend_from_slice(&kept);
        if all.is_empty() {
            all.push(self.factor(1));
        }
        while all.len() < count {
            // The exponents of b + 2^k are those of b and one more of order 2^(k+2).
            let step = self.factor(self.root_of_order(all.len().ilog2() + 2));
            for b in 0..all.len() {
                let w = once(lazy(all[b][0], step, self.p), self.p);
                all.push(self.factor(w));
            }
        }
        let all = Arc::new(all);
        if count <= KEPT {
            *kept = all.clone();
        }
        all
    }
}

/// The `count` greatest primes of the kind, descending.
pub(crate) fn primes(count: usize) -> Vec<Arc<Prime>> {
    static FOUND: OnceLock<Mutex<Vec<Arc<Prime>>>> = OnceLock::new();
    let found = FOUND.get_or_init(Mutex::default);
    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
    while found.len() < count {
        let mut p = found.last().map_or((1 << 62) + 1, |q| q.p);
        loop {
            p -= 1 << TWOS;
            if is_prime(p) {
                break;
            }
        }
        found.push(Arc::new(Prime::new(p)));
    }
    found[..count].to_vec()
}

#[cfg(test)]
mod tests {
    use super::{TWOS, lazy, once, primes};
    use crate::poly::polynomial::univariate::is_prime;

    #[test]
    fn primes_have_roots_and_products_are_reduced() {
        for prime in primes(5) {
            let p = prime.p;
            assert!(is_prime(p) && p >> 61 == 1 && (p - 1) % (1 << TWOS) == 0);
            let edges = [0, 1, 2, p / 3, p / 2, p - 2, p - 1];
            for w in edges {
                let factor = prime.factor(w);
                let exact = (u128::from(w) << 64) / u128::from(p);
                assert_eq!(u128::from(factor[1]), exact);
                for x in [0, 1, p - 1, p, 2 * p, 4 * p - 1, u64::MAX] {
                    let wanted = (u128::from(x) * u128::from(w) % u128::from(p)) as u64;
                    assert_eq!(once(lazy(x, factor, p), p), wanted);
                    assert_eq!(prime.word(x), x % p);
                    let back = prime.mul(
                        once(prime.montgomery(x, w), p),
                        (1u128 << 64).rem_euclid(p.into()) as u64,
                    );
                    assert_eq!(back, wanted);
                }
            }
            let table = prime.table(64);
            assert_eq!(prime.mul(table[1][0], table[1][0]), p - 1);
            for b in 1..32 {
                let (w, even, odd) = (table[b][0], table[2 * b][0], table[2 * b + 1][0]);
                assert_eq!(prime.mul(even, even), w);
                assert_eq!(odd, prime.mul(even, table[1][0]));
            }
        }
    }
}
