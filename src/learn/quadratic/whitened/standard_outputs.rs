//! The outputs that vary, and rows of them in white coordinates.

use super::map::WhiteMap;
use super::third_cumulants::WhiteRows;
use crate::Error;
use crate::fit::Check;
use crate::io::samples::Samples;
use crate::learn::quadratic::noiseless::fit::{EXACT, Polish};
use crate::run::Observer;
use crate::stats::goodness::rounding::rounding;
use crate::stats::goodness::rows::first_rows;
use crate::stats::split::Split;
use crate::stats::{MomentSummary, Moments};
use crate::tensor::{QuadraticMap, SymmetricRing};
use faer::Mat;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

const OP: &str = "Quadratic::learn";
/// Parts of the samples that the polish is tried on.
const ATTEMPTS: usize = 3;
/// Directions in white coordinates along which the model is tested, beside the outputs themselves.
const TEST_DIRECTIONS: usize = 12;
/// Outputs that are tested one by one.
const TEST_OUTPUTS: usize = 8;

/// The outputs that vary, scaled to unit variance, with their mean and covariance.
pub(in crate::learn) struct Outputs {
    pub(in crate::learn) columns: usize,
    pub(in crate::learn) active: Vec<usize>,
    /// Multiplier of each active column.
    pub(in crate::learn) scale: Vec<f64>,
    pub(in crate::learn) summary: MomentSummary,
    /// Mean of every column, in the units of the data.
    mean: Vec<f64>,
    /// Standard deviation of the rounding of every column, in the units of the data.
    pub(in crate::learn) rounding: Vec<f64>,
}

impl Outputs {
    pub(in crate::learn) fn of(
        samples: &Samples,
        split: Split,
        observer: Observer<'_>,
    ) -> Result<Self, Error> {
        let all = Self::near_one(samples, split);
        let prepare = |chunk: &_, out: &mut Vec<f64>| all.scaled(chunk, out);
        let width = (samples.columns(), false);
        let moments = Moments::of_samples(samples, width, &prepare, observer)?;
        Self::of_moments(samples, &all, &moments)
    }

    /// All columns, as their moments are summed: near one.
    pub(in crate::learn) fn near_one(samples: &Samples, split: Split) -> WhiteRows {
        let d = samples.columns();
        // Powers of two bring every column near one, so that squares neither overflow nor vanish.
        let near_one = |x: f64| {
            if x > 0.0 {
                2f64.powi(-(x.log2().floor().max(-1000.0) as i32))
            } else {
                1.0
            }
        };
        WhiteRows {
            active: (0..d).collect(),
            scale: samples.max_abs().iter().map(|&x| near_one(x)).collect(),
            mean: vec![0.0; d],
            down: Mat::zeros(d, 0),
            split,
            exact: EXACT,
        }
    }

    /// What `moments` of the rows of [`Self::near_one`] say; `samples` show the rounding.
    pub(in crate::learn) fn of_moments(
        samples: &Samples,
        all: &WhiteRows,
        moments: &Moments,
    ) -> Result<Self, Error> {
        let (d, first) = (samples.columns(), &all.scale);
        let raw = moments.summary()?;
        let cov = raw.covariance();
        let mean = (0..d).map(|a| raw.mean()[a] / first[a]).collect();
        // Below the square of this, the variance is the rounding of a constant.
        let varies = |a: &usize| cov[(*a, *a)].sqrt() > 1e-13;
        let active: Vec<usize> = (0..d).filter(varies).collect();
        if active.is_empty() {
            return Err(Error::degenerate(
                OP,
                "at least one output that varies (number of such outputs)",
                0.0,
            ));
        }
        let unit = |a: usize| 1.0 / cov[(a, a)].sqrt();
        let scale: Vec<f64> = active.iter().map(|&a| first[a] * unit(a)).collect();
        // Scaling moves the sums exactly as it moves the rows: no second pass is needed.
        let summary = raw.rescaled(
            &active,
            &active.iter().map(|&a| unit(a)).collect::<Vec<_>>(),
        );
        Ok(Self {
            columns: d,
            active,
            scale,
            summary,
            mean,
            rounding: rounding(&first_rows(samples)?, d),
        })
    }

    /// The mean of every column, in units of the data.
    pub(in crate::learn) fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Standard deviations of noise whose variance is the given share of each output's, in units of the data.
    pub(in crate::learn) fn noise(&self, variance: f64) -> Vec<f64> {
        let mut out = vec![0.0; self.columns];
        for (&a, s) in self.active.iter().zip(&self.scale) {
            out[a] = variance.sqrt() / s;
        }
        out
    }

    /// Those of noise and rounding together.
    pub(in crate::learn) fn noise_and_rounding(&self, variance: f64) -> Vec<f64> {
        let noise = self.noise(variance);
        noise
            .iter()
            .zip(&self.rounding)
            .map(|(a, b)| a.hypot(*b))
            .collect()
    }

    /// Mean variance of the rounding, as a share of that of each output.
    pub(in crate::learn) fn rounding_variance(&self) -> f64 {
        let share = |(&a, s): (&usize, &f64)| (self.rounding[a] * s).powi(2);
        let sum: f64 = self.active.iter().zip(&self.scale).map(share).sum();
        sum / self.active.len() as f64
    }

    /// The rounding as evidence, where there is one.
    pub(in crate::learn) fn rounding_note(&self) -> Option<Check> {
        let share = |(&a, s): (&usize, &f64)| self.rounding[a] * s;
        let worst = self
            .active
            .iter()
            .zip(&self.scale)
            .map(share)
            .fold(0.0, f64::max);
        let label =
            "rounding of the samples as they are written, as a share of the standard deviation";
        (worst > 1e-12).then(|| Check::reported("quadratic.rounding", label, worst))
    }

