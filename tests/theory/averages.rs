//! Gaussian averages of activations: Wick over the rationals, Price, symmetry, quadrature.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

use proptest::prelude::*;
use wickring::Error;
use wickring::laws::theory::averages::{averages_agree, averages_equal_wick};
use wickring::poly::{Poly, Rational, Vars};
use wickring::theory::StudentActivation;

fn polynomial(text: &str) -> Result<StudentActivation, Error> {
    StudentActivation::polynomial(&Poly::parse(text, &mut Vars::new())?)
}

fn integers(g: &[i64]) -> Vec<Rational> {
    g.iter().map(|c| Rational::from(*c)).collect()
}

/// `L L'` for a lower triangle of rationals.
fn covariance(l: &[i64; 10]) -> Vec<Vec<Rational>> {
    let at = |i: usize, j: usize| {
        let value = if j <= i { l[i * (i + 1) / 2 + j] } else { 0 };
        Rational::new(value, 3).unwrap_or_default()
    };
    let dot = |i: usize, j: usize| {
        let mut sum = Rational::from(0);
        for k in 0..4 {
            let mut term = at(i, k);
            term *= &at(j, k);
            sum += &term;
        }
        sum
    };
    (0..4)
        .map(|i| (0..4).map(|j| dot(i, j)).collect())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    /// Also for singular covariances: fields that coincide are met in every run.
    #[test]
    fn compiled_averages_are_wicks(
        g in prop::collection::vec(-5i64..=5, 2..=4),
        l in prop::array::uniform10(-4i64..=4),
    ) {
        let mut g = g;
        if g[1..].iter().all(|c| *c == 0) {
            g[1] = 1;
        }
        prop_assert_eq!(averages_equal_wick(&integers(&g), &covariance(&l)), Ok(()));
    }
}

#[test]
fn hermite_averages_are_wicks_and_short() -> Result<(), Box<dyn std::error::Error>> {
    let l = [3, 1, 2, -1, 2, 4, 2, 0, -3, 1];
    for g in [vec![-1, 0, 1], vec![0, -3, 0, 1], vec![3, 0, -6, 0, 1]] {
        averages_equal_wick(&integers(&g), &covariance(&l)).map_err(|b| b.to_string())?;
    }
    // Written in C_ii - 1 the average of He_3 has fewer than the 86 terms that it has in C_ii.
    let he3 = polynomial("x^3 - 3*x")?;
    let (code, shift) = he3
        .code(wickring::theory::AverageKind::I4)
        .ok_or("compiled")?;
    assert_eq!(shift, 1.0);
    assert!(code.operations() < 100, "{}", code.operations());
    Ok(())
}

#[test]
fn averages_keep_price_and_symmetry() -> Result<(), Box<dyn std::error::Error>> {
    let c = [1.2, 0.3, 0.9, -0.2, 0.4, 1.5, 0.1, 0.2, 0.5, 0.8];
    for g in [
        StudentActivation::erf(),
        StudentActivation::linear(),
        polynomial("x/2 + 3/10*x^2 - x^3/10")?,
    ] {
        averages_agree(&g, &c).map_err(|b| b.to_string())?;
    }
    Ok(())
}

/// The trapezoidal rule on the whole space is exact to rounding for these entire integrands: its error
/// falls like `exp(-2 pi^2 / h^2)` with the spacing `h = 0.55`.
#[test]
fn erf_averages_equal_a_quadrature() {
    let l = [
        [1.1, 0.0, 0.0, 0.0],
        [0.3, 0.9, 0.0, 0.0],
        [-0.2, 0.4, 1.0, 0.0],
        [0.5, -0.3, 0.2, 0.6],
    ];
    let c = |i: usize, j: usize| (0..4).map(|k| l[i][k] * l[j][k]).sum::<f64>();
    let g = StudentActivation::erf();
    let (h, reach) = (0.55, 12i32);
    let nodes: Vec<(f64, f64)> = (-reach..=reach)
        .map(|i| h * f64::from(i))
        .map(|x| {
            (
                x,
                h * (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt(),
            )
        })
        .collect();
    let (mut i4, mut i2, mut j2, mut k2) = (0.0, 0.0, 0.0, 0.0);
    for (x0, w0) in &nodes {
        let z0 = l[0][0] * x0;
        for (x1, w1) in &nodes {
            let (z1, w01) = (l[1][0] * x0 + l[1][1] * x1, w0 * w1);
            i2 += w01 * g.value(z0) * g.value(z1);
            j2 += w01 * g.slope(z0) * g.slope(z1);
            k2 -= w01 * z0 * g.slope(z0) * g.value(z1);
            for (x2, w2) in &nodes {
                let z2 = l[2][0] * x0 + l[2][1] * x1 + l[2][2] * x2;
                let front = w01 * w2 * g.slope(z0) * g.slope(z1) * g.value(z2);
                for (x3, w3) in &nodes {
                    let z3 = l[3][0] * x0 + l[3][1] * x1 + l[3][2] * x2 + l[3][3] * x3;
                    i4 += front * w3 * g.value(z3);
                }
            }
        }
    }
    let mut entries = [0.0; 10];
    (0..4).for_each(|i| (0..=i).for_each(|j| entries[wickring::theory::entry(i, j)] = c(i, j)));
    let (aa, ab, bb) = (c(0, 0), c(0, 1), c(1, 1));
    // The tails beyond 6.6 standard deviations hold 4e-11.
    for (name, exact, sum) in [
        ("i2", g.i2(aa, ab, bb), i2),
        ("j2", g.j2(aa, ab, bb), j2),
        ("k2", g.k2(aa, ab, bb), k2),
        ("i4", g.i4(&entries), i4),
    ] {
        assert!((exact - sum).abs() < 2e-10, "{name}: {exact} against {sum}");
    }
}
