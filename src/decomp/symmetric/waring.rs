//! Symmetric CP of any order with signed weights: Waring decomposition of a form.
//!
//! ```text
//! T = sum_r w_r v_r (x) v_r (x) .. (x) v_r
//! ```
//!
//! Starts are algebraic where a grouping of modes admits the rank, else random; each is refined by
//! Levenberg-Marquardt in weights and vectors together, so that a weight may pass through zero and change its
//! sign. For overcomplete tensors [`SymmetricMethod::Lbfgs`] descends from a small initialisation first, where
//! every component is still near the origin and few are wasted.
//!
//! Source: Kolda 2015 (symmetric CP by optimisation); Kileel and Pereira 2019 for the landscape.

use super::waring_normal::{Iterate, refine};
use crate::decomp::cp::checks::{self, ended, noise_left};
use crate::decomp::cp::condition;
use crate::decomp::cp::scaled::Scaled;
use crate::decomp::cp::starts::jennrich::algebraic_start;
use crate::decomp::restarts::{Effort, agreement, least};
use crate::fit::{Evidence, Fit, Work, judge};
use crate::linalg::norm2;
use crate::optim::lbfgs::minimise;
use crate::run::{Observer, Progress, unobserved};
use crate::tensor::{Factor, SymmetricCp, SymmetricTensor, TensorView};
use crate::{Error, Status};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

const OP: &str = "Waring::decompose";
/// Unknowns of the normal equations, whose matrix is formed: 400 MB at this number.
const MOST_UNKNOWNS: usize = 7000;
/// Residual on data of norm one at which a fit is exact.
const EXACT: f64 = 1e-12;
/// Relative difference of residuals up to which two starts agree.
const AGREEMENT: f64 = 1e-5;

/// How a symmetric fit is searched for.
///
/// # Example
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use wickring::decomp::{SymmetricMethod, Waring};
/// use wickring::tensor::{Factor, SymmetricCp};
/// let v = Factor::from_fn(3, 2, |i, r| if i == r { 1.0 } else { 0.5 });
/// let t = SymmetricCp::new(3, vec![2.0, -1.0], v)?.to_dense()?;
/// let method = Waring::new(2).method(SymmetricMethod::Lbfgs);
/// let fit = method.decompose(t.view(), &mut ChaCha8Rng::seed_from_u64(0))?;
/// assert!(fit.evidence.rel_residual < 1e-9);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SymmetricMethod {
    /// Algebraic start where one exists, else random ones, refined by damped Gauss-Newton.
    #[default]
    Auto,
    /// L-BFGS from a small initialisation, then damped Gauss-Newton.
    Lbfgs,
}

/// Symmetric CP decomposition.
#[derive(Clone, Debug, PartialEq)]
pub struct Waring {
    effort: Effort,
    method: SymmetricMethod,
}

/// One start at its end.
struct Ended {
    at: Iterate,
    residual: f64,
    history: Vec<f64>,
    spent: bool,
}

impl Waring {
    /// Symmetric CP with `rank` components, `rank >= 1`.
    pub fn new(rank: usize) -> Self {
        Self {
            effort: Effort {
                rank,
                starts: 120,
                iterations: 300,
                tol: None,
            },
            method: SymmetricMethod::Auto,
        }
    }

    /// The method; [`SymmetricMethod::Auto`] by default.
    #[must_use]
    pub fn method(self, method: SymmetricMethod) -> Self {
        Self { method, ..self }
    }

    /// Greatest number of starts, in `1..=10000`; 120 by default. Fewer are run when a fit is exact, or when
    /// at least twelve were and two of them agree on the best value.
    #[must_use]
    pub fn starts(mut self, starts: usize) -> Self {
        self.effort.starts = starts;
        self
    }

    /// Iterations of each start, in `1..=1000000`; 300 by default.
    #[must_use]
    pub fn max_iterations(mut self, iterations: usize) -> Self {
        self.effort.iterations = iterations;
        self
    }

    /// A relative residual that the fit must reach to be called converged, finite and positive.
    #[must_use]
    pub fn tol(mut self, tol: f64) -> Self {
        self.effort.tol = Some(tol);
        self
    }

