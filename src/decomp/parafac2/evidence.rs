//! What is measured about a PARAFAC2 model: recomputed from the slices and the model.

use super::identifiability::parafac2_uniqueness;
use super::slices::{Slices, gap_of};
use crate::decomp::Uniqueness;
use crate::decomp::cp::checks::{self, MOST_CANCELLATION};
use crate::decomp::cp::constrained::orthonormal;
use crate::decomp::restarts::agreement;
use crate::fit::{Check, Evidence};
use crate::linalg::small;
use crate::tensor::{Factor, Parafac2Model};

/// Rounds converge linearly: on data of norm one.
const MOST_GRADIENT: f64 = 1e-4;
/// Rounding that a product may leave of a right angle.
const ROUNDING: f64 = 1e-9;
/// Relative residual of a fit that reproduces the data.
const EXACT: f64 = 1e-9;

/// What one pass over the slices measures.
struct Measured {
    residual: f64,
    slope: f64,
    /// Greatest departure of `P_k' P_k` from one.
    skew: f64,
    /// Rows and columns that no entry sees.
    unseen: f64,
    seen: f64,
}

impl Measured {
    /// The residual of slice `k` with its weights; its squares, and what was seen, are counted.
    fn weighted_gap(
        &mut self,
        slices: &Slices,
        k: usize,
        (left, shared): (&Factor, &Factor),
        columns_seen: &mut [bool],
    ) -> Factor {
        let x = &slices.x[k];
        let mut gap = x.clone();
        gap_of(x, left, shared, &mut gap);
        let mut rows_seen = vec![false; x.rows()];
        for (i, g) in gap.as_mut_slice().iter_mut().enumerate() {
            let w = slices.weight(k, i);
            self.residual += w * *g * *g;
            *g *= w;
            if w > 0.0 {
                self.seen += 1.0;
                rows_seen[i % x.rows()] = true;
                columns_seen[i / x.rows()] = true;
            }
        }
        self.unseen += rows_seen.iter().filter(|s| !**s).count() as f64;
        gap
    }
}

/// Measures `model` against `slices`; `ends` are the residuals of all starts.
pub(super) fn evidence(
    slices: &Slices,
    model: &Parafac2Model,
    (ends, nonnegative): (&[f64], bool),
) -> Evidence {
    let found = measured(slices, model, nonnegative);
    let rank = model.rank();
    let size = slices.size();
    let rel_residual = found.residual / size;
    let variance = rel_residual * rel_residual;
    let (agreeing, lacking) = agreement(ends, (1e-4, 1e-9), rel_residual <= EXACT);
    let total: usize = slices.x.iter().map(|f| f.as_slice().len()).sum();
    let free = parameters(slices, rank);
    let flat = match parafac2_uniqueness(model) {
        Uniqueness::Family(n) => n as f64,
        _ => 0.0,
    };
    let weights: Vec<f64> = (0..rank).map(|r| model.loadings().column_norm(r)).collect();
    let cancellation = small::norm_sq(&weights).sqrt() / model.norm().max(f64::MIN_POSITIVE);
    let mut list = fitness(&found, (size, variance, cancellation), (free, flat));
    list.push(checks::starts_missing(lacking, 0.0));
    if slices.weights.is_some() {
        let missing = total as f64 - found.seen;
        let label = "observed entries";
        list.push(Check::reported(
            "parafac2.observed-entries",
            label,
            found.seen,
        ));
        let label = "missing entries";
        list.push(Check::reported("parafac2.missing-entries", label, missing));
    }
    list.extend([
        checks::explained(variance),
        checks::starts(ends.len()),
        checks::starts_agreeing(agreeing),
    ]);
    Evidence {
        rel_residual,
        condition: 1.0,
        checks: list,
    }
}

