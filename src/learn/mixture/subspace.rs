//! Principal directions in which a sample is more than noise, and the size of the noise.

use super::em::covariance_kind::CovarianceKind;
use super::em::learner::Em;
use crate::Error;
use crate::linalg;
use crate::run::Observer;
use faer::{Mat, MatRef};
use rand::Rng;
use serde::{Deserialize, Serialize};

const OP: &str = "Diffusion::learn";
/// A factor above the edge of the noise spectrum: its fluctuations are smaller for every size in use.
const MARGIN: f64 = 1.02;
/// Up to this many directions of equal variance are not taken for noise without a look at their law.
const FEW: usize = 6;
/// Rows and components of the small mixture behind an estimate of the noise.
const SAMPLE: usize = 2000;
const COMPONENTS: usize = 8;

/// `x = centre + sigma (U u + noise in the other directions)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Subspace {
    pub(super) centre: Vec<f64>,
    pub(super) sigma: f64,
    /// Orthonormal columns `U`, row by row, `dim x rank`.
    pub(super) axes: Vec<f64>,
    /// Variances along them over `sigma^2`, decreasing.
    pub(super) spectrum: Vec<f64>,
}

impl Subspace {
    /// Directions whose variance exceeds `sigma^2 (1 + sqrt(n/N))^2 * 1.02`, the edge of pure noise.
    ///
    /// # Errors
    /// `Degenerate` when some direction has less variance than the noise alone would.
    pub(super) fn of(
        centre: Vec<f64>,
        covariance: MatRef<'_, f64>,
        rows: usize,
        sigma: f64,
    ) -> Result<Self, Error> {
        let dim = centre.len();
        let spectrum = linalg::symmetric_eigen(OP, covariance)?;
        let s2 = sigma * sigma;
        let ratio = dim as f64 / rows as f64;
        // The lower edge of the noise spectrum, with six standard deviations of one variance.
        let lower = (1.0 - ratio.sqrt()).max(0.0).powi(2) - 6.0 * (2.0 / rows as f64).sqrt();
        let least = spectrum.values.first().copied().unwrap_or(0.0) / s2;
        if rows > dim && least < lower {
            let hypothesis = "every direction to vary at least as much as the noise (least variance over \
                              noise variance); give a smaller noise level";
            return Err(Error::degenerate(OP, hypothesis, least));
        }
        let edge = (1.0 + ratio.sqrt()).powi(2) * MARGIN;
        let kept: Vec<usize> = (0..dim)
            .rev()
            .filter(|&k| spectrum.values[k] > edge * s2)
            .collect();
        let axes = (0..dim).flat_map(|a| kept.iter().map(move |&k| (a, k)));
        Ok(Self {
            axes: axes.map(|(a, k)| spectrum.vectors[(a, k)]).collect(),
            spectrum: kept.iter().map(|&k| spectrum.values[k] / s2).collect(),
            centre,
            sigma,
        })
    }

    /// Keeps every direction, in the order of variance.
    pub(super) fn keep_all(&mut self, covariance: MatRef<'_, f64>) -> Result<(), Error> {
        let dim = self.centre.len();
        let spectrum = linalg::symmetric_eigen(OP, covariance)?;
        let s2 = self.sigma * self.sigma;
        self.spectrum = spectrum.values.iter().rev().map(|v| v / s2).collect();
        let entry = |i: usize| spectrum.vectors[(i / dim, dim - 1 - i % dim)];
        self.axes = (0..dim * dim).map(entry).collect();
        Ok(())
    }

    /// Turns each axis so that the rows are skewed to its positive side: rotated rows then have the same
    /// coordinates, and what is learned from them is the rotated law.
    pub(super) fn orient(&mut self, rows: &[f64]) {
        let rank = self.rank();
        let mut skew = vec![0.0; rank];
        for u in self.enter(rows).chunks_exact(rank.max(1)) {
            skew.iter_mut().zip(u).for_each(|(s, u)| *s += u * u * u);
        }
        for (i, axis) in self.axes.iter_mut().enumerate() {
            if skew[i % rank] < 0.0 {
                *axis = -*axis;
            }
        }
    }

    pub(super) fn dim(&self) -> usize {
        self.centre.len()
    }

    pub(super) fn rank(&self) -> usize {
        self.spectrum.len()
    }

    /// Coordinates `u` of rows in the subspace, in units of the noise.
    pub(super) fn enter(&self, rows: &[f64]) -> Vec<f64> {
        let (dim, rank) = (self.dim(), self.rank());
        let mut out = Vec::with_capacity(rows.len() / dim * rank);
        for row in rows.chunks_exact(dim) {
            for k in 0..rank {
                let along = (0..dim).map(|a| (row[a] - self.centre[a]) * self.axes[a * rank + k]);
                out.push(along.sum::<f64>() / self.sigma);
            }
        }
        out
    }

