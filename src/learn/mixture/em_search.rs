//! The search behind [`Em`]: which climbs are made, which fit is chosen, and what is recomputed about it.

use super::audit::{TableEntry, broken_nestings};
use super::door::Door;
use super::em::{Em, EmModel, EmRow, OP};
use super::em_climb::{Budget, Climb, climb, from_cells, splits};
use super::em_step::statistics;
use super::gaussian::GaussianMixture;
use super::kind::CovarianceKind;
use crate::Error;
use crate::decomp::{Certificate, Evidence, Fit, Work};
use crate::error::Status;
use crate::linalg;
use crate::observe::{Observer, Progress};
use faer::Mat;
use rand::Rng;

/// Rows that starts are compared on.
const START_ROWS: usize = 10_000;
/// Sweeps that a start gets before it is compared.
const START_SWEEPS: usize = 40;
/// Starts that are climbed to the end.
const FINALISTS: usize = 5;
/// With a free number of components: give up after so many numbers without a better BIC.
const PATIENCE: usize = 3;
/// How much coarser the tolerance of the finalists is than that of the winner.
const ROUGH: f64 = 100.0;
/// Slack of the audit in nats; also what a restart may differ by and still be the same maximum.
const AUDIT_SLACK: f64 = 1e-3;

/// The fits made so far: `fits[k - 1][family]`.
pub(super) struct Search<'a> {
    em: &'a Em,
    door: &'a Door,
    floor: f64,
    fits: Vec<Vec<Climb>>,
    work: Work,
}

impl<'a> Search<'a> {
    pub(super) fn new(em: &'a Em, door: &'a Door) -> Self {
        // Components much thinner than a thousandth of the sample's extent are points.
        let floor = 1e-6 * door.bulk.scale * door.bulk.scale / door.dim as f64;
        Self {
            em,
            door,
            floor: floor.max(f64::MIN_POSITIVE * 1e20),
            fits: Vec::new(),
            work: Work::default(),
        }
    }

