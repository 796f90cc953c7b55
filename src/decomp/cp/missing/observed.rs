//! The observed entries of an incomplete tensor, and the kernels over them.
//!
//! Where many entries were observed the kernels are products of matrices over all entries ([`Dense`]), else loops over those
//! that were; both give the same least-squares problems.

use super::dense::Dense;
use crate::Error;
use crate::linalg::{norm2, small};
use crate::tensor::{CpTensor, Factor, TensorView};

/// Entries for each observed one up to which products over all of them are cheaper than loops.
const WORTH: usize = 16;

/// Factors by rows: entry `(i, r)` of mode `k` at `i * rank + r`.
pub(in crate::decomp::cp) type Rows = Vec<Vec<f64>>;

/// Indices, values and square roots of the weights of the observed entries.
pub(in crate::decomp::cp) struct Observed {
    pub(in crate::decomp::cp) dims: Vec<usize>,
    indices: Vec<usize>,
    values: Vec<f64>,
    roots: Vec<f64>,
    norm: f64,
    dense: Option<Dense>,
}

impl Observed {
    /// The entries of `t` with positive weight.
    pub(in crate::decomp::cp) fn of(t: TensorView<'_>, weights: TensorView<'_>) -> Self {
        let dims = t.dims().to_vec();
        let (mut indices, mut values, mut roots) = (Vec::new(), Vec::new(), Vec::new());
        let mut index = vec![0; dims.len()];
        for (&x, &w) in t.as_slice().iter().zip(weights.as_slice()) {
            if w > 0.0 {
                indices.extend_from_slice(&index);
                values.push(x);
                roots.push(w.sqrt());
            }
            for (i, &n) in index.iter_mut().zip(&dims) {
                *i += 1;
                if *i < n {
                    break;
                }
                *i = 0;
            }
        }
        let norm = norm2(&Vec::from_iter(
            values.iter().zip(&roots).map(|(v, r)| v * r),
        ));
        let full = t.as_slice().len();
        let dense = (full <= WORTH * values.len()).then(|| Dense::of(t, weights));
        Self {
            dims,
            indices,
            values,
            roots,
            norm,
            dense,
        }
    }

    /// Number of observed entries.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Indices of the observed entries, one after the other.
    pub(super) fn indices(&self) -> &[usize] {
        &self.indices
    }

    /// Where the entry with position `at` in the list lies in the tensor, first index fastest.
    pub(super) fn position(&self, at: usize) -> usize {
        let order = self.dims.len();
        let index = &self.indices[at * order..(at + 1) * order];
        let pairs = index.iter().zip(&self.dims).rev();
        pairs.fold(0, |flat, (&i, &n)| flat * n + i)
    }

    /// Root mean square of the weighted values.
    pub(super) fn size(&self) -> f64 {
        self.norm / (self.values.len().max(1) as f64).sqrt()
    }

    /// Weighted norm of the values.
    pub(super) fn norm(&self) -> f64 {
        self.norm
    }

    /// The sum of squared weighted gaps between some entries (positions in the list) and a model.
    pub(super) fn square_at(&self, rows: &Rows, rank: usize, entries: &[usize]) -> f64 {
        let order = self.dims.len();
        let gap = |&at: &usize| {
            let index = &self.indices[at * order..(at + 1) * order];
            let term = |r: usize| -> f64 {
                let rows = rows.iter().zip(index);
                rows.map(|(f, &i)| f[i * rank + r]).product()
            };
            let model: f64 = (0..rank).map(term).sum();
            let gap = (self.values[at] - model) * self.roots[at];
            gap * gap
        };
        entries.iter().map(gap).sum()
    }

    /// Calls `f(index, root)` for every entry.
    pub(super) fn indexed(&self, mut f: impl FnMut(&[usize], f64)) {
        let entries = self.indices.chunks_exact(self.dims.len());
        entries.zip(&self.roots).for_each(|(i, &w)| f(i, w));
    }

