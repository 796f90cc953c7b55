//! Levenberg-Marquardt for symmetric CP in weights and vectors together.
//!
//! With `G[r,s] = <v_r, v_s>` and order `d`, the normal matrix needs no tensor at all:
//!
//! ```text
//! <dT/dw_r, dT/dw_s>      = G^d
//! <dT/dw_r, dT/dv_s . u>  = d w_s G^(d-1) <v_r, u>
//! <dT/dv_r . u, dT/dv_s . z> = d w_r w_s (G^(d-1) <u, z> + (d-1) G^(d-2) <u, v_s> <z, v_r>)
//! ```

use crate::Error;
use crate::linalg::{cholesky_solve, small};
use crate::tensor::mttkrp;
use crate::tensor::{CpTensor, Factor, TensorView, residual_into};
use faer::MatRef;

/// A point of the iteration.
#[derive(Clone, Debug)]
pub(in crate::decomp) struct Iterate {
    pub(in crate::decomp) weights: Vec<f64>,
    pub(in crate::decomp) vectors: Factor,
}

/// The end of an iteration.
pub(in crate::decomp) struct Run {
    pub(in crate::decomp) at: Iterate,
    pub(in crate::decomp) history: Vec<f64>,
    pub(in crate::decomp) spent: bool,
}

impl Iterate {
    /// Unit vectors with the weights that minimise the residual for them.
    pub(in crate::decomp) fn with_best_weights(
        t: TensorView<'_>,
        vectors: Factor,
    ) -> Result<Self, Error> {
        let rank = vectors.cols();
        let mut at = Self {
            weights: vec![1.0; rank],
            vectors,
        };
        at.normalise(t.order());
        let gram = at.vectors.gram();
        let top = at.contraction(t.dims(), t.as_slice())?;
        let rhs = Factor::from_fn(rank, 1, |r, _| {
            small::dot(top.column(r), at.vectors.column(r))
        });
        let mut ridge = 1e-14;
        for _ in 0..16 {
            let h = Factor::from_fn(rank, rank, |r, s| {
                gram.column(s)[r].powi(t.order() as i32) + if r == s { ridge } else { 0.0 }
            });
            if let Some(w) = cholesky_solve(h.as_mat(), rhs.as_mat()) {
                at.weights = (0..rank).map(|r| w[(r, 0)]).collect();
                return Ok(at);
            }
            ridge *= 10.0;
        }
        Ok(at)
    }

    /// `t` minus the model, and its norm.
    pub(in crate::decomp) fn residual(&self, t: TensorView<'_>) -> Result<(Vec<f64>, f64), Error> {
        let model = CpTensor::new(self.weights.clone(), vec![self.vectors.clone(); t.order()])?;
        let mut gap = Vec::new();
        residual_into(t, model.absorbed().factors(), &mut gap)?;
        let f = small::norm_sq(&gap).sqrt();
        Ok((gap, f))
    }

    /// `e . v_r^(d-1)` for every component.
    pub(in crate::decomp) fn contraction(
        &self,
        dims: &[usize],
        e: &[f64],
    ) -> Result<Factor, Error> {
        let factors = vec![self.vectors.clone(); dims.len()];
        mttkrp(TensorView::new(dims, e)?, &factors, 0)
    }

    /// Unit vectors, lengths moved into the weights.
    fn normalise(&mut self, order: usize) {
        for r in 0..self.vectors.cols() {
            let length = self.vectors.column_norm(r);
            if length > 0.0 && length.is_finite() {
                self.vectors.divide_column(r, length);
                self.weights[r] *= length.powi(order as i32);
            }
        }
    }

