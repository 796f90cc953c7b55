//! Coefficients of several words, modulo as many primes as their sums need.
//!
//! A sum of products of `n`-limb integers costs `n^2` multiplications in limbs, but only about `2 n` modulo primes of 50
//! bits, and there the vector rows serve. Remainders of a block are put together while they are in cache.

use crate::poly::coefficients::integers::{Integers, write_limbs};
use crate::poly::coefficients::rational::Integer;
use crate::poly::coefficients::store::Store;
use crate::poly::monomials::word::Word;
use crate::poly::product::grid::Side;
use crate::poly::product::rows::{Kernel, Plan, Rows, given_back, taken};
use crate::poly::product::slab::Output;
use crate::poly::simd::remainders::{LANES, Prime, Recombination, reduce};

/// Both factors modulo all primes.
pub(crate) struct Remainders {
    rows: Vec<Rows>,
    by: Recombination,
    /// Cells of a block, with room for a vector.
    stride: usize,
}

/// Terms of the shorter factor: so many products of 100 bits do not overflow the two words of a sum.
const MOST: usize = 1 << 13;
/// Bits of one prime, but for a fraction that all of them together do not make a bit of.
const PRIME_BITS: u64 = 50;

/// Primes whose product is more than four times `2^bits`.
pub(crate) fn primes(bits: u64) -> usize {
    (bits + 3).div_ceil(PRIME_BITS) as usize
}

impl Remainders {
    /// The caller guarantees that every sum of products stays below `2^bits`; `None` for sums too long or too wide.
    pub(crate) fn new(
        (a, x): (&Side, &Integers),
        (b, y): (&Side, &Integers),
        plan: Plan,
        bits: u64,
        cells: usize,
    ) -> Option<Self> {
        let limbs = (bits / 64 + 1) as usize;
        let short = Recombination::short(limbs)?;
        let primes = Prime::list(primes(bits))?;
        if x.len().min(y.len()) > MOST {
            return None;
        }
        let (left, right) = (Digits::new(x)?, Digits::new(y)?);
        let rows = |prime: &Prime| {
            let (x, y) = (left.modulo(prime, 2), right.modulo(prime, 1));
            Rows::planned((a, &x), (b, &y), plan)
        };
        let rows = primes.iter().map(rows).collect();
        let by = recombination(primes, limbs, short);
        let stride = cells + LANES;
        Some(Self { rows, by, stride })
    }
}

/// What puts integers of so many limbs together, and of so many shorter ones.
fn recombination(primes: Vec<Prime>, limbs: usize, short: usize) -> Recombination {
    let product = primes
        .iter()
        .fold(Integer::ONE, |m, prime| m * Integer::from(prime.p));
    let radix = Integer::ONE << (52 * short);
    let mut columns = Vec::with_capacity(primes.len() + 1);
    let mut weights = Vec::with_capacity(primes.len());
    for prime in &primes {
        let part = &product / Integer::from(prime.p);
        let rest = &part % Integer::from(prime.p);
        let inverse = prime.inv(u64::try_from(rest).unwrap_or(1));
        weights.push(prime.mul(inverse, (1 << 52) % prime.p));
        columns.push(part % &radix);
    }
    let minus = &radix - product % &radix;
    columns.push(minus % &radix);
    let columns: Vec<Vec<u64>> = columns.iter().map(|c| digits(c, short)).collect();
    let parts = (0..short).flat_map(|w| columns.iter().map(move |c| c[w]));
    let parts = parts.collect();
    Recombination {
        primes,
        weights,
        parts,
        short,
        limbs,
    }
}

/// The low 52 bits.
const LOW: u64 = (1 << 52) - 1;

/// Digit `k` to the base `2^52`.
fn digit(limbs: &[u64], k: usize) -> u64 {
    let (at, shift) = (52 * k / 64, (52 * k % 64) as u32);
    let low = limbs.get(at).copied().unwrap_or(0) >> shift;
    let high = limbs.get(at + 1).copied().unwrap_or(0);
    (low | high.checked_shl(64 - shift).unwrap_or(0)) & LOW
}

/// The digits of a natural number below `2^(52 count)`.
fn digits(value: &Integer, count: usize) -> Vec<u64> {
    let mut limbs = vec![0; (52 * count).div_ceil(64) + 1];
    write_limbs(value, &mut limbs);
    (0..count).map(|k| digit(&limbs, k)).collect()
}

