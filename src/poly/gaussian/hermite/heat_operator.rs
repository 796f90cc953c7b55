//! Exponentials of second-order differential operators with constant coefficients, on sparse polynomials.
//!
//! `exp(s/2 d_i^2)` and `exp(s d_i d_j)` send a monomial to lower ones along one line of exponents, with
//! integer weights `n! / (2^k k! (n-2k)!)` and `k! C(a,k) C(b,k)`: no division, so any ring will do. The
//! support is closed downwards first; then every line is updated in place.

use crate::Error;
use crate::poly::coefficients::rational::Integer;
use crate::poly::coefficients::ring::Ring;
use crate::poly::polynomial::value::Poly;
use std::collections::HashMap;

const OP: &str = "heat";
/// Most terms of a closed support.
const MAX_TERMS: usize = 1 << 22;
/// Most additions along lines: a univariate polynomial of degree 10000 is within it.
const MAX_WORK: usize = 1 << 28;
const NONE: usize = usize::MAX;

/// The image of an integer of any size.
pub(in crate::poly) fn from_integer<C: Ring>(value: &Integer) -> C {
    if let Ok(small) = i64::try_from(value) {
        return C::from_i64(small);
    }
    let (sign, size) = value.clone().into_parts();
    let base = C::from_i64(1 << 32);
    let bytes = size.to_le_bytes();
    let mut sum = C::zero();
    for chunk in bytes.chunks(4).rev() {
        let digit = chunk.iter().rev().fold(0i64, |d, &b| d << 8 | i64::from(b));
        sum *= &base;
        sum += &C::from_i64(digit);
    }
    if sign == dashu_int::Sign::Negative {
        -sum
    } else {
        sum
    }
}

/// Which exponents a key holds and where.
#[derive(Clone, Copy)]
struct Layout {
    nvars: usize,
    bits: u32,
}

/// An exponent vector that compares like a vector and can move along a line.
trait Key: Ord + Clone {
    fn pack(e: &[u32], layout: Layout) -> Self;
    fn exponent(&self, i: usize, layout: Layout) -> u32;
    /// The key with exponents `i` and `j` raised by one each (by two when `i == j`).
    fn raised(&self, i: usize, j: usize, layout: Layout) -> Self;
    /// The key with exponents `i` and `j` lowered by one each; the caller has checked that they can be.
    fn lowered(&self, i: usize, j: usize, layout: Layout) -> Self;
}

impl Key for u128 {
    fn pack(e: &[u32], layout: Layout) -> Self {
        let fields = e.iter().enumerate();
        fields
            .map(|(i, &k)| u128::from(k) << (i as u32 * layout.bits))
            .sum()
    }
    fn exponent(&self, i: usize, layout: Layout) -> u32 {
        (self >> (i as u32 * layout.bits)) as u32 & ((1u64 << layout.bits) - 1) as u32
    }
    fn raised(&self, i: usize, j: usize, layout: Layout) -> Self {
        // A field that would overflow gives a key beyond every one present, or a different one that is
        // present: the layout leaves room for the greatest exponent plus two.
        self + (1 << (i as u32 * layout.bits)) + (1 << (j as u32 * layout.bits))
    }
    fn lowered(&self, i: usize, j: usize, layout: Layout) -> Self {
        self - (1 << (i as u32 * layout.bits)) - (1 << (j as u32 * layout.bits))
    }
}

impl Key for Vec<u32> {
    fn pack(e: &[u32], layout: Layout) -> Self {
        let mut key = e.to_vec();
        key.resize(layout.nvars, 0);
        key
    }
    fn exponent(&self, i: usize, _: Layout) -> u32 {
        self[i]
    }
    fn raised(&self, i: usize, j: usize, _: Layout) -> Self {
        let mut key = self.clone();
        key[i] += 1;
        key[j] += 1;
        key
    }
    fn lowered(&self, i: usize, j: usize, _: Layout) -> Self {
        let mut key = self.clone();
        key[i] -= 1;
        key[j] -= 1;
        key
    }
}

/// `exp(1/2 sum_i s_ii d_i^2 + sum_{i<j} s_ij d_i d_j) p` for the given `(i, j, s_ij)`, `i <= j`.
///
/// # Errors
/// `LimitExceeded` when the closed support has more than 2^22 terms or its lines need more than 2^28
/// additions; `Overflow` for exponents next to the top of 32 bits.
pub(in crate::poly::gaussian) fn exp_second_order<C: Ring>(
    p: &Poly<C>,
    operators: &[(usize, usize, C)],
) -> Result<Poly<C>, Error> {
    let scalars: Vec<&C> = operators.iter().map(|(_, _, s)| s).collect();
    let Some((factor, integers, scalars)) = C::integral_form(p, &scalars) else {
        return on_lattice(p, operators);
    };
    let places = operators.iter().map(|(i, j, _)| (*i, *j));
    let operators: Vec<_> = places.zip(scalars).map(|((i, j), s)| (i, j, s)).collect();
    Ok(C::from_integral(
        &factor,
        &on_lattice(&integers, &operators)?,
    ))
}

