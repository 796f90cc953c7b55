//! Noised rows of one level with their targets, sorted into cells and summed up.

use super::level::Level;
use super::noise_levels::{ROWS_PER_STREAM, generator, noised};
use super::regression::cell_axes::{CellMoments, Frame};
use super::regression::cells;
use super::regression::hermite_sums::{HermiteSums, Linearisation};
use super::regression::normal_equations::NormalEquations;
use crate::Error;
use rayon::prelude::{
    IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator, ParallelSlice,
};

/// Folds of the cross-validation; a row, its copies and its antithetic twin share a fold.
pub(in crate::learn::mixture) const FOLDS: usize = 4;
/// Points of one task.
const TASK: usize = 8192;
/// Tasks between two looks at the clock.
const BATCH: usize = 16;
/// Denoised points that cells are made from.
const CLUSTERED: usize = 5000;

/// Noised rows of one level and their targets.
pub(in crate::learn::mixture) struct Noised {
    pub(in crate::learn::mixture) y: Vec<f64>,
    pub(in crate::learn::mixture) target: Vec<f64>,
    pub(in crate::learn::mixture) dim: usize,
    /// Antithetic pairs of points for each row.
    pub(in crate::learn::mixture) pairs: usize,
    /// For each row the number that decides its fold.
    first: Vec<u32>,
}

impl Noised {
    /// Noise for `rows`, the first of which has the number `first` (a multiple of [`ROWS_PER_STREAM`]).
    ///
    /// Several pairs for each row take away the part of the error that comes from the noise, not from the rows.
    pub(in crate::learn::mixture) fn draw(
        rows: &[f64],
        (dim, pairs): (usize, usize),
        t: f64,
        seed: u64,
        level: u64,
        first: usize,
    ) -> Self {
        let parts: Vec<(Vec<f64>, Vec<f64>)> = rows
            .par_chunks(ROWS_PER_STREAM * dim)
            .enumerate()
            .map(|(i, chunk)| {
                let stream = (first / ROWS_PER_STREAM + i) as u64;
                let mut rng = generator(seed, level, stream);
                let (mut y, mut target) = (Vec::new(), Vec::new());
                noised(chunk, (dim, pairs), t, &mut rng, &mut y, &mut target);
                (y, target)
            })
            .collect();
        let (mut y, mut target) = (Vec::new(), Vec::new());
        for (a, b) in parts {
            y.extend(a);
            target.extend(b);
        }
        let first = (0..(rows.len() / dim) as u32).collect();
        Self {
            y,
            target,
            dim,
            pairs,
            first,
        }
    }

    /// Equal rows get one number, by the index of the first of their equals; numbers are consecutive, so that
    /// copies in any order leave no fold empty.
    pub(in crate::learn::mixture) fn with_copies(self, first: &[u32]) -> Self {
        let mut numbers = vec![0u32; first.len()];
        let mut next = 0;
        for (i, &leader) in first.iter().enumerate() {
            if leader as usize == i {
                numbers[i] = next;
                next += 1;
            } else {
                numbers[i] = numbers[leader as usize];
            }
        }
        Self {
            first: numbers,
            ..self
        }
    }

    pub(in crate::learn::mixture) fn row(&self, i: usize) -> &[f64] {
        &self.y[i * self.dim..(i + 1) * self.dim]
    }

    /// Denoised points at a coarser level that has seen this noise: what the cells below are made from.
    pub(in crate::learn::mixture) fn denoised(&self, level: &Level) -> Vec<f64> {
        let n = self.y.len() / self.dim;
        let step = n.div_ceil(CLUSTERED).max(1);
        let picked: Vec<f64> = self
            .y
            .chunks_exact(self.dim)
            .step_by(step)
            .flatten()
            .copied()
            .collect();
        let mut out = vec![0.0; picked.len()];
        level.denoise(&picked, &mut out);
        out
    }

