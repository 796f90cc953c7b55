//! Where climbs start: cells of the sample, and mixtures with one component fewer.

use super::floor::Floor;
use crate::Error;
use crate::learn::mixture::gaussian::{Component, GaussianMixture, scaled_identity};
use crate::learn::mixture::score::regression::cells;
use crate::linalg;
use faer::Mat;
use rand::Rng;

/// A start from cells: their shares and means, and the pooled within-cell covariance for all.
pub(in crate::learn::mixture) fn from_cells(
    rows: &[f64],
    dim: usize,
    count: usize,
    floor: &Floor,
    rng: &mut impl Rng,
) -> Result<GaussianMixture, Error> {
    let mut centres = cells::centres(rows, dim, count, rng);
    // Fewer distinct rows than components: coincident centres, which the climb may still pull apart.
    while centres.len() < count * dim {
        let again = centres[..dim].to_vec();
        centres.extend(again);
    }
    let mut nearest = vec![0u32; rows.len() / dim];
    cells::assign(rows, dim, &centres, &mut nearest);
    let mut sizes = vec![0.0f64; count];
    let mut within = vec![0.0; dim * dim];
    for (row, &j) in rows.chunks_exact(dim).zip(&nearest) {
        let j = j as usize;
        sizes[j] += 1.0;
        let c = &centres[j * dim..(j + 1) * dim];
        for a in 0..dim {
            for b in 0..dim {
                within[a * dim + b] += (row[a] - c[a]) * (row[b] - c[b]);
            }
        }
    }
    let n = nearest.len().max(1) as f64;
    within.iter_mut().for_each(|w| *w /= n);
    (0..dim).for_each(|a| within[a * dim + a] *= 1.0 + 1e-6);
    floor.raise(&mut within)?;
    let components = (0..count).map(|j| Component {
        weight: sizes[j].max(0.5),
        mean: centres[j * dim..(j + 1) * dim].to_vec(),
        covariance: within.clone(),
    });
    let components: Vec<Component> = components.collect();
    GaussianMixture::new(dim, components.clone()).or_else(|_| {
        // Cells that are points: the covariance is rounding, a multiple of the identity replaces it.
        let trace: f64 = (0..dim).map(|a| within[a * dim + a]).sum();
        let covariance = scaled_identity(dim, trace / dim as f64);
        let round = components.into_iter().map(|c| Component {
            covariance: covariance.clone(),
            ..c
        });
        GaussianMixture::new(dim, round.collect())
    })
}

/// Starts with one component more: each component in turn is cut in two across its longest axis. The first
/// start is a cut so slight that the likelihood is that of `smaller`, so the climb cannot end below it.
pub(in crate::learn::mixture) fn splits(
    smaller: &GaussianMixture,
) -> Result<Vec<GaussianMixture>, Error> {
    let dim = smaller.dim();
    let mut starts = Vec::new();
    let heaviest =
        |a: &(usize, &Component), b: &(usize, &Component)| a.1.weight.total_cmp(&b.1.weight);
    let order = smaller.components().iter().enumerate();
    if let Some((j, _)) = order.clone().max_by(heaviest) {
        starts.push(cut(smaller, j, 0.02, false)?);
    }
    for (j, c) in order {
        if c.weight > 0.0 && dim > 0 {
            starts.push(cut(smaller, j, 0.8, true)?);
        }
    }
    Ok(starts)
}

/// Moves the halves of component `j` to `mean +- by * sd` along its longest axis; `shrink` removes that
/// spread from its covariance.
fn cut(m: &GaussianMixture, j: usize, by: f64, shrink: bool) -> Result<GaussianMixture, Error> {
    let dim = m.dim();
    let c = &m.components()[j];
    let sigma = Mat::from_fn(dim, dim, |a, b| c.covariance[a * dim + b]);
    let spectrum = linalg::symmetric_eigen("Em::learn", sigma.as_ref())?;
    let length = spectrum.values[dim - 1].max(0.0);
    let axis: Vec<f64> = (0..dim).map(|a| spectrum.vectors[(a, dim - 1)]).collect();
    let half = |sign: f64| {
        let mut part = c.clone();
        part.weight *= 0.5;
        for a in 0..dim {
            part.mean[a] += sign * by * length.sqrt() * axis[a];
            for b in 0..dim {
                if shrink {
                    part.covariance[a * dim + b] -= by * by * length * axis[a] * axis[b];
                }
            }
        }
        part
    };
    let mut components = m.components().to_vec();
    components[j] = half(1.0);
    components.push(half(-1.0));
    GaussianMixture::new(dim, components)
}
