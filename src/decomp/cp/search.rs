//! The search for the best CP fit: starts, batches, return to the full space.

use super::checks::{DIVERGING, least_congruence};
use super::compress::Compressed;
use super::decomposition::{Cp, CpMethod};
use super::full_space::{full_space, settle};
use super::starts::start::{Candidate, one_start, refined};
use crate::Error;
use crate::linalg::{Scalar, small};
use crate::poly::Ring;
use crate::run::{Observer, Progress, side_by_side};
use crate::tensor::{CpTensor, Factor, TensorView};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::ops::ControlFlow::{Break, Continue};
use std::sync::atomic::Ordering;

pub(super) const OP: &str = "Cp::decompose";

/// Residual, on data of norm one, at which a fit is as good as rounding allows.
pub(super) const EXACT: f64 = 1e-12;
/// Relative difference of residuals up to which two starts agree.
const AGREEMENT: f64 = 1e-5;

/// Iterations of a start beyond which its minimum was hard to find: there are others nearby, and two starts may well share
/// a wrong one.
const SLOW: usize = 24;
/// Unknowns of the core up to which a start takes milliseconds; then this many are made where minima are hard to find, and
/// up to [`MOST`] until two agree, or where the best one consists of components that diverge against each other.
const FEW_UNKNOWNS: usize = 200;
const CAREFUL: usize = 20;
/// A mode so many times longer than what is kept of it costs more by its Gram matrix than by sketches.
const SKETCHED: usize = 10;
/// Starts that suffice there when every one of them ends at the same value.
const UNANIMOUS: usize = 6;
const MOST: usize = 60;
/// Starts beside the given one where numbers of components are compared: the given one tells what one more gains.
const BRIEF: usize = 4;
/// Minima whose residuals on the data are within this share of the least are compared in the full space, and how many at
/// most: what compression leaves out may change their order. Only with few unknowns: elsewhere that return is dear.
const NEAR: f64 = 0.01;
const FINALISTS: usize = 8;
/// Minima this near to another one are not told apart there: slow descents end at different heights of one valley.
const VALLEY: f64 = 3e-4;

/// What a search found.
pub(super) struct Found<T> {
    pub(super) best: Candidate<T>,
    /// Final residual of every start, in order of the starts.
    pub(super) starts: Vec<f64>,
    /// Starts that led to the best one, residuals within [`AGREEMENT`].
    pub(super) agreeing: usize,
    pub(super) stopped: bool,
}

/// Runs the starts of `cp` on `t` (of squared norm `size`, near one) and refines the best in the full space.
pub(super) fn search<T: Scalar + Ring>(
    cp: &Cp,
    (t, size): (TensorView<'_, T>, f64),
    start: Option<Vec<Factor<T>>>,
    rng: &mut impl Rng,
    observer: Observer<'_>,
) -> Result<Found<T>, Error> {
    let most = match (cp.fixed_starts, cp.brief) {
        (true, _) => cp.starts,
        (false, true) => BRIEF.min(cp.starts),
        (false, false) => MOST,
    };
    let seeds: Vec<u64> = (0..most).map(|_| rng.random()).collect();
    let keep = margin(t.dims(), cp.rank);
    let compressed = compressed(cp, (t, size), &keep, seeds[0])?;
    let mut starts = Starts::of(cp, compressed.core.view(), seeds);
    if let Some(given) = start.filter(|_| cp.refines()) {
        starts.given(compressed.restrict(&given), observer)?;
    }
    while starts.next < starts.last && !starts.stopped {
        starts.batch(observer)?;
        if !cp.fixed_starts && starts.enough() {
            break;
        }
    }
    let finalists = finalists(&starts.done, &compressed, (starts.few, size));
    if finalists.is_empty() {
        return Err(Error::Stopped { op: OP });
    }
    let (best, agreeing) = returned(&mut starts, (t, &compressed), finalists, observer)?;
    Ok(Found {
        starts: starts.done.iter().map(|c| c.residual).collect(),
        best,
        agreeing,
        stopped: starts.stopped,
    })
}

/// Starts on the core: those made, and how many more there may be.
struct Starts<'a, T> {
    cp: &'a Cp,
    core: TensorView<'a, T>,
    seeds: Vec<u64>,
    /// Whether a start takes milliseconds.
    few: bool,
    done: Vec<Candidate<T>>,
    stopped: bool,
    next: usize,
    /// Starts before which agreement does not end the search, and after which it ends in any case.
    least: usize,
    last: usize,
}

