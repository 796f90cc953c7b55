//! The search behind [`Em`]: which climbs are made, and which fit is chosen.

use super::ascent::{Budget, Climb};
use super::coordinates::Group;
use super::covariance_kind::CovarianceKind;
use super::evidence::Support;
use super::learner::{Em, EmModel, EmRow, GivenUp, OP};
use super::sample::{Sample, View};
use super::starts::{from_cells, splits};
use crate::Error;
use crate::Status;
use crate::fit::{Fit, Work};
use crate::learn::mixture::gaussian::GaussianMixture;
use crate::run::{Observer, Progress};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

/// With a free number of components: give up after so many numbers without a better BIC, or after two that are
/// worse than the best by more than [`CLEAR`], which is called very strong evidence.
const PATIENCE: usize = 3;
const CLEAR: f64 = 10.0;
/// A family is given up when so many times its last gains in BIC, for each component that may still come, leave it behind.
const PACE: f64 = 2.0;
/// Up to this number of components asked for, all smaller numbers are fitted too; beyond it only the one before.
const LADDER: usize = 9;
/// Slack of the audit in nats; also what a restart may differ by and still be the same maximum.
pub(in crate::learn::mixture) const AUDIT_SLACK: f64 = 1e-3;

/// The fits made so far: `fits[k - first][family]`, none for a family that was given up.
pub(in crate::learn::mixture) struct Search<'a> {
    pub(in crate::learn::mixture) em: &'a Em,
    pub(in crate::learn::mixture) sample: &'a Sample,
    /// The smallest number of components that is fitted.
    first: usize,
    fits: Vec<Vec<Option<Found>>>,
    /// Starts of the last number of components, which families of one group share.
    cells: Vec<(usize, Group, Vec<GaussianMixture>)>,
    given_up: Vec<GivenUp>,
    pub(in crate::learn::mixture) work: Work,
}

/// The best climb of a family with a number of components.
pub(in crate::learn::mixture) struct Found {
    pub(in crate::learn::mixture) climb: Climb,
    /// In the coordinates of the columns, as the two below.
    pub(in crate::learn::mixture) mixture: GaussianMixture,
    pub(in crate::learn::mixture) log_likelihood: f64,
    pub(in crate::learn::mixture) bic: f64,
    /// Not known of what was cut short by a wish to stop.
    pub(in crate::learn::mixture) support: Option<Support>,
    /// Why it is no maximum away from the boundary.
    pub(in crate::learn::mixture) reason: Option<&'static str>,
}

impl Found {
    fn sound(&self) -> bool {
        self.reason.is_none()
    }
}

impl<'a> Search<'a> {
    pub(in crate::learn::mixture) fn new(em: &'a Em, sample: &'a Sample) -> Self {
        Self {
            em,
            sample,
            first: match em.start {
                Some(_) => em.least,
                None if em.least > LADDER => em.least - 1,
                None => 1,
            },
            fits: Vec::new(),
            cells: Vec::new(),
            given_up: Vec::new(),
            work: Work::default(),
        }
    }

    /// Returns whether it was asked to stop.
    pub(in crate::learn::mixture) fn run(
        &mut self,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<bool, Error> {
        let mut stopped = false;
        let mut watch = |p: &Progress| {
            let answer = observer(p);
            stopped |= answer.is_break();
            answer
        };
        let mut refused = None;
        let mut scan = Turn::default();
        let mut families = vec![Turn::default(); self.em.kinds.len()];
        let mut best = f64::NEG_INFINITY;
        for k in self.first..=self.em.most {
            let step = Progress::of("mixture em", k as u64, self.em.most as u64);
            // Starts of a family do not depend on which others are fitted.
            let seed = rng.next_u64();
            if watch(&step).is_break() {
                break;
            }
            let mut row: Vec<Option<Found>> = Vec::new();
            let mut here = f64::NEG_INFINITY;
            for (turn, &kind) in families.iter_mut().zip(&self.em.kinds) {
                let behind = turn.over() || turn.hopeless(best, self.em.most - k + 1);
                if (k > self.em.least && behind) || watch(&step).is_break() {
                    row.push(None);
                    continue;
                }
                let found = match self.best_of(k, kind, seed, &row, &mut watch) {
                    Ok(found) => found,
                    Err(e) => {
                        refused = refused.or(self.excused(k, kind, e)?);
                        row.push(None);
                        continue;
                    }
                };
                let bic = if found.sound() {
                    found.bic
                } else {
                    f64::NEG_INFINITY
                };
                turn.see(bic);
                here = here.max(bic);
                row.push(Some(found));
            }
            if row.iter().all(Option::is_none) {
                break;
            }
            self.fits.push(row);
            best = best.max(here);
            scan.see(here);
            if k >= self.em.least && scan.over() {
                break;
            }
        }
        match refused {
            Some(e) if self.reached() < self.em.least && !stopped => Err(e),
            _ => Ok(stopped),
        }
    }

    /// Notes that a family has too few rows; another one may do. Nothing is noted of a wish to stop.
    fn excused(
        &mut self,
        components: usize,
        kind: CovarianceKind,
        e: Error,
    ) -> Result<Option<Error>, Error> {
        match e {
            Error::Degenerate { .. } | Error::NonFinite { .. } => {
                self.given_up.push(GivenUp {
                    kind,
                    components,
                    reason: e.to_string(),
                });
                Ok(Some(e))
            }
            Error::Stopped { .. } => Ok(None),
            other => Err(other),
        }
    }

    /// The largest number of components that was fitted; one less than the first before any was.
    fn reached(&self) -> usize {
        self.first + self.fits.len() - 1
    }

    /// `2 log L - parameters * log N`, where copies of a row count once.
    fn bic(&self, k: usize, kind: CovarianceKind, log_likelihood: f64) -> f64 {
        let (rows, all) = (self.sample.effective(), self.sample.count as f64);
        let parameters = kind.parameters(k, self.sample.dim) as f64;
        2.0 * log_likelihood * (rows / all) - parameters * rows.ln()
    }

    pub(in crate::learn::mixture) fn view(&self, kind: CovarianceKind) -> &'a View {
        self.sample.view(Group::of(kind))
    }

