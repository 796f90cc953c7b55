//! Entries that a fit does without and foretells.

use super::constant::constant_of;
use super::evidence::parameters;
use super::rows::{Entries, LossData, Rows, inner};
use super::search::{Descent, descend};
use crate::run::{Observer, Progress, side_by_side};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Observed entries from which on some are held out, the share of them, and the sweeps of the fit without them.
const MANY: usize = 400;
const SHARE: f64 = 0.05;
const SWEEPS: usize = 100;

/// The losses of entries held out, by the fit that goes on without them and by the constant, where there are enough
/// entries; and whether the observer broke. One per cent of the constant is mixed into positive models, since a rate
/// of zero foretells that nothing ever happens.
pub(super) fn held_out(
    data: &LossData<'_>,
    best: &Descent,
    (rank, sweeps, seed): (usize, usize, u64),
    observer: Observer<'_>,
) -> (Option<(f64, f64)>, bool) {
    let Entries::Dense(t, weights) = data.entries else {
        return (None, false);
    };
    let weight = |k: usize| weights.map_or(1.0, |w| w[k]);
    let seen = (0..t.len()).filter(|&k| weight(k) > 0.0).count();
    if seen < MANY || (seen as f64) < 2.0 * parameters(data.dims, rank) {
        return (None, false);
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let held: Vec<bool> = t.iter().map(|_| rng.random::<f64>() < SHARE).collect();
    let part = |kept: bool| -> Vec<f64> {
        let one = |k: usize| if held[k] == kept { 0.0 } else { weight(k) };
        (0..t.len()).map(one).collect()
    };
    let (kept, left) = (part(true), part(false));
    let with = |w| LossData {
        entries: Entries::Dense(t, Some(w)),
        ..*data
    };
    let constant = constant_of(data.loss, t, Some(&kept));
    let p = Progress::open("held-out entries", 0);
    let (fits, halted) = side_by_side(&[true, false], &p, observer, |&real, halt| {
        let budget = (rank, SWEEPS.min(sweeps), constant.unit);
        real.then(|| descend(&with(&kept), best.factors.clone(), budget, halt))
    });
    let Some(fit) = fits.into_iter().flatten().next() else {
        return (None, halted);
    };
    let mixed = if data.loss.is_nonnegative() {
        0.01
    } else {
        0.0
    };
    let (mut ours, mut null) = (0.0, 0.0);
    let rows = Rows::of(with(&left), &fit.factors, 0, rank);
    for (i, row) in fit.factors[0].chunks_exact(rank).enumerate() {
        rows.visit(i, |x, w, p| {
            let m = inner(row, p) * (1.0 - mixed) + mixed * constant.model;
            ours += w * data.loss.excess(x, m);
            null += w * data.loss.excess(x, constant.model);
        });
    }
    ((!halted).then_some((ours, null)), halted)
}
