//! Which climbs are worth going on with: short ones from all starts, then a race of the best on all rows.

use super::ascent::{Budget, Climb};
use super::covariance_kind::CovarianceKind;
use super::search::{AUDIT_SLACK, Search};
use crate::learn::mixture::gaussian::GaussianMixture;
use crate::run::{Observer, Progress};
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

/// Cycles (of two or three sweeps) that every start gets, how many go on, and the cycles that those get.
const FIRST_CYCLES: usize = 3;
const SECOND_FIELD: usize = 10;
const SECOND_CYCLES: usize = 8;
/// Starts that are climbed on all rows.
const FINALISTS: usize = 5;
/// Climbs that are left after the first round on all rows; half after each further one, at least two.
const RUNNERS: usize = 6;
/// Cycles of a round at most, and row entries times components times climbs that make a round shorter.
const ROUND_CYCLES: usize = 12;
const ROUND_WORK: usize = 200_000_000;
/// From so many products of entries, coordinates and components on, climbs wait for each other.
const LONG_CYCLE: usize = 20_000_000;
/// A climb goes on while this many times what it is predicted to gain, and as many nats, close the gap.
const HOPE: f64 = 10.0;
/// How much coarser the tolerance of the finalists is than that of the winner.
const ROUGH: f64 = 100.0;

impl Search<'_> {
    /// The best few of the starts after short climbs on few rows, as starts on all rows.
    pub(in crate::learn::mixture) fn finalists(
        &mut self,
        kind: CovarianceKind,
        tried: Vec<GaussianMixture>,
        observer: Observer<'_>,
    ) -> Vec<Climb> {
        self.work.starts += tried.len();
        let mut field: Vec<Climb> = tried.into_iter().map(Climb::from).collect();
        let few = &self.view(kind).few;
        for (cycles, kept) in [(FIRST_CYCLES, SECOND_FIELD), (SECOND_CYCLES, FINALISTS)] {
            let budget = self.budget(kind, usize::MAX);
            field = advance(few, kind, budget, field, cycles, &mut *observer).0;
            rank(&mut field);
            field.truncate(kept);
        }
        self.work.sweeps += field.iter().map(|c| c.sweeps).sum::<usize>();
        let restart = |c: Climb| Climb::from(c.mixture);
        field.into_iter().map(restart).collect()
    }

    /// Climbs on all rows, round by round; those that are predicted to stay behind are given up, at the end
    /// the best goes on to the full tolerance. `None` when every climb lost a component. Also says whether it was
    /// asked to stop.
    pub(in crate::learn::mixture) fn race(
        &mut self,
        kind: CovarianceKind,
        mut field: Vec<Climb>,
        observer: Observer<'_>,
    ) -> Option<(Climb, bool)> {
        let rows: &[f64] = &self.view(kind).rows;
        // First all roughly: a flat ridge is not worth following unless it is the best.
        let mut budget = Budget {
            tol: ROUGH * self.em.tol,
            ..self.budget(kind, self.em.max_sweeps)
        };
        let mut most = RUNNERS;
        loop {
            let components = field.first()?.mixture.len();
            let entries = (rows.len() * components * field.len()).max(1);
            let cycles = (ROUND_WORK / entries).clamp(1, ROUND_CYCLES);
            let before: usize = field.iter().map(|c| c.sweeps).sum();
            let stop;
            (field, stop) = advance(rows, kind, budget, field, cycles, &mut *observer);
            rank(&mut field);
            let leader = field.first()?;
            let here: usize = field.iter().map(|c| c.sweeps).sum();
            self.work.sweeps += here.saturating_sub(before);
            self.work.samples +=
                (here.saturating_sub(before) * rows.len() / self.sample.dim) as u64;
            let (least, proper) = (leader.log_likelihood - HOPE, leader.proper);
            let hopeful = |c: &Climb| {
                c.log_likelihood + HOPE * c.left >= least && (c.proper || !proper || !c.settled)
            };
            let mut first = true;
            field.retain(|c| std::mem::take(&mut first) || hopeful(c));
            field.truncate(most);
            most = (most / 2).max(2);
            if stop || field.iter().all(|c| c.over(budget)) {
                if !stop && budget.tol > self.em.tol {
                    budget.tol = self.em.tol;
                    field.truncate(1);
                    field.iter_mut().for_each(Climb::reopen);
                    continue;
                }
                let mut winner = field.into_iter().next()?;
                // A bound from the last sweep will do when there is no time for another one.
                if !stop || winner.log_likelihood == f64::NEG_INFINITY {
                    winner.close(rows);
                }
                return Some((winner, stop));
            }
        }
    }
}

/// So many cycles more of every climb; a climb that loses a component leads nowhere and is left out. Also says whether
/// it was asked to stop, which is looked at after each cycle: of all climbs, made in parallel, or of each one when a
/// cycle is long.
fn advance(
    rows: &[f64],
    kind: CovarianceKind,
    budget: Budget<'_>,
    mut field: Vec<Climb>,
    cycles: usize,
    observer: Observer<'_>,
) -> (Vec<Climb>, bool) {
    let on = |mut c: Climb| -> Option<Climb> {
        if !c.over(budget) {
            c.cycle(rows, kind, budget).ok()?;
        }
        Some(c)
    };
    for _ in 0..cycles {
        let Some(first) = field.first() else { break };
        let (dim, components) = (first.mixture.dim(), first.mixture.len());
        let mut watch = |field: &[Climb]| {
            let best = field.iter().map(|c| c.log_likelihood);
            let best = best.fold(f64::NEG_INFINITY, f64::max);
            let step = Progress::open("mixture em", components as u64);
            observer(&step.with_figure(best)).is_break()
        };
        if rows.len() * dim * components < LONG_CYCLE {
            let done: Vec<Option<Climb>> = field.into_par_iter().map(on).collect();
            field = done.into_iter().flatten().collect();
        } else {
            let mut done = Vec::with_capacity(field.len());
            let mut waiting = field.into_iter();
            while let Some(next) = waiting.next() {
                done.extend(on(next));
                if watch(&done) {
                    done.extend(waiting);
                    return (done, true);
                }
            }
            field = done;
        }
        if watch(&field) {
            return (field, true);
        }
        if field.iter().all(|c| c.over(budget)) {
            break;
        }
    }
    (field, false)
}

/// Best first; climbs that ended at one maximum count once.
fn rank(field: &mut Vec<Climb>) {
    field.sort_by(|a, b| {
        let order = b.log_likelihood.total_cmp(&a.log_likelihood);
        b.proper.cmp(&a.proper).then(order)
    });
    field.dedup_by(|b, a| {
        a.settled && b.settled && (a.log_likelihood - b.log_likelihood).abs() < AUDIT_SLACK
    });
}
