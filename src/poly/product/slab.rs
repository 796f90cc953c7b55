//! Slab products: the result one block at a time.
//!
//! Both factors are cut into groups by the exponents of the first variables. Pairs of groups are sorted by
//! the block they fall into; each block is then accumulated completely in one small array that stays in
//! cache and is written out in descending order, so the result is born sorted and memory is touched once.

use super::budget::Task;
use super::cells::{Block, Terms};
use super::column::{Column, flat};
use super::grid::{CELLS, Grid, Side};
use super::rows::Kernel;
use crate::Error;
use crate::poly::monomials::word::Word;
use crate::poly::parallel;

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
#[derive(Default)]
pub(crate) struct Output<W, V> {
    pub(crate) words: Vec<W>,
    pub(crate) values: V,
}

impl<W: Word, V: Column> Output<W, V> {
    pub(crate) fn new(words: Vec<W>, values: V) -> Self {
        Self { words, values }
    }

    pub(crate) fn reserve(&mut self, more: usize) {
        // Room to spare is not touched. But an allocator that gives memory at the end of the heap back when it is more than twice
        // the longest list that was ever freed (as glibc's) keeps both lists for the next product if one is longer.
        let spare = if more > KEPT { more / 2 } else { 0 };
        self.words.reserve_exact(more + spare);
        self.values.reserve(more);
    }

    /// The terms as the task wants them.
    pub(crate) fn finished(mut self, task: &Task<'_>) -> Self {
        let Some(by) = task.modulus else {
            return self;
        };
        let mut reduced = Self::default();
        V::reduce(by, &mut self, &mut reduced);
        reduced
    }

    /// One list from many, copied by as many threads as there are parts.
    pub(crate) fn joined(parts: Vec<Self>) -> Self {
        let words: Vec<&[W]> = parts.iter().map(|p| p.words.as_slice()).collect();
        let words = flat(&words, W::default());
        let values = V::joined(parts.into_iter().map(|p| p.values).collect());
        Self { words, values }
    }
}

/// Two sides in a grid, and which groups of them meet in which block.
pub(crate) type Blocks = (Grid, Side, Side, Pairs);

/// A product under way.
struct Slab<'a, W, K> {
    blocks: &'a Blocks,
    kernel: &'a K,
    task: &'a Task<'a>,
    table: Vec<W>,
}

impl<W: Word, K: Kernel> Slab<'_, W, K> {
    /// Forms block `k`.
    fn block(&self, k: usize, scratch: &mut K::Scratch, out: &mut Output<W, K::Column>) {
        let (grid, a, b, pairs) = self.blocks;
        let range = self.kernel.accumulate(scratch, a, b, pairs.of(k));
        let base = grid.base(pairs.keys[k]);
        self.kernel.emit(scratch, range, base, &self.table, out);
    }

    /// Terms of the blocks `from..to` and an empty list as wide as they may need, from a few of them: fresh memory is dear,
    /// copies of half a result are dearer.
    fn expected(&self, from: usize, to: usize, scratch: &mut K::Scratch) -> (usize, K::Column) {
        let samples = ((to - from) / SHARE).min(SAMPLES);
        let (mut some, mut seen) = (Output::new(W::list(), K::Column::default()), 0);
        for s in 0..samples {
            let k = from + (2 * s + 1) * (to - from) / (2 * samples);
            self.block(k, scratch, &mut some);
            seen += some.words.len();
            some.words.clear();
            some.values.clear();
        }
        W::keep(some.words);
        // A tenth more than expected: memory that is never touched costs nothing.
        let terms = (seen as f64 * (to - from) as f64 / samples.max(1) as f64 * 1.1) as usize;
        (terms, some.values)
    }

    /// The blocks `from..to`, the last one first.
    fn stretch(&self, from: usize, to: usize, keep: bool) -> Result<Output<W, K::Column>, Error> {
        let (grid, a, b, pairs) = self.blocks;
        let (task, budget) = (self.task, &self.task.budget);
        let mut scratch = self.kernel.scratch();
        let (expected, values) = self.expected(from, to, &mut scratch);
        let room = if expected > KEPT {
            expected
        } else {
            // A guess that spares small results most of the copying while the lists grow.
            ((to - from) * grid.cells).min(8 * (a.offsets.len() + b.offsets.len()))
        };
        let room = room.min(budget.terms) + grid.cells + SPARE;
        let words = match keep && expected <= KEPT {
            true => W::list(),
            false => Vec::new(),
        };
        let (mut out, mut some) = (Output::new(words, values), Output::default());
        if task.modulus.is_some() {
            std::mem::swap(&mut out.values, &mut some.values);
        }
        out.reserve(room);
        for k in (from..to).rev() {
            if out.words.capacity() - out.words.len() < grid.cells + SPARE {
                grow(&mut out, grid.cells, (pairs, from, k, to));
            }
            match task.modulus {
                None => self.block(k, &mut scratch, &mut out),
                Some(by) => {
                    self.block(k, &mut scratch, &mut some);
                    K::Column::reduce(by, &mut some, &mut out);
                }
            }
            budget.check_terms(OP, out.words.len())?;
            if k % 64 == 0 {
                budget.check_time(OP)?;
            }
        }
        self.kernel.give_back(scratch);
        if keep && out.words.len() <= KEPT {
            let words = out.words.as_slice().into();
            W::keep(std::mem::replace(&mut out.words, words));
            out.values.fit();
        }
        Ok(out)
    }
}

