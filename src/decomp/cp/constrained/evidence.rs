//! What is measured about a constrained model: recomputed from the data and the model.

use super::super::checks::{self, MISSING_ENTRIES, MOST_CANCELLATION, MOST_GRADIENT, noise_left};
use super::super::normal_equations::{Normal, hadamard_grams};
use super::nearest::nearest;
use super::orthonormal::{self, along};
use super::penalty::Penalty;
use super::rule::{Rule, Set};
use super::smooth::curvature;
use super::sweep::{Problem, balance};
use super::unimodal;
use crate::Error;
use crate::decomp::cp::condition::condition;
use crate::decomp::restarts::agreement;
use crate::fit::{Check, Evidence};
use crate::linalg::small;
use crate::tensor::{CpTensor, Factor, TensorView, mttkrp};

/// Key of the number of modes with constraints.
pub(in crate::decomp::cp) const CONSTRAINED_MODES: &str = "cp.constrained-modes";
/// Relative residual of a fit that reproduces the data.
const EXACT: f64 = 1e-9;
/// Rounding that sums over a column may leave of a constraint.
const ROUNDING: f64 = 1e-9;
/// The greatest squared second difference of a column of length one: that of alternating signs.
const STIFF: f64 = 16.0;

/// The factors of a model of unit columns, lengths shared among the modes that may have any.
pub(super) fn shared(rules: &[Rule], model: &CpTensor) -> Vec<Factor> {
    let mut x = model.factors().to_vec();
    if let Some(m) = rules.iter().position(Rule::scales) {
        let weights = model.weights().iter().enumerate();
        weights.for_each(|(r, &w)| x[m].scale_column(r, w));
    }
    balance(rules, &mut x);
    x
}

/// Measures `model`; `ends` are the values of all starts.
pub(super) fn evidence(
    problem: &Problem<'_>,
    model: &CpTensor,
    ends: &[f64],
) -> Result<Evidence, Error> {
    let x = shared(problem.rules, model);
    let mut gap = Vec::new();
    let rel_residual = problem.gap(&x, &mut gap)? / problem.norm();
    let penalty = Penalty::of(problem.rules, &x).value();
    let slope = slope(problem, &x, &gap)? / problem.norm();
    let variance = rel_residual * rel_residual;
    let exact = rel_residual <= EXACT && penalty <= EXACT * EXACT;
    let (agreeing, lacking) = agreement(ends, (1e-4, 1e-9), exact);
    let bounded = problem.rules.iter().all(|r| !r.signed());
    let most = if bounded {
        f64::INFINITY
    } else {
        MOST_CANCELLATION
    };
    let mut list = vec![
        // Sweeps converge linearly: the bound is looser than for the unconstrained engine.
        checks::gradient(slope, 10.0 * MOST_GRADIENT),
        checks::cancellation(model.cancellation(), most),
        kept(problem.rules, model),
        checks::unexplained(variance, 0.5 * noise_left(problem.t.dims(), model.rank())),
        checks::starts_missing(lacking, 0.0),
    ];
    if let Some(w) = problem.weights {
        list.extend(gaps(problem.t.dims(), model.rank(), w));
    }
    list.extend([
        Check::reported("cp.penalty", "penalties, for data of norm one", penalty),
        constrained_modes(problem.rules),
        checks::explained(variance),
        checks::starts(ends.len()),
        checks::starts_agreeing(agreeing),
    ]);
    Ok(Evidence {
        rel_residual,
        condition: condition(model),
        checks: list,
    })
}

/// That every factor keeps the rule of its mode.
pub(super) fn kept(rules: &[Rule], model: &CpTensor) -> Check {
    Check::accuracy(
        "cp.constraint-violation",
        "largest violation of a constraint by a unit column",
        violation(rules, model.factors()),
        ROUNDING,
    )
}

/// How many modes have rules.
pub(super) fn constrained_modes(rules: &[Rule]) -> Check {
    let modes = rules.iter().filter(|r| r.binds()).count();
    Check::reported(CONSTRAINED_MODES, "modes with constraints", modes as f64)
}

