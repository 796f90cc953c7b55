//! Coefficients of several words as polynomials in `2^50`, one digit a cell.
//!
//! The digits of a coefficient lie in consecutive cells, so that a product of two coefficients is a product of two rows,
//! however sparse the factors are. Digits of 50 bits leave room for the sums; carries are taken when a block is read out.

use crate::poly::coefficients::integers::{Integers, negate_limbs};
use crate::poly::coefficients::store::Store;
use crate::poly::monomials::word::Word;
use crate::poly::product::grid::{Group, Side};
use crate::poly::product::rows::{Kernel, Plan, Rows, given_back, taken};
use crate::poly::product::slab::Output;
use crate::poly::simd;

/// Bits of a digit.
const DIGIT: usize = 50;
const LOW: u64 = (1 << DIGIT) - 1;
/// Products of digits in one cell: so many of 100 bits stay below `2^114`.
const MOST: usize = 1 << 14;

/// Digits that a magnitude of so many bits needs.
pub(crate) fn digits(bits: u64) -> usize {
    (bits as usize).div_ceil(DIGIT)
}

/// Cells of one coefficient of a product of factors of `count` digits: whole vectors, because one that is loaded from two that
/// were just stored must wait for them.
pub(crate) fn spread(count: usize) -> usize {
    (2 * count - 1).next_multiple_of(8)
}

/// Both factors digit by digit.
pub(crate) struct Positional {
    a: Side,
    b: Side,
    rows: Rows,
    /// Whether no digit is negative.
    plain: bool,
    /// Cells of one coefficient of the product, and its limbs.
    spread: usize,
    limbs: usize,
}

/// A factor with `count` digits for every term, `spread` cells apart.
fn expanded(side: &Side, count: usize, spread: usize) -> Side {
    let wide = |i: u32| i * count as u32;
    let group = |g: &Group| Group {
        key: g.key,
        first: wide(g.first),
        end: wide(g.end),
    };
    let cells = |&o: &u32| (0..count as u32).rev().map(move |d| o * spread as u32 + d);
    Side {
        groups: side.groups.iter().map(group).collect(),
        offsets: side.offsets.iter().flat_map(cells).collect(),
    }
}

/// The 64 bits of a natural number from some bit on.
fn limb(limbs: &[u64], bit: usize) -> u64 {
    let (at, shift) = (bit / 64, (bit % 64) as u32);
    let own = |at: usize| limbs.get(at).copied().unwrap_or(0);
    own(at) >> shift | own(at + 1).checked_shl(64 - shift).unwrap_or(0)
}

/// All digits, of each value the highest first; negative for a negative value. `None` when they are too few, or for integers
/// of no common width.
fn values(v: &Integers, count: usize) -> Option<Vec<i64>> {
    let width = v.width()?;
    let mut limbs = vec![0; width + 1];
    let mut all = Vec::with_capacity(v.len() * count);
    for i in 0..v.len() {
        v.write(i, &mut limbs);
        let negative = limbs[width] > 0;
        if negative {
            negate_limbs(&mut limbs);
        }
        // The magnitude of a least value has a bit more than its two's complement.
        if limb(&limbs, DIGIT * count) > 0 {
            return None;
        }
        for k in (0..count).rev() {
            let digit = (limb(&limbs, DIGIT * k) & LOW) as i64;
            all.push(if negative { -digit } else { digit });
        }
    }
    Some(all)
}

impl Positional {
    /// The factors lie in blocks of at most `ROW_CELLS / spread` cells, have magnitudes of `count` digits and a product of
    /// `limbs` limbs. `None` for very long ones.
    pub(crate) fn new(
        (a, x): (&Side, &Integers),
        (b, y): (&Side, &Integers),
        (count, limbs): (usize, usize),
        costs: [f64; 3],
    ) -> Option<Self> {
        if x.len().min(y.len()).saturating_mul(count) > MOST
            || x.len().max(y.len()).saturating_mul(count) > u32::MAX as usize
        {
            return None;
        }
        let spread = spread(count);
        let (x, y) = (values(x, count)?, values(y, count)?);
        let (a, b) = (expanded(a, count, spread), expanded(b, count, spread));
        let plan = Plan::new(&a, &b, costs)?;
        let rows = Rows::planned((&a, &x), (&b, &y), plan);
        let plain = x.iter().chain(&y).all(|&d| d >= 0);
        Some(Self {
            a,
            b,
            rows,
            plain,
            spread,
            limbs,
        })
    }

    /// The coefficient whose digits these are, as limbs in two's complement.
    fn whole(&self, low: &[i64], high: &[i64], out: &mut [u64]) {
        out.fill(0);
        let (mut carry, mut bit) = (0i128, 0);
        let mut sums = low.iter().zip(high);
        while bit < 64 * out.len() {
            if let Some((&l, &h)) = sums.next() {
                carry += simd::whole(l, h);
            }
            let digit = carry as u64 & LOW;
            carry >>= DIGIT;
            let (at, shift) = (bit / 64, bit % 64);
            out[at] |= digit << shift;
            if shift + DIGIT > 64 && at + 1 < out.len() {
                out[at + 1] |= digit >> (64 - shift);
            }
            bit += DIGIT;
        }
    }
}

impl Kernel for Positional {
    type Scratch = (Vec<i64>, Vec<i64>);
    type Column = Integers;

    fn scratch(&self) -> Self::Scratch {
        (taken(), taken())
    }

    fn give_back(&self, (low, high): Self::Scratch) {
        given_back(low);
        given_back(high);
    }

    fn accumulate(
        &self,
        (low, high): &mut Self::Scratch,
        _: &Side,
        _: &Side,
        pairs: &[(u32, u32)],
    ) -> (usize, usize) {
        let cells = (low.as_mut_slice(), high.as_mut_slice());
        let range = self.rows.add116(cells, &self.a, &self.b, pairs, self.plain);
        (range.0 / self.spread, range.1 / self.spread)
    }

    fn emit<W: Word>(
        &self,
        (low, high): &mut Self::Scratch,
        range: (usize, usize),
        base: W,
        table: &[W],
        out: &mut Output<W, Integers>,
    ) {
        let mut value = vec![0; self.limbs];
        for at in (range.0..=range.1).rev() {
            let cells = at * self.spread..(at + 1) * self.spread;
            let (low, high) = (&mut low[cells.clone()], &mut high[cells]);
            if low.iter().chain(&*high).fold(0, |any, &c| any | c) == 0 {
                continue;
            }
            self.whole(low, high, &mut value);
            if value.iter().any(|&limb| limb != 0) {
                out.words.push(base + table[at]);
                out.values.push_limbs(&value);
            }
            low.fill(0);
            high.fill(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{digits, values};
    use crate::poly::coefficients::integers::Integers;
    use crate::poly::coefficients::rational::Integer;
    use crate::poly::coefficients::store::Store;

    #[test]
    fn digits_of_both_signs_make_up_the_value() {
        let big = (Integer::ONE << 199) - Integer::from(12345);
        let list = [
            big.clone(),
            -big.clone(),
            Integer::ONE << 150,
            -Integer::ONE,
            Integer::ZERO,
        ];
        let store = Integers::from_vec(list.to_vec());
        let count = digits(store.bits());
        let found = values(&store, count).unwrap_or_default();
        for (value, digits) in list.iter().zip(found.chunks(count)) {
            let sum = digits
                .iter()
                .fold(Integer::ZERO, |s, &d| (s << 50) + Integer::from(d));
            assert_eq!(&sum, value);
        }
    }
}
