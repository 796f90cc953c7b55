//! What a program computes with: lanes of real numbers, of complex numbers, of intervals.

use super::blocks::Block;
use super::lanes::Lanes;

/// Lanes of numbers, each of one or two floats.
pub(super) trait Number: Copy {
    type Lanes: Lanes;
    /// Floats a number.
    const PARTS: usize;
    /// The same number in every lane.
    fn constant(parts: &[f64]) -> Self;
    /// The numbers from place `at` on, whose parts lie in a block each.
    fn load(parts: &[Block], at: usize) -> Self;
    fn store(self, parts: &mut [Block], at: usize);
    /// Zero, or no number once a part is infinite or no number.
    fn finite(self, before: Self::Lanes) -> Self::Lanes;
    /// `self * x + c`.
    fn mul_add(self, x: Self, c: Self) -> Self;
    /// `self * x`.
    fn mul(self, x: Self) -> Self;
}

/// Real numbers.
#[derive(Clone, Copy)]
pub(super) struct Real<L>(L);

impl<L: Lanes> Number for Real<L> {
    type Lanes = L;
    const PARTS: usize = 1;
    #[inline(always)]
    fn constant(parts: &[f64]) -> Self {
        Self(L::splat(parts[0]))
    }
    #[inline(always)]
    fn load(parts: &[Block], at: usize) -> Self {
        Self(L::load(&parts[0].0[at..]))
    }
    #[inline(always)]
    fn store(self, parts: &mut [Block], at: usize) {
        self.0.store(&mut parts[0].0[at..]);
    }
    #[inline(always)]
    fn finite(self, before: L) -> L {
        self.0.mul_add(L::splat(0.0), before)
    }
    #[inline(always)]
    fn mul_add(self, x: Self, c: Self) -> Self {
        Self(self.0.mul_add(x.0, c.0))
    }
    #[inline(always)]
    fn mul(self, x: Self) -> Self {
        Self(self.0.mul(x.0))
    }
}

/// Complex numbers: real and imaginary parts.
#[derive(Clone, Copy)]
pub(super) struct Complex<L>(L, L);

impl<L: Lanes> Number for Complex<L> {
    type Lanes = L;
    const PARTS: usize = 2;
    #[inline(always)]
    fn constant(parts: &[f64]) -> Self {
        Self(L::splat(parts[0]), L::splat(parts[1]))
    }
    #[inline(always)]
    fn load(parts: &[Block], at: usize) -> Self {
        Self(L::load(&parts[0].0[at..]), L::load(&parts[1].0[at..]))
    }
    #[inline(always)]
    fn store(self, parts: &mut [Block], at: usize) {
        self.0.store(&mut parts[0].0[at..]);
        self.1.store(&mut parts[1].0[at..]);
    }
    #[inline(always)]
    fn finite(self, before: L) -> L {
        let zero = L::splat(0.0);
        self.1.mul_add(zero, self.0.mul_add(zero, before))
    }
    #[inline(always)]
    fn mul_add(self, x: Self, c: Self) -> Self {
        Self(
            self.0.mul_add(x.0, self.1.mul_sub_from(x.1, c.0)),
            self.0.mul_add(x.1, self.1.mul_add(x.0, c.1)),
        )
    }
    #[inline(always)]
    fn mul(self, x: Self) -> Self {
        Self(
            self.0.mul_add(x.0, self.1.mul_sub_from(x.1, L::splat(0.0))),
            self.0.mul_add(x.1, self.1.mul(x.0)),
        )
    }
}

/// Intervals: lower and upper ends, either both finite or both no numbers, which stands for the whole line.
#[derive(Clone, Copy)]
pub(super) struct Interval<L>(L, L);

/// `u (1 + 2u)` for `u = 2^-53`.
const OUTWARD: f64 = 1.0 / (1u64 << 53) as f64 * (1.0 + f64::EPSILON);
/// The least positive float.
const LEAST: f64 = f64::from_bits(1);

