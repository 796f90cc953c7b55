//! Kernels that fill one block: scattered terms, or rows of consecutive terms by vector instructions.

use super::cells::{Block, Terms};
use super::column::Column;
use super::grid::{CELLS, Side};
use super::slab::{Output, emit, scatter};
use crate::poly::coefficients::integers::Integers;
use crate::poly::monomials::word::Word;
use crate::poly::simd;
use crate::poly::simd::rows::{SLACK, Taps, Windows};
use std::cell::RefCell;

/// One way to fill a block and to read it out.
pub(crate) trait Kernel: Sync {
    /// The block and whatever goes with it; all zero between two blocks.
    type Scratch;
    /// Where finished cells are written.
    type Column: Column;

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
        out: &mut Output<W, Self::Column>,
    );
}

/// Any terms, one product at a time.
pub(crate) struct Scatter<'a, T>(pub(crate) &'a T);

impl<T: Terms> Kernel for Scatter<'_, T> {
    type Scratch = Box<Block<T::Cell>>;
    type Column = T::Column;
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
        out: &mut Output<W, T::Column>,
    ) {
        emit(self.0, cells, range, base, table, out);
    }
}

/// 64-bit terms whose sums fit 64 bits: [`Scatter`] with a reused block and a faster way out.
pub(crate) struct Scatter64<'a> {
    pub(crate) a: &'a [i64],
    pub(crate) b: &'a [i64],
}

/// Most cells of a block that takes rows: 128 kilobytes. Larger blocks have longer lists of windows, and the
/// end of a list is what a processor cannot foresee.
pub(crate) const ROW_CELLS: usize = 4 * CELLS;

thread_local! {
    /// Blocks of finished products. Always zero here: a small product must not pay for clearing them.
    static BLOCKS: RefCell<Vec<Vec<i64>>> = const { RefCell::new(Vec::new()) };
}

/// A block of zeros.
pub(crate) fn taken() -> Vec<i64> {
    let kept = BLOCKS.with_borrow_mut(Vec::pop);
    kept.unwrap_or_else(|| vec![0; ROW_CELLS + SLACK])
}

/// Keeps a block of zeros, but never many.
pub(crate) fn given_back(cells: Vec<i64>) {
    BLOCKS.with_borrow_mut(|kept| {
        if kept.len() < 4 {
            kept.push(cells);
        }
    });
}

impl Kernel for Scatter64<'_> {
    type Scratch = Vec<i64>;
    type Column = Integers;
    fn scratch(&self) -> Vec<i64> {
        taken()
    }
    fn give_back(&self, cells: Vec<i64>) {
        given_back(cells);
    }
    fn accumulate(
        &self,
        cells: &mut Vec<i64>,
        a: &Side,
        b: &Side,
        pairs: &[(u32, u32)],
    ) -> (usize, usize) {
        let terms = super::cells::Narrow {
            a: self.a,
            b: self.b,
        };
        match cells.first_chunk_mut::<CELLS>() {
            Some(block) => scatter(&terms, block, a, b, pairs),
            None => (0, 0),
        }
    }
    fn emit<W: Word>(
        &self,
        cells: &mut Vec<i64>,
        range: (usize, usize),
        base: W,
        table: &[W],
        out: &mut Output<W, Integers>,
    ) {
        drain(cells, range, base, table, out);
    }
}

/// Writes out the cells of a range, greatest first, and clears them.
fn drain<W: Word>(
    cells: &mut [i64],
    (low, high): (usize, usize),
    base: W,
    table: &[W],
    out: &mut Output<W, Integers>,
) {
    let (cells, table) = (&mut cells[low..=high], &table[low..=high]);
    if let Integers::I64(values) = &mut out.values {
        W::drain(cells, base, table, &mut out.words, values);
    }
}

/// Writes out sums of two words, greatest first, and clears them. What fits 64 bits is written as 64 bits as long as everything
/// has.
fn drain_pairs<W: Word>(
    (low, high): (&mut [i64], &mut [i64]),
    base: W,
    table: &[W],
    out: &mut Output<W, Integers>,
) {
    let mut rest = table.len();
    if let Integers::I64(values) = &mut out.values {
        rest = W::drain_pairs((low, high), base, table, &mut out.words, values);
        if rest > 0 {
            out.values.widen(2);
        }
    }
    if rest > 0
        && let Integers::I128(values) = &mut out.values
    {
        let cells = (&mut low[..rest], &mut high[..rest]);
        W::drain_wide(cells, base, &table[..rest], &mut out.words, values);
    }
}

/// Which factor gives the taps, of which width, and what the product then costs.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    width: usize,
    swapped: bool,
    pub(crate) cost: f64,
}

impl Plan {
    /// `costs` are those of a tap of each width meeting a window. `None` where there are no vector rows.
    pub(crate) fn new(a: &Side, b: &Side, costs: [f64; 3]) -> Option<Self> {
        if !simd::has_rows() {
            return None;
        }
        let (p, q) = (
            simd::counts(spans(a), &a.offsets),
            simd::counts(spans(b), &b.offsets),
        );
        let plans = costs.iter().enumerate().flat_map(|(k, &each)| {
            let width = simd::WIDTHS[k];
            let straight = each * p[k].0 as f64 * q[k].1 as f64;
            let swap = each * q[k].0 as f64 * p[k].1 as f64;
            [(false, straight), (true, swap)].map(|(swapped, cost)| Self {
                width,
                swapped,
                cost,
            })
        });
        plans.min_by(|x, y| x.cost.total_cmp(&y.cost))
    }
}

