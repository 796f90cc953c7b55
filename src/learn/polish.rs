//! From moments to the likelihood: noiseless samples of a quadratic map lie on a variety.
//!
//! Samples `y = C f(x) + c` with `f(x) = (svec(x x'), sqrt2 x)` fill an `r`-dimensional variety in `R^N`, and a
//! map that reproduces a few hundred of them exactly is the hidden one up to a linear change of `x`. So, from
//! the start that the moments give, alternate
//!
//! - the latent of each sample, by Gauss-Newton on `|y - C f(x) - c|^2`, and
//! - `C, c`, by one linear least squares,
//!
//! with Anderson acceleration, until the residual is rounding. The change of `x` that is left is fixed by
//! `x ~ N(0, I)`: because `f(x) = C^+ (y - c)` is linear in `y`, the mean of `x x'` over **all** samples is
//! read off the mean of `y`, and its Cholesky factor is the change. The parameter error is then that of
//! estimating the covariance of `x` from observed `x`: the statistical floor.
//!
//! With observation noise the residual stays at the noise, and the answer would be biased: the caller keeps
//! the moments and reports the residual.

use crate::Error;
use crate::linalg::{frobenius, lstsq, solve, symmetric_eigen, thin_svd};
use crate::observe::{Observer, Progress};
use faer::{Mat, MatRef};
use rayon::prelude::*;
use std::collections::VecDeque;

const OP: &str = "Quadratic::learn";
/// Relative residual at which the variety is fitted: below it, rounding of the data to single precision and the like
/// biases nothing that samples can tell.
pub(super) const EXACT: f64 = 1e-6;
const MAX_SWEEPS: usize = 80;
/// Pairs of iterates that the acceleration remembers.
const MEMORY: usize = 8;
/// Gauss-Newton steps for the latents: at the start, and in each sweep.
const FIRST_STEPS: usize = 30;
const SWEEP_STEPS: usize = 3;
/// Sweeps without a better residual before giving up.
const PATIENCE: usize = 25;

/// A quadratic map in white coordinates: `y_k = x' Q_k x + b_k' x + c_k`.
#[derive(Clone, Debug)]
pub(super) struct WhiteMap {
    pub(super) rank: usize,
    pub(super) linear: bool,
    /// `N x (features + 1)`: coefficients of `svec(x x')`, then of `sqrt2 x`, then the constant.
    pub(super) coefficients: Mat<f64>,
}

/// How the polish ended.
#[derive(Clone, Debug)]
pub(super) struct Polish {
    /// The map after the change of `x`; meaningful when `residual <= EXACT`.
    pub(super) map: WhiteMap,
    /// Relative residual of the variety.
    pub(super) residual: f64,
    pub(super) sweeps: usize,
}

impl WhiteMap {
    fn features(&self) -> usize {
        let r = self.rank;
        r * (r + 1) / 2 + if self.linear { r } else { 0 }
    }

    /// `(i, j)` of each quadratic feature, `i <= j`, diagonal first: the order of the Peirce frame.
    pub(super) fn places(rank: usize) -> Vec<(usize, usize)> {
        let diagonal = (0..rank).map(|i| (i, i));
        diagonal
            .chain((1..rank).flat_map(|j| (0..j).map(move |i| (i, j))))
            .collect()
    }

    fn row(&self, x: &[f64], places: &[(usize, usize)]) -> Vec<f64> {
        let root2 = 2f64.sqrt();
        let mut f: Vec<f64> = places
            .iter()
            .map(|&(i, j)| {
                if i == j {
                    x[i] * x[i]
                } else {
                    root2 * x[i] * x[j]
                }
            })
            .collect();
        if self.linear {
            f.extend(x.iter().map(|v| root2 * v));
        }
        f.push(1.0);
        f
    }

    /// Fits this map to rows `y` (`m x N`, each a sample) and fixes the change of `x` by the mean of `y`, which
    /// is zero by centring.
    pub(super) fn polish(
        self,
        y: MatRef<'_, f64>,
        observer: Observer<'_>,
    ) -> Result<Polish, Error> {
        let places = Self::places(self.rank);
        let norm = frobenius(y);
        let mut map = self;
        let mut latents = map.first_latents(y, &places)?;
        map.latents(y, &places, &mut latents, FIRST_STEPS);
        let mut best = (map.residual(y, &places, &latents) / norm, map.clone());
        let mut history: VecDeque<(Mat<f64>, Mat<f64>)> = VecDeque::new();
        let (mut sweeps, mut since) = (0, 0);
        while sweeps < MAX_SWEEPS && best.0 > 1e-13 && since < PATIENCE {
            sweeps += 1;
            let p = Progress::of("likelihood", sweeps as u64, MAX_SWEEPS as u64);
            if observer(&p.with_figure(best.0)).is_break() {
                return Err(Error::Stopped { op: OP });
            }
            let plain = map.least_squares(y, &places, &latents)?;
            history.push_back((map.coefficients.clone(), plain.clone()));
            if history.len() > MEMORY {
                history.pop_front();
            }
            map.coefficients = accelerated(&history).unwrap_or(plain);
            map.latents(y, &places, &mut latents, SWEEP_STEPS);
            let residual = map.residual(y, &places, &latents) / norm;
            if residual < 0.9 * best.0 {
                since = 0;
            } else {
                since += 1;
            }
            if residual < best.0 {
                best = (residual, map.clone());
            } else if !(residual < 3.0 * best.0) {
                // The acceleration overshot: forget it.
                history.clear();
            }
        }
        let (residual, map) = best;
        let map = if residual <= EXACT {
            map.standardised()?
        } else {
            map
        };
        Ok(Polish {
            map,
            residual,
            sweeps,
        })
    }

