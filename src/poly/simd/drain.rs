//! Reading out blocks of cells: what is not zero, with its monomial, greatest first.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    _mm512_add_epi64, _mm512_cmpge_epu64_mask, _mm512_loadu_epi64, _mm512_mask_storeu_epi64,
    _mm512_maskz_compress_epi64, _mm512_maskz_loadu_epi64, _mm512_or_si512,
    _mm512_permutex2var_epi64, _mm512_permutexvar_epi64, _mm512_set1_epi64, _mm512_setzero_si512,
    _mm512_slli_epi64, _mm512_srai_epi64, _mm512_srli_epi64, _mm512_storeu_epi64,
    _mm512_test_epi64_mask,
};
use std::ops::Add;

/// Cells looked at together.
const LANES: usize = 8;

/// Takes the cells that are not zero out of `bases.len()` blocks of `table.len()` cells, the last cell of the last block
/// first, and leaves zeros: `words` get the base of the block plus the entry of the table, `values` the cell.
///
/// # Panics
/// When there are fewer cells.
pub(crate) fn drain64(
    cells: &mut [i64],
    bases: &[u64],
    table: &[u64],
    words: &mut Vec<u64>,
    values: &mut Vec<i64>,
) {
    assert!(bases.len() * table.len() <= cells.len());
    #[cfg(target_arch = "x86_64")]
    if super::level::has_avx512() {
        // SAFETY: the instructions were just detected, the sizes just checked.
        unsafe { drain512(cells, bases, table, words, values) };
        return;
    }
    for (b, &base) in bases.iter().enumerate().rev() {
        let block = &mut cells[b * table.len()..(b + 1) * table.len()];
        for (cell, &offset) in block.iter_mut().zip(table).rev() {
            if *cell != 0 {
                words.push(base + offset);
                values.push(std::mem::take(cell));
            }
        }
    }
}

/// # Safety
/// `cells` hold `bases.len()` blocks of `table.len()`.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn drain512(
    cells: &mut [i64],
    bases: &[u64],
    table: &[u64],
    words: &mut Vec<u64>,
    values: &mut Vec<i64>,
) {
    let size = table.len();
    let reversed = {
        let order: [i64; LANES] = [7, 6, 5, 4, 3, 2, 1, 0];
        // SAFETY: eight numbers are read.
        unsafe { _mm512_loadu_epi64(order.as_ptr()) }
    };
    for (b, &base) in bases.iter().enumerate().rev() {
        // Full vectors are stored, so there is room for one more than can be filled.
        words.reserve(size + LANES);
        values.reserve(size + LANES);
        let base = _mm512_set1_epi64(base as i64);
        let (mut count, mut end) = (0, size);
        // SAFETY: lanes beyond `end - start` are masked; at most `size` terms are written, and a vector more.
        unsafe {
            let cells = cells.as_mut_ptr().add(b * size);
            let to_words = words.as_mut_ptr().add(words.len());
            let to_values = values.as_mut_ptr().add(values.len());
            while end > 0 {
                let start = end.saturating_sub(LANES);
                let some = 0xffu8 >> (LANES - (end - start));
                end = start;
                let found = _mm512_maskz_loadu_epi64(some, cells.add(start));
                let found = _mm512_permutexvar_epi64(reversed, found);
                let kept = _mm512_test_epi64_mask(found, found);
                if kept == 0 {
                    continue;
                }
                _mm512_mask_storeu_epi64(cells.add(start), some, _mm512_setzero_si512());
                let offset = _mm512_maskz_loadu_epi64(some, table.as_ptr().add(start).cast());
                let word = _mm512_add_epi64(base, _mm512_permutexvar_epi64(reversed, offset));
                let word = _mm512_maskz_compress_epi64(kept, word);
                _mm512_storeu_epi64(to_words.add(count).cast(), word);
                let value = _mm512_maskz_compress_epi64(kept, found);
                _mm512_storeu_epi64(to_values.add(count), value);
                count += kept.count_ones() as usize;
            }
            words.set_len(words.len() + count);
            values.set_len(values.len() + count);
        }
    }
}

