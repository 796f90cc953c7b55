//! Merging neurons that the samples do not tell apart, and dropping those that do nothing.

use super::absolute_values::{Forward, Kinks};
use super::levenberg_marquardt::{Landing, descend};
use crate::learn::relu::directions::search::Search;
use crate::learn::relu::network::dot;
use crate::learn::relu::sample::{Sample, mean_square};
use crate::linalg::norm2;

/// Samples on which neurons `i` and `j` disagree, up to the sign of either: those between their two kinks.
pub(in crate::learn::relu) fn wedge(at: &Forward, i: usize, j: usize) -> usize {
    let differ = at
        .keys
        .iter()
        .filter(|&k| (k >> i ^ k >> j) & 1 == 1)
        .count();
    differ.min(at.keys.len() - differ)
}

/// Collapses the closest pair, refits, keeps the result when it is no dearer; until nothing changes.
///
/// Two neurons of one sign add, two of opposite sign leave their signed sum. The three closest pairs and
/// the removal of the weakest neuron are tried at each stage. Between two kinks lie `m` samples, and they
/// alone tell the two neurons (`d` unknowns) from one: with `m < d` the training error means nothing, and
/// the samples `held` out decide instead. In an exact fit no other pairs are tried: kinks that the samples
/// separate cannot stand in for each other.
pub(in crate::learn::relu) fn merged(
    train: &Sample,
    held: &Sample,
    from: Landing,
    search: Search,
) -> Landing {
    let cost = |l: &Landing| search.price(l, train);
    let mut at = collapsed(train, from, search);
    // Every success removes a neuron.
    for _ in 0..at.kinks.len() {
        let now = at.kinks.forward(train);
        let held_now = at.kinks.forward(held).mse;
        let exact = now.mse <= search.enough * mean_square(&train.y);
        let better = proposals(&at.kinks).into_iter().find_map(|(pair, start)| {
            let unseen = pair.is_some_and(|(i, j)| wedge(&now, i, j) < train.dim());
            if exact && pair.is_some() && !unseen {
                return None;
            }
            let sketch = descend(train, &start, search.sketch(25));
            // A sketch ends within some permille of where a descent does.
            if !unseen && cost(&sketch) > cost(&at) + 0.05 {
                return None;
            }
            let landed = descend(train, &sketch.kinks, search.descent(25));
            let no_worse = || landed.kinks.forward(held).mse <= 2.0 * held_now;
            (cost(&landed) <= cost(&at) || (unseen && no_worse())).then_some(landed)
        });
        match better {
            Some(l) => at = l,
            None => break,
        }
    }
    at
}

/// In an exact fit, joins at once all neurons that no sample separates, and drops those that have every sample
/// on one side or no weight to speak of: they are copies of each other, of the linear part, or nothing.
fn collapsed(train: &Sample, from: Landing, search: Search) -> Landing {
    let enough = search.enough * mean_square(&train.y);
    let exact = |l: &Landing| l.mse <= enough;
    if !exact(&from) {
        return from;
    }
    let keys = from.kinks.forward(train).keys;
    let negative = |i: usize| keys.iter().filter(|&k| k >> i & 1 == 1).count();
    // A hundredfold, because several may add up; the descent decides.
    let faint = |i: usize| norm2(from.kinks.weight(i)).powi(2) <= 100.0 * enough;
    let idle: Vec<usize> = (0..from.kinks.len())
        .filter(|&i| faint(i) || negative(i) == 0 || negative(i) == keys.len())
        .collect();
    let mut kinks = from.kinks.without(&idle);
    let mut keys = kinks.forward(train);
    while let Some((i, j)) = pairs(&kinks)
        .into_iter()
        .find(|&(i, j)| wedge(&keys, i, j) == 0)
    {
        kinks = joined(&kinks, i, j);
        keys = kinks.forward(train);
    }
    if kinks.len() == from.kinks.len() {
        return from;
    }
    let landed = descend(train, &kinks, search.descent(25));
    if exact(&landed) { landed } else { from }
}

/// Collapses or drops neurons until at most `search.limit` are left, each time what costs least.
pub(in crate::learn::relu) fn reduced(train: &Sample, from: Landing, search: Search) -> Landing {
    let mut at = collapsed(train, from, search);
    while at.kinks.len() > search.limit {
        let least = proposals(&at.kinks)
            .iter()
            .map(|(_, start)| descend(train, start, search.descent(25)))
            .min_by(|a, b| a.mse.total_cmp(&b.mse));
        match least {
            Some(l) => at = l,
            None => break,
        }
    }
    at
}

/// Pairs of neurons, the closest first.
fn pairs(kinks: &Kinks) -> Vec<(usize, usize)> {
    let k = kinks.len();
    let mut pairs: Vec<(usize, usize)> = (0..k).flat_map(|j| (0..j).map(move |i| (i, j))).collect();
    pairs.sort_by(|a, b| kinks.cosine(b.0, b.1).total_cmp(&kinks.cosine(a.0, a.1)));
    pairs
}

/// Networks with one neuron less, and the pair that was joined if one was.
fn proposals(kinks: &Kinks) -> Vec<(Option<(usize, usize)>, Kinks)> {
    let k = kinks.len();
    let mut out: Vec<_> = pairs(kinks)
        .into_iter()
        .take(3)
        .map(|(i, j)| (Some((i, j)), joined(kinks, i, j)))
        .collect();
    let weakest = (0..k).min_by(|&a, &b| norm2(kinks.weight(a)).total_cmp(&norm2(kinks.weight(b))));
    if let Some(i) = weakest {
        out.push((None, kinks.without(&[i])));
    }
    out
}

/// Neurons `i` and `j` replaced by one along their signed sum, or by none when they cancel.
fn joined(kinks: &Kinks, i: usize, j: usize) -> Kinks {
    let (a, b) = (kinks.weight(i), kinks.weight(j));
    let side = if dot(a, b) < 0.0 { -1.0 } else { 1.0 };
    let (sa, sb) = (kinks.signs[i], kinks.signs[j]);
    let sum: Vec<f64> = a
        .iter()
        .zip(b)
        .map(|(x, y)| sa * x + side * sb * y)
        .collect();
    let net = sa * norm2(a) + sb * norm2(b);
    let rest = kinks.without(&[i, j]);
    let norm = norm2(&sum);
    if norm <= 1e-9 * (norm2(a) + norm2(b)) || net == 0.0 {
        return rest;
    }
    let weight = sum.iter().map(|x| x / norm * net.abs()).collect();
    rest.with(&[(weight, net.signum())])
}
