//! PARAFAC2 by direct fitting: the options, the verbs, the status.
//!
//! Exact: nothing. Approximate: everything; the evidence says how well.

use super::direct_fit::{Ended, Work as Descent, descend, start};
use super::evidence::evidence;
use super::slices::Slices;
use crate::decomp::cp::checks::ended;
use crate::decomp::restarts::{Effort, all_starts, least};
use crate::fit::{Check, Evidence, Fit, Work, judge};
use crate::run::{Observer, unobserved};
use crate::tensor::{Factor, Parafac2Model, TensorView};
use crate::{Error, Status};
use rand::{Rng, RngExt};

const OP: &str = "Parafac2::decompose";

/// PARAFAC2 of several matrices of one width.
///
/// # Example
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use wickring::{decomp::Parafac2, tensor::Tensor};
/// // One elution profile, shifted from run to run and cut at different lengths; one spectrum; three amounts.
/// let run = |n: usize, shift: usize, amount: f64| {
///     Tensor::from_fn(&[n, 4], |i| amount * ((i[0] + shift) as f64).sin() * (1 + i[1]) as f64)
/// };
/// let runs = [run(6, 0, 1.0)?, run(7, 2, 2.0)?, run(5, 1, 0.5)?];
/// let views: Vec<_> = runs.iter().map(Tensor::view).collect();
/// let fit = Parafac2::new(1).decompose(&views, &mut ChaCha8Rng::seed_from_u64(0))?;
/// let spectrum = fit.converged()?.shared().column(0).to_vec();
/// assert!((spectrum[3] / spectrum[0] - 4.0).abs() < 1e-9);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Parafac2 {
    effort: Effort,
    nonnegative: bool,
}

impl Parafac2 {
    /// PARAFAC2 with `rank` components, in `1..=256`.
    pub fn new(rank: usize) -> Self {
        Self {
            effort: Effort {
                rank,
                starts: 6,
                iterations: 3000,
                tol: None,
            },
            nonnegative: false,
        }
    }

    /// Loadings of slices that are not negative; off by default. This also settles the signs of components from slice to slice.
    #[must_use]
    pub fn nonnegative_loadings(self, nonnegative: bool) -> Self {
        Self {
            nonnegative,
            ..self
        }
    }

    /// Number of starts, in `1..=10000`; 6 by default. The first one is spectral.
    #[must_use]
    pub fn starts(mut self, starts: usize) -> Self {
        self.effort.starts = starts;
        self
    }

    /// Rounds of each start, in `1..=1000000`; 3000 by default.
    #[must_use]
    pub fn max_iterations(mut self, rounds: usize) -> Self {
        self.effort.iterations = rounds;
        self
    }

    /// A relative residual that the fit must reach to be called converged, finite and positive.
    #[must_use]
    pub fn tol(mut self, tol: f64) -> Self {
        self.effort.tol = Some(tol);
        self
    }

