//! Entries of a sparse tensor sorted by each mode, for products that add to one row at a time.
//!
//! ```text
//! for each row i of mode m:
//!     sum = 0
//!     for each entry (i, j, k, ..) of the row: sum += value * (row j of B) .* (row k of C) .* ..
//!     row i of the result = sum
//! ```
//!
//! Departures: (1) indices have 32 bits; (2) rows of factors are contiguous and as wide as a multiple of eight, so that the
//! inner loops have no remainder; (3) the row that is added to stays in registers; (4) blocks of rows run side by side, and no
//! two add to the same row, so that the bits do not depend on the number of threads.
//!
//! An entry and mode costs 12 bytes of indices and value and two gathered rows at order three; unsorted coordinates write a
//! third. Fibres (CSF) would save more only where they hold several entries.

use super::factor::Factor;
use super::sparse::SparseTensor;
use crate::Error;
use rayon::prelude::*;

/// Width that rows of factors are padded to a multiple of.
const LANES: usize = 8;
/// Columns that are summed side by side where there are as many: two lines of the cache.
const WIDE: usize = 16;
/// Entries that one task has about.
const TASK: usize = 1 << 14;

/// Rows of a factor, each padded with zeros to [`width`].
pub(crate) type PaddedRows = Vec<f64>;

/// Entries by every mode.
pub(crate) struct SparseModes {
    modes: Vec<Mode>,
}

/// Entries by one mode.
struct Mode {
    /// Where the entries of each row start; one more for the end.
    starts: Vec<usize>,
    /// The indices of the other modes, in order, for each entry.
    others: Vec<u32>,
    values: Vec<f64>,
}

/// The rows of a factor, padded.
pub(crate) fn padded(f: &Factor) -> PaddedRows {
    let (rank, width) = (f.cols(), width(f.cols()));
    let mut out = vec![0.0; f.rows() * width];
    for r in 0..rank {
        let to = out.iter_mut().skip(r).step_by(width);
        to.zip(f.column(r)).for_each(|(o, &x)| *o = x);
    }
    out
}

/// The factor of padded rows.
pub(crate) fn unpadded(rows: &PaddedRows, rank: usize) -> Factor {
    let width = width(rank);
    Factor::from_fn(rows.len() / width, rank, |i, r| rows[i * width + r])
}

/// The width of a row with `rank` entries.
pub(crate) fn width(rank: usize) -> usize {
    rank.next_multiple_of(LANES)
}

impl SparseModes {
    /// Sorts the entries, divided by `scale`, by every mode.
    ///
    /// # Errors
    /// `LimitExceeded` when a mode is longer than 32 bits count.
    ///
    /// # Complexity
    /// `O(order (nnz order + sum(n_m)))` time and memory.
    pub(crate) fn of(t: &SparseTensor, scale: f64) -> Result<Self, Error> {
        let limit = u64::from(u32::MAX);
        if t.dims().iter().any(|&n| n as u64 > limit) {
            return Err(Error::limit("SparseTensor", "indices of a mode", limit));
        }
        let mode = |m: usize| Mode::of(t, m, scale);
        let modes = (0..t.order()).into_par_iter().map(mode).collect();
        Ok(Self { modes })
    }

    /// The entries of one row of a mode: the indices of the other modes, in order, and the values.
    pub(crate) fn row(&self, mode: usize, i: usize) -> (&[u32], &[f64]) {
        let m = &self.modes[mode];
        let (from, to) = (m.starts[i], m.starts[i + 1]);
        let others = self.modes.len() - 1;
        (&m.others[from * others..to * others], &m.values[from..to])
    }

    /// The matricised tensor times Khatri-Rao product of one mode, rows of padded width.
    pub(crate) fn mttkrp(&self, factors: &[PaddedRows], rank: usize, mode: usize) -> PaddedRows {
        let (m, width) = (&self.modes[mode], width(rank));
        let rows = m.starts.len() - 1;
        let mut out = vec![0.0; rows * width];
        let others: Vec<&[f64]> = (0..factors.len())
            .filter(|&k| k != mode)
            .map(|k| factors[k].as_slice())
            .collect();
        let mean = (m.values.len() / rows.max(1)).max(1);
        let height = (TASK / mean).clamp(1, rows.max(1));
        let blocks = out.par_chunks_mut(height * width).enumerate();
        blocks.for_each(|(b, block)| m.add_rows(b * height, block, &others, width));
        if others.is_empty() {
            // Nothing to multiply with, so the values went into the padding too.
            let rows = out.chunks_exact_mut(width);
            rows.for_each(|row| row[rank..].fill(0.0));
        }
        out
    }
}

