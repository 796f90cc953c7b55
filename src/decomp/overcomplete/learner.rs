//! Overcomplete symmetric CP: descent from a small start, Gauss-Newton to the end, restarts, evidence.

use super::newton::refine;
use super::objective::Problem;
use super::packed::PackedForm;
use super::signs::signs;
use crate::decomp::cp::checks;
use crate::decomp::restarts::{Effort, agreement, least};
use crate::fit::{self, Check, Evidence, Fit, Work, judge};
use crate::linalg::small::norm_sq;
use crate::optim::lbfgs_wolfe::descend;
use crate::run::{Observer, Progress, unobserved};
use crate::tensor::{Factor, SymmetricCp, TensorView};
use crate::{Error, Status};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

const OP: &str = "Overcomplete::decompose";
/// Relative residual from which on a fit is exact.
const EXACT: f64 = 1e-9;
/// Squared relative residual at which Gauss-Newton takes over: by then the basin is never left.
const BASIN: f64 = 1e-6;
/// Length of a starting vector against that of a final one; smaller starts find more components.
const SMALL: f64 = 0.1;

/// Symmetric CP of orders three to eight with more components than dimensions.
///
/// ```text
/// T = sum_r w_r v_r (x) .. (x) v_r,       r up to about 0.7 n^{m/2} for random v_r
/// ```
///
/// L-BFGS from a start of a tenth of the final length, where every component is still free to choose, then
/// Gauss-Newton by conjugate gradients. Both work on Gram matrices and one contraction of the packed tensor
/// ([`PackedForm`]). Asking for more components than there are fits and recovers nothing; the certificate
/// says so. Even orders take the signs of the weights from the inertia of the square flattening.
#[derive(Clone, Debug, PartialEq)]
pub struct Overcomplete {
    rank: usize,
    starts: Option<usize>,
    iterations: usize,
    tol: Option<f64>,
}

/// One start at its end.
struct Ended {
    x: Vec<f64>,
    signs: Vec<f64>,
    /// Relative residuals.
    history: Vec<f64>,
    spent: bool,
    refined: bool,
}

impl Ended {
    fn residual(&self) -> f64 {
        self.history.last().copied().unwrap_or(f64::INFINITY)
    }
}

impl Overcomplete {
    /// Asks for `rank` components, `1..=10000`.
    pub fn new(rank: usize) -> Self {
        Self {
            rank,
            starts: None,
            iterations: 10_000,
            tol: None,
        }
    }

    /// Greatest number of starts, in `1..=10000`; by default 40 for up to 500 unknowns, 12 for up to 5000, else 6. The
    /// first exact fit ends the search.
    #[must_use]
    pub fn starts(self, starts: usize) -> Self {
        let starts = Some(starts);
        Self { starts, ..self }
    }

    /// Starts as asked for, else by the number of unknowns: small problems have more local minima and cost less.
    fn budget(&self, form: &PackedForm) -> usize {
        self.starts.unwrap_or(match self.rank * form.dim() {
            0..=500 => 40,
            501..=5000 => 12,
            _ => 6,
        })
    }

    /// Most steps of descent of each start, in `1..=1000000`; 10000 by default.
    #[must_use]
    pub fn max_iterations(self, iterations: usize) -> Self {
        Self { iterations, ..self }
    }

    /// A relative residual that the fit must reach to be called converged, finite and positive.
    #[must_use]
    pub fn tol(self, tol: f64) -> Self {
        let tol = Some(tol);
        Self { tol, ..self }
    }

    /// Decomposes a symmetric tensor.
    ///
    /// `Converged` means: exact to `1e-9`, or a stationary point that two starts reached and that explains
    /// more than noise would be; fewer components than the generic rank; well conditioned.
    ///
    /// # Shapes
    /// `t` has order `3..=8` and equal dimensions `n`; the vectors of the model are `n x rank`, of unit length.
    ///
    /// # Errors
    /// `InvalidInput`: an option outside its domain, unequal dimensions, entries that differ from the symmetric
    /// part by more than `1e-8` of the norm. `NonFinite`, `LimitExceeded`, `Backend`.
    ///
    /// # Complexity
    /// A step of descent is `O(R n C(n+m-2, m-1) + R^2 n)`, one of Gauss-Newton some hundred products of
    /// `6 R^2 n` operations; memory `O(R C(n+m-3, m-2) + n C(n+m-2, m-1))`.
    /// Here `m` is the order.
    ///
    /// # Accuracy
    /// The residual of an exact fit is that of rounding, `O(eps)`; the components are off by that times the
    /// condition number in the certificate.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::{decomp::Overcomplete, tensor::{Factor, SymmetricCp}};
    /// // Four components in four dimensions, none orthogonal to another.
    /// let v = Factor::from_fn(4, 4, |i, r| if i == r { 1.0 } else { 0.25 });
    /// let t = SymmetricCp::new(3, vec![1.0; 4], v)?.to_dense()?;
    /// let fit = Overcomplete::new(4).decompose(t.view(), &mut ChaCha8Rng::seed_from_u64(0))?;
    /// // What is not fitted is not called converged.
    /// assert!(fit.evidence.rel_residual <= 1e-8 || fit.converged().is_err());
    /// # Ok::<(), wickring::Error>(())
    /// ```
    ///
    /// # Source
    /// Objective after Kolda 2015; identifiability below the generic rank after Chiantini, Ottaviani and
    /// Vannieuwenhoven 2017.
    pub fn decompose(
        &self,
        t: TensorView<'_>,
        rng: &mut impl Rng,
    ) -> Result<Fit<SymmetricCp>, Error> {
        self.decompose_observed(t, rng, &mut unobserved)
    }

