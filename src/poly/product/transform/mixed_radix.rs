//! Integers from floating-point remainders (Garner), by vectors.
//!
//! `x = d_0 + d_1 p_0 + d_2 p_0 p_1 + ..` with digits of at most half their prime, so that the integer is the one of least magnitude.

use super::float_primes::FloatModulus;
use super::recombine::shared;
use crate::Error;
use crate::poly::coefficients::integers::{Integers, negate_limbs};
use crate::poly::coefficients::reducer::Reducer;
use crate::poly::simd::floats::differ;
use std::sync::{Arc, Mutex, PoisonError};

/// Entries whose digits are formed together.
const CHUNK: usize = 64;
/// Entries whose limbs are formed together.
const LANES: usize = 8;

/// The integers at the places `picked`; modulo a prime when there is a reducer.
///
/// # Errors
/// What `check` says.
pub(crate) fn integers(
    (primes, lists): (&[Arc<FloatModulus>], &[Vec<f64>]),
    picked: &[u32],
    by: Option<&Reducer>,
    check: &(dyn Fn() -> Result<(), Error> + Sync),
) -> Result<Integers, Error> {
    let radix = MixedRadix::new(primes);
    let rest = |by: &Reducer, x: i128| by.signed(x < 0, by.double(x.unsigned_abs())) as u64;
    let one = |picked: &[u32]| match (lists, by) {
        ([list], None) => {
            let value = |&at: &u32| list[at as usize] as i64;
            Integers::I64(picked.iter().map(value).collect())
        }
        ([list], Some(by)) => {
            let value = |&at: &u32| rest(by, list[at as usize] as i128) as i64;
            Integers::I64(picked.iter().map(value).collect())
        }
        ([_, _], _) => {
            let mut all = Vec::with_capacity(picked.len());
            let p = i128::from(primes[0].p);
            radix.digits(lists, picked, |digits, count| {
                let pairs = digits[..CHUNK].iter().zip(&digits[CHUNK..]).take(count);
                all.extend(pairs.map(|(&d, &e)| i128::from(d as i64) + i128::from(e as i64) * p));
            });
            match by {
                Some(by) => Integers::I64(all.iter().map(|&x| rest(by, x) as i64).collect()),
                None => Integers::from_i128(all),
            }
        }
        _ => radix.limbs(lists, picked, by),
    };
    shared(picked, &one, check)
}

/// Minus the inverses of all primes before each one: as primes always come in the same order, they are found once.
fn negative_inverses(primes: &[Arc<FloatModulus>]) -> Arc<Vec<Vec<f64>>> {
    static FOUND: Mutex<Option<Arc<Vec<Vec<f64>>>>> = Mutex::new(None);
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let mut rows = found.take().unwrap_or_default();
    if rows.len() < primes.len() {
        let more = (rows.len()..primes.len()).map(|j| {
            let before = primes[..j].iter();
            before.map(|p| -primes[j].inverse_of(p.p)).collect()
        });
        rows = Arc::new(rows.iter().cloned().chain(more).collect());
    }
    *found = Some(rows.clone());
    rows
}

/// The factors for any number of primes.
struct MixedRadix<'a> {
    primes: &'a [Arc<FloatModulus>],
    /// For prime `j` minus the inverses of all before it.
    inverses: Arc<Vec<Vec<f64>>>,
    /// Half the product of all primes, rounded down, in as many limbs as the product needs and a sign.
    half: Vec<u64>,
}

impl<'a> MixedRadix<'a> {
    fn new(primes: &'a [Arc<FloatModulus>]) -> Self {
        let mut half = vec![0; primes.len() * 50 / 64 + 1];
        // All digits at half their primes make half of the product.
        for prime in primes.iter().rev() {
            let mut carry = u128::from(prime.p / 2);
            for limb in &mut half {
                carry += u128::from(*limb) * u128::from(prime.p);
                *limb = carry as u64;
                carry >>= 64;
            }
        }
        Self {
            primes,
            inverses: negative_inverses(primes),
            half,
        }
    }

    /// Gives the digits of the places picked, `CHUNK` places at a time, digit by digit, and how many places there are.
    fn digits(&self, lists: &[Vec<f64>], picked: &[u32], mut give: impl FnMut(&[f64], usize)) {
        let mut digits = vec![0.0; CHUNK * lists.len()];
        for places in picked.chunks(CHUNK) {
            for (j, list) in lists.iter().enumerate() {
                let (done, rest) = digits.split_at_mut(CHUNK * j);
                let x = &mut rest[..CHUNK];
                for (x, &at) in x.iter_mut().zip(places) {
                    *x = list[at as usize];
                }
                let field = self.primes[j].field;
                for (digit, &w) in done.chunks_exact(CHUNK).zip(&self.inverses[j]) {
                    differ(field, x, w, digit);
                }
            }
            give(&digits, places.len());
        }
    }

    fn limbs(&self, lists: &[Vec<f64>], picked: &[u32], by: Option<&Reducer>) -> Integers {
        let width = self.half.len();
        let mut limbs = vec![[0u64; LANES]; width];
        let mut one = vec![0; width];
        let mut data = Vec::with_capacity(if by.is_some() {
            0
        } else {
            width * picked.len()
        });
        let mut rests = Vec::new();
        self.digits(lists, picked, |digits, count| {
            for from in (0..count).step_by(LANES) {
                limbs.fill([0; LANES]);
                self.join(digits, from, &mut limbs);
                for l in 0..LANES.min(count - from) {
                    for (limb, all) in one.iter_mut().zip(&limbs) {
                        *limb = all[l];
                    }
                    subtract(&mut one, &self.half);
                    let Some(by) = by else {
                        data.extend_from_slice(&one);
                        continue;
                    };
                    let negative = one.last().is_some_and(|top| top >> 63 == 1);
                    if negative {
                        negate_limbs(&mut one);
                    }
                    let fold = |rest: u64, &limb: &u64| {
                        by.double(u128::from(rest) << 64 | u128::from(limb))
                    };
                    rests.push(by.signed(negative, one.iter().rev().fold(0, fold)));
                }
            }
        });
        match by {
            Some(_) => Integers::I64(rests),
            None => Integers::from_limbs(width, data),
        }
    }

    /// Some entries plus half of the product: all digits are natural numbers then.
    fn join(&self, digits: &[f64], from: usize, limbs: &mut [[u64; LANES]]) {
        for j in (0..self.primes.len()).rev() {
            let p = self.primes[j].p;
            let own = &digits[CHUNK * j + from..][..LANES];
            let mut carry = [0u64; LANES];
            for (c, &d) in carry.iter_mut().zip(own) {
                *c = (d as i64 + (p / 2) as i64) as u64;
            }
            // So many limbs hold the digits from j on.
            let used = ((self.primes.len() - j) * 50).div_ceil(64);
            for limb in &mut limbs[..used] {
                for l in 0..LANES {
                    let sum = u128::from(limb[l]) * u128::from(p) + u128::from(carry[l]);
                    limb[l] = sum as u64;
                    carry[l] = (sum >> 64) as u64;
                }
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
