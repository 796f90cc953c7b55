//! Exact polynomials, read, multiplied, divided and factored: `cargo run --release --example multiply`.

use wickring::poly::{Budget, Poly, Rational, Vars};

fn main() -> Result<(), wickring::Error> {
    let mut names = Vars::new();
    let p: Poly<Rational> = Poly::parse("(x + y + 1)^4", &mut names)?;
    let q = Poly::parse("x^2 - 1/3*y", &mut names)?;

    let product = p.checked_mul(&q)?;
    let back = product.divide_exact(&q, &Budget::default())?;
    assert_eq!(back, Some(p));

    let difference = Poly::<Rational>::parse("x^6 - y^6", &mut names)?;
    let factors = difference.factor(&Budget::default())?;
    assert_eq!(factors.expand(&Budget::default())?, difference);
    assert_eq!(product.display(&names).to_string().matches('+').count(), 14);
    Ok(())
}
