//! Tucker decomposition: higher-order singular value decomposition and orthogonal iteration.
//!
//! ```text
//! T ~ G x_0 U_0 x_1 U_1 ..      U_m orthonormal,  G = T x_0 U_0^H x_1 U_1^H ..
//! ```
//!
//! The start (sequentially truncated HOSVD) is within `sqrt(order)` of the best residual; each sweep of
//! orthogonal iteration (HOOI) replaces one `U_m` after the other by the best for the others, and never makes
//! it worse. For a prescribed error the squared budget is spread evenly over the modes that remain: the squares of
//! what the modes drop add up to the square of the error, exactly.
//!
//! Source: De Lathauwer, De Moor, Vandewalle 2000 (both); Vannieuwenhoven, Vandebril, Meerbergen 2012.

use super::cp::checks;
use super::cp::decomposition::check_tensor;
use super::ring::scale::{power, times};
use super::train::{optimality, watched};
use super::unfolding_svd::{Keep, left_space};
use crate::fit::{Check, Ended, Evidence, Fit, Work, judge};
use crate::linalg::{Scalar, small};
use crate::poly::Ring;
use crate::run::{Observer, Progress, unobserved};
use crate::tensor::mode_product;
use crate::tensor::{self, Factor, Tensor, TensorView, TuckerTensor};
use crate::{Error, Status};

const OP: &str = "Tucker::decompose";
/// Relative growth of the core's squared norm that is rounding.
const STILL: f64 = 1e-12;
/// What the last sweep gained.
const GAIN: &str = "relative gain of the last sweep";
/// The longest mode that may be left alone: its identity matrix is part of the model.
const MOST_ALONE: usize = 8192;

/// Tucker decomposition of given multilinear ranks, or of the least ranks that keep a prescribed error.
#[derive(Clone, Debug, PartialEq)]
pub struct Tucker {
    ranks: Vec<usize>,
    alone: Vec<usize>,
    within: Option<f64>,
    sweeps: usize,
    tol: Option<f64>,
}

/// The state of a fit between its stages.
struct Bases<T> {
    core: Tensor<T>,
    factors: Vec<Factor<T>>,
    /// Norms dropped by the modes of the start.
    dropped: Vec<f64>,
}

impl Tucker {
    /// Ranks `r_m >= 1`, one for each mode; a rank above the dimension counts as the dimension.
    pub fn new(ranks: &[usize]) -> Self {
        Self {
            ranks: ranks.to_vec(),
            alone: Vec::new(),
            within: None,
            sweeps: 100,
            tol: None,
        }
    }

    /// Ranks as small as sequential truncation finds them for a relative error of at most `error`, in `[0, 1)`; no sweeps
    /// unless [`Tucker::max_sweeps`] asks for them.
    pub fn within(error: f64) -> Self {
        Self {
            ranks: Vec::new(),
            within: Some(error),
            sweeps: 0,
            ..Self::new(&[])
        }
    }

    /// Modes whose matrices are the identity, at most 8192 long.
    #[must_use]
    pub fn leave_alone(self, modes: &[usize]) -> Self {
        let alone = modes.to_vec();
        Self { alone, ..self }
    }

    /// With [`Tucker::within`], a bound on every rank, one for each mode.
    #[must_use]
    pub fn most(self, ranks: &[usize]) -> Self {
        let ranks = ranks.to_vec();
        Self { ranks, ..self }
    }

    /// Most sweeps of orthogonal iteration, up to 100000; 100 by default for given ranks, 0 for the HOSVD alone.
    #[must_use]
    pub fn max_sweeps(self, sweeps: usize) -> Self {
        Self { sweeps, ..self }
    }

    /// A relative residual that must be reached to be called converged, finite and positive.
    #[must_use]
    pub fn tol(self, tol: f64) -> Self {
        let tol = Some(tol);
        Self { tol, ..self }
    }