    /// As [`Overcomplete::decompose`], reporting progress; a break returns the best model so far.
    ///
    /// # Errors
    /// As [`Overcomplete::decompose`], and `Stopped` before the first start has ended.
    pub fn decompose_observed(
        &self,
        t: TensorView<'_>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<SymmetricCp>, Error> {
        t.require_finite(OP)?;
        let norm = t.norm();
        if !(norm < 1e150 && (norm > 1e-150 || norm == 0.0)) {
            let hypothesis = "a tensor whose norm lies between 1e-150 and 1e150: rescale it";
            return Err(Error::degenerate(OP, hypothesis, norm));
        }
        let (form, asymmetry) = PackedForm::symmetrised(t)?;
        if asymmetry > 1e-8 * norm {
            let text = format!("a symmetric tensor; an entry is off by {asymmetry:.1e}");
            return Err(Error::invalid(OP, text));
        }
        self.decompose_packed(&form, rng, observer)
    }

    /// As [`Overcomplete::decompose_observed`] for a tensor in packed form.
    ///
    /// # Errors
    /// As [`Overcomplete::decompose_observed`].
    pub fn decompose_packed(
        &self,
        form: &PackedForm,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<SymmetricCp>, Error> {
        self.check(form)?;
        let (n, order) = (form.dim(), form.order());
        if form.norm() == 0.0 {
            let vectors = Factor::from_fn(n, self.rank, |i, _| if i == 0 { 1.0 } else { 0.0 });
            return Ok(Fit {
                model: SymmetricCp::new(order, vec![0.0; self.rank], vectors)?,
                status: Status::Converged,
                history: vec![0.0],
                work: Work::default(),
                evidence: Evidence {
                    rel_residual: 0.0,
                    condition: 1.0,
                    checks: Vec::new(),
                },
            });
        }
        let unit = form.scaled(1.0 / form.norm());
        let (mut done, stopped) = self.search(&unit, rng, observer)?;
        let top = done
            .iter()
            .map(Ended::residual)
            .fold(f64::INFINITY, f64::min);
        // Those that may be the same optimum are refined, so that they can be seen to agree.
        for end in &mut done {
            if end.residual() <= 1.1 * top && !end.refined {
                end.refine(&unit);
            }
        }
        let ends: Vec<f64> = done.iter().map(Ended::residual).collect();
        let best = least(OP, done, Ended::residual)?;
        let evidence = certify(&unit, &best, &ends);
        let status = self.verdict(&evidence, best.spent, stopped);
        let length = form.norm().powf(1.0 / order as f64);
        let vectors = Factor::from_fn(n, self.rank, |i, r| length * best.x[r + self.rank * i]);
        Ok(Fit {
            model: SymmetricCp::new(order, best.signs, vectors)?.canonical(),
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

    fn check(&self, form: &PackedForm) -> Result<(), Error> {
        if form.order() < 3 {
            let text = "order at least 3: a matrix has no unique decomposition".to_owned();
            return Err(Error::invalid(OP, text));
        }
        let effort = Effort {
            rank: self.rank,
            starts: self.budget(form),
            iterations: self.iterations,
            tol: self.tol,
        };
        effort.check(OP, 10_000)
    }

    fn search(
        &self,
        form: &PackedForm,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<(Vec<Ended>, bool), Error> {
        let starts = self.budget(form);
        let seeds: Vec<u64> = (0..starts).map(|_| rng.random()).collect();
        let signs = signs(form, self.rank)?;
        let mut done: Vec<Ended> = Vec::new();
        while done.len() < starts {
            // Fixed batches, so that the answer does not depend on the number of threads.
            let batch = if done.is_empty() { 1 } else { 2 };
            let ids = done.len()..starts.min(done.len() + batch);
            let runs: Vec<Ended> = ids
                .into_par_iter()
                .map(|k| self.one_start(form, &signs, seeds[k]))
                .collect();
            done.extend(runs);
            let top = done
                .iter()
                .map(Ended::residual)
                .fold(f64::INFINITY, f64::min);
            let p = Progress::of("starts", done.len() as u64, starts as u64).with_figure(top);
            if observer(&p).is_break() {
                return Ok((done, true));
            }
            if top <= EXACT {
                break;
            }
        }
        Ok((done, false))
    }

    fn one_start(&self, form: &PackedForm, signs: &[f64], seed: u64) -> Ended {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let m = form.order() as f64;
        // Components of equal length that are nearly orthogonal have this one.
        let length = (self.rank as f64).powf(-0.5 / m);
        let size = SMALL * length / (form.dim() as f64).sqrt();
        let mut x: Vec<f64> = Vec::with_capacity(self.rank * form.dim());
        for _ in 0..self.rank * form.dim() {
            let z: f64 = StandardNormal.sample(&mut rng);
            x.push(size * z);
        }
        let problem = Problem { form, signs };
        let mut f = |x: &[f64], g: &mut [f64]| problem.value(x, g);
        let run = descend(&mut x, self.iterations, &mut f, &mut |v| settled(v));
        let mut end = Ended {
            x,
            signs: signs.to_vec(),
            history: run.values.iter().map(|v| v.sqrt()).collect(),
            spent: run.spent,
            refined: false,
        };
        if run.values.last().is_some_and(|v| *v <= BASIN) {
            end.refine(form);
        }
        end
    }

    fn verdict(&self, evidence: &Evidence, spent: bool, stopped: bool) -> Status {
        let ended = match (stopped, spent) {
            (true, _) => fit::Ended::Stopped,
            (_, true) => fit::Ended::Budget,
            _ => fit::Ended::Arrived,
        };
        judge(&evidence.decisive(self.tol), ended)
    }
}

impl Ended {
    fn refine(&mut self, form: &PackedForm) {
        let problem = Problem {
            form,
            signs: &self.signs,
        };
        let run = refine(&problem, std::mem::take(&mut self.x), 100);
        self.x = run.x;
        self.history.extend(run.residuals);
        self.spent = run.spent;
        self.refined = true;
    }
}

/// Whether a descent may end: in the basin of an exact fit, or without progress.
fn settled(values: &[f64]) -> bool {
    let now = values.len() - 1;
    if values[now] <= BASIN {
        return true;
    }
    // The way out of the saddle may be flat for long; after it, less than a permille in a hundred steps is a
    // local minimum.
    let back = 100 + now / 10;
    now > back + 50 && values[now] < 0.5 && values[now] > values[now - back] * 0.999
}

fn certify(form: &PackedForm, best: &Ended, ends: &[f64]) -> Evidence {
    let problem = Problem {
        form,
        signs: &best.signs,
    };
    let (residual, slope) = problem.residual(&best.x);
    let rel_residual = residual / form.norm();
    let exact = rel_residual <= EXACT;
    let (low, high) = problem.normal(&best.x).extremes();
    let cond = (high / low.max(f64::MIN_POSITIVE)).sqrt();
    let gradient = norm_sq(&slope).sqrt() / (residual * high.sqrt()).max(f64::MIN_POSITIVE);
    let (agreeing, lacking) = agreement(ends, (1e-5, 1e-12), exact);
    let unknowns = (problem.rank() * problem.dim()) as f64;
    let crowding = unknowns / form.independent();
    let unexplained = rel_residual * rel_residual;
    let allowed = 0.5 * (1.0 - crowding).max(0.0);
    Evidence {
        rel_residual,
        condition: cond,
        checks: vec![
            Check::conditioning(
                "overcomplete.crowding",
                "components over the generic rank C(n+m-1, m)/n",
                crowding,
                1.0 - 0.5 / form.independent(),
            ),
            Check::conditioning(
                "overcomplete.condition",
                "condition number of the components",
                cond,
                1e5,
            ),
            checks::unexplained(unexplained, allowed.max(EXACT * EXACT)),
            checks::starts_missing(lacking, 0.0),
            // A residual of rounding has no direction left to speak of.
            checks::gradient(if exact { 0.0 } else { gradient }, 1e-4),
            checks::starts(ends.len()),
            checks::starts_agreeing(agreeing),
        ],
    }
}
