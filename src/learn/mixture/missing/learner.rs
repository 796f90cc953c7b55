//! Maximum likelihood of what was measured, with the choices of [`crate::learn::mixture::Em`].

use super::evidence::finish;
use super::patterns::Masked;
use crate::Error;
use crate::fit::{Fit, Work};
use crate::learn::mixture::em::ascent::{Budget, Climb, climb};
use crate::learn::mixture::em::covariance_kind::CovarianceKind;
use crate::learn::mixture::em::floor::Floor;
use crate::learn::mixture::em::learner::EmRow;
use crate::learn::mixture::em::starts::{from_cells, splits};
use crate::learn::mixture::gaussian::{Component, GaussianMixture};
use crate::learn::mixture::input_check::few_columns;
use crate::run::{Observer, Progress, unobserved};
use faer::MatRef;
use rand::Rng;

pub(super) const OP: &str = "MaskedEm::learn";
/// Rows that starts are compared on.
const START_ROWS: usize = 1000;
/// Sweeps of a start, starts that are climbed on all rows, and sweeps of a climb.
const FIRST_SWEEPS: usize = 9;
const FINALISTS: usize = 3;
const SWEEPS: usize = 1000;
/// Numbers of components without a better BIC that end a scan.
const PATIENCE: usize = 2;

/// Expectation maximisation from rows with gaps.
///
/// Without options: a fixed number of components, full covariances, 10 starts.
#[derive(Clone, Debug, PartialEq)]
pub struct MaskedEm {
    pub(super) least: usize,
    pub(super) most: usize,
    kinds: Vec<CovarianceKind>,
    starts: usize,
    pub(super) tol: f64,
}

/// What [`MaskedEm::learn`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct MaskedModel {
    /// The mixture of the best BIC.
    pub mixture: GaussianMixture,
    /// Its family.
    pub kind: CovarianceKind,
    /// `sum log p` over the measured entries of each row, in the columns as given.
    pub log_likelihood: f64,
    /// `2 log L - parameters * log N`, `N` the rows with a measured entry: larger is better.
    pub bic: f64,
    /// Every fit that was made.
    pub table: Vec<EmRow>,
    /// Entries that were not measured, in rows that have others.
    pub gaps: usize,
    /// Rows without a measured entry, which are left out.
    pub empty_rows: usize,
    /// Different sets of measured columns.
    pub patterns: usize,
}

/// The best climb of a family.
pub(super) struct Best {
    pub(super) climb: Climb,
    pub(super) kind: CovarianceKind,
    pub(super) bic: f64,
}

impl MaskedEm {
    /// Exactly `components` components.
    pub fn new(components: usize) -> Self {
        Self::between(components, components)
    }

