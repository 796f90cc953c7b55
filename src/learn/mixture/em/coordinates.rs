//! Coordinates in which climbs are made, one for each way in which a family moves with the columns.
//!
//! Full and shared covariances are equivariant under every affine map: they are fitted in white coordinates. Diagonal
//! families know scalings of columns only, spherical ones and those of equal shape rotations and one scale; these are
//! fitted in columns of standard deviation one, and in the columns as they are.

use super::covariance_kind::CovarianceKind;
use crate::Error;
use crate::learn::mixture::gaussian::{Component, GaussianMixture};
use crate::learn::mixture::whitening::Whitening;
use faer::Mat;

/// Under which maps of the columns the fit of a family is the map of the fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::learn::mixture) enum Group {
    /// All invertible ones.
    Affine,
    /// Another unit for each column.
    Scalings,
    /// Rotations and one unit.
    Motions,
}

impl Group {
    pub(in crate::learn::mixture) const ALL: [Self; 3] =
        [Self::Affine, Self::Scalings, Self::Motions];

    pub(in crate::learn::mixture) fn of(kind: CovarianceKind) -> Self {
        match kind {
            CovarianceKind::Shared | CovarianceKind::Full => Self::Affine,
            CovarianceKind::SharedDiagonal | CovarianceKind::Diagonal => Self::Scalings,
            CovarianceKind::SharedSpherical
            | CovarianceKind::Spherical
            | CovarianceKind::EqualShape => Self::Motions,
        }
    }
}

/// `y = down (x - centre)` and back, `x = centre + up y`.
#[derive(Clone, Debug)]
pub(in crate::learn::mixture) struct Coordinates {
    centre: Vec<f64>,
    down: Mat<f64>,
    up: Mat<f64>,
    /// `log |det down|`: what a log-density gains on the way back.
    pub(in crate::learn::mixture) log_volume: f64,
}

impl Coordinates {
    pub(in crate::learn::mixture) fn of(group: Group, w: &Whitening) -> Self {
        let dim = w.centre.len();
        let diagonal = |scale: &dyn Fn(usize) -> f64| {
            let unit = |a: usize, b: usize| f64::from(u8::from(a == b));
            Self {
                centre: w.centre.clone(),
                down: Mat::from_fn(dim, dim, |a, b| unit(a, b) / scale(a)),
                up: Mat::from_fn(dim, dim, |a, b| unit(a, b) * scale(a)),
                log_volume: -(0..dim).map(|a| scale(a).ln()).sum::<f64>(),
            }
        };
        match group {
            Group::Motions => {
                // One scale for all, without squares that overflow.
                let most = w.scales.iter().fold(0.0f64, |m, s| m.max(*s));
                let square: f64 = w.scales.iter().map(|s| (s / most).powi(2)).sum();
                let scale = most * (square / dim as f64).sqrt();
                diagonal(&|_| scale)
            }
            Group::Scalings => diagonal(&|a| w.scales[a]),
            Group::Affine => {
                let logs = w.scales.iter().chain(&w.spreads).map(|s| s.ln());
                Self {
                    centre: w.centre.clone(),
                    down: Mat::from_fn(dim, dim, |k, a| {
                        w.axes[(a, k)] / w.spreads[k] / w.scales[a]
                    }),
                    up: Mat::from_fn(dim, dim, |a, k| w.scales[a] * w.axes[(a, k)] * w.spreads[k]),
                    log_volume: -logs.sum::<f64>(),
                }
            }
        }
    }

    /// Entry of the matrix that leads here.
    pub(in crate::learn::mixture) fn down(&self, k: usize, a: usize) -> f64 {
        self.down[(k, a)]
    }

    /// Rows seen from here.
    pub(in crate::learn::mixture) fn enter(&self, rows: &[f64]) -> Vec<f64> {
        let dim = self.centre.len();
        let mut out = Vec::with_capacity(rows.len());
        let mut gap = vec![0.0; dim];
        for row in rows.chunks_exact(dim) {
            for (g, (x, c)) in gap.iter_mut().zip(row.iter().zip(&self.centre)) {
                *g = x - c;
            }
            for k in 0..dim {
                out.push((0..dim).map(|a| self.down[(k, a)] * gap[a]).sum());
            }
        }
        out
    }

    /// A mixture of these coordinates in those of the columns.
    ///
    /// # Errors
    /// As [`GaussianMixture::new`], when a covariance is too thin to be held in the coordinates of the columns.
    pub(in crate::learn::mixture) fn leave(
        &self,
        m: &GaussianMixture,
    ) -> Result<GaussianMixture, Error> {
        moved(m, &self.up, &self.centre)
    }

    /// A mixture of the columns in these coordinates.
    ///
    /// # Errors
    /// As [`GaussianMixture::new`].
    pub(in crate::learn::mixture) fn enter_law(
        &self,
        m: &GaussianMixture,
    ) -> Result<GaussianMixture, Error> {
        let dim = self.centre.len();
        let to: Vec<f64> = (0..dim)
            .map(|k| {
                -(0..dim)
                    .map(|a| self.down[(k, a)] * self.centre[a])
                    .sum::<f64>()
            })
            .collect();
        moved(m, &self.down, &to)
    }

    /// A mixture of other coordinates of the same sample in these.
    ///
    /// # Errors
    /// As [`GaussianMixture::new`].
    pub(in crate::learn::mixture) fn adopt(
        &self,
        m: &GaussianMixture,
        from: &Self,
    ) -> Result<GaussianMixture, Error> {
        let dim = self.centre.len();
        let shift: Vec<f64> = from
            .centre
            .iter()
            .zip(&self.centre)
            .map(|(a, b)| a - b)
            .collect();
        let to: Vec<f64> = (0..dim)
            .map(|k| (0..dim).map(|a| self.down[(k, a)] * shift[a]).sum())
            .collect();
        moved(m, &(&self.down * &from.up), &to)
    }
}

/// The law of `shift + map y` for `y` of law `m`.
fn moved(m: &GaussianMixture, map: &Mat<f64>, shift: &[f64]) -> Result<GaussianMixture, Error> {
    let dim = m.dim();
    let components = m.components().iter().map(|c| {
        let covariance = Mat::from_fn(dim, dim, |a, b| c.covariance[a * dim + b]);
        let image = map * covariance * map.transpose();
        let mean = |a: usize| shift[a] + (0..dim).map(|k| map[(a, k)] * c.mean[k]).sum::<f64>();
        Component {
            weight: c.weight,
            mean: (0..dim).map(mean).collect(),
            covariance: (0..dim * dim)
                .map(|i| 0.5 * (image[(i / dim, i % dim)] + image[(i % dim, i / dim)]))
                .collect(),
        }
    });
    GaussianMixture::new(dim, components.collect())
}
