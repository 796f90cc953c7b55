//! One sweep over rows with gaps: shares by the density of what was measured, and the expected rest.

use super::patterns::{Masked, Pattern};
use crate::Error;
use crate::learn::mixture::em::ascent::EStep;
use crate::learn::mixture::em::sweep::e_step::{BLOCK, Work};
use crate::learn::mixture::em::sweep::m_step::{Part, Scatter, Statistics};
use crate::learn::mixture::gaussian::{Component, GaussianMixture};
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

/// Rows of a task, roughly.
const TASK: usize = 1024;

/// How the gaps of a pattern follow from the rest, for one component.
struct Regression {
    /// Coefficients, a row for each gap and a column for each measured one.
    slopes: Vec<f64>,
    /// Covariance that is left, gaps by gaps.
    left: Vec<f64>,
}

impl Masked {
    /// Runs of patterns with about [`TASK`] rows each.
    fn tasks(&self) -> Vec<&[Pattern]> {
        let mut tasks = Vec::new();
        let (mut first, mut size) = (0, 0);
        for (i, p) in self.patterns.iter().enumerate() {
            size += p.rows.len() / p.seen.len();
            if size >= TASK || i + 1 == self.patterns.len() {
                tasks.push(&self.patterns[first..=i]);
                (first, size) = (i + 1, 0);
            }
        }
        tasks
    }

    /// `log p` of what was measured in each row, pattern by pattern.
    ///
    /// # Errors
    /// As [`GaussianMixture::marginal`].
    pub(in crate::learn::mixture) fn log_densities(
        &self,
        m: &GaussianMixture,
    ) -> Result<Vec<f64>, Error> {
        let mut all = Vec::with_capacity(self.count);
        for p in &self.patterns {
            all.extend(m.marginal(&p.seen)?.log_density(&p.rows));
        }
        Ok(all)
    }
}

impl EStep for Masked {
    fn statistics(&self, m: &GaussianMixture, scatter: Scatter) -> Result<Statistics, Error> {
        let tasks = self.tasks();
        let done: Vec<Result<(f64, Vec<Part>), Error>> =
            tasks.par_iter().map(|t| task(t, m, scatter)).collect();
        let mut total = vec![Part::new(m.dim()); m.len()];
        let mut log_likelihood = 0.0;
        for one in done {
            let (here, parts) = one?;
            log_likelihood += here;
            total.iter_mut().zip(&parts).for_each(|(t, p)| t.merge(p));
        }
        Ok(Statistics::of(log_likelihood, total, self.count as f64))
    }

    fn log_likelihood(&self, m: &GaussianMixture) -> f64 {
        self.log_densities(m)
            .map_or(f64::NEG_INFINITY, |l| l.iter().sum())
    }
}

/// The sums of some patterns.
fn task(
    patterns: &[Pattern],
    m: &GaussianMixture,
    scatter: Scatter,
) -> Result<(f64, Vec<Part>), Error> {
    let (dim, count) = (m.dim(), m.len());
    let mut parts = vec![Part::new(dim); count];
    let mut log_likelihood = 0.0;
    let mut whole = vec![0.0; dim * BLOCK];
    for p in patterns {
        let width = p.seen.len();
        let seen = m.marginal(&p.seen)?;
        let regressions: Vec<Regression> = m
            .components()
            .iter()
            .zip(0..)
            .map(|(c, j)| regression(c, p, dim, &seen, j))
            .collect();
        let mut work = Work::new(width, count);
        for block in p.rows.chunks(BLOCK * width) {
            let here = block.len() / width;
            seen.posterior(block, &mut work);
            log_likelihood += work.log_density[..here].iter().sum::<f64>();
            for (j, (part, r)) in parts.iter_mut().zip(&regressions).enumerate() {
                work.centre(&seen.components()[j].mean);
                let centred = &work.centred;
                for (a, column) in p.seen.iter().zip(centred.chunks_exact(BLOCK)) {
                    whole[a * BLOCK..a * BLOCK + here].copy_from_slice(&column[..here]);
                }
                for (g, slopes) in p.gaps.iter().zip(r.slopes.chunks_exact(width)) {
                    let expected = &mut whole[g * BLOCK..g * BLOCK + here];
                    expected.fill(0.0);
                    for (slope, column) in slopes.iter().zip(centred.chunks_exact(BLOCK)) {
                        for (e, x) in expected.iter_mut().zip(column) {
                            *e += slope * x;
                        }
                    }
                }
                part.add(work.share(j), &whole, scatter);
                let share: f64 = work.share(j).iter().sum();
                part.widen(&p.gaps, &r.left, share);
            }
        }
    }
    Ok((log_likelihood, parts))
}

/// `seen` is the law of the measured columns; its component `j` belongs to `c`.
fn regression(
    c: &Component,
    p: &Pattern,
    dim: usize,
    seen: &GaussianMixture,
    j: usize,
) -> Regression {
    let (width, many) = (p.seen.len(), p.gaps.len());
    let factor = &seen.factors()[j];
    let mut slopes = Vec::with_capacity(many * width);
    for g in &p.gaps {
        let mut row: Vec<f64> = p.seen.iter().map(|a| c.covariance[g * dim + a]).collect();
        factor.forward(&mut row, 1, 1);
        factor.backward(&mut row);
        slopes.extend(row);
    }
    let mut left = vec![0.0; many * many];
    for (i, g) in p.gaps.iter().enumerate() {
        for (k, h) in p.gaps.iter().enumerate() {
            let row = slopes[i * width..(i + 1) * width].iter().zip(&p.seen);
            let explained: f64 = row.map(|(s, a)| s * c.covariance[a * dim + h]).sum();
            left[i * many + k] = c.covariance[g * dim + h] - explained;
        }
    }
    Regression { slopes, left }
}
