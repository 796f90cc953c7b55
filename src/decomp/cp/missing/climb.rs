//! From a start to a minimum: sweeps while they go fast, then damped Gauss-Newton steps.
//!
//! ```text
//! sweep, at least 15 times, then on while each sweep gains at most half of what the one before gained;
//!     from a start of no worth the first ten with a ridge, so that rows with few entries do not run away
//! stop when a sweep gains less than 1e-10 of the error
//! balance the columns; solve (J'J + mu) p = J'e; take p if the error falls, else raise mu
//! stop after two steps that gain less than 1e-9 of the error, or when no mu helps
//! ```
//!
//! Where entries are missing at random sweeps are as good as on complete data until the share that is left comes close to
//! what the parameters need; there they crawl, and Gauss-Newton steps finish.

use super::observed::{Observed, Rows};
use crate::Error;
use crate::linalg::{cholesky_solve, norm2};
use crate::tensor::Factor;
use faer::{Mat, MatRef};

/// Unknowns up to which the Gauss-Newton matrix is formed; larger problems sweep only.
const DENSE_LIMIT: usize = 1500;
/// Sweeps before their speed is looked at, and sweeps at most before Gauss-Newton steps.
const SWEEPS: (usize, usize) = (15, 60);
/// Ridges of the first sweeps from a start, how many of these there are, and the ridge of all others, which only keeps
/// singular equations solvable.
const RIDGE: (f64, usize, f64) = (1e-3, 10, 1e-14);
/// Gain, as a share of the error, below which sweeps have arrived.
const SETTLED: f64 = 1e-10;
/// Error below which nothing is left to gain.
const EXACT: f64 = 1e-15;

/// Where a climb ended.
pub(super) struct Ended {
    pub(super) rows: Rows,
    pub(super) residual: f64,
    pub(super) history: Vec<f64>,
    /// Whether the budget of iterations ran out.
    pub(super) spent: bool,
    /// Whether the caller asked to stop.
    pub(super) stopped: bool,
}

/// Goes down from `rows` for at most `iterations` sweeps or steps; `stop` is asked with the error after each. `fresh` says
/// that the rows are a start and not a fit.
pub(super) fn descend(
    data: &Observed,
    (rows, fresh): (Rows, bool),
    rank: usize,
    iterations: usize,
    stop: &mut dyn FnMut(f64) -> bool,
) -> Result<Ended, Error> {
    let unknowns: usize = rows.iter().map(Vec::len).sum();
    let newton = unknowns <= DENSE_LIMIT;
    let first = data.residual(&rows, rank)?;
    let mut end = Ended {
        rows,
        residual: first,
        history: vec![first],
        spent: true,
        stopped: false,
    };
    let (mut last, mut settled) = (f64::INFINITY, false);
    for sweep in 0..iterations {
        if newton && sweep >= SWEEPS.1 {
            break;
        }
        let guarded = fresh && sweep < RIDGE.1;
        let ridge = if guarded { RIDGE.0 } else { RIDGE.2 };
        let before = end.rows.clone();
        data.sweep(&mut end.rows, rank, ridge)?;
        let next = data.residual(&end.rows, rank)?;
        let gain = end.residual - next;
        if !guarded && !(gain >= 0.0) {
            // Rounding, or equations that are all but singular: steps that only go down follow.
            end.rows = before;
            settled = true;
            break;
        }
        end.residual = next;
        end.history.push(next);
        if stop(next) {
            end.stopped = true;
            return Ok(end);
        }
        if next <= EXACT || (!guarded && gain <= SETTLED * next) {
            settled = true;
            break;
        }
        if newton && sweep + 1 >= SWEEPS.0 && !(gain <= 0.5 * last) {
            break;
        }
        last = gain;
    }
    if settled && (!newton || end.residual <= EXACT) {
        end.spent = false;
        return Ok(end);
    }
    if newton {
        let near = settled || last <= 1e-2 * end.residual;
        refine(data, &mut end, rank, (iterations, near), stop)?;
    }
    Ok(end)
}

/// Levenberg-Marquardt from where `end` is, with little damping where the minimum is near.
fn refine(
    data: &Observed,
    end: &mut Ended,
    rank: usize,
    (iterations, near): (usize, bool),
    stop: &mut dyn FnMut(f64) -> bool,
) -> Result<(), Error> {
    let unknowns: usize = end.rows.iter().map(Vec::len).sum();
    let (mut mu, mut growth, mut quiet) = (f64::NAN, 2.0, 0);
    let square = data.norm() * data.norm();
    for _ in 0..iterations {
        let f = end.residual;
        if f <= EXACT {
            end.spent = false;
            return Ok(());
        }
        balance(&mut end.rows, rank);
        let mut h = Factor::zeros(unknowns, unknowns);
        let g = data.normal(&end.rows, rank, Some(&mut h))?;
        let scale = (0..unknowns).map(|i| h.column(i)[i]).fold(0.0, f64::max);
        if mu.is_nan() {
            mu = if near { 1e-7 } else { 1e-3 } * scale;
        }
        let mut accepted = false;
        for _ in 0..10 {
            let damped = damped(&h, mu);
            let rhs = MatRef::from_column_major_slice(&g, unknowns, 1);
            let Some(p) = cholesky_solve(damped.as_mat(), rhs) else {
                mu = (mu * 8.0).max(1e-15 * scale);
                continue;
            };
            let trial = moved(&end.rows, &p);
            let next = data.residual(&trial, rank)?;
            let step: f64 = (0..unknowns).map(|i| p[(i, 0)] * p[(i, 0)]).sum();
            let slope: f64 = (0..unknowns).map(|i| p[(i, 0)] * g[i]).sum();
            let rho = (f * f - next * next) * square / (slope + mu * step);
            if next < f && rho > 0.0 {
                mu = (mu * (1.0 - (2.0 * rho - 1.0).powi(3)).max(0.1)).max(1e-16 * scale);
                growth = 2.0;
                quiet = if f - next <= 1e-9 * f { quiet + 1 } else { 0 };
                end.rows = trial;
                end.residual = next;
                accepted = true;
                break;
            }
            mu *= growth;
            growth *= 2.0;
        }
        end.history.push(end.residual);
        if stop(end.residual) {
            end.stopped = true;
            return Ok(());
        }
        if !accepted || quiet >= 2 {
            end.spent = false;
            return Ok(());
        }
    }
    Ok(())
}

fn damped(h: &Factor, mu: f64) -> Factor {
    let mut out = h.clone();
    (0..h.cols()).for_each(|i| out.column_mut(i)[i] += mu);
    out
}

fn moved(rows: &Rows, p: &Mat<f64>) -> Rows {
    let mut out = rows.clone();
    for (at, x) in out.iter_mut().flatten().enumerate() {
        *x += p[(at, 0)];
    }
    out
}

/// Gives the columns of each component equal lengths in all modes.
fn balance(rows: &mut Rows, rank: usize) {
    for r in 0..rank {
        let lengths: Vec<f64> = rows
            .iter()
            .map(|f| norm2(&Vec::from_iter(f.iter().skip(r).step_by(rank).copied())))
            .collect();
        let mean = (lengths.iter().map(|l| l.ln()).sum::<f64>() / rows.len() as f64).exp();
        if !(mean > 0.0 && mean.is_finite()) {
            continue;
        }
        for (f, l) in rows.iter_mut().zip(&lengths) {
            f.iter_mut()
                .skip(r)
                .step_by(rank)
                .for_each(|x| *x *= mean / l);
        }
    }
}
