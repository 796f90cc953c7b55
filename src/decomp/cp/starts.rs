//! The search for the best CP fit: starts, batches, return to the full space.

use super::algebraic::{algebraic_start, normal};
use super::compress::Compressed;
use super::engine::{Cp, CpMethod};
use super::nls::{LmOptions, Stop, descent, refine};
use super::sweep::{accelerated, grams_of};
use crate::Error;
use crate::linalg::{Scalar, small};
use crate::observe::{Observer, Progress};
use crate::poly::Ring;
use crate::tensor::{CpTensor, Factor, TensorView, residual_into};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;

const OP: &str = "Cp::decompose";

/// Residual, on data of norm one, at which a fit is as good as rounding allows.
pub(super) const EXACT: f64 = 1e-12;

/// One start carried to its end.
#[derive(Clone, Debug)]
pub(super) struct Candidate<T> {
    pub(super) factors: Vec<Factor<T>>,
    pub(super) residual: f64,
    pub(super) history: Vec<f64>,
    pub(super) budget_spent: bool,
}

/// What a search found.
pub(super) struct Found<T> {
    pub(super) best: Candidate<T>,
    /// Final residual of every start, in order of the starts.
    pub(super) starts: Vec<f64>,
    /// Starts whose residual is that of the best within `1e-6` relative.
    pub(super) agreeing: usize,
    pub(super) backend_calls: usize,
    pub(super) stopped: bool,
}

/// Runs the starts of `cp` on `t` (of norm one) and refines the best in the full space.
pub(super) fn search<T: Scalar + Ring>(
    cp: &Cp,
    t: TensorView<'_, T>,
    rng: &mut impl Rng,
    observer: Observer<'_>,
) -> Result<Found<T>, Error> {
    let seeds: Vec<u64> = (0..cp.starts).map(|_| rng.random()).collect();
    let keep = margin(t.dims(), cp.rank);
    let compressed = if cp.randomized {
        let mut rng = ChaCha8Rng::seed_from_u64(seeds[0] ^ 0x5bd1);
        Compressed::sketched(t, &keep, &mut rng)?
    } else {
        Compressed::hosvd(OP, t, &keep)?
    };
    let core = compressed.core.view();
    let mut done: Vec<Candidate<T>> = Vec::new();
    let mut stopped = false;
    let mut next = 0;
    while next < cp.starts && !stopped {
        // The sizes are fixed, so that the answer does not depend on the number of threads.
        let batch = if next == 0 && !cp.fixed_starts { 1 } else { 4 };
        let ids: Vec<usize> = (next..cp.starts.min(next + batch)).collect();
        let runs: Vec<Result<Candidate<T>, Error>> = ids
            .par_iter()
            .map(|&k| one_start(cp, core, k, seeds[k]))
            .collect();
        for run in runs {
            done.push(run?);
        }
        next += ids.len();
        let top = best_of(&done).map_or(f64::NAN, |c| c.residual);
        let progress = Progress::of("starts", next as u64, cp.starts as u64).with_figure(top);
        stopped = observer(&progress).is_break();
        if !cp.fixed_starts && (top <= EXACT || agreeing(&done, top) >= 2) {
            break;
        }
    }
    let Some(best) = best_of(&done) else {
        return Err(Error::Stopped { op: OP });
    };
    let agreeing = agreeing(&done, best.residual);
    let mut best = best.clone();
    best.factors = compressed.expand(&best.factors);
    if !compressed.is_trivial() && cp.method != CpMethod::Algebraic {
        full_space(t, &mut best, cp.iterations)?;
    }
    Ok(Found {
        starts: done.iter().map(|c| c.residual).collect(),
        backend_calls: done.iter().map(|c| c.history.len()).sum(),
        best,
        agreeing,
        stopped,
    })
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
    let same = |c: &&Candidate<T>| c.residual <= top * (1.0 + 1e-5) + EXACT;
    done.iter().filter(same).count()
}

