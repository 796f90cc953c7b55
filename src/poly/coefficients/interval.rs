//! Intervals of floats that contain the exact result of every operation.

use super::ring::Ring;
use num_traits::{One, Zero};
use std::fmt;
use std::ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// The real numbers between two floats.
///
/// Sums and products round outward by one step of the last place, so they contain every exact result of
/// numbers in the operands. Intervals are no ring (subtraction does not undo addition): polynomials over
/// them enclose the polynomials over the reals.
///
/// # Example
/// ```
/// use wickring::poly::{Interval, Poly, Vars};
/// let p = Poly::parse("x^2 - 2", &mut Vars::new())?.map(Interval::of);
/// let value = p.eval(&[Interval::new(1.4, 1.5)?]);
/// assert!(value.contains(0.0) && !value.contains(1.0));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    low: f64,
    high: f64,
}

impl Interval {
    /// The numbers from `low` to `high`.
    ///
    /// # Errors
    /// `InvalidInput` unless `low <= high`, which refuses NaN.
    pub fn new(low: f64, high: f64) -> Result<Self, crate::Error> {
        if low <= high {
            return Ok(Self { low, high });
        }
        let what = format!("low <= high, got {low} and {high}");
        Err(crate::Error::invalid("Interval::new", what))
    }

    /// A narrow interval around a rational.
    pub fn of(value: &super::rational::Rational) -> Self {
        let x = value.to_f64();
        let exact = super::rational::Rational::from_f64(x).is_some_and(|r| r == *value);
        if exact {
            Self { low: x, high: x }
        } else {
            Self::around(x, x)
        }
    }

    /// All real numbers.
    pub const WHOLE: Self = Self {
        low: f64::NEG_INFINITY,
        high: f64::INFINITY,
    };

    /// An interval that contains the powers of its numbers, with no other slack than rounding: squares are not negative.
    ///
    /// # Example
    /// ```
    /// use wickring::poly::Interval;
    /// let x = Interval::new(-1.0, 2.0)?;
    /// assert_eq!(x.pow(2).low(), 0.0);
    /// assert!(x.pow(3).contains(-1.0) && !x.pow(3).contains(-1.1));
    /// # Ok::<(), wickring::Error>(())
    /// ```
    #[must_use]
    pub fn pow(self, exponent: u32) -> Self {
        let end = |x: f64| {
            let (mut power, mut square, mut left) =
                (Self::one(), Self { low: x, high: x }, exponent);
            while left > 0 {
                if left & 1 == 1 {
                    power *= &square;
                }
                left >>= 1;
                if left > 0 {
                    square = square * square;
                }
            }
            power
        };
        let (a, b) = (end(self.low), end(self.high));
        if exponent & 1 == 1 {
            return Self {
                low: a.low,
                high: b.high,
            };
        }
        let low = match self.contains(0.0) {
            true => 0.0,
            false => a.low.min(b.low).max(0.0),
        };
        Self {
            low: if exponent == 0 { 1.0 } else { low },
            high: a.high.max(b.high),
        }
    }

    /// Lower end.
    pub fn low(&self) -> f64 {
        self.low
    }

    /// Upper end.
    pub fn high(&self) -> f64 {
        self.high
    }

    /// Whether `x` lies in the interval.
    pub fn contains(&self, x: f64) -> bool {
        self.low <= x && x <= self.high
    }

    /// One step outward; an end that is NaN (from infinities) becomes infinite.
    fn around(low: f64, high: f64) -> Self {
        Self {
            low: if low.is_nan() {
                f64::NEG_INFINITY
            } else {
                low.next_down()
            },
            high: if high.is_nan() {
                f64::INFINITY
            } else {
                high.next_up()
            },
        }
    }
}

impl Add for Interval {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        // Exact zeros stay exact: absent terms must not widen a polynomial.
        if self.is_zero() {
            return other;
        }
        if other.is_zero() {
            return self;
        }
        Self::around(self.low + other.low, self.high + other.high)
    }
}

impl Neg for Interval {
    type Output = Self;
    fn neg(self) -> Self {
        Self {
            low: -self.high,
            high: -self.low,
        }
    }
}

impl Sub for Interval {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Interval {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        if self.is_zero() || other.is_zero() {
            return Self::zero();
        }
        if self.is_one() {
            return other;
        }
        if other.is_one() {
            return self;
        }
        let all = [
            self.low * other.low,
            self.low * other.high,
            self.high * other.low,
            self.high * other.high,
        ];
        // 0 * infinity: nothing is known.
        if all.iter().any(|x| x.is_nan()) {
            return Self::around(f64::NAN, f64::NAN);
        }
        let low = all.iter().copied().fold(f64::INFINITY, f64::min);
        let high = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Self::around(low, high)
    }
}

macro_rules! assign {
    ($($op:ident $method:ident $by:ident),*) => {$(
        impl $op<&Interval> for Interval {
            fn $method(&mut self, other: &Interval) {
                *self = self.$by(*other);
            }
        }
    )*};
}
assign!(AddAssign add_assign add, SubAssign sub_assign sub, MulAssign mul_assign mul);

impl Zero for Interval {
    fn zero() -> Self {
        Self {
            low: 0.0,
            high: 0.0,
        }
    }
    fn is_zero(&self) -> bool {
        self.low == 0.0 && self.high == 0.0
    }
}

impl One for Interval {
    fn one() -> Self {
        Self {
            low: 1.0,
            high: 1.0,
        }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, {}]", self.low, self.high)
    }
}

impl Ring for Interval {
    type Store = Vec<Self>;
    const EXACT: bool = false;
    fn from_i64(value: i64) -> Self {
        let x = value as f64;
        // Integers of up to 53 bits are floats.
        if value.unsigned_abs() <= 1 << 53 {
            Self { low: x, high: x }
        } else {
            Self::around(x, x)
        }
    }
    fn checked_div(&self, other: &Self) -> Option<Self> {
        if other.contains(0.0) {
            return None;
        }
        // The reciprocal is monotone on either side of zero.
        Some(*self * Self::around(1.0 / other.high, 1.0 / other.low))
    }
}
