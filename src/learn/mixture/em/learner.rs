//! Maximum likelihood by expectation maximisation, with good starts, families of covariances and BIC.

use super::coordinates::Group;
use super::covariance_kind::CovarianceKind;
use super::nesting_audit::TableEntry;
use super::sample::Sample;
use super::search::Search;
use crate::Error;
use crate::fit::Fit;
use crate::learn::mixture::gaussian::GaussianMixture;
use crate::learn::mixture::input_check::few_columns;
use crate::run::{Observer, unobserved};
use faer::MatRef;
use rand::Rng;

pub(in crate::learn::mixture) const OP: &str = "Em::learn";

/// Expectation maximisation for Gaussian mixtures.
///
/// Without options: a fixed number of components, [`CovarianceKind::Full`], 20 starts.
#[derive(Clone, Debug, PartialEq)]
pub struct Em {
    pub(in crate::learn::mixture) least: usize,
    pub(in crate::learn::mixture) most: usize,
    pub(in crate::learn::mixture) kinds: Vec<CovarianceKind>,
    pub(in crate::learn::mixture) starts: usize,
    pub(in crate::learn::mixture) max_sweeps: usize,
    pub(in crate::learn::mixture) tol: f64,
    /// The only start, if there is to be one.
    pub(in crate::learn::mixture) start: Option<GaussianMixture>,
    /// Whether the rows are held against the fit; a fit that is a means to an end need not be.
    pub(in crate::learn::mixture) tested: bool,
}

/// What [`Em::learn`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct EmModel {
    /// The mixture of the best BIC.
    pub mixture: GaussianMixture,
    /// Its family.
    pub kind: CovarianceKind,
    /// `sum log p` over the samples used.
    pub log_likelihood: f64,
    /// `2 log L - parameters * log N`: larger is better; copies of a row count once.
    pub bic: f64,
    /// Every fit that was made.
    pub table: Vec<EmRow>,
    /// Every fit that came to nothing.
    pub given_up: Vec<GivenUp>,
    /// Rows set aside as outliers, see [`Em::learn`].
    pub set_aside: usize,
}

/// One fit of the table.
///
/// See [`Em::learn`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct EmRow {
    /// Family of covariances.
    pub kind: CovarianceKind,
    /// Number of components.
    pub components: usize,
    /// `sum log p`.
    pub log_likelihood: f64,
    /// Free parameters.
    pub parameters: usize,
    /// `2 log L - parameters * log N`.
    pub bic: f64,
    /// Whether the climb ended by its tolerance and away from the boundary.
    pub sound: bool,
    /// Why it is not sound, in words.
    pub reason: Option<&'static str>,
}

/// A family that has no mixture of so many components to offer.
///
/// See [`Em::learn`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct GivenUp {
    /// Family of covariances.
    pub kind: CovarianceKind,
    /// Number of components.
    pub components: usize,
    /// Why, in words.
    pub reason: String,
}

impl Em {
    /// Exactly `components` components.
    ///
    /// Up to nine, all smaller numbers are fitted on the way, and stand in the table; beyond, only the one before.
    pub fn new(components: usize) -> Self {
        Self::between(components, components)
    }

    /// The number of components in `least..=most` with the best BIC.
    ///
    /// Beyond `least` the scan ends, for each family and as a whole, after three numbers without a better BIC,
    /// or two that are worse by more than 10; for a family also when twice the gain of its last numbers, kept up to `most`,
    /// would leave it behind the best of all.
    pub fn between(least: usize, most: usize) -> Self {
        Self {
            least,
            most,
            kinds: vec![CovarianceKind::Full],
            starts: 20,
            max_sweeps: 5000,
            tol: 1e-4,
            start: None,
            tested: true,
        }
    }

    /// Families to choose from by BIC; at least one. Default: full covariances only.
    #[must_use]
    pub fn kinds(self, kinds: &[CovarianceKind]) -> Self {
        let kinds = CovarianceKind::ALL
            .into_iter()
            .filter(|k| kinds.contains(k));
        let kinds = kinds.collect();
        Self { kinds, ..self }
    }

    /// Starts from k-means++ cells for each number of components, shared by the families, at least 1.
    /// Default 20.
    #[must_use]
    pub fn starts(self, starts: usize) -> Self {
        Self { starts, ..self }
    }

    /// Sweeps of the longest climb. Default 5000.
    #[must_use]
    pub fn max_sweeps(self, max_sweeps: usize) -> Self {
        Self { max_sweeps, ..self }
    }

    /// A climb ends when no more than this log-likelihood (in nats) is predicted to be gained. Default 1e-4.
    #[must_use]
    pub fn tol(self, tol: f64) -> Self {
        Self { tol, ..self }
    }

    /// Climbs from this mixture alone: its number of components, in the columns of the samples; nothing else is tried. For
    /// a fit that is gone on with, on more rows for instance, or a start that is known to be good.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::learn::mixture::{Em, GaussianMixture};
    /// let truth = GaussianMixture::spherical(1, [(0.5, vec![-3.0]), (0.5, vec![3.0])], 1.0)?;
    /// let rows = truth.sample(400, &mut ChaCha8Rng::seed_from_u64(1));
    /// let x = faer::MatRef::from_row_major_slice(&rows, 400, 1);
    /// let fit = Em::new(2).starting_at(truth.clone()).learn(x, &mut ChaCha8Rng::seed_from_u64(2))?;
    /// assert!(fit.model.log_likelihood > truth.log_likelihood(&rows));
    /// # Ok::<(), wickring::Error>(())
    /// ```
    #[must_use]
    pub fn starting_at(self, start: GaussianMixture) -> Self {
        Self {
            least: start.len(),
            most: start.len(),
            start: Some(start),
            ..self
        }
    }

