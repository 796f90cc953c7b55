//! Packed exponent vectors.
//!
//! A polynomial in `n` variables keeps one word per term, cut into `n` fields of equal width with the first
//! variable on top, so that words compare as exponent vectors compare lexicographically and add as
//! monomials multiply. The top bit of every field stays clear: the sum of two stored words never
//! carries from one field into the next.

pub(crate) use super::word::Word;
use crate::poly::coefficients::ring::Ring;
use std::borrow::Cow;
use std::cmp::Ordering;

/// The exponent vectors of all terms, in the narrowest form that their layout allows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Exps {
    /// One 64-bit word a term.
    W1(Vec<u64>),
    /// One 128-bit word a term.
    W2(Vec<u128>),
    /// `nvars` whole exponents a term.
    Rows(Vec<u32>),
}

/// How wide the exponents of a polynomial are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Width {
    W1,
    W2,
    Rows,
}

/// Exponent vectors in strictly descending lexicographic order.
#[derive(Clone, Debug)]
pub(crate) struct Monomials {
    pub(crate) nvars: usize,
    pub(crate) exps: Exps,
    rows: usize,
}

/// Bits of one field when `nvars` of them share a word of `bits` bits.
pub(crate) fn field(bits: u32, nvars: usize) -> u32 {
    match nvars {
        0 => bits,
        n => (bits as usize / n) as u32,
    }
}

/// The greatest exponent that a field of `width` bits holds with its top bit clear.
fn capacity(width: u32) -> u64 {
    match width {
        0 => 0,
        w => (1u64 << (w - 1).min(32)) - 1,
    }
}

/// The narrowest width for exponents up to `max`.
pub(crate) fn width_for(nvars: usize, max: u64) -> Width {
    if max <= capacity(field(64, nvars)) {
        Width::W1
    } else if max <= capacity(field(128, nvars)) {
        Width::W2
    } else {
        Width::Rows
    }
}

/// Packs one exponent vector; the caller has checked that it fits.
pub(crate) fn pack<W: Word>(nvars: usize, row: &[u32]) -> W {
    let width = field(W::BITS, nvars);
    let mut word = W::default();
    for v in 0..nvars {
        word = shifted(word, width) | W::of(row.get(v).copied().unwrap_or(0));
    }
    word
}

fn shifted<W: Word>(word: W, width: u32) -> W {
    if width >= W::BITS {
        W::default()
    } else {
        word << width
    }
}

/// Unpacks one word.
pub(crate) fn unpack<W: Word>(nvars: usize, word: W, row: &mut [u32]) {
    let width = field(W::BITS, nvars);
    // Stored exponents fit 32 bits, whatever the width of the field.
    let mask = if width >= 32 {
        u32::MAX
    } else {
        (1u32 << width) - 1
    };
    let mut rest = word;
    for v in (0..nvars).rev() {
        row[v] = rest.low() & mask;
        rest = if width >= W::BITS {
            W::default()
        } else {
            rest >> width
        };
    }
}

/// The least and greatest exponent of each variable, one variable after the other.
pub(crate) fn ranges_of<W: Word>(n: usize, words: &[W]) -> (Vec<u32>, Vec<u32>) {
    let width = field(W::BITS, n);
    let mask = 1u32.checked_shl(width).map_or(u32::MAX, |m| m - 1);
    let range = |v: usize| {
        let shift = width * (n - 1 - v) as u32;
        let start = (u32::MAX, 0);
        words.iter().fold(start, |(low, high), &w| {
            let e = (w >> shift).low() & mask;
            (low.min(e), high.max(e))
        })
    };
    (0..n).map(range).unzip()
}

impl Monomials {
    pub(crate) fn empty() -> Self {
        Self::from_words(0, Vec::<u64>::new())
    }

    /// Words that are packed for `nvars` variables and strictly descending.
    pub(crate) fn from_words<W: Word>(nvars: usize, words: Vec<W>) -> Self {
        let rows = words.len();
        let exps = W::wrap(words);
        Self { nvars, exps, rows }
    }

