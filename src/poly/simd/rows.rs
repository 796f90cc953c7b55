//! Products of rows: `cells[x + y] += a[x] * b[y]` for two runs of consecutive cells.
//!
//! One factor is cut into taps, up to four coefficients each, the other into windows of eight cells, which lie
//! between zeros so that nothing needs a mask. A tap meets a window in one straight line of
//! instructions: one load and one store of the cells for up to 32 products, and the only branch is the end of the
//! list of windows, which a processor foresees. (Loops over rows of every length spent most of their time on
//! branches that no processor foresees.) Short rows take narrow taps.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    _mm512_add_epi64, _mm512_loadu_epi64, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64,
    _mm512_mullo_epi64, _mm512_set1_epi64, _mm512_srai_epi64, _mm512_storeu_epi64,
};

/// Most coefficients of one tap.
const TAPS: usize = 4;
/// Coefficients of a tap that are to be had.
pub(crate) const WIDTHS: [usize; 3] = [1, 2, TAPS];
/// Cells of one window.
const LANES: usize = 8;
/// Zeros between rows: a tap looks `TAPS - 1` cells back, and the last window of a row ends at most
/// `TAPS - 1 + LANES - 1` cells after it.
const GAP: usize = TAPS + LANES - 2;
/// Cells that a block must have beyond its last one.
pub(crate) const SLACK: usize = TAPS + LANES;

/// Whether this processor has the instructions for row products.
pub(crate) fn has_rows() -> bool {
    super::level::Level::current() >= super::level::Level::Ifma
}

/// Eight cells from `offset` on that a tap at 0 contributes to: cell `offset + l` takes `data[at + l - t]` times
/// coefficient `t`.
#[derive(Clone, Copy)]
struct Window {
    offset: u32,
    at: u32,
}

/// A part of a list, and the greatest offset in it.
#[derive(Clone, Copy)]
struct Part {
    from: u32,
    to: u32,
    top: u32,
}

/// The factor whose coefficients are taken some at a time, group by group.
pub(crate) struct Taps {
    /// Coefficients of one tap.
    width: usize,
    /// The first cell of each tap.
    offsets: Vec<u32>,
    groups: Vec<Part>,
    /// `width` coefficients a tap; zeros fill up the last tap of a row.
    x: Vec<i64>,
}

/// The factor that lies in windows, group by group.
pub(crate) struct Windows {
    list: Vec<Window>,
    groups: Vec<Part>,
    /// Every window stands at least `TAPS - 1` coefficients after the beginning and `LANES` before the end.
    data: Vec<i64>,
}

/// The rows of a group, offsets descending, as ranges of positions.
fn rows(offsets: &[u32]) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut next = 0;
    std::iter::from_fn(move || {
        let first = next;
        if first == offsets.len() {
            return None;
        }
        next += 1;
        while next < offsets.len() && offsets[next] + 1 == offsets[next - 1] {
            next += 1;
        }
        Some((first, next))
    })
}

impl Taps {
    /// Each group is a range of `coefficients` and their `offsets`, which descend; `width` is one of [`WIDTHS`].
    pub(crate) fn new(
        groups: impl Iterator<Item = (usize, usize)>,
        offsets: &[u32],
        coefficients: &[i64],
        width: usize,
    ) -> Self {
        let mut taps = Self {
            width,
            offsets: Vec::with_capacity(coefficients.len()),
            groups: Vec::new(),
            x: Vec::with_capacity(coefficients.len() * 2),
        };
        for (first, end) in groups {
            let from = taps.offsets.len() as u32;
            let (offsets, values) = (&offsets[first..end], &coefficients[first..end]);
            for (top, bottom) in rows(offsets) {
                // From the end of the row: offsets ascend there.
                let mut k = bottom;
                while k > top {
                    let n = width.min(k - top);
                    taps.offsets.push(offsets[k - 1]);
                    taps.x.extend(values[k - n..k].iter().rev());
                    taps.x.resize(taps.offsets.len() * width, 0);
                    k -= n;
                }
            }
            let list = &taps.offsets[from as usize..];
            let top = list.iter().copied().max().unwrap_or(0);
            let to = taps.offsets.len() as u32;
            taps.groups.push(Part { from, to, top });
        }
        taps
    }
}

impl Windows {
    /// As [`Taps::new`], for taps of that width.
    pub(crate) fn new(
        groups: impl Iterator<Item = (usize, usize)>,
        offsets: &[u32],
        coefficients: &[i64],
        width: usize,
    ) -> Self {
        let mut windows = Self {
            list: Vec::with_capacity(coefficients.len() / 2),
            groups: Vec::new(),
            data: Vec::with_capacity(2 * coefficients.len() + 2 * GAP),
        };
        windows.data.resize(GAP, 0);
        for (first, end) in groups {
            let from = windows.list.len() as u32;
            let (offsets, values) = (&offsets[first..end], &coefficients[first..end]);
            for (top, bottom) in rows(offsets) {
                let (offset, at) = (offsets[bottom - 1], windows.data.len() as u32);
                windows.data.extend(values[top..bottom].iter().rev());
                let reach = (bottom - top + width - 1) as u32;
                for l in (0..reach).step_by(LANES) {
                    windows.list.push(Window {
                        offset: offset + l,
                        at: at + l,
                    });
                }
                windows.data.resize(windows.data.len() + GAP, 0);
            }
            let list = &windows.list[from as usize..];
            let top = list.iter().map(|w| w.offset).max().unwrap_or(0);
            let to = windows.list.len() as u32;
            windows.groups.push(Part { from, to, top });
        }
        windows
    }
}

