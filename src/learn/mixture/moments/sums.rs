//! Empirical moments in principal coordinates, with as many directions as there may be means.

use super::atoms::{MomentAtoms, PrincipalMoments};
use crate::Error;
use crate::linalg;
use faer::Mat;
use rayon::prelude::{ParallelIterator, ParallelSlice};

/// Rows of one task.
const TASK: usize = 4096;

/// Mean, covariance spectrum and rows in principal coordinates.
pub(in crate::learn::mixture) struct Principal {
    pub(in crate::learn::mixture) dim: usize,
    pub(in crate::learn::mixture) rows: usize,
    pub(in crate::learn::mixture) mean: Vec<f64>,
    /// Decreasing.
    pub(in crate::learn::mixture) variances: Vec<f64>,
    /// Coordinates of every row along the principal axes, row-major, `rows x dim`.
    coordinates: Vec<f64>,
    /// `axes[a * dim + k]` is coordinate `a` of axis `k`.
    axes: Vec<f64>,
}

impl Principal {
    pub(in crate::learn::mixture) fn of(
        op: &'static str,
        rows: &[f64],
        dim: usize,
    ) -> Result<Self, Error> {
        let n = rows.len() / dim;
        let mut mean = vec![0.0; dim];
        for row in rows.chunks_exact(dim) {
            mean.iter_mut()
                .zip(row)
                .for_each(|(m, x)| *m += x / n as f64);
        }
        let centred = Mat::from_fn(n, dim, |i, a| rows[i * dim + a] - mean[a]);
        let products = centred.transpose() * &centred;
        let covariance = Mat::from_fn(dim, dim, |a, b| products[(a.max(b), a.min(b))] / n as f64);
        let spectrum = linalg::symmetric_eigen(op, covariance.as_ref())?;
        let turned = &centred * &spectrum.vectors;
        let back = |k: usize| dim - 1 - k;
        Ok(Self {
            dim,
            rows: n,
            mean,
            variances: (0..dim).map(|k| spectrum.values[back(k)]).collect(),
            coordinates: (0..n * dim)
                .map(|i| turned[(i / dim, back(i % dim))])
                .collect(),
            axes: (0..dim * dim)
                .map(|i| spectrum.vectors[(i / dim, back(i % dim))])
                .collect(),
        })
    }

    /// Mean variance of the directions from `rank` on.
    pub(in crate::learn::mixture) fn bulk(&self, rank: usize) -> f64 {
        let tail = &self.variances[rank..];
        tail.iter().sum::<f64>() / tail.len().max(1) as f64
    }

    /// Moments of the first `rank` coordinates, without drift.
    pub(in crate::learn::mixture) fn moments(&self, rank: usize) -> PrincipalMoments {
        let third = self.mean_of(rank * rank * rank, |row, sums| {
            let u = &row[..rank];
            for (a, x) in u.iter().enumerate() {
                for b in 0..=a {
                    let xy = x * u[b];
                    let sums = &mut sums[(a * rank + b) * rank..][..=b];
                    sums.iter_mut().zip(u).for_each(|(s, z)| *s += xy * z);
                }
            }
        });
        let entry = |i: usize| {
            let mut index = [i / (rank * rank), i / rank % rank, i % rank];
            index.sort_unstable_by(|a, b| b.cmp(a));
            third[(index[0] * rank + index[1]) * rank + index[2]]
        };
        PrincipalMoments {
            variances: self.variances[..rank].to_vec(),
            third: (0..rank * rank * rank).map(entry).collect(),
            noise_drift: vec![0.0; rank],
        }
    }

