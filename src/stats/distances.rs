//! Are two samples from one law? Distances and tests that any method can be held against.

use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::{ParallelIterator, ParallelSlice};

/// Kolmogorov's distance of two samples on a line, `sup |F_a - F_b|`; 1 when one is empty.
///
/// ```
/// assert_eq!(wickring::stats::ks_distance(&[1.0, 2.0], &[3.0, 4.0]), 1.0);
/// ```
pub fn ks_distance(a: &[f64], b: &[f64]) -> f64 {
    if a.is_empty() || b.is_empty() {
        return 1.0;
    }
    let sorted = |x: &[f64]| {
        let mut v = x.to_vec();
        v.sort_unstable_by(f64::total_cmp);
        v
    };
    ks_of_sorted(&sorted(a), &sorted(b))
}

/// As [`ks_distance`] for values in rising order, neither side empty; 1 where a value is not a number.
pub(crate) fn ks_of_sorted(a: &[f64], b: &[f64]) -> f64 {
    let (n, m) = (a.len() as f64, b.len() as f64);
    let (mut i, mut j, mut worst) = (0, 0, 0.0f64);
    while i < a.len() && j < b.len() {
        let x = a[i].min(b[j]);
        if x.is_nan() {
            return 1.0;
        }
        while i < a.len() && a[i] <= x {
            i += 1;
        }
        while j < b.len() && b[j] <= x {
            j += 1;
        }
        worst = worst.max((i as f64 / n - j as f64 / m).abs());
    }
    worst
}

/// The largest Kolmogorov distance over random projections (and the coordinates) of row-major samples.
pub fn projected_ks(
    a: &[f64],
    b: &[f64],
    dim: usize,
    projections: usize,
    rng: &mut impl Rng,
) -> f64 {
    let mut worst = 0.0f64;
    for k in 0..projections {
        let direction: Vec<f64> = if k < dim.min(projections / 2) {
            (0..dim).map(|a| f64::from(u8::from(a == k))).collect()
        } else {
            (0..dim).map(|_| StandardNormal.sample(rng)).collect()
        };
        let along = |rows: &[f64]| -> Vec<f64> {
            rows.chunks_exact(dim)
                .map(|r| r.iter().zip(&direction).map(|(x, d)| x * d).sum())
                .collect()
        };
        worst = worst.max(ks_distance(&along(a), &along(b)));
    }
    worst
}

/// Distance of each row of `rows` to the nearest row of `reference`, both row-major.
///
/// # Complexity
/// `O(rows * reference * dim)`.
pub fn nearest_distances(rows: &[f64], reference: &[f64], dim: usize) -> Vec<f64> {
    let least = |row: &[f64]| {
        let gap = |r: &[f64]| crate::linalg::small::squared_distance(row, r);
        reference
            .chunks_exact(dim)
            .map(gap)
            .fold(f64::INFINITY, f64::min)
            .sqrt()
    };
    let parts: Vec<Vec<f64>> = rows
        .par_chunks(64 * dim)
        .map(|chunk| chunk.chunks_exact(dim).map(least).collect())
        .collect();
    parts.concat()
}

/// Has a generator memorised its training rows? Kolmogorov's distance between the distances of generated and
/// of held-out rows to the nearest training row; a generator that copies makes the former small.
pub fn memorisation(generated: &[f64], held_out: &[f64], training: &[f64], dim: usize) -> f64 {
    ks_distance(
        &nearest_distances(generated, training, dim),
        &nearest_distances(held_out, training, dim),
    )
}

/// Energy distance `2 E|a - b| - E|a - a'| - E|b - b'|` of two row-major samples (unbiased, so it may be
/// slightly negative) and the share of `permutations` random relabellings with a larger one.
///
/// # Complexity
/// `O((rows of both)^2 * (dim + permutations))`; use a few thousand rows.
pub fn energy_test(
    a: &[f64],
    b: &[f64],
    dim: usize,
    permutations: usize,
    rng: &mut impl Rng,
) -> (f64, f64) {
    let rows: Vec<&[f64]> = a.chunks_exact(dim).chain(b.chunks_exact(dim)).collect();
    let (n, first) = (rows.len(), a.len() / dim);
    if first < 2 || n - first < 2 {
        return (0.0, 1.0);
    }
    let gaps: Vec<Vec<f64>> = rows
        .par_chunks(16)
        .flat_map_iter(|chunk| {
            let to_all = |r: &&[f64]| {
                rows.iter()
                    .map(|s| crate::linalg::small::squared_distance(r, s).sqrt())
                    .collect::<Vec<f64>>()
            };
            chunk.iter().map(to_all).collect::<Vec<_>>()
        })
        .collect();
    let statistic = |side: &[bool]| {
        let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
        for (row, &left) in gaps.iter().zip(side) {
            let own: f64 = row
                .iter()
                .zip(side)
                .map(|(g, &s)| if s == left { *g } else { 0.0 })
                .sum();
            let all: f64 = row.iter().sum();
            if left {
                aa += own;
                ab += all - own;
            } else {
                bb += own;
            }
        }
        let (p, q) = (first as f64, (n - first) as f64);
        2.0 * ab / (p * q) - aa / (p * (p - 1.0)) - bb / (q * (q - 1.0))
    };
    let mut side: Vec<bool> = (0..n).map(|i| i < first).collect();
    let observed = statistic(&side);
    let mut larger = 0usize;
    for _ in 0..permutations {
        for i in (1..n).rev() {
            side.swap(i, rng.random_range(0..=i));
        }
        larger += usize::from(statistic(&side) >= observed);
    }
    (observed, (larger + 1) as f64 / (permutations + 1) as f64)
}

/// Total variation between the histogram of two-dimensional row-major `rows` on a `bins x bins` grid over
/// `[low, high]` and the masses of a density there (3 x 3 midpoint rule in each bin).
pub fn histogram_total_variation(
    rows: &[f64],
    bins: usize,
    low: [f64; 2],
    high: [f64; 2],
    density: &mut dyn FnMut(&[f64]) -> Vec<f64>,
) -> f64 {
    let width = [
        (high[0] - low[0]) / bins as f64,
        (high[1] - low[1]) / bins as f64,
    ];
    let mut counts = vec![0.0; bins * bins];
    let n = (rows.len() / 2).max(1) as f64;
    let mut inside = 0.0;
    for row in rows.chunks_exact(2) {
        let at = [(row[0] - low[0]) / width[0], (row[1] - low[1]) / width[1]];
        if at.iter().all(|v| *v >= 0.0 && *v < bins as f64) {
            counts[at[0] as usize * bins + at[1] as usize] += 1.0 / n;
            inside += 1.0 / n;
        }
    }
    let mut points = Vec::with_capacity(bins * bins * 18);
    for cell in 0..bins * bins {
        for sub in 0..9 {
            let third = |i: usize| (i as f64 + 0.5) / 3.0;
            points.push(low[0] + width[0] * ((cell / bins) as f64 + third(sub / 3)));
            points.push(low[1] + width[1] * ((cell % bins) as f64 + third(sub % 3)));
        }
    }
    let values = density(&points);
    let area = width[0] * width[1] / 9.0;
    let (mut gap, mut mass) = (0.0, 0.0);
    for (count, nine) in counts.iter().zip(values.chunks_exact(9)) {
        let expected = nine.iter().sum::<f64>() * area;
        gap += (count - expected).abs();
        mass += expected;
    }
    0.5 * (gap + ((1.0 - inside) - (1.0 - mass)).abs())
}
