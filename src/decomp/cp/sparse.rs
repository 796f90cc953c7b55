//! CP of sparse tensors that are too large to expand: alternating least squares over stored entries.
//!
//! ```text
//! for each mode m:
//!     M = product of the entries, sorted by mode m, with the other factors
//!     A_m = M inverse(G), G the Hadamard product of the other Gram matrices
//! error^2 = 1 - 2 <M, A_m> + sum of the entries of all Gram matrices' product
//! ```
//!
//! Departures from the textbook: the error costs nothing, because `<T, model>` is the inner product of the last `M` with the last
//! factor; factors stay row by row, as the entries read them.

use super::als::solve_columns;
use super::checks::{self, MOST_CANCELLATION};
use super::decomposition::Cp;
use super::normal_equations::hadamard_grams;
use super::starts::jennrich::normal;
use crate::decomp::restarts::agreement;
use crate::fit::{Check, Ended, Evidence, Fit, Work, judge};
use crate::linalg::Scalar;
use crate::run::{Observer, Progress};
use crate::tensor::sparse_modes::{PaddedRows, SparseModes, padded, unpadded, width};
use crate::tensor::{CpTensor, Factor, SparseTensor};
use crate::{Error, Status};
use faer::{MatMut, MatRef};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

const OP: &str = "Cp::decompose_sparse";

/// Residuals below this are lost in the inner products; see [`Cp::decompose_sparse`].
const FLOOR: f64 = 1e-7;

/// Numbers in all factors: 4 GiB.
const MOST_NUMBERS: usize = 1 << 29;

impl Cp {
    /// Decomposes a sparse tensor, entries that are not stored being zeros, without forming anything of the
    /// size of the dense tensor.
    ///
    /// Alternating least squares only. The residual comes from `||T||^2 - 2 <T, M> + ||M||^2`, which loses
    /// everything below about `1e-8`; a smaller one is reported as `1e-7`.
    ///
    /// # Errors
    /// `InvalidInput`: rank or starts out of range, or no mode. `LimitExceeded`: more than 2^29 numbers in the factors. `NonFinite`. `Stopped` when the observer broke
    /// before a start had finished.
    ///
    /// # Complexity
    /// Each sweep `O(nnz * order^2 * R + sum(n_m) R^2)`; memory `O(nnz * order^2 + sum(n_m) R)`.
    /// Here `R` is the number of components.
    pub fn decompose_sparse(
        &self,
        t: &SparseTensor,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<CpTensor>, Error> {
        if self.rank == 0 || self.starts == 0 || t.order() == 0 || t.dims().contains(&0) {
            return Err(Error::invalid(
                OP,
                "rank, starts and dimensions must be at least 1",
            ));
        }
        // Every index is a row of a factor, whether an entry has it or not.
        let rows = t.dims().iter().fold(0usize, |n, &d| n.saturating_add(d));
        if rows.saturating_mul(width(self.rank)) > MOST_NUMBERS {
            let limit = MOST_NUMBERS as u64;
            return Err(Error::limit(OP, "numbers in the factors", limit));
        }
        if let Some(index) = t.values().iter().position(|x| !x.is_finite()) {
            return Err(Error::NonFinite { op: OP, index });
        }
        let norm = t.norm();
        if norm == 0.0 {
            return super::decomposition::zero_fit(t.dims(), self.rank);
        }
        let data = SparseModes::of(t, norm)?;
        let starts = if self.fixed_starts { self.starts } else { 3 };
        let mut best: Option<(CpTensor, Vec<f64>)> = None;
        let mut ends = Vec::new();
        let mut stopped = false;
        for k in 0..starts {
            let mut rng = ChaCha8Rng::seed_from_u64(rng.random());
            let mut draw = |n: usize| Factor::from_fn(n, self.rank, |_, _| normal(&mut rng));
            let mut factors: Vec<PaddedRows> = t.dims().iter().map(|&n| padded(&draw(n))).collect();
            let mut grams: Vec<Factor> = factors.iter().map(|f| gram(f, self.rank)).collect();
            let mut history = Vec::new();
            for sweep_number in 0..self.iterations {
                let f = sweep(&data, self.rank, &mut factors, &mut grams);
                let gain = history.last().map_or(f64::INFINITY, |&b: &f64| b - f);
                history.push(f);
                let p = Progress::of("sweeps", sweep_number as u64, self.iterations as u64);
                stopped = observer(&p.with_figure(f)).is_break();
                if stopped || f <= FLOOR || gain <= 1e-9 * f {
                    break;
                }
            }
            let f = history.last().copied().unwrap_or(f64::INFINITY);
            ends.push(f);
            if best.as_ref().is_none_or(|b| f < b.1[b.1.len() - 1]) {
                let factors = factors.iter().map(|f| unpadded(f, self.rank)).collect();
                best = Some((CpTensor::from_factors(factors)?, history));
            }
            if stopped || (f <= FLOOR && !self.fixed_starts && k == 0) {
                break;
            }
        }
        let (model, history) = best.ok_or(Error::Stopped { op: OP })?;
        self.judged(t, norm, model, history, &ends, stopped)
    }

    fn judged(
        &self,
        t: &SparseTensor,
        norm: f64,
        model: CpTensor,
        history: Vec<f64>,
        ends: &[f64],
        stopped: bool,
    ) -> Result<Fit<CpTensor>, Error> {
        let model = model.canonical();
        let rel_residual = rel_residual(t, norm, &model)?;
        let (agreeing, lacking) = agreement(ends, (1e-4, FLOOR), rel_residual <= FLOOR);
        let variance = rel_residual * rel_residual;
        let checks = vec![
            checks::cancellation(model.cancellation(), MOST_CANCELLATION),
            checks::starts_missing(lacking, 0.0),
            checks::unexplained(variance, 0.5),
            Check::reported("cp.residual-floor", "residual floor of sparse data", FLOOR),
            checks::starts_agreeing(agreeing),
        ];
        let evidence = Evidence {
            rel_residual,
            condition: super::condition::condition(&model),
            checks,
        };
        let ended = match (stopped, history.len() >= self.iterations) {
            (true, _) => Ended::Stopped,
            (_, true) => Ended::Budget,
            _ => Ended::Arrived,
        };
        let status = match judge(&evidence.decisive(self.tol), ended) {
            Status::Converged if ended == Ended::Budget => Status::IterationLimit,
            status => status,
        };
        let (mut weights, factors) = model.into_parts();
        weights.iter_mut().for_each(|w| *w *= norm);
        let work = Work {
            sweeps: history.len(),
            starts: ends.len(),
            ..Work::default()
        };
        Ok(Fit {
            model: CpTensor::new(weights, factors)?,
            status,
            history,
            work,
            evidence,
        })
    }
}

/// One sweep; the relative error after it comes back, not below the floor of the formula.
fn sweep(data: &SparseModes, rank: usize, factors: &mut [PaddedRows], grams: &mut [Factor]) -> f64 {
    let mut cross = 0.0;
    for m in 0..factors.len() {
        let update = data.mttkrp(factors, rank, m);
        // `A = M G^-1` row by row: one small inverse serves all rows.
        let mut inverse = Factor::from_fn(rank, rank, |i, r| f64::from(i == r));
        solve_columns(&hadamard_grams(grams, rank, &[m]), &mut inverse);
        let rows = update.len() / width(rank);
        let to = MatMut::from_column_major_slice_mut(&mut factors[m], width(rank), rows);
        f64::gemm(
            to.subrows_mut(0, rank),
            false,
            inverse.as_mat().transpose(),
            matrix(&update, rank),
            1.0,
        );
        grams[m] = gram(&factors[m], rank);
        cross = f64::dot(&update, &factors[m]);
    }
    let own: f64 = hadamard_grams(grams, rank, &[]).as_slice().iter().sum();
    balance(rank, factors, grams);
    (1.0 - 2.0 * cross + own).max(0.0).sqrt().max(FLOOR)
}

/// Padded rows as the columns of a `rank x n` matrix.
fn matrix(rows: &PaddedRows, rank: usize) -> MatRef<'_, f64> {
    let width = width(rank);
    MatRef::from_column_major_slice(rows, width, rows.len() / width).subrows(0, rank)
}

