//! Piecewise polynomial regression of the denoiser at one level: cells, degrees, coefficients.

use super::cells;
use super::frame::{CellMoments, Frame};
use super::hermite_basis::HermiteBasis;
use super::ladder::{ROWS_PER_STREAM, generator, noised};
use super::level::{Level, Piece};
use super::normal_equations::{NormalEquations, cross_validate};
use crate::Error;
use rand::Rng;
use rayon::prelude::{
    IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator, ParallelSlice,
};

/// Folds of the cross-validation; a row, its copies and its antithetic twin share a fold.
const FOLDS: usize = 4;
/// Points of one task.
const TASK: usize = 8192;
/// Points whose design matrix is formed at once.
const BLOCK: usize = 256;
/// Denoised points that cells are made from.
const CLUSTERED: usize = 5000;
/// A cell with fewer points than this is given up and its points go to its neighbours.
const LEAST_POINTS: usize = 16;
/// Points of a cell on which the guard ball is measured.
const GUARD_POINTS: usize = 2000;
/// More cells, or a higher degree, must lower the cross-validated loss by this share of the explained part.
const WORTH: f64 = 1e-5;

/// What may be chosen.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Menu {
    pub(super) cells: Vec<usize>,
    /// Largest degree of the potential.
    pub(super) degree: usize,
}

/// Noised rows of one level and their targets.
pub(super) struct Noised {
    pub(super) y: Vec<f64>,
    pub(super) target: Vec<f64>,
    dim: usize,
    /// For each row (two points) the number that decides its fold.
    first: Vec<u32>,
}

/// A level with what a later pass over more rows needs.
pub(super) struct Chosen {
    pub(super) level: Level,
    /// Cross-validated loss per point and coordinate, beside that of predicting the mean.
    pub(super) loss: f64,
}

