//! Rational roots of integer polynomials: simple roots modulo a small prime, lifted, then divided out.

use crate::Error;
use crate::poly::coefficients::rational::{Integer, Rational};
use crate::poly::factor::integral::symmetric;
use crate::poly::factor::reduced;
use crate::poly::polynomial::univariate::{Dense, Field, is_prime};
use crate::poly::product::budget::Budget;
use num_traits::Zero;

const OP: &str = "Poly::real_roots";
/// Good primes that are looked at: the one with the fewest roots is lifted. A random polynomial has no root modulo a
/// prime with probability 1/e, so six primes show for all but one in twenty that nothing is rational.
const PRIMES: usize = 6;

/// The rational roots of a square-free `f`, and what is left when their linear factors are divided out.
///
/// # Complexity
/// `O(n p)` for degree `n` and the small prime `p`, then `O(n)` products of numbers of the size of the coefficients for
/// each root modulo `p` and each doubling.
///
/// # Source
/// Loos 1983, "Computing rational zeros of integral polynomials by p-adic expansion".
pub(crate) fn rational_roots(
    f: &[Integer],
    budget: &Budget<'_>,
) -> Result<(Vec<Rational>, Vec<Integer>), Error> {
    let mut found = Vec::new();
    let mut f = f.to_vec();
    if f.first().is_some_and(Zero::is_zero) {
        found.push(Rational::default());
        f.remove(0);
    }
    if f.len() < 2 {
        return Ok((found, f));
    }
    let (p, roots) = few_roots(&f, budget)?;
    for root in lifted(&f, p, roots, budget)? {
        let lead = f.last().cloned().unwrap_or(Integer::ONE);
        // `root` is the original leading coefficient times the root; both sides are reduced here.
        let Some(x) = Rational::from_integers(root.0, root.1) else {
            continue;
        };
        if !(&lead % x.denominator()).is_zero() {
            continue;
        }
        if let Some(quotient) = without(&f, &x) {
            f = quotient;
            found.push(x);
        }
    }
    Ok((found, f))
}

/// A prime modulo which all roots are simple, and these roots.
fn few_roots(f: &[Integer], budget: &Budget<'_>) -> Result<(u64, Vec<u64>), Error> {
    let mut best: Option<(u64, Vec<u64>)> = None;
    let mut good = 0;
    for p in (3u64..).filter(|&p| is_prime(p)) {
        budget.check_time(OP)?;
        let field = Field { p };
        let image: Dense = f.iter().map(|c| reduced(c, p)).collect();
        if image.last() == Some(&0) {
            continue;
        }
        let slope = field.derivative(&image);
        let roots: Vec<u64> = (0..p).filter(|&x| field.value(&image, x) == 0).collect();
        if roots.iter().any(|&x| field.value(&slope, x) == 0) {
            continue;
        }
        if roots.is_empty() {
            return Ok((p, roots));
        }
        if best.as_ref().is_none_or(|b| roots.len() < b.1.len()) {
            best = Some((p, roots));
        }
        good += 1;
        if good == PRIMES {
            break;
        }
    }
    Ok(best.unwrap_or((3, Vec::new())))
}

/// For each root modulo `p` the only candidate for a rational root that it can come from, as numerator and the leading
/// coefficient.
fn lifted(
    f: &[Integer],
    p: u64,
    roots: Vec<u64>,
    budget: &Budget<'_>,
) -> Result<Vec<(Integer, Integer)>, Error> {
    let Some(lead) = f.last().filter(|_| !roots.is_empty()) else {
        return Ok(Vec::new());
    };
    // |lead x| <= |lead| + max |c| (Cauchy), so twice that names it modulo m.
    let most = f
        .iter()
        .map(|c| c * c.signum())
        .max()
        .unwrap_or(Integer::ONE);
    let bound = most << 2;
    let field = Field { p };
    let slope = field.derivative(&f.iter().map(|c| reduced(c, p)).collect::<Dense>());
    let mut m = Integer::from(p);
    // Root and the inverse of the derivative there.
    let mut all: Vec<(Integer, Integer)> = roots
        .into_iter()
        .map(|x| (x.into(), field.inv(field.value(&slope, x)).into()))
        .collect();
    while m <= bound {
        budget.check_time(OP)?;
        m = &m * &m;
        let image: Vec<Integer> = f.iter().map(|c| c % &m).collect();
        for (x, inverse) in &mut all {
            budget.check_time(OP)?;
            let (mut value, mut slope) = (Integer::ZERO, Integer::ZERO);
            for c in image.iter().rev() {
                slope = (slope * &*x + &value) % &m;
                value = (value * &*x + c) % &m;
            }
            // The inverse is right modulo the root of the old modulus, for the root moved by that; now modulo the old one.
            let two = Integer::from(2);
            *inverse = symmetric(&(&*inverse * (two - slope * &*inverse)), &m);
            *x = symmetric(&(&*x - value * &*inverse), &m);
        }
    }
    let name = |x: &Integer| (symmetric(&(x * lead), &m), lead.clone());
    Ok(all.iter().map(|(x, _)| name(x)).collect())
}

/// `f / (d x - n)` for the root `n / d` in lowest terms, or `None` when it is none.
fn without(f: &[Integer], root: &Rational) -> Option<Vec<Integer>> {
    let (n, d) = (root.numerator(), root.denominator());
    let mut quotient = vec![Integer::ZERO; f.len() - 1];
    let mut carried = Integer::ZERO;
    for k in (1..f.len()).rev() {
        let top = &f[k] + &n * &carried;
        if !(&top % &d).is_zero() {
            return None;
        }
        carried = top / &d;
        quotient[k - 1] = carried.clone();
    }
    (&f[0] + n * carried).is_zero().then_some(quotient)
}

#[cfg(test)]
mod tests {
    use super::rational_roots;
    use crate::poly::coefficients::rational::{Integer, Rational};
    use crate::poly::product::budget::Budget;

    /// `x (3 x - 7) (10^20 x + 1) (x - 5) (x^2 - 2)`.
    #[test]
    fn rational_roots_come_out_and_others_stay() -> Result<(), crate::Error> {
        let mut f = vec![Integer::ONE];
        let big = Integer::from(10).pow(20);
        let lines = [(0, 1), (-7, 3), (-5, 1)].map(|(a, b)| [a.into(), b.into()]);
        let square = vec![Integer::from(-2), Integer::ZERO, Integer::ONE];
        let factors = lines.iter().map(|l: &[Integer; 2]| l.to_vec());
        for g in factors.chain([vec![Integer::ONE, big.clone()], square.clone()]) {
            let mut h = vec![Integer::ZERO; f.len() + g.len() - 1];
            for (i, x) in f.iter().enumerate() {
                for (j, y) in g.iter().enumerate() {
                    h[i + j] += x * y;
                }
            }
            f = h;
        }
        let (mut roots, rest) = rational_roots(&f, &Budget::default())?;
        roots.sort();
        let tiny = Rational::from_integers(-Integer::ONE, big).unwrap_or_default();
        let third = Rational::new(7, 3).unwrap_or_default();
        assert_eq!(roots, [tiny, Rational::default(), third, Rational::from(5)]);
        assert_eq!(rest, square);
        Ok(())
    }
}