impl<'a, T: Scalar + Ring> Starts<'a, T> {
    fn of(cp: &'a Cp, core: TensorView<'a, T>, seeds: Vec<u64>) -> Self {
        Self {
            cp,
            core,
            few: cp.rank * core.dims().iter().sum::<usize>() <= FEW_UNKNOWNS,
            done: Vec::new(),
            stopped: false,
            next: 0,
            least: 2,
            last: seeds.len().min(cp.starts),
            seeds,
        }
    }

    /// The start that was given.
    fn given(&mut self, factors: Vec<Factor<T>>, observer: Observer<'_>) -> Result<(), Error> {
        let stopped = &mut self.stopped;
        let mut watch = |f: f64| {
            let flow = observer(&Progress::open("given start", 0).with_figure(f));
            *stopped |= flow.is_break();
            flow
        };
        let end = refined(self.cp, self.core, factors, 0.0, &mut watch)?;
        self.done.push(end);
        self.least = 1;
        Ok(())
    }

    /// The next starts, in sizes that are fixed, so that the answer does not depend on the number of threads; two usually
    /// suffice, so the first ones come alone.
    fn batch(&mut self, observer: Observer<'_>) -> Result<(), Error> {
        let (cp, core, seeds) = (self.cp, self.core, &self.seeds);
        let size = if self.next < 2 && !cp.fixed_starts {
            1
        } else {
            4
        };
        let ids: Vec<usize> = (self.next..self.last.min(self.next + size)).collect();
        let goal = match best_of(&self.done) {
            Some(c) if !cp.fixed_starts => c.residual * (1.0 + 0.1 * AGREEMENT),
            _ => 0.0,
        };
        if let [k] = ids[..] {
            let (stopped, last) = (&mut self.stopped, self.last as u64);
            let mut watch = |f: f64| {
                let p = Progress::of("starts", k as u64, last).with_figure(f);
                let flow = if *stopped { Break(()) } else { observer(&p) };
                *stopped |= flow.is_break();
                flow
            };
            let end = one_start(cp, core, (k, seeds[k]), goal, &mut watch)?;
            self.done.push(end);
        } else {
            let p = Progress::of("starts", self.next as u64, self.last as u64);
            let p = best_of(&self.done).map_or(p, |c| p.with_figure(c.residual));
            let (runs, halted) = side_by_side(&ids, &p, observer, |&k, halt| {
                let mut watch = |_: f64| match halt.load(Ordering::Relaxed) {
                    true => Break(()),
                    false => Continue(()),
                };
                one_start(cp, core, (k, seeds[k]), goal, &mut watch)
            });
            self.stopped |= halted;
            for run in runs {
                self.done.push(run?);
            }
        }
        self.next += ids.len();
        let p = Progress::of("starts", self.next as u64, self.last as u64).with_figure(self.top());
        self.stopped = self.stopped || observer(&p).is_break();
        Ok(())
    }

    /// Whether no further start is needed; where minima are hard to find more are asked for.
    fn enough(&mut self) -> bool {
        let top = self.top();
        let agreeing = agreeing(&self.done, top);
        let slow = best_of(&self.done).is_some_and(|best| best.history.len() > SLOW);
        if slow && self.few && !self.cp.brief {
            let diverging = best_of(&self.done).is_some_and(|c| is_diverging(&c.factors));
            self.last = self.seeds.len();
            self.least = match agreeing == self.done.len() {
                true => UNANIMOUS,
                false if diverging => self.last,
                false => CAREFUL,
            };
        }
        top <= EXACT || (agreeing >= 2 && self.next >= self.least)
    }

    fn top(&self) -> f64 {
        best_of(&self.done).map_or(f64::NAN, |c| c.residual)
    }
}