    /// Decomposes matrices, one for each slice. The history holds relative residuals.
    ///
    /// # Shapes
    /// Slice `k` is `n_k x J` with `n_k >= rank`; the model has bases `n_k x rank`, a core `rank x rank`, a shared factor
    /// `J x rank` and loadings `K x rank`, in canonical form.
    ///
    /// # Errors
    /// `InvalidInput`: an option outside its domain, no slice, one that is no matrix or has fewer rows than components.
    /// `Shape`: different widths. `NonFinite`, `Backend`.
    ///
    /// # Complexity
    /// Each round `O(K J R min(n_k, J) + K R^2 min(n_k, J))`, after one pass `O(sum(n_k) J^2)`, for rank `R`. With missing entries `n_k` takes
    /// the place of the minimum.
    ///
    /// # Accuracy
    /// A stationary point: the relative slope is at most `1e-4`. The least residual of all is not promised; starts that agree
    /// are counted. Without nonnegative loadings the sign of a component may differ from slice to slice where the core is
    /// diagonal.
    ///
    /// # Example
    /// See [`Parafac2`].
    ///
    /// # Source
    /// Harshman 1972 (the model), Kiers, ten Berge, Bro 1999 (direct fitting). Departures: tall slices are replaced by the
    /// triangles of their QR factorisation, sweeps are extrapolated, evidence on the whole slices.
    pub fn decompose(
        &self,
        slices: &[TensorView<'_>],
        rng: &mut impl Rng,
    ) -> Result<Fit<Parafac2Model>, Error> {
        self.decompose_observed(slices, rng, &mut unobserved)
    }

    /// As [`Parafac2::decompose`], reporting progress; a break returns the best model so far.
    ///
    /// # Errors
    /// As [`Parafac2::decompose`].
    pub fn decompose_observed(
        &self,
        slices: &[TensorView<'_>],
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<Parafac2Model>, Error> {
        self.check(slices, None)?;
        self.search(slices, None, rng, observer)
    }

    /// Decomposes the entries of positive weight; the values of the others are never read.
    ///
    /// # Shapes
    /// `weights` have the shapes of `slices`.
    ///
    /// # Errors
    /// As [`Parafac2::decompose`]; `Shape`; `InvalidInput`: a weight that is negative or not finite, or no observed entry.
    ///
    /// # Complexity
    /// As [`Parafac2::decompose`]; rounds are more where more is missing.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::{decomp::Parafac2, run::unobserved, tensor::Tensor};
    /// let run = |n: usize| Tensor::from_fn(&[n, 4], |i| ((1 + i[0]) * (1 + i[1]) * n) as f64);
    /// let mut runs = [run(6)?, run(7)?, run(5)?];
    /// let seen = [6, 7, 5].map(|n| Tensor::from_fn(&[n, 4], |i| f64::from(i[0] + i[1] != 2)));
    /// let seen = seen.into_iter().collect::<Result<Vec<_>, _>>()?;
    /// runs[1].as_mut_slice()[2] = f64::NAN; // of weight zero
    /// let views: Vec<_> = runs.iter().map(Tensor::view).collect();
    /// let weights: Vec<_> = seen.iter().map(Tensor::view).collect();
    /// let rng = &mut ChaCha8Rng::seed_from_u64(0);
    /// let fit = Parafac2::new(1).decompose_masked(&views, &weights, rng, &mut unobserved)?;
    /// assert!((fit.converged()?.slice(1).column(0)[2] - 21.0).abs() < 1e-3); // 3 * 1 * 7
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn decompose_masked(
        &self,
        slices: &[TensorView<'_>],
        weights: &[TensorView<'_>],
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<Parafac2Model>, Error> {
        self.check(slices, Some(weights))?;
        self.search(slices, Some(weights), rng, observer)
    }

    fn search(
        &self,
        data: &[TensorView<'_>],
        weights: Option<&[TensorView<'_>]>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<Parafac2Model>, Error> {
        let Some(slices) = Slices::of(data, weights)? else {
            return self.nothing(data);
        };
        let short = slices.short(OP, self.effort.rank)?;
        let work = Descent {
            slices: &slices,
            x: &short.x,
            nonnegative: self.nonnegative,
        };
        let (done, stopped) = self.starts_made(&work, rng, observer)?;
        let ends: Vec<f64> = done.iter().map(Ended::value).collect();
        let best = least(OP, done, Ended::value)?;
        let ([core, shared, loadings], bases) = best.x;
        let bases = short.expand(bases);
        let model = Parafac2Model::new(bases, core, shared, loadings)?.canonical();
        let evidence = evidence(&slices, &model, (&ends, self.nonnegative));
        let status = judge(
            &evidence.decisive(self.effort.tol),
            ended(&evidence, best.spent, stopped),
        );
        let mut loadings = model.loadings().clone();
        slices.restore(&mut loadings);
        let (bases, core) = (model.bases().to_vec(), model.core().clone());
        let size = slices.size();
        Ok(Fit {
            model: Parafac2Model::new(bases, core, model.shared().clone(), loadings)?,
            status,
            work: Work {
                sweeps: best.history.len().saturating_sub(1),
                starts: ends.len(),
                ..Work::default()
            },
            history: best.history.iter().map(|f| f / size).collect(),
            evidence,
        })
    }

    /// The starts, and whether the observer broke.
    fn starts_made(
        &self,
        work: &Descent<'_>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<(Vec<Ended>, bool), Error> {
        let seeds: Vec<(u64, bool)> = (0..self.effort.starts)
            .map(|k| (rng.random(), k == 0))
            .collect();
        all_starts(&seeds, observer, |seed, halt| {
            let parts = start(work.x, self.effort.rank, *seed)?;
            descend(work, parts, self.effort.iterations, halt)
        })
    }

    /// Slices of zeros are the model without loadings, exactly.
    fn nothing(&self, data: &[TensorView<'_>]) -> Result<Fit<Parafac2Model>, Error> {
        let unit = |n: usize| Factor::from_fn(n, self.effort.rank, |i, r| f64::from(i == r));
        let bases = data.iter().map(|t| unit(t.dims()[0])).collect();
        let (width, slices) = (data[0].dims()[1], data.len());
        let loadings = Factor::zeros(slices, self.effort.rank);
        let shared = Factor::from_fn(width, self.effort.rank, |i, r| {
            f64::from(i == r % width.max(1))
        });
        Ok(Fit {
            model: Parafac2Model::new(bases, unit(self.effort.rank), shared, loadings)?,
            status: Status::Converged,
            history: vec![0.0],
            work: Work::default(),
            evidence: Evidence {
                rel_residual: 0.0,
                condition: 1.0,
                checks: vec![Check::reported(
                    "parafac2.norm-of-data",
                    "norm of the data",
                    0.0,
                )],
            },
        })
    }

    fn check(
        &self,
        slices: &[TensorView<'_>],
        weights: Option<&[TensorView<'_>]>,
    ) -> Result<(), Error> {
        let refuse = |what: String| Err(Error::invalid(OP, what));
        self.effort.check(OP, 256)?;
        if slices.is_empty() {
            return refuse("needs one slice at least".into());
        }
        if weights.is_some_and(|w| w.len() != slices.len()) {
            return refuse("needs weights for every slice".into());
        }
        let mut seen = false;
        for (k, t) in slices.iter().enumerate() {
            let [rows, width] = *t.dims() else {
                return refuse(format!(
                    "slice {k} has shape {:?}, expected a matrix",
                    t.dims()
                ));
            };
            if width == 0 || width != slices[0].dims()[1] {
                let expected = format!("slices with {} columns", slices[0].dims()[1].max(1));
                return Err(Error::shape(OP, expected, format!("{width} in slice {k}")));
            }
            if rows < self.effort.rank {
                let rank = self.effort.rank;
                return refuse(format!("slice {k} has {rows} rows for {rank} components"));
            }
            seen |= check_entries(k, *t, weights.map(|w| w[k]))?;
        }
        match seen {
            true => Ok(()),
            false => refuse("no entry is observed".into()),
        }
    }
}

/// Whether a slice has an observed entry; those that are must be finite.
fn check_entries(
    k: usize,
    t: TensorView<'_>,
    weights: Option<TensorView<'_>>,
) -> Result<bool, Error> {
    if let Some(w) = weights.filter(|w| w.dims() != t.dims()) {
        let (expected, found) = (format!("{:?}", t.dims()), format!("{:?}", w.dims()));
        return Err(Error::shape(
            OP,
            format!("weights of shape {expected}"),
            found,
        ));
    }
    let mut seen = false;
    for (index, x) in t.as_slice().iter().enumerate() {
        let w = weights.map_or(1.0, |w| w.as_slice()[index]);
        if !(w >= 0.0 && w.is_finite()) {
            let what = format!(
                "weights must be finite and nonnegative, entry {index} of slice {k} is {w}"
            );
            return Err(Error::invalid(OP, what));
        }
        if w > 0.0 && !x.is_finite() {
            return Err(Error::NonFinite { op: OP, index });
        }
        seen |= w > 0.0;
    }
    Ok(seen)
}
