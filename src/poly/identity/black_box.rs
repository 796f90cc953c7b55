//! What an identity test must know of a polynomial.

use crate::Error;
use crate::poly::coefficients::rational::Rational;
use crate::poly::factor::reduced;
use crate::poly::polynomial::univariate::Field;
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;

/// A bound of the coefficients of `f` in `Q[x]`: there is a positive integer `D` of at most `denominator` bits, whose
/// product with `f` is a polynomial over the integers whose coefficients, in absolute value, add up to less than
/// `2^numerator`.
///
/// See [`BlackBox`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Height {
    /// Bits of the sum of the absolute values of the coefficients of `D f`.
    pub numerator: u128,
    /// Bits of `D`; 0 for `D = 1`.
    pub denominator: u128,
}

impl Height {
    /// The height of a number.
    pub fn of(c: &Rational) -> Self {
        let bits = |n: usize| n as u128;
        let denominator = c.denominator();
        let whole = denominator == crate::poly::coefficients::rational::Integer::ONE;
        Self {
            numerator: bits(dashu_int::ops::BitTest::bit_len(&c.numerator())),
            denominator: match whole {
                true => 0,
                false => bits(dashu_int::ops::BitTest::bit_len(&denominator)),
            },
        }
    }

    /// A bound for `f + g` and `f - g`.
    #[must_use]
    pub fn sum(self, other: Self) -> Self {
        let left = self.numerator.saturating_add(other.denominator);
        let right = other.numerator.saturating_add(self.denominator);
        Self {
            numerator: left.max(right).saturating_add(1),
            denominator: self.denominator.saturating_add(other.denominator),
        }
    }

    /// A bound for `f g`.
    #[must_use]
    pub fn product(self, other: Self) -> Self {
        Self {
            numerator: self.numerator.saturating_add(other.numerator),
            denominator: self.denominator.saturating_add(other.denominator),
        }
    }

    /// A bound for `f^k`.
    #[must_use]
    pub fn power(self, k: u32) -> Self {
        match k {
            0 => Self::of(&Rational::from(1)),
            k => Self {
                numerator: self.numerator.saturating_mul(k.into()),
                denominator: self.denominator.saturating_mul(k.into()),
            },
        }
    }
}

/// A polynomial over the rationals that can be evaluated modulo primes.
///
/// The bounds are promises: an identity test is no better than they are.
///
/// # Example
/// ```
/// use wickring::poly::Vars;
/// use wickring::poly::identity::{BlackBox, Program};
/// let p = Program::parse("(x + y)^10", &mut Vars::new())?;
/// // Whole coefficients, which add up to 2^10.
/// assert!(p.height().numerator > 10 && p.height().denominator == 0);
/// assert!(p.degree_bound() >= 10);
/// # Ok::<(), wickring::Error>(())
/// ```
pub trait BlackBox {
    /// Number of variables.
    fn nvars(&self) -> usize;

    /// A bound of the total degree.
    fn degree_bound(&self) -> u128;

    /// A bound of the coefficients.
    fn height(&self) -> Height;

    /// The value at a point of `nvars()` residues modulo the prime `p < 2^62`; `None` when `p` divides a denominator.
    ///
    /// # Errors
    /// `Stopped` when the budget's clock or caller says so.
    fn value_mod(&self, point: &[u64], p: u64, budget: &Budget<'_>) -> Result<Option<u64>, Error>;

    /// The polynomial multiplied out, where there is a way to do so.
    ///
    /// # Errors
    /// `LimitExceeded` or `Overflow` when the budget does not suffice; `Stopped`.
    fn expanded(&self, _budget: &Budget<'_>) -> Result<Option<Poly<Rational>>, Error> {
        Ok(None)
    }
}

/// `c` modulo `p`, `None` when `p` divides the denominator.
pub(super) fn residue(c: &Rational, field: Field) -> Option<u64> {
    let denominator = reduced(&c.denominator(), field.p);
    let numerator = reduced(&c.numerator(), field.p);
    match denominator {
        0 => None,
        1 => Some(numerator),
        d => Some(field.mul(numerator, field.inv(d))),
    }
}

impl BlackBox for Poly<Rational> {
    fn nvars(&self) -> usize {
        Self::nvars(self)
    }

    fn degree_bound(&self) -> u128 {
        self.total_degree().into()
    }

    fn height(&self) -> Height {
        let heights = self.iter().map(|(_, c)| Height::of(&c));
        // Coefficients usually share denominators; the sum of their bits is still a bound.
        heights.fold(Height::default(), Height::sum)
    }

    fn value_mod(&self, point: &[u64], p: u64, budget: &Budget<'_>) -> Result<Option<u64>, Error> {
        let field = Field { p };
        let mut sum = 0;
        for (k, (exponents, c)) in self.iter().enumerate() {
            if k % 4096 == 0 {
                budget.check_time("Poly::value_mod")?;
            }
            let Some(mut term) = residue(&c, field) else {
                return Ok(None);
            };
            for (x, e) in point.iter().zip(&exponents) {
                if *e > 0 {
                    term = field.mul(term, field.pow(*x, u64::from(*e)));
                }
            }
            sum = field.add(sum, term);
        }
        Ok(Some(sum))
    }

    fn expanded(&self, _budget: &Budget<'_>) -> Result<Option<Poly<Rational>>, Error> {
        Ok(Some(self.clone()))
    }
}
