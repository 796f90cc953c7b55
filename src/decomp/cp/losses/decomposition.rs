//! CP by losses other than squares: the options, the verbs, the status.
//!
//! 1. Data are divided by a power of two and refused where the loss has no value for them.
//! 2. From random starts every row of every mode descends in turn by projected damped Newton steps; sweeps are extrapolated.
//! 3. Where there are enough entries, a twentieth of them is held out, the best fit goes on without them and foretells them.
//! 4. Evidence, recomputed: the gradient on free coordinates (the conditions of Karush, Kuhn and Tucker), starts that agree,
//!    the deviance against that of the constant model, and what noise of the same dispersion would gain.

use super::constant::{Constant, constant, constant_of, size};
use super::entry_loss::EntryLoss;
use super::evidence::{Searched, evidence};
use super::held_out::held_out;
use super::rows::{Entries, LossData, check_size};
use super::search::{Descent, descend, start};
use crate::Error;
use crate::decomp::cp::checks::ended;
use crate::decomp::cp::decomposition::{check_tensor, zero_fit};
use crate::decomp::cp::missing::decomposition::cleaned;
use crate::decomp::restarts::{Effort, all_starts, least};
use crate::fit::{Fit, Work, judge};
use crate::run::{Observer, unobserved};
use crate::tensor::sparse_modes::SparseModes;
use crate::tensor::{CpTensor, Factor, SparseTensor, TensorView};
use rand::{Rng, RngExt};

const OP: &str = "CpLoss::decompose";

/// CP decomposition by a loss other than squares: Poisson, gamma, logit, Huber.
#[derive(Clone, Debug, PartialEq)]
pub struct CpLoss {
    effort: Effort,
    loss: EntryLoss,
}

impl CpLoss {
    /// CP with `rank` components, in `1..=1024`, by `loss`.
    pub fn new(rank: usize, loss: EntryLoss) -> Self {
        let effort = Effort {
            rank,
            starts: 4,
            iterations: 1000,
            tol: None,
        };
        Self { effort, loss }
    }

    /// Number of starts, in `1..=10000`; 4 by default.
    #[must_use]
    pub fn starts(mut self, starts: usize) -> Self {
        self.effort.starts = starts;
        self
    }

    /// Sweeps of each start, in `1..=1000000`; 1000 by default.
    #[must_use]
    pub fn max_iterations(mut self, sweeps: usize) -> Self {
        self.effort.iterations = sweeps;
        self
    }

    /// Decomposes a dense real tensor. The history holds deviances relative to that of the constant model, and `rel_residual`
    /// is `||t - expected|| / ||t||` with the entries that the model expects.
    ///
    /// # Shapes
    /// `t` has positive dimensions `n_m`; factor `m` is `n_m x rank`, canonical, nonnegative for Poisson and gamma. With logit
    /// the model holds log odds; [`EntryLoss::expected`] gives probabilities.
    ///
    /// # Errors
    /// `InvalidInput`: an option outside its domain, a dimension of zero, an entry for which the loss has no value (negative
    /// counts, gamma entries that are not positive, logit entries outside `0..=1`). `NonFinite`. `LimitExceeded`: more than
    /// 2^28 numbers in the product of all factors but the shortest.
    ///
    /// # Complexity
    /// Each sweep `O(m N R^2)` for order `m` and `N` entries; memory `O(N + N R / min(n_m))`.
    /// Here `R` is the number of components.
    ///
    /// # Accuracy
    /// A stationary point: the relative gradient on free coordinates is below `1e-4`, mostly far below. The least loss of all
    /// is not promised; starts that agree are counted. Log odds of separated data have no finite optimum: ill-conditioned.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::{decomp::{CpLoss, EntryLoss}, tensor::Tensor};
    /// let counts = Tensor::from_fn(&[6, 7, 5], |i| ((i[0] + 1) * (i[1] + 2) * (i[2] + 1)) as f64)?;
    /// let rng = &mut ChaCha8Rng::seed_from_u64(0);
    /// let fit = CpLoss::new(1, EntryLoss::Poisson).decompose(counts.view(), rng)?;
    /// assert!(fit.converged()?.factors().iter().all(|f| f.as_slice().iter().all(|&x| x >= 0.0)));
    /// # Ok::<(), wickring::Error>(())
    /// ```
    ///
    /// # Source
    /// Chi and Kolda 2012 (Poisson CP and its optimality conditions), Hansen, Plantenga, Kolda 2015 (damped Newton by rows),
    /// Hong, Kolda, Duersch 2020 (other losses), Bertsekas 1982 (projected Newton).
    pub fn decompose(&self, t: TensorView<'_>, rng: &mut impl Rng) -> Result<Fit<CpTensor>, Error> {
        self.decompose_observed(t, rng, &mut unobserved)
    }

