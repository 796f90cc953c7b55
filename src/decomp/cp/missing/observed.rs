//! The observed entries of an incomplete tensor, and the kernels over them.

use crate::Error;
use crate::decomp::cp::checks::{self, MOST_CANCELLATION, MOST_GRADIENT};
use crate::fit::{Check, Evidence};
use crate::linalg::{cholesky_solve, norm2, small};
use crate::tensor::{CpTensor, Factor, TensorView, by_rows};
use faer::{Mat, MatRef};

/// Rows of factors that see fewer observed entries than there are components.
pub(in crate::decomp::cp) const RANK_DEFICIT: &str = "rows with fewer observations than components";

/// Factors by rows: entry `(i, r)` of mode `k` at `i * rank + r`.
pub(in crate::decomp::cp) type Rows = Vec<Vec<f64>>;

/// Indices, values and square roots of the weights of the observed entries.
pub(in crate::decomp::cp) struct Observed {
    pub(in crate::decomp::cp) dims: Vec<usize>,
    indices: Vec<usize>,
    values: Vec<f64>,
    roots: Vec<f64>,
    norm: f64,
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
        Self {
            dims,
            indices,
            values,
            roots,
            norm,
        }
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
    pub(in crate::decomp::cp) fn residual(&self, rows: &Rows, rank: usize) -> f64 {
        let mut sum = 0.0;
        self.each(rows, rank, |_, _, gap, root| {
            sum += (gap * root) * (gap * root)
        });
        let norm = if self.norm > 0.0 { self.norm } else { 1.0 };
        sum.sqrt() / norm
    }

    /// Row-wise least squares, mode after mode.
    pub(in crate::decomp::cp) fn sweep(&self, rows: &mut Rows, rank: usize) {
        for mode in 0..self.dims.len() {
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
            for i in 0..n {
                let h = &mut normal[i * rank * rank..(i + 1) * rank * rank];
                let x = &mut rhs[i * rank..(i + 1) * rank];
                let top = (0..rank).map(|r| h[r * (rank + 1)]).fold(0.0, f64::max);
                if top == 0.0 {
                    // Nothing observed in this slice: zero is as good as any and does no harm.
                    x.fill(0.0);
                    continue;
                }
                // A small ridge towards zero: rows with few observations must not run away.
                (0..rank).for_each(|r| h[r * (rank + 1)] += 1e-10 * top);
                if small::cholesky(h, rank) {
                    small::solve_right(h, rank, x, 1);
                } else {
                    x.copy_from_slice(&rows[mode][i * rank..(i + 1) * rank]);
                }
            }
            rows[mode] = rhs;
        }
    }

    /// Gradient `J'e` and the lower triangle of `J'J`, unknown `(k, i, r)` at `offset_k + i * rank + r`.
    fn normal(&self, rows: &Rows, rank: usize, matrix: Option<&mut Factor>) -> Vec<f64> {
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
        g
    }

    /// Levenberg-Marquardt from `rows`; true when the budget ran out.
    pub(in crate::decomp::cp) fn refine(
        &self,
        rows: &mut Rows,
        rank: usize,
        iterations: usize,
        history: &mut Vec<f64>,
    ) -> bool {
        let unknowns: usize = rows.iter().map(Vec::len).sum();
        let mut f = self.residual(rows, rank);
        let (mut mu, mut growth, mut quiet) = (f64::NAN, 2.0, 0);
        let square = self.norm * self.norm;
        for _ in 0..iterations {
            if f <= 1e-15 {
                return false;
            }
            balance(rows, rank);
            let mut h = Factor::zeros(unknowns, unknowns);
            let g = self.normal(rows, rank, Some(&mut h));
            let scale = (0..unknowns).map(|i| h.column(i)[i]).fold(0.0, f64::max);
            if mu.is_nan() {
                mu = 1e-3 * scale;
            }
            let mut accepted = false;
            for _ in 0..10 {
                let damped = damped(&h, mu);
                let rhs = MatRef::from_column_major_slice(&g, unknowns, 1);
                let Some(p) = cholesky_solve(damped.as_mat(), rhs) else {
                    mu = (mu * 8.0).max(1e-15 * scale);
                    continue;
                };
                let trial = moved(rows, &p);
                let next = self.residual(&trial, rank);
                let step: f64 = (0..unknowns).map(|i| p[(i, 0)] * p[(i, 0)]).sum();
                let slope: f64 = (0..unknowns).map(|i| p[(i, 0)] * g[i]).sum();
                let rho = (f * f - next * next) * square / (slope + mu * step);
                if next < f && rho > 0.0 {
                    mu = (mu * (1.0 - (2.0 * rho - 1.0).powi(3)).max(0.2)).max(1e-16 * scale);
                    growth = 2.0;
                    quiet = if f - next <= 1e-9 * f { quiet + 1 } else { 0 };
                    *rows = trial;
                    f = next;
                    accepted = true;
                    break;
                }
                mu *= growth;
                growth *= 2.0;
            }
            history.push(f);
            if !accepted || quiet >= 2 {
                return false;
            }
        }
        true
    }

