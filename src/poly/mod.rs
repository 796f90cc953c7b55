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

mod arithmetic;
#[cfg(feature = "num-bigint")]
mod bigint;
mod bracket;
mod calculus;
mod compiled;
mod complex_rational;
mod display;
mod divrem;
mod factor;
pub mod gaussian;
mod gcd;
mod gcd_mod;
#[cfg(feature = "groebner")]
mod groebner;
pub mod identity;
mod integers;
mod interval;
mod lexer;
mod modular_gcd;
mod monomials;
mod order;
mod parse;
mod polynomial;
mod power;
mod product;
mod quotient;
mod rational;
mod rationals;
mod reducer;
mod residue;
mod resultant;
mod ring;
mod roots;
mod serial;
mod simd;
mod store;
#[cfg(feature = "proptest")]
pub mod strategies;
mod univariate;
mod vars;
pub mod wick;
mod word;

#[cfg(feature = "num-bigint")]
pub use bigint::{from_bigint, to_bigint};
pub use compiled::{Compiled, Coordinate};
pub use complex_rational::{ComplexRational, ComplexRationals};
pub use factor::{Factors, ModularFactors};
#[cfg(feature = "groebner")]
pub use groebner::{GroebnerBasis, groebner_basis};
pub use integers::Integers;
pub use interval::Interval;
pub use order::Order;
pub use polynomial::Poly;
pub use product::Budget;
pub use rational::{Integer, Rational, integer_gcd};
pub use rationals::Rationals;
pub use residue::Residue;
pub use ring::{IntegralForm, Ring};
pub use roots::RealRoot;
pub use store::Store;
pub use vars::Vars;
