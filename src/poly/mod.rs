//! Exact algebra: coefficient rings, sparse polynomials, Gaussian calculus. No floats are needed here,
//! no faer, no randomness.
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
//! | [`Store`], [`Integers`], [`Rationals`] | where coefficients lie |

mod arithmetic;
mod calculus;
mod display;
pub mod gaussian;
mod integers;
mod monomials;
mod parse;
mod polynomial;
mod product;
mod quotient;
mod rational;
mod rationals;
mod ring;
mod simd;
mod store;
mod vars;
pub mod wick;

pub use integers::Integers;
pub use polynomial::Poly;
pub use product::Budget;
pub use rational::{Integer, Rational, integer_gcd};
pub use rationals::Rationals;
pub use ring::Ring;
pub use store::Store;
pub use vars::Vars;