fn gram(rows: &PaddedRows, rank: usize) -> Factor {
    let (m, mut out) = (matrix(rows, rank), Factor::zeros(rank, rank));
    let to = MatMut::from_column_major_slice_mut(out.as_mut_slice(), rank, rank);
    f64::gemm(to, false, m, m.transpose(), 1.0);
    out
}

/// Gives the columns of each component equal lengths in all modes; the model does not change.
fn balance(rank: usize, factors: &mut [PaddedRows], grams: &mut [Factor]) {
    let order = grams.len() as f64;
    let lengths = |r: usize| grams.iter().map(move |g| g.column(r)[r].max(0.0).sqrt());
    let mut scales = vec![vec![1.0; width(rank)]; factors.len()];
    for r in 0..rank {
        let mean = (lengths(r).map(f64::ln).sum::<f64>() / order).exp();
        if mean > 0.0 && mean.is_finite() {
            let s = scales.iter_mut().zip(lengths(r));
            s.for_each(|(s, l)| s[r] = mean / l);
        }
    }
    for (m, s) in scales.iter().enumerate() {
        for row in factors[m].chunks_exact_mut(width(rank)) {
            row.iter_mut().zip(s).for_each(|(x, s)| *x *= s);
        }
        let g = &mut grams[m];
        for r in 0..rank {
            let column = g.column_mut(r).iter_mut().zip(s);
            column.for_each(|(x, &t)| *x *= t * s[r]);
        }
    }
}

/// Residual of a model of `t / norm`, not below the floor of the formula.
fn rel_residual(t: &SparseTensor, norm: f64, model: &CpTensor) -> Result<f64, Error> {
    let cross = t.bilinear(model)? / norm;
    let own = model.bilinear(model)?;
    Ok((1.0 - 2.0 * cross + own).max(0.0).sqrt().max(FLOOR))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_that_no_memory_holds_are_refused() -> Result<(), Error> {
        for long in [1usize << 31, usize::MAX / 2] {
            let t = SparseTensor::from_coordinates(
                &[long, long, 2],
                &[long - 1, 0, 1],
                vec![1.0],
                |a, b| a + b,
            )?;
            let mut rng = ChaCha8Rng::seed_from_u64(0);
            let fit = Cp::new(2).decompose_sparse(&t, &mut rng, &mut crate::run::unobserved);
            assert!(matches!(fit, Err(Error::LimitExceeded { .. })), "{long}");
        }
        Ok(())
    }
}
