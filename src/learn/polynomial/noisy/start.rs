//! Where the likelihood is climbed from: the algebra of the longest samples.
//!
//! The outputs of a homogeneous map grow as the `w`-th power of the latents, the noise does not: the longest samples are nearly
//! noiseless, and the algebra asks for nothing else than that they lie on the cone. Quadrics that vanish are found by
//! Taubin's ratio, in which noise cancels to first order, and the variety is fitted by least squares of distances. Then the
//! latents of ordinary samples fix the change of the latents that is left.
//!
//! Maps with several degrees start from samples of every length, as without noise; they bear less of it.

use super::super::OP;
use super::super::attempt::Attempt;
use super::super::eigenfunctions::{NOISY_SUMS, Peeled};
use super::super::latent_covariance::{Chart, Fitted};
use super::super::lie_algebra::LieAlgebra;
use super::super::reduction::{Reduction, Subset, tame};
use super::super::requirements::{Form, Requirements};
use super::super::variety_fit::VarietyFit;
use super::modes::{Atlas, Model};
use super::scoring::Rows;
use crate::Error;
use crate::fit::Check;
use crate::io::samples::Samples;
use crate::linalg::{norm2, symmetric_eigen};
use crate::run::Observer;
use crate::stats::split::Split;
use crate::tensor::{MonomialBasis, PolynomialMap};
use faer::Mat;
use rand::Rng;

/// A drop of the singular values that counts as the edge of the signal.
const DROP: f64 = 1.5;
/// Readings of the span that are tried for each form.
const READINGS: usize = 2;
/// The longest samples: shares of all, and how many at most.
const SHARES: [usize; 2] = [20, 6];
const MOST_LONG: usize = 3000;
/// Samples that the change of the latents is taken from.
const SETTLED: usize = 2000;
/// The noise at the start is taken for this much greater: what the map misses counts as noise at first.
const WIDER: f64 = 1.3;
/// Noise below this share of the spread is none.
const NONE: f64 = 1e-9;

/// A model to climb from.
pub(super) struct Start {
    /// Whether the samples show no noise.
    pub(super) exact: bool,
    pub(super) model: Model,
    pub(super) needs: Requirements,
    pub(super) checks: Vec<Check>,
}

/// Models worth climbing from, of one form; why there is none otherwise.
pub(super) fn starts(
    rows: &Subset,
    (degree, latent, form): (usize, Option<usize>, Form),
    rng: &mut impl Rng,
    observer: Observer<'_>,
) -> Result<Vec<Start>, Error> {
    let (mut found, mut refused) = (Vec::new(), None);
    let count = rows.count();
    let subsets: Vec<Subset> = match form {
        Form::Homogeneous => SHARES
            .iter()
            .map(|s| rows.longest((count / s).clamp(400, MOST_LONG)))
            .collect(),
        Form::General => vec![rows.spaced(MOST_LONG)],
    };
    for subset in subsets {
        let known = (latent, Some(form));
        let readings = match Reduction::with_drop(&subset, degree, known, DROP) {
            Ok(readings) => readings,
            Err(e) => {
                refused.get_or_insert(e);
                continue;
            }
        };
        for reduction in readings.into_iter().take(READINGS) {
            let one = match form {
                Form::Homogeneous => longest(&subset, reduction, rows, rng, &mut *observer),
                Form::General => spread(&subset, reduction, rng, &mut *observer),
            };
            match one {
                Ok(start) => found.push(start),
                Err(e @ (Error::Degenerate { .. } | Error::InvalidInput { .. })) => {
                    refused.get_or_insert(e);
                }
                Err(e) => return Err(e),
            }
        }
    }
    match refused {
        Some(e) if found.is_empty() => Err(e),
        _ => Ok(found),
    }
}

/// From the longest rows of a homogeneous map.
fn longest(
    subset: &Subset,
    reduction: Reduction,
    rows: &Subset,
    rng: &mut impl Rng,
    observer: Observer<'_>,
) -> Result<Start, Error> {
    reduction.enough()?;
    let needs = reduction.needs;
    let monomials = MonomialBasis::homogeneous(needs.variables(), needs.degree)?;
    let lengths: Vec<f64> = subset
        .rows
        .chunks_exact(subset.columns)
        .map(norm2)
        .collect();
    let divisors = divisors(&lengths);
    let mut white = Mat::from_fn(reduction.rows.nrows(), needs.monomials, |i, k| {
        reduction.rows[(i, k)] * reduction.white[k]
    });
    let again = tame(&mut white);
    let variances = Mat::from_fn(white.nrows(), white.ncols(), |i, k| {
        (reduction.white[k] / (divisors[i] * again[i])).powi(2)
    });
    let algebra = LieAlgebra::of_noisy(white.as_ref(), variances.as_ref(), &needs, rng)?;
    let peeled = Peeled::of(white.as_ref(), &algebra, &needs, NOISY_SUMS, rng)?;
    let fit = VarietyFit::of(
        reduction.rows.as_ref(),
        &monomials,
        peeled.latents.as_ref(),
        &peeled.order,
        observer,
    )?;
    if fit.stopped {
        return Err(Error::Stopped { op: OP });
    }
    let noise = noise_of(&fit, (&lengths, &divisors), &needs);
    let mut checks = reduction.checks.clone();
    checks.extend(algebra.checks);
    checks.extend(peeled.checks);
    let map = PolynomialMap::new(monomials, &reduction.basis * &fit.coefficients)?;
    let levels = vec![WIDER * noise.max(NONE); subset.columns];
    let model = settled(Model::new(&map, levels), rows, rng)?;
    Ok(Start {
        exact: noise < NONE,
        model,
        needs,
        checks,
    })
}

