//! Rows of matrices over the fields of two and of three elements, packed into words.

/// A field whose elements are packed into bit planes, 64 to a word.
pub(crate) trait Packed: Send + Sync {
    const PRIME: u8;
    /// Words for each 64 elements.
    const PLANES: usize;
    fn get(row: &[u64], at: usize) -> u8;
    fn set(row: &mut [u64], at: usize, value: u8);
    /// `row += factor * other` in the columns behind `at`.
    fn add_behind(row: &mut [u64], other: &[u64], factor: u8, at: usize);
    /// The sum of the products of the entries.
    fn dot(row: &[u64], other: &[u64]) -> u8;
}

/// Two elements, one plane.
pub(crate) struct Two;

impl Packed for Two {
    const PRIME: u8 = 2;
    const PLANES: usize = 1;

    #[inline]
    fn get(row: &[u64], at: usize) -> u8 {
        (row[at / 64] >> (at % 64) & 1) as u8
    }

    fn set(row: &mut [u64], at: usize, value: u8) {
        let word = &mut row[at / 64];
        *word = *word & !(1 << (at % 64)) | u64::from(value & 1) << (at % 64);
    }

    fn add_behind(row: &mut [u64], other: &[u64], factor: u8, at: usize) {
        if factor.is_multiple_of(2) {
            return;
        }
        let first = at / 64;
        row[first] ^= other[first] & behind(at);
        let pairs = row[first + 1..].iter_mut().zip(&other[first + 1..]);
        pairs.for_each(|(x, y)| *x ^= y);
    }

    fn dot(row: &[u64], other: &[u64]) -> u8 {
        let all = row.iter().zip(other).fold(0, |sum, (x, y)| sum ^ (x & y));
        (all.count_ones() & 1) as u8
    }
}

/// The columns of a word behind the one of `at`.
fn behind(at: usize) -> u64 {
    (!1u64) << (at % 64)
}

/// Three elements: for each word a plane of the ones and a plane of the twos, side by side.
pub(crate) struct Three;

impl Packed for Three {
    const PRIME: u8 = 3;
    const PLANES: usize = 2;

    #[inline]
    fn get(row: &[u64], at: usize) -> u8 {
        let (word, bit) = (2 * (at / 64), at % 64);
        (row[word] >> bit & 1) as u8 + 2 * (row[word + 1] >> bit & 1) as u8
    }

    fn set(row: &mut [u64], at: usize, value: u8) {
        let (word, bit) = (2 * (at / 64), at % 64);
        let value = value % 3;
        row[word] = row[word] & !(1 << bit) | u64::from(value & 1) << bit;
        row[word + 1] = row[word + 1] & !(1 << bit) | u64::from(value >> 1) << bit;
    }

    fn add_behind(row: &mut [u64], other: &[u64], factor: u8, at: usize) {
        if factor.is_multiple_of(3) {
            return;
        }
        let twice = factor % 3 == 2;
        let first = 2 * (at / 64);
        let mut mask = behind(at);
        let blocks = row[first..].chunks_exact_mut(2);
        for (x, y) in blocks.zip(other[first..].chunks_exact(2)) {
            let (y1, y2) = (y[0] & mask, y[1] & mask);
            let (y1, y2) = if twice { (y2, y1) } else { (y1, y2) };
            let both = (x[0] | y2) ^ (x[1] | y1);
            (x[0], x[1]) = ((x[1] | y2) ^ both, (x[0] | y1) ^ both);
            mask = !0;
        }
    }

    fn dot(row: &[u64], other: &[u64]) -> u8 {
        let mut sum = 0u64;
        for (x, y) in row.chunks_exact(2).zip(other.chunks_exact(2)) {
            let ones = (x[0] & y[0]) | (x[1] & y[1]);
            let twos = (x[0] & y[1]) | (x[1] & y[0]);
            sum += u64::from(ones.count_ones()) + 2 * u64::from(twos.count_ones());
        }
        (sum % 3) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheme::search::vectors::Dice;

    fn agrees<F: Packed>() {
        let (n, mut dice) = (200usize, Dice::new(3, u64::from(F::PRIME)));
        let p = F::PRIME;
        for _ in 0..200 {
            let draw = |dice: &mut Dice| -> Vec<u8> {
                (0..n).map(|_| dice.below(usize::from(p)) as u8).collect()
            };
            let (x, y) = (draw(&mut dice), draw(&mut dice));
            let pack = |v: &[u8]| {
                let mut row = vec![0; n.div_ceil(64) * F::PLANES];
                v.iter()
                    .enumerate()
                    .for_each(|(at, c)| F::set(&mut row, at, *c));
                row
            };
            let (mut row, other) = (pack(&x), pack(&y));
            let dot = x.iter().zip(&y).map(|(a, b)| u32::from(a * b)).sum::<u32>();
            assert_eq!(u32::from(F::dot(&row, &other)), dot % u32::from(p));
            let (factor, at) = (dice.below(usize::from(p)) as u8, dice.below(n));
            F::add_behind(&mut row, &other, factor, at);
            for k in 0..n {
                let sum = if k > at {
                    (x[k] + factor * y[k]) % p
                } else {
                    x[k]
                };
                assert_eq!(F::get(&row, k), sum, "entry {k} behind {at}");
            }
        }
    }

    #[test]
    fn packed_rows_agree_with_entries() {
        agrees::<Two>();
        agrees::<Three>();
    }
}
