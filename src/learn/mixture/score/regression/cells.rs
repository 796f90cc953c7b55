//! Voronoi cells: seeding by k-means++, Lloyd's iteration, nearest centres.

use faer::traits::pulp::Arch;
use rand::{Rng, RngExt};

/// Lloyd sweeps; cells and starts need no more than a rough optimum.
const LLOYD_SWEEPS: usize = 15;
/// Rows whose nearest centres are found together.
const BLOCK: usize = 128;

/// Centres of `count` cells of `rows` (row-major) by k-means++ and Lloyd's iteration.
///
/// Fewer centres come back when the rows have fewer distinct values.
pub(in crate::learn::mixture) fn centres(
    rows: &[f64],
    dim: usize,
    count: usize,
    rng: &mut impl Rng,
) -> Vec<f64> {
    let mut centres = seeds(rows, dim, count, rng);
    let mut nearest = vec![0u32; rows.len() / dim];
    for _ in 0..LLOYD_SWEEPS {
        let moved = assign(rows, dim, &centres, &mut nearest);
        if moved == 0 {
            break;
        }
        let k = centres.len() / dim;
        let (mut sums, mut sizes) = (vec![0.0; k * dim], vec![0.0f64; k]);
        for (row, &j) in rows.chunks_exact(dim).zip(&nearest) {
            let j = j as usize;
            sizes[j] += 1.0;
            let sum = &mut sums[j * dim..(j + 1) * dim];
            sum.iter_mut().zip(row).for_each(|(s, x)| *s += x);
        }
        for j in (0..k).filter(|&j| sizes[j] > 0.0) {
            for a in j * dim..(j + 1) * dim {
                centres[a] = sums[a] / sizes[j];
            }
        }
    }
    centres
}

/// k-means++: each centre is a row drawn with probability proportional to its squared distance.
fn seeds(rows: &[f64], dim: usize, count: usize, rng: &mut impl Rng) -> Vec<f64> {
    let n = rows.len() / dim;
    if n == 0 || count == 0 {
        return Vec::new();
    }
    let first = rng.random_range(0..n);
    let mut centres = rows[first * dim..(first + 1) * dim].to_vec();
    let mut gap = vec![f64::INFINITY; n];
    while centres.len() < count * dim {
        let last = &centres[centres.len() - dim..];
        for (g, row) in gap.iter_mut().zip(rows.chunks_exact(dim)) {
            *g = g.min(crate::linalg::small::squared_distance(row, last));
        }
        let total: f64 = gap.iter().sum();
        // Zero when every row already is a centre.
        if !(total > 0.0 && total.is_finite()) {
            break;
        }
        let mut left = rng.random::<f64>() * total;
        let pick = gap.iter().position(|&g| {
            left -= g;
            left < 0.0
        });
        let fallback = || gap.iter().rposition(|&g| g > 0.0);
        let Some(i) = pick.filter(|&i| gap[i] > 0.0).or_else(fallback) else {
            break;
        };
        centres.extend_from_slice(&rows[i * dim..(i + 1) * dim]);
    }
    centres
}

/// Writes the index of the nearest centre of each row; returns how many changed.
pub(in crate::learn::mixture) fn assign(
    rows: &[f64],
    dim: usize,
    centres: &[f64],
    nearest: &mut [u32],
) -> usize {
    let mut moved = 0;
    let mut now = vec![0u32; BLOCK];
    for (rows, places) in rows.chunks(BLOCK * dim).zip(nearest.chunks_mut(BLOCK)) {
        let now = &mut now[..places.len()];
        nearest_centres(rows, dim, centres, now);
        moved += now
            .iter()
            .zip(places.iter())
            .filter(|(a, b)| a != b)
            .count();
        places.copy_from_slice(now);
    }
    moved
}

/// Index of the nearest centre of each row; the first of equals.
pub(in crate::learn::mixture) fn nearest_centres(
    rows: &[f64],
    dim: usize,
    centres: &[f64],
    nearest: &mut [u32],
) {
    let mut columns = vec![0.0; BLOCK * dim];
    for (rows, places) in rows.chunks(BLOCK * dim).zip(nearest.chunks_mut(BLOCK)) {
        for (i, row) in rows.chunks_exact(dim).enumerate() {
            for (a, x) in row.iter().enumerate() {
                columns[a * BLOCK + i] = *x;
            }
        }
        Arch::new().dispatch(
            #[inline(always)]
            || {
                // Indices as numbers, so that both selections run on the same registers.
                let (mut best, mut least) = ([0.0f64; BLOCK], [f64::INFINITY; BLOCK]);
                for (j, c) in centres.chunks_exact(dim).enumerate() {
                    let mut gap = [0.0; BLOCK];
                    for (column, c) in columns.chunks_exact(BLOCK).zip(c) {
                        for (g, x) in gap.iter_mut().zip(column) {
                            *g += (x - c) * (x - c);
                        }
                    }
                    let j = j as f64;
                    for ((b, l), g) in best.iter_mut().zip(least.iter_mut()).zip(&gap) {
                        *b = if *g < *l { j } else { *b };
                        *l = if *g < *l { *g } else { *l };
                    }
                }
                for (place, b) in places.iter_mut().zip(&best) {
                    *place = *b as u32;
                }
            },
        );
    }
}
