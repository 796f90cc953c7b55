//! Exact division with what is left of the dividend in a hash table.
//!
//! Monomials are taken in windows from the top, each small enough that what is left of it stays in a table in cache. Multiples of
//! the divisor by the terms of the quotient that are known enter the table as far as they reach into the window; the next
//! leading term is the greatest that does not vanish, found by walking along the dividend, whose order is known. Only
//! monomials that the dividend does not have, which must cancel later, go through a heap. (A heap of all products, as in
//! Monagan and Pearce, "Sparse polynomial division using a heap", 2011, pays a logarithm for each.)

use super::keys::{Box2, Fields};
use super::numbers::{Certain, Numbers};
use crate::Error;
use crate::poly::monomials::packed::Monomials;
use crate::poly::monomials::word::Word;
use crate::poly::product::budget::Budget;
use std::collections::BinaryHeap;

const OP: &str = "Poly::divide_exact";
/// Products between two looks at the clock.
const PATIENCE: u64 = 1 << 16;

/// What a division came to.
pub(crate) enum Outcome<V> {
    Exact(Monomials, V),
    Rejected,
    /// The numbers were too narrow to be certain.
    Unsure,
}

/// The boxes of a division: of the dividend, the divisor and the quotient.
pub(crate) struct Boxes<'a> {
    pub(crate) a: &'a Box2,
    pub(crate) b: &'a Box2,
}

/// Bytes of the cells of one window.
const WINDOW: usize = 1 << 19;

/// Cells in a table with open addressing.
struct Table<W, C> {
    slots: Vec<(W, C)>,
    shift: u32,
    used: usize,
}

impl<W: Word, C: Clone> Table<W, C> {
    fn new(terms: usize, zero: &C) -> Self {
        let log = (2 * terms).max(16).next_power_of_two().ilog2();
        Self {
            slots: vec![(W::MAX, zero.clone()); 1 << log],
            shift: 64 - log,
            used: 0,
        }
    }

    fn clear(&mut self, zero: &C) {
        self.slots.fill((W::MAX, zero.clone()));
        self.used = 0;
    }

    /// Where a monomial lies, or where it would.
    #[inline(always)]
    fn find(&self, key: W) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = (key.mix().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift) as usize;
        loop {
            let found = self.slots[at & mask].0;
            if found == key || found == W::MAX {
                return at & mask;
            }
            at += 1;
        }
    }

    /// The cell of a monomial, zero when it is new, and whether it is.
    #[inline(always)]
    fn cell(&mut self, key: W, zero: &C) -> (&mut C, bool) {
        if self.used * 3 >= self.slots.len() * 2 {
            self.grow(zero);
        }
        let at = self.find(key);
        let slot = &mut self.slots[at];
        let new = slot.0 != key;
        if new {
            slot.0 = key;
            self.used += 1;
        }
        (&mut slot.1, new)
    }

    /// Twice the room.
    #[cold]
    fn grow(&mut self, zero: &C) {
        let mut more = Self::new(self.slots.len(), zero);
        for (key, cell) in std::mem::take(&mut self.slots) {
            if key != W::MAX {
                let at = more.find(key);
                more.slots[at] = (key, cell);
            }
        }
        more.used = self.used;
        *self = more;
    }
}

/// A division under way.
struct Work<'a, W, N: Numbers> {
    numbers: &'a N,
    budget: &'a Budget<'a>,
    /// The divisor, and the bounds of the quotient.
    b: Vec<W>,
    guards: W,
    most: W,
    zero: N::Cell,
    table: Table<W, N::Cell>,
    /// Monomials of the window that the dividend does not have.
    new: BinaryHeap<W>,
    words: Vec<W>,
    values: Vec<N::Factor>,
    /// Each term of the quotient, ready for products, and the term of the divisor that is next.
    multiples: Vec<(N::Prepared, usize)>,
    /// Multiples that go on below this window, by their next monomials.
    later: BinaryHeap<(W, u32)>,
    products: u64,
    seen: u64,
}

/// How a window ends.
enum Step {
    Done,
    Rejected,
    Unsure,
}

