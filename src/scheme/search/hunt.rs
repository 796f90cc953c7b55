//! A search under way: rounds, sharing, lifts, and what is written at the end.

use super::flip_graph::Walk;
use super::policy::{Saved, Walker};
use super::vectors::Vector;
use super::{Found, OP, Search, SearchField};
use crate::run::{Observer, Progress};
use crate::scheme::lift::{Lift, LiftOutcome, lift};
use crate::scheme::model::{Scheme, Target};
use crate::scheme::whole::scheme_of;
use crate::{Error, Status};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// A walker that is behind continues from the best scheme after so many flips without success.
const PATIENCE: u64 = 4_000_000;

/// All walkers, written down.
#[derive(Serialize, Deserialize)]
pub(super) struct State {
    pub(super) field: SearchField,
    pub(super) seed: u64,
    pub(super) round: u64,
    /// Flips of a walker in one round.
    pub(super) chunk: u64,
    pub(super) lifts: u64,
    pub(super) failed: u64,
    pub(super) walkers: Vec<Saved>,
}

/// A search under way.
pub(super) struct Hunt<'a, V> {
    pub(super) search: &'a Search,
    pub(super) target: &'a Target,
    pub(super) walkers: Vec<Walker<V>>,
    pub(super) round: u64,
    pub(super) chunk: u64,
    pub(super) lifts: u64,
    /// Lifts that failed since the last that did not.
    pub(super) failed: u64,
    pub(super) lifted: Option<Scheme>,
}

impl<V: Vector> Hunt<'_, V> {
    /// The best scheme, of the first walker that has one.
    pub(super) fn best(&self) -> &Walk<V> {
        let ranks = self.walkers.iter().map(|w| w.best.rank());
        let first = ranks.enumerate().min_by_key(|(k, rank)| (*rank, *k));
        &self.walkers[first.map_or(0, |f| f.0)].best
    }

    pub(super) fn lifting(&self) -> bool {
        V::CHARACTERISTIC == 2 && self.search.field != SearchField::F2
    }

    /// The rank over the field that was asked for; `None` before anything was lifted.
    fn rank(&self) -> Option<usize> {
        match self.lifting() {
            true => self.lifted.as_ref().map(Scheme::rank),
            false => Some(self.best().rank()),
        }
    }

    pub(super) fn run(mut self, observer: Observer<'_>) -> Result<Found, Error> {
        let goal = self.search.rank;
        let reached = |h: &Self| goal.is_some_and(|g| h.rank().is_some_and(|r| r <= g));
        let chunk = self.chunk;
        let rounds = self.search.flips.div_ceil(chunk);
        let mut status = Status::IterationLimit;
        while !reached(&self) && self.round < rounds {
            let figure = self.best().rank() as f64;
            let progress = Progress::of("rounds of flips, best rank", self.round, rounds);
            if observer(&progress.with_figure(figure)).is_break() {
                status = Status::Stopped;
                break;
            }
            self.walkers.par_iter_mut().for_each(|w| w.advance(chunk));
            self.round += 1;
            self.share();
            if self.lifting() {
                self.lift_some()?;
            }
        }
        if status != Status::Stopped && (goal.is_none() || reached(&self)) {
            status = Status::Converged;
        }
        self.finish(status)
    }

    /// Walkers that are behind, or have been on one plateau for long, continue from the best scheme of another.
    fn share(&mut self) {
        let rank = self.best().rank();
        let pool: Vec<Walk<V>> = self
            .walkers
            .iter()
            .map(|w| &w.best)
            .filter(|b| b.rank() == rank)
            .cloned()
            .collect();
        for (k, walker) in self.walkers.iter_mut().enumerate() {
            if walker.best.rank() > rank && walker.idle > PATIENCE {
                walker.follow(&pool[(k + self.round as usize) % pool.len()]);
            }
        }
    }

    /// Lifts schemes that have fewer terms than what was lifted before; seldom after many failures.
    fn lift_some(&mut self) -> Result<(), Error> {
        let seldom = self.failed >= 64 && !self.round.is_multiple_of(16);
        if seldom {
            return Ok(());
        }
        let candidates: Vec<Walk<V>> = self
            .walkers
            .iter()
            .flat_map(|w| {
                let now = (w.now.rank() == w.best.rank()).then(|| w.now.clone());
                [Some(w.best.clone()), now].into_iter().flatten()
            })
            .collect();
        for walk in candidates {
            let better = self.lifted.as_ref().is_none_or(|l| walk.rank() < l.rank());
            let enough =
                self.search.rank.is_none_or(|goal| walk.rank() <= goal) || self.lifted.is_none();
            if better && enough {
                match self.try_lift(&walk)? {
                    Some(scheme) => (self.lifted, self.failed) = (Some(scheme), 0),
                    None => self.failed += 1,
                }
            }
        }
        Ok(())
    }

    pub(super) fn try_lift(&mut self, walk: &Walk<V>) -> Result<Option<Scheme>, Error> {
        self.lifts += 1;
        let scheme = scheme_of(&walk.terms(), self.target)?;
        let options = Lift {
            fractions: self.search.field == SearchField::Q,
            tries: 2,
            seed: self.search.seed,
            ..Lift::default()
        };
        match lift(&scheme, Some(self.target), &options) {
            Ok(LiftOutcome::Lifted(found)) => Ok(Some(found.scheme)),
            // What is too large to be lifted is kept as it is.
            Ok(_) | Err(Error::LimitExceeded { .. }) => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn finish(mut self, status: Status) -> Result<Found, Error> {
        if self.lifting() {
            let best = self.best().clone();
            if self.lifted.as_ref().is_none_or(|l| best.rank() < l.rank())
                && let Some(scheme) = self.try_lift(&best)?
            {
                self.lifted = Some(scheme);
            }
        }
        let mut own = scheme_of(&self.best().terms(), self.target)?;
        own.modulo_two = V::CHARACTERISTIC == 2;
        let fewer = self.lifted.as_ref().is_some_and(|l| own.rank() < l.rank());
        // Whole numbers were asked for and not found: the goal is not reached.
        let status = match status {
            Status::Converged if self.lifting() && self.lifted.is_none() => Status::Stalled,
            other => other,
        };
        let (scheme, modulo_two) = match (self.lifted.take(), self.lifting()) {
            (Some(lifted), true) => (lifted, fewer.then_some(own)),
            // Nothing was lifted at all: the scheme says itself that it is meant modulo 2.
            _ => (own, None),
        };
        let state = State {
            field: self.search.field,
            seed: self.search.seed,
            round: self.round,
            chunk: self.chunk,
            lifts: self.lifts,
            failed: self.failed,
            walkers: self.walkers.iter().map(Walker::saved).collect(),
        };
        let state = serde_json::to_string(&state).map_err(|e| Error::invalid(OP, e.to_string()))?;
        Ok(Found {
            scheme,
            modulo_two,
            flips: self
                .round
                .saturating_mul(self.chunk)
                .saturating_mul(self.walkers.len() as u64),
            lifts: self.lifts,
            status,
            state,
        })
    }
}