/// Integers as digits to the base `2^52` of their two's complement.
struct Digits {
    /// Words of 64 bits, and digits, of one integer.
    width: usize,
    count: usize,
    all: Vec<u64>,
    negative: Vec<bool>,
}

impl Digits {
    /// `None` for integers of no common width.
    fn new(v: &Integers) -> Option<Self> {
        let width = v.width()?;
        let count = (64 * width).div_ceil(52);
        let mut limbs = vec![0; width + 1];
        let mut all = Vec::with_capacity(v.len() * count);
        let mut negative = Vec::with_capacity(v.len());
        for i in 0..v.len() {
            v.write(i, &mut limbs);
            negative.push(limbs[width] > 0);
            // Beyond the value there are zeros: the number is the value, or the value plus 2^(64 width).
            limbs[width] = 0;
            all.extend((0..count).map(|k| digit(&limbs, k)));
        }
        Some(Self {
            width,
            count,
            all,
            negative,
        })
    }

    /// The remainders of all times `2^(52 (times - 1))`.
    fn modulo(&self, prime: &Prime, times: u32) -> Vec<i64> {
        let radix = (1 << 52) % prime.p;
        let mut power = (0..times).fold(1, |r, _| prime.mul(r, radix));
        // One power more than wanted: the reduction takes it out.
        let mut powers = Vec::with_capacity(self.count);
        for _ in 0..self.count {
            powers.push(power);
            power = prime.mul(power, radix);
        }
        let word = prime.mul(radix, 1 << 12);
        let top = (0..self.width).fold(1, |r, _| prime.mul(r, word));
        let top = (1..times).fold(top, |r, _| prime.mul(r, radix));
        let one = |(digits, &negative): (&[u64], &bool)| {
            let products = digits.iter().zip(&powers);
            let sum = products.fold(0u128, |s, (&d, &m)| s + u128::from(d) * u128::from(m));
            let rest = prime.reduced(sum as u64 & LOW, (sum >> 52) as u64);
            let off = if negative { top } else { 0 };
            let rest = if rest >= off {
                rest - off
            } else {
                rest + prime.p - off
            };
            rest as i64
        };
        self.all
            .chunks_exact(self.count)
            .zip(&self.negative)
            .map(one)
            .collect()
    }
}

impl Kernel for Remainders {
    type Scratch = (Vec<i64>, Vec<i64>, Vec<u64>);
    type Column = Integers;

    fn scratch(&self) -> Self::Scratch {
        let all = vec![0; self.stride * self.rows.len()];
        (taken(), taken(), all)
    }

    fn give_back(&self, (low, high, _): Self::Scratch) {
        given_back(low);
        given_back(high);
    }

    fn accumulate(
        &self,
        (low, high, all): &mut Self::Scratch,
        a: &Side,
        b: &Side,
        pairs: &[(u32, u32)],
    ) -> (usize, usize) {
        let mut range = (0, 0);
        for (k, (rows, prime)) in self.rows.iter().zip(&self.by.primes).enumerate() {
            range = rows.add116((low, high), a, b, pairs, true);
            let cells = range.0..range.1 + 1;
            let own = &mut all[k * self.stride..(k + 1) * self.stride];
            let sums = (&mut low[cells.clone()], &mut high[cells.clone()]);
            reduce(prime, sums.0, sums.1, &mut own[cells]);
        }
        range
    }

    fn emit<W: Word>(
        &self,
        (_, _, all): &mut Self::Scratch,
        (low, high): (usize, usize),
        base: W,
        table: &[W],
        out: &mut Output<W, Integers>,
    ) {
        let mut limbs = vec![[0; LANES]; self.by.limbs];
        let mut value = vec![0; self.by.limbs];
        let mut end = high + 1;
        while end > low {
            let start = end.saturating_sub(LANES).max(low);
            let found = self.by.integers(all, self.stride, start, &mut limbs);
            for lane in (0..end - start).rev().filter(|l| found >> l & 1 == 1) {
                for (v, limb) in value.iter_mut().zip(&limbs) {
                    *v = limb[lane];
                }
                out.words.push(base + table[start + lane]);
                out.values.push_limbs(&value);
            }
            end = start;
        }
    }
}
