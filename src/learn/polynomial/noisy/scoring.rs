//! Fisher's scoring: the likelihood of noisy samples climbs by steps of the inverse information times the score.
//!
//! The score of a sample is an expectation over its latent ([`Told`]); the information is the mean square of the scores of samples
//! drawn from the model. Both are taken in coordinates in which changes of the latents stand apart
//! ([`super::directions`]), so that one step serves noise of any size. How far the estimate still is from the top is
//! `g' I^-1 g` in units of its own statistical error.
//!
//! Source: T. A. Louis, *Finding the observed information matrix when using the EM algorithm* (1982); for the scoring,
//! S. Amari, *Natural gradient works efficiently in learning* (1998).

use super::directions::Directions;
use super::modes::{Atlas, Model};
use super::posterior::{Rules, Told};
use crate::Error;
use crate::run::{Observer, Progress};
use faer::Mat;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

const OP: &str = "Polynomial::learn";
/// Rows of a block; blocks are summed in order, whatever the threads.
const BLOCK: usize = 64;
/// Blocks worked on side by side, between two questions to the observer.
const BATCH: usize = 16;
/// Samples drawn for the information: so many for each of its rows, and at least.
const DRAWN: (usize, usize) = (16, 4000);
/// The longest step, as `g' I^-1 g` for each sample.
const LONGEST: f64 = 1.0;

/// What is known of the noise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Level {
    /// Nothing: a variance for each output.
    Free,
    /// The share of the standard deviation of each output.
    Share(f64),
}

/// How far to climb.
#[derive(Clone, Copy, Debug)]
pub(super) struct Climb {
    pub(super) level: Level,
    /// Passes over the rows at most.
    pub(super) most: usize,
    /// Statistical errors from the top that count as there.
    pub(super) arrived: f64,
}

/// Rows, in the units of the model.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) entries: &'a [f64],
    pub(super) columns: usize,
}

/// A model and how well the samples determine it.
pub(super) struct Scored {
    pub(super) model: Model,
    /// Mean log-likelihood of a row.
    pub(super) log: f64,
    /// `(g' I^-1 g / unknowns)^(1/2)` at the end: what is left of the way, in statistical errors.
    pub(super) left: f64,
    pub(super) steps: usize,
    pub(super) stopped: bool,
}

/// Mean log-likelihood and score.
struct Sum {
    log: f64,
    score: Vec<f64>,
}

impl Rows<'_> {
    pub(super) fn count(&self) -> usize {
        self.entries.len() / self.columns
    }
}

impl Model {
    /// The model with the noise that a share of the standard deviation of each output is.
    pub(super) fn at_level(self, level: Level) -> Result<Self, Error> {
        let Level::Share(share) = level else {
            return Ok(self);
        };
        let map = self.map()?;
        let variances = map.covariance();
        let ratio = share / (1.0 - share * share).max(f64::EPSILON).sqrt();
        let noise = (0..self.outputs()).map(|a| {
            let spread = variances[(a, a)].max(f64::MIN_POSITIVE).sqrt();
            ratio.max(1e-12) * spread
        });
        Ok(Self::new(&map, noise.collect()))
    }

    /// What each row tells, folded block by block; `None` when the observer breaks.
    pub(super) fn tell<T: Send>(
        &self,
        rows: Rows<'_>,
        (atlas, rules): (&Atlas, &Rules),
        stage: &'static str,
        observer: Observer<'_>,
        fold: impl Fn(&[Told]) -> T + Sync,
        mut take: impl FnMut(T),
    ) -> Option<()> {
        let d = self.outputs();
        let inverse: Vec<f64> = self.noise.iter().map(|s| 1.0 / s).collect();
        let blocks: Vec<&[f64]> = rows.entries.chunks(BLOCK * d).collect();
        for (k, batch) in blocks.chunks(BATCH).enumerate() {
            let done = (k * BATCH * BLOCK) as u64;
            if observer(&Progress::of(stage, done, rows.count() as u64)).is_break() {
                return None;
            }
            let one = |block: &&[f64]| {
                let mut s = self.scratch();
                let told: Vec<Told> = block
                    .chunks_exact(d)
                    .map(|row| {
                        let u: Vec<f64> = row.iter().zip(&inverse).map(|(y, s)| y * s).collect();
                        self.told(&u, atlas, rules, &mut s)
                    })
                    .collect();
                fold(&told)
            };
            let found: Vec<T> = batch.par_iter().map(one).collect();
            found.into_iter().for_each(&mut take);
        }
        Some(())
    }