/// What missing entries leave open.
pub(in crate::decomp::cp) fn gaps(dims: &[usize], rank: usize, weights: &[f64]) -> [Check; 4] {
    let seen = weights.iter().filter(|w| **w > 0.0).count() as f64;
    let own: usize = dims.iter().sum::<usize>() + 1 - dims.len();
    let per_entry = (rank * own) as f64 / seen;
    let label = "parameters over observed entries";
    let missing = weights.len() as f64 - seen;
    [
        unseen(unseen_rows(dims, weights)),
        Check::conditioning("cp.parameters-per-entry", label, per_entry, 1.0),
        Check::reported("cp.observed-entries", "observed entries", seen),
        Check::reported(MISSING_ENTRIES, "missing entries", missing),
    ]
}

/// Rows that nothing was seen of are not determined.
pub(in crate::decomp::cp) fn unseen(rows: usize) -> Check {
    let label = "rows without observations";
    Check::conditioning("cp.unseen-rows", label, rows as f64, 0.0)
}

/// Rows of factors that no entry of positive weight sees.
fn unseen_rows(dims: &[usize], weights: &[f64]) -> usize {
    let mut seen: Vec<Vec<bool>> = dims.iter().map(|&n| vec![false; n]).collect();
    for (entry, _) in weights.iter().enumerate().filter(|(_, w)| **w > 0.0) {
        let mut rest = entry;
        for (mode, &n) in dims.iter().enumerate() {
            seen[mode][rest % n] = true;
            rest /= n;
        }
    }
    seen.iter().flatten().filter(|seen| !**seen).count()
}

/// The most by which a column of length one breaks the rule of its mode.
fn violation(rules: &[Rule], factors: &[Factor]) -> f64 {
    let negative = |a: &[f64]| a.iter().map(|x| -x).fold(0.0, f64::max);
    let one = |(rule, f): (&Rule, &Factor)| match &rule.set {
        Set::Any => 0.0,
        Set::Nonnegative => f.columns().map(negative).fold(0.0, f64::max),
        Set::Unimodal => f.columns().map(unimodal::violation).fold(0.0, f64::max),
        Set::Orthonormal => orthonormal::violation(f),
        Set::Fixed(known) => {
            let off = known.as_slice().iter().zip(f.as_slice());
            off.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
        }
    };
    rules.iter().zip(factors).map(one).fold(0.0, f64::max)
}

/// The length of the slope along what the rules admit, relative to the data and to the derivative of the model.
///
/// For a column with a set or moduli it is the step to the nearest admitted column after a step downhill, over the length of
/// that step: zero exactly where the column is the best one given all others.
fn slope(problem: &Problem<'_>, x: &[Factor], gap: &[f64]) -> Result<f64, Error> {
    let rank = x.first().map_or(0, Factor::cols);
    let view = TensorView::new(problem.t.dims(), gap)?;
    let grams: Vec<Factor> = x.iter().map(Factor::gram).collect();
    let penalty = Penalty::of(problem.rules, x);
    let mut sum = 0.0;
    for (m, rule) in problem.rules.iter().enumerate() {
        if matches!(rule.set, Set::Fixed(_)) {
            continue;
        }
        let mut g = mttkrp(view, x, m)?;
        if rule.set == Set::Orthonormal {
            sum += small::norm_sq(along(&x[m], &g).as_slice());
            continue;
        }
        let gamma = hadamard_grams(&grams, rank, &[m]);
        for r in 0..rank {
            let (a, pull) = (x[m].column(r), penalty.pull(m, r));
            let g = g.column_mut(r);
            small::axpy(g, -pull.ridge, a);
            if pull.smooth > 0.0 {
                small::axpy(g, -pull.smooth, &curvature(a));
            }
            let stiff = gamma.column(r)[r] + pull.ridge + STIFF * pull.smooth;
            if !(stiff > 0.0) {
                continue;
            }
            let mut z: Vec<f64> = a.iter().zip(&*g).map(|(a, g)| a + g / stiff).collect();
            nearest(&rule.set, (pull.sparse / stiff, pull.group / stiff), &mut z);
            let step = small::squared_distance(&z, a).sqrt() * stiff;
            sum += step * step;
        }
    }
    let scale = Normal::scale_of(x).sqrt();
    Ok(if sum == 0.0 { 0.0 } else { sum.sqrt() / scale })
}
