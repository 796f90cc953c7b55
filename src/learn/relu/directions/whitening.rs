//! Coordinates in which the inputs have unit second moments, and how Gaussian they look there.

use crate::Error;
use crate::learn::relu::OP;
use crate::linalg::symmetric_eigen;
use faer::{Mat, MatRef};

/// `z = transform' x`: inputs of unit second moments, restricted to the directions that occur at all.
///
/// There is no centring: neurons pass through the origin of the inputs, and must go on doing so.
#[derive(Clone, Debug)]
pub(in crate::learn::relu) struct Whitening {
    /// `d x rank`.
    pub transform: Mat<f64>,
    /// Ratio of the greatest to the smallest second moment kept, after scaling columns.
    pub cond: f64,
}

impl Whitening {
    /// From the second moments of the rows of `x`.
    ///
    /// Columns are scaled first, so inputs in different units do not look degenerate; directions with less
    /// than `1e-11` of the greatest second moment after that are taken not to occur.
    pub fn of(x: MatRef<'_, f64>) -> Result<Self, Error> {
        let (n, d) = (x.nrows(), x.ncols());
        let inverse: Vec<f64> = (0..d)
            .map(|j| {
                let column: Vec<f64> = x.col(j).iter().copied().collect();
                let rms = crate::linalg::norm2(&column) / (n.max(1) as f64).sqrt();
                if rms > 0.0 { 1.0 / rms } else { 0.0 }
            })
            .collect();
        let mut moment = Mat::<f64>::zeros(d, d);
        for from in (0..n).step_by(crate::learn::relu::sample::CHUNK) {
            let m = crate::learn::relu::sample::CHUNK.min(n - from);
            let rows = Mat::from_fn(d, m, |i, j| x[(from + j, i)] * inverse[i]);
            moment += &rows * rows.transpose();
        }
        moment *= faer::Scale(1.0 / n.max(1) as f64);
        let eigen = symmetric_eigen(OP, moment.as_ref())?;
        let cut = 1e-11 * eigen.values.last().copied().unwrap_or(0.0);
        let kept: Vec<usize> = (0..d).filter(|&i| eigen.values[i] > cut).collect();
        let transform = Mat::from_fn(d, kept.len(), |i, j| {
            inverse[i] * eigen.vectors[(i, kept[j])] / eigen.values[kept[j]].sqrt()
        });
        let ends = (kept.first(), kept.last());
        let cond = match ends {
            (Some(&a), Some(&b)) => eigen.values[b] / eigen.values[a],
            _ => 1.0,
        };
        Ok(Self { transform, cond })
    }

    /// The rows of `x` listed in `order`, whitened; one sample a column.
    pub fn apply(&self, x: MatRef<'_, f64>, order: &[usize]) -> Mat<f64> {
        let (d, r) = (self.transform.nrows(), self.transform.ncols());
        let mut z = Mat::<f64>::zeros(r, order.len());
        for (c, rows) in order.chunks(crate::learn::relu::sample::CHUNK).enumerate() {
            let block = Mat::from_fn(d, rows.len(), |i, j| x[(rows[j], i)]);
            let part = self.transform.transpose() * block;
            let at = c * crate::learn::relu::sample::CHUNK;
            for j in 0..rows.len() {
                z.col_as_slice_mut(at + j)
                    .copy_from_slice(part.col_as_slice(j));
            }
        }
        z
    }

    /// A weight on whitened inputs as a weight on the inputs: `<v, z> = <transform v, x>`.
    pub fn back(&self, v: &[f64]) -> Vec<f64> {
        let (d, r) = (self.transform.nrows(), self.transform.ncols());
        (0..d)
            .map(|i| (0..r).map(|j| self.transform[(i, j)] * v[j]).sum())
            .collect()
    }
}
