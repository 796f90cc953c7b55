//! CP with a constraint for each mode: the options, the verb, the status.
//!
//! ```text
//! starts: the model without constraints, made to keep them, then random factors that do
//!     sweeps over the modes, extrapolated, until five in a row gain nothing
//! the best start, in unit columns, measured again from the data and the model
//! ```
//!
//! Exact: nothing. Approximate: everything; the evidence says how well.

use super::evidence::{constrained_modes, evidence, kept};
use super::rule::{Constraint, Rule, Set};
use super::search::{Ended, admitted, descend, random};
use super::sweep::Problem;
use crate::Error;
use crate::decomp::cp::checks::ended;
use crate::decomp::cp::decomposition::{Cp, check_tensor, zero_fit};
use crate::decomp::cp::missing::decomposition::cleaned;
use crate::decomp::cp::scaled::Scaled;
use crate::decomp::restarts::{Effort, all_starts, least};
use crate::fit::{Fit, Work, judge};
use crate::run::{Observer, unobserved};
use crate::tensor::{CpTensor, Factor, TensorView};
use rand::{Rng, RngExt};

const OP: &str = "CpConstrained::decompose";

/// CP decomposition with a constraint for each mode.
///
/// # Example
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use wickring::{decomp::{Constraint, CpConstrained}, tensor::Tensor};
/// let hill = [0.0, 1.0, 3.0, 2.0, 1.0];
/// let t = Tensor::from_fn(&[5, 4, 3], |i| hill[i[0]] * (1 + i[1]) as f64 * (i[2] as f64 - 1.0))?;
/// let method = CpConstrained::new(1).constrain(0, Constraint::Unimodal).constrain(1, Constraint::Nonnegative);
/// let fit = method.decompose(t.view(), &mut ChaCha8Rng::seed_from_u64(0))?;
/// assert!(fit.converged()?.factors()[0].as_slice().iter().all(|&x| x >= 0.0));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct CpConstrained {
    effort: Effort,
    constraints: Vec<(usize, Constraint)>,
}

impl CpConstrained {
    /// CP with `rank` components, in `1..=1024`, and no constraint yet.
    pub fn new(rank: usize) -> Self {
        Self {
            effort: Effort {
                rank,
                starts: 6,
                iterations: 2000,
                tol: None,
            },
            constraints: Vec::new(),
        }
    }

    /// One more constraint, on `mode` (from 0). A mode may be smooth, sparse and in one set at once.
    #[must_use]
    pub fn constrain(mut self, mode: usize, constraint: Constraint) -> Self {
        self.constraints.push((mode, constraint));
        self
    }

    /// Number of starts, in `1..=10000`; 6 by default.
    #[must_use]
    pub fn starts(mut self, starts: usize) -> Self {
        self.effort.starts = starts;
        self
    }

    /// Sweeps of each start, in `1..=1000000`; 2000 by default.
    #[must_use]
    pub fn max_iterations(mut self, sweeps: usize) -> Self {
        self.effort.iterations = sweeps;
        self
    }

    /// A relative residual that the fit must reach to be called converged, finite and positive.
    #[must_use]
    pub fn tol(mut self, tol: f64) -> Self {
        self.effort.tol = Some(tol);
        self
    }

    /// Decomposes a dense real tensor. The history holds `sqrt(residual^2 + 2 penalties)` for data of norm one.
    ///
    /// # Shapes
    /// `t` has positive dimensions `n_m`; factor `m` is `n_m x rank` with unit columns and keeps the constraints of mode `m`.
    /// Weights do not rise, unless a factor is fixed: then components stand in the order of its columns.
    ///
    /// # Errors
    /// `InvalidInput`: an option outside its domain, a dimension of zero, constraints of a mode that is not there or that
    /// exclude each other, orthonormal columns without room, a fixed factor of another shape, not finite or with a zero
    /// column, no mode left to carry lengths. `NonFinite`, `Backend`.
    ///
    /// # Complexity
    /// Each sweep `O(m N R + sum(n_m) R^2)` for order `m`, `N` entries and rank `R`; a smooth mode of size `n` adds `O(n^2 R + n R^3)`, forty times
    /// as much where it is also bounded, and `O(n^3)` once.
    ///
    /// # Accuracy
    /// A stationary point on the set, relative slope at most `1e-4`; constraints hold to rounding. The least value of all is not
    /// promised; starts that agree are counted.
    ///
    /// # Example
    /// See [`CpConstrained`].
    ///
    /// # Source
    /// Bro and Sidiropoulos 1998 (columns in turn), Huang, Sidiropoulos, Liavas 2016 (alternating directions within sweeps).
    /// Departures: alternating directions only where no exact step exists; penalties on components and not on columns, which
    /// fixes lengths without a norm for the other modes.
    pub fn decompose(&self, t: TensorView<'_>, rng: &mut impl Rng) -> Result<Fit<CpTensor>, Error> {
        self.decompose_observed(t, rng, &mut unobserved)
    }

