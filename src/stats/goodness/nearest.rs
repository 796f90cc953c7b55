//! Distances from points to their nearest rows, on vectors.
//!
//! Rows stand in the order of their first coordinate. Squared distances of a point to rows go into a buffer, and their least values over
//! [`GROUPS`] interleaved groups beside it: these are distances of different rows, so the `k`-th of them bounds the `k`-th nearest
//! row. The rows next in order give a first bound, which leaves a window of rows near enough in their first coordinate; the least
//! values there give a second one, and the few distances up to it are all that is looked at further.

use faer::traits::pulp::Arch;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

/// Interleaved groups; more than the farthest neighbour asked for.
const GROUPS: usize = 32;
/// Rows next in order that the first bound is taken from.
const NEXT: usize = 4 * GROUPS;
/// Distances compared with the bound at once.
const RUN: usize = 8;

/// Rows in the order of their first coordinate, coordinate by coordinate, filled up to whole groups with rows at infinity.
pub(super) struct Rows {
    columns: Vec<f64>,
    stride: usize,
    count: usize,
}

impl Rows {
    pub(super) fn of(rows: &[f64], d: usize) -> Self {
        let count = rows.len() / d;
        let stride = count.next_multiple_of(GROUPS);
        let mut columns = vec![f64::INFINITY; stride * d];
        let mut order: Vec<&[f64]> = rows.chunks_exact(d).collect();
        order.sort_by(|a, b| a[0].total_cmp(&b[0]));
        for (i, row) in order.into_iter().enumerate() {
            for (a, x) in row.iter().enumerate() {
                columns[a * stride + i] = *x;
            }
        }
        Self {
            columns,
            stride,
            count,
        }
    }

    /// Squared distances of the `wanted`-th nearest rows (from 1, at most [`GROUPS`]` - 1`) of each point, sorted over the points; with
    /// `own` the points are the rows themselves, each without itself.
    ///
    /// # Complexity
    /// `O(points rows d)` at most for rows of `d` entries, about a nanosecond for each pair in few dimensions; in two or three dimensions a window holds a
    /// part of the rows.
    pub(super) fn nearest<const K: usize>(
        &self,
        points: &[f64],
        wanted: [usize; K],
        own: bool,
    ) -> [Vec<f64>; K] {
        let d = self.columns.len() / self.stride.max(1);
        let skip = usize::from(own);
        let most = wanted.iter().fold(0, |m, k| m.max(*k)) + skip;
        let found: Vec<[f64; K]> = (0..points.len() / d.max(1))
            .into_par_iter()
            .map_init(
                || (vec![0.0; self.stride], Vec::with_capacity(4 * GROUPS)),
                |(gaps, near), i| {
                    let x = &points[i * d..(i + 1) * d];
                    Arch::new().dispatch(
                        #[inline(always)]
                        || self.near(x, most.min(self.count), gaps, near),
                    );
                    // Nothing is nearer to a row than itself.
                    wanted.map(|k| order_statistic(near, k - 1 + skip))
                },
            )
            .collect();
        std::array::from_fn(|k| {
            let mut all: Vec<f64> = found.iter().map(|f| f[k]).collect();
            all.sort_unstable_by(f64::total_cmp);
            all
        })
    }

    /// Leaves in `near` the `most` least squared distances to `x`, and a few more.
    #[inline(always)]
    fn near(&self, x: &[f64], most: usize, gaps: &mut [f64], near: &mut Vec<f64>) {
        let first = &self.columns[..self.stride];
        let from = first
            .partition_point(|y| *y < x[0])
            .saturating_sub(NEXT / 2);
        let from = from.min(self.stride.saturating_sub(NEXT));
        let bound = self.bound(x, most, from, &mut gaps[..NEXT.min(self.stride)]);
        // Rounding of the square and its root.
        let reach = bound.sqrt() * (1.0 + 1e-12) + f64::MIN_POSITIVE;
        let low = first.partition_point(|y| *y < x[0] - reach);
        let high = first.partition_point(|y| *y <= x[0] + reach);
        let length = high
            .saturating_sub(low)
            .next_multiple_of(GROUPS)
            .max(GROUPS);
        let low = low.min(self.stride.saturating_sub(length));
        let length = length.min(self.stride - low);
        let bound = bound.min(self.bound(x, most, low, &mut gaps[..length]));
        near.clear();
        for run in gaps[..length].chunks_exact(RUN) {
            if run.iter().fold(false, |any, g| any | (*g <= bound)) {
                near.extend(run.iter().filter(|g| **g <= bound));
            }
        }
    }

    /// Squared distances of the rows from `from` on, whole groups of them, and a bound on the `most`-th least.
    #[inline(always)]
    fn bound(&self, x: &[f64], most: usize, from: usize, gaps: &mut [f64]) -> f64 {
        let mut least = [f64::INFINITY; GROUPS];
        for (g, out) in gaps.chunks_exact_mut(GROUPS).enumerate() {
            let at = from + g * GROUPS;
            let mut sums = [0.0; GROUPS];
            for (column, x) in self.columns.chunks_exact(self.stride).zip(x) {
                for (s, y) in sums.iter_mut().zip(&column[at..at + GROUPS]) {
                    *s += (y - x) * (y - x);
                }
            }
            for (l, s) in least.iter_mut().zip(&sums) {
                *l = if *s < *l { *s } else { *l };
            }
            out.copy_from_slice(&sums);
        }
        // Of fewer rows than groups some groups hold none: then the bound is infinite and all rows are looked at.
        order_statistic(&mut least, most.clamp(1, GROUPS) - 1)
    }
}

/// The value at place `k` in rising order, the last one where there are fewer.
fn order_statistic(values: &mut [f64], k: usize) -> f64 {
    let Some(last) = values.len().checked_sub(1) else {
        return f64::NAN;
    };
    *values.select_nth_unstable_by(k.min(last), f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The distances of all pairs, sorted.
    #[test]
    fn nearest_rows_are_those_of_all_pairs() {
        let entry = |i: usize| ((i * i + 7 * i) as f64 * 0.37).sin();
        for (n, d) in [(25, 1), (31, 2), (64, 3), (700, 2), (1500, 1), (97, 5)] {
            let rows: Vec<f64> = (0..n * d).map(entry).collect();
            let points: Vec<f64> = (0..40 * d).map(|i| entry(i + 1000)).collect();
            for own in [false, true] {
                let points = if own { &rows } else { &points };
                let mut want: [Vec<f64>; 3] = std::array::from_fn(|_| Vec::new());
                for (i, x) in points.chunks_exact(d).enumerate() {
                    let gap = |r: &[f64]| {
                        let square = r.iter().zip(x).map(|(a, b)| (a - b) * (a - b));
                        square.sum::<f64>()
                    };
                    let mut gaps: Vec<f64> = rows.chunks_exact(d).map(gap).collect();
                    if own {
                        gaps.remove(i);
                    }
                    gaps.sort_unstable_by(f64::total_cmp);
                    for (w, k) in want.iter_mut().zip([1, 5, 20]) {
                        w.push(gaps[k - 1]);
                    }
                }
                want.iter_mut()
                    .for_each(|w| w.sort_unstable_by(f64::total_cmp));
                assert_eq!(Rows::of(&rows, d).nearest(points, [1, 5, 20], own), want);
            }
        }
    }
}