    /// `E[(mean square of the coordinates from rank on - bulk) u_a]` and the standard error of each entry.
    pub(in crate::learn::mixture) fn drift(&self, rank: usize) -> (Vec<f64>, Vec<f64>) {
        let bulk = self.bulk(rank);
        let tail = (self.dim - rank) as f64;
        let sums = self.mean_of(2 * rank, |row, sums| {
            let outside: f64 = row[rank..].iter().map(|v| v * v).sum();
            for a in 0..rank {
                let term = (outside / tail - bulk) * row[a];
                sums[a] += term;
                sums[rank + a] += term * term;
            }
        });
        let error = |a: usize| {
            let variance: f64 = sums[rank + a] - sums[a] * sums[a];
            (variance.max(0.0) / self.rows as f64).sqrt()
        };
        (sums[..rank].to_vec(), (0..rank).map(error).collect())
    }

    /// `E u_a^2 u_b^2` and `E u_a^3 u_b` for every pair, in units of the variances.
    pub(in crate::learn::mixture) fn fourth(&self, rank: usize) -> Vec<f64> {
        let scale: Vec<f64> = self.variances[..rank]
            .iter()
            .map(|v| 1.0 / v.sqrt())
            .collect();
        self.mean_of(2 * rank * rank, |row, sums| {
            add_fourth(row, &scale, 1.0, sums);
        })
    }

    /// The same of a mixture of atoms with one noise variance.
    pub(in crate::learn::mixture) fn fourth_of(&self, atoms: &MomentAtoms, noise: f64) -> Vec<f64> {
        let rank = (atoms.means.len() / atoms.weights.len().max(1)).min(self.dim);
        let scale: Vec<f64> = self.variances[..rank]
            .iter()
            .map(|v| 1.0 / v.sqrt())
            .collect();
        let mut sums = vec![0.0; 2 * rank * rank];
        for (w, x) in atoms
            .weights
            .iter()
            .zip(atoms.means.chunks_exact(rank.max(1)))
        {
            add_fourth(x, &scale, *w, &mut sums);
            for a in 0..rank {
                for b in 0..rank {
                    let (sa, sb) = (scale[a] * scale[a], scale[b] * scale[b]);
                    let (xa, xb) = (x[a], x[b]);
                    // Gaussian corrections of a monomial of degree four.
                    let even = if a == b {
                        noise * (6.0 * xa * xa + 3.0 * noise)
                    } else {
                        noise * (xa * xa + xb * xb + noise)
                    };
                    let odd = if a == b { even } else { 3.0 * noise * xa * xb };
                    let at = 2 * (a * rank + b);
                    sums[at] += w * even * sa * sb;
                    sums[at + 1] += w * odd * sa * scale[a] * scale[b];
                }
            }
        }
        sums
    }

    /// A point from principal coordinates.
    pub(in crate::learn::mixture) fn leave(&self, u: &[f64]) -> Vec<f64> {
        let along = |a: usize| -> f64 {
            let axis = &self.axes[a * self.dim..];
            u.iter().zip(axis).map(|(u, e)| u * e).sum()
        };
        (0..self.dim).map(|a| self.mean[a] + along(a)).collect()
    }

    fn mean_of(&self, size: usize, add: impl Fn(&[f64], &mut [f64]) + Sync) -> Vec<f64> {
        let parts: Vec<Vec<f64>> = self
            .coordinates
            .par_chunks(TASK * self.dim)
            .map(|rows| {
                let mut sums = vec![0.0; size];
                rows.chunks_exact(self.dim).for_each(|r| add(r, &mut sums));
                sums
            })
            .collect();
        let mut total = vec![0.0; size];
        for part in parts {
            let each = total.iter_mut().zip(part);
            each.for_each(|(t, p)| *t += p / self.rows as f64);
        }
        total
    }
}

fn add_fourth(row: &[f64], scale: &[f64], weight: f64, sums: &mut [f64]) {
    let rank = scale.len();
    for a in 0..rank {
        let x = row[a] * scale[a];
        for b in 0..rank {
            let y = row[b] * scale[b];
            sums[2 * (a * rank + b)] += weight * x * x * y * y;
            sums[2 * (a * rank + b) + 1] += weight * x * x * x * y;
        }
    }
}
