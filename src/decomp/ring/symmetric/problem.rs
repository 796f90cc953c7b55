//! The least squares problem of a symmetric ring: residuals, gradient and normal matrix at a point.

use crate::Error;
use crate::linalg::frobenius;
use crate::tensor::{SymmetricRing, TensorView};
use faer::{Mat, MatRef};

/// The data and the sizes; unknowns are the columns of `q`, `N x d`.
pub(in crate::decomp::ring) struct Problem<'a> {
    pub(in crate::decomp::ring) d: usize,
    pub(in crate::decomp::ring) n: usize,
    pub(in crate::decomp::ring) r: usize,
    pub(in crate::decomp::ring) gram: MatRef<'a, f64>,
    pub(in crate::decomp::ring) t: TensorView<'a>,
    /// Squares of the weights.
    pub(in crate::decomp::ring) weights: (f64, f64),
    pub(in crate::decomp::ring) size: f64,
    pub(in crate::decomp::ring) places: Vec<(usize, usize)>,
}

/// Everything that depends on the point: products `P_bc` as columns `b + d c`, and the two differences.
pub(in crate::decomp::ring) struct State {
    pub(in crate::decomp::ring) products: Mat<f64>,
    pub(in crate::decomp::ring) gram_gap: Mat<f64>,
    /// `d x d^2`, columns `b + d c`.
    pub(in crate::decomp::ring) tensor_gap: Mat<f64>,
    pub(in crate::decomp::ring) residual: f64,
}

impl Problem<'_> {
    pub(in crate::decomp::ring) fn unknowns(&self) -> usize {
        self.n * self.d
    }

    pub(in crate::decomp::ring) fn model(&self, q: &Mat<f64>) -> Result<SymmetricRing, Error> {
        let (r, d) = (self.r, self.d);
        let mut cores = vec![0.0; d * r * r];
        for a in 0..d {
            for (k, &(i, j)) in self.places.iter().enumerate() {
                let x = q[(k, a)] * if i == j { 1.0 } else { 0.5f64.sqrt() };
                cores[(a * r + i) * r + j] = x;
                cores[(a * r + j) * r + i] = x;
            }
        }
        SymmetricRing::new(r, cores)
    }

    fn matrix(&self, q: &Mat<f64>, a: usize) -> Mat<f64> {
        let mut m = Mat::zeros(self.r, self.r);
        for (k, &(i, j)) in self.places.iter().enumerate() {
            let x = q[(k, a)] * if i == j { 1.0 } else { 0.5f64.sqrt() };
            m[(i, j)] = x;
            m[(j, i)] = x;
        }
        m
    }

    pub(in crate::decomp::ring) fn state(&self, q: &Mat<f64>) -> State {
        let d = self.d;
        let full: Vec<Mat<f64>> = (0..d).map(|a| self.matrix(q, a)).collect();
        let mut products = Mat::zeros(self.n, d * d);
        for c in 0..d {
            for b in 0..=c {
                let p = &full[b] * &full[c];
                for (k, &(i, j)) in self.places.iter().enumerate() {
                    let x = match i == j {
                        true => p[(i, i)],
                        false => (p[(i, j)] + p[(j, i)]) * 0.5f64.sqrt(),
                    };
                    products[(k, b + d * c)] = x;
                    products[(k, c + d * b)] = x;
                }
            }
        }
        let gram_gap = q.transpose() * q - self.gram;
        let tensor_gap = q.transpose() * &products - self.t.as_matrix(1);
        let (ws, wt) = self.weights;
        let squares =
            ws * frobenius(gram_gap.as_ref()).powi(2) + wt * frobenius(tensor_gap.as_ref()).powi(2);
        let residual = squares.sqrt() / self.size;
        State {
            products,
            gram_gap,
            tensor_gap,
            residual,
        }
    }

    /// The normal matrix and the gradient, unknowns `(k, a)`, `k` fastest.
    pub(in crate::decomp::ring) fn normal(
        &self,
        q: &Mat<f64>,
        state: &State,
    ) -> (Mat<f64>, Mat<f64>) {
        let (n, d) = (self.n, self.d);
        let (ws, wt) = self.weights;
        let p = &state.products;
        let same = p * p.transpose();
        let outputs = q * q.transpose();
        // Rows (k, b), columns c: the products as a tall matrix.
        let tall = Mat::from_fn(n * d, d, |kb, c| p[(kb % n, kb / n + d * c)]);
        let cross = &tall * tall.transpose();
        let normal = Mat::from_fn(n * d, n * d, |row, col| {
            let (i, a, j, b) = (row % n, row / n, col % n, col / n);
            let mut x = 6.0 * wt * cross[(i + n * b, j + n * a)];
            x += 2.0 * ws * q[(i, b)] * q[(j, a)];
            if a == b {
                x += 3.0 * wt * same[(i, j)] + 2.0 * ws * outputs[(i, j)];
            }
            x
        });
        let from_gram = q * &state.gram_gap;
        let from_tensor = p * state.tensor_gap.transpose();
        let gradient = Mat::from_fn(n * d, 1, |row, _| {
            let (i, a) = (row % n, row / n);
            2.0 * ws * from_gram[(i, a)] + 3.0 * wt * from_tensor[(i, a)]
        });
        (normal, gradient)
    }
}

/// Entries `(i, j)`, `i <= j`, in the order of the unknowns.
pub(in crate::decomp::ring) fn places(r: usize) -> Vec<(usize, usize)> {
    (0..r).flat_map(|j| (0..=j).map(move |i| (i, j))).collect()
}
