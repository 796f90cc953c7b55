//! Damped Gauss-Newton: quadratic convergence once the descent has found the basin.

use super::objective::Problem;
use crate::linalg::small::norm_sq;

/// The end of a refinement.
pub(super) struct Refined {
    pub x: Vec<f64>,
    /// Norm of the residual, before the first step and after each.
    pub residuals: Vec<f64>,
    /// Whether the budget of steps ended it.
    pub spent: bool,
}

/// Levenberg-Marquardt from `x`; steps by conjugate gradients on the normal equations, which need no tensor.
///
/// Ends when the residual is that of rounding, when the step or the decrease is, or after `steps` steps.
pub(super) fn refine(problem: &Problem<'_>, x: Vec<f64>, steps: usize) -> Refined {
    let (mut at, mut slope) = problem.residual(&x);
    let mut out = Refined {
        x,
        residuals: vec![at],
        spent: false,
    };
    let scale = norm_sq(&out.x) / problem.rank().max(1) as f64;
    // The diagonal of J'J is of this size.
    let unit = problem.form.order() as f64 * scale.powi(problem.form.order() as i32 - 1);
    let mut damping = 1e-3 * at.min(1.0) * unit;
    for _ in 0..steps {
        let gradient = norm_sq(&slope).sqrt();
        if at <= 1e-15 || !(gradient > 1e-15 * unit.sqrt() * at.max(1e-15)) {
            return out;
        }
        let tol = (0.3 * at.sqrt()).clamp(1e-8, 0.1);
        let step = problem.normal(&out.x).solve(&slope, damping, tol, 400);
        let trial: Vec<f64> = out.x.iter().zip(&step).map(|(a, b)| a + b).collect();
        let (next, next_slope) = problem.residual(&trial);
        if next < at {
            // A decrease in the last digits only is the floor.
            let floor = next > at * (1.0 - 1e-9) && norm_sq(&step) <= 1e-20 * norm_sq(&out.x);
            (out.x, at, slope) = (trial, next, next_slope);
            out.residuals.push(at);
            damping = (damping * 0.2).max(1e-14 * unit);
            if floor {
                return out;
            }
        } else {
            if norm_sq(&step) <= 1e-24 * norm_sq(&out.x) || damping > 1e6 * unit {
                return out;
            }
            damping *= 5.0;
        }
    }
    out.spent = true;
    out
}
