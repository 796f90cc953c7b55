//! Integers as limbs of 64 bits in two's complement, least limb first.

use super::rational::Integer;
use dashu_int::Sign;

/// Bits of the two's complement form without the sign bit.
pub(crate) fn bits64(x: i64) -> u64 {
    (x ^ (x >> 63)) as u64
}
/// The same for 128 bits.
pub(crate) fn bits128(x: i128) -> u128 {
    (x ^ (x >> 127)) as u128
}

/// Limbs (64 bits) that hold `value` in two's complement.
pub(crate) fn limbs_of(value: &Integer) -> usize {
    let (sign, words) = value.as_sign_words();
    let Some(&top) = words.last() else { return 1 };
    // -2^(64k-1) would fit k limbs; giving it one more keeps the rule simple and the width canonical.
    let spare = top.leading_zeros() == 0 && !(sign == Sign::Negative && is_power(words));
    words.len() + usize::from(spare)
}

fn is_power(words: &[u64]) -> bool {
    match words.split_last() {
        Some((top, rest)) => *top == 1 << 63 && rest.iter().all(|&w| w == 0),
        None => false,
    }
}

/// Writes `value` in two's complement.
pub(crate) fn write_limbs(value: &Integer, out: &mut [u64]) {
    let (sign, words) = value.as_sign_words();
    out.fill(0);
    out[..words.len()].copy_from_slice(words);
    if sign == Sign::Negative {
        negate_limbs(out);
    }
}

pub(crate) fn negate_limbs(limbs: &mut [u64]) {
    let mut carry = true;
    for limb in limbs {
        let (x, c) = (!*limb).overflowing_add(carry.into());
        *limb = x;
        carry = c;
    }
}

/// The integer that the two's complement limbs stand for.
pub(crate) fn read_limbs(limbs: &[u64]) -> Integer {
    if limbs.last().is_some_and(|top| *top >> 63 == 1) {
        let mut magnitude = limbs.to_vec();
        negate_limbs(&mut magnitude);
        return Integer::from_sign_words(Sign::Negative, &magnitude);
    }
    Integer::from_sign_words(Sign::Positive, limbs)
}

/// Limbs that a two's complement value really needs.
pub(crate) fn limbs_needed(limbs: &[u64]) -> usize {
    let mut n = limbs.len();
    while n > 1 {
        let fill = ((limbs[n - 2] as i64) >> 63) as u64;
        if limbs[n - 1] != fill {
            break;
        }
        n -= 1;
    }
    n
}
