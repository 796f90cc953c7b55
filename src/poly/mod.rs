//! Exact algebra: coefficient rings, sparse polynomials, Gaussian calculus. No floats are needed here,
//! no faer; random numbers only where
//! a caller hands over a generator, in [`identity`].
//!
//! | item | use it for |
//! |---|---|
//! | [`Ring`] | what a coefficient must offer |
//! | [`Rational`], [`Integer`] | exact scalars; small ones cost no allocation |
//! | [`Poly`] | sparse polynomials in any number of variables |
//! | [`Budget`] | what an operation may cost before it gives up |
//! | [`Vars`] | names of variables, for reading and writing |
//! | [`gaussian`] | Hermite series, moments, cumulants, kernels |
//! | [`wick`] | expectations under Gaussian laws |
//! | [`identity`] | whether two expressions are the same polynomial, expanded or not |
//! | [`Store`], [`Integers`], [`Rationals`] | where coefficients lie |

pub(crate) mod coefficients;
pub(crate) mod division;
pub(crate) mod evaluation;
pub(crate) mod factor;
pub mod gaussian;
pub(crate) mod gcd;
#[cfg(feature = "groebner")]
pub(crate) mod groebner;
pub mod identity;
pub(crate) mod monomials;
pub(crate) mod parallel;
pub(crate) mod polynomial;
pub(crate) mod product;
pub(crate) mod roots;
pub(crate) mod simd;
#[cfg(feature = "proptest")]
pub mod strategies;
pub(crate) mod text;
pub mod wick;

#[cfg(feature = "num-bigint")]
pub use coefficients::bigint::{from_bigint, to_bigint};
pub use coefficients::complex_rational::{ComplexRational, ComplexRationals};
pub use coefficients::integers::Integers;
pub use coefficients::interval::Interval;
pub use coefficients::rational::{Integer, Rational, integer_gcd};
pub use coefficients::rationals::Rationals;
pub use coefficients::residue::Residue;
pub use coefficients::ring::{IntegralForm, Ring};
pub use coefficients::store::Store;
pub use evaluation::batch::Compiled;
pub use evaluation::coordinate::Coordinate;
pub use factor::{Factors, ModularFactors};
#[cfg(feature = "groebner")]
pub use groebner::{GroebnerBasis, groebner_basis};
pub use monomials::order::Order;
pub use polynomial::value::Poly;
pub use product::budget::Budget;
pub use roots::isolation::RealRoot;
pub use text::vars::Vars;