    /// Latents from the linear inverse of the map: `x x'` is rank one up to noise, and with a linear part `x`
    /// itself is read off.
    fn first_latents(
        &self,
        y: MatRef<'_, f64>,
        places: &[(usize, usize)],
    ) -> Result<Vec<Vec<f64>>, Error> {
        let (n, f, r) = (y.ncols(), self.features(), self.rank);
        let c = self.coefficients.subcols(0, f);
        let shifted = Mat::from_fn(n, y.nrows(), |k, i| y[(i, k)] - self.coefficients[(k, f)]);
        let phi = lstsq(OP, c, shifted.as_ref())?;
        let root2 = 2f64.sqrt();
        let mut latents = Vec::with_capacity(y.nrows());
        for i in 0..y.nrows() {
            if self.linear {
                latents.push((0..r).map(|j| phi[(places.len() + j, i)] / root2).collect());
                continue;
            }
            let mut square = Mat::<f64>::zeros(r, r);
            for (k, &(a, b)) in places.iter().enumerate() {
                let v = if a == b {
                    phi[(k, i)]
                } else {
                    phi[(k, i)] / root2
                };
                square[(a, b)] = v;
                square[(b, a)] = v;
            }
            let e = symmetric_eigen(OP, square.as_ref())?;
            let length = e.values[r - 1].max(1e-6).sqrt();
            latents.push((0..r).map(|j| e.vectors[(j, r - 1)] * length).collect());
        }
        Ok(latents)
    }

    /// Gauss-Newton with damping on each latent, in parallel over samples.
    fn latents(
        &self,
        y: MatRef<'_, f64>,
        places: &[(usize, usize)],
        x: &mut [Vec<f64>],
        steps: usize,
    ) {
        let solver = LatentSolver::new(self, places);
        x.par_iter_mut()
            .enumerate()
            .with_min_len(16)
            .for_each(|(i, x)| {
                let target: Vec<f64> = (0..y.ncols()).map(|k| y[(i, k)]).collect();
                solver.descend(&target, x, steps);
            });
    }

    fn residual(&self, y: MatRef<'_, f64>, places: &[(usize, usize)], x: &[Vec<f64>]) -> f64 {
        let phi = self.design(places, x);
        frobenius((phi * self.coefficients.transpose() - y).as_ref())
    }

    fn design(&self, places: &[(usize, usize)], x: &[Vec<f64>]) -> Mat<f64> {
        let rows: Vec<Vec<f64>> = x.iter().map(|x| self.row(x, places)).collect();
        Mat::from_fn(x.len(), self.features() + 1, |i, k| rows[i][k])
    }

    fn least_squares(
        &self,
        y: MatRef<'_, f64>,
        places: &[(usize, usize)],
        x: &[Vec<f64>],
    ) -> Result<Mat<f64>, Error> {
        let solution = lstsq(OP, self.design(places, x).as_ref(), y)?;
        Ok(solution.transpose().to_owned())
    }

    /// The same distribution written with `x ~ N(0, I)`: `x = L x' + m` with the mean `m` and the covariance
    /// `L L'` of the latents of all samples, from `E f(x) = C^+ (0 - c)`.
    fn standardised(&self) -> Result<Self, Error> {
        let (r, f) = (self.rank, self.features());
        let places = Self::places(r);
        let n = self.coefficients.nrows();
        let c = self.coefficients.subcols(0, f);
        let minus = Mat::from_fn(n, 1, |k, _| -self.coefficients[(k, f)]);
        let mean = if n == f {
            solve(OP, c, minus.as_ref())?
        } else {
            lstsq(OP, c, minus.as_ref())?
        };
        let root2 = 2f64.sqrt();
        let shift: Vec<f64> = match self.linear {
            true => (0..r)
                .map(|j| mean[(places.len() + j, 0)] / root2)
                .collect(),
            false => vec![0.0; r],
        };
        let mut cov = Mat::<f64>::zeros(r, r);
        for (k, &(a, b)) in places.iter().enumerate() {
            let v = if a == b {
                mean[(k, 0)]
            } else {
                mean[(k, 0)] / root2
            };
            cov[(a, b)] = v - shift[a] * shift[b];
            cov[(b, a)] = cov[(a, b)];
        }
        let e = symmetric_eigen(OP, cov.as_ref())?;
        if !(e.values[0] > 1e-8 * e.values[r - 1]) {
            let hypothesis = "latents that fill their space (least eigenvalue of their covariance)";
            return Err(Error::degenerate(OP, hypothesis, e.values[0]));
        }
        // Any square root will do: they differ by the gauge.
        let root = Mat::from_fn(r, r, |i, j| e.vectors[(i, j)] * e.values[j].sqrt());
        let mut coefficients = Mat::<f64>::zeros(n, f + 1);
        for k in 0..n {
            let (q, b, constant) = self.form(k, &places);
            let turned = root.transpose() * &q * &root;
            let slope: Vec<f64> = (0..r)
                .map(|i| b[i] + 2.0 * (0..r).map(|j| q[(i, j)] * shift[j]).sum::<f64>())
                .collect();
            for (col, &(i, j)) in places.iter().enumerate() {
                let v = 0.5 * (turned[(i, j)] + turned[(j, i)]);
                coefficients[(k, col)] = if i == j { v } else { root2 * v };
            }
            if self.linear {
                for i in 0..r {
                    let v: f64 = (0..r).map(|j| root[(j, i)] * slope[j]).sum();
                    coefficients[(k, places.len() + i)] = v / root2;
                }
            }
            let along: f64 = (0..r).map(|i| 0.5 * (b[i] + slope[i]) * shift[i]).sum();
            coefficients[(k, f)] = constant + along;
        }
        Ok(Self {
            coefficients,
            ..self.clone()
        })
    }

