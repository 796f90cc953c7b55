//! Finite fields that images are taken in: a prime field, or an extension where a prime has too few elements.

use crate::poly::polynomial::univariate::{Dense, Field};

/// A finite field whose elements are words, 0 and 1 among them as such, and dense polynomials over it.
pub(crate) trait Ground {
    /// Number of elements; they are the words below.
    fn size(&self) -> u64;
    fn add(&self, a: u64, b: u64) -> u64;
    fn sub(&self, a: u64, b: u64) -> u64;
    fn mul(&self, a: u64, b: u64) -> u64;
    /// The inverse of a nonzero element.
    fn inv(&self, a: u64) -> u64;

    fn trim(&self, mut f: Dense) -> Dense {
        while f.last() == Some(&0) {
            f.pop();
        }
        f
    }
    fn sum(&self, f: &[u64], g: &[u64]) -> Dense {
        let at = |f: &[u64], i: usize| f.get(i).copied().unwrap_or(0);
        let n = f.len().max(g.len());
        self.trim((0..n).map(|i| self.add(at(f, i), at(g, i))).collect())
    }
    fn scaled(&self, f: &[u64], c: u64) -> Dense {
        self.trim(f.iter().map(|&x| self.mul(x, c)).collect())
    }
    fn product(&self, f: &[u64], g: &[u64]) -> Dense {
        if f.is_empty() || g.is_empty() {
            return Dense::new();
        }
        let mut h = vec![0; f.len() + g.len() - 1];
        for (i, &x) in f.iter().enumerate().filter(|&(_, &x)| x != 0) {
            for (j, &y) in g.iter().enumerate() {
                h[i + j] = self.add(h[i + j], self.mul(x, y));
            }
        }
        h
    }
    /// Quotient and remainder by a nonzero divisor.
    fn divided(&self, f: &[u64], g: &[u64]) -> (Dense, Dense) {
        let mut rest = f.to_vec();
        let Some(&top) = g.last().filter(|_| f.len() >= g.len()) else {
            return (Dense::new(), rest);
        };
        let (n, inverse) = (g.len() - 1, self.inv(top));
        let mut quotient = vec![0; f.len() - n];
        for k in (0..quotient.len()).rev() {
            let q = self.mul(rest[k + n], inverse);
            quotient[k] = q;
            if q != 0 {
                for (j, &y) in g[..n].iter().enumerate() {
                    rest[k + j] = self.sub(rest[k + j], self.mul(q, y));
                }
            }
        }
        rest.truncate(n);
        (self.trim(quotient), self.trim(rest))
    }
    /// Replaces `f` by the remainder of some multiple of it by `g`, without inverses.
    fn pseudo_remainder(&self, f: &mut Dense, g: &[u64]) {
        let Some((&top, g)) = g.split_last() else {
            return;
        };
        while f.len() > g.len() {
            let c = f.pop().unwrap_or(0);
            let cut = f.len() - g.len();
            let (low, high) = f.split_at_mut(cut);
            for x in low {
                *x = self.mul(*x, top);
            }
            for (x, &y) in high.iter_mut().zip(g) {
                *x = self.sub(self.mul(*x, top), self.mul(c, y));
            }
            while f.last() == Some(&0) {
                f.pop();
            }
        }
    }
    /// The monic greatest common divisor.
    fn gcd(&self, f: &[u64], g: &[u64]) -> Dense {
        let (mut a, mut b) = (f.to_vec(), g.to_vec());
        while !b.is_empty() {
            let r = self.divided(&a, &b).1;
            (a, b) = (b, r);
        }
        match a.last() {
            Some(&top) if top != 1 => self.scaled(&a, self.inv(top)),
            _ => a,
        }
    }
    fn value(&self, f: &[u64], x: u64) -> u64 {
        let each = f.iter().rev();
        each.fold(0, |v, &c| self.add(self.mul(v, x), c))
    }
}

impl Ground for Field {
    fn size(&self) -> u64 {
        self.p
    }
    fn add(&self, a: u64, b: u64) -> u64 {
        Field::add(*self, a, b)
    }
    fn sub(&self, a: u64, b: u64) -> u64 {
        Field::sub(*self, a, b)
    }
    fn mul(&self, a: u64, b: u64) -> u64 {
        Field::mul(*self, a, b)
    }
    fn inv(&self, a: u64) -> u64 {
        Field::inv(*self, a)
    }
    fn product(&self, f: &[u64], g: &[u64]) -> Dense {
        Field::product(*self, f, g)
    }
    fn pseudo_remainder(&self, f: &mut Dense, g: &[u64]) {
        self.pseudo_remainder_of(f, g);
    }
    fn divided(&self, f: &[u64], g: &[u64]) -> (Dense, Dense) {
        Field::divided(*self, f, g)
    }
}

