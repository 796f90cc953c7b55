//! Piecewise polynomial regression of the denoiser at one level: cells, degrees, coefficients.

use super::cell_axes::Frame;
use super::cells;
use super::hermite_basis::HermiteBasis;
use super::hermite_sums::{HermiteSums, Linearisation};
use super::normal_equations::{NormalEquations, cross_validate};
use crate::Error;
use crate::learn::mixture::score::level::{Level, Piece};
use crate::learn::mixture::score::noised_rows::{FOLDS, Noised};
use rand::Rng;

/// A cell with fewer points than this is given up and its points go to its neighbours.
const LEAST_POINTS: usize = 16;
/// Points for each coefficient at least, with one pair for each row.
const POINTS_EACH: usize = 4;
/// Points of a cell on which the guard ball is measured.
const GUARD_POINTS: usize = 2000;
/// More cells, or a higher degree, must lower the cross-validated loss by this share of the explained part.
const WORTH: f64 = 1e-5;

/// What may be chosen.
#[derive(Clone, Debug)]
pub(in crate::learn::mixture) struct Menu {
    pub(in crate::learn::mixture) cells: Vec<usize>,
    /// Largest degree of the potential.
    pub(in crate::learn::mixture) degree: usize,
    /// For that degree.
    pub(in crate::learn::mixture) by: Linearisation,
}

/// A level with what a later pass over more rows needs.
pub(in crate::learn::mixture) struct Chosen {
    pub(in crate::learn::mixture) level: Level,
    /// Cross-validated loss per point and coordinate, beside that of predicting the mean.
    pub(in crate::learn::mixture) loss: f64,
}

impl Level {
    /// Empty sums for each cell; `by` is indexed by degree.
    pub(in crate::learn::mixture) fn no_sums(&self, by: &[Linearisation]) -> Vec<HermiteSums> {
        let of = |p: &Piece| HermiteSums::new(&by[p.degree]);
        self.pieces.iter().map(of).collect()
    }

    /// New coefficients from sums over more points; a cell without points keeps what it has.
    pub(in crate::learn::mixture) fn resolve(
        &mut self,
        by: &[Linearisation],
        sums: &[HermiteSums],
    ) {
        for (piece, sum) in self.pieces.iter_mut().zip(sums) {
            let by = &by[piece.degree];
            let equations = by.equations(sum, &piece.frame.inverse_scale);
            if equations.points >= LEAST_POINTS {
                piece.weights = equations.solve(by.features());
            }
        }
    }
}

/// Chooses cells and degrees by cross-validation and fits the level.
///
/// `warm` holds denoised points of the level above; without them there is one cell. When `stop` says so, no more
/// cells are tried; `None` when there was no time for the first.
pub(in crate::learn::mixture) fn choose(
    data: &Noised,
    temperature: f64,
    warm: Option<&[f64]>,
    menu: &Menu,
    rng: &mut impl Rng,
    stop: &mut dyn FnMut() -> bool,
) -> Result<Option<Chosen>, Error> {
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
        let Some(folds) = data.equations(&menu.by, &frames, &members, stop) else {
            return finish(best, data);
        };
        let Some((loss, degrees)) = degrees(&basis, &folds, menu.degree, data.pairs, stop) else {
            return finish(best, data);
        };
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
        if misses >= 2 || stop() {
            break;
        }
    }
    if best.is_none() {
        return Err(Error::degenerate(
            "Diffusion::learn",
            "enough samples for one coefficient per coordinate (noised points)",
            (data.y.len() / dim) as f64,
        ));
    }
    finish(best, data)
}

fn finish(best: Option<(f64, Level)>, data: &Noised) -> Result<Option<Chosen>, Error> {
    Ok(best.map(|(loss, level)| Chosen {
        level,
        loss: loss / data.y.len() as f64,
    }))
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
        match poorest.filter(|&j| count > 1 && size(j) < LEAST_POINTS * data.pairs) {
            Some(j) => drop(centres.drain(j * dim..(j + 1) * dim)),
            None => return members,
        }
    }
}

/// Total cross-validated loss with the best degree of each cell, and those degrees.
fn degrees(
    basis: &HermiteBasis,
    folds: &[NormalEquations],
    most: usize,
    pairs: usize,
    stop: &mut dyn FnMut() -> bool,
) -> Option<(f64, Vec<usize>)> {
    let sizes: Vec<usize> = (1..=most).map(|d| basis.len_upto(d)).collect();
    let mut total = 0.0;
    let mut chosen = Vec::new();
    for cell in folds.chunks(FOLDS) {
        if stop() {
            return None;
        }
        let losses = cross_validate(cell, &sizes, POINTS_EACH * pairs);
        let (mut best, mut least) = (1, f64::INFINITY);
        for (d, &loss) in (1..).zip(&losses) {
            if loss < least * if least.is_finite() { 1.0 - WORTH } else { 1.0 } {
                (best, least) = (d, loss);
            }
        }
        total += least;
        chosen.push(best);
    }
    Some((total, chosen))
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
            .map(|row| crate::linalg::small::squared_distance(row, &centre).sqrt())
            .collect();
        gaps.sort_unstable_by(f64::total_cmp);
        let at = ((gaps.len() as f64 * 0.999) as usize).min(gaps.len().saturating_sub(1));
        let piece = &mut level.pieces[j];
        piece.guard_radius = 1.3 * gaps.get(at).copied().unwrap_or(0.0) + 1e-9;
        piece.guard_centre = centre;
    }
}