    /// Fits the mixture to the rows of `samples`.
    ///
    /// Full and shared covariances are fitted in coordinates where the sample has covariance one, so any invertible map
    /// of the columns moves the fit with it; diagonal families in columns of standard deviation one, which only the
    /// units of the columns do not matter to; spherical ones and those of equal shape in the columns as they are, up to
    /// rotations and one unit. Log-likelihoods are those of the columns as given.
    ///
    /// The likelihood of Gaussian mixtures is unbounded, so what is sought is the best of many local maxima
    /// away from the boundary. Covariances are kept above the variance that the rounding of the columns has, and a fit
    /// that needs this floor, leaves a component with no more different rows than determine its covariance, or holds a
    /// component of few rows that is no narrower than chance makes them, is only taken when there is no other, and
    /// marked `IllConditioned`. Each number of components also starts from
    /// the best fit with one fewer, and each family from those it contains, so the table has no broken
    /// nestings. `Converged` also means that the rows look like draws of the mixture, see `em.law` in the evidence, and that
    /// the best number of components is not the largest of a range. At most 1 % of the rows, each more than 1000 median distances away, are set aside and counted. When rows
    /// are copies of each other, more of them than the digits of the columns explain, each counts once in the choice.
    ///
    /// # Shapes
    /// `samples` is `N x n`, rows are samples.
    ///
    /// # Errors
    /// `InvalidInput` for options outside their domain, no more rows than columns, a constant column or columns with an
    /// exact linear relation, which is named; `LimitExceeded` for more than 2000 columns; `NonFinite`; `Degenerate` when
    /// no start led anywhere.
    ///
    /// # Complexity
    /// `O(sweeps * N * components * n^2)` for each climb, in parallel over climbs and blocks of rows; for each
    /// family and number of components `starts` short climbs on 2000 rows (60 for each of many components), some ten of three dozen sweeps
    /// on all rows, and one or two to their ends. Memory `O(N n)`.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::learn::mixture::{CovarianceKind, Em};
    /// let mut rng = ChaCha8Rng::seed_from_u64(1);
    /// // Two clusters on a line.
    /// let x = faer::Mat::from_fn(60, 1, |i, _| (i % 2) as f64 * 10.0 + (i as f64 * 0.7).sin());
    /// let fit = Em::between(1, 3).kinds(&[CovarianceKind::SharedSpherical]).learn(x.as_ref(), &mut rng)?;
    /// assert_eq!(fit.model.mixture.len(), 2);
    /// // One, two and three components were tried.
    /// assert_eq!(fit.model.table.len() + fit.model.given_up.len(), 3);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    ///
    /// # Source
    /// Dempster, Laird and Rubin 1977; families after Celeux and Govaert 1995; the choice by BIC after Fraley
    /// and Raftery 2002 (larger is better); sweeps are accelerated after Varadhan and Roland 2008. We depart in the
    /// starts: k-means++ and splits, no hierarchy.
    pub fn learn(
        &self,
        samples: MatRef<'_, f64>,
        rng: &mut impl Rng,
    ) -> Result<Fit<EmModel>, Error> {
        self.learn_observed(samples, rng, &mut unobserved)
    }

    /// As [`Em::learn`], reporting each fit of the table.
    ///
    /// # Errors
    /// As [`Em::learn`]; `Stopped` when asked to stop before the first fit.
    pub fn learn_observed(
        &self,
        samples: MatRef<'_, f64>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<EmModel>, Error> {
        self.check(samples.nrows())?;
        few_columns(OP, samples.ncols())?;
        if let Some(start) = self.start.as_ref().filter(|m| m.dim() != samples.ncols()) {
            let expected = format!("a start of {} columns", samples.ncols());
            return Err(Error::shape(OP, expected, start.dim().to_string()));
        }
        let mut groups: Vec<Group> = Group::ALL.to_vec();
        groups.retain(|g| self.kinds.iter().any(|k| Group::of(*k) == *g));
        let sample = Sample::open(samples, &groups, self.most)?;
        let mut search = Search::new(self, &sample);
        let stopped = search.run(rng, observer)?;
        search.finish(stopped, rng, observer)
    }

    fn check(&self, n: usize) -> Result<(), Error> {
        let (least, most) = (self.least, self.most);
        let fine = 1 <= least && least <= most && most <= n;
        if !fine {
            let requirement =
                format!("components between 1 and the number of samples {n}, got {least}..={most}");
            return Err(Error::invalid(OP, requirement));
        }
        let fine = !self.kinds.is_empty()
            && (1..=10_000).contains(&self.starts)
            && self.max_sweeps >= 10
            && self.tol > 0.0
            && self.tol < f64::INFINITY;
        if fine {
            return Ok(());
        }
        let requirement =
            "at least one family, 1 to 10000 starts, at least 10 sweeps, a positive tolerance";
        Err(Error::invalid(OP, requirement))
    }
}

impl EmRow {
    /// The row as the audit reads it.
    pub fn entry(&self) -> TableEntry {
        TableEntry {
            family: self.kind.name().to_owned(),
            components: self.components,
            log_likelihood: self.log_likelihood,
        }
    }
}