/// The field with `p^k` elements: zero is 0, and the power `w^i` of a primitive element is the word `i + 1`.
///
/// Products add exponents, sums look up Zech's logarithm, `1 + w^i = w^z(i)`.
pub(crate) struct Extension {
    p: u64,
    /// `p^k - 1`.
    order: u64,
    /// The word of `1 + w^i`.
    zech: Vec<u32>,
    /// The word of each residue modulo `p`.
    residues: Vec<u64>,
    /// The word of `-1`.
    minus: u64,
}

/// Extensions have fewer elements than this.
const MAX_SIZE: u64 = 1 << 22;

impl Extension {
    /// An extension of the field with `p` elements that has more than `size`; `None` when that would be too large.
    pub(crate) fn new(p: u64, size: u64) -> Option<Self> {
        let (mut q, mut k) = (p, 1usize);
        while q <= size || k < 2 {
            q = q.checked_mul(p).filter(|q| *q < MAX_SIZE)?;
            k += 1;
        }
        // The remainders of `x^i` modulo a polynomial of degree `k`, as numbers with digits modulo `p`, for the first polynomial
        // modulo which they are all different.
        (p..q).find_map(|low| Self::with(p, k, q, low))
    }

    /// With `x^k` equal to minus the polynomial that has the digits of `low`.
    fn with(p: u64, k: usize, q: u64, low: u64) -> Option<Self> {
        let digits: Vec<u64> = (0..k as u32).map(|i| low / p.pow(i) % p).collect();
        if digits[0] == 0 {
            return None;
        }
        let mut words = vec![0u32; q as usize];
        let mut powers = Vec::with_capacity(q as usize);
        let mut row = vec![0; k];
        row[0] = 1;
        for i in 0..q - 1 {
            let number = row.iter().rev().fold(0, |n, d| n * p + d);
            if words[number as usize] != 0 {
                return None;
            }
            words[number as usize] = i as u32 + 1;
            powers.push(number);
            let top = row[k - 1];
            row.copy_within(..k - 1, 1);
            row[0] = 0;
            for (r, d) in row.iter_mut().zip(&digits) {
                *r = (*r + (p - top) * d) % p;
            }
        }
        let plus_one = |n: &u64| if n % p == p - 1 { n + 1 - p } else { n + 1 };
        let zech = powers.iter().map(|n| words[plus_one(n) as usize]);
        let residues: Vec<u64> = (0..p).map(|c| words[c as usize].into()).collect();
        Some(Self {
            p,
            order: q - 1,
            zech: zech.collect(),
            minus: residues[p as usize - 1],
            residues,
        })
    }

    /// The word of a residue modulo `p`.
    pub(crate) fn of_residue(&self, c: u64) -> u64 {
        self.residues[(c % self.p) as usize]
    }

    /// The residue of a word that stands for one.
    pub(crate) fn to_residue(&self, word: u64) -> Option<u64> {
        let found = self.residues.iter().position(|&w| w == word);
        found.map(|c| c as u64)
    }
}

impl Ground for Extension {
    fn size(&self) -> u64 {
        self.order + 1
    }
    fn add(&self, a: u64, b: u64) -> u64 {
        if a == 0 || b == 0 {
            return a | b;
        }
        let ratio = if b >= a { b - a } else { b + self.order - a };
        self.mul(a, self.zech[ratio as usize].into())
    }
    fn sub(&self, a: u64, b: u64) -> u64 {
        self.add(a, self.mul(b, self.minus))
    }
    fn mul(&self, a: u64, b: u64) -> u64 {
        if a == 0 || b == 0 {
            return 0;
        }
        let sum = a + b - 1;
        if sum > self.order {
            sum - self.order
        } else {
            sum
        }
    }
    fn inv(&self, a: u64) -> u64 {
        if a <= 1 { a } else { self.order + 2 - a }
    }
}

#[cfg(test)]
mod tests {
    use super::{Extension, Ground};

    #[test]
    fn extensions_are_fields() {
        for (p, size) in [(2, 100), (3, 20), (17, 200)] {
            let Some(f) = Extension::new(p, size) else {
                unreachable!("small enough");
            };
            assert!(f.size() > size);
            let all: Vec<u64> = (0..f.size()).step_by(7).collect();
            for &a in &all {
                assert_eq!(f.sub(a, a), 0);
                assert!(a == 0 || f.mul(a, f.inv(a)) == 1);
                assert_eq!((0..p).fold(0, |s, _| f.add(s, a)), 0);
                for &b in &all {
                    assert_eq!(f.add(a, b), f.add(b, a));
                    let c = 5 % f.size();
                    assert_eq!(f.mul(f.add(a, b), c), f.add(f.mul(a, c), f.mul(b, c)));
                    assert_eq!(f.add(f.add(a, b), c), f.add(a, f.add(b, c)));
                }
            }
            for c in 0..p {
                assert_eq!(f.to_residue(f.of_residue(c)), Some(c));
                assert_eq!(f.add(f.of_residue(c), 1), f.of_residue(c + 1));
            }
        }
    }
}
