//! What is measured about a fit by a loss: recomputed from the data and the model.

use super::constant::Constant;
use super::entry_loss::EntryLoss;
use super::rows::{ByRows, Entries, LossData, Rows, column_sums, inner};
use crate::decomp::cp::checks::{self, MOST_GRADIENT};
use crate::decomp::cp::constrained::evidence::gaps;
use crate::decomp::cp::normal_equations::Normal;
use crate::fit::{Check, Evidence};
use crate::tensor::{CpTensor, Factor};
use rayon::prelude::*;

/// Log odds beyond which no data of a sensible size hold a component: its likelihood has no maximum.
const MOST_LOG_ODDS: f64 = 20.0;
/// What noise alone may gain, as a share of what the model gains.
const MOST_NOISE: f64 = 0.67;

/// How the search went.
pub(super) struct Searched<'a> {
    /// The losses of all starts.
    pub(super) ends: &'a [f64],
    /// The deviance of entries held out, of the fit without them and of the constant, where there was such a test.
    pub(super) held_out: Option<(f64, f64)>,
    /// Deviances of the data as they came over those of the scaled ones.
    pub(super) scale: f64,
}

/// Sums over entries.
#[derive(Clone, Copy, Default)]
struct Sums {
    pearson: f64,
    freedom: f64,
    gap: f64,
    size: f64,
    null_slope: f64,
    most: f64,
    unseen: f64,
}

impl Sums {
    fn plus(self, o: Self) -> Self {
        Self {
            pearson: self.pearson + o.pearson,
            freedom: self.freedom + o.freedom,
            gap: self.gap + o.gap,
            size: self.size + o.size,
            null_slope: self.null_slope + o.null_slope,
            most: self.most.max(o.most),
            unseen: self.unseen + o.unseen,
        }
    }
}

/// The factors of a model, row by row.
pub(super) fn by_rows(factors: &[Factor]) -> Vec<ByRows> {
    factors.iter().map(crate::tensor::by_rows).collect()
}

/// Measures `model` against `data`.
pub(super) fn evidence(
    data: &LossData<'_>,
    model: &CpTensor,
    constant: &Constant,
    searched: &Searched<'_>,
) -> Evidence {
    let (balanced, rank) = (model.balanced(), model.rank());
    let factors = by_rows(&balanced);
    let loss = data.value(&factors, rank);
    let sums = sums(data, &factors, rank, constant);
    let slope = gradient(data, &factors, rank, (&balanced, constant, &sums));
    let gain = constant.loss - loss;
    let (dispersion, noise) = noise(data, rank, (&sums, gain, constant));
    let (agreeing, lacking) = agreement(searched.ends, constant);
    let mut list = vec![
        checks::gradient(slope, 10.0 * MOST_GRADIENT),
        Check::accuracy(
            "cp.noise-gain",
            "gain of noise alone over the gain in deviance",
            noise,
            MOST_NOISE,
        ),
        Check::conditioning(
            "cp.unseen-rows",
            "rows without observations",
            sums.unseen,
            0.0,
        ),
        checks::starts_missing(lacking, 0.0),
    ];
    if let EntryLoss::Logit = data.loss {
        let label = "largest log odds: beyond, zeros and ones are separated and the likelihood has no maximum";
        let check = Check::conditioning("cp.log-odds", label, sums.most, MOST_LOG_ODDS);
        list.push(check);
    }
    if let Some((held, null)) = searched.held_out {
        let label = "deviance of held-out entries over that of the constant model";
        list.push(Check::sampling(
            "cp.held-out-deviance",
            label,
            held / null,
            1.0,
        ));
    }
    if let Entries::Dense(_, Some(weights)) = data.entries {
        let known = |c: &Check| c.key != "cp.unseen-rows";
        list.extend(gaps(data.dims, rank, weights).into_iter().filter(known));
    }
    list.extend(deviances((loss, constant.loss), dispersion, searched.scale));
    list.push(checks::starts(searched.ends.len()));
    list.push(checks::starts_agreeing(agreeing));
    Evidence {
        rel_residual: match sums.size > 0.0 {
            true => (sums.gap / sums.size).sqrt(),
            false => sums.gap.sqrt(),
        },
        condition: crate::decomp::cp::condition::condition(model),
        checks: list,
    }
}

/// Pearson's statistic over its degrees of freedom, and the gain in deviance by the best components of noise of that
/// dispersion over `gain`.
fn noise(
    data: &LossData<'_>,
    rank: usize,
    (sums, gain, constant): (&Sums, f64, &Constant),
) -> (f64, f64) {
    let freedom = sums.freedom - parameters(data.dims, rank);
    let dispersion = match freedom > 0.0 {
        true => sums.pearson / freedom,
        false => f64::INFINITY,
    };
    let noise = dispersion * reach(data.dims, rank) + 1e-10 * constant.unit;
    match gain > 0.0 {
        true => (dispersion, noise / (2.0 * gain)),
        false => (dispersion, f64::INFINITY),
    }
}

/// Starts that end at the best value, and how many are lacking to two; one is enough where it is exact.
fn agreement(ends: &[f64], constant: &Constant) -> (usize, usize) {
    let top = ends.iter().copied().fold(f64::INFINITY, f64::min);
    let near = top + 1e-4 * (constant.loss - top).max(0.0) + 1e-9 * constant.unit;
    let agreeing = ends.iter().filter(|&&f| f <= near).count();
    let needed = if top <= 1e-12 * constant.unit { 1 } else { 2 };
    (agreeing, ends.len().min(needed).saturating_sub(agreeing))
}