    /// `E zz'` of the scaled outputs that vary, about the origin.
    pub(in crate::learn) fn raw_second(&self) -> Mat<f64> {
        let (cov, mean) = (self.summary.covariance(), self.summary.mean());
        let n = self.summary.count() as f64;
        let m = self.active.len();
        Mat::from_fn(m, m, |i, j| cov[(i, j)] * (n - 1.0) / n + mean[i] * mean[j])
    }

    /// The map in the units of the data, constants included.
    pub(in crate::learn) fn read_off(
        &self,
        white: &WhiteMap,
        up: &Mat<f64>,
    ) -> Result<QuadraticMap, Error> {
        let (d, r) = (self.columns, white.rank);
        let rows = up * &white.coefficients;
        let m = r * (r + 1) / 2;
        let root2 = 2f64.sqrt();
        let mut cores = vec![0.0; d * r * r];
        let mut slopes = vec![0.0; d * r];
        let mut constant = self.mean.clone();
        for (row, (&a, s)) in self.active.iter().zip(&self.scale).enumerate() {
            for j in 0..r {
                for i in 0..=j {
                    let x = rows[(row, if i == j { i } else { r + j * (j - 1) / 2 + i })] / s;
                    let x = if i == j { x } else { x / root2 };
                    cores[(a * r + i) * r + j] = x;
                    cores[(a * r + j) * r + i] = x;
                }
                constant[a] -= cores[(a * r + j) * r + j];
                if white.linear {
                    slopes[a * r + j] = rows[(row, m + j)] * root2 / s;
                }
            }
        }
        QuadraticMap::new(SymmetricRing::new(r, cores)?, slopes, constant)
    }

    /// The inverse of [`Self::read_off`]: a map in the units of the data as it is in the white coordinates of `rows`.
    pub(in crate::learn) fn in_white(
        &self,
        map: &QuadraticMap,
        linear: bool,
        rows: &WhiteRows,
    ) -> WhiteMap {
        let r = map.latent_dim();
        let places = WhiteMap::places(r);
        let (m, root2) = (places.len(), 2f64.sqrt());
        let features = m + if linear { r } else { 0 };
        let mut scaled = Mat::<f64>::zeros(self.active.len(), features + 1);
        for (row, (&a, s)) in self.active.iter().zip(&self.scale).enumerate() {
            for (col, &(i, j)) in places.iter().enumerate() {
                let weight = if i == j { 1.0 } else { root2 };
                scaled[(row, col)] = weight * s * map.quadratic().entry(a, i, j);
            }
            for j in 0..features - m {
                scaled[(row, m + j)] = s * map.linear(a)[j] / root2;
            }
            scaled[(row, features)] = s * map.constant()[a] - rows.mean[row];
        }
        WhiteMap {
            rank: r,
            linear,
            coefficients: rows.down.transpose() * scaled,
        }
    }
}

impl WhiteRows {
    /// Fits the variety of a spread-out part of the samples, from the map of the moments; another part is
    /// tried when one leads nowhere.
    pub(in crate::learn) fn polish(
        &self,
        samples: &Samples,
        start: WhiteMap,
        observer: Observer<'_>,
    ) -> Result<Polish, Error> {
        let n = self.down.ncols();
        let wanted = (28 * start.rank * start.rank).clamp(200, 3000).max(3 * n);
        let mut best: Option<Polish> = None;
        for attempt in 0..ATTEMPTS {
            let y = self.spread(samples, wanted, attempt)?;
            let y = faer::MatRef::from_row_major_slice(&y, y.len() / n, n);
            let polish = start.clone().polish(y, self.exact, observer)?;
            let done = polish.residual <= self.exact;
            if best.as_ref().is_none_or(|b| polish.residual < b.residual) {
                best = Some(polish);
            }
            if done {
                break;
            }
        }
        best.ok_or(Error::Stopped { op: OP })
    }

    /// White coordinates of about `wanted` learning rows, spread evenly over the sample.
    pub(in crate::learn) fn spread(
        &self,
        samples: &Samples,
        wanted: usize,
        attempt: usize,
    ) -> Result<Vec<f64>, Error> {
        let share = 1.0 - self.split.share();
        let every = ((samples.rows() as f64 * share / wanted as f64) as usize).max(1);
        let n = self.down.ncols();
        let (mut out, mut seen) = (Vec::with_capacity(wanted * n), 0usize);
        for chunk in samples.chunks(4096) {
            let mut y = Vec::new();
            self.white(&chunk?, &mut y);
            for row in y.chunks_exact(n) {
                if seen % every == attempt % every && out.len() < wanted * n {
                    out.extend_from_slice(row);
                }
                seen += 1;
            }
        }
        Ok(out)
    }

    /// Directions for the test, as columns over all outputs: random ones in white coordinates, then outputs.
    pub(in crate::learn) fn test_directions(&self, columns: usize, rng: &mut impl Rng) -> Mat<f64> {
        let n = self.down.ncols();
        let single = self.active.len().min(TEST_OUTPUTS);
        let mut out = Mat::zeros(columns, TEST_DIRECTIONS + single);
        for k in 0..TEST_DIRECTIONS {
            let u: Vec<f64> = (0..n).map(|_| StandardNormal.sample(&mut *rng)).collect();
            for (row, (&a, s)) in self.active.iter().zip(&self.scale).enumerate() {
                let w: f64 = (0..n).map(|j| self.down[(row, j)] * u[j]).sum();
                out[(a, k)] = w * s;
            }
        }
        for k in 0..single {
            out[(self.active[k], TEST_DIRECTIONS + k)] = self.scale[k];
        }
        out
    }
}