    /// `-sum log s_a - (d / 2) log 2 pi`: what [`Told::log`] leaves out.
    pub(super) fn volume(&self) -> f64 {
        let logs: f64 = self.noise.iter().map(|s| s.ln()).sum();
        -logs - 0.5 * self.outputs() as f64 * std::f64::consts::TAU.ln()
    }

    fn sum(
        &self,
        directions: &Directions,
        rows: Rows<'_>,
        tools: (&Atlas, &Rules),
        observer: Observer<'_>,
    ) -> Option<Sum> {
        let size = directions.len(self);
        let mut all = Sum {
            log: 0.0,
            score: vec![0.0; size],
        };
        let fold = |told: &[Told]| {
            let (mut log, mut score, mut one) = (0.0, vec![0.0; size], vec![0.0; size]);
            for t in told.iter().filter(|t| t.log.is_finite()) {
                directions.score(t, &mut one);
                log += t.log;
                score.iter_mut().zip(&one).for_each(|(s, o)| *s += o);
            }
            (log, score)
        };
        let take = |(log, score): (f64, Vec<f64>)| {
            all.log += log;
            all.score.iter_mut().zip(score).for_each(|(s, o)| *s += o);
        };
        self.tell(rows, tools, "likelihood", observer, fold, take)?;
        let n = rows.count() as f64;
        all.log = all.log / n + self.volume();
        all.score.iter_mut().for_each(|s| *s /= n);
        Some(all)
    }

    /// `n` rows of the law.
    pub(super) fn draw(&self, n: usize, rng: &mut impl Rng) -> Result<Vec<f64>, Error> {
        let mut rows = self.map()?.sample(n, rng);
        for (k, z) in rows.iter_mut().enumerate() {
            let e: f64 = StandardNormal.sample(&mut *rng);
            *z += self.noise[k % self.outputs()] * e;
        }
        Ok(rows)
    }

