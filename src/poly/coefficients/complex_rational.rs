//! Complex numbers with rational parts: the field `Q(i)`.

use super::rational::Rational;
use super::ring::Ring;
use super::store::Store;
use crate::Error;
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;
use num_traits::{One, Zero};
use std::fmt;
use std::ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// `re + im i` with rational `re` and `im`.
///
/// # Example
/// ```
/// use wickring::poly::{ComplexRational, Poly};
/// let z = Poly::<ComplexRational>::variable(0);
/// let i = Poly::constant(ComplexRational::i());
/// let square = &z * &z;
/// assert_eq!(&(&z + &i) * &(&z - &i), &square + &Poly::constant(1.into()));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ComplexRational {
    /// Real part.
    pub re: Rational,
    /// Imaginary part.
    pub im: Rational,
}

impl ComplexRational {
    /// The imaginary unit.
    pub fn i() -> Self {
        Self {
            re: Rational::zero(),
            im: Rational::one(),
        }
    }

    /// The complex conjugate.
    #[must_use]
    pub fn conjugate(&self) -> Self {
        Self {
            re: self.re.clone(),
            im: -&self.im,
        }
    }
}

impl From<i64> for ComplexRational {
    fn from(value: i64) -> Self {
        Rational::from(value).into()
    }
}

impl From<Rational> for ComplexRational {
    fn from(re: Rational) -> Self {
        let im = Rational::zero();
        Self { re, im }
    }
}

impl AddAssign<&ComplexRational> for ComplexRational {
    fn add_assign(&mut self, other: &Self) {
        self.re += &other.re;
        self.im += &other.im;
    }
}

impl SubAssign<&ComplexRational> for ComplexRational {
    fn sub_assign(&mut self, other: &Self) {
        self.re -= &other.re;
        self.im -= &other.im;
    }
}

impl MulAssign<&ComplexRational> for ComplexRational {
    fn mul_assign(&mut self, other: &Self) {
        let re = &(&self.re * &other.re) - &(&self.im * &other.im);
        self.im = &(&self.re * &other.im) + &(&self.im * &other.re);
        self.re = re;
    }
}

impl Neg for ComplexRational {
    type Output = Self;
    fn neg(self) -> Self {
        Self {
            re: -self.re,
            im: -self.im,
        }
    }
}

macro_rules! by_value {
    ($($op:ident $method:ident $assign:ident),*) => {$(
        impl $op for ComplexRational {
            type Output = Self;
            fn $method(mut self, other: Self) -> Self {
                self.$assign(&other);
                self
            }
        }
    )*};
}
by_value!(Add add add_assign, Sub sub sub_assign, Mul mul mul_assign);

impl Zero for ComplexRational {
    fn zero() -> Self {
        Self::default()
    }
    fn is_zero(&self) -> bool {
        self.re.is_zero() && self.im.is_zero()
    }
}

impl One for ComplexRational {
    fn one() -> Self {
        Rational::one().into()
    }
}

impl fmt::Display for ComplexRational {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.re.is_zero(), self.im.is_zero()) {
            (_, true) => write!(f, "{}", self.re),
            (true, false) => write!(f, "{}*i", self.im),
            (false, false) if self.im.signum() < 0 => {
                write!(f, "{} - {}*i", self.re, self.im.abs())
            }
            (false, false) => write!(f, "{} + {}*i", self.re, self.im),
        }
    }
}

/// Coefficients in `Q(i)`. Products are three products over Q, which take the integer kernels.
///
/// # Example
/// ```
/// use wickring::poly::{ComplexRational, ComplexRationals, Store};
/// let store: ComplexRationals = Store::from_vec(vec![ComplexRational::i(), 2.into()]);
/// assert_eq!((store.len(), store.get(0)), (2, ComplexRational::i()));
/// ```
#[derive(Clone, Debug, Default)]
pub struct ComplexRationals(Vec<ComplexRational>);

impl Store<ComplexRational> for ComplexRationals {
    fn from_vec(values: Vec<ComplexRational>) -> Self {
        Self(values)
    }
    fn get(&self, i: usize) -> ComplexRational {
        self.0[i].clone()
    }
    fn len(&self) -> usize {
        self.0.len()
    }
    fn product(
        a: &Poly<ComplexRational>,
        b: &Poly<ComplexRational>,
        budget: &Budget<'_>,
    ) -> Result<Poly<ComplexRational>, Error> {
        // (p + q i)(r + s i) = (pr - qs) + ((p + q)(r + s) - pr - qs) i.
        let real = |p: &Poly<ComplexRational>| p.map(|c| c.re.clone());
        let imaginary = |p: &Poly<ComplexRational>| p.map(|c| c.im.clone());
        let (p, q, r, s) = (real(a), imaginary(a), real(b), imaginary(b));
        let pr = p.mul_within(&r, budget)?;
        let qs = q.mul_within(&s, budget)?;
        let all = (&p + &q).mul_within(&(&r + &s), budget)?;
        let unit = |c: &Rational| ComplexRational {
            re: Rational::zero(),
            im: c.clone(),
        };
        let re = (&pr - &qs).map(|c| ComplexRational::from(c.clone()));
        let im = (&(&all - &pr) - &qs).map(unit);
        Ok(&re + &im)
    }
}

impl Ring for ComplexRational {
    type Store = ComplexRationals;
    const EXACT: bool = true;
    const DOMAIN: bool = true;
    fn from_i64(value: i64) -> Self {
        value.into()
    }
    fn checked_div(&self, other: &Self) -> Option<Self> {
        let norm = &(&other.re * &other.re) + &(&other.im * &other.im);
        let inverse = Self::from(norm.recip()?);
        Some(self.clone() * other.conjugate() * inverse)
    }
}
