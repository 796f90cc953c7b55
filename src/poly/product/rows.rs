//! Kernels that fill one block: scattered terms, or rows of consecutive terms by vector instructions.

use super::cells::{Block, Terms};
use super::grid::{CELLS, Side};
use super::slab::{Output, emit, scatter};
use crate::poly::monomials::Word;
use crate::poly::simd::{self, PAD, Row};
use std::cell::RefCell;

/// One way to fill a block and to read it out.
pub(crate) trait Kernel: Sync {
    /// The block and whatever goes with it; all zero between two blocks.
    type Scratch;
    /// What a finished cell is written out as.
    type Value: Clone + Send + Sync;

    fn blank(&self) -> Self::Value;
    fn scratch(&self) -> Self::Scratch;
    fn give_back(&self, _: Self::Scratch) {}
    /// Adds the products of all pairs; returns the range of cells touched.
    fn accumulate(
        &self,
        scratch: &mut Self::Scratch,
        a: &Side,
        b: &Side,
        pairs: &[(u32, u32)],
    ) -> (usize, usize);
    /// Writes out the range, greatest first, and clears it.
    fn emit<W: Word>(
        &self,
        scratch: &mut Self::Scratch,
        range: (usize, usize),
        base: W,
        table: &[W],
        out: &mut Output<W, Self::Value>,
    );
}

/// Any terms, one product at a time.
pub(crate) struct Scatter<'a, T>(pub(crate) &'a T);

impl<T: Terms> Kernel for Scatter<'_, T> {
    type Scratch = Box<Block<T::Cell>>;
    type Value = T::Cell;
    fn blank(&self) -> T::Cell {
        self.0.zero()
    }
    fn scratch(&self) -> Self::Scratch {
        self.0.block()
    }
    fn accumulate(
        &self,
        cells: &mut Self::Scratch,
        a: &Side,
        b: &Side,
        pairs: &[(u32, u32)],
    ) -> (usize, usize) {
        scatter(self.0, cells, a, b, pairs)
    }
    fn emit<W: Word>(
        &self,
        cells: &mut Self::Scratch,
        range: (usize, usize),
        base: W,
        table: &[W],
        out: &mut Output<W, T::Cell>,
    ) {
        emit(self.0, cells, range, base, table, out);
    }
}

/// 64-bit terms whose sums fit 64 bits: [`Scatter`] with a reused block and a faster way out.
pub(crate) struct Scatter64<'a> {
    pub(crate) a: &'a [i64],
    pub(crate) b: &'a [i64],
}

thread_local! {
    /// The block of the last small product. Always zero here: a small product must not pay for clearing
    /// 32 kilobytes.
    static BLOCK: RefCell<Option<Box<Block<i64>>>> = const { RefCell::new(None) };
}

impl Kernel for Scatter64<'_> {
    type Scratch = Box<Block<i64>>;
    type Value = i64;
    fn blank(&self) -> i64 {
        0
    }
    fn scratch(&self) -> Self::Scratch {
        BLOCK
            .with(|b| b.borrow_mut().take())
            .unwrap_or_else(|| Box::new([0; CELLS]))
    }
    fn give_back(&self, block: Self::Scratch) {
        BLOCK.with(|b| *b.borrow_mut() = Some(block));
    }
    fn accumulate(
        &self,
        cells: &mut Self::Scratch,
        a: &Side,
        b: &Side,
        pairs: &[(u32, u32)],
    ) -> (usize, usize) {
        let terms = super::cells::Narrow {
            a: self.a,
            b: self.b,
        };
        scatter(&terms, cells, a, b, pairs)
    }
    fn emit<W: Word>(
        &self,
        cells: &mut Self::Scratch,
        range: (usize, usize),
        base: W,
        table: &[W],
        out: &mut Output<W, i64>,
    ) {
        emit_words(cells.as_mut_slice(), range, base, table, out, |_, x| x);
    }
}

/// Clears and writes out cells of 64 bits, eight at a time; `value` adds what else a cell holds.
fn emit_words<W: Word, T: Copy + Default + PartialEq>(
    cells: &mut [i64],
    (low, high): (usize, usize),
    base: W,
    table: &[W],
    out: &mut Output<W, T>,
    mut value: impl FnMut(usize, i64) -> T,
) {
    let mut end = high + 1;
    while end > low {
        let start = end.saturating_sub(8).max(low);
        let (mut words, mut values) = ([W::default(); 8], [T::default(); 8]);
        let mut n = 0;
        // No branch on zeros: written always, kept when not zero.
        for at in (start..end).rev() {
            let x = value(at, cells[at]);
            words[n & 7] = base + table[at];
            values[n & 7] = x;
            n += usize::from(x != T::default());
        }
        cells[start..end].fill(0);
        out.words.extend_from_slice(&words[..n]);
        out.values.extend_from_slice(&values[..n]);
        end = start;
    }
}

/// The coefficients of one factor as rows: runs of consecutive offsets, ascending, in padded memory.
pub(crate) struct Rows {
    rows: Vec<Row>,
    /// Rows of each group.
    groups: Vec<(u32, u32)>,
    data: Vec<i64>,
}

