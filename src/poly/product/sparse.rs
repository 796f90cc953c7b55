//! Products whose result has no dense block: sorted pairs for few products, small hash tables for many.

use super::Task;
use super::cells::Terms;
use super::column::Column;
use super::slab::Output;
use crate::Error;
use crate::poly::monomials::Word;
use rayon::prelude::*;

const OP: &str = "Poly::mul_within";

/// Few products: form them all, sort, add up neighbours.
pub(crate) fn sorted<W: Word, T: Terms>(a: &[W], b: &[W], terms: &T) -> Output<W, T::Column> {
    let mut all = Vec::with_capacity(a.len() * b.len());
    for (i, &x) in a.iter().enumerate() {
        for (j, &y) in b.iter().enumerate() {
            all.push((x + y, i as u32, j as u32));
        }
    }
    all.sort_unstable_by(|x, y| y.0.cmp(&x.0).then(x.1.cmp(&y.1)));
    let mut out = Output::<W, T::Column>::default();
    out.reserve(all.len());
    let mut rest = all.as_slice();
    while let Some(&(word, ..)) = rest.first() {
        let mut cell = terms.zero();
        while let Some((&(_, i, j), more)) = rest.split_first().filter(|(t, _)| t.0 == word) {
            terms.add(&mut cell, i as usize, j as usize);
            rest = more;
        }
        if !T::is_zero(&cell) {
            out.words.push(word);
            terms.put(cell, &mut out.values);
        }
    }
    out
}

/// Distinct monomials that one range is meant to hold: keys and 16-byte cells at twice that number fill
/// half a second-level cache.
const RANGE: usize = 1 << 13;
/// Samples per range for placing the borders; more make the ranges more even.
const SAMPLES: usize = 24;

/// Many products: the monomials are cut into ranges by sampling; each range is gathered in a hash table
/// that stays in cache, then sorted. Ranges are independent, so threads share them out.
pub(crate) fn hashed<W: Word, T: Terms>(
    a: &[W],
    b: &[W],
    terms: &T,
    task: &Task<'_>,
) -> Result<Output<W, T::Column>, Error> {
    let borders = borders(a, b);
    let ranges = borders.len() + 1;
    let threads = rayon::current_num_threads();
    let parts = if threads == 1 || a.len() * b.len() < 400_000 {
        1
    } else {
        threads * 8
    };
    let stretch = |p: usize| (ranges * p / parts, ranges * (p + 1) / parts);
    let work = |p: usize| gather(a, b, terms, &borders, stretch(p), task);
    if parts == 1 {
        return work(0);
    }
    let outs: Result<Vec<_>, Error> = (0..parts).into_par_iter().map(work).collect();
    let outs = outs?;
    task.budget
        .check_terms(OP, outs.iter().map(|o| o.words.len()).sum())?;
    Ok(Output::joined(outs))
}

/// Descending borders between ranges of about `RANGE` products.
fn borders<W: Word>(a: &[W], b: &[W]) -> Vec<W> {
    let ranges = a.len() * b.len() / RANGE + 1;
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut sample = Vec::with_capacity(ranges * SAMPLES);
    for _ in 0..ranges * SAMPLES {
        // A xorshift with a fixed start: the same borders on every run.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let (i, j) = (
            (state >> 32) as usize % a.len(),
            state as u32 as usize % b.len(),
        );
        sample.push(a[i] + b[j]);
    }
    sample.sort_unstable_by(|x, y| y.cmp(x));
    let mut borders: Vec<W> = (1..ranges).map(|r| sample[r * SAMPLES]).collect();
    borders.dedup();
    borders
}

/// An open-addressing table from monomials to cells.
struct Table<W, C> {
    keys: Vec<W>,
    cells: Vec<C>,
    used: Vec<(W, u32)>,
    shift: u32,
}

impl<W: Word, C: Clone> Table<W, C> {
    fn new(log: u32, zero: &C) -> Self {
        Self {
            keys: vec![W::MAX; 1 << log],
            cells: vec![zero.clone(); 1 << log],
            used: Vec::with_capacity(1 << (log - 1)),
            shift: 64 - log,
        }
    }

    fn slot(&mut self, key: W, zero: &C) -> usize {
        let mask = self.keys.len() - 1;
        let mut at = (key.mix() >> self.shift) as usize & mask;
        loop {
            if self.keys[at] == key {
                return at;
            }
            if self.keys[at] == W::MAX {
                break;
            }
            at = (at + 1) & mask;
        }
        if self.used.len() * 4 >= self.keys.len() * 3 {
            self.grow(zero);
            return self.slot(key, zero);
        }
        self.keys[at] = key;
        self.used.push((key, at as u32));
        at
    }

    /// Twice the room, for a range that the samples misjudged.
    fn grow(&mut self, zero: &C) {
        let log = 64 - self.shift + 1;
        let old = std::mem::replace(self, Self::new(log, zero));
        for (key, at) in old.used {
            let slot = self.slot(key, zero);
            self.cells[slot] = old.cells[at as usize].clone();
        }
    }
}

fn gather<W: Word, T: Terms>(
    a: &[W],
    b: &[W],
    terms: &T,
    borders: &[W],
    (from, to): (usize, usize),
    task: &Task<'_>,
) -> Result<Output<W, T::Column>, Error> {
    let zero = terms.zero();
    let (mut out, mut some) = (Output::default(), Output::default());
    if from == to {
        return Ok(out);
    }
    let mut table = Table::new(RANGE.trailing_zeros() + 1, &zero);
    // Row `i` stands at the first `b[j]` whose product lies below the border above.
    let start = |x: &W| match from.checked_sub(1) {
        None => 0,
        Some(r) => b.partition_point(|&y| *x + y >= borders[r]) as u32,
    };
    let mut next: Vec<u32> = a.iter().map(start).collect();
    for r in from..to {
        let low = borders.get(r).copied().unwrap_or_default();
        for (i, &x) in a.iter().enumerate() {
            let mut j = next[i] as usize;
            while let Some(&y) = b.get(j).filter(|&&y| x + y >= low) {
                let slot = table.slot(x + y, &zero);
                terms.add(&mut table.cells[slot], i, j);
                j += 1;
            }
            next[i] = j as u32;
        }
        table.used.sort_unstable_by_key(|x| std::cmp::Reverse(x.0));
        let target = match task.modulus {
            None => &mut out,
            Some(_) => &mut some,
        };
        for (word, at) in table.used.drain(..) {
            table.keys[at as usize] = W::MAX;
            let cell = std::mem::replace(&mut table.cells[at as usize], zero.clone());
            if !T::is_zero(&cell) {
                target.words.push(word);
                terms.put(cell, &mut target.values);
            }
        }
        if let Some(by) = task.modulus {
            T::Column::reduce(by, &mut some, &mut out);
        }
        task.budget.check_terms(OP, out.words.len())?;
        task.budget.check_time(OP)?;
    }
    Ok(out)
}
