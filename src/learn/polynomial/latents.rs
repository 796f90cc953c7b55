//! The latents of one sample at a time, for known coefficients.

use crate::Error;
use crate::learn::quadratic::noiseless::latent_of_sample::damped_step;
use crate::linalg::solve;
use crate::tensor::MonomialBasis;
use faer::{Mat, MatRef};

/// Solves `C phi(x) = y` for `x`, with square `C`.
pub(super) struct LatentSolver<'a> {
    basis: &'a MonomialBasis,
    /// `m x m`, row-major.
    c: Vec<f64>,
    inverse: Mat<f64>,
    /// For each variable the places of `x_i^(w-1) x_j`.
    rays: Vec<Vec<usize>>,
    degree: u32,
}

impl<'a> LatentSolver<'a> {
    /// # Errors
    /// `Degenerate` when `C` is singular to working precision.
    pub(super) fn new(
        op: &'static str,
        basis: &'a MonomialBasis,
        c: MatRef<'_, f64>,
    ) -> Result<Self, Error> {
        let m = basis.len();
        let inverse = solve(op, c, Mat::<f64>::identity(m, m).as_ref())?;
        let (v, degree) = (basis.variables(), basis.degree());
        let ray = |i: usize| {
            let place = |j: usize| {
                let mut e = vec![0; v];
                e[i] += degree - 1;
                e[j] += 1;
                basis.position(&e).unwrap_or(0)
            };
            (0..v).map(place).collect()
        };
        let rays = (0..v).map(ray).collect();
        let c = (0..m * m).map(|k| c[(k / m, k % m)]).collect();
        Ok(Self {
            basis,
            c,
            inverse,
            rays,
            degree,
        })
    }

    /// From the linear inverse: `phi = C^-1 y`, whose greatest pure power shows the latents.
    pub(super) fn first(&self, y: &[f64]) -> Vec<f64> {
        let m = y.len();
        let phi = |k: usize| -> f64 { (0..m).map(|l| self.inverse[(k, l)] * y[l]).sum() };
        let v = self.rays.len();
        let pure: Vec<f64> = (0..v).map(|i| phi(self.rays[i][i])).collect();
        let even = self.degree.is_multiple_of(2);
        let size = |x: f64| if even { x } else { x.abs() };
        let best = (0..v).max_by(|&i, &j| size(pure[i]).total_cmp(&size(pure[j])));
        let i = best.unwrap_or(0);
        let root = pure[i].abs().powf(1.0 / f64::from(self.degree));
        let root = if even { root } else { root.copysign(pure[i]) };
        let divisor = root.powi(self.degree as i32 - 1);
        (0..v)
            .map(|j| match j {
                _ if divisor == 0.0 => 0.0,
                j if j == i => root,
                j => phi(self.rays[i][j]) / divisor,
            })
            .collect()
    }

    /// Damped Gauss-Newton from `x`; returns the squared residual.
    pub(super) fn descend(&self, y: &[f64], x: &mut [f64], steps: usize) -> f64 {
        let (m, v) = (y.len(), x.len());
        let (mut residual, mut trial_residual) = (vec![0.0; m], vec![0.0; m]);
        let (mut phi, mut slopes) = (vec![0.0; m], vec![0.0; m * v]);
        let mut jacobian = vec![0.0; m * v];
        let mut damping = 1e-8;
        let mut value = self.residual(y, x, &mut phi, &mut residual);
        let mut fresh = true;
        for _ in 0..steps {
            if fresh {
                self.basis.jacobian(x, &mut slopes);
                for k in 0..m {
                    for j in 0..v {
                        let row = &self.c[k * m..(k + 1) * m];
                        let along = slopes.iter().skip(j).step_by(v);
                        jacobian[k * v + j] = row.iter().zip(along).map(|(c, s)| c * s).sum();
                    }
                }
            }
            let Some(step) = damped_step(&jacobian, &residual, v, damping) else {
                break;
            };
            let trial: Vec<f64> = x.iter().zip(&step).map(|(a, b)| a + b).collect();
            let found = self.residual(y, &trial, &mut phi, &mut trial_residual);
            fresh = found < value;
            if fresh {
                let done = found > value * (1.0 - 1e-12);
                x.copy_from_slice(&trial);
                residual.copy_from_slice(&trial_residual);
                damping = (damping / 5.0).max(1e-16);
                value = found;
                if done {
                    break;
                }
            } else {
                damping *= 30.0;
                if damping > 1e8 {
                    break;
                }
            }
        }
        value
    }

    fn residual(&self, y: &[f64], x: &[f64], phi: &mut [f64], out: &mut [f64]) -> f64 {
        let m = y.len();
        self.basis.eval(x, phi);
        let mut sum = 0.0;
        for (k, slot) in out.iter_mut().enumerate() {
            let row = &self.c[k * m..(k + 1) * m];
            let value: f64 = row.iter().zip(phi.iter()).map(|(c, p)| c * p).sum();
            *slot = y[k] - value;
            sum += *slot * *slot;
        }
        sum
    }
}
