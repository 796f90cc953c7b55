//! Exact division over the integers, block by block.
//!
//! In a grid with the box of the dividend, the leading block of the divisor is the divisor's first group.
//! Blocks are taken from the top: what is left of the dividend there, after the products of all quotient
//! terms found so far with all lower groups of the divisor, must be the leading group times a block of
//! the quotient, a division in the cells of one block.
//!
//! Certainty: sums are taken modulo `2^n`. Afterwards `|a| + min(|q|, |b|) |q|_inf |b|_inf < 2^(n-1)` is
//! checked, so that a sum that vanished modulo `2^n` is zero. Where that fails, wider cells are taken.

use super::by_table::Outcome;
use crate::Error;
use crate::poly::coefficients::integers::Integers;
use crate::poly::monomials::packed::{Exps, Monomials};
use crate::poly::monomials::word::Word;
use crate::poly::product::budget::Budget;
use crate::poly::product::grid::{CELLS, Grid, Group, Side};

const OP: &str = "Poly::divide_exact";

/// Coefficients of at most 128 bits.
#[derive(Clone, Copy)]
pub(crate) enum Dividend<'a> {
    Narrow(&'a [i64]),
    Wide(&'a [i128]),
}

impl<'a> Dividend<'a> {
    pub(crate) fn of(a: &'a Integers) -> Option<Self> {
        match a {
            Integers::I64(v) => Some(Self::Narrow(v)),
            Integers::I128(v) => Some(Self::Wide(v)),
            _ => None,
        }
    }

    pub(crate) fn at(self, i: usize) -> i128 {
        match self {
            Self::Narrow(v) => v[i].into(),
            Self::Wide(v) => v[i],
        }
    }

    pub(crate) fn largest(self) -> u128 {
        let most = match self {
            Self::Narrow(v) => v.iter().map(|c| c.unsigned_abs()).max().map(u128::from),
            Self::Wide(v) => v.iter().map(|c| c.unsigned_abs()).max(),
        };
        most.unwrap_or(0)
    }
}

/// The grids of a division.
pub(crate) struct Plan {
    grid: Grid,
    /// The same with the lowest exponents of the quotient.
    shown: Grid,
    /// Blocks of the dividend.
    a: Side,
    /// Groups of the divisor, the leading one first.
    b: Side,
    /// For each cell, whether the quotient may have a term there (relative to the divisor's leading term).
    inner: Vec<bool>,
    /// Most of each key digit that the quotient may have, and the sizes of the digits.
    digits: Vec<(u64, u64)>,
}

/// Terms of a group of the divisor, on average, up to which a table is faster (bench `poly_families`).
const LONE: f64 = 1.5;
/// More blocks than this in the box are not walked one by one.
const MAX_BLOCKS: u64 = 1 << 22;

impl Plan {
    pub(crate) fn new(
        da: &(Vec<u32>, Vec<u32>),
        db: &(Vec<u32>, Vec<u32>),
        ma: &Monomials,
        mb: &Monomials,
        budget: &Budget<'_>,
    ) -> Option<Self> {
        let n = da.0.len();
        let size = |v: usize| u64::from(da.1[v] - da.0[v]) + 1;
        let sizes: Vec<u64> = (0..n).map(size).collect();
        let grid = Grid::new(da.0.clone(), sizes.clone(), CELLS)?;
        let low = (0..n).map(|v| da.0[v] - db.0[v]).collect();
        let shown = Grid::new(low, sizes, CELLS)?;
        let terms = (ma.len() + mb.len()) as u64;
        if grid.blocks > MAX_BLOCKS || grid.blocks > 64 * terms + 4096 || terms > budget.work {
            return None;
        }
        let (a, b) = (grid.side(ma, &da.0), grid.side(mb, &db.0));
        // Groups of hardly more than a term each are not worth their blocks.
        if b.mean() <= LONE {
            return None;
        }
        let room = |v: usize| u64::from(da.1[v] - db.1[v]) - u64::from(da.0[v] - db.0[v]);
        let inner = (0..grid.cells as u64).map(|mut x| {
            (grid.split..n).rev().all(|v| {
                let digit = x % grid.size[v];
                x /= grid.size[v];
                digit <= room(v)
            })
        });
        let inner = inner.collect();
        let digits = (0..grid.split).map(|v| (room(v), grid.size[v])).collect();
        Some(Self {
            grid,
            shown,
            a,
            b,
            inner,
            digits,
        })
    }

    fn is_inner(&self, mut key: u64) -> bool {
        self.digits.iter().rev().all(|&(room, size)| {
            let digit = key % size;
            key /= size;
            digit <= room
        })
    }

    pub(crate) fn run(
        &self,
        ma: &Monomials,
        a: Dividend<'_>,
        b: &[i64],
        budget: &Budget<'_>,
    ) -> Result<Outcome<Vec<i64>>, Error> {
        // There are at most so many groups of the quotient.
        let keys = self.digits.iter().map(|d| d.0 + 1);
        let keys = keys.fold(1, u64::saturating_mul);
        let keys = keys.min(self.a.groups.len() as u64);
        let listed = keys.saturating_mul(self.b.groups.len() as u64) <= MAX_PAIRS;
        let mut work = Work {
            plan: self,
            b,
            cells: vec![0i128; CELLS],
            low: usize::MAX,
            high: 0,
            groups: Vec::new(),
            offsets: Vec::new(),
            values: Vec::new(),
            at: vec![NONE; self.grid.blocks as usize],
            pairs: listed.then(Vec::new),
        };
        // Groups descend as terms do, so the first of the list has the greatest key.
        let mut next = self.a.groups.iter().peekable();
        let mut rejected = false;
        for key in (0..self.grid.blocks).rev() {
            if let Some(g) = next.next_if(|g| g.key == key) {
                work.load(g, &self.a.offsets, a);
            }
            match work.block(key) {
                Step::Done => {}
                Step::Rejected => rejected = true,
                Step::Unsure => return Ok(Outcome::Unsure),
            }
            if rejected {
                break;
            }
            if key % 64 == 0 {
                budget.check_time(OP)?;
                budget.check_terms(OP, work.values.len())?;
            }
        }
        // Without this bound neither a zero nor a nonzero remainder is certain.
        let most = |v: &[i64]| v.iter().map(|c| c.unsigned_abs()).max().unwrap_or(0);
        let fewer = work.values.len().min(b.len()) as u128;
        let products = u128::from(most(&work.values))
            .checked_mul(most(b).into())
            .and_then(|p| p.checked_mul(fewer));
        let bound = products.and_then(|p| p.checked_add(a.largest()));
        if bound.is_none_or(|b| b >= 1 << 126) {
            return Ok(Outcome::Unsure);
        }
        Ok(if rejected {
            Outcome::Rejected
        } else {
            work.finish(ma)
        })
    }
}

enum Step {
    Done,
    Rejected,
    Unsure,
}

/// A division under way.
struct Work<'a> {
    plan: &'a Plan,
    b: &'a [i64],
    cells: Vec<i128>,
    /// Touched cells.
    low: usize,
    high: usize,
    /// The quotient so far.
    groups: Vec<Group>,
    offsets: Vec<u32>,
    values: Vec<i64>,
    /// For each key the first of its pairs, or the quotient's group when there are no lists.
    at: Vec<u32>,
    /// Groups of the divisor and of the quotient that meet in a block that is still to come, and the next
    /// pair of the same block.
    pairs: Option<Vec<(u32, u32, u32)>>,
}

