//! What accumulates: cells of 64 bits, of 128 bits, or of any ring.

use super::column::Column;
use super::grid::CELLS;
use crate::poly::coefficients::integers::Integers;
use crate::poly::coefficients::reducer::Reducer;
use crate::poly::coefficients::ring::Ring;

/// A block of cells.
pub(crate) type Block<T> = [T; CELLS];

/// Two factors' coefficients and the cells that their products are summed in.
pub(crate) trait Terms: Sync {
    /// One sum of products.
    type Cell: Clone + Send + Sync;
    /// Where finished sums are written.
    type Column: Column;

    fn zero(&self) -> Self::Cell;
    fn is_zero(cell: &Self::Cell) -> bool;
    /// Writes a finished sum.
    fn put(&self, cell: Self::Cell, column: &mut Self::Column);
    /// `cell += a[i] * b[j]`.
    fn add(&self, cell: &mut Self::Cell, i: usize, j: usize);
    /// `cells[base + offsets[k]] += a[i] * b[first + k]` for all `k`.
    fn scatter(
        &self,
        cells: &mut Block<Self::Cell>,
        base: u32,
        i: usize,
        first: usize,
        offsets: &[u32],
    ) {
        for (k, &offset) in offsets.iter().enumerate() {
            let at = (base + offset) as usize & (CELLS - 1);
            self.add(&mut cells[at], i, first + k);
        }
    }
    /// A block of zeros.
    fn block(&self) -> Box<Block<Self::Cell>> {
        let cells = vec![self.zero(); CELLS].into_boxed_slice();
        match cells.try_into() {
            Ok(block) => block,
            // The length above is the length of the array.
            Err(_) => on_the_stack(|| self.zero()),
        }
    }
    /// Most cells of a block that stay in a fast cache.
    fn fast_cells(&self) -> usize {
        let size = std::mem::size_of::<Self::Cell>().max(8);
        ((1 << 18) / size).clamp(256, CELLS)
    }
}

/// Never called; on its own, since a block of wide cells in a frame is more than small stacks have room for.
#[cold]
#[inline(never)]
fn on_the_stack<T>(zero: impl Fn() -> T) -> Box<Block<T>> {
    Box::new(std::array::from_fn(|_| zero()))
}

/// Products that the bound proves to fit 64 bits, in wrapping arithmetic.
pub(crate) struct Narrow<'a> {
    pub(crate) a: &'a [i64],
    pub(crate) b: &'a [i64],
}

impl Terms for Narrow<'_> {
    type Cell = i64;
    type Column = Integers;
    fn zero(&self) -> i64 {
        0
    }
    fn is_zero(cell: &i64) -> bool {
        *cell == 0
    }
    fn put(&self, cell: i64, column: &mut Integers) {
        if let Integers::I64(v) = column {
            v.push(cell);
        }
    }
    fn add(&self, cell: &mut i64, i: usize, j: usize) {
        *cell = cell.wrapping_add(self.a[i].wrapping_mul(self.b[j]));
    }
    fn scatter(&self, cells: &mut Block<i64>, base: u32, i: usize, first: usize, offsets: &[u32]) {
        let x = self.a[i];
        for (&offset, &y) in offsets.iter().zip(&self.b[first..]) {
            let cell = &mut cells[(base + offset) as usize & (CELLS - 1)];
            *cell = cell.wrapping_add(x.wrapping_mul(y));
        }
    }
}

/// 64-bit factors whose sums of products fit 128 bits.
pub(crate) struct Middle<'a> {
    pub(crate) a: &'a [i64],
    pub(crate) b: &'a [i64],
}

impl Terms for Middle<'_> {
    type Cell = i128;
    type Column = Integers;
    fn zero(&self) -> i128 {
        0
    }
    fn is_zero(cell: &i128) -> bool {
        *cell == 0
    }
    fn put(&self, cell: i128, column: &mut Integers) {
        column.push128(cell);
    }
    fn add(&self, cell: &mut i128, i: usize, j: usize) {
        *cell = cell.wrapping_add(i128::from(self.a[i]) * i128::from(self.b[j]));
    }
    fn scatter(&self, cells: &mut Block<i128>, base: u32, i: usize, first: usize, offsets: &[u32]) {
        let x = i128::from(self.a[i]);
        for (&offset, &y) in offsets.iter().zip(&self.b[first..]) {
            let cell = &mut cells[(base + offset) as usize & (CELLS - 1)];
            *cell = cell.wrapping_add(x * i128::from(y));
        }
    }
}

/// 128-bit factors whose sums of products fit 128 bits.
pub(crate) struct Wide<'a> {
    pub(crate) a: &'a [i128],
    pub(crate) b: &'a [i128],
}

impl Terms for Wide<'_> {
    type Cell = i128;
    type Column = Integers;
    fn zero(&self) -> i128 {
        0
    }
    fn is_zero(cell: &i128) -> bool {
        *cell == 0
    }
    fn put(&self, cell: i128, column: &mut Integers) {
        column.push128(cell);
    }
    fn add(&self, cell: &mut i128, i: usize, j: usize) {
        *cell = cell.wrapping_add(self.a[i].wrapping_mul(self.b[j]));
    }
}

/// Residues whose sums of products may leave 128 bits: a multiple of the modulus is taken off in time.
pub(crate) struct Folded<'a> {
    pub(crate) a: &'a [i64],
    pub(crate) b: &'a [i64],
    pub(crate) by: &'a Reducer,
}

impl Folded<'_> {
    /// `cell + x y` for residues below `p < 2^62`. A cell stays below `top = 2^64 p < 2^126`, and a product below
    /// `2^124`, so that the sum does not wrap.
    #[inline(always)]
    fn sum(top: u128, cell: u128, x: i64, y: i64) -> u128 {
        let sum = cell + u128::from(x as u64) * u128::from(y as u64);
        if sum >= top { sum - top } else { sum }
    }
    fn top(&self) -> u128 {
        u128::from(self.by.p) << 64
    }
}

impl Terms for Folded<'_> {
    type Cell = u128;
    type Column = Integers;
    fn zero(&self) -> u128 {
        0
    }
    fn is_zero(cell: &u128) -> bool {
        *cell == 0
    }
    fn put(&self, cell: u128, column: &mut Integers) {
        if let Integers::I64(v) = column {
            v.push(self.by.double(cell) as i64);
        }
    }
    fn add(&self, cell: &mut u128, i: usize, j: usize) {
        *cell = Self::sum(self.top(), *cell, self.a[i], self.b[j]);
    }
    fn scatter(&self, cells: &mut Block<u128>, base: u32, i: usize, first: usize, offsets: &[u32]) {
        let (x, top) = (self.a[i], self.top());
        for (&offset, &y) in offsets.iter().zip(&self.b[first..]) {
            let cell = &mut cells[(base + offset) as usize & (CELLS - 1)];
            *cell = Self::sum(top, *cell, x, y);
        }
    }
}

/// Coefficients of any ring.
pub(crate) struct Plain<C> {
    pub(crate) a: Vec<C>,
    pub(crate) b: Vec<C>,
}

impl<C: Ring> Terms for Plain<C> {
    type Cell = C;
    type Column = Vec<C>;
    fn zero(&self) -> C {
        C::zero()
    }
    fn is_zero(cell: &C) -> bool {
        cell.is_zero()
    }
    fn put(&self, cell: C, column: &mut Vec<C>) {
        column.push(cell);
    }
    fn add(&self, cell: &mut C, i: usize, j: usize) {
        let mut product = self.a[i].clone();
        product *= &self.b[j];
        *cell += &product;
    }
}
