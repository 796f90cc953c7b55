//! Samples as the kernels want them: one a column, with a last row of ones.

use faer::{Mat, MatRef};
use rayon::prelude::*;

/// Samples per task. A constant of the algorithm, not of the machine: sums are formed per chunk and then
/// added in order, so results do not depend on the number of threads.
pub(super) const CHUNK: usize = 4096;

/// Inputs `x`, `(d + 1) x n` with a last row of ones, and targets `y`, `n` entries.
///
/// The row of ones makes constant and linear part one block, and offsets of neurons one more coordinate.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub x: Mat<f64>,
    pub y: Vec<f64>,
}

impl Sample {
    /// The sample whose inputs are the columns of `inputs`, `d x n`.
    pub fn new(inputs: MatRef<'_, f64>, y: Vec<f64>) -> Self {
        let d = inputs.nrows();
        let x = Mat::from_fn(d + 1, inputs.ncols(), |i, j| {
            if i < d { inputs[(i, j)] } else { 1.0 }
        });
        Self { x, y }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.y.len()
    }

    /// Number of inputs, the row of ones not counted.
    pub fn dim(&self) -> usize {
        self.x.nrows() - 1
    }

    /// The inputs without the row of ones, `d x n`.
    pub fn inputs(&self) -> MatRef<'_, f64> {
        self.x.as_ref().subrows(0, self.dim())
    }

    /// Samples `from..to`.
    pub fn range(&self, from: usize, to: usize) -> Self {
        let x = self.x.as_ref().subcols(from, to - from).to_owned();
        let y = self.y[from..to].to_vec();
        Self { x, y }
    }

    /// The same inputs seen in the columns of `basis`, `d x r`, with other targets.
    pub fn project(&self, basis: MatRef<'_, f64>, y: Vec<f64>) -> Self {
        let (r, n) = (basis.ncols(), y.len());
        let mut x = Mat::<f64>::zeros(r + 1, n);
        for start in (0..n).step_by(CHUNK) {
            let m = CHUNK.min(n - start);
            let z = basis.transpose() * self.inputs().subcols(start, m);
            for j in 0..m {
                let column = x.col_as_slice_mut(start + j);
                (0..r).for_each(|i| column[i] = z[(i, j)]);
                column[r] = 1.0;
            }
        }
        Self { x, y }
    }

    /// `sum over samples of f(first, chunk)` where a chunk is `(inputs, from, to)`; in parallel, added in order.
    pub fn sum_chunks<T, F, A>(&self, f: F, mut add: A)
    where
        T: Send,
        F: Fn(MatRef<'_, f64>, usize, usize) -> T + Sync,
        A: FnMut(T),
    {
        let n = self.len();
        let chunks = n.div_ceil(CHUNK);
        // Batches bound the memory of the partial sums; their size does not change the order of addition.
        for first in (0..chunks).step_by(64) {
            let last = chunks.min(first + 64);
            let one = |c: usize| {
                let (from, to) = (c * CHUNK, n.min((c + 1) * CHUNK));
                f(self.x.as_ref().subcols(from, to - from), from, to)
            };
            let parts: Vec<T> = (first..last).into_par_iter().map(one).collect();
            parts.into_iter().for_each(&mut add);
        }
    }
}

/// Mean of the squares, 0 for an empty slice.
pub(crate) fn mean_square(v: &[f64]) -> f64 {
    let sum: f64 = v.iter().map(|x| x * x).sum();
    sum / v.len().max(1) as f64
}