/// The end of a list.
const NONE: u32 = u32::MAX;
/// Pairs of groups up to here are listed: 200 megabytes.
const MAX_PAIRS: u64 = 1 << 24;

impl Work<'_> {
    fn load(&mut self, g: &Group, offsets: &[u32], a: Dividend<'_>) {
        for i in g.first as usize..g.end as usize {
            self.cells[offsets[i] as usize] = a.at(i);
        }
        self.high = self.high.max(offsets[g.first as usize] as usize);
        self.low = self.low.min(offsets[g.end as usize - 1] as usize);
    }

    fn block(&mut self, key: u64) -> Step {
        let groups = &self.plan.b.groups;
        let lead = groups[0];
        if let Some(pairs) = self.pairs.take() {
            let mut next = self.at[key as usize];
            while let Some(&(g, q, rest)) = pairs.get(next as usize) {
                self.subtract(groups[g as usize], self.groups[q as usize]);
                next = rest;
            }
            self.pairs = Some(pairs);
        } else if groups.len() <= self.groups.len() {
            // Whichever list is shorter is walked; the partner is looked up.
            for g in &groups[1..] {
                let slot = key.checked_sub(g.key).map(|k| self.at[k as usize]);
                if let Some(q) = slot.filter(|&q| q != NONE) {
                    self.subtract(*g, self.groups[q as usize]);
                }
            }
        } else {
            for q in 0..self.groups.len() {
                let q = self.groups[q];
                let Some(k) = key.checked_sub(q.key) else {
                    continue;
                };
                // Groups of the divisor descend.
                if let Ok(i) = groups.binary_search_by(|g| k.cmp(&g.key))
                    && i > 0
                {
                    self.subtract(groups[i], q);
                }
            }
        }
        if self.low > self.high {
            return Step::Done;
        }
        let step = match key.checked_sub(lead.key) {
            Some(q) if self.plan.is_inner(q) => self.divide(q, lead),
            _ => Step::Done,
        };
        if !matches!(step, Step::Done) {
            return step;
        }
        let left = self.cells[self.low..=self.high].iter().any(|&c| c != 0);
        (self.low, self.high) = (usize::MAX, 0);
        if left { Step::Rejected } else { Step::Done }
    }

    /// Takes the products of a group of the divisor and one of the quotient away.
    fn subtract(&mut self, g: Group, q: Group) {
        let offsets = &self.plan.b.offsets[g.first as usize..g.end as usize];
        let values = &self.b[g.first as usize..g.end as usize];
        let top = offsets[0] + self.offsets[q.first as usize];
        let bottom = offsets[offsets.len() - 1] + self.offsets[q.end as usize - 1];
        self.high = self.high.max(top as usize);
        self.low = self.low.min(bottom as usize);
        let Some(cells) = self.cells.first_chunk_mut::<CELLS>() else {
            return;
        };
        for i in q.first as usize..q.end as usize {
            let (base, x) = (self.offsets[i], i128::from(self.values[i]));
            for (&offset, &y) in offsets.iter().zip(values) {
                let cell = &mut cells[(base + offset) as usize & (CELLS - 1)];
                *cell = cell.wrapping_sub(x * i128::from(y));
            }
        }
    }

    /// Divides the block by the leading group.
    fn divide(&mut self, key: u64, lead: Group) -> Step {
        let offsets = &self.plan.b.offsets[lead.first as usize..lead.end as usize];
        let values = &self.b[lead.first as usize..lead.end as usize];
        let (top, leading) = (offsets[0] as usize, i128::from(values[0]));
        let first = self.values.len() as u32;
        let mut above = self.high + 1;
        // `low` falls when a term of the quotient reaches below it.
        while above > self.low.max(top) {
            above -= 1;
            let x = above;
            let value = self.cells[x];
            if value == 0 {
                continue;
            }
            let cell = x - top;
            // The 64-bit division is several times faster, and most values fit.
            let (quotient, rest) = match (i64::try_from(value), leading as i64) {
                (Ok(v), l) if l != -1 => (i128::from(v / l), i128::from(v % l)),
                _ => (value.wrapping_div(leading), value.wrapping_rem(leading)),
            };
            if rest != 0 || !self.plan.inner[cell] {
                return Step::Rejected;
            }
            let Ok(q) = i64::try_from(quotient) else {
                return Step::Unsure;
            };
            for (&offset, &y) in offsets.iter().zip(values) {
                let at = cell + offset as usize;
                self.cells[at] = self.cells[at].wrapping_sub(quotient * i128::from(y));
            }
            self.low = self.low.min(cell + offsets[offsets.len() - 1] as usize);
            self.offsets.push(cell as u32);
            self.values.push(q);
        }
        let end = self.values.len() as u32;
        if end > first {
            let q = self.groups.len() as u32;
            self.groups.push(Group { key, first, end });
            let Some(pairs) = &mut self.pairs else {
                self.at[key as usize] = q;
                return Step::Done;
            };
            for (g, group) in self.plan.b.groups.iter().enumerate().skip(1) {
                let first = &mut self.at[(key + group.key) as usize];
                pairs.push((g as u32, q, *first));
                *first = pairs.len() as u32 - 1;
            }
        }
        Step::Done
    }

    fn finish(self, ma: &Monomials) -> Outcome<Vec<i64>> {
        let monomials = match &ma.exps {
            Exps::W1(_) => self.monomials::<u64>(ma.nvars),
            _ => self.monomials::<u128>(ma.nvars),
        };
        Outcome::Exact(monomials, self.values)
    }

    fn monomials<W: Word>(&self, nvars: usize) -> Monomials {
        let grid = &self.plan.shown;
        let table = grid.table::<W>();
        let mut words = Vec::with_capacity(self.values.len());
        for g in &self.groups {
            let base = grid.base::<W>(g.key);
            let own = &self.offsets[g.first as usize..g.end as usize];
            words.extend(own.iter().map(|&x| base + table[x as usize]));
        }
        Monomials::from_words(nvars, words)
    }
}
