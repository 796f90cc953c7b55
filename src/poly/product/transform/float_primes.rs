//! Primes below `.85 * 2^50` with roots of unity, for transforms over residues as floating-point numbers.

use crate::poly::polynomial::univariate::{Field, is_prime};
use crate::poly::simd::floats::{self, FloatPrime};
use crate::poly::simd::transforms::FloatRoots;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// `2^TWOS` divides `p - 1`: transforms of up to so many points.
pub(crate) const TWOS: u32 = 22;
/// The primes lie below this: see `simd::transforms` for why.
const BELOW: u64 = (1 << 50) / 100 * 85;
/// Every one of the first million primes has more bits than this.
pub(crate) const BITS: f64 = 49.7;
/// Roots that are kept for the next transform: three quarters of a megabyte a prime.
const KEPT: usize = 1 << 15;

/// A prime with its roots.
#[derive(Debug)]
pub(crate) struct FloatModulus {
    pub(crate) p: u64,
    pub(crate) field: FloatPrime,
    /// Of order `2^TWOS`.
    root: u64,
    roots: Mutex<Arc<FloatRoots>>,
}

impl FloatModulus {
    fn new(p: u64) -> Self {
        let words = Field { p };
        let power = |base, exponent| words.pow(base, exponent);
        // A power of a non-residue has the full order.
        let found = (2..).map(|x| power(x, (p - 1) >> TWOS));
        let root = found
            .into_iter()
            .find(|&r| power(r, 1 << (TWOS - 1)) == p - 1);
        Self {
            p,
            field: FloatPrime::new(p),
            root: root.unwrap_or(1),
            roots: Mutex::default(),
        }
    }

    /// The residue of least size, as a number.
    pub(crate) fn number(&self, x: u64) -> f64 {
        self.field.settled((x % self.p) as f64)
    }

    /// The inverse of a number that is not zero modulo `p`, by Euclid's algorithm.
    pub(crate) fn inverse_of(&self, x: u64) -> f64 {
        let (mut a, mut b) = (self.p as i64, (x % self.p) as i64);
        let (mut s, mut t) = (0i64, 1i64);
        while b > 0 {
            let q = a / b;
            (a, b) = (b, a - q * b);
            (s, t) = (t, s - q * t);
        }
        // |s| <= p / 2.
        s as f64
    }

    /// The roots of at least `count` nodes, a power of two, for up to twice as many points: `W_0 = 1`, `W_2b^2 = W_b`, `W_(2b+1) = i W_2b`.
    pub(crate) fn roots(&self, count: usize) -> Arc<FloatRoots> {
        let mut kept = self.roots.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.nodes.len() >= count {
            return kept.clone();
        }
        let mut nodes = vec![1.0];
        while nodes.len() < count.max(2) {
            // The exponents of b + 2^k are those of b and one more of order 2^(k+2).
            let log = nodes.len().ilog2() + 2;
            let words = Field { p: self.p };
            let step = (log..TWOS).fold(self.root, |r, _| words.mul(r, r));
            let mut more = nodes.clone();
            floats::scale(self.field, &mut more, self.number(step));
            nodes.extend(more);
        }
        let all = Arc::new(FloatRoots::with_tiles(nodes));
        if count <= KEPT {
            *kept = all.clone();
        }
        all
    }
}

/// The `count` greatest primes of the kind, descending.
pub(crate) fn float_primes(count: usize) -> Vec<Arc<FloatModulus>> {
    static FOUND: OnceLock<Mutex<Vec<Arc<FloatModulus>>>> = OnceLock::new();
    let found = FOUND.get_or_init(Mutex::default);
    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
    while found.len() < count {
        let mut p = found.last().map_or((BELOW >> TWOS << TWOS) + 1, |q| q.p);
        loop {
            p -= 1 << TWOS;
            if is_prime(p) {
                break;
            }
        }
        found.push(Arc::new(FloatModulus::new(p)));
    }
    found[..count].to_vec()
}

#[cfg(test)]
mod tests {
    use super::{BITS, TWOS, float_primes};
    use crate::poly::polynomial::univariate::{Field, is_prime};

    #[test]
    fn roots_are_those_of_the_tree() {
        for prime in float_primes(60) {
            let p = prime.p;
            assert!(is_prime(p) && (p - 1) % (1 << TWOS) == 0);
            assert!((p as f64).log2() > BITS && (p as f64) < 0.85 * (1u64 << 50) as f64);
            let roots = prime.roots(64);
            let word = |b: usize| (roots.nodes[b] as i64).rem_euclid(p as i64) as u64;
            let words = Field { p };
            assert_eq!(words.mul(word(1), word(1)), p - 1);
            for b in 1..32 {
                assert_eq!(words.mul(word(2 * b), word(2 * b)), word(b));
                assert_eq!(word(2 * b + 1), words.mul(word(2 * b), word(1)));
                let inverse = (roots.inverse(b) as i64).rem_euclid(p as i64) as u64;
                assert_eq!(words.mul(inverse, word(b)), p - 1);
                let own = (prime.inverse_of(word(b)) as i64).rem_euclid(p as i64) as u64;
                assert_eq!(words.mul(own, word(b)), 1);
            }
        }
    }
}
