//! Residues modulo powers of a small prime, and the fractions behind them.

use crate::poly::Rational;

/// The largest power of the prime below 2^62, and its exponent.
pub(super) fn top(prime: u32) -> (u128, u32) {
    let (mut power, mut exponent) = (1u128, 0);
    while power * u128::from(prime) < 1 << 62 {
        power *= u128::from(prime);
        exponent += 1;
    }
    (power, exponent)
}

/// A product modulo `modulus < 2^62`; powers of two need no division.
#[inline]
pub(super) fn times(x: u128, y: u128, modulus: u128) -> u128 {
    if modulus.is_power_of_two() {
        u128::from((x as u64).wrapping_mul(y as u64)) & (modulus - 1)
    } else {
        x * y % modulus
    }
}

/// `n / d` congruent to `value` with `|n|` and `d` at most the square root of half the modulus (Wang 1981).
pub(super) fn reconstruct(value: u128, modulus: u128) -> Option<Rational> {
    let bound = (modulus / 2).isqrt() as i128;
    let (mut r, mut s) = ((modulus as i128, value as i128), (0i128, 1i128));
    while r.1 > bound {
        let q = r.0 / r.1;
        r = (r.1, r.0 - q * r.1);
        s = (s.1, s.0 - q * s.1);
    }
    if s.1 == 0 || s.1.abs() > bound {
        return None;
    }
    let integer = crate::poly::Integer::from;
    Rational::from_integers(integer(r.1), integer(s.1))
}
