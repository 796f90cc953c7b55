//! Rational numbers with a multiple of the imaginary unit, as coefficients of schemes over Q(i).

use super::formats::entry::Scalar;
use crate::poly::Rational;
use num_traits::Zero;

/// `re + im i`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Gaussian {
    pub(crate) re: Rational,
    pub(crate) im: Rational,
}

impl Gaussian {
    /// A number without an imaginary part.
    pub(crate) fn real(re: Rational) -> Self {
        Self {
            re,
            im: Rational::zero(),
        }
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.re.is_zero() && self.im.is_zero()
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.re += &other.re;
        self.im += &other.im;
    }

    pub(crate) fn times(&self, other: &Self) -> Self {
        Self {
            re: &(&self.re * &other.re) - &(&self.im * &other.im),
            im: &(&self.re * &other.im) + &(&self.im * &other.re),
        }
    }

    pub(crate) fn recip(&self) -> Option<Self> {
        let norm = (&(&self.re * &self.re) + &(&self.im * &self.im)).recip()?;
        Some(Self {
            re: &self.re * &norm,
            im: -(&self.im * &norm),
        })
    }

    /// Bits of the longer part.
    pub(crate) fn bits(&self) -> usize {
        self.re.bits().max(self.im.bits())
    }

    /// The value of powers of `i`.
    pub(crate) fn of_powers(powers: &Scalar) -> Self {
        let mut value = Self::default();
        for (power, c) in powers {
            let part = if power % 2 == 0 {
                &mut value.re
            } else {
                &mut value.im
            };
            match power.rem_euclid(4) < 2 {
                true => *part += c,
                false => *part -= c,
            }
        }
        value
    }

    /// As an entry with `i` adjoined: the powers 0 and 1.
    pub(crate) fn scalar(&self) -> Scalar {
        let parts = [(0, &self.re), (1, &self.im)];
        let parts = parts.into_iter().filter(|(_, x)| !x.is_zero());
        parts.map(|(power, x)| (power, x.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Gaussian;
    use crate::poly::Rational;

    #[test]
    fn inverses_multiply_to_one() {
        let z = Gaussian {
            re: Rational::from(3),
            im: Rational::from(-4),
        };
        let one = z.recip().map(|w| w.times(&z));
        assert_eq!(one, Some(Gaussian::real(Rational::from(1))));
        assert_eq!(Gaussian::default().recip(), None);
        assert!(Gaussian::default().is_zero() && Gaussian::default().scalar().is_empty());
    }
}
