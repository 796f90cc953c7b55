//! Levenberg-Marquardt on the abs form, with the normal matrix from pattern Grams.

use super::absolute_values::{Forward, Kinks};
use crate::learn::relu::directions::gram::Blocks;
use crate::learn::relu::sample::{Sample, mean_square};
use crate::linalg::cholesky_solve;
use faer::Mat;

/// When a descent ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Descent {
    /// Greatest number of accepted steps.
    pub sweeps: usize,
    /// Ends when the mean square of the residual falls below this share of that of the targets.
    pub exact: f64,
    /// Ends when a step with next to no damping gains less than this share.
    pub gain: f64,
    /// Whether neurons have offsets.
    pub offsets: bool,
}

/// Where a descent ended.
#[derive(Clone, Debug)]
pub(crate) struct Landing {
    pub kinks: Kinks,
    pub mse: f64,
    pub sweeps: usize,
}

/// Descends from `start`: steps `p` of `(H + lambda diag H) p = g`, accepted only when the error falls.
///
/// # Complexity
/// Per step `O(n d^2 + n d k + P k^2 d^2 + (d k)^3)`, `P` the number of sign patterns.
/// Here `n` is the number of samples, `d` the number of inputs and `k` the number of neurons.
pub(crate) fn descend(sample: &Sample, start: &Kinks, plan: Descent) -> Landing {
    let mut kinks = start.clone();
    let mut at = kinks.forward(sample);
    let target = plan.exact * mean_square(&sample.y);
    let mut lambda = 1e-3;
    let mut sweeps = 0;
    while sweeps < plan.sweeps && at.mse > target {
        let system = Normal::of(sample, &kinks, &at, plan.offsets);
        let Some((next, landed)) = system.step(sample, &kinks, &at, &mut lambda) else {
            break;
        };
        let gain = 1.0 - landed.mse / at.mse;
        (kinks, at) = (next, landed);
        sweeps += 1;
        lambda = (lambda / 8.0).max(1e-15);
        if (gain < plan.gain && lambda < 1e-6) || gain < 1e-2 * plan.gain {
            break;
        }
    }
    let mse = at.mse;
    Landing { kinks, mse, sweeps }
}

/// The Gauss-Newton system at a network.
struct Normal {
    matrix: Mat<f64>,
    gradient: Mat<f64>,
    free: usize,
}

impl Normal {
    /// Parameters are ordered: linear part (`d + 1`), then `free` entries of each neuron.
    fn of(sample: &Sample, kinks: &Kinks, at: &Forward, offsets: bool) -> Self {
        let (rows, k) = (sample.x.nrows(), kinks.len());
        let free = if offsets { rows } else { rows - 1 };
        let blocks = Blocks::of(sample, &at.keys, &at.residual, k);
        let size = rows + k * free;
        let mut matrix = Mat::<f64>::zeros(size, size);
        let mut gradient = Mat::<f64>::zeros(size, 1);
        let start = |i: usize| if i == 0 { 0 } else { rows + (i - 1) * free };
        let width = |i: usize| if i == 0 { rows } else { free };
        let sign = |i: usize| if i == 0 { 1.0 } else { kinks.signs[i - 1] };
        let scale = 1.0 / sample.len().max(1) as f64;
        for j in 0..=k {
            for a in 0..width(j) {
                gradient[(start(j) + a, 0)] = sign(j) * scale * blocks.gradient(j, a);
            }
            for i in j..=k {
                let s = sign(i) * sign(j) * scale;
                // Only the lower triangle is read by the Cholesky factorisation.
                for b in 0..width(j) {
                    for a in 0..width(i) {
                        matrix[(start(i) + a, start(j) + b)] = s * blocks.entry(i, j, a, b);
                    }
                }
            }
        }
        Self {
            matrix,
            gradient,
            free,
        }
    }

    /// The first damped step that lowers the error; raises the damping until one does, ten times at most.
    fn step(
        &self,
        sample: &Sample,
        kinks: &Kinks,
        at: &Forward,
        lambda: &mut f64,
    ) -> Option<(Kinks, Forward)> {
        let size = self.matrix.nrows();
        for _ in 0..10 {
            let mut damped = self.matrix.clone();
            for i in 0..size {
                // The floor keeps the matrix definite when a neuron meets no sample.
                damped[(i, i)] += *lambda * damped[(i, i)] + 1e-13;
            }
            if let Some(p) = cholesky_solve(damped.as_ref(), self.gradient.as_ref()) {
                let next = self.moved(kinks, &p);
                let landed = next.forward(sample);
                if landed.mse < at.mse {
                    return Some((next, landed));
                }
            }
            *lambda = (*lambda * 8.0).max(1e-10);
        }
        None
    }

    fn moved(&self, kinks: &Kinks, p: &Mat<f64>) -> Kinks {
        let rows = kinks.linear.len();
        let mut next = kinks.clone();
        for (a, l) in next.linear.iter_mut().enumerate() {
            *l += p[(a, 0)];
        }
        for i in 0..kinks.len() {
            let from = rows + i * self.free;
            let column = next.weights.col_as_slice_mut(i);
            (0..self.free).for_each(|a| column[a] += p[(from + a, 0)]);
        }
        next
    }
}