    /// Calls `f(index, partials, gap, root)` for every entry: `partials[k * rank + r]` is the product of the
    /// rows of all modes but `k`, `gap` the value minus the model.
    fn each(&self, rows: &Rows, rank: usize, mut f: impl FnMut(&[usize], &[f64], f64, f64)) {
        let order = self.dims.len();
        let mut partials = vec![0.0; order * rank];
        let mut suffix = vec![0.0; rank];
        let entries = self
            .indices
            .chunks_exact(order)
            .zip(&self.values)
            .zip(&self.roots);
        for ((index, &value), &root) in entries {
            // Prefix products forwards, suffix products backwards: no division, zeros allowed.
            partials[..rank].fill(1.0);
            for k in 1..order {
                let row = &rows[k - 1][index[k - 1] * rank..][..rank];
                let (done, next) = partials.split_at_mut(k * rank);
                let before = &done[(k - 1) * rank..];
                for ((p, &b), &a) in next[..rank].iter_mut().zip(before).zip(row) {
                    *p = b * a;
                }
            }
            suffix.fill(1.0);
            for k in (0..order).rev() {
                let row = &rows[k][index[k] * rank..][..rank];
                let part = &mut partials[k * rank..(k + 1) * rank];
                for ((p, s), &a) in part.iter_mut().zip(suffix.iter_mut()).zip(row) {
                    *p *= *s;
                    *s *= a;
                }
            }
            let model: f64 = suffix.iter().sum();
            f(index, &partials, value - model, root);
        }
    }

    /// Weighted residual over the observed entries, relative to their weighted norm.
    pub(in crate::decomp::cp) fn residual(&self, rows: &Rows, rank: usize) -> Result<f64, Error> {
        let norm = if self.norm > 0.0 { self.norm } else { 1.0 };
        if let Some(dense) = &self.dense {
            return Ok(dense.square(rows, rank)?.sqrt() / norm);
        }
        let mut sum = 0.0;
        self.each(rows, rank, |_, _, gap, root| {
            sum += (gap * root) * (gap * root)
        });
        Ok(sum.sqrt() / norm)
    }

    /// Row-wise least squares, mode after mode, with a ridge towards zero: a share of the greatest diagonal entry.
    pub(in crate::decomp::cp) fn sweep(
        &self,
        rows: &mut Rows,
        rank: usize,
        ridge: f64,
    ) -> Result<(), Error> {
        for mode in 0..self.dims.len() {
            let (mut normal, mut rhs) = match &self.dense {
                Some(dense) => dense.of_mode(rows, rank, mode)?,
                None => self.of_mode(rows, rank, mode),
            };
            let matrices = normal.chunks_exact_mut(rank * rank);
            for (i, (h, x)) in matrices.zip(rhs.chunks_exact_mut(rank)).enumerate() {
                let top = (0..rank).map(|r| h[r * (rank + 1)]).fold(0.0, f64::max);
                if top == 0.0 {
                    // Nothing observed in this slice: zero is as good as any and does no harm.
                    x.fill(0.0);
                    continue;
                }
                (0..rank).for_each(|r| h[r * (rank + 1)] += ridge * top);
                if small::cholesky(h, rank) {
                    small::solve_right(h, rank, x, 1);
                } else {
                    x.copy_from_slice(&rows[mode][i * rank..(i + 1) * rank]);
                }
            }
            rows[mode] = rhs;
        }
        Ok(())
    }

    /// Matrices (`R x R` each) and right-hand sides of the rows of one mode, by loops over the observed entries.
    fn of_mode(&self, rows: &Rows, rank: usize, mode: usize) -> (Vec<f64>, Vec<f64>) {
        let n = self.dims[mode];
        let mut normal = vec![0.0; n * rank * rank];
        let mut rhs = vec![0.0; n * rank];
        let old = &rows[mode];
        self.each(rows, rank, |index, partials, gap, root| {
            let p = &partials[mode * rank..(mode + 1) * rank];
            let i = index[mode];
            let row = &old[i * rank..(i + 1) * rank];
            let target = gap + p.iter().zip(row).map(|(x, y)| x * y).sum::<f64>();
            let w = root * root;
            let h = &mut normal[i * rank * rank..(i + 1) * rank * rank];
            for (s, column) in h.chunks_exact_mut(rank).enumerate() {
                small::axpy(column, w * p[s], p);
            }
            small::axpy(&mut rhs[i * rank..(i + 1) * rank], w * target, p);
        });
        (normal, rhs)
    }

