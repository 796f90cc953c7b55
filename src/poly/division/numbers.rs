//! The coefficients of a division: words where these suffice, limbs, or elements of any ring.
//!
//! Words and limbs are taken modulo `2^n`. Afterwards `|a| + min(|q|, |b|) |q|_inf |b|_inf < 2^(n-1)` tells that nothing
//! was lost: a sum that vanished is zero, and one that did not is not.

use super::by_slab::Dividend;
use crate::poly::coefficients::integers::{Integers, read_limbs};
use crate::poly::coefficients::rational::Integer;
use crate::poly::coefficients::ring::Ring;
use crate::poly::coefficients::store::Store;
use crate::poly::polynomial::value::Poly;
use dashu_int::Sign;

/// An answer, none, or neither for certain.
pub(crate) enum Certain<T> {
    Yes(T),
    No,
    Unsure,
}

/// What a division needs of its coefficients.
pub(crate) trait Numbers {
    /// What is left of a coefficient of the dividend.
    type Cell: Clone;
    /// A coefficient of the quotient.
    type Factor;
    /// The same, ready for many products.
    type Prepared;
    type Column;
    fn zero(&self) -> Self::Cell;
    /// Coefficient `i` of the dividend.
    fn dividend(&self, i: usize) -> Self::Cell;
    fn is_zero(&self, cell: &Self::Cell) -> bool;
    /// The cell divided by the leading coefficient.
    fn quotient(&self, cell: &Self::Cell) -> Certain<Self::Factor>;
    fn prepared(&self, factor: &Self::Factor) -> Self::Prepared;
    /// Takes a factor times coefficient `j` of the divisor out of a cell.
    fn subtract(&self, cell: &mut Self::Cell, factor: &Self::Prepared, j: usize);
    /// Whether no cell can have lost anything with these factors.
    fn certain(&self, factors: &[Self::Factor]) -> bool;
    fn column(&self, factors: Vec<Self::Factor>) -> Self::Column;
}

/// Whether `a + min(n, m) q b < 2^bits`.
fn fits(a: u128, (n, q): (usize, u128), (m, b): (usize, u128), bits: u32) -> bool {
    let products = q
        .checked_mul(b)
        .and_then(|p| p.checked_mul(n.min(m) as u128));
    let bound = products.and_then(|p| p.checked_add(a));
    bound.is_some_and(|bound| bound < 1 << bits)
}

fn most(v: &[i64]) -> u128 {
    v.iter().map(|c| c.unsigned_abs()).max().unwrap_or(0).into()
}

/// Cells of 64 bits.
pub(crate) struct Narrow<'a> {
    pub(crate) a: &'a [i64],
    pub(crate) b: &'a [i64],
}

impl Numbers for Narrow<'_> {
    type Cell = i64;
    type Factor = i64;
    type Prepared = i64;
    type Column = Integers;
    fn zero(&self) -> i64 {
        0
    }
    fn dividend(&self, i: usize) -> i64 {
        self.a[i]
    }
    fn is_zero(&self, cell: &i64) -> bool {
        *cell == 0
    }
    fn quotient(&self, cell: &i64) -> Certain<i64> {
        let lead = self.b[0];
        match cell.checked_rem(lead) {
            Some(0) => cell.checked_div(lead).map_or(Certain::Unsure, Certain::Yes),
            Some(_) => Certain::No,
            None => Certain::Unsure,
        }
    }
    fn prepared(&self, factor: &i64) -> i64 {
        *factor
    }
    #[inline(always)]
    fn subtract(&self, cell: &mut i64, factor: &i64, j: usize) {
        *cell = cell.wrapping_sub(factor.wrapping_mul(self.b[j]));
    }
    fn certain(&self, factors: &[i64]) -> bool {
        let (q, b) = ((factors.len(), most(factors)), (self.b.len(), most(self.b)));
        fits(most(self.a), q, b, 63)
    }
    fn column(&self, factors: Vec<i64>) -> Integers {
        Integers::I64(factors)
    }
}

