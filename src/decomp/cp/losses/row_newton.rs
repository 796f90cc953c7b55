//! One row of a factor, all else fixed: a problem in as many unknowns as components.
//!
//! ```text
//! free = coordinates above their bound, or at it with a slope inwards
//! d = - (H + damping) ^ -1 g on the free coordinates
//! b <- max(bound, b + t d), t halved until the loss falls by Armijo's rule
//! ```
//!
//! Where the direction of Newton does not help (the projection may turn it uphill), the gradient divided by the diagonal of `H`
//! takes its place; a row moves only where its loss falls, so that every sweep descends.
//!
//! Source: Bertsekas 1982 (projected Newton); Hansen, Plantenga, Kolda 2015 (rows of Poisson CP). Departure: the curvature may be
//! any that is not negative (gamma, Huber), since the search along the direction decides.

use super::rows::Rows;
use crate::linalg::small;

/// Newton steps of one row in one sweep.
const STEPS: usize = 2;
/// Halvings of one search.
const HALVINGS: usize = 25;
/// Share of the promised decrease that a step must bring.
const ARMIJO: f64 = 1e-4;

/// Loss, gradient and curvature of a row.
pub(super) struct Expansion {
    pub(super) value: f64,
    pub(super) gradient: Vec<f64>,
    /// `rank x rank`, whole.
    pub(super) curvature: Vec<f64>,
}

/// Descends from `row` in place; the loss at the end comes back.
pub(super) fn descend(rows: &Rows<'_>, i: usize, row: &mut [f64]) -> f64 {
    let mut now = rows.expansion(i, row);
    for step in 0..STEPS {
        if !now.value.is_finite() {
            break;
        }
        let d = direction(&now, row, rows.nonnegative());
        let found = search(rows, i, row, (&now, &d), HALVINGS).or_else(|| {
            let d = scaled_gradient(&now, row);
            search(rows, i, row, (&now, &d), HALVINGS)
        });
        let Some((next, value)) = found else { break };
        row.copy_from_slice(&next);
        if step + 1 == STEPS {
            return value;
        }
        now = rows.expansion(i, row);
    }
    now.value
}

/// The first of the halved steps that lowers the loss enough, with its loss.
fn search(
    rows: &Rows<'_>,
    i: usize,
    row: &[f64],
    (now, d): (&Expansion, &[f64]),
    halvings: usize,
) -> Option<(Vec<f64>, f64)> {
    let mut t = 1.0;
    for _ in 0..halvings {
        let moved = row.iter().zip(d).map(|(b, d)| b + t * d);
        let next: Vec<f64> = match rows.nonnegative() {
            true => moved.map(|b| b.max(0.0)).collect(),
            false => moved.collect(),
        };
        let change = next.iter().zip(row).zip(&now.gradient);
        let slope: f64 = change.map(|((a, b), g)| (a - b) * g).sum();
        if slope < 0.0 {
            let value = rows.value(i, &next);
            if value <= now.value + ARMIJO * slope {
                return Some((next, value));
            }
        }
        t *= 0.5;
    }
    None
}

/// Minus the gradient over the curvature, on the coordinates that are free.
fn direction(now: &Expansion, row: &[f64], nonnegative: bool) -> Vec<f64> {
    let rank = row.len();
    let is_free = |r: &usize| !nonnegative || row[*r] > 0.0 || now.gradient[*r] < 0.0;
    let free: Vec<usize> = (0..rank).filter(is_free).collect();
    let n = free.len();
    let top = free.iter().map(|&r| now.curvature[r * rank + r]);
    let top = top.fold(0.0, f64::max);
    let mut out = vec![0.0; rank];
    if !(top > 0.0 && top.is_finite()) {
        return scaled_gradient(now, row);
    }
    let mut step: Vec<f64> = free.iter().map(|&r| -now.gradient[r]).collect();
    for damping in [1e-13, 1e-9, 1e-5] {
        let mut h: Vec<f64> = Vec::with_capacity(n * n);
        for &c in &free {
            h.extend(free.iter().map(|&r| now.curvature[c * rank + r]));
        }
        (0..n).for_each(|k| h[k * n + k] += damping * top);
        if small::cholesky(&mut h, n) {
            small::solve_right(&h, n, &mut step, 1);
            break;
        }
    }
    free.iter().zip(&step).for_each(|(&r, &d)| out[r] = d);
    out
}

/// Minus the gradient over the diagonal of the curvature; where there is none at all, the way to zero.
fn scaled_gradient(now: &Expansion, row: &[f64]) -> Vec<f64> {
    let rank = row.len();
    let diagonal = |r: usize| now.curvature[r * rank + r];
    let top = (0..rank).map(diagonal).fold(0.0, f64::max);
    let step = |r: usize| match top > 0.0 {
        true => -now.gradient[r] / diagonal(r).max(1e-6 * top),
        false => -row[r],
    };
    (0..rank).map(step).collect()
}