    /// Decomposes a symmetric tensor.
    ///
    /// # Shapes
    /// `t` has order `d >= 2` and equal dimensions `n`; the vectors are `n x rank`, of unit length.
    ///
    /// # Errors
    /// `InvalidInput`: an option outside its domain, unequal dimensions, or entries that differ from the
    /// symmetric part by more than `1e-8` of the norm. `NonFinite`, `Backend`.
    ///
    /// # Complexity
    /// Each iteration `O(n^d R + (R n)^3 / 3)`.
    /// Here `R` is the number of components.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::{decomp::Waring, tensor::{Factor, SymmetricCp}};
    /// let v = Factor::from_fn(3, 2, |i, r| if i == r { 1.0 } else { 0.5 });
    /// let t = SymmetricCp::new(4, vec![2.0, -1.0], v)?.to_dense()?;
    /// let fit = Waring::new(2).decompose(t.view(), &mut ChaCha8Rng::seed_from_u64(0))?;
    /// assert!(fit.converged()?.rel_residual(t.view())? < 1e-12);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn decompose(
        &self,
        t: TensorView<'_>,
        rng: &mut impl Rng,
    ) -> Result<Fit<SymmetricCp>, Error> {
        self.decompose_observed(t, rng, &mut unobserved)
    }

    /// As [`Waring::decompose`], reporting progress; a break returns the best model so far.
    ///
    /// # Errors
    /// As [`Waring::decompose`].
    pub fn decompose_observed(
        &self,
        t: TensorView<'_>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<SymmetricCp>, Error> {
        self.check(t)?;
        t.require_finite(OP)?;
        let (n, order) = (t.dims()[0], t.order());
        let Some(scaled) = Scaled::of(t)? else {
            let vectors =
                Factor::from_fn(n, self.effort.rank, |i, _| if i == 0 { 1.0 } else { 0.0 });
            return Ok(Fit {
                model: SymmetricCp::new(order, vec![0.0; self.effort.rank], vectors)?,
                status: Status::Converged,
                history: vec![0.0],
                work: Work::default(),
                evidence: Evidence {
                    rel_residual: 0.0,
                    condition: 1.0,
                    checks: Vec::new(),
                },
            });
        };
        let (packed, asymmetry) = SymmetricTensor::symmetrised(scaled.data.view())?;
        if asymmetry > 1e-8 {
            let requirement =
                format!("a symmetric tensor; an entry is off by {asymmetry:.1e} of the norm");
            return Err(Error::invalid(OP, requirement));
        }
        let data = packed.to_dense()?;
        let (done, stopped) = self.search(data.view(), rng, observer)?;
        let ends: Vec<f64> = done.iter().map(|e| e.residual).collect();
        let best = least(OP, done, |e| e.residual)?;
        let model = SymmetricCp::new(order, best.at.weights.clone(), best.at.vectors.clone())?;
        let model = model.canonical();
        let evidence = certify(scaled.data.view(), &model, &ends)?;
        let status = judge(
            &evidence.decisive(self.effort.tol),
            ended(&evidence, best.spent, stopped),
        );
        let weights = model
            .weights()
            .iter()
            .map(|&w| scaled.restore_weight(w))
            .collect();
        Ok(Fit {
            model: SymmetricCp::new(order, weights, model.vectors().clone())?,
            status,
            work: Work {
                sweeps: best.history.len().saturating_sub(1),
                starts: ends.len(),
                ..Work::default()
            },
            history: best.history,
            evidence,
        })
    }

    fn check(&self, t: TensorView<'_>) -> Result<(), Error> {
        let n = t.dims().first().copied().unwrap_or(0);
        if t.order() < 2 || n == 0 || t.dims().iter().any(|&m| m != n) {
            let requirement = format!(
                "order at least 2 and equal positive dimensions, got {:?}",
                t.dims()
            );
            return Err(Error::invalid(OP, requirement));
        }
        self.effort.check(OP, 10_000)?;
        if (n + 1).saturating_mul(self.effort.rank) > MOST_UNKNOWNS {
            let requirement = format!(
                "rank times (dimension + 1) at most {MOST_UNKNOWNS}, got {} x {}",
                self.effort.rank,
                n + 1
            );
            return Err(Error::invalid(OP, requirement));
        }
        Ok(())
    }

    fn search(
        &self,
        t: TensorView<'_>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<(Vec<Ended>, bool), Error> {
        let seeds: Vec<u64> = (0..self.effort.starts).map(|_| rng.random()).collect();
        let mut done: Vec<Ended> = Vec::new();
        while done.len() < self.effort.starts {
            // Fixed batches, so that the answer does not depend on the number of threads.
            let batch = if done.is_empty() { 1 } else { 4 };
            let ids: Vec<usize> =
                (done.len()..self.effort.starts.min(done.len() + batch)).collect();
            let runs: Vec<Result<Ended, Error>> = ids
                .par_iter()
                .map(|&k| self.one_start(t, k, seeds[k]))
                .collect();
            for run in runs {
                done.push(run?);
            }
            let top = done
                .iter()
                .map(|e| e.residual)
                .fold(f64::INFINITY, f64::min);
            let p = Progress::of("starts", done.len() as u64, self.effort.starts as u64)
                .with_figure(top);
            if observer(&p).is_break() {
                return Ok((done, true));
            }
            let ends: Vec<f64> = done.iter().map(|e| e.residual).collect();
            let (agreeing, _) = agreement(&ends, (AGREEMENT, EXACT), false);
            if top <= EXACT || (done.len() >= 12 && agreeing >= 2) {
                break;
            }
        }
        Ok((done, false))
    }

    fn one_start(&self, t: TensorView<'_>, number: usize, seed: u64) -> Result<Ended, Error> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (n, order) = (t.dims()[0], t.order());
        let algebraic = if number == 0 && order >= 3 && self.method == SymmetricMethod::Auto {
            algebraic_start(OP, t, self.effort.rank, &mut rng)?
        } else {
            None
        };
        let mut history = Vec::new();
        let vectors = match algebraic.and_then(|f| f.into_iter().next_back()) {
            Some(v) => v,
            None if self.method == SymmetricMethod::Lbfgs => small_start(
                t,
                self.effort.rank,
                self.effort.iterations,
                &mut rng,
                &mut history,
            )?,
            None => Factor::from_fn(n, self.effort.rank, |_, _| StandardNormal.sample(&mut rng)),
        };
        let start = Iterate::with_best_weights(t, vectors)?;
        let run = refine(t, start, self.effort.iterations)?;
        history.extend(run.history);
        let residual = history.last().copied().unwrap_or(f64::INFINITY);
        Ok(Ended {
            at: run.at,
            residual,
            history,
            spent: run.spent,
        })
    }
}