/// Cells of 128 bits, divisor and quotient of 64.
pub(crate) struct Wide<'a> {
    pub(crate) a: Dividend<'a>,
    pub(crate) b: &'a [i64],
}

impl Numbers for Wide<'_> {
    type Cell = i128;
    type Factor = i64;
    type Prepared = i128;
    type Column = Integers;
    fn zero(&self) -> i128 {
        0
    }
    fn dividend(&self, i: usize) -> i128 {
        self.a.at(i)
    }
    fn is_zero(&self, cell: &i128) -> bool {
        *cell == 0
    }
    fn quotient(&self, cell: &i128) -> Certain<i64> {
        let lead = i128::from(self.b[0]);
        let (quotient, rest) = match (i64::try_from(*cell), self.b[0]) {
            // The 64-bit division is several times faster, and most values fit.
            (Ok(v), l) if l != -1 => (i128::from(v / l), i128::from(v % l)),
            _ => (cell.wrapping_div(lead), cell.wrapping_rem(lead)),
        };
        match (rest, i64::try_from(quotient)) {
            (0, Ok(q)) => Certain::Yes(q),
            (0, Err(_)) => Certain::Unsure,
            _ => Certain::No,
        }
    }
    fn prepared(&self, factor: &i64) -> i128 {
        (*factor).into()
    }
    #[inline(always)]
    fn subtract(&self, cell: &mut i128, factor: &i128, j: usize) {
        *cell = cell.wrapping_sub(factor * i128::from(self.b[j]));
    }
    fn certain(&self, factors: &[i64]) -> bool {
        let a = self.a.largest();
        let (q, b) = ((factors.len(), most(factors)), (self.b.len(), most(self.b)));
        a < 1 << 126 && fits(a, q, b, 126)
    }
    fn column(&self, factors: Vec<i64>) -> Integers {
        Integers::I64(factors)
    }
}

/// Cells of `W` limbs in two's complement; factors are as long as they are, so that a few long coefficients cost only their own
/// products.
pub(crate) struct Limbs<'a, const W: usize> {
    a: &'a Integers,
    b: Vec<Magnitude>,
    lead: Integer,
    /// Bits of the divisor.
    bits: u64,
}

/// Where the limbs of a magnitude lie, without leading zeros, and its sign.
pub(crate) struct Magnitude {
    limbs: Vec<u64>,
    negative: bool,
}

impl Magnitude {
    fn new(value: &Integer) -> Self {
        let (sign, words) = value.as_sign_words();
        Self {
            limbs: words.to_vec(),
            negative: sign == Sign::Negative,
        }
    }
}

impl<'a, const W: usize> Limbs<'a, W> {
    /// The divisor and the dividend fit `W` limbs.
    pub(crate) fn new(a: &'a Integers, b: &Integers) -> Self {
        Self {
            a,
            b: (0..b.len()).map(|j| Magnitude::new(&b.get(j))).collect(),
            lead: b.get(0),
            bits: b.bits(),
        }
    }
}

/// `cell += x y`, modulo `2^(64 W)`.
#[inline(always)]
fn add_product<const W: usize>(cell: &mut [u64; W], x: &[u64], y: &[u64]) {
    for (i, &x) in x.iter().enumerate() {
        let mut carry = 0u64;
        for (c, &y) in cell[i.min(W)..].iter_mut().zip(y) {
            let sum = u128::from(x) * u128::from(y) + u128::from(carry) + u128::from(*c);
            *c = sum as u64;
            carry = (sum >> 64) as u64;
        }
        let from = (i + y.len()).min(W);
        for c in &mut cell[from..] {
            if carry == 0 {
                break;
            }
            let (sum, over) = c.overflowing_add(carry);
            *c = sum;
            carry = over.into();
        }
    }
}

