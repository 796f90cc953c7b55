//! CP with nonnegative factors.
//!
//! Hierarchical alternating least squares: within a sweep every column in turn is the nonnegative
//! least-squares solution given all the others, at no more than the two products with the data that an
//! unconstrained sweep needs. Sweeps are extrapolated, and the extrapolation is withdrawn when the residual
//! rises. A stationary point is one where the gradient vanishes on positive entries and points outwards on
//! zeros; that is what the certificate measures. With weights the same is done entry by entry: nothing is imputed.
//!
//! Source: Cichocki, Zdunek, Phan, Amari 2009; extrapolation after Ang, Cohen, Gillis, Hien 2021.

use super::weighted_sweep::Measured;
use crate::Error;
use crate::decomp::cp::checks::{self, MOST_GRADIENT, ended};
use crate::decomp::cp::constrained::evidence::{CONSTRAINED_MODES, gaps, unseen};
use crate::decomp::cp::decomposition::{check_tensor, zero_fit};
use crate::decomp::cp::gauss_newton::descent;
use crate::decomp::cp::missing::decomposition::cleaned;
use crate::decomp::cp::normal_equations::Normal;
use crate::decomp::cp::scaled::Scaled;
use crate::decomp::extrapolation::{Swept, extrapolated};
use crate::decomp::restarts::{Effort, agreement, all_starts, least};
use crate::fit::{Check, Evidence, Fit, Work, judge};
use crate::linalg::small;
use crate::run::{Observer, unobserved};
use crate::tensor::{CpTensor, Factor, TensorView};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::sync::atomic::AtomicBool;

const OP: &str = "CpNonnegative::decompose";

/// CP decomposition with nonnegative weights and factors.
#[derive(Clone, Debug, PartialEq)]
pub struct CpNonnegative {
    effort: Effort,
}

impl CpNonnegative {
    /// Nonnegative CP with `rank` components, `rank >= 1`.
    pub fn new(rank: usize) -> Self {
        Self {
            effort: Effort {
                rank,
                starts: 4,
                iterations: 2000,
                tol: None,
            },
        }
    }

    /// Number of starts, in `1..=10000`; 4 by default.
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

    /// Decomposes a dense real tensor; its entries may have any sign.
    ///
    /// # Shapes
    /// `t` has positive dimensions `n_m`; factor `m` is `n_m x rank`, canonical and nonnegative.
    ///
    /// # Errors
    /// `InvalidInput`: an option outside its domain or a dimension of zero. `NonFinite`, `Backend`.
    ///
    /// # Complexity
    /// Each sweep `O(N R + sum(n_m) R^2)` for `N` entries.
    /// Here `R` is the number of components.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::{decomp::CpNonnegative, tensor::Tensor};
    /// let t = Tensor::from_fn(&[4, 5, 3], |i| ((i[0] + 1) * (i[1] + 2) * (i[2] + 3)) as f64)?;
    /// let fit = CpNonnegative::new(1).decompose(t.view(), &mut ChaCha8Rng::seed_from_u64(0))?;
    /// assert!(fit.converged()?.factors().iter().all(|f| f.as_slice().iter().all(|&x| x >= 0.0)));
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn decompose(&self, t: TensorView<'_>, rng: &mut impl Rng) -> Result<Fit<CpTensor>, Error> {
        self.decompose_observed(t, rng, &mut unobserved)
    }

    /// As [`CpNonnegative::decompose`], reporting progress; a break returns the best model so far.
    ///
    /// # Errors
    /// As [`CpNonnegative::decompose`].
    pub fn decompose_observed(
        &self,
        t: TensorView<'_>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<CpTensor>, Error> {
        self.check(t)?;
        self.search(t, None, rng, observer)
    }

