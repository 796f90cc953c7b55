//! The algorithm of Schramm and Steurer, in `O(n^5)`.
//!
//! 1. Truncate: `T^{>eps} = (T_{12,34} - eps Id)_+`, whose rank is at most `m`.
//! 2. Clip the singular values of the flattenings `{123}{4}` and `{124}{3}` to one.
//! 3. Contract two modes with a random Gaussian matrix: the top singular vectors are near a component with
//!    probability `n^{-O(eps)}`; boost once, keep what is high enough.
//! 4. Make what was found orthonormal (polar factor), drop what fell below, subtract, repeat.

use super::climbs::columns;
use super::flattening::{Flattening, OP, Top};
use crate::Error;
use crate::decomp::overcomplete::landscape::{distinct, unpacked};
use crate::linalg::{symmetric_eigen, thin_svd};
use faer::{Mat, MatRef};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// Rounds of deflation: the paper's `O(log n)`.
const ROUNDS: usize = 6;
/// Contractions for every component still missing.
const TRIALS: usize = 12;
/// Share of the median height below which a candidate is dropped when `eps` is not known: the paper's absolute
/// thresholds are vacuous from `eps = 1/6` on.
const SHARE: f64 = 0.6;

/// The components that were found, at most `m`, orthonormal within each round.
pub(super) fn schramm_steurer(
    t: &Flattening,
    m: usize,
    eps: Option<f64>,
    rng: &mut impl Rng,
) -> Result<Mat<f64>, Error> {
    let mut found = Mat::<f64>::zeros(t.n, 0);
    let mut work = t.clone();
    for _ in 0..ROUNDS {
        let missing = m - found.ncols();
        if missing == 0 {
            break;
        }
        let clipped = clipped(&truncated(&work.top(missing + 1)?, missing, eps), t.n)?;
        let candidates = contractions(&clipped, t.n, TRIALS * missing.max(2), rng)?;
        let boosted = t.boost(&t.boost(&candidates)?)?;
        let kept = accepted(t, &boosted, &found, missing, eps);
        if kept.ncols() == 0 {
            continue;
        }
        let svd = thin_svd(OP, kept.as_ref())?;
        let polar = &svd.u * svd.v.transpose();
        let high = high_enough(
            &t.values(&polar),
            missing,
            eps.map(|e| (1.0 - 6.0 * e).powi(2) - e),
        );
        let fresh = columns(&polar, &high);
        let all = Mat::from_fn(t.n, found.ncols() + fresh.ncols(), |i, c| {
            if c < found.ncols() {
                found[(i, c)]
            } else {
                fresh[(i, c - found.ncols())]
            }
        });
        found = all;
        work = work.minus(&fresh);
    }
    Ok(found)
}

/// The factor `U sqrt(L - eps)` of the truncated flattening; `eps` is the first eigenvalue left out unless given.
fn truncated(top: &Top, missing: usize, eps: Option<f64>) -> Mat<f64> {
    let next = top.values.get(missing).copied().unwrap_or(0.0);
    let eps = eps.unwrap_or(next.max(0.0));
    let rank = top
        .values
        .iter()
        .take(missing)
        .filter(|v| **v > eps)
        .count()
        .max(1);
    Mat::from_fn(top.vectors.nrows(), rank, |i, c| {
        top.vectors[(i, c)] * (top.values[c] - eps).max(0.0).sqrt()
    })
}

/// The tensor with that factor, entry `(i, j, k, l)` at row `i + n j + n^2 k`, column `l`, after both clippings.
fn clipped(factor: &Mat<f64>, n: usize) -> Result<Mat<f64>, Error> {
    let rank = factor.ncols();
    let mut wide = Mat::<f64>::zeros(n * n, rank);
    for c in 0..rank {
        let shape = unpacked(factor.col_as_slice(c), n);
        for j in 0..n {
            for i in 0..n {
                wide[(i + n * j, c)] = shape[(i, j)];
            }
        }
    }
    let square = &wide * wide.transpose();
    let tall = Mat::from_fn(n * n * n, n, |row, l| {
        square[(row % (n * n), row / (n * n) + n * l)]
    });
    let tall = clip(tall.as_ref())?;
    let swap = |m: &Mat<f64>| {
        Mat::from_fn(n * n * n, n, |row, k| {
            m[(row % (n * n) + n * n * k, row / (n * n))]
        })
    };
    // The second clipping keeps the first.
    let other = clip(swap(&tall).as_ref())?;
    Ok(swap(&other))
}

/// Singular values above one become one: `M V min(1, 1/s) V'`.
fn clip(m: MatRef<'_, f64>) -> Result<Mat<f64>, Error> {
    let gram = m.transpose() * m;
    let eigen = symmetric_eigen(OP, gram.as_ref())?;
    let k = gram.nrows();
    let shrunk = Mat::from_fn(k, k, |i, j| {
        (0..k)
            .map(|c| {
                let s = eigen.values[c].max(0.0).sqrt();
                let f = if s > 1.0 { 1.0 / s } else { 1.0 };
                f * eigen.vectors[(i, c)] * eigen.vectors[(j, c)]
            })
            .sum::<f64>()
    });
    Ok(m * &shrunk)
}

/// Top left and right singular vectors of `sum_ij g_ij T_ij` for Gaussian `g`.
fn contractions(
    tall: &Mat<f64>,
    n: usize,
    trials: usize,
    rng: &mut impl Rng,
) -> Result<Mat<f64>, Error> {
    let g = Mat::<f64>::from_fn(trials, n * n, |_, _| StandardNormal.sample(rng));
    let mut out = Mat::zeros(n, 2 * trials);
    let parts: Vec<Mat<f64>> = (0..n)
        .map(|k| &g * tall.as_ref().subrows(n * n * k, n * n))
        .collect();
    for c in 0..trials {
        let m = Mat::from_fn(n, n, |k, l| parts[k][(c, l)]);
        let svd = thin_svd(OP, m.as_ref())?;
        for i in 0..n {
            out[(i, 2 * c)] = svd.u[(i, 0)];
            out[(i, 2 * c + 1)] = svd.v[(i, 0)];
        }
    }
    Ok(out)
}

/// Distinct new candidates that are high enough, at most `missing`.
fn accepted(
    t: &Flattening,
    x: &Mat<f64>,
    found: &Mat<f64>,
    missing: usize,
    eps: Option<f64>,
) -> Mat<f64> {
    let values = t.values(x);
    let overlap = found.transpose() * x;
    let fresh: Vec<usize> = (0..x.ncols())
        .filter(|&c| overlap.col(c).iter().all(|g| g * g < 0.5))
        .collect();
    let x = columns(x, &fresh);
    let values: Vec<f64> = fresh.iter().map(|&c| values[c]).collect();
    let absolute = eps.map(|e| (1.0 - 3.0 * e).powi(2) - e);
    let high = high_enough(&values, missing, absolute);
    let (x, values) = (
        columns(&x, &high),
        high.iter().map(|&c| values[c]).collect::<Vec<_>>(),
    );
    columns(&x, &distinct(&x, &values, 0.9, missing))
}

/// Those above the absolute threshold where it says something, else above a share of the median of the best.
fn high_enough(values: &[f64], missing: usize, absolute: Option<f64>) -> Vec<usize> {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    sorted.truncate(missing.max(1));
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
    let least = absolute.filter(|a| *a > 0.25).unwrap_or(SHARE * median);
    (0..values.len()).filter(|&c| values[c] > least).collect()
}
