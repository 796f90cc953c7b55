//! Starts and sweeps: every row of every mode in turn, extrapolated, never uphill.
//!
//! After a sweep the factors go on in the direction in which they moved; where the next sweep from there ends above, it is
//! withdrawn and made from the factors themselves. So the loss falls from sweep to sweep whatever the extrapolation does.
//!
//! Source: block coordinate descent by rows after Hansen, Plantenga, Kolda 2015; extrapolation after Ang, Cohen, Gillis, Hien 2021.

use super::rows::{ByRows, LossData};
use crate::decomp::cp::starts::jennrich::normal;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::sync::atomic::AtomicBool;

/// Share of the loss that a sweep must gain, and sweeps in a row that may gain less.
const GAIN: f64 = 1e-9;
const QUIET: usize = 5;
/// Loss, in units of the data, at which a fit is as good as rounding allows.
const EXACT: f64 = 1e-15;
/// Share of a positive entry that extrapolation leaves, so that positive models stay positive.
const LEFT: f64 = 0.1;

/// One start at its end.
#[derive(Clone)]
pub(super) struct Descent {
    pub(super) factors: Vec<ByRows>,
    /// Losses before the first sweep and after each.
    pub(super) history: Vec<f64>,
    /// Whether the sweeps ran out.
    pub(super) spent: bool,
}

impl Descent {
    pub(super) fn loss(&self) -> f64 {
        self.history.last().copied().unwrap_or(f64::INFINITY)
    }
}

/// Random factors whose model has entries of about `size`.
pub(super) fn start(data: &LossData<'_>, rank: usize, size: f64, seed: u64) -> Vec<ByRows> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let order = data.dims.len() as f64;
    let nonnegative = data.loss.is_nonnegative();
    // Uniform in 0.1..1.1: mean 0.6 in each mode.
    let typical = match nonnegative {
        true => rank as f64 * 0.6f64.powf(order),
        false => (rank as f64).sqrt(),
    };
    let scale = (size.max(f64::MIN_POSITIVE) / typical).powf(1.0 / order);
    let mut draw = || match nonnegative {
        true => scale * (0.1 + rng.random::<f64>()),
        false => scale * normal(&mut rng),
    };
    let factor = |&n: &usize| (0..n * rank).map(|_| draw()).collect();
    data.dims.iter().map(factor).collect()
}

/// Descends from `x` in at most `sweeps` sweeps; `unit` is the loss that counts as large. Ends early, where it is, when
/// `halt` is set.
pub(super) fn descend(
    data: &LossData<'_>,
    mut x: Vec<ByRows>,
    (rank, sweeps, unit): (usize, usize, f64),
    halt: &AtomicBool,
) -> Descent {
    balance(&mut x, rank);
    let mut far = x.clone();
    let mut history = vec![data.value(&x, rank)];
    let (mut beta, mut quiet, mut spent) = (0.5f64, 0, true);
    for _ in 0..sweeps {
        let before = history[history.len() - 1];
        let mut next = far.clone();
        let Some(mut f) = data.sweep(&mut next, rank, halt) else {
            spent = false;
            break;
        };
        if f <= before {
            beta = (beta * 1.05).min(0.98);
        } else {
            // The extrapolation went too far, or its loss is not a number: sweep again from where we were.
            next.clone_from(&x);
            let Some(again) = data.sweep(&mut next, rank, halt) else {
                spent = false;
                break;
            };
            f = again;
            beta *= 0.5;
        }
        if !(f <= before) {
            // Rounding: nothing is left to gain.
            spent = false;
            break;
        }
        balance(&mut next, rank);
        far = ahead(&next, &x, beta, data.loss.is_nonnegative());
        x = next;
        history.push(f);
        quiet = if before - f <= GAIN * f { quiet + 1 } else { 0 };
        if quiet >= QUIET || f <= EXACT * unit {
            spent = false;
            break;
        }
    }
    Descent {
        factors: x,
        history,
        spent,
    }
}

/// `x + beta (x - old)`; positive entries keep a share where factors are nonnegative.
fn ahead(x: &[ByRows], old: &[ByRows], beta: f64, nonnegative: bool) -> Vec<ByRows> {
    let step = |(x, old): (&ByRows, &ByRows)| {
        let pairs = x.iter().zip(old);
        let moved = pairs.map(|(&v, &o)| match nonnegative {
            true => (v + beta * (v - o)).max(LEFT * v),
            false => v + beta * (v - o),
        });
        moved.collect()
    };
    x.iter().zip(old).map(step).collect()
}

/// Gives the columns of each component equal lengths in all modes; the model does not change. A component that vanishes in
/// one mode is left alone.
pub(super) fn balance(factors: &mut [ByRows], rank: usize) {
    for r in 0..rank {
        let length = |f: &ByRows| {
            let column = f.iter().skip(r).step_by(rank);
            let top = column.clone().fold(0.0f64, |t, x| t.max(x.abs()));
            match top > 0.0 {
                true => top * column.map(|x| (x / top) * (x / top)).sum::<f64>().sqrt(),
                false => 0.0,
            }
        };
        let lengths: Vec<f64> = factors.iter().map(length).collect();
        let mean = (lengths.iter().map(|l| l.ln()).sum::<f64>() / lengths.len() as f64).exp();
        if !(mean > 0.0 && mean.is_finite()) {
            continue;
        }
        for (f, l) in factors.iter_mut().zip(&lengths) {
            let scale = mean / l;
            f.iter_mut().skip(r).step_by(rank).for_each(|x| *x *= scale);
        }
    }
}
