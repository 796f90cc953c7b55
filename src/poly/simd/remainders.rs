//! Sums modulo primes just below `2^50`, and integers from their remainders.
//!
//! A sum of products of remainders is kept as `low + 2^52 high`, which is what the row kernels leave behind. Montgomery's
//! reduction takes `2^52` out of it at the cost of two multiplications; the other factor holds that power in advance.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_cvtepu64_pd, _mm512_cvtpd_epu64,
    _mm512_fmadd_pd, _mm512_loadu_epi64, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64,
    _mm512_mask_storeu_epi64, _mm512_maskz_loadu_epi64, _mm512_min_epu64, _mm512_or_si512,
    _mm512_set1_epi64, _mm512_set1_pd, _mm512_setzero_pd, _mm512_setzero_si512, _mm512_sllv_epi64,
    _mm512_srli_epi64, _mm512_srlv_epi64, _mm512_storeu_epi64, _mm512_sub_epi64,
    _mm512_test_epi64_mask,
};

/// Cells taken together.
pub(crate) const LANES: usize = 8;
/// The low 52 bits.
const LOW: u64 = (1 << 52) - 1;
/// `2^50 - p` for the greatest primes below `2^50`.
const BELOW: [u64; 44] = [
    27, 35, 51, 71, 113, 117, 131, 161, 195, 233, 267, 341, 351, 377, 423, 447, 545, 591, 603, 611,
    651, 653, 665, 675, 681, 707, 723, 741, 765, 813, 821, 873, 911, 951, 971, 1001, 1011, 1077,
    1085, 1091, 1121, 1125, 1163, 1197,
];
/// Most limbs of an integer that is put together, and the same in limbs of 52 bits.
const LIMBS: usize = 33;
const SHORT: usize = (64 * LIMBS).div_ceil(52);

/// A prime just below `2^50`.
#[derive(Clone, Copy)]
pub(crate) struct Prime {
    pub(crate) p: u64,
    /// `2^50 - p`.
    below: u64,
    /// `1/p` modulo `2^52`.
    inverse: u64,
}

impl Prime {
    /// The `count` greatest primes below `2^50`; `None` for more than are known.
    pub(crate) fn list(count: usize) -> Option<Vec<Self>> {
        let prime = |&below: &u64| {
            let p = (1 << 50) - below;
            // Newton's iteration doubles the bits that are right; an odd number is its own inverse modulo 8.
            let inverse = (0..5).fold(p, |x: u64, _| {
                x.wrapping_mul(2u64.wrapping_sub(p.wrapping_mul(x)))
            });
            let inverse = inverse & LOW;
            Self { p, below, inverse }
        };
        Some(BELOW.get(..count)?.iter().map(prime).collect())
    }

    /// `x y mod p`.
    pub(crate) fn mul(&self, x: u64, y: u64) -> u64 {
        (u128::from(x) * u128::from(y) % u128::from(self.p)) as u64
    }

    /// `1/x mod p`, by Fermat's theorem.
    pub(crate) fn inv(&self, x: u64) -> u64 {
        let (mut power, mut result, mut e) = (x % self.p, 1, self.p - 2);
        while e > 0 {
            if e & 1 == 1 {
                result = self.mul(result, power);
            }
            power = self.mul(power, power);
            e >>= 1;
        }
        result
    }

    /// `(low + 2^52 high) / 2^52 mod p` for `high < 2^62`.
    pub(crate) fn reduced(&self, low: u64, high: u64) -> u64 {
        let high = high + (low >> 52);
        let q = low.wrapping_mul(self.inverse) & LOW;
        // low - q p vanishes modulo 2^52: what is above is divided by it.
        let up = ((u128::from(q) * u128::from(self.p)) >> 52) as u64;
        let r = high + self.p - up;
        let r = (r & ((1 << 50) - 1)) + (r >> 50) * self.below;
        r.min(r.wrapping_sub(self.p))
    }
}

/// The remainders of a list of sums, which are cleared: see [`Prime::reduced`].
///
/// # Panics
/// When the lists differ in length.
pub(crate) fn reduce(prime: &Prime, low: &mut [i64], high: &mut [i64], out: &mut [u64]) {
    assert!(low.len() == high.len() && low.len() == out.len());
    #[cfg(target_arch = "x86_64")]
    if super::rows::has_rows() {
        // SAFETY: the instructions were just detected, the lengths just compared.
        unsafe { reduce512(prime, low, high, out) };
        return;
    }
    for ((l, h), r) in low.iter_mut().zip(high).zip(out) {
        *r = prime.reduced(*l as u64, *h as u64);
        (*l, *h) = (0, 0);
    }
}