    /// As [`CpLoss::decompose`], reporting progress; a break returns the best model so far.
    ///
    /// # Errors
    /// As [`CpLoss::decompose`].
    pub fn decompose_observed(
        &self,
        t: TensorView<'_>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<CpTensor>, Error> {
        self.check()?;
        check_tensor(OP, t)?;
        self.dense(t, None, rng, observer)
    }

    /// Decomposes the entries of `t` with positive weight; the values of the others are never read.
    ///
    /// # Shapes
    /// `t` and `weights` have the same positive dimensions.
    ///
    /// # Errors
    /// As [`CpLoss::decompose`]; `Shape`; `InvalidInput`: a weight outside its domain, or no observed entry.
    ///
    /// # Complexity
    /// As [`CpLoss::decompose`].
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::decomp::{CpLoss, CpMasked, EntryLoss};
    /// use wickring::run::unobserved;
    /// use wickring::tensor::Tensor;
    /// let mut t = Tensor::from_fn(&[4, 5, 3], |i| ((i[0] + 1) * (i[1] + 2) * (i[2] + 3)) as f64)?;
    /// t.as_mut_slice()[7] = f64::NAN;
    /// let seen = CpMasked::mask_of(t.view());
    /// let rng = &mut ChaCha8Rng::seed_from_u64(0);
    /// let method = CpLoss::new(1, EntryLoss::Gamma);
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
        self.check()?;
        let clean = cleaned(OP, t, weights)?;
        self.dense(clean.view(), Some(weights.as_slice()), rng, observer)
    }

    /// Decomposes a sparse tensor of counts, entries that are not stored being zeros, by the Poisson loss. Only stored entries
    /// are touched: the sum of the model over all entries is a product of column sums.
    ///
    /// # Shapes
    /// As [`CpLoss::decompose`].
    ///
    /// # Errors
    /// As [`CpLoss::decompose`]; `InvalidInput` for every other loss, whose zeros cost as much as other entries: expand the
    /// tensor.
    ///
    /// # Complexity
    /// Each sweep `O(nnz (order^2 R + order R^2) + sum(n_m) R^3)` at most; memory `O(nnz * order^2 + sum(n_m) R)`.
    /// Here `R` is the number of components.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::decomp::{CpLoss, EntryLoss};
    /// use wickring::run::unobserved;
    /// use wickring::tensor::{SparseTensor, Tensor};
    /// let block = Tensor::from_fn(&[8, 8, 8], |i| if i.iter().all(|&k| k < 3) { 4.0 } else { 0.0 })?;
    /// let counts = SparseTensor::from_dense(block.view());
    /// let rng = &mut ChaCha8Rng::seed_from_u64(0);
    /// let fit = CpLoss::new(1, EntryLoss::Poisson).decompose_sparse(&counts, rng, &mut unobserved)?;
    /// assert!((fit.converged()?.entry(&[2, 0, 1]).unwrap_or(0.0) - 4.0).abs() < 1e-6);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn decompose_sparse(
        &self,
        t: &SparseTensor,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<CpTensor>, Error> {
        self.check()?;
        if t.order() == 0 || t.dims().contains(&0) {
            let requirement = format!("positive dimensions, got {:?}", t.dims());
            return Err(Error::invalid(OP, requirement));
        }
        if self.loss != EntryLoss::Poisson {
            let requirement = format!(
                "sparse tensors are fitted by the poisson loss: expand the tensor for {}",
                self.loss
            );
            return Err(Error::invalid(OP, requirement));
        }
        // Nothing is sorted for a shape that is refused.
        check_size(OP, (t.dims(), true), self.effort.rank)?;
        self.check_entries(t.values(), None)?;
        let Some(scale) = scale(self.loss, t.values()) else {
            return zero_fit(t.dims(), self.effort.rank);
        };
        let sorted = SparseModes::of(t, scale)?;
        let data = LossData {
            loss: self.loss,
            dims: t.dims(),
            entries: Entries::Sparse(&sorted),
        };
        let total = t.dims().iter().map(|&n| n as f64).product::<f64>();
        let mass: f64 = t.values().iter().map(|x| x / scale).sum();
        let model = mass / total;
        let log = |x: &f64| {
            if *x > 0.0 {
                x / scale * (x / scale / model).ln()
            } else {
                0.0
            }
        };
        let constant = constant(self.loss, model, t.values().iter().map(log).sum(), total);
        self.search(&data, &constant, scale, rng, observer)
    }

    fn dense(
        &self,
        t: TensorView<'_>,
        weights: Option<&[f64]>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<CpTensor>, Error> {
        check_size(OP, (t.dims(), false), self.effort.rank)?;
        self.check_entries(t.as_slice(), weights)?;
        let Some(scale) = scale(self.loss, t.as_slice()) else {
            return zero_fit(t.dims(), self.effort.rank);
        };
        let loss = match self.loss {
            EntryLoss::Huber(d) => EntryLoss::Huber((d / scale).max(f64::MIN_POSITIVE)),
            other => other,
        };
        let near: Vec<f64> = t.as_slice().iter().map(|x| x / scale).collect();
        let entries = Entries::Dense(&near, weights);
        let dims = t.dims();
        let data = LossData {
            loss,
            dims,
            entries,
        };
        let constant = constant_of(loss, &near, weights);
        self.search(&data, &constant, scale, rng, observer)
    }

    fn search(
        &self,
        data: &LossData<'_>,
        constant: &Constant,
        scale: f64,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<CpTensor>, Error> {
        let (done, mut stopped) = self.starts_made(data, constant, rng, observer)?;
        let ends: Vec<f64> = done.iter().map(Descent::loss).collect();
        let best = least(OP, done, Descent::loss)?;
        let seed = rng.random();
        let held_out = match stopped {
            true => None,
            false => {
                let (tested, halted) = held_out(
                    data,
                    &best,
                    (self.effort.rank, self.effort.iterations, seed),
                    observer,
                );
                stopped = halted;
                tested
            }
        };
        let model = CpTensor::from_factors(self.factors(&best))?.canonical();
        let searched = Searched {
            ends: &ends,
            held_out,
            scale: deviance_scale(data.loss, scale),
        };
        let evidence = evidence(data, &model, constant, &searched);
        let status = judge(
            &evidence.decisive(None),
            ended(&evidence, best.spent, stopped),
        );
        let (mut weights, factors) = model.into_parts();
        let back = |w: &mut f64| *w = (*w * scale).clamp(-f64::MAX, f64::MAX);
        weights.iter_mut().for_each(back);
        let null = constant.loss.max(1e-12 * constant.unit);
        Ok(Fit {
            model: CpTensor::new(weights, factors)?,
            status,
            history: best.history.iter().map(|f| f / null).collect(),
            work: Work {
                sweeps: best.history.len().saturating_sub(1),
                starts: ends.len(),
                ..Work::default()
            },
            evidence,
        })
    }

    /// The starts, and whether the observer broke.
    fn starts_made(
        &self,
        data: &LossData<'_>,
        constant: &Constant,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<(Vec<Descent>, bool), Error> {
        let seeds: Vec<u64> = (0..self.effort.starts).map(|_| rng.random()).collect();
        let budget = (self.effort.rank, self.effort.iterations, constant.unit);
        all_starts(&seeds, observer, |&seed, halt| {
            let x = start(data, self.effort.rank, size(data.loss, constant), seed);
            Ok(descend(data, x, budget, halt))
        })
    }

    fn factors(&self, best: &Descent) -> Vec<Factor> {
        let rank = self.effort.rank;
        let factor = |f: &Vec<f64>| Factor::from_fn(f.len() / rank, rank, |i, r| f[i * rank + r]);
        best.factors.iter().map(factor).collect()
    }

    fn check(&self) -> Result<(), Error> {
        self.effort.check(OP, 1024)?;
        match self.loss {
            EntryLoss::Huber(d) if !(d > 0.0 && d.is_finite()) => {
                let requirement = format!("the distance of Huber's loss must be positive, got {d}");
                Err(Error::invalid(OP, requirement))
            }
            _ => Ok(()),
        }
    }

    /// Refuses entries for which the loss has no value.
    fn check_entries(&self, entries: &[f64], weights: Option<&[f64]>) -> Result<(), Error> {
        for (index, &x) in entries.iter().enumerate() {
            if weights.is_some_and(|w| w[index] == 0.0) {
                continue;
            }
            if !x.is_finite() {
                return Err(Error::NonFinite { op: OP, index });
            }
            if let Some(rule) = self.loss.refusal(x) {
                let requirement = format!("{rule}; entry {index} is {x}");
                return Err(Error::invalid(OP, requirement));
            }
        }
        Ok(())
    }
}

/// A power of two by which data are divided; `None` where all are zero and the zero model is exact.
fn scale(loss: EntryLoss, entries: &[f64]) -> Option<f64> {
    if loss == EntryLoss::Logit {
        return Some(1.0);
    }
    let top = entries.iter().fold(0.0f64, |t, x| t.max(x.abs()));
    let powers = (top > 0.0).then(|| crate::linalg::split_power_of_two(top));
    powers.map(|(a, b)| a * b)
}

/// What the deviance of data divided by `scale` is to be multiplied with.
fn deviance_scale(loss: EntryLoss, scale: f64) -> f64 {
    match loss {
        EntryLoss::Poisson => scale,
        EntryLoss::Huber(_) => scale * scale,
        EntryLoss::Gamma | EntryLoss::Logit => 1.0,
    }
}
