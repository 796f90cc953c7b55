//! Exact rationals: a pair of machine integers that spills into big ones.

use crate::Error;
use crate::error::quoted;
use dashu_int::ops::{BitTest, Gcd};
use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;
use num_traits::{One, Zero};
use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};
use std::str::FromStr;

/// An integer of any size.
pub type Integer = IBig;

/// An exact rational number in lowest terms with a positive denominator.
///
/// The representation is canonical (small exactly when numerator and denominator both fit an `i64`), so
/// equality and hashing are structural. Small values never allocate; about ten times faster than a big
/// rational on the numbers that moment identities are made of.
///
/// # Example
/// ```
/// use wickring::poly::Rational;
/// assert_eq!(Rational::new(2, 6), Rational::new(1, 3));
/// assert_eq!(Rational::new(1, 0), None);
/// // A float is a whole number over a power of two, which a tenth is not.
/// assert_ne!(Rational::from_f64(0.1), Rational::new(1, 10));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Rational(Repr);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    /// Numerator, and denominator > 0, coprime.
    Small(i64, i64),
    /// Anything that does not fit.
    Big(Box<RBig>),
}

/// Decimal exponents beyond this are refused when text is read: `1e999999999` is an attack, not a number.
const MAX_DECIMAL_EXPONENT: u32 = 4096;
const OP_PARSE: &str = "Rational::from_str";

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        // Most operands fit a word, where the remainder is much cheaper.
        if let (Ok(x), Ok(y)) = (u64::try_from(a), u64::try_from(b)) {
            return u128::from(gcd64(x, y));
        }
        (a, b) = (b, a % b);
    }
    a
}

/// Binary greatest common divisor.
pub(in crate::poly) fn gcd64(mut a: u64, mut b: u64) -> u64 {
    if a == 0 || b == 0 {
        return a | b;
    }
    let shift = (a | b).trailing_zeros();
    a >>= a.trailing_zeros();
    while b != 0 {
        b >>= b.trailing_zeros();
        if a > b {
            (a, b) = (b, a);
        }
        b -= a;
    }
    a << shift
}

impl Rational {
    /// `numerator / denominator`, or `None` when the denominator is zero.
    pub fn new(numerator: i64, denominator: i64) -> Option<Self> {
        (denominator != 0).then(|| Self::reduce(numerator.into(), denominator.into()))
    }

    /// `numerator / denominator` of any size, or `None` when the denominator is zero.
    pub fn from_integers(numerator: Integer, denominator: Integer) -> Option<Self> {
        if denominator.is_zero() {
            return None;
        }
        let (sign, den) = denominator.into_parts();
        Some(Self::from_big(RBig::from_parts(numerator * sign, den)))
    }

    /// The exact value of a float, or `None` when it is not finite.
    pub fn from_f64(value: f64) -> Option<Self> {
        RBig::try_from(value).ok().map(Self::from_big)
    }

    /// The nearest float; infinite when the value is beyond the range of floats.
    pub fn to_f64(&self) -> f64 {
        match &self.0 {
            // Both exactly representable: one correctly rounded division.
            Repr::Small(n, d) if n.unsigned_abs() <= 1 << 53 && *d <= 1 << 53 => {
                *n as f64 / *d as f64
            }
            _ => self.to_big().to_f64().value(),
        }
    }

    /// The numerator, with the sign.
    pub fn numerator(&self) -> Integer {
        match &self.0 {
            Repr::Small(n, _) => IBig::from(*n),
            Repr::Big(r) => r.numerator().clone(),
        }
    }

    /// The denominator, positive.
    pub fn denominator(&self) -> Integer {
        match &self.0 {
            Repr::Small(_, d) => IBig::from(*d),
            Repr::Big(r) => IBig::from(r.denominator().clone()),
        }
    }

    /// Whether the denominator is one.
    pub fn is_integer(&self) -> bool {
        match &self.0 {
            Repr::Small(_, d) => *d == 1,
            Repr::Big(r) => r.denominator().is_one(),
        }
    }

    /// `-1`, `0` or `1`.
    pub fn signum(&self) -> i32 {
        match &self.0 {
            Repr::Small(n, _) => n.signum() as i32,
            Repr::Big(r) if *r.numerator() < IBig::ZERO => -1,
            Repr::Big(_) => 1,
        }
    }

