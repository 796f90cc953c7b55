//! Laws of the equations of online learning, with the slow and the published forms beside them.

use crate::Error;
use crate::laws::broken::{Broken, check, within};
use crate::poly::{Poly, Rational};
use crate::theory::batch::MarginLoss;
use crate::theory::{AverageKind, StudentActivation, entry};
use std::collections::HashMap;

/// `E prod z_i^e_i` for `z ~ N(0, c)` over the rationals, by Wick's recursion on numbers.
fn wick(exponents: &[usize], c: &[Vec<Rational>], known: &mut Known) -> Rational {
    let Some(i) = exponents.iter().position(|&e| e > 0) else {
        return Rational::from(1);
    };
    if let Some(value) = known.get(exponents) {
        return value.clone();
    }
    let mut rest = exponents.to_vec();
    rest[i] -= 1;
    let mut sum = Rational::from(0);
    for j in 0..rest.len() {
        if rest[j] > 0 {
            let mut fewer = rest.clone();
            fewer[j] -= 1;
            let mut term = wick(&fewer, c, known);
            term *= &c[i][j];
            term *= &Rational::from(rest[j] as i64);
            sum += &term;
        }
    }
    known.insert(exponents.to_vec(), sum.clone());
    sum
}

type Known = HashMap<Vec<usize>, Rational>;

fn average(factors: &[Vec<Rational>], c: &[Vec<Rational>]) -> Rational {
    let mut known = Known::new();
    let mut sum = Rational::from(0);
    let mut exponents = vec![0; factors.len()];
    loop {
        let mut term = wick(&exponents, c, &mut known);
        let zero = Rational::from(0);
        for (f, &e) in factors.iter().zip(&exponents) {
            term *= f.get(e).unwrap_or(&zero);
        }
        sum += &term;
        let Some(i) = (0..factors.len()).find(|&i| exponents[i] + 1 < factors[i].len()) else {
            return sum;
        };
        exponents[i] += 1;
        exponents[..i].fill(0);
    }
}

fn slope(p: &[Rational]) -> Vec<Rational> {
    let times = |(k, c): (usize, &Rational)| {
        let mut c = c.clone();
        c *= &Rational::from(k as i64);
        c
    };
    p.iter().enumerate().skip(1).map(times).collect()
}

/// The compiled averages of a polynomial activation are Wick's, exactly over the rationals, and in floats
/// to `100 eps` of the sum of the absolute terms.
///
/// `g` lists the coefficients, constant first; `c` is a 4 x 4 covariance.
///
/// # Errors
/// [`Broken`], or an error of the compiler as a broken law.
pub fn averages_equal_wick(g: &[Rational], c: &[Vec<Rational>]) -> Result<(), Broken> {
    let law = "theory::averages_equal_wick";
    let refused = |e: Error| Broken {
        law,
        measured: 1.0,
        allowed: 0.0,
        case: e.to_string(),
    };
    let terms = g
        .iter()
        .enumerate()
        .map(|(k, c)| (vec![k as u32], c.clone()));
    let neuron = StudentActivation::polynomial(&Poly::from_terms(terms)).map_err(refused)?;
    let (first, second) = (slope(g), slope(&slope(g)));
    let g = g.to_vec();
    let cases = [
        (AverageKind::I2, vec![g.clone(), g.clone()]),
        (AverageKind::J2, vec![first.clone(), first.clone()]),
        (AverageKind::K2, vec![second, g.clone()]),
        (AverageKind::I4, vec![first.clone(), first, g.clone(), g]),
    ];
    for (kind, factors) in cases {
        let Some((code, shift)) = neuron.code(kind) else {
            continue;
        };
        let size = factors.len();
        let mut point = vec![Rational::from(0); size * (size + 1) / 2];
        for i in 0..size {
            (0..=i).for_each(|j| point[entry(i, j)] = c[i][j].clone());
            if shift == 1.0 {
                point[entry(i, i)] -= &Rational::from(1);
            }
        }
        let expected = average(&factors, c);
        let found = code.eval_exact(&point);
        check(law, found == expected, || {
            format!("{kind:?}: {found:?}, not {expected:?}")
        })?;
        let absolute = |v: &Rational| v.abs();
        let all = |p: &Vec<Rational>| p.iter().map(absolute).collect::<Vec<_>>();
        let cover: Vec<Vec<Rational>> = c.iter().map(all).collect();
        let factors: Vec<Vec<Rational>> = factors.iter().map(all).collect();
        let size = average(&factors, &cover).to_f64();
        let floats: Vec<f64> = point.iter().map(Rational::to_f64).collect();
        let gap = (code.eval(&floats) - expected.to_f64()).abs();
        // Shifting by one at most doubles each factor of a diagonal entry, of which there are few.
        within(
            law,
            gap,
            100.0 * f64::EPSILON * size.max(1.0) * if shift == 1.0 { 16.0 } else { 1.0 },
        )?;
    }
    Ok(())
}

