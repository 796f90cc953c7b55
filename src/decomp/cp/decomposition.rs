//! The default CP engine: compress, start algebraically, refine by least squares, and judge the result.
//!
//! ```text
//! T ~ sum_r w_r a_r (x) b_r (x) c_r (x) ..
//! ```
//!
//! 1. Scale to norm one and compress by HOSVD with a margin of two directions over the rank.
//! 2. Start: Jennrich's algorithm where a grouping of modes admits the rank, else random factors and a few
//!    sweeps of alternating least squares.
//! 3. Levenberg-Marquardt with the structured normal equations, on the core.
//! 4. Unless the fit is exact: further random starts, in parallel, until the best value has been found by
//!    two independent starts or the budget of starts is spent. Where the best start came slowly and starts are cheap, six
//!    that agree or twenty in all are asked for, and sixty while the components of the best one diverge.
//! 5. Back in the full space, with few unknowns from every minimum near the least one, since what compression left out may
//!    change their order: cycles of projection on the span of factors and gradient, and refinement
//!    there, until the gradient of the full problem vanishes.
//! 6. Evidence, recomputed from the data and the model alone.
//!
//! Exact: nothing. Approximate: everything; the certificate says how well.

use super::checks::ended;
use super::checks::{Judged, measured};
use super::scaled::Scaled;
use super::search::search;
use super::starts::start::Candidate;
use crate::fit::{Check, Evidence, Fit, Work, judge};
use crate::linalg::Scalar;
use crate::poly::Ring;
use crate::run::{Observer, unobserved};
use crate::tensor::{CpTensor, Factor, Tensor, TensorView};
use crate::{Error, Status};
use rand::Rng;

const OP: &str = "Cp::decompose";
/// Gram matrices of this size are formed, a few at a time: 128 MB each.
const MOST_RANK: usize = 4096;

/// How a CP fit is searched for.
///
/// # Example
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use wickring::decomp::{Cp, CpMethod};
/// use wickring::tensor::{CpTensor, Factor};
/// let f = |n: usize, k: usize| Factor::from_fn(n, 2, move |i, r| ((i + k * r) as f64).cos());
/// let t = CpTensor::from_factors(vec![f(4, 1), f(5, 2), f(3, 3)])?.to_dense()?;
/// // Jennrich's algorithm needs no iteration where there is no noise.
/// let method = Cp::new(2).method(CpMethod::Algebraic);
/// let fit = method.decompose(t.view(), &mut ChaCha8Rng::seed_from_u64(0))?;
/// assert!(fit.evidence.rel_residual < 1e-9);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CpMethod {
    /// Algebraic start where one exists, then damped Gauss-Newton; random restarts until two agree.
    #[default]
    Auto,
    /// Alternating least squares with extrapolation, from random starts.
    Als,
    /// Damped Gauss-Newton from random starts.
    Nls,
    /// Jennrich's algorithm alone, without refinement.
    Algebraic,
}

/// CP decomposition with the default engine.
///
/// Options are setters with documented defaults; see the module page for the algorithm.
#[derive(Clone, Debug, PartialEq)]
pub struct Cp {
    pub(super) rank: usize,
    pub(super) method: CpMethod,
    pub(super) starts: usize,
    pub(super) fixed_starts: bool,
    /// A few starts only, also where minima are hard to find: for numbers of components that are compared.
    pub(super) brief: bool,
    pub(super) iterations: usize,
    pub(super) tol: Option<f64>,
    pub(super) randomized: bool,
}

impl Cp {
    /// CP with `rank` components, in `1..=4096`.
    pub fn new(rank: usize) -> Self {
        Self {
            rank,
            method: CpMethod::Auto,
            starts: 12,
            fixed_starts: false,
            brief: false,
            iterations: 500,
            tol: None,
            randomized: false,
        }
    }

    /// The method; [`CpMethod::Auto`] by default.
    #[must_use]
    pub fn method(self, method: CpMethod) -> Self {
        Self { method, ..self }
    }

    /// Runs exactly this many starts, in `1..=10000`. By default at most 12 (60 where minima are hard to find and starts are
    /// cheap), fewer when an exact fit is found or the best value was reached twice.
    #[must_use]
    pub fn starts(self, starts: usize) -> Self {
        Self {
            starts,
            fixed_starts: true,
            ..self
        }
    }

    /// Iterations of each start, in `1..=1000000`; 500 by default.
    #[must_use]
    pub fn max_iterations(self, iterations: usize) -> Self {
        Self { iterations, ..self }
    }