/// One start on the core: number 0 is algebraic under [`CpMethod::Auto`] where that is possible.
fn one_start<T: Scalar + Ring>(
    cp: &Cp,
    core: TensorView<'_, T>,
    number: usize,
    seed: u64,
) -> Result<Candidate<T>, Error> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let algebraic = match cp.method {
        CpMethod::Auto if number == 0 => algebraic_start(OP, core, cp.rank, &mut rng)?,
        CpMethod::Algebraic => {
            let start = algebraic_start(OP, core, cp.rank, &mut rng)?;
            if start.is_none() {
                let hypothesis = "a grouping of modes whose first two groups admit the rank";
                return Err(Error::degenerate(OP, hypothesis, cp.rank as f64));
            }
            start
        }
        _ => None,
    };
    let given = algebraic.is_some();
    let mut factors = match algebraic {
        Some(f) => f,
        None => random_start(core.dims(), cp.rank, &mut rng),
    };
    let mut grams = grams_of(&factors);
    let warm = match (cp.method, given) {
        (CpMethod::Als, _) => cp.iterations,
        (CpMethod::Algebraic, _) => 0,
        (_, true) => 1,
        (_, false) => 20,
    };
    let mut history = accelerated(core, &mut factors, &mut grams, warm)?;
    let mut budget_spent = cp.method == CpMethod::Als && history.len() > warm;
    if matches!(cp.method, CpMethod::Auto | CpMethod::Nls) {
        let options = LmOptions {
            iterations: cp.iterations,
            ..LmOptions::default()
        };
        let run = refine(core, factors, &options)?;
        factors = run.factors;
        budget_spent = run.stop == Stop::Budget;
        history.extend(run.history.into_iter().skip(1));
    }
    let mut gap = Vec::new();
    residual_into(core, &factors, &mut gap)?;
    let residual = small::norm_sq(&gap).sqrt();
    Ok(Candidate {
        factors,
        residual,
        history,
        budget_spent,
    })
}

/// Gaussian factors; the first sweep sets their scale.
fn random_start<T: Scalar>(dims: &[usize], rank: usize, rng: &mut impl Rng) -> Vec<Factor<T>> {
    let mut draw = |n: usize| {
        let s = 1.0 / (n as f64).sqrt();
        Factor::from_fn(n, rank, |_, _| {
            T::from_parts(
                s * normal(rng),
                if T::COMPLEX { s * normal(rng) } else { 0.0 },
            )
        })
    };
    dims.iter().map(|&n| draw(n)).collect()
}

/// Cycles in the full space: project on the span of the factors and of the gradient, refine there, until
/// a cycle no longer helps. At a stationary point the gradient vanishes and the span is that of the factors.
fn full_space<T: Scalar + Ring>(
    t: TensorView<'_, T>,
    best: &mut Candidate<T>,
    iterations: usize,
) -> Result<(), Error> {
    let mut gap = Vec::new();
    residual_into(t, &best.factors, &mut gap)?;
    let mut f = small::norm_sq(&gap).sqrt();
    best.history.push(f);
    for _ in 0..20 {
        if f <= EXACT {
            break;
        }
        let model = CpTensor::from_factors(best.factors.clone())?;
        let factors = model.balanced();
        let gradient = descent(t.dims(), &gap, &factors)?;
        let mut rest = gradient.as_slice();
        let mut spans = Vec::with_capacity(factors.len());
        for a in &factors {
            let (head, tail) = rest.split_at(a.as_slice().len());
            rest = tail;
            let data = [a.as_slice(), head].concat();
            spans.push(Factor::new(a.rows(), 2 * a.cols(), data)?);
        }
        let inner = Compressed::onto(t, &spans)?;
        let options = LmOptions {
            iterations,
            damping: 1e-6,
            ..LmOptions::default()
        };
        let run = refine(inner.core.view(), inner.restrict(&factors), &options)?;
        let moved = inner.expand(&run.factors);
        residual_into(t, &moved, &mut gap)?;
        let next = small::norm_sq(&gap).sqrt();
        if !(next < f) {
            residual_into(t, &best.factors, &mut gap)?;
            break;
        }
        let gain = (f - next) / f;
        best.factors = moved;
        f = next;
        best.history.push(f);
        best.budget_spent = run.stop == Stop::Budget;
        if gain < 1e-9 || inner.is_trivial() {
            break;
        }
    }
    best.residual = f;
    Ok(())
}