/// The sum of two words modulo `2^116`, known to lie in `(-2^115, 2^115)`: `low` unsigned, and `high` times `2^52`.
pub(crate) fn whole(low: i64, high: i64) -> i128 {
    let sum = i128::from(low as u64).wrapping_add(i128::from(high) << 52);
    sum << 12 >> 12
}

/// Takes the sums of two words that are not zero out of a block, the last cell first, and leaves zeros, until one does not fit
/// 64 bits. Returns the number of cells that are left.
///
/// # Panics
/// When the lists differ in length.
pub(crate) fn drain116(
    (low, high): (&mut [i64], &mut [i64]),
    base: u64,
    table: &[u64],
    words: &mut Vec<u64>,
    values: &mut Vec<i64>,
) -> usize {
    assert!(low.len() == table.len() && high.len() == table.len());
    #[cfg(target_arch = "x86_64")]
    if super::level::has_avx512() {
        // SAFETY: the instructions were just detected, the sizes just checked.
        return unsafe { pairs512::<false, _>(low, high, base, table, words, values) };
    }
    drain116_portable((low, high), base, table, words, values)
}

/// The portable form of [`drain116`], for words of any width.
pub(crate) fn drain116_portable<W: Copy + Add<Output = W>>(
    (low, high): (&mut [i64], &mut [i64]),
    base: W,
    table: &[W],
    words: &mut Vec<W>,
    values: &mut Vec<i64>,
) -> usize {
    for at in (0..table.len()).rev() {
        if low[at] | high[at] == 0 {
            continue;
        }
        let Ok(value) = i64::try_from(whole(low[at], high[at])) else {
            return at + 1;
        };
        if value != 0 {
            words.push(base + table[at]);
            values.push(value);
        }
        (low[at], high[at]) = (0, 0);
    }
    0
}

/// As [`drain116`], for values of 128 bits: none is left.
///
/// # Panics
/// When the lists differ in length.
pub(crate) fn drain_wide(
    (low, high): (&mut [i64], &mut [i64]),
    base: u64,
    table: &[u64],
    words: &mut Vec<u64>,
    values: &mut Vec<i128>,
) {
    assert!(low.len() == table.len() && high.len() == table.len());
    #[cfg(target_arch = "x86_64")]
    if super::level::has_avx512() {
        // SAFETY: the instructions were just detected, the sizes just checked.
        unsafe { pairs512::<true, _>(low, high, base, table, words, values) };
        return;
    }
    drain_wide_portable((low, high), base, table, words, values);
}

/// The portable form of [`drain_wide`], for words of any width.
pub(crate) fn drain_wide_portable<W: Copy + Add<Output = W>>(
    (low, high): (&mut [i64], &mut [i64]),
    base: W,
    table: &[W],
    words: &mut Vec<W>,
    values: &mut Vec<i128>,
) {
    for at in (0..table.len()).rev() {
        let value = whole(low[at], high[at]);
        if value != 0 {
            words.push(base + table[at]);
            values.push(value);
        }
        (low[at], high[at]) = (0, 0);
    }
}