    /// A relative residual that the fit must reach to be called converged, finite and positive. Without it
    /// a verified optimum that explains the data is enough.
    #[must_use]
    pub fn tol(self, tol: f64) -> Self {
        let tol = Some(tol);
        Self { tol, ..self }
    }

    /// Compresses by a randomised range finder instead of full Gram matrices; for large dense tensors of
    /// low rank. Off by default.
    #[must_use]
    pub fn randomized(self, randomized: bool) -> Self {
        Self { randomized, ..self }
    }

    /// Decomposes a dense tensor, real or complex.
    ///
    /// # Shapes
    /// `t` has any order `>= 1` and positive dimensions `n_m`; factor `m` of the model is `n_m x rank`. The
    /// model is in canonical form: unit columns, weights nonnegative and nonincreasing.
    ///
    /// # Errors
    /// `InvalidInput`: an option outside its domain, a dimension of zero, or an algebraic method asked for
    /// where no grouping of modes admits the rank. `NonFinite`: a NaN or infinite entry (see
    /// [`super::missing::decomposition::CpMasked`] for missing data). `Degenerate`: the algebraic method met only singular pencils.
    /// `Backend`, `Overflow`.
    ///
    /// # Complexity
    /// Compression `O(N n)`; each iteration `O(c^m R + (m c R)^3 / 3)` on a core of `c = R + 2` per mode;
    /// each cycle in the full space `O(N R)`. Memory `O(N)`.
    /// Here `n` is the length of the longest mode and `N` the number of entries.
    ///
    /// # Accuracy
    /// The residual is that of a stationary point, recomputed from the data. Factors of an exact tensor are
    /// recovered to about `cond * eps`; the global optimum is not promised for noisy data, but the share of
    /// starts that agree is reported.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::decomp::Cp;
    /// use wickring::tensor::{CpTensor, Factor};
    /// let f = |n: usize, k: usize| Factor::from_fn(n, 2, move |i, r| ((i + k * r) as f64).cos());
    /// let truth = CpTensor::from_factors(vec![f(4, 1), f(5, 2), f(3, 3)])?;
    /// let fit = Cp::new(2).decompose(truth.to_dense()?.view(), &mut ChaCha8Rng::seed_from_u64(0))?;
    /// let model = fit.converged()?;
    /// assert!(model.match_score(&truth)? > 1.0 - 1e-10);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    ///
    /// # Source
    /// Tomasi and Bro 2006 (damped Gauss-Newton), Leurgans, Ross, Abel 1993 (algebraic start), Bro and
    /// Kiers 2003 (core consistency), Breiding and Vannieuwenhoven 2018 (conditioning).
    pub fn decompose<T: Scalar + Ring>(
        &self,
        t: TensorView<'_, T>,
        rng: &mut impl Rng,
    ) -> Result<Fit<CpTensor<T>>, Error> {
        self.decompose_observed(t, rng, &mut unobserved)
    }

    /// As [`Cp::decompose`], reporting progress; when the observer breaks, the best model so far comes back
    /// with [`Status::Stopped`].
    ///
    /// # Errors
    /// As [`Cp::decompose`], and `Stopped` when no start had finished.
    pub fn decompose_observed<T: Scalar + Ring>(
        &self,
        t: TensorView<'_, T>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<CpTensor<T>>, Error> {
        self.decompose_from(t, None, rng, observer)
    }