/// How integers are put together from their remainders: `x = sum_i t_i M/p_i - k M` with `M` the product of the primes, `t_i` the
/// remainder times the inverse of `M/p_i`, and `k` the nearest integer to `sum_i t_i/p_i`, where `|x| < M/4`.
pub(crate) struct Recombination {
    pub(crate) primes: Vec<Prime>,
    /// The inverses of `M/p_i` modulo `p_i`, times `2^52`.
    pub(crate) weights: Vec<u64>,
    /// Limbs of 52 bits of `M/p_0, .., -M`, the lowest ones of all first.
    pub(crate) parts: Vec<u64>,
    /// Limbs of 52 and of 64 bits of the integers.
    pub(crate) short: usize,
    pub(crate) limbs: usize,
}

impl Recombination {
    /// Limbs of 52 bits that hold so many of 64; `None` for more limbs than there is room for.
    pub(crate) fn short(limbs: usize) -> Option<usize> {
        (limbs <= LIMBS).then(|| (64 * limbs).div_ceil(52))
    }

    /// The integers whose remainders lie at `at`, `at + stride`, ..., eight of them, as limbs in two's complement, limb by limb.
    /// Returns which of them are not zero; the limbs of no others are certain to be written.
    ///
    /// # Panics
    /// When there are fewer remainders or limbs.
    pub(crate) fn integers(
        &self,
        remainders: &[u64],
        stride: usize,
        at: usize,
        out: &mut [[u64; LANES]],
    ) -> u8 {
        let (count, terms) = (self.primes.len(), self.primes.len() + 1);
        assert!(count <= BELOW.len() && self.weights.len() == count);
        assert!(self.limbs <= LIMBS && out.len() >= self.limbs);
        assert!(self.short <= SHORT && self.short * 52 >= self.limbs * 64);
        assert!(self.parts.len() >= self.short * terms);
        assert!(remainders.len() >= (count - 1) * stride + at + LANES);
        #[cfg(target_arch = "x86_64")]
        if super::rows::has_rows() {
            // SAFETY: the instructions were just detected, the sizes just checked.
            return unsafe { integers512(self, remainders, stride, at, out) };
        }
        self.portable(remainders, stride, at, out)
    }

    fn portable(
        &self,
        remainders: &[u64],
        stride: usize,
        at: usize,
        out: &mut [[u64; LANES]],
    ) -> u8 {
        let mut found = 0;
        for lane in 0..LANES {
            let (mut t, mut turns) = (Vec::with_capacity(self.primes.len() + 1), 0.0f64);
            for (i, (prime, &w)) in self.primes.iter().zip(&self.weights).enumerate() {
                let product = u128::from(remainders[i * stride + at + lane]) * u128::from(w);
                t.push(prime.reduced(product as u64 & LOW, (product >> 52) as u64));
                turns = (t[i] as f64).mul_add(1.0 / prime.p as f64, turns);
            }
            if t.iter().all(|&t| t == 0) {
                continue;
            }
            found |= 1 << lane;
            t.push(turns.round_ties_even() as u64);
            let mut limbs = [0u64; SHORT + 2];
            let mut carry = 0u128;
            for (limb, parts) in limbs.iter_mut().zip(self.parts.chunks_exact(t.len())) {
                // At most 45 products of 102 bits.
                for (&t, &part) in t.iter().zip(parts) {
                    carry += u128::from(t) * u128::from(part);
                }
                *limb = carry as u64 & LOW;
                carry >>= 52;
            }
            for (j, out) in out[..self.limbs].iter_mut().enumerate() {
                let (k, s) = (64 * j / 52, (64 * j % 52) as u32);
                let above = limbs[k + 2].checked_shl(104 - s).unwrap_or(0);
                out[lane] = limbs[k] >> s | limbs[k + 1] << (52 - s) | above;
            }
        }
        found
    }
}

/// The vectors that a reduction needs.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Vectors {
    p: __m512i,
    below: __m512i,
    inverse: __m512i,
}

#[cfg(target_arch = "x86_64")]
impl Vectors {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn new(prime: &Prime) -> Self {
        Self {
            p: _mm512_set1_epi64(prime.p as i64),
            below: _mm512_set1_epi64(prime.below as i64),
            inverse: _mm512_set1_epi64(prime.inverse as i64),
        }
    }

