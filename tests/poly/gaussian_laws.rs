//! Every identity of Gaussian calculus as a property over the rationals, with the non-trivial cases counted.
#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::cell::Cell;
use wickring::laws::Broken;
use wickring::laws::bytes::Bytes;
use wickring::laws::gaussian::{cases, hermite, moments, wick};
use wickring::poly::gaussian::GaussianLaw;
use wickring::poly::{Poly, Rational};

/// Runs a property on random bytes; the property says whether its case was a trivial one, and at least a third
/// must not be.
fn property(cases: u32, law: impl Fn(&mut Bytes<'_>) -> Result<bool, Broken>) {
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let rich = Cell::new(0u32);
    let run = |data: Vec<u8>| {
        let hit = law(&mut Bytes::new(&data)).map_err(|b| TestCaseError::fail(b.to_string()))?;
        rich.set(rich.get() + u32::from(hit));
        Ok(())
    };
    let bytes = proptest::collection::vec(any::<u8>(), 200..400);
    if let Err(e) = TestRunner::new(config).run(&bytes, run) {
        panic!("{e}");
    }
    assert!(
        3 * rich.get() >= cases,
        "{} of {cases} cases were not trivial",
        rich.get()
    );
}

/// A case says something when the polynomial has several terms and some curvature.
fn rich(p: &Poly<Rational>) -> bool {
    p.len() >= 2 && p.total_degree() >= 2
}

#[test]
fn hermite_basis_round_trip_products_and_parseval() {
    property(96, |b| {
        let (p, q, s) = (
            cases::polynomial(b, 3, 5),
            cases::polynomial(b, 3, 4),
            cases::fraction(b),
        );
        hermite::round_trip(&p, &s)?;
        hermite::products(&p, &q, &s)?;
        Ok(rich(&p) && rich(&q))
    });
}

#[test]
fn ladder_operators_number_operator_and_adjoints() {
    property(96, |b| {
        let (p, q, s) = (
            cases::polynomial(b, 3, 4),
            cases::polynomial(b, 3, 4),
            cases::fraction(b),
        );
        let i = b.below(3);
        hermite::ladder(&p, &q, &s, i)?;
        Ok(rich(&p) && rich(&q))
    });
}

#[test]
fn mehler_operator_and_heat_semigroup() {
    property(64, |b| {
        let (p, t, s) = (
            cases::polynomial(b, 2, 4),
            cases::fraction(b),
            cases::fraction(b),
        );
        hermite::mehler(&p, &t, &s)?;
        hermite::heat_semigroup(&p, &s, &t, b.below(7) as u32)?;
        Ok(rich(&p))
    });
}

#[test]
fn substitution_shift_restriction_rotation() {
    property(64, |b| {
        let (p, s) = (cases::polynomial(b, 3, 4), cases::fraction(b));
        let rows: Vec<_> = (0..3).map(|_| cases::fractions(b, 3)).collect();
        let offset = cases::fractions(b, 3);
        hermite::substitutions(&p, &rows, &offset, &s)?;
        hermite::rotation(&p, &cases::rotation(b, 3))?;
        Ok(rich(&p))
    });
}

#[test]
fn ridges_the_contraction_formula_and_stein_tensors() {
    property(64, |b| {
        let (u, v) = (cases::unit_vector(b, 3), cases::unit_vector(b, 3));
        let (a, c, w) = (
            cases::fractions(b, 3),
            cases::fractions(b, 3),
            cases::fractions(b, 3),
        );
        let l = b.below(5) as u32;
        let m = if b.below(2) == 0 {
            l
        } else {
            b.below(5) as u32
        };
        hermite::ridge(&w, &u, &v, l, m)?;
        hermite::contraction_formula(&u, &a, &c, b.below(4) as u32)?;
        let p = cases::polynomial(b, 3, 5);
        hermite::stein_tensor(&p, &[&a[..], &c, &w][..1 + b.below(3)])?;
        Ok(rich(&p) && u != v)
    });
}

#[test]
fn mehler_kernel_in_any_dimension() {
    property(48, |b| {
        let dim = 1 + b.below(3);
        let (x, y) = (cases::fractions(b, dim), cases::fractions(b, dim));
        hermite::mehler_kernel_series(&x, &y, 7)?;
        Ok(cases::dot(&x, &y) != Rational::default())
    });
}

#[test]
fn wick_stein_moments_and_cumulants_under_any_covariance() {
    property(48, |b| {
        let law = GaussianLaw::new(cases::fractions(b, 3), cases::covariance(b, 3)).unwrap();
        let (p, q) = (cases::polynomial(b, 3, 4), cases::polynomial(b, 3, 3));
        moments::wick(&p, &law)?;
        let small = cases::polynomial(b, 3, 3);
        moments::moments(&small, &q, &law, 4)?;
        moments::moments(&cases::quadratic(b, 3), &q, &law, 5)?;
        moments::joint(&[&small, &q, &cases::quadratic(b, 2)], &law)?;
        let quadratics = [
            cases::quadratic(b, 3),
            cases::quadratic(b, 3),
            cases::quadratic(b, 2),
        ];
        moments::joint(&quadratics.each_ref(), &law)?;
        Ok(rich(&p) && rich(&small) && !law.covariance().is_diagonal())
    });
}

#[test]
fn cumulants_of_quadratics_and_rotation_invariant_moments() {
    property(48, |b| {
        let p: [Poly<Rational>; 4] = std::array::from_fn(|_| cases::quadratic(b, 3));
        moments::quadratic_cumulants(p.each_ref(), 3)?;
        moments::rotation_invariant([&p[0], &p[1], &p[2]], 3)?;
        Ok(p.iter().all(rich))
    });
}

#[test]
fn price_theorem_with_symbolic_covariance() {
    property(48, |b| {
        let p = cases::polynomial(b, 3, 5);
        moments::price(&p, &cases::covariance(b, 3))?;
        Ok(rich(&p))
    });
}

#[test]
fn cubic_forms_and_power_sums() {
    property(64, |b| {
        let cubic = |b: &mut Bytes<'_>| {
            let mut p = cases::polynomial(b, 3, 3);
            for _ in 0..3 {
                let e = [b.below(3), b.below(3), b.below(3)];
                let mut exponents = vec![0; 3];
                e.iter().for_each(|&i| exponents[i] += 1);
                p += &Poly::monomial(&exponents, cases::fraction(b));
            }
            p
        };
        let (p, q) = (cubic(b), cubic(b));
        moments::cubes(&p, &q, 3)?;
        moments::power_sums(&cases::fractions(b, 4), &cases::fractions(b, 4))?;
        Ok(p.total_degree() == 3 && q.total_degree() == 3)
    });
}

