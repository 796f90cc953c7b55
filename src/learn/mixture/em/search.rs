//! The search behind [`Em`]: which climbs are made, which fit is chosen, and what is recomputed about it.

use super::ascent::{Budget, Climb};
use super::covariance_kind::CovarianceKind;
use super::learner::{Em, EmModel, EmRow, OP};
use super::m_step::statistics;
use super::nesting_audit::{TableEntry, broken_nestings};
use super::starts::{from_cells, splits};
use crate::Error;
use crate::Status;
use crate::fit::{Check, Evidence, Fit, Work};
use crate::learn::mixture::gaussian::GaussianMixture;
use crate::learn::mixture::input_check::Door;
use crate::linalg;
use crate::run::{Observer, Progress};
use faer::Mat;
use rand::Rng;

/// Rows that starts are compared on.
const START_ROWS: usize = 2000;
/// With a free number of components: give up after so many numbers without a better BIC, or after two that are
/// worse than the best by more than [`CLEAR`], which is called very strong evidence.
const PATIENCE: usize = 3;
const CLEAR: f64 = 10.0;
/// Slack of the audit in nats; also what a restart may differ by and still be the same maximum.
pub(in crate::learn::mixture) const AUDIT_SLACK: f64 = 1e-3;

/// The fits made so far: `fits[k - 1][family]`, none for a family that was given up.
pub(in crate::learn::mixture) struct Search<'a> {
    pub(in crate::learn::mixture) em: &'a Em,
    pub(in crate::learn::mixture) door: &'a Door,
    floor: f64,
    fits: Vec<Vec<Option<Climb>>>,
    /// The rows that starts are compared on.
    pub(in crate::learn::mixture) few: Vec<f64>,
    pub(in crate::learn::mixture) work: Work,
}

impl<'a> Search<'a> {
    pub(in crate::learn::mixture) fn new(em: &'a Em, door: &'a Door) -> Self {
        // Components much thinner than a thousandth of the sample's extent are points.
        let floor = 1e-6 * door.bulk.scale * door.bulk.scale / door.dim as f64;
        let mut search = Self {
            em,
            door,
            floor: floor.max(f64::MIN_POSITIVE * 1e20),
            fits: Vec::new(),
            few: Vec::new(),
            work: Work::default(),
        };
        search.few = search.start_rows();
        search
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
        for k in 1..=self.em.most {
            let step = Progress::of("mixture em", k as u64, self.em.most as u64);
            if watch(&step).is_break() {
                break;
            }
            let starts = self.cell_starts(k, rng)?;
            let mut row: Vec<Option<Climb>> = Vec::new();
            let mut here = f64::NEG_INFINITY;
            for (turn, kind) in families.iter_mut().zip(&self.em.kinds) {
                if (k > self.em.least && turn.over()) || watch(&step).is_break() {
                    row.push(None);
                    continue;
                }
                let climbed = match self.best_of(k, *kind, &starts, &row, &mut watch) {
                    Ok(climbed) => climbed,
                    // Too few rows for this family; another one may do.
                    Err(e @ (Error::Degenerate { .. } | Error::NonFinite { .. })) => {
                        refused = refused.or(Some(e));
                        row.push(None);
                        continue;
                    }
                    Err(other) => return Err(other),
                };
                let bic = self.bic(k, *kind, &climbed);
                let bic = if climbed.proper && climbed.settled {
                    bic
                } else {
                    f64::NEG_INFINITY
                };
                turn.see(bic);
                here = here.max(bic);
                row.push(Some(climbed));
            }
            if row.iter().all(Option::is_none) {
                break;
            }
            self.fits.push(row);
            scan.see(here);
            if k >= self.em.least && scan.over() {
                break;
            }
        }
        match refused {
            Some(e) if self.fits.len() < self.em.least && !stopped => Err(e),
            _ => Ok(stopped),
        }
    }

    fn bic(&self, k: usize, kind: CovarianceKind, c: &Climb) -> f64 {
        let rows = (self.door.rows.len() / self.door.dim) as f64;
        2.0 * c.log_likelihood - kind.parameters(k, self.door.dim) as f64 * rows.ln()
    }

