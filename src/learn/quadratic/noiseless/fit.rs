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

use super::latent_of_sample::LatentSolver;
use crate::Error;
use crate::learn::quadratic::whitened::map::WhiteMap;
use crate::linalg::{frobenius, lstsq, symmetric_eigen, thin_svd};
use crate::run::{Observer, Progress};
use faer::{Mat, MatRef};
use rayon::prelude::*;
use std::collections::VecDeque;

const OP: &str = "Quadratic::learn";
/// Relative residual at which the variety is fitted: below it, rounding of the data to single precision and the like
/// biases nothing that samples can tell.
pub(in crate::learn) const EXACT: f64 = 1e-6;
const MAX_SWEEPS: usize = 80;
/// Pairs of iterates that the acceleration remembers.
const MEMORY: usize = 8;
/// Gauss-Newton steps for the latents: at the start, and in each sweep.
const FIRST_STEPS: usize = 30;
const SWEEP_STEPS: usize = 3;
/// Sweeps without a better residual before giving up.
const PATIENCE: usize = 25;

/// How the polish ended.
#[derive(Clone, Debug)]
pub(in crate::learn) struct Polish {
    /// The map after the change of `x`; meaningful when the residual is that of an exact fit.
    pub(in crate::learn) map: WhiteMap,
    /// Relative residual of the variety.
    pub(in crate::learn) residual: f64,
    pub(in crate::learn) sweeps: usize,
}

impl WhiteMap {
    /// Fits this map to rows `y` (`m x N`, each a sample) and fixes the change of `x` by the mean of `y`, which
    /// is zero by centring. Rows within `exact` lie on the variety.
    pub(in crate::learn) fn polish(
        self,
        y: MatRef<'_, f64>,
        exact: f64,
        observer: Observer<'_>,
    ) -> Result<Polish, Error> {
        let places = Self::places(self.rank);
        let mut latents = self.first_latents(y, &places)?;
        self.latents(y, &places, &mut latents, FIRST_STEPS);
        let mut polish = self.polish_from(y, latents, observer)?;
        if polish.residual <= exact {
            polish.map = polish.map.standardised()?;
        }
        Ok(polish)
    }

    /// Fits this map to rows `y` from latents near theirs; the change of `x` stays open.
    pub(in crate::learn) fn polish_from(
        self,
        y: MatRef<'_, f64>,
        mut latents: Vec<Vec<f64>>,
        observer: Observer<'_>,
    ) -> Result<Polish, Error> {
        let places = Self::places(self.rank);
        let norm = frobenius(y);
        let mut map = self;
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
        Ok(Polish {
            map,
            residual,
            sweeps,
        })
    }

    /// Latents from the linear inverse of the map: `x x'` is rank one up to noise, and with a linear part `x`
    /// itself is read off.
    pub(in crate::learn) fn first_latents(
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
    pub(in crate::learn) fn latents(
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

    /// `|C f(x) + c - y|` over all rows.
    pub(in crate::learn) fn residual(
        &self,
        y: MatRef<'_, f64>,
        places: &[(usize, usize)],
        x: &[Vec<f64>],
    ) -> f64 {
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
