//! Cases for the laws of Gaussian calculus: small rational polynomials, covariances, unit vectors, rotations,
//! and the slow obvious definition of an expectation.

use crate::laws::bytes::Bytes;
use crate::poly::gaussian::{Covariance, GaussianLaw};
use crate::poly::{Poly, Rational};

/// The fuzzing body: text as a covariance and bytes as polynomials; nothing panics, and what is accepted keeps its laws.
///
/// # Panics
/// When a law is broken.
#[allow(clippy::panic)]
pub fn fuzz_gaussian(data: &[u8]) {
    if let Ok((_, matrix)) = Covariance::parse(&String::from_utf8_lossy(data)) {
        let _ = matrix.factor();
    }
    let bytes = &mut Bytes::new(data);
    let (p, q, s) = (
        polynomial(bytes, 3, 5),
        polynomial(bytes, 2, 4),
        fraction(bytes),
    );
    let mean = fractions(bytes, 3);
    let outcome = super::hermite::round_trip(&p, &s)
        .and_then(|()| super::hermite::products(&p, &q, &s))
        .and_then(|()| {
            let law = GaussianLaw::new(mean, covariance(bytes, 3));
            law.map_or(Ok(()), |law| super::moments::wick(&p, &law))
        });
    if let Err(broken) = outcome {
        panic!("{broken}");
    }
}

/// `a/b` with small parts.
pub fn fraction(bytes: &mut Bytes<'_>) -> Rational {
    let (a, b) = (bytes.small(), 1 + bytes.below(5) as i64);
    Rational::new(a, b).unwrap_or_default()
}

/// A list of small fractions.
pub fn fractions(bytes: &mut Bytes<'_>, count: usize) -> Vec<Rational> {
    (0..count).map(|_| fraction(bytes)).collect()
}

/// A polynomial in at most `nvars` variables, of degree at most `degree`, with up to six terms.
pub fn polynomial(bytes: &mut Bytes<'_>, nvars: usize, degree: u32) -> Poly<Rational> {
    let count = 1 + bytes.below(6);
    let terms: Vec<_> = (0..count)
        .map(|_| {
            let mut left = degree;
            let e = (0..nvars)
                .map(|_| {
                    let k = bytes.below(left as usize + 1) as u32;
                    left -= k;
                    k
                })
                .collect();
            (e, fraction(bytes))
        })
        .collect();
    Poly::from_terms(terms)
}

/// A quadratic polynomial with linear and constant part.
pub fn quadratic(bytes: &mut Bytes<'_>, nvars: usize) -> Poly<Rational> {
    let mut terms = vec![(Vec::new(), fraction(bytes))];
    for i in 0..nvars {
        for j in 0..=i {
            let mut e = vec![0; nvars];
            e[i] += 1;
            e[j] += 1;
            terms.push((e, fraction(bytes)));
        }
        let mut e = vec![0; nvars];
        e[i] = 1;
        terms.push((e, fraction(bytes)));
    }
    Poly::from_terms(terms)
}

/// `B B'` for a small integer matrix `B`: positive semidefinite, often singular.
pub fn covariance(bytes: &mut Bytes<'_>, dim: usize) -> Covariance<Rational> {
    let width = 1 + bytes.below(dim + 1);
    let b: Vec<Vec<i64>> = (0..dim)
        .map(|_| (0..width).map(|_| bytes.small() % 4).collect())
        .collect();
    let entry = |i: usize, j: usize| -> i64 { b[i].iter().zip(&b[j]).map(|(x, y)| x * y).sum() };
    let rows = (0..dim).map(|i| (0..dim).map(|j| Rational::from(entry(i, j))).collect());
    // A Gram matrix is symmetric, so the constructor cannot refuse it.
    Covariance::new(rows.collect()).unwrap_or_else(|_| Covariance::identity(dim))
}

/// A rational unit vector by stereographic projection.
pub fn unit_vector(bytes: &mut Bytes<'_>, dim: usize) -> Vec<Rational> {
    let t = fractions(bytes, dim.saturating_sub(1));
    let square = t.iter().fold(Rational::default(), |s, x| &s + &(x * x));
    let one = Rational::from(1);
    let below = (&one + &square).recip().unwrap_or_default();
    let mut v: Vec<Rational> = t
        .iter()
        .map(|x| &(&Rational::from(2) * x) * &below)
        .collect();
    v.push(&(&square - &one) * &below);
    v
}

/// A rational reflection `I - 2 u u'` times another: a rotation.
pub fn rotation(bytes: &mut Bytes<'_>, dim: usize) -> Vec<Vec<Rational>> {
    let mut rows: Vec<Vec<Rational>> = (0..dim)
        .map(|i| {
            (0..dim)
                .map(|j| Rational::from(i64::from(i == j)))
                .collect()
        })
        .collect();
    for _ in 0..2 {
        let u = unit_vector(bytes, dim);
        for row in &mut rows {
            let twice = &Rational::from(2) * &dot(row, &u);
            for (x, y) in row.iter_mut().zip(&u) {
                *x -= &(&twice * y);
            }
        }
    }
    rows
}

/// `sum_i x_i y_i`.
pub fn dot(x: &[Rational], y: &[Rational]) -> Rational {
    x.iter()
        .zip(y)
        .fold(Rational::default(), |s, (a, b)| &s + &(a * b))
}

/// `<v, x>` as a polynomial.
pub fn linear(v: &[Rational]) -> Poly<Rational> {
    let terms = v.iter().enumerate().map(|(i, c)| {
        let mut e = vec![0; i + 1];
        e[i] = 1;
        (e, c.clone())
    });
    Poly::from_terms(terms)
}

/// `p` at polynomial arguments, monomial by monomial: the definition.
pub fn compose(p: &Poly<Rational>, images: &[Poly<Rational>]) -> Poly<Rational> {
    let mut sum = Poly::zero();
    for (e, c) in p.iter() {
        let mut term = Poly::constant(c);
        for (i, &k) in e.iter().enumerate() {
            for _ in 0..k {
                term = &term * &images[i];
            }
        }
        sum += &term;
    }
    sum
}

/// `E p(x)`, `x ~ N(mean, cov)`, by summing over all pairings (Isserlis), nothing shared: the definition that the moment
/// table must equal.
pub fn expectation_by_pairings(
    p: &Poly<Rational>,
    mean: &[Rational],
    cov: &Covariance<Rational>,
) -> Rational {
    let mut sum = Rational::default();
    for (e, c) in p.iter() {
        let letters: Vec<usize> = e
            .iter()
            .enumerate()
            .flat_map(|(i, &k)| vec![i; k as usize])
            .collect();
        sum += &(&c * &pairings(&letters, mean, cov));
    }
    sum
}

/// Each letter stands alone with its mean, or is paired with a later one.
fn pairings(letters: &[usize], mean: &[Rational], cov: &Covariance<Rational>) -> Rational {
    let Some((&first, rest)) = letters.split_first() else {
        return Rational::from(1);
    };
    let mut sum = &mean[first] * &pairings(rest, mean, cov);
    for k in 0..rest.len() {
        let mut others = rest.to_vec();
        let partner = others.remove(k);
        sum += &(&cov.entry(first, partner) * &pairings(&others, mean, cov));
    }
    sum
}
