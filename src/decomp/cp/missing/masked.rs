//! CP of incomplete or weighted data.
//!
//! Minimises `sum_i w_i (T_i - model_i)^2`; a weight of zero is an entry that was not measured, whose value is
//! never read. Nothing is imputed: every observed entry contributes its own row of the Jacobian, so the
//! minimum is that of the observed data, and the residual is over them alone.
//!
//! A row of a factor with fewer observations than components is not determined; it is counted, and the fit is
//! then ill-conditioned.
//!
//! Source: Tomasi and Bro 2005 (INDAFAC); weighted row-wise least squares as warm-up.

use super::observed::{Observed, Rows};
use crate::decomp::cp::checks::ended;
use crate::decomp::cp::decomposition::Scaled;
use crate::decomp::cp::jennrich::normal;
use crate::fit::{Evidence, Fit, Work, judge};
use crate::run::{Observer, Progress, unobserved};
use crate::tensor::{CpTensor, Tensor, TensorView};
use crate::{Error, Status};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;

const OP: &str = "CpMasked::decompose";
/// Unknowns up to which the Gauss-Newton matrix is formed; larger problems alternate only.
const DENSE_LIMIT: usize = 1500;

/// CP decomposition of data with missing entries or weights, over the reals.
#[derive(Clone, Debug, PartialEq)]
pub struct CpMasked {
    rank: usize,
    starts: usize,
    iterations: usize,
    tol: Option<f64>,
}

/// One start at its end.
struct Ended {
    rows: Rows,
    residual: f64,
    history: Vec<f64>,
    spent: bool,
}

impl CpMasked {
    /// Masked CP with `rank` components, `rank >= 1`.
    pub fn new(rank: usize) -> Self {
        Self {
            rank,
            starts: 8,
            iterations: 300,
            tol: None,
        }
    }

    pub(in crate::decomp::cp) fn with_rank(&self, rank: usize) -> Self {
        Self {
            rank,
            ..self.clone()
        }
    }

    /// Number of starts, in `1..=10000`; 8 by default.
    #[must_use]
    pub fn starts(self, starts: usize) -> Self {
        Self { starts, ..self }
    }

    /// Iterations of each start, in `1..=1000000`; 300 by default.
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
    /// Each iteration `O(k (m R)^2 + u^3 / 3)` for `k` observed entries, order `m` and `u = R sum(n_m)`
    /// unknowns; above 1500 unknowns sweeps of `O(k m R^2)`.
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
        self.check()?;
        let clean = cleaned(OP, t, weights)?;
        let scaled = Scaled::of(clean.view())?;
        let data = scaled.as_ref().map_or(&clean, |s| &s.data);
        let observed = Observed::of(data.view(), weights);
        let seeds: Vec<u64> = (0..self.starts).map(|_| rng.random()).collect();
        let mut done: Vec<Ended> = Vec::new();
        let mut stopped = false;
        for batch in seeds.chunks(4) {
            let runs: Vec<Ended> = batch
                .par_iter()
                .map(|&seed| self.one_start(&observed, seed))
                .collect();
            done.extend(runs);
            let top = done
                .iter()
                .map(|e| e.residual)
                .fold(f64::INFINITY, f64::min);
            let p = Progress::of("starts", done.len() as u64, self.starts as u64);
            stopped = observer(&p.with_figure(top)).is_break();
            if stopped {
                break;
            }
        }
        let starts: Vec<f64> = done.iter().map(|e| e.residual).collect();
        let best = done
            .into_iter()
            .min_by(|a, b| a.residual.total_cmp(&b.residual));
        let best = best.ok_or(Error::Stopped { op: OP })?;
        let model = observed.model(&best.rows, self.rank)?.canonical();
        let evidence = observed.evidence(&model, &starts);
        let status = self.status(&evidence, stopped, best.spent);
        let model = match &scaled {
            Some(s) => s.restore(model)?,
            None => model,
        };
        let work = Work {
            sweeps: best.history.len().saturating_sub(1),
            samples: 0,
            starts: starts.len(),
        };
        let history = best.history;
        Ok(Fit {
            model,
            status,
            history,
            work,
            evidence,
        })
    }

    fn check(&self) -> Result<(), Error> {
        let (rank, starts, iterations) = (self.rank, self.starts, self.iterations);
        let refuse = |what: String| Err(Error::invalid(OP, what));
        if rank == 0 || rank > 10_000 {
            return refuse(format!("rank must be in 1..=10000, got {rank}"));
        }
        if starts == 0 || starts > 10_000 {
            return refuse(format!("starts must be in 1..=10000, got {starts}"));
        }
        if iterations == 0 || iterations > 1_000_000 {
            return refuse(format!(
                "max_iterations must be in 1..=1000000, got {iterations}"
            ));
        }
        match self.tol {
            Some(tol) if !(tol > 0.0 && tol.is_finite()) => {
                refuse(format!("tol must be finite and positive, got {tol}"))
            }
            _ => Ok(()),
        }
    }

    fn status(&self, evidence: &Evidence, stopped: bool, spent: bool) -> Status {
        judge(
            &evidence.decisive(self.tol),
            ended(evidence, spent, stopped),
        )
    }

    fn one_start(&self, data: &Observed, seed: u64) -> Ended {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut draw = |n: usize| (0..n * self.rank).map(|_| normal(&mut rng)).collect();
        let mut rows: Rows = data.dims.iter().map(|&n| draw(n)).collect();
        let mut history = vec![data.residual(&rows, self.rank)];
        let unknowns: usize = rows.iter().map(Vec::len).sum();
        let dense = unknowns <= DENSE_LIMIT;
        let sweeps = if dense { 15 } else { self.iterations };
        let mut spent = !dense;
        for _ in 0..sweeps {
            data.sweep(&mut rows, self.rank);
            let next = data.residual(&rows, self.rank);
            let before = history[history.len() - 1];
            history.push(next);
            if !dense && before - next <= 1e-9 * before {
                spent = false;
                break;
            }
        }
        if dense {
            spent = data.refine(&mut rows, self.rank, self.iterations, &mut history);
        }
        let residual = data.residual(&rows, self.rank);
        Ended {
            rows,
            residual,
            history,
            spent,
        }
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