    /// The information in one sample, from draws.
    pub(super) fn information(
        &self,
        directions: &Directions,
        tools: (&Atlas, &Rules),
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Mat<f64>, Error> {
        let size = directions.len(self);
        let count = (DRAWN.0 * size).max(DRAWN.1);
        let drawn = self.draw(count, rng)?;
        let rows = Rows {
            entries: &drawn,
            columns: self.outputs(),
        };
        let mut all = Mat::<f64>::zeros(size, size);
        let fold = |told: &[Told]| {
            let mut scores = Mat::<f64>::zeros(size, told.len());
            for (j, t) in told.iter().enumerate() {
                directions.score(t, scores.col_as_slice_mut(j));
            }
            directions.across(&mut scores);
            &scores * scores.transpose()
        };
        let take = |part: Mat<f64>| all += part;
        let told = self.tell(rows, tools, "information", observer, fold, take);
        told.ok_or(Error::Stopped { op: OP })?;
        Ok(faer::Scale(1.0 / count as f64) * all)
    }

    /// Climbs to the top of the likelihood of the rows; the information at the start serves all steps.
    pub(super) fn climb_to_top(
        self,
        rows: Rows<'_>,
        climb: Climb,
        (atlas, rules): (&mut Atlas, &Rules),
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Scored, Error> {
        let mut place = Place::of(self.at_level(climb.level)?)?;
        place.model.redraw(atlas);
        let tools = (&*atlas, rules);
        let information = place
            .model
            .information(&place.directions, tools, rng, &mut *observer)?;
        let (mut best, mut shorter): (Option<Aimed>, f64) = (None, 1.0);
        for passes in 0..=climb.most {
            place.model.redraw(atlas);
            let tools = (&*atlas, rules);
            let sum = place
                .model
                .sum(&place.directions, rows, tools, &mut *observer);
            let Some(sum) = sum else {
                let best = best.ok_or(Error::Stopped { op: OP })?;
                return Ok(best.scored(passes, true));
            };
            let kept = best.as_ref().map(|b| b.log - 1e-12 * b.log.abs());
            if kept.is_none_or(|log| sum.log > log) {
                shorter = 1.0;
                best = Some(place.aim(&sum, &information, (rows.count(), climb.level))?);
            } else {
                shorter *= 0.3;
            }
            let Some(from) = &best else { break };
            // A likelihood that falls near the top is rounding of the quadrature.
            let nowhere = shorter < 1.0 && (from.left < 3.0 * climb.arrived || shorter < 0.02);
            if from.left < climb.arrived || nowhere || passes == climb.most {
                return Ok(from.scored(passes, false));
            }
            let step: Vec<f64> = from.step.iter().map(|s| shorter * s).collect();
            let model = from.directions.moved(&from.model, &step)?;
            place = Place::of(model.at_level(climb.level)?)?;
        }
        Err(Error::Stopped { op: OP })
    }
}

/// A model with its directions.
struct Place {
    model: Model,
    directions: Directions,
}

/// A model with the step that the likelihood asks for.
struct Aimed {
    model: Model,
    directions: Directions,
    log: f64,
    left: f64,
    step: Vec<f64>,
}

impl Aimed {
    fn scored(&self, steps: usize, stopped: bool) -> Scored {
        Scored {
            model: self.model.clone(),
            log: self.log,
            left: self.left,
            steps,
            stopped,
        }
    }
}

impl Place {
    fn of(model: Model) -> Result<Self, Error> {
        let directions = Directions::of(&model)?;
        Ok(Self { model, directions })
    }

    /// The step of scoring, shortened where it would lead far.
    fn aim(
        &self,
        sum: &Sum,
        information: &Mat<f64>,
        (rows, level): (usize, Level),
    ) -> Result<Aimed, Error> {
        let directions = Directions::of(&self.model)?;
        let free = level.unknowns(&directions, &self.model);
        let gauge = directions.changes() + directions.turns.ncols();
        let mut gradient = Mat::from_fn(sum.score.len(), 1, |i, _| sum.score[i]);
        directions.across(&mut gradient);
        let found = directions.solve(information, gradient.as_ref(), free)?;
        let gain: f64 = (0..free).map(|i| gradient[(i, 0)] * found[(i, 0)]).sum();
        let left = (gain.max(0.0) * rows as f64 / (free - gauge).max(1) as f64).sqrt();
        let share = (LONGEST / gain.max(f64::MIN_POSITIVE)).sqrt().min(1.0);
        let mut step: Vec<f64> = (0..free).map(|i| share * found[(i, 0)]).collect();
        if share < 1.0 {
            // Far away the noise is what the rows are from the variety, as expectation maximisation has it.
            let levels = free.min(directions.coefficients(&self.model))..free;
            levels.for_each(|i| step[i] = (1.0 + 2.0 * sum.score[i]).max(1e-9).ln());
        }
        Ok(Aimed {
            model: self.model.clone(),
            directions,
            log: sum.log,
            left,
            step,
        })
    }
}

impl Level {
    /// Numbers of a step that may be other than zero.
    pub(super) fn unknowns(self, directions: &Directions, model: &Model) -> usize {
        match self {
            Self::Free => directions.len(model),
            Self::Share(_) => directions.coefficients(model),
        }
    }
}