fn on_lattice<C: Ring>(p: &Poly<C>, operators: &[(usize, usize, C)]) -> Result<Poly<C>, Error> {
    let terms: Vec<(Vec<u32>, C)> = p.iter().collect();
    let top = terms
        .iter()
        .flat_map(|(e, _)| e.iter().copied())
        .max()
        .unwrap_or(0);
    if u64::from(top) + 2 > u64::from(u32::MAX) {
        return Err(Error::Overflow {
            op: OP,
            what: "exponent",
        });
    }
    let layout = Layout {
        nvars: p.nvars(),
        bits: 32 - (top + 2).leading_zeros(),
    };
    let active = operators
        .iter()
        .filter(|(i, j, s)| i.max(j) < &layout.nvars && !s.is_zero());
    if layout.nvars * layout.bits as usize <= 128 {
        Lattice::<u128, C>::new(terms, layout).run(active)
    } else {
        Lattice::<Vec<u32>, C>::new(terms, layout).run(active)
    }
}

struct Lattice<K, C> {
    layout: Layout,
    /// Ascending.
    keys: Vec<K>,
    values: Vec<C>,
}

impl<K: Key, C: Ring> Lattice<K, C> {
    fn new(terms: Vec<(Vec<u32>, C)>, layout: Layout) -> Self {
        let mut pairs: Vec<(K, C)> = terms
            .into_iter()
            .map(|(e, c)| (K::pack(&e, layout), c))
            .collect();
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        let (keys, values) = pairs.into_iter().unzip();
        Self {
            layout,
            keys,
            values,
        }
    }

    fn run<'a>(
        mut self,
        operators: impl Iterator<Item = &'a (usize, usize, C)>,
    ) -> Result<Poly<C>, Error> {
        for (i, j, s) in operators {
            self.close(*i, *j)?;
            self.apply(*i, *j, s)?;
        }
        let layout = self.layout;
        let exponents = |k: &K| (0..layout.nvars).map(|i| k.exponent(i, layout)).collect();
        let pairs = self.keys.iter().zip(self.values);
        Ok(Poly::from_terms(pairs.map(|(k, c)| (exponents(k), c))))
    }

    fn can_fall(&self, key: &K, i: usize, j: usize) -> bool {
        let need = if i == j { 2 } else { 1 };
        key.exponent(i, self.layout) >= need && key.exponent(j, self.layout) >= need
    }

    /// Adds every key that a line through a present one reaches.
    fn close(&mut self, i: usize, j: usize) -> Result<(), Error> {
        let mut frontier = self.keys.clone();
        let mut closed = frontier.clone();
        let mut work = 0usize;
        loop {
            // Lowering all by the same amount keeps the order.
            let falling = frontier.iter().filter(|k| self.can_fall(k, i, j));
            let lower: Vec<K> = falling.map(|k| k.lowered(i, j, self.layout)).collect();
            let (merged, fresh) = merge(closed, lower);
            work = work.saturating_add(merged.len());
            if merged.len() > MAX_TERMS || work > MAX_WORK {
                return Err(Error::limit(OP, "terms", MAX_TERMS as u64));
            }
            closed = merged;
            if fresh.is_empty() {
                break;
            }
            frontier = fresh;
        }
        if closed.len() > self.keys.len() {
            let mut old = self
                .keys
                .iter()
                .zip(std::mem::take(&mut self.values))
                .peekable();
            self.values = closed
                .iter()
                .map(|k| {
                    old.next_if(|(o, _)| *o == k)
                        .map_or_else(C::zero, |(_, v)| v)
                })
                .collect();
            self.keys = closed;
        }
        Ok(())
    }

    /// Index of the next key up the line, by one walk over two sorted lists.
    fn links(&self, i: usize, j: usize) -> Vec<usize> {
        let mut at = 0;
        let mut links = Vec::with_capacity(self.keys.len());
        for key in &self.keys {
            let target = key.raised(i, j, self.layout);
            while at < self.keys.len() && self.keys[at] < target {
                at += 1;
            }
            links.push(if self.keys.get(at) == Some(&target) {
                at
            } else {
                NONE
            });
        }
        links
    }

    /// New value = sum over the line above of weight times old value. Ascending order makes it safe in place:
    /// everything above is still old.
    fn apply(&mut self, i: usize, j: usize, s: &C) -> Result<(), Error> {
        let up = self.links(i, j);
        let mut weights = Weights::new(i == j, s);
        let mut work = 0usize;
        for idx in 0..up.len() {
            let mut source = up[idx];
            let mut k = 0;
            let mut sum = C::zero();
            while source != NONE {
                k += 1;
                if !self.values[source].is_zero() {
                    let (a, b) = (
                        self.keys[source].exponent(i, self.layout),
                        self.keys[source].exponent(j, self.layout),
                    );
                    let mut term = self.values[source].clone();
                    term *= weights.at(a, b, k)?;
                    sum += &term;
                }
                source = up[source];
            }
            work = work.saturating_add(k);
            if work > MAX_WORK {
                return Err(Error::limit(OP, "additions", MAX_WORK as u64));
            }
            if k > 0 {
                self.values[idx] += &sum;
            }
        }
        Ok(())
    }
}

