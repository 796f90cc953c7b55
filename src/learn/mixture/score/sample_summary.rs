//! What passes over the samples tell before anything is regressed.

use super::learner::{BLOCK, OP};
use crate::Error;
use crate::learn::mixture::input_check::{Bulk, constant_column, distinct, first_of_equals};
use crate::learn::mixture::source::{SampleSource, in_blocks};
use crate::run::Observer;
use faer::Mat;
use rand::{Rng, RngExt};

/// Rows kept in memory for choices.
const RESERVOIR: usize = 200_000;

/// What two passes over the samples tell.
pub(in crate::learn::mixture) struct Survey {
    pub(in crate::learn::mixture) dim: usize,
    /// Rows used.
    pub(in crate::learn::mixture) rows: usize,
    pub(in crate::learn::mixture) set_aside: usize,
    pub(in crate::learn::mixture) mean: Vec<f64>,
    pub(in crate::learn::mixture) covariance: Mat<f64>,
    pub(in crate::learn::mixture) bulk: Bulk,
    /// At most [`RESERVOIR`] of the rows used.
    pub(in crate::learn::mixture) kept: Vec<f64>,
    /// For each kept row the number of the first one that is equal to it: copies must share a fold.
    pub(in crate::learn::mixture) first: Vec<u32>,
}

impl Survey {
    pub(in crate::learn::mixture) fn take(
        source: &mut dyn SampleSource,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Self, Error> {
        let dim = source.dim();
        let reservoir = reservoir(source, rng, observer)?;
        let bulk = Bulk::of(&reservoir, dim);
        let kept: Vec<f64> = reservoir
            .chunks_exact(dim)
            .filter(|r| bulk.keeps(r))
            .flatten()
            .copied()
            .collect();
        constant_column(OP, &kept, dim)?;
        let (mut rows, mut seen) = (0usize, 0usize);
        let mut sum = vec![0.0; dim];
        let mut products = vec![0.0; dim * dim];
        in_blocks(source, BLOCK, observer, &mut |_, block| {
            for row in block.chunks_exact(dim) {
                seen += 1;
                if !bulk.keeps(row) {
                    continue;
                }
                rows += 1;
                for a in 0..dim {
                    let x = row[a] - bulk.centre[a];
                    sum[a] += x;
                    for b in 0..=a {
                        products[a * dim + b] += x * (row[b] - bulk.centre[b]);
                    }
                }
            }
            Ok(())
        })?;
        if rows < 10 {
            let requirement = format!("at least 10 samples, got {rows}");
            return Err(Error::invalid(OP, requirement));
        }
        let n = rows as f64;
        let shift: Vec<f64> = sum.iter().map(|s| s / n).collect();
        let covariance = Mat::from_fn(dim, dim, |i, j| {
            let (a, b) = (i.max(j), i.min(j));
            (products[a * dim + b] - n * shift[a] * shift[b]) / (n - 1.0)
        });
        Ok(Self {
            first: first_of_equals(&kept, dim),
            dim,
            rows,
            set_aside: seen - rows,
            mean: shift.iter().zip(&bulk.centre).map(|(s, c)| s + c).collect(),
            covariance,
            bulk,
            kept,
        })
    }
}

impl Survey {
    /// Share of the kept rows that differ from all before them.
    pub(in crate::learn::mixture) fn distinct(&self) -> f64 {
        distinct(&self.first)
    }
}

/// Every row, or a uniform choice of [`RESERVOIR`] of them; refuses what is not finite.
fn reservoir(
    source: &mut dyn SampleSource,
    rng: &mut impl Rng,
    observer: Observer<'_>,
) -> Result<Vec<f64>, Error> {
    let dim = source.dim();
    let mut kept: Vec<f64> = Vec::new();
    in_blocks(source, BLOCK, observer, &mut |first, block| {
        for (i, row) in block.chunks_exact(dim).enumerate() {
            if let Some(a) = row.iter().position(|x| !x.is_finite() || x.abs() > 1e150) {
                let index = (first + i) * dim + a;
                return Err(Error::NonFinite { op: OP, index });
            }
            if kept.len() < RESERVOIR * dim {
                kept.extend_from_slice(row);
                continue;
            }
            let place = rng.random_range(0..=first + i);
            if place < RESERVOIR {
                kept[place * dim..(place + 1) * dim].copy_from_slice(row);
            }
        }
        Ok(())
    })?;
    Ok(kept)
}