    /// The absolute value.
    #[must_use]
    pub fn abs(&self) -> Self {
        if self.signum() < 0 {
            -self
        } else {
            self.clone()
        }
    }

    /// `1 / self`, or `None` for zero.
    pub fn recip(&self) -> Option<Self> {
        match &self.0 {
            Repr::Small(n, d) => (*n != 0).then(|| Self::reduce((*d).into(), (*n).into())),
            Repr::Big(r) => {
                Self::from_integers(IBig::from(r.denominator().clone()), r.numerator().clone())
            }
        }
    }

    /// `self^exponent`. The size of the result is `exponent` times that of `self`: callers bound it.
    #[must_use]
    pub fn pow(&self, exponent: u32) -> Self {
        let mut result = Self::one();
        let mut base = self.clone();
        let mut left = exponent;
        while left > 0 {
            if left & 1 == 1 {
                result *= &base;
            }
            left >>= 1;
            if left > 0 {
                base = &base * &base;
            }
        }
        result
    }

    /// Bits of numerator and denominator together: the memory that the value needs.
    pub fn bits(&self) -> usize {
        match &self.0 {
            Repr::Small(n, d) => {
                (128 - n.unsigned_abs().leading_zeros() - d.leading_zeros()) as usize
            }
            Repr::Big(r) => {
                r.numerator().clone().into_parts().1.bit_len() + r.denominator().bit_len()
            }
        }
    }

    fn reduce(n: i128, d: i128) -> Self {
        let g = gcd(n.unsigned_abs(), d.unsigned_abs());
        // `g` is zero only for 0/0, which no caller passes.
        let g = if g == 0 { 1 } else { g };
        let negative = (n < 0) != (d < 0);
        let (n, d) = (n.unsigned_abs() / g, d.unsigned_abs() / g);
        match (i64::try_from(n), i64::try_from(d)) {
            (Ok(n), Ok(d)) => Self(Repr::Small(if negative { -n } else { n }, d)),
            _ => {
                let n = IBig::from(n);
                Self::from_big(RBig::from_parts(
                    if negative { -n } else { n },
                    UBig::from(d),
                ))
            }
        }
    }

    fn from_big(r: RBig) -> Self {
        let n = i64::try_from(r.numerator());
        let d = i64::try_from(r.denominator());
        match (n, d) {
            (Ok(n), Ok(d)) => Self(Repr::Small(n, d)),
            _ => Self(Repr::Big(Box::new(r))),
        }
    }

    fn to_big(&self) -> RBig {
        match &self.0 {
            // Already in lowest terms: `from_parts` reduces again, which is cheap at this size.
            Repr::Small(n, d) => RBig::from_parts(IBig::from(*n), UBig::from(d.unsigned_abs())),
            Repr::Big(r) => (**r).clone(),
        }
    }

    fn small(&self) -> Option<(i128, i128)> {
        match &self.0 {
            Repr::Small(n, d) => Some(((*n).into(), (*d).into())),
            Repr::Big(_) => None,
        }
    }
}

impl Default for Rational {
    fn default() -> Self {
        Self::zero()
    }
}

impl From<i64> for Rational {
    fn from(value: i64) -> Self {
        Self::reduce(value.into(), 1)
    }
}

impl From<Integer> for Rational {
    fn from(value: Integer) -> Self {
        Self::from_big(RBig::from(value))
    }
}

impl Add<&Rational> for &Rational {
    type Output = Rational;
    fn add(self, other: &Rational) -> Rational {
        if let (Some((a, b)), Some((c, d))) = (self.small(), other.small()) {
            if b == 1 && d == 1 {
                return Rational::reduce(a + c, 1);
            }
            // |a*d| and |c*b| are at most 2^126, so the sum cannot overflow an i128.
            return Rational::reduce(a * d + c * b, b * d);
        }
        Rational::from_big(self.to_big() + other.to_big())
    }
}

impl Mul<&Rational> for &Rational {
    type Output = Rational;
    fn mul(self, other: &Rational) -> Rational {
        if let (Some((a, b)), Some((c, d))) = (self.small(), other.small()) {
            return Rational::reduce(a * c, b * d);
        }
        Rational::from_big(self.to_big() * other.to_big())
    }
}

