//! What a coefficient must offer.

use super::store::Store;
use num_complex::Complex;
use num_traits::{One, Zero};
use std::fmt::Debug;
use std::ops::{AddAssign, MulAssign, Neg, SubAssign};

/// A commutative ring with one, as a value type.
///
/// The laws are those of the textbook (checked by `laws::poly_ring`); for floats they hold up to rounding
/// and [`Ring::EXACT`] is false. A ring of your own needs the operators, one line for the store and two
/// functions; `type Store = Vec<Self>` is right unless there is a denser form.
pub trait Ring:
    Clone
    + PartialEq
    + Debug
    + Zero
    + One
    + Neg<Output = Self>
    + for<'a> AddAssign<&'a Self>
    + for<'a> SubAssign<&'a Self>
    + for<'a> MulAssign<&'a Self>
    + Send
    + Sync
    + 'static
{
    /// Where the coefficients of a polynomial lie.
    type Store: Store<Self>;

    /// Whether the ring axioms hold without rounding.
    const EXACT: bool;

    /// Whether the ring has characteristic zero and no zero divisors, so that powers of a sum of several
    /// terms keep growing. Used to refuse hopeless powers early; `false` is always safe.
    const DOMAIN: bool = false;

    /// The image of an integer.
    fn from_i64(value: i64) -> Self;

    /// `self / other` if it lies in the ring, `None` if it does not or `other` is zero.
    fn checked_div(&self, other: &Self) -> Option<Self>;
}

impl Ring for f64 {
    type Store = Vec<f64>;
    const EXACT: bool = false;
    fn from_i64(value: i64) -> Self {
        value as f64
    }
    fn checked_div(&self, other: &Self) -> Option<Self> {
        (*other != 0.0).then(|| self / other)
    }
}

impl Ring for Complex<f64> {
    type Store = Vec<Complex<f64>>;
    const EXACT: bool = false;
    fn from_i64(value: i64) -> Self {
        Self::new(value as f64, 0.0)
    }
    fn checked_div(&self, other: &Self) -> Option<Self> {
        (!other.is_zero()).then(|| self / other)
    }
}
