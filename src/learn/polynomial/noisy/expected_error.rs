//! The error that the best estimate from so many samples has: the inverse of the information in them.
//!
//! In the metric of [`PolynomialMap::distance`](crate::tensor::PolynomialMap::distance): `sum_a E (p_a - q_a)^2` over `sum_a Var q_a`,
//! constants and the gauge free. As the noise vanishes this is the error of the covariance of observed latents; with noise the
//! doubt about each latent comes on top.

use super::directions::Directions;
use super::modes::Model;
use crate::Error;
use crate::linalg::cholesky_solve;
use crate::tensor::maps::polynomial::centred_gram;
use faer::Mat;

/// The relative error that `samples` rows leave. `units` divide the outputs of the model into those of the samples; `free` is
/// the number of unknowns in a step.
pub(super) fn expected_error(
    model: &Model,
    information: &Mat<f64>,
    units: &[f64],
    (free, samples): (usize, usize),
) -> Result<f64, Error> {
    let directions = Directions::of(model)?;
    let (f, k, m) = (directions.changes(), model.a.len(), model.basis.len());
    // What a step does to the coefficients in the units of the samples: first the changes, then the entries.
    let unit = |i: usize| model.noise[i / m] / units[i / m];
    let mut moves = Mat::<f64>::zeros(free, k);
    for i in 0..k {
        (0..f).for_each(|t| moves[(t, i)] = unit(i) * directions.along[(i, t)]);
        moves[(f + i, i)] = unit(i);
    }
    directions.across(&mut moves);
    let turns = Mat::from_fn(k, directions.turns.ncols(), |i, t| {
        unit(i) * directions.turns[(i, t)]
    });
    let gram = centred_gram(&model.basis);
    let weighed = |x: &Mat<f64>| -> Mat<f64> {
        // Along the second index of x, k = a m + l.
        let mut out = Mat::zeros(x.nrows(), k);
        for a in 0..k / m {
            let part = x.subcols(a * m, m) * &gram;
            for l in 0..m {
                (0..x.nrows()).for_each(|i| out[(i, a * m + l)] = part[(i, l)]);
            }
        }
        out
    };
    let half = directions.solve(information, moves.as_ref(), free)?;
    // `moves` has a column for each coefficient: covariance = moves' I^-1 moves.
    let covariance = moves.transpose() * half;
    let metric = weighed(&covariance);
    let mut square: f64 = (0..k).map(|i| metric[(i, i)]).sum();
    if turns.ncols() > 0 {
        let wide = weighed(&turns.transpose().to_owned());
        let inner = &wide * &turns;
        let lost = &wide * &covariance * wide.transpose();
        if let Some(part) = cholesky_solve(inner.as_ref(), lost.as_ref()) {
            square -= (0..turns.ncols()).map(|t| part[(t, t)]).sum::<f64>();
        }
    }
    let own = Mat::from_fn(1, k, |_, i| unit(i) * model.a[i]);
    let norm = (weighed(&own) * own.transpose())[(0, 0)];
    Ok((square.max(0.0) / (samples as f64 * norm)).sqrt())
}