/// Two ascending lists merged, and what only the second had.
fn merge<K: Ord + Clone>(left: Vec<K>, right: Vec<K>) -> (Vec<K>, Vec<K>) {
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let mut fresh = Vec::new();
    let mut left = left.into_iter().peekable();
    for r in right {
        while let Some(l) = left.next_if(|l| *l < r) {
            merged.push(l);
        }
        if left.peek() != Some(&r) {
            fresh.push(r.clone());
            merged.push(r);
        }
    }
    merged.extend(left);
    (merged, fresh)
}

/// Rows of weights `w_k s^k`, one row per pair of exponents, made when first asked for.
struct Weights<'a, C> {
    same: bool,
    s: &'a C,
    rows: HashMap<(u32, u32), Vec<C>>,
    /// The row used last: consecutive terms of a line mostly share it.
    entries: usize,
}

impl<'a, C: Ring> Weights<'a, C> {
    fn new(same: bool, s: &'a C) -> Self {
        Self {
            same,
            s,
            rows: HashMap::new(),
            entries: 0,
        }
    }

    fn at(&mut self, a: u32, b: u32, k: usize) -> Result<&C, Error> {
        use std::collections::hash_map::Entry;
        let row = match self.rows.entry((a, b)) {
            Entry::Occupied(row) => row.into_mut(),
            Entry::Vacant(slot) => {
                let row = weight_row(a, b, self.same, self.s);
                // Weights of high degree are long integers: the total is bounded by entries times degree.
                self.entries = self
                    .entries
                    .saturating_add(row.len() * (1 + a as usize / 16));
                if self.entries > MAX_WORK / 16 {
                    return Err(Error::limit(OP, "weights", (MAX_WORK / 16) as u64));
                }
                slot.insert(row)
            }
        };
        // The line reaches k steps up, so the row is that long.
        row.get(k).ok_or(Error::Overflow {
            op: OP,
            what: "weight index",
        })
    }
}

fn weight_row<C: Ring>(a: u32, b: u32, same: bool, s: &C) -> Vec<C> {
    let steps = if same { a / 2 } else { a.min(b) };
    let mut weight = Integer::ONE;
    let mut power = C::one();
    let mut row = vec![C::one()];
    for k in 1..=u64::from(steps) {
        let (up, down) = if same {
            let n = u64::from(a) - 2 * k;
            ((n + 2) * (n + 1), 2 * k)
        } else {
            ((u64::from(a) - k + 1) * (u64::from(b) - k + 1), k)
        };
        // Both weights count matchings, so the division is exact at every step.
        weight = weight * Integer::from(up) / Integer::from(down);
        power *= s;
        row.push(from_integer::<C>(&weight) * power.clone());
    }
    row
}

#[cfg(test)]
mod tests {
    use super::{exp_second_order, from_integer};
    use crate::poly::coefficients::rational::{Integer, Rational};
    use crate::poly::polynomial::value::Poly;

    #[test]
    fn packed_and_plain_keys_agree() -> Result<(), crate::Error> {
        // 70 variables do not fit one word; the same terms moved to the front do.
        let wide = Poly::from_terms([(3usize, 60), (5, 61), (2, 69)].map(|(k, i)| {
            let mut e = vec![0; 70];
            e[i] = k as u32;
            e[60] += 1;
            (e, Rational::from(k as i64))
        }));
        let near = Poly::from_terms(wide.iter().map(|(e, c)| (e[60..].to_vec(), c)));
        let half = Rational::new(1, 2).unwrap_or_default();
        let ops = |shift: usize| {
            vec![
                (shift, shift, half.clone()),
                (shift, shift + 9, Rational::from(-3)),
            ]
        };
        let (a, b) = (
            exp_second_order(&wide, &ops(60))?,
            exp_second_order(&near, &ops(0))?,
        );
        let moved = Poly::from_terms(
            a.iter()
                .map(|(e, c)| (e.get(60..).unwrap_or(&[]).to_vec(), c)),
        );
        assert_eq!(moved, b);
        assert!(b.len() > 3);
        Ok(())
    }

    #[test]
    fn big_integers_enter_any_ring_and_giants_are_refused() {
        let big: Integer = Integer::from(-7).pow(61);
        assert_eq!(from_integer::<Rational>(&big), Rational::from(big.clone()));
        let giant = Poly::monomial(&[u32::MAX - 3], Rational::from(1));
        assert!(exp_second_order(&giant, &[(0, 0, Rational::from(1))]).is_err());
    }
}