    /// Points of each cell and fold, in order.
    pub(in crate::learn::mixture) fn members(&self, centres: &[f64]) -> Vec<Vec<u32>> {
        let dim = self.dim;
        let n = self.y.len() / dim;
        let nearest: Vec<u32> = self
            .y
            .par_chunks(TASK * dim)
            .flat_map_iter(|chunk| {
                let mut nearest = vec![0; chunk.len() / dim];
                cells::nearest_centres(chunk, dim, centres, &mut nearest);
                nearest
            })
            .collect();
        let mut members = vec![Vec::new(); centres.len() / dim * FOLDS];
        for i in 0..n {
            // The points of a row are neighbours.
            let fold = self.first[i / (2 * self.pairs)] as usize % FOLDS;
            members[nearest[i] as usize * FOLDS + fold].push(i as u32);
        }
        members
    }

    /// Normal equations of the points `members` of each `(cell, fold)`; `frames` has one entry per cell. `None` when
    /// `stop` said so on the way.
    pub(in crate::learn::mixture) fn equations(
        &self,
        by: &Linearisation,
        frames: &[Frame],
        members: &[Vec<u32>],
        stop: &mut dyn FnMut() -> bool,
    ) -> Option<Vec<NormalEquations>> {
        let folds = members.len() / frames.len().max(1);
        let tasks: Vec<(usize, &[u32])> = members
            .iter()
            .enumerate()
            .flat_map(|(g, m)| m.chunks(TASK).map(move |part| (g, part)))
            .collect();
        let mut sums = vec![HermiteSums::new(by); members.len()];
        for batch in tasks.chunks(BATCH) {
            let parts: Vec<HermiteSums> = batch
                .par_iter()
                .map(|(g, part)| self.task(by, &frames[g / folds], part))
                .collect();
            for ((g, _), part) in batch.iter().zip(&parts) {
                sums[*g].merge(part);
            }
            if stop() {
                return None;
            }
        }
        let solve =
            |(g, s): (usize, &HermiteSums)| by.equations(s, &frames[g / folds].inverse_scale);
        Some(sums.par_iter().enumerate().map(solve).collect())
    }

    /// Adds these points to the sums of every cell of a level whose cells are fixed; `by` is indexed by degree.
    pub(in crate::learn::mixture) fn add_to(
        &self,
        level: &Level,
        by: &[Linearisation],
        sums: &mut [HermiteSums],
    ) {
        let members = level.members(&self.y);
        let groups: Vec<(usize, &[u32])> = members
            .iter()
            .enumerate()
            .flat_map(|(j, m)| m.chunks(TASK).map(move |part| (j, part)))
            .collect();
        let parts: Vec<HermiteSums> = groups
            .par_iter()
            .map(|(j, part)| {
                let piece = &level.pieces[*j];
                self.task(&by[piece.degree], &piece.frame, part)
            })
            .collect();
        for ((j, _), part) in groups.iter().zip(&parts) {
            sums[*j].merge(part);
        }
    }

    fn task(&self, by: &Linearisation, frame: &Frame, points: &[u32]) -> HermiteSums {
        let dim = self.dim;
        let mut sum = HermiteSums::new(by);
        let (mut z, mut tables, mut values, mut aimed) = (vec![], vec![], vec![], vec![]);
        for block in points.chunks(by.high.block()) {
            let count = block.len();
            z.resize(dim * count, 0.0);
            aimed.resize(dim * count, 0.0);
            for (i, &p) in block.iter().enumerate() {
                let p = p as usize;
                frame.enter(self.row(p), i, count, &mut z);
                frame.turn(&self.target[p * dim..(p + 1) * dim], i, count, &mut aimed);
            }
            by.high.evaluate(&z, count, &mut tables, &mut values);
            sum.add(&values, &aimed, count);
        }
        sum
    }

    pub(in crate::learn::mixture) fn frames(
        &self,
        centres: &[f64],
        members: &[Vec<u32>],
    ) -> Result<Vec<Frame>, Error> {
        let folds = members.len() / (centres.len() / self.dim).max(1);
        let cells = centres.chunks_exact(self.dim).zip(members.chunks(folds));
        cells
            .map(|(centre, groups)| {
                let mut moments = CellMoments::new(self.dim);
                for &i in groups.iter().flatten() {
                    moments.add(self.row(i as usize), centre);
                }
                // The noise alone has variance above one, whatever few points say.
                moments.frame(centre, 1e-2)
            })
            .collect()
    }
}