    /// The model that the rows stand for.
    pub(in crate::decomp::cp) fn model(&self, rows: &Rows, rank: usize) -> Result<CpTensor, Error> {
        let factor = |k: usize| Factor::from_fn(self.dims[k], rank, |i, r| rows[k][i * rank + r]);
        CpTensor::from_factors((0..self.dims.len()).map(factor).collect())
    }

    /// Evidence about the canonical `model`, from the observed entries alone.
    pub(in crate::decomp::cp) fn evidence(&self, model: &CpTensor, starts: &[f64]) -> Evidence {
        let rank = model.rank();
        let rows: Rows = model.balanced().iter().map(by_rows).collect();
        let rel_residual = self.residual(&rows, rank);
        let g = norm2(&self.normal(&rows, rank, None));
        let (mut slope, mut count) = (0.0f64, vec![Vec::new(); self.dims.len()]);
        self.dims
            .iter()
            .zip(&mut count)
            .for_each(|(&n, c)| *c = vec![0usize; n]);
        let mut columns = vec![0.0; rank * self.dims.len()];
        self.each(&rows, rank, |index, partials, _, root| {
            index.iter().zip(&mut count).for_each(|(&i, c)| c[i] += 1);
            let squares = columns.iter_mut().zip(partials);
            squares.for_each(|(c, p)| *c += (p * root) * (p * root));
        });
        columns.iter().for_each(|&c| slope = slope.max(c));
        let short = count.iter().flatten().filter(|&&c| c < rank).count();
        let scale = self.norm * slope.sqrt();
        let gradient = if scale > 0.0 { g / scale } else { 0.0 };
        let top = starts.iter().copied().fold(f64::INFINITY, f64::min);
        let agreeing = starts
            .iter()
            .filter(|&&r| r <= top * (1.0 + 1e-5) + 1e-12)
            .count();
        let exact = rel_residual <= 1e-9;
        let lacking = if exact {
            0
        } else {
            2usize.saturating_sub(agreeing)
        };
        let variance = rel_residual * rel_residual;
        Evidence {
            rel_residual,
            condition: crate::decomp::cp::condition::condition(model),
            checks: vec![
                checks::gradient(gradient, MOST_GRADIENT),
                checks::cancellation(model.cancellation(), MOST_CANCELLATION),
                checks::unexplained(variance, 0.5),
                Check::conditioning("cp.rank-deficit", RANK_DEFICIT, short as f64, 0.0),
                checks::starts_missing(lacking, 0.0),
                Check::reported(
                    "cp.observed-entries",
                    "observed entries",
                    self.values.len() as f64,
                ),
                checks::explained(variance),
                checks::starts(starts.len()),
                checks::starts_agreeing(agreeing),
            ],
        }
    }
}

fn damped(h: &Factor, mu: f64) -> Factor {
    let mut out = h.clone();
    (0..h.cols()).for_each(|i| out.column_mut(i)[i] += mu);
    out
}

fn moved(rows: &Rows, p: &Mat<f64>) -> Rows {
    let mut out = rows.clone();
    for (at, x) in out.iter_mut().flatten().enumerate() {
        *x += p[(at, 0)];
    }
    out
}

/// Gives the columns of each component equal lengths in all modes.
fn balance(rows: &mut Rows, rank: usize) {
    for r in 0..rank {
        let lengths: Vec<f64> = rows
            .iter()
            .map(|f| norm2(&Vec::from_iter(f.iter().skip(r).step_by(rank).copied())))
            .collect();
        let mean = (lengths.iter().map(|l| l.ln()).sum::<f64>() / rows.len() as f64).exp();
        if !(mean > 0.0 && mean.is_finite()) {
            continue;
        }
        for (f, l) in rows.iter_mut().zip(&lengths) {
            f.iter_mut()
                .skip(r)
                .step_by(rank)
                .for_each(|x| *x *= mean / l);
        }
    }
}
