//! What a coefficient must offer.

use super::rational::Integer;
use super::store::Store;
use crate::poly::polynomial::value::Poly;
use num_complex::Complex;
use num_traits::{One, Zero};
use std::fmt::Debug;
use std::ops::{AddAssign, MulAssign, Neg, SubAssign};

/// A commutative ring with one, as a value type.
///
/// The laws are those of the textbook (checked by `laws::poly_ring`); for floats they hold up to rounding
/// and [`Ring::EXACT`] is false. A ring of your own needs the operators, one line for the store and two
/// functions; `type Store = Vec<Self>` is right unless there is a denser form.
///
/// # Example
/// ```
/// use wickring::poly::{Integer, Residue, Ring};
/// fn factorial<R: Ring>(one: R, n: i64) -> R {
///     (1..=n).fold(one, |mut product, k| {
///         product *= &R::from_i64(k);
///         product
///     })
/// }
/// assert_eq!(factorial(1.0, 5), 120.0);
/// assert_eq!(factorial(Integer::from(1), 5), Integer::from(120));
/// assert_eq!(factorial(Residue::new(1, 7)?, 6), Residue::new(6, 7)?); // Wilson
/// # Ok::<(), wickring::Error>(())
/// ```
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

    /// A factor and a polynomial over the integers whose product is `p`, together with the scalars as integers: for rings of
    /// fractions, whose operators with integer weights are then carried out on integers. `None` where there is no such form.
    fn integral_form(_p: &Poly<Self>, _scalars: &[&Self]) -> Option<IntegralForm<Self>> {
        None
    }

    /// The polynomial of a factor and integers, the inverse of [`Ring::integral_form`]; never called where that gives `None`.
    fn from_integral(factor: &Self, p: &Poly<Integer>) -> Poly<Self> {
        p.map(|c| {
            let mut value = crate::poly::gaussian::hermite::heat_operator::from_integer::<Self>(c);
            value *= factor;
            value
        })
    }
}

/// A factor, a polynomial over the integers and scalars over the integers: see [`Ring::integral_form`].
pub type IntegralForm<C> = (C, Poly<Integer>, Vec<Integer>);

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
