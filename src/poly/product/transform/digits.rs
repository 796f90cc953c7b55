//! Placed integers digit by digit, so that all are reduced at once.

use super::convolution::Placed;
use super::float_primes::FloatModulus;
use crate::poly::coefficients::integers::{Integers, negate_limbs};
use crate::poly::coefficients::store::Store;
use crate::poly::simd::floats;

/// Bits of a digit: at most half of a prime.
const DIGIT: usize = 48;
const LOW: u64 = (1 << DIGIT) - 1;

/// Digits to the base `2^48`, with the sign of their integer.
pub(crate) struct Digits<'a> {
    placed: &'a Placed<'a>,
    /// Of each place of digits, the least first, one for every integer.
    rows: Vec<Vec<f64>>,
}

/// The 48 bits from some bit on.
fn digit(limbs: &[u64], k: usize) -> u64 {
    let (at, shift) = (DIGIT * k / 64, (DIGIT * k % 64) as u32);
    let own = |at: usize| limbs.get(at).copied().unwrap_or(0);
    (own(at) >> shift | own(at + 1).checked_shl(64 - shift).unwrap_or(0)) & LOW
}

impl<'a> Digits<'a> {
    pub(crate) fn new(placed: &'a Placed<'a>) -> Self {
        let values = placed.values;
        let count = (values.bits() as usize).div_ceil(DIGIT).max(1);
        if let (Integers::I64(values), 1) = (values, count) {
            let rows = vec![values.iter().map(|&v| v as f64).collect()];
            return Self { placed, rows };
        }
        let mut rows = vec![Vec::with_capacity(values.len()); count];
        let mut limbs = vec![0; (values.bits() / 64 + 1) as usize];
        for i in 0..values.len() {
            values.write(i, &mut limbs);
            let negative = limbs.last().is_some_and(|top| top >> 63 == 1);
            if negative {
                negate_limbs(&mut limbs);
            }
            for (k, row) in rows.iter_mut().enumerate() {
                let size = digit(&limbs, k) as f64;
                row.push(if negative { -size } else { size });
            }
        }
        Self { placed, rows }
    }

    /// All modulo a prime, of at most `1.4 p` in magnitude, in a list of `size` entries.
    pub(crate) fn modulo(&self, prime: &FloatModulus, size: usize) -> Vec<f64> {
        let mut list = vec![0.0; size];
        let mut place = |values: &[f64]| {
            for (&at, &v) in self.placed.places.iter().zip(values) {
                list[at as usize] = v;
            }
        };
        match self.rows.as_slice() {
            [] => {}
            [only] => place(only),
            [rest @ .., top] => {
                let mut sum = top.clone();
                let base = prime.number(1 << DIGIT);
                for row in rest.iter().rev() {
                    floats::horner(prime.field, &mut sum, base, row);
                }
                place(&sum);
            }
        }
        list
    }
}
