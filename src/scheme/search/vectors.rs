//! Vectors of schemes in machine words: over the field of two elements, and with entries -1, 0, 1.

use crate::scheme::whole::Sparse;
use std::fmt::Debug;

/// Entries of a vector at most.
pub(crate) const MAX_ENTRIES: usize = 64;

/// A vector of at most 64 entries. Sums may leave the representation.
pub(crate) trait Vector: Copy + Eq + Send + Sync + Debug {
    /// The characteristic, 0 or 2.
    const CHARACTERISTIC: u32;
    /// From entries; `None` where one is outside of the representation.
    fn of(entries: &Sparse) -> Option<Self>;
    /// The entries.
    fn entries(self) -> Sparse;
    fn is_zero(self) -> bool;
    fn plus(self, other: Self) -> Option<Self>;
    fn negated(self) -> Self;
    /// The one of a vector and its negative whose first entry is positive, and whether that is the negative.
    fn up_to_sign(self) -> (Self, bool);
    /// Two words, to be written down.
    fn words(self) -> [u64; 2];
    fn from_words(words: [u64; 2]) -> Option<Self>;
}

/// Over the field of two elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bits(u64);

impl Vector for Bits {
    const CHARACTERISTIC: u32 = 2;

    fn of(entries: &Sparse) -> Option<Self> {
        let mut word = 0;
        for (at, c) in entries {
            if *at >= MAX_ENTRIES {
                return None;
            }
            word |= ((c & 1) as u64) << at;
        }
        Some(Self(word))
    }

    fn entries(self) -> Sparse {
        let set = (0..MAX_ENTRIES).filter(|at| self.0 >> at & 1 == 1);
        set.map(|at| (at, 1)).collect()
    }

    #[inline]
    fn is_zero(self) -> bool {
        self.0 == 0
    }

    #[inline]
    fn plus(self, other: Self) -> Option<Self> {
        Some(Self(self.0 ^ other.0))
    }

    #[inline]
    fn negated(self) -> Self {
        self
    }

    #[inline]
    fn up_to_sign(self) -> (Self, bool) {
        (self, false)
    }

    fn words(self) -> [u64; 2] {
        [self.0, 0]
    }

    fn from_words([word, rest]: [u64; 2]) -> Option<Self> {
        (rest == 0).then_some(Self(word))
    }
}

/// Entries -1, 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signs {
    plus: u64,
    minus: u64,
}

impl Signs {
    /// The entries of a mask, moved to higher places (or lower ones, where `shift` is negative).
    pub(crate) fn moved(self, mask: u64, shift: i64) -> Self {
        let place = |w: u64| match shift {
            0.. => (w & mask) << shift,
            _ => (w & mask) >> -shift,
        };
        Self {
            plus: place(self.plus),
            minus: place(self.minus),
        }
    }
}

impl Vector for Signs {
    const CHARACTERISTIC: u32 = 0;

    fn of(entries: &Sparse) -> Option<Self> {
        let (mut plus, mut minus) = (0, 0);
        for (at, c) in entries {
            if *at >= MAX_ENTRIES {
                return None;
            }
            match c {
                1 => plus |= 1 << at,
                -1 => minus |= 1 << at,
                0 => (),
                _ => return None,
            }
        }
        Some(Self { plus, minus })
    }

    fn entries(self) -> Sparse {
        let value = |at: usize| (self.plus >> at & 1) as i64 - (self.minus >> at & 1) as i64;
        let all = (0..MAX_ENTRIES).map(|at| (at, value(at)));
        all.filter(|e| e.1 != 0).collect()
    }

    #[inline]
    fn is_zero(self) -> bool {
        self.plus | self.minus == 0
    }

    #[inline]
    fn plus(self, other: Self) -> Option<Self> {
        let twice = (self.plus & other.plus) | (self.minus & other.minus);
        let (plus, minus) = (self.plus | other.plus, self.minus | other.minus);
        let both = plus & minus;
        (twice == 0).then_some(Self {
            plus: plus & !both,
            minus: minus & !both,
        })
    }

    #[inline]
    fn negated(self) -> Self {
        Self {
            plus: self.minus,
            minus: self.plus,
        }
    }

    #[inline]
    fn up_to_sign(self) -> (Self, bool) {
        let all = self.plus | self.minus;
        let negative = self.minus & all & all.wrapping_neg() != 0;
        (if negative { self.negated() } else { self }, negative)
    }

    fn words(self) -> [u64; 2] {
        [self.plus, self.minus]
    }

    fn from_words([plus, minus]: [u64; 2]) -> Option<Self> {
        (plus & minus == 0).then_some(Self { plus, minus })
    }
}

/// A generator of random words: SplitMix64 (Steele, Lea, Flood 2014), fast and with one word of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// The generator number `stream` of a seed.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut mixer = Self(seed ^ 0x6a09_e667_f3bc_c908);
        let base = mixer.next();
        Self(base.wrapping_add(stream.wrapping_mul(0xd134_2543_de82_ef95)))
    }

    #[inline]
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, which must be at most 2^32; 0 for `n = 0`.
    #[inline]
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (((self.next() >> 32) * n as u64) >> 32) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_sums_are_those_of_integers_or_refused() {
        let mut dice = Dice::new(1, 0);
        let mut refused = 0;
        for _ in 0..2000 {
            let draw = |dice: &mut Dice| -> Sparse {
                let all = (0..6).map(|at| (at, dice.below(3) as i64 - 1));
                all.filter(|e| e.1 != 0).collect()
            };
            let (a, b) = (draw(&mut dice), draw(&mut dice));
            let value = |v: &Sparse, at| v.iter().find(|e| e.0 == at).map_or(0, |e| e.1);
            let sum: Sparse = (0..6)
                .map(|at| (at, value(&a, at) + value(&b, at)))
                .collect();
            let (x, y) = (Signs::of(&a), Signs::of(&b));
            let found = x.zip(y).and_then(|(x, y)| x.plus(y));
            assert_eq!(found, Signs::of(&sum));
            refused += usize::from(found.is_none());
            let (lead, negated) = x.map_or((a.clone(), false), |x| {
                let (v, n) = x.up_to_sign();
                (v.entries(), n)
            });
            assert!(lead.first().is_none_or(|e| e.1 == 1));
            assert_eq!(negated, a.first().is_some_and(|e| e.1 == -1));
        }
        assert!(refused > 100 && refused < 1900, "{refused}");
    }
}
