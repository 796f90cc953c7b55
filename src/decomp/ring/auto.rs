//! The default engine for rings: algebra first, least squares where the data are noisy or the theory ends.

use super::algebraic::decomposition::RingAlgebraic;
use super::algebraic::order_three::turned;
use super::als::decomposition::RingAls;
use super::compress::Compressed;
use super::gauss_newton::decomposition::RingNls;
use super::ranks::from_unfoldings::RingRanks;
use super::scale::in_scale;
use super::svd::RingSvd;
use crate::decomp::train::TtSvd;
use crate::fit::{Check, Fit};
use crate::run::{Observer, unobserved};
use crate::tensor::{Scalar, TensorRing, TensorView};
use crate::{Error, Status};
use rand::Rng;

/// Candidates for the ranks that are tried when the unfoldings do not decide.
const MAX_TRIED: usize = 6;

/// Residual up to which an exact fit is as sharp as one needs it.
const SHARP: f64 = 1e-12;
/// Entries up to which Levenberg-Marquardt is also started at random: beyond, each step costs more than the
/// starts are likely to gain.
const SMALL: usize = 1 << 15;

/// Tensor ring of given or unknown ranks.
///
/// The algebraic method recovers exact rings with room for their ranks; a few sweeps of ALS polish the
/// answer. If it does not converge (noise) its answer is the start of ALS on the tensor compressed in every
/// mode, then on the whole one, and of Levenberg-Marquardt where ALS is too slow. If its hypotheses fail, ALS
/// runs from random starts. Rings with a rank of one are trains, which sequential SVDs solve.
///
/// # Example
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use wickring::decomp::RingAuto;
/// use wickring::tensor::TensorRing;
///
/// let mut rng = ChaCha8Rng::seed_from_u64(3);
/// let t = TensorRing::<f64>::gaussian(&[9, 8, 9], &[2, 2, 2], &mut rng)?.to_dense()?;
/// let ring = RingAuto::auto().decompose(t.view(), &mut rng)?.converged()?;
/// assert_eq!(ring.ranks(), [2, 2, 2]);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RingAuto {
    ranks: Option<Vec<usize>>,
    tol: f64,
    /// Whether the tolerance was asked for.
    asked: bool,
    starts: usize,
    max_sweeps: usize,
}

impl RingAuto {
    /// Asks for ranks `R_0, .., R_{m-1}` (one entry stands for all), with tolerance `1e-8`, 5 random starts
    /// where starts are needed and 500 sweeps for each.
    pub fn new(ranks: &[usize]) -> Self {
        let ranks = Some(ranks.to_vec());
        Self {
            ranks,
            ..Self::auto()
        }
    }

    /// Chooses the ranks from the unfoldings ([`RingRanks`]); where these leave a choice, the first of at
    /// most six candidates (best supported first) that converges is taken.
    pub fn auto() -> Self {
        Self {
            ranks: None,
            tol: 1e-8,
            asked: false,
            starts: 5,
            max_sweeps: 500,
        }
    }

    /// Relative residual at most which the fit is `Converged` without further evidence; in `(0, 1)`. A train that is found with
    /// ranks to be chosen is then the shortest one within it.
    #[must_use]
    pub fn tol(self, tol: f64) -> Self {
        let asked = true;
        Self { tol, asked, ..self }
    }

    /// Random starts of ALS when the algebraic method does not apply, in `1..=10_000`.
    #[must_use]
    pub fn starts(self, starts: usize) -> Self {
        Self { starts, ..self }
    }

    /// Sweeps of ALS for each start, in `1..=1_000_000`.
    #[must_use]
    pub fn max_sweeps(self, max_sweeps: usize) -> Self {
        Self { max_sweeps, ..self }
    }