impl Noised {
    /// Noise for `rows`, the first of which has the number `first` (a multiple of [`ROWS_PER_STREAM`]).
    pub(super) fn draw(
        rows: &[f64],
        dim: usize,
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
                noised(chunk, dim, t, &mut rng, &mut y, &mut target);
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
            first,
        }
    }

    /// With the number of the first of its equals for each row.
    pub(super) fn with_copies(self, first: &[u32]) -> Self {
        let first = first.to_vec();
        Self { first, ..self }
    }

    fn row(&self, i: usize) -> &[f64] {
        &self.y[i * self.dim..(i + 1) * self.dim]
    }

    /// Denoised points at a coarser level that has seen this noise: what the cells below are made from.
    pub(super) fn denoised(&self, level: &Level) -> Vec<f64> {
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
    fn members(&self, centres: &[f64]) -> Vec<Vec<u32>> {
        let dim = self.dim;
        let n = self.y.len() / dim;
        let nearest: Vec<u32> = self
            .y
            .par_chunks(TASK * dim)
            .flat_map_iter(|chunk| {
                chunk
                    .chunks_exact(dim)
                    .map(|row| cells::nearest_centre(row, centres))
            })
            .collect();
        let mut members = vec![Vec::new(); centres.len() / dim * FOLDS];
        for i in 0..n {
            // Twins are neighbours: `i / 2` is the number of the row.
            let fold = self.first[i / 2] as usize % FOLDS;
            members[nearest[i] as usize * FOLDS + fold].push(i as u32);
        }
        members
    }

    /// Normal equations of the points `members` of each `(cell, fold)`; `frames` has one entry per cell.
    fn equations(
        &self,
        basis: &HermiteBasis,
        frames: &[Frame],
        members: &[Vec<u32>],
    ) -> Vec<NormalEquations> {
        let folds = members.len() / frames.len().max(1);
        let tasks: Vec<(usize, &[u32])> = members
            .iter()
            .enumerate()
            .flat_map(|(g, m)| m.chunks(TASK).map(move |part| (g, part)))
            .collect();
        let parts: Vec<NormalEquations> = tasks
            .par_iter()
            .map(|(g, part)| self.task(basis, &frames[g / folds], part))
            .collect();
        let size = basis.len_upto(usize::MAX);
        let mut sums = vec![NormalEquations::new(size); members.len()];
        for ((g, _), part) in tasks.iter().zip(&parts) {
            sums[*g].merge(part);
        }
        sums
    }

    /// Adds these points to the normal equations of every cell of a level whose cells are fixed.
    pub(super) fn add_to(&self, level: &Level, sums: &mut [NormalEquations]) {
        let dim = self.dim;
        let mut members = vec![Vec::new(); level.pieces.len()];
        for (i, row) in self.y.chunks_exact(dim).enumerate() {
            members[cells::nearest_centre(row, &level.centres) as usize].push(i as u32);
        }
        let groups: Vec<(usize, &[u32])> = members
            .iter()
            .enumerate()
            .flat_map(|(j, m)| m.chunks(TASK).map(move |part| (j, part)))
            .collect();
        let parts: Vec<NormalEquations> = groups
            .par_iter()
            .map(|(j, part)| {
                let piece = &level.pieces[*j];
                self.task(&HermiteBasis::new(dim, piece.degree), &piece.frame, part)
            })
            .collect();
        for ((j, _), part) in groups.iter().zip(&parts) {
            sums[*j].merge(part);
        }
    }

    fn task(&self, basis: &HermiteBasis, frame: &Frame, points: &[u32]) -> NormalEquations {
        let dim = self.dim;
        let size = basis.len_upto(usize::MAX);
        let mut sum = NormalEquations::new(size);
        let (mut z, mut tables, mut design, mut aimed) = (vec![], vec![], vec![], vec![]);
        for block in points.chunks(BLOCK) {
            let count = block.len();
            z.resize(dim * count, 0.0);
            aimed.resize(dim * count, 0.0);
            for (i, &p) in block.iter().enumerate() {
                let p = p as usize;
                frame.enter(self.row(p), i, count, &mut z);
                frame.turn(&self.target[p * dim..(p + 1) * dim], i, count, &mut aimed);
            }
            basis.tables(&z, count, &mut tables);
            design.resize(size * dim * count, 0.0);
            for (e, column) in design.chunks_exact_mut(dim * count).enumerate() {
                for (a, part) in column.chunks_exact_mut(count).enumerate() {
                    if basis.derivative(e, &[a], &tables, part) {
                        let scale = frame.inverse_scale[a];
                        part.iter_mut().for_each(|v| *v *= scale);
                    } else {
                        part.fill(0.0);
                    }
                }
            }
            sum.add(&design, &aimed, count);
        }
        sum
    }

    fn frames(&self, centres: &[f64], members: &[Vec<u32>]) -> Result<Vec<Frame>, Error> {
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

impl Level {
    /// Empty normal equations for each cell.
    pub(super) fn no_equations(&self) -> Vec<NormalEquations> {
        let of = |p: &Piece| {
            NormalEquations::new(HermiteBasis::new(self.dim, p.degree).len_upto(p.degree))
        };
        self.pieces.iter().map(of).collect()
    }

    /// New coefficients from sums over more points; a cell without points keeps what it has.
    pub(super) fn resolve(&mut self, sums: &[NormalEquations]) {
        for (piece, sum) in self.pieces.iter_mut().zip(sums) {
            if sum.points >= LEAST_POINTS {
                let size = HermiteBasis::new(self.dim, piece.degree).len_upto(piece.degree);
                piece.weights = sum.solve(size);
            }
        }
    }
}

/// Chooses cells and degrees by cross-validation and fits the level.
///
/// `warm` holds denoised points of the level above; without them there is one cell.
pub(super) fn choose(
    data: &Noised,
    temperature: f64,
    warm: Option<&[f64]>,
    menu: &Menu,
    rng: &mut impl Rng,
) -> Result<Chosen, Error> {
    let dim = data.dim;
    let basis = HermiteBasis::new(dim, menu.degree);
    let mean = vec![0.0; dim];
    let mut best: Option<(f64, Level)> = None;
    let mut misses = 0;
    for &count in &menu.cells {
        let mut centres = match warm {
            Some(points) if count > 1 => cells::centres(points, dim, count, rng),
            _ if count == 1 => mean.clone(),
            _ => break,
        };
        let members = prune(data, &mut centres);
        let frames = data.frames(&centres, &members)?;
        let folds = data.equations(&basis, &frames, &members);
        let (loss, degrees) = degrees(&basis, &folds, menu.degree);
        let split = Split {
            centres,
            members,
            frames,
            folds,
        };
        let threshold = best.as_ref().map_or(f64::INFINITY, |(b, _)| *b);
        let explained = 1.0 - WORTH;
        if loss < threshold * if threshold > 0.0 { explained } else { 1.0 } {
            let level = split.solve(data, temperature, &basis, &degrees);
            best = Some((loss, level));
            misses = 0;
        } else {
            misses += 1;
        }
        if misses >= 2 {
            break;
        }
    }
    let (loss, level) = best.ok_or(Error::degenerate(
        "learn mixture (diffusion)",
        "enough samples for one coefficient per coordinate (noised points)",
        (data.y.len() / dim) as f64,
    ))?;
    let points = (data.y.len() / dim) as f64;
    Ok(Chosen {
        level,
        loss: loss / (points * dim as f64),
    })
}

/// Members of the cells after cells with too few points are gone.
fn prune(data: &Noised, centres: &mut Vec<f64>) -> Vec<Vec<u32>> {
    let dim = data.dim;
    loop {
        let members = data.members(centres);
        let size = |j: usize| {
            members[j * FOLDS..(j + 1) * FOLDS]
                .iter()
                .map(Vec::len)
                .sum::<usize>()
        };
        let count = centres.len() / dim;
        let poorest = (0..count).min_by_key(|&j| size(j));
        match poorest.filter(|&j| count > 1 && size(j) < LEAST_POINTS) {
            Some(j) => drop(centres.drain(j * dim..(j + 1) * dim)),
            None => return members,
        }
    }
}

/// Total cross-validated loss with the best degree of each cell, and those degrees.
fn degrees(basis: &HermiteBasis, folds: &[NormalEquations], most: usize) -> (f64, Vec<usize>) {
    let sizes: Vec<usize> = (1..=most).map(|d| basis.len_upto(d)).collect();
    let mut total = 0.0;
    let mut chosen = Vec::new();
    for cell in folds.chunks(FOLDS) {
        let losses = cross_validate(cell, &sizes);
        let (mut best, mut least) = (1, f64::INFINITY);
        for (d, &loss) in (1..).zip(&losses) {
            if loss < least * if least.is_finite() { 1.0 - WORTH } else { 1.0 } {
                (best, least) = (d, loss);
            }
        }
        total += least;
        chosen.push(best);
    }
    (total, chosen)
}

/// A choice of cells with the sums over their points.
struct Split {
    centres: Vec<f64>,
    /// Points of each `(cell, fold)`.
    members: Vec<Vec<u32>>,
    frames: Vec<Frame>,
    folds: Vec<NormalEquations>,
}

impl Split {
    /// The level with the given degree of the potential in each cell.
    fn solve(
        self,
        data: &Noised,
        temperature: f64,
        basis: &HermiteBasis,
        degrees: &[usize],
    ) -> Level {
        let folds = self.folds.chunks(FOLDS);
        let pieces = self.frames.into_iter().zip(folds).zip(degrees);
        let pieces = pieces.map(|((frame, folds), &degree)| {
            let mut total = NormalEquations::new(basis.len_upto(usize::MAX));
            folds.iter().for_each(|f| total.merge(f));
            Piece {
                guard_centre: frame.centre.clone(),
                guard_radius: f64::INFINITY,
                weights: total.solve(basis.len_upto(degree)),
                degree,
                frame,
            }
        });
        let mut level = Level {
            temperature,
            dim: data.dim,
            pieces: pieces.collect(),
            centres: self.centres,
        };
        set_guards(&mut level, data, &self.members);
        level
    }
}

/// A ball around the mean prediction that holds 99.9 % of the predictions, a little wider.
fn set_guards(level: &mut Level, data: &Noised, members: &[Vec<u32>]) {
    let dim = data.dim;
    for j in 0..level.pieces.len() {
        let points: Vec<u32> = members[j * FOLDS..(j + 1) * FOLDS]
            .iter()
            .flatten()
            .copied()
            .collect();
        let step = points.len().div_ceil(GUARD_POINTS).max(1);
        let picked = points.iter().step_by(step);
        let y: Vec<f64> = picked
            .flat_map(|&i| data.row(i as usize))
            .copied()
            .collect();
        let mut m = vec![0.0; y.len()];
        level.denoise(&y, &mut m);
        let n = (m.len() / dim).max(1) as f64;
        let mut centre = vec![0.0; dim];
        for row in m.chunks_exact(dim) {
            centre.iter_mut().zip(row).for_each(|(c, v)| *c += v / n);
        }
        let mut gaps: Vec<f64> = m
            .chunks_exact(dim)
            .map(|row| cells::squared_distance(row, &centre).sqrt())
            .collect();
        gaps.sort_unstable_by(f64::total_cmp);
        let at = ((gaps.len() as f64 * 0.999) as usize).min(gaps.len().saturating_sub(1));
        let piece = &mut level.pieces[j];
        piece.guard_radius = 1.3 * gaps.get(at).copied().unwrap_or(0.0) + 1e-9;
        piece.guard_centre = centre;
    }
}