    /// Rows that starts are compared on: evenly spaced.
    fn start_rows(&self) -> Vec<f64> {
        let dim = self.door.dim;
        let n = self.door.rows.len() / dim;
        let step = n.div_ceil(START_ROWS).max(1);
        let picked = self.door.rows.chunks_exact(dim).step_by(step);
        picked.flatten().copied().collect()
    }

    fn cell_starts(&self, k: usize, rng: &mut impl Rng) -> Result<Vec<GaussianMixture>, Error> {
        let count = if k == 1 { 1 } else { self.em.starts };
        (0..count)
            .map(|_| from_cells(&self.few, self.door.dim, k, self.floor, rng))
            .collect()
    }

    pub(in crate::learn::mixture) fn budget(&self, sweeps: usize) -> Budget {
        Budget {
            sweeps: sweeps.min(self.em.max_sweeps),
            tol: self.em.tol,
            floor: self.floor,
        }
    }

    /// Short climbs of all starts on few rows, then a race of the best of them and of the contained models.
    fn best_of(
        &mut self,
        k: usize,
        kind: CovarianceKind,
        starts: &[GaussianMixture],
        row: &[Option<Climb>],
        observer: Observer<'_>,
    ) -> Result<Climb, Error> {
        let mut contained: Vec<GaussianMixture> = Vec::new();
        let mut least = f64::NEG_INFINITY;
        let mut bound = |c: &Climb| {
            if c.proper && c.settled {
                least = least.max(c.log_likelihood);
            }
        };
        for (other, c) in self.em.kinds.iter().zip(row) {
            if let (true, Some(c)) = (kind.contains(*other), c) {
                contained.push(c.mixture.clone());
                bound(c);
            }
        }
        let mut tried: Vec<GaussianMixture> = starts.to_vec();
        let at = self.em.kinds.iter().position(|x| *x == kind).unwrap_or(0);
        if let Some(Some(smaller)) = self.fits.last().and_then(|f| f.get(at)) {
            bound(smaller);
            let mut cuts = splits(&smaller.mixture)?.into_iter();
            contained.extend(cuts.next());
            tried.extend(cuts);
        }
        let mut field = self.finalists(kind, tried);
        field.extend(contained.into_iter().map(Climb::from));
        let mut winner = self.race(kind, field, observer);
        if let Some(w) = &mut winner {
            // From a better contained model the climb led to the boundary: the maximum is not this one.
            w.proper &= w.log_likelihood >= least - AUDIT_SLACK;
        }
        winner.ok_or_else(|| {
            let hypothesis = "a start whose components all keep rows (components asked for)";
            Error::degenerate(OP, hypothesis, k as f64)
        })
    }

    pub(in crate::learn::mixture) fn finish(self, stopped: bool) -> Result<Fit<EmModel>, Error> {
        let mut table = Vec::new();
        let mut chosen: Option<(f64, bool, usize, CovarianceKind)> = None;
        for (k, row) in self.fits.iter().enumerate().map(|(i, r)| (i + 1, r)) {
            for (c, kind) in row.iter().zip(&self.em.kinds) {
                let Some(c) = c else { continue };
                let bic = self.bic(k, *kind, c);
                table.push(EmRow {
                    kind: *kind,
                    components: k,
                    log_likelihood: c.log_likelihood,
                    parameters: kind.parameters(k, self.door.dim),
                    bic,
                    sound: c.settled && c.proper,
                });
                let wins = |(b, proper, ..): &(f64, bool, usize, CovarianceKind)| {
                    (c.proper, bic) > (*proper, *b)
                };
                // When stopped early the largest number reached stands in for the one asked for.
                let allowed = k >= self.em.least.min(self.fits.len());
                if allowed && chosen.as_ref().is_none_or(wins) {
                    chosen = Some((bic, c.proper, k, *kind));
                }
            }
        }
        let (bic, _, k, kind) = chosen.ok_or(Error::Stopped { op: OP })?;
        let at = self.em.kinds.iter().position(|x| *x == kind).unwrap_or(0);
        let climb = self.fits[k - 1][at].as_ref();
        let climb = climb.ok_or(Error::Stopped { op: OP })?;
        let model = EmModel {
            mixture: climb.mixture.clone(),
            kind,
            log_likelihood: climb.log_likelihood,
            bic,
            table,
            set_aside: self.door.set_aside,
        };
        let evidence = self.evidence(&model, climb.proper)?;
        let status = if stopped {
            Status::Stopped
        } else if !climb.proper {
            Status::IllConditioned
        } else if !climb.settled {
            Status::IterationLimit
        } else if evidence.holds() {
            Status::Converged
        } else {
            Status::Stalled
        };
        let rows = (self.door.rows.len() / self.door.dim) as f64;
        Ok(Fit {
            status,
            history: climb.history.iter().map(|l| -l / rows).collect(),
            work: self.work,
            evidence,
            model,
        })
    }