impl Rows {
    pub(crate) fn new(side: &Side, coefficients: &[i64]) -> Self {
        let mut rows = Rows {
            rows: Vec::new(),
            groups: Vec::with_capacity(side.groups.len()),
            data: vec![0; PAD],
        };
        for g in &side.groups {
            let from = rows.rows.len() as u32;
            let (first, end) = (g.first as usize, g.end as usize);
            let mut i = end;
            while i > first {
                // Terms descend: a row is read from its end.
                let mut j = i - 1;
                while j > first && side.offsets[j - 1] == side.offsets[j] + 1 {
                    j -= 1;
                }
                rows.rows.push(Row {
                    offset: side.offsets[i - 1],
                    at: rows.data.len() as u32,
                    len: (i - j) as u32,
                });
                rows.data.extend(coefficients[j..i].iter().rev());
                rows.data.resize(rows.data.len() + PAD, 0);
                i = j;
            }
            rows.groups.push((from, rows.rows.len() as u32));
        }
        rows
    }

    /// Terms a row, on average.
    pub(crate) fn mean(side: &Side) -> f64 {
        let o = &side.offsets;
        let mut rows = side.groups.len();
        for g in &side.groups {
            let o = &o[g.first as usize..g.end as usize];
            rows += o.windows(2).filter(|w| w[0] != w[1] + 1).count();
        }
        o.len() as f64 / rows.max(1) as f64
    }

    fn of(&self, group: u32) -> &[Row] {
        let (from, to) = self.groups[group as usize];
        &self.rows[from as usize..to as usize]
    }
}

/// Rows whose sums fit 64 bits.
pub(crate) struct Rows64 {
    pub(crate) a: Rows,
    pub(crate) b: Rows,
}

fn touched(a: &Side, b: &Side, i: u32, j: u32, range: &mut (u32, u32)) -> u64 {
    let (x, y) = (a.groups[i as usize], b.groups[j as usize]);
    let high = a.offsets[x.first as usize] + b.offsets[y.first as usize];
    let low = a.offsets[x.end as usize - 1] + b.offsets[y.end as usize - 1];
    *range = (range.0.min(low), range.1.max(high));
    u64::from(x.end - x.first).min((y.end - y.first).into())
}

impl Kernel for Rows64 {
    type Scratch = Vec<i64>;
    type Value = i64;
    fn blank(&self) -> i64 {
        0
    }
    fn scratch(&self) -> Vec<i64> {
        vec![0; CELLS + PAD]
    }
    fn accumulate(
        &self,
        cells: &mut Vec<i64>,
        a: &Side,
        b: &Side,
        pairs: &[(u32, u32)],
    ) -> (usize, usize) {
        let mut range = (u32::MAX, 0);
        for &(i, j) in pairs {
            touched(a, b, i, j, &mut range);
            simd::rows64(
                cells,
                (self.a.of(i), &self.a.data),
                (self.b.of(j), &self.b.data),
            );
        }
        (range.0 as usize, range.1 as usize)
    }
    fn emit<W: Word>(
        &self,
        cells: &mut Vec<i64>,
        range: (usize, usize),
        base: W,
        table: &[W],
        out: &mut Output<W, i64>,
    ) {
        emit_words(cells, range, base, table, out, |_, x| x);
    }
}

/// Rows of 51-bit coefficients whose sums need more than 64 bits: low 52 bits and the rest apart.
pub(crate) struct Rows104 {
    pub(crate) a: Rows,
    pub(crate) b: Rows,
    /// Whether a coefficient is negative.
    pub(crate) signed: bool,
}

/// The low words gather at most 2^52 a product, so 4000 of them leave room to spare.
const CARRY_AFTER: u64 = 4000;

impl Kernel for Rows104 {
    type Scratch = (Vec<i64>, Vec<i64>);
    type Value = i128;
    fn blank(&self) -> i128 {
        0
    }
    fn scratch(&self) -> Self::Scratch {
        (vec![0; CELLS + PAD], vec![0; CELLS + PAD])
    }
    fn accumulate(
        &self,
        (low, high): &mut Self::Scratch,
        a: &Side,
        b: &Side,
        pairs: &[(u32, u32)],
    ) -> (usize, usize) {
        let (mut range, mut sums) = ((u32::MAX, 0), 0);
        for &(i, j) in pairs {
            let most = touched(a, b, i, j, &mut range);
            sums += most;
            if sums > CARRY_AFTER {
                for at in range.0 as usize..=range.1 as usize {
                    high[at] += ((low[at] as u64) >> 52) as i64;
                    low[at] &= (1 << 52) - 1;
                }
                sums = most + 1;
            }
            let (x, y) = ((self.a.of(i), &*self.a.data), (self.b.of(j), &*self.b.data));
            simd::rows104(low, high, x, y, self.signed);
        }
        (range.0 as usize, range.1 as usize)
    }
    fn emit<W: Word>(
        &self,
        (low, high): &mut Self::Scratch,
        range: (usize, usize),
        base: W,
        table: &[W],
        out: &mut Output<W, i128>,
    ) {
        let whole = |at: usize, low: i64| i128::from(low as u64) + (i128::from(high[at]) << 52);
        emit_words(low, range, base, table, out, whole);
        high[range.0..=range.1].fill(0);
    }
}
