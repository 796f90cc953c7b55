//! One mode after the other, each by the exact method where there is one.
//!
//! | the mode is | its update |
//! |---|---|
//! | fixed | none |
//! | orthonormal | the polar factor of its target: exact |
//! | without a set, moduli or lengths | least squares, with second differences or without: exact |
//! | bounded, not smooth | its columns in turn, each the nearest one that the rule admits: exact for a column |
//! | bounded and smooth | alternating directions |
//!
//! Missing entries are filled with the model before a sweep. That is a majoriser of the squares over what was observed, so that
//! these fall; nothing is measured on entries that were filled.

use super::super::als::{grams_of, solve_columns};
use super::super::normal_equations::hadamard_grams;
use super::nearest::nearest;
use super::orthonormal::frame;
use super::penalty::{Penalty, Pull};
use super::rule::{Rule, Set};
use super::smooth::Bends;
use super::splitting::split;
use crate::Error;
use crate::linalg::small;
use crate::tensor::{Factor, Tensor, TensorView, mttkrp, residual_into};
use std::borrow::Cow;

/// Passes over the columns of a factor for each product with the data, beside which they are cheap.
const PASSES: usize = 4;

/// Data and rules.
pub(super) struct Problem<'a> {
    pub(super) op: &'static str,
    /// Of norm one; zero where nothing was observed.
    pub(super) t: TensorView<'a>,
    /// In `0..=1`, where not all entries count alike.
    pub(super) weights: Option<&'a [f64]>,
    pub(super) rules: &'a [Rule],
    /// Second differences of the smooth modes.
    bends: Vec<Option<Bends>>,
}

impl<'a> Problem<'a> {
    pub(super) fn of(
        op: &'static str,
        (t, weights): (TensorView<'a>, Option<&'a [f64]>),
        rules: &'a [Rule],
    ) -> Result<Self, Error> {
        let bends = rules.iter().zip(t.dims()).map(|(rule, &n)| {
            let smooth = rule.smooth > 0.0;
            smooth.then(|| Bends::of(op, n)).transpose()
        });
        Ok(Self {
            op,
            t,
            weights,
            rules,
            bends: bends.collect::<Result<_, _>>()?,
        })
    }

    /// `sqrt(sum w t^2)`.
    pub(super) fn norm(&self) -> f64 {
        let t = self.t.as_slice();
        match self.weights {
            None => small::norm_sq(t).sqrt(),
            Some(w) => t.iter().zip(w).map(|(t, w)| w * t * t).sum::<f64>().sqrt(),
        }
    }

    /// The residual with its weights, and `sqrt(sum w gap^2)`.
    pub(super) fn gap(&self, x: &[Factor], gap: &mut Vec<f64>) -> Result<f64, Error> {
        residual_into(self.t, x, gap)?;
        let Some(w) = self.weights else {
            return Ok(small::norm_sq(gap).sqrt());
        };
        let mut sum = 0.0;
        for (g, w) in gap.iter_mut().zip(w) {
            sum += w * *g * *g;
            *g *= w;
        }
        Ok(sum.sqrt())
    }

    /// `sqrt(sum w gap^2 + 2 penalties)`: what descends.
    pub(super) fn value(&self, x: &[Factor], gap: &mut Vec<f64>) -> Result<f64, Error> {
        let size = self.gap(x, gap)?;
        Ok((size * size + 2.0 * Penalty::of(self.rules, x).value()).sqrt())
    }

    /// The data, filled with the model where nothing was observed.
    fn filled(&self, x: &[Factor]) -> Result<Option<Tensor>, Error> {
        let Some(w) = self.weights else {
            return Ok(None);
        };
        let mut gap = Vec::new();
        residual_into(self.t, x, &mut gap)?;
        let parts = gap.iter_mut().zip(w).zip(self.t.as_slice());
        parts.for_each(|((g, w), t)| *g = t - (1.0 - w) * *g);
        Tensor::from_vec(self.t.dims(), gap).map(Some)
    }