/// # Safety
/// The lists have one length; `V` is `i128` when sums are wide and `i64` otherwise.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn pairs512<const WIDE: bool, V>(
    low: &mut [i64],
    high: &mut [i64],
    base: u64,
    table: &[u64],
    words: &mut Vec<u64>,
    values: &mut Vec<V>,
) -> usize {
    let order = |order: [i64; LANES]| {
        // SAFETY: eight numbers are read.
        unsafe { _mm512_loadu_epi64(order.as_ptr()) }
    };
    let reversed = order([7, 6, 5, 4, 3, 2, 1, 0]);
    // Words of two vectors in turn.
    let (first, second) = (
        order([0, 8, 1, 9, 2, 10, 3, 11]),
        order([4, 12, 5, 13, 6, 14, 7, 15]),
    );
    // Full vectors are stored, so there is room for one more than can be filled.
    words.reserve(table.len() + LANES);
    values.reserve(table.len() + LANES);
    let base = _mm512_set1_epi64(base as i64);
    let (half, most) = (_mm512_set1_epi64(1 << 11), _mm512_set1_epi64(1 << 12));
    let limbs = if WIDE { 2 } else { 1 };
    let (mut count, mut end) = (0, table.len());
    // SAFETY: lanes beyond `end - start` are masked; at most `table.len()` terms are written, and a vector more.
    unsafe {
        let (low, high) = (low.as_mut_ptr(), high.as_mut_ptr());
        let to_words = words.as_mut_ptr().add(words.len());
        let to_values: *mut i64 = values.as_mut_ptr().add(values.len()).cast();
        while end > 0 {
            let start = end.saturating_sub(LANES);
            let some = 0xffu8 >> (LANES - (end - start));
            let l = _mm512_maskz_loadu_epi64(some, low.add(start));
            let h = _mm512_maskz_loadu_epi64(some, high.add(start));
            let any = _mm512_or_si512(l, h);
            if _mm512_test_epi64_mask(any, any) == 0 {
                end = start;
                continue;
            }
            // With the carry of the low word, 64 bits hold the sum when the high word lies in -2^11..2^11.
            let top = _mm512_add_epi64(h, _mm512_srli_epi64::<52>(l));
            if !WIDE && _mm512_cmpge_epu64_mask(_mm512_add_epi64(top, half), most) != 0 {
                break;
            }
            end = start;
            let sum = _mm512_add_epi64(l, _mm512_slli_epi64::<52>(h));
            let sum = _mm512_permutexvar_epi64(reversed, sum);
            let mut kept = _mm512_test_epi64_mask(sum, sum);
            let upper = _mm512_permutexvar_epi64(reversed, _mm512_srai_epi64::<12>(top));
            if WIDE {
                kept |= _mm512_test_epi64_mask(upper, upper);
            }
            _mm512_mask_storeu_epi64(low.add(start), some, _mm512_setzero_si512());
            _mm512_mask_storeu_epi64(high.add(start), some, _mm512_setzero_si512());
            let offset = _mm512_maskz_loadu_epi64(some, table.as_ptr().add(start).cast());
            let word = _mm512_add_epi64(base, _mm512_permutexvar_epi64(reversed, offset));
            let word = _mm512_maskz_compress_epi64(kept, word);
            _mm512_storeu_epi64(to_words.add(count).cast(), word);
            let sum = _mm512_maskz_compress_epi64(kept, sum);
            let to = to_values.add(limbs * count);
            if WIDE {
                let upper = _mm512_maskz_compress_epi64(kept, upper);
                _mm512_storeu_epi64(to, _mm512_permutex2var_epi64(sum, first, upper));
                let more = _mm512_permutex2var_epi64(sum, second, upper);
                _mm512_storeu_epi64(to.add(LANES), more);
            } else {
                _mm512_storeu_epi64(to, sum);
            }
            count += kept.count_ones() as usize;
        }
        words.set_len(words.len() + count);
        values.set_len(values.len() + count);
    }
    end
}

#[cfg(test)]
mod tests {
    use super::{drain_wide, drain64, drain116, drain116_portable, whole};

