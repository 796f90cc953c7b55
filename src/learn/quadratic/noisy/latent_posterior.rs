//! What one noisy sample says about its latent: `p(x | y)` for `y = p(x) + e`, `e ~ N(0, s^2 I)`, `x ~ N(0, I)`.
//!
//! The law is sampled by importance around its mode, with the Gauss-Newton Hessian `J'J / s^2 + I` as precision. For maps
//! without a linear part the law is even, so the mirror image of the mode belongs to the proposal; being even
//! too, what is averaged needs draws from one of the two only. Where `s` is small the weights are nearly equal (Laplace's
//! method); near `x = 0`, where the two modes merge, they correct it.

use crate::learn::quadratic::noiseless::latent_of_sample::{LatentSolver, solve_small};

/// Pairs of opposite draws.
pub(in crate::learn) const PAIRS: usize = 8;

/// Weighted draws from the law of the latent of one sample.
pub(in crate::learn) struct Posterior {
    /// Draws of `r` entries each.
    pub(in crate::learn) draws: Vec<f64>,
    /// Weights, of sum one.
    pub(in crate::learn) weights: Vec<f64>,
    /// `log p(y)`, without `-(N/2) log 2 pi s^2`.
    pub(in crate::learn) log: f64,
}

/// The latent of greatest probability, from `x`, by damped Gauss-Newton on `|y - p(x)|^2 / s^2 + |x|^2`.
pub(in crate::learn) fn mode(
    solver: &LatentSolver,
    y: &[f64],
    variance: f64,
    x: &mut [f64],
    steps: usize,
) {
    let (r, n) = (x.len(), y.len());
    let (mut gap, mut trial_gap) = (vec![0.0; n], vec![0.0; n]);
    let mut jacobian = vec![0.0; n * r];
    let value = |square: f64, x: &[f64]| square / variance + square_of(x);
    let mut damping = 1e-3;
    let mut best = value(solver.residuals(y, x, &mut gap, Some(&mut jacobian)), x);
    for _ in 0..steps {
        let mut hessian = precision(&jacobian, r, variance);
        let mut step: Vec<f64> = x.iter().map(|x| -x).collect();
        for (row, e) in jacobian.chunks_exact(r).zip(&gap) {
            (0..r).for_each(|i| step[i] += row[i] * e / variance);
        }
        (0..r).for_each(|i| hessian[i * r + i] *= 1.0 + damping);
        if !solve_small(&mut hessian, &mut step, r) {
            return;
        }
        let trial: Vec<f64> = x.iter().zip(&step).map(|(a, b)| a + b).collect();
        let found = value(solver.residuals(y, &trial, &mut trial_gap, None), &trial);
        if found < best {
            let little = found > best - 1e-9 * (1.0 + best);
            x.copy_from_slice(&trial);
            (damping, best) = (damping / 5.0, found);
            solver.residuals(y, x, &mut gap, Some(&mut jacobian));
            if little {
                return;
            }
        } else {
            damping = (damping * 10.0).min(1e12);
        }
    }
}

impl Posterior {
    /// Draws around the mode `x`; `bank` holds [`PAIRS`] standard normal vectors, `even` says that the law is even.
    /// `None` where nothing finite comes out.
    pub(in crate::learn) fn around(
        solver: &LatentSolver,
        (y, variance, even): (&[f64], f64, bool),
        x: &[f64],
        bank: &[f64],
    ) -> Option<Self> {
        let (r, n) = (x.len(), y.len());
        let (mut gap, mut jacobian) = (vec![0.0; n], vec![0.0; n * r]);
        solver.residuals(y, x, &mut gap, Some(&mut jacobian));
        let mut factor = precision(&jacobian, r, variance);
        // Only the factor is wanted: the system solved is that of zero.
        if !solve_small(&mut factor, &mut vec![0.0; r], r) {
            return None;
        }
        let volume: f64 = (0..r).map(|i| factor[i * r + i].ln()).sum();
        let mut draws = Vec::with_capacity(2 * PAIRS * r);
        let mut logs = Vec::with_capacity(2 * PAIRS);
        for (pair, sign) in (0..PAIRS).flat_map(|p| [(p, 1.0), (p, -1.0)]) {
            let b = &bank[pair * r..(pair + 1) * r];
            // x + L'^-1 b.
            let mut u: Vec<f64> = b.iter().map(|b| sign * b).collect();
            for i in (0..r).rev() {
                let s: f64 = (i + 1..r).map(|k| factor[k * r + i] * u[k]).sum();
                u[i] = (u[i] - s) / factor[i * r + i];
            }
            (0..r).for_each(|i| u[i] += x[i]);
            let mut proposal = -0.5 * square_of(b);
            if even {
                // The mirror image: half the draws would come from there.
                let far =
                    |j: usize| -> f64 { (j..r).map(|i| factor[i * r + j] * (u[i] + x[i])).sum() };
                let mirror = -0.5 * (0..r).map(|j| far(j).powi(2)).sum::<f64>();
                let (top, low) = (proposal.max(mirror), proposal.min(mirror));
                proposal = top + (0.5 * (1.0 + (low - top).exp())).ln();
            }
            let square = solver.residuals(y, &u, &mut gap, None);
            logs.push(-0.5 * (square / variance + square_of(&u)) - proposal - volume);
            draws.extend(u);
        }
        let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if !top.is_finite() {
            return None;
        }
        let mut weights: Vec<f64> = logs.iter().map(|l| (l - top).exp()).collect();
        let total: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|w| *w /= total);
        let log = top + (total / weights.len() as f64).ln();
        log.is_finite().then_some(Self {
            draws,
            weights,
            log,
        })
    }
}

fn square_of(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum()
}

/// `J'J / s^2 + I`, lower triangle.
fn precision(jacobian: &[f64], r: usize, variance: f64) -> Vec<f64> {
    let mut h = vec![0.0; r * r];
    for row in jacobian.chunks_exact(r) {
        for i in 0..r {
            (0..=i).for_each(|j| h[i * r + j] += row[i] * row[j]);
        }
    }
    h.iter_mut().for_each(|h| *h /= variance);
    (0..r).for_each(|i| h[i * r + i] += 1.0);
    h
}