    /// Returns whether it was asked to stop.
    pub(super) fn run(
        &mut self,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<bool, Error> {
        let (mut best, mut since) = (f64::NEG_INFINITY, 0);
        for k in 1..=self.em.most {
            let starts = self.cell_starts(k, rng)?;
            let mut row: Vec<Climb> = Vec::new();
            for kind in &self.em.kinds {
                let step = Progress::of("mixture em", k as u64, self.em.most as u64);
                if observer(&step).is_break() {
                    return Ok(true);
                }
                let climbed = self.best_of(k, *kind, &starts, &row, observer)?;
                row.push(climbed);
            }
            let here = row
                .iter()
                .zip(&self.em.kinds)
                .filter(|(c, _)| c.proper && c.settled);
            let here = here.fold(f64::NEG_INFINITY, |m, (c, kind)| {
                m.max(self.bic(k, *kind, c))
            });
            self.fits.push(row);
            since = if here > best { 0 } else { since + 1 };
            best = best.max(here);
            if since >= PATIENCE && k >= self.em.least {
                break;
            }
        }
        Ok(false)
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
        let rows = self.start_rows();
        let count = if k == 1 { 1 } else { self.em.starts };
        (0..count)
            .map(|_| from_cells(&rows, self.door.dim, k, self.floor, rng))
            .collect()
    }

    fn budget(&self, sweeps: usize) -> Budget {
        Budget {
            sweeps: sweeps.min(self.em.max_sweeps),
            tol: self.em.tol,
            floor: self.floor,
        }
    }

    /// Short climbs of all starts on few rows, long climbs of the best and of the contained models.
    fn best_of(
        &mut self,
        k: usize,
        kind: CovarianceKind,
        starts: &[GaussianMixture],
        row: &[Climb],
        observer: Observer<'_>,
    ) -> Result<Climb, Error> {
        let at = self.em.kinds.iter().position(|x| *x == kind).unwrap_or(0);
        let mut contained: Vec<GaussianMixture> = Vec::new();
        for (other, c) in self.em.kinds.iter().zip(row) {
            if kind.contains(*other) {
                contained.push(c.mixture.clone());
            }
        }
        let mut tried: Vec<GaussianMixture> = starts.to_vec();
        if let Some(smaller) = self.fits.last().and_then(|f| f.get(at)) {
            let mut cuts = splits(&smaller.mixture)?.into_iter();
            contained.extend(cuts.next());
            tried.extend(cuts);
        }
        let few = self.start_rows();
        let short = self.budget(START_SWEEPS);
        let mut short_climbs: Vec<Climb> = Vec::new();
        for start in &tried {
            // A start that loses a component leads nowhere; the others go on.
            if let Ok(c) = climb(&few, start, kind, short, &mut |_| false) {
                self.work.sweeps += c.history.len();
                short_climbs.push(c);
            }
            self.work.starts += 1;
        }
        short_climbs.sort_by(|a, b| {
            let order = b.log_likelihood.total_cmp(&a.log_likelihood);
            b.proper.cmp(&a.proper).then(order)
        });
        short_climbs.dedup_by(|b, a| {
            a.settled && b.settled && (a.log_likelihood - b.log_likelihood).abs() < AUDIT_SLACK
        });
        let finalists = short_climbs.into_iter().take(FINALISTS).map(|c| c.mixture);
        let mut best: Option<Climb> = None;
        // First all finalists roughly: a flat ridge is not worth following unless it is the best.
        let rough = Budget {
            tol: ROUGH * self.em.tol,
            ..self.budget(self.em.max_sweeps)
        };
        for start in finalists.chain(contained) {
            if let Ok(c) = self.long_climb(&start, kind, rough, observer)
                && best.as_ref().is_none_or(|b| better(&c, b))
            {
                best = Some(c);
            }
        }
        let end = best.map(|b| {
            let fine = self.budget(self.em.max_sweeps);
            let mut end = self.long_climb(&b.mixture, kind, fine, observer)?;
            end.history = [b.history, end.history].concat();
            Ok(end)
        });
        end.unwrap_or(Err(Error::degenerate(
            OP,
            "a start whose components all keep rows (components asked for)",
            k as f64,
        )))
    }

    fn long_climb(
        &mut self,
        start: &GaussianMixture,
        kind: CovarianceKind,
        budget: Budget,
        observer: Observer<'_>,
    ) -> Result<Climb, Error> {
        let step = Progress::open("mixture em", start.len() as u64);
        let mut stop = |ll: f64| observer(&step.with_figure(ll)).is_break();
        let c = climb(&self.door.rows, start, kind, budget, &mut stop)?;
        self.work.sweeps += c.history.len();
        self.work.samples += (c.history.len() * self.door.rows.len() / self.door.dim) as u64;
        Ok(c)
    }

    pub(super) fn finish(self, stopped: bool) -> Result<Fit<EmModel>, Error> {
        let mut table = Vec::new();
        let mut chosen: Option<(f64, bool, usize, CovarianceKind)> = None;
        for (k, row) in self.fits.iter().enumerate().map(|(i, r)| (i + 1, r)) {
            for (c, kind) in row.iter().zip(&self.em.kinds) {
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
        let climb = &self.fits[k - 1][at];
        let model = EmModel {
            mixture: climb.mixture.clone(),
            kind,
            log_likelihood: climb.log_likelihood,
            bic,
            table,
            set_aside: self.door.set_aside,
        };
        let certificate = self.certificate(&model)?;
        let status = if stopped {
            Status::Stopped
        } else if !climb.proper {
            Status::IllConditioned
        } else if !climb.settled {
            Status::IterationLimit
        } else if certificate.holds() {
            Status::Converged
        } else {
            Status::Stalled
        };
        let rows = (self.door.rows.len() / self.door.dim) as f64;
        Ok(Fit {
            status,
            history: climb.history.iter().map(|l| -l / rows).collect(),
            work: self.work,
            certificate,
            model,
        })
    }

    /// Recomputed from the rows and the model: one more sweep must gain nothing, and the table must be nested.
    fn certificate(&self, model: &EmModel) -> Result<Certificate, Error> {
        let s = statistics(&self.door.rows, &model.mixture);
        let next = s.update(&model.mixture, model.kind, self.floor)?.mixture;
        let gain = next.log_likelihood(&self.door.rows) - s.log_likelihood;
        let entries: Vec<TableEntry> = model.table.iter().map(EmRow::entry).collect();
        let broken = broken_nestings(&entries, AUDIT_SLACK).len();
        let rows = (self.door.rows.len() / self.door.dim) as f64;
        let smallest = model.mixture.components().iter().map(|c| c.weight);
        let evidence = vec![
            Evidence::new(
                "log-likelihood gained by one more sweep (nats)",
                gain,
                10.0 * self.em.tol,
            ),
            Evidence::new("broken nestings in the table of fits", broken as f64, 0.0),
            Evidence::note("log-likelihood", s.log_likelihood),
            Evidence::note("BIC (larger is better)", model.bic),
            Evidence::note(
                "rows in the smallest component",
                smallest.fold(1.0, f64::min) * rows,
            ),
            Evidence::note("rows set aside as outliers", model.set_aside as f64),
        ];
        Ok(Certificate {
            rel_residual: gain.abs() / s.log_likelihood.abs().max(1.0),
            cond: worst_condition(&model.mixture)?,
            evidence,
        })
    }
}

fn better(a: &Climb, b: &Climb) -> bool {
    (a.proper, a.log_likelihood) > (b.proper, b.log_likelihood)
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
