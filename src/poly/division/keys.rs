//! Monomials of a division as numbers: fields just wide enough for the dividend's box.
//!
//! In an exact division over a domain degrees and lowest exponents add, so divisor and quotient have boxes of their own and every
//! product stays in the dividend's. Each field has a guard bit on top, which tells whether a difference stays in the
//! quotient's box.

use crate::poly::monomials::packed::{Exps, Monomials, field, pack};
use crate::poly::monomials::word::Word;

/// Least and greatest exponents, one of each a variable.
pub(crate) type Box2 = (Vec<u32>, Vec<u32>);

/// Where the fields lie.
pub(crate) struct Fields {
    /// The place of the lowest bit of each field.
    shift: Vec<u32>,
    width: Vec<u32>,
    pub(crate) bits: u32,
    /// Whether monomials lie in these fields as they are.
    packed: bool,
}

impl Fields {
    /// The fields in which both lists lie packed, if they lie in the same: their top bits are clear.
    pub(crate) fn packed(a: &Monomials, b: &Monomials, nvars: usize) -> Option<Self> {
        let bits = match (&a.exps, &b.exps) {
            (Exps::W1(_), Exps::W1(_)) => 64,
            (Exps::W2(_), Exps::W2(_)) => 128,
            _ => return None,
        };
        let width = field(bits, nvars);
        // More than 33 bits are not read out of a field.
        if a.nvars != nvars || b.nvars != nvars || nvars == 0 {
            return None;
        }
        let shift = (0..nvars).rev().map(|v| v as u32 * width).collect();
        let width = vec![width.min(33); nvars];
        let packed = true;
        Some(Self {
            shift,
            width,
            bits,
            packed,
        })
    }

    /// As narrow as the dividend's box allows.
    pub(crate) fn new(dividend: &Box2) -> Self {
        let range = |(&low, &high): (&u32, &u32)| match high - low {
            0 => 0,
            range => 33 - range.leading_zeros(),
        };
        let width: Vec<u32> = dividend.0.iter().zip(&dividend.1).map(range).collect();
        let mut bits = 0;
        let mut shift = vec![0; width.len()];
        for v in (0..width.len()).rev() {
            shift[v] = bits;
            bits += width[v];
        }
        Self {
            shift,
            width,
            bits,
            packed: false,
        }
    }

    /// One vector of exponents above `low`.
    pub(crate) fn pack<W: Word>(&self, row: &[u32], low: &[u32]) -> W {
        let mut word = W::default();
        for (v, &e) in row.iter().enumerate() {
            if self.width[v] > 0 {
                word = word | W::of(e - low[v]) << self.shift[v];
            }
        }
        word
    }

    /// All monomials above `low`; the order is kept.
    pub(crate) fn all<W: Word>(&self, m: &Monomials, low: &[u32]) -> Vec<W> {
        if self.packed
            && let Some(words) = W::words(&m.exps)
        {
            let low: W = pack(m.nvars, low);
            return words.iter().map(|&word| word - low).collect();
        }
        let mut row = vec![0; m.nvars];
        let mut one = |i| {
            m.row(i, &mut row);
            self.pack(&row, low)
        };
        (0..m.len()).map(&mut one).collect()
    }

    /// The inverse of [`Fields::pack`].
    pub(crate) fn unpack<W: Word>(&self, word: W, low: &[u32], row: &mut [u32]) {
        for (v, e) in row.iter_mut().enumerate() {
            *e = low[v];
            if self.width[v] > 0 {
                let mask = u32::MAX >> (33 - self.width[v]);
                *e += (word >> self.shift[v]).low() & mask;
            }
        }
    }

    /// The guard bits.
    pub(crate) fn guards<W: Word>(&self) -> W {
        let used = (0..self.width.len()).filter(|&v| self.width[v] > 0);
        used.fold(W::default(), |word, v| {
            word | W::of(1) << (self.shift[v] + self.width[v] - 1)
        })
    }
}
