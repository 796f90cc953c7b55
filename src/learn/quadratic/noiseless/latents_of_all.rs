//! The latents that noiseless samples of a quadratic map give away, and the samples that are not on its variety.

use super::latent_of_sample::LatentSolver;
use crate::Error;
use crate::io::samples::{Chunk, Samples};
use crate::learn::quadratic::noiseless::fit::EXACT;
use crate::learn::quadratic::whitened::map::WhiteMap;
use crate::learn::quadratic::whitened::third_cumulants::WhiteRows;
use crate::linalg::{frobenius, norm2, solve, symmetric_eigen};
use crate::run::{Observer, Progress};
use faer::{Mat, MatRef};
use rayon::prelude::*;

const OP: &str = "Quadratic::learn";
/// Latents that are kept.
const MOST: usize = 50_000;
/// A sample farther from the variety than this, relative to its length and that of a typical one, is off it.
pub(in crate::learn) const OFF: f64 = 1e-5;
/// Gauss-Newton steps after the linear inverse.
const STEPS: usize = 3;
/// Chunks worked on side by side.
const BATCH: usize = 8;

/// What one pass over all samples tells.
pub(in crate::learn) struct SeenLatents {
    /// Latents of the first rows for learning, `r` entries each.
    pub(in crate::learn) kept: Vec<f64>,
    /// Rows, held out or not, that are off the variety.
    pub(in crate::learn) off: usize,
}

/// Reads the latent of every row: the linear inverse of the map gives `x x'` (and `x` itself where there is a linear part),
/// whose top eigenvector is `x` up to sign. `up` leads from white coordinates back to the scaled outputs.
pub(in crate::learn) fn seen_latents(
    samples: &Samples,
    rows: &WhiteRows,
    (map, up): (&WhiteMap, &Mat<f64>),
    observer: Observer<'_>,
) -> Result<SeenLatents, Error> {
    let r = map.rank;
    let reader = Reader::of(rows, (map, up))?;
    let total = samples.rows() as u64;
    let mut seen = SeenLatents {
        kept: Vec::new(),
        off: 0,
    };
    let mut chunks = samples.chunks(1024);
    loop {
        let batch: Vec<Chunk> = chunks.by_ref().take(BATCH).collect::<Result<_, _>>()?;
        let Some(first) = batch.first() else {
            return Ok(seen);
        };
        let p = Progress::of("latents", first.first_row as u64, total);
        if observer(&p).is_break() {
            return Err(Error::Stopped { op: OP });
        }
        let parts: Vec<SeenLatents> = batch
            .par_iter()
            .map(|chunk| reader.read(chunk))
            .collect::<Result<_, _>>()?;
        for part in parts {
            seen.off += part.off;
            let room = (MOST * r).saturating_sub(seen.kept.len());
            seen.kept.extend(part.kept.into_iter().take(room));
        }
    }
}

/// Reads latents off rows.
pub(in crate::learn::quadratic) struct Reader<'a> {
    rows: &'a WhiteRows,
    /// Distance from the variety that rounding of the sample may cause.
    slack: f64,
    map: &'a WhiteMap,
    up: &'a Mat<f64>,
    inverse: Mat<f64>,
    solver: LatentSolver,
    places: Vec<(usize, usize)>,
}

impl<'a> Reader<'a> {
    pub(in crate::learn::quadratic) fn of(
        rows: &'a WhiteRows,
        (map, up): (&'a WhiteMap, &'a Mat<f64>),
    ) -> Result<Self, Error> {
        let n = rows.down.ncols();
        let places = WhiteMap::places(map.rank);
        let c = map.coefficients.subcols(0, map.features());
        // White coordinates have variance two; `up` leads from a row's distance there to that of the outputs.
        let slack = if rows.exact > EXACT {
            rows.exact_row() * (2.0 * n as f64).sqrt() * frobenius(up.as_ref())
        } else {
            0.0
        };
        Ok(Self {
            rows,
            slack,
            map,
            up,
            inverse: solve(OP, c, Mat::<f64>::identity(n, n).as_ref())?,
            solver: LatentSolver::new(map, &places),
            places,
        })
    }

    /// The number of rows that are off the variety.
    pub(in crate::learn::quadratic) fn off(&self, chunk: &Chunk) -> Result<u64, Error> {
        Ok(self.read(chunk)?.off as u64)
    }

    fn read(&self, chunk: &Chunk) -> Result<SeenLatents, Error> {
        let mut seen = SeenLatents {
            kept: Vec::new(),
            off: 0,
        };
        for split in [self.rows.split, self.rows.split.other()] {
            let side = WhiteRows {
                split,
                ..self.rows.clone()
            };
            let z = side.centred(chunk);
            let m = side.active.len();
            let z = MatRef::from_row_major_slice(&z, z.len() / m, m);
            let y = z * &side.down;
            for i in 0..z.nrows() {
                let row: Vec<f64> = (0..y.ncols()).map(|k| y[(i, k)]).collect();
                let mut x = self.first(&row)?;
                self.solver.descend(&row, &mut x, STEPS);
                let f = self.map.row(&x, &self.places);
                let white: Vec<f64> = (0..row.len())
                    .map(|k| {
                        (0..f.len())
                            .map(|l| self.map.coefficients[(k, l)] * f[l])
                            .sum()
                    })
                    .collect();
                let gap = |a: usize| {
                    let rebuilt: f64 = white
                        .iter()
                        .enumerate()
                        .map(|(k, w)| self.up[(a, k)] * w)
                        .sum();
                    z[(i, a)] - rebuilt
                };
                let gaps: Vec<f64> = (0..m).map(gap).collect();
                let length = norm2(&(0..m).map(|a| z[(i, a)]).collect::<Vec<_>>());
                // Outputs have unit variance here.
                let allowed = OFF * (length + (m as f64).sqrt()) + self.slack;
                seen.off += usize::from(!(norm2(&gaps) <= allowed));
                if split == self.rows.split {
                    seen.kept.extend(x);
                }
            }
        }
        Ok(seen)
    }

    fn first(&self, row: &[f64]) -> Result<Vec<f64>, Error> {
        let (n, r) = (row.len(), self.map.rank);
        let half = 0.5f64.sqrt();
        let shift = |k: usize| row[k] - self.map.coefficients[(k, self.map.features())];
        let phi = |k: usize| -> f64 { (0..n).map(|l| self.inverse[(k, l)] * shift(l)).sum() };
        if self.map.linear {
            return Ok((0..r).map(|j| phi(self.places.len() + j) * half).collect());
        }
        let mut square = Mat::<f64>::zeros(r, r);
        for (k, &(a, b)) in self.places.iter().enumerate() {
            let v = if a == b { phi(k) } else { half * phi(k) };
            square[(a, b)] = v;
            square[(b, a)] = v;
        }
        let e = symmetric_eigen(OP, square.as_ref())?;
        let length = e.values[r - 1].max(0.0).sqrt();
        Ok((0..r).map(|j| e.vectors[(j, r - 1)] * length).collect())
    }
}