    /// A log-likelihood of the family's coordinates in those of the columns.
    fn at_columns(&self, kind: CovarianceKind, log_likelihood: f64) -> f64 {
        log_likelihood + self.sample.count as f64 * self.view(kind).at.log_volume
    }

    pub(in crate::learn::mixture) fn budget(
        &self,
        kind: CovarianceKind,
        sweeps: usize,
    ) -> Budget<'a> {
        Budget {
            sweeps: sweeps.min(self.em.max_sweeps),
            tol: self.em.tol,
            floor: &self.view(kind).floor,
        }
    }

    /// Starts from cells in the coordinates of the family, each from a stream of random numbers of its own.
    fn cell_starts(
        &mut self,
        k: usize,
        kind: CovarianceKind,
        seed: u64,
    ) -> Result<Vec<GaussianMixture>, Error> {
        let group = Group::of(kind);
        let same = |c: &&(usize, Group, Vec<GaussianMixture>)| (c.0, c.1) == (k, group);
        if let Some((_, _, starts)) = self.cells.iter().find(same) {
            return Ok(starts.clone());
        }
        let (view, dim) = (self.view(kind), self.sample.dim);
        let count = if k == 1 { 1 } else { self.em.starts };
        let start = |stream: usize| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(stream as u64);
            from_cells(&view.few, dim, k, &view.floor, &mut rng)
        };
        let starts: Result<Vec<GaussianMixture>, Error> =
            (0..count).into_par_iter().map(start).collect();
        let starts = starts?;
        self.cells.retain(|c| c.0 == k);
        self.cells.push((k, group, starts.clone()));
        Ok(starts)
    }

    /// Short climbs of all starts on few rows, then a race of the best of them and of the contained models.
    fn best_of(
        &mut self,
        k: usize,
        kind: CovarianceKind,
        seed: u64,
        row: &[Option<Found>],
        observer: Observer<'_>,
    ) -> Result<Found, Error> {
        let view = self.view(kind);
        let mut contained: Vec<GaussianMixture> = Vec::new();
        let mut least = f64::NEG_INFINITY;
        let mut bound = |c: &Found| {
            if c.sound() {
                least = least.max(c.log_likelihood);
            }
        };
        for (other, c) in self.em.kinds.iter().zip(row) {
            if let (true, Some(c)) = (kind.contains(*other), c) {
                // A law that these coordinates cannot hold is far from what is sought in them.
                let from = &self.view(*other).at;
                contained.extend(view.at.adopt(&c.climb.mixture, from).ok());
                bound(c);
            }
        }
        let mut tried = match self.em.start {
            Some(_) => Vec::new(),
            None => self.cell_starts(k, kind, seed)?,
        };
        let at = self.em.kinds.iter().position(|x| *x == kind).unwrap_or(0);
        if let Some(Some(smaller)) = self.fits.last().and_then(|f| f.get(at)) {
            bound(smaller);
            let mut cuts = splits(&smaller.climb.mixture)?.into_iter();
            contained.extend(cuts.next());
            tried.extend(cuts);
        }
        let mut field = self.finalists(kind, tried, &mut *observer);
        if let Some(start) = &self.em.start {
            contained.push(view.at.enter_law(start)?);
        }
        field.extend(contained.into_iter().map(Climb::from));
        let Some((climb, stopped)) = self.race(kind, field, observer) else {
            let hypothesis = "a start whose components all keep rows (components asked for)";
            return Err(Error::degenerate(OP, hypothesis, k as f64));
        };
        let mixture = view.at.leave(&climb.mixture)?;
        let log_likelihood = self.at_columns(kind, climb.log_likelihood);
        // What is cut short is not looked into further: the time is spent.
        let support =
            (!stopped).then(|| Support::of(&view.rows, &self.sample.shares, &climb.mixture, kind));
        let below = !(log_likelihood >= least - AUDIT_SLACK);
        let reason = reason(&climb, support, below);
        Ok(Found {
            bic: self.bic(k, kind, log_likelihood),
            climb,
            mixture,
            log_likelihood,
            support,
            reason,
        })
    }

    pub(in crate::learn::mixture) fn finish(
        self,
        stopped: bool,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<EmModel>, Error> {
        let mut table = Vec::new();
        let mut chosen: Option<(&Found, CovarianceKind)> = None;
        for (k, row) in (self.first..).zip(&self.fits) {
            for (c, &kind) in row.iter().zip(&self.em.kinds) {
                let Some(c) = c else { continue };
                table.push(EmRow {
                    kind,
                    components: k,
                    log_likelihood: c.log_likelihood,
                    parameters: kind.parameters(k, self.sample.dim),
                    bic: c.bic,
                    sound: c.sound(),
                    reason: c.reason,
                });
                // A climb that was merely cut short is away from the boundary.
                let inside = |c: &Found| c.sound() || c.climb.proper && !c.climb.settled;
                let wins =
                    |(b, _): &(&Found, CovarianceKind)| (inside(c), c.bic) > (inside(b), b.bic);
                // When stopped early the largest number reached stands in for the one asked for.
                let allowed = k >= self.em.least.min(self.reached());
                if allowed && chosen.as_ref().is_none_or(wins) {
                    chosen = Some((c, kind));
                }
            }
        }
        let (found, kind) = chosen.ok_or(Error::Stopped { op: OP })?;
        let model = EmModel {
            mixture: found.mixture.clone(),
            kind,
            log_likelihood: found.log_likelihood,
            bic: found.bic,
            table,
            given_up: self.given_up.clone(),
            set_aside: self.sample.set_aside,
        };
        let mut stopped = stopped;
        let evidence = self.evidence(&model, found, &mut stopped, (rng, observer))?;
        let inside = found.sound() || !found.climb.settled;
        let status = if stopped {
            Status::Stopped
        } else if !inside {
            Status::IllConditioned
        } else if !found.climb.settled {
            Status::IterationLimit
        } else if evidence.holds() {
            Status::Converged
        } else {
            Status::Stalled
        };
        let rows = self.sample.count as f64;
        let volume = self.view(kind).at.log_volume;
        Ok(Fit {
            status,
            history: found
                .climb
                .history
                .iter()
                .map(|l| -l / rows - volume)
                .collect(),
            work: self.work,
            evidence,
            model,
        })
    }
}

