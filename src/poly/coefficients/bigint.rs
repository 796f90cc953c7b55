//! Conversions from and to the crates num-bigint and num-rational.

use super::rational::{Integer, Rational};
use num_bigint::BigInt;
use num_rational::BigRational;

/// The integer as one of num-bigint.
///
/// # Example
/// ```
/// use wickring::poly::{Integer, from_bigint, to_bigint};
/// let n = Integer::from(-7).pow(100);
/// assert_eq!(from_bigint(&to_bigint(&n)), n);
/// ```
pub fn to_bigint(n: &Integer) -> BigInt {
    BigInt::from_signed_bytes_le(&n.to_le_bytes())
}

/// The integer of one of num-bigint.
pub fn from_bigint(n: &BigInt) -> Integer {
    Integer::from_le_bytes(&n.to_signed_bytes_le())
}

impl From<&BigInt> for Rational {
    fn from(n: &BigInt) -> Self {
        Self::from(from_bigint(n))
    }
}

impl From<BigInt> for Rational {
    fn from(n: BigInt) -> Self {
        Self::from(&n)
    }
}

/// A denominator of zero, which `BigRational::new_raw` can make, counts as one.
impl From<&BigRational> for Rational {
    fn from(x: &BigRational) -> Self {
        let (n, d) = (from_bigint(x.numer()), from_bigint(x.denom()));
        Self::from_integers(n.clone(), d).unwrap_or_else(|| Self::from(n))
    }
}

impl From<BigRational> for Rational {
    fn from(x: BigRational) -> Self {
        Self::from(&x)
    }
}

impl From<&Rational> for BigRational {
    fn from(x: &Rational) -> Self {
        // In lowest terms with a positive denominator already.
        Self::new_raw(to_bigint(&x.numerator()), to_bigint(&x.denominator()))
    }
}

impl From<Rational> for BigRational {
    fn from(x: Rational) -> Self {
        Self::from(&x)
    }
}

/// The integer, or the number itself when it is no integer.
impl TryFrom<&Rational> for BigInt {
    type Error = Rational;
    fn try_from(x: &Rational) -> Result<Self, Rational> {
        match x.denominator().is_one() {
            true => Ok(to_bigint(&x.numerator())),
            false => Err(x.clone()),
        }
    }
}