    /// One sweep over all modes.
    pub(super) fn sweep(&self, x: &mut [Factor]) -> Result<(), Error> {
        let rank = x.first().map_or(0, Factor::cols);
        let filled = self.filled(x)?;
        let data = filled.as_ref().map_or(self.t, Tensor::view);
        let mut grams = grams_of(x);
        let mut penalty = Penalty::of(self.rules, x);
        for m in 0..x.len() {
            if matches!(self.rules[m].set, Set::Fixed(_)) {
                continue;
            }
            let target = mttkrp(data, x, m)?;
            let gamma = hadamard_grams(&grams, rank, &[m]);
            let pulls = penalty.pulls(m, rank);
            self.update(m, (&gamma, &pulls), target, &mut x[m])?;
            grams[m] = x[m].gram();
            penalty.update(m, &x[m]);
        }
        balance(self.rules, x);
        Ok(())
    }

    fn update(
        &self,
        m: usize,
        (gamma, pulls): (&Factor, &[Pull]),
        mut target: Factor,
        x: &mut Factor,
    ) -> Result<(), Error> {
        let (rule, bends) = (&self.rules[m], &self.bends[m]);
        let linear = rule.set == Set::Any && pulls.iter().all(|p| p.sparse + p.group <= 0.0);
        match (rule.set == Set::Orthonormal, linear, bends) {
            (true, ..) => *x = frame(self.op, &target)?,
            (_, true, Some(bends)) => {
                let q: Vec<f64> = pulls.iter().map(|p| p.smooth).collect();
                let d: Vec<f64> = pulls.iter().map(|p| p.ridge).collect();
                *x = bends.solve(gamma, (&q, &d), &target);
            }
            (_, true, None) => {
                solve_columns(&ridged(gamma, pulls), &mut target);
                *x = target;
            }
            (_, false, Some(bends)) => split((&rule.set, bends), gamma, pulls, &target, x),
            (_, false, None) => columns(&rule.set, gamma, pulls, &target, x),
        }
        Ok(())
    }
}

fn ridged<'a>(gamma: &'a Factor, pulls: &[Pull]) -> Cow<'a, Factor> {
    if pulls.iter().all(|p| p.ridge <= 0.0) {
        return Cow::Borrowed(gamma);
    }
    let mut out = gamma.clone();
    for (r, pull) in pulls.iter().enumerate() {
        out.column_mut(r)[r] += pull.ridge;
    }
    Cow::Owned(out)
}

/// Every column in turn is the minimiser given all others.
fn columns(set: &Set, gamma: &Factor, pulls: &[Pull], target: &Factor, x: &mut Factor) {
    for _ in 0..PASSES {
        for (r, pull) in pulls.iter().enumerate() {
            let own = gamma.column(r)[r];
            let weight = own + pull.ridge;
            if !(weight > 0.0) {
                x.column_mut(r).fill(0.0);
                continue;
            }
            let mut z = target.column(r).to_vec();
            for s in (0..pulls.len()).filter(|&s| s != r) {
                small::axpy(&mut z, -gamma.column(r)[s], x.column(s));
            }
            z.iter_mut().for_each(|z| *z /= weight);
            nearest(set, (pull.sparse / weight, pull.group / weight), &mut z);
            x.column_mut(r).copy_from_slice(&z);
        }
    }
}

/// Gives the columns of each component equal lengths in the modes whose columns may have any; neither the tensor nor the
/// penalties change. Columns of frames and of fixed factors have length one.
pub(super) fn balance(rules: &[Rule], x: &mut [Factor]) {
    let rank = x.first().map_or(0, Factor::cols);
    let modes: Vec<usize> = (0..x.len()).filter(|&m| rules[m].scales()).collect();
    for r in 0..rank {
        let lengths: Vec<f64> = modes.iter().map(|&m| x[m].column_norm(r)).collect();
        let mean = lengths.iter().map(|l| l.ln()).sum::<f64>() / modes.len() as f64;
        let mean = mean.exp();
        if mean > 0.0 && mean.is_finite() {
            let pairs = modes.iter().zip(&lengths);
            pairs.for_each(|(&m, l)| x[m].scale_column(r, mean / l));
        }
    }
}
