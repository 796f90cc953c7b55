//! Reading out blocks of cells: what is not zero, with its monomial, greatest first.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    _mm512_add_epi64, _mm512_loadu_epi64, _mm512_mask_storeu_epi64, _mm512_maskz_compress_epi64,
    _mm512_maskz_loadu_epi64, _mm512_permutexvar_epi64, _mm512_set1_epi64, _mm512_setzero_si512,
    _mm512_storeu_epi64, _mm512_test_epi64_mask,
};

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
    if is_x86_feature_detected!("avx512f") {
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

#[cfg(test)]
mod tests {
    use super::drain64;

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
