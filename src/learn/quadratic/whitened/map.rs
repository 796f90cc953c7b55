//! Quadratic maps in white coordinates, and their changes of `x`.

use crate::Error;
use crate::linalg::{lstsq, solve, symmetric_eigen};
use faer::Mat;

const OP: &str = "Quadratic::learn";

/// A quadratic map in white coordinates: `y_k = x' Q_k x + b_k' x + c_k`.
#[derive(Clone, Debug)]
pub(in crate::learn) struct WhiteMap {
    pub(in crate::learn) rank: usize,
    pub(in crate::learn) linear: bool,
    /// `N x (features + 1)`: coefficients of `svec(x x')`, then of `sqrt2 x`, then the constant.
    pub(in crate::learn) coefficients: Mat<f64>,
}

impl WhiteMap {
    pub(in crate::learn) fn features(&self) -> usize {
        let r = self.rank;
        r * (r + 1) / 2 + if self.linear { r } else { 0 }
    }

    /// `(i, j)` of each quadratic feature, `i <= j`, diagonal first: the order of the Peirce frame.
    pub(in crate::learn) fn places(rank: usize) -> Vec<(usize, usize)> {
        let diagonal = (0..rank).map(|i| (i, i));
        diagonal
            .chain((1..rank).flat_map(|j| (0..j).map(move |i| (i, j))))
            .collect()
    }

    /// `(svec(x x'), sqrt2 x, 1)`, what the coefficients multiply.
    pub(in crate::learn) fn row(&self, x: &[f64], places: &[(usize, usize)]) -> Vec<f64> {
        let root2 = 2f64.sqrt();
        let mut f: Vec<f64> = places
            .iter()
            .map(|&(i, j)| {
                if i == j {
                    x[i] * x[i]
                } else {
                    root2 * x[i] * x[j]
                }
            })
            .collect();
        if self.linear {
            f.extend(x.iter().map(|v| root2 * v));
        }
        f.push(1.0);
        f
    }

    /// The same distribution written with `x ~ N(0, I)`: `x = L x' + m` with the mean `m` and the covariance
    /// `L L'` of the latents of all samples, from `E f(x) = C^+ (0 - c)`.
    pub(in crate::learn) fn standardised(&self) -> Result<Self, Error> {
        let (r, f) = (self.rank, self.features());
        let places = Self::places(r);
        let n = self.coefficients.nrows();
        let c = self.coefficients.subcols(0, f);
        let minus = Mat::from_fn(n, 1, |k, _| -self.coefficients[(k, f)]);
        let mean = if n == f {
            solve(OP, c, minus.as_ref())?
        } else {
            lstsq(OP, c, minus.as_ref())?
        };
        let root2 = 2f64.sqrt();
        let shift: Vec<f64> = match self.linear {
            true => (0..r)
                .map(|j| mean[(places.len() + j, 0)] / root2)
                .collect(),
            false => vec![0.0; r],
        };
        let mut cov = Mat::<f64>::zeros(r, r);
        for (k, &(a, b)) in places.iter().enumerate() {
            let v = if a == b {
                mean[(k, 0)]
            } else {
                mean[(k, 0)] / root2
            };
            cov[(a, b)] = v - shift[a] * shift[b];
            cov[(b, a)] = cov[(a, b)];
        }
        self.changed(&shift, &cov)
    }

    /// The same distribution with `x = root x' + shift`, where `root` is the symmetric root of `cov`: what is written for
    /// latents of that mean and covariance becomes a map of standard ones.
    pub(in crate::learn) fn changed(&self, shift: &[f64], cov: &Mat<f64>) -> Result<Self, Error> {
        let (r, f, root2) = (self.rank, self.features(), 2f64.sqrt());
        let places = Self::places(r);
        let n = self.coefficients.nrows();
        let e = symmetric_eigen(OP, cov.as_ref())?;
        if !(e.values[0] > 1e-8 * e.values[r - 1]) {
            let hypothesis = "latents that fill their space (least eigenvalue of their covariance)";
            return Err(Error::degenerate(OP, hypothesis, e.values[0]));
        }
        // Any square root will do: they differ by the gauge. The symmetric one changes little when `cov` is near `I`.
        let halved = Mat::from_fn(r, r, |i, j| e.vectors[(i, j)] * e.values[j].sqrt());
        let root = halved * e.vectors.transpose();
        let mut coefficients = Mat::<f64>::zeros(n, f + 1);
        for k in 0..n {
            let (q, b, constant) = self.form(k, &places);
            let turned = root.transpose() * &q * &root;
            let slope: Vec<f64> = (0..r)
                .map(|i| b[i] + 2.0 * (0..r).map(|j| q[(i, j)] * shift[j]).sum::<f64>())
                .collect();
            for (col, &(i, j)) in places.iter().enumerate() {
                let v = 0.5 * (turned[(i, j)] + turned[(j, i)]);
                coefficients[(k, col)] = if i == j { v } else { root2 * v };
            }
            if self.linear {
                for i in 0..r {
                    let v: f64 = (0..r).map(|j| root[(j, i)] * slope[j]).sum();
                    coefficients[(k, places.len() + i)] = v / root2;
                }
            }
            let along: f64 = (0..r).map(|i| 0.5 * (b[i] + slope[i]) * shift[i]).sum();
            coefficients[(k, f)] = constant + along;
        }
        Ok(Self {
            coefficients,
            ..self.clone()
        })
    }

    /// `Q_k`, `b_k`, `c_k`.
    pub(in crate::learn) fn form(
        &self,
        k: usize,
        places: &[(usize, usize)],
    ) -> (Mat<f64>, Vec<f64>, f64) {
        let (r, root2) = (self.rank, 2f64.sqrt());
        let mut q = Mat::<f64>::zeros(r, r);
        for (col, &(i, j)) in places.iter().enumerate() {
            let v = self.coefficients[(k, col)];
            let v = if i == j { v } else { v / root2 };
            q[(i, j)] = v;
            q[(j, i)] = v;
        }
        let b = match self.linear {
            true => (0..r)
                .map(|i| root2 * self.coefficients[(k, places.len() + i)])
                .collect(),
            false => vec![0.0; r],
        };
        (q, b, self.coefficients[(k, self.features())])
    }
}
