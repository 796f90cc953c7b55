//! Expectations of polynomials of Gaussian variables (Wick, Isserlis).
//!
//! `E[x_i q] = mu_i E[q] + sum_j cov_ij E[d_j q]` for `x ~ N(mu, cov)`; for the standard law the
//! moments of the coordinates are `E[x^(2k)] = (2k-1)!!` and odd ones vanish.

use super::coefficients::ring::Ring;
use super::polynomial::value::Poly;

/// `E p(x)` for `x ~ N(0, I)`, exact over an exact ring.
///
/// # Complexity
/// One multiplication per term and variable.
///
/// # Example
/// ```
/// use wickring::poly::{Poly, Rational, Vars, wick};
/// let p = Poly::parse("(x + y)^4", &mut Vars::new())?;
/// assert_eq!(wick::expectation_standard(&p), Rational::from(12)); // 3 * 2^2
/// # Ok::<(), wickring::Error>(())
/// ```
pub fn expectation_standard<C: Ring>(p: &Poly<C>) -> C {
    let mut sum = C::zero();
    for (e, c) in p.terms() {
        if e.iter().any(|k| k % 2 == 1) {
            continue;
        }
        let mut t = c.clone();
        for k in e {
            for odd in (1..k).step_by(2) {
                t *= &C::from_i64(odd.into());
            }
        }
        sum += &t;
    }
    sum
}
