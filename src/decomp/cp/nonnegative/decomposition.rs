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
use crate::fit::{Check, Evidence, Fit, Work, judge};
use crate::linalg::small;
use crate::run::{Observer, Progress, side_by_side, unobserved};
use crate::tensor::{CpTensor, Factor, TensorView};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::sync::atomic::{AtomicBool, Ordering};

const OP: &str = "CpNonnegative::decompose";

/// CP decomposition with nonnegative weights and factors.
#[derive(Clone, Debug, PartialEq)]
pub struct CpNonnegative {
    rank: usize,
    starts: usize,
    sweeps: usize,
    tol: Option<f64>,
}

/// One start at its end.
struct Ended {
    factors: Vec<Factor>,
    residual: f64,
    history: Vec<f64>,
    spent: bool,
}

impl CpNonnegative {
    /// Nonnegative CP with `rank` components, `rank >= 1`.
    pub fn new(rank: usize) -> Self {
        Self {
            rank,
            starts: 4,
            sweeps: 2000,
            tol: None,
        }
    }

    /// Number of starts, in `1..=10000`; 4 by default.
    #[must_use]
    pub fn starts(self, starts: usize) -> Self {
        Self { starts, ..self }
    }

    /// Sweeps of each start, in `1..=1000000`; 2000 by default.
    #[must_use]
    pub fn max_iterations(self, sweeps: usize) -> Self {
        Self { sweeps, ..self }
    }

    /// A relative residual that the fit must reach to be called converged, finite and positive.
    #[must_use]
    pub fn tol(self, tol: f64) -> Self {
        let tol = Some(tol);
        Self { tol, ..self }
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
        Self {
            rank,
            ..self.clone()
        }
    }

    fn search(
        &self,
        t: TensorView<'_>,
        weights: Option<TensorView<'_>>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<CpTensor>, Error> {
        let Some(scaled) = Scaled::of(t)? else {
            return zero_fit(t.dims(), self.rank);
        };
        let data = Measured {
            t: scaled.data.view(),
            weights,
        };
        let seeds: Vec<u64> = (0..self.starts).map(|_| rng.random()).collect();
        let mut done: Vec<Ended> = Vec::new();
        let mut stopped = false;
        for batch in seeds.chunks(4) {
            let p = Progress::of("starts", done.len() as u64, self.starts as u64);
            let (runs, halted) = side_by_side(batch, &p, observer, |&seed, halt| {
                self.one_start(data, seed, halt)
            });
            for run in runs {
                done.push(run?);
            }
            let p = Progress::of("starts", done.len() as u64, self.starts as u64);
            stopped = halted || observer(&p).is_break();
            if stopped {
                break;
            }
        }
        let starts: Vec<f64> = done.iter().map(|e| e.residual).collect();
        let best = done
            .into_iter()
            .min_by(|a, b| a.residual.total_cmp(&b.residual));
        let best = best.ok_or(Error::Stopped { op: OP })?;
        let model = CpTensor::from_factors(best.factors)?.canonical();
        let evidence = certify(data, &model, &starts)?;
        let status = judge(
            &evidence.decisive(self.tol),
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
        let ranges = [
            ("rank", self.rank, 10_000),
            ("starts", self.starts, 10_000),
            ("max_iterations", self.sweeps, 1_000_000),
        ];
        for (name, value, top) in ranges {
            if value == 0 || value > top {
                let requirement = format!("{name} must be in 1..={top}, got {value}");
                return Err(Error::invalid(OP, requirement));
            }
        }
        match self.tol {
            Some(tol) if !(tol > 0.0 && tol.is_finite()) => {
                let requirement = format!("tol must be finite and positive, got {tol}");
                Err(Error::invalid(OP, requirement))
            }
            _ => Ok(()),
        }
    }

    /// Ends early, where it is, when `halt` is set.
    fn one_start(&self, data: Measured<'_>, seed: u64, halt: &AtomicBool) -> Result<Ended, Error> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut draw = |n: usize| Factor::from_fn(n, self.rank, |_, _| rng.random::<f64>());
        let mut x: Vec<Factor> = data.t.dims().iter().map(|&n| draw(n)).collect();
        let mut gap = Vec::new();
        let mut far = x.clone();
        let mut history = vec![data.gap(&x, &mut gap)?];
        let (mut beta, mut quiet, mut spent) = (0.5f64, 0, true);
        for _ in 0..self.sweeps {
            let mut next = far.clone();
            data.sweep(&mut next)?;
            let mut f = data.gap(&next, &mut gap)?;
            let before = history[history.len() - 1];
            if f > before {
                // The extrapolation went too far: sweep again from where we were.
                next = x.clone();
                data.sweep(&mut next)?;
                f = data.gap(&next, &mut gap)?;
                beta *= 0.5;
                far = next.clone();
            } else {
                beta = (beta * 1.05).min(0.95);
                far = ahead(&next, &x, beta);
            }
            x = next;
            history.push(f);
            quiet = if before - f <= 1e-9 * before {
                quiet + 1
            } else {
                0
            };
            if quiet >= 5 || f <= 1e-14 {
                spent = false;
                break;
            }
            if halt.load(Ordering::Relaxed) {
                break;
            }
        }
        let residual = history[history.len() - 1];
        Ok(Ended {
            factors: x,
            residual,
            history,
            spent,
        })
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
    let top = starts.iter().copied().fold(f64::INFINITY, f64::min);
    let agreeing = starts
        .iter()
        .filter(|&&r| r <= top * (1.0 + 1e-4) + 1e-9)
        .count();
    let exact = rel_residual <= 1e-9;
    let lacking = if exact {
        0
    } else {
        2usize.saturating_sub(agreeing)
    };
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
