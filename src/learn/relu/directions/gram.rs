//! Pattern Grams: every block of the Gauss-Newton matrix and of the gradient from one pass over the samples.
//!
//! The Jacobian of `sum_i s_i |<a_i, x>|` has the blocks `J_i = s_i sgn(<a_i, x>) x`, so
//! `J_i' J_j = s_i s_j sum_x sgn_i sgn_j x x'`. Samples with the same signs (the same pattern `p`) enter
//! every block through one Gram matrix `G_p`, and all blocks are signed sums of the `G_p`: `n d^2` work in
//! place of `n d^2 k^2 / 2`. With the residual as one more row of the samples the gradient comes along.

use crate::learn::relu::sample::{CHUNK, Sample};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};
use rayon::prelude::*;

/// Signed sums `B_ij = sum_x sgn_i sgn_j z z'` with `z = (x, 1, e)` and `sgn_0 = 1`, for `0 <= i <= j <= k`.
#[derive(Clone, Debug)]
pub(in crate::learn::relu) struct Blocks {
    /// Entries of `z`.
    rows: usize,
    /// Column `pair(i, j)` holds the lower triangle of `B_ij`, row by row.
    packed: Mat<f64>,
}

/// Where `B_ij` is stored: all `B_ii` are the same matrix.
fn pair(i: usize, j: usize) -> usize {
    match i.cmp(&j) {
        std::cmp::Ordering::Equal => 0,
        std::cmp::Ordering::Less => 1 + j * (j - 1) / 2 + i,
        std::cmp::Ordering::Greater => 1 + i * (i - 1) / 2 + j,
    }
}

impl Blocks {
    /// Entry `(a, b)` of `sum_x sgn_i sgn_j (x,1) (x,1)'`.
    pub fn entry(&self, i: usize, j: usize, a: usize, b: usize) -> f64 {
        let (a, b) = (a.max(b), a.min(b));
        self.packed[(a * (a + 1) / 2 + b, pair(i, j))]
    }

    /// Entry `a` of `sum_x sgn_i (x,1) e`.
    pub fn gradient(&self, i: usize, a: usize) -> f64 {
        let last = self.rows - 1;
        self.packed[(last * (last + 1) / 2 + a, pair(0, i))]
    }

    /// All blocks from the sign patterns `keys` of `k` neurons and the residuals.
    ///
    /// `O(n d^2 + P k^2 d^2)` with `P` the number of patterns that occur, at most `min(n, 2^k)`.
    pub fn of(sample: &Sample, keys: &[u32], residual: &[f64], k: usize) -> Self {
        let n = sample.len();
        let mut order: Vec<u32> = (0..n as u32).collect();
        order.sort_by_key(|&j| keys[j as usize]);
        let rows = sample.x.nrows() + 1;
        let packed_len = rows * (rows + 1) / 2;
        let mut packed = Mat::<f64>::zeros(packed_len, 1 + k * (k + 1) / 2);
        let chunks: Vec<&[u32]> = order.chunks(CHUNK).collect();
        // Cut along the sorted order: a pattern is split at most once per boundary.
        for batch in chunks.chunks(32) {
            let parts: Vec<Mat<f64>> = batch
                .par_iter()
                .map(|chunk| signed_sums(sample, keys, residual, k, chunk))
                .collect();
            parts.iter().for_each(|p| packed += p);
        }
        Self { rows, packed }
    }
}

/// The blocks of some samples, sorted by pattern.
fn signed_sums(
    sample: &Sample,
    keys: &[u32],
    residual: &[f64],
    k: usize,
    chunk: &[u32],
) -> Mat<f64> {
    let rows = sample.x.nrows() + 1;
    let packed_len = rows * (rows + 1) / 2;
    let runs: Vec<&[u32]> = chunk
        .chunk_by(|&a, &b| keys[a as usize] == keys[b as usize])
        .collect();
    let mut grams = Mat::<f64>::zeros(packed_len, runs.len());
    let mut gram = Mat::<f64>::zeros(rows, rows);
    let longest = runs.iter().map(|r| r.len()).max().unwrap_or(0);
    let mut z = Mat::<f64>::zeros(rows, longest);
    for (p, run) in runs.iter().enumerate() {
        for (j, &index) in run.iter().enumerate() {
            let column = z.col_as_slice_mut(j);
            column[..rows - 1].copy_from_slice(sample.x.col_as_slice(index as usize));
            column[rows - 1] = residual[index as usize];
        }
        let block = z.as_ref().subcols(0, run.len());
        matmul(
            gram.as_mut(),
            Accum::Replace,
            block,
            block.transpose(),
            1.0,
            Par::Seq,
        );
        let column = grams.col_as_slice_mut(p);
        for b in 0..rows {
            // Row b of the lower triangle is the head of column b, the matrix being symmetric.
            let at = b * (b + 1) / 2;
            column[at..=at + b].copy_from_slice(&gram.col_as_slice(b)[..=b]);
        }
    }
    let sign = |key: u32, i: usize| -> f64 {
        if i > 0 && key >> (i - 1) & 1 == 1 {
            -1.0
        } else {
            1.0
        }
    };
    let mut signs = Mat::<f64>::zeros(runs.len(), 1 + k * (k + 1) / 2);
    for (p, run) in runs.iter().enumerate() {
        let key = keys[run[0] as usize];
        signs[(p, 0)] = 1.0;
        for j in 1..=k {
            for i in 0..j {
                signs[(p, pair(i, j))] = sign(key, i) * sign(key, j);
            }
        }
    }
    grams * signs
}