impl Neg for &Rational {
    type Output = Rational;
    fn neg(self) -> Rational {
        match &self.0 {
            Repr::Small(n, d) => Rational::reduce(-i128::from(*n), (*d).into()),
            Repr::Big(r) => Rational::from_big(-(**r).clone()),
        }
    }
}

impl Sub<&Rational> for &Rational {
    type Output = Rational;
    fn sub(self, other: &Rational) -> Rational {
        self + &-other
    }
}

macro_rules! by_value {
    ($($op:ident $method:ident $assign:ident $assign_method:ident),*) => {$(
        impl $op for Rational {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                $op::$method(&self, &other)
            }
        }
        impl $assign<&Rational> for Rational {
            fn $assign_method(&mut self, other: &Self) {
                *self = $op::$method(&*self, other);
            }
        }
    )*};
}
by_value!(Add add AddAssign add_assign, Sub sub SubAssign sub_assign, Mul mul MulAssign mul_assign);

impl Div<&Rational> for &Rational {
    type Output = Option<Rational>;
    /// The quotient, or `None` for a zero divisor.
    fn div(self, other: &Rational) -> Option<Rational> {
        other.recip().map(|r| self * &r)
    }
}

impl Neg for Rational {
    type Output = Self;
    fn neg(self) -> Self {
        -&self
    }
}

impl Zero for Rational {
    fn zero() -> Self {
        Self(Repr::Small(0, 1))
    }
    fn is_zero(&self) -> bool {
        matches!(self.0, Repr::Small(0, _))
    }
}

impl One for Rational {
    fn one() -> Self {
        Self(Repr::Small(1, 1))
    }
}

impl PartialOrd for Rational {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Rational {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.small(), other.small()) {
            (Some((a, b)), Some((c, d))) => (a * d).cmp(&(c * b)),
            _ => self.to_big().cmp(&other.to_big()),
        }
    }
}

impl fmt::Display for Rational {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Small(n, 1) => write!(f, "{n}"),
            Repr::Small(n, d) => write!(f, "{n}/{d}"),
            Repr::Big(r) => write!(f, "{r}"),
        }
    }
}

impl fmt::Debug for Rational {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Rational {
    type Err = Error;

    /// Reads `-12`, `3/4`, `0.25`, `-1.5e-3`, all exactly.
    ///
    /// # Errors
    /// `Parse` for anything else, `LimitExceeded` for a decimal exponent beyond 4096.
    fn from_str(text: &str) -> Result<Self, Error> {
        if let Some((n, d)) = text.split_once('/') {
            let (n, d) = (decimal(n)?, decimal(d)?);
            return (&n / &d).ok_or_else(|| Error::parse(OP_PARSE, 0, "a nonzero denominator"));
        }
        decimal(text)
    }
}

fn decimal(text: &str) -> Result<Rational, Error> {
    let wrong = || Error::parse(OP_PARSE, 0, format!("a number, found {}", quoted(text)));
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((m, e)) => (m, e.parse::<i32>().map_err(|_| wrong())?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (sign, whole) = match whole.as_bytes().first() {
        Some(b'-') => (-1, &whole[1..]),
        Some(b'+') => (1, &whole[1..]),
        _ => (1, whole),
    };
    let digits = [whole, fraction].concat();
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let scale = i64::from(exponent) - fraction.len() as i64;
    if exponent.unsigned_abs() > MAX_DECIMAL_EXPONENT {
        let limit = u64::from(MAX_DECIMAL_EXPONENT);
        return Err(Error::limit(OP_PARSE, "decimal exponent", limit));
    }
    let value: IBig = digits.parse().map_err(|_| wrong())?;
    let value = value * IBig::from(sign);
    let power = IBig::from(10).pow(scale.unsigned_abs() as usize);
    let pair = if scale >= 0 {
        (value * power, IBig::ONE)
    } else {
        (value, power)
    };
    Rational::from_integers(pair.0, pair.1).ok_or_else(wrong)
}

/// The greatest common divisor of two integers, non-negative; `gcd(0, 0) = 0`.
pub fn integer_gcd(a: &Integer, b: &Integer) -> Integer {
    if a.is_zero() && b.is_zero() {
        return IBig::ZERO;
    }
    IBig::from(a.gcd(b))
}
