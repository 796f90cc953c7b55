//! Products of rows: `cells[x + y] += a[x] * b[y]` for two runs of consecutive cells.
//!
//! A window of up to 32 result cells stays in registers while the shorter row passes over the longer one,
//! which lies between zeros so that no window needs a mask.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_and_epi64, _mm512_loadu_epi64, _mm512_madd52hi_epu64,
    _mm512_madd52lo_epu64, _mm512_mask_sub_epi64, _mm512_mullo_epi64, _mm512_set1_epi64,
    _mm512_setzero_si512, _mm512_storeu_epi64, _mm512_sub_epi64, _mm512_test_epi64_mask,
};

/// Zeros before, between and after rows: one window.
pub(crate) const PAD: usize = 32;

/// A run of consecutive cells: coefficient `k` of the row lies in `data[at + k]` and belongs to the cell
/// `offset + k`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) offset: u32,
    pub(crate) at: u32,
    pub(crate) len: u32,
}

/// Rows and the padded memory that they lie in.
pub(crate) type Padded<'a> = (&'a [Row], &'a [i64]);

/// Whether this processor has the instructions for row products.
pub(crate) fn has_rows() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512ifma")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}

/// Asserts that the windows of a pair of rows stay inside all three slices.
fn in_bounds(cells: usize, x: &Row, a: &[i64], y: &Row, b: &[i64]) {
    let inside = |r: &Row, data: &[i64]| {
        r.at as usize >= PAD && r.at as usize + r.len as usize + PAD <= data.len()
    };
    let end = x.offset as usize + y.offset as usize + x.len as usize + y.len as usize;
    assert!(inside(x, a) && inside(y, b) && end + PAD <= cells + 1);
}

/// Adds the products of all pairs of rows, in wrapping 64-bit arithmetic.
///
/// # Panics
/// When a row leaves its data or a product the cells.
pub(crate) fn rows64(cells: &mut [i64], a: Padded<'_>, b: Padded<'_>) {
    #[cfg(target_arch = "x86_64")]
    if has_rows() {
        // SAFETY: the instructions were just detected.
        unsafe { all::<false, false>(cells, &mut [], a, b) };
        return;
    }
    for x in a.0 {
        for y in b.0 {
            in_bounds(cells.len(), x, a.1, y, b.1);
            for i in 0..x.len as usize {
                for j in 0..y.len as usize {
                    let at = x.offset as usize + y.offset as usize + i + j;
                    let product = a.1[x.at as usize + i].wrapping_mul(b.1[y.at as usize + j]);
                    cells[at] = cells[at].wrapping_add(product);
                }
            }
        }
    }
}

