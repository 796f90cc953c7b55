//! What points consist of.

use crate::poly::coefficients::interval::Interval;
use crate::poly::coefficients::ring::Ring;
use crate::poly::simd::blocks::{Block, Kind};
use num_complex::Complex;

/// Numbers that compiled polynomials are evaluated at: `f64`, `Complex<f64>`, [`Interval`]. Sealed.
///
/// # Example
/// ```
/// use num_complex::Complex;
/// use wickring::poly::{Compiled, Coordinate, Poly, Rational, Vars};
/// fn value<T: Coordinate>(p: Poly<T>, x: T) -> Result<T, wickring::Error> {
///     Ok(Compiled::new(&[p])?.eval_batch(&[&[x]])?[0][0])
/// }
/// let p = Poly::<Rational>::parse("x^2 + 1", &mut Vars::new())?;
/// assert_eq!(value(p.map(Rational::to_f64), 3.0)?, 10.0);
/// assert_eq!(value(p.map(|c| Complex::from(c.to_f64())), Complex::i())?, Complex::from(0.0));
/// # Ok::<(), wickring::Error>(())
/// ```
pub trait Coordinate: Ring + Copy + sealed::Parts {}

impl Coordinate for f64 {}
impl Coordinate for Complex<f64> {}
impl Coordinate for Interval {}

pub(crate) mod sealed {
    use crate::poly::simd::blocks::{Block, Kind};

    /// A number as one or two floats.
    pub trait Parts: Sized {
        const PARTS: usize;
        const KIND: Kind;
        /// The longest gap between exponents that is filled with zeros.
        const FILL: u32;
        /// Whether powers are better taken one by one than multiplied up.
        const POWERS_GIVEN: bool = false;
        fn parts(self) -> [f64; 2];
        fn from_parts(parts: [f64; 2]) -> Self;
        /// The parts of values at the beginning of blocks.
        fn spread(values: &[Self], blocks: &mut [Block])
        where
            Self: Copy,
        {
            for (l, x) in values.iter().enumerate() {
                for (block, part) in blocks.iter_mut().zip(x.parts()) {
                    block.0[l] = part;
                }
            }
        }
        /// The inverse.
        fn gather(blocks: &[Block], values: &mut [Self]) {
            for (l, value) in values.iter_mut().enumerate() {
                let second = blocks.get(1).map_or(0.0, |b| b.0[l]);
                *value = Self::from_parts([blocks[0].0[l], second]);
            }
        }
        /// The power, where these are given.
        fn power(self, _exponent: u32) -> Self {
            self
        }
    }
}

impl sealed::Parts for f64 {
    const PARTS: usize = 1;
    const KIND: Kind = Kind::Real;
    const FILL: u32 = 2;
    fn parts(self) -> [f64; 2] {
        [self, 0.0]
    }
    fn from_parts(parts: [f64; 2]) -> Self {
        parts[0]
    }
    fn spread(values: &[Self], blocks: &mut [Block]) {
        blocks[0].0[..values.len()].copy_from_slice(values);
    }
    fn gather(blocks: &[Block], values: &mut [Self]) {
        values.copy_from_slice(&blocks[0].0[..values.len()]);
    }
}

impl sealed::Parts for Complex<f64> {
    const PARTS: usize = 2;
    const KIND: Kind = Kind::Complex;
    const FILL: u32 = 2;
    fn parts(self) -> [f64; 2] {
        [self.re, self.im]
    }
    fn from_parts([re, im]: [f64; 2]) -> Self {
        Self::new(re, im)
    }
}

impl sealed::Parts for Interval {
    const PARTS: usize = 2;
    const KIND: Kind = Kind::Interval;
    // The product of an interval with itself is wider than its square.
    const FILL: u32 = 0;
    const POWERS_GIVEN: bool = true;
    /// Ends that overflow stand for the whole line, which is no numbers inside a program.
    fn parts(self) -> [f64; 2] {
        match self.low().is_finite() && self.high().is_finite() {
            true => [self.low(), self.high()],
            false => [f64::NAN; 2],
        }
    }
    fn from_parts([low, high]: [f64; 2]) -> Self {
        Self::new(low, high).unwrap_or(Self::WHOLE)
    }
    fn power(self, exponent: u32) -> Self {
        self.pow(exponent)
    }
}
