//! Which algorithm a product takes.

use super::budget::{Budget, Task};
use super::cells::{Folded, Middle, Narrow, Plain, Terms, Wide};
use super::grid::{CELLS, Grid};
use super::multiword::{choice, classes};
use super::rows::{Kernel, ROW_CELLS, Rows, Rows64, Rows116, Scatter, Scatter64};
use super::slab;
use super::slab::{Blocks, Output, Pairs};
use super::transform::kronecker;
use super::{exponent_map, small, sorted};
use crate::Error;
use crate::memory::keep_freed_pages;
use crate::poly::coefficients::integers::Integers;
use crate::poly::coefficients::rational::Integer;
use crate::poly::coefficients::reducer::Reducer;
use crate::poly::coefficients::ring::Ring;
use crate::poly::coefficients::store::Store;
use crate::poly::monomials::packed::{Exps, Monomials, Width, width_for};
use crate::poly::monomials::word::Word;
use crate::poly::polynomial::value::Poly;
use crate::poly::simd;
use std::borrow::Cow;

const OP: &str = "Poly::mul_within";
/// Products up to here are sorted; beyond, a block pays (bench `poly_small`).
const FEW: usize = 24;

/// Products from which on the result may be worth keeping its memory for the next one.
const MANY: usize = 1 << 12;

/// The coefficients of a product, as a store.
pub(crate) type Product<S> = Result<(Monomials, S), Error>;

/// The product over any ring.
pub(crate) fn plain<C: Ring>(
    a: &Poly<C>,
    b: &Poly<C>,
    budget: &Budget<'_>,
) -> Result<Poly<C>, Error> {
    let all = |p: &Poly<C>| (0..p.len()).map(|i| p.store().get(i)).collect();
    let terms = Plain {
        a: all(a),
        b: all(b),
    };
    let task = Task::exact(budget);
    let (monomials, values) = by_terms(a.monomials(), b.monomials(), &terms, &task)?;
    Ok(Poly::from_parts(monomials, C::Store::from_vec(values)))
}

/// The product over the integers.
pub(crate) fn over_integers(
    a: &Poly<Integer>,
    b: &Poly<Integer>,
    budget: &Budget<'_>,
) -> Result<Poly<Integer>, Error> {
    let (left, right) = ((a.monomials(), a.store()), (b.monomials(), b.store()));
    let (monomials, store) = integers(left, right, &Task::exact(budget))?;
    Ok(Poly::from_canonical(monomials, store))
}

/// The product modulo a prime below 2^62 of polynomials with coefficients in `0..p`.
pub(crate) fn modulo(
    a: &Poly<Integer>,
    b: &Poly<Integer>,
    by: &Reducer,
    budget: &Budget<'_>,
) -> Result<Poly<Integer>, Error> {
    let (left, right) = ((a.monomials(), a.store()), (b.monomials(), b.store()));
    let task = Task {
        budget: *budget,
        modulus: Some(by),
    };
    let (monomials, store) = integers(left, right, &task)?;
    Ok(Poly::from_canonical(monomials, store))
}

/// The product of integer polynomials in parts.
pub(crate) fn integers(
    (ma, a): (&Monomials, &Integers),
    (mb, b): (&Monomials, &Integers),
    task: &Task<'_>,
) -> Product<Integers> {
    if a.is_empty() || b.is_empty() {
        return Ok((Monomials::empty(), Integers::default()));
    }
    if ma.len().saturating_mul(mb.len()) > MANY {
        keep_freed_pages();
    }
    let budget = &task.budget;
    // |sum a_i b_j| <= min(n, m) |a|_inf |b|_inf; the norms |.|_1 give more when they are cheap to have.
    let fewer = a.len().min(b.len()) as u64;
    let mut bits = a.bits() + b.bits() + u64::from(64 - fewer.leading_zeros());
    if let (Integers::I64(x), Integers::I64(y)) = (a, b)
        && bits > 63
    {
        bits = bits.min(norm_bits(x, y));
    }
    budget.check_bits(OP, bits.saturating_mul(fewer))?;
    let wide = |v: &Integers| (v.bits() / 64 + 1) as usize;
    budget.check_work(
        OP,
        a.len().saturating_mul(wide(a)),
        b.len().saturating_mul(wide(b)),
    )?;
    if let Some(product) = classes::product((ma, a), (mb, b), task)? {
        return Ok(product);
    }
    if let Some(product) = kronecker::product((ma, a), (mb, b), bits, task)? {
        return Ok(product);
    }
    if let (Integers::I64(a), Integers::I64(b), Some(by)) = (a, b, task.modulus)
        && bits > 127
    {
        return by_terms(ma, mb, &Folded { a, b, by }, task);
    }
    match (a, b) {
        (Integers::I64(x), Integers::I64(y)) if bits <= 63 => {
            budget.check_time(OP)?;
            if let Some((words, values)) = small::small((ma, x), (mb, y)) {
                let values = Integers::I64(values);
                let out = Output { words, values }.finished(task);
                budget.check_terms(OP, out.words.len())?;
                return Ok((Monomials::from_words(ma.nvars, out.words), out.values));
            }
            let small = Narrow { a: x, b: y };
            if simd::has_rows() && ma.has_long_rows() && mb.has_long_rows() {
                let shape = Shape::new(ma, mb, ROW_CELLS, budget)?;
                if let Some(product) = shape.rows64(&small, task)? {
                    return Ok(product);
                }
            }
            Shape::new(ma, mb, CELLS, budget)?.run64(&small, task)
        }
        (Integers::I64(x), Integers::I64(y)) if bits <= 127 => {
            let wide = Middle { a: x, b: y };
            Shape::new(ma, mb, CELLS, budget)?.run128(&wide, bits, task)
        }
        (Integers::I128(x), Integers::I128(y)) if bits <= 127 => {
            by_terms(ma, mb, &Wide { a: x, b: y }, task)
        }
        (Integers::I128(x), Integers::I64(y)) if bits <= 127 => {
            let y: Vec<i128> = y.iter().map(|&v| v.into()).collect();
            by_terms(ma, mb, &Wide { a: x, b: &y }, task)
        }
        (Integers::I64(x), Integers::I128(y)) if bits <= 127 => {
            let x: Vec<i128> = x.iter().map(|&v| v.into()).collect();
            by_terms(ma, mb, &Wide { a: &x, b: y }, task)
        }
        _ => choice::limbs((ma, a), (mb, b), bits, task),
    }
}

