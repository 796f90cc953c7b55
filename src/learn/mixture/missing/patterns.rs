//! Rows sorted by which of their entries were measured.

use crate::Error;
use crate::stats::goodness::rounding::steps;
use faer::MatRef;
use std::collections::BTreeMap;

/// Rows that share their gaps.
pub(in crate::learn::mixture) struct Pattern {
    /// Columns that were measured, increasing; at least one.
    pub(in crate::learn::mixture) seen: Vec<usize>,
    /// The others.
    pub(in crate::learn::mixture) gaps: Vec<usize>,
    /// The measured entries, row-major, in units of [`Masked`].
    pub(in crate::learn::mixture) rows: Vec<f64>,
}

/// A sample with gaps, its columns with mean zero and standard deviation one over what was measured.
pub(in crate::learn::mixture) struct Masked {
    pub(in crate::learn::mixture) dim: usize,
    /// Rows with a measured entry.
    pub(in crate::learn::mixture) count: usize,
    /// Rows without any, which say nothing.
    pub(in crate::learn::mixture) empty: usize,
    /// Entries that were not measured, in the rows that count.
    pub(in crate::learn::mixture) gaps: usize,
    pub(in crate::learn::mixture) patterns: Vec<Pattern>,
    pub(in crate::learn::mixture) centre: Vec<f64>,
    pub(in crate::learn::mixture) scale: Vec<f64>,
    /// Variance of the rounding of each column, in its unit here.
    pub(in crate::learn::mixture) rounding: Vec<f64>,
    /// Rows in which the two columns that are least often measured together both are.
    pub(in crate::learn::mixture) least_pair: usize,
    /// Sum over measured entries of the logarithm of their unit: what log-likelihoods of the columns are less by.
    pub(in crate::learn::mixture) log_volume: f64,
}

impl Masked {
    /// # Errors
    /// `InvalidInput` for no column, fewer than two rows, a column with fewer than two different measured entries;
    /// `NonFinite` for an infinity.
    pub(in crate::learn::mixture) fn open(
        op: &'static str,
        samples: MatRef<'_, f64>,
    ) -> Result<Self, Error> {
        let (n, dim) = (samples.nrows(), samples.ncols());
        if n < 2 || dim == 0 {
            let requirement =
                format!("at least two samples (rows) and one column, got {n} x {dim}");
            return Err(Error::invalid(op, requirement));
        }
        let fine = |x: f64| x.is_nan() || x.abs() <= 1e150;
        let place = (0..n * dim).find(|i| !fine(samples[(i / dim, i % dim)]));
        if let Some(index) = place {
            return Err(Error::NonFinite { op, index });
        }
        let (centre, scale, rounding) = units(op, samples)?;
        let mut sorted: BTreeMap<Vec<usize>, Vec<f64>> = BTreeMap::new();
        let (mut empty, mut gaps, mut log_volume) = (0, 0, 0.0);
        let mut together = vec![0usize; dim * dim];
        for i in 0..n {
            let seen: Vec<usize> = (0..dim).filter(|a| !samples[(i, *a)].is_nan()).collect();
            if seen.is_empty() {
                empty += 1;
                continue;
            }
            gaps += dim - seen.len();
            for a in &seen {
                log_volume += scale[*a].ln();
                seen.iter().for_each(|b| together[a * dim + b] += 1);
            }
            let entries = seen
                .iter()
                .map(|a| (samples[(i, *a)] - centre[*a]) / scale[*a]);
            let entries: Vec<f64> = entries.collect();
            sorted.entry(seen).or_default().extend(entries);
        }
        let patterns = sorted.into_iter().map(|(seen, rows)| Pattern {
            gaps: (0..dim).filter(|a| !seen.contains(a)).collect(),
            seen,
            rows,
        });
        Ok(Self {
            dim,
            count: n - empty,
            empty,
            gaps,
            patterns: patterns.collect(),
            centre,
            scale,
            rounding,
            least_pair: together.into_iter().min().unwrap_or(0),
            log_volume,
        })
    }

    /// About so many rows, evenly from each pattern, with the same units.
    pub(in crate::learn::mixture) fn few(&self, most: usize) -> Self {
        let step = self.count.div_ceil(most.max(1)).max(1);
        // Counted through all patterns, so that rare ones take part in turns.
        let mut seen_rows = 0;
        let mut patterns = Vec::new();
        for p in &self.patterns {
            let mut rows = Vec::new();
            for row in p.rows.chunks_exact(p.seen.len()) {
                if seen_rows % step == 0 {
                    rows.extend_from_slice(row);
                }
                seen_rows += 1;
            }
            if !rows.is_empty() {
                patterns.push(Pattern {
                    seen: p.seen.clone(),
                    gaps: p.gaps.clone(),
                    rows,
                });
            }
        }
        Self {
            count: seen_rows.div_ceil(step),
            patterns,
            centre: self.centre.clone(),
            scale: self.scale.clone(),
            rounding: self.rounding.clone(),
            ..*self
        }
    }
}

/// Mean, standard deviation and variance of the rounding of each column, the last in the unit of the deviation.
fn units(
    op: &'static str,
    samples: MatRef<'_, f64>,
) -> Result<(Vec<f64>, Vec<f64>, Vec<f64>), Error> {
    let (mut centre, mut scale, mut rounding) = (Vec::new(), Vec::new(), Vec::new());
    for a in 0..samples.ncols() {
        let column = (0..samples.nrows()).map(|i| samples[(i, a)]);
        let column: Vec<f64> = column.filter(|x| !x.is_nan()).collect();
        let (mean, sd) = spread(&column);
        if !(sd > 0.0) {
            let requirement = format!(
                "columns that vary: column {a} has {} measured entries, all alike; leave it out",
                column.len()
            );
            return Err(Error::invalid(op, requirement));
        }
        let most = column.iter().fold(0.0f64, |m, x| m.max(x.abs()));
        let step = steps(&column, 1)[0].max(f64::EPSILON * most);
        centre.push(mean);
        scale.push(sd);
        rounding.push((step / sd).powi(2) / 12.0);
    }
    Ok((centre, scale, rounding))
}

/// Mean and standard deviation, in two passes.
fn spread(column: &[f64]) -> (f64, f64) {
    let n = column.len().max(1) as f64;
    let mean = column.iter().map(|x| x / n).sum::<f64>();
    let most = column.iter().fold(0.0f64, |m, x| m.max((x - mean).abs()));
    if column.len() < 2 || column.iter().all(|x| *x == column[0]) || !(most > 0.0) {
        return (mean, 0.0);
    }
    let square: f64 = column.iter().map(|x| ((x - mean) / most).powi(2)).sum();
    (mean, most * (square / n).sqrt())
}