    /// Decomposes the entries of `t` with positive weight; the values of the others are never read.
    ///
    /// # Shapes
    /// `t` and `weights` have the same positive dimensions.
    ///
    /// # Errors
    /// `InvalidInput`: an option or weight outside its domain, or no observed entry. `Shape`. `NonFinite`: an observed
    /// entry is not finite.
    ///
    /// # Complexity
    /// Each sweep `O(m N R)` for order `m` and `N` entries.
    /// Here `R` is the number of components.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::decomp::{CpMasked, CpNonnegative};
    /// use wickring::run::unobserved;
    /// use wickring::tensor::Tensor;
    /// let mut t = Tensor::from_fn(&[4, 5, 3], |i| ((i[0] + 1) * (i[1] + 2) * (i[2] + 3)) as f64)?;
    /// t.as_mut_slice()[7] = f64::NAN;
    /// let seen = CpMasked::mask_of(t.view());
    /// let rng = &mut ChaCha8Rng::seed_from_u64(0);
    /// let fit = CpNonnegative::new(1).decompose_masked(t.view(), seen.view(), rng, &mut unobserved)?;
    /// assert!((fit.converged()?.entry(&[0, 2, 1]).unwrap_or(0.0) - 16.0).abs() < 1e-4); // 1 * 4 * 4
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
        self.check(clean.view())?;
        self.search(clean.view(), Some(weights), rng, observer)
    }

    pub(in crate::decomp::cp) fn with_rank(&self, rank: usize) -> Self {
        let effort = Effort {
            rank,
            ..self.effort
        };
        Self { effort }
    }

    fn search(
        &self,
        t: TensorView<'_>,
        weights: Option<TensorView<'_>>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<CpTensor>, Error> {
        let Some(scaled) = Scaled::of(t)? else {
            return zero_fit(t.dims(), self.effort.rank);
        };
        let data = Measured {
            t: scaled.data.view(),
            weights,
        };
        let seeds: Vec<u64> = (0..self.effort.starts).map(|_| rng.random()).collect();
        let (done, stopped) = all_starts(&seeds, observer, |&seed, halt| {
            self.one_start(data, seed, halt)
        })?;
        let starts: Vec<f64> = done.iter().map(Swept::value).collect();
        let best = least(OP, done, Swept::value)?;
        let model = CpTensor::from_factors(best.x)?.canonical();
        let evidence = certify(data, &model, &starts)?;
        let status = judge(
            &evidence.decisive(self.effort.tol),
            ended(&evidence, best.spent, stopped),
        );
        let work = Work {
            sweeps: best.history.len().saturating_sub(1),
            starts: starts.len(),
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

    fn check(&self, t: TensorView<'_>) -> Result<(), Error> {
        check_tensor(OP, t)?;
        self.effort.check(OP, 10_000)
    }

    /// Ends early, where it is, when `halt` is set.
    fn one_start(
        &self,
        data: Measured<'_>,
        seed: u64,
        halt: &AtomicBool,
    ) -> Result<Swept<Vec<Factor>>, Error> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let rank = self.effort.rank;
        let mut draw = |n: usize| Factor::from_fn(n, rank, |_, _| rng.random::<f64>());
        let x: Vec<Factor> = data.t.dims().iter().map(|&n| draw(n)).collect();
        let mut gap = Vec::new();
        let value = data.gap(&x, &mut gap)?;
        let sweep = |x: &mut Vec<Factor>| {
            data.sweep(x)?;
            data.gap(x, &mut gap)
        };
        let further = |new: &Vec<Factor>, old: &Vec<Factor>, beta: f64| ahead(new, old, beta);
        extrapolated(
            (x, value),
            (self.effort.iterations, 0.95),
            sweep,
            further,
            halt,
        )
    }
}

/// `max(0, x + beta (x - old))`.
fn ahead(x: &[Factor], old: &[Factor], beta: f64) -> Vec<Factor> {
    let step = |(x, old): (&Factor, &Factor)| {
        let mut out = x.clone();
        let pairs = out.as_mut_slice().iter_mut().zip(old.as_slice());
        pairs.for_each(|(v, &o)| *v = (*v + beta * (*v - o)).max(0.0));
        out
    };
    x.iter().zip(old).map(step).collect()
}

fn certify(data: Measured<'_>, model: &CpTensor, starts: &[f64]) -> Result<Evidence, Error> {
    let factors = model.balanced();
    let mut gap = Vec::new();
    let norm = data.norm();
    let rel_residual = data.gap(&factors, &mut gap)? / norm;
    data.weigh(&mut gap);
    let g = descent(data.t.dims(), &gap, &factors)?;
    let entries = factors.iter().flat_map(|f| f.as_slice());
    // At a zero only a step inwards, which the descent direction would take if positive, counts.
    let free = g
        .iter()
        .zip(entries)
        .map(|(&g, &x)| if x > 0.0 { g } else { g.max(0.0) });
    let size = small::norm_sq(&Vec::from_iter(free)).sqrt();
    let scale = norm * Normal::scale_of(&factors).sqrt();
    let gradient = if scale > 0.0 { size / scale } else { 0.0 };
    let (agreeing, lacking) = agreement(starts, (1e-4, 1e-9), rel_residual <= 1e-9);
    let variance = rel_residual * rel_residual;
    let mut list = vec![
        // Sweeps converge linearly: the bound is looser than for the unconstrained engine.
        checks::gradient(gradient, 10.0 * MOST_GRADIENT),
        checks::cancellation(model.cancellation(), f64::INFINITY),
        checks::unexplained(variance, 0.5),
        checks::starts_missing(lacking, 0.0),
        Check::reported(
            CONSTRAINED_MODES,
            "modes with constraints",
            model.order() as f64,
        ),
        checks::explained(variance),
        checks::starts(starts.len()),
        checks::starts_agreeing(agreeing),
    ];
    match data.weights {
        Some(w) => list.extend(gaps(data.t.dims(), model.rank(), w.as_slice())),
        None => list.push(unseen(0)),
    }
    Ok(Evidence {
        rel_residual,
        condition: crate::decomp::cp::condition::condition(model),
        checks: list,
    })
}
