//! Derivatives of a network by its parameters at samples: directions in which weights move without changing the
//! function, and how much of the noise a held-out row meets.

use super::activation::PolynomialActivation;
use super::risk::Point;
use super::sample::{Sample, count, low_degrees};
use crate::linalg::{cholesky_solve, norm2, symmetric_eigen};
use faer::{Mat, MatRef};

/// Most parameters whose derivatives are compared: their Gram matrix is decomposed.
const MOST: usize = 600;
/// Squared length of a change of the function, against that of the weights, that is rounding.
const ROUNDING: f64 = 1e-11;

/// The number of directions, to first order, in which the weights (and free coefficients) move without changing
/// the function, besides the trade of length and coefficient that one single power allows. `None` where there
/// are too many parameters to tell and too few to know without looking.
///
/// Counting comes first: a function with fewer coefficients than the network has parameters leaves the
/// difference free. Otherwise the rank of the derivatives at the inputs, of which as many are used as it takes.
pub(super) fn free_directions(
    x: MatRef<'_, f64>,
    at: &Point,
    sigma: &PolynomialActivation,
    free: bool,
) -> Option<usize> {
    let (n, d, r) = (x.nrows(), x.ncols(), at.neurons());
    let parameters = r * d + if free { r } else { 0 };
    let powers = sigma.coefficients().iter().skip(1);
    let single = free && powers.filter(|a| **a != 0.0).count() == 1;
    let trivial = if single { r } else { 0 };
    let mut degrees = low_degrees(sigma);
    degrees.push(sigma.degree());
    let room = degrees.iter().filter(|k| **k > 0);
    let room = room
        .map(|&k| count(d, k))
        .fold(0usize, usize::saturating_add);
    if parameters > MOST {
        return (parameters > room.saturating_add(trivial)).then(|| parameters - room - trivial);
    }
    let rows = n.min(2 * parameters + 50);
    let mut slopes = derivatives(x.subrows(0, rows), at, sigma, free);
    // The constant is fitted beside the network, so it is no part of the function's change.
    centre(&mut slopes, None);
    let rank = {
        for c in 0..parameters {
            let column = slopes.col_as_slice_mut(c);
            let size = norm2(column);
            if size > 0.0 {
                column.iter_mut().for_each(|v| *v /= size);
            }
        }
        let gram = slopes.transpose() * &slopes;
        let values = symmetric_eigen("TwoLayerLearner::learn", gram.as_ref())
            .ok()?
            .values;
        let top = values.iter().fold(0.0, |m: f64, v| m.max(*v));
        values.iter().filter(|v| **v > ROUNDING * top).count()
    };
    Some((parameters - rank).saturating_sub(trivial))
}

/// The derivatives of the network at every row by its weights (`r x d`, column by column) and, if `free`, by its
/// coefficients.
fn derivatives(
    x: MatRef<'_, f64>,
    at: &Point,
    sigma: &PolynomialActivation,
    free: bool,
) -> Mat<f64> {
    let (rows, d, r) = (x.nrows(), x.ncols(), at.neurons());
    let inner = x * at.rows(d).transpose();
    Mat::from_fn(rows, r * d + if free { r } else { 0 }, |k, c| {
        let i = c % r;
        let (value, slope) = sigma.at(inner[(k, i)]);
        match c / r {
            j if j < d => at.coefficients[i] * slope * x[(k, j)],
            _ => value,
        }
    })
}

/// Subtracts from every column these means, or its own, which are returned.
fn centre(m: &mut Mat<f64>, means: Option<&[f64]>) -> Vec<f64> {
    let rows = m.nrows().max(1) as f64;
    let mut used = Vec::with_capacity(m.ncols());
    for c in 0..m.ncols() {
        let column = m.col_as_slice_mut(c);
        let mean = means.map_or_else(|| column.iter().sum::<f64>() / rows, |m| m[c]);
        column.iter_mut().for_each(|v| *v -= mean);
        used.push(mean);
    }
    used
}

/// Most parameters for which the leverage of every row is computed, `O(n p^2 + p^3)`; an average stands for it beyond.
const MOST_LEVERAGE: usize = 2500;

/// The mean square of the errors `gaps` at the rows set aside, each divided by what noise of variance one makes of
/// it: `1 + h` with the leverage `h = 1/n + g'(G'G)^-1 g` of its derivatives `g` against those of the training rows.
///
/// To first order in the noise this is the variance of the noise. A polynomial of high degree is moved most where
/// rows are far out: there `h` is many times its average over the training rows, `p/n`.
///
/// Source: Cook and Weisberg, Residuals and Influence in Regression (1982), 2.2, for the linearised network.
pub(super) fn noise_seen(
    (train, aside): (&Sample, &Sample),
    gaps: &[f64],
    at: &Point,
    sigma: &PolynomialActivation,
    free: bool,
) -> f64 {
    let n = train.len().max(1) as f64;
    let p = at.neurons() * (train.dim() + usize::from(free)) + 1;
    let solved = (p <= MOST_LEVERAGE)
        .then(|| leverages(train, aside, at, sigma, free))
        .flatten();
    let leverages = solved.unwrap_or_else(|| vec![p as f64 / n; gaps.len()]);
    let sum: f64 = gaps
        .iter()
        .zip(&leverages)
        .map(|(e, h)| e * e / (1.0 + h))
        .sum();
    sum / gaps.len().max(1) as f64
}

fn leverages(
    train: &Sample,
    aside: &Sample,
    at: &Point,
    sigma: &PolynomialActivation,
    free: bool,
) -> Option<Vec<f64>> {
    let mut here = derivatives(train.x.as_ref(), at, sigma, free);
    let mut there = derivatives(aside.x.as_ref(), at, sigma, free);
    let means = centre(&mut here, None);
    centre(&mut there, Some(&means));
    let mut gram = here.transpose() * &here;
    for c in 0..gram.ncols() {
        // Directions that do not move the function are no leverage; this much keeps the matrix definite.
        gram[(c, c)] = gram[(c, c)] * (1.0 + 1e-9) + f64::MIN_POSITIVE;
    }
    let there = there.transpose().to_owned();
    let solved = cholesky_solve(gram.as_ref(), there.as_ref())?;
    let one = |k: usize| {
        let (a, b) = (there.col_as_slice(k), solved.col_as_slice(k));
        let along: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
        1.0 / train.len().max(1) as f64 + along.max(0.0)
    };
    let h: Vec<f64> = (0..there.ncols()).map(one).collect();
    h.iter().all(|h| h.is_finite()).then_some(h)
}