    /// Gradient `J'e` and the lower triangle of `J'J`, unknown `(k, i, r)` at `offset_k + i * rank + r`.
    pub(super) fn normal(
        &self,
        rows: &Rows,
        rank: usize,
        matrix: Option<&mut Factor>,
    ) -> Result<Vec<f64>, Error> {
        if let Some(dense) = &self.dense {
            return dense.normal(rows, rank, matrix);
        }
        let mut offsets = vec![0];
        rows.iter()
            .for_each(|r| offsets.push(offsets[offsets.len() - 1] + r.len()));
        let mut g = vec![0.0; offsets[rows.len()]];
        let mut matrix = matrix;
        self.each(rows, rank, |index, partials, gap, root| {
            let w = root * root;
            for (k, &i) in index.iter().enumerate() {
                let at = offsets[k] + i * rank;
                let p = &partials[k * rank..(k + 1) * rank];
                small::axpy(&mut g[at..at + rank], w * gap, p);
                let Some(h) = matrix.as_deref_mut() else {
                    continue;
                };
                for (s, &x) in p.iter().enumerate() {
                    let column = h.column_mut(at + s);
                    for (l, &j) in index.iter().enumerate().skip(k) {
                        let to = offsets[l] + j * rank;
                        let q = &partials[l * rank..(l + 1) * rank];
                        small::axpy(&mut column[to..to + rank], w * x, q);
                    }
                }
            }
        });
        Ok(g)
    }

    /// The norm of the longest column of the derivative of the model.
    pub(super) fn slope(&self, rows: &Rows, rank: usize) -> f64 {
        let mut columns = vec![0.0; rank * self.dims.len()];
        self.each(rows, rank, |_, partials, _, root| {
            let squares = columns.iter_mut().zip(partials);
            squares.for_each(|(c, p)| *c += (p * root) * (p * root));
        });
        columns.iter().fold(0.0f64, |m, &c| m.max(c)).sqrt()
    }

    /// The model that the rows stand for.
    pub(in crate::decomp::cp) fn model(&self, rows: &Rows, rank: usize) -> Result<CpTensor, Error> {
        let factor = |k: usize| Factor::from_fn(self.dims[k], rank, |i, r| rows[k][i * rank + r]);
        CpTensor::from_factors((0..self.dims.len()).map(factor).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Tensor;
    use proptest::prelude::*;
    use rand::{Rng, RngExt};
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    fn draws(n: usize, rng: &mut impl Rng) -> Vec<f64> {
        (0..n).map(|_| rng.random_range(-1.0..1.0)).collect()
    }

    fn near(a: &[f64], b: &[f64]) -> bool {
        let size = norm2(a).max(norm2(b)).max(1.0);
        a.len() == b.len() && a.iter().zip(b).all(|(x, y)| (x - y).abs() <= 1e-11 * size)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        /// Products over all entries and loops over the observed ones are the same equations.
        #[test]
        fn both_kernels_agree(dims in prop::collection::vec(1usize..6, 1..5), rank in 1usize..4, seed: u64) {
            let rng = &mut ChaCha8Rng::seed_from_u64(seed);
            let n = dims.iter().product();
            let weights: Vec<f64> = (0..n).map(|_| [0.0, 0.5, 1.0, 3.0][rng.random_range(0..4)]).collect();
            let data = draws(n, rng).iter().zip(&weights).map(|(x, &w)| if w > 0.0 { *x } else { 0.0 }).collect();
            let t = Tensor::from_vec(&dims, data).map_err(|e| TestCaseError::fail(e.to_string()))?;
            let w = Tensor::from_vec(&dims, weights).map_err(|e| TestCaseError::fail(e.to_string()))?;
            let rows: Rows = dims.iter().map(|&n| draws(n * rank, rng)).collect();
            let mut both = Vec::new();
            for dense in [Some(Dense::of(t.view(), w.view())), None] {
                let data = Observed { dense, ..Observed::of(t.view(), w.view()) };
                let unknowns = rows.iter().map(Vec::len).sum();
                let mut h = Factor::zeros(unknowns, unknowns);
                let g = data.normal(&rows, rank, Some(&mut h)).map_err(|e| TestCaseError::fail(e.to_string()))?;
                let lower: Vec<f64> =
                    (0..unknowns).flat_map(|j| h.column(j)[j..].to_vec()).collect();
                let f = data.residual(&rows, rank).map_err(|e| TestCaseError::fail(e.to_string()))?;
                let mut swept = rows.clone();
                data.sweep(&mut swept, rank, 1e-12).map_err(|e| TestCaseError::fail(e.to_string()))?;
                let end = data.residual(&swept, rank).map_err(|e| TestCaseError::fail(e.to_string()))?;
                prop_assert!(end <= f * (1.0 + 1e-6) + 1e-9, "{end} {f}");
                both.push((vec![f], g, lower));
            }
            prop_assert!(near(&both[0].0, &both[1].0));
            prop_assert!(near(&both[0].1, &both[1].1));
            prop_assert!(near(&both[0].2, &both[1].2));
        }
    }
}