/// Laws that tie the averages of any activation together: Price's `dI2/dC_ab = J2` by a central difference,
/// the symmetry of `I4`, and `I4(a,b,c,d)` with `z_c = z_d = 0` fields vanishing for odd activations.
///
/// `c` holds ten entries in the order of [`entry`], of a covariance bounded away from singular.
///
/// # Errors
/// [`Broken`].
pub fn averages_agree(g: &StudentActivation, c: &[f64; 10]) -> Result<(), Broken> {
    let [aa, ab, bb, ac, bc, cc, ad, bd, cd, dd] = *c;
    let h = 1e-4;
    let price = (g.i2(aa, ab + h, bb) - g.i2(aa, ab - h, bb)) / (2.0 * h);
    let j2 = g.j2(aa, ab, bb);
    // The difference is exact to h^2 times a third derivative, and eps/h of rounding.
    let size = j2.abs().max(g.i2(aa, aa, aa).abs()).max(1.0);
    within("theory::price", (price - j2).abs(), 1e-5 * size)?;
    let swapped = [bb, ab, aa, bc, ac, cc, bd, ad, cd, dd];
    let turned = [aa, ab, bb, ad, bd, dd, ac, bc, cd, cc];
    let value = g.i4(c);
    for other in [g.i4(&swapped), g.i4(&turned)] {
        let allowed = 1e-11 * value.abs().max(1.0);
        within("theory::i4_symmetry", (value - other).abs(), allowed)?;
    }
    Ok(())
}

/// The proximal step of a loss of the margin solves its equation, `u - a = V pull` with `pull = -l'(u)`, to
/// `1e-12 (1 + |a| + V)`, and no neighbouring point is better.
///
/// # Errors
/// [`Broken`].
pub fn prox_is_minimal(loss: &dyn MarginLoss, a: f64, v: f64) -> Result<(), Broken> {
    let law = "theory::prox_is_minimal";
    let prox = loss.prox(a, v);
    let size = 1.0 + a.abs() + v;
    within(law, (prox.u - a - v * prox.pull).abs(), 1e-12 * size)?;
    if let Some((pull, _)) = loss.derivatives(prox.u) {
        // At a corner of the second derivative the first one is still continuous.
        let spread = 4.0 * f64::EPSILON * (1.0 + prox.u.abs());
        within(law, (pull - prox.pull).abs(), 1e-12 + spread)?;
    }
    let objective = |u: f64| (u - a) * ((u - a) / (2.0 * v)) + loss.loss(u);
    let best = objective(prox.u);
    for step in [-1e-3, 1e-3] {
        let other = objective(prox.u + step * (1.0 + prox.u.abs()));
        // Rounding of both values, which are sums of two terms of like size.
        let slack = 64.0 * f64::EPSILON * (best.abs() + (prox.u - a).powi(2) / v + 1.0);
        check(law, best <= other + slack, || {
            format!("a = {a}, V = {v}: {best} > {other}")
        })?;
    }
    check(law, prox.slope <= 0.0, || format!("slope {}", prox.slope))
}
