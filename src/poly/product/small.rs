//! Small products of 64-bit integers: the memory of the last one is used again, and nothing is allocated
//! but the result.
//!
//! Two ways. When the box of the result is small, every monomial has a cell of its own, found by one
//! addition. Otherwise the terms are gathered in a hash table and sorted.

use crate::poly::monomials::packed::{Exps, Monomials, Width, field, width_for};
use crate::poly::simd;
use std::cell::RefCell;

/// Most variables.
const VARS: usize = 16;
/// Cells of the box: 64 kilobytes.
const CELLS: usize = 1 << 13;
/// Most products in a box: beyond, products block by block are faster (bench `small`).
const MOST: usize = 6000;
/// Most products by hashing, and slots of the table: never more than half full.
const HASHED: usize = 1 << 12;
const SLOTS: usize = 2 * HASHED;
/// Cells that are read out in the time of one product gathered by hashing (bench `small`).
const SPARE: usize = 12;

/// Words and values of the result.
type Terms = (Vec<u64>, Vec<i64>);

/// What a product needs besides its result. Cells are zero and slots are free between two products.
#[derive(Default)]
struct Scratch {
    cells: Vec<i64>,
    slots: Vec<(u64, i64)>,
    left: Vec<u32>,
    right: Vec<u32>,
    bases: Vec<u64>,
    table: Vec<u64>,
    words: Vec<u64>,
    values: Vec<i64>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// A slot that is free: no exponent vector, because the top bits of fields are clear.
const FREE: u64 = u64::MAX;

/// The product, where sums of products fit 64 bits; `None` for one that is not small or whose exponents
/// may need wider words.
pub(crate) fn small((ma, a): (&Monomials, &[i64]), (mb, b): (&Monomials, &[i64])) -> Option<Terms> {
    let (Exps::W1(x), Exps::W1(y)) = (&ma.exps, &mb.exps) else {
        return None;
    };
    let (n, products) = (ma.nvars, x.len().checked_mul(y.len())?);
    if n != mb.nvars || n == 0 || n > VARS || products > MOST {
        return None;
    }
    let shape = Shape::new(n, x, y)?;
    SCRATCH.with_borrow_mut(|scratch| {
        if shape.cells <= CELLS.min(SPARE * products + 32) {
            return Some(dense(&shape, (x, a), (y, b), scratch));
        }
        (products <= HASHED).then(|| hashed((x, a), (y, b), scratch))
    })
}

/// The box of a product.
struct Shape {
    n: usize,
    /// Bits of a field.
    width: u32,
    /// The least exponents of the factors.
    low: [[u32; VARS]; 2],
    /// Number of exponents of each variable in the product.
    size: [u32; VARS],
    /// All cells, `usize::MAX` when there are too many to count.
    cells: usize,
}

impl Shape {
    fn new(n: usize, x: &[u64], y: &[u64]) -> Option<Self> {
        let width = field(64, n);
        let (mut low, mut size) = ([[0; VARS]; 2], [0; VARS]);
        let (mut cells, mut most) = (1usize, 0);
        for v in 0..n {
            let ((p, q), (r, s)) = (range(x, n, v), range(y, n, v));
            (low[0][v], low[1][v]) = (p, r);
            size[v] = (q - p).checked_add(s - r)?.checked_add(1)?;
            cells = cells.saturating_mul(size[v] as usize);
            most = most.max(u64::from(q) + u64::from(s));
        }
        (width_for(n, most) == Width::W1).then_some(Self {
            n,
            width,
            low,
            size,
            cells,
        })
    }

    fn shift(&self, v: usize) -> u32 {
        self.width * (self.n - 1 - v) as u32
    }

    /// The cells of a factor's monomials.
    fn offsets(&self, words: &[u64], side: usize, out: &mut Vec<u32>) {
        let mask = mask(self.width);
        let (mut stride, mut shifted) = ([1u32; VARS], 0);
        for v in (0..self.n).rev() {
            if v + 1 < self.n {
                stride[v] = stride[v + 1] * self.size[v + 1];
            }
            // Cells are counted modulo 2^32 until the least exponents are taken off: these may be large.
            shifted = stride[v]
                .wrapping_mul(self.low[side][v])
                .wrapping_add(shifted);
        }
        out.clear();
        out.extend(words.iter().map(|&w| {
            let mut rest = w;
            let mut at = 0u32;
            for v in (0..self.n).rev() {
                at = at.wrapping_add((rest as u32 & mask).wrapping_mul(stride[v]));
                rest = rest.checked_shr(self.width).unwrap_or(0);
            }
            at.wrapping_sub(shifted)
        }));
    }