impl Mode {
    fn of(t: &SparseTensor, mode: usize, scale: f64) -> Self {
        let order = t.order();
        let mut starts = vec![0usize; t.dims()[mode] + 1];
        for (index, _) in t.entries() {
            starts[index[mode] + 1] += 1;
        }
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        let mut next = starts.clone();
        let mut others = vec![0u32; t.nnz() * (order - 1)];
        let mut values = vec![0.0; t.nnz()];
        for (index, &x) in t.entries() {
            let at = next[index[mode]];
            next[index[mode]] += 1;
            values[at] = x / scale;
            let rest = index.iter().enumerate().filter(|(k, _)| *k != mode);
            let to = &mut others[at * (order - 1)..(at + 1) * (order - 1)];
            // Below 2^32 by the check in `SparseModes::of`.
            to.iter_mut()
                .zip(rest)
                .for_each(|(o, (_, &i))| *o = i as u32);
        }
        Self {
            starts,
            others,
            values,
        }
    }

    /// Adds to rows `first..` of the product, `width` entries each.
    fn add_rows(&self, first: usize, block: &mut [f64], factors: &[&[f64]], width: usize) {
        for (i, row) in block.chunks_exact_mut(width).enumerate() {
            let range = self.starts[first + i]..self.starts[first + i + 1];
            if range.is_empty() {
                continue;
            }
            let mut lane = 0;
            while lane + WIDE <= width {
                self.add_row::<WIDE>(range.clone(), (row, lane), factors, width);
                lane += WIDE;
            }
            if lane < width {
                self.add_row::<LANES>(range, (row, lane), factors, width);
            }
        }
    }

    /// `L` columns of one row.
    fn add_row<const L: usize>(
        &self,
        range: std::ops::Range<usize>,
        (row, lane): (&mut [f64], usize),
        factors: &[&[f64]],
        width: usize,
    ) {
        let mut sum = [0.0; L];
        for at in range {
            let mut product = [self.values[at]; L];
            let index = &self.others[at * factors.len()..(at + 1) * factors.len()];
            for (f, &j) in factors.iter().zip(index) {
                let from = j as usize * width + lane;
                let row = &f[from..from + L];
                product.iter_mut().zip(row).for_each(|(p, a)| *p *= a);
            }
            sum.iter_mut().zip(&product).for_each(|(s, p)| *s += p);
        }
        row[lane..lane + L].copy_from_slice(&sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::by_rows;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        /// The product by definition, with rows without entries, long modes and ranks beside the width.
        #[test]
        fn sorted_entries_give_the_product(
            dims in prop::collection::vec(1usize..9, 1..5),
            rank in 1usize..20,
            draws in prop::collection::vec((any::<u16>(), -8i8..8), 0..60),
        ) {
            let entry = |(k, v): &(u16, i8)| {
                let mut k = usize::from(*k);
                let index = dims.iter().map(|&n| { let i = k % n; k /= n; i }).collect();
                (index, f64::from(*v))
            };
            let entries: Vec<(Vec<usize>, f64)> = draws.iter().map(entry).collect();
            let t = SparseTensor::from_entries(&dims, entries, |a, b| a + b);
            let t = t.map_err(|e| TestCaseError::fail(e.to_string()))?;
            let small = |n: usize| Factor::from_fn(n, rank, |i, r| ((i * 5 + r * 3) % 7) as f64 - 3.0);
            let factors: Vec<Factor> = dims.iter().map(|&n| small(n)).collect();
            let padded: Vec<PaddedRows> = factors.iter().map(padded).collect();
            let sorted = SparseModes::of(&t, 1.0).map_err(|e| TestCaseError::fail(e.to_string()))?;
            for mode in 0..dims.len() {
                let expected = t.mttkrp(&factors, mode).map_err(|e| TestCaseError::fail(e.to_string()))?;
                let found = sorted.mttkrp(&padded, rank, mode);
                let w = width(rank);
                let rows: Vec<f64> = found.chunks_exact(w).flat_map(|r| r[..rank].to_vec()).collect();
                prop_assert_eq!(rows, by_rows(&expected));
                prop_assert!(found.chunks_exact(w).all(|r| r[rank..].iter().all(|&x| x == 0.0)));
            }
        }
    }
}