    /// Recomputed from the rows and the model: one more sweep must gain nothing, and the table must be nested.
    fn evidence(&self, model: &EmModel, proper: bool) -> Result<Evidence, Error> {
        let s = statistics(&self.door.rows, &model.mixture, model.kind.scatter());
        let next = s.update(&model.mixture, model.kind, self.floor)?.mixture;
        let gain = next.log_likelihood(&self.door.rows) - s.log_likelihood;
        // A fit that the floor of the covariances holds up is no maximum that others must reach.
        let sound = model.table.iter().filter(|r| r.sound);
        let entries: Vec<TableEntry> = sound.map(EmRow::entry).collect();
        let broken = broken_nestings(&entries, AUDIT_SLACK).len();
        let rows = (self.door.rows.len() / self.door.dim) as f64;
        let smallest = model.mixture.components().iter().map(|c| c.weight);
        let checks = vec![
            Check::accuracy(
                "em.gain-of-sweep",
                "log-likelihood gained by one more sweep (nats)",
                gain,
                10.0 * self.em.tol,
            ),
            Check::search(
                "em.broken-nestings",
                "broken nestings among the sound fits of the table",
                broken as f64,
                0.0,
            ),
            Check::conditioning(
                "em.boundary",
                "at the boundary: a covariance at its floor or a component with too few rows",
                f64::from(u8::from(!proper)),
                0.0,
            ),
            Check::reported("em.log-likelihood", "log-likelihood", s.log_likelihood),
            Check::reported("em.bic", "BIC (larger is better)", model.bic),
            Check::reported(
                "em.smallest-component",
                "rows in the smallest component",
                smallest.fold(1.0, f64::min) * rows,
            ),
            Check::reported(
                "em.outliers",
                "rows set aside as outliers",
                model.set_aside as f64,
            ),
            Check::reported(
                "em.repeated-rows",
                "rows that repeat another one (share)",
                self.door.repeated(),
            ),
        ];
        Ok(Evidence {
            rel_residual: gain.abs() / s.log_likelihood.abs().max(1.0),
            condition: worst_condition(&model.mixture)?,
            checks,
        })
    }
}

/// Where a scan over numbers of components stands.
#[derive(Clone, Debug)]
struct Turn {
    best: f64,
    /// Numbers since the best, and how many of the last ones were clearly worse.
    since: usize,
    clearly: usize,
}

impl Default for Turn {
    fn default() -> Self {
        let best = f64::NEG_INFINITY;
        Self {
            best,
            since: 0,
            clearly: 0,
        }
    }
}

impl Turn {
    fn see(&mut self, bic: f64) {
        self.since = if bic > self.best { 0 } else { self.since + 1 };
        self.best = self.best.max(bic);
        self.clearly = if bic < self.best - CLEAR {
            self.clearly + 1
        } else {
            0
        };
    }

    /// Whether more components are worth no look.
    fn over(&self) -> bool {
        self.since >= PATIENCE || (self.since >= 2 && self.clearly >= 2)
    }
}

/// Largest condition number among the covariances.
fn worst_condition(m: &GaussianMixture) -> Result<f64, Error> {
    let dim = m.dim();
    let mut worst = 1.0f64;
    for c in m.components() {
        let sigma = Mat::from_fn(dim, dim, |a, b| c.covariance[a * dim + b]);
        let values = linalg::symmetric_eigen(OP, sigma.as_ref())?.values;
        worst = worst.max(values[dim - 1] / values[0]);
    }
    Ok(worst)
}
