//! Integers from their remainders modulo word primes (Garner).
//!
//! `x = d_0 + d_1 p_0 + d_2 p_0 p_1 + ..`, digit by digit; what lies above half the product of all primes stands for a negative number.

use super::convolution::Residues;
use super::mixed_radix;
use super::primes::{Factor, Prime, lazy, once};
use crate::Error;
use crate::poly::coefficients::integers::{Integers, negate_limbs};
use crate::poly::coefficients::reducer::Reducer;
use crate::poly::coefficients::store::Store;
use crate::poly::parallel;
use crate::poly::product::column::Column;
use std::sync::Arc;

/// Entries whose digits are formed together.
const LANES: usize = 8;
/// Entries that one thread puts together at a time.
const SHARE: usize = 1 << 13;
/// The same when there is one thread only.
const ALONE: usize = 1 << 17;

/// The integers at the places `picked`; modulo a prime when there is a reducer.
///
/// # Errors
/// What `check` says, which is asked before each share.
pub(crate) fn integers(
    from: &Residues,
    picked: &[u32],
    by: Option<&Reducer>,
    check: &(dyn Fn() -> Result<(), Error> + Sync),
) -> Result<Integers, Error> {
    let (primes, lists) = match from {
        Residues::Words(primes, lists) => (primes, lists),
        Residues::Floats(primes, lists) => {
            return mixed_radix::integers((primes, lists), picked, by, check);
        }
    };
    let parts = |one: &(dyn Fn(&[u32]) -> Integers + Sync)| shared(picked, one, check);
    match lists.as_slice() {
        [list] => parts(&|picked| {
            let p = primes[0].p;
            let value = |&at: &u32| {
                let x = list[at as usize];
                let negative = x > p / 2;
                let size = if negative { p - x } else { x };
                match by {
                    Some(by) => by.signed(negative, by.word(size)),
                    None if negative => -(size as i64),
                    None => size as i64,
                }
            };
            Integers::I64(picked.iter().map(value).collect())
        }),
        [first, second] => parts(&|picked| {
            let (p, q) = (&primes[0], &primes[1]);
            let inverse = q.factor(q.inv(p.p % q.p));
            let whole = u128::from(p.p) * u128::from(q.p);
            let value = |&at: &u32| {
                let (x, y) = (first[at as usize], second[at as usize]);
                let digit = difference(y, x, inverse, q);
                let x = u128::from(x) + u128::from(digit) * u128::from(p.p);
                let negative = x > whole / 2;
                (negative, if negative { whole - x } else { x })
            };
            if let Some(by) = by {
                let rest = picked.iter().map(value);
                return Integers::I64(rest.map(|(s, x)| by.signed(s, by.double(x))).collect());
            }
            let signed =
                |(negative, x): (bool, u128)| if negative { -(x as i128) } else { x as i128 };
            Integers::from_i128(picked.iter().map(|at| signed(value(at))).collect())
        }),
        _ => {
            let garner = Garner::new(primes);
            parts(&|picked| garner.integers(lists, picked, by))
        }
    }
}

/// What `one` makes of all places picked, by shares where there are several threads.
pub(crate) fn shared(
    picked: &[u32],
    one: &(dyn Fn(&[u32]) -> Integers + Sync),
    check: &(dyn Fn() -> Result<(), Error> + Sync),
) -> Result<Integers, Error> {
    let share = match parallel::threads() {
        1 => ALONE,
        _ => SHARE,
    };
    check()?;
    if picked.len() <= share {
        return Ok(one(picked));
    }
    let part = |picked: &[u32]| check().map(|()| one(picked));
    let parts = parallel::map(picked.chunks(share).collect(), part);
    let parts: Vec<Integers> = parts.into_iter().collect::<Result<_, Error>>()?;
    if parts.iter().any(|p| matches!(p, Integers::Big(_))) {
        let all = parts.iter().flat_map(|p| (0..p.len()).map(|i| p.get(i)));
        return Ok(Integers::from_vec(all.collect()));
    }
    Ok(<Integers as Column>::joined(parts))
}

/// `(y - x) w mod q` for `y < q` and any `x` below `2^62`.
#[inline(always)]
fn difference(y: u64, x: u64, w: Factor, q: &Prime) -> u64 {
    once(lazy(y + q.p - once(x, q.p), w, q.p), q.p)
}