/// The whole product of two sides by `kernel`.
pub(crate) fn multiply<W: Word, K: Kernel>(
    blocks: &Blocks,
    kernel: &K,
    task: &Task<'_>,
) -> Result<Output<W, K::Column>, Error> {
    let (grid, a, b, pairs) = blocks;
    let table = grid.table::<W>();
    let slab = Slab {
        blocks,
        kernel,
        task,
        table,
    };
    let products = a.offsets.len() as f64 * b.offsets.len() as f64;
    let threads = parallel::threads();
    let all = pairs.keys.len();
    // Below this, starting and joining tasks costs more than it saves (a few microseconds each).
    let out = if threads == 1 || products < 4e5 || all < 4 {
        slab.stretch(0, all, true)?
    } else {
        let cuts = cuts(pairs, a, b, 8 * threads);
        let chunks: Vec<(usize, usize)> = cuts.windows(2).rev().map(|w| (w[0], w[1])).collect();
        let part = |(from, to): (usize, usize)| slab.stretch(from, to, false);
        let parts: Result<Vec<_>, Error> = parallel::map(chunks, part).into_iter().collect();
        let parts = parts?;
        let terms = parts.iter().map(|p| p.words.len()).sum();
        task.budget.check_terms(OP, terms)?;
        Output::joined(parts)
    };
    W::keep(slab.table);
    Ok(out)
}

/// Results up to here are gathered in memory that is kept.
const KEPT: usize = 1 << 16;
/// Blocks formed twice to foresee the size of the result: one of so many, and so many at most.
const SHARE: usize = 100;
const SAMPLES: usize = 32;
/// Terms beyond those of a block that vectors may write.
const SPARE: usize = 8;

/// Makes room for another block, and for as many terms as the rest will have if it goes on like this.
fn grow<W: Word, V: Column>(
    out: &mut Output<W, V>,
    cells: usize,
    (pairs, from, k, to): (&Pairs, usize, usize, usize),
) {
    let first = |k: usize| f64::from(pairs.starts[k]);
    let (done, rest) = (first(to) - first(k + 1), first(k + 1) - first(from));
    let len = out.words.len();
    // Never more than threefold: early blocks say little about late ones.
    let more = (len as f64 * 1.05 * rest / done.max(1.0)).min(2.0 * len as f64);
    out.reserve((more as usize).max(len / 2) + cells + SPARE);
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
    out: &mut Output<W, T::Column>,
) {
    for at in (range.0..=range.1).rev() {
        let cell = &mut cells[at & (CELLS - 1)];
        if !T::is_zero(cell) {
            out.words.push(base + table[at]);
            terms.put(std::mem::replace(cell, terms.zero()), &mut out.values);
        }
    }
}
