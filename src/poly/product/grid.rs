//! The box of a product: which variables make a block, and where each term lies in it.

use crate::poly::monomials::packed::{Monomials, field};
use crate::poly::monomials::word::Word;

/// Cells of one block. A fixed power of two: masking an index with `CELLS - 1` proves to the compiler
/// that it is in range, and 4096 cells of 8 bytes fill the first-level cache of common processors.
pub(crate) const CELLS: usize = 4096;

/// A box of monomials cut into blocks: the last variables number the cells of a block (the offset), the
/// first ones number the blocks (the key).
#[derive(Clone, Debug)]
pub(crate) struct Grid {
    /// The least exponent of each variable in the product.
    low: Vec<u32>,
    /// Number of exponents of each variable in the product.
    pub(crate) size: Vec<u64>,
    /// Variables before this one make the key.
    pub(crate) split: usize,
    /// Cells of a block.
    pub(crate) cells: usize,
    /// Number of blocks.
    pub(crate) blocks: u64,
}

/// One factor seen in a grid.
#[derive(Debug, Default)]
pub(crate) struct Side {
    pub(crate) groups: Vec<Group>,
    /// The offset of each term in its block.
    pub(crate) offsets: Vec<u32>,
}

/// Consecutive terms of one key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    pub(crate) key: u64,
    pub(crate) first: u32,
    pub(crate) end: u32,
}

impl Grid {
    /// The box of exponents `low..low + size` with blocks of at most `limit` cells; `None` when even one
    /// variable makes too large a block or the blocks cannot be numbered.
    pub(crate) fn new(low: Vec<u32>, size: Vec<u64>, limit: usize) -> Option<Self> {
        let mut split = size.len();
        let mut cells = 1u64;
        while split > 0 {
            let more = cells.checked_mul(size[split - 1])?;
            if more > limit as u64 {
                break;
            }
            cells = more;
            split -= 1;
        }
        let blocks = size[..split]
            .iter()
            .try_fold(1u64, |n, &s| n.checked_mul(s))?;
        (cells > 1 || size.is_empty() || blocks == 1).then_some(Self {
            low,
            size,
            split,
            cells: cells as usize,
            blocks,
        })
    }

    /// The box of `a * b`.
    pub(crate) fn of_product(
        a: &(Vec<u32>, Vec<u32>),
        b: &(Vec<u32>, Vec<u32>),
        limit: usize,
    ) -> Option<Self> {
        let n = a.0.len();
        let low = (0..n).map(|v| a.0[v].wrapping_add(b.0[v])).collect();
        let size = |v: usize| u64::from(a.1[v] - a.0[v]) + u64::from(b.1[v] - b.0[v]) + 1;
        Self::new(low, (0..n).map(size).collect(), limit)
    }

    /// Where the terms of a factor with least exponents `low` lie.
    pub(crate) fn side(&self, m: &Monomials, low: &[u32]) -> Side {
        match &m.exps {
            crate::poly::monomials::packed::Exps::W1(w) => self.side_of(w, low),
            crate::poly::monomials::packed::Exps::W2(w) => self.side_of(w, low),
            crate::poly::monomials::packed::Exps::Rows(_) => Side::default(),
        }
    }

    fn side_of<W: Word>(&self, words: &[W], low: &[u32]) -> Side {
        let n = self.size.len();
        let width = field(W::BITS, n);
        let mask = if width >= 32 {
            u32::MAX
        } else {
            (1u32 << width) - 1
        };
        // The key is read off the top fields: two words of one group share them, so it is formed once.
        let tail = width * (n - self.split) as u32;
        let head = |w: W| {
            if tail >= W::BITS {
                W::default()
            } else {
                w >> tail
            }
        };
        let shift: Vec<u32> = (0..n).map(|v| width * (n - 1 - v) as u32).collect();
        let at = |w: W, v: usize| (w >> shift[v]).low() & mask;
        let mut stride = vec![1u32; n];
        for v in (self.split..n.saturating_sub(1)).rev() {
            stride[v] = stride[v + 1] * self.size[v + 1] as u32;
        }
        let shifted: u32 = (self.split..n)
            .map(|v| low[v].wrapping_mul(stride[v]))
            .fold(0, u32::wrapping_add);
        let mut side = Side {
            groups: Vec::new(),
            offsets: Vec::with_capacity(words.len()),
        };
        let mut last = None;
        for (i, &w) in words.iter().enumerate() {
            if last != Some(head(w)) {
                last = Some(head(w));
                let key =
                    (0..self.split).fold(0, |k, v| k * self.size[v] + u64::from(at(w, v) - low[v]));
                if let Some(group) = side.groups.last_mut() {
                    group.end = i as u32;
                }
                let (first, end) = (i as u32, words.len() as u32);
                side.groups.push(Group { key, first, end });
            }
            let mut offset = 0u32;
            for (v, &stride) in stride.iter().enumerate().skip(self.split) {
                offset = offset.wrapping_add(at(w, v).wrapping_mul(stride));
            }
            side.offsets.push(offset.wrapping_sub(shifted));
        }
        side
    }

    /// The words of the cells of a block, to be added to [`Grid::base`].
    pub(crate) fn table<W: Word>(&self) -> Vec<W> {
        let n = self.size.len();
        let width = field(W::BITS, n);
        let mut table = W::list();
        table.reserve(self.cells);
        table.push(W::default());
        for v in (self.split..n).rev() {
            let unit = W::of(1) << (width * (n - 1 - v) as u32);
            let inner = table.len();
            // Every further exponent of this variable repeats the cells so far, one unit higher.
            for _ in 1..self.size[v] {
                let from = table.len() - inner;
                for i in from..from + inner {
                    table.push(table[i] + unit);
                }
            }
        }
        table
    }

    /// The word of the first cell of block `key`.
    pub(crate) fn base<W: Word>(&self, key: u64) -> W {
        let n = self.size.len();
        let width = field(W::BITS, n);
        let mut rest = key;
        let mut word = W::default();
        for v in (0..n).rev() {
            let mut exponent = W::of(self.low[v]);
            if v < self.split {
                exponent = exponent + W::of((rest % self.size[v]) as u32);
                rest /= self.size[v];
            }
            word = word + (exponent << (width * (n - 1 - v) as u32));
        }
        word
    }
}

impl Side {
    /// Terms a group, on average.
    pub(crate) fn mean(&self) -> f64 {
        self.offsets.len() as f64 / self.groups.len().max(1) as f64
    }
}
