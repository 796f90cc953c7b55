//! Products of lists of integers, `c_k = sum a_i b_(k - i)`, modulo word primes.

use super::digits::Digits;
use super::float_primes::{BITS, FloatModulus, TWOS, float_primes};
use super::float_roots::FloatTransform;
use super::primes::{Factor, Prime, lazy, once, primes};
use super::roots::{Patience, Transform, length, roots_for};
use crate::Error;
use crate::poly::coefficients::integers::{Integers, negate_limbs};
use crate::poly::coefficients::store::Store;
use crate::poly::parallel;
use crate::poly::product::budget::Budget;
use crate::poly::simd::{floats, transforms};
use std::sync::Arc;

/// Values that are reduced together.
const LANES: usize = 8;

/// Integers at places of a list that is zero elsewhere.
pub(crate) struct Placed<'a> {
    pub(crate) values: &'a Integers,
    /// Ascending or descending, all different.
    pub(crate) places: Vec<u32>,
    /// One more than the last place.
    pub(crate) length: usize,
}

/// The entries of a product modulo each prime: one list a prime, all of one length.
pub(crate) enum Residues {
    /// Modulo primes of 62 bits.
    Words(Vec<Arc<Prime>>, Vec<Vec<u64>>),
    /// Modulo primes of 50 bits, settled.
    Floats(Vec<Arc<FloatModulus>>, Vec<Vec<f64>>),
}

impl Residues {
    /// Whether there are enough primes for integers below `2^bits`.
    pub(crate) fn hold(&self, bits: u64) -> bool {
        match self {
            Self::Words(primes, _) => count(bits) <= primes.len(),
            Self::Floats(primes, _) => float_count(bits) <= primes.len(),
        }
    }

    /// Whether an entry is zero.
    pub(crate) fn is_zero(&self, i: usize) -> bool {
        match self {
            Self::Words(_, lists) => lists.iter().all(|l| l[i] == 0),
            Self::Floats(_, lists) => lists.iter().all(|l| l[i] == 0.0),
        }
    }
}

/// Primes whose product is more than twice `2^bits`: all are above `2^61.99`.
fn count(bits: u64) -> usize {
    ((bits + 1) * 100).div_ceil(6199).max(1) as usize
}

/// The same for primes below `2^50`.
fn float_count(bits: u64) -> usize {
    ((bits + 1) as f64 / BITS).ceil().max(1.0) as usize
}

/// Primes of the kind that products of so many entries take, whose product is more than twice `2^bits`.
pub(crate) fn count_for(total: usize, bits: u64) -> usize {
    match by_floats(total) {
        true => float_count(bits),
        false => count(bits),
    }
}

/// Whether products of so many entries take floating-point residues.
pub(crate) fn by_floats(total: usize) -> bool {
    floats::fused() && length(total) <= 1 << TWOS
}

/// The product of two lists whose entries stay below `2^bits` in magnitude. `None` for the second list means the first.
pub(crate) fn convolution(
    a: &Placed<'_>,
    b: Option<&Placed<'_>>,
    bits: u64,
    op: &'static str,
    budget: &Budget<'_>,
) -> Result<Residues, Error> {
    let total = a.length + b.map_or(a.length, |b| b.length) - 1;
    if by_floats(total) {
        return float_convolution(a, b, (total, bits), op, budget);
    }
    let size = length(total);
    let check = || budget.check_time(op);
    let patience = Patience::new(&check);
    let left = Limbed::new(a);
    let right = b.map(Limbed::new);
    let one = |prime: &Arc<Prime>| {
        patience.kept(op)?;
        let table = prime.table(roots_for(size));
        let transform = Transform {
            prime,
            table: &table,
            patience: &patience,
        };
        let p = prime.p;
        let mut x = left.modulo(prime, size);
        transform.forward(&mut x);
        patience.kept(op)?;
        match &right {
            None => {
                for v in &mut x {
                    let own = prime.word(*v);
                    *v = prime.montgomery(own, own);
                }
            }
            Some(right) => {
                let mut y = right.modulo(prime, size);
                transform.forward(&mut y);
                for (v, &w) in x.iter_mut().zip(&y) {
                    // 4 p times p is below 2^64 p.
                    *v = prime.montgomery(*v, once(once(w, 2 * p), p));
                }
            }
        }
        patience.kept(op)?;
        transform.backward(&mut x);
        patience.kept(op)?;
        x.truncate(total);
        Ok(x)
    };
    let primes = primes(count(bits));
    let all = parallel::map(primes.iter().collect(), one);
    let lists = all.into_iter().collect::<Result<_, Error>>()?;
    Ok(Residues::Words(primes, lists))
}

