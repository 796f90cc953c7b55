//! Maximum likelihood by expectation maximisation, with good starts, families of covariances and BIC.

use super::audit::{TableEntry, broken_nestings};
use super::door::Door;
use super::em_climb::{Budget, Climb, climb, from_cells, splits};
use super::em_step::statistics;
use super::gaussian::GaussianMixture;
use super::kind::CovarianceKind;
use crate::Error;
use crate::decomp::{Certificate, Evidence, Fit, Work};
use crate::error::Status;
use crate::linalg;
use crate::observe::{Observer, Progress, unobserved};
use faer::{Mat, MatRef};
use rand::Rng;

const OP: &str = "learn mixture (em)";
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

/// Expectation maximisation for Gaussian mixtures.
///
/// Without options: a fixed number of components, [`CovarianceKind::Full`], 20 starts.
#[derive(Clone, Debug, PartialEq)]
pub struct Em {
    least: usize,
    most: usize,
    kinds: Vec<CovarianceKind>,
    starts: usize,
    max_sweeps: usize,
    tol: f64,
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
    /// `2 log L - parameters * log N`: larger is better.
    pub bic: f64,
    /// Every fit that was made.
    pub table: Vec<EmRow>,
    /// Rows set aside as outliers, see [`Em::learn`].
    pub set_aside: usize,
}

/// One fit of the table.
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
}

impl Em {
    /// Exactly `components` components.
    pub fn new(components: usize) -> Self {
        Self::between(components, components)
    }

    /// The number of components in `least..=most` with the best BIC.
    pub fn between(least: usize, most: usize) -> Self {
        Self {
            least,
            most,
            kinds: vec![CovarianceKind::Full],
            starts: 20,
            max_sweeps: 5000,
            tol: 1e-4,
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

    /// Starts from k-means++ cells for each number of components, at least 1. Default 20.
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

    /// Fits the mixture to the rows of `samples`.
    ///
    /// The likelihood of Gaussian mixtures is unbounded, so what is sought is the best of many local maxima
    /// away from the boundary; covariances are kept above 1e-6 of the sample's typical squared distance, and a
    /// fit that needs this floor, or leaves a component with fewer rows than determine its covariance, is only
    /// taken when there is no other, and marked `IllConditioned`. Each number of components also starts from
    /// the best fit with one fewer, and each family from those it contains, so the table has no broken
    /// nestings. At most 1 % of the rows, each more than 1000 median distances away, are set aside and counted.
    ///
    /// # Shapes
    /// `samples` is `N x n`, rows are samples.
    ///
    /// # Errors
    /// `InvalidInput` for options outside their domain, fewer than two rows, fewer distinct rows than
    /// components or a constant column; `NonFinite`; `Degenerate` when no start led anywhere.
    ///
    /// # Complexity
    /// `O(sweeps * N * components * n^2)` for each climb; about five long climbs for each family and number of
    /// components, `starts` short ones on at most 10000 rows. Memory `O(N n)`.
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
    /// # Ok::<(), wickring::Error>(())
    /// ```
    ///
    /// # Source
    /// Dempster, Laird and Rubin 1977; families after Celeux and Govaert 1995; the choice by BIC after Fraley
    /// and Raftery 2002 (larger is better). We depart in the starts: k-means++ and splits, no hierarchy.
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
        let door = Door::open(OP, samples)?;
        self.check(&door)?;
        let mut search = Search::new(self, &door);
        let stopped = search.run(rng, observer)?;
        search.finish(stopped)
    }

    fn check(&self, door: &Door) -> Result<(), Error> {
        let n = door.rows.len() / door.dim;
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

/// The fits made so far: `fits[k - 1][family]`.
struct Search<'a> {
    em: &'a Em,
    door: &'a Door,
    floor: f64,
    fits: Vec<Vec<Climb>>,
    work: Work,
}

impl<'a> Search<'a> {
    fn new(em: &'a Em, door: &'a Door) -> Self {
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
    fn run(&mut self, rng: &mut impl Rng, observer: Observer<'_>) -> Result<bool, Error> {
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

    fn finish(self, stopped: bool) -> Result<Fit<EmModel>, Error> {
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