/// Two factors as rows of consecutive cells: taps of the one meet windows of the other.
pub(crate) struct Rows {
    taps: Taps,
    windows: Windows,
    /// Whether the taps are those of the second factor.
    swapped: bool,
}

fn spans(side: &Side) -> impl Iterator<Item = (usize, usize)> + '_ {
    side.groups
        .iter()
        .map(|g| (g.first as usize, g.end as usize))
}

impl Rows {
    /// `None` when scattered products are faster: see [`Plan::new`].
    pub(crate) fn new(a: (&Side, &[i64]), b: (&Side, &[i64]), costs: [f64; 3]) -> Option<Self> {
        let products = a.1.len() as f64 * b.1.len() as f64;
        let plan = Plan::new(a.0, b.0, costs)?;
        (plan.cost < products).then(|| Self::planned(a, b, plan))
    }

    /// Rows as the plan wants them.
    pub(crate) fn planned(a: (&Side, &[i64]), b: (&Side, &[i64]), plan: Plan) -> Self {
        let Plan { width, swapped, .. } = plan;
        let (x, y) = if swapped { (b, a) } else { (a, b) };
        Self {
            taps: Taps::new(spans(x.0), &x.0.offsets, x.1, width),
            windows: Windows::new(spans(y.0), &y.0.offsets, y.1, width),
            swapped,
        }
    }

    /// Adds all products of the pairs to sums of two words; returns the range of cells touched. `plain` promises that all
    /// coefficients lie in `0..2^52`.
    pub(crate) fn add116(
        &self,
        (low, high): (&mut [i64], &mut [i64]),
        a: &Side,
        b: &Side,
        pairs: &[(u32, u32)],
        plain: bool,
    ) -> (usize, usize) {
        let (mut range, mut sums) = ((u32::MAX, 0), 0);
        for &(i, j) in pairs {
            let most = touched(a, b, i, j, &mut range);
            sums += most;
            if sums > CARRY_AFTER {
                for at in range.0 as usize..=range.1 as usize {
                    high[at] = high[at].wrapping_add(((low[at] as u64) >> 52) as i64);
                    low[at] &= (1 << 52) - 1;
                }
                sums = most + 1;
            }
            let (taps, windows) = self.of(i, j);
            simd::rows116(low, high, taps, windows, plain);
        }
        (range.0 as usize, range.1 as usize)
    }

    fn of(&self, i: u32, j: u32) -> ((&Taps, u32), (&Windows, u32)) {
        let (i, j) = if self.swapped { (j, i) } else { (i, j) };
        ((&self.taps, i), (&self.windows, j))
    }
}

/// Rows whose sums fit 64 bits.
pub(crate) struct Rows64(pub(crate) Rows);

/// The cells that a pair of groups touches, and the most products that one of them takes.
fn touched(a: &Side, b: &Side, i: u32, j: u32, range: &mut (u32, u32)) -> u64 {
    let (x, y) = (a.groups[i as usize], b.groups[j as usize]);
    let high = a.offsets[x.first as usize] + b.offsets[y.first as usize];
    let low = a.offsets[x.end as usize - 1] + b.offsets[y.end as usize - 1];
    *range = (range.0.min(low), range.1.max(high));
    u64::from(x.end - x.first).min((y.end - y.first).into())
}

impl Kernel for Rows64 {
    type Scratch = Vec<i64>;
    type Column = Integers;
    fn scratch(&self) -> Vec<i64> {
        taken()
    }
    fn give_back(&self, cells: Vec<i64>) {
        given_back(cells);
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
            let (taps, windows) = self.0.of(i, j);
            simd::rows64(cells, taps, windows);
        }
        (range.0 as usize, range.1 as usize)
    }
    fn emit<W: Word>(
        &self,
        cells: &mut Vec<i64>,
        range: (usize, usize),
        base: W,
        table: &[W],
        out: &mut Output<W, Integers>,
    ) {
        drain(cells, range, base, table, out);
    }
}

/// Rows whose sums need more than 64 bits, up to 115: low 52 bits and the rest apart.
pub(crate) struct Rows116 {
    pub(crate) rows: Rows,
    /// Whether all coefficients lie in `0..2^52`.
    pub(crate) plain: bool,
}

/// The low words gather at most 2^52 a product, so 4000 of them leave room to spare.
const CARRY_AFTER: u64 = 4000;

impl Kernel for Rows116 {
    type Scratch = (Vec<i64>, Vec<i64>);
    type Column = Integers;
    fn scratch(&self) -> Self::Scratch {
        (taken(), taken())
    }
    fn give_back(&self, (low, high): Self::Scratch) {
        given_back(low);
        given_back(high);
    }
    fn accumulate(
        &self,
        (low, high): &mut Self::Scratch,
        a: &Side,
        b: &Side,
        pairs: &[(u32, u32)],
    ) -> (usize, usize) {
        self.rows.add116((low, high), a, b, pairs, self.plain)
    }
    fn emit<W: Word>(
        &self,
        (low, high): &mut Self::Scratch,
        range: (usize, usize),
        base: W,
        table: &[W],
        out: &mut Output<W, Integers>,
    ) {
        let range = range.0..=range.1;
        let cells = (&mut low[range.clone()], &mut high[range.clone()]);
        drain_pairs(cells, base, &table[range], out);
    }
}
