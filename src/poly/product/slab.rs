//! Slab products: the result one block at a time.
//!
//! Both factors are cut into groups by the exponents of the first variables. Pairs of groups are sorted by
//! the block they fall into; each block is then accumulated completely in one small array that stays in
//! cache and is written out in descending order, so the result is born sorted and memory is touched once.

use super::Budget;
use super::cells::{Block, Terms};
use super::grid::{CELLS, Grid, Side};
use super::rows::Kernel;
use crate::Error;
use crate::poly::monomials::Word;
use rayon::prelude::*;

const OP: &str = "Poly::mul_within";

/// Pairs of groups, sorted by the block that they contribute to.
pub(crate) struct Pairs {
    /// Keys of the blocks that occur, ascending.
    keys: Vec<u64>,
    /// `pairs[starts[k]..starts[k + 1]]` belong to `keys[k]`.
    starts: Vec<u32>,
    pairs: Vec<(u32, u32)>,
}

/// More blocks than this times the pairs are not counted one by one but sorted.
const COUNTED: u64 = 8;

impl Pairs {
    pub(crate) fn new(grid: &Grid, a: &Side, b: &Side) -> Self {
        let count = a.groups.len() * b.groups.len();
        if grid.blocks <= COUNTED * count as u64 + 64 {
            return Self::counted(grid, a, b, count);
        }
        let mut all = Vec::with_capacity(count);
        for (i, x) in a.groups.iter().enumerate() {
            for (j, y) in b.groups.iter().enumerate() {
                all.push((x.key + y.key, i as u32, j as u32));
            }
        }
        all.sort_unstable();
        let (mut keys, mut starts) = (Vec::new(), Vec::new());
        for (n, &(key, ..)) in all.iter().enumerate() {
            if keys.last() != Some(&key) {
                keys.push(key);
                starts.push(n as u32);
            }
        }
        starts.push(count as u32);
        let pairs = all.into_iter().map(|(_, i, j)| (i, j)).collect();
        Self {
            keys,
            starts,
            pairs,
        }
    }

    fn counted(grid: &Grid, a: &Side, b: &Side, count: usize) -> Self {
        let mut ends = vec![0u32; grid.blocks as usize + 1];
        for x in &a.groups {
            for y in &b.groups {
                ends[(x.key + y.key) as usize + 1] += 1;
            }
        }
        let mut sum = 0;
        for end in &mut ends {
            sum += *end;
            *end = sum;
        }
        let mut next = ends.clone();
        let mut pairs = vec![(0, 0); count];
        for (i, x) in a.groups.iter().enumerate() {
            for (j, y) in b.groups.iter().enumerate() {
                let slot = &mut next[(x.key + y.key) as usize];
                pairs[*slot as usize] = (i as u32, j as u32);
                *slot += 1;
            }
        }
        let keys = (0..grid.blocks).filter(|&k| ends[k as usize] < ends[k as usize + 1]);
        let keys: Vec<u64> = keys.collect();
        let mut starts: Vec<u32> = keys.iter().map(|&k| ends[k as usize]).collect();
        starts.push(count as u32);
        Self {
            keys,
            starts,
            pairs,
        }
    }

    /// Number of blocks.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    fn of(&self, k: usize) -> &[(u32, u32)] {
        &self.pairs[self.starts[k] as usize..self.starts[k + 1] as usize]
    }
}

/// Terms written out so far.
pub(crate) struct Output<W, T> {
    pub(crate) words: Vec<W>,
    pub(crate) values: Vec<T>,
}

/// The whole product of two sides by `kernel`.
pub(crate) fn multiply<W: Word, K: Kernel>(
    (grid, a, b, pairs): &(Grid, Side, Side, Pairs),
    kernel: &K,
    budget: &Budget<'_>,
) -> Result<Output<W, K::Value>, Error> {
    let table = grid.table::<W>();
    let work = |from: usize, to: usize, words: Vec<W>| {
        let mut scratch = kernel.scratch();
        // A guess that spares small results most of the copying while the lists grow.
        let room = ((to - from) * grid.cells).min(8 * (a.offsets.len() + b.offsets.len()));
        let values = Vec::with_capacity(room);
        let mut out = Output { words, values };
        for k in (from..to).rev() {
            if out.words.capacity() - out.words.len() < grid.cells {
                grow(&mut out, grid.cells, (pairs, from, k, to));
            }
            let range = kernel.accumulate(&mut scratch, a, b, pairs.of(k));
            let base = grid.base(pairs.keys[k]);
            kernel.emit(&mut scratch, range, base, &table, &mut out);
            budget.check_terms(OP, out.words.len())?;
            if k % 64 == 0 {
                budget.check_time(OP)?;
            }
        }
        kernel.give_back(scratch);
        Ok(out)
    };
    let products = a.offsets.len() as f64 * b.offsets.len() as f64;
    let threads = rayon::current_num_threads();
    let all = pairs.keys.len();
    // Below this, starting and joining tasks costs more than it saves (a few microseconds each).
    let out = if threads == 1 || products < 4e5 || all < 4 {
        let mut out = work(0, all, W::list())?;
        if out.words.len() <= KEPT {
            let words = out.words.as_slice().into();
            W::keep(std::mem::replace(&mut out.words, words));
            out.values.shrink_to_fit();
        }
        out
    } else {
        let cuts = cuts(pairs, a, b, 8 * threads);
        let chunks: Vec<(usize, usize)> = cuts.windows(2).rev().map(|w| (w[0], w[1])).collect();
        let part = |&(from, to): &(usize, usize)| work(from, to, Vec::new());
        let parts: Result<Vec<_>, Error> = chunks.par_iter().map(part).collect();
        let parts = parts?;
        budget.check_terms(OP, parts.iter().map(|p| p.words.len()).sum())?;
        joined(parts, &kernel.blank())
    };
    W::keep(table);
    Ok(out)
}