impl<W: Word, N: Numbers> Work<'_, W, N> {
    /// Takes multiple `i` of the divisor out of the table, down to the monomial `low`.
    #[inline(always)]
    fn take(&mut self, i: usize, low: W) -> Result<(), Error> {
        let q = self.words[i];
        let (prepared, next) = &mut self.multiples[i];
        let from = *next;
        while let Some(&f) = self.b.get(*next) {
            let key = q + f;
            if key < low {
                break;
            }
            let (cell, new) = self.table.cell(key, &self.zero);
            self.numbers.subtract(cell, prepared, *next);
            if new {
                self.new.push(key);
            }
            *next += 1;
        }
        if let Some(&f) = self.b.get(*next) {
            self.later.push((q + f, i as u32));
        }
        self.products += (*next - from) as u64;
        if self.products > self.budget.work {
            return Err(Error::limit(OP, "coefficient products", self.budget.work));
        }
        if self.products - self.seen >= PATIENCE {
            self.seen = self.products;
            self.budget.check_time(OP)?;
            self.budget.check_terms(OP, self.table.used)?;
            self.budget.check_terms(OP, self.words.len())?;
        }
        Ok(())
    }

    /// The window of the dividend's terms from number `first` on and of all monomials down to `low`.
    fn window(&mut self, a: &[W], first: usize, low: W) -> Result<Step, Error> {
        self.table.clear(&self.zero);
        for (i, &key) in a.iter().enumerate() {
            *self.table.cell(key, &self.zero).0 = self.numbers.dividend(first + i);
        }
        while let Some(&(key, i)) = self.later.peek() {
            if key < low {
                break;
            }
            self.later.pop();
            self.take(i as usize, low)?;
        }
        let mut next = 0;
        loop {
            // The greatest monomial that is left.
            let key = match (a.get(next), self.new.peek()) {
                (Some(&own), Some(&other)) if own < other => other,
                (Some(&own), _) => own,
                (None, Some(&other)) => other,
                (None, None) => return Ok(Step::Done),
            };
            if a.get(next) == Some(&key) {
                next += 1;
            } else {
                self.new.pop();
            }
            let cell = &self.table.slots[self.table.find(key)].1;
            if self.numbers.is_zero(cell) {
                continue;
            }
            let shifted = (key | self.guards) - self.b[0];
            if key < self.b[0] || shifted & self.guards != self.guards {
                return Ok(Step::Rejected);
            }
            let q = shifted - self.guards;
            if ((self.most | self.guards) - q) & self.guards != self.guards {
                return Ok(Step::Rejected);
            }
            let factor = match self.numbers.quotient(cell) {
                Certain::Yes(factor) => factor,
                Certain::No => return Ok(Step::Rejected),
                Certain::Unsure => return Ok(Step::Unsure),
            };
            self.multiples.push((self.numbers.prepared(&factor), 1));
            self.words.push(q);
            self.values.push(factor);
            self.take(self.words.len() - 1, low)?;
        }
    }
}

/// The quotient in numbers of one kind; the boxes fit (see [`super::plan::integers`]).
pub(crate) fn divide<W: Word, N: Numbers>(
    (ma, mb): (&Monomials, &Monomials),
    boxes: &Boxes<'_>,
    fields: &Fields,
    numbers: &N,
    budget: &Budget<'_>,
) -> Result<Outcome<N::Column>, Error> {
    let (a, b): (Vec<W>, Vec<W>) = (fields.all(ma, &boxes.a.0), fields.all(mb, &boxes.b.0));
    let nvars = boxes.a.0.len();
    let low: Vec<u32> = (0..nvars).map(|v| boxes.a.0[v] - boxes.b.0[v]).collect();
    let high: Vec<u32> = (0..nvars).map(|v| boxes.a.1[v] - boxes.b.1[v]).collect();
    let zero = numbers.zero();
    let window = (WINDOW / size_of::<(W, N::Cell)>() / 2).max(64);
    let mut work = Work {
        numbers,
        budget,
        guards: fields.guards(),
        most: fields.pack(&high, &low),
        table: Table::new(window.min(a.len()), &zero),
        zero,
        b,
        new: BinaryHeap::new(),
        words: Vec::new(),
        values: Vec::new(),
        multiples: Vec::new(),
        later: BinaryHeap::new(),
        products: 0,
        seen: 0,
    };
    let mut step = Step::Done;
    for (k, part) in a.chunks(window).enumerate() {
        // The last window goes down to the bottom.
        let end = match k == (a.len() - 1) / window {
            true => W::default(),
            false => part[part.len() - 1],
        };
        budget.check_time(OP)?;
        step = work.window(part, k * window, end)?;
        if !matches!(step, Step::Done) {
            break;
        }
    }
    if matches!(step, Step::Unsure) || !numbers.certain(&work.values) {
        return Ok(Outcome::Unsure);
    }
    if matches!(step, Step::Rejected) {
        return Ok(Outcome::Rejected);
    }
    let count = work.words.len();
    budget.check_terms(OP, count)?;
    let mut rows = vec![0; count * nvars];
    for (&word, row) in work.words.iter().zip(rows.chunks_exact_mut(nvars.max(1))) {
        fields.unpack(word, &low, row);
    }
    let monomials = Monomials::from_rows(nvars, rows, count);
    Ok(Outcome::Exact(monomials, numbers.column(work.values)))
}