/// How many taps and windows a factor makes for each of the [`WIDTHS`]: the costs of either role.
pub(crate) fn counts(
    groups: impl Iterator<Item = (usize, usize)>,
    offsets: &[u32],
) -> [(usize, usize); 3] {
    let mut counts = [(0, 0); 3];
    for (first, end) in groups {
        for (top, bottom) in rows(&offsets[first..end]) {
            for ((taps, windows), width) in counts.iter_mut().zip(WIDTHS) {
                *taps += (bottom - top).div_ceil(width);
                *windows += (bottom - top + width - 1).div_ceil(LANES);
            }
        }
    }
    counts
}

/// A group of taps and a group of windows.
struct Pair<'a> {
    width: usize,
    offsets: &'a [u32],
    x: &'a [i64],
    windows: &'a [Window],
    data: &'a [i64],
}

impl<'a> Pair<'a> {
    /// All products of the pair lie in the cells.
    ///
    /// # Panics
    /// When one does not.
    fn new(cells: usize, (taps, i): (&'a Taps, u32), (windows, j): (&'a Windows, u32)) -> Self {
        let (x, y) = (taps.groups[i as usize], windows.groups[j as usize]);
        assert!(x.top as usize + y.top as usize + LANES <= cells);
        let (from, to, width) = (x.from as usize, x.to as usize, taps.width);
        Self {
            width,
            offsets: &taps.offsets[from..to],
            x: &taps.x[from * width..to * width],
            windows: &windows.list[y.from as usize..y.to as usize],
            data: &windows.data,
        }
    }

    /// Adds every product by `add(cell, x, y)`.
    fn each(&self, mut add: impl FnMut(usize, i64, i64)) {
        for (&offset, x) in self.offsets.iter().zip(self.x.chunks_exact(self.width)) {
            for w in self.windows {
                for l in 0..LANES {
                    for (t, &x) in x.iter().enumerate() {
                        let at = (offset + w.offset) as usize + l;
                        add(at, x, self.data[w.at as usize + l - t]);
                    }
                }
            }
        }
    }
}

/// Adds the products of a group of taps and a group of windows, in wrapping 64-bit arithmetic.
///
/// # Panics
/// When a product leaves the cells.
pub(crate) fn rows64(cells: &mut [i64], a: (&Taps, u32), b: (&Windows, u32)) {
    let pair = Pair::new(cells.len(), a, b);
    #[cfg(target_arch = "x86_64")]
    if has_rows() {
        // SAFETY: the instructions were just detected; `Pair::new` has seen that the windows end inside the
        // cells, and `Windows::new` leaves enough zeros around every window.
        unsafe {
            match pair.width {
                1 => narrow::<1>(cells, &pair),
                2 => narrow::<2>(cells, &pair),
                _ => narrow::<TAPS>(cells, &pair),
            }
        }
        return;
    }
    pair.each(|at, x, y| cells[at] = cells[at].wrapping_add(x.wrapping_mul(y)));
}

/// Adds the products of a group of taps and a group of windows, the low 52 bits of the lower parts to
/// `low` (as unsigned numbers) and the rest to `high`, modulo `2^116` together. `plain` promises that all
/// coefficients lie in `0..2^52`.
///
/// # Panics
/// When a product leaves the cells.
pub(crate) fn rows116(
    low: &mut [i64],
    high: &mut [i64],
    a: (&Taps, u32),
    b: (&Windows, u32),
    plain: bool,
) {
    let pair = Pair::new(low.len().min(high.len()), a, b);
    #[cfg(target_arch = "x86_64")]
    if has_rows() {
        // SAFETY: as in `rows64`.
        unsafe {
            match (pair.width, plain) {
                (1, true) => split::<1, true>(low, high, &pair),
                (2, true) => split::<2, true>(low, high, &pair),
                (_, true) => split::<TAPS, true>(low, high, &pair),
                (1, false) => split::<1, false>(low, high, &pair),
                (2, false) => split::<2, false>(low, high, &pair),
                (_, false) => split::<TAPS, false>(low, high, &pair),
            }
        }
        return;
    }
    let _ = plain;
    pair.each(|at, x, y| {
        let product = i128::from(x) * i128::from(y);
        low[at] = low[at].wrapping_add(product as i64 & ((1 << 52) - 1));
        high[at] = high[at].wrapping_add((product >> 52) as i64);
    });
}