    /// As [`Cp::decompose_observed`], with one more start: factors for the data at norm one.
    pub(super) fn decompose_from<T: Scalar + Ring>(
        &self,
        t: TensorView<'_, T>,
        start: Option<Vec<Factor<T>>>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<CpTensor<T>>, Error> {
        self.check(t)?;
        let Some(scaled) = Scaled::of(t)? else {
            return zero_fit(t.dims(), self.rank);
        };
        self.fit(&scaled, start, rng, observer)
    }

    /// As [`Cp::decompose_observed`], without a copy of the data: `t` is divided by a power of two in place and comes back bit
    /// for bit. Where that is not possible (entries beyond `1e100`, or that would become subnormal) a copy is made after all.
    ///
    /// # Errors
    /// As [`Cp::decompose_observed`]; `t` comes back then too.
    ///
    /// # Complexity
    /// That of [`Cp::decompose`]; beside `t` (`N` entries, rank `R`) memory for products with it, `O(N R / min(n_m))`, and blocks of 8 MB.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::{decomp::Cp, run::unobserved, tensor::Tensor};
    /// let mut t = Tensor::from_fn(&[4, 5, 3], |i| ((i[0] + 1) * (i[1] + 2) * (i[2] + 3)) as f64)?;
    /// let before = t.clone();
    /// let rng = &mut ChaCha8Rng::seed_from_u64(0);
    /// let fit = Cp::new(1).decompose_in_place(&mut t, rng, &mut unobserved)?;
    /// assert!(fit.converged()?.rank() == 1 && t == before);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn decompose_in_place<T: Scalar + Ring>(
        &self,
        t: &mut Tensor<T>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<CpTensor<T>>, Error> {
        self.check(t.view())?;
        let Some(scaled) = Scaled::taken(t) else {
            return self.decompose_from(t.view(), None, rng, observer);
        };
        let found = self.fit(&scaled, None, rng, observer);
        scaled.give_back(t);
        found
    }

    fn fit<T: Scalar + Ring>(
        &self,
        scaled: &Scaled<T>,
        start: Option<Vec<Factor<T>>>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<CpTensor<T>>, Error> {
        let found = search(
            self,
            (scaled.data.view(), scaled.size),
            start,
            rng,
            observer,
        )?;
        let model = CpTensor::from_factors(found.best.factors.clone())?.canonical();
        let judged = measured(scaled.data.view(), &model, &found)?;
        let status = self.status(&found.best, found.stopped, &judged);
        let history = found.best.history.clone();
        let work = Work {
            sweeps: history.len().saturating_sub(1),
            samples: 0,
            starts: found.starts.len(),
        };
        Ok(Fit {
            model: scaled.restore(model)?,
            status,
            history,
            work,
            evidence: judged.evidence,
        })
    }

    fn check<T: Scalar>(&self, t: TensorView<'_, T>) -> Result<(), Error> {
        check_tensor(OP, t)?;
        let refuse = |what: &str| Err(Error::invalid(OP, what));
        if self.rank == 0 || self.rank > MOST_RANK {
            return refuse(&format!(
                "rank must be in 1..={MOST_RANK}, got {}",
                self.rank
            ));
        }
        if self.starts == 0 || self.starts > 10_000 {
            return refuse(&format!("starts must be in 1..=10000, got {}", self.starts));
        }
        if self.iterations == 0 || self.iterations > 1_000_000 {
            let n = self.iterations;
            return refuse(&format!("max_iterations must be in 1..=1000000, got {n}"));
        }
        match self.tol {
            Some(tol) if !(tol > 0.0 && tol.is_finite()) => {
                refuse(&format!("tol must be finite and positive, got {tol}"))
            }
            _ => Ok(()),
        }
    }

    /// Whether fits end by damped Gauss-Newton steps.
    pub(super) fn refines(&self) -> bool {
        matches!(self.method, CpMethod::Auto | CpMethod::Nls)
    }

    fn status<T>(&self, best: &Candidate<T>, stopped: bool, judged: &Judged) -> Status {
        judge(
            &judged.evidence.decisive(self.tol),
            ended(&judged.evidence, best.budget_spent, stopped),
        )
    }
}

/// Refuses tensors without entries and entries that are not finite.
pub(crate) fn check_tensor<T: Scalar>(op: &'static str, t: TensorView<'_, T>) -> Result<(), Error> {
    if t.order() == 0 || t.dims().contains(&0) {
        let requirement = format!(
            "a tensor of order at least 1 and positive dimensions, got {:?}",
            t.dims()
        );
        return Err(Error::invalid(op, requirement));
    }
    match t.as_slice().iter().position(|x| !Scalar::is_finite(*x)) {
        Some(index) => Err(Error::NonFinite { op, index }),
        None => Ok(()),
    }
}

/// The zero tensor is the model with zero weights, exactly.
pub(super) fn zero_fit<T: Scalar + Ring>(
    dims: &[usize],
    rank: usize,
) -> Result<Fit<CpTensor<T>>, Error> {
    let unit =
        |n: usize| Factor::from_fn(n, rank, |i, _| if i == 0 { T::one() } else { T::zero() });
    let factors = dims.iter().map(|&n| unit(n)).collect();
    Ok(Fit {
        model: CpTensor::new(vec![T::zero(); rank], factors)?,
        status: Status::Converged,
        history: vec![0.0],
        work: Work::default(),
        evidence: Evidence {
            rel_residual: 0.0,
            condition: 1.0,
            checks: vec![Check::reported("cp.norm-of-data", "norm of the data", 0.0)],
        },
    })
}
