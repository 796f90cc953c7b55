//! CP of incomplete or weighted data.
//!
//! Minimises `sum_i w_i (T_i - model_i)^2`; a weight of zero is an entry that was not measured, whose value is
//! never read. Nothing is imputed: every observed entry contributes its own row of the Jacobian, so the
//! minimum is that of the observed data, and the residual is over them alone.
//!
//! ```text
//! keep one observed entry in twenty back, where that leaves every row determined
//! starts: spectra of what was observed, then random ones, until two agree on what predicts, or one is exact
//!     sweeps, then Gauss-Newton steps
//! hold the predictions at the entries kept back against the error of the fit
//! go on from the best start with all entries
//! ```
//!
//! A row of a factor with fewer observations than components is not determined; it is counted, and the fit is
//! then ill-conditioned. So is one with fewer entries than its parameters or any known method need.
//!
//! Departures from Tomasi and Bro 2005 (INDAFAC): (1) the equations of all rows at once are products of matrices; (2) a
//! spectral start; (3) sweeps go on while they are fast, because they are cheaper than a step; (4) held-out entries.

use super::climb::{Ended, descend};
use super::evidence::{HeldOut, evidence};
use super::held_out::{chosen, needed};
use super::observed::{Observed, Rows};
use super::spectral_start::spectral_start;
use crate::decomp::cp::checks::ended;
use crate::decomp::cp::scaled::Scaled;
use crate::decomp::cp::starts::jennrich::normal;
use crate::decomp::restarts::Effort;
use crate::fit::{Evidence, Fit, Work, judge};
use crate::run::{Observer, Progress, unobserved};
use crate::tensor::{CpTensor, Factor, Tensor, TensorView, by_rows};
use crate::{Error, Status};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

const OP: &str = "CpMasked::decompose";
/// Two starts with errors this close, relatively, have found the same minimum.
const AGREE: f64 = 1e-5;
/// Sweeps and steps beyond which a minimum was hard to find: there are others nearby, and two starts may share a wrong one.
const SLOW: usize = 60;
/// Starts where there are too few entries for any known method.
const FEW: usize = 3;
/// Error of a start that nothing can be better than.
const EXACT: f64 = 1e-12;

/// CP decomposition of data with missing entries or weights, over the reals.
#[derive(Clone, Debug, PartialEq)]
pub struct CpMasked {
    effort: Effort,
}

impl CpMasked {
    /// Masked CP with `rank` components, `rank >= 1`.
    pub fn new(rank: usize) -> Self {
        Self {
            effort: Effort {
                rank,
                starts: 8,
                iterations: 300,
                tol: None,
            },
        }
    }

    pub(in crate::decomp::cp) fn with_rank(&self, rank: usize) -> Self {
        let effort = Effort {
            rank,
            ..self.effort
        };
        Self { effort }
    }

    /// Number of starts at most, in `1..=10000`; 8 by default. The search ends when two agree.
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

    /// The weights that treat every non-finite entry of `t` as missing.
    pub fn mask_of(t: TensorView<'_>) -> Tensor {
        let mut out = t.to_tensor();
        for x in out.as_mut_slice() {
            *x = if x.is_finite() { 1.0 } else { 0.0 };
        }
        out
    }

    /// Decomposes the entries of `t` with positive weight.
    ///
    /// # Shapes
    /// `t` and `weights` have the same positive dimensions `n_m`; factor `m` is `n_m x rank`, canonical.
    ///
    /// # Errors
    /// `InvalidInput`: an option or weight outside its domain, or no observed entry. `Shape`. `NonFinite`: an
    /// observed entry is not finite.
    ///
    /// # Complexity
    /// A sweep costs `O(m N R^2)` flops in products of matrices for `N` entries of order `m`, or `O(k m R^2)` in loops where only
    /// `k < N / 16` were observed; a Gauss-Newton step `O(u^3 / 3)` more for `u = R sum(n_m)` unknowns, up to 1500 of them.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::{decomp::CpMasked, tensor::Tensor};
    /// let mut t = Tensor::from_fn(&[4, 5, 3], |i| (i[0] + 1) as f64 * (i[1] as f64 - 2.5) * (i[2] + 2) as f64)?;
    /// t.as_mut_slice()[7] = f64::NAN;
    /// let mask = CpMasked::mask_of(t.view());
    /// let fit = CpMasked::new(1).decompose(t.view(), mask.view(), &mut ChaCha8Rng::seed_from_u64(0))?;
    /// let filled = fit.converged()?.entry(&[3, 1, 0]);
    /// assert!((filled.unwrap_or(0.0) + 12.0).abs() < 1e-9); // 4 * -1.5 * 2
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn decompose(
        &self,
        t: TensorView<'_>,
        weights: TensorView<'_>,
        rng: &mut impl Rng,
    ) -> Result<Fit<CpTensor>, Error> {
        self.decompose_observed(t, weights, rng, &mut unobserved)
    }

