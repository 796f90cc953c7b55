//! CP of sparse tensors that are too large to expand: alternating least squares over stored entries.

use super::als::{balance, grams_of, solve_columns};
use super::checks::{self, MOST_CANCELLATION};
use super::decomposition::Cp;
use super::jennrich::normal;
use super::normal_equations::hadamard_grams;
use crate::fit::{Check, Evidence, Fit, Work};
use crate::run::{Observer, Progress};
use crate::tensor::{CpTensor, Factor, SparseTensor};
use crate::{Error, Status};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

const OP: &str = "Cp::decompose_sparse";

/// Residuals below this are lost in the inner products; see [`Cp::decompose_sparse`].
const FLOOR: f64 = 1e-7;

impl Cp {
    /// Decomposes a sparse tensor, entries that are not stored being zeros, without forming anything of the
    /// size of the dense tensor.
    ///
    /// Alternating least squares only. The residual comes from `||T||^2 - 2 <T, M> + ||M||^2`, which loses
    /// everything below about `1e-8`; a smaller one is reported as `1e-7`.
    ///
    /// # Errors
    /// `InvalidInput`: rank or starts out of range, or no mode. `NonFinite`. `Stopped` when the observer broke
    /// before a start had finished.
    ///
    /// # Complexity
    /// Each sweep `O(nnz * order^2 * R + sum(n_m) R^2)`; memory `O(nnz * order + sum(n_m) R)`.
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
        if let Some(index) = t.values().iter().position(|x| !x.is_finite()) {
            return Err(Error::NonFinite { op: OP, index });
        }
        let norm = t.norm();
        if norm == 0.0 {
            return super::decomposition::zero_fit(t.dims(), self.rank);
        }
        let starts = if self.fixed_starts { self.starts } else { 3 };
        let mut best: Option<(CpTensor, Vec<f64>)> = None;
        let mut ends = Vec::new();
        let mut stopped = false;
        for k in 0..starts {
            let mut rng = ChaCha8Rng::seed_from_u64(rng.random());
            let mut draw = |n: usize| Factor::from_fn(n, self.rank, |_, _| normal(&mut rng));
            let mut factors: Vec<Factor> = t.dims().iter().map(|&n| draw(n)).collect();
            let mut history = Vec::new();
            for sweep_number in 0..self.iterations {
                sweep(t, norm, &mut factors)?;
                let model = CpTensor::from_factors(factors.clone())?;
                let f = rel_residual(t, norm, &model)?;
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
        let top = ends.iter().copied().fold(f64::INFINITY, f64::min);
        let agreeing = ends
            .iter()
            .filter(|&&r| r <= top * (1.0 + 1e-4) + FLOOR)
            .count();
        let lacking = if rel_residual <= FLOOR {
            0
        } else {
            2usize.saturating_sub(agreeing)
        };
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
        let reached = match self.tol {
            Some(tol) => rel_residual <= tol,
            None => evidence.holds(),
        };
        let spent = history.len() >= self.iterations;
        let status = match (stopped, reached && !spent, spent) {
            (true, _, _) => Status::Stopped,
            (_, true, _) => Status::Converged,
            (_, _, true) => Status::IterationLimit,
            _ => Status::Stalled,
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

/// One sweep on `t / norm`.
fn sweep(t: &SparseTensor, norm: f64, factors: &mut [Factor]) -> Result<(), Error> {
    let rank = factors.first().map_or(0, Factor::cols);
    let mut grams = grams_of(factors);
    for m in 0..factors.len() {
        let mut update = t.mttkrp(factors, m)?;
        update.as_mut_slice().iter_mut().for_each(|x| *x /= norm);
        solve_columns(&hadamard_grams(&grams, rank, &[m]), &mut update);
        grams[m] = update.gram();
        factors[m] = update;
    }
    balance(factors, &mut grams);
    Ok(())
}

/// Residual of a model of `t / norm`, not below the floor of the formula.
fn rel_residual(t: &SparseTensor, norm: f64, model: &CpTensor) -> Result<f64, Error> {
    let cross = t.bilinear(model)? / norm;
    let own = model.bilinear(model)?;
    Ok((1.0 - 2.0 * cross + own).max(0.0).sqrt().max(FLOOR))
}