/// The factors for any number of primes.
struct Garner {
    primes: Vec<Arc<Prime>>,
    /// For prime `j` the inverses of all before it.
    inverses: Vec<Vec<Factor>>,
    /// Half the product of all primes, and the product.
    half: Vec<u64>,
    whole: Vec<u64>,
}

/// `limbs = limbs times + plus`.
#[inline(always)]
fn multiply_add(limbs: &mut [u64], times: u64, plus: u64) {
    let mut carry = plus;
    for limb in limbs {
        let sum = u128::from(*limb) * u128::from(times) + u128::from(carry);
        *limb = sum as u64;
        carry = (sum >> 64) as u64;
    }
}

impl Garner {
    fn new(primes: &[Arc<Prime>]) -> Self {
        let row = |j: usize| {
            let q = &primes[j];
            let inverse = |p: &Arc<Prime>| q.factor(q.inv(p.p % q.p));
            primes[..j].iter().map(inverse).collect()
        };
        let mut whole = vec![0; primes.len()];
        whole[0] = 1;
        for prime in primes {
            multiply_add(&mut whole, prime.p, 0);
        }
        let mut half = whole.clone();
        for i in 0..half.len() {
            let above = half.get(i + 1).copied().unwrap_or(0);
            half[i] = half[i] >> 1 | above << 63;
        }
        Self {
            primes: primes.to_vec(),
            inverses: (0..primes.len()).map(row).collect(),
            half,
            whole,
        }
    }

    fn integers(&self, lists: &[Vec<u64>], picked: &[u32], by: Option<&Reducer>) -> Integers {
        let width = self.primes.len();
        let mut digits = vec![[0; LANES]; width];
        let mut limbs = vec![[0; LANES]; width];
        let mut one = vec![0; width];
        let mut data = Vec::with_capacity(if by.is_some() {
            0
        } else {
            width * picked.len()
        });
        let mut rests = Vec::new();
        for places in picked.chunks(LANES) {
            self.digits(lists, places, &mut digits);
            limbs.fill([0; LANES]);
            for j in (0..width).rev() {
                // So many limbs hold the digits from j on.
                let (p, mut carry) = (u128::from(self.primes[j].p), digits[j]);
                for limb in &mut limbs[..width - j] {
                    for l in 0..LANES {
                        let sum = u128::from(limb[l]) * p + u128::from(carry[l]);
                        limb[l] = sum as u64;
                        carry[l] = (sum >> 64) as u64;
                    }
                }
            }
            for l in 0..places.len() {
                for (limb, all) in one.iter_mut().zip(&limbs) {
                    *limb = all[l];
                }
                let negative = one.iter().rev().gt(self.half.iter().rev());
                if negative {
                    subtract(&mut one, &self.whole);
                }
                let Some(by) = by else {
                    data.extend_from_slice(&one);
                    continue;
                };
                if negative {
                    negate_limbs(&mut one);
                }
                let fold =
                    |rest: u64, &limb: &u64| by.double(u128::from(rest) << 64 | u128::from(limb));
                rests.push(by.signed(negative, one.iter().rev().fold(0, fold)));
            }
        }
        match by {
            Some(_) => Integers::I64(rests),
            None => Integers::from_limbs(width, data),
        }
    }

    /// The digits of some entries, lane by lane: alone each would wait for the one before.
    fn digits(&self, lists: &[Vec<u64>], places: &[u32], digits: &mut [[u64; LANES]]) {
        for (j, list) in lists.iter().enumerate() {
            let q = self.primes[j].p;
            let (done, rest) = digits.split_at_mut(j);
            let x = &mut rest[0];
            for (l, &at) in places.iter().enumerate() {
                x[l] = list[at as usize];
            }
            for (digit, &w) in done.iter().zip(&self.inverses[j]) {
                for l in 0..LANES {
                    // x < 2 q and digit < 2^62 < 2 q.
                    x[l] = lazy(x[l] + 2 * q - digit[l], w, q);
                }
            }
            for x in x {
                *x = once(*x, q);
            }
        }
    }
}

fn subtract(from: &mut [u64], what: &[u64]) {
    let mut borrow = false;
    for (x, &y) in from.iter_mut().zip(what) {
        let (d, b1) = x.overflowing_sub(y);
        let (d, b2) = d.overflowing_sub(borrow.into());
        *x = d;
        borrow = b1 | b2;
    }
}
