//! Machine words that hold exponent vectors.

use super::packed::Exps;
use crate::poly::simd;
use std::cell::RefCell;
use std::fmt::Debug;
use std::hash::Hash;
use std::ops::{Add, BitAnd, BitOr, Shl, Shr, Sub};

/// Words of a list that is kept: 512 kilobytes.
const MOST_KEPT: usize = 1 << 16;

thread_local! {
    static LISTS: RefCell<Vec<Vec<u64>>> = const { RefCell::new(Vec::new()) };
}

/// A word that holds one exponent vector.
pub(crate) trait Word:
    Copy
    + Ord
    + Hash
    + Debug
    + Default
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + BitAnd<Output = Self>
    + BitOr<Output = Self>
    + Shl<u32, Output = Self>
    + Shr<u32, Output = Self>
    + 'static
{
    /// Bits of the word.
    const BITS: u32;
    /// All ones: no exponent vector, because the top bits of fields are clear.
    const MAX: Self;
    fn of(value: u32) -> Self;
    /// The low 32 bits.
    fn low(self) -> u32;
    /// A well mixed hash of 64 bits.
    fn mix(self) -> u64;
    fn wrap(words: Vec<Self>) -> Exps;
    /// The inverse, where the words are of this kind.
    fn words(exps: &Exps) -> Option<&[Self]>;
    /// A list of words, perhaps one that was kept: fresh memory costs more than a small product.
    fn list() -> Vec<Self> {
        Vec::new()
    }
    /// Keeps the memory of a list for [`Word::list`], unless it is large.
    fn keep(_: Vec<Self>) {}
    /// Takes the cells that are not zero out of a block, the last one first; see [`simd::drain64`].
    fn drain(
        cells: &mut [i64],
        base: Self,
        table: &[Self],
        words: &mut Vec<Self>,
        values: &mut Vec<i64>,
    ) {
        for (cell, &offset) in cells.iter_mut().zip(table).rev().filter(|(c, _)| **c != 0) {
            words.push(base + offset);
            values.push(std::mem::take(cell));
        }
    }
    /// Takes sums of two words out of a block, the last one first, as long as they fit 64 bits; returns the number of cells that
    /// are left. See [`simd::drain116`].
    fn drain_pairs(
        cells: (&mut [i64], &mut [i64]),
        base: Self,
        table: &[Self],
        words: &mut Vec<Self>,
        values: &mut Vec<i64>,
    ) -> usize {
        simd::drain116_portable(cells, base, table, words, values)
    }
    /// Takes sums of two words out of a block, the last one first; see [`simd::drain_wide`].
    fn drain_wide(
        cells: (&mut [i64], &mut [i64]),
        base: Self,
        table: &[Self],
        words: &mut Vec<Self>,
        values: &mut Vec<i128>,
    ) {
        simd::drain_wide_portable(cells, base, table, words, values);
    }
}

impl Word for u64 {
    const BITS: u32 = 64;
    const MAX: Self = u64::MAX;
    fn of(value: u32) -> Self {
        value.into()
    }
    fn low(self) -> u32 {
        self as u32
    }
    fn mix(self) -> u64 {
        self.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
    fn wrap(words: Vec<Self>) -> Exps {
        Exps::W1(words)
    }
    fn words(exps: &Exps) -> Option<&[Self]> {
        match exps {
            Exps::W1(words) => Some(words),
            _ => None,
        }
    }
    fn list() -> Vec<Self> {
        LISTS.with_borrow_mut(Vec::pop).unwrap_or_default()
    }
    fn keep(mut list: Vec<Self>) {
        if list.capacity() <= MOST_KEPT {
            list.clear();
            LISTS.with_borrow_mut(|lists| {
                if lists.len() < 2 {
                    lists.push(list);
                }
            });
        }
    }
    fn drain(
        cells: &mut [i64],
        base: Self,
        table: &[Self],
        words: &mut Vec<Self>,
        values: &mut Vec<i64>,
    ) {
        simd::drain64(cells, &[base], table, words, values);
    }
    fn drain_pairs(
        cells: (&mut [i64], &mut [i64]),
        base: Self,
        table: &[Self],
        words: &mut Vec<Self>,
        values: &mut Vec<i64>,
    ) -> usize {
        simd::drain116(cells, base, table, words, values)
    }
    fn drain_wide(
        cells: (&mut [i64], &mut [i64]),
        base: Self,
        table: &[Self],
        words: &mut Vec<Self>,
        values: &mut Vec<i128>,
    ) {
        simd::drain_wide(cells, base, table, words, values);
    }
}

impl Word for u128 {
    const BITS: u32 = 128;
    const MAX: Self = u128::MAX;
    fn of(value: u32) -> Self {
        value.into()
    }
    fn low(self) -> u32 {
        self as u32
    }
    fn mix(self) -> u64 {
        ((self >> 64) as u64)
            .wrapping_mul(0xC2B2_AE3D_27D4_EB4F)
            .wrapping_add(self as u64)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
    fn wrap(words: Vec<Self>) -> Exps {
        Exps::W2(words)
    }
    fn words(exps: &Exps) -> Option<&[Self]> {
        match exps {
            Exps::W2(words) => Some(words),
            _ => None,
        }
    }
}