/// The noise on each output that explains how far rows of the given lengths, divided as they were, are from the variety; a
/// guess where they could not be off it.
fn noise_of(fit: &VarietyFit, (lengths, divisors): (&[f64], &[f64]), needs: &Requirements) -> f64 {
    const GUESS: f64 = 0.1;
    let ratios = lengths.iter().zip(divisors).map(|(l, d)| l / d);
    let squares: f64 = ratios.map(|t| t * t).sum();
    let inverse: f64 = divisors.iter().map(|d| d.powi(-2)).sum();
    match needs.monomials - needs.latent {
        0 => GUESS,
        free => fit.residual * (squares / (free as f64 * inverse)).sqrt(),
    }
}

/// `(|y|^2 + median^2)^(1/2)`, as [`tame`] divides by.
fn divisors(lengths: &[f64]) -> Vec<f64> {
    let mut sorted = lengths.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.get(sorted.len() / 2).copied().unwrap_or(1.0);
    let middle = if middle > 0.0 { middle } else { 1.0 };
    lengths.iter().map(|l| l.hypot(middle)).collect()
}

/// Takes the covariance of the latents of ordinary rows into the map, twice.
fn settled(mut model: Model, rows: &Subset, rng: &mut impl Rng) -> Result<Model, Error> {
    let some = rows.spaced(SETTLED);
    let (r, d) = (model.latent(), model.outputs());
    let mut atlas: Atlas = model.atlas(rng);
    for _ in 0..2 {
        model.redraw(&mut atlas);
        let mut s = model.scratch();
        let mut square = Mat::<f64>::zeros(r, r);
        let mut size = 0.0;
        for row in some.rows.chunks_exact(d) {
            let u: Vec<f64> = row.iter().zip(&model.noise).map(|(y, s)| y / s).collect();
            if let Some(x) = model.modes(&u, &atlas, &mut s).first() {
                for i in 0..r {
                    (0..r).for_each(|j| square[(i, j)] += x[i] * x[j]);
                }
            }
            size += norm2(row).powi(2);
        }
        let count = some.count() as f64;
        let e = symmetric_eigen(OP, (faer::Scale(1.0 / count) * square).as_ref())?;
        let hypothesis = "latents that fill their space (least eigenvalue of their covariance)";
        if !(e.values[0] > 1e-12 * e.values[r - 1]) {
            return Err(Error::degenerate(OP, hypothesis, e.values[0]));
        }
        let root = Mat::from_fn(r, r, |i, j| e.vectors[(i, j)] * e.values[j].sqrt());
        let map = model.map()?;
        let turned = map.coefficients() * map.basis().substitution(root.as_ref())?;
        let turned = PolynomialMap::new(map.basis().clone(), turned)?;
        let noise: f64 = model.noise.iter().map(|s| s * s).sum();
        let own = mean_square(&turned);
        let scale = ((size / count - noise).max(0.5 * size / count) / own).sqrt();
        let coefficients = faer::Scale(scale) * turned.coefficients();
        let map = PolynomialMap::new(map.basis().clone(), coefficients)?;
        model = Model::new(&map, model.noise.clone());
    }
    Ok(model)
}

/// `E |p(x)|^2`.
fn mean_square(map: &PolynomialMap) -> f64 {
    let covariance = map.covariance();
    let mean = |a: usize| map.exact_mean(a).map_or(0.0, |m| m.to_f64());
    (0..map.output_dim())
        .map(|a| covariance[(a, a)] + mean(a).powi(2))
        .sum()
}

/// From rows of every length of a map with several degrees.
fn spread(
    subset: &Subset,
    reduction: Reduction,
    rng: &mut impl Rng,
    observer: Observer<'_>,
) -> Result<Start, Error> {
    let attempt = Attempt::of(reduction, rng, &mut *observer)?;
    let fitted = Fitted {
        reduction: &attempt.reduction,
        subset,
        monomials: &attempt.monomials,
        metric: &attempt.metric,
        coefficients: &attempt.fit.coefficients,
    };
    let (chart, on_constant) = Chart::of(&fitted)?;
    let raw = subset.rows.chunks_exact(subset.columns);
    let raw = raw.flat_map(|row| row.iter().zip(&subset.scale).map(|(y, s)| y / s));
    let samples = Samples::from_rows(subset.columns, raw.collect())?;
    let census = fitted.census(&samples, Split::new(0.0), &chart, observer)?;
    let map = fitted.standardised(&chart, &census)?;
    let (c, needs) = (map.coefficients(), attempt.reduction.needs);
    let scaled = Mat::from_fn(c.nrows(), c.ncols(), |a, k| c[(a, k)] * subset.scale[a]);
    let map = PolynomialMap::new(map.basis().clone(), scaled)?;
    let free = (needs.monomials - needs.variables()).max(1) as f64;
    let noise = attempt.fit.residual * (needs.monomials as f64 / free).sqrt();
    let mut checks = attempt.reduction.checks.clone();
    checks.extend(attempt.checks);
    checks.extend(on_constant);
    let levels = vec![WIDER * noise.max(NONE); subset.columns];
    Ok(Start {
        exact: noise < NONE,
        model: Model::new(&map, levels),
        needs,
        checks,
    })
}

/// The rows of a subset.
pub(super) fn rows_of(subset: &Subset) -> Rows<'_> {
    Rows {
        entries: &subset.rows,
        columns: subset.columns,
    }
}
