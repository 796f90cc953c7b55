//! The denoiser at one noise level: a polynomial potential in each Voronoi cell.

use super::regression::cell_axes::Frame;
use super::regression::cells::nearest_centres;
use super::regression::hermite_basis::HermiteBasis;
use super::regression::hermite_products::Gradients;
use faer::traits::pulp::Arch;
use serde::{Deserialize, Serialize};

/// Points evaluated together.
const BLOCK: usize = 256;

/// `m_T(y) = E[mu | mu + sqrt(T) z = y]` in units of the noise level, as the gradient of a polynomial in each
/// cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::learn::mixture) struct Level {
    /// `T = 1 + t`: variance of the noise around `mu`.
    pub(in crate::learn::mixture) temperature: f64,
    pub(in crate::learn::mixture) dim: usize,
    /// Centres of the cells, one after the other.
    pub(in crate::learn::mixture) centres: Vec<f64>,
    pub(in crate::learn::mixture) pieces: Vec<Piece>,
}

/// The denoiser in one cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::learn::mixture) struct Piece {
    pub(in crate::learn::mixture) frame: Frame,
    /// Degree of the potential; the denoiser has one less.
    pub(in crate::learn::mixture) degree: usize,
    /// Coefficients of the potential, constant left out.
    pub(in crate::learn::mixture) weights: Vec<f64>,
    /// Values are pulled back to this ball: outside the data a polynomial says nothing.
    pub(in crate::learn::mixture) guard_centre: Vec<f64>,
    pub(in crate::learn::mixture) guard_radius: f64,
}

/// Buffers of an evaluation.
#[derive(Default)]
pub(in crate::learn::mixture) struct Scratch {
    tables: Vec<f64>,
    values: Vec<f64>,
    z: Vec<f64>,
    column: Vec<f64>,
    along: Vec<f64>,
    hessian: Vec<f64>,
}

impl Level {
    /// Writes `m_T` of each row of `y` (row-major) into `out`.
    pub(in crate::learn::mixture) fn denoise(&self, y: &[f64], out: &mut [f64]) {
        self.evaluate(y, out, None);
    }

    /// Also writes the Jacobian of each row (`dim * dim` entries, symmetric) into `jacobian`.
    pub(in crate::learn::mixture) fn evaluate(
        &self,
        y: &[f64],
        out: &mut [f64],
        mut jacobian: Option<&mut [f64]>,
    ) {
        let dim = self.dim;
        let mut scratch = Scratch::default();
        let mut shapes: Vec<Option<Gradients>> = Vec::new();
        for (piece, members) in self.pieces.iter().zip(&self.members(y)) {
            if shapes.len() <= piece.degree {
                shapes.resize(piece.degree + 1, None);
            }
            let shape = &mut shapes[piece.degree];
            let shape = shape.get_or_insert_with(|| Gradients::new(dim, piece.degree));
            let coefficients = shape.coefficients(&piece.weights, &piece.frame.inverse_scale);
            for block in members.chunks(BLOCK) {
                let by = (&*shape, &coefficients[..]);
                piece.block(by, block, y, out, jacobian.as_deref_mut(), &mut scratch);
            }
        }
    }

    /// Points of each cell, in order.
    pub(in crate::learn::mixture) fn members(&self, y: &[f64]) -> Vec<Vec<u32>> {
        let mut nearest = vec![0; y.len() / self.dim];
        nearest_centres(y, self.dim, &self.centres, &mut nearest);
        let mut members: Vec<Vec<u32>> = vec![Vec::new(); self.pieces.len()];
        for (i, &j) in nearest.iter().enumerate() {
            members[j as usize].push(i as u32);
        }
        members
    }

    /// Number of coefficients.
    pub(in crate::learn::mixture) fn coefficients(&self) -> usize {
        self.pieces.iter().map(|p| p.weights.len()).sum()
    }
}

impl Piece {
    /// Whether the shapes are those of a piece in `dim` dimensions and every number is finite.
    pub(in crate::learn::mixture) fn fits(&self, dim: usize) -> bool {
        let f = &self.frame;
        let finite = |v: &[f64]| v.iter().all(|x| x.is_finite());
        let most = HermiteBasis::size(dim, self.degree.min(20), 100_000);
        (1..=20).contains(&self.degree)
            && most.is_some_and(|m| self.weights.len() <= m)
            && f.centre.len() == dim
            && f.axes.len() == dim * dim
            && f.inverse_scale.len() == dim
            && self.guard_centre.len() == dim
            && [
                &f.centre,
                &f.axes,
                &f.inverse_scale,
                &self.guard_centre,
                &self.weights,
            ]
            .iter()
            .all(|v| finite(v))
            && self.guard_radius.is_finite()
    }

