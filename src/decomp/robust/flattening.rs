//! The square flattening on symmetric matrices, its top eigenvectors, and the boost.

use crate::Error;
use crate::decomp::overcomplete::landscape::{squares, unit_starts, unpacked};
use crate::linalg::{symmetric_eigen, thin_qr};
use crate::tensor::TensorView;
use faer::Mat;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

pub(super) const OP: &str = "Robust::decompose";

/// `T_{12,34}` restricted to symmetric matrices on both sides and symmetrised: `n(n+1)/2` square.
#[derive(Clone, Debug)]
pub(super) struct Flattening {
    pub n: usize,
    pub matrix: Mat<f64>,
}

/// Eigenvalues, falling, and eigenvectors.
pub(super) struct Top {
    pub values: Vec<f64>,
    pub vectors: Mat<f64>,
}

impl Flattening {
    pub fn of(t: TensorView<'_>) -> Self {
        let n = t.dims()[0];
        let data = t.as_slice();
        let at = |i: usize, j: usize, k: usize, l: usize| data[i + n * (j + n * (k + n * l))];
        let pairs: Vec<(usize, usize)> = (0..n).flat_map(|i| (i..n).map(move |j| (i, j))).collect();
        let unit = |(i, j): (usize, usize)| {
            if i == j {
                1.0
            } else {
                std::f64::consts::SQRT_2
            }
        };
        let matrix = Mat::from_fn(pairs.len(), pairs.len(), |a, b| {
            let ((i, j), (k, l)) = (pairs[a], pairs[b]);
            let half = at(i, j, k, l) + at(j, i, k, l) + at(i, j, l, k) + at(j, i, l, k);
            let other = at(k, l, i, j) + at(k, l, j, i) + at(l, k, i, j) + at(l, k, j, i);
            unit(pairs[a]) * unit(pairs[b]) * (half + other) / 8.0
        });
        Self { n, matrix }
    }

    /// The same minus `sum_c v_c^4` over the columns.
    pub fn minus(&self, v: &Mat<f64>) -> Self {
        let z = squares(v.as_ref());
        Self {
            n: self.n,
            matrix: &self.matrix - &z * z.transpose(),
        }
    }

    /// The `k` greatest eigenvalues with their vectors, by block iteration with a shift that grows until negative
    /// eigenvalues no longer attract the block: `O(n^4 k)` a step. Small matrices are diagonalised.
    pub fn top(&self, k: usize) -> Result<Top, Error> {
        let rows = self.matrix.nrows();
        let block = (k + 4).min(rows);
        if rows <= 4 * block {
            let eigen = symmetric_eigen(OP, self.matrix.as_ref())?;
            let order: Vec<usize> = (0..rows).rev().take(k).collect();
            return Ok(Top {
                values: order.iter().map(|&c| eigen.values[c]).collect(),
                vectors: Mat::from_fn(rows, order.len(), |i, c| eigen.vectors[(i, order[c])]),
            });
        }
        // A fixed generator: the start is no part of the answer.
        let mut x = unit_starts(rows, block, &mut ChaCha8Rng::seed_from_u64(0x5eed));
        let mut shift = 0.0;
        for step in 0..300 {
            let q = thin_qr(OP, x.as_ref())?.0;
            let image = &self.matrix * &q;
            let small = q.transpose() * &image;
            let eigen = symmetric_eigen(OP, small.as_ref())?;
            let order: Vec<usize> = (0..block).rev().collect();
            let turn = Mat::from_fn(block, block, |i, c| eigen.vectors[(i, order[c])]);
            let values: Vec<f64> = order.iter().map(|&c| eigen.values[c]).collect();
            let (vectors, images) = (&q * &turn, &image * &turn);
            let lowest = values[block - 1];
            if lowest < 0.0 {
                // Negative eigenvalues of great modulus attract the block until the shift exceeds them.
                shift = f64::max(shift, -lowest);
            }
            let gap = (0..k.min(block))
                .map(|c| {
                    let column = (0..rows).map(|i| images[(i, c)] - values[c] * vectors[(i, c)]);
                    column.map(|g| g * g).sum::<f64>().sqrt()
                })
                .fold(0.0, f64::max);
            if (step > 3 && gap <= 1e-6 * values[0].abs()) || step == 299 {
                return Ok(Top {
                    values: values[..k.min(block)].to_vec(),
                    vectors: vectors.as_ref().subcols(0, k.min(block)).to_owned(),
                });
            }
            x = &images + faer::Scale(shift) * &vectors;
        }
        let routine = "block iteration";
        Err(Error::Backend { op: OP, routine })
    }

    /// The spectral norm.
    pub fn norm(&self) -> Result<f64, Error> {
        let values = symmetric_eigen(OP, self.matrix.as_ref())?.values;
        Ok(values.iter().fold(0.0, |m: f64, v| m.max(v.abs())))
    }

    /// The matrix `T(.., .., x, x)` for the columns of `x`.
    pub fn contracted(&self, x: &Mat<f64>) -> Vec<Mat<f64>> {
        let w = &self.matrix * squares(x.as_ref());
        (0..x.ncols())
            .map(|c| unpacked(w.col_as_slice(c), self.n))
            .collect()
    }

    /// `T(x, x, x, x)` for every column.
    pub fn values(&self, x: &Mat<f64>) -> Vec<f64> {
        let z = squares(x.as_ref());
        let w = &self.matrix * &z;
        (0..x.ncols())
            .map(|c| {
                z.col(c)
                    .iter()
                    .zip(w.col(c).iter())
                    .map(|(a, b)| a * b)
                    .sum()
            })
            .collect()
    }

    /// The boost: `x` becomes the top eigenvector of `T(.., .., x, x)`.
    pub fn boost(&self, x: &Mat<f64>) -> Result<Mat<f64>, Error> {
        let mut out = x.clone();
        for (c, m) in self.contracted(x).iter().enumerate() {
            let eigen = symmetric_eigen(OP, m.as_ref())?;
            for i in 0..self.n {
                out[(i, c)] = eigen.vectors[(i, self.n - 1)];
            }
        }
        Ok(out)
    }
}