/// Bits of `min(|x|_1 |y|_inf, |x|_inf |y|_1, |x|_2 |y|_2)`, by Hoelder's inequality.
fn norm_bits(x: &[i64], y: &[i64]) -> u64 {
    let square = |v: &[i64]| {
        v.iter().try_fold(0u128, |s, c| {
            s.checked_add(u128::from(c.unsigned_abs()).pow(2))
        })
    };
    // |x|_2 |y|_2 < 2^k when |x|_2^2 |y|_2^2 < 2^2k.
    let half = |s: Option<u128>| s.map_or(256, |s| u64::from(128 - s.leading_zeros()));
    let two = (half(square(x)) + half(square(y))).div_ceil(2);
    let one = |v: &[i64]| {
        v.iter()
            .fold(0u128, |s, c| s + u128::from(c.unsigned_abs()))
    };
    let max = |v: &[i64]| v.iter().map(|c| c.unsigned_abs()).max().unwrap_or(0);
    let bits = |n: u128, m: u64| match n.checked_mul(m.into()) {
        Some(p) => u64::from(128 - p.leading_zeros()),
        None => 128,
    };
    bits(one(x), max(y)).min(bits(one(y), max(x))).min(two)
}

/// Both factors in one layout, and the box of their product.
pub(crate) struct Shape<'a> {
    a: Cow<'a, Monomials>,
    b: Cow<'a, Monomials>,
    pub(crate) grid: Option<Blocks>,
}

