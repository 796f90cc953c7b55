//! The variety of a quadratic map with fewer outputs than symmetric matrices have dimensions.
//!
//! With more outputs than latents (`r < d < N`) noiseless samples still fill an `r`-dimensional variety, and a map that
//! reproduces rows it was not fitted to is the hidden one up to a linear change of `x`. The features can no longer be read
//! off a sample by a linear inverse: each latent is searched for from several starts, and the change of `x` is fixed
//! by the covariance of the latents of all samples.

use crate::Error;
use crate::learn::quadratic::noiseless::fit::{EXACT, Polish};
use crate::learn::quadratic::whitened::map::WhiteMap;
use crate::linalg::norm2;
use crate::run::Observer;
use faer::{Mat, MatRef};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// Starts for the latent of a row, and steps from each.
const STARTS: usize = 32;
const STEPS: usize = 30;
/// Fits with fresh searches for the latents of rows that are off.
const ROUNDS: usize = 6;

/// The latents of rows, and how far each row is from the map, relative to the root mean square of all.
pub(in crate::learn) struct Seen {
    pub(in crate::learn) latents: Vec<Vec<f64>>,
    pub(in crate::learn) gaps: Vec<f64>,
}

/// Points that the search for latents starts from.
pub(in crate::learn) fn spread_of_starts(rank: usize, rng: &mut impl Rng) -> Vec<Vec<f64>> {
    let one = |_| {
        (0..rank)
            .map(|_| StandardNormal.sample(&mut *rng))
            .collect()
    };
    (0..STARTS).map(one).collect()
}

impl WhiteMap {
    /// The best latent of each row from several starts; rows that `known` latents explain keep them.
    pub(in crate::learn) fn search(
        &self,
        y: MatRef<'_, f64>,
        starts: &[Vec<f64>],
        known: Option<Vec<Vec<f64>>>,
        near: f64,
    ) -> Seen {
        let places = Self::places(self.rank);
        let unit = crate::linalg::frobenius(y) / (y.nrows().max(1) as f64).sqrt();
        let unit = if unit > 0.0 { unit } else { 1.0 };
        let fresh = |start: &Vec<f64>| vec![start.clone(); y.nrows()];
        let mut latents = known.unwrap_or_else(|| fresh(&starts[0]));
        self.latents(y, &places, &mut latents, STEPS);
        let mut gaps = self.gaps(y, &places, &latents, unit);
        for start in starts {
            let open: Vec<usize> = (0..gaps.len()).filter(|&i| !(gaps[i] <= near)).collect();
            if open.is_empty() {
                break;
            }
            let rows = Mat::from_fn(open.len(), y.ncols(), |i, k| y[(open[i], k)]);
            let mut trial = vec![start.clone(); open.len()];
            self.latents(rows.as_ref(), &places, &mut trial, STEPS);
            let found = self.gaps(rows.as_ref(), &places, &trial, unit);
            for ((&i, x), gap) in open.iter().zip(trial).zip(found) {
                if gap < gaps[i] {
                    (latents[i], gaps[i]) = (x, gap);
                }
            }
        }
        Seen { latents, gaps }
    }

    fn gaps(
        &self,
        y: MatRef<'_, f64>,
        places: &[(usize, usize)],
        x: &[Vec<f64>],
        unit: f64,
    ) -> Vec<f64> {
        let c = &self.coefficients;
        let gap = |(i, x): (usize, &Vec<f64>)| {
            let f = self.row(x, places);
            let value = |k: usize| {
                f.iter()
                    .enumerate()
                    .map(|(l, f)| c[(k, l)] * f)
                    .sum::<f64>()
            };
            let e: Vec<f64> = (0..y.ncols()).map(|k| y[(i, k)] - value(k)).collect();
            norm2(&e) / unit
        };
        x.iter().enumerate().map(gap).collect()
    }

    /// Fits the variety of the rows `y`, whose latents are searched for anew as long as that helps.
    pub(in crate::learn) fn fit_variety(
        self,
        y: MatRef<'_, f64>,
        starts: &[Vec<f64>],
        exact: f64,
        observer: Observer<'_>,
    ) -> Result<Polish, Error> {
        let near = if exact > EXACT { 5.0 * exact } else { exact };
        let mut seen = self.search(y, starts, None, near);
        let mut polish = self.polish_from(y, seen.latents, observer)?;
        for _ in 1..ROUNDS {
            if polish.residual <= exact {
                break;
            }
            seen = polish.map.search(y, starts, None, near);
            let next = polish.map.clone().polish_from(y, seen.latents, observer)?;
            if !(next.residual < 0.99 * polish.residual) {
                break;
            }
            polish = Polish {
                sweeps: polish.sweeps + next.sweeps,
                ..next
            };
        }
        Ok(polish)
    }

    /// The map for standard latents, from those of many rows; rows off the variety are left out.
    pub(in crate::learn) fn standardised_by(&self, seen: &Seen, near: f64) -> Result<Self, Error> {
        let r = self.rank;
        let mut cov = Mat::<f64>::zeros(r, r);
        let mut count = 0.0;
        for (x, _) in seen.latents.iter().zip(&seen.gaps).filter(|s| *s.1 <= near) {
            count += 1.0;
            for i in 0..r {
                (0..r).for_each(|j| cov[(i, j)] += x[i] * x[j]);
            }
        }
        let cov = Mat::from_fn(r, r, |i, j| cov[(i, j)] / f64::max(count, 1.0));
        self.changed(&vec![0.0; r], &cov)
    }
}