    /// Rows of `nvars` exponents, strictly descending, packed as narrowly as they allow.
    pub(crate) fn from_rows(nvars: usize, rows: Vec<u32>, count: usize) -> Self {
        let max = rows.iter().copied().max().unwrap_or(0);
        let each = || (0..count).map(|i| &rows[i * nvars..(i + 1) * nvars]);
        match width_for(nvars, max.into()) {
            Width::W1 => Self::from_words(nvars, each().map(|r| pack::<u64>(nvars, r)).collect()),
            Width::W2 => Self::from_words(nvars, each().map(|r| pack::<u128>(nvars, r)).collect()),
            Width::Rows => Self {
                nvars,
                exps: Exps::Rows(rows),
                rows: count,
            },
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    pub(crate) fn width(&self) -> Width {
        match self.exps {
            Exps::W1(_) => Width::W1,
            Exps::W2(_) => Width::W2,
            Exps::Rows(_) => Width::Rows,
        }
    }

    /// Writes the exponents of term `i` into a row of `nvars` entries.
    pub(crate) fn row(&self, i: usize, row: &mut [u32]) {
        match &self.exps {
            Exps::W1(w) => unpack(self.nvars, w[i], row),
            Exps::W2(w) => unpack(self.nvars, w[i], row),
            Exps::Rows(r) => {
                row[..self.nvars].copy_from_slice(&r[i * self.nvars..(i + 1) * self.nvars])
            }
        }
    }

    /// All exponents, `nvars` a term.
    pub(crate) fn all_rows(&self) -> Vec<u32> {
        let mut rows = vec![0; self.len() * self.nvars];
        for i in 0..self.len() {
            self.row(i, &mut rows[i * self.nvars..(i + 1) * self.nvars]);
        }
        rows
    }

    /// The least and greatest exponent of each variable; empty for no terms.
    pub(crate) fn ranges(&self) -> (Vec<u32>, Vec<u32>) {
        let n = self.nvars;
        match &self.exps {
            Exps::W1(w) => return ranges_of(n, w),
            Exps::W2(w) => return ranges_of(n, w),
            Exps::Rows(_) => {}
        }
        let (mut low, mut high) = (vec![u32::MAX; n], vec![0; n]);
        let mut row = vec![0; n];
        for i in 0..self.len() {
            self.row(i, &mut row);
            for v in 0..n {
                low[v] = low[v].min(row[v]);
                high[v] = high[v].max(row[v]);
            }
        }
        (low, high)
    }

    /// Whether the exponents of the last variable come in long runs of consecutive ones.
    pub(crate) fn has_long_rows(&self) -> bool {
        let Exps::W1(words) = &self.exps else {
            return false;
        };
        // The top bits of fields are clear, so a difference of one is one of the last field.
        let runs = words.windows(2).filter(|w| w[0] - w[1] != 1).count() + 1;
        words.len() >= 5 * runs / 2
    }

    /// The greatest exponent of each variable.
    pub(crate) fn degrees(&self) -> Vec<u32> {
        self.ranges().1
    }

    /// The same monomials for more variables or a wider form; `None` when they do not fit.
    pub(crate) fn repacked(&self, nvars: usize, width: Width) -> Option<Cow<'_, Self>> {
        if nvars == self.nvars && width == self.width() {
            return Some(Cow::Borrowed(self));
        }
        let mut row = vec![0; nvars.max(self.nvars)];
        let max = self.degrees();
        if max.get(nvars..).is_some_and(|d| d.iter().any(|&e| e > 0)) {
            return None;
        }
        let max = max.iter().copied().max().unwrap_or(0);
        if width_for(nvars, max.into()) > width {
            return None;
        }
        let mut rows = |pick: &mut dyn FnMut(&[u32])| {
            for i in 0..self.len() {
                row.fill(0);
                self.row(i, &mut row);
                pick(&row[..nvars]);
            }
        };
        Some(Cow::Owned(match width {
            Width::W1 => {
                let mut words = Vec::with_capacity(self.len());
                rows(&mut |r| words.push(pack::<u64>(nvars, r)));
                Self::from_words(nvars, words)
            }
            Width::W2 => {
                let mut words = Vec::with_capacity(self.len());
                rows(&mut |r| words.push(pack::<u128>(nvars, r)));
                Self::from_words(nvars, words)
            }
            Width::Rows => {
                let mut all = Vec::with_capacity(self.len() * nvars);
                rows(&mut |r| all.extend_from_slice(r));
                let exps = Exps::Rows(all);
                let rows = self.len();
                Self { nvars, exps, rows }
            }
        }))
    }

    /// Both lists in one common layout.
    pub(crate) fn aligned<'a>(a: &'a Self, b: &'a Self) -> (Cow<'a, Self>, Cow<'a, Self>) {
        let nvars = a.nvars.max(b.nvars);
        // More variables narrow the fields, so even the wider of the two forms may not be enough.
        let mut width = a.width().max(b.width());
        loop {
            match (a.repacked(nvars, width), b.repacked(nvars, width)) {
                (Some(x), Some(y)) => return (x, y),
                _ if width == Width::W1 => width = Width::W2,
                _ => width = Width::Rows,
            }
        }
    }