    /// As [`CpConstrained::decompose`], reporting progress; a break returns the best model so far.
    ///
    /// # Errors
    /// As [`CpConstrained::decompose`].
    pub fn decompose_observed(
        &self,
        t: TensorView<'_>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<CpTensor>, Error> {
        check_tensor(OP, t)?;
        self.search((t, None), rng, observer)
    }

    /// Decomposes the entries of `t` with positive weight; the values of the others are never read.
    ///
    /// # Shapes
    /// `t` and `weights` have the same positive dimensions.
    ///
    /// # Errors
    /// As [`CpConstrained::decompose`]; `Shape`; `InvalidInput`: a weight outside its domain, or no observed entry.
    ///
    /// # Complexity
    /// As [`CpConstrained::decompose`]; sweeps are more where more is missing.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::decomp::{Constraint, CpConstrained, CpMasked};
    /// use wickring::run::unobserved;
    /// use wickring::tensor::Tensor;
    /// let mut t = Tensor::from_fn(&[4, 5, 3], |i| ((i[0] + 1) * (i[1] + 2) * (i[2] + 3)) as f64)?;
    /// t.as_mut_slice()[7] = f64::NAN;
    /// let seen = CpMasked::mask_of(t.view());
    /// let rng = &mut ChaCha8Rng::seed_from_u64(0);
    /// let method = CpConstrained::new(1).constrain(2, Constraint::Nonnegative);
    /// let fit = method.decompose_masked(t.view(), seen.view(), rng, &mut unobserved)?;
    /// assert!((fit.converged()?.entry(&[3, 1, 0]).unwrap_or(0.0) - 36.0).abs() < 1e-4); // 4 * 3 * 3
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn decompose_masked(
        &self,
        t: TensorView<'_>,
        weights: TensorView<'_>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<CpTensor>, Error> {
        let clean = cleaned(OP, t, weights)?;
        self.search((clean.view(), Some(weights.as_slice())), rng, observer)
    }

