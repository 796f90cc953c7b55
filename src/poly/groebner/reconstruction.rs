//! Denominators of rational numbers that are known modulo primes.

use crate::poly::coefficients::rational::Integer;

/// The denominator of the rational number with these digits in the mixed radix of the primes, numerator and denominator below the
/// root of half the product of the primes; `None` when there is none.
///
/// # Source
/// Wang 1981, "A p-adic algorithm for univariate partial fractions".
pub(crate) fn denominator(digits: &[u32], primes: &[u32]) -> Option<Integer> {
    let (mut x, mut m) = (Integer::ZERO, Integer::ONE);
    for (&d, &p) in digits.iter().zip(primes) {
        x += &m * Integer::from(d);
        m *= Integer::from(p);
    }
    let fits = |n: &Integer| n * n * Integer::from(2) < m;
    let (mut a, mut b) = (m.clone(), x);
    let (mut s, mut t) = (Integer::ZERO, Integer::ONE);
    while !fits(&b) {
        let q = &a / &b;
        let r = &a - &q * &b;
        let next = &s - &q * &t;
        (a, b, s, t) = (b, r, t, next);
    }
    (fits(&t) && !t.is_zero()).then(|| &t * t.signum())
}

#[cfg(test)]
mod tests {
    use super::denominator;
    use crate::poly::coefficients::rational::Integer;
    use crate::poly::polynomial::univariate::Field;

    #[test]
    fn fractions_come_back() {
        let primes = [101u32, 103, 107, 109];
        for (n, d) in [(-5i64, 77i64), (1234, 999), (0, 1), (7, 1), (-3001, 5000)] {
            let mut digits: Vec<u32> = Vec::new();
            for (j, &p) in primes.iter().enumerate() {
                let field = Field { p: p.into() };
                let image = |c: i64| c.rem_euclid(p.into()) as u64;
                let mut x = field.mul(image(n), field.inv(image(d)));
                for (&e, &q) in digits.iter().zip(&primes[..j]) {
                    x = field.mul(
                        field.sub(x, u64::from(e) % field.p),
                        field.inv(u64::from(q) % field.p),
                    );
                }
                digits.push(x as u32);
            }
            assert_eq!(
                denominator(&digits, &primes),
                Some(Integer::from(d)),
                "{n}/{d}"
            );
        }
    }
}
