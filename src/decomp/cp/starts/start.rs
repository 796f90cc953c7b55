//! One start on the core, carried to its end.

use super::fibre_model::fibre_start;
use super::jennrich::{algebraic_start, normal};
use crate::Error;
use crate::decomp::cp::als::{STILL, SweepOptions, Watch, accelerated};
use crate::decomp::cp::checks::relative_gradient;
use crate::decomp::cp::decomposition::{Cp, CpMethod};
use crate::decomp::cp::gauss_newton::{LmOptions, Stop, refine};
use crate::decomp::cp::normal_equations::unknowns_cost;
use crate::decomp::cp::search::{EXACT, OP};
use crate::linalg::{Scalar, small};
use crate::poly::Ring;
use crate::tensor::{Factor, TensorView, residual_into};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Unknowns of the core beyond which one Gauss-Newton step costs as much as dozens of sweeps.
const MANY_UNKNOWNS: usize = 600;
/// Relative decrease of the last sweep, and relative gradient after it, at which sweeps have arrived.
const SETTLED: f64 = 1e-10;
const FLAT: f64 = 1e-8;

/// One start carried to its end.
#[derive(Clone, Debug)]
pub(in crate::decomp::cp) struct Candidate<T> {
    pub(in crate::decomp::cp) factors: Vec<Factor<T>>,
    pub(in crate::decomp::cp) residual: f64,
    pub(in crate::decomp::cp) history: Vec<f64>,
    pub(in crate::decomp::cp) budget_spent: bool,
}

/// Jennrich's start with the modes in reverse order, so that other modes form the pencils: independent of the first one
/// where it is not dictated by the data.
fn reversed_start<T: Scalar>(
    core: TensorView<'_, T>,
    rank: usize,
    rng: &mut impl Rng,
) -> Result<Option<Vec<Factor<T>>>, Error> {
    let order: Vec<usize> = (0..core.order()).rev().collect();
    let moved = core.permuted(&order)?;
    let start = algebraic_start(OP, moved.view(), rank, rng)?;
    Ok(start.map(|mut factors| {
        factors.reverse();
        factors
    }))
}

/// One start on the core: number 0 is algebraic under [`CpMethod::Auto`] where that is possible, and so is number 1 where a
/// random start would cost dozens of large linear systems.
pub(in crate::decomp::cp) fn one_start<T: Scalar + Ring>(
    cp: &Cp,
    core: TensorView<'_, T>,
    (number, seed): (usize, u64),
    goal: f64,
    watch: Watch<'_>,
) -> Result<Candidate<T>, Error> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let algebraic = match cp.method {
        CpMethod::Auto if number == 0 => match fibre_start(core, cp.rank) {
            Some(factors) => Some(factors),
            None => algebraic_start(OP, core, cp.rank, &mut rng)?,
        },
        CpMethod::Auto if number == 1 && many(core.dims(), cp.rank) => {
            reversed_start(core, cp.rank, &mut rng)?
        }
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
    let mut factors = match algebraic {
        Some(f) => f,
        None => random_start(core.dims(), cp.rank, &mut rng),
    };
    let sweeps = match cp.method {
        CpMethod::Als => SweepOptions::until_still(cp.iterations, 1e-15),
        CpMethod::Algebraic => SweepOptions::until_still(0, 0.0),
        CpMethod::Auto | CpMethod::Nls => warm_up(core.dims(), cp, goal),
    };
    let history = accelerated(core, &mut factors, &sweeps, watch)?;
    let budget_spent = cp.method == CpMethod::Als && history.len() > sweeps.sweeps;
    if matches!(cp.method, CpMethod::Auto | CpMethod::Nls)
        && !(sweeps.to_the_end && arrived(core, &factors, (&history, goal))?)
    {
        let mut run = refined(cp, core, factors, goal, watch)?;
        let tail = std::mem::replace(&mut run.history, history);
        run.history.extend(tail.into_iter().skip(1));
        return Ok(run);
    }
    ended(cp, core, factors, history, budget_spent)
}

/// Damped Gauss-Newton on the core from `factors`.
pub(in crate::decomp::cp) fn refined<T: Scalar + Ring>(
    cp: &Cp,
    core: TensorView<'_, T>,
    factors: Vec<Factor<T>>,
    goal: f64,
    watch: Watch<'_>,
) -> Result<Candidate<T>, Error> {
    let options = LmOptions {
        iterations: cp.iterations,
        goal,
        ..LmOptions::default()
    };
    let run = refine(core, factors, &options, watch)?;
    ended(cp, core, run.factors, run.history, run.stop == Stop::Budget)
}

/// A start at its end, its residual recomputed.
fn ended<T: Scalar>(
    cp: &Cp,
    core: TensorView<'_, T>,
    mut factors: Vec<Factor<T>>,
    mut history: Vec<f64>,
    budget_spent: bool,
) -> Result<Candidate<T>, Error> {
    let mut gap = Vec::new();
    residual_into(core, &factors, &mut gap)?;
    let mut residual = small::norm_sq(&gap).sqrt();
    if !residual.is_finite() {
        // A start that left the range of numbers is worth as much as no model at all.
        factors = core
            .dims()
            .iter()
            .map(|&n| Factor::zeros(n, cp.rank))
            .collect();
        residual = small::norm_sq(core.as_slice()).sqrt();
        history.push(residual);
    }
    Ok(Candidate {
        factors,
        residual,
        history,
        budget_spent,
    })
}

/// Sweeps that together cost about as much as a few steps of Levenberg-Marquardt: they end where those
/// converge fast, or where alternation is slow.
///
/// Where a step solves a large dense system, sweeps go on to the end as long as they are quick, or to `goal`.
fn warm_up(dims: &[usize], cp: &Cp, goal: f64) -> SweepOptions {
    let entries: f64 = dims.iter().map(|&n| n as f64).product();
    let rank = cp.rank as f64;
    // Operations of a sweep, with a constant for what is not arithmetic in tiny ones.
    let sweep = 6.0 * entries * rank + 2e4;
    let ratio = unknowns_cost(dims, cp.rank) / sweep;
    SweepOptions {
        sweeps: (6.0 * ratio).clamp(20.0, 300.0) as usize,
        least_gain: 0.05,
        enough: if many(dims, cp.rank) {
            goal.max(1e-4)
        } else {
            1e-4
        },
        to_the_end: many(dims, cp.rank),
        still: STILL,
    }
}

/// Whether the core has so many unknowns that sweeps are cheaper than Gauss-Newton steps.
fn many(dims: &[usize], rank: usize) -> bool {
    dims.iter().sum::<usize>() * rank > MANY_UNKNOWNS
}

/// Whether sweeps have reached the goal or a stationary point, so that a Gauss-Newton step has nothing to add.
fn arrived<T: Scalar>(
    core: TensorView<'_, T>,
    factors: &[Factor<T>],
    (history, goal): (&[f64], f64),
) -> Result<bool, Error> {
    let f = history.last().copied().unwrap_or(f64::NAN);
    if f > EXACT && f <= goal {
        return Ok(true);
    }
    let before = history
        .len()
        .checked_sub(2)
        .map_or(f64::NAN, |k| history[k]);
    if !(before - f <= SETTLED * f) {
        return Ok(false);
    }
    let mut gap = Vec::new();
    residual_into(core, factors, &mut gap)?;
    Ok(relative_gradient(core, &gap, factors)? <= FLAT)
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
