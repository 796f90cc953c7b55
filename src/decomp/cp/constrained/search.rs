//! Starts and their descent.

use super::nearest::nearest;
use super::orthonormal::frame;
use super::rule::{Rule, Set};
use super::sweep::{Problem, balance};
use crate::Error;
use crate::decomp::cp::starts::jennrich::normal;
use crate::decomp::extrapolation::{Swept, extrapolated};
use crate::linalg::small;
use crate::tensor::Factor;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::sync::atomic::AtomicBool;

/// One start at its end.
pub(super) type Ended = Swept<Vec<Factor>>;

/// Random factors that keep the rules.
pub(super) fn random(problem: &Problem<'_>, rank: usize, seed: u64) -> Result<Vec<Factor>, Error> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut all = Vec::with_capacity(problem.rules.len());
    for (rule, &n) in problem.rules.iter().zip(problem.t.dims()) {
        all.push(match &rule.set {
            Set::Any => Factor::from_fn(n, rank, |_, _| normal(&mut rng)),
            Set::Nonnegative => Factor::from_fn(n, rank, |_, _| rng.random::<f64>()),
            Set::Unimodal => {
                // One hill for each column: of flat columns every place is a peak.
                let mut hills = Vec::with_capacity(rank);
                for _ in 0..rank {
                    let (top, width) = (rng.random::<f64>(), 0.1 + 0.3 * rng.random::<f64>());
                    hills.push((top * n as f64, width * n as f64));
                }
                let hill = |i: usize, r: usize| {
                    let (top, width) = hills[r];
                    (-((i as f64 + 0.5 - top) / width).powi(2)).exp()
                };
                Factor::from_fn(n, rank, hill)
            }
            Set::Orthonormal => {
                let m = Factor::from_fn(n, rank, |_, _| normal(&mut rng));
                frame(problem.op, &m)?
            }
            Set::Fixed(f) => f.clone(),
        });
    }
    balance(problem.rules, &mut all);
    Ok(all)
}

/// Factors of a model without constraints, made to keep the rules: signs first, then the nearest columns.
pub(super) fn admitted(problem: &Problem<'_>, mut x: Vec<Factor>) -> Result<Vec<Factor>, Error> {
    let rank = x.first().map_or(0, Factor::cols);
    let last = problem.rules.iter().rposition(Rule::signed);
    for r in 0..rank {
        for (m, rule) in problem.rules.iter().enumerate() {
            let sum: f64 = x[m].column(r).iter().map(|v| v * v.abs()).sum();
            if !rule.signed() && sum < 0.0 {
                x[m].scale_column(r, -1.0);
                if let Some(other) = last {
                    x[other].scale_column(r, -1.0);
                }
            }
        }
    }
    for (f, rule) in x.iter_mut().zip(problem.rules) {
        match &rule.set {
            Set::Orthonormal => *f = frame(problem.op, f)?,
            Set::Fixed(known) => *f = known.clone(),
            set => (0..rank).for_each(|r| nearest(set, (0.0, 0.0), f.column_mut(r))),
        }
    }
    balance(problem.rules, &mut x);
    Ok(x)
}

/// Descends from `x` in at most `sweeps` sweeps; ends early, where it is, when `halt` is set.
pub(super) fn descend(
    problem: &Problem<'_>,
    x: Vec<Factor>,
    sweeps: usize,
    halt: &AtomicBool,
) -> Result<Ended, Error> {
    let mut gap = Vec::new();
    let value = problem.value(&x, &mut gap)?;
    let sweep = |x: &mut Vec<Factor>| {
        problem.sweep(x)?;
        problem.value(x, &mut gap)
    };
    let further =
        |new: &Vec<Factor>, old: &Vec<Factor>, beta: f64| ahead(problem.rules, new, old, beta);
    extrapolated((x, value), (sweeps, 0.98), sweep, further, halt)
}

/// `x + beta (x - old)`, made to keep the rules; frames and fixed factors stay.
fn ahead(rules: &[Rule], x: &[Factor], old: &[Factor], beta: f64) -> Vec<Factor> {
    let step = |((x, old), rule): ((&Factor, &Factor), &Rule)| {
        let mut out = x.clone();
        if !rule.scales() {
            return out;
        }
        small::axpy(out.as_mut_slice(), beta, x.as_slice());
        small::axpy(out.as_mut_slice(), -beta, old.as_slice());
        let rank = out.cols();
        (0..rank).for_each(|r| nearest(&rule.set, (0.0, 0.0), out.column_mut(r)));
        out
    };
    x.iter().zip(old).zip(rules).map(step).collect()
}
