//! Fewer additions: common sums are computed once, and among equivalent schemes the one is kept that needs fewest.
//!
//! Elimination takes out the pair of variables that occurs most often, and so on (Paar's greedy algorithm), at random among
//! equals. Schemes of the same tensor and rank are reached by flips and by sandwiching with elementary matrices; a walk among
//! them with the reduced count as its energy is cooled slowly.

pub(crate) mod forms;
pub(crate) mod ternary;
mod walk;

use super::model::{Scheme, Target};
use super::programs::SchemeProgram;
use super::search::vectors::{MAX_ENTRIES, Signs, Vector};
use super::verdict::{SchemeField, Verdict, examine};
use super::whole::{scheme_of, whole_terms};
use crate::run::{Observer, Progress};
use crate::{Error, Status};
use rayon::prelude::*;
use walk::Cooling;

const OP: &str = "Reduce::reduce";
/// Steps of each walker in one round.
const ROUND: u64 = 1 << 11;
const MAX_WALKERS: usize = 256;
/// Eliminations of the scheme that is kept.
const POLISH: u64 = 400;

/// How hard to look for fewer additions.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduce {
    /// Equivalent schemes that each walker visits; 0 keeps the scheme as it is.
    pub steps: u64,
    /// Walkers.
    pub walkers: usize,
    /// So many additions are enough.
    pub additions: Option<usize>,
    /// Seed of all randomness.
    pub seed: u64,
}

impl Default for Reduce {
    fn default() -> Self {
        Self {
            steps: 1 << 17,
            walkers: 4,
            additions: None,
            seed: 0,
        }
    }
}

/// A scheme with fewer additions.
///
/// See [`Reduce::reduce`] for an example.
#[derive(Clone, Debug)]
pub struct Reduced {
    /// The scheme, in the convention of its target.
    pub scheme: Scheme,
    /// How to compute it.
    pub program: SchemeProgram,
    /// Additions of the scheme that was given, without common sums.
    pub naive_before: usize,
    /// Additions of the scheme that was given, common sums taken out.
    pub reduced_before: usize,
    /// Equivalent schemes that were looked at.
    pub visited: u64,
    /// Why equivalent schemes were not visited, when they were not.
    pub stayed: Option<&'static str>,
    /// `Converged`, `IterationLimit` when the number asked for was not reached, or `Stopped`.
    pub status: Status,
}