    /// The words of the cells: `bases` of the first variables plus `table` of the last ones.
    fn words(&self, bases: &mut Vec<u64>, table: &mut Vec<u64>) {
        table.clear();
        table.push(0);
        let mut split = self.n;
        // Some vectors of cells to a base.
        while split > 0 && table.len() < 24 {
            split -= 1;
            repeat(table, self.size[split], self.shift(split));
        }
        bases.clear();
        let low = |v| u64::from(self.low[0][v] + self.low[1][v]) << self.shift(v);
        bases.push((0..self.n).map(low).sum());
        for v in (0..split).rev() {
            repeat(bases, self.size[v], self.shift(v));
        }
    }
}

/// Appends the list `size - 1` times, one unit of the field higher each time.
fn repeat(list: &mut Vec<u64>, size: u32, shift: u32) {
    let inner = list.len();
    for k in 1..u64::from(size) {
        for i in 0..inner {
            list.push(list[i] + (k << shift));
        }
    }
}

fn mask(width: u32) -> u32 {
    1u32.checked_shl(width).map_or(u32::MAX, |m| m - 1)
}

/// The least and greatest exponent of a variable.
fn range(words: &[u64], n: usize, v: usize) -> (u32, u32) {
    let width = field(64, n);
    let (shift, mask) = (width * (n - 1 - v) as u32, mask(width));
    let at = |w: u64| (w >> shift) as u32 & mask;
    if v == 0 {
        // Words descend.
        return (
            words.last().map_or(0, |&w| at(w)),
            words.first().map_or(0, |&w| at(w)),
        );
    }
    let start = (u32::MAX, 0);
    let wider = |(low, high): (u32, u32), &w: &u64| (low.min(at(w)), high.max(at(w)));
    words.iter().fold(start, wider)
}

fn dense(
    shape: &Shape,
    (x, a): (&[u64], &[i64]),
    (y, b): (&[u64], &[i64]),
    s: &mut Scratch,
) -> Terms {
    s.cells.resize(CELLS, 0);
    shape.offsets(x, 0, &mut s.left);
    shape.offsets(y, 1, &mut s.right);
    if let Some(cells) = s.cells.first_chunk_mut::<CELLS>() {
        for (&base, &c) in s.left.iter().zip(a) {
            for (&offset, &d) in s.right.iter().zip(b) {
                // The mask proves to the compiler that the index is in range.
                let cell = &mut cells[(base + offset) as usize & (CELLS - 1)];
                *cell = cell.wrapping_add(c.wrapping_mul(d));
            }
        }
    }
    shape.words(&mut s.bases, &mut s.table);
    s.words.clear();
    s.values.clear();
    simd::drain64(
        &mut s.cells,
        &s.bases,
        &s.table,
        &mut s.words,
        &mut s.values,
    );
    // Copies of the right size: the scratch memory may be much larger.
    (s.words.as_slice().into(), s.values.as_slice().into())
}

fn hashed((x, a): (&[u64], &[i64]), (y, b): (&[u64], &[i64]), s: &mut Scratch) -> Terms {
    s.slots.resize(SLOTS, (FREE, 0));
    s.words.clear();
    let slot =
        |w: u64| (w.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - SLOTS.trailing_zeros())) as usize;
    let Some(slots) = s.slots.first_chunk_mut::<SLOTS>() else {
        return (Vec::new(), Vec::new());
    };
    for (&p, &c) in x.iter().zip(a) {
        for (&q, &d) in y.iter().zip(b) {
            let (word, product) = (p + q, c.wrapping_mul(d));
            let mut at = slot(word);
            // Fewer words than half the slots: a free one is always found.
            loop {
                let (key, value) = &mut slots[at & (SLOTS - 1)];
                if *key == word {
                    *value = value.wrapping_add(product);
                    break;
                }
                if *key == FREE {
                    (*key, *value) = (word, product);
                    s.words.push(word);
                    break;
                }
                at += 1;
            }
        }
    }
    s.words.sort_unstable_by(|p, q| q.cmp(p));
    let mut values = Vec::with_capacity(s.words.len());
    s.left.clear();
    for &word in &s.words {
        let mut at = slot(word);
        while slots[at & (SLOTS - 1)].0 != word {
            at += 1;
        }
        values.push(slots[at & (SLOTS - 1)].1);
        s.left.push(at as u32);
    }
    // Only now: a free slot would end the search for a word behind it.
    for &at in &s.left {
        slots[at as usize & (SLOTS - 1)].0 = FREE;
    }
    // Terms that cancelled are no terms.
    let kept = |&(_, v): &(&u64, &i64)| *v != 0;
    let terms = s.words.iter().zip(&values).filter(kept);
    terms.map(|(&w, &v)| (w, v)).unzip()
}

#[cfg(test)]
mod tests {
    use crate::poly::{Poly, Rational, Vars};

    /// Few products in a large box go through the hash table, where sums may cancel.
    #[test]
    fn terms_that_cancel_are_dropped() {
        let read = |text: &str, vars: &mut Vars| Poly::<Rational>::parse(text, vars).unwrap();
        for k in [2, 4, 8, 30] {
            let vars = &mut Vars::new();
            let a = read(&format!("x^{k} - y^{k}"), vars);
            let b = read(&format!("x^{k} + y^{k}"), vars);
            let product = &a * &b;
            assert_eq!(product.len(), 2, "{k}");
            assert_eq!(product, read(&format!("x^{0} - y^{0}", 2 * k), vars));
        }
    }
}
