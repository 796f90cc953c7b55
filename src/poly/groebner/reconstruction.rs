//! Numbers that are known modulo primes below 2^25: whether they are small, and their denominators.

use crate::poly::coefficients::rational::Integer;
use crate::poly::factor::reduced;
use crate::poly::polynomial::univariate::Field;
use dashu_int::ops::BitTest;

/// A residue to multiply others by, with the quotient that spares a division.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Factor {
    pub(crate) value: u32,
    /// `2^32 value / p`, rounded down.
    quotient: u32,
    p: u32,
}

impl Factor {
    pub(crate) fn new(value: u32, p: u32) -> Self {
        let quotient = ((u64::from(value) << 32) / u64::from(p)) as u32;
        Self { value, quotient, p }
    }

    /// The product, reduced below `2 p`.
    fn times(self, c: u32) -> u64 {
        let q = (u64::from(c) * u64::from(self.quotient)) >> 32;
        u64::from(c) * u64::from(self.value) - q * u64::from(self.p)
    }
}

/// The Chinese remainder theorem for some primes, in fixed-point fractions of their product.
pub(crate) struct Crt {
    pub(crate) primes: Vec<u32>,
    pub(crate) product: Integer,
    /// The products of all primes but one.
    others: Vec<Integer>,
    /// The inverse of the product of the other primes, for each.
    pub(crate) factors: Vec<Factor>,
    /// Numbers below `2^-top` of the product are small.
    pub(crate) top: usize,
    words: usize,
    /// `1 / p` for each prime in `words` words behind the point, least first, rounded down.
    fractions: Vec<u64>,
}

impl Crt {
    pub(crate) fn new(primes: Vec<u32>, top: usize) -> Self {
        let product = primes
            .iter()
            .fold(Integer::ONE, |m, &p| m * Integer::from(p));
        let factors = primes.iter().map(|&p| {
            let field = Field { p: p.into() };
            let others = primes.iter().filter(|&&q| q != p);
            let m = others.fold(1, |m, &q| field.mul(m, u64::from(q) % field.p));
            Factor::new(field.inv(m) as u32, p)
        });
        // The sum of the roundings is below 2^(26 + the bits of their number) units.
        let bits = top + 30 + (usize::BITS - primes.len().leading_zeros()) as usize;
        let words = bits.div_ceil(64);
        let mut fractions = vec![0; words * primes.len()];
        for (row, &p) in fractions.chunks_mut(words).zip(&primes) {
            let mut rest = 1u128;
            for w in row.iter_mut().rev() {
                let whole = rest << 64;
                *w = (whole / u128::from(p)) as u64;
                rest = whole % u128::from(p);
            }
        }
        let factors = factors.collect();
        let others = primes
            .iter()
            .map(|&p| &product / Integer::from(p))
            .collect();
        Self {
            primes,
            product,
            others,
            factors,
            top,
            words,
            fractions,
        }
    }

    /// Whether the number with these residues, times the numbers that `scale` holds instead of `factors`, is small.
    pub(crate) fn small(&self, residues: impl Iterator<Item = u32>, scale: &[Factor]) -> bool {
        let mut sum = vec![0u64; self.words];
        let rows = self.fractions.chunks(self.words);
        for ((c, factor), row) in residues.zip(scale).zip(rows) {
            let r = u128::from(factor.times(c));
            let mut carry = 0u128;
            for (s, &w) in sum.iter_mut().zip(row) {
                let t = r * u128::from(w) + u128::from(*s) + carry;
                *s = t as u64;
                carry = t >> 64;
            }
        }
        // All bits down to one below 2^-top are zero, or all are one.
        let bit = |i: usize| sum[self.words - 1 - i / 64] >> (63 - i % 64) & 1;
        let fill = if bit(0) == 1 { u64::MAX } else { 0 };
        let (whole, rest) = ((self.top + 1) / 64, (self.top + 1) % 64);
        let high = sum.iter().rev().take(whole).all(|&w| w == fill);
        high && (rest == 0 || (sum[self.words - 1 - whole] ^ fill) >> (64 - rest) == 0)
    }

    /// The scale times a number.
    pub(crate) fn times(&self, scale: &[Factor], d: &Integer) -> Vec<Factor> {
        let each = scale.iter().zip(&self.primes);
        each.map(|(s, &p)| {
            let by = reduced(d, p.into());
            Factor::new((u64::from(s.value) * by % u64::from(p)) as u32, p)
        })
        .collect()
    }

    /// The number itself, from 0 to the product.
    pub(crate) fn number(&self, residues: impl Iterator<Item = u32>, scale: &[Factor]) -> Integer {
        let mut sum = Integer::ZERO;
        for ((c, factor), m) in residues.zip(scale).zip(&self.others) {
            sum += m * Integer::from(factor.times(c));
        }
        sum % &self.product
    }
}

/// The denominator of a rational number that is `x` modulo `m`, the first whose numerator and denominator are together 16 bits
/// shorter than `m`; `None` when there is none. It is a guess.
///
/// # Source
/// Wang 1981, "A p-adic algorithm for univariate partial fractions"; Monagan 2004, "Maximal quotient rational reconstruction".
pub(crate) fn denominator(x: &Integer, m: &Integer) -> Option<Integer> {
    let whole = m.bit_len();
    let (mut a, mut b) = (m.clone(), x.clone());
    let (mut s, mut t) = (Integer::ZERO, Integer::ONE);
    loop {
        let (below, above) = (t.bit_len(), b.bit_len());
        if below + above + 16 < whole {
            return Some(&t * t.signum());
        }
        if 2 * below > whole {
            return None;
        }
        let q = &a / &b;
        a -= &q * &b;
        s -= &q * &t;
        std::mem::swap(&mut a, &mut b);
        std::mem::swap(&mut s, &mut t);
    }
}

#[cfg(test)]
mod tests {
    use super::{Crt, denominator};
    use crate::poly::coefficients::rational::Integer;
    use crate::poly::polynomial::univariate::{Field, primes_below};

    #[test]
    fn fractions_come_back_and_small_numbers_are_small() {
        let primes: Vec<u32> = primes_below(1 << 25).take(8).map(|p| p as u32).collect();
        let crt = Crt::new(primes.clone(), 150);
        let cases = [
            (-5i64, 77i64),
            (1234, 999),
            (0, 1),
            (7, 1),
            (-3001, 5000),
            (-1, 1),
        ];
        for (n, d) in cases {
            let image = |p: &u32| {
                let field = Field { p: (*p).into() };
                let image = |c: i64| c.rem_euclid((*p).into()) as u64;
                field.mul(image(n), field.inv(image(d))) as u32
            };
            let residues: Vec<u32> = primes.iter().map(image).collect();
            let each = || residues.iter().copied();
            let x = crt.number(each(), &crt.factors);
            assert_eq!(
                denominator(&x, &crt.product),
                Some(Integer::from(d)),
                "{n}/{d}"
            );
            assert_eq!(crt.small(each(), &crt.factors), d == 1, "{n}/{d}");
        }
        // 2^50 is the 2^-150 of the product below which numbers are small, 2^47 is far below it.
        for (k, small) in [(50u32, false), (47, true)] {
            let residues = primes.iter().map(|&p| ((1u64 << k) % u64::from(p)) as u32);
            assert_eq!(crt.small(residues, &crt.factors), small);
        }
    }
}