/// Figures that inform: losses are half of deviances.
fn deviances((loss, null): (f64, f64), dispersion: f64, scale: f64) -> [Check; 4] {
    let explained = if null > 0.0 { 1.0 - loss / null } else { 0.0 };
    let constant = "deviance of the constant model";
    let pearson = "Pearson's statistic over its degrees of freedom";
    [
        Check::reported("cp.deviance", "deviance", 2.0 * loss * scale),
        Check::reported("cp.null-deviance", constant, 2.0 * null * scale),
        Check::reported("cp.explained-deviance", "explained deviance", explained),
        Check::reported("cp.dispersion", pearson, dispersion * scale),
    ]
}

/// The norm of the slope on free coordinates, relative to that of the constant model's slopes and of the model's derivative.
fn gradient(
    data: &LossData<'_>,
    factors: &[ByRows],
    rank: usize,
    (balanced, constant, sums): (&[Factor], &Constant, &Sums),
) -> f64 {
    let bounded = data.loss.is_nonnegative();
    let slopes = data.gradient(factors, rank);
    let pairs = slopes.iter().flatten().zip(factors.iter().flatten());
    // At zero only a slope inwards counts.
    let free = pairs.map(|(&g, &x)| if bounded && x <= 0.0 { g.min(0.0) } else { g });
    let size = free.map(|g| g * g).sum::<f64>().sqrt();
    let unit = data.loss.units(constant.model).0 * constant.weight.sqrt();
    let scale = (sums.null_slope.sqrt() + unit) * Normal::scale_of(balanced).sqrt();
    if size == 0.0 { 0.0 } else { size / scale }
}

fn sums(data: &LossData<'_>, factors: &[ByRows], rank: usize, constant: &Constant) -> Sums {
    let rows = Rows::of(*data, factors, 0, rank);
    let stored = matches!(data.entries, Entries::Sparse(_));
    let apart = f64::from(stored);
    let one = |i: usize| {
        let (mut s, mut seen) = (Sums::default(), stored);
        let row = &factors[0][i * rank..(i + 1) * rank];
        rows.visit(i, |x, w, p| {
            seen = true;
            let m = inner(row, p);
            let (pearson, share) = data.loss.pearson(x, m);
            let gap = x - data.loss.expected(m);
            let null = data.loss.slopes(x, constant.model).0;
            s.pearson += w * (pearson - apart * m);
            s.freedom += share;
            s.gap += w * (gap * gap - apart * m * m);
            s.size += w * x * x;
            s.null_slope += w * w * (null * null - apart);
            s.most = s.most.max(m.abs());
        });
        s.unseen = f64::from(!seen);
        s
    };
    let all: Vec<Sums> = (0..data.dims[0]).into_par_iter().map(one).collect();
    let mut total = all.into_iter().fold(Sums::default(), Sums::plus);
    if let Entries::Dense(_, Some(weights)) = data.entries {
        total.unseen += unseen(data.dims, weights);
    }
    if stored {
        let sums = factors.iter().map(|f| column_sums(f, rank));
        let mass = sums.fold(vec![1.0; rank], |p, s| {
            p.iter().zip(&s).map(|(a, b)| a * b).collect()
        });
        total.pearson = (total.pearson + mass.iter().sum::<f64>()).max(0.0);
        total.gap = (total.gap + squared_norm(factors, rank)).max(0.0);
        total.null_slope = (total.null_slope + constant.weight).max(0.0);
        total.freedom = constant.weight;
    }
    total
}

/// Rows without an observation, of all modes but the first.
fn unseen(dims: &[usize], weights: &[f64]) -> f64 {
    let mut stride = dims[0];
    let mut missing = 0;
    for &n in &dims[1..] {
        let mut seen = vec![false; n];
        let observed = weights.iter().enumerate().filter(|(_, w)| **w > 0.0);
        observed.for_each(|(at, _)| seen[at / stride % n] = true);
        missing += seen.iter().filter(|s| !**s).count();
        stride *= n;
    }
    missing as f64
}

/// The squared norm of a model.
fn squared_norm(factors: &[ByRows], rank: usize) -> f64 {
    let mut product = vec![1.0; rank * rank];
    for f in factors {
        let mut gram = vec![0.0; rank * rank];
        for row in f.chunks_exact(rank) {
            for (r, a) in row.iter().enumerate() {
                let column = gram[r * rank..(r + 1) * rank].iter_mut();
                column.zip(row).for_each(|(g, b)| *g += a * b);
            }
        }
        product.iter_mut().zip(&gram).for_each(|(p, g)| *p *= g);
    }
    product.iter().sum()
}

/// Numbers that a model of `rank` components is free to choose.
pub(super) fn parameters(dims: &[usize], rank: usize) -> f64 {
    let total: f64 = dims.iter().map(|&n| n as f64).sum();
    rank as f64 * (total + 1.0 - dims.len() as f64)
}

/// What the best components take of noise of unit variance, at most about: Gordon's bound for one, times their number.
fn reach(dims: &[usize], rank: usize) -> f64 {
    let side: f64 = dims.iter().map(|&n| (n as f64).sqrt()).sum();
    rank as f64 * side * side
}
