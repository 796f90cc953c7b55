//! Dense univariate polynomials modulo a word-sized prime: the engine under gcd and factorisation.

use crate::Error;

/// Coefficients modulo `p`, constant first, no trailing zeros.
pub(crate) type Dense = Vec<u64>;

/// Arithmetic modulo a prime below 2^63.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) p: u64,
}

impl Field {
    pub(crate) fn add(self, a: u64, b: u64) -> u64 {
        let s = a + b;
        if s >= self.p { s - self.p } else { s }
    }
    pub(crate) fn sub(self, a: u64, b: u64) -> u64 {
        if a >= b { a - b } else { a + self.p - b }
    }
    pub(crate) fn mul(self, a: u64, b: u64) -> u64 {
        if self.p < 1 << 32 {
            return a * b % self.p;
        }
        if self.p == MERSENNE {
            // 2^61 = 1: the high part is added to the low one.
            let product = u128::from(a) * u128::from(b);
            let sum = (product as u64 & MERSENNE) + (product >> 61) as u64;
            return if sum >= MERSENNE { sum - MERSENNE } else { sum };
        }
        self.reduce(u128::from(a) * u128::from(b))
    }
    /// The remainder of a number below 2^126.
    pub(crate) fn reduce(self, x: u128) -> u64 {
        let gap = (1u64 << 62).wrapping_sub(self.p);
        if gap < 1 << 30 {
            // 2^62 is as much as the gap: the high part is folded down twice.
            const LOW: u128 = (1 << 62) - 1;
            let x = (x >> 62) * u128::from(gap) + (x & LOW);
            let x = (x >> 62) as u64 * gap + (x & LOW) as u64;
            let x = if x >= self.p { x - self.p } else { x };
            return if x >= self.p { x - self.p } else { x };
        }
        (x % u128::from(self.p)) as u64
    }
    /// `a x + b y + c z`.
    pub(crate) fn three(self, a: u64, x: u64, b: u64, y: u64, c: u64, z: u64) -> u64 {
        let product = |a: u64, b: u64| u128::from(a) * u128::from(b);
        if self.p == MERSENNE {
            let sum = product(a, x) + product(b, y) + product(c, z);
            // 2^61 = 1, twice.
            let sum = (sum as u64 & MERSENNE) + (sum >> 61) as u64;
            let sum = (sum & MERSENNE) + (sum >> 61);
            return if sum >= MERSENNE { sum - MERSENNE } else { sum };
        }
        self.reduce(product(a, x) + product(b, y) + product(c, z))
    }
    pub(crate) fn pow(self, base: u64, mut exponent: u64) -> u64 {
        let (mut result, mut base) = (1 % self.p, base % self.p);
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = self.mul(result, base);
            }
            base = self.mul(base, base);
            exponent >>= 1;
        }
        result
    }
    /// The inverse of a nonzero element (Fermat).
    pub(crate) fn inv(self, a: u64) -> u64 {
        self.pow(a, self.p - 2)
    }

    pub(crate) fn trim(self, mut f: Dense) -> Dense {
        while f.last() == Some(&0) {
            f.pop();
        }
        f
    }
    pub(crate) fn sum(self, f: &[u64], g: &[u64]) -> Dense {
        let at = |f: &[u64], i: usize| f.get(i).copied().unwrap_or(0);
        let n = f.len().max(g.len());
        self.trim((0..n).map(|i| self.add(at(f, i), at(g, i))).collect())
    }
    pub(crate) fn difference(self, f: &[u64], g: &[u64]) -> Dense {
        let at = |f: &[u64], i: usize| f.get(i).copied().unwrap_or(0);
        let n = f.len().max(g.len());
        self.trim((0..n).map(|i| self.sub(at(f, i), at(g, i))).collect())
    }
    pub(crate) fn scaled(self, f: &[u64], c: u64) -> Dense {
        self.trim(f.iter().map(|&x| self.mul(x, c)).collect())
    }
    pub(crate) fn product(self, f: &[u64], g: &[u64]) -> Dense {
        if f.is_empty() || g.is_empty() {
            return Vec::new();
        }
        if self.delays(f.len().min(g.len())) {
            return self.product_delayed(f, g);
        }
        // Fifteen products below 2^124 fit 128 bits.
        let mut h = Vec::with_capacity(f.len() + g.len() - 1);
        for k in 0..f.len() + g.len() - 1 {
            let (low, high) = (k.saturating_sub(g.len() - 1), k.min(f.len() - 1));
            let mut sum = 0u128;
            for (n, i) in (low..=high).enumerate() {
                if n % 8 == 7 {
                    sum %= u128::from(self.p);
                }
                sum += u128::from(f[i]) * u128::from(g[k - i]);
            }
            h.push((sum % u128::from(self.p)) as u64);
        }
        self.trim(h)
    }
    /// Whether so many products of residues and one residue add up below 2^64.
    fn delays(self, n: usize) -> bool {
        self.p < 1 << 28 && (n as u64 + 1).saturating_mul(self.p * self.p) < 1 << 63
    }
    fn product_delayed(self, f: &[u64], g: &[u64]) -> Dense {
        let mut h = vec![0; f.len() + g.len() - 1];
        let (short, long) = if f.len() < g.len() { (f, g) } else { (g, f) };
        for (i, &x) in short.iter().enumerate().filter(|&(_, &x)| x != 0) {
            add_multiple(&mut h[i..i + long.len()], long, x);
        }
        for c in &mut h {
            *c %= self.p;
        }
        self.trim(h)
    }
    /// Quotient and remainder by a nonzero divisor.
    pub(crate) fn divided(self, f: &[u64], g: &[u64]) -> (Dense, Dense) {
        let Some(&top) = g.last() else {
            return (Vec::new(), f.to_vec());
        };
        let mut rest = f.to_vec();
        if f.len() < g.len() {
            return (Vec::new(), rest);
        }
        let inverse = self.inv(top);
        let steps = f.len() - g.len() + 1;
        if self.delays(steps.min(g.len())) {
            return self.divided_delayed(rest, g, inverse);
        }
        let mut quotient = vec![0; f.len() - g.len() + 1];
        for k in (0..quotient.len()).rev() {
            let q = self.mul(rest[k + g.len() - 1], inverse);
            quotient[k] = q;
            if q != 0 {
                for (j, &y) in g.iter().enumerate() {
                    rest[k + j] = self.sub(rest[k + j], self.mul(q, y));
                }
            }
        }
        rest.truncate(g.len() - 1);
        (self.trim(quotient), self.trim(rest))
    }
    fn divided_delayed(self, mut rest: Dense, g: &[u64], inverse: u64) -> (Dense, Dense) {
        let n = g.len() - 1;
        let mut quotient = vec![0; rest.len() - n];
        for k in (0..quotient.len()).rev() {
            let q = rest[k + n] % self.p * inverse % self.p;
            quotient[k] = q;
            if q != 0 {
                add_multiple(&mut rest[k..k + n], &g[..n], self.p - q);
            }
        }
        rest.truncate(n);
        for c in &mut rest {
            *c %= self.p;
        }
        (self.trim(quotient), self.trim(rest))
    }
    /// Replaces `f` by the remainder of it times a power of the leading coefficient of `g`, and says which power.
    pub(crate) fn pseudo_remainder_of(self, f: &mut Dense, g: &[u64]) -> usize {
        let field = self;
        if g.is_empty() {
            return 0;
        }
        let (n, top) = (g.len() - 1, g[g.len() - 1]);
        let mut steps = 0;
        while f.len() > n {
            // Two steps in one pass while there are two.
            if f.len() > n + 1 && n > 0 {
                let a1 = f.pop().unwrap_or(0);
                let a0 = f.pop().unwrap_or(0);
                let k = f.len() + 1 - n;
                // top^2 f - (top a1 x + c) x^(k-1) g with c = top a0 - a1 g_(n-1).
                let square = field.mul(top, top);
                let c = field.sub(field.mul(top, a0), field.mul(a1, g[n - 1]));
                let (u, w) = (field.sub(0, field.mul(top, a1)), field.sub(0, c));
                let (low, high) = f.split_at_mut(k - 1);
                for x in low {
                    *x = field.mul(*x, square);
                }
                for (i, x) in high.iter_mut().enumerate() {
                    let before = if i > 0 { g[i - 1] } else { 0 };
                    *x = field.three(*x, square, before, u, g[i], w);
                }
                steps += 2;
            } else {
                let c = f.pop().unwrap_or(0);
                let k = f.len() - n;
                let minus = field.sub(0, c);
                let (low, high) = f.split_at_mut(k);
                for x in low {
                    *x = field.mul(*x, top);
                }
                for (x, &y) in high.iter_mut().zip(g) {
                    *x = field.three(*x, top, y, minus, 0, 0);
                }
                steps += 1;
            }
            while f.last() == Some(&0) {
                f.pop();
            }
        }
        steps
    }
    pub(crate) fn remainder(self, f: &[u64], g: &[u64]) -> Dense {
        self.divided(f, g).1
    }
    pub(crate) fn monic(self, f: &[u64]) -> Dense {
        match f.last() {
            Some(&top) if top != 1 => self.scaled(f, self.inv(top)),
            _ => f.to_vec(),
        }
    }
    /// The monic greatest common divisor.
    pub(crate) fn gcd(self, f: &[u64], g: &[u64]) -> Dense {
        let (mut a, mut b) = (f.to_vec(), g.to_vec());
        while !b.is_empty() {
            let r = self.remainder(&a, &b);
            (a, b) = (b, r);
        }
        self.monic(&a)
    }
    /// `(s, t)` with `s f + t g = 1` for coprime `f` and `g`.
    pub(crate) fn bezout(self, f: &[u64], g: &[u64]) -> (Dense, Dense) {
        let (mut r0, mut r1) = (f.to_vec(), g.to_vec());
        let (mut s0, mut s1) = (vec![1], Vec::new());
        let (mut t0, mut t1) = (Vec::new(), vec![1]);
        while !r1.is_empty() {
            let (q, r) = self.divided(&r0, &r1);
            let s = self.difference(&s0, &self.product(&q, &s1));
            let t = self.difference(&t0, &self.product(&q, &t1));
            (r0, r1) = (r1, r);
            (s0, s1) = (s1, s);
            (t0, t1) = (t1, t);
        }
        let unit = self.inv(r0.last().copied().unwrap_or(1));
        (self.scaled(&s0, unit), self.scaled(&t0, unit))
    }
    pub(crate) fn derivative(self, f: &[u64]) -> Dense {
        let each = f.iter().enumerate().skip(1);
        self.trim(each.map(|(i, &c)| self.mul(c, i as u64 % self.p)).collect())
    }
    /// `base^exponent mod f`, the exponent as little-endian words.
    ///
    /// # Errors
    /// What `check` says, which is asked once a bit.
    pub(crate) fn power_mod(
        self,
        base: &[u64],
        exponent: &[u64],
        f: &[u64],
        check: &dyn Fn() -> Result<(), Error>,
    ) -> Result<Dense, Error> {
        let mut result = self.remainder(&[1], f);
        let mut begun = false;
        for word in exponent.iter().rev() {
            for bit in (0..64).rev() {
                let one = word >> bit & 1 == 1;
                begun |= one;
                if begun {
                    check()?;
                    result = self.remainder(&self.product(&result, &result), f);
                }
                if one {
                    result = self.remainder(&self.product(&result, base), f);
                }
            }
        }
        Ok(result)
    }
    /// The value at a point.
    pub(crate) fn value(self, f: &[u64], x: u64) -> u64 {
        f.iter().rev().fold(0, |v, &c| self.add(self.mul(v, x), c))
    }
}

