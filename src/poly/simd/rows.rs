//! Products of rows: `cells[x + y] += a[x] * b[y]` for two runs of consecutive cells.
//!
//! One factor is cut into taps, four coefficients each, the other into windows of eight cells, which lie
//! between zeros so that nothing needs a mask. A tap meets a window in one straight line of
//! instructions: one load and one store of the cells for 32 products, and the only branch is the end of the
//! list of windows, which a processor foresees. (Loops over rows of every length spent most of their time on
//! branches that no processor foresees.)

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    _mm512_add_epi64, _mm512_loadu_epi64, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64,
    _mm512_mullo_epi64, _mm512_set1_epi64, _mm512_srai_epi64, _mm512_storeu_epi64,
};

/// Coefficients of one tap.
const TAPS: usize = 4;
/// Cells of one window.
const LANES: usize = 8;
/// Zeros between rows: a tap looks `TAPS - 1` cells back, and the last window of a row ends at most
/// `TAPS - 1 + LANES - 1` cells after it.
const GAP: usize = TAPS + LANES - 2;
/// Cells that a block must have beyond its last one.
pub(crate) const SLACK: usize = TAPS + LANES;

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

/// Four coefficients of one row, of the cells `offset..offset + 4`; zeros fill up the last tap of a row.
#[derive(Clone, Copy)]
struct Tap {
    offset: u32,
    x: [i64; TAPS],
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

/// The factor whose coefficients are taken four at a time, group by group.
pub(crate) struct Taps {
    list: Vec<Tap>,
    groups: Vec<Part>,
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
    /// Each group is a range of `coefficients` and their `offsets`, which descend.
    pub(crate) fn new(
        groups: impl Iterator<Item = (usize, usize)>,
        offsets: &[u32],
        coefficients: &[i64],
    ) -> Self {
        let mut taps = Self {
            list: Vec::with_capacity(coefficients.len() / 2),
            groups: Vec::new(),
        };
        for (first, end) in groups {
            let from = taps.list.len() as u32;
            let (offsets, values) = (&offsets[first..end], &coefficients[first..end]);
            for (top, bottom) in rows(offsets) {
                // From the end of the row: offsets ascend there.
                let mut k = bottom;
                while k > top {
                    let n = TAPS.min(k - top);
                    let mut x = [0; TAPS];
                    for (t, x) in x[..n].iter_mut().enumerate() {
                        *x = values[k - 1 - t];
                    }
                    let offset = offsets[k - 1];
                    taps.list.push(Tap { offset, x });
                    k -= n;
                }
            }
            let list = &taps.list[from as usize..];
            let top = list.iter().map(|t| t.offset).max().unwrap_or(0);
            let to = taps.list.len() as u32;
            taps.groups.push(Part { from, to, top });
        }
        taps
    }
}

impl Windows {
    /// As [`Taps::new`].
    pub(crate) fn new(
        groups: impl Iterator<Item = (usize, usize)>,
        offsets: &[u32],
        coefficients: &[i64],
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
                let reach = (bottom - top + TAPS - 1) as u32;
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

/// How many taps and windows a factor makes: the costs of either role.
pub(crate) fn counts(
    groups: impl Iterator<Item = (usize, usize)>,
    offsets: &[u32],
) -> (usize, usize) {
    let (mut taps, mut windows) = (0, 0);
    for (first, end) in groups {
        for (top, bottom) in rows(&offsets[first..end]) {
            taps += (bottom - top).div_ceil(TAPS);
            windows += (bottom - top + TAPS - 1).div_ceil(LANES);
        }
    }
    (taps, windows)
}

/// Taps and windows of a pair of groups, all of whose products lie in the cells.
///
/// # Panics
/// When a product leaves the cells.
fn parts<'a>(
    cells: usize,
    (taps, i): (&'a Taps, u32),
    (windows, j): (&'a Windows, u32),
) -> (&'a [Tap], &'a [Window]) {
    let (x, y) = (taps.groups[i as usize], windows.groups[j as usize]);
    assert!(x.top as usize + y.top as usize + LANES <= cells);
    (
        &taps.list[x.from as usize..x.to as usize],
        &windows.list[y.from as usize..y.to as usize],
    )
}

/// Adds the products of a group of taps and a group of windows, in wrapping 64-bit arithmetic.
///
/// # Panics
/// When a product leaves the cells.
pub(crate) fn rows64(cells: &mut [i64], a: (&Taps, u32), b: (&Windows, u32)) {
    let (taps, windows) = parts(cells.len(), a, b);
    #[cfg(target_arch = "x86_64")]
    if has_rows() {
        // SAFETY: the instructions were just detected; `parts` has seen that the windows end inside the
        // cells, and `Windows::new` leaves enough zeros around every window.
        unsafe { narrow(cells, taps, windows, &b.0.data) };
        return;
    }
    for (tap, w) in pairs(taps, windows) {
        for l in 0..LANES {
            let cell = &mut cells[(tap.offset + w.offset) as usize + l];
            for (t, x) in tap.x.iter().enumerate() {
                let y = b.0.data[w.at as usize + l - t];
                *cell = cell.wrapping_add(x.wrapping_mul(y));
            }
        }
    }
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
    let (taps, windows) = parts(low.len().min(high.len()), a, b);
    #[cfg(target_arch = "x86_64")]
    if has_rows() {
        // SAFETY: as in `rows64`.
        unsafe {
            match plain {
                true => split::<true>(low, high, taps, windows, &b.0.data),
                false => split::<false>(low, high, taps, windows, &b.0.data),
            }
        }
        return;
    }
    let _ = plain;
    for (tap, w) in pairs(taps, windows) {
        for l in 0..LANES {
            let at = (tap.offset + w.offset) as usize + l;
            for (t, &x) in tap.x.iter().enumerate() {
                let product = i128::from(x) * i128::from(b.0.data[w.at as usize + l - t]);
                low[at] = low[at].wrapping_add(product as i64 & ((1 << 52) - 1));
                high[at] = high[at].wrapping_add((product >> 52) as i64);
            }
        }
    }
}

fn pairs<'a>(
    taps: &'a [Tap],
    windows: &'a [Window],
) -> impl Iterator<Item = (&'a Tap, &'a Window)> {
    taps.iter()
        .flat_map(move |t| windows.iter().map(move |w| (t, w)))
}

/// # Safety
/// Every tap and window together lie in the cells, every window in `data` with the zeros around it.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
unsafe fn narrow(cells: &mut [i64], taps: &[Tap], windows: &[Window], data: &[i64]) {
    for tap in taps {
        let x = tap.x.map(|x| _mm512_set1_epi64(x));
        // SAFETY: the caller's promise.
        unsafe {
            let cells = cells.as_mut_ptr().add(tap.offset as usize);
            for w in windows {
                let p = cells.add(w.offset as usize);
                let q = data.as_ptr().add(w.at as usize);
                let product = |t: usize| _mm512_mullo_epi64(x[t], _mm512_loadu_epi64(q.sub(t)));
                let (c, d) = (
                    _mm512_add_epi64(product(0), product(1)),
                    _mm512_add_epi64(product(2), product(3)),
                );
                let sum = _mm512_add_epi64(_mm512_loadu_epi64(p), _mm512_add_epi64(c, d));
                _mm512_storeu_epi64(p, sum);
            }
        }
    }
}

/// # Safety
/// As for `narrow`.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
unsafe fn split<const PLAIN: bool>(
    low: &mut [i64],
    high: &mut [i64],
    taps: &[Tap],
    windows: &[Window],
    data: &[i64],
) {
    for tap in taps {
        let x = tap.x.map(|x| _mm512_set1_epi64(x));
        let lower = tap.x.map(|x| _mm512_set1_epi64(x & ((1 << 52) - 1)));
        let upper = tap.x.map(|x| _mm512_set1_epi64(x >> 52));
        // SAFETY: the caller's promise.
        unsafe {
            let low = low.as_mut_ptr().add(tap.offset as usize);
            let high = high.as_mut_ptr().add(tap.offset as usize);
            for w in windows {
                let (p, r) = (low.add(w.offset as usize), high.add(w.offset as usize));
                let q = data.as_ptr().add(w.at as usize);
                let (mut l, mut h) = (_mm512_loadu_epi64(p), _mm512_loadu_epi64(r));
                for t in 0..TAPS {
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
    use super::{SLACK, Taps, Windows, counts, rows64, rows116};

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
            let taps = Taps::new(whole(&p), &p, &x);
            let windows = Windows::new(whole(&q), &q, &y);
            let expected = (taps.list.len(), windows.list.len());
            let seen = (counts(whole(&p), &p).0, counts(whole(&q), &q).1);
            assert_eq!(seen, expected);
            let size = (n + m) as usize + SLACK;
            let mut sums = vec![0i128; size];
            for (i, &s) in p.iter().enumerate() {
                for (j, &t) in q.iter().enumerate() {
                    sums[(s + t) as usize] += i128::from(x[i]) * i128::from(y[j]);
                }
            }
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