    /// Rows from coordinates; `noise` has `dim` standard normals for each row, or is empty for no noise in the
    /// other directions.
    pub(super) fn leave(&self, u: &[f64], noise: &[f64], count: usize) -> Vec<f64> {
        let (dim, rank) = (self.dim(), self.rank());
        let mut out = Vec::with_capacity(count * dim);
        let mut gap = vec![0.0; rank];
        for i in 0..count {
            gap.copy_from_slice(&u[i * rank..(i + 1) * rank]);
            let z = noise.get(i * dim..(i + 1) * dim);
            if let Some(z) = z {
                // u + (I - U U') z = U (u - U' z) + z.
                for (k, g) in gap.iter_mut().enumerate() {
                    *g -= (0..dim)
                        .map(|a| self.axes[a * rank + k] * z[a])
                        .sum::<f64>();
                }
            }
            for a in 0..dim {
                let inside: f64 = (0..rank).map(|k| self.axes[a * rank + k] * gap[k]).sum();
                let value = inside + z.map_or(0.0, |z| z[a]);
                out.push(self.centre[a] + self.sigma * value);
            }
        }
        out
    }

    /// `|(I - U U') (row - centre)|^2 / sigma^2`.
    pub(super) fn outside(&self, row: &[f64], u: &[f64]) -> f64 {
        let total: f64 = row
            .iter()
            .zip(&self.centre)
            .map(|(x, c)| (x - c) * (x - c))
            .sum();
        let inside: f64 = u.iter().map(|u| u * u).sum();
        (total / (self.sigma * self.sigma) - inside).max(0.0)
    }
}

/// An estimate of the noise level: the mean of the bulk of the spectrum where there is one, and no more than
/// the thinnest direction of a small mixture fitted to the sample.
///
/// Too small an estimate costs accuracy only near the data's own noise; too large a one does no harm inside
/// the subspace, where any law with a score may be learned.
pub(super) fn noise_level(
    covariance: MatRef<'_, f64>,
    sample: &[f64],
    rows: usize,
    rng: &mut impl Rng,
    observer: Observer<'_>,
) -> Result<f64, Error> {
    let dim = covariance.nrows();
    let values = linalg::symmetric_eigen(OP, covariance)?.values;
    let ratio = dim as f64 / rows as f64;
    let edge = (1.0 + ratio.sqrt()).powi(2) * MARGIN;
    let bulk = |m: usize| values[..m].iter().sum::<f64>() / m as f64;
    let is_bulk = |&m: &usize| m >= 2 && bulk(m) > 0.0 && values[m - 1] <= edge * bulk(m);
    let flat = (1..=dim).rev().find(is_bulk).map(|m| (m, bulk(m)));
    // Many equal variances are noise; a few may be those of a symmetric law, which a small mixture tells.
    if let Some((m, variance)) = flat
        && (m > FEW || dim > 2 * FEW)
    {
        return Ok(variance.sqrt());
    }
    let step = (sample.len() / dim).div_ceil(SAMPLE).max(1);
    let few: Vec<f64> = sample
        .chunks_exact(dim)
        .step_by(step)
        .flatten()
        .copied()
        .collect();
    let count = few.len() / dim;
    let x = Mat::from_fn(count, dim, |i, a| few[i * dim + a]);
    let kinds = [CovarianceKind::SharedSpherical, CovarianceKind::Full];
    let most = COMPONENTS.min(count / (2 * dim + 2)).max(1);
    let em = Em {
        tested: false,
        ..Em::between(1, most).kinds(&kinds).starts(4).tol(1e-2)
    };
    let fit = em.learn_observed(x.as_ref(), rng, observer)?;
    let parts = fit.model.mixture.components();
    if let (Some((_, variance)), true) = (flat, parts.len() == 1) {
        return Ok(variance.sqrt());
    }
    let mut least = flat.map_or(values.first().copied().unwrap_or(0.0), |(_, v)| v);
    for c in fit
        .model
        .mixture
        .components()
        .iter()
        .filter(|c| c.weight >= 0.02)
    {
        let m = Mat::from_fn(dim, dim, |a, b| c.covariance[a * dim + b]);
        let values = linalg::symmetric_eigen(OP, m.as_ref())?.values;
        least = least.min(values.first().copied().unwrap_or(least));
    }
    if least > 0.0 {
        return Ok(least.sqrt());
    }
    let hypothesis =
        "a sample that varies in every direction (least variance); give the noise level";
    Err(Error::degenerate(OP, hypothesis, least))
}