    /// As [`CpMasked::decompose`], reporting progress; a break returns the best model so far.
    ///
    /// # Errors
    /// As [`CpMasked::decompose`].
    pub fn decompose_observed(
        &self,
        t: TensorView<'_>,
        weights: TensorView<'_>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<CpTensor>, Error> {
        self.decompose_from(t, weights, None, rng, observer)
    }

    /// As [`CpMasked::decompose_observed`], with a first start: factors of data of norm one.
    pub(in crate::decomp::cp) fn decompose_from(
        &self,
        t: TensorView<'_>,
        weights: TensorView<'_>,
        given: Option<&[Factor]>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<CpTensor>, Error> {
        self.effort.check(OP, 10_000)?;
        let Effort {
            rank,
            starts,
            iterations,
            ..
        } = self.effort;
        let clean = cleaned(OP, t, weights)?;
        let scaled = Scaled::of(clean.view())?;
        let data = scaled.as_ref().map_or(&clean, |s| &s.data);
        let all = Observed::of(data.view(), weights);
        let rng = &mut ChaCha8Rng::seed_from_u64(rng.random());
        let held = chosen(&all.dims, all.indices(), rank, rng);
        let split = Split::without(&all, data, weights, &held)?;
        let fitted = split.as_ref().map_or(&all, |s| &s.observed);
        let shown = split.as_ref().map_or(data, |s| &s.data);
        let predicted = |end: &Ended| {
            let squares = (end.residual * fitted.norm()).powi(2);
            HeldOut::of(&all, (&end.rows, rank), &held, (squares, fitted.len()))
        };
        let credible = |end: &Ended| predicted(end).is_none_or(|h| h.holds());
        let (mut best, errors) = self.search((fitted, shown), given, &credible, rng, observer)?;
        let held = predicted(&best);
        if split.is_some() && !best.stopped {
            let mut stop = |figure: f64| {
                let p = Progress::of("all entries", errors.len() as u64, starts as u64);
                observer(&p.with_figure(figure)).is_break()
            };
            let start = std::mem::take(&mut best.rows);
            let last = descend(&all, (start, false), rank, iterations, &mut stop)?;
            let history = [best.history, last.history].concat();
            best = Ended { history, ..last };
        }
        let model = all.model(&best.rows, rank)?.canonical();
        let evidence = evidence(&all, &model, &errors, held)?;
        let status = self.status(&evidence, best.stopped, best.spent);
        let model = scaled.iter().try_fold(model, |m, s| s.restore(m))?;
        let work = Work {
            sweeps: best.history.len().saturating_sub(1),
            starts: errors.len(),
            ..Work::default()
        };
        Ok(Fit {
            model,
            status,
            history: best.history,
            work,
            evidence,
        })
    }

    /// The best of as many starts as it takes for two to agree on a model that was not hard to find and that is `credible`, and
    /// the errors of all.
    fn search(
        &self,
        (data, full): (&Observed, &Tensor),
        given: Option<&[Factor]>,
        credible: &dyn Fn(&Ended) -> bool,
        rng: &mut ChaCha8Rng,
        observer: Observer<'_>,
    ) -> Result<(Ended, Vec<f64>), Error> {
        let share = data.len() as f64 / full.as_slice().len() as f64;
        let mut given = given.map(|x| x.iter().map(by_rows).collect::<Rows>());
        let mut spectral = spectral_start(full.view(), self.effort.rank, share, rng)?;
        let mut best: Option<Ended> = None;
        let mut errors: Vec<f64> = Vec::new();
        // Where too little was measured no number of starts makes the answer more certain.
        let hopeless = needed(&data.dims, self.effort.rank) > data.len() as f64;
        let most = if hopeless {
            self.effort.starts.min(FEW)
        } else {
            self.effort.starts
        };
        while errors.len() < most {
            let start = given.take().or_else(|| spectral.take());
            let start = start.unwrap_or_else(|| self.random(&data.dims, rng));
            let (made, before) = (errors.len() as u64, best.as_ref().map(|b| b.residual));
            let mut stop = |figure: f64| {
                let p = Progress::of("starts", made, self.effort.starts as u64);
                let figure = before.map_or(figure, |b| b.min(figure));
                observer(&p.with_figure(figure)).is_break()
            };
            let end = descend(
                data,
                (start, true),
                self.effort.rank,
                self.effort.iterations,
                &mut stop,
            )?;
            errors.push(end.residual);
            let stopped = end.stopped;
            if best.as_ref().is_none_or(|b| end.residual < b.residual) {
                best = Some(end);
            }
            let top = errors.iter().copied().fold(f64::INFINITY, f64::min);
            let agreeing = errors.iter().filter(|&&e| e <= top * (1.0 + AGREE) + EXACT);
            let easy = |b: &Ended| b.history.len() <= SLOW && credible(b);
            let enough = top <= EXACT || (agreeing.count() > 1 && best.as_ref().is_some_and(easy));
            if let Some(best) = best.as_mut() {
                best.stopped = stopped;
            }
            if stopped || enough {
                break;
            }
        }
        let best = best.ok_or(Error::Stopped { op: OP })?;
        Ok((best, errors))
    }

    fn random(&self, dims: &[usize], rng: &mut ChaCha8Rng) -> Rows {
        let mut draw = |n: usize| (0..n * self.effort.rank).map(|_| normal(rng)).collect();
        dims.iter().map(|&n| draw(n)).collect()
    }

    fn status(&self, evidence: &Evidence, stopped: bool, spent: bool) -> Status {
        let mut checks = evidence.decisive(self.effort.tol);
        // A tolerance is about what was observed; what was kept back is held against it all the same.
        if self.effort.tol.is_some() {
            let held = ["cp.held-out", "cp.held-out-error"];
            checks.extend(held.iter().filter_map(|key| evidence.check(key)).cloned());
        }
        judge(&checks, ended(evidence, spent, stopped))
    }
}

/// The data and the observed entries without those that are held out.
struct Split {
    data: Tensor,
    observed: Observed,
}

impl Split {
    /// `None` when nothing is held out.
    fn without(
        all: &Observed,
        data: &Tensor,
        weights: TensorView<'_>,
        held: &[usize],
    ) -> Result<Option<Self>, Error> {
        if held.is_empty() {
            return Ok(None);
        }
        let (mut data, mut weights) = (data.clone(), weights.to_tensor());
        for &at in held {
            let flat = all.position(at);
            data.as_mut_slice()[flat] = 0.0;
            weights.as_mut_slice()[flat] = 0.0;
        }
        let observed = Observed::of(data.view(), weights.view());
        Ok(Some(Self { data, observed }))
    }
}

/// `t` with zeros where it was not observed.
pub(in crate::decomp::cp) fn cleaned(
    op: &'static str,
    t: TensorView<'_>,
    weights: TensorView<'_>,
) -> Result<Tensor, Error> {
    if t.dims() != weights.dims() {
        let (expected, found) = (
            format!("weights of shape {:?}", t.dims()),
            format!("{:?}", weights.dims()),
        );
        return Err(Error::shape(op, expected, found));
    }
    if t.order() == 0 || t.dims().contains(&0) {
        let requirement = format!(
            "a tensor of order at least 1 and positive dimensions, got {:?}",
            t.dims()
        );
        return Err(Error::invalid(op, requirement));
    }
    let mut out = t.to_tensor();
    let mut seen = false;
    for (index, (x, &w)) in out
        .as_mut_slice()
        .iter_mut()
        .zip(weights.as_slice())
        .enumerate()
    {
        if !(w >= 0.0 && w.is_finite()) {
            let requirement =
                format!("weights must be finite and nonnegative, entry {index} is {w}");
            return Err(Error::invalid(op, requirement));
        }
        if w == 0.0 {
            *x = 0.0;
        } else if x.is_finite() {
            seen = true;
        } else {
            return Err(Error::NonFinite { op, index });
        }
    }
    if seen {
        return Ok(out);
    }
    Err(Error::invalid(op, "at least one entry must be observed"))
}