    /// Fits a ring.
    ///
    /// # Shapes
    /// `t` of any order `m >= 1` (at least 3 when the ranks are to be chosen); the model has cores
    /// `R_k x n_k x R_{k+1}`.
    ///
    /// # Errors
    /// `InvalidInput`: an option or the number of ranks. `NonFinite`. `Degenerate`: no ranks explain the
    /// unfoldings (only when they are to be chosen). `Backend`, `Overflow`.
    ///
    /// # Complexity
    /// That of [`RingAlgebraic`]; with noise also that of [`RingAls`].
    ///
    /// # Accuracy
    /// `Converged` means a residual within the tolerance, or one shown to be noise; see [`RingAls`].
    ///
    /// # Example
    /// See [`RingAuto`].
    pub fn decompose<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        rng: &mut impl Rng,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        self.decompose_observed(t, rng, &mut unobserved)
    }

    /// [`RingAuto::decompose`], reporting sweeps and asking whether to go on.
    ///
    /// # Errors
    /// As [`RingAuto::decompose`].
    pub fn decompose_observed<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        in_scale(t, |t| match &self.ranks {
            Some(ranks) => self.fit(t, ranks, rng, observer),
            None => self.choose(t, rng, observer),
        })
    }

    fn choose<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        if t.as_slice().iter().all(|x| *x == T::zero()) {
            // The zero tensor has every rank; the least one says most.
            return self.fit(t, &[1], rng, observer);
        }
        if t.order() < 3 {
            return self.short(t, rng, observer);
        }
        let found = RingRanks::of(t, rng)?;
        let gap = found.unfoldings.iter().filter(|u| !u.full).map(|u| u.gap);
        let least = gap.fold(f64::INFINITY, f64::min);
        let choices = found.candidates.len() as f64;
        let mut best: Option<Fit<TensorRing<T>>> = None;
        for ranks in found.candidates.iter().take(MAX_TRIED) {
            let fit = self.fit(t, ranks, rng, observer)?;
            let done = matches!(fit.status, Status::Converged | Status::Stopped);
            let residual = fit.evidence.rel_residual;
            if best
                .as_ref()
                .is_none_or(|b| done || residual < b.evidence.rel_residual)
            {
                best = Some(fit);
            }
            if done {
                break;
            }
        }
        let op = "RingAuto::decompose";
        let fit = best.ok_or(Error::degenerate(op, "candidates for the ranks", 0.0))?;
        let mut fit = self.shortened(t, fit)?;
        let notes = [
            ("ring.rank-gap", "least gap behind an unfolding rank", least),
            (
                "ring.rank-choices",
                "choices of ranks that the unfoldings leave",
                choices,
            ),
        ];
        // Where every unfolding is full there is no gap to report.
        for (key, name, measured) in notes.into_iter().filter(|(_, _, x)| x.is_finite()) {
            fit.evidence
                .checks
                .push(Check::reported(key, name, measured));
        }
        Ok(fit)
    }

    /// A ring with a bond of rank one is a train, and sequential SVDs give the shortest one: the ranks that unfoldings show
    /// above rounding are more than an error of [`SHARP`], or the one asked for, needs.
    fn shortened<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        fit: Fit<TensorRing<T>>,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        let (m, ranks) = (t.order(), fit.model.ranks());
        let Some(first) = ranks.iter().position(|&r| r == 1) else {
            return Ok(fit);
        };
        let within = if self.asked { self.tol } else { SHARP };
        if fit.status != Status::Converged || fit.evidence.rel_residual > within {
            return Ok(fit);
        }
        let train = TtSvd::new(within).decompose(turned(t, first).view())?;
        let shorter = train.model.as_ring().parameters() < fit.model.parameters();
        if train.status != Status::Converged || !shorter {
            return Ok(fit);
        }
        let most = ranks.iter().copied().max().unwrap_or(1) as f64;
        let mut train = train.map(|train| train.into_ring().rotated(m - first));
        train.work.starts += fit.work.starts;
        train.evidence.checks.push(Check::reported(
            "ring.train-of-rank",
            "a bond has rank one: the shortest train, in place of a ring of rank",
            most,
        ));
        Ok(train)
    }

    /// Orders one and two: a vector has rank one, a matrix that of its singular values above the tolerance.
    fn short<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        let ranks = TtSvd::new(self.tol * 1e-2).decompose(t)?.model.ranks();
        self.fit(t, &ranks, rng, observer)
    }

    fn fit<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        ranks: &[usize],
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        let fit = self.search(t, ranks, rng, observer)?;
        self.sharpened(t, fit, observer)
    }

    /// A fit that ended just within the tolerance, where algebra or alternation stop, taken to the rounding of the data by
    /// Levenberg-Marquardt; what was said about it stays.
    fn sharpened<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        fit: Fit<TensorRing<T>>,
        observer: Observer<'_>,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        let before = fit.evidence.rel_residual;
        if fit.status != Status::Converged || before > self.tol || before <= SHARP {
            return Ok(fit);
        }
        let steps = if t.as_slice().len() > SMALL { 8 } else { 40 };
        let nls = RingNls::new(&fit.model.ranks())
            .tol(self.tol)
            .max_steps(steps);
        let mut next = nls
            .until_rounding()
            .refine(t, fit.model.clone(), observer)?;
        if !(next.evidence.rel_residual < before) {
            return Ok(fit);
        }
        next.status = fit.status;
        next.evidence.condition = fit.evidence.condition;
        next.work.sweeps += fit.work.sweeps;
        next.work.starts = fit.work.starts;
        next.history = [&fit.history[..], &next.history[1..]].concat();
        let known: Vec<&str> = next.evidence.checks.iter().map(|c| c.key).collect();
        let rest = fit.evidence.checks.into_iter();
        let rest: Vec<Check> = rest.filter(|c| !known.contains(&c.key)).collect();
        next.evidence.checks.extend(rest);
        Ok(next)
    }

    fn search<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        ranks: &[usize],
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        let als = RingAls::new(ranks)
            .tol(self.tol)
            .starts(self.starts)
            .max_sweeps(self.max_sweeps);
        if ranks.len() == t.order() && t.order() > 1 && ranks.contains(&1) {
            return self.open(t, ranks, &als, rng, observer);
        }
        let algebraic = RingAlgebraic::new(ranks).tol(self.tol).decompose(t, rng);
        let start = match algebraic {
            // Near the accuracy of the data already.
            Ok(fit) if fit.status == Status::Converged => return Ok(fit),
            Ok(fit) => fit,
            Err(Error::Degenerate {
                hypothesis,
                measured,
                ..
            }) => {
                let mut fit = self.random_starts(t, &als, rng, observer)?;
                let name = format!("algebraic method refused; it needs {hypothesis}");
                fit.evidence
                    .checks
                    .push(Check::reported("ring.algebraic-refused", name, measured));
                return Ok(fit);
            }
            Err(e) => return Err(e),
        };
        let fit = self.refined(t, &als, &start, rng, observer)?;
        if matches!(fit.status, Status::Converged | Status::Stopped) {
            return Ok(fit);
        }
        // The start may have been spoiled by noise: random starts are the other chance.
        let other = self.random_starts(t, &als, rng, observer)?;
        let better = other.evidence.rel_residual < fit.evidence.rel_residual;
        Ok(if better { other } else { fit })
    }

    /// Random starts of ALS, and of Levenberg-Marquardt where none of them arrives.
    fn random_starts<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        als: &RingAls,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        let fit = als.decompose_observed(t, rng, observer)?;
        if matches!(fit.status, Status::Converged | Status::Stopped) {
            return Ok(fit);
        }
        let nls = RingNls::new(&fit.model.ranks()).tol(self.tol);
        let near = nls.refine(t, fit.model.clone(), observer)?;
        let mut best = if near.evidence.rel_residual < fit.evidence.rel_residual {
            near
        } else {
            fit
        };
        let done = matches!(best.status, Status::Converged | Status::Stopped);
        if !done && t.as_slice().len() <= SMALL {
            let other = nls.starts(self.starts).decompose(t, rng, observer)?;
            if other.evidence.rel_residual < best.evidence.rel_residual {
                best = other;
            }
        }
        Ok(best)
    }

    /// A ring with a bond of rank one is a train cut there: sequential SVDs are exact for exact data, and a
    /// good start for ALS otherwise.
    fn open<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        ranks: &[usize],
        als: &RingAls,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        let m = t.order();
        let first = ranks.iter().position(|&r| r == 1).unwrap_or(0);
        let mut order = ranks.to_vec();
        order.rotate_left(first);
        let train = RingSvd::new(&order).tol(self.tol);
        let train = train.decompose(turned(t, first).view(), rng)?;
        let ring = train.model.rotated(m - first);
        let fit = train.map(|_| ring);
        if fit.status == Status::Converged {
            return Ok(fit);
        }
        self.refined(t, als, &fit, rng, observer)
    }

    /// ALS from a start: on the compressed tensor first when that is smaller; then Levenberg-Marquardt if the
    /// sweeps ran out or stalled before the slope vanished.
    fn refined<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        als: &RingAls,
        start: &Fit<TensorRing<T>>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        let mut ring = start.model.clone();
        let mut extra = 0;
        if let Some(small) = Compressed::of(t, &ring.ranks(), rng)? {
            let inner = als.refine(small.core.view(), small.reduce(&ring)?, observer)?;
            extra = inner.work.sweeps;
            ring = small.expand(&inner.model)?;
        }
        let mut fit = als.refine(t, ring, observer)?;
        if matches!(fit.status, Status::IterationLimit | Status::Stalled) {
            extra += fit.work.sweeps;
            let nls = RingNls::new(&fit.model.ranks()).tol(self.tol);
            let next = nls.refine(t, fit.model.clone(), observer)?;
            let better = next.status == Status::Converged
                || next.evidence.rel_residual < fit.evidence.rel_residual;
            if better {
                fit = next;
            }
        }
        // The history is that of the polish on the whole tensor; the work counts all sweeps.
        fit.work.sweeps += extra;
        fit.evidence.condition = start.evidence.condition;
        let name = "relative residual of the algebraic start";
        let measured = start.evidence.rel_residual;
        fit.evidence
            .checks
            .push(Check::reported("ring.algebraic-start", name, measured));
        Ok(fit)
    }
}
