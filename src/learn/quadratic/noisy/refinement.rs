//! From moments to the likelihood when the outputs are noisy: fit, choice, and a test that sees every row.
//!
//! The noise is isotropic in the scaled outputs, so the fit runs in an orthonormal basis of what they span. First a
//! part of the samples, then all of them. The likelihood of held-out rows decides between its map and that of the moments; and
//! it is compared with the likelihood of fresh draws from the map chosen, which tells noise or a law that is not the
//! one assumed.

use super::likelihood::{Bank, Effort, NoisyMap};
use crate::Error;
use crate::fit::Check;
use crate::io::samples::Samples;
use crate::learn::quadratic::whitened::map::WhiteMap;
use crate::learn::quadratic::whitened::third_cumulants::WhiteRows;
use crate::linalg::{frobenius, thin_qr};
use crate::run::Observer;
use faer::{Mat, MatRef};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

const OP: &str = "Quadratic::learn";
/// Numbers kept in memory for the fit; beyond, rows are taken evenly.
const MOST_ENTRIES: usize = 1 << 23;
/// Rows of the first part, times the square of the latent dimension.
const PART: usize = 150;
/// Rows whose likelihood is compared.
const COMPARED: usize = 20_000;
/// Bound on the z-score of the mean log-likelihood of held-out rows, whose tails are those of `|x|^2`.
const MAX_Z: f64 = 6.0;
/// Kolmogorov's distance of one statistic, false alarm about 1e-5.
const MAX_DISTANCE: f64 = 2.5;

/// What the likelihood makes of noisy samples.
pub(in crate::learn) struct NoisyStep {
    /// In an orthonormal basis of the scaled outputs.
    pub(in crate::learn) map: WhiteMap,
    /// From that basis to the scaled outputs.
    pub(in crate::learn) up: Mat<f64>,
    /// Of the noise, in units of each output's variance.
    pub(in crate::learn) variance: f64,
    /// Whether the likelihood was preferred to the moments.
    pub(in crate::learn) better: bool,
    pub(in crate::learn) sweeps: usize,
    pub(in crate::learn) checks: Vec<Check>,
}