/// The bounds that decide, but for the starts.
fn fitness(
    found: &Measured,
    (size, variance, cancellation): (f64, f64, f64),
    (free, flat): (f64, f64),
) -> Vec<Check> {
    // The best of so many free numbers takes at most about twice its share of noise.
    let left = (1.0 - 2.0 * free / found.seen).max(0.02);
    vec![
        checks::gradient(found.slope / size, MOST_GRADIENT),
        checks::cancellation(cancellation, MOST_CANCELLATION),
        Check::accuracy(
            "parafac2.orthonormality",
            "departure of the bases from orthonormal ones",
            found.skew,
            ROUNDING,
        ),
        checks::unexplained(variance, 0.5 * left),
        Check::uniqueness(
            "parafac2.flat-directions",
            "directions that change the components but not the slices",
            flat,
            0.0,
        ),
        Check::conditioning(
            "parafac2.unseen-rows",
            "rows and columns without observations",
            found.unseen,
            0.0,
        ),
        Check::conditioning(
            "parafac2.parameters-per-entry",
            "parameters over observed entries",
            free / found.seen,
            1.0,
        ),
        Check::reported("parafac2.parameters", "parameters", free),
    ]
}

/// Numbers that a model is free to choose: frames, core, shared factor and loadings, less the lengths that move between them
/// and the rotations between frames and core.
fn parameters(slices: &Slices, rank: usize) -> f64 {
    let frame = |f: &Factor| (f.rows() * rank) as f64 - (rank * (rank + 1)) as f64 / 2.0;
    let frames: f64 = slices.x.iter().map(frame).sum();
    let phi = (rank * (rank + 1)) as f64 / 2.0;
    let rest = rank * (slices.x[0].cols() + slices.x.len());
    frames + phi + rest as f64 - 2.0 * rank as f64
}

fn measured(slices: &Slices, model: &Parafac2Model, nonnegative: bool) -> Measured {
    let (core, shared, loadings) = (model.core(), model.shared(), model.loadings());
    let rank = model.rank();
    let (mut da, mut df) = (
        Factor::zeros(shared.rows(), rank),
        Factor::zeros(rank, rank),
    );
    let mut out = Measured {
        residual: 0.0,
        slope: 0.0,
        skew: 0.0,
        unseen: 0.0,
        seen: 0.0,
    };
    let mut columns_seen = vec![false; shared.rows()];
    let scale = 1.0
        + (0..rank)
            .map(|r| loadings.column_norm(r))
            .fold(0.0, f64::max);
    for k in 0..slices.x.len() {
        let parts = model.components(k);
        let mut left = parts.clone();
        (0..rank).for_each(|r| left.scale_column(r, loadings.column(r)[k]));
        let gap = out.weighted_gap(slices, k, (&left, shared), &mut columns_seen);
        // gap' P F D, P' gap A D, and gap A.
        let back = left.left_mul(gap.as_mat().transpose());
        small::axpy(da.as_mut_slice(), 1.0, back.as_slice());
        let through = shared.left_mul(gap.as_mat());
        let seen = through.left_mul(model.bases()[k].as_mat().transpose());
        for r in 0..rank {
            let c = loadings.column(r)[k];
            small::axpy(df.column_mut(r), c, seen.column(r));
            let g = small::dot(parts.column(r), through.column(r));
            let g = if nonnegative && c <= 0.0 {
                g.max(0.0)
            } else {
                g
            };
            out.slope += g * g;
        }
        // At the basis: gap A D F', along frames.
        let loaded = Factor::from_fn(rank, rank, |r, i| core.column(r)[i] * loadings.column(r)[k]);
        let slope = loaded.left_mul(through.as_mat());
        out.slope += small::norm_sq(orthonormal::along(&model.bases()[k], &slope).as_slice());
        out.skew = out.skew.max(orthonormal::violation(&model.bases()[k]));
    }
    out.unseen += columns_seen.iter().filter(|s| !**s).count() as f64;
    out.slope += small::norm_sq(da.as_slice()) + small::norm_sq(df.as_slice());
    out.slope = out.slope.sqrt() / scale;
    out.residual = out.residual.sqrt();
    out
}