/// Results up to here are gathered in memory that is kept.
const KEPT: usize = 1 << 16;

/// Makes room for another block, and for as many terms as the rest will have if it goes on like this.
fn grow<W, T>(
    out: &mut Output<W, T>,
    cells: usize,
    (pairs, from, k, to): (&Pairs, usize, usize, usize),
) {
    let first = |k: usize| f64::from(pairs.starts[k]);
    let (done, rest) = (first(to) - first(k + 1), first(k + 1) - first(from));
    let len = out.words.len();
    // Never more than threefold: early blocks say little about late ones.
    let more = (len as f64 * 1.05 * rest / done.max(1.0)).min(2.0 * len as f64);
    let more = (more as usize).max(len / 2) + cells + 8;
    out.words.reserve_exact(more);
    out.values.reserve_exact(more);
}

/// Cuts the blocks into `n` stretches of about equal work.
fn cuts(pairs: &Pairs, a: &Side, b: &Side, n: usize) -> Vec<usize> {
    let mut work = Vec::with_capacity(pairs.keys.len() + 1);
    let mut sum = 0u64;
    work.push(0);
    for k in 0..pairs.keys.len() {
        for &(i, j) in pairs.of(k) {
            let (x, y) = (a.groups[i as usize], b.groups[j as usize]);
            sum += u64::from(x.end - x.first) * u64::from(y.end - y.first) + 8;
        }
        work.push(sum);
    }
    let mut cuts: Vec<usize> = (0..n as u64)
        .map(|q| work.partition_point(|&w| w < sum * q / n as u64))
        .collect();
    cuts.push(pairs.keys.len());
    cuts.dedup();
    cuts
}

/// One list from many, copied by as many threads as there are parts.
pub(crate) fn joined<W: Word, T: Clone + Send + Sync>(
    parts: Vec<Output<W, T>>,
    blank: &T,
) -> Output<W, T> {
    let total = parts.iter().map(|p| p.words.len()).sum();
    let mut words = vec![W::default(); total];
    let mut values = vec![blank.clone(); total];
    let mut jobs = Vec::with_capacity(parts.len());
    let (mut w, mut v) = (words.as_mut_slice(), values.as_mut_slice());
    for part in parts {
        let (w1, w2) = std::mem::take(&mut w).split_at_mut(part.words.len());
        let (v1, v2) = std::mem::take(&mut v).split_at_mut(part.words.len());
        jobs.push((part, w1, v1));
        (w, v) = (w2, v2);
    }
    jobs.into_par_iter().for_each(|(part, w, v)| {
        w.copy_from_slice(&part.words);
        v.clone_from_slice(&part.values);
    });
    Output { words, values }
}

/// Adds all products of the pairs to the block; returns the touched range of cells.
pub(crate) fn scatter<T: Terms>(
    terms: &T,
    cells: &mut Block<T::Cell>,
    a: &Side,
    b: &Side,
    pairs: &[(u32, u32)],
) -> (usize, usize) {
    let (mut low, mut high) = (u32::MAX, 0);
    for &(i, j) in pairs {
        let (x, y) = (a.groups[i as usize], b.groups[j as usize]);
        let right = &b.offsets[y.first as usize..y.end as usize];
        let left = &a.offsets[x.first as usize..x.end as usize];
        // Terms descend, so the first of a group has the greatest offset.
        high = high.max(left[0] + right[0]);
        low = low.min(left[left.len() - 1] + right[right.len() - 1]);
        for (k, &base) in left.iter().enumerate() {
            let i = x.first as usize + k;
            terms.scatter(cells, base, i, y.first as usize, right);
        }
    }
    (low as usize, high as usize)
}

/// Writes out the cells `low..=high`, greatest first, and clears them.
pub(crate) fn emit<W: Word, T: Terms>(
    terms: &T,
    cells: &mut Block<T::Cell>,
    range: (usize, usize),
    base: W,
    table: &[W],
    out: &mut Output<W, T::Cell>,
) {
    for at in (range.0..=range.1).rev() {
        let cell = &mut cells[at & (CELLS - 1)];
        if !T::is_zero(cell) {
            out.words.push(base + table[at]);
            out.values.push(std::mem::replace(cell, terms.zero()));
        }
    }
}
