//! A mergeable accumulator of moments whose result does not depend on threads or on the split.

use super::chunk_sums::{ChunkSums, pair, pairs, triple, triples};
use crate::Error;
use crate::io::samples::{Chunk, Samples};
use crate::run::{Observer, Progress};
use crate::tensor::Tensor;
use faer::Mat;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Rows of one leaf of the summation tree.
pub(crate) const LEAF: u64 = 2048;
/// Leaves that are summed side by side before they are put into the tree.
const BATCH: usize = 16;

/// Mean, covariance and, if wanted, third central moments of rows that arrive in any order, from any number
/// of workers.
///
/// Floating-point sums depend on their order, so the order is fixed by the data: rows have numbers, rows
/// `2048 k .. 2048 (k+1)` form leaf `k`, and leaves are summed by the binary tree over their numbers.
/// An accumulator holds the sums of complete subtrees and the raw rows of incomplete leaves. Two accumulators
/// with different rows merge into the accumulator of all rows, **bit for bit the same** whatever the split,
/// the order of merging or the number of threads.
///
/// # Example
/// ```
/// use wickring::stats::Moments;
/// let (mut left, mut right) = (Moments::new(1, true)?, Moments::new(1, true)?);
/// left.add(0, &[1.0, 2.0])?;
/// right.add(2, &[6.0])?;
/// left.merge(&right)?;
/// let found = left.summary()?;
/// assert_eq!((found.count(), found.mean()[0], found.covariance()[(0, 0)]), (3, 3.0, 7.0));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    pub(crate) columns: usize,
    pub(crate) third_order: bool,
    /// Complete subtrees by the number of their first leaf; the value holds the level.
    pub(crate) trees: BTreeMap<u64, (u32, ChunkSums)>,
    /// Rows of incomplete leaves: leaf number to row number in the leaf to row.
    pub(crate) rows: BTreeMap<u64, BTreeMap<u32, Vec<f64>>>,
}

/// What the moments come to.
///
/// See [`Moments`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct MomentSummary {
    sums: ChunkSums,
}

impl Moments {
    /// An empty accumulator for rows of `columns` entries, with or without the third order.
    ///
    /// # Errors
    /// `InvalidInput` when `columns` is 0 or so large that the sums would not fit an address space.
    pub fn new(columns: usize, third_order: bool) -> Result<Self, Error> {
        let most = if third_order { 1500 } else { 1 << 16 };
        if columns == 0 || columns > most {
            let text = format!("1 to {most} columns, got {columns}");
            return Err(Error::invalid("Moments::new", text));
        }
        let (trees, rows) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self {
            columns,
            third_order,
            trees,
            rows,
        })
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Number of rows seen.
    pub fn count(&self) -> u64 {
        let whole: u64 = self.trees.values().map(|(_, s)| s.count).sum();
        let loose: usize = self.rows.values().map(BTreeMap::len).sum();
        whole + loose as u64
    }

    /// Whether third moments are summed.
    pub(crate) fn has_third_order(&self) -> bool {
        self.third_order
    }

    /// Whether the rows seen are those from 0 on, with none left out.
    pub(crate) fn is_gapless(&self) -> bool {
        let leaf = |(first, (level, _)): (&u64, &(u32, _))| (first + (1 << level)) * LEAF;
        let whole = self.trees.iter().map(leaf).max().unwrap_or(0);
        let loose = self.rows.iter().next_back();
        let loose = loose.and_then(|(leaf, rows)| {
            let last = rows.keys().next_back()?;
            Some(leaf * LEAF + u64::from(*last) + 1)
        });
        self.count() == whole.max(loose.unwrap_or(0))
    }

    /// Adds consecutive rows, the first of which has the number `first_row` in the whole sample.
    ///
    /// # Errors
    /// `Shape` when the length is not a multiple of the columns, `NonFinite`, `InvalidInput` when one of the
    /// rows has been added before.
    pub fn add(&mut self, first_row: u64, rows: &[f64]) -> Result<(), Error> {
        let op = "Moments::add";
        let d = self.columns;
        if !rows.len().is_multiple_of(d) {
            let expected = format!("a multiple of {d} entries");
            return Err(Error::shape(op, expected, rows.len().to_string()));
        }
        if let Some(index) = rows.iter().position(|x| !x.is_finite()) {
            return Err(Error::NonFinite { op, index });
        }
        let last = first_row.checked_add((rows.len() / d) as u64);
        let what = "row number";
        let last = last.ok_or(Error::Overflow { op, what })?;
        self.refuse_overlap(op, first_row, last)?;
        let mut at = first_row;
        let mut left = rows;
        while !left.is_empty() {
            let leaf = at / LEAF;
            let inside = at % LEAF;
            let take = ((LEAF - inside) as usize).min(left.len() / d);
            let (head, tail) = left.split_at(take * d);
            if take as u64 == LEAF {
                self.plant(leaf, 0, ChunkSums::of(head, d, self.third_order));
            } else {
                let slot = self.rows.entry(leaf).or_default();
                for (i, row) in head.chunks_exact(d).enumerate() {
                    slot.insert(inside as u32 + i as u32, row.to_vec());
                }
                self.complete(leaf);
            }
            at += take as u64;
            left = tail;
        }
        Ok(())
    }

