//! The abs form with signs, in which everything is computed: `f(x) = <w, (x,1)> + sum_i s_i |<a_i, (x,1)>|`.

use crate::learn::relu::network::dot;
use crate::learn::relu::sample::Sample;
use crate::linalg::norm2;
use faer::{Mat, MatRef};

/// A network in abs form with unit coefficients: `linear` is `w` (`d + 1` entries, the constant last),
/// column `i` of `weights` is `a_i` (`d + 1` entries, the offset last), `signs[i]` is `+1` or `-1`.
///
/// `|.|` is even, so `a_i` and `-a_i` are the same neuron; the scale of a neuron is the length of `a_i`.
#[derive(Clone, Debug)]
pub(crate) struct Kinks {
    pub linear: Vec<f64>,
    pub weights: Mat<f64>,
    pub signs: Vec<f64>,
}

/// What a network leaves of the targets.
#[derive(Clone, Debug)]
pub(crate) struct Forward {
    /// `y - f(x)`.
    pub residual: Vec<f64>,
    /// Bit `i` of `keys[j]` is set when `<a_i, x_j> < 0`.
    pub keys: Vec<u32>,
    /// Mean square of the residual.
    pub mse: f64,
}

impl Kinks {
    /// The linear function `<w, (x,1)>`.
    pub fn linear(linear: Vec<f64>) -> Self {
        let weights = Mat::zeros(linear.len(), 0);
        Self {
            linear,
            weights,
            signs: Vec::new(),
        }
    }

    /// Number of neurons.
    pub fn len(&self) -> usize {
        self.signs.len()
    }

    /// Column `i` of the weights.
    pub fn weight(&self, i: usize) -> &[f64] {
        self.weights.col_as_slice(i)
    }

    /// The same network and more neurons.
    pub fn with(&self, more: &[(Vec<f64>, f64)]) -> Self {
        let k = self.len();
        let weights = Mat::from_fn(self.weights.nrows(), k + more.len(), |i, j| {
            if j < k {
                self.weights[(i, j)]
            } else {
                more[j - k].0[i]
            }
        });
        let mut signs = self.signs.clone();
        signs.extend(more.iter().map(|m| m.1));
        let linear = self.linear.clone();
        Self {
            linear,
            weights,
            signs,
        }
    }

    /// The same network without the neurons listed.
    pub fn without(&self, drop: &[usize]) -> Self {
        let kept: Vec<usize> = (0..self.len()).filter(|i| !drop.contains(i)).collect();
        let weights = Mat::from_fn(self.weights.nrows(), kept.len(), |i, j| {
            self.weights[(i, kept[j])]
        });
        let signs = kept.iter().map(|&i| self.signs[i]).collect();
        let linear = self.linear.clone();
        Self {
            linear,
            weights,
            signs,
        }
    }

    /// Seen from the larger space: `basis` is `d x r`, `outside` is added to the linear part.
    pub fn lift(&self, basis: MatRef<'_, f64>, outside: &[f64]) -> Self {
        let (d, r, k) = (basis.nrows(), basis.ncols(), self.len());
        let up = |v: &[f64]| -> Vec<f64> {
            let mut out: Vec<f64> = (0..d)
                .map(|i| (0..r).map(|j| basis[(i, j)] * v[j]).sum())
                .collect();
            out.push(v[r]);
            out
        };
        let mut linear = up(&self.linear);
        linear.iter_mut().zip(outside).for_each(|(l, o)| *l += o);
        let columns: Vec<Vec<f64>> = (0..k).map(|i| up(self.weight(i))).collect();
        let weights = Mat::from_fn(d + 1, k, |i, j| columns[j][i]);
        let signs = self.signs.clone();
        Self {
            linear,
            weights,
            signs,
        }
    }

    /// `|cos|` of the angle between the lines of neurons `i` and `j`.
    pub fn cosine(&self, i: usize, j: usize) -> f64 {
        let (a, b) = (self.weight(i), self.weight(j));
        let norms = norm2(a) * norm2(b);
        if norms > 0.0 {
            dot(a, b).abs() / norms
        } else {
            1.0
        }
    }

    /// The angle between the lines of neurons `i` and `j`, accurate also when it is tiny.
    pub fn angle(&self, i: usize, j: usize) -> f64 {
        let (a, b) = (self.weight(i), self.weight(j));
        let (na, nb) = (norm2(a), norm2(b));
        if na == 0.0 || nb == 0.0 {
            return 0.0;
        }
        let side = if dot(a, b) < 0.0 { -1.0 } else { 1.0 };
        let gap: Vec<f64> = a
            .iter()
            .zip(b)
            .map(|(x, y)| x / na - side * y / nb)
            .collect();
        2.0 * (norm2(&gap) / 2.0).min(1.0).asin()
    }

    /// Residuals and signs at every sample. `O(n d (k + 1))`.
    pub fn forward(&self, sample: &Sample) -> Forward {
        let k = self.len();
        let rows = self.weights.nrows();
        let all = Mat::from_fn(rows, k + 1, |i, j| {
            if j == 0 {
                self.linear[i]
            } else {
                self.weights[(i, j - 1)]
            }
        });
        let n = sample.len();
        let (mut residual, mut keys, mut sum) = (Vec::with_capacity(n), Vec::with_capacity(n), 0.0);
        sample.sum_chunks(
            |x, from, to| {
                let p = all.transpose() * x;
                let (mut r, mut key, mut squares) =
                    (vec![0.0; to - from], vec![0u32; to - from], 0.0);
                for (j, &y) in sample.y[from..to].iter().enumerate() {
                    let column = p.col_as_slice(j);
                    let mut e = y - column[0];
                    let mut bits = 0u32;
                    for (i, (&v, &s)) in column[1..].iter().zip(&self.signs).enumerate() {
                        e -= s * v.abs();
                        bits |= u32::from(v < 0.0) << i;
                    }
                    squares += e * e;
                    r[j] = e;
                    key[j] = bits;
                }
                (r, key, squares)
            },
            |(r, key, squares)| {
                residual.extend(r);
                keys.extend(key);
                sum += squares;
            },
        );
        let mse = sum / n.max(1) as f64;
        Forward {
            residual,
            keys,
            mse,
        }
    }
}