/// The least of the minima in the full space, and how many starts led to it.
fn returned<T: Scalar + Ring>(
    starts: &mut Starts<'_, T>,
    (t, compressed): (TensorView<'_, T>, &Compressed<T>),
    mut finalists: Vec<(Candidate<T>, usize)>,
    observer: Observer<'_>,
) -> Result<(Candidate<T>, usize), Error> {
    let (cp, stopped) = (starts.cp, &mut starts.stopped);
    let mut watch = |f: f64| {
        let p = Progress::open("refinement", 0).with_figure(f);
        let flow = if *stopped { Break(()) } else { observer(&p) };
        *stopped |= flow.is_break();
        flow
    };
    for (candidate, _) in &mut finalists {
        candidate.factors = compressed.expand(&candidate.factors);
        if !compressed.is_trivial() && cp.method != CpMethod::Algebraic {
            full_space(t, candidate, cp.iterations, &mut watch)?;
        }
        if cp.refines() {
            settle(t, candidate, cp.iterations, &mut watch)?;
        }
    }
    finalists.sort_by(|(a, _), (b, _)| a.residual.total_cmp(&b.residual));
    let top = finalists[0].0.residual;
    // Minima of the core may lead to the same one in the full space.
    let same = |c: &Candidate<T>| c.residual <= top * (1.0 + AGREEMENT) + EXACT;
    let agreeing = finalists.iter().filter(|(c, _)| same(c)).map(|(_, n)| n);
    let agreeing = agreeing.sum();
    Ok((finalists.swap_remove(0).0, agreeing))
}

/// The core in which starts are made: by the whole spectra of the unfoldings, or by sketches where those cost too much.
fn compressed<T: Scalar + Ring>(
    cp: &Cp,
    (t, size): (TensorView<'_, T>, f64),
    keep: &[usize],
    seed: u64,
) -> Result<Compressed<T>, Error> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x5bd1);
    if cp.randomized {
        return Compressed::sketched(t, keep, &mut rng);
    }
    let shrinks = |(&n, &k): (&usize, &usize)| n > SKETCHED * (k + 8);
    if t.order() > 2 && t.dims().iter().zip(keep).any(shrinks) {
        let sketch = Compressed::improved_sketch(OP, (t, size), (keep, cp.rank), &mut rng)?;
        if let Some(sketch) = sketch {
            return Ok(sketch);
        }
    }
    Compressed::hosvd(OP, t, keep)
}

/// Whether two components nearly cancel.
fn is_diverging<T: Scalar + Ring>(factors: &[Factor<T>]) -> bool {
    let model = CpTensor::from_factors(factors.to_vec());
    model.is_ok_and(|m| least_congruence(&m.canonical()) < DIVERGING)
}

/// The minima that may be the least in the full space, each with the number of starts that reached it: the best one alone
/// when unknowns are many, or the core holds all of the data.
fn finalists<T: Scalar>(
    done: &[Candidate<T>],
    compressed: &Compressed<T>,
    (few, size): (bool, f64),
) -> Vec<(Candidate<T>, usize)> {
    let mut sorted: Vec<&Candidate<T>> = done.iter().collect();
    sorted.sort_by(|a, b| a.residual.total_cmp(&b.residual));
    let Some(top) = sorted.first().map(|c| c.residual) else {
        return Vec::new();
    };
    let lost = (size - small::norm_sq(compressed.core.as_slice())).max(0.0);
    let whole = (top * top + lost) * (1.0 + NEAR).powi(2);
    let limit = if few && lost > AGREEMENT * top * top {
        (whole - lost).sqrt()
    } else {
        top
    };
    let mut out: Vec<(Candidate<T>, usize)> = Vec::new();
    for c in sorted {
        let room = out.len() < FINALISTS;
        match out.last_mut() {
            Some((head, count)) if c.residual <= head.residual * (1.0 + AGREEMENT) + EXACT => {
                *count += 1;
            }
            Some((head, _)) if c.residual <= head.residual * (1.0 + VALLEY) => {}
            _ if c.residual <= limit && room => out.push((c.clone(), 1)),
            _ => break,
        }
    }
    out
}

/// Directions kept per mode: two more than the rank, or all.
fn margin(dims: &[usize], rank: usize) -> Vec<usize> {
    dims.iter()
        .map(|&n| n.min(rank.saturating_add(2)))
        .collect()
}

fn best_of<T>(done: &[Candidate<T>]) -> Option<&Candidate<T>> {
    done.iter().min_by(|a, b| a.residual.total_cmp(&b.residual))
}

fn agreeing<T>(done: &[Candidate<T>], top: f64) -> usize {
    let same = |c: &&Candidate<T>| c.residual <= top * (1.0 + AGREEMENT) + EXACT;
    done.iter().filter(same).count()
}