/// # Safety
/// Every tap and window together lie in the cells, every window in its data with the zeros around it; the taps have
/// `T` coefficients.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
unsafe fn narrow<const T: usize>(cells: &mut [i64], pair: &Pair<'_>) {
    for (&offset, x) in pair.offsets.iter().zip(pair.x.as_chunks::<T>().0) {
        let x = x.map(|x| _mm512_set1_epi64(x));
        // SAFETY: the caller's promise.
        unsafe {
            let cells = cells.as_mut_ptr().add(offset as usize);
            for w in pair.windows {
                let p = cells.add(w.offset as usize);
                let q = pair.data.as_ptr().add(w.at as usize);
                let product = |t: usize| _mm512_mullo_epi64(x[t], _mm512_loadu_epi64(q.sub(t)));
                let mut sum = product(0);
                for t in 1..T {
                    sum = _mm512_add_epi64(sum, product(t));
                }
                _mm512_storeu_epi64(p, _mm512_add_epi64(_mm512_loadu_epi64(p), sum));
            }
        }
    }
}

/// # Safety
/// As for `narrow`.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
unsafe fn split<const T: usize, const PLAIN: bool>(
    low: &mut [i64],
    high: &mut [i64],
    pair: &Pair<'_>,
) {
    for (&offset, x) in pair.offsets.iter().zip(pair.x.as_chunks::<T>().0) {
        let lower = x.map(|x| _mm512_set1_epi64(x & ((1 << 52) - 1)));
        let upper = x.map(|x| _mm512_set1_epi64(x >> 52));
        let x = x.map(|x| _mm512_set1_epi64(x));
        // SAFETY: the caller's promise.
        unsafe {
            let low = low.as_mut_ptr().add(offset as usize);
            let high = high.as_mut_ptr().add(offset as usize);
            for w in pair.windows {
                let (p, r) = (low.add(w.offset as usize), high.add(w.offset as usize));
                let q = pair.data.as_ptr().add(w.at as usize);
                let (mut l, mut h) = (_mm512_loadu_epi64(p), _mm512_loadu_epi64(r));
                for t in 0..T {
                    // The instructions multiply the low 52 bits as unsigned numbers. With
                    // x = x' + 2^52 x" and y likewise, x y = x' y' + 2^52 (x' y" + x" y).
                    let y = _mm512_loadu_epi64(q.sub(t));
                    l = _mm512_madd52lo_epu64(l, x[t], y);
                    h = _mm512_madd52hi_epu64(h, x[t], y);
                    if !PLAIN {
                        let top = _mm512_mullo_epi64(lower[t], _mm512_srai_epi64::<52>(y));
                        let rest = _mm512_mullo_epi64(upper[t], y);
                        h = _mm512_add_epi64(h, _mm512_add_epi64(top, rest));
                    }
                }
                _mm512_storeu_epi64(p, l);
                _mm512_storeu_epi64(r, h);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{SLACK, Taps, WIDTHS, Windows, counts, rows64, rows116};

    /// Rows of many lengths and signs against the double loop.
    #[test]
    fn taps_and_windows_give_every_product_once() {
        let offsets = |n: u32, gap: u32| -> Vec<u32> {
            (0..n).rev().filter(|k| k % gap != gap - 1).collect()
        };
        let mut state = 7u64;
        let mut values = |n: usize, bits: u32| -> Vec<i64> {
            let mut next = || {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state as i64) >> (63 - bits)
            };
            (0..n).map(|_| next()).collect()
        };
        for (n, g, m, h, bits) in [(1, 9, 3, 9, 20), (40, 7, 33, 50, 30), (29, 5, 64, 22, 61)] {
            let (p, q) = (offsets(n, g), offsets(m, h));
            let (x, y) = (values(p.len(), bits), values(q.len(), bits - 9));
            let whole = |v: &[u32]| std::iter::once((0, v.len()));
            let size = (n + m) as usize + SLACK;
            let mut sums = vec![0i128; size];
            for (i, &s) in p.iter().enumerate() {
                for (j, &t) in q.iter().enumerate() {
                    sums[(s + t) as usize] += i128::from(x[i]) * i128::from(y[j]);
                }
            }
            for (k, width) in WIDTHS.into_iter().enumerate() {
                let taps = Taps::new(whole(&p), &p, &x, width);
                let windows = Windows::new(whole(&q), &q, &y, width);
                let seen = (counts(whole(&p), &p)[k].0, counts(whole(&q), &q)[k].1);
                assert_eq!(seen, (taps.offsets.len(), windows.list.len()));
                let mut cells = vec![0; size];
                rows64(&mut cells, (&taps, 0), (&windows, 0));
                let wrapped: Vec<i64> = sums.iter().map(|&s| s as i64).collect();
                assert_eq!(cells, wrapped);
                let (mut low, mut high) = (vec![0; size], vec![0; size]);
                rows116(&mut low, &mut high, (&taps, 0), (&windows, 0), false);
                let whole = |k: usize| i128::from(low[k] as u64) + (i128::from(high[k]) << 52);
                assert!((0..size).all(|k| whole(k) << 12 == sums[k] << 12));
            }
        }
    }
}