    fn search(
        &self,
        (t, weights): (TensorView<'_>, Option<&[f64]>),
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<CpTensor>, Error> {
        let rules = self.rules(t.dims())?;
        let Some(scaled) = Scaled::of(t)? else {
            return nothing(&rules, t.dims(), self.effort.rank);
        };
        // Weights of at most one make filling in a majoriser.
        let top = weights.map_or(1.0, |w| w.iter().copied().fold(0.0, f64::max));
        let weights: Option<Vec<f64>> = weights.map(|w| w.iter().map(|w| w / top).collect());
        let data = (scaled.data.view(), weights.as_deref());
        let problem = Problem::of(OP, data, &rules)?;
        let (done, stopped) = self.starts_made(&problem, rng, observer)?;
        let ends: Vec<f64> = done.iter().map(Ended::value).collect();
        let best = least(OP, done, Ended::value)?;
        let model = finished(&rules, best.x)?;
        let evidence = evidence(&problem, &model, &ends)?;
        let status = judge(
            &evidence.decisive(self.effort.tol),
            ended(&evidence, best.spent, stopped),
        );
        let work = Work {
            sweeps: best.history.len().saturating_sub(1),
            starts: ends.len(),
            ..Work::default()
        };
        Ok(Fit {
            model: scaled.restore(model)?,
            status,
            history: best.history,
            work,
            evidence,
        })
    }

    /// The starts, and whether the observer broke.
    fn starts_made(
        &self,
        problem: &Problem<'_>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<(Vec<Ended>, bool), Error> {
        let first = self.unconstrained(problem, rng, observer)?;
        let mut seeds: Vec<(Option<Vec<Factor>>, u64)> = (0..self.effort.starts)
            .map(|_| (None, rng.random()))
            .collect();
        if let Some(start) = seeds.first_mut() {
            start.0 = first;
        }
        all_starts(&seeds, observer, |(known, seed), halt| {
            let x = match known {
                Some(x) => admitted(problem, x.clone())?,
                None => random(problem, self.effort.rank, *seed)?,
            };
            descend(problem, x, self.effort.iterations, halt)
        })
    }

    /// The model without constraints; none where entries are missing or its order of components would have to be another.
    fn unconstrained(
        &self,
        problem: &Problem<'_>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Option<Vec<Factor>>, Error> {
        let fixed = problem.rules.iter().any(|r| matches!(r.set, Set::Fixed(_)));
        if fixed || problem.weights.is_some() {
            return Ok(None);
        }
        let free = Cp::new(self.effort.rank).starts(1).max_iterations(100);
        match free.decompose_observed(problem.t, rng, observer) {
            Ok(fit) => Ok(Some(fit.model.balanced())),
            // It is one start among others.
            Err(Error::Stopped { .. } | Error::Backend { .. } | Error::Degenerate { .. }) => {
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }

    fn rules(&self, dims: &[usize]) -> Result<Vec<Rule>, Error> {
        self.effort.check(OP, 1024)?;
        let order = dims.len();
        if let Some((mode, _)) = self.constraints.iter().find(|(m, _)| *m >= order) {
            let requirement = format!(
                "a constraint is on mode {mode}, the modes are 0 to {}",
                order.saturating_sub(1)
            );
            return Err(Error::invalid(OP, requirement));
        }
        let one = |(m, &n): (usize, &usize)| {
            let all = self.constraints.iter().filter(|(mode, _)| *mode == m);
            let all: Vec<&Constraint> = all.map(|(_, c)| c).collect();
            Rule::of(OP, m, (n, self.effort.rank), &all)
        };
        let rules = dims.iter().enumerate().map(one);
        let rules = rules.collect::<Result<Vec<Rule>, Error>>()?;
        if !rules.iter().any(Rule::scales) {
            let requirement = "one mode at least that is neither orthonormal nor fixed, to carry the lengths of components";
            return Err(Error::invalid(OP, requirement));
        }
        Ok(rules)
    }
}

/// The model of a zero tensor: weights of zero on unit columns that keep the rules.
fn nothing(rules: &[Rule], dims: &[usize], rank: usize) -> Result<Fit<CpTensor>, Error> {
    let mut fit = zero_fit(dims, rank)?;
    let factor = |(rule, &n): (&Rule, &usize)| match &rule.set {
        Set::Fixed(known) => known.clone(),
        Set::Orthonormal => Factor::from_fn(n, rank, |i, r| f64::from(i == r)),
        _ => Factor::from_fn(n, rank, |i, _| f64::from(i == 0)),
    };
    let factors = rules.iter().zip(dims).map(factor).collect();
    fit.model = CpTensor::new(vec![0.0; rank], factors)?;
    let said = [kept(rules, &fit.model), constrained_modes(rules)];
    fit.evidence.checks.extend(said);
    Ok(fit)
}

/// Unit columns, their lengths as weights; among the modes that may have any sign all but the last have their greatest entry
/// positive. The heaviest component comes first, where no factor is fixed.
fn finished(rules: &[Rule], mut x: Vec<Factor>) -> Result<CpTensor, Error> {
    let rank = x.first().map_or(0, Factor::cols);
    let signed: Vec<usize> = (0..x.len()).filter(|&m| rules[m].signed()).collect();
    let mut weights = vec![1.0; rank];
    for (r, weight) in weights.iter_mut().enumerate() {
        for f in &mut x {
            let length = f.column_norm(r);
            *weight *= length;
            let root = 1.0 / length.sqrt();
            f.scale_column(r, if length > 0.0 { root } else { 0.0 });
            f.scale_column(r, if length > 0.0 { root } else { 0.0 });
        }
        if !(*weight > 0.0) {
            *weight = 0.0;
            let gone = x.iter_mut().zip(rules).filter(|(_, rule)| rule.scales());
            gone.for_each(|(f, _)| {
                f.column_mut(r).fill(0.0);
                f.column_mut(r)[0] = 1.0;
            });
        }
        if let Some((&last, others)) = signed.split_last() {
            for &m in others {
                let column = x[m].column(r);
                let most = |a: f64, &b: &f64| {
                    if b.abs() > a.abs() * (1.0 + 1e-9) {
                        b
                    } else {
                        a
                    }
                };
                if column.iter().fold(0.0, most) < 0.0 {
                    x[m].scale_column(r, -1.0);
                    x[last].scale_column(r, -1.0);
                }
            }
        }
    }
    if rules.iter().any(|r| matches!(r.set, Set::Fixed(_))) {
        return CpTensor::new(weights, x);
    }
    let mut order: Vec<usize> = (0..rank).collect();
    order.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]));
    let sorted = |f: &Factor| Factor::from_fn(f.rows(), rank, |i, r| f.column(order[r])[i]);
    let factors = x.iter().map(sorted).collect();
    CpTensor::new(order.iter().map(|&r| weights[r]).collect(), factors)
}
