//! The latent of one sample, for a known quadratic map.

use crate::learn::quadratic::whitened::map::WhiteMap;

/// The forms of all coordinates, laid out for one sample at a time.
pub(in crate::learn) struct LatentSolver {
    pub(in crate::learn) r: usize,
    /// `N` blocks of `r*r`, then `b`, then `c`.
    q: Vec<f64>,
    b: Vec<f64>,
    c: Vec<f64>,
}

impl LatentSolver {
    pub(in crate::learn) fn new(map: &WhiteMap, places: &[(usize, usize)]) -> Self {
        let r = map.rank;
        let mut solver = Self {
            r,
            q: Vec::new(),
            b: Vec::new(),
            c: Vec::new(),
        };
        for k in 0..map.coefficients.nrows() {
            let (q, b, c) = map.form(k, places);
            solver.q.extend((0..r * r).map(|ij| q[(ij / r, ij % r)]));
            solver.b.extend(b);
            solver.c.push(c);
        }
        solver
    }

    /// Residuals `y - p(x)` and, if wanted, the Jacobian of `p` (`N` rows of `r`).
    pub(in crate::learn) fn residuals(
        &self,
        y: &[f64],
        x: &[f64],
        out: &mut [f64],
        mut jacobian: Option<&mut [f64]>,
    ) -> f64 {
        let r = self.r;
        let mut sum = 0.0;
        for (k, slot) in out.iter_mut().enumerate() {
            let (q, b) = (
                &self.q[k * r * r..(k + 1) * r * r],
                &self.b[k * r..(k + 1) * r],
            );
            let mut value = self.c[k];
            for i in 0..r {
                let qx: f64 = q[i * r..(i + 1) * r]
                    .iter()
                    .zip(x)
                    .map(|(a, b)| a * b)
                    .sum();
                value += x[i] * (qx + b[i]);
                if let Some(j) = jacobian.as_deref_mut() {
                    j[k * r + i] = 2.0 * qx + b[i];
                }
            }
            *slot = y[k] - value;
            sum += *slot * *slot;
        }
        sum
    }

    /// Gauss-Newton with damping on `|y - p(x)|^2`.
    pub(in crate::learn) fn descend(&self, y: &[f64], x: &mut [f64], steps: usize) {
        let (r, n) = (self.r, self.c.len());
        let (mut res, mut trial_res) = (vec![0.0; n], vec![0.0; n]);
        let mut jacobian = vec![0.0; n * r];
        let mut damping = 1e-6;
        let mut value = self.residuals(y, x, &mut res, Some(&mut jacobian));
        for _ in 0..steps {
            let Some(step) = damped_step(&jacobian, &res, r, damping) else {
                return;
            };
            let trial: Vec<f64> = x.iter().zip(&step).map(|(a, b)| a + b).collect();
            let found = self.residuals(y, &trial, &mut trial_res, None);
            if found < value {
                x.copy_from_slice(&trial);
                damping = (damping / 5.0).max(1e-16);
                value = self.residuals(y, x, &mut res, Some(&mut jacobian));
            } else {
                damping *= 30.0;
            }
        }
    }
}

/// The step `p` of `(J'J + damping tr(J'J) I) p = J'e`, for `J` in rows of `r`; `None` when the matrix is not definite.
pub(in crate::learn) fn damped_step(
    jacobian: &[f64],
    residual: &[f64],
    r: usize,
    damping: f64,
) -> Option<Vec<f64>> {
    let (mut normal, mut step) = (vec![0.0; r * r], vec![0.0; r]);
    for (row, e) in jacobian.chunks_exact(r).zip(residual) {
        for i in 0..r {
            step[i] += row[i] * e;
            (0..=i).for_each(|j| normal[i * r + j] += row[i] * row[j]);
        }
    }
    let trace: f64 = (0..r).map(|i| normal[i * r + i]).sum();
    (0..r).for_each(|i| normal[i * r + i] += damping * trace + f64::MIN_POSITIVE);
    solve_small(&mut normal, &mut step, r).then_some(step)
}

/// Solves a small positive definite system in place (Cholesky, lower triangle); false when it is not one.
pub(in crate::learn) fn solve_small(a: &mut [f64], x: &mut [f64], n: usize) -> bool {
    for j in 0..n {
        for k in 0..j {
            for i in j..n {
                a[i * n + j] -= a[i * n + k] * a[j * n + k];
            }
        }
        let d = a[j * n + j];
        if !(d > 0.0 && d.is_finite()) {
            return false;
        }
        let s = d.sqrt();
        (j..n).for_each(|i| a[i * n + j] /= s);
    }
    for i in 0..n {
        let s: f64 = (0..i).map(|k| a[i * n + k] * x[k]).sum();
        x[i] = (x[i] - s) / a[i * n + i];
    }
    for i in (0..n).rev() {
        let s: f64 = (i + 1..n).map(|k| a[k * n + i] * x[k]).sum();
        x[i] = (x[i] - s) / a[i * n + i];
    }
    true
}