    /// Decomposes a dense tensor, real or complex.
    ///
    /// # Shapes
    /// `t` has as many modes as there are ranks; `U_m` is `n_m x min(r_m, n_m)` with orthonormal columns.
    ///
    /// # Errors
    /// `InvalidInput`: an option outside its domain or a dimension of zero. `NonFinite`, `Backend`.
    ///
    /// # Complexity
    /// `O(N n)` for the start, `O(order N r)` for a sweep; memory of the first product, `N r / n`.
    ///
    /// # Accuracy
    /// The residual is recomputed from the data; orthonormality holds to `eps n`. With [`Tucker::within`] it is at most the
    /// error asked for, up to rounding.
    ///
    /// # Example
    /// ```
    /// use wickring::{decomp::Tucker, tensor::Tensor};
    /// let t = Tensor::from_fn(&[4, 5, 6], |i| (i[0] + i[1]) as f64 * (1.0 + i[2] as f64))?;
    /// let fit = Tucker::new(&[2, 2, 1]).decompose(t.view())?;
    /// assert!(fit.converged()?.rel_residual(t.view())? < 1e-14);
    /// assert_eq!(Tucker::within(1e-9).decompose(t.view())?.model.ranks(), [2, 2, 1]);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn decompose<T: Scalar + Ring + tensor::Scalar>(
        &self,
        t: TensorView<'_, T>,
    ) -> Result<Fit<TuckerTensor<T>>, Error> {
        self.decompose_observed(t, &mut unobserved)
    }

    /// [`Tucker::decompose`], asking between blocks of the data and between sweeps whether to go on.
    ///
    /// # Errors
    /// As [`Tucker::decompose`], and `Stopped` when the start had not finished.
    pub fn decompose_observed<T: Scalar + Ring + tensor::Scalar>(
        &self,
        t: TensorView<'_, T>,
        observer: Observer<'_>,
    ) -> Result<Fit<TuckerTensor<T>>, Error> {
        self.check(t)?;
        if t.as_slice().iter().all(|x| *x == T::zero()) {
            return self.zero(t.dims());
        }
        let Some(exponent) = power(t) else {
            return self.fit(t, observer);
        };
        // Squares of such entries would leave the exponent range.
        let near = t.as_slice().iter().map(|&x| times(x, -exponent)).collect();
        let fit = self.fit(Tensor::from_vec(t.dims(), near)?.view(), observer)?;
        let far = fit.model.core().as_slice().iter();
        let core = Tensor::from_vec(
            fit.model.ranks(),
            far.map(|&x| times(x, exponent)).collect(),
        )?;
        let model = TuckerTensor::new(core, fit.model.factors().to_vec())?;
        Ok(fit.map(|_| model))
    }

    fn fit<T: Scalar + Ring + tensor::Scalar>(
        &self,
        t: TensorView<'_, T>,
        observer: Observer<'_>,
    ) -> Result<Fit<TuckerTensor<T>>, Error> {
        let size = tensor::norm(t.as_slice());
        let Bases {
            mut core,
            mut factors,
            dropped,
        } = self.start(t, size, observer)?;
        let captured = |core: &Tensor<T>| small::norm_sq(core.as_slice()) / (size * size);
        let mut history = vec![(1.0 - captured(&core)).max(0.0).sqrt()];
        let mut gain = 0.0;
        let mut ended = Ended::Arrived;
        for sweep in 0..self.sweeps {
            let p = Progress::of("sweeps", sweep as u64, self.sweeps as u64);
            if observer(&p.with_figure(history[sweep])).is_break() {
                ended = Ended::Stopped;
                break;
            }
            let before = captured(&core);
            for (m, &n) in t.dims().iter().enumerate() {
                if factors[m].cols() == n {
                    continue;
                }
                let others = project(t, &factors, Some(m))?;
                let keep = Keep::Rank(factors[m].cols());
                let space = left_space(OP, others.view(), m, keep, &mut || Ok(()))?;
                factors[m] = Factor::from_fn(space.basis.nrows(), space.basis.ncols(), |i, j| {
                    space.basis[(i, j)]
                });
            }
            core = project(t, &factors, None)?;
            gain = (captured(&core) - before) / before;
            history.push((1.0 - captured(&core)).max(0.0).sqrt());
            if gain <= STILL {
                break;
            }
        }
        if gain > 1e-9 && ended == Ended::Arrived {
            ended = Ended::Budget;
        }
        let model = TuckerTensor::new(core, factors)?;
        let dropped: Vec<f64> = dropped.iter().map(|x| x / size).collect();
        let evidence = self.evidence(t, &model, gain, &dropped)?;
        let status = judge(&evidence.decisive(self.tol), ended);
        let work = Work {
            sweeps: history.len() - 1,
            starts: 1,
            ..Work::default()
        };
        Ok(Fit {
            model,
            status,
            history,
            work,
            evidence,
        })
    }

    /// The sequentially truncated HOSVD, from the mode that shrinks most (given ranks) or from the shortest one.
    fn start<T: Scalar + Ring + tensor::Scalar>(
        &self,
        t: TensorView<'_, T>,
        size: f64,
        observer: Observer<'_>,
    ) -> Result<Bases<T>, Error> {
        let keep = self.keep(t.dims());
        let mut order: Vec<usize> = (0..keep.len())
            .filter(|m| {
                !self.alone.contains(m) && (self.within.is_some() || keep[*m] < t.dims()[*m])
            })
            .collect();
        let ratio = |m: usize| keep[m] as f64 / t.dims()[m] as f64;
        order.sort_by(|&a, &b| ratio(a).total_cmp(&ratio(b)));
        if self.within.is_some() {
            order.sort_by_key(|&m| t.dims()[m]);
        }
        let mut factors: Vec<Option<Factor<T>>> = vec![None; keep.len()];
        let mut core: Option<Tensor<T>> = None;
        let mut dropped: Vec<f64> = Vec::new();
        for (k, &m) in order.iter().enumerate() {
            let view = core.as_ref().map_or(t, Tensor::view);
            let cut = match self.within {
                None => Keep::Rank(keep[m]),
                Some(error) => {
                    let spent: f64 = dropped.iter().map(|x| x * x).sum();
                    let left = ((error * size).powi(2) - spent).max(0.0);
                    Keep::Tail((left / (order.len() - k) as f64).sqrt(), keep[m])
                }
            };
            let mut go = watched(observer, "modes", k, order.len());
            let space = left_space(OP, view, m, cut, &mut go)?;
            dropped.push(space.dropped);
            if space.basis.ncols() == t.dims()[m] {
                continue;
            }
            let adjoint = space.basis.adjoint().to_owned();
            core = Some(mode_product(view, adjoint.as_ref(), m)?);
            let (rows, cols) = (space.basis.nrows(), space.basis.ncols());
            factors[m] = Some(Factor::from_fn(rows, cols, |i, j| space.basis[(i, j)]));
        }
        let factors = factors.into_iter().zip(t.dims());
        Ok(Bases {
            core: core.unwrap_or_else(|| t.to_tensor()),
            factors: factors
                .map(|(u, &n)| u.unwrap_or_else(|| identity(n, n)))
                .collect(),
            dropped,
        })
    }

    fn check<T: Scalar>(&self, t: TensorView<'_, T>) -> Result<(), Error> {
        check_tensor(OP, t)?;
        let refuse = |text: String| Err(Error::invalid(OP, text));
        let order = t.order();
        let counted = self.ranks.len() == order || (self.within.is_some() && self.ranks.is_empty());
        if !counted || self.ranks.contains(&0) {
            let ranks = &self.ranks;
            return refuse(format!(
                "one rank from 1 for each of the {order} modes, got {ranks:?}"
            ));
        }
        if self.sweeps > 100_000 {
            let sweeps = self.sweeps;
            return refuse(format!("max_sweeps must be in 0..=100000, got {sweeps}"));
        }
        if let Some(error) = self.within.filter(|x| !(0.0..1.0).contains(x)) {
            return refuse(format!("the error must lie in [0, 1), got {error}"));
        }
        for &m in &self.alone {
            match t.dims().get(m) {
                None => return refuse(format!("mode {m} cannot be left alone: there are {order}")),
                Some(&n) if n > MOST_ALONE => {
                    return refuse(format!(
                        "mode {m} of {n} is too long to be left alone, at most {MOST_ALONE}"
                    ));
                }
                Some(_) => {}
            }
        }
        match self.tol {
            Some(tol) if !(tol > 0.0 && tol.is_finite()) => {
                refuse(format!("tol must be finite and positive, got {tol}"))
            }
            _ => Ok(()),
        }
    }

    /// The most directions of each mode.
    fn keep(&self, dims: &[usize]) -> Vec<usize> {
        let most = |m: usize, n: usize| match self.ranks.get(m) {
            Some(&r) if !self.alone.contains(&m) => r.min(n),
            _ => n,
        };
        dims.iter().enumerate().map(|(m, &n)| most(m, n)).collect()
    }

    fn zero<T: Scalar>(&self, dims: &[usize]) -> Result<Fit<TuckerTensor<T>>, Error> {
        let mut keep = self.keep(dims);
        if self.within.is_some() {
            let least = |m: usize| if self.alone.contains(&m) { dims[m] } else { 1 };
            keep = (0..dims.len()).map(least).collect();
        }
        let core = Tensor::from_fn(&keep, |_| T::zero())?;
        let factors = dims
            .iter()
            .zip(&keep)
            .map(|(&n, &k)| identity(n, k))
            .collect();
        let label = "norm of the data";
        Ok(Fit {
            model: TuckerTensor::new(core, factors)?,
            status: Status::Converged,
            history: vec![0.0],
            work: Work::default(),
            evidence: Evidence {
                rel_residual: 0.0,
                condition: 1.0,
                checks: vec![Check::reported("tucker.norm-of-data", label, 0.0)],
            },
        })
    }

    fn evidence<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        model: &TuckerTensor<T>,
        gain: f64,
        dropped: &[f64],
    ) -> Result<Evidence, Error> {
        let rel_residual = model.rel_residual(t)?;
        let rounding = 1e-14 * t.order() as f64;
        let first = match self.within {
            Some(error) => {
                let label = "relative residual";
                Check::accuracy("tucker.residual", label, rel_residual, error + rounding)
            }
            None => {
                let size = |d: &[usize]| d.iter().map(|&n| n as f64).product::<f64>();
                let modes = t.dims().iter().zip(model.ranks());
                let angles: f64 = modes.map(|(&n, &r)| (r * (n - r)) as f64).sum();
                // Pure noise leaves what the parameters do not take.
                let noise = (1.0 - (size(model.ranks()) + angles) / size(t.dims())).max(0.02);
                checks::unexplained(rel_residual * rel_residual, 0.5 * noise)
            }
        };
        let mut checks = vec![
            first,
            Check::accuracy("tucker.gain-of-sweep", GAIN, gain, 1e-9),
        ];
        let sum = dropped.iter().fold(0.0f64, |x, y| x.hypot(*y));
        let label = "residual above what the modes of the start dropped";
        let (above, allowed) = (rel_residual - sum, rounding + 1e-3 * sum);
        checks.push(Check::accuracy("tucker.dropped", label, above, allowed));
        checks.push(optimality("tucker.optimality", dropped, rel_residual));
        Ok(Evidence {
            rel_residual,
            condition: 1.0,
            checks,
        })
    }
}

/// `t x_k U_k^H` for every mode but `skip`.
fn project<T: Scalar>(
    t: TensorView<'_, T>,
    bases: &[Factor<T>],
    skip: Option<usize>,
) -> Result<Tensor<T>, Error> {
    let mut core: Option<Tensor<T>> = None;
    for (m, u) in bases.iter().enumerate().filter(|(m, _)| Some(*m) != skip) {
        let view = core.as_ref().map_or(t, Tensor::view);
        core = Some(mode_product(view, u.conj().as_mat().transpose(), m)?);
    }
    Ok(core.unwrap_or_else(|| t.to_tensor()))
}

/// The first `k` columns of the identity.
pub(crate) fn identity<T: Scalar>(n: usize, k: usize) -> Factor<T> {
    Factor::from_fn(n, k, |i, j| if i == j { T::one() } else { T::zero() })
}