    /// The number of components in `least..=most` with the best BIC; the scan ends after two without a better one.
    pub fn between(least: usize, most: usize) -> Self {
        Self {
            least,
            most,
            kinds: vec![CovarianceKind::Full],
            starts: 10,
            tol: 1e-3,
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

    /// Starts for each number of components, at least 1. Default 10.
    #[must_use]
    pub fn starts(self, starts: usize) -> Self {
        Self { starts, ..self }
    }

    /// Fits the mixture to rows some of whose entries are NaN: not measured.
    ///
    /// What is maximised is the likelihood of the entries that were measured, each row under the law of its own columns.
    /// This is the right one when whether an entry was measured depends on measured entries alone (missing at random). The
    /// columns are first scaled to standard deviation one over what was measured, so units do not matter; rotations do. No row
    /// is set aside as an outlier. `Converged` also means that each measured entry, given those before it in its row, is
    /// spread as the model says; where gaps depend on values this may be refused although the fit is right.
    ///
    /// # Shapes
    /// `samples` is `N x n`, rows are samples; NaN marks an entry that was not measured.
    ///
    /// # Errors
    /// `InvalidInput` for options outside their domain, fewer than two rows, a column whose measured entries are alike;
    /// `LimitExceeded` for more than 2000 columns; `NonFinite` for an infinity; `Degenerate` when no start led anywhere;
    /// `Stopped` when asked to stop before the first fit.
    ///
    /// # Complexity
    /// `O(components * (patterns * n^3 + N n^2))` for each sweep, in parallel over patterns. Memory `O(N n)`.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::learn::mixture::{GaussianMixture, MaskedEm};
    /// let mut rng = ChaCha8Rng::seed_from_u64(1);
    /// let truth = GaussianMixture::spherical(2, [(0.5, vec![-5.0, 0.0]), (0.5, vec![5.0, 2.0])], 1.0)?;
    /// let mut rows = truth.sample(400, &mut rng);
    /// rows.iter_mut().skip(1).step_by(6).for_each(|x| *x = f64::NAN);
    /// let x = faer::MatRef::from_row_major_slice(&rows, 400, 2);
    /// let fit = MaskedEm::new(2).learn(x, &mut rng)?;
    /// assert_eq!(fit.model.gaps, 134);
    /// assert!((fit.model.mixture.components()[0].weight - 0.5).abs() < 0.1);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    ///
    /// # Source
    /// Ghahramani and Jordan 1994; sweeps are accelerated as in [`crate::learn::mixture::Em`].
    pub fn learn(
        &self,
        samples: MatRef<'_, f64>,
        rng: &mut impl Rng,
    ) -> Result<Fit<MaskedModel>, Error> {
        self.learn_observed(samples, rng, &mut unobserved)
    }

    /// As [`MaskedEm::learn`], reporting each fit.
    ///
    /// # Errors
    /// As [`MaskedEm::learn`].
    pub fn learn_observed(
        &self,
        samples: MatRef<'_, f64>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<MaskedModel>, Error> {
        few_columns(OP, samples.ncols())?;
        let fine = 1 <= self.least
            && self.least <= self.most
            && self.most <= samples.nrows()
            && !self.kinds.is_empty()
            && (1..=10_000).contains(&self.starts);
        if !fine {
            let (least, most, n) = (self.least, self.most, samples.nrows());
            let requirement = format!(
                "components between 1 and the number of samples {n}, got {least}..={most}, at least one family, 1 to 10000 starts"
            );
            return Err(Error::invalid(OP, requirement));
        }
        let data = Masked::open(OP, samples)?;
        let mut scan = Scan {
            em: self,
            few: data.few(START_ROWS),
            data: &data,
            floor: Floor::diagonal(&data.rounding),
            table: Vec::new(),
            work: Work::default(),
            stopped: false,
        };
        let best = scan.run(rng, observer)?;
        let (table, work, stopped) = (scan.table, scan.work, scan.stopped);
        finish(self, &data, (best, table, work), stopped)
    }
}

struct Scan<'a> {
    em: &'a MaskedEm,
    data: &'a Masked,
    few: Masked,
    floor: Floor,
    table: Vec<EmRow>,
    work: Work,
    stopped: bool,
}

impl Scan<'_> {
    /// The fit of the best BIC, those with every component on its own rows first.
    fn run(&mut self, rng: &mut impl Rng, observer: Observer<'_>) -> Result<Best, Error> {
        let mut best: Option<Best> = None;
        let mut last: Vec<Option<GaussianMixture>> = vec![None; self.em.kinds.len()];
        let (mut filled, mut since, mut refused) = (None, 0, None);
        for k in 1..=self.em.most {
            let mut better = false;
            for (at, kind) in self.em.kinds.iter().copied().enumerate() {
                let filled_rows = match &filled {
                    Some(rows) => rows,
                    None => filled.insert(self.filled(rng, &mut *observer)?),
                };
                let starts = self.starts((k, kind), filled_rows, last[at].as_ref(), rng)?;
                let found = self.climbed((k, kind), starts, &mut *observer);
                let (climb, bic) = match found {
                    Ok(found) => found,
                    Err(e @ Error::Stopped { .. }) => return best.ok_or(e),
                    Err(e) => {
                        refused = Some(e);
                        last[at] = None;
                        continue;
                    }
                };
                last[at] = Some(climb.mixture.clone());
                let proper = climb.proper;
                let wins = |b: &Best| (proper, bic) > (b.climb.proper, b.bic);
                if k >= self.em.least && best.as_ref().is_none_or(wins) {
                    best = Some(Best { climb, kind, bic });
                    better = true;
                }
                if self.stopped {
                    return best.ok_or(Error::Stopped { op: OP });
                }
            }
            since = if better || k < self.em.least {
                0
            } else {
                since + 1
            };
            if since >= PATIENCE {
                break;
            }
        }
        let hypothesis = "a start whose components all keep rows (components asked for)";
        let none = || refused.unwrap_or(Error::degenerate(OP, hypothesis, self.em.least as f64));
        best.ok_or_else(none)
    }

    /// The few rows with their gaps filled by draws given the rest, under one normal law: where cells are looked for.
    fn filled(&mut self, rng: &mut impl Rng, observer: Observer<'_>) -> Result<Vec<f64>, Error> {
        let dim = self.data.dim;
        let one = self.standard()?;
        let mut stopped = false;
        let mut stop = |_: f64| {
            let step = Progress::open("mixture with gaps", 0);
            stopped |= observer(&step).is_break();
            stopped
        };
        let budget = self.budget(FIRST_SWEEPS * 4);
        let law = climb(&self.few, &one, CovarianceKind::Full, budget, &mut stop)
            .map_or(one.clone(), |c| c.mixture);
        self.stopped |= stopped;
        let mut rows = Vec::with_capacity(self.few.count * dim);
        for p in &self.few.patterns {
            for row in p.rows.chunks_exact(p.seen.len()) {
                let known: Vec<(usize, f64)> =
                    p.seen.iter().copied().zip(row.iter().copied()).collect();
                let rest = match p.gaps.is_empty() {
                    true => Vec::new(),
                    false => law.given(&known)?.sample(1, rng),
                };
                let mut whole = vec![0.0; dim];
                known.iter().for_each(|(a, x)| whole[*a] = *x);
                p.gaps.iter().zip(&rest).for_each(|(a, x)| whole[*a] = *x);
                rows.extend(whole);
            }
        }
        Ok(rows)
    }