    /// `Q_k`, `b_k`, `c_k`.
    fn form(&self, k: usize, places: &[(usize, usize)]) -> (Mat<f64>, Vec<f64>, f64) {
        let (r, root2) = (self.rank, 2f64.sqrt());
        let mut q = Mat::<f64>::zeros(r, r);
        for (col, &(i, j)) in places.iter().enumerate() {
            let v = self.coefficients[(k, col)];
            let v = if i == j { v } else { v / root2 };
            q[(i, j)] = v;
            q[(j, i)] = v;
        }
        let b = match self.linear {
            true => (0..r)
                .map(|i| root2 * self.coefficients[(k, places.len() + i)])
                .collect(),
            false => vec![0.0; r],
        };
        (q, b, self.coefficients[(k, self.features())])
    }
}

/// Anderson acceleration: the combination of the last steps with the least residual `g - x`.
fn accelerated(history: &VecDeque<(Mat<f64>, Mat<f64>)>) -> Option<Mat<f64>> {
    let m = history.len();
    if m < 2 {
        return None;
    }
    let (rows, cols) = (history[0].0.nrows(), history[0].0.ncols());
    let gap = |k: usize, i: usize| {
        history[k].1[(i % rows, i / rows)] - history[k].0[(i % rows, i / rows)]
    };
    let size = rows * cols;
    let differences = Mat::from_fn(size, m - 1, |i, k| gap(k + 1, i) - gap(k, i));
    let svd = thin_svd(OP, differences.as_ref()).ok()?;
    let cut = 1e-10 * svd.s.first().copied()?;
    let last = Mat::from_fn(size, 1, |i, _| gap(m - 1, i));
    let mut w = svd.u.transpose() * last;
    for (k, &s) in svd.s.iter().enumerate() {
        w[(k, 0)] *= if s > cut { 1.0 / s } else { 0.0 };
    }
    let weights = &svd.v * w;
    let mut next = history[m - 1].1.clone();
    for k in 0..m - 1 {
        let step = &history[k + 1].1 - &history[k].1;
        next = Mat::from_fn(rows, cols, |i, j| {
            next[(i, j)] - weights[(k, 0)] * step[(i, j)]
        });
    }
    let finite = frobenius(next.as_ref()).is_finite();
    finite.then_some(next)
}

/// The forms of all coordinates, laid out for one sample at a time.
struct LatentSolver {
    r: usize,
    /// `N` blocks of `r*r`, then `b`, then `c`.
    q: Vec<f64>,
    b: Vec<f64>,
    c: Vec<f64>,
}

impl LatentSolver {
    fn new(map: &WhiteMap, places: &[(usize, usize)]) -> Self {
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
    fn residuals(
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

    fn descend(&self, y: &[f64], x: &mut [f64], steps: usize) {
        let (r, n) = (self.r, self.c.len());
        let (mut res, mut trial_res) = (vec![0.0; n], vec![0.0; n]);
        let mut jacobian = vec![0.0; n * r];
        let mut damping = 1e-6;
        let mut value = self.residuals(y, x, &mut res, Some(&mut jacobian));
        for _ in 0..steps {
            let mut normal = vec![0.0; r * r];
            let mut step = vec![0.0; r];
            for (row, e) in jacobian.chunks_exact(r).zip(&res) {
                for i in 0..r {
                    step[i] += row[i] * e;
                    for j in 0..=i {
                        normal[i * r + j] += row[i] * row[j];
                    }
                }
            }
            let trace: f64 = (0..r).map(|i| normal[i * r + i]).sum();
            (0..r).for_each(|i| normal[i * r + i] += damping * trace + f64::MIN_POSITIVE);
            if !solve_small(&mut normal, &mut step, r) {
                return;
            }
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

/// Solves a small positive definite system in place (Cholesky, lower triangle); false when it is not one.
pub(super) fn solve_small(a: &mut [f64], x: &mut [f64], n: usize) -> bool {
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
