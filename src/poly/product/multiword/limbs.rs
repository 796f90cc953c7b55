//! Cells of a fixed number of limbs.

use crate::poly::coefficients::integers::{Integers, negate_limbs};
use crate::poly::coefficients::store::Store;
use crate::poly::product::cells::{Block, Terms};
use crate::poly::product::grid::CELLS;

/// Magnitudes of `N` limbs with signs, summed in two's complement cells of `W >= 2N` limbs.
pub(crate) struct Limbs<const N: usize, const W: usize> {
    a: Vec<Signed<N>>,
    b: Vec<Signed<N>>,
}

/// A magnitude, and all ones for a negative sign or zero.
#[derive(Clone, Copy)]
struct Signed<const N: usize> {
    size: [u64; N],
    sign: u64,
}

fn signed<const N: usize>(v: &Integers) -> Vec<Signed<N>> {
    let read = |i| {
        let mut size = [0; N];
        v.write(i, &mut size);
        let negative = (size[N - 1] as i64) < 0;
        if negative {
            negate_limbs(&mut size);
        }
        let sign = if negative { u64::MAX } else { 0 };
        Signed { size, sign }
    };
    (0..v.len()).map(read).collect()
}

impl<const N: usize, const W: usize> Limbs<N, W> {
    /// The caller guarantees that every factor fits `N` limbs in two's complement and every sum of
    /// products `W`.
    pub(crate) fn new(a: &Integers, b: &Integers) -> Self {
        Self {
            a: signed(a),
            b: signed(b),
        }
    }
}

/// `cell += x * y`, modulo 2^(64 W).
#[inline(always)]
fn addmul<const N: usize, const W: usize>(cell: &mut [u64; W], x: &Signed<N>, y: &Signed<N>) {
    let mut t = [0u64; W];
    for i in 0..N {
        let mut carry = 0u64;
        for j in 0..N {
            if i + j < W {
                let s = u128::from(x.size[i]) * u128::from(y.size[j])
                    + u128::from(t[i + j])
                    + u128::from(carry);
                t[i + j] = s as u64;
                carry = (s >> 64) as u64;
            }
        }
        if i + N < W {
            t[i + N] = carry;
        }
    }
    // A negative product is added as its two's complement: flip all limbs and carry one in. No branch,
    // because the signs of a random polynomial cannot be predicted.
    let flip = x.sign ^ y.sign;
    let mut carry = flip & 1 == 1;
    for (c, t) in cell.iter_mut().zip(t) {
        let (s, c1) = c.overflowing_add(t ^ flip);
        let (s, c2) = s.overflowing_add(carry.into());
        *c = s;
        carry = c1 | c2;
    }
}

impl<const N: usize, const W: usize> Terms for Limbs<N, W> {
    type Cell = [u64; W];
    type Column = Integers;
    fn zero(&self) -> [u64; W] {
        [0; W]
    }
    fn is_zero(cell: &[u64; W]) -> bool {
        cell.iter().fold(0, |used, &w| used | w) == 0
    }
    fn put(&self, cell: [u64; W], column: &mut Integers) {
        column.push_limbs(&cell);
    }
    fn add(&self, cell: &mut [u64; W], i: usize, j: usize) {
        addmul(cell, &self.a[i], &self.b[j]);
    }
    fn scatter(
        &self,
        cells: &mut Block<[u64; W]>,
        base: u32,
        i: usize,
        first: usize,
        offsets: &[u32],
    ) {
        let x = &self.a[i];
        for (&offset, y) in offsets.iter().zip(&self.b[first..]) {
            addmul(&mut cells[(base + offset) as usize & (CELLS - 1)], x, y);
        }
    }
}