/// Adds the products of all pairs of rows of 51-bit coefficients, the low 52 bits of every product to
/// `low` (as unsigned numbers) and the rest to `high`.
///
/// # Panics
/// When a row leaves its data or a product the cells.
pub(crate) fn rows104(
    low: &mut [i64],
    high: &mut [i64],
    a: Padded<'_>,
    b: Padded<'_>,
    signed: bool,
) {
    #[cfg(target_arch = "x86_64")]
    if has_rows() {
        assert_eq!(low.len(), high.len());
        // SAFETY: the instructions were just detected.
        unsafe {
            match signed {
                true => all::<true, true>(low, high, a, b),
                false => all::<true, false>(low, high, a, b),
            }
        }
        return;
    }
    let _ = signed;
    for x in a.0 {
        for y in b.0 {
            in_bounds(low.len(), x, a.1, y, b.1);
            for i in 0..x.len as usize {
                for j in 0..y.len as usize {
                    let at = x.offset as usize + y.offset as usize + i + j;
                    let (p, q) = (a.1[x.at as usize + i], b.1[y.at as usize + j]);
                    let product = i128::from(p) * i128::from(q);
                    low[at] = low[at].wrapping_add(product as i64 & ((1 << 52) - 1));
                    high[at] += (product >> 52) as i64;
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn all<const SPLIT: bool, const SIGNED: bool>(
    low: &mut [i64],
    high: &mut [i64],
    a: Padded<'_>,
    b: Padded<'_>,
) {
    for x in a.0 {
        for y in b.0 {
            in_bounds(low.len(), x, a.1, y, b.1);
            let base = (x.offset + y.offset) as usize;
            let (mut p, mut n) = (a.1[x.at as usize..].as_ptr(), x.len as isize);
            let (mut q, mut m) = (b.1[y.at as usize..].as_ptr(), y.len as isize);
            if n > m {
                (p, n, q, m) = (q, m, p, n);
            }
            let end = n + m - 1;
            let mut from = 0;
            while from < end {
                let left = end - from;
                let lanes = ((left + 7) / 8).min(4);
                let first = (from - m + 1).max(0);
                let last = (from + 8 * lanes - 1).min(n - 1);
                let at = base + from as usize;
                let l = low[at..].as_mut_ptr();
                let h = if SPLIT { high[at..].as_mut_ptr() } else { l };
                let run = (first, last, from);
                // SAFETY: `in_bounds` holds: at most 32 lanes from `at` lie in the cells, and `q` has
                // that many zeros on either side.
                unsafe {
                    match lanes {
                        1 => window::<1, SPLIT, SIGNED>(l, h, p, q, run),
                        2 => window::<2, SPLIT, SIGNED>(l, h, p, q, run),
                        3 => window::<3, SPLIT, SIGNED>(l, h, p, q, run),
                        _ => window::<4, SPLIT, SIGNED>(l, h, p, q, run),
                    }
                }
                from += 8 * lanes;
            }
        }
    }
}

/// `V` vectors of result cells, starting `run.2` cells into the row, gather `p[t] * q[. - t]` for
/// `run.0 <= t <= run.1`.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
unsafe fn window<const V: usize, const SPLIT: bool, const SIGNED: bool>(
    low: *mut i64,
    high: *mut i64,
    p: *const i64,
    q: *const i64,
    run: (isize, isize, isize),
) {
    let mask = _mm512_set1_epi64((1 << 52) - 1);
    let sign = _mm512_set1_epi64(1 << 51);
    let mut l: [__m512i; V] = [_mm512_setzero_si512(); V];
    let mut h = l;
    for v in 0..V {
        // SAFETY: the caller's promise.
        unsafe {
            l[v] = _mm512_loadu_epi64(low.add(8 * v));
            if SPLIT {
                h[v] = _mm512_loadu_epi64(high.add(8 * v));
            }
        }
    }
    for t in run.0..=run.1 {
        // SAFETY: `t` is inside the row, and the window over `q` inside its padding.
        let (x, from) = unsafe { (*p.offset(t), q.offset(run.2 - t)) };
        let xs = _mm512_set1_epi64(x);
        for v in 0..V {
            // SAFETY: as above.
            let y = unsafe { _mm512_loadu_epi64(from.add(8 * v)) };
            if !SPLIT {
                l[v] = _mm512_add_epi64(l[v], _mm512_mullo_epi64(xs, y));
                continue;
            }
            // The instruction multiplies the low 52 bits as unsigned numbers; a negative factor is
            // then 2^52 too large, which is taken back from the high half.
            l[v] = _mm512_madd52lo_epu64(l[v], xs, y);
            h[v] = _mm512_madd52hi_epu64(h[v], xs, y);
            if SIGNED {
                let negative = _mm512_test_epi64_mask(y, sign);
                h[v] = _mm512_mask_sub_epi64(h[v], negative, h[v], xs);
                if x < 0 {
                    h[v] = _mm512_sub_epi64(h[v], _mm512_and_epi64(y, mask));
                }
            }
        }
    }
    for v in 0..V {
        // SAFETY: the caller's promise.
        unsafe {
            _mm512_storeu_epi64(low.add(8 * v), l[v]);
            if SPLIT {
                _mm512_storeu_epi64(high.add(8 * v), h[v]);
            }
        }
    }
}