    /// The standard normal law.
    fn standard(&self) -> Result<GaussianMixture, Error> {
        let origin = vec![0.0; self.data.dim];
        GaussianMixture::spherical(self.data.dim, [(1.0, origin)], 1.0)
    }

    fn budget(&self, sweeps: usize) -> Budget<'_> {
        Budget {
            sweeps,
            tol: self.em.tol,
            floor: &self.floor,
        }
    }

    fn starts(
        &self,
        (k, kind): (usize, CovarianceKind),
        filled: &[f64],
        smaller: Option<&GaussianMixture>,
        rng: &mut impl Rng,
    ) -> Result<Vec<GaussianMixture>, Error> {
        let dim = self.data.dim;
        if k == 1 {
            return Ok(vec![self.standard()?]);
        }
        let mut starts = match smaller {
            Some(m) => splits(m)?,
            None => Vec::new(),
        };
        let skip = k < self.em.least && kind != CovarianceKind::Full;
        let count = if skip { 1 } else { self.em.starts };
        for _ in 0..count {
            starts.push(from_cells(filled, dim, k, &self.floor, rng)?);
        }
        Ok(starts)
    }

    /// Short climbs of all starts on few rows, the best of them and the first start on all.
    fn climbed(
        &mut self,
        (k, kind): (usize, CovarianceKind),
        starts: Vec<GaussianMixture>,
        observer: Observer<'_>,
    ) -> Result<(Climb, f64), Error> {
        let mut stopped = self.stopped;
        let mut stop = |figure: f64| {
            let step = Progress::open("mixture with gaps", k as u64).with_figure(figure);
            stopped |= observer(&step).is_break();
            stopped
        };
        self.work.starts += starts.len();
        let mut field: Vec<Climb> = Vec::new();
        let safe = starts.first().cloned();
        for start in &starts {
            let budget = self.budget(FIRST_SWEEPS);
            field.extend(climb(&self.few, start, kind, budget, &mut stop).ok());
        }
        field.sort_by(|a, b| b.log_likelihood.total_cmp(&a.log_likelihood));
        field.truncate(FINALISTS);
        // The first start of a split is as good as the smaller mixture.
        let tried = field.into_iter().map(|c| c.mixture).chain(safe);
        let mut best: Option<Climb> = None;
        for start in tried {
            let Ok(c) = climb(self.data, &start, kind, self.budget(SWEEPS), &mut stop) else {
                continue;
            };
            self.work.sweeps += c.sweeps;
            self.work.samples += (c.sweeps * self.data.count) as u64;
            let wins = |b: &Climb| (c.proper, c.log_likelihood) > (b.proper, b.log_likelihood);
            if best.as_ref().is_none_or(wins) {
                best = Some(c);
            }
        }
        self.stopped = stopped;
        let hypothesis = "a start whose components all keep rows (components asked for)";
        let none = match stopped {
            true => Error::Stopped { op: OP },
            false => Error::degenerate(OP, hypothesis, k as f64),
        };
        let climb = best.ok_or(none)?;
        let bic = self.noted((k, kind), &climb);
        Ok((climb, bic))
    }

    /// Writes the climb into the table; returns its BIC.
    fn noted(&mut self, (components, kind): (usize, CovarianceKind), climb: &Climb) -> f64 {
        let parameters = kind.parameters(components, self.data.dim);
        let log_likelihood = climb.log_likelihood - self.data.log_volume;
        let bic = 2.0 * log_likelihood - parameters as f64 * (self.data.count as f64).ln();
        let reason = match (climb.settled, climb.floored, climb.proper) {
            (false, ..) => Some("the sweeps were cut short"),
            (_, true, _) => Some("a covariance as thin as the digits of the columns"),
            (.., false) => Some("a component of too few rows"),
            _ => None,
        };
        self.table.push(EmRow {
            kind,
            components,
            log_likelihood,
            parameters,
            bic,
            sound: reason.is_none(),
            reason,
        });
        bic
    }
}

/// A mixture of scaled columns in the columns as they are.
///
/// # Errors
/// As [`GaussianMixture::new`].
pub(super) fn at_columns(data: &Masked, m: &GaussianMixture) -> Result<GaussianMixture, Error> {
    let dim = data.dim;
    let moved = m.components().iter().map(|c| Component {
        weight: c.weight,
        mean: (0..dim)
            .map(|a| data.centre[a] + data.scale[a] * c.mean[a])
            .collect(),
        covariance: (0..dim * dim)
            .map(|i| data.scale[i / dim] * data.scale[i % dim] * c.covariance[i])
            .collect(),
    });
    GaussianMixture::new(dim, moved.collect())
}