    /// Adds everything that `other` has seen.
    ///
    /// # Errors
    /// `Shape` when columns or order differ, `InvalidInput` when both have seen the same row.
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        let op = "Moments::merge";
        if (self.columns, self.third_order) != (other.columns, other.third_order) {
            let show = |m: &Self| format!("{} columns, third order {}", m.columns, m.third_order);
            return Err(Error::shape(op, show(self), show(other)));
        }
        for (&leaf, (level, _)) in &other.trees {
            self.refuse_overlap(op, leaf * LEAF, (leaf + (1 << level)) * LEAF)?;
        }
        for (&leaf, rows) in &other.rows {
            for &i in rows.keys() {
                let row = leaf * LEAF + u64::from(i);
                self.refuse_overlap(op, row, row + 1)?;
            }
        }
        for (&leaf, (level, sums)) in &other.trees {
            self.plant(leaf, *level, sums.clone());
        }
        for (&leaf, rows) in &other.rows {
            let slot = self.rows.entry(leaf).or_default();
            slot.extend(rows.iter().map(|(i, row)| (*i, row.clone())));
            self.complete(leaf);
        }
        Ok(())
    }

    /// The moments of a streamed sample, each chunk sent through `prepare` first, which appends `columns`
    /// entries for every row that it keeps; kept rows are numbered through. Leaves are summed in parallel.
    ///
    /// # Errors
    /// Those of reading and of [`Moments::new`]; `Stopped` when the observer asks for it.
    ///
    /// # Complexity
    /// `O(n d^2)`, or `O(n d^3)` with the third order; memory `O(d^2 log n)` or `O(d^3 log n)`.
    /// Here `n` is the number of rows and `d` the number of columns.
    pub fn of_samples(
        samples: &Samples,
        (columns, third_order): (usize, bool),
        prepare: &(dyn Fn(&Chunk, &mut Vec<f64>) + Sync),
        observer: Observer<'_>,
    ) -> Result<Self, Error> {
        let op = "Moments::of_samples";
        let mut moments = Self::new(columns, third_order)?;
        let total = samples.rows() as u64;
        let mut kept = Vec::new();
        let mut next = 0;
        for chunk in samples.chunks(LEAF as usize) {
            let chunk = chunk?;
            let p = Progress::of("moments", chunk.first_row as u64, total);
            if observer(&p).is_break() {
                return Err(Error::Stopped { op });
            }
            prepare(&chunk, &mut kept);
            if kept.len() >= BATCH * LEAF as usize * columns {
                moments.add_batch(&mut next, &mut kept);
            }
        }
        moments.add_batch(&mut next, &mut kept);
        moments.add(next, &kept)?;
        Ok(moments)
    }

    /// Adds the complete leaves at the front of `rows`, which start at row `next`, and removes them.
    fn add_batch(&mut self, next: &mut u64, rows: &mut Vec<f64>) {
        let leaf = LEAF as usize * self.columns;
        let whole = rows.len() / leaf * leaf;
        let (d, third) = (self.columns, self.third_order);
        let sums: Vec<ChunkSums> = rows[..whole]
            .par_chunks(leaf)
            .map(|block| ChunkSums::of(block, d, third))
            .collect();
        for s in sums {
            self.plant(*next / LEAF, 0, s);
            *next += LEAF;
        }
        rows.drain(..whole);
    }

    /// The moments of all rows seen so far.
    ///
    /// # Errors
    /// `InvalidInput` when fewer than three rows have been seen.
    pub fn summary(&self) -> Result<MomentSummary, Error> {
        let count = self.count();
        if count < 3 {
            let text = format!("at least 3 samples, got {count}");
            return Err(Error::invalid("Moments::summary", text));
        }
        let mut parts: BTreeMap<u64, ChunkSums> = BTreeMap::new();
        for (&leaf, (_, sums)) in &self.trees {
            parts.insert(leaf, sums.clone());
        }
        for (&leaf, rows) in &self.rows {
            let flat: Vec<f64> = rows.values().flatten().copied().collect();
            parts.insert(leaf, ChunkSums::of(&flat, self.columns, self.third_order));
        }
        let merged = parts.into_values().reduce(|a, b| a.merge(&b));
        let empty = || Error::invalid("Moments::summary", "at least 3 samples, got 0");
        Ok(MomentSummary {
            sums: merged.ok_or_else(empty)?,
        })
    }

    /// Puts a complete subtree in its place and joins it with its sibling as often as there is one.
    fn plant(&mut self, mut leaf: u64, mut level: u32, mut sums: ChunkSums) {
        loop {
            let size = 1u64 << level;
            let sibling = leaf ^ size;
            match self.trees.get(&sibling) {
                Some((l, _)) if *l == level => {}
                _ => break,
            }
            if let Some((_, other)) = self.trees.remove(&sibling) {
                sums = if sibling < leaf {
                    other.merge(&sums)
                } else {
                    sums.merge(&other)
                };
            }
            leaf = leaf.min(sibling);
            level += 1;
        }
        self.trees.insert(leaf, (level, sums));
    }

    /// Turns a leaf whose rows are all there into a subtree.
    fn complete(&mut self, leaf: u64) {
        let full = |rows: &BTreeMap<u32, Vec<f64>>| rows.len() as u64 == LEAF;
        if self.rows.get(&leaf).is_some_and(full)
            && let Some(rows) = self.rows.remove(&leaf)
        {
            let flat: Vec<f64> = rows.into_values().flatten().collect();
            let sums = ChunkSums::of(&flat, self.columns, self.third_order);
            self.plant(leaf, 0, sums);
        }
    }

    fn refuse_overlap(&self, op: &'static str, from: u64, to: u64) -> Result<(), Error> {
        let seen = |row: u64| Error::invalid(op, format!("row {row} has been added before"));
        if from >= to {
            return Ok(());
        }
        let before = self.trees.range(..=(to - 1) / LEAF).next_back();
        if let Some((&leaf, (level, _))) = before
            && (leaf + (1 << level)) * LEAF > from
        {
            return Err(seen(from.max(leaf * LEAF)));
        }
        for (&leaf, rows) in self.rows.range(from / LEAF..=(to - 1) / LEAF) {
            for &i in rows.keys() {
                let row = leaf * LEAF + u64::from(i);
                if (from..to).contains(&row) {
                    return Err(seen(row));
                }
            }
        }
        Ok(())
    }
}