    /// The terms number `picked`, in that order.
    pub(crate) fn gather(&self, picked: &[usize]) -> Self {
        match &self.exps {
            Exps::W1(w) => Self::from_words(self.nvars, picked.iter().map(|&i| w[i]).collect()),
            Exps::W2(w) => Self::from_words(self.nvars, picked.iter().map(|&i| w[i]).collect()),
            Exps::Rows(_) => {
                let mut rows = vec![0; picked.len() * self.nvars];
                for (k, &i) in picked.iter().enumerate() {
                    self.row(i, &mut rows[k * self.nvars..(k + 1) * self.nvars]);
                }
                Self::from_rows(self.nvars, rows, picked.len())
            }
        }
    }

    /// The position of a monomial.
    pub(crate) fn find(&self, exponents: &[u32]) -> Option<usize> {
        let mut row = vec![0; self.nvars];
        let above = exponents.get(self.nvars..);
        if above.is_some_and(|e| e.iter().any(|&k| k > 0)) {
            return None;
        }
        let mut wanted = exponents.to_vec();
        wanted.resize(self.nvars, 0);
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            self.row(middle, &mut row);
            match row.as_slice().cmp(&wanted) {
                Ordering::Equal => return Some(middle),
                Ordering::Greater => low = middle + 1,
                Ordering::Less => high = middle,
            }
        }
        None
    }

    /// Equal monomials, whatever the layouts.
    pub(crate) fn same(&self, other: &Self) -> bool {
        if self.len() != other.len() {
            return false;
        }
        if self.nvars == other.nvars && self.width() == other.width() {
            return self.exps == other.exps;
        }
        let (a, b) = Self::aligned(self, other);
        a.exps == b.exps
    }
}

/// Where each term of a sum comes from: positions in the left and in the right list.
pub(crate) type Origins = Vec<(u32, u32)>;
/// Marks a side that has no such term.
pub(crate) const NONE: u32 = u32::MAX;

/// Merges two lists; the origins tell which terms were joined.
pub(crate) fn merge(a: &Monomials, b: &Monomials) -> (Monomials, Origins) {
    if a.nvars != b.nvars || a.width() != b.width() {
        let (a, b) = Monomials::aligned(a, b);
        return merge(&a, &b);
    }
    match (&a.exps, &b.exps) {
        (Exps::W1(x), Exps::W1(y)) => merge_words(a.nvars, x, y),
        (Exps::W2(x), Exps::W2(y)) => merge_words(a.nvars, x, y),
        _ => {
            let n = a.nvars.max(1);
            let (x, y) = (a.all_rows(), b.all_rows());
            let x: Vec<&[u32]> = x.chunks_exact(n).collect();
            let y: Vec<&[u32]> = y.chunks_exact(n).collect();
            let (words, origins) = merged(&x, &y);
            let count = words.len();
            (
                Monomials::from_rows(a.nvars, words.concat(), count),
                origins,
            )
        }
    }
}

fn merge_words<W: Word>(nvars: usize, x: &[W], y: &[W]) -> (Monomials, Origins) {
    let (words, origins) = merged(x, y);
    (Monomials::from_words(nvars, words), origins)
}

fn merged<W: Copy + Ord>(x: &[W], y: &[W]) -> (Vec<W>, Origins) {
    let most = x.len() + y.len();
    let (mut words, mut origins) = (Vec::with_capacity(most), Vec::with_capacity(most));
    let (mut i, mut j) = (0, 0);
    while i < x.len() && j < y.len() {
        match x[i].cmp(&y[j]) {
            Ordering::Greater => {
                words.push(x[i]);
                origins.push((i as u32, NONE));
                i += 1;
            }
            Ordering::Less => {
                words.push(y[j]);
                origins.push((NONE, j as u32));
                j += 1;
            }
            Ordering::Equal => {
                words.push(x[i]);
                origins.push((i as u32, j as u32));
                i += 1;
                j += 1;
            }
        }
    }
    words.extend_from_slice(&x[i..]);
    origins.extend((i..x.len()).map(|i| (i as u32, NONE)));
    words.extend_from_slice(&y[j..]);
    origins.extend((j..y.len()).map(|j| (NONE, j as u32)));
    (words, origins)
}

/// Drops the terms whose coefficient is zero.
pub(crate) fn drop_zeros<C: Ring>(
    monomials: Monomials,
    coefficients: Vec<C>,
) -> (Monomials, Vec<C>) {
    if coefficients.iter().all(|c| !c.is_zero()) {
        return (monomials, coefficients);
    }
    let kept: Vec<usize> = (0..coefficients.len())
        .filter(|&i| !coefficients[i].is_zero())
        .collect();
    let monomials = monomials.gather(&kept);
    let coefficients = coefficients.into_iter().filter(|c| !c.is_zero()).collect();
    (monomials, coefficients)
}
