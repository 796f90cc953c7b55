//! Monomials as numbers: each exponent vector is stored once, and found by a hash that products add up.

use crate::Error;
use crate::poly::monomials::order::Order;
use std::cmp::Ordering;

/// A set of exponent vectors in a fixed number of variables, numbered in the order of their arrival.
pub(crate) struct Table {
    n: usize,
    exponents: Vec<u32>,
    hashes: Vec<u64>,
    /// Numbers plus one, 0 for free; a power of two of them, at most half of them taken.
    slots: Vec<u32>,
}

/// The weight of variable `v` in a hash; the low bit is set.
fn weight(v: usize) -> u64 {
    let mut x = (v as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x ^ (x >> 27) | 1
}

/// The hash of a monomial; that of a product is the sum.
pub(crate) fn hash(e: &[u32]) -> u64 {
    let each = e
        .iter()
        .enumerate()
        .map(|(v, &k)| weight(v).wrapping_mul(k.into()));
    each.fold(0, u64::wrapping_add)
}

impl Table {
    pub(crate) fn new(n: usize) -> Self {
        let slots = vec![0; 1 << 8];
        Self {
            n,
            exponents: Vec::new(),
            hashes: Vec::new(),
            slots,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.hashes.len()
    }

    pub(crate) fn row(&self, i: usize) -> &[u32] {
        &self.exponents[i * self.n..(i + 1) * self.n]
    }

    /// The number of the monomial with these exponents and this hash.
    pub(crate) fn intern(&mut self, e: &[u32], hash: u64) -> u32 {
        let mask = self.slots.len() - 1;
        let mut at = (hash ^ (hash >> 32)) as usize & mask;
        while self.slots[at] != 0 {
            let i = self.slots[at] as usize - 1;
            if self.hashes[i] == hash && self.row(i) == e {
                return i as u32;
            }
            at = (at + 1) & mask;
        }
        self.exponents.extend_from_slice(e);
        self.hashes.push(hash);
        self.slots[at] = self.hashes.len() as u32;
        if 2 * self.hashes.len() > self.slots.len() {
            self.grow();
        }
        self.hashes.len() as u32 - 1
    }

    fn grow(&mut self) {
        let mask = 2 * self.slots.len() - 1;
        self.slots = vec![0; mask + 1];
        for (i, &hash) in self.hashes.iter().enumerate() {
            let mut at = (hash ^ (hash >> 32)) as usize & mask;
            while self.slots[at] != 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = i as u32 + 1;
        }
    }

    /// The place of each monomial when they descend in an order.
    pub(crate) fn places(&self, order: &Order) -> Vec<u32> {
        let keys = Keys::new(order, self.n);
        let all: Vec<u64> = (0..self.len()).flat_map(|i| keys.of(self.row(i))).collect();
        let width = keys.width();
        let mut sorted: Vec<u32> = (0..self.len() as u32).collect();
        let key = |i: u32| &all[i as usize * width..(i as usize + 1) * width];
        sorted.sort_unstable_by(|&a, &b| key(b).cmp(key(a)));
        let mut places = vec![0; sorted.len()];
        for (place, &i) in sorted.iter().enumerate() {
            places[i as usize] = place as u32;
        }
        places
    }
}

/// An order as a map to words that are compared from the first on.
struct Keys<'a> {
    order: &'a Order,
    n: usize,
}

impl<'a> Keys<'a> {
    fn new(order: &'a Order, n: usize) -> Self {
        Self { order, n }
    }

    fn width(&self) -> usize {
        self.n
            + match self.order {
                Order::Lex => 0,
                Order::DegLex | Order::DegRevLex => 1,
                Order::Block(_) | Order::Weight(_) => 2,
            }
    }

    fn of(&self, e: &[u32]) -> Vec<u64> {
        let degree = |e: &[u32]| e.iter().map(|&k| u64::from(k)).sum::<u64>();
        let mut key = Vec::with_capacity(self.width());
        let backwards = |key: &mut Vec<u64>, e: &[u32]| {
            key.push(degree(e));
            key.extend(e.iter().rev().map(|&k| u64::from(u32::MAX - k)));
        };
        match self.order {
            Order::Lex => {}
            Order::DegLex => key.push(degree(e)),
            Order::DegRevLex => {
                backwards(&mut key, e);
                return key;
            }
            Order::Block(first) => {
                let (a, b) = e.split_at((*first).min(e.len()));
                backwards(&mut key, a);
                backwards(&mut key, b);
                return key;
            }
            Order::Weight(w) => {
                let weight = |v: usize| u128::from(w.get(v).copied().unwrap_or(1));
                let each = e
                    .iter()
                    .enumerate()
                    .map(|(v, &k)| weight(v) * u128::from(k));
                let sum: u128 = each.sum();
                key.extend([(sum >> 64) as u64, sum as u64]);
            }
        }
        key.extend(e.iter().map(|&k| u64::from(k)));
        key
    }
}

/// Whether `a` divides `b`, exponent vectors of one length.
pub(crate) fn divides(a: &[u32], b: &[u32]) -> bool {
    a.iter().zip(b).all(|(x, y)| x <= y)
}

/// The exponents of the least common multiple.
pub(crate) fn lcm(a: &[u32], b: &[u32]) -> Vec<u32> {
    a.iter().zip(b).map(|(x, y)| *x.max(y)).collect()
}

pub(crate) fn degree(e: &[u32]) -> u64 {
    e.iter().map(|&k| u64::from(k)).sum()
}

/// Two bits a variable that a divisor's are a part of: whether the exponent is at least 1 and at least 3. Beyond 32 variables
/// places are shared.
pub(crate) fn mask(e: &[u32]) -> u64 {
    let bits =
        |(v, &k): (usize, &u32)| (u64::from(k >= 1) | u64::from(k >= 3) << 1) << (2 * (v % 32));
    e.iter().enumerate().map(bits).fold(0, |m, b| m | b)
}

/// The product of monomials.
pub(crate) fn product(a: &[u32], b: &[u32], out: &mut Vec<u32>) -> Result<(), Error> {
    out.clear();
    for (x, y) in a.iter().zip(b) {
        let (op, what) = ("groebner_basis", "exponent");
        out.push(x.checked_add(*y).ok_or(Error::Overflow { op, what })?);
    }
    Ok(())
}

/// By degree, then by exponents: an order for lists of monomials that depends on nothing else.
pub(crate) fn by_degree(a: &[u32], b: &[u32]) -> Ordering {
    degree(a).cmp(&degree(b)).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::{Table, hash};
    use crate::poly::monomials::order::Order;

    /// Places agree with [`Order::compare`] for every order.
    #[test]
    fn places_descend_in_every_order() {
        let mut table = Table::new(3);
        let mut all = Vec::new();
        for k in 0..64u32 {
            let e = [k % 4, k / 4 % 4, k / 16];
            assert_eq!(table.intern(&e, hash(&e)), k);
            all.push(e);
        }
        assert_eq!(table.intern(&all[9], hash(&all[9])), 9);
        let orders = [
            Order::Lex,
            Order::DegLex,
            Order::DegRevLex,
            Order::Block(1),
            Order::Block(2),
            Order::Block(7),
            Order::Weight(vec![3, 0]),
        ];
        for order in &orders {
            let places = table.places(order);
            for (a, x) in all.iter().zip(&places) {
                for (b, y) in all.iter().zip(&places) {
                    assert_eq!(order.compare(b, a), x.cmp(y), "{order:?}: {a:?} {b:?}");
                }
            }
        }
    }
}