    /// As [`Prime::reduced`].
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn reduced(&self, low: __m512i, high: __m512i) -> __m512i {
        let zero = _mm512_setzero_si512();
        let high = _mm512_add_epi64(high, _mm512_srli_epi64::<52>(low));
        let q = _mm512_madd52lo_epu64(zero, low, self.inverse);
        let up = _mm512_madd52hi_epu64(zero, q, self.p);
        let r = _mm512_sub_epi64(_mm512_add_epi64(high, self.p), up);
        let inner = _mm512_and_si512(r, _mm512_set1_epi64((1 << 50) - 1));
        let r = _mm512_madd52lo_epu64(inner, _mm512_srli_epi64::<50>(r), self.below);
        _mm512_min_epu64(r, _mm512_sub_epi64(r, self.p))
    }
}

/// # Safety
/// The lists have one length.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
unsafe fn reduce512(prime: &Prime, low: &mut [i64], high: &mut [i64], out: &mut [u64]) {
    let (vectors, size) = (Vectors::new(prime), low.len());
    let (low, high) = (low.as_mut_ptr(), high.as_mut_ptr());
    let out: *mut i64 = out.as_mut_ptr().cast();
    for at in (0..size).step_by(LANES) {
        let some = 0xffu8 >> (LANES - LANES.min(size - at));
        // SAFETY: lanes beyond the lists are masked.
        unsafe {
            let l = _mm512_maskz_loadu_epi64(some, low.add(at));
            let h = _mm512_maskz_loadu_epi64(some, high.add(at));
            _mm512_mask_storeu_epi64(out.add(at), some, vectors.reduced(l, h));
            _mm512_mask_storeu_epi64(low.add(at), some, _mm512_setzero_si512());
            _mm512_mask_storeu_epi64(high.add(at), some, _mm512_setzero_si512());
        }
    }
}