    fn block(
        &self,
        (shape, coefficients): (&Gradients, &[f64]),
        rows: &[u32],
        y: &[f64],
        out: &mut [f64],
        jacobian: Option<&mut [f64]>,
        s: &mut Scratch,
    ) {
        let (dim, count) = (self.guard_centre.len(), rows.len());
        let of = |i: u32| i as usize * dim..(i as usize + 1) * dim;
        s.z.resize(dim * count, 0.0);
        for (i, &row) in rows.iter().enumerate() {
            self.frame.enter(&y[of(row)], i, count, &mut s.z);
        }
        shape
            .low
            .evaluate(&s.z, count, &mut s.tables, &mut s.values);
        s.along.clear();
        s.along.resize(dim * count, 0.0);
        Arch::new().dispatch(
            #[inline(always)]
            || {
                let sums = s.along.chunks_exact_mut(count);
                for (along, weights) in sums.zip(coefficients.chunks_exact(shape.low.len())) {
                    for (w, column) in weights.iter().zip(s.values.chunks_exact(count)) {
                        for (o, c) in along.iter_mut().zip(column) {
                            *o += w * c;
                        }
                    }
                }
            },
        );
        let mut shrink = vec![1.0; count];
        let (mut here, mut along) = (vec![0.0; dim], vec![0.0; dim]);
        for (i, &row) in rows.iter().enumerate() {
            for (a, along) in along.iter_mut().enumerate() {
                *along = s.along[a * count + i];
            }
            self.frame.turn_back(&along, &mut here);
            shrink[i] = self.guard(&mut here);
            out[of(row)].copy_from_slice(&here);
        }
        if let Some(jacobian) = jacobian {
            let basis = HermiteBasis::new(dim, self.degree);
            basis.tables(&s.z, count, &mut s.tables);
            s.column.resize(count, 0.0);
            self.second(&basis, rows, &shrink, jacobian, s);
        }
    }

    /// `R D^-1 (hessian of psi) D^-1 R'`, zero where the guard acts.
    fn second(
        &self,
        basis: &HermiteBasis,
        rows: &[u32],
        shrink: &[f64],
        jacobian: &mut [f64],
        s: &mut Scratch,
    ) {
        let (dim, count) = (self.guard_centre.len(), rows.len());
        s.hessian.clear();
        s.hessian.resize(dim * dim * count, 0.0);
        for a in 0..dim {
            for b in 0..=a {
                let scale = self.frame.inverse_scale[a] * self.frame.inverse_scale[b];
                let h = &mut s.hessian[(a * dim + b) * count..(a * dim + b + 1) * count];
                for (e, &w) in self.weights.iter().enumerate() {
                    if basis.derivative(e, &[a, b], &s.tables, &mut s.column[..count]) {
                        h.iter_mut()
                            .zip(&s.column)
                            .for_each(|(o, c)| *o += w * scale * c);
                    }
                }
            }
        }
        let axes = &self.frame.axes;
        for (i, &row) in rows.iter().enumerate() {
            let out = &mut jacobian[row as usize * dim * dim..(row as usize + 1) * dim * dim];
            out.fill(0.0);
            if shrink[i] < 1.0 {
                continue;
            }
            for k in 0..dim {
                for l in 0..dim {
                    let (hi, lo) = (k.max(l), k.min(l));
                    let h = s.hessian[(hi * dim + lo) * count + i];
                    for a in 0..dim {
                        for b in 0..dim {
                            out[a * dim + b] += axes[a * dim + k] * h * axes[b * dim + l];
                        }
                    }
                }
            }
        }
    }

    /// Pulls `m` back into the ball; returns the factor applied to its distance from the centre.
    fn guard(&self, m: &mut [f64]) -> f64 {
        let gap: f64 = m
            .iter()
            .zip(&self.guard_centre)
            .map(|(m, c)| (m - c) * (m - c))
            .sum();
        let gap = gap.sqrt();
        if gap <= self.guard_radius {
            return 1.0;
        }
        // An overflow is pulled to the centre itself.
        let factor = if gap.is_finite() {
            self.guard_radius / gap
        } else {
            0.0
        };
        for (m, c) in m.iter_mut().zip(&self.guard_centre) {
            *m = if factor > 0.0 {
                c + (*m - c) * factor
            } else {
                *c
            };
        }
        factor
    }
}
