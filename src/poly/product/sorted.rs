//! Products whose result has no dense block: sorted pairs for few products, sorted ranges for many.

use super::budget::Task;
use super::cells::Terms;
use super::column::Column;
use super::slab::Output;
use crate::Error;
use crate::poly::monomials::packed::{field, ranges_of};
use crate::poly::monomials::word::Word;
use crate::poly::parallel;

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

/// Products that one range is meant to hold: twice 16 bytes for each fill half a second-level cache.
const RANGE: usize = 1 << 14;
/// Samples per range for placing the borders; more make the ranges more even.
const SAMPLES: usize = 24;
/// Buckets of a range: about two products each.
const BUCKETS: u32 = 1 << 13;
/// More entries than this in a bucket are not sorted by insertion.
const LONG: usize = 24;

/// A product: a key that orders like its monomial, and the terms that it is of.
type Entry<K> = (K, u32, u32);

/// Many products: the monomials are cut into ranges by sampling; the products of each range are laid into buckets, which are
/// sorted and summed up. Ranges are independent, so threads share them out.
pub(crate) fn ranged<W: Word, T: Terms>(
    nvars: usize,
    a: &[W],
    b: &[W],
    terms: &T,
    task: &Task<'_>,
) -> Result<Output<W, T::Column>, Error> {
    match tight(nvars, a, b) {
        Some((p, q)) => by_keys((&p, &q), (a, b), terms, task),
        None => by_keys((a, b), (a, b), terms, task),
    }
}

/// Words whose fields are as narrow as the exponents of the product allow, so that equal parts of a range hold about equally
/// many products. `None` when they need more than 64 bits.
fn tight<W: Word>(nvars: usize, a: &[W], b: &[W]) -> Option<(Vec<u64>, Vec<u64>)> {
    let width = field(W::BITS, nvars);
    let mask = 1u32.checked_shl(width).map_or(u32::MAX, |m| m - 1);
    let from = |v: usize| width * (nvars - 1 - v) as u32;
    let (p, q) = (ranges_of(nvars, a), ranges_of(nvars, b));
    let (mut to, mut bits) = (vec![0; nvars], 0);
    for v in (0..nvars).rev() {
        to[v] = bits;
        let most = u64::from(p.1[v] - p.0[v]) + u64::from(q.1[v] - q.0[v]);
        bits += 64 - most.leading_zeros();
    }
    if bits > 64 {
        return None;
    }
    let keys = |words: &[W], low: &[u32]| {
        let key = |&w: &W| {
            let part = |v: usize| u64::from(((w >> from(v)).low() & mask) - low[v]);
            // A field that needs no bits may begin at bit 64.
            let place = |v: usize| part(v).checked_shl(to[v]).unwrap_or(0);
            (0..nvars).map(place).sum()
        };
        words.iter().map(key).collect()
    };
    Some((keys(a, &p.0), keys(b, &q.0)))
}

fn by_keys<K: Word, W: Word, T: Terms>(
    keys: (&[K], &[K]),
    words: (&[W], &[W]),
    terms: &T,
    task: &Task<'_>,
) -> Result<Output<W, T::Column>, Error> {
    let borders = borders(keys.0, keys.1);
    let ranges = borders.len() + 1;
    let threads = parallel::threads();
    let parts = if threads == 1 || words.0.len() * words.1.len() < 400_000 {
        1
    } else {
        threads * 8
    };
    let stretch = |p: usize| (ranges * p / parts, ranges * (p + 1) / parts);
    let work = |p: usize| gather(keys, words, terms, &borders, stretch(p), task);
    if parts == 1 {
        return work(0);
    }
    let outs: Result<Vec<_>, Error> = parallel::map((0..parts).collect(), work)
        .into_iter()
        .collect();
    let outs = outs?;
    let terms = outs.iter().map(|o| o.words.len()).sum();
    task.budget.check_terms(OP, terms)?;
    Ok(Output::joined(outs))
}

/// Descending borders between ranges of about `RANGE` products.
fn borders<K: Word>(a: &[K], b: &[K]) -> Vec<K> {
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
    let mut borders: Vec<K> = (1..ranges).map(|r| sample[r * SAMPLES]).collect();
    borders.dedup();
    borders
}

/// Lists that are filled anew for every range.
struct Lists<K> {
    entries: Vec<Entry<K>>,
    sorted: Vec<Entry<K>>,
    ends: Vec<u32>,
}

impl<K: Word> Lists<K> {
    /// Sorts the entries, the greatest key first and equal keys as they came.
    fn sort(&mut self) {
        let Self {
            entries,
            sorted,
            ends,
        } = self;
        let Some(&first) = entries.first() else {
            sorted.clear();
            return;
        };
        let wider = |(low, high): (K, K), e: &Entry<K>| (low.min(e.0), high.max(e.0));
        let (low, high) = entries.iter().fold((first.0, first.0), wider);
        let mut shift = 0;
        while (high - low) >> shift > K::of(BUCKETS - 1) {
            shift += 1;
        }
        let bucket = |e: &Entry<K>| ((high - e.0) >> shift).low() as usize;
        ends.clear();
        ends.resize(BUCKETS as usize + 1, 0);
        entries.iter().for_each(|e| ends[bucket(e) + 1] += 1);
        let mut sum = 0;
        for end in ends.iter_mut() {
            sum += *end;
            *end = sum;
        }
        sorted.resize(entries.len(), first);
        for e in entries.iter() {
            // Every bucket's beginning moves to its end.
            let at = &mut ends[bucket(e)];
            sorted[*at as usize] = *e;
            *at += 1;
        }
        let mut start = 0;
        for &end in &ends[..BUCKETS as usize] {
            let own = &mut sorted[start..end as usize];
            start = end as usize;
            if own.len() > LONG {
                own.sort_by_key(|e| std::cmp::Reverse(e.0));
                continue;
            }
            for k in 1..own.len() {
                let (e, mut at) = (own[k], k);
                while at > 0 && own[at - 1].0 < e.0 {
                    own[at] = own[at - 1];
                    at -= 1;
                }
                own[at] = e;
            }
        }
    }
}