impl NoisyStep {
    /// From the map of the moments in white coordinates (`up` leads back to the scaled outputs). A `noise` that is known
    /// stays; one that is not is the start of its estimate, and `None` starts from how far the samples are from
    /// the map.
    pub(in crate::learn) fn run(
        samples: &Samples,
        (rows, up): (&WhiteRows, &Mat<f64>),
        moments: &WhiteMap,
        (noise, known): (Option<f64>, bool),
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Self, Error> {
        let (basis, _) = thin_qr(OP, up.as_ref())?;
        let (n, r) = (basis.ncols(), moments.rank);
        let rows = WhiteRows {
            down: basis.clone(),
            ..rows.clone()
        };
        let held_rows = WhiteRows {
            split: rows.split.other(),
            ..rows.clone()
        };
        let start = WhiteMap {
            coefficients: basis.transpose() * up * &moments.coefficients,
            ..moments.clone()
        };
        let bank = Bank::new(r, rng);
        let part = rows.spread(samples, (PART * r * r).max(2000), 0)?;
        let part = MatRef::from_row_major_slice(&part, part.len() / n, n);
        let begin = match noise {
            Some(variance) => variance,
            None => distance_to(&start, part)?,
        };
        let mut fitted = NoisyMap {
            map: start.clone(),
            variance: begin,
        };
        let all = rows.spread(samples, MOST_ENTRIES / n, 0)?;
        let all = MatRef::from_row_major_slice(&all, all.len() / n, n);
        let first = Effort {
            sweeps: 40,
            tol: 1e-3,
            noise_known: known,
        };
        let mut sweeps = fitted.fit(part, &bank, first, observer)?;
        // A small part of the sampling error, and of the noise: what the map misses beyond is taken for noise.
        let share = (fitted.variance * (all.nrows() * n) as f64).sqrt() / frobenius(all);
        let last = Effort {
            sweeps: 150,
            tol: 0.05 * (1.0 / all.nrows() as f64).sqrt().min(share),
            ..first
        };
        sweeps += fitted.fit(all, &bank, last, observer)?;

        let held = held_rows.spread(samples, COMPARED, 0)?;
        let held = MatRef::from_row_major_slice(&held, held.len() / n, n);
        let before = NoisyMap {
            map: start,
            variance: noise.unwrap_or(fitted.variance),
        };
        let (old, new) = (
            before.log_likelihood(held, &bank)?,
            fitted.log_likelihood(held, &bank)?,
        );
        let gain = mean(&new) - mean(&old);
        let better = gain > 0.0;
        let (chosen, seen) = if better { (fitted, new) } else { (before, old) };
        let drawn = chosen.draw(held.nrows(), rng);
        let drawn = MatRef::from_row_major_slice(&drawn, held.nrows(), n);
        let fresh = chosen.log_likelihood(drawn, &bank)?;
        let checks = vec![
            Check::reported(
                "quadratic.likelihood-gain",
                "log-likelihood of a held-out sample: likelihood fit over moments",
                gain,
            ),
            Check::sampling(
                "quadratic.likelihood-z",
                "log-likelihood of held-out samples against fresh draws: z-score",
                z_score(&seen, &fresh),
                MAX_Z,
            ),
            Check::sampling(
                "quadratic.likelihood-distance",
                "log-likelihood of held-out samples against fresh draws: distance of their distributions, in standard units",
                kolmogorov(seen, fresh),
                MAX_DISTANCE,
            ),
        ];
        Ok(Self {
            map: chosen.map,
            up: basis,
            variance: chosen.variance,
            better,
            sweeps,
            checks,
        })
    }
}

impl NoisyMap {
    /// `n` rows of the law.
    fn draw(&self, n: usize, rng: &mut impl Rng) -> Vec<f64> {
        let (places, r) = (WhiteMap::places(self.map.rank), self.map.rank);
        let c = &self.map.coefficients;
        let mut rows = Vec::with_capacity(n * c.nrows());
        for _ in 0..n {
            let x: Vec<f64> = (0..r).map(|_| StandardNormal.sample(&mut *rng)).collect();
            let f = self.map.row(&x, &places);
            for k in 0..c.nrows() {
                let e: f64 = StandardNormal.sample(&mut *rng);
                let value: f64 = f.iter().enumerate().map(|(l, f)| c[(k, l)] * f).sum();
                rows.push(value + self.variance.sqrt() * e);
            }
        }
        rows
    }
}

/// The variance of the noise that explains how far the rows are from the map, each in its best latent.
fn distance_to(map: &WhiteMap, y: MatRef<'_, f64>) -> Result<f64, Error> {
    let places = WhiteMap::places(map.rank);
    let mut x = map.first_latents(y, &places)?;
    map.latents(y, &places, &mut x, 30);
    let free = y.nrows() * (y.ncols() - map.rank);
    Ok(map.residual(y, &places, &x).powi(2) / free as f64)
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

/// Of the difference of two means.
fn z_score(a: &[f64], b: &[f64]) -> f64 {
    let spread = |x: &[f64]| {
        let m = mean(x);
        x.iter().map(|v| (v - m).powi(2)).sum::<f64>() / (x.len() as f64).powi(2)
    };
    (mean(a) - mean(b)).abs() / (spread(a) + spread(b)).sqrt()
}

/// Kolmogorov's distance of two samples, times the root of `n m / (n + m)`.
fn kolmogorov(mut a: Vec<f64>, mut b: Vec<f64>) -> f64 {
    a.sort_by(f64::total_cmp);
    b.sort_by(f64::total_cmp);
    let (n, m) = (a.len() as f64, b.len() as f64);
    let (mut j, mut worst) = (0, 0.0f64);
    for (i, v) in a.iter().enumerate() {
        while j < b.len() && b[j] <= *v {
            j += 1;
        }
        let other = j as f64 / m;
        let steps = [i as f64 / n - other, (i + 1) as f64 / n - other];
        worst = steps.iter().map(|s| s.abs()).fold(worst, f64::max);
    }
    worst * (n * m / (n + m)).sqrt()
}