    /// Sums at the borders of 64 bits, in every form that two words can have.
    #[test]
    fn pairs_are_drained_until_one_does_not_fit() {
        let edges = [0, 1, -1, 77, i64::MAX, i64::MIN, -(1 << 52), (1 << 52) - 1];
        let edges = edges.map(i128::from);
        let wide = [
            1 << 63,
            -(1 << 63) - 1,
            (1 << 114) + 5,
            -(1 << 114),
            1 << 100,
        ];
        for (size, stop) in [
            (1, None),
            (7, None),
            (8, None),
            (30, None),
            (30, Some(11)),
            (9, Some(0)),
            (65, Some(64)),
        ] {
            for case in 0..wide.len() {
                let sum = |k: usize| match stop {
                    Some(s) if s == k => wide[case],
                    _ if k % 5 == 2 => 0,
                    _ => edges[(k * k + case) % edges.len()],
                };
                // Low words above 2^52, as they are before carries are taken.
                let spread = |k: usize| (k % 3) as i128 * 1000;
                let low = |k: usize| ((sum(k) & ((1 << 52) - 1)) + (spread(k) << 52)) as i64;
                let high = |k: usize| ((sum(k) >> 52) - spread(k)) as i64;
                let mut cells = (
                    (0..size).map(low).collect::<Vec<_>>(),
                    (0..size).map(high).collect::<Vec<_>>(),
                );
                assert!((0..size).all(|k| whole(cells.0[k], cells.1[k]) == sum(k)));
                let mut other = cells.clone();
                let mut all = cells.clone();
                let table: Vec<u64> = (0..size as u64).map(|t| 3 * t).collect();
                let (mut words, mut values) = (vec![1], vec![2]);
                let rest = drain116(
                    (&mut cells.0, &mut cells.1),
                    10,
                    &table,
                    &mut words,
                    &mut values,
                );
                let (mut w, mut v) = (vec![1], vec![2]);
                let left =
                    drain116_portable((&mut other.0, &mut other.1), 10, &table, &mut w, &mut v);
                // The vectors stop at the beginning of the vector that holds the first such sum.
                assert!(rest >= left && rest < left + 8 && (rest == 0) == stop.is_none());
                assert!(values.len() <= v.len() && v.starts_with(&values) && w.starts_with(&words));
                for k in (0..size).filter(|&k| k >= rest) {
                    assert_eq!((cells.0[k], cells.1[k]), (0, 0));
                }
                let (mut w, mut wide) = (vec![1], vec![2]);
                drain_wide((&mut all.0, &mut all.1), 10, &table, &mut w, &mut wide);
                let some = (0..size).rev().filter(|&k| sum(k) != 0);
                let (x, y): (Vec<u64>, Vec<i128>) = some.map(|k| (10 + table[k], sum(k))).unzip();
                assert_eq!((&w[1..], &wide[1..]), (x.as_slice(), y.as_slice()));
                assert!(all.0.iter().chain(&all.1).all(|&c| c == 0));
                let all: Vec<i64> = (left..size)
                    .rev()
                    .filter(|&k| sum(k) != 0)
                    .map(|k| sum(k) as i64)
                    .collect();
                assert_eq!(v[1..], all);
            }
        }
    }

    #[test]
    fn what_is_drained_is_what_was_there_in_descending_order() {
        for (blocks, size) in [(1, 1), (1, 21), (5, 3), (7, 8), (3, 30), (2, 65)] {
            let cell = |k: usize| {
                if k % 3 == 1 || k % 7 == 2 {
                    k as i64 - 40
                } else {
                    0
                }
            };
            let mut cells: Vec<i64> = (0..blocks * size).map(cell).collect();
            let bases: Vec<u64> = (0..blocks as u64).map(|b| 1000 * b).collect();
            let table: Vec<u64> = (0..size as u64).map(|t| 2 * t).collect();
            let (mut words, mut values) = (vec![5], vec![6]);
            drain64(&mut cells, &bases, &table, &mut words, &mut values);
            let (mut w, mut v) = (vec![5], vec![6]);
            for k in (0..blocks * size).rev().filter(|&k| cell(k) != 0) {
                w.push(1000 * (k / size) as u64 + 2 * (k % size) as u64);
                v.push(cell(k));
            }
            assert_eq!((words, values), (w, v));
            assert!(cells.iter().all(|&c| c == 0));
        }
    }
}
