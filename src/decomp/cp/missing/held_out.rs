//! Observed entries kept from the fit, and what they say of it.
//!
//! A model of an incomplete tensor has two errors: at the entries that it was fitted to, and at those that it was not. The
//! first is small for any model with enough parameters; only the second tells whether the gaps are filled. So one entry in
//! twenty is kept back while the start is found, wherever that leaves every row determined, and the prediction there is
//! held against the error of the fit; then all entries refine the answer.

use rand::{Rng, RngExt};

/// One entry of so many is held out.
const ONE_IN: usize = 20;
/// Entries below which nothing is said.
const LEAST: usize = 10;
/// Entries per parameter that must stay in the fit.
pub(super) const PER_PARAMETER: f64 = 1.5;

/// Parameters of a CP model up to scaling.
pub(super) fn parameters(dims: &[usize], rank: usize) -> f64 {
    let modes: Vec<f64> = dims.iter().filter(|&&n| n > 1).map(|&n| n as f64).collect();
    let free: f64 = modes.iter().map(|n| n - 1.0).sum();
    rank as f64 * (1.0 + free)
}

/// Observed entries that a fit of this rank needs: one and a half for each parameter, and `R sqrt(N)`, below which no method
/// of polynomial time is known to fill gaps at random places (Barak and Moitra 2016: about `R n^(3/2)` at order three).
pub(super) fn needed(dims: &[usize], rank: usize) -> f64 {
    let entries: f64 = dims.iter().map(|&n| n as f64).product();
    (PER_PARAMETER * parameters(dims, rank)).max(rank as f64 * entries.sqrt())
}

/// Positions in the list of observed entries that are held out, ascending; empty where too few can be spared.
///
/// `indices` holds the index of every observed entry, one after the other. No row is left with fewer than twice as many
/// entries as there are components.
pub(super) fn chosen(
    dims: &[usize],
    indices: &[usize],
    rank: usize,
    rng: &mut impl Rng,
) -> Vec<usize> {
    let order = dims.len().max(1);
    let seen = indices.len() / order;
    let wanted = (seen / ONE_IN).max(LEAST);
    if (seen as f64) < wanted as f64 + PER_PARAMETER * parameters(dims, rank) {
        return Vec::new();
    }
    let mut count: Vec<Vec<usize>> = dims.iter().map(|&n| vec![0; n]).collect();
    for index in indices.chunks_exact(order) {
        index.iter().zip(&mut count).for_each(|(&i, c)| c[i] += 1);
    }
    let mut out = vec![false; seen];
    let mut found = 0;
    // Draws that meet a row without entries to spare are lost, so their number is bounded.
    for _ in 0..8 * wanted {
        let at = rng.random_range(0..seen);
        let index = &indices[at * order..(at + 1) * order];
        let spare = index.iter().zip(&count).all(|(&i, c)| c[i] > 2 * rank);
        if out[at] || !spare {
            continue;
        }
        out[at] = true;
        index.iter().zip(&mut count).for_each(|(&i, c)| c[i] -= 1);
        found += 1;
        if found == wanted {
            break;
        }
    }
    match found < LEAST {
        true => Vec::new(),
        false => (0..seen).filter(|&k| out[k]).collect(),
    }
}