impl<L: Lanes> Interval<L> {
    /// Ends rounded to nearest, moved outward by at least one float: `c -+ (OUTWARD |c| + LEAST)` is beyond the
    /// neighbour of `c` (Rump, Zimmermann, Boldo, Melquiond 2009, theorem 2.2). An end that is not finite takes the other
    /// with it.
    #[inline(always)]
    fn outward(low: L, high: L) -> Self {
        let (factor, least) = (L::splat(OUTWARD), L::splat(LEAST));
        let low = low.sub(low.abs().mul(factor).add(least));
        let high = high.add(high.abs().mul(factor).add(least));
        let zero = L::splat(0.0);
        let poison = low.mul(zero).add(high.mul(zero));
        Self(low.add(poison), high.add(poison))
    }
}

impl<L: Lanes> Number for Interval<L> {
    type Lanes = L;
    const PARTS: usize = 2;
    #[inline(always)]
    fn constant(parts: &[f64]) -> Self {
        Self(L::splat(parts[0]), L::splat(parts[1]))
    }
    #[inline(always)]
    fn load(parts: &[Block], at: usize) -> Self {
        Self(L::load(&parts[0].0[at..]), L::load(&parts[1].0[at..]))
    }
    #[inline(always)]
    fn store(self, parts: &mut [Block], at: usize) {
        self.0.store(&mut parts[0].0[at..]);
        self.1.store(&mut parts[1].0[at..]);
    }
    #[inline(always)]
    fn finite(self, before: L) -> L {
        let zero = L::splat(0.0);
        self.1.mul_add(zero, self.0.mul_add(zero, before))
    }
    #[inline(always)]
    fn mul_add(self, x: Self, c: Self) -> Self {
        // Rounding is monotone: the least of the rounded sums is the rounded least sum.
        let low = (self.0.mul_add(x.0, c.0).min(self.0.mul_add(x.1, c.0)))
            .min(self.1.mul_add(x.0, c.0).min(self.1.mul_add(x.1, c.0)));
        let high = (self.0.mul_add(x.0, c.1).max(self.0.mul_add(x.1, c.1)))
            .max(self.1.mul_add(x.0, c.1).max(self.1.mul_add(x.1, c.1)));
        Self::outward(low, high)
    }
    #[inline(always)]
    fn mul(self, x: Self) -> Self {
        let zero = L::splat(0.0);
        self.mul_add(x, Self(zero, zero))
    }
}

#[cfg(test)]
mod tests {
    use super::super::lanes::{Lanes, Portable};
    use super::{Interval, Number};

    /// Steps outward reach at least the neighbour, for floats of every size, and no further than the second.
    #[test]
    fn a_step_outward_passes_the_neighbour() {
        let mut state = 5u64;
        for k in 0..200_000u64 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            // Random bits, and the ends of binades.
            let bits = match k % 3 {
                0 => state >> 1,
                1 => (state >> 53) << 52,
                _ => ((state >> 53) << 52).wrapping_sub(1),
            };
            let x = f64::from_bits(bits & (u64::MAX >> 1));
            if !x.is_finite() {
                continue;
            }
            let lanes = Portable::splat(x);
            let moved = Interval::outward(lanes, lanes);
            let mut ends = [[0.0; 4]; 2];
            moved.0.store(&mut ends[0]);
            moved.1.store(&mut ends[1]);
            let (low, high) = (ends[0][0], ends[1][0]);
            if x == f64::MAX {
                assert!(low.is_nan() && high.is_nan());
                continue;
            }
            assert!(low <= x.next_down() && x.next_up() <= high, "{x:e}");
            assert!(
                low >= x.next_down().next_down() && high <= x.next_up().next_up(),
                "{x:e}"
            );
        }
        // An end that overflows takes the other with it.
        let (big, one) = (Portable::splat(1e300), Portable::splat(1.0));
        let product = Interval(one, big).mul(Interval(one, big));
        let mut ends = [0.0; 4];
        product.0.store(&mut ends);
        assert!(ends[0].is_nan());
    }
}
