//! From a numeric solution to one whose entries are rational: unknowns are fixed one after the other at small
//! rationals while the others follow along the manifold of solutions.

use super::descent::{Descent, Run};
use super::system::CpSystem;
use std::collections::BTreeSet;

/// Residual below which a point counts as a solution that can be polished to the last bit.
pub(in crate::decomp) const SOLVED: f64 = 1e-9;

/// A point on the manifold of solutions with the unknowns that are already fixed.
#[derive(Clone)]
pub(in crate::decomp) struct Point {
    pub(in crate::decomp) x: Vec<f64>,
    pub(in crate::decomp) fixed: Vec<bool>,
    /// Runs of the solver that may still be spent.
    pub(in crate::decomp) budget: usize,
}

/// Which unknowns a plan touches, and at which values.
#[derive(Clone, Copy)]
pub(in crate::decomp) struct Plan {
    pub(in crate::decomp) values: &'static [f64],
    /// Only the first modes are fixed; the last one follows by linear algebra.
    pub(in crate::decomp) modes: usize,
    /// Failed attempts before the greedy phase ends.
    pub(in crate::decomp) failures: usize,
}

fn follow(
    descent: &mut Descent<'_, '_>,
    point: &mut Point,
    x: &[f64],
    fixed: &[bool],
    iterations: usize,
) -> Option<Vec<f64>> {
    point.budget = point.budget.checked_sub(1)?;
    let free: Vec<usize> = (0..x.len()).filter(|&q| !fixed[q]).collect();
    let mut y = x.to_vec();
    let run = Run {
        iterations,
        ridge: 0.0,
        damping: 1e-3,
        goal: 1e-12,
        tol: 1e-4,
        pace: 6,
    };
    let residual = descent.minimise(&mut y, &free, run);
    let bounded = y.iter().all(|v| v.abs() < 12.0);
    (residual < SOLVED && bounded).then_some(y)
}

impl Point {
    /// Scales the columns of all modes but the last so that their largest entry is 1, and fixes it: the gauge.
    pub(in crate::decomp) fn normalised(system: &CpSystem, x: &[f64], budget: usize) -> Self {
        let mut x = x.to_vec();
        let mut fixed = vec![false; x.len()];
        for r in 0..system.rank {
            for k in 0..2 {
                let n = system.dims[k];
                let begin = system.start[k] + r * n;
                let largest =
                    (0..n).max_by(|&i, &j| x[begin + i].abs().total_cmp(&x[begin + j].abs()));
                let pivot = begin + largest.unwrap_or(0);
                let scale = x[pivot];
                if scale == 0.0 {
                    continue;
                }
                x[begin..begin + n].iter_mut().for_each(|v| *v /= scale);
                let last = system.start[2] + r * system.dims[2];
                x[last..last + system.dims[2]]
                    .iter_mut()
                    .for_each(|v| *v *= scale);
                x[pivot] = 1.0;
                fixed[pivot] = true;
            }
        }
        Self { x, fixed, budget }
    }

    /// Fixes the unknown nearest to one of the plan's values, several at a time while that works.
    pub(in crate::decomp) fn fix_greedily(&mut self, descent: &mut Descent<'_, '_>, plan: Plan) {
        let end = descent.system.start[plan.modes];
        let mut tabu: BTreeSet<(usize, usize)> = BTreeSet::new();
        let mut failures = 0;
        while failures <= plan.failures && self.budget > 0 {
            let mut nearest: Vec<(f64, usize, usize)> = Vec::new();
            for q in (0..end).filter(|&q| !self.fixed[q]) {
                let gaps = plan
                    .values
                    .iter()
                    .enumerate()
                    .map(|(v, value)| ((self.x[q] - value).abs(), q, v));
                nearest.extend(
                    gaps.filter(|g| !tabu.contains(&(g.1, g.2)))
                        .min_by(|a, b| a.0.total_cmp(&b.0)),
                );
            }
            nearest.sort_by(|a, b| a.0.total_cmp(&b.0));
            let Some(&(first, q, v)) = nearest.first() else {
                return;
            };
            if first >= 1.5 {
                return;
            }
            // Entries that already have a value cost nothing; then batches of near ones; then one by one.
            let here = nearest.iter().take_while(|g| g.0 < 1e-7).count();
            let near = nearest.iter().take_while(|g| g.0 < 0.05).count();
            let mut sizes: Vec<usize> = [here, 24, 12, 4]
                .into_iter()
                .filter(|&n| n > 1 && n <= near.max(here))
                .collect();
            sizes.push(1);
            let fixed = sizes.into_iter().any(|n| {
                let (mut x, mut fixed) = (self.x.clone(), self.fixed.clone());
                for &(_, q, v) in &nearest[..n] {
                    x[q] = plan.values[v];
                    fixed[q] = true;
                }
                let iterations = if n == 1 { 40 } else { 20 };
                match follow(descent, self, &x, &fixed, iterations) {
                    Some(y) => {
                        (self.x, self.fixed) = (y, fixed);
                        true
                    }
                    None => false,
                }
            });
            if !fixed {
                tabu.insert((q, v));
                failures += 1;
            }
        }
    }

    /// Fixes unknowns that can still move (those that the null space of the Jacobian reaches) at small
    /// rationals until the rest is determined.
    pub(in crate::decomp) fn fix_null_space(
        &mut self,
        descent: &mut Descent<'_, '_>,
        modes: usize,
    ) {
        let end = descent.system.start[modes];
        let mut bad: BTreeSet<usize> = BTreeSet::new();
        while self.budget > 0 {
            let free: Vec<usize> = (0..self.x.len()).filter(|&q| !self.fixed[q]).collect();
            if free.is_empty() {
                return;
            }
            let Some(leverage) = descent.leverage(&self.x, &free) else {
                return;
            };
            let mut choices: Vec<(f64, usize, f64)> = Vec::new();
            for (p, &q) in free
                .iter()
                .enumerate()
                .filter(|(_, q)| **q < end && !bad.contains(q))
            {
                let weight = leverage[p];
                if weight < 1e-3 {
                    continue;
                }
                for d in 1..=4 {
                    let d = f64::from(d);
                    let value = (self.x[q] * d).round() / d;
                    let size = if value.abs() > 1.0 {
                        0.05 * value.abs()
                    } else {
                        0.0
                    };
                    let price = (value - self.x[q]).abs() + 0.02 * (d - 1.0) + size;
                    choices.push((price / weight.sqrt(), q, value));
                }
            }
            let Some(&(_, q, value)) = choices.iter().min_by(|a, b| a.0.total_cmp(&b.0)) else {
                return;
            };
            let (mut x, mut fixed) = (self.x.clone(), self.fixed.clone());
            x[q] = value;
            fixed[q] = true;
            match follow(descent, self, &x, &fixed, 60) {
                Some(y) => {
                    (self.x, self.fixed) = (y, fixed);
                    bad.clear();
                }
                None => drop(bad.insert(q)),
            }
        }
    }

    /// The last bits of the unknowns that are not fixed.
    pub(in crate::decomp) fn polish(&mut self, descent: &mut Descent<'_, '_>) {
        let free: Vec<usize> = (0..self.x.len()).filter(|&q| !self.fixed[q]).collect();
        let run = Run {
            iterations: 6,
            ridge: 0.0,
            damping: 1e-12,
            goal: 1e-15,
            tol: 0.0,
            pace: 0,
        };
        descent.minimise(&mut self.x, &free, run);
    }
}
