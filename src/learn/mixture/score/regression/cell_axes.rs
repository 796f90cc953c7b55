//! The coordinates of one cell: where its points lie and how they are scaled.

use crate::Error;
use crate::linalg;
use faer::Mat;
use serde::{Deserialize, Serialize};

/// Principal axes of the points of one cell: `z = D^-1 R' (y - centre)` has about unit covariance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::learn::mixture) struct Frame {
    pub(in crate::learn::mixture) centre: Vec<f64>,
    /// Orthonormal columns, row by row: `axes[a * dim + k]` is coordinate `a` of axis `k`.
    pub(in crate::learn::mixture) axes: Vec<f64>,
    /// Reciprocal standard deviations along the axes.
    pub(in crate::learn::mixture) inverse_scale: Vec<f64>,
}

/// Sums of the points of one cell.
#[derive(Clone, Debug)]
pub(in crate::learn::mixture) struct CellMoments {
    pub(in crate::learn::mixture) count: usize,
    sum: Vec<f64>,
    products: Vec<f64>,
}

impl CellMoments {
    pub(in crate::learn::mixture) fn new(dim: usize) -> Self {
        Self {
            count: 0,
            sum: vec![0.0; dim],
            products: vec![0.0; dim * dim],
        }
    }

    /// Adds `row - origin`; an origin near the points keeps the difference of squares accurate.
    pub(in crate::learn::mixture) fn add(&mut self, row: &[f64], origin: &[f64]) {
        let dim = row.len();
        self.count += 1;
        for a in 0..dim {
            let x = row[a] - origin[a];
            self.sum[a] += x;
            for b in 0..=a {
                self.products[a * dim + b] += x * (row[b] - origin[b]);
            }
        }
    }

    /// The frame; `least` bounds the variances from below.
    pub(in crate::learn::mixture) fn frame(
        &self,
        origin: &[f64],
        least: f64,
    ) -> Result<Frame, Error> {
        let dim = self.sum.len();
        let n = self.count.max(1) as f64;
        let mean: Vec<f64> = self.sum.iter().map(|s| s / n).collect();
        let covariance = Mat::from_fn(dim, dim, |i, j| {
            let (a, b) = (i.max(j), i.min(j));
            self.products[a * dim + b] / n - mean[a] * mean[b]
        });
        let spectrum = linalg::symmetric_eigen("Diffusion::learn", covariance.as_ref())?;
        Ok(Frame {
            centre: mean.iter().zip(origin).map(|(m, o)| m + o).collect(),
            axes: (0..dim * dim)
                .map(|i| spectrum.vectors[(i / dim, i % dim)])
                .collect(),
            inverse_scale: spectrum
                .values
                .iter()
                .map(|v| 1.0 / v.max(least).sqrt())
                .collect(),
        })
    }
}

impl Frame {
    /// `z` of point `i` of a block of `count`, coordinate-major.
    pub(in crate::learn::mixture) fn enter(
        &self,
        row: &[f64],
        i: usize,
        count: usize,
        z: &mut [f64],
    ) {
        let dim = row.len();
        for k in 0..dim {
            let along = (0..dim).map(|a| self.axes[a * dim + k] * (row[a] - self.centre[a]));
            z[k * count + i] = along.sum::<f64>() * self.inverse_scale[k];
        }
    }

    /// A vector in the axes of the frame, without scaling.
    pub(in crate::learn::mixture) fn turn(
        &self,
        vector: &[f64],
        i: usize,
        count: usize,
        out: &mut [f64],
    ) {
        let dim = vector.len();
        for k in 0..dim {
            out[k * count + i] = (0..dim).map(|a| self.axes[a * dim + k] * vector[a]).sum();
        }
    }

    /// Back from the axes of the frame.
    pub(in crate::learn::mixture) fn turn_back(&self, along: &[f64], out: &mut [f64]) {
        let dim = along.len();
        for (out, row) in out.iter_mut().zip(self.axes.chunks_exact(dim)) {
            *out = row.iter().zip(along).map(|(x, v)| x * v).sum();
        }
    }
}