impl<'a> Shape<'a> {
    pub(crate) fn new(
        a: &'a Monomials,
        b: &'a Monomials,
        limit: usize,
        budget: &Budget<'_>,
    ) -> Result<Self, Error> {
        budget.check_work(OP, a.len(), b.len())?;
        budget.check_time(OP)?;
        let nvars = a.nvars.max(b.nvars);
        let (mut x, mut y) = (a.ranges(), b.ranges());
        for r in [&mut x, &mut y] {
            r.0.resize(nvars, 0);
            r.1.resize(nvars, 0);
        }
        let most = |v: usize| u64::from(x.1[v]) + u64::from(y.1[v]);
        let most = (0..nvars).map(most).max().unwrap_or(0);
        let width = width_for(nvars, most);
        if width == Width::Rows && most > u32::MAX.into() {
            let what = "exponent";
            return Err(Error::Overflow { op: OP, what });
        }
        let fit = |m: &'a Monomials| {
            let what = "exponent";
            m.repacked(nvars, width)
                .ok_or(Error::Overflow { op: OP, what })
        };
        let (left, right) = (fit(a)?, fit(b)?);
        let few = a.len() * b.len() <= FEW;
        let grid = match width != Width::Rows && !few {
            true => Grid::of_product(&x, &y, limit),
            false => None,
        };
        // Blocks with hardly a product in them cost more than they hold: leave those to sorting.
        let grid = grid.and_then(|g| {
            let (p, q) = (g.side(&left, &x.0), g.side(&right, &y.0));
            let products = p.offsets.len() as f64 * q.offsets.len() as f64;
            let full = |blocks: usize| products >= blocks as f64 * g.cells as f64 * DENSE;
            if p.mean().max(q.mean()) <= 1.2 || !full(p.groups.len() + q.groups.len() - 1) {
                return None;
            }
            let pairs = Pairs::new(&g, &p, &q);
            full(pairs.len()).then_some((g, p, q, pairs))
        });
        Ok(Self {
            a: left,
            b: right,
            grid,
        })
    }

    fn by<W: Word, T: Terms>(
        &self,
        words: (&[W], &[W]),
        terms: &T,
        task: &Task<'_>,
    ) -> Result<(Monomials, T::Column), Error> {
        let out = match &self.grid {
            Some(blocks) => slab::multiply(blocks, &Scatter(terms), task)?,
            None => self.sparse(words, terms, task)?,
        };
        self.done(out, task)
    }

    fn sparse<W: Word, T: Terms>(
        &self,
        words: (&[W], &[W]),
        terms: &T,
        task: &Task<'_>,
    ) -> Result<Output<W, T::Column>, Error> {
        if words.0.len() * words.1.len() <= SORTED {
            return Ok(sorted::sorted(words.0, words.1, terms).finished(task));
        }
        sorted::ranged(self.a.nvars, words.0, words.1, terms, task)
    }

    fn done<W: Word, V>(
        &self,
        out: Output<W, V>,
        task: &Task<'_>,
    ) -> Result<(Monomials, V), Error> {
        task.budget.check_terms(OP, out.words.len())?;
        Ok((Monomials::from_words(self.a.nvars, out.words), out.values))
    }

    fn run<T: Terms>(&self, terms: &T, task: &Task<'_>) -> Result<(Monomials, T::Column), Error> {
        match (&self.a.exps, &self.b.exps) {
            (Exps::W1(x), Exps::W1(y)) => self.by((x, y), terms, task),
            (Exps::W2(x), Exps::W2(y)) => self.by((x, y), terms, task),
            _ => {
                let (monomials, values) =
                    exponent_map::mapped(&self.a, &self.b, terms, &task.budget)?;
                if task.modulus.is_none() {
                    return Ok((monomials, values));
                }
                // Whole exponent vectors do not move with their coefficients: their positions do.
                let words = (0..monomials.len() as u64).collect();
                let out = Output { words, values }.finished(task);
                let kept: Vec<usize> = out.words.iter().map(|&i| i as usize).collect();
                Ok((monomials.gather(&kept), out.values))
            }
        }
    }

    /// The product by rows, if that is the fastest way.
    fn rows64(
        &self,
        terms: &Narrow<'_>,
        task: &Task<'_>,
    ) -> Result<Option<(Monomials, Integers)>, Error> {
        let Some(blocks @ (_, a, b, _)) = &self.grid else {
            return Ok(None);
        };
        match Rows::new((a, terms.a), (b, terms.b), ROWS_64) {
            Some(rows) => self.blocks(blocks, &Rows64(rows), task).map(Some),
            None => Ok(None),
        }
    }

    fn run64(&self, terms: &Narrow<'_>, task: &Task<'_>) -> Result<(Monomials, Integers), Error> {
        if let Some(product) = self.rows64(terms, task)? {
            return Ok(product);
        }
        let (a, b) = (terms.a, terms.b);
        match &self.grid {
            Some(blocks) => self.blocks(blocks, &Scatter64 { a, b }, task),
            None => self.run(terms, task),
        }
    }

    fn run128(
        &self,
        terms: &Middle<'_>,
        bits: u64,
        task: &Task<'_>,
    ) -> Result<(Monomials, Integers), Error> {
        let Some(blocks @ (_, a, b, _)) = &self.grid else {
            return self.run(terms, task);
        };
        if bits <= 115
            && let Some(rows) = Rows::new((a, terms.a), (b, terms.b), ROWS_128)
        {
            let plain = |v: &[i64]| v.iter().all(|&c| c >> 52 == 0);
            let plain = plain(terms.a) && plain(terms.b);
            return self.blocks(blocks, &Rows116 { rows, plain }, task);
        }
        self.run(terms, task)
    }

    pub(crate) fn blocks<K: Kernel>(
        &self,
        blocks: &Blocks,
        kernel: &K,
        task: &Task<'_>,
    ) -> Result<(Monomials, K::Column), Error> {
        if self.a.width() == Width::W1 {
            let out = slab::multiply::<u64, K>(blocks, kernel, task)?;
            return self.done(out, task);
        }
        let out = slab::multiply::<u128, K>(blocks, kernel, task)?;
        self.done(out, task)
    }
}

/// Products a cell, on average, below which blocks are not worth their cells (bench `poly_product`).
const DENSE: f64 = 0.02;
/// What taps of one, two and four coefficients cost when they meet a window, in scattered products (bench `poly_product`).
const ROWS_64: [f64; 3] = [5.3, 5.6, 6.2];
/// The same for sums of more than 64 bits, whose rows are read out faster than scattered sums.
const ROWS_128: [f64; 3] = [2.8, 3.2, 3.9];
/// Products up to here are sorted when there is no grid.
const SORTED: usize = 4096;

/// The product by any kind of terms.
pub(crate) fn by_terms<T: Terms>(
    a: &Monomials,
    b: &Monomials,
    terms: &T,
    task: &Task<'_>,
) -> Result<(Monomials, T::Column), Error> {
    if a.len() == 0 || b.len() == 0 {
        return Ok((Monomials::empty(), T::Column::default()));
    }
    Shape::new(a, b, terms.fast_cells(), &task.budget)?.run(terms, task)
}