/// The largest prime below 2^62 whose remainders are sums and shifts.
pub(crate) const MERSENNE: u64 = (1 << 61) - 1;

/// `sum += x g` for residues below 2^28, without reduction.
pub(crate) fn add_multiple(sum: &mut [u64], g: &[u64], x: u64) {
    const LOW: u64 = u32::MAX as u64;
    let x = x & LOW;
    for (s, &y) in sum.iter_mut().zip(g) {
        *s += x * (y & LOW);
    }
}

/// Whether `n` is prime: Miller and Rabin's test with bases that leave no exception below 2^64.
pub(crate) fn is_prime(n: u64) -> bool {
    const BASES: [u64; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];
    if let Some(&b) = BASES.iter().find(|&&b| n.is_multiple_of(b)) {
        return n == b;
    }
    if n < 2 {
        return false;
    }
    let field = Modulus { n };
    let (shift, odd) = (
        (n - 1).trailing_zeros(),
        (n - 1) >> (n - 1).trailing_zeros(),
    );
    BASES.iter().all(|&b| {
        let mut x = field.pow(b, odd);
        if x == 1 || x == n - 1 {
            return true;
        }
        (1..shift).any(|_| {
            x = field.mul(x, x);
            x == n - 1
        })
    })
}

/// Products modulo any number of 64 bits.
struct Modulus {
    n: u64,
}

impl Modulus {
    fn mul(&self, a: u64, b: u64) -> u64 {
        (u128::from(a) * u128::from(b) % u128::from(self.n)) as u64
    }
    fn pow(&self, base: u64, mut exponent: u64) -> u64 {
        let (mut result, mut base) = (1, base % self.n);
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = self.mul(result, base);
            }
            base = self.mul(base, base);
            exponent >>= 1;
        }
        result
    }
}

/// Primes below 2^62, descending: for images of integer problems.
pub(crate) fn primes_below(start: u64) -> impl Iterator<Item = u64> {
    (2..start).rev().filter(|&n| is_prime(n))
}
