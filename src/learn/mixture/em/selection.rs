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
    ) -> Vec<Climb> {
        self.work.starts += tried.len();
        let mut field: Vec<Climb> = tried.into_iter().map(Climb::from).collect();
        for (cycles, kept) in [(FIRST_CYCLES, SECOND_FIELD), (SECOND_CYCLES, FINALISTS)] {
            field = self.advance(&self.few, kind, self.budget(usize::MAX), field, cycles);
            rank(&mut field);
            field.truncate(kept);
        }
        self.work.sweeps += field.iter().map(|c| c.sweeps).sum::<usize>();
        let restart = |c: Climb| Climb::from(c.mixture);
        field.into_iter().map(restart).collect()
    }

    /// So many cycles more of every climb, in parallel; a climb that loses a component leads nowhere and is
    /// left out.
    fn advance(
        &self,
        rows: &[f64],
        kind: CovarianceKind,
        budget: Budget,
        field: Vec<Climb>,
        cycles: usize,
    ) -> Vec<Climb> {
        let on = |mut c: Climb| -> Option<Climb> {
            for _ in 0..cycles {
                if c.over(budget) {
                    break;
                }
                c.cycle(rows, kind, budget).ok()?;
            }
            Some(c)
        };
        let done: Vec<Option<Climb>> = field.into_par_iter().map(on).collect();
        done.into_iter().flatten().collect()
    }

    /// Climbs on all rows, round by round; those that are predicted to stay behind are given up, at the end
    /// the best goes on to the full tolerance. `None` when every climb lost a component.
    pub(in crate::learn::mixture) fn race(
        &mut self,
        kind: CovarianceKind,
        mut field: Vec<Climb>,
        observer: Observer<'_>,
    ) -> Option<Climb> {
        let rows = &self.door.rows;
        // First all roughly: a flat ridge is not worth following unless it is the best.
        let mut budget = Budget {
            tol: ROUGH * self.em.tol,
            ..self.budget(self.em.max_sweeps)
        };
        let mut most = RUNNERS;
        loop {
            let components = field.first()?.mixture.len();
            let entries = (rows.len() * components * field.len()).max(1);
            let cycles = (ROUND_WORK / entries).clamp(1, ROUND_CYCLES);
            let before: usize = field.iter().map(|c| c.sweeps).sum();
            field = self.advance(rows, kind, budget, field, cycles);
            rank(&mut field);
            let leader = field.first()?;
            let here: usize = field.iter().map(|c| c.sweeps).sum();
            self.work.sweeps += here.saturating_sub(before);
            self.work.samples += (here.saturating_sub(before) * rows.len() / self.door.dim) as u64;
            let step = Progress::open("mixture em", components as u64);
            let stop = observer(&step.with_figure(leader.log_likelihood)).is_break();
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
                winner.close(rows);
                return Some(winner);
            }
        }
    }
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
