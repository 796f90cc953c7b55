//! PARAFAC2 by direct fitting: the options, the verbs, the status.
//!
//! Exact: nothing. Approximate: everything; the evidence says how well.

use super::direct_fit::{Ended, Work as Descent, descend, start};
use super::evidence::evidence;
use super::slices::Slices;
use crate::decomp::cp::checks::ended;
use crate::fit::{Check, Evidence, Fit, Work, judge};
use crate::run::{Observer, Progress, side_by_side, unobserved};
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
    rank: usize,
    nonnegative: bool,
    starts: usize,
    rounds: usize,
    tol: Option<f64>,
}

impl Parafac2 {
    /// PARAFAC2 with `rank` components, in `1..=256`.
    pub fn new(rank: usize) -> Self {
        Self {
            rank,
            nonnegative: false,
            starts: 6,
            rounds: 3000,
            tol: None,
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
    pub fn starts(self, starts: usize) -> Self {
        Self { starts, ..self }
    }

    /// Rounds of each start, in `1..=1000000`; 3000 by default.
    #[must_use]
    pub fn max_iterations(self, rounds: usize) -> Self {
        Self { rounds, ..self }
    }

    /// A relative residual that the fit must reach to be called converged, finite and positive.
    #[must_use]
    pub fn tol(self, tol: f64) -> Self {
        let tol = Some(tol);
        Self { tol, ..self }
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
        let short = slices.short(OP, self.rank)?;
        let work = Descent {
            slices: &slices,
            x: &short.x,
            nonnegative: self.nonnegative,
        };
        let (done, stopped) = self.starts_made(&work, rng, observer)?;
        let ends: Vec<f64> = done.iter().map(Ended::residual).collect();
        let best = done
            .into_iter()
            .min_by(|a, b| a.residual().total_cmp(&b.residual()));
        let best = best.ok_or(Error::Stopped { op: OP })?;
        let [core, shared, loadings] = best.parts;
        let bases = short.expand(best.bases);
        let model = Parafac2Model::new(bases, core, shared, loadings)?.canonical();
        let evidence = evidence(&slices, &model, (&ends, self.nonnegative));
        let status = judge(
            &evidence.decisive(self.tol),
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

    /// The starts, four at a time, and whether the observer broke.
    fn starts_made(
        &self,
        work: &Descent<'_>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<(Vec<Ended>, bool), Error> {
        let seeds: Vec<(u64, bool)> = (0..self.starts).map(|k| (rng.random(), k == 0)).collect();
        let mut done: Vec<Ended> = Vec::new();
        let mut stopped = false;
        for batch in seeds.chunks(4) {
            let p = Progress::of("starts", done.len() as u64, self.starts as u64);
            let (runs, halted) = side_by_side(batch, &p, observer, |seed, halt| {
                let parts = start(work.x, self.rank, *seed)?;
                descend(work, parts, self.rounds, halt)
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
        Ok((done, stopped))
    }

    /// Slices of zeros are the model without loadings, exactly.
    fn nothing(&self, data: &[TensorView<'_>]) -> Result<Fit<Parafac2Model>, Error> {
        let unit = |n: usize| Factor::from_fn(n, self.rank, |i, r| f64::from(i == r));
        let bases = data.iter().map(|t| unit(t.dims()[0])).collect();
        let (width, slices) = (data[0].dims()[1], data.len());
        let loadings = Factor::zeros(slices, self.rank);
        let shared = Factor::from_fn(width, self.rank, |i, r| f64::from(i == r % width.max(1)));
        Ok(Fit {
            model: Parafac2Model::new(bases, unit(self.rank), shared, loadings)?,
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
        let ranges = [
            ("rank", self.rank, 256),
            ("starts", self.starts, 10_000),
            ("max_iterations", self.rounds, 1_000_000),
        ];
        for (name, value, top) in ranges {
            if value == 0 || value > top {
                return refuse(format!("{name} must be in 1..={top}, got {value}"));
            }
        }
        if let Some(tol) = self.tol.filter(|tol| !(*tol > 0.0 && tol.is_finite())) {
            return refuse(format!("tol must be finite and positive, got {tol}"));
        }
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
            if rows < self.rank {
                let rank = self.rank;
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