/// # Safety
/// All sizes are as [`Recombination::integers`] asserts.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
unsafe fn integers512(
    by: &Recombination,
    remainders: &[u64],
    stride: usize,
    at: usize,
    out: &mut [[u64; LANES]],
) -> u8 {
    let (zero, count) = (_mm512_setzero_si512(), by.primes.len());
    let mut t = [zero; BELOW.len() + 1];
    let (mut any, mut turns) = (zero, _mm512_setzero_pd());
    for (i, prime) in by.primes.iter().enumerate() {
        // SAFETY: the caller's promise.
        let r = unsafe { _mm512_loadu_epi64(remainders.as_ptr().add(i * stride + at).cast()) };
        any = _mm512_or_si512(any, r);
        let w = _mm512_set1_epi64(by.weights[i] as i64);
        let low = _mm512_madd52lo_epu64(zero, r, w);
        let high = _mm512_madd52hi_epu64(zero, r, w);
        t[i] = Vectors::new(prime).reduced(low, high);
        let inverse = _mm512_set1_pd(1.0 / prime.p as f64);
        turns = _mm512_fmadd_pd(_mm512_cvtepu64_pd(t[i]), inverse, turns);
    }
    let found = _mm512_test_epi64_mask(any, any);
    if found == 0 {
        return 0;
    }
    t[count] = _mm512_cvtpd_epu64(turns);
    let mut limbs = [zero; SHORT + 2];
    let (mut carry, mut above) = (zero, zero);
    for (limb, parts) in limbs[..by.short]
        .iter_mut()
        .zip(by.parts.chunks_exact(count + 1))
    {
        // At most 45 numbers of 52 bits in each sum.
        let (mut low, mut high) = (zero, zero);
        for (&t, &part) in t.iter().zip(parts) {
            let part = _mm512_set1_epi64(part as i64);
            low = _mm512_madd52lo_epu64(low, t, part);
            high = _mm512_madd52hi_epu64(high, t, part);
        }
        let low = _mm512_add_epi64(low, _mm512_add_epi64(carry, above));
        *limb = _mm512_and_si512(low, _mm512_set1_epi64(LOW as i64));
        (carry, above) = (_mm512_srli_epi64::<52>(low), high);
    }
    for (j, out) in out[..by.limbs].iter_mut().enumerate() {
        let (k, s) = (64 * j / 52, (64 * j % 52) as i64);
        // Shifts by 64 and more give zero.
        let first = _mm512_srlv_epi64(limbs[k], _mm512_set1_epi64(s));
        let second = _mm512_sllv_epi64(limbs[k + 1], _mm512_set1_epi64(52 - s));
        let third = _mm512_sllv_epi64(limbs[k + 2], _mm512_set1_epi64(104 - s));
        let all = _mm512_or_si512(first, _mm512_or_si512(second, third));
        // SAFETY: eight numbers are written.
        unsafe { _mm512_storeu_epi64(out.as_mut_ptr().cast(), all) };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{BELOW, LANES, LOW, Prime, Recombination, reduce};
    use crate::poly::polynomial::univariate::is_prime;

    #[test]
    fn the_primes_are_the_greatest_below_two_to_the_fifty() {
        let found: Vec<u64> = (1..=BELOW[BELOW.len() - 1])
            .filter(|k| is_prime((1 << 50) - k))
            .collect();
        assert_eq!(found, BELOW);
        assert!(Prime::list(BELOW.len() + 1).is_none());
        for prime in Prime::list(BELOW.len()).unwrap_or_default() {
            assert_eq!(prime.p.wrapping_mul(prime.inverse) & LOW, 1);
            assert_eq!(prime.mul(prime.inv(12345), 12345), 1);
        }
    }

    #[test]
    fn reduced_sums_times_the_radix_are_the_sums() {
        let primes = Prime::list(3).unwrap_or_default();
        let values = |seed: u64, top: u64| -> Vec<u64> {
            let next = |k: u64| (k + seed).wrapping_mul(0x9E37_79B9_7F4A_7C15) % top;
            let edges = [0, 1, top - 1, LOW, LOW + 1];
            (0..40).map(next).chain(edges).collect()
        };
        for prime in primes {
            let (low, high) = (values(3, u64::MAX), values(8, 1 << 62));
            let signed = |v: &[u64]| v.iter().map(|&x| x as i64).collect::<Vec<_>>();
            let (mut l, mut h) = (signed(&low), signed(&high));
            let mut out = vec![0; low.len()];
            reduce(&prime, &mut l, &mut h, &mut out);
            assert!(l.iter().chain(&h).all(|&c| c == 0));
            for k in 0..low.len() {
                assert_eq!(out[k], prime.reduced(low[k], high[k]));
                let p = u128::from(prime.p);
                let sum = (u128::from(low[k]) + (u128::from(high[k]) << 52)) % p;
                assert_eq!((u128::from(out[k]) << 52) % p, sum);
            }
        }
    }

    /// Two primes and numbers of 96 bits: what the remainders stand for, by both programs.
    #[test]
    fn integers_come_back_from_their_remainders() {
        let primes = Prime::list(2).unwrap_or_default();
        let (p, q) = (primes[0].p, primes[1].p);
        let product = u128::from(p) * u128::from(q);
        let radix = |prime: &Prime, x: u64| ((u128::from(x) << 52) % u128::from(prime.p)) as u64;
        let weights = vec![
            radix(&primes[0], primes[0].inv(q % p)),
            radix(&primes[1], primes[1].inv(p % q)),
        ];
        let limbs = |x: u128| [x as u64 & LOW, (x >> 52) as u64 & LOW, (x >> 104) as u64];
        // -M modulo 2^156.
        let low = product.wrapping_neg();
        let minus = [
            low as u64 & LOW,
            (low >> 52) as u64 & LOW,
            LOW << 24 & LOW | (low >> 104) as u64,
        ];
        let (a, b) = (limbs(q.into()), limbs(p.into()));
        let parts = (0..3).flat_map(|w| [a[w], b[w], minus[w]]).collect();
        let by = Recombination {
            primes: primes.clone(),
            weights,
            parts,
            short: 3,
            limbs: 2,
        };
        let edge = (product / 4) as i128 - 1;
        let values = [
            0,
            1,
            -1,
            edge,
            -edge,
            1 << 63,
            -(1 << 63),
            123_456_789_012_345_678_901,
        ];
        let rest = |x: i128, p: u64| x.rem_euclid(p.into()) as u64;
        let mut remainders = vec![7; 5];
        remainders.extend(values.map(|x| rest(x, p)));
        remainders.extend([9; 5]);
        remainders.extend(values.map(|x| rest(x, q)));
        let mut out = [[0; LANES]; 2];
        let found = by.integers(&remainders, LANES + 5, 5, &mut out);
        assert_eq!(found, 0b1111_1110);
        let mut other = [[0; LANES]; 2];
        assert_eq!(by.portable(&remainders, LANES + 5, 5, &mut other), found);
        for (k, &x) in values.iter().enumerate().skip(1) {
            let seen =
                |v: &[[u64; LANES]; 2]| (u128::from(v[1][k]) << 64 | u128::from(v[0][k])) as i128;
            assert_eq!((seen(&out), seen(&other)), (x, x));
        }
    }
}