/// `cell -= x y`, modulo `2^(64 W)`.
#[inline(always)]
fn subtract_product<const W: usize>(cell: &mut [u64; W], x: &[u64], y: &[u64]) {
    for (i, &x) in x.iter().enumerate() {
        let mut borrow = 0u64;
        for (c, &y) in cell[i.min(W)..].iter_mut().zip(y) {
            let product = u128::from(x) * u128::from(y) + u128::from(borrow);
            let (rest, under) = c.overflowing_sub(product as u64);
            *c = rest;
            borrow = (product >> 64) as u64 + u64::from(under);
        }
        let from = (i + y.len()).min(W);
        for c in &mut cell[from..] {
            if borrow == 0 {
                break;
            }
            let (rest, under) = c.overflowing_sub(borrow);
            *c = rest;
            borrow = under.into();
        }
    }
}

impl<const W: usize> Numbers for Limbs<'_, W> {
    type Cell = [u64; W];
    type Factor = Integer;
    type Prepared = Magnitude;
    type Column = Integers;
    fn zero(&self) -> [u64; W] {
        [0; W]
    }
    fn dividend(&self, i: usize) -> [u64; W] {
        let mut cell = [0; W];
        self.a.write(i, &mut cell);
        cell
    }
    fn is_zero(&self, cell: &[u64; W]) -> bool {
        cell.iter().all(|&limb| limb == 0)
    }
    fn quotient(&self, cell: &[u64; W]) -> Certain<Integer> {
        let value = read_limbs(cell);
        let quotient = &value / &self.lead;
        match &quotient * &self.lead == value {
            true => Certain::Yes(quotient),
            false => Certain::No,
        }
    }
    fn prepared(&self, factor: &Integer) -> Magnitude {
        Magnitude::new(factor)
    }
    #[inline(always)]
    fn subtract(&self, cell: &mut [u64; W], factor: &Magnitude, j: usize) {
        let b = &self.b[j];
        if factor.negative == b.negative {
            subtract_product(cell, &factor.limbs, &b.limbs);
        } else {
            add_product(cell, &factor.limbs, &b.limbs);
        }
    }
    fn certain(&self, factors: &[Integer]) -> bool {
        let bits = |q: &Integer| {
            let (_, words) = q.as_sign_words();
            let top = words.last().map_or(0, |top| top.leading_zeros());
            words.len() as u64 * 64 - u64::from(top)
        };
        let most = factors.iter().map(bits).max().unwrap_or(0);
        let fewer = factors.len().min(self.b.len()) as u64;
        let products = most + self.bits + 1 + u64::from(64 - fewer.leading_zeros());
        products.max(self.a.bits()) + 1 < 64 * W as u64
    }
    fn column(&self, factors: Vec<Integer>) -> Integers {
        Integers::from_vec(factors)
    }
}

/// Elements of any ring.
pub(crate) struct Plain<'a, C: Ring> {
    pub(crate) a: &'a Poly<C>,
    b: Vec<C>,
}

impl<'a, C: Ring> Plain<'a, C> {
    pub(crate) fn new(a: &'a Poly<C>, b: &Poly<C>) -> Self {
        let b = (0..b.len()).map(|j| b.store().get(j)).collect();
        Self { a, b }
    }
}

impl<C: Ring> Numbers for Plain<'_, C> {
    type Cell = C;
    type Factor = C;
    type Prepared = C;
    type Column = Vec<C>;
    fn zero(&self) -> C {
        C::zero()
    }
    fn dividend(&self, i: usize) -> C {
        self.a.store().get(i)
    }
    fn is_zero(&self, cell: &C) -> bool {
        cell.is_zero()
    }
    fn quotient(&self, cell: &C) -> Certain<C> {
        cell.checked_div(&self.b[0])
            .map_or(Certain::No, Certain::Yes)
    }
    fn prepared(&self, factor: &C) -> C {
        factor.clone()
    }
    fn subtract(&self, cell: &mut C, factor: &C, j: usize) {
        let mut product = factor.clone();
        product *= &self.b[j];
        *cell -= &product;
    }
    fn certain(&self, _: &[C]) -> bool {
        true
    }
    fn column(&self, factors: Vec<C>) -> Vec<C> {
        factors
    }
}
