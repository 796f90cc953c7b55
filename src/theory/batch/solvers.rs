//! Full-batch minimisers on sampled data: Cholesky for ridge, Newton for smooth losses, dual coordinate
//! ascent for the hinge.

use super::loss::MarginLoss;
use crate::Error;
use crate::linalg::{cholesky_solve, norm2, solve};
use faer::{Mat, MatRef};

/// `argmin |y - X' w|^2 / 2 + lambda |w|^2 / 2` for samples in the columns of `x`, in whichever of the primal
/// and dual is smaller (the dual stays definite when `lambda` is tiny and samples are few).
pub(super) fn ridge(x: MatRef<'_, f64>, y: &[f64], lambda: f64) -> Result<Vec<f64>, Error> {
    let op = "BatchSimulation::run";
    let (p, n) = (x.nrows(), x.ncols());
    let labels = Mat::from_fn(n, 1, |i, _| y[i]);
    let mut gram = if n < p {
        x.transpose() * x
    } else {
        x * x.transpose()
    };
    (0..gram.nrows()).for_each(|i| gram[(i, i)] += lambda);
    let rhs = if n < p { labels } else { x * labels };
    let solution = match cholesky_solve(gram.as_ref(), rhs.as_ref()) {
        Some(solution) => solution,
        None => solve(op, gram.as_ref(), rhs.as_ref())?,
    };
    let w = if n < p { x * solution } else { solution };
    Ok((0..p).map(|i| w[(i, 0)]).collect())
}

/// `argmin sum_mu l(y_mu X_mu.w) + lambda |w|^2 / 2`, labels multiplied into the columns of `x`.
///
/// # Errors
/// `NotConverged` when the gradient (smooth losses) or the duality gap (hinge) is not small within the
/// budget.
pub(super) fn margin(
    x: MatRef<'_, f64>,
    loss: &dyn MarginLoss,
    lambda: f64,
) -> Result<Vec<f64>, Error> {
    if loss.derivatives(0.0).is_some() {
        newton(x, loss, lambda)
    } else {
        hinge_ascent(x, lambda)
    }
}

/// Damped Newton; the objective is convex and the step is halved until it decreases enough (Armijo).
fn newton(x: MatRef<'_, f64>, loss: &dyn MarginLoss, lambda: f64) -> Result<Vec<f64>, Error> {
    let (p, n) = (x.nrows(), x.ncols());
    let mut w = Mat::<f64>::zeros(p, 1);
    let margins = |w: &Mat<f64>| x.transpose() * w;
    let objective = |w: &Mat<f64>, u: &Mat<f64>| {
        let losses: f64 = (0..n).map(|i| loss.loss(u[(i, 0)])).sum();
        losses + 0.5 * lambda * (w.transpose() * w)[(0, 0)]
    };
    let mut u = margins(&w);
    let mut value = objective(&w, &u);
    let mut first_norm = 0.0;
    let mut relative = 1.0;
    for sweep in 0..100 {
        let parts: Vec<(f64, f64)> = (0..n)
            .map(|i| loss.derivatives(u[(i, 0)]).unwrap_or((0.0, 0.0)))
            .collect();
        let pull = Mat::from_fn(n, 1, |i, _| parts[i].0);
        let gradient = faer::Scale(lambda) * &w - x * pull;
        let norm = norm2(&Vec::from_iter((0..p).map(|i| gradient[(i, 0)])));
        if sweep == 0 {
            first_norm = norm;
        }
        relative = if first_norm > 0.0 {
            norm / first_norm
        } else {
            0.0
        };
        if relative <= 1e-9 {
            return Ok((0..p).map(|i| w[(i, 0)]).collect());
        }
        let weighted = Mat::from_fn(p, n, |i, j| x[(i, j)] * parts[j].1.sqrt());
        let mut hessian = &weighted * weighted.transpose();
        (0..p).for_each(|i| hessian[(i, i)] += lambda);
        let Some(step) = cholesky_solve(hessian.as_ref(), gradient.as_ref()) else {
            break;
        };
        let slope = (gradient.transpose() * &step)[(0, 0)];
        let mut size = 1.0;
        for _ in 0..50 {
            let next = &w - faer::Scale(size) * &step;
            let next_u = margins(&next);
            let next_value = objective(&next, &next_u);
            // Near the minimum the decrease drowns in rounding: accept what does not rise visibly.
            if next_value <= value - 1e-4 * size * slope + 1e-14 * value.abs() {
                (w, u, value) = (next, next_u, next_value);
                break;
            }
            size *= 0.5;
        }
    }
    Err(Error::NotConverged {
        status: crate::Status::IterationLimit,
        rel_residual: relative,
    })
}