/// L-BFGS on `||t - sum_r s_r x_r^d||^2 / 2` from vectors of a hundredth of the final length; the signs `s_r`
/// are fixed, random for even orders.
fn small_start(
    t: TensorView<'_>,
    rank: usize,
    iterations: usize,
    rng: &mut ChaCha8Rng,
    history: &mut Vec<f64>,
) -> Result<Factor, Error> {
    let (n, order) = (t.dims()[0], t.order());
    let signs: Vec<f64> = (0..rank)
        .map(|_| {
            if order % 2 == 0 && rng.random::<bool>() {
                -1.0
            } else {
                1.0
            }
        })
        .collect();
    let mut x: Vec<f64> = Vec::with_capacity(n * rank);
    for _ in 0..n * rank {
        let z: f64 = StandardNormal.sample(rng);
        x.push(0.01 * z);
    }
    let mut fault = None;
    let values = minimise(&mut x, iterations, 1e-10, |x, g| {
        let value = Factor::new(n, rank, x.to_vec()).and_then(|v| {
            let at = Iterate {
                weights: signs.clone(),
                vectors: v,
            };
            let (gap, f) = at.residual(t)?;
            let slope = at.contraction(t.dims(), &gap)?;
            for (r, &s) in signs.iter().enumerate() {
                for (i, y) in slope.column(r).iter().enumerate() {
                    g[r * n + i] = -(order as f64) * s * y;
                }
            }
            Ok(0.5 * f * f)
        });
        value.unwrap_or_else(|e| {
            fault = Some(e);
            f64::INFINITY
        })
    });
    if let Some(e) = fault {
        return Err(e);
    }
    history.extend(values.iter().map(|v| (2.0 * v).sqrt()));
    Factor::new(n, rank, x)
}

fn certify(t: TensorView<'_>, model: &SymmetricCp, ends: &[f64]) -> Result<Evidence, Error> {
    let at = Iterate {
        weights: model.weights().to_vec(),
        vectors: model.vectors().clone(),
    };
    let (gap, f) = at.residual(t)?;
    let norm = t.norm();
    let rel_residual = f / norm;
    let slope = at.contraction(t.dims(), &gap)?;
    let along: Vec<f64> = (0..model.rank())
        .flat_map(|r| slope.column(r).iter().map(move |y| (r, y)))
        .map(|(r, y)| model.weights()[r] * y)
        .collect();
    let top_weight = model.weights().iter().fold(0.0f64, |m, w| m.max(w.abs()));
    let gradient = if top_weight > 0.0 {
        norm2(&along) / (norm * top_weight)
    } else {
        0.0
    };
    let (agreeing, lacking) = agreement(ends, (AGREEMENT, EXACT), rel_residual <= 1e-9);
    let variance = rel_residual * rel_residual;
    let allowed = 0.5 * noise_left(t.dims(), model.rank());
    Ok(Evidence {
        rel_residual,
        condition: condition(&model.to_cp()?),
        checks: vec![
            checks::gradient(gradient, 1e-5),
            checks::cancellation(model.cancellation(), checks::MOST_CANCELLATION),
            checks::unexplained(variance, allowed),
            checks::starts_missing(lacking, 0.0),
            checks::explained(variance),
            checks::starts(ends.len()),
            checks::starts_agreeing(agreeing),
        ],
    })
}
