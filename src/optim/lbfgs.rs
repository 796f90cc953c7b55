//! L-BFGS: minimisation of a smooth function from values and gradients.

use crate::linalg::small::{axpy, dot, norm_sq};
use std::collections::VecDeque;

/// Pairs of steps and gradient differences that are remembered.
const MEMORY: usize = 12;

/// Minimises `f` from `x`; `f` returns the value and writes the gradient. Returns the values, index 0 before
/// the first step.
///
/// Two-loop recursion with backtracking to the Armijo condition, restarted with the gradient when the
/// direction is no descent. Stops after `iterations`, at a gradient below `gradient_tol`, or when no step
/// decreases `f`.
///
/// Source: Liu and Nocedal 1989.
pub(crate) fn minimise(
    x: &mut [f64],
    iterations: usize,
    gradient_tol: f64,
    mut f: impl FnMut(&[f64], &mut [f64]) -> f64,
) -> Vec<f64> {
    let mut g = vec![0.0; x.len()];
    let mut value = f(x, &mut g);
    let mut values = vec![value];
    let mut pairs: VecDeque<(Vec<f64>, Vec<f64>, f64)> = VecDeque::new();
    let mut trial = vec![0.0; x.len()];
    let mut next_g = vec![0.0; x.len()];
    for _ in 0..iterations {
        if !(norm_sq(&g).sqrt() > gradient_tol) {
            break;
        }
        let mut d = direction(&g, &pairs);
        let mut slope = dot(&d, &g);
        if !(slope < 0.0) {
            pairs.clear();
            d = g.iter().map(|v| -v).collect();
            slope = -norm_sq(&g);
        }
        // The first step has no curvature to go by.
        let mut t = if pairs.is_empty() {
            (0.1 / norm_sq(&g).sqrt()).min(1.0)
        } else {
            1.0
        };
        let mut accepted = false;
        for _ in 0..30 {
            trial.copy_from_slice(x);
            axpy(&mut trial, t, &d);
            let next = f(&trial, &mut next_g);
            if next <= value + 1e-4 * t * slope {
                let s: Vec<f64> = trial.iter().zip(x.iter()).map(|(a, b)| a - b).collect();
                let y: Vec<f64> = next_g.iter().zip(&g).map(|(a, b)| a - b).collect();
                let sy = dot(&s, &y);
                if sy > 1e-12 * norm_sq(&s).sqrt() * norm_sq(&y).sqrt() {
                    if pairs.len() == MEMORY {
                        pairs.pop_front();
                    }
                    pairs.push_back((s, y, 1.0 / sy));
                }
                x.copy_from_slice(&trial);
                g.copy_from_slice(&next_g);
                value = next;
                accepted = true;
                break;
            }
            t *= 0.5;
        }
        values.push(value);
        if !accepted {
            break;
        }
    }
    values
}

/// Minus the inverse Hessian approximation times the gradient.
fn direction(g: &[f64], pairs: &VecDeque<(Vec<f64>, Vec<f64>, f64)>) -> Vec<f64> {
    let mut q: Vec<f64> = g.iter().map(|v| -v).collect();
    let mut alphas = Vec::with_capacity(pairs.len());
    for (s, y, rho) in pairs.iter().rev() {
        let a = rho * dot(s, &q);
        axpy(&mut q, -a, y);
        alphas.push(a);
    }
    if let Some((_, y, rho)) = pairs.back() {
        let scale = 1.0 / (rho * norm_sq(y));
        q.iter_mut().for_each(|v| *v *= scale);
    }
    for ((s, y, rho), a) in pairs.iter().zip(alphas.iter().rev()) {
        let b = rho * dot(y, &q);
        axpy(&mut q, a - b, s);
    }
    q
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minimum_of_a_valley_is_found() {
        // Rosenbrock: minimum 0 at (1, 1).
        let mut x = [-1.2, 1.0];
        minimise(&mut x, 500, 1e-12, |x, g| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            g[0] = -2.0 * a - 400.0 * x[0] * b;
            g[1] = 200.0 * b;
            a * a + 100.0 * b * b
        });
        assert!(
            (x[0] - 1.0).abs() < 1e-8 && (x[1] - 1.0).abs() < 1e-8,
            "{x:?}"
        );
    }
}