/// Dual coordinate ascent for `sum max(0, 1 - u) + lambda |w|^2 / 2`, in a fixed cyclic order, until the
/// duality gap is below `1e-6` of the objective.
fn hinge_ascent(x: MatRef<'_, f64>, lambda: f64) -> Result<Vec<f64>, Error> {
    let (p, n) = (x.nrows(), x.ncols());
    let columns: Vec<Vec<f64>> = (0..n).map(|j| x.col(j).iter().copied().collect()).collect();
    let squares: Vec<f64> = columns
        .iter()
        .map(|c| c.iter().map(|v| v * v).sum())
        .collect();
    let mut dual = vec![0.0; n];
    let mut w = vec![0.0; p];
    let margin = |w: &[f64], c: &[f64]| w.iter().zip(c).map(|(a, b)| a * b).sum::<f64>();
    let mut relative = 1.0;
    for sweep in 0..5000 {
        for j in 0..n {
            if squares[j] == 0.0 {
                dual[j] = 1.0;
                continue;
            }
            let u = margin(&w, &columns[j]);
            let next = (dual[j] + (1.0 - u) * lambda / squares[j]).clamp(0.0, 1.0);
            let change = (next - dual[j]) / lambda;
            if change != 0.0 {
                w.iter_mut()
                    .zip(&columns[j])
                    .for_each(|(w, x)| *w += change * x);
                dual[j] = next;
            }
        }
        if sweep % 10 == 9 {
            let losses: f64 = columns.iter().map(|c| (1.0 - margin(&w, c)).max(0.0)).sum();
            let square = lambda * w.iter().map(|w| w * w).sum::<f64>();
            let primal = losses + 0.5 * square;
            let gap = primal - (dual.iter().sum::<f64>() - 0.5 * square);
            relative = gap / primal.max(f64::MIN_POSITIVE);
            if relative <= 1e-6 {
                return Ok(w);
            }
        }
    }
    Err(Error::NotConverged {
        status: crate::Status::IterationLimit,
        rel_residual: relative,
    })
}

#[cfg(test)]
mod tests {
    use super::super::loss::sigmoid_of_minus;
    use super::super::loss::{Hinge, Logistic};
    use super::*;

    /// Norm of the gradient of the logistic objective.
    fn stationarity(x: MatRef<'_, f64>, w: &[f64], lambda: f64) -> f64 {
        let mut gradient: Vec<f64> = w.iter().map(|w| lambda * w).collect();
        for j in 0..x.ncols() {
            let u: f64 = (0..w.len()).map(|i| x[(i, j)] * w[i]).sum();
            let pull = sigmoid_of_minus(u);
            gradient
                .iter_mut()
                .enumerate()
                .for_each(|(i, g)| *g -= pull * x[(i, j)]);
        }
        norm2(&gradient)
    }

    fn data() -> Mat<f64> {
        Mat::from_fn(6, 15, |i, j| ((3 * i + 7 * j * j + i * j) as f64).sin())
    }

    #[test]
    fn newton_ends_where_the_gradient_vanishes() -> Result<(), Error> {
        let x = data();
        for lambda in [1e-3, 1.0] {
            let w = margin(x.as_ref(), &Logistic, lambda)?;
            let start = stationarity(x.as_ref(), &[0.0; 6], lambda);
            assert!(stationarity(x.as_ref(), &w, lambda) <= 1e-9 * start);
        }
        Ok(())
    }

    #[test]
    fn primal_and_dual_ridge_agree_and_the_hinge_is_optimal() -> Result<(), Error> {
        let x = data();
        let few = x.subcols(0, 5);
        let y: Vec<f64> = (0..5).map(|i| (i as f64).cos()).collect();
        let w = ridge(few, &y, 0.1)?;
        for i in 0..6 {
            let fit: f64 = (0..5)
                .map(|j| {
                    let u: f64 = (0..6).map(|k| few[(k, j)] * w[k]).sum();
                    few[(i, j)] * (y[j] - u)
                })
                .sum();
            assert!((fit - 0.1 * w[i]).abs() < 1e-12);
        }
        let w = margin(x.as_ref(), &Hinge, 0.5)?;
        let value = |w: &[f64]| {
            let losses = (0..15).map(|j| {
                let u: f64 = (0..6).map(|k| x[(k, j)] * w[k]).sum();
                (1.0 - u).max(0.0)
            });
            losses.sum::<f64>() + 0.25 * w.iter().map(|w| w * w).sum::<f64>()
        };
        for i in 0..6 {
            for step in [-0.02, 0.02] {
                let mut moved = w.clone();
                moved[i] += step;
                assert!(value(&moved) >= value(&w) * (1.0 - 2e-6));
            }
        }
        Ok(())
    }
}