    /// The lower triangle of `J'J`; unknowns are the weights, then the vectors one after the other.
    fn normal(&self, order: usize) -> Factor {
        let (n, rank) = (self.vectors.rows(), self.vectors.cols());
        let gram = self.vectors.gram();
        let d = order as f64;
        let total = rank * (n + 1);
        let mut h = Factor::zeros(total, total);
        for s in 0..rank {
            for r in s..rank {
                h.column_mut(s)[r] = gram.column(s)[r].powi(order as i32);
            }
            for r in 0..rank {
                // Rows: vector r; column: weight s.
                let f = d * self.weights[r] * gram.column(s)[r].powi(order as i32 - 1);
                let block = &mut h.column_mut(s)[rank + r * n..rank + (r + 1) * n];
                block
                    .iter_mut()
                    .zip(self.vectors.column(s))
                    .for_each(|(x, v)| *x = f * v);
            }
        }
        for s in 0..rank {
            for r in s..rank {
                let g = gram.column(s)[r];
                let f = d * self.weights[r] * self.weights[s];
                let (diagonal, cross) = (
                    f * g.powi(order as i32 - 1),
                    f * (d - 1.0) * g.powi(order as i32 - 2),
                );
                for j in 0..n {
                    let column = h.column_mut(rank + s * n + j);
                    let block = &mut column[rank + r * n..rank + (r + 1) * n];
                    let scale = cross * self.vectors.column(r)[j];
                    // <u, v_s> <z, v_r> with u = e_i in block r and z = e_j in block s.
                    block
                        .iter_mut()
                        .zip(self.vectors.column(s))
                        .for_each(|(x, v)| *x = scale * v);
                    block[j] += diagonal;
                }
            }
        }
        h
    }
}

/// Minimises `||t - model||` from `start`, for `t` of norm one.
pub(in crate::decomp) fn refine(
    t: TensorView<'_>,
    start: Iterate,
    iterations: usize,
) -> Result<Run, Error> {
    let order = t.order();
    let mut at = start;
    let (n, rank) = (at.vectors.rows(), at.vectors.cols());
    let (mut gap, mut f) = at.residual(t)?;
    let mut history = vec![f];
    let (mut mu, mut growth, mut quiet, mut spent) = (f64::NAN, 2.0, 0, true);
    for _ in 0..iterations {
        if f <= 2e-15 {
            spent = false;
            break;
        }
        let slope = at.contraction(t.dims(), &gap)?;
        let mut g = Vec::with_capacity(rank * (n + 1));
        g.extend((0..rank).map(|r| small::dot(slope.column(r), at.vectors.column(r))));
        for r in 0..rank {
            let w = order as f64 * at.weights[r];
            g.extend(slope.column(r).iter().map(|y| w * y));
        }
        let h = at.normal(order);
        let scale = (0..g.len()).map(|i| h.column(i)[i]).fold(0.0, f64::max);
        if mu.is_nan() {
            mu = 1e-2 * scale;
        }
        let mut accepted = false;
        for _ in 0..12 {
            let mut damped = h.clone();
            (0..g.len()).for_each(|i| damped.column_mut(i)[i] += mu);
            let rhs = MatRef::from_column_major_slice(&g, g.len(), 1);
            let Some(p) = cholesky_solve(damped.as_mat(), rhs) else {
                mu = (8.0 * mu).max(1e-15 * scale);
                continue;
            };
            let mut trial = at.clone();
            trial
                .weights
                .iter_mut()
                .enumerate()
                .for_each(|(r, w)| *w += p[(r, 0)]);
            let entries = trial.vectors.as_mut_slice().iter_mut().enumerate();
            entries.for_each(|(k, x)| *x += p[(rank + k, 0)]);
            let (next_gap, next) = trial.residual(t)?;
            let (mut along, mut length) = (0.0, 0.0);
            for (i, gi) in g.iter().enumerate() {
                along += p[(i, 0)] * gi;
                length += p[(i, 0)] * p[(i, 0)];
            }
            let rho = (f * f - next * next) / (along + mu * length);
            if next < f && rho > 0.0 {
                mu = (mu * (1.0 - (2.0 * rho - 1.0).powi(3)).max(0.2)).max(1e-16 * scale);
                if rho > 0.5 {
                    mu = mu.min(scale * f);
                }
                growth = 2.0;
                quiet = if f - next <= 1e-9 * f { quiet + 1 } else { 0 };
                at = trial;
                at.normalise(order);
                (gap, f) = (next_gap, next);
                accepted = true;
                break;
            }
            mu *= growth;
            growth *= 2.0;
        }
        history.push(f);
        if !accepted || quiet >= 2 {
            spent = false;
            break;
        }
    }
    Ok(Run { at, history, spent })
}