/// An open-addressing table from keys to cells.
struct Table<K, C> {
    keys: Vec<K>,
    cells: Vec<C>,
    /// Key, slot, and the first two terms that make this monomial.
    used: Vec<(K, u32, (u32, u32))>,
    shift: u32,
}

impl<K: Word, C: Clone> Table<K, C> {
    fn new(log: u32, zero: &C) -> Self {
        Self {
            keys: vec![K::MAX; 1 << log],
            cells: vec![zero.clone(); 1 << log],
            used: Vec::with_capacity(1 << (log - 1)),
            shift: 64 - log,
        }
    }

    fn slot(&mut self, key: K, origin: (u32, u32), zero: &C) -> usize {
        let mask = self.keys.len() - 1;
        let mut at = (key.mix() >> self.shift) as usize & mask;
        loop {
            if self.keys[at] == key {
                return at;
            }
            if self.keys[at] == K::MAX {
                break;
            }
            at = (at + 1) & mask;
        }
        if self.used.len() * 4 >= self.keys.len() * 3 {
            self.grow(zero);
            return self.slot(key, origin, zero);
        }
        self.keys[at] = key;
        self.used.push((key, at as u32, origin));
        at
    }

    /// Twice the room, for a range that the samples misjudged.
    fn grow(&mut self, zero: &C) {
        let log = 64 - self.shift + 1;
        let old = std::mem::replace(self, Self::new(log, zero));
        for (key, at, origin) in old.used {
            let slot = self.slot(key, origin, zero);
            self.cells[slot] = old.cells[at as usize].clone();
        }
    }
}

/// Products a monomial, on average, from which a table is faster than sorting (bench `random`).
const CROWDED: usize = 4;

fn gather<K: Word, W: Word, T: Terms>(
    (a, b): (&[K], &[K]),
    words: (&[W], &[W]),
    terms: &T,
    borders: &[K],
    (from, to): (usize, usize),
    task: &Task<'_>,
) -> Result<Output<W, T::Column>, Error> {
    let (mut out, mut some) = (Output::default(), Output::default());
    let mut lists = Lists {
        entries: Vec::with_capacity(2 * RANGE),
        sorted: Vec::with_capacity(2 * RANGE),
        ends: Vec::new(),
    };
    let mut table = None;
    // Row `i` stands at the first `b[j]` whose product lies below the border above.
    let start = |x: &K| match from.checked_sub(1) {
        Some(r) if from < to => b.partition_point(|&y| *x + y >= borders[r]) as u32,
        _ => 0,
    };
    let mut next: Vec<u32> = a.iter().map(start).collect();
    for r in from..to {
        let low = borders.get(r).copied().unwrap_or_default();
        let target = match task.modulus {
            None => &mut out,
            Some(_) => &mut some,
        };
        let put = |cell: T::Cell, (i, j): (u32, u32), target: &mut Output<W, T::Column>| {
            if !T::is_zero(&cell) {
                target.words.push(words.0[i as usize] + words.1[j as usize]);
                terms.put(cell, &mut target.values);
            }
        };
        if let Some(table) = &mut table {
            let zero = terms.zero();
            each(a, b, low, &mut next, |key, i, j| {
                let slot = Table::slot(table, key, (i, j), &zero);
                terms.add(&mut table.cells[slot], i as usize, j as usize);
            });
            table.used.sort_unstable_by_key(|x| std::cmp::Reverse(x.0));
            for (_, at, origin) in table.used.drain(..) {
                table.keys[at as usize] = K::MAX;
                let cell = std::mem::replace(&mut table.cells[at as usize], zero.clone());
                put(cell, origin, target);
            }
        } else {
            lists.entries.clear();
            each(a, b, low, &mut next, |key, i, j| {
                lists.entries.push((key, i, j))
            });
            lists.sort();
            let mut rest = lists.sorted.as_slice();
            let mut monomials = 0;
            while let Some(&(key, i, j)) = rest.first() {
                let mut cell = terms.zero();
                while let Some((e, more)) = rest.split_first().filter(|(e, _)| e.0 == key) {
                    terms.add(&mut cell, e.1 as usize, e.2 as usize);
                    rest = more;
                }
                monomials += 1;
                put(cell, (i, j), target);
            }
            if lists.sorted.len() >= CROWDED * monomials {
                table = Some(Table::new(RANGE.trailing_zeros(), &terms.zero()));
            }
        }
        if let Some(by) = task.modulus {
            T::Column::reduce(by, &mut some, &mut out);
        }
        if r == from {
            // As many terms as the other ranges will have if they are like this one, and a little more.
            let more = out.words.len() * (to - from - 1);
            out.reserve((more + more / 16).min(task.budget.terms));
        }
        task.budget.check_terms(OP, out.words.len())?;
        task.budget.check_time(OP)?;
    }
    Ok(out)
}

/// Every product that is not below the border and was not taken before: its key and its terms, row by row.
fn each<K: Word>(a: &[K], b: &[K], low: K, next: &mut [u32], mut take: impl FnMut(K, u32, u32)) {
    for (i, (&x, next)) in a.iter().zip(next).enumerate() {
        while let Some(&y) = b.get(*next as usize).filter(|&&y| x + y >= low) {
            take(x + y, i as u32, *next);
            *next += 1;
        }
    }
}