#[test]
fn wick_polynomials_of_any_covariance() {
    property(64, |b| {
        let (p, q, cov) = (
            cases::polynomial(b, 3, 4),
            cases::polynomial(b, 3, 3),
            cases::covariance(b, 3),
        );
        wick::wick_polynomials(&p, &q, &cov)?;
        wick::wick_is_hermite(&p, &cases::fraction(b), 3)?;
        Ok(rich(&p) && rich(&q))
    });
}

#[test]
fn separating_polynomials_and_parseval_of_the_half_line() {
    property(64, |b| {
        let (points, weights) = (cases::fractions(b, 4), cases::fractions(b, 4));
        wick::separating_polynomial(&points, &weights)?;
        Ok(points[0] != points[1] && weights[0] != Rational::default())
    });
    for terms in [2, 10, 60] {
        wick::relu_parseval(terms).unwrap();
    }
}

#[test]
fn wick_polynomials_with_symbols_in_the_covariance() {
    // :x^4: = x^4 - 6 s x^2 + 3 s^2 for a symbol s, kept as variable 0 of the coefficients.
    use wickring::poly::Ring;
    use wickring::poly::gaussian::{Covariance, WickPolynomial};
    type Symbolic = Poly<Rational>;
    let s = Symbolic::variable(0);
    let p = Poly::<Symbolic>::monomial(&[4], Symbolic::from_i64(1));
    let w = WickPolynomial::from_symbol(p, Covariance::diagonal(std::slice::from_ref(&s)));
    let plain = w.to_poly().unwrap();
    assert_eq!(plain.coefficient(&[2]), s.scale(&Rational::from(-6)));
    assert_eq!(plain.coefficient(&[]), (&s * &s).scale(&Rational::from(3)));
    assert_eq!(
        w.inner(&w).unwrap(),
        s.pow(4, 9).unwrap().scale(&Rational::from(24))
    );
}

#[test]
fn fuzz_regressions_are_replayed() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/regressions/gaussian");
    let mut replayed = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        cases::fuzz_gaussian(&std::fs::read(entry.unwrap().path()).unwrap());
        replayed += 1;
    }
    assert!(replayed >= 4);
}

/// The laws can fail: each is shown a false claim.
#[test]
fn the_laws_notice_what_is_false() {
    let one = Rational::from(1);
    let x = vec![one.clone(), Rational::from(2)];
    // Not a unit vector: the contraction formula must break.
    assert!(hermite::contraction_formula(&x, &x, &x, 2).is_err());
    assert!(hermite::ridge(&x, &x, &x, 2, 2).is_err());
    // Not a rotation.
    let p = Poly::monomial(&[2, 1], one.clone());
    let stretch = vec![
        vec![Rational::from(2), Rational::default()],
        vec![Rational::default(), one.clone()],
    ];
    assert!(hermite::rotation(&p, &stretch).is_err());
    // A tail bound that starts before the first term cannot enclose it.
    assert!(wick::relu_parseval(0).is_err());
}