/// The same by floating-point residues, for `total` entries.
fn float_convolution(
    a: &Placed<'_>,
    b: Option<&Placed<'_>>,
    (total, bits): (usize, u64),
    op: &'static str,
    budget: &Budget<'_>,
) -> Result<Residues, Error> {
    let size = length(total);
    let check = || budget.check_time(op);
    let patience = Patience::new(&check);
    let left = Digits::new(a);
    let right = b.map(Digits::new);
    let one = |prime: &Arc<FloatModulus>| {
        let roots = prime.roots(roots_for(size) / 2);
        let transform = FloatTransform {
            prime,
            roots: &roots,
            patience: &patience,
        };
        let values = |digits: &Digits<'_>| {
            patience.kept(op)?;
            let mut x = digits.modulo(prime, size);
            transform.forward(&mut x);
            patience.kept(op).map(|()| x)
        };
        let mut x = values(&left)?;
        match &right {
            None => transforms::square(prime.field, &mut x),
            Some(right) => transforms::multiply(prime.field, &mut x, &values(right)?),
        }
        transform.backward(&mut x);
        patience.kept(op)?;
        x.truncate(total);
        Ok(x)
    };
    let primes = float_primes(count_for(total, bits));
    let all = parallel::map(primes.iter().collect(), one);
    let lists = all.into_iter().collect::<Result<_, Error>>()?;
    Ok(Residues::Floats(primes, lists))
}

/// Placed integers as magnitudes of a fixed number of limbs.
pub(crate) struct Limbed<'a> {
    placed: &'a Placed<'a>,
    /// Limbs of one magnitude; none for integers of 64 bits, which are read where they are.
    width: usize,
    limbs: Vec<u64>,
    negative: Vec<bool>,
}

impl<'a> Limbed<'a> {
    pub(crate) fn new(placed: &'a Placed<'a>) -> Self {
        let values = placed.values;
        let (width, count) = match values {
            Integers::I64(_) => (0, 0),
            other => ((other.bits() / 64 + 1) as usize, other.len()),
        };
        let mut limbs = vec![0; width * count];
        let mut negative = Vec::with_capacity(count);
        for (i, out) in limbs.chunks_exact_mut(width.max(1)).enumerate() {
            values.write(i, out);
            let sign = out.last().is_some_and(|top| top >> 63 == 1);
            if sign {
                negate_limbs(out);
            }
            negative.push(sign);
        }
        Self {
            placed,
            width,
            limbs,
            negative,
        }
    }

    /// All modulo a prime, in a list of `size` entries.
    pub(crate) fn modulo(&self, prime: &Prime, size: usize) -> Vec<u64> {
        let p = prime.p;
        let mut list = vec![0; size];
        if let Integers::I64(values) = self.placed.values {
            for (&at, &v) in self.placed.places.iter().zip(values) {
                let rest = prime.word(v.unsigned_abs());
                list[at as usize] = if v < 0 { once(p - rest, p) } else { rest };
            }
            return list;
        }
        let word: Factor = prime.factor(((1u128 << 64) % u128::from(p)) as u64);
        let width = self.width;
        let groups = self
            .placed
            .places
            .chunks(LANES)
            .zip(self.negative.chunks(LANES));
        for ((places, negative), limbs) in groups.zip(self.limbs.chunks(LANES * width.max(1))) {
            // Lane by lane: alone each would wait for the limb before.
            let mut rest = [0; LANES];
            for k in (0..width).rev() {
                for l in 0..places.len() {
                    // Below 2 p and below p: any word may be multiplied.
                    rest[l] = lazy(rest[l], word, p) + prime.word(limbs[l * width + k]);
                }
            }
            for l in 0..places.len() {
                let value = prime.word(rest[l]);
                list[places[l] as usize] = if negative[l] {
                    once(p - value, p)
                } else {
                    value
                };
            }
        }
        list
    }
}
