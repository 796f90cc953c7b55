//! Alternating least squares: one sweep over all modes costs two products with the data.

use super::normal_equations::hadamard_grams;
use crate::Error;
use crate::linalg::{Scalar, small};
use crate::tensor::{Factor, Side, TensorView, best_split, half, one_in_group, residual_norm};
use std::borrow::Cow;
use std::ops::ControlFlow;

/// One sweep: every factor in turn is the least-squares solution given the others.
///
/// The two partial products of [`crate::tensor::mttkrp_all`] are interleaved with the updates: the left
/// group is updated from the product with the old right factors, the right group from that with the new
/// left ones. So a true Gauss-Seidel sweep reads the data twice whatever the number of modes.
pub(super) fn sweep<T: Scalar>(
    t: TensorView<'_, T>,
    factors: &mut [Factor<T>],
    grams: &mut [Factor<T>],
) -> Result<(), Error> {
    let rank = factors.first().map_or(0, Factor::cols);
    let split = best_split(t.dims());
    for side in [Side::Left, Side::Right] {
        let (modes, others) = if side == Side::Left {
            (0..split, split..factors.len())
        } else {
            (split..factors.len(), 0..split)
        };
        if modes.is_empty() {
            continue;
        }
        let contracted = conjugated(&factors[others]);
        let partial = half(t, split, &contracted, side, rank)?;
        drop(contracted);
        for m in modes.clone() {
            let group = conjugated(&factors[modes.clone()]);
            let mut update = one_in_group(&partial, &group, rank, m - modes.start)?;
            drop(group);
            let gamma = hadamard_grams(grams, rank, &[m]);
            solve_columns(&gamma, &mut update);
            grams[m] = update.gram();
            factors[m] = update;
        }
        balance(&mut factors[..], grams);
    }
    Ok(())
}

fn conjugated<T: Scalar>(factors: &[Factor<T>]) -> Cow<'_, [Factor<T>]> {
    if T::COMPLEX {
        factors.iter().map(Factor::conj).collect()
    } else {
        Cow::Borrowed(factors)
    }
}

/// `update <- update * inverse(gamma')`; a singular Gram gets the smallest ridge that Cholesky accepts.
pub(in crate::decomp) fn solve_columns<T: Scalar>(gamma: &Factor<T>, update: &mut Factor<T>) {
    let rank = gamma.cols();
    let top = (0..rank)
        .map(|r| gamma.column(r)[r].re())
        .fold(0.0, f64::max);
    if !(top > 0.0) {
        update
            .as_mut_slice()
            .iter_mut()
            .for_each(|x| *x = T::zero());
        return;
    }
    let mut ridge = 0.0;
    // 1e-15 * 10^15 exceeds the diagonal, so one of the attempts is definite.
    for attempt in 0..16 {
        let mut l: Vec<T> = gamma.as_slice().iter().map(|x| x.conj()).collect();
        (0..rank).for_each(|r| l[r * (rank + 1)] += T::from_parts(ridge, 0.0));
        if small::cholesky(&mut l, rank) {
            let rows = update.rows();
            small::solve_right(&l, rank, update.as_mut_slice(), rows);
            return;
        }
        ridge = top * 1e-15 * 10f64.powi(attempt);
    }
}

/// Gives the columns of each component equal lengths in all modes; the tensor does not change.
pub(super) fn balance<T: Scalar>(factors: &mut [Factor<T>], grams: &mut [Factor<T>]) {
    let rank = factors.first().map_or(0, Factor::cols);
    let order = factors.len() as f64;
    for r in 0..rank {
        let lengths: Vec<f64> = grams
            .iter()
            .map(|g| g.column(r)[r].re().max(0.0).sqrt())
            .collect();
        let mean = (lengths.iter().map(|l| l.ln()).sum::<f64>() / order).exp();
        if !(mean > 0.0 && mean.is_finite()) {
            continue;
        }
        for (m, &l) in lengths.iter().enumerate() {
            let s = mean / l;
            factors[m].scale_column(r, s);
            let g = grams[m].as_mut_slice();
            for k in 0..rank {
                g[r * rank + k] = g[r * rank + k].scale(s);
                g[k * rank + r] = g[k * rank + r].scale(s);
            }
        }
    }
}