impl Reduce {
    /// Reduces a scheme that is exact over the rationals.
    ///
    /// # Errors
    /// `InvalidInput` when the scheme is not exact or names no tensor, `Shape` for other than three factors.
    ///
    /// # Complexity
    /// For each scheme that is visited, about the square of the number of variables for each sum that is taken out.
    ///
    /// ```
    /// use wickring::run::unobserved;
    /// use wickring::scheme::{Reduce, Search, Target};
    /// let target = Target::Matmul([2, 2, 2]);
    /// let search = Search { rank: Some(7), ..Search::default() };
    /// let seven = search.standard(&target, &mut unobserved)?.scheme;
    /// let found = Reduce { additions: Some(15), ..Reduce::default() }.reduce(&seven, None, &mut unobserved)?;
    /// assert_eq!(found.program.additions().iter().sum::<usize>(), 15);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn reduce(
        &self,
        scheme: &Scheme,
        target: Option<&Target>,
        observer: Observer<'_>,
    ) -> Result<Reduced, Error> {
        if self.walkers == 0 || self.walkers > MAX_WALKERS {
            let what = format!(
                "the number of walkers must be in 1..={MAX_WALKERS}, got {}",
                self.walkers
            );
            return Err(Error::invalid(OP, what));
        }
        let found = examine(scheme, target, SchemeField::Rationals)?;
        if found.verdict != Verdict::Exact {
            let what = format!(
                "the scheme is not {} over the rationals",
                found.target.name()
            );
            return Err(Error::invalid(OP, what));
        }
        let mut scheme = found.scheme;
        scheme.target = Some(found.target.clone());
        scheme.modulo_two = false;
        let naive_before = total(&SchemeProgram::plain(&scheme)?);
        let progress = Progress::open("first eliminations", 0);
        let before = SchemeProgram::eliminated_while(&scheme, 16, self.seed, &mut || {
            observer(&progress).is_continue()
        })?;
        let mut reduced = Reduced {
            reduced_before: total(&before),
            program: before,
            naive_before,
            visited: 0,
            stayed: None,
            status: Status::Converged,
            scheme,
        };
        self.walk(&mut reduced, &found.target, &mut *observer)?;
        if reduced.status != Status::Stopped {
            let progress = Progress::open("last eliminations", 0);
            let polished = SchemeProgram::eliminated_while(
                &reduced.scheme,
                POLISH,
                self.seed ^ 1,
                &mut || observer(&progress).is_continue(),
            )?;
            if total(&polished) < total(&reduced.program) {
                reduced.program = polished;
            }
            reduced.status = match self.additions {
                Some(wanted) if total(&reduced.program) > wanted => Status::IterationLimit,
                _ => Status::Converged,
            };
        }
        Ok(reduced)
    }

    /// The elimination behind a count of additions, drawn until it is as good.
    fn drawn_again(&self, scheme: &Scheme, count: usize) -> Result<SchemeProgram, Error> {
        let mut program = SchemeProgram::eliminated(scheme, 64, self.seed)?;
        for more in 1..8 {
            if total(&program) <= count {
                break;
            }
            let again = SchemeProgram::eliminated(scheme, 64 << more, self.seed + more)?;
            if total(&again) < total(&program) {
                program = again;
            }
        }
        Ok(program)
    }

    fn walk(
        &self,
        reduced: &mut Reduced,
        target: &Target,
        observer: Observer<'_>,
    ) -> Result<(), Error> {
        let enough = |n: usize| self.additions.is_some_and(|wanted| n <= wanted);
        let shape = target.shape();
        let terms = whole_terms(&reduced.scheme).unwrap_or_default();
        let vectors: Option<Vec<[Signs; 3]>> = terms
            .iter()
            .map(|[a, b, c]| Some([Signs::of(a)?, Signs::of(b)?, Signs::of(c)?]))
            .collect();
        let small = shape.iter().all(|n| *n <= MAX_ENTRIES) && terms.len() <= 256;
        let Some(vectors) = vectors.filter(|v| !v.is_empty() && small) else {
            reduced.stayed = Some(
                "equivalent schemes are visited for entries -1, 0, 1, up to 64 entries a matrix and 256 products",
            );
            return Ok(());
        };
        let rounds = self.steps.div_ceil(ROUND);
        let mut walkers: Vec<Cooling> = (0..self.walkers)
            .map(|k| Cooling::new(&vectors, target, self.seed, k, self.steps))
            .collect();
        for round in 0..rounds {
            let best = walkers.iter().map(Cooling::best_cost).min().unwrap_or(0);
            if enough(best.min(total(&reduced.program))) {
                break;
            }
            let progress = Progress::of(
                "equivalent schemes, fewest additions",
                round * ROUND,
                self.steps,
            );
            if observer(&progress.with_figure(best as f64)).is_break() {
                reduced.status = Status::Stopped;
                break;
            }
            walkers.par_iter_mut().for_each(|w| w.advance(ROUND));
            reduced.visited += ROUND * self.walkers as u64;
        }
        walkers.sort_by_key(Cooling::best_cost);
        if let Some(best) = walkers
            .first()
            .filter(|w| w.best_cost() < total(&reduced.program))
        {
            let scheme = scheme_of(&best.best_terms(), target)?;
            let program = self.drawn_again(&scheme, best.best_cost())?;
            if total(&program) < total(&reduced.program) {
                (reduced.scheme, reduced.program) = (scheme, program);
            }
        }
        Ok(())
    }
}

/// All additions of a program.
pub(crate) fn total(program: &SchemeProgram) -> usize {
    program.additions().iter().sum()
}
