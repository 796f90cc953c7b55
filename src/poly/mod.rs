//! Exact algebra: coefficient rings, sparse polynomials, Gaussian calculus. No floats are needed here,
//! no faer, no randomness.
//!
//! | item | use it for |
//! |---|---|
//! | [`Ring`] | what a coefficient must offer |
//! | [`Rational`], [`Integer`] | exact scalars; small ones cost no allocation |
//! | [`Poly`] | sparse polynomials in any number of variables |
//! | [`Vars`] | names of variables, for reading and writing |
//! | [`gaussian`] | Hermite series, moments, cumulants, kernels |
//! | [`wick`] | expectations under Gaussian laws |

mod display;
pub mod gaussian;
mod parse;
mod polynomial;
mod rational;
mod ring;
mod vars;
pub mod wick;

pub use polynomial::Poly;
pub use rational::{Integer, Rational, integer_gcd};
pub use ring::Ring;
pub use vars::Vars;