impl MomentSummary {
    /// Number of rows.
    pub fn count(&self) -> u64 {
        self.sums.count
    }

    /// The mean of each column.
    pub fn mean(&self) -> &[f64] {
        &self.sums.mean
    }

    /// The covariance matrix, unbiased (divided by `n - 1`), `d x d`.
    pub fn covariance(&self) -> Mat<f64> {
        let d = self.sums.mean.len();
        let n = self.sums.count as f64;
        Mat::from_fn(d, d, |a, b| {
            self.sums.second[pair(a.min(b), a.max(b))] / (n - 1.0)
        })
    }

    /// The summary of the columns `keep`, each multiplied by its `factor`; the third order is dropped.
    pub(crate) fn rescaled(&self, keep: &[usize], factor: &[f64]) -> Self {
        let m = keep.len();
        let mean = (0..m)
            .map(|i| self.sums.mean[keep[i]] * factor[i])
            .collect();
        let mut second = vec![0.0; pairs(m)];
        for j in 0..m {
            for i in 0..=j {
                let (a, b) = (keep[i].min(keep[j]), keep[i].max(keep[j]));
                second[pair(i, j)] = self.sums.second[pair(a, b)] * factor[i] * factor[j];
            }
        }
        let (count, third) = (self.sums.count, Vec::new());
        Self {
            sums: ChunkSums {
                count,
                mean,
                second,
                third,
            },
        }
    }

    /// The third cumulants, unbiased (`n / ((n-1)(n-2))` times the central sums), `d x d x d`; `None` when
    /// the third order was not kept.
    pub fn third_cumulants(&self) -> Option<Tensor> {
        let d = self.sums.mean.len();
        if self.sums.third.is_empty() {
            return None;
        }
        let n = self.sums.count as f64;
        let factor = n / ((n - 1.0) * (n - 2.0));
        Tensor::from_fn(&[d, d, d], |i| {
            let mut i = [i[0], i[1], i[2]];
            i.sort_unstable();
            self.sums.third[triple(i[0], i[1], i[2])] * factor
        })
        .ok()
    }
}

/// The lengths of the packed sums for `d` columns: second and third order.
pub(crate) fn packed_lengths(d: usize, third_order: bool) -> (usize, usize) {
    (pairs(d), if third_order { triples(d) } else { 0 })
}