/// Why the end of a climb is no maximum away from the boundary; `below`: of a model that it contains.
fn reason(climb: &Climb, support: Option<Support>, below: bool) -> Option<&'static str> {
    if !climb.settled {
        Some("the sweeps were cut short")
    } else if climb.floored {
        Some("a covariance as thin as the digits of the columns")
    } else if !climb.proper || support.is_some_and(|s| !s.suffices()) {
        Some("a component of too few different rows")
    } else if below {
        // From a better contained model the climb led to the boundary: the maximum is not this one.
        Some("below a model that it contains")
    } else {
        None
    }
}

/// Where a scan over numbers of components stands.
#[derive(Clone, Debug)]
struct Turn {
    best: f64,
    /// Numbers since the best, and how many of the last ones were clearly worse.
    since: usize,
    clearly: usize,
    /// The last three numbers' BIC.
    last: [f64; 3],
}

impl Default for Turn {
    fn default() -> Self {
        let best = f64::NEG_INFINITY;
        Self {
            best,
            since: 0,
            clearly: 0,
            last: [best; 3],
        }
    }
}

impl Turn {
    fn see(&mut self, bic: f64) {
        self.last.rotate_left(1);
        self.last[2] = bic;
        self.since = if bic > self.best { 0 } else { self.since + 1 };
        self.best = self.best.max(bic);
        self.clearly = if bic < self.best - CLEAR {
            self.clearly + 1
        } else {
            0
        };
    }

    /// Whether so many more components, each gaining twice what the better of the last two gained, stay below `best`.
    fn hopeless(&self, best: f64, more: usize) -> bool {
        let gain = (self.last[2] - self.last[1]).max(self.last[1] - self.last[0]);
        self.last.iter().all(|b| b.is_finite())
            && self.last[2] + PACE * gain.max(0.0) * (more as f64) < best - CLEAR
    }

    /// Whether more components are worth no look.
    fn over(&self) -> bool {
        self.since >= PATIENCE || (self.since >= 2 && self.clearly >= 2)
    }
}