/// Gram matrices of all factors.
pub(super) fn grams_of<T: Scalar>(factors: &[Factor<T>]) -> Vec<Factor<T>> {
    factors.iter().map(Factor::gram).collect()
}

/// Called with the residual before each iteration; a break ends the run.
pub(super) type Watch<'a> = &'a mut dyn FnMut(f64) -> ControlFlow<()>;

/// When alternating sweeps end.
#[derive(Clone, Copy, Debug)]
pub(super) struct SweepOptions {
    /// Sweeps.
    pub(super) sweeps: usize,
    /// The residual must fall by this share within [`WINDOW`] sweeps, else the run is slow; zero to go on
    /// until nothing moves.
    pub(super) least_gain: f64,
    /// Residual below which another method is better.
    pub(super) enough: f64,
    /// Sweeps go on, however little they gain, while their gains shrink fast ([`STEADY`]): elsewhere a step of another
    /// method is cheaper than the sweeps that are left.
    pub(super) to_the_end: bool,
    /// A relative decrease that counts as none.
    pub(super) still: f64,
}

impl SweepOptions {
    /// So many sweeps, fewer when the residual is `enough` or nothing moves any more.
    pub(super) fn until_still(sweeps: usize, enough: f64) -> Self {
        Self {
            sweeps,
            least_gain: 0.0,
            enough,
            to_the_end: false,
            still: STILL,
        }
    }
}

/// Sweeps over which progress is measured: extrapolation makes single ones uneven.
const WINDOW: usize = 8;
/// A relative decrease that is rounding, several times in a row.
pub(super) const STILL: f64 = 1e-12;
/// Share of the gain of half a window that the next half may gain for the end to be near: three quarters for each sweep.
const STEADY: f64 = 0.3;

/// Sweeps with extrapolation along the last step: every third sweep tries a longer step first and keeps it
/// if the residual falls (Bro 1998, with the true residual in place of its recurrence). Returns the residual
/// before the first and after each sweep.
pub(super) fn accelerated<T: Scalar>(
    t: TensorView<'_, T>,
    factors: &mut Vec<Factor<T>>,
    options: &SweepOptions,
    watch: Watch<'_>,
) -> Result<Vec<f64>, Error> {
    let mut grams = grams_of(factors);
    let mut f = residual_norm(t, factors)?;
    let mut history = vec![f];
    let mut reach = 3.0f64;
    let mut quiet = 0;
    for k in 0..options.sweeps {
        if f <= options.enough || watch(f).is_break() {
            break;
        }
        let extrapolates = k >= 4 && k % 3 == 0;
        let before = if extrapolates {
            factors.clone()
        } else {
            Vec::new()
        };
        sweep(t, factors, &mut grams)?;
        let mut next = residual_norm(t, factors)?;
        if extrapolates {
            let far: Vec<Factor<T>> = factors
                .iter()
                .zip(&before)
                .map(|(new, old)| beyond(old, new, reach))
                .collect();
            let tried = residual_norm(t, &far)?;
            if tried < next {
                grams = grams_of(&far);
                *factors = far;
                next = tried;
                reach = (reach * 1.5).min(20.0);
            } else {
                reach = (reach * 0.6).max(1.5);
            }
        }
        history.push(next);
        quiet = if f - next <= options.still * f {
            quiet + 1
        } else {
            0
        };
        f = next;
        let slow = history.len() > WINDOW
            && f > (1.0 - options.least_gain) * history[history.len() - 1 - WINDOW]
            && !(options.to_the_end && steady(&history));
        let enough = if options.still > STILL { 1 } else { 3 };
        if quiet >= enough || slow || !f.is_finite() {
            break;
        }
    }
    Ok(history)
}

/// Whether the gains of the last window shrink so fast that what is left is little.
fn steady(history: &[f64]) -> bool {
    let at = |back: usize| history[history.len() - 1 - back];
    let (before, now) = (at(WINDOW) - at(WINDOW / 2), at(WINDOW / 2) - at(0));
    now <= STEADY * before
}

/// `old + reach (new - old)`.
fn beyond<T: Scalar>(old: &Factor<T>, new: &Factor<T>, reach: f64) -> Factor<T> {
    let mut out = new.clone();
    let pairs = out.as_mut_slice().iter_mut().zip(old.as_slice());
    pairs.for_each(|(x, &o)| *x = o + (*x - o).scale(reach));
    out
}
