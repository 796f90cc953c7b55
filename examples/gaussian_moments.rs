//! Moments of polynomials of Gaussian variables, exactly: `cargo run --release --example gaussian_moments`.

use wickring::poly::{Poly, Rational, Vars, wick};

fn main() -> Result<(), wickring::Error> {
    let mut names = Vars::new();
    // The fourth moment of a chi-squared variable with two degrees of freedom: 2^4 * 4!.
    let square: Poly<Rational> = Poly::parse("(x^2 + y^2)^4", &mut names)?;
    assert_eq!(wick::expectation_standard(&square), Rational::from(384));

    // He_2 and He_3 are orthogonal.
    let product = Poly::parse("(x^2 - 1)*(x^3 - 3*x)", &mut names)?;
    assert_eq!(wick::expectation_standard(&product), Rational::from(0));
    Ok(())
}
